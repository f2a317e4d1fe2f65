// Days, months and years of the site's own time zone. The server decides what belongs to a local
// day; the page only needs the instants at which such days begin, to ask for them.

export const DEFAULT_ZONE = 'Asia/Shanghai'

export interface LocalDate {
  year: number
  /** 1 to 12 */
  month: number
  day: number
}

export interface LocalTime extends LocalDate {
  hour: number
  minute: number
  second: number
  /** 0 is Sunday. */
  weekday: number
}

const MINUTE_MS = 60_000
const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(zone, format)
  }
  return format
}

/** Whether this browser knows the zone. */
export function knowsZone(zone: string): boolean {
  try {
    formatOf(zone)
    return true
  } catch {
    return false
  }
}

export function localTime(zone: string, atMs: number): LocalTime {
  const parts: Record<string, number> = {}
  for (const part of formatOf(zone).formatToParts(atMs)) parts[part.type] = Number(part.value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay()
  return { year, month, day, hour, minute, second, weekday }
}

/** Minutes that local time is ahead of UTC at an instant. */
export function offsetMinutes(zone: string, atMs: number): number {
  const local = localTime(zone, atMs)
  const asUtc = Date.UTC(
    local.year,
    local.month - 1,
    local.day,
    local.hour,
    local.minute,
    local.second,
  )
  return Math.round((asUtc - Math.floor(atMs / 1000) * 1000) / MINUTE_MS)
}

/** The instant at which a local date begins. Day and month may overflow: month 13 is January. */
export function startOf(zone: string, date: LocalDate): number {
  const wall = Date.UTC(date.year, date.month - 1, date.day)
  // The offset at the guess may differ from that at the answer when the clock changes; twice is enough.
  const guess = wall - offsetMinutes(zone, wall) * MINUTE_MS
  return wall - offsetMinutes(zone, guess) * MINUTE_MS
}

export function startOfDay(zone: string, atMs: number, shiftDays = 0): number {
  const local = localTime(zone, atMs)
  return startOf(zone, { ...local, day: local.day + shiftDays })
}

export function startOfMonth(zone: string, atMs: number, shiftMonths = 0): number {
  const local = localTime(zone, atMs)
  return startOf(zone, { year: local.year, month: local.month + shiftMonths, day: 1 })
}

export function startOfYear(zone: string, atMs: number, shiftYears = 0): number {
  const local = localTime(zone, atMs)
  return startOf(zone, { year: local.year + shiftYears, month: 1, day: 1 })
}

/** Share of the local year that has passed, 0 to 1. */
export function shareOfYear(zone: string, atMs: number): number {
  const from = startOfYear(zone, atMs)
  return (atMs - from) / (startOfYear(zone, atMs, 1) - from)
}

const two = (n: number): string => String(n).padStart(2, '0')

/** RFC 3339 with the zone's offset, as the API writes and reads times. */
export function rfc3339(zone: string, atMs: number): string {
  const t = localTime(zone, atMs)
  const offset = offsetMinutes(zone, atMs)
  const sign = offset < 0 ? '-' : '+'
  const size = Math.abs(offset)
  return (
    `${t.year}-${two(t.month)}-${two(t.day)}T${two(t.hour)}:${two(t.minute)}:${two(t.second)}` +
    `${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`
  )
}

/** 15:04 */
export function clock(zone: string, atMs: number): string {
  const t = localTime(zone, atMs)
  return `${two(t.hour)}:${two(t.minute)}`
}

/** 15:04:05 */
export function clockSeconds(zone: string, atMs: number): string {
  return `${clock(zone, atMs)}:${two(localTime(zone, atMs).second)}`
}
