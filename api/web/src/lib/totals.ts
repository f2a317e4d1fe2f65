// A total taken apart one level: the answers that it needs, and what they say.

import { get } from '../api/client'
import type { Building, Carbon, Institution, Ledger, LedgerRow, Point, PowerEvent } from '../api/shapes'
import { at, subItemOf } from './derive'
import { isKnown, sum } from './format'
import { type CurveStep, curveSteps } from './quality'
import { idIn, type Question } from './question'
import { endOf, type Span, stepOf, stepsOf } from './span'
import { rfc3339 } from './zone'

export interface Part {
  key: string
  /** What the key names. */
  kind: 'institution' | 'building' | 'point' | 'commodity' | 'rest'
  value: number | null
  base: number | null
  unit: string
  next: Question | null
}

export interface Total {
  value: number | null
  /** Left out or true where the server states the total; only then the parts can prove it. */
  isStated?: boolean
  unit: string
  /** The exact integer, where the figure has one. */
  base: number | null
  baseUnit: string
  row: LedgerRow | null
  by: Part['kind']
  parts: Part[]
  steps: CurveStep[]
  factors: Carbon['factors']
}

/** What the page knows of the site: who owns what. */
export interface Registry {
  zone: string
  institutions: Institution[]
  buildings: Building[]
  points: Point[]
  power: PowerEvent | null
}

const AT_ONCE = 6

/** Asks several things, a few at a time. */
async function each<A, B>(all: A[], ask: (one: A) => Promise<B>): Promise<B[]> {
  const answers: B[] = []
  for (let from = 0; from < all.length; from += AT_ONCE) {
    answers.push(...(await Promise.all(all.slice(from, from + AT_ONCE).map(ask))))
  }
  return answers
}

function window(registry: Registry, question: Question): { from: string; to: string } {
  const end = endOf(registry.zone, question.span, question.start)
  return { from: rfc3339(registry.zone, question.start), to: rfc3339(registry.zone, end) }
}

export function askLedger(
  registry: Registry,
  question: Question,
  more: { by?: string; span?: Span; scope?: string } = {},
): Promise<Ledger> {
  const { scope, commodity, span } = question
  return get<Ledger>('ledger', { scope, commodity, span, ...window(registry, question), ...more })
}

/** Into what a scope is taken apart: the whole into institutions, down to points. */
export function divide(registry: Registry, scope: string): 'institution' | 'building' | 'point' {
  if (scope === 'all' && registry.institutions.length > 1) return 'institution'
  const institution = idIn(scope, 'institution')
  const own = registry.buildings.filter((one) => institution === null || one.institution === institution)
  return (scope === 'all' || institution !== null) && own.length > 1 ? 'building' : 'point'
}

function valueOf(question: Question): (row: LedgerRow) => number | null {
  if (question.of === 'co2') return (row) => row.co2_kg
  if (question.of === 'kgce') return (row) => row.kgce
  return (row) => row.amount
}

const unitOf = (question: Question, unit: string): string =>
  question.of === 'co2' ? 'kgCO2' : question.of === 'kgce' ? 'kgce' : unit

/** Where an amount came from: energy, or the CO2 and coal of one commodity. */
async function ofLedger(registry: Registry, question: Question): Promise<Total> {
  const by = divide(registry, question.scope)
  const [whole, split, drawn] = await Promise.all([
    askLedger(registry, question),
    askLedger(registry, question, { by }),
    askLedger(registry, question, { span: stepOf(question.span) }),
  ])
  const value = valueOf(question)
  const row = whole.rows[0] ?? null
  const isEnergy = question.of === 'energy'
  const unit = unitOf(question, whole.unit)
  return {
    value: row && value(row),
    unit,
    base: isEnergy && row ? row.amount_base : null,
    baseUnit: whole.base_unit,
    row,
    by,
    parts: split.rows.map((one) => ({
      key: one.key ?? '',
      kind: by,
      value: value(one),
      base: isEnergy ? one.amount_base : null,
      unit,
      next: { ...question, scope: `${by}:${one.key}` },
    })),
    steps: curveSteps(stepsOf(registry.zone, question.span, question.start), drawn.rows, value),
    factors: [],
  }
}

/** CO2 or standard coal over all commodities. */
async function ofCarbon(registry: Registry, question: Question): Promise<Total> {
  const { scope, span } = question
  const range = window(registry, question)
  const [whole, drawn] = await Promise.all([
    get<Carbon>('carbon', { scope, span, ...range }),
    get<Carbon>('carbon', { scope, span: stepOf(span), ...range }),
  ])
  const key = question.of === 'co2' ? 'co2_kg' : 'kgce'
  const row = whole.rows[0]
  const known = new Map(drawn.rows.map((one) => [at(one), one[key]]))
  return {
    value: row?.[key] ?? null,
    unit: unitOf(question, ''),
    base: null,
    baseUnit: '',
    row: null,
    by: 'commodity',
    parts: (row?.by_commodity ?? [])
      .filter((one) => isKnown(one[key]))
      .map((one) => ({
        key: one.commodity,
        kind: 'commodity' as const,
        value: one[key],
        base: null,
        unit: unitOf(question, ''),
        next: { ...question, commodity: one.commodity },
      })),
    steps: stepsOf(registry.zone, span, question.start).map((start) => {
      const value = known.get(start) ?? null
      return { start, value, parts: value === null ? [] : [{ quality: 'measured' as const, value }] }
    }),
    factors: whole.factors.filter((one) => (one.kind === 'co2') === (question.of === 'co2')),
  }
}

const inClass = (sub: string, rows: LedgerRow[]): LedgerRow[] =>
  rows.filter((row) => subItemOf(row.key ?? '') === sub)

/** One class of sub-items. Below a building stand the points that carry the class. */
async function ofSubItem(registry: Registry, question: Question): Promise<Total> {
  const by = divide(registry, question.scope)
  const [whole, drawn, keys] = await Promise.all([
    askLedger(registry, question, { by: 'subitem' }),
    askLedger(registry, question, { by: 'subitem', span: stepOf(question.span) }),
    askLedger(registry, question, { by }),
  ])
  const ids = keys.rows.map((row) => row.key ?? '').filter(Boolean)
  const add = (rows: LedgerRow[], part: 'amount' | 'amount_base'): number | null =>
    sum(inClass(question.sub, rows).map((row) => row[part]))
  const answers = await each(ids, async (id) => {
    const scope = `${by}:${id}`
    const answer = await askLedger(registry, question, { scope, by: 'subitem' })
    return { id, scope, rows: answer.rows }
  })
  const parts = answers
    .filter(({ rows }) => inClass(question.sub, rows).length > 0)
    .map(({ id, scope, rows }) => ({
      key: id,
      kind: by,
      value: add(rows, 'amount'),
      base: add(rows, 'amount_base'),
      unit: whole.unit,
      next: { ...question, scope, sub: by === 'point' ? '' : question.sub },
    }))
  const byStart = new Map<number, LedgerRow[]>()
  for (const row of inClass(question.sub, drawn.rows)) {
    byStart.set(at(row), [...(byStart.get(at(row)) ?? []), row])
  }
  const steps = stepsOf(registry.zone, question.span, question.start).map((start) => {
    const value = sum((byStart.get(start) ?? []).map((row) => row.amount))
    return { start, value, parts: value === null ? [] : [{ quality: 'measured' as const, value }] }
  })
  return {
    value: add(whole.rows, 'amount'),
    unit: whole.unit,
    base: add(whole.rows, 'amount_base'),
    baseUnit: whole.base_unit,
    row: null,
    by,
    parts,
    steps,
    factors: [],
  }
}

/** The power of this moment: what the meters said last. */
export function ofPower(registry: Registry, question: Question): Total {
  const institution = idIn(question.scope, 'institution')
  const building = idIn(question.scope, 'building')
  const watts = new Map((registry.power?.points ?? []).map((one) => [one.id, one.power_w]))
  const inside = registry.points.filter(
    (point) =>
      point.commodity === 'electricity' &&
      !point.parent &&
      (institution === null || point.institution === institution) &&
      (building === null || point.building === building) &&
      watts.has(point.id),
  )
  const by = divide(registry, question.scope)
  const keyOf = (point: Point): string => (by === 'point' ? point.id : point[by])
  const keys = [...new Set(inside.map(keyOf))]
  const parts = keys.map((key) => ({
    key,
    kind: by,
    value: sum(inside.filter((point) => keyOf(point) === key).map((point) => watts.get(point.id))),
    base: null,
    unit: 'W',
    next: by === 'point' ? null : { ...question, scope: `${by}:${key}` },
  }))
  // The server adds up institutions by itself; of a building it states no total.
  const stated = (registry.power?.institutions ?? []).filter(
    ({ id }) => institution === null || id === institution,
  )
  const isStated = building === null && stated.length > 0
  return {
    value: sum((isStated ? stated : parts.map(({ value }) => ({ power_w: value }))).map((one) => one.power_w)),
    isStated,
    unit: 'W',
    base: null,
    baseUnit: '',
    row: null,
    by,
    parts,
    steps: [],
    factors: [],
  }
}

function askOnce(registry: Registry, question: Question): Promise<Total> | Total {
  if (question.of === 'power') return ofPower(registry, question)
  if (question.sub) return ofSubItem(registry, question)
  if (question.commodity === '') return ofCarbon(registry, question)
  return ofLedger(registry, question)
}

const ATTEMPTS = 3

/**
 * The whole and its parts come in several answers. Where the ledger moved on between them they do not
 * add up, and are asked again.
 */
export async function askTotal(registry: Registry, question: Question): Promise<Total> {
  for (let attempt = 1; ; attempt += 1) {
    const total = await askOnce(registry, question)
    if (attempt === ATTEMPTS || checkSum(total)?.holds !== false) return total
  }
}

/** kg, as the server rounds what is no integer. */
const ROUNDED_TO = 0.001

export interface SumCheck {
  sum: number
  difference: number
  holds: boolean
}

/** Σ parts against the total: exact where the figures are integers, within rounding where derived. */
export function checkSum(total: Total): SumCheck | null {
  const whole = total.base ?? total.value
  const pick = (part: Part): number | null => (total.base === null ? part.value : part.base)
  const parts = sum(total.parts.map(pick))
  if (total.isStated === false || whole === null || parts === null) return null
  const difference = parts - whole
  // Derived figures come rounded to a gram: each may be half of one off.
  const rounding = (total.parts.length + 1) * ROUNDED_TO / 2
  const slack = total.base === null ? Math.max(rounding, Math.abs(whole) * 1e-9) : 0
  return { sum: parts, difference, holds: Math.abs(difference) <= slack }
}
