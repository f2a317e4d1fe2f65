// Spans of the ledger: how long, how called, what one is made of.

import { clock, startOfDay, startOfMonth, startOfYear } from './zone'
import { dateOf, monthOf } from './when'

export const SPANS = ['year', 'month', 'day', 'hour', 'interval'] as const
export type Span = (typeof SPANS)[number]

export function isSpan(text: string): text is Span {
  return (SPANS as readonly string[]).includes(text)
}

const LENGTH_MS = { hour: 3_600_000, interval: 900_000 } as const

/** The first instant after the span that begins at `start`. */
export function endOf(zone: string, span: Span, start: number): number {
  switch (span) {
    case 'year':
      return startOfYear(zone, start, 1)
    case 'month':
      return startOfMonth(zone, start, 1)
    case 'day':
      return startOfDay(zone, start, 1)
    default:
      return start + LENGTH_MS[span]
  }
}

/** What a picture of the span is drawn of: a year of months, a month of days, a day of intervals. */
export function stepOf(span: Span): Span {
  if (span === 'year') return 'month'
  if (span === 'month') return 'day'
  return 'interval'
}

/** Every step of a span, whether anything is known of it or not. */
export function stepsOf(zone: string, span: Span, start: number): number[] {
  const step = stepOf(span)
  const end = endOf(zone, span, start)
  const steps: number[] = []
  for (let at = start; at < end; at = endOf(zone, step, at)) steps.push(at)
  return steps
}

export function spanText(zone: string, span: Span, start: number): string {
  switch (span) {
    case 'year':
      return dateOf(zone, start).slice(0, 4)
    case 'month':
      return monthOf(zone, start)
    case 'day':
      return dateOf(zone, start)
    default:
      return `${dateOf(zone, start)} ${clock(zone, start)}–${clock(zone, endOf(zone, span, start))}`
  }
}

