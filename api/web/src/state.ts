// What the page knows and how it stays current. One object, filled by polling and by the live stream;
// the panels only read it.

import { computed, reactive, shallowReactive, watch } from 'vue'

import { Failure, get, stream, token } from './api/client'
import type {
  Budgets,
  Building,
  Buildings,
  Carbon,
  Health,
  Institution,
  Institutions,
  Ledger,
  LedgerRow,
  Meter,
  Meters,
  Point,
  Points,
  PowerEvent,
  Site,
} from './api/shapes'
import { waitMs } from './lib/backoff'
import { loadingOf, nextTicks, type Tick } from './lib/derive'
import { PALETTES, type Theme } from './lib/palette'
import {
  DEFAULT_ZONE,
  knowsZone,
  localTime,
  rfc3339,
  startOf,
  startOfDay,
  startOfMonth,
  startOfYear,
} from './lib/zone'

const FAST_MS = 30_000
const SLOW_MS = 5 * 60_000
const REGISTRY_MS = 10 * 60_000
/** While history loads the figures move every second, so the page asks more often. */
const LOADING_FAST_MS = 4_000
const LOADING_SLOW_MS = 8_000
/** The server speaks every few seconds; a silent stream is a dead one. */
const STREAM_SILENCE_MS = 25_000
const TICKS_MAX = 9
/** A wall screen's clock may be wrong by more than this; then the server's is taken. */
const SKEW_MIN_MS = 5_000

let skewMs = 0
const now = (): number => Date.now() + skewMs

/** The server's time at this moment. Delays of the network stay below the least skew. */
function hearTime(at: string): void {
  const skew = Date.parse(at) - Date.now()
  if (!Number.isFinite(skew)) return
  const before = skewMs
  skewMs = Math.abs(skew) < SKEW_MIN_MS ? 0 : skew
  // What was asked for by a wrong clock is asked for again.
  if (Math.abs(skewMs - before) > 60_000) tasks.fast.due = tasks.slow.due = 0
}

export type Connection = 'connecting' | 'online' | 'offline'

export interface Trouble {
  kind: 'server' | 'network'
  words: string
  retryAt: number
}

export interface CommodityMonths {
  commodity: string
  unit: string
  rows: LedgerRow[]
}

export const site = shallowReactive({
  zone: DEFAULT_ZONE,
  nowMs: Date.now(),
  about: null as Site | null,
  institutions: [] as Institution[],
  buildings: [] as Building[],
  points: [] as Point[],
  meters: [] as Meter[],
  power: null as PowerEvent | null,
  health: null as Health | null,
  ticks: [] as Tick[],
  ranking: [] as LedgerRow[],
  budgets: null as Budgets | null,
  asOf: null as number | null,
  connection: 'connecting' as Connection,
  trouble: null as Trouble | null,
  needsToken: false,
  tokenRefused: false,
  /** The number of the last event of the books that the server told of. */
  booksSeq: 0,
})

function emptyView() {
  return {
    intervals: [] as LedgerRow[],
    lastWeek: [] as LedgerRow[],
    days: [] as LedgerRow[],
    daysLastYear: [] as LedgerRow[],
    months: [] as LedgerRow[],
    subItems: [] as LedgerRow[],
    commodities: [] as CommodityMonths[],
    carbon: null as Carbon | null,
    /** Whether the ledger has answered for this scope, be it with nothing. */
    known: false,
  }
}

/** What depends on the institution that was chosen; '' is all of them. */
export const view = shallowReactive({ institution: '', ...emptyView() })

export const loading = computed(() => loadingOf(site.health?.aggregator))

export const institutionsById = computed(
  () => new Map(site.institutions.map((institution) => [institution.id, institution])),
)

/** Institutions, buildings and points of the chosen scope. */
export const scoped = computed(() => {
  const chosen = view.institution
  const inside = <T extends { institution: string }>(all: T[]): T[] =>
    chosen === '' ? all : all.filter((one) => one.institution === chosen)
  const points = inside(site.points)
  const pointIds = new Set(points.map((point) => point.id))
  return {
    institutions: site.institutions.filter(({ id }) => chosen === '' || id === chosen),
    buildings: inside(site.buildings),
    points,
    meters: site.meters.filter((meter) => pointIds.has(meter.point)),
    budgets: inside(site.budgets?.budgets ?? []),
  }
})

export const todayStart = computed(() => startOfDay(site.zone, site.nowMs))

const scopeText = (): string => (view.institution ? `institution:${view.institution}` : 'all')

interface Asked {
  span: string
  from: number
  to: number
  by?: string
  scope?: string
  commodity?: string
}

async function ledger(asked: Asked): Promise<Ledger> {
  return get<Ledger>('ledger', {
    scope: asked.scope ?? scopeText(),
    commodity: asked.commodity ?? 'electricity',
    span: asked.span,
    from: rfc3339(site.zone, asked.from),
    to: rfc3339(site.zone, asked.to),
    by: asked.by,
  })
}

async function refreshRegistry(): Promise<void> {
  const [institutions, buildings, points] = await Promise.all([
    get<Institutions>('institutions'),
    get<Buildings>('buildings'),
    get<Points>('points'),
  ])
  site.about = institutions.site
  if (knowsZone(institutions.site.timezone)) site.zone = institutions.site.timezone
  site.institutions = institutions.institutions
  site.buildings = buildings.buildings
  site.points = points.points
}

async function refreshFast(): Promise<void> {
  const nowMs = now()
  const asked = view.institution
  const tomorrow = startOfDay(site.zone, nowMs, 1)
  const [intervals, days, meters] = await Promise.all([
    ledger({ span: 'interval', from: startOfDay(site.zone, nowMs, -1), to: tomorrow }),
    ledger({ span: 'day', by: 'building', from: startOfMonth(site.zone, nowMs), to: tomorrow }),
    get<Meters>('meters'),
  ])
  site.meters = meters.meters
  if (asked !== view.institution) return
  view.intervals = intervals.rows
  view.days = days.rows
  view.known = true
  site.asOf = nowMs
}

async function refreshSlow(): Promise<void> {
  const nowMs = now()
  const asked = view.institution
  const zone = site.zone
  const yearStart = startOfYear(zone, nowMs)
  const nextMonth = startOfMonth(zone, nowMs, 1)
  const lastYear = { from: startOfYear(zone, nowMs, -1), to: nextMonth }
  const today = localTime(zone, nowMs)
  const sameMonth = { year: today.year - 1, month: today.month, day: 1 }
  const sameDay = startOf(zone, { ...sameMonth, day: today.day })
  const [lastWeek, daysLastYear, months, subItems, ranking, carbon, budgets, commodities] =
    await Promise.all([
      ledger({
        span: 'interval',
        from: startOfDay(zone, nowMs, -7),
        to: startOfDay(zone, nowMs, -6),
      }),
      today.day === 1
        ? { rows: [] }
        : ledger({ span: 'day', by: 'building', from: startOf(zone, sameMonth), to: sameDay }),
      ledger({ span: 'month', ...lastYear }),
      ledger({ span: 'month', by: 'subitem', from: startOfMonth(zone, nowMs), to: nextMonth }),
      ledger({
        span: 'year',
        by: 'institution',
        scope: 'all',
        from: yearStart,
        to: startOfYear(zone, nowMs, 1),
      }),
      get<Carbon>('carbon', {
        scope: scopeText(),
        span: 'month',
        from: rfc3339(zone, lastYear.from),
        to: rfc3339(zone, lastYear.to),
      }),
      get<Budgets>('budgets', { year: today.year }),
      otherCommodities(yearStart, nextMonth),
    ])
  site.ranking = ranking.rows
  site.budgets = budgets
  if (asked !== view.institution) return
  view.lastWeek = lastWeek.rows
  view.daysLastYear = daysLastYear.rows
  view.months = months.rows
  view.subItems = subItems.rows
  view.carbon = carbon
  view.commodities = commodities
}

async function otherCommodities(from: number, to: number): Promise<CommodityMonths[]> {
  const names = [...new Set(scoped.value.points.map((point) => point.commodity))]
  const wanted = names.filter((commodity) => commodity !== 'electricity').sort()
  return Promise.all(
    wanted.map(async (commodity) => {
      const answer = await ledger({ span: 'month', commodity, from, to })
      return { commodity, unit: answer.unit, rows: answer.rows }
    }),
  )
}

// One loop asks in turn. A failure keeps what is shown, waits longer each time and asks again.

interface Task {
  run: () => Promise<void>
  every: () => number
  due: number
}

const tasks: Record<'registry' | 'fast' | 'slow', Task> = {
  registry: { run: refreshRegistry, every: () => REGISTRY_MS, due: 0 },
  fast: { run: refreshFast, every: () => (loading.value ? LOADING_FAST_MS : FAST_MS), due: 0 },
  slow: { run: refreshSlow, every: () => (loading.value ? LOADING_SLOW_MS : SLOW_MS), due: 0 },
}

let failures = 0
let busy = false

function judge(error: unknown): void {
  if (error instanceof Failure && error.kind === 'unauthorized') {
    site.tokenRefused = token.read() !== null
    site.needsToken = true
    return
  }
  failures += 1
  const kind = error instanceof Failure && error.kind === 'server' ? 'server' : 'network'
  const words = error instanceof Error ? error.message : String(error)
  site.trouble = { kind, words, retryAt: now() + waitMs(failures) }
}

async function turn(): Promise<void> {
  if (busy || site.needsToken || now() < (site.trouble?.retryAt ?? 0)) return
  busy = true
  let running: Task | null = null
  try {
    for (const task of [tasks.registry, tasks.fast, tasks.slow]) {
      if (Date.now() < task.due) continue
      running = task
      // Set before the run: whoever makes it due again while it runs is not overheard.
      task.due = Date.now() + task.every()
      await task.run()
    }
    failures = 0
    site.trouble = null
  } catch (error) {
    if (running) running.due = 0
    judge(error)
  } finally {
    busy = false
  }
}

const lastWatts = new Map<string, number>()

function take(event: string, data: string): void {
  if (event === 'power') {
    const power = JSON.parse(data) as PowerEvent
    hearTime(power.at)
    const inside = new Set(scoped.value.points.map((point) => point.id))
    const points = power.points.filter((point) => inside.has(point.id))
    site.ticks = nextTicks(site.ticks, lastWatts, { ...power, points }, TICKS_MAX)
    site.power = power
  } else if (event === 'health') {
    const before = loading.value
    site.health = JSON.parse(data) as Health
    // The end of the history is worth a look at once.
    if (before && !loading.value) tasks.fast.due = tasks.slow.due = 0
  } else if (event === 'books') {
    site.booksSeq = (JSON.parse(data) as { seq: number }).seq
  }
}

async function listen(): Promise<never> {
  let attempts = 0
  for (;;) {
    if (!site.needsToken) {
      const controller = new AbortController()
      let timer = 0
      const heard = (): void => {
        clearTimeout(timer)
        timer = window.setTimeout(() => controller.abort(), STREAM_SILENCE_MS)
      }
      heard()
      try {
        await stream('live', controller.signal, ({ event, data }) => {
          heard()
          attempts = 0
          site.connection = 'online'
          take(event, data)
        })
      } catch (error) {
        if (error instanceof Failure && error.kind === 'unauthorized') judge(error)
      }
      clearTimeout(timer)
      site.connection = 'offline'
      attempts += 1
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs(Math.max(1, attempts))))
  }
}

export function giveToken(value: string): void {
  token.write(value)
  site.needsToken = false
  site.trouble = null
  for (const task of Object.values(tasks)) task.due = 0
  void turn()
}

export function choose(institution: string): void {
  view.institution = institution
}

export function start(): void {
  watch(
    () => view.institution,
    () => {
      // Another institution's figures must not stand under this one's name, however briefly.
      Object.assign(view, emptyView())
      site.ticks = []
      lastWatts.clear()
      tasks.fast.due = 0
      tasks.slow.due = 0
      void turn()
    },
  )
  setInterval(() => {
    site.nowMs = now()
    void turn()
  }, 1000)
  void turn()
  void listen()
}

// What the reader chose, kept between visits.

const THEME_KEY = 'steward.theme'

export const look = reactive({ theme: 'dark' as Theme })

export function startTheme(): void {
  const asked = new URLSearchParams(location.search).get('theme')
  const kept = asked ?? localStorage.getItem(THEME_KEY)
  const system = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark'
  setTheme(kept === 'light' || kept === 'dark' ? kept : system)
}

function setTheme(theme: Theme): void {
  look.theme = theme
  const root = document.documentElement
  root.dataset.theme = theme
  for (const [name, colour] of Object.entries(PALETTES[theme])) {
    root.style.setProperty(`--${name}`, colour)
  }
}

export function toggleTheme(): void {
  setTheme(look.theme === 'dark' ? 'light' : 'dark')
  localStorage.setItem(THEME_KEY, look.theme)
}
