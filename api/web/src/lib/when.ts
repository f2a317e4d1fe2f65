// Instants and months as the pages write and read them. All of them are of the site's own zone.

import { clock, clockSeconds, localTime, rfc3339, startOf } from './zone'

const two = (n: number): string => String(n).padStart(2, '0')

/** 2026-11-22 */
export function dateOf(zone: string, atMs: number): string {
  const { year, month, day } = localTime(zone, atMs)
  return `${year}-${two(month)}-${two(day)}`
}

/** 2026-11 */
export function monthOf(zone: string, atMs: number): string {
  return dateOf(zone, atMs).slice(0, 7)
}

/** 2026-11-22 15:04 */
export function stamp(zone: string, atMs: number): string {
  return `${dateOf(zone, atMs)} ${clock(zone, atMs)}`
}

/** 2026-11-22 15:04:05 */
export function stampSeconds(zone: string, atMs: number): string {
  return `${dateOf(zone, atMs)} ${clockSeconds(zone, atMs)}`
}

/** The first instant of `2026-11` or `2026-11-22`. */
export function startOfText(zone: string, text: string): number {
  const [year = 0, month = 1, day = 1] = text.split('-').map(Number)
  return startOf(zone, { year, month, day })
}

/** `2026-11` and a number of months: `2027-01`. */
export function shiftMonth(month: string, by: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number)
  const all = year * 12 + number - 1 + by
  return `${Math.floor(all / 12)}-${two((((all % 12) + 12) % 12) + 1)}`
}

/** What an input of type datetime-local holds (`2026-11-22T15:04`), as the site's own time. */
export function fromInput(zone: string, text: string): number | null {
  const found = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?/.exec(text)
  if (!found) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1)
    .map((part) => Number(part ?? 0))
  const wall = ((hour * 60 + minute) * 60 + second) * 1000
  const guess = startOf(zone, { year, month, day }) + wall
  // On the day on which clocks change the wall clock is not midnight plus so many hours.
  const read = localTime(zone, guess)
  return guess + (hour * 60 + minute - (read.hour * 60 + read.minute)) * 60_000
}

/** The reverse of [`fromInput`]. */
export function toInput(zone: string, atMs: number): string {
  return rfc3339(zone, atMs).slice(0, 19)
}
