import { describe, expect, it } from 'vitest'

import { Failure } from '../src/api/client'
import type { Close, Review } from '../src/api/ledger-shapes'
import type { Building, Institution, LedgerRow } from '../src/api/shapes'
import { cellOf, monthsUntil } from '../src/lib/closes'
import { wordsAt } from '../src/lib/load'
import { curveSteps, qualityOfStep } from '../src/lib/quality'
import { fromParams, questionOf, stepTo, toParams } from '../src/lib/question'
import { endOf, spanText, stepsOf } from '../src/lib/span'
import { checkSum, divide, ofPower, type Registry, type Total } from '../src/lib/totals'
import { suggestionOf } from '../src/lib/verdicts'
import { fromInput, monthOf, shiftMonth, startOfText, toInput } from '../src/lib/when'
import { hashOf, parseHash } from '../src/route'

const ZONE = 'Asia/Shanghai'
const DAY = Date.parse('2026-11-20T00:00:00+08:00')

describe('addresses', () => {
  it('name a page; an unknown one is the cockpit', () => {
    expect(parseHash('#/closes?month=2026-10').page).toBe('closes')
    expect(parseHash('#/closes?month=2026-10').query.get('month')).toBe('2026-10')
    expect(parseHash('#/nowhere').page).toBe('cockpit')
    expect(parseHash('').page).toBe('cockpit')
    expect(hashOf('reviews', { id: 'a~b~1' })).toBe('#/reviews?id=a%7Eb%7E1')
    expect(hashOf('cockpit')).toBe('#/')
  })
  it('carry a question there and back', () => {
    const asked = questionOf({ of: 'co2', scope: 'institution:x', commodity: '', span: 'month', start: DAY })
    const params = toParams(asked, (ms) => new Date(ms).toISOString())
    expect(fromParams(new URLSearchParams(params), Date.parse)).toEqual(asked)
  })
  it('take a point alone, and refuse what asks nothing', () => {
    const query = new URLSearchParams({ point: 'p-1', span: 'day', start: '2026-11-20T00:00:00+08:00' })
    expect(fromParams(query, Date.parse)).toMatchObject({ scope: 'point:p-1', start: DAY, of: 'energy' })
    for (const [name, bad] of [['span', 'week'], ['start', 'noon'], ['point', '']] as const) {
      const wrong = new URLSearchParams(query)
      wrong.set(name, bad)
      expect(fromParams(wrong, Date.parse), name).toBeNull()
    }
  })
  it('lead down, and back up to a question that was asked', () => {
    const [a, b, c] = ['all', 'institution:x', 'building:y'].map((scope) => questionOf({ scope, start: DAY }))
    const down = stepTo(stepTo(stepTo([], a!), b!), c!)
    expect(down).toHaveLength(3)
    expect(stepTo(down, { ...a! })).toEqual([a])
    const point = questionOf({ scope: 'point:p', start: DAY })
    expect(stepTo([{ ...point, commodity: '' }], point)).toEqual([point])
    expect(stepTo([{ ...a!, of: 'co2', commodity: '' }], { ...a!, of: 'co2' })).toHaveLength(2)
  })
})

describe('spans', () => {
  it('have steps: 96 intervals a day, the days of a month, the months of a year', () => {
    expect(stepsOf(ZONE, 'day', DAY)).toHaveLength(96)
    expect(stepsOf(ZONE, 'month', startOfText(ZONE, '2026-02'))).toHaveLength(28)
    expect(stepsOf(ZONE, 'year', startOfText(ZONE, '2026'))).toHaveLength(12)
    expect(stepsOf('Europe/Berlin', 'day', startOfText('Europe/Berlin', '2026-10-25'))).toHaveLength(100)
    expect(endOf(ZONE, 'month', startOfText(ZONE, '2026-12'))).toBe(startOfText(ZONE, '2027-01'))
  })
  it('are named as people name them', () => {
    expect(spanText(ZONE, 'month', DAY)).toBe('2026-11')
    expect(spanText(ZONE, 'interval', DAY)).toBe('2026-11-20 00:00–00:15')
  })
  it('count months over the year', () => {
    expect(shiftMonth('2026-11', 2)).toBe('2027-01')
    expect(shiftMonth('2026-01', -1)).toBe('2025-12')
    expect(monthOf(ZONE, DAY)).toBe('2026-11')
  })
  it('read what an input holds as local time', () => {
    expect(fromInput(ZONE, '2026-11-20T08:30')).toBe(DAY + 8.5 * 3_600_000)
    expect(fromInput(ZONE, toInput(ZONE, DAY + 61_000))).toBe(DAY + 61_000)
    expect(fromInput('Europe/Berlin', '2026-10-25T12:00')).toBe(Date.parse('2026-10-25T12:00:00+01:00'))
    expect(fromInput(ZONE, 'soon')).toBeNull()
  })
})

describe('the picture of a span', () => {
  const row = (start: number, quality: Record<string, number> | null, coverage = 1): LedgerRow =>
    ({ start: new Date(start).toISOString(), amount: 10, amount_base: 10_000, coverage, quality }) as unknown as LedgerRow
  const steps = curveSteps(
    [DAY, DAY + 900_000, DAY + 1_800_000],
    [row(DAY, { measured: 0.5, interpolated: 0, estimated: 0.5, manual: 0 }), row(DAY + 900_000, { measured: 0, estimated: 1 })],
    (one) => one.amount,
    [{ from: DAY + 900_000, to: DAY + 1_800_000 }],
  )
  it('splits a step by quality, names the rule, and never takes missing for zero', () => {
    expect(steps[0]!.parts).toEqual([
      { quality: 'measured', value: 5 },
      { quality: 'estimated', value: 5 },
    ])
    expect(steps.map(qualityOfStep)).toEqual([null, 'shaped', 'missing'])
    expect(steps[2]!.value).toBeNull()
  })
})

describe('totals', () => {
  const part = (value: number, base: number | null): Total['parts'][number] => ({ key: 'k', kind: 'point', value, base, unit: 'kWh', next: null })
  const total = (base: number | null, value: number, parts: Total['parts']): Total =>
    ({ base, value, parts, unit: 'kWh', baseUnit: 'Wh', row: null, by: 'point', steps: [], factors: [] })
  it('hold to the last base unit', () => {
    expect(checkSum(total(3_000, 3, [part(1, 1_000), part(2, 2_000)]))).toMatchObject({ sum: 3_000, holds: true })
    expect(checkSum(total(3_001, 3.001, [part(1, 1_000), part(2, 2_000)]))).toMatchObject({ difference: -1, holds: false })
    expect(checkSum(total(null, 0.3, [part(0.1, null), part(0.2, null)]))?.holds).toBe(true)
    expect(checkSum(total(null, 0.3, []))).toBeNull()
  })
  const registry = {
    zone: ZONE,
    institutions: [{ id: 'a' }, { id: 'b' }] as Institution[],
    buildings: [{ id: 'a1', institution: 'a' }, { id: 'a2', institution: 'a' }, { id: 'b1', institution: 'b' }] as Building[],
    points: [
      { id: 'p', institution: 'a', building: 'a1', commodity: 'electricity', parent: null },
      { id: 'q', institution: 'b', building: 'b1', commodity: 'electricity', parent: null },
      { id: 'below', institution: 'b', building: 'b1', commodity: 'electricity', parent: 'q' },
    ],
    power: { at: '', institutions: [{ id: 'a', power_w: 100 }, { id: 'b', power_w: 101 }], points: ['p', 'q', 'below'].map((id) => ({ id, power_w: 100, at: null })) },
  } as unknown as Registry
  it('are taken apart by the next level that says something', () => {
    expect(divide(registry, 'all')).toBe('institution')
    expect(divide(registry, 'institution:a')).toBe('building')
    expect(divide(registry, 'institution:b')).toBe('point')
    expect(divide(registry, 'building:a1')).toBe('point')
  })
  it('of power count supply points once', () => {
    const now = ofPower(registry, questionOf({ of: 'power', start: DAY }))
    expect(now.value).toBe(201)
    expect(checkSum(now)).toMatchObject({ sum: 200, difference: -1, holds: false })
    const building = ofPower(registry, questionOf({ of: 'power', scope: 'building:b1', start: DAY }))
    expect([building.value, checkSum(building)]).toEqual([100, null])
    expect(now.parts.map(({ key }) => key)).toEqual(['a', 'b'])
  })
})

describe('closes', () => {
  const close = (proposal: number, state: string, revision = 1): Close =>
    ({ proposal, institution: 'a', month: '2026-10', state, revision }) as Close
  it('show what waits before what is closed, and a rejected proposal not at all', () => {
    expect(cellOf([], 'a', '2026-10').state).toBe('open')
    expect(cellOf([close(1, 'rejected')], 'a', '2026-10').state).toBe('open')
    expect(cellOf([close(1, 'closed')], 'a', '2026-10').state).toBe('closed')
    expect(cellOf([close(1, 'superseded'), close(5, 'closed', 2)], 'a', '2026-10')).toMatchObject({ state: 'closed', revision: 2 })
    expect(cellOf([close(1, 'closed'), close(4, 'provisional', 2)], 'a', '2026-10')).toMatchObject({ state: 'provisional', revision: 2 })
    expect(cellOf([close(1, 'closed')], 'a', '2026-09').state).toBe('open')
  })
  it('end with the running month', () => {
    expect(monthsUntil('2026-02', 3)).toEqual(['2025-12', '2026-01', '2026-02'])
  })
})

describe('suggestions', () => {
  const review = (kind: string, before: number, first: number, after: number | null, more = {}): Review =>
    ({
      kind,
      verdicts: ['accept', 'rollover', 'restart', 'discard'],
      evidence: {
        before: { at: '', value: before }, first: { at: '', value: first }, last: { at: '', value: first },
        after: after === null ? null : { at: '', value: after }, modulus: 1_000_000, resolution: 0.1, rise_max: 100, flowed: null, ...more,
      },
    }) as Review
  it('follow the evidence', () => {
    expect(suggestionOf(review('fall', 999_950, 12, 40))).toBe('rollover')
    expect(suggestionOf(review('fall', 999_950, 400, 440))).toBe('restart')
    expect(suggestionOf(review('fall', 84_211, 12, 30))).toBe('restart')
    expect(suggestionOf(review('rise', 500, 90_000, 520))).toBe('discard')
    expect(suggestionOf(review('fall', 500, 0, 520))).toBe('discard')
    expect(suggestionOf(review('rise', 500, 90_000, 90_010))).toBeNull()
    expect(suggestionOf(review('frozen', 500, 500, null))).toBe('accept')
  })
  it('never name a verdict that the server does not offer', () => {
    expect(suggestionOf({ ...review('fall', 999_950, 12, 40), verdicts: ['accept'] })).toBeNull()
  })
})

describe('refusals', () => {
  it('stand at their field', () => {
    const refusals = [{ place: 'invoices[0].amount', value: 'x', expected: 'a decimal', hint: 'such as 1' }]
    const failure = new Failure('server', 422, 'no', { refusals })
    expect(wordsAt(failure, 'amount')).toBe('a decimal · such as 1')
    expect(wordsAt(failure, 'number')).toBeNull()
    expect(wordsAt(new Failure('server', 400, 'no', { parameter: 'month', detail: 'no month' }), 'month')).toBe('no month')
    expect(wordsAt(null, 'month')).toBeNull()
  })
})
