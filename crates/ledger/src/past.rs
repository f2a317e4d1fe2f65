//! What the books say, in the words of the kernel.

use std::collections::BTreeMap;

use steward_model::{MeterId, PointId, Quantity};

/// Replacements and decisions that stand, those that were taken back left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// Exchanges of meters with their registers, in the order of their times.
    pub replacements: Vec<Replaced>,
    /// What persons decided, by the first reading in question.
    pub decisions: BTreeMap<(MeterId, Quantity, i64), Decided>,
}

/// One meter followed another, and both registers are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Replaced {
    /// The point.
    pub point: PointId,
    /// When, in milliseconds.
    pub at_ms: i64,
    /// The meter that left.
    pub old_meter: MeterId,
    /// Its last register, in the unit of the quantity, before ratios.
    pub old_last: f64,
    /// The meter that came; the same id where the device behind an address was exchanged.
    pub new_meter: MeterId,
    /// Its first register.
    pub new_first: f64,
    /// The same of other registers of these meters, which points beside theirs read.
    pub others: Vec<(Quantity, f64, f64)>,
    /// The event's number in the books.
    pub event: u64,
}

/// A decision and the event that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What.
    pub verdict: Verdict,
    /// The event's number in the books.
    pub event: u64,
}

/// What a person may say about a reading in question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is right. Where the register falls, its series begins anew.
    Accept,
    /// The register passed its modulus. Without a known modulus this says nothing.
    Rollover,
    /// The series begins anew: what flowed before it is missing.
    Restart,
    /// It and what follows up to this instant, included, does not count.
    Discard {
        /// The last wrong reading.
        until_ms: i64,
    },
}
