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

/// How an interval's amount is known. The number is its code on disk and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalQuality {
    /// Readings stand close to both boundaries.
    Measured,
    /// A boundary lies between readings that are further apart than an interval.
    Interpolated,
    /// A boundary lies in an outage; the sum over the outage is known and spread evenly.
    Estimated,
    /// A boundary lies in an outage; the sum over the outage is known and spread by the point's own
    /// load shape on days of the same kind.
    Shaped,
    /// Integrated from power: the meter gives no register.
    Integrated,
    /// A boundary rests on a reading taken by a person.
    Manual,
}

/// The four parts in which totals tell their quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QualityClass {
    /// Measured.
    Measured,
    /// Interpolated.
    Interpolated,
    /// Estimated, by whatever rule.
    Estimated,
    /// From readings by hand.
    Manual,
}

impl IntervalQuality {
    /// Every quality; the position is its code on disk.
    pub const ALL: [Self; 6] = [
        Self::Measured,
        Self::Interpolated,
        Self::Estimated,
        Self::Shaped,
        Self::Integrated,
        Self::Manual,
    ];

    /// The code on disk.
    pub const fn code(self) -> u8 {
        match self {
            Self::Measured => 0,
            Self::Interpolated => 1,
            Self::Estimated => 2,
            Self::Shaped => 3,
            Self::Integrated => 4,
            Self::Manual => 5,
        }
    }

    /// The quality with this code on disk.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The word used in JSON: the rule that made the amount.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Interpolated => "interpolated",
            Self::Estimated => "estimated",
            Self::Shaped => "shaped",
            Self::Integrated => "integrated",
            Self::Manual => "manual",
        }
    }

    /// The part of a total to which it belongs.
    pub const fn class(self) -> QualityClass {
        match self {
            Self::Measured => QualityClass::Measured,
            Self::Interpolated => QualityClass::Interpolated,
            Self::Estimated | Self::Shaped | Self::Integrated => QualityClass::Estimated,
            Self::Manual => QualityClass::Manual,
        }
    }

    /// The one of two that says less about what was measured. What is made of several amounts is
    /// known as badly as the worst of them.
    #[must_use]
    pub const fn worse(self, other: Self) -> Self {
        const fn rank(quality: IntervalQuality) -> u8 {
            match quality {
                IntervalQuality::Measured => 0,
                IntervalQuality::Interpolated => 1,
                IntervalQuality::Manual => 2,
                IntervalQuality::Integrated => 3,
                IntervalQuality::Shaped => 4,
                IntervalQuality::Estimated => 5,
            }
        }
        if rank(self) >= rank(other) {
            self
        } else {
            other
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
    /// Base units from readings by hand.
    pub manual_base: i64,
}

impl Shares {
    /// Adds an interval.
    pub const fn add(&mut self, interval: IntervalAmount) {
        match interval.quality.class() {
            QualityClass::Measured => self.measured_base += interval.amount_base,
            QualityClass::Interpolated => self.interpolated_base += interval.amount_base,
            QualityClass::Estimated => self.estimated_base += interval.amount_base,
            QualityClass::Manual => self.manual_base += interval.amount_base,
        }
    }

    /// The whole amount.
    pub const fn total(&self) -> i64 {
        self.measured_base + self.interpolated_base + self.estimated_base + self.manual_base
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
    /// Cost by the tariff's energy prices in nano-yuan (10⁻⁹ CNY); `None` where any present interval
    /// has no price. Tiers, demand, power factor: those are charges of a month's bill, not of a row.
    pub cost_ncny: Option<i64>,
    /// Tariff versions used, as `id@from`, joined by `+`; empty where none applies.
    pub tariff_set: String,
}

/// A run of intervals of a day with one price. A price of up to six decimals in CNY per kWh, m³ or
/// MJ is a whole number of nano-yuan per Wh, litre or kJ, so costs are integers and telescope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRun {
    /// How many intervals.
    pub intervals: u16,
    /// Nano-yuan per base unit; `None` where no tariff gives a price.
    pub ncny_per_base: Option<i64>,
}
