import { describe, expect, it } from 'vitest'

import { chooseLanguage, en, fill, type Message, zh } from '../src/i18n'

const sources = import.meta.glob<string>('../src/**/*.{ts,vue}', {
  query: '?raw',
  import: 'default',
  eager: true,
})
const keys = Object.keys(zh) as Message[]
const holes = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!).sort()

describe('languages', () => {
  it('say everything in both', () => {
    expect(Object.keys(en).sort()).toEqual([...keys].sort())
    for (const key of keys) {
      expect(zh[key].trim(), key).not.toBe('')
      expect(en[key].trim(), key).not.toBe('')
    }
  })
  it('fill the same places', () => {
    for (const key of keys) expect(holes(en[key]), key).toEqual(holes(zh[key]))
  })
  it('have seven weekdays', () => {
    expect(zh.weekdays.split(',')).toHaveLength(7)
    expect(en.weekdays.split(',')).toHaveLength(7)
  })
  it('leave no text of one language in the components', () => {
    const components = Object.entries(sources).filter(([name]) => name.endsWith('.vue'))
    expect(components.length).toBeGreaterThan(10)
    for (const [name, text] of components) expect(/[\u4e00-\u9fff]/.test(text), name).toBe(false)
  })
  it('hold no message that nothing shows', () => {
    const source = Object.entries(sources)
      .filter(([name]) => !name.includes('/messages/'))
      .map(([, text]) => text)
      .join('\n')
    const states = { online: 1, connecting: 1, offline: 1 }
    const prefixes = [...source.matchAll(/word\(\s*'(\w+_)'/g)].map((found) => found[1]!)
    const unused = keys.filter(
      (key) =>
        !source.includes(`'${key}'`) &&
        !prefixes.some((prefix) => key.startsWith(prefix)) &&
        !(key in states),
    )
    expect(unused).toEqual([])
  })
})

describe('choice', () => {
  it('is the address, then the memory, then Chinese', () => {
    expect(chooseLanguage('?lang=en', 'zh')).toBe('en')
    expect(chooseLanguage('', 'en')).toBe('en')
    expect(chooseLanguage('', null)).toBe('zh')
    expect(chooseLanguage('?lang=fr', null)).toBe('zh')
  })
  it('keeps a place that nothing fills', () => {
    expect(fill('{a} and {b}', { a: 1 })).toBe('1 and {b}')
  })
})
