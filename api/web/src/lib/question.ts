// A question to the ledger: which figure is to be explained. It stands in the address, so it can be
// sent to somebody else.

import { isSpan, type Span } from './span'

export const FIGURES = ['energy', 'co2', 'kgce', 'power'] as const
/** Of what: an amount, what is derived from it, or the live power. */
export type Figure = (typeof FIGURES)[number]

export interface Question {
  of: Figure
  /** `all`, `institution:ID`, `building:ID` or `point:ID`. */
  scope: string
  /** '' for what is added over commodities: CO2 and standard coal. */
  commodity: string
  span: Span
  /** The first instant of the span. */
  start: number
  /** A class of sub-items (A to D, rest), or ''. */
  sub: string
}

export function questionOf(part: Partial<Question> & { start: number }): Question {
  return { of: 'energy', scope: 'all', commodity: 'electricity', span: 'day', sub: '', ...part }
}

export const pointOf = (question: Question): string | null => idIn(question.scope, 'point')

export function idIn(scope: string, kind: string): string | null {
  return scope.startsWith(`${kind}:`) ? scope.slice(kind.length + 1) : null
}

const NAMES = ['of', 'scope', 'commodity', 'span', 'start', 'sub'] as const

/** The parameters of an address; `write` makes an instant a text. */
export function toParams(
  question: Question | null,
  write: (ms: number) => string,
): Record<string, string> {
  if (!question) return Object.fromEntries(NAMES.map((name) => [name, '']))
  const point = pointOf(question)
  return {
    ...question,
    of: question.of === 'energy' ? '' : question.of,
    scope: point ? `point:${point}` : question.scope,
    start: write(question.start),
  }
}

/** `point=ID` is short for `scope=point:ID`. Null where the address asks nothing. */
export function fromParams(query: URLSearchParams, read: (text: string) => number): Question | null {
  const point = query.get('point')
  const scope = point ? `point:${point}` : query.get('scope')
  const span = query.get('span') ?? ''
  const start = read(query.get('start') ?? '')
  if (!scope || !isSpan(span) || !Number.isFinite(start)) return null
  const of = FIGURES.find((known) => known === query.get('of')) ?? 'energy'
  return { of, scope, span, start, commodity: query.get('commodity') ?? '', sub: query.get('sub') ?? '' }
}

/** A point meters one commodity, whether a link names it or not. */
export function same(a: Question, b: Question): boolean {
  const isPoint = pointOf(a) !== null
  return NAMES.every((name) => a[name] === b[name] || (isPoint && name === 'commodity'))
}

/** The way down to a question: asking one that stands on it already goes back to there. */
export function stepTo(trail: Question[], next: Question): Question[] {
  const place = trail.findIndex((one) => same(one, next))
  return [...(place < 0 ? trail : trail.slice(0, place)), next]
}
