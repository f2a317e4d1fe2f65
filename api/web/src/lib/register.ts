// A register as a display shows it, and as the books keep it: in the unit of its quantity.

import { number, symbol } from './format'

const DIALS: Record<string, { unit: string; size: number }> = {
  Wh: { unit: 'kWh', size: 1e3 },
  varh: { unit: 'kvarh', size: 1e3 },
  L: { unit: 'm3', size: 1e3 },
  mL: { unit: 'L', size: 1e3 },
  kJ: { unit: 'GJ', size: 1e6 },
  g: { unit: 't', size: 1e6 },
}

const of = (unit: string): { unit: string; size: number } => DIALS[unit] ?? { unit, size: 1 }

/** The unit that the meter's display shows. */
export function dialUnit(unit: string): string {
  return symbol(of(unit).unit)
}

/** What somebody read off the display, in the unit of the quantity. */
export function fromDial(text: string, unit: string): number {
  // A product of decimals is one digit off here and there; registers have at most fifteen.
  return Number((Number(text) * of(unit).size).toPrecision(15))
}

/** A register in words, as the display shows it. */
export function onDial(value: number, unit: string): string {
  const shown = Number((value / of(unit).size).toPrecision(15))
  const decimals = String(shown).split('.')[1]?.length ?? 0
  return `${number(shown, Math.min(decimals, 4))} ${dialUnit(unit)}`
}

/** A sentence of the server about registers, whose units are those of quantities. */
export function asDialled(text: string): string {
  const units = Object.keys(DIALS).join('|')
  return text
    .replace(new RegExp(`(-?\\d+(?:\\.\\d+)?) (${units})\\b`, 'g'), (_, value: string, unit: string) =>
      onDial(Number(value), unit),
    )
    .replace(new RegExp(`\\bin (${units})\\b`, 'g'), (_, unit: string) => `in ${dialUnit(unit)}`)
}
