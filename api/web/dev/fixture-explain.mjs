// A made-up explanation of a point's span: a replaced meter, a gap, a rollover, a closed month.

const HOUR = 3_600_000

export function explanationOf(site, query, ledger) {
  const { points, iso } = site
  const point = points.find(({ id }) => id === query.get('point'))
  const span = query.get('span') ?? 'day'
  const start = Date.parse(query.get('start'))
  const asked = new URLSearchParams({ scope: `point:${point.id}`, commodity: point.commodity, span, from: iso(start), to: iso(start + HOUR / 8) })
  const row = ledger(asked).rows[0]
  const amount_base = row?.amount_base ?? null
  const end = start + { year: 365 * 24, month: 30 * 24, day: 24, hour: 1, interval: 0.25 }[span] * HOUR
  const middle = start + (end - start) / 2
  const reading = (at, register_base, offset) => ({ at: iso(at + offset), meter: point.meters[0], value: register_base / 1000, ratio: 1, register_base, manual: false })
  const boundary = (at, register_base, method) => ({
    at: iso(at), register_base, method, text_zh: '在前后两条读数之间按时间插值', text_en: 'Between two readings, by time',
    before: reading(at, register_base - 900, -40_000), after: reading(at, register_base + 700, 20_000),
  })
  const first = 84_211_400
  const total = amount_base ?? 0
  return {
    scope: `point:${point.id}`, name_zh: point.name_zh, name_en: point.name_en, commodity: point.commodity, span,
    start: iso(start), end: iso(end), timezone: 'Asia/Shanghai', role: 'counted', base_unit: point.base_unit, unit: point.unit,
    amount_base, amount: row?.amount ?? null, kgce: row?.kgce ?? null, co2_kg: row?.co2_kg ?? null, cost_cny: total / 1000 * 0.78,
    quality: { measured: 0.91, interpolated: 0.02, estimated: 0.06, manual: 0.01 }, intervals_present: 2_960, intervals_expected: 2_976,
    provisional: point.id.endsWith('-e'), notes: [], formulas: [], bands: bands(total),
    reviews: [{ id: 'x~energy_import~1', point: point.id, meter: point.meters[0], quantity: 'energy_import', at: iso(middle), until: iso(middle), kind: 'fall', state: 'open', held_out: 3, before: 1, first: 0, after: null, decision: null }],
    metering: {
      quantity: 'energy_import', unit: 'kWh', integrated: false, metered_by: null,
      chain: [
        { meter: `${point.meters[0]}-a`, profile: 'acrel-dtsd1352', side: 'secondary', ratio: 80, from: iso(start - 9000 * HOUR), to: iso(middle), link: 'anew', event: null, old_last: null, new_first: null, resolution: 0.01, modulus: 1_000_000, rise_max_per_h: 40 },
        { meter: point.meters[0], profile: 'eastron-sdm630', side: 'primary', ratio: 1, from: iso(middle), to: null, link: 'replaced', event: 16, old_last: 99_812.4, new_first: 3.2, resolution: 0.01, modulus: null, rise_max_per_h: null },
      ],
      runs: [{ start: boundary(start, first, 'linear'), end: boundary(end, first + total - 999_000, 'linear'), rebased_base: -999_000, amount_base: total }],
      steps: [{ at: iso(middle), kind: 'replacement', rebased_base: -999_000, text_zh: '换表:旧表末 99,812.4 kWh,新表首 3.2 kWh', text_en: 'Replacement: 99,812.4 kWh, then 3.2 kWh' }],
      readings: { total: 43_200, counted: 43_150, held_out: 50, voided: 0, by_hand: 1 },
    },
    findings: [{ id: 'x~energy_import~2', point: point.id, meter: point.meters[0], quantity: 'energy_import', at: iso(middle), until: iso(middle + HOUR), kind: 'glitch', state: 'by_rule', held_out: 4, before: 1, first: 9, after: 1.2, decision: null }],
    fills: [{ from: iso(start + 5 * HOUR), to: iso(start + 8 * HOUR), amount_base: Math.round(total * 0.05), rule: 'shape', text_zh: '按本点同类日负荷曲线分摊:28 天', text_en: 'Spread by the load of 28 days of the same kind' }],
    factors: [{ id: 'cn-zhejiang-2023', commodity: 'electricity', kind: 'co2', value: '0.5153', unit: 'kgCO2/kWh', region: '浙江', data_year: 2023, document: '生态环境部公告 2025 年第 47 号', published: null, valid_from: '2025-12-31', valid_to: null, confidence: 'A' }],
    tariffs: [{ id: 'el-10kv@2026-01-01', commodity: 'electricity', name_zh: '一般工商业 10 千伏两部制', name_en: 'General 10 kV', valid_from: '2026-01-01', valid_to: null, source: '示例 2025 第 32 号', confidence: 'C' }],
    close: {
      month: iso(start).slice(0, 7), state: 'closed', closed_base: total - 124_800, ledger_base: total,
      close: { proposal: 3, revision: 1, content_sha256: 'ab12'.repeat(16), proposed_by: '张伟', approved_by: '李敏', closed_at: iso(end) },
      adjustments: [{ month: iso(start).slice(0, 7), booked: iso(end).slice(0, 7), live: true, point: point.id, name_zh: point.name_zh, name_en: point.name_en, commodity: point.commodity, unit: point.unit, amount_base: 124_800, amount: 124.8, kgce: null, co2_kg: null, cost_cny: null, cause: { kind: 'late_readings', events: [], text_zh: '结账后补到的读数', text_en: 'Readings that came late' } }],
    },
    spans: [], points: [],
    checks: [{ of: 'registers', stated_base: total, computed_base: total, difference_base: 0, text_zh: '读数差之和与总量一致', text_en: 'Differences of registers add up to the amount' }],
  }
}

function bands(total) {
  const one = (band, share, price_cny) => ({ tariff: 'el-10kv@2026-01-01', band, band_zh: band, price_cny, amount_base: Math.round(total * share), cost_cny: ((total * share) / 1000 * Number(price_cny)).toFixed(4) })
  return [one('sharp', 0.15, '1.2531'), one('peak', 0.35, '1.0520'), one('flat', 0.1, '0.6750'), one('valley', 0.4, '0.2855')]
}
