// The ledger's books for the fixture server: made-up reviews, closes, invoices, tariffs and events that
// can be written to. Nothing is checked as the program checks it; refusals have the program's form.

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** `site` holds what the fixture server knows: points, institutions, clock, iso, dayStart. */
export function ledgerOf(site) {
  const { points, institutions, iso, dayStart } = site
  const today = dayStart(site.clock())
  const month = (back) => {
    const now = new Date(site.clock() + 8 * HOUR)
    return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)).toISOString().slice(0, 7)
  }
  const entries = []
  const enter = (event, reason, by, at = site.clock()) => {
    const entry = { seq: entries.length + 1, entered_at: iso(at), by, reason, event, undone_by: null }
    entries.push(entry)
    return entry
  }

  const reviews = makeReviews(points, today, iso)
  const closes = []
  const invoices = []
  for (const back of [4, 3, 2]) {
    for (const { id } of institutions.slice(0, 6 - back)) propose(id, month(back), '张伟', 'closed', '李敏')
  }
  propose(institutions[0].id, month(1), '张伟', 'provisional', null)
  enter(
    {
      kind: 'meter_replaced', point: points[0].id, at: iso(today - 20 * DAY + 10 * HOUR), old_meter: points[0].meters[0],
      old_last: 99812.4, new_meter: points[0].meters[0], new_first: 3.2, unit: 'kWh',
    },
    '检定到期,工单 2026-311', '王强', today - 19 * DAY,
  )
  const accounts = makeAccounts(points, institutions)
  for (const [index, account] of accounts.entries()) {
    const amount = (120_000 + index * 31_000).toFixed(0)
    invoices.push(makeInvoice(account, index, month(1), month(0), amount, enter))
  }

  function propose(institution, of, by, state, decidedBy) {
    const entry = enter({ kind: 'close_proposed', institution, month: of, revision: 1, content_sha256: hash(institution + of) }, '月度关账', by)
    closes.unshift({
      proposal: entry.seq, institution, month: of, revision: 1, state, content_sha256: hash(institution + of),
      proposed_by: by, proposed_at: entry.entered_at, reason: entry.reason, decided_by: decidedBy,
      decided_at: decidedBy && entry.entered_at,
    })
    if (decidedBy) enter({ kind: 'close_approved', proposal: entry.seq }, '核对无误', decidedBy)
    return entry
  }

  const refuse = (status, place, value, expected, hint) => ({
    status,
    body: { type: 'about:blank', title: 'What was sent is refused', status, detail: `${place} = ${value}: expected ${expected}`, refusals: [{ place, value: String(value), expected, hint }] },
  })
  const made = (entry) => ({ status: 201, body: entry })

  const gets = {
    events: (query) => {
      const before = Number(query.get('before') ?? Infinity)
      const kind = query.get('kind')
      const asked = [...entries].reverse().filter((one) => one.seq < before && (!kind || one.event.kind === kind))
      const shown = asked.slice(0, Number(query.get('limit') ?? 100))
      return { events: shown, next_before: shown.length < asked.length ? shown.at(-1).seq : null, last_seq: entries.length }
    },
    reviews: (query) => {
      const state = query.get('state') ?? 'open'
      return {
        open_total: reviews.filter((one) => one.state === 'open').length,
        reviews: reviews.filter((one) => state === 'all' || one.state === state),
        more: false,
      }
    },
    readings: (query) => readings(query, reviews, iso),
    closes: () => ({ closes }),
    'closes/checklist': (query) => checklist(query.get('institution'), query.get('month'), month(0)),
    adjustments: (query) => ({ institution: query.get('institution'), adjustments: adjustments(points, query.get('institution'), month) }),
    tariffs: () => ({ tariffs: TARIFFS, accounts }),
    'tariffs/bill': (query) => bill(query),
    invoices: () => ({ invoices, next_before: null }),
  }
  const one = (path) => {
    const close = closes.find(({ proposal }) => path === `closes/${proposal}`)
    if (!close) return null
    const { points: all } = site
    const differences = all.slice(0, 2).map((point) => ({ point: point.id, commodity: point.commodity, amount_base: 12_480, kgce_ug: '1534000000', co2_ug: '6430000000', cost_ncny: '8120000000' }))
    return { close, checklist: checklist(close.institution, close.month, month(0)), content: { differences: close.revision > 1 ? differences : [] } }
  }

  function post(path, body, by) {
    if (!String(body.reason ?? '').trim()) return refuse(422, 'reason', 'nothing', 'text of 1 to 500 characters', 'write it in one line')
    if (path === 'events') return body.event.old_last < 10 ? refuse(422, 'event.old_last', body.event.old_last, 'at least 99812.4, the last confirmed register', 'read the old meter again') : made(enter(body.event, body.reason, by))
    const decided = /^reviews\/(.+)\/decision$/.exec(path)
    if (decided) {
      const review = reviews.find(({ id }) => id === decodeURIComponent(decided[1]))
      const event = { kind: 'review_decided', review: review.id, meter: review.meter, quantity: review.quantity, at: review.at, verdict: body.verdict, until: body.until ?? null }
      const entry = enter(event, body.reason, by)
      Object.assign(review, { state: 'decided', decision: { event: entry.seq, verdict: body.verdict, until: event.until, by, reason: body.reason, entered_at: entry.entered_at } })
      return made(entry)
    }
    const undone = /^events\/(\d+)\/undo$/.exec(path)
    if (undone) {
      const seq = Number(undone[1])
      const entry = enter({ kind: 'undone', seq }, body.reason, by)
      entries[seq - 1].undone_by = entry.seq
      for (const review of reviews) if (review.decision?.event === seq) Object.assign(review, { state: 'open', decision: null })
      return made(entry)
    }
    if (path === 'closes') {
      if (body.month >= month(0)) return refuse(422, 'checklist.month_over', body.month, 'a month that is over', 'wait for its end')
      const entry = propose(body.institution, body.month, by, 'provisional', null)
      closes[0].revision = body.revise ? 2 : 1
      return made(entry)
    }
    const verdict = /^closes\/(\d+)\/(approve|reject)$/.exec(path)
    if (verdict) {
      const close = closes.find(({ proposal }) => proposal === Number(verdict[1]))
      if (verdict[2] === 'approve' && close.proposed_by === by) return refuse(409, 'by', by, 'another person than the one who proposed it', 'maker and checker are told apart by name')
      const entry = enter({ kind: verdict[2] === 'approve' ? 'close_approved' : 'close_rejected', proposal: close.proposal }, body.reason, by)
      Object.assign(close, { state: verdict[2] === 'approve' ? 'closed' : 'rejected', decided_by: by, decided_at: entry.entered_at })
      return made(entry)
    }
    if (path === 'invoices') {
      const [invoice] = body.invoices
      const account = accounts.find(({ id }) => id === invoice.account)
      if (!/^\d+(\.\d+)?$/.test(invoice.amount)) return refuse(422, 'invoices[0].amount', invoice.amount, 'a decimal as text', 'such as "1234.56"')
      const row = makeInvoice(account, 9, invoice.from.slice(0, 7), invoice.to.slice(0, 7), invoice.amount, enter)
      invoices.unshift(row)
      return made({ events: [entries.at(-1)] })
    }
    return { status: 404, body: { title: 'Not found', status: 404 } }
  }
  const postCsv = (text) => {
    const lines = text.trim().split(/\r?\n/).slice(1)
    const bad = lines.flatMap((line, index) => (line.split(',').length < 6 ? [{ place: `line ${index + 2}`, value: line, expected: '6 to 8 columns', hint: 'see the header' }] : []))
    if (bad.length) return { status: 422, body: { type: 'about:blank', title: 'What was sent is refused', status: 422, detail: `${bad.length} lines`, refusals: bad } }
    return { status: 201, body: { events: lines.map(() => enter({ kind: 'invoice_entered', invoice: {} }, 'csv', 'demo')) } }
  }
  return { gets, one, post, postCsv }
}

const hash = (text) => {
  let state = 7
  let out = ''
  for (let index = 0; out.length < 64; index += 1) {
    state = (state * 31 + text.charCodeAt(index % text.length) + index) % 4_294_967_291
    out += (state % 16).toString(16)
  }
  return out
}

function makeReviews(points, today, iso) {
  const electric = points.filter((point) => point.commodity === 'electricity')
  const make = (index, kind, state, hours, before, values, after, more) => {
    const point = electric[index]
    const at = today - hours * HOUR
    const reading = (offset, value) => (value === null ? null : { at: iso(at + offset * HOUR), value })
    return {
      id: `${point.meters[0]}~energy_import~${at}`, state, kind, point: point.id, point_name_zh: point.name_zh,
      point_name_en: point.name_en, institution: point.institution, meter: point.meters[0], quantity: 'energy_import',
      unit: 'kWh', ratio: 1, at: iso(at), until: iso(at + (values.length - 1) * HOUR), held_out: values.length * 60,
      evidence: {
        before: reading(-0.25, before), first: reading(0, values[0]), last: reading(values.length - 1, values.at(-1)),
        after: reading(values.length, after), modulus: 1_000_000, resolution: 0.1, rise_max: 96, flowed: null, ...more,
      },
      verdicts: kind === 'frozen' ? ['accept'] : ['accept', 'rollover', 'restart', 'discard'], decision: null,
    }
  }
  const all = [
    make(0, 'fall', 'open', 6, 84_211.4, [12.6, 19.1, 26.4], null, {}),
    make(6, 'rise', 'open', 30, 55_120.2, [61_800, 61_822.5], 55_190.9, {}),
    make(11, 'fall', 'open', 55, 999_920.8, [31.2, 64.9, 99.7, 140.2], null, { rise_max: 120 }),
    make(16, 'frozen', 'open', 80, 30_400, [30_400, 30_400, 30_400, 30_400], null, { flowed: 182.4 }),
    make(3, 'rollover', 'rule', 120, 999_990.1, [8.4], 21.3, {}),
    make(21, 'glitch', 'rule', 200, 12_004.6, [0], 12_016.1, {}),
  ]
  all[5].state = 'decided'
  all[5].decision = { event: 2, verdict: 'discard', until: all[5].until, by: '李敏', reason: '现场核对为通信错数', entered_at: iso(today - 190 * HOUR) }
  return all
}

function readings(query, reviews, iso) {
  const review = reviews.find(({ meter }) => meter === query.get('meter'))
  const rows = []
  const { before, first, last, after } = review.evidence
  const put = (from, to, start, slope) => {
    for (let at = from; at <= to; at += HOUR / 4) rows.push({ at: iso(at), value: start + ((at - from) / HOUR) * slope, quality: 'good' })
  }
  const first_ms = Date.parse(first.at)
  if (before) put(first_ms - 5 * HOUR, Date.parse(before.at), before.value - 36, 7.6)
  put(first_ms, Date.parse(last.at), first.value, last.value === first.value ? 0 : 9)
  if (after) put(Date.parse(after.at), Date.parse(after.at) + 3 * HOUR, after.value, 7.6)
  return { meter: review.meter, quantity: 'energy_import', ratio: 1, unit: 'kWh', timezone: 'Asia/Shanghai', next_from: null, rows }
}

function checklist(institution, month, running) {
  const item = (id, ok, blocking, value, limit, text_zh, text_en) => ({ id, ok, blocking, value, limit, text_zh, text_en, justification: null })
  const over = month < running
  const items = [
    item('month_over', over, true, String(over), 'true', over ? '月份已结束' : '月份尚未结束', over ? 'The month is over' : 'The month is not over'),
    item('coverage', true, true, '0.9964', '0.98', '数据完整率最低 99.64 %(门诊楼)', 'Least of the intervals present: 99.64 %'),
    item('reviews', !over, true, over ? '2' : '0', '0', '2 项待判读', '2 reviews are open'),
    item('estimated_share', true, true, '0.0092', '0.05', '估算占比 0.92 %', 'Estimated: 0.92 %'),
    item('invoices', false, false, '0.004', '0.02', '缺少 1 张账单', 'One invoice is missing'),
    item('budget', true, true, null, null, '年预算已编制', 'There is a budget for the year'),
    item('previous_closed', true, true, null, null, '上月已关账', 'The month before is closed'),
  ]
  return { institution, month, items, ready: items.every((one) => one.ok || !one.blocking) }
}

function adjustments(points, institution, month) {
  const own = points.filter((point) => point.institution === institution && point.commodity === 'electricity')
  return own.slice(0, 2).map((point, index) => ({
    month: month(3), booked: month(index), live: index === 0, point: point.id, name_zh: point.name_zh, name_en: point.name_en,
    commodity: 'electricity', unit: 'kWh', amount_base: index ? -38_200 : 124_800, amount: index ? -38.2 : 124.8,
    kgce: 15.3, co2_kg: 64.3, cost_cny: index ? -27.1 : 88.6,
    cause: index
      ? { kind: 'late_readings', events: [], text_zh: '关账后补到的读数', text_en: 'Readings that came after the close' }
      : { kind: 'events', events: [7], text_zh: '关账后的台账事项 7', text_en: 'Event 7 of the books, entered after the close' },
  }))
}

const run = (from, to, band) => ({ from: `${String(from).padStart(2, '0')}:00`, to: `${String(to).padStart(2, '0')}:00`, band })
const price = (band, zh, en, cny, all) => ({ band, name_zh: zh, name_en: en, cny, cny_with_surcharges: all })
const PRICES = [
  price('sharp', '尖', 'critical peak', '1.2064', '1.2531'), price('peak', '峰', 'peak', '1.0053', '1.0520'),
  price('flat', '平', 'flat', '0.6283', '0.6750'), price('valley', '谷', 'valley', '0.2388', '0.2855'),
  price('deep_valley', '深谷', 'deep valley', '0.1257', '0.1724'),
]
const WORK = [run(0, 8, 'valley'), run(8, 9, 'peak'), run(9, 11, 'sharp'), run(11, 13, 'valley'), run(13, 15, 'peak'), run(15, 17, 'sharp'), run(17, 22, 'peak'), run(22, 24, 'flat')]
const OTHER = [run(0, 8, 'valley'), run(8, 11, 'peak'), run(11, 13, 'valley'), run(13, 22, 'peak'), run(22, 24, 'flat')]
const HOLIDAY = [run(0, 10, 'valley'), run(10, 14, 'deep_valley'), run(14, 24, 'flat')]
const version = (from, to, source) => ({
  from, to, source, confidence: 'C', energy: PRICES, fixed_cny_month: '0',
  schedules: [
    { months: [1, 7, 8, 12], days: ['workday', 'restday'], runs: WORK },
    { months: [2, 3, 4, 5, 6, 9, 10, 11], days: ['workday', 'restday'], runs: OTHER },
    { months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], days: ['holiday'], runs: HOLIDAY },
  ],
  surcharges: [{ name_zh: '政府性基金及附加', name_en: 'Funds', cny: '0.0467' }], tiers: null,
  demand: { cny_per_kw_month: '40', cny_per_kva_month: '30', window_min: 15 },
  power_factor: { standard: '0.90', table: [{ from: '0.95', change: '-0.0075' }] },
})
const TARIFFS = [
  { id: 'el-10kv', name_zh: '一般工商业 10 千伏两部制', name_en: 'General 10 kV, two-part', commodity: 'electricity', unit: 'kWh', versions: [version('2024-01-01', '2026-01-01', '示例 2023 第 11 号'), version('2026-01-01', null, '示例 2025 第 32 号')] },
  {
    id: 'water-public', name_zh: '非居民用水', name_en: 'Water, public', commodity: 'water', unit: 'm3',
    versions: [{ ...version('2024-01-01', null, '示例水价'), schedules: [{ months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], days: ['workday', 'restday', 'holiday'], runs: [run(0, 24, 'flat')] }], energy: [price('flat', '平', 'flat', '4.20', '5.15')], demand: null, power_factor: null, tiers: { yearly: false, steps: [{ from: 5000, extra_cny: '0.80' }] } }],
  },
]

function makeAccounts(points, institutions) {
  return institutions.slice(0, 3).map(({ id }, index) => ({
    id: `${id}-el`, institution: id, number: `3300${100234 + index * 77}`, supplier: '市供电公司', commodity: 'electricity',
    points: points.filter((point) => point.institution === id && point.subitem === '01000').map((point) => point.id),
    tariffs: [{ tariff: 'el-10kv', from: '2024-01-01', to: null }], demand: 'maximum_demand', capacity_kva: null,
  }))
}

function makeInvoice(account, index, from, to, amount, enter) {
  const invoice = { account: account.id, number: `F2026${1100 + index}`, from: `${from}-01`, to: `${to}-01`, amount, cost_cny: (Number(amount) * 0.78).toFixed(2), demand_kw: '412', power_factor: '0.93' }
  const entry = enter({ kind: 'invoice_entered', invoice }, '供电公司寄达', '王强')
  const share = [0.0031, -0.024, 0.0004][index % 3]
  const ledger = Number(amount) * (1 - share)
  return {
    event: entry.seq, entered_at: entry.entered_at, by: entry.by, reason: entry.reason, invoice,
    comparison: {
      ledger_amount: ledger, unit: 'kWh', difference: Number(amount) - ledger, difference_share: share,
      bill_cny: (ledger * 0.78).toFixed(2), difference_cny: ((Number(amount) - ledger) * 0.78).toFixed(2), within: Math.abs(share) < 0.01,
      reasons: [{ kind: 'coverage', text_zh: '台账完整率 99.6 %,缺失 11 个区间', text_en: 'The ledger knows 99.6 % of the intervals' }],
    },
  }
}

function bill(query) {
  const [from, to] = [`${query.get('month')}-01`, `${query.get('month')}-31`]
  const line = (kind, name_zh, name_en, quantity, unit, cny, sum_cny) => ({ kind, name_zh, name_en, from, to, tariff: 'el-10kv@2026-01-01', quantity, unit, price: cny, sum_cny, unknown: null })
  return {
    account: query.get('account'), from, to, by_band: [], known_cny: '96120.55', total_cny: '96120.55', intervals_present: 2960, intervals_expected: 2976,
    lines: [
      line('energy', '峰段电费', 'Energy, peak', '51230.2', 'kWh', '1.0053', '51501.72'), line('energy', '谷段电费', 'Energy, valley', '44010.9', 'kWh', '0.2388', '10509.80'),
      line('demand', '需量电费', 'Demand', '412', 'kW', '40', '16480.00'), line('power_factor', '力调电费', 'Power factor', null, 'CNY', '-0.0075', '-588.69'),
    ],
  }
}
