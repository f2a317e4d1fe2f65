//! Waiting longer after each failure, with jitter so that many do not wake together.

use std::time::Duration;

/// Delays that double from a floor to a ceiling.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    floor: Duration,
    ceiling: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) const fn new(floor: Duration, ceiling: Duration) -> Self {
        Self {
            floor,
            ceiling,
            failures: 0,
        }
    }

    /// For a meter that does not answer: 2 s to 5 min.
    pub(crate) const fn meter() -> Self {
        Self::new(Duration::from_secs(2), Duration::from_secs(300))
    }

    /// For a gateway or broker that cannot be reached: 0.5 s to 1 min.
    pub(crate) const fn connection() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(60))
    }

    /// Counts a failure and answers how long to wait: between half and all of the doubled delay,
    /// never less than the floor.
    pub(crate) fn fail(&mut self) -> Duration {
        let doubled = self
            .floor
            .saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX))
            .min(self.ceiling);
        self.failures = self.failures.saturating_add(1).min(31);
        doubled
            .mul_f64(rand::random_range(0.5..=1.0))
            .max(self.floor)
    }

    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_ceiling() {
        let mut backoff = Backoff::meter();
        for round in 0..40 {
            let full = 2_u64.saturating_pow(round + 1).min(300);
            let delay = backoff.fail();
            assert!(delay <= Duration::from_secs(full), "{round} {delay:?}");
            assert!(delay >= Duration::from_secs(full / 2).max(Duration::from_secs(2)));
        }
        backoff.reset();
        assert_eq!(backoff.fail(), Duration::from_secs(2));
    }
}
