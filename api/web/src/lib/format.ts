// Figures as text. What is not known is "—": never 0, never NaN.

export const MISSING = '—'

export type Maybe = number | null | undefined

export function isKnown(value: Maybe): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

/** Grouped by thousands, with a fixed number of decimals. */
export function number(value: Maybe, decimals = 0): string {
  if (!isKnown(value)) return MISSING
  const text = value.toLocaleString('en-US', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  })
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text.replace('-', '−')
}

/** Decimals that keep about four figures in sight. */
export function decimalsFor(value: Maybe): number {
  if (!isKnown(value)) return 0
  const size = Math.abs(value)
  if (size === 0 || size >= 1000) return 0
  if (size >= 100) return 1
  return 2
}

export function compact(value: Maybe): string {
  return number(value, decimalsFor(value))
}

export interface Figure {
  text: string
  unit: string
}

interface Step {
  from: number
  divide: number
  unit: string
}

const LADDERS: Record<string, Step[]> = {
  W: [
    { from: 1e6, divide: 1e6, unit: 'MW' },
    { from: 0, divide: 1e3, unit: 'kW' },
  ],
  kWh: [
    { from: 1e6, divide: 1e6, unit: 'GWh' },
    { from: 1e5, divide: 1e3, unit: 'MWh' },
    { from: 0, divide: 1, unit: 'kWh' },
  ],
  kgCO2: [
    { from: 1e3, divide: 1e3, unit: 'tCO₂' },
    { from: 0, divide: 1, unit: 'kgCO₂' },
  ],
  kgce: [
    { from: 1e5, divide: 1e3, unit: 'tce' },
    { from: 0, divide: 1, unit: 'kgce' },
  ],
}

const SYMBOLS: Record<string, string> = { m3: 'm³', m2: 'm²', degC: '°C', '1': '' }

/** A unit as people write it. */
export function symbol(unit: string): string {
  return SYMBOLS[unit] ?? unit
}

/** A value in the unit of its size: 1,234,500 kWh is 1.23 GWh. */
export function scaled(value: Maybe, unit: string): Figure {
  const ladder = LADDERS[unit]
  if (!ladder) return { text: compact(value), unit: symbol(unit) }
  const size = isKnown(value) ? Math.abs(value) : 0
  const step = ladder.find((candidate) => size >= candidate.from) ?? ladder[ladder.length - 1]!
  return { text: isKnown(value) ? compact(value / step.divide) : MISSING, unit: step.unit }
}

export function scaledText(value: Maybe, unit: string): string {
  const figure = scaled(value, unit)
  return figure.text === MISSING ? MISSING : `${figure.text} ${figure.unit}`.trim()
}

export function percent(share: Maybe, decimals = 1): string {
  return isKnown(share) ? `${number(share * 100, decimals)}%` : MISSING
}

/** A share that must not be rounded up to "all": 99.97 % is not 100 %. */
export function coveragePercent(share: Maybe): string {
  if (!isKnown(share)) return MISSING
  if (share >= 1) return '100%'
  return `${number(Math.min(Math.floor(share * 1000) / 10, 99.9), 1)}%`
}

/** Relative change; unknown where there is nothing to compare with. */
export function change(now: Maybe, before: Maybe): number | null {
  if (!isKnown(now) || !isKnown(before) || before <= 0) return null
  return now / before - 1
}

export function changeText(share: Maybe): string {
  if (!isKnown(share)) return MISSING
  const sign = share > 0.0005 ? '▲ ' : share < -0.0005 ? '▼ ' : ''
  return `${sign}${number(Math.abs(share) * 100, 1)}%`
}

/** A decimal string of the API as a number for a bar's length; its text is shown as it came. */
export function decimal(text: string | number | null | undefined): number | null {
  if (text === null || text === undefined || text === '') return null
  const value = Number(text)
  return Number.isFinite(value) ? value : null
}

/** The sum, or null where nothing is known. */
export function sum(values: Iterable<Maybe>): number | null {
  let total: number | null = null
  for (const value of values) if (isKnown(value)) total = (total ?? 0) + value
  return total
}

/** A quotient, or null where it is none. */
export function ratio(part: Maybe, whole: Maybe): number | null {
  return isKnown(part) && isKnown(whole) && whole > 0 ? part / whole : null
}
