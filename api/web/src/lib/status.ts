// States have a word and a sign besides their colour.

import type { Message } from '../i18n'

export type Tone = 'good' | 'warn' | 'bad' | 'none'

export interface Status {
  tone: Tone
  sign: string
  word: Message
}

export function budgetStatus(colour: string | null | undefined): Status {
  switch (colour) {
    case 'green':
      return { tone: 'good', sign: '●', word: 'budgetGreen' }
    case 'amber':
      return { tone: 'warn', sign: '▲', word: 'budgetAmber' }
    case 'red':
      return { tone: 'bad', sign: '◆', word: 'budgetRed' }
    default:
      return { tone: 'none', sign: '○', word: 'budgetNone' }
  }
}

export function meterStatus(state: string | null): Status {
  switch (state) {
    case 'online':
      return { tone: 'good', sign: '●', word: 'meterOnline' }
    case 'silent':
      return { tone: 'bad', sign: '◆', word: 'meterSilent' }
    case 'backed_off':
      return { tone: 'warn', sign: '▲', word: 'meterBackedOff' }
    default:
      return { tone: 'none', sign: '○', word: 'meterWaiting' }
  }
}

/** A building carries its institution's budget state unless its own data do not allow a judgement. */
export function buildingStatus(
  colour: string | null | undefined,
  coverage: number | null,
  coverageMin: number,
): Status {
  if (coverage !== null && coverage < coverageMin) {
    return { tone: 'none', sign: '◌', word: 'dataIncomplete' }
  }
  return budgetStatus(colour)
}
