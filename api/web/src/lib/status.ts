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

export function findingStatus(state: string): Status {
  switch (state) {
    case 'open':
      return { tone: 'warn', sign: '▲', word: 'r_open' }
    case 'decided':
      return { tone: 'good', sign: '●', word: 'r_decided' }
    default:
      return { tone: 'none', sign: '○', word: 'r_rule' }
  }
}

/** A month of an institution. */
export function monthStatus(state: string): Status {
  switch (state) {
    case 'closed':
      return { tone: 'good', sign: '●', word: 'm_closed' }
    case 'provisional':
      return { tone: 'warn', sign: '◐', word: 'm_provisional' }
    case 'superseded':
      return { tone: 'none', sign: '◍', word: 'm_superseded' }
    case 'rejected':
      return { tone: 'bad', sign: '◆', word: 'm_rejected' }
    case 'future':
      return { tone: 'none', sign: '·', word: 'm_future' }
    default:
      return { tone: 'none', sign: '○', word: 'm_open' }
  }
}

/** Whether a point and its children fit. */
export function balanceStatus(verdict: string): Status {
  switch (verdict) {
    case 'ok':
      return { tone: 'good', sign: '●', word: 'balanceOk' }
    case 'exceeded':
      return { tone: 'bad', sign: '◆', word: 'balanceExceeded' }
    default:
      return { tone: 'none', sign: '○', word: 'balanceUnknown' }
  }
}
