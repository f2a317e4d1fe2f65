//! What the ledger answers. Amounts are integers of the commodity's base unit.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::PointId;

/// The length of a ledger row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// 15 minutes.
    Interval,
    /// An hour of local time.
    Hour,
    /// A local day.
    Day,
    /// A local month.
    Month,
    /// A local year.
    Year,
}

impl Span {
    /// Every span, shortest first.
    pub const ALL: [Self; 5] = [
        Self::Interval,
        Self::Hour,
        Self::Day,
        Self::Month,
        Self::Year,
    ];

    /// The word used in URLs, tags and JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Interval => "interval",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// The span called `id`.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|span| span.id() == id)
    }
}

/// How an interval's amount is known. The number is its code on disk; better is smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalQuality {
    /// Readings stand close to both boundaries.
    Measured,
    /// A boundary lies between readings that are further apart than an interval.
    Interpolated,
    /// A boundary lies in an outage; only the sum over the outage is known.
    Estimated,
}

impl IntervalQuality {
    /// The code on disk.
    pub const fn code(self) -> u8 {
        match self {
            Self::Measured => 0,
            Self::Interpolated => 1,
            Self::Estimated => 2,
        }
    }

    /// The quality with this code on disk.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Measured),
            1 => Some(Self::Interpolated),
            2 => Some(Self::Estimated),
            _ => None,
        }
    }
}

/// The amount of one interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntervalAmount {
    /// Base units.
    pub amount_base: i64,
    /// How it is known.
    pub quality: IntervalQuality,
}

/// The parts of an amount by quality, in base units. Their sum is the amount, exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares {
    /// Measured base units.
    pub measured_base: i64,
    /// Interpolated base units.
    pub interpolated_base: i64,
    /// Estimated base units.
    pub estimated_base: i64,
}

impl Shares {
    /// Adds an interval.
    pub const fn add(&mut self, interval: IntervalAmount) {
        match interval.quality {
            IntervalQuality::Measured => self.measured_base += interval.amount_base,
            IntervalQuality::Interpolated => self.interpolated_base += interval.amount_base,
            IntervalQuality::Estimated => self.estimated_base += interval.amount_base,
        }
    }

    /// The whole amount.
    pub const fn total(&self) -> i64 {
        self.measured_base + self.interpolated_base + self.estimated_base
    }
}

/// One local day of one point: its intervals. The unit of recomputation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerDay {
    /// The point.
    pub point: PointId,
    /// The local date.
    pub date: NaiveDate,
    /// The second at which the day begins.
    pub start_s: i64,
    /// One entry an interval of the day (92, 96 or 100); `None` is missing, never zero.
    pub intervals: Vec<Option<IntervalAmount>>,
}

/// One row of the ledger: (point, span, start) → amounts.
///
/// kgce and CO2 are exact: a factor of up to six decimals in kg per kWh, m³ or MJ is a whole
/// number of micrograms per Wh, litre or kJ, so products and sums are integers and telescope as
/// the energy does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// The point.
    pub point: PointId,
    /// The span.
    pub span: Span,
    /// The second (UTC) at which the local period begins.
    pub start_s: i64,
    /// Base units; the sum of `shares`.
    pub amount_base: i64,
    /// The amount by quality.
    pub shares: Shares,
    /// Intervals with an amount.
    pub intervals_present: u32,
    /// Intervals that the period has, whether past or to come.
    pub intervals_expected: u32,
    /// Standard coal in micrograms; `None` where the commodity counts none.
    pub kgce_ug: Option<i64>,
    /// CO2, location-based, in micrograms; `None` where the commodity counts none.
    pub co2_ug: Option<i64>,
    /// Ids of the factors used, joined by `+`; empty where none applies.
    pub factor_set: String,
}
