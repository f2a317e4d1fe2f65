//! Readings that left the register's course, and what their successors say about them.
//!
//! Nothing is decided on one reading. While a run is pending its readings stand aside; the state
//! holds its first and last reading and no more, however long it grows.

use crate::limits::LimitsBase;
use crate::register::{Confirmed, Raw};

/// A reading with its register in the frame of the last confirmed one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Read {
    pub(crate) raw: Raw,
    pub(crate) base: i64,
}

/// A pending run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) first: Read,
    pub(crate) last: Read,
    pub(crate) count: u64,
    /// The widest gap between its readings.
    pub(crate) gap_ms: i64,
    /// Whether it began above the course and not below it.
    pub(crate) rises: bool,
    /// Whether only the closing register that a replacement states speaks against its beginning.
    pub(crate) over_closing: bool,
    /// Whether its readings contradict each other.
    garbled: bool,
}

/// What the next reading makes of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It goes on.
    Pending,
    /// The reading is back on the course: the run was a glitch.
    Returned,
    /// The register passed its modulus before the run.
    Rollover {
        /// What brings the last confirmed register into the run's frame.
        delta_base: i64,
    },
    /// The register was set to zero before the run.
    Reset {
        /// What brings the last confirmed register into the run's frame.
        delta_base: i64,
    },
}

impl Run {
    pub(crate) const fn of(first: Read, rises: bool, over_closing: bool) -> Self {
        Self {
            first,
            last: first,
            count: 1,
            gap_ms: 0,
            rises,
            over_closing,
            garbled: false,
        }
    }

    /// Whether the run waits for a person: a second reading has not explained it.
    pub(crate) const fn is_open(&self) -> bool {
        self.count > 1
    }

    /// Whether every reading so far shows zero, as far as the register can tell.
    fn is_zero(&self, limits: &LimitsBase) -> bool {
        !self.garbled && !self.rises && self.last.base <= limits.resolution_base
    }

    /// Takes the next reading. `on_course` tells whether it is plausible after the last confirmed
    /// register `last` as well.
    ///
    /// Where both the old course and the run explain a reading, the run keeps it once it has shown
    /// a course of its own that the rating could refute; zeros never do.
    pub(crate) fn next(
        &mut self,
        last: Confirmed,
        next: Read,
        on_course: bool,
        limits: &LimitsBase,
    ) -> Outcome {
        let passed_ms = next.raw.at_ms - self.last.raw.at_ms;
        let relation = limits.relation(self.last.base, next.base, passed_ms);
        let is_course = !self.garbled && (self.rises || self.count > 1);
        let is_rated = limits.rise_max_base_per_h.is_some();
        let keeps = relation.is_plausible() && is_course && is_rated && !self.is_zero(limits);
        if on_course && !keeps {
            return Outcome::Returned;
        }
        let outcome = if relation.is_plausible() {
            self.explained(last, next, limits)
        } else {
            self.garbled = true;
            Outcome::Pending
        };
        if outcome == Outcome::Pending {
            let highest = if self.garbled {
                next.base
            } else {
                next.base.max(self.last.base)
            };
            self.last = Read {
                base: highest,
                ..next
            };
            self.count += 1;
            self.gap_ms = self.gap_ms.max(passed_ms);
        }
        outcome
    }

    /// The rules that are certain of a fall once a successor extends it. Without a rating none is.
    fn explained(&self, last: Confirmed, next: Read, limits: &LimitsBase) -> Outcome {
        let passed_ms = self.first.raw.at_ms - last.at_ms;
        let Some(rise_max) = limits.rise_max_base(passed_ms) else {
            return Outcome::Pending;
        };
        let zero = self.first.base <= limits.resolution_base;
        let risen = next.base - self.first.base > limits.resolution_base;
        // A run of zeros may still return.
        if self.garbled || self.rises || (zero && !risen) {
            return Outcome::Pending;
        }
        if let Some(modulus) = limits.modulus_base {
            let rise =
                i128::from(self.first.base) + i128::from(modulus) - i128::from(last.register_base);
            if last.register_base <= modulus && 0 < rise && rise <= rise_max {
                return Outcome::Rollover {
                    delta_base: -modulus,
                };
            }
        }
        if zero {
            return Outcome::Reset {
                delta_base: self.first.base - last.register_base,
            };
        }
        Outcome::Pending
    }
}
