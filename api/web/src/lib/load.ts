// Asking for one answer and for the outcome of one deed, with what a page shows meanwhile.

import { shallowReactive } from 'vue'

import { type Failure, failed } from '../api/client'
import { asDialled } from './register'

export interface Loaded<T> {
  data: T | null
  failure: Failure | null
  busy: boolean
  /** Asks again; what was there stays until the answer comes. */
  again: () => Promise<void>
  /** Forgets the answer: another thing is asked about. */
  clear: () => void
}

/** The answer to the latest question; an answer that comes late to an older one is dropped. */
export function useLoad<T>(ask: () => Promise<T>): Loaded<T> {
  let latest = 0
  const state: Loaded<T> = shallowReactive({
    data: null as T | null,
    failure: null as Failure | null,
    busy: false,
    again: async () => {
      latest += 1
      const mine = latest
      state.busy = true
      try {
        const data = await ask()
        if (mine === latest) Object.assign(state, { data, failure: null })
      } catch (error) {
        if (mine === latest) state.failure = failed(error)
      } finally {
        if (mine === latest) state.busy = false
      }
    },
    clear: () => {
      latest += 1
      Object.assign(state, { data: null, failure: null, busy: false })
    },
  })
  return state
}

export interface Deed<A extends unknown[], T> {
  failure: Failure | null
  busy: boolean
  /** The outcome, or null where it failed. A second call while one runs does nothing. */
  run: (...args: A) => Promise<T | null>
}

export function useDeed<A extends unknown[], T>(act: (...args: A) => Promise<T>): Deed<A, T> {
  const state: Deed<A, T> = shallowReactive({
    failure: null as Failure | null,
    busy: false,
    run: async (...args: A) => {
      if (state.busy) return null
      state.busy = true
      state.failure = null
      try {
        return await act(...args)
      } catch (error) {
        state.failure = failed(error)
        return null
      } finally {
        state.busy = false
      }
    },
  })
  return state
}

/** What a failure says about one field of a form: the server names places as `invoice.amount`. */
export function wordsAt(failure: Failure | null, ...names: string[]): string | null {
  const problem = failure?.problem
  if (!problem) return null
  // The server names a field by all that stands above it, such as `invoices[0].amount`.
  const hit = (place: string | null | undefined): boolean =>
    names.some((name) => {
      if (place === name) return true
      const above = place?.endsWith(`.${name}`) ? place.slice(0, -name.length - 1) : null
      return above !== null && !above.includes('others[')
    })
  const words = (problem.refusals ?? [])
    .filter(({ place }) => hit(place))
    .map(({ expected, hint }) => asDialled([expected, hint].filter(Boolean).join(' · ')))
  if (hit(problem.parameter)) words.push(problem.detail ?? problem.title ?? '')
  return words.join(' · ') || null
}
