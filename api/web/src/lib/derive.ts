// What the panels show, from what the API answers. Pure functions over rows.

import type { Budget, LedgerRow, Meter, Point, PowerEvent } from '../api/shapes'
import { decimal, isKnown, ratio, sum } from './format'

export const INTERVAL_MS = 15 * 60_000
const DAY_MS = 24 * 60 * 60_000

export const at = (row: { start: string }): number => Date.parse(row.start)

/** kWh of an interval as the mean kW over it. */
export function meanKw(row: LedgerRow): number {
  return (row.amount * 60 * 60_000) / INTERVAL_MS
}

/** The 96 slots of a local day; a slot without a row is unknown, not zero. */
export function daySlots(rows: LedgerRow[], dayStartMs: number, nowMs: number): (number | null)[] {
  const slots: (number | null)[] = new Array<number | null>(DAY_MS / INTERVAL_MS).fill(null)
  for (const row of rows) {
    const slot = Math.floor((at(row) - dayStartMs) / INTERVAL_MS)
    // The running interval is not complete yet: its mean power would be a false dip.
    const complete = at(row) + INTERVAL_MS <= nowMs
    if (slot >= 0 && slot < slots.length && complete) slots[slot] = meanKw(row)
  }
  return slots
}

export function peakOf(slots: (number | null)[]): { slot: number; value: number } | null {
  let peak: { slot: number; value: number } | null = null
  slots.forEach((value, slot) => {
    if (value !== null && (peak === null || value > peak.value)) peak = { slot, value }
  })
  return peak
}

/** Amount of the intervals that end by `toMs`. */
export function amountBetween(rows: LedgerRow[], fromMs: number, toMs: number): number | null {
  return sum(
    rows
      .filter((row) => at(row) >= fromMs && at(row) + INTERVAL_MS <= toMs)
      .map((row) => row.amount),
  )
}

/**
 * Share of the points' intervals of the last 24 hours that have an amount. The last hour is left
 * out: meters that speak every quarter of an hour are still on their way. `askedFromMs` is where the
 * rows begin: what was not asked for is not missing.
 */
export function recentCoverage(
  rows: LedgerRow[],
  nowMs: number,
  askedFromMs: number,
): number | null {
  const toMs = Math.floor((nowMs - 60 * 60_000) / INTERVAL_MS) * INTERVAL_MS
  const fromMs = Math.max(toMs - DAY_MS, askedFromMs)
  const inside = rows.filter((row) => at(row) >= fromMs && at(row) < toMs)
  if (inside.length === 0) return null
  const total = inside.reduce((all, row) => all + Math.min(1, row.coverage ?? 0), 0)
  return total / ((toMs - fromMs) / INTERVAL_MS)
}

export interface QualityShares {
  measured: number
  interpolated: number
  estimated: number
  manual: number
}

/** Shares of several rows, weighted by their amounts. */
export function qualityOf(rows: LedgerRow[]): QualityShares | null {
  const shared = rows.filter((row) => row.quality !== null && row.amount_base > 0)
  const whole = shared.reduce((all, row) => all + row.amount_base, 0)
  if (whole <= 0) return null
  const part = (name: keyof QualityShares): number =>
    shared.reduce((all, row) => all + (row.quality?.[name] ?? 0) * row.amount_base, 0) / whole
  return {
    measured: part('measured'),
    interpolated: part('interpolated'),
    estimated: part('estimated'),
    manual: part('manual'),
  }
}

/** Sum of amounts by key. */
export function amountsByKey(rows: LedgerRow[]): Map<string, number> {
  const all = new Map<string, number>()
  for (const row of rows) {
    if (row.key) all.set(row.key, (all.get(row.key) ?? 0) + row.amount)
  }
  return all
}

export const SUB_ITEMS = ['A', 'B', 'C', 'D', 'rest'] as const
export type SubItem = (typeof SUB_ITEMS)[number]

/** The class of a sub-item code: 01B20 (terminals) belongs to B, air conditioning. */
export function subItemOf(code: string): SubItem {
  const letter = /^01([A-D])/.exec(code)?.[1]
  return (letter as SubItem | undefined) ?? 'rest'
}

export function subItemAmounts(rows: LedgerRow[]): { item: SubItem; amount: number }[] {
  const all = new Map<SubItem, number>()
  for (const [code, amount] of amountsByKey(rows)) {
    const item = subItemOf(code)
    all.set(item, (all.get(item) ?? 0) + amount)
  }
  return SUB_ITEMS.filter((item) => all.has(item)).map((item) => ({ item, amount: all.get(item)! }))
}

export interface Ranked {
  id: string
  total: number | null
  perArea: number | null
}

/** Institutions by electricity, the largest first; those without an amount come last. */
export function ranked(
  institutions: { id: string; floor_area_m2?: number | null }[],
  amounts: Map<string, number>,
  by: 'perArea' | 'total',
): Ranked[] {
  const rows = institutions.map(({ id, floor_area_m2 }) => {
    const total = amounts.get(id) ?? null
    return { id, total, perArea: ratio(total, floor_area_m2) }
  })
  return rows.sort((a, b) => (b[by] ?? -1) - (a[by] ?? -1) || a.id.localeCompare(b.id))
}

export interface BudgetSum {
  annual: number
  used: number | null
  usedShare: number | null
  yearShare: number | null
  /** Budget by month, January first. */
  months: (number | null)[]
  /** Used by month, January first. */
  monthsUsed: (number | null)[]
  /** The worst colour among the budgets, where one is rated, and how many budgets have it. */
  colour: string | null
  colourCount: number
  count: number
}

const SEVERITY = ['green', 'amber', 'red']

/**
 * Several institutions' budgets of one metric as one. What is used counts only institutions that
 * have a budget, so that it may be held against it.
 */
export function sumBudgets(budgets: Budget[], metric: string): BudgetSum | null {
  const chosen = budgets.filter((budget) => budget.metric === metric)
  if (chosen.length === 0) return null
  const annual = sum(chosen.map((budget) => decimal(budget.annual))) ?? 0
  const known = chosen.every((budget) => decimal(budget.used) !== null)
  const used = known ? sum(chosen.map((budget) => decimal(budget.used))) : null
  const byMonth = (part: 'budget' | 'used'): (number | null)[] =>
    Array.from({ length: 12 }, (_, index) =>
      sum(
        chosen.map((budget) =>
          decimal(budget.months.find(({ month }) => monthNumber(month) === index + 1)?.[part]),
        ),
      ),
    )
  const worst = Math.max(...chosen.map((budget) => SEVERITY.indexOf(budget.colour ?? '')))
  return {
    annual,
    used,
    usedShare: ratio(used, annual),
    yearShare: chosen[0]?.year_share ?? null,
    months: byMonth('budget'),
    monthsUsed: byMonth('used'),
    colour: SEVERITY[worst] ?? null,
    colourCount: chosen.filter(({ colour }) => colour && colour === SEVERITY[worst]).length,
    count: chosen.length,
  }
}

/** "2026-03" is March. */
export function monthNumber(month: string): number {
  return Number(month.split('-').pop())
}

export interface MeterCounts {
  online: number
  silent: number
  backed_off: number
  waiting: number
}

export function countMeters(meters: { state: string | null }[]): MeterCounts {
  const counts: MeterCounts = { online: 0, silent: 0, backed_off: 0, waiting: 0 }
  for (const { state } of meters) {
    const known = state !== null && state in counts
    counts[known ? (state as keyof MeterCounts) : 'waiting'] += 1
  }
  return counts
}

/** The unit in which a meter's register is read, before ratios; '' where nothing tells it. */
export function registerUnit(meter: Meter | undefined, quantity: string): string {
  const of = (all: { quantity: string; unit: string }[] | undefined): string | undefined =>
    all?.find((one) => one.quantity === quantity)?.unit
  return of(meter?.limits) ?? of(meter?.latest) ?? ''
}

/** Meters that somebody should look at, the worst first. */
export function troubled(meters: Meter[]): Meter[] {
  const order = ['silent', 'backed_off']
  return meters
    .filter(({ state }) => order.includes(state ?? ''))
    .sort((a, b) => order.indexOf(a.state ?? '') - order.indexOf(b.state ?? '') || a.id.localeCompare(b.id))
}

/** Power by building: the electricity points that have no parent. */
export function powerByBuilding(points: Point[], power: PowerEvent | null): Map<string, number> {
  const all = new Map<string, number>()
  if (!power) return all
  const values = new Map(power.points.map((point) => [point.id, point.power_w]))
  for (const point of points) {
    const watts = values.get(point.id)
    if (point.commodity === 'electricity' && !point.parent && isKnown(watts)) {
      all.set(point.building, (all.get(point.building) ?? 0) + watts)
    }
  }
  return all
}

export interface Tick {
  id: string
  at: number
  watts: number
  /** Against the value before; null for the first. */
  change: number | null
}

/**
 * The live list: points whose reading is new, those that changed most first. What was listed stays
 * until something newer pushes it out, so the list is never empty between two events.
 */
export function nextTicks(
  before: Tick[],
  known: Map<string, number>,
  power: PowerEvent,
  size: number,
): Tick[] {
  const fresh: Tick[] = []
  for (const point of power.points) {
    const time = point.at ? Date.parse(point.at) : Number.NaN
    if (!isKnown(point.power_w) || !Number.isFinite(time)) continue
    const last = known.get(point.id)
    if (last === point.power_w) continue
    const moved = isKnown(last) && last > 0 ? point.power_w / last - 1 : null
    fresh.push({ id: point.id, at: time, watts: point.power_w, change: moved })
    known.set(point.id, point.power_w)
  }
  fresh.sort((a, b) => Math.abs(b.change ?? 0) - Math.abs(a.change ?? 0))
  const head = fresh.slice(0, Math.max(2, Math.ceil(size / 3)))
  const ids = new Set(head.map((tick) => tick.id))
  return [...head, ...before.filter((tick) => !ids.has(tick.id))].slice(0, size)
}

export interface Loading {
  stored: number
  queued: number
  days: number
  /** 0 to 1 */
  share: number
}

/** Below these a queue is everyday business and no history that loads. */
const QUEUED_MIN = 5_000
const DIRTY_DAYS_MIN = 200

export function loadingOf(
  health: { stored_total: number; queued: number; dirty_days: number } | null | undefined,
): Loading | null {
  if (!health) return null
  if (health.queued < QUEUED_MIN && health.dirty_days < DIRTY_DAYS_MIN) return null
  const whole = health.stored_total + health.queued
  return {
    stored: health.stored_total,
    queued: health.queued,
    days: health.dirty_days,
    share: whole > 0 ? health.stored_total / whole : 0,
  }
}
