//! What the ledger found in a meter's registers that is not plain counting.
//!
//! A finding is derived: it is a pure function of readings, registry and books, and it is replaced
//! whenever its days are computed again. What a person decides about it stands in the books.

use serde::{Deserialize, Serialize};

use crate::{MeterId, PointId, Quantity, UtcMs};

/// What it is, or what it most likely is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The register passed its modulus and began again at zero.
    Rollover,
    /// The register was set to zero and counts on from there.
    Reset,
    /// Another device counts on from another register.
    Replacement,
    /// A fall within the register's resolution.
    Jitter,
    /// Readings that left the register's course and came back to it.
    Glitch,
    /// A fall that none of the rules explains.
    Fall,
    /// A rise beyond what the meter's rating allows.
    Rise,
    /// No change of the register while power flows.
    Frozen,
    /// A configured exchange of meters without the registers of a replacement.
    ExchangeWithoutRegisters,
    /// Below zero, or beyond what a register can hold.
    OutOfRange,
}

impl FindingKind {
    /// Every kind; the position is its code on disk.
    pub const ALL: [Self; 10] = [
        Self::Rollover,
        Self::Reset,
        Self::Replacement,
        Self::Jitter,
        Self::Glitch,
        Self::Fall,
        Self::Rise,
        Self::Frozen,
        Self::ExchangeWithoutRegisters,
        Self::OutOfRange,
    ];

    /// The word used in URLs and JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Rollover => "rollover",
            Self::Reset => "reset",
            Self::Replacement => "replacement",
            Self::Jitter => "jitter",
            Self::Glitch => "glitch",
            Self::Fall => "fall",
            Self::Rise => "rise",
            Self::Frozen => "frozen",
            Self::ExchangeWithoutRegisters => "exchange_without_registers",
            Self::OutOfRange => "out_of_range",
        }
    }

    /// The kind called `id`.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }
}

/// Who settled it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "event")]
pub enum FindingState {
    /// A rule is certain of it.
    ByRule,
    /// It waits for a person: the review queue. What follows it is provisional.
    Open,
    /// Decided by this event of the books.
    Decided(u64),
}

/// The numbers on which a finding rests, in the unit of the quantity, before ratios.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The last confirmed reading before it.
    pub before: Option<(UtcMs, f64)>,
    /// The first reading in question.
    pub first: (UtcMs, f64),
    /// The last reading in question.
    pub last: (UtcMs, f64),
    /// The first reading after it that counts again.
    pub after: Option<(UtcMs, f64)>,
    /// The register's modulus, where known.
    pub modulus: Option<f64>,
    /// The register's resolution, where known.
    pub resolution: Option<f64>,
    /// The most that the rating allows between `before` and `first`, where the rating is known.
    pub rise_max: Option<f64>,
    /// For a frozen register: the energy that power says has flowed.
    pub flowed: Option<f64>,
}

/// A finding. Its key is (meter, quantity, time of the first reading in question).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The point.
    pub point: PointId,
    /// The meter.
    pub meter: MeterId,
    /// The series.
    pub quantity: Quantity,
    /// Time of the first reading in question.
    pub at: UtcMs,
    /// Time of the last one.
    pub until: UtcMs,
    /// Readings that it holds out of the ledger.
    pub held_out: u64,
    /// What it is.
    pub kind: FindingKind,
    /// Who settled it.
    pub state: FindingState,
    /// Why.
    pub evidence: Evidence,
}

impl Finding {
    /// The id of a review: `meter~quantity~milliseconds`. Ids of meters contain no `~`.
    pub fn id(&self) -> String {
        review_id(&self.meter, self.quantity, self.at)
    }

    /// Whether it waits for a person.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, FindingState::Open)
    }
}

/// The id of the review of what begins at `at`.
pub fn review_id(meter: &MeterId, quantity: Quantity, at: UtcMs) -> String {
    format!("{meter}~{}~{}", quantity.id(), at.0)
}

/// What [`review_id`] was made of; `None` for another text.
pub fn parse_review_id(text: &str) -> Option<(MeterId, Quantity, UtcMs)> {
    let mut parts = text.split('~');
    let meter = MeterId::new(parts.next()?).ok()?;
    let quantity = parts.next()?.parse().ok()?;
    let at = parts.next()?.parse().ok()?;
    parts
        .next()
        .is_none()
        .then_some((meter, quantity, UtcMs(at)))
}

/// A stretch without readings over which the register's rise was spread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// The confirmed reading before.
    pub from: UtcMs,
    /// The confirmed reading after.
    pub to: UtcMs,
    /// Base units that were spread.
    pub amount_base: i64,
    /// By which rule.
    pub rule: FillRule,
}

/// How a stretch was filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum FillRule {
    /// Evenly: too few days of the point are measured to know its shape.
    Even {
        /// Measured days that were found.
        days_found: u16,
    },
    /// By the point's own mean load on days of the same kind.
    Shape {
        /// First day looked at.
        basis_from: chrono::NaiveDate,
        /// First day no longer looked at.
        basis_to: chrono::NaiveDate,
        /// Days whose load was averaged.
        days: u16,
        /// Whether days were chosen by temperature too.
        by_temperature: bool,
    },
}
