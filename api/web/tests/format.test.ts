import { describe, expect, it } from 'vitest'

import {
  change,
  changeText,
  compact,
  coveragePercent,
  decimal,
  MISSING,
  number,
  percent,
  ratio,
  scaledText,
  sum,
} from '../src/lib/format'

describe('what is not known', () => {
  it('is a dash and never zero or NaN', () => {
    for (const unknown of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(number(unknown)).toBe(MISSING)
      expect(compact(unknown)).toBe(MISSING)
      expect(percent(unknown)).toBe(MISSING)
      expect(coveragePercent(unknown)).toBe(MISSING)
      expect(changeText(unknown)).toBe(MISSING)
      expect(scaledText(unknown, 'kWh')).toBe(MISSING)
    }
    expect(sum([null, undefined])).toBeNull()
    expect(sum([])).toBeNull()
    expect(ratio(1, 0)).toBeNull()
    expect(change(5, 0)).toBeNull()
    expect(decimal('')).toBeNull()
    expect(decimal('abc')).toBeNull()
  })
  it('does not hide a real zero', () => {
    expect(compact(0)).toBe('0')
    expect(sum([0, null])).toBe(0)
    expect(decimal('0')).toBe(0)
    expect(scaledText(0, 'W')).toBe('0 kW')
  })
})

describe('figures', () => {
  it('keep about four figures', () => {
    expect([0.5, 12.345, 123.45, 1234.5, 1234567].map(compact)).toEqual([
      '0.50',
      '12.35',
      '123.5',
      '1,235',
      '1,234,567',
    ])
  })
  it('write a minus and no negative zero', () => {
    expect(number(-12)).toBe('−12')
    expect(number(-0.01)).toBe('0')
  })
  it('take the unit of their size', () => {
    expect(scaledText(1500, 'W')).toBe('1.50 kW')
    expect(scaledText(1_490_000, 'W')).toBe('1.49 MW')
    expect(scaledText(99_999, 'kWh')).toBe('99,999 kWh')
    expect(scaledText(427_500, 'kWh')).toBe('427.5 MWh')
    expect(scaledText(5_780_000, 'kWh')).toBe('5.78 GWh')
    expect(scaledText(999, 'kgCO2')).toBe('999.0 kgCO₂')
    expect(scaledText(304_700, 'kgCO2')).toBe('304.7 tCO₂')
    expect(scaledText(12, 'm3')).toBe('12.00 m³')
  })
  it('never round a coverage up to all of it', () => {
    expect(coveragePercent(0.9999)).toBe('99.9%')
    expect(coveragePercent(1)).toBe('100%')
  })
  it('say the direction of a change by a sign', () => {
    expect(changeText(change(110, 100))).toBe('▲ 10.0%')
    expect(changeText(change(90, 100))).toBe('▼ 10.0%')
    expect(changeText(change(100, 100))).toBe('0.0%')
  })
})
