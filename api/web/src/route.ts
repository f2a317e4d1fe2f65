// The address after `#`: which page, and what stands open on it. Written by hand: five pages need no
// router.

import { shallowReactive } from 'vue'

export const PAGES = ['cockpit', 'reviews', 'closes', 'invoices', 'books'] as const
export type Page = (typeof PAGES)[number]

export const route = shallowReactive({
  page: 'cockpit' as Page,
  query: new URLSearchParams(),
})

/** `#/closes?month=2026-10`; an unknown page is the cockpit. */
export function parseHash(hash: string): { page: Page; query: URLSearchParams } {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?')
  const page = PAGES.find((known) => known === path) ?? 'cockpit'
  return { page, query: new URLSearchParams(search) }
}

export function hashOf(page: Page, query: URLSearchParams | Record<string, string> = {}): string {
  const search = new URLSearchParams(query).toString()
  return `#/${page === 'cockpit' ? '' : page}${search ? `?${search}` : ''}`
}

/** Changes some parameters of the page that is open; '' takes one away. */
export function amend(changes: Record<string, string>, replace = false): void {
  const query = new URLSearchParams(route.query)
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value)
    else query.delete(name)
  }
  const hash = hashOf(route.page, query)
  if (replace) history.replaceState(null, '', hash)
  else history.pushState(null, '', hash)
  read()
}

function read(): void {
  const { page, query } = parseHash(location.hash)
  route.query = query
  route.page = page
  document.documentElement.dataset.page = page
}

export function startRoute(): void {
  window.addEventListener('hashchange', read)
  window.addEventListener('popstate', read)
  read()
}
