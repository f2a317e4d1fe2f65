// How many reviews are open: the badge beside the page's name.

import { ref, watch } from 'vue'

import { get } from './api/client'
import type { Reviews } from './api/ledger-shapes'
import { site } from './state'

const EVERY_MS = 60_000

/** Null while it is not known. */
export const openReviews = ref<number | null>(null)

export async function countReviews(): Promise<void> {
  if (site.needsToken) return
  try {
    openReviews.value = (await get<Reviews>('reviews', { state: 'open', limit: 1 })).open_total
  } catch {
    // The page itself says what is wrong; a badge that may be wrong is worse than none.
    openReviews.value = null
  }
}

export function startReviews(): void {
  setInterval(() => void countReviews(), EVERY_MS)
  watch(
    () => site.booksSeq,
    () => void countReviews(),
  )
  void countReviews()
}
