import { describe, expect, it } from 'vitest'

import type { Budget, LedgerRow, Meter, Point, PowerEvent } from '../src/api/shapes'
import {
  amountBetween,
  countMeters,
  daySlots,
  INTERVAL_MS,
  loadingOf,
  nextTicks,
  peakOf,
  powerByBuilding,
  qualityOf,
  ranked,
  recentCoverage,
  registerUnit,
  subItemAmounts,
  subItemOf,
  sumBudgets,
  troubled,
} from '../src/lib/derive'
import { budgetStatus, buildingStatus, meterStatus } from '../src/lib/status'

const DAY = Date.parse('2026-11-23T00:00:00+08:00')

function row(startMs: number, amount: number, more: Partial<LedgerRow> = {}): LedgerRow {
  return {
    start: new Date(startMs).toISOString(),
    key: null,
    amount,
    amount_base: Math.round(amount * 1000),
    quality: { measured: 1, interpolated: 0, estimated: 0, manual: 0 },
    coverage: 1,
    kgce: null,
    co2_kg: null,
    cost_cny: null,
    provisional: false,
    ...more,
  }
}

function budget(institution: string, more: Partial<Budget> = {}): Budget {
  return {
    institution,
    metric: 'electricity_kwh',
    unit: 'kWh',
    annual: '1200',
    used: '600',
    left: '600',
    used_share: 0.5,
    year_share: 0.5,
    budgeted_to_date: '600',
    pace: 1,
    colour: 'green',
    months: [{ month: '2026-03', budget: '100', used: '50' }],
    ...more,
  } as Budget
}

describe('the load curve', () => {
  const rows = [row(DAY, 10), row(DAY + INTERVAL_MS, 20), row(DAY + 3 * INTERVAL_MS, 30)]
  it('is mean power by slot; a missing or running interval is unknown', () => {
    const slots = daySlots(rows, DAY, DAY + 3.5 * INTERVAL_MS)
    expect(slots).toHaveLength(96)
    expect(slots.slice(0, 5)).toEqual([40, 80, null, null, null])
  })
  it('has a peak where it has a value', () => {
    expect(peakOf(daySlots(rows, DAY, DAY + 4 * INTERVAL_MS))).toEqual({ slot: 3, value: 120 })
    expect(peakOf([null, null])).toBeNull()
  })
  it('sums whole intervals only', () => {
    expect(amountBetween(rows, DAY, DAY + 2 * INTERVAL_MS)).toBe(30)
    expect(amountBetween(rows, DAY + 2 * INTERVAL_MS, DAY + 3 * INTERVAL_MS)).toBeNull()
  })
})

describe('quality', () => {
  it('weighs shares by amounts and skips rows without any', () => {
    const half = { measured: 0.5, interpolated: 0.25, estimated: 0.15, manual: 0.1 }
    const shares = qualityOf([
      row(DAY, 30),
      row(DAY, 10, { quality: half }),
      row(DAY, -5, { quality: null }),
    ])
    expect(shares).toEqual({ measured: 0.875, interpolated: 0.0625, estimated: 0.0375, manual: 0.025 })
    expect(qualityOf([])).toBeNull()
  })
  it('counts an interval without a row as not covered', () => {
    const now = DAY + 30 * 3_600_000
    const all = Array.from({ length: 120 }, (_, slot) => row(DAY + slot * INTERVAL_MS, 1))
    expect(recentCoverage(all, now, DAY)).toBe(1)
    const half = all.filter((_, slot) => slot % 2 === 0)
    expect(recentCoverage(half, now, DAY)).toBe(0.5)
    expect(recentCoverage([], now, DAY)).toBeNull()
    expect(recentCoverage(all, DAY + 20 * 3_600_000, DAY)).toBe(1)
  })
})

describe('sub-items', () => {
  it('fold into their class', () => {
    expect(['01A10', '01B2A', '01C00', '01D10', '01000', 'rest'].map(subItemOf)).toEqual([
      'A',
      'B',
      'C',
      'D',
      'rest',
      'rest',
    ])
    expect(
      subItemAmounts([
        row(DAY, 1, { key: 'rest' }),
        row(DAY, 2, { key: '01B10' }),
        row(DAY, 3, { key: '01B20' }),
      ]),
    ).toEqual([
      { item: 'B', amount: 5 },
      { item: 'rest', amount: 1 },
    ])
  })
})

describe('ranking', () => {
  const places = [
    { id: 'a', floor_area_m2: 10 },
    { id: 'b', floor_area_m2: 100 },
    { id: 'c', floor_area_m2: null },
    { id: 'd', floor_area_m2: 5 },
  ]
  const amounts = new Map([
    ['a', 50],
    ['b', 100],
    ['c', 70],
  ])
  it('puts what is not known last', () => {
    expect(ranked(places, amounts, 'perArea').map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
    expect(ranked(places, amounts, 'total').map(({ id }) => id)).toEqual(['b', 'c', 'a', 'd'])
  })
})

describe('budgets', () => {
  it('add up, and say how many have the worst colour', () => {
    const all = sumBudgets(
      [budget('a'), budget('b', { colour: 'red', used: '1500' }), budget('c', { metric: 'cost_yuan' })],
      'electricity_kwh',
    )
    expect(all).toMatchObject({
      annual: 2400,
      used: 2100,
      usedShare: 0.875,
      colour: 'red',
      colourCount: 1,
      count: 2,
    })
    expect(all?.months[2]).toBe(200)
    expect(all?.monthsUsed[2]).toBe(100)
    expect(all?.months[0]).toBeNull()
  })
  it('are unknown when one of them is', () => {
    const all = sumBudgets([budget('a'), budget('b', { used: null, colour: null })], 'electricity_kwh')
    expect(all).toMatchObject({ used: null, usedShare: null, colour: 'green' })
    expect(sumBudgets([], 'electricity_kwh')).toBeNull()
  })
})

describe('states', () => {
  it('each have a sign and a word of their own', () => {
    const all = ['green', 'amber', 'red', null].map(budgetStatus)
    expect(new Set(all.map(({ sign }) => sign)).size).toBe(4)
    expect(new Set(all.map(({ word }) => word)).size).toBe(4)
    const meters = ['online', 'silent', 'backed_off', 'waiting'].map(meterStatus)
    expect(new Set(meters.map(({ sign }) => sign)).size).toBe(4)
  })
  it('do not judge a building on half of its data', () => {
    expect(buildingStatus('red', 0.5, 0.9).word).toBe('dataIncomplete')
    expect(buildingStatus('red', 0.95, 0.9).word).toBe('budgetRed')
    expect(buildingStatus('red', null, 0.9).word).toBe('budgetRed')
  })
})

describe('meters', () => {
  const meter = (id: string, state: string | null): Meter => ({ id, state }) as Meter
  it('are counted; an unknown state waits', () => {
    expect(countMeters([meter('a', 'online'), meter('b', null), meter('c', 'silent')])).toEqual({
      online: 1,
      silent: 1,
      backed_off: 0,
      waiting: 1,
    })
  })
  it('have registers in a unit of their own', () => {
    const limits = [{ quantity: 'energy_import', unit: 'Wh' }]
    const latest = [{ quantity: 'power', unit: 'W' }]
    const one = { id: 'a', limits, latest } as unknown as Meter
    expect(['energy_import', 'power', 'volume'].map((name) => registerUnit(one, name))).toEqual(['Wh', 'W', ''])
    expect(registerUnit(undefined, 'power')).toBe('')
  })
  it('in trouble come worst first', () => {
    const all = [meter('z', 'backed_off'), meter('b', 'silent'), meter('a', 'online'), meter('a2', 'silent')]
    expect(troubled(all).map(({ id }) => id)).toEqual(['a2', 'b', 'z'])
  })
})

describe('live', () => {
  const power = (values: [string, number | null][]): PowerEvent => ({
    at: '2026-11-23T09:00:00+08:00',
    institutions: [],
    points: values.map(([id, power_w]) => ({ id, power_w, at: '2026-11-23T09:00:00+08:00' })),
  })
  it('adds supply points of a building only', () => {
    const point = (id: string, parent: string | null, commodity = 'electricity'): Point =>
      ({ id, parent, commodity, building: 'b' }) as Point
    const points = [point('e', null), point('ea', 'e'), point('pv', null, 'solar_generation'), point('x', null)]
    const watts = powerByBuilding(points, power([['e', 100], ['ea', 40], ['pv', 30], ['x', null]]))
    expect([...watts]).toEqual([['b', 100]])
  })
  it('lists what moved, the largest change first, and keeps the rest', () => {
    const known = new Map<string, number>()
    const first = nextTicks([], known, power([['a', 100], ['b', 100], ['c', null]]), 6)
    expect(first.map(({ id }) => id)).toEqual(['a', 'b'])
    const second = nextTicks(first, known, power([['a', 101], ['b', 150]]), 6)
    expect(second.map(({ id, change }) => [id, change])).toEqual([
      ['b', 0.5],
      ['a', expect.closeTo(0.01, 9)],
    ])
    expect(nextTicks(second, known, power([['a', 101], ['b', 150]]), 6)).toEqual(second)
  })
})

describe('loading', () => {
  it('is said only while much waits', () => {
    const health = { stored_total: 300, queued: 700_000, dirty_days: 0 }
    expect(loadingOf({ ...health, stored_total: 300_000 })?.share).toBe(0.3)
    expect(loadingOf({ ...health, queued: 10 })).toBeNull()
    expect(loadingOf(null)).toBeNull()
  })
})
