import { describe, expect, it } from 'vitest'

import { asDialled, dialUnit, fromDial, onDial } from '../src/lib/register'

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

  it('is named by the server in the unit of its quantity', () => {
    expect(asDialled('at least 2375055000 Wh · the reading of 2026-11-28T16:10:55.010+00:00 says 5 L')).toBe(
      'at least 2,375,055 kWh · the reading of 2026-11-28T16:10:55.010+00:00 says 0.005 m³',
    )
    expect(asDialled('is the value in Wh, before ratios?')).toBe('is the value in kWh, before ratios?')
    expect(asDialled('at most 3 Lamps')).toBe('at most 3 Lamps')
  })
})
