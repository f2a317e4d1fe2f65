// What the evidence of a finding speaks for. A person decides; this only spares thinking about the
// plain cases twice.

import type { Review } from '../api/ledger-shapes'

/** A register this close to its modulus was about to pass it. */
const NEAR_MODULUS = 0.9

type Verdict = Review['verdicts'][number]

export function suggestionOf(review: Review): Verdict | null {
  const verdict = leaning(review)
  return verdict !== null && review.verdicts.includes(verdict) ? verdict : null
}

function leaning(review: Review): Verdict | null {
  const { before, first, after, modulus, rise_max } = review.evidence
  if (review.kind === 'frozen') return 'accept'
  if (review.kind === 'exchange_without_registers') return 'restart'
  if (!before) return null
  // The register went on as if nothing had been: what lies between was wrong.
  const cameBack = after !== null && after.value >= before.value && after.value < first.value
  const fellAndCameBack = after !== null && first.value < before.value && after.value >= before.value
  if (cameBack || fellAndCameBack) return 'discard'
  if (first.value >= before.value) return null
  const passed = modulus === null ? null : first.value + modulus - before.value
  const isRollover =
    modulus !== null && before.value > modulus * NEAR_MODULUS && passed !== null && passed > 0
  if (isRollover && (rise_max === null || passed <= rise_max)) return 'rollover'
  return 'restart'
}
