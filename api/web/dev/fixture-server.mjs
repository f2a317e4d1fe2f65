// Answers the API's contract with made-up figures, for trying the page without the program:
// `npm run fixture` serves dist and the answers on 127.0.0.1:8090. Node only, loopback only.
//   --port N          another port
//   --shift-hours N   another time of day; the browser's clock must be moved too
//   --token WORD      asks for this bearer token
//   --mode empty      a first start: registry but no ledger, history is loading
//   --mode broken     answers 503 after the first minute
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

import { explanationOf } from './fixture-explain.mjs'
import { ledgerOf } from './fixture-ledger.mjs'

const option = (name, otherwise) => {
  const place = process.argv.indexOf(`--${name}`)
  return place < 0 ? otherwise : process.argv[place + 1]
}
const PORT = Number(option('port', '8090'))
const TOKEN = option('token', '')
const MODE = option('mode', 'full')
const BROKEN_AFTER_MS = Number(option('broken-after', '60')) * 1000
const SHIFT_MS = Number(option('shift-hours', '0')) * 3_600_000
const clock = () => Date.now() + SHIFT_MS
const STARTED = clock()
const DIST = fileURLToPath(new URL('../dist', import.meta.url))

const HOUR = 3_600_000
const DAY = 24 * HOUR
const QUARTER = HOUR / 4
const ZONE_MS = 8 * HOUR
const HISTORY_DAYS = 400

// [id, zh, en, floor area, users, buildings]
const SITE = [
  ['gov-center', '市机关事务管理中心', 'Government Affairs Centre', 46_800, 1_260, [
    ['gc-1', '行政中心1号楼', 'Administration Building 1', 150],
    ['gc-2', '行政中心2号楼', 'Administration Building 2', 118],
    ['gc-n', '行政中心北楼', 'Administration North', 74],
  ]],
  ['hospital', '市第一人民医院', 'First People’s Hospital', 61_200, 2_400, [
    ['ho-a', '门诊楼', 'Outpatient Building', 260],
    ['ho-b', '住院楼', 'Inpatient Building', 330],
  ]],
  ['school', '实验中学', 'Experimental High School', 28_500, 1_900, [
    ['sc-t', '教学楼', 'Teaching Building', 64],
    ['sc-d', '综合楼', 'Mixed-use Building', 38],
  ]],
  ['library', '市图书馆', 'City Library', 15_300, 120, [['li-1', '图书馆主楼', 'Library', 57]]],
  ['court', '中级人民法院', 'Intermediate Court', 18_900, 310, [['co-1', '审判楼', 'Court House', 72]]],
  ['venue', '全民健身中心', 'Sports Centre', 22_400, 90, [['ve-1', '体育馆', 'Sports Hall', 96]]],
]
const SUBS = [
  ['01A00', '照明插座', 'Lighting and sockets', 0.34],
  ['01B00', '空调', 'HVAC', 0.38],
  ['01C00', '动力', 'Power', 0.13],
  ['01D00', '特殊', 'Special', 0.09],
]
const CO2 = { electricity: 0.5153, natural_gas: 2.162, heat: 0.11 * 1000, water: null }
const KGCE = { electricity: 0.1229, natural_gas: 1.2143, heat: 34.12, water: null }
const UNIT = { electricity: 'kWh', natural_gas: 'm3', heat: 'GJ', water: 'm3', solar_generation: 'kWh' }
const BASE = { electricity: 'Wh', natural_gas: 'L', heat: 'kJ', water: 'L', solar_generation: 'Wh' }
const PER_UNIT = { electricity: 1e3, natural_gas: 1e3, heat: 1e6, water: 1e3, solar_generation: 1e3 }

const noise = (seed) => {
  const x = Math.sin(seed * 12.9898) * 43758.5453
  return x - Math.floor(x)
}
const local = (ms) => new Date(ms + ZONE_MS)
const iso = (ms) => local(ms).toISOString().slice(0, 19) + '+08:00'
const dayStart = (ms) => Math.floor((ms + ZONE_MS) / DAY) * DAY - ZONE_MS

/** Electric kW of a building whose daytime load is `size`. */
function kilowatts(size, ms, index) {
  const time = local(ms)
  const hour = time.getUTCHours() + time.getUTCMinutes() / 60
  const week = time.getUTCDay() % 6 === 0 ? 0.45 : 1
  const work = 1 / (1 + Math.exp(-(hour - 8) * 1.6)) - 1 / (1 + Math.exp(-(hour - 18.3) * 1.1))
  const noon = 1 - 0.12 * Math.exp(-((hour - 12.7) ** 2) / 0.8)
  const season = 1 + 0.28 * Math.cos(((time.getUTCMonth() - 6.6) / 6) * Math.PI * 2) ** 2
  const jitter = 0.94 + 0.12 * noise(ms / QUARTER + index * 77)
  return size * (0.24 + 0.76 * work * noon * week) * season * jitter
}

const buildings = []
const institutions = SITE.map(([id, name_zh, name_en, floor_area_m2, energy_users, own]) => {
  for (const [building, zh, en, size] of own) {
    buildings.push({
      id: building,
      name_zh: zh,
      name_en: en,
      institution: id,
      timezone: 'Asia/Shanghai',
      floor_area_m2: Math.round((floor_area_m2 * size) / own.reduce((all, o) => all + o[3], 0)),
      size,
    })
  }
  return {
    id,
    name_zh,
    name_en,
    province: '浙江',
    region: '华东',
    budget_pilot: id === 'gov-center',
    floor_area_m2,
    energy_users,
    buildings: own.map(([building]) => building),
  }
})
const points = buildings.flatMap((building) => {
  const point = (id, zh, en, commodity, subitem, parent) => ({
    id: `${building.id}-${id}`,
    name_zh: zh,
    name_en: en,
    building: building.id,
    institution: building.institution,
    commodity,
    unit: UNIT[commodity],
    base_unit: BASE[commodity],
    subitem,
    parent: parent && `${building.id}-${parent}`,
    meters: [`m-${building.id}-${id}`],
    counter: commodity === 'electricity' ? 'energy_import' : 'volume',
  })
  return [
    point('e', '总进线', 'Main supply', 'electricity', '01000', null),
    ...SUBS.map(([code, zh, en]) => point(`e${code[2]}`, zh, en, 'electricity', code, 'e')),
    point('w', '自来水', 'Water', 'water', null, null),
    ...(building.size > 100
      ? [point('g', '天然气', 'Natural gas', 'natural_gas', null, null), point('h', '热力', 'Heat', 'heat', null, null)]
      : []),
    ...(building.id === 'gc-n' ? [point('pv', '屋顶光伏', 'Roof solar', 'solar_generation', null, null)] : []),
  ]
})

// One figure a (building, commodity, local day); longer spans add days, shorter ones split them.
const amounts = new Map()
function dayAmount(building, commodity, day, now) {
  const key = `${building.id}/${commodity}/${day}`
  const whole = day + DAY <= now
  if (whole && amounts.has(key)) return amounts.get(key)
  let total = 0
  for (let at = day; at < Math.min(day + DAY, now); at += QUARTER) total += quarter(building, commodity, at)
  if (whole) amounts.set(key, total)
  return total
}
function quarter(building, commodity, at) {
  const index = buildings.indexOf(building)
  const kwh = kilowatts(building.size, at, index) / 4
  if (commodity === 'electricity') return kwh
  if (commodity === 'water') return kwh * 0.021
  const month = local(at).getUTCMonth()
  const cold = Math.max(0, Math.cos((month / 6) * Math.PI))
  if (commodity === 'natural_gas') return building.size > 100 ? kwh * (0.02 + 0.05 * cold) : 0
  if (commodity === 'heat') return building.size > 100 ? kwh * 0.0035 * cold : 0
  const hour = local(at).getUTCHours() + local(at).getUTCMinutes() / 60
  return building.id === 'gc-n' ? Math.max(0, Math.sin(((hour - 6) / 12) * Math.PI)) * 14 : 0
}

function startsOf(span, from, to) {
  const starts = []
  if (span === 'interval' || span === 'hour') {
    const step = span === 'hour' ? HOUR : QUARTER
    for (let at = Math.ceil(from / step) * step; at < to; at += step) starts.push([at, at + step])
    return starts
  }
  const time = local(from)
  let [year, month, day] = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()]
  const begin = () => Date.UTC(year, span === 'year' ? 0 : month, span === 'day' ? day : 1) - ZONE_MS
  const advance = () => {
    if (span === 'year') year += 1
    else if (span === 'month') month += 1
    else day += 1
  }
  while (begin() < to) {
    const start = begin()
    advance()
    if (start >= from) starts.push([start, begin()])
  }
  return starts
}

function amountOf(building, commodity, start, end, now) {
  const last = Math.min(end, now)
  const first = Math.max(start, dayStart(now) - HISTORY_DAYS * DAY)
  if (last <= first) return null
  if (end - start < DAY) return quarter(building, commodity, start) * ((end - start) / QUARTER)
  let total = 0
  for (let day = dayStart(first); day < last; day += DAY) total += dayAmount(building, commodity, day, now)
  return total
}

function row(start, amount, commodity, key) {
  const estimated = 0.004 + 0.01 * noise(start / DAY)
  return {
    start: iso(start),
    ...(key === undefined ? {} : { key }),
    amount,
    amount_base: Math.round(amount * PER_UNIT[commodity]),
    quality: { measured: 1 - estimated - 0.011, interpolated: 0.011, estimated },
    coverage: 0.9964,
    kgce: KGCE[commodity] == null ? null : amount * KGCE[commodity],
    co2_kg: CO2[commodity] == null ? null : amount * CO2[commodity],
  }
}

function chosen(scope) {
  const [kind, id] = scope.split(':')
  if (kind === 'institution') return buildings.filter((one) => one.institution === id)
  if (kind === 'building') return buildings.filter((one) => one.id === id)
  if (kind === 'point') return buildings.filter((one) => points.some((point) => point.id === id && point.building === one.id))
  return buildings
}

function ledger(query) {
  const now = Math.floor((clock() - QUARTER / 3) / QUARTER) * QUARTER
  const scope = query.get('scope') ?? 'all'
  const commodity = query.get('commodity') ?? 'electricity'
  const span = query.get('span') ?? 'day'
  const by = query.get('by')
  const all = chosen(scope)
  const rows = []
  const point = points.find(({ id }) => scope === `point:${id}`)
  const part = point?.parent ? (SUBS.find(([code]) => code === point.subitem)?.[3] ?? 1) : 1
  // Whole base units, so that parts add up.
  const whole = (amount) => Math.round(amount * PER_UNIT[commodity]) / PER_UNIT[commodity]
  const total = (some, start, end) => {
    const known = some.map((one) => amountOf(one, commodity, start, end, now)).filter((v) => v !== null)
    return known.length ? known.reduce((sum, one) => sum + whole(one * part), 0) : null
  }
  const from = Date.parse(query.get('from'))
  const to = Date.parse(query.get('to'))
  for (const [start, end] of MODE === 'empty' ? [] : startsOf(span, from, to)) {
    const push = (amount, key) => amount !== null && rows.push(row(start, amount, commodity, key))
    if (by === 'building') for (const one of all) push(total([one], start, end), one.id)
    else if (by === 'institution') {
      for (const { id } of institutions) {
        push(total(all.filter((one) => one.institution === id), start, end), id)
      }
    } else if (by === 'point' && !point) {
      for (const one of all) push(total([one], start, end), `${one.id}-${commodity === 'electricity' ? 'e' : commodity[0]}`)
    } else if (by === 'point' || by === 'subitem') {
      const sum = total(all, start, end)
      if (sum === null) continue
      const shared = (share) => all.reduce((done, one) => done + whole(total([one], start, end) * share), 0)
      const key = (code) => (by === 'point' ? `${point.building}-e${code[2]}` : code)
      for (const [code, , , share] of SUBS) push(shared(share), key(code))
      push(SUBS.reduce((rest, sub) => rest - shared(sub[3]), sum), 'rest')
    } else push(total(all, start, end))
  }
  return { scope, commodity, span, unit: UNIT[commodity], base_unit: BASE[commodity], timezone: 'Asia/Shanghai', rows }
}

function carbon(query) {
  const commodities = ['electricity', 'natural_gas', 'heat']
  const parts = commodities.map((commodity) => {
    const copy = new URLSearchParams(query)
    copy.set('commodity', commodity)
    return ledger(copy)
  })
  const rows = parts[0].rows.map((first, index) => {
    const by_commodity = parts.map((part) => {
      const { amount, kgce, co2_kg } = part.rows[index]
      return { commodity: part.commodity, amount, unit: part.unit, kgce, co2_kg }
    })
    const add = (name) => by_commodity.reduce((sum, one) => sum + one[name], 0)
    return { start: first.start, kgce: add('kgce'), co2_kg: add('co2_kg'), by_commodity }
  })
  const factors = [{
    id: 'cn-zhejiang-2023', commodity: 'electricity', kind: 'location_based', value: '0.5153', unit: 'kgCO2/kWh',
    region: '浙江', data_year: 2023, document: '2025 no. 47', valid_from: '2023-01-01', valid_to: null, confidence: 'A',
  }]
  return { scope: query.get('scope'), span: query.get('span'), timezone: 'Asia/Shanghai', rows, factors }
}

function budgets(query) {
  const now = clock()
  const year = local(now).getUTCFullYear()
  const begin = Date.UTC(year, 0, 1) - ZONE_MS
  const end = Date.UTC(year + 1, 0, 1) - ZONE_MS
  const months = startsOf('month', begin, end)
  const yearShare = (now - begin) / (end - begin)
  const list = institutions.flatMap(({ id }, index) => {
    const own = buildings.filter((one) => one.institution === id)
    const tight = [0.985, 1.075, 0.93, 1.02, 0.97, 1.22][index]
    const used = months.map(([from, to]) =>
      MODE === 'empty' ? null : own.reduce((sum, one) => sum + (amountOf(one, 'electricity', from, to, now) ?? 0), 0),
    )
    const plan = months.map(([from, to]) =>
      own.reduce((sum, one) => sum + (amountOf(one, 'electricity', from, to, to) ?? 0), 0) / tight,
    )
    const make = (metric, unit, factor, known) => {
      const annual = plan.reduce((a, b) => a + b, 0) * factor
      const total = known ? used.reduce((a, b) => a + (b ?? 0), 0) * factor : null
      const pace = total === null ? null : total / (annual * yearShare)
      return {
        institution: id, metric, unit, annual: annual.toFixed(2),
        used: total === null ? null : total.toFixed(2),
        left: total === null ? null : (annual - total).toFixed(2),
        used_share: total === null ? null : total / annual,
        year_share: yearShare, pace,
        colour: pace === null ? null : tight >= 1.1 ? 'red' : tight > 1.03 ? 'amber' : 'green',
        months: months.map(([from], month) => ({
          month: `${year}-${String(month + 1).padStart(2, '0')}`, budget: (plan[month] * factor).toFixed(2),
          used: known && from < now && used[month] !== null ? (used[month] * factor).toFixed(2) : null,
        })),
      }
    }
    const known = MODE !== 'empty'
    return [
      make('electricity_kwh', 'kWh', 1, known),
      make('cost_yuan', 'yuan', 0.78, false),
      make('carbon_tco2', 'tCO2', CO2.electricity / 1000, known),
    ]
  })
  const wanted = query.get('institution')
  return { year, as_of: iso(now), budgets: list.filter((one) => !wanted || one.institution === wanted) }
}

function meters() {
  return points.map((point, index) => ({
    id: point.meters[0],
    point: point.id,
    gateway: `gw-${point.building}`,
    profile: 'generic',
    protocol: index % 2 ? 'mqtt' : 'modbus_tcp',
    interval_s: 10,
    state: index === 23 ? 'silent' : index === 41 ? 'backed_off' : 'online',
    last_seen: iso(clock() - (index === 23 ? 5 * HOUR : 4000)),
    errors_total: index === 41 ? 37 : index % 17 === 0 ? 2 : 0,
    last_error: index === 41 ? 'no answer within 1 s' : null,
    latest: [],
    limits: [{ quantity: 'energy_import', unit: 'kWh', resolution: 0.1, modulus: 1_000_000, rise_max_per_h: null }],
  }))
}

function power() {
  const now = clock()
  const shares = new Map(SUBS.map(([code, , , share]) => [code, share]))
  const list = points
    .filter((point) => point.commodity === 'electricity')
    .map((point, index) => {
      const place = buildings.findIndex((one) => one.id === point.building)
      const step = Math.floor(now / 10_000 + index * 0.37)
      const whole = kilowatts(buildings[place].size, now, place)
      const share = shares.get(point.subitem) ?? 1
      return { id: point.id, power_w: Math.round(whole * share * (0.97 + 0.06 * noise(step + index)) * 1000), at: iso(step * 10_000 - index * 3_700) }
    })
  const of = (id) =>
    list.filter((one) => points.some((p) => p.id === one.id && !p.parent && p.institution === id))
      .reduce((sum, one) => sum + one.power_w, 0)
  return { at: iso(now), institutions: institutions.map(({ id, buildings: own }) => ({
    id, power_w: of(id), points_reporting: own.length, points_expected: own.length,
  })), points: list }
}

function health() {
  const done = MODE === 'empty' ? Math.min(0.98, 0.31 + (clock() - STARTED) / 200_000) : 1
  const all = 2_304_000
  return {
    at: iso(clock()),
    aggregator: {
      stored_total: Math.round(all * done), duplicates_total: 0, quarantined_total: 0,
      queued: Math.round(all * (1 - done)), dirty_days: MODE === 'empty' ? 3_812 : 2, moved_at: iso(clock()),
    },
  }
}

function live(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const send = (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  const beat = () => {
    if (MODE !== 'empty') send('power', power())
    send('health', health())
  }
  beat()
  const timer = setInterval(beat, 2000)
  response.on('close', () => clearInterval(timer))
}

const books = ledgerOf({ points, institutions, clock, iso, dayStart })
const ANSWERS = {
  ...books.gets,
  balance: (query) => ({ point: query.get('point'), tolerance: 0.05, periods: [{ residual_share: 0.06, verdict: 'exceeded' }] }),
  explain: (query) => explanationOf({ points, iso }, query, ledger),
  institutions: () => ({
    site: { id: 'demo', name_zh: '示范市', name_en: 'Demo City', timezone: 'Asia/Shanghai' },
    institutions,
  }),
  buildings: () => ({ buildings }),
  points: () => ({ points }),
  meters: () => ({ meters: meters() }),
  ledger,
  carbon,
  budgets,
}

// As the program sends it: what breaks it is seen here first.
const POLICY =
  "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }

async function file(path, response) {
  const name = normalize(path === '/' ? '/index.html' : path)
  const body = await readFile(join(DIST, name)).catch(() => null)
  response.writeHead(body ? 200 : 404, {
    'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
    'content-security-policy': POLICY,
  })
  response.end(body ?? '')
}

function problem(response, status, title, detail) {
  response.writeHead(status, { 'content-type': 'application/problem+json' })
  response.end(JSON.stringify({ type: 'about:blank', title, status, detail }))
}

function send(response, status, body) {
  const kind = status < 400 ? 'application/json' : 'application/problem+json'
  response.writeHead(status, { 'content-type': kind })
  response.end(JSON.stringify(body))
}

async function write(name, request, response) {
  let text = ''
  for await (const chunk of request) text += chunk
  const by = decodeURIComponent(request.headers['x-steward-user'] ?? 'demo')
  const isCsv = request.headers['content-type'].startsWith('text/csv')
  const { status, body } = isCsv ? books.postCsv(text) : books.post(name, JSON.parse(text), by)
  send(response, status, body)
}

createServer((request, response) => {
  const url = new URL(request.url, `http://127.0.0.1:${PORT}`)
  if (!url.pathname.startsWith('/api/v1/')) return void file(url.pathname, response)
  if (TOKEN && request.headers.authorization !== `Bearer ${TOKEN}`) {
    return problem(response, 401, 'Unauthorized', 'a bearer token is required')
  }
  if (MODE === 'broken' && clock() - STARTED > BROKEN_AFTER_MS) {
    return problem(response, 503, 'Service unavailable', 'the store does not answer')
  }
  const name = url.pathname.slice('/api/v1/'.length)
  if (name === 'live') return live(response)
  if (request.method === 'POST') return void write(name, request, response)
  const found = books.one(name)
  if (found) return send(response, 200, found)
  const answer = ANSWERS[name]
  if (!answer) return problem(response, 404, 'Not found', name)
  send(response, 200, answer(url.searchParams))
}).listen(PORT, '127.0.0.1', () => console.log(`http://127.0.0.1:${PORT}/`))
