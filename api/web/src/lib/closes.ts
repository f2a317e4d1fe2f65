// Which state a month of an institution has, from the proposals of the books.

import type { Close } from '../api/ledger-shapes'
import { shiftMonth } from './when'

export const MONTHS_SHOWN = 13

/** The last months, the running one included. */
export function monthsUntil(month: string, count = MONTHS_SHOWN): string[] {
  return Array.from({ length: count }, (_, index) => shiftMonth(month, index - count + 1))
}

export interface MonthCell {
  month: string
  state: string
  revision: number
  /** What is to be looked at: a proposal that waits, else the valid close, else the last try. */
  close: Close | null
}

/**
 * A proposal that waits is what somebody has to see; without one the valid close counts. A rejected
 * proposal leaves the month open, or closed as it was.
 */
export function cellOf(closes: Close[], institution: string, month: string): MonthCell {
  const own = closes
    .filter((one) => one.institution === institution && one.month === month)
    .sort((a, b) => b.proposal - a.proposal)
  const shown =
    own.find(({ state }) => state === 'provisional') ?? own.find(({ state }) => state === 'closed')
  const state = shown?.state ?? 'open'
  return { month, state, revision: shown?.revision ?? 0, close: shown ?? null }
}

/** Every proposal of a month, the newest first. */
export function proposalsOf(closes: Close[], institution: string, month: string): Close[] {
  return closes
    .filter((one) => one.institution === institution && one.month === month)
    .sort((a, b) => b.proposal - a.proposal)
}
