// How amounts are known, as pictures show it.

import type { LedgerRow } from '../api/shapes'
import { at } from './derive'

export const CLASSES = ['measured', 'interpolated', 'shaped', 'estimated', 'manual'] as const
export type QualityClass = (typeof CLASSES)[number]

export interface CurveStep {
  start: number
  /** Null is missing, never zero. */
  value: number | null
  parts: { quality: QualityClass; value: number }[]
}

export interface Shares {
  measured: number
  interpolated: number
  estimated: number
  manual?: number
}

/** Shares with the estimated part named by the rule that made it, where that is known. */
function partsOf(row: LedgerRow, value: number, isShaped: boolean): CurveStep['parts'] {
  const shares = row.quality as Shares | null
  if (!shares) return [{ quality: 'measured', value }]
  const all: [QualityClass, number][] = [
    ['measured', shares.measured],
    ['interpolated', shares.interpolated],
    [isShaped ? 'shaped' : 'estimated', shares.estimated],
    ['manual', shares.manual ?? 0],
  ]
  return all
    .filter(([, share]) => share > 0)
    .map(([quality, share]) => ({ quality, value: share * value }))
}

/** The steps of a picture: one for every start, with what the rows know of it. */
export function curveSteps(
  starts: number[],
  rows: LedgerRow[],
  valueOf: (row: LedgerRow) => number | null,
  shapedBetween: { from: number; to: number }[] = [],
): CurveStep[] {
  const known = new Map(rows.map((row) => [at(row), row]))
  return starts.map((start) => {
    const row = known.get(start)
    const value = row ? valueOf(row) : null
    if (!row || value === null || row.coverage === 0) return { start, value: null, parts: [] }
    const isShaped = shapedBetween.some(({ from, to }) => start + 900_000 > from && start < to)
    return { start, value, parts: partsOf(row, value, isShaped) }
  })
}

/** The one quality of a step, or null where there are several. */
export function qualityOfStep(step: CurveStep): QualityClass | 'missing' | null {
  if (step.value === null) return 'missing'
  return step.parts.length === 1 ? step.parts[0]!.quality : null
}
