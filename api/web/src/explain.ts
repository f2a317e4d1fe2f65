// The drawer that explains a figure: what is asked, and the way that led there.

import { computed, shallowRef, watch } from 'vue'

import { fromParams, pointOf, type Question, questionOf, stepTo, toParams } from './lib/question'
import { rfc3339 } from './lib/zone'
import { startOfText } from './lib/when'
import { amend, route } from './route'
import { site, view } from './state'

function readStart(text: string): number {
  return /^\d{4}(-\d{2}){0,2}$/.test(text) ? startOfText(site.zone, text) : Date.parse(text)
}

/** What the drawer shows; null while it is shut. */
export const question = computed(() => {
  const asked = fromParams(route.query, readStart)
  const id = asked && pointOf(asked)
  if (!asked || !id || asked.commodity) return asked
  // A link may name the point alone: what it meters is in the registry.
  const commodity = site.points.find((point) => point.id === id)?.commodity ?? ''
  return { ...asked, commodity }
})

/** From the figure that was clicked down to what is shown. */
export const trail = shallowRef<Question[]>([])

watch(
  question,
  (next) => {
    trail.value = next ? stepTo(trail.value, next) : []
  },
  { immediate: true },
)

export function explain(next: Question): void {
  amend(toParams(next, (ms) => rfc3339(site.zone, ms)))
}

/** A question about the scope that the reader has chosen. */
export function explainScope(part: Partial<Question> & { start: number }): void {
  const scope = view.institution ? `institution:${view.institution}` : 'all'
  explain(questionOf({ scope, ...part }))
}

export function shut(): void {
  amend({ ...toParams(null, String), point: '' })
}
