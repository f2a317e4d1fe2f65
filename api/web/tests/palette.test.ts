import { describe, expect, it } from 'vitest'

import { contrast, type Palette, PALETTES } from '../src/lib/palette'

const TEXT: (keyof Palette)[] = ['ink', 'soft', 'celadon', 'ochre', 'cinnabar']
const GROUND: (keyof Palette)[] = ['paper', 'sheet', 'wash']
const MARKS: (keyof Palette)[] = ['celadon', 'indigo', 'ochre', 'cinnabar', 'violet', 'stone', 'edge']

describe.each(Object.entries(PALETTES))('%s', (_, palette) => {
  it('has text that can be read', () => {
    for (const text of TEXT) {
      for (const ground of GROUND) {
        expect(contrast(palette[text], palette[ground]), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5)
      }
    }
    expect(contrast(palette.paper, palette.celadon)).toBeGreaterThanOrEqual(4.5)
  })
  it('has marks that can be seen', () => {
    for (const mark of MARKS) {
      expect(contrast(palette[mark], palette.paper), mark).toBeGreaterThanOrEqual(2.7)
    }
  })
})

it('measures contrast as WCAG does', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5)
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
})
