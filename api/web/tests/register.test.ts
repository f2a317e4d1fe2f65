import { describe, expect, it } from 'vitest'

import { dialUnit, fromDial, onDial } from '../src/lib/register'

describe('a register', () => {
  it('is read off in the unit of the display and kept in that of the quantity', () => {
    expect(fromDial('550526.5', 'Wh')).toBe(550_526_500)
    // 1.005 × 1000 is 1004.9999999999999 in floating point.
    expect(fromDial('1.005', 'Wh')).toBe(1005)
    expect(fromDial('3.2', 'kJ')).toBe(3_200_000)
    expect(fromDial('230.5', 'V')).toBe(230.5)
    expect(['Wh', 'L', 'kJ', 'varh', 'V'].map(dialUnit)).toEqual(['kWh', 'm³', 'GJ', 'kvarh', 'V'])
  })

  it('is said as the display shows it', () => {
    expect(onDial(550_526_500, 'Wh')).toBe('550,526.5 kWh')
    expect(onDial(12_000, 'L')).toBe('12 m³')
  })
})
