//! How long to wait before the next attempt.

use std::time::Duration;

use rand::RngExt as _;

/// Waits that double from `min` up to `max`, plus up to a quarter of themselves, so that many
/// publishers do not come back in step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
}

impl Backoff {
    /// `min` above zero; a `max` below it counts as `min`.
    pub(crate) fn new(min: Duration, max: Duration) -> Self {
        let min = min.max(Duration::from_millis(1));
        Self {
            min,
            max: max.max(min),
        }
    }

    /// The wait after attempt number `attempt` (the first is 0), without jitter.
    pub(crate) fn base(&self, attempt: u32) -> Duration {
        self.min
            .saturating_mul(2_u32.saturating_pow(attempt))
            .min(self.max)
    }
}

/// Adds up to a quarter.
pub(crate) fn with_jitter(wait: Duration) -> Duration {
    wait + wait.mul_f64(rand::rng().random_range(0.0..0.25))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn waits_grow_and_stay_within_their_bounds(
            min_ms in 0_u64..10_000, max_ms in 0_u64..1_000_000, attempt in any::<u32>(),
        ) {
            let backoff = Backoff::new(Duration::from_millis(min_ms), Duration::from_millis(max_ms));
            let wait = backoff.base(attempt);
            prop_assert!(wait >= backoff.min && wait <= backoff.max);
            prop_assert!(backoff.base(attempt.saturating_add(1)) >= wait);
            let jittered = with_jitter(wait);
            prop_assert!(jittered >= wait && jittered <= wait.mul_f64(1.25) + Duration::from_nanos(1));
        }
    }
}
