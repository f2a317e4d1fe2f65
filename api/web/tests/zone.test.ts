import { describe, expect, it } from 'vitest'

import {
  localTime,
  offsetMinutes,
  rfc3339,
  shareOfYear,
  startOfDay,
  startOfMonth,
  startOfYear,
} from '../src/lib/zone'

const at = (text: string): number => Date.parse(text)

describe('local days', () => {
  it('begin at 16:00 UTC of the day before in China', () => {
    expect(startOfDay('Asia/Shanghai', at('2026-11-22T16:20:00Z'))).toBe(at('2026-11-22T16:00:00Z'))
    expect(startOfDay('Asia/Shanghai', at('2026-11-22T15:59:59Z'))).toBe(at('2026-11-21T16:00:00Z'))
    expect(startOfMonth('Asia/Shanghai', at('2026-11-30T17:00:00Z'))).toBe(at('2026-11-30T16:00:00Z'))
    expect(startOfYear('Asia/Shanghai', at('2026-12-31T15:00:00Z'), 1)).toBe(at('2026-12-31T16:00:00Z'))
  })
  it('count months across a year', () => {
    expect(startOfMonth('Asia/Shanghai', at('2026-01-15T00:00:00Z'), -1)).toBe(at('2025-11-30T16:00:00Z'))
    expect(startOfMonth('Asia/Shanghai', at('2026-12-15T00:00:00Z'), 1)).toBe(at('2026-12-31T16:00:00Z'))
  })
  it('are 23 and 25 hours long where the clock changes', () => {
    const hours = (day: string): number => {
      const start = startOfDay('Europe/Berlin', at(day))
      return (startOfDay('Europe/Berlin', at(day), 1) - start) / 3_600_000
    }
    expect(hours('2026-03-29T12:00:00Z')).toBe(23)
    expect(hours('2026-10-25T12:00:00Z')).toBe(25)
    expect(hours('2026-06-01T12:00:00Z')).toBe(24)
  })
  it('know their offset and weekday', () => {
    expect(offsetMinutes('Asia/Shanghai', at('2026-05-01T00:00:00.500Z'))).toBe(480)
    expect(offsetMinutes('America/St_Johns', at('2026-01-01T00:00:00Z'))).toBe(-210)
    expect(localTime('Asia/Shanghai', at('2026-11-22T16:20:00Z')).weekday).toBe(1)
  })
  it('are written as RFC 3339 with their offset', () => {
    expect(rfc3339('Asia/Shanghai', at('2026-11-22T16:00:00Z'))).toBe('2026-11-23T00:00:00+08:00')
    expect(rfc3339('America/St_Johns', at('2026-01-01T03:30:00Z'))).toBe('2026-01-01T00:00:00-03:30')
  })
  it('give the share of the year', () => {
    expect(shareOfYear('Asia/Shanghai', at('2025-12-31T16:00:00Z'))).toBe(0)
    expect(shareOfYear('UTC', at('2026-07-02T12:00:00Z'))).toBeCloseTo(0.5, 6)
  })
})
