//! A month's bill of an account: a pure function of its intervals, its tariffs and what is known of
//! its power.
//!
//! The period is cut into months from its first day, and where a tariff, its version, or for yearly
//! tiers the year changes; each piece has its own lines. What is charged by the month (demand,
//! capacity, fixed) is shared among the pieces of a month by days, and so is a month of which only
//! a part is billed. Per piece:
//!
//! | line | quantity | price |
//! |---|---|---|
//! | energy of a band | commodity unit | energy price of the version |
//! | surcharge | commodity unit, all priced bands | the surcharge |
//! | tier | commodity unit, what lies within the step | what the step adds |
//! | demand or capacity | kW of the month's maximum demand, or kVA | CNY a month |
//! | power factor | CNY: energy, tiers and demand, not surcharges | the table's share |
//! | fixed | months | CNY a month |
//!
//! Each line is rounded once to 0.01 CNY, halves away from zero. The adjustment by power factor is
//! taken on the rounded lines, as it is printed. The total is the sum of the lines; a line that
//! cannot be priced says why, and then there is no total.

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use steward_config::{Account, Band, Config};
use steward_model::BaseUnit;

use super::charge::Charger;
use super::demand::{MaxDemand, max_demand, power_factor};
use super::stretch::Cut;
use crate::LocalDay;

/// The demand window where a tariff names none.
const WINDOW_MIN: u32 = 15;

/// What an account took in one interval: the sum over its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The second at which it begins.
    pub start_s: i64,
    /// Base units.
    pub amount_base: i64,
}

/// What is known of the period's power factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PowerFactor {
    /// Nothing.
    Unknown,
    /// As it was measured or invoiced.
    Is(Decimal),
    /// Active and reactive energy in one unit.
    Of {
        /// Wh.
        active: i64,
        /// varh.
        reactive: i64,
    },
}

impl PowerFactor {
    /// The factor, where it is known.
    pub fn value(self) -> Option<Decimal> {
        match self {
            Self::Unknown => None,
            Self::Is(value) => Some(value),
            Self::Of { active, reactive } => power_factor(active, reactive),
        }
    }
}

/// What a bill is made of, beside the configuration.
#[derive(Clone, Copy, Debug)]
pub struct BillInput<'a> {
    /// Whose.
    pub account: &'a Account,
    /// First local day.
    pub from: NaiveDate,
    /// First day after.
    pub to: NaiveDate,
    /// The zone of its days.
    pub zone: Tz,
    /// What was taken, ascending; an interval that is missing has no entry.
    pub intervals: &'a [Taken],
    /// The period's power factor.
    pub power_factor: PowerFactor,
    /// What was taken in the year of `from` before `from`, in base units, for yearly tiers.
    pub year_before_base: Option<i64>,
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// Energy or matter in a band.
    Energy(Band),
    /// Energy or matter without a price.
    Unpriced,
    /// A surcharge.
    Surcharge,
    /// What a tier adds; the first step is 1.
    Tier(usize),
    /// Maximum demand.
    Demand,
    /// Transformer capacity.
    Capacity,
    /// Adjustment by power factor.
    PowerFactor,
    /// Fixed charge.
    Fixed,
}

impl LineKind {
    /// The word used in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Energy(_) => "energy",
            Self::Unpriced => "unpriced",
            Self::Surcharge => "surcharge",
            Self::Tier(_) => "tier",
            Self::Demand => "demand",
            Self::Capacity => "capacity",
            Self::PowerFactor => "power_factor",
            Self::Fixed => "fixed",
        }
    }

    /// Whether the adjustment by power factor is taken on it.
    pub(super) const fn is_adjusted(self) -> bool {
        matches!(
            self,
            Self::Energy(_) | Self::Tier(_) | Self::Demand | Self::Capacity
        )
    }
}

/// Why a line has no sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// No tariff, version or schedule gives a price for it.
    Price,
    /// No window of the period is complete, or power says nothing about this commodity.
    Demand,
    /// The power factor of the period.
    PowerFactor,
    /// A line on which this one is taken has no sum.
    Base,
    /// What was taken earlier in the year.
    YearBefore,
    /// The sum is beyond what a decimal holds.
    Range,
}

impl Unknown {
    /// The word used in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Demand => "demand",
            Self::PowerFactor => "power_factor",
            Self::Base => "base",
            Self::YearBefore => "year_before",
            Self::Range => "range",
        }
    }

    /// In Chinese.
    pub const fn text_zh(self) -> &'static str {
        match self {
            Self::Price => "该日期没有适用的电价（价格）",
            Self::Demand => "没有完整的需量区间，最大需量未知",
            Self::PowerFactor => "功率因数未知",
            Self::Base => "计算基数中有未知项",
            Self::YearBefore => "年初以来的用量未知",
            Self::Range => "金额超出可表示范围",
        }
    }

    /// In English.
    pub const fn text_en(self) -> &'static str {
        match self {
            Self::Price => "no tariff gives a price for it",
            Self::Demand => "no complete demand window: the maximum demand is not known",
            Self::PowerFactor => "the power factor is not known",
            Self::Base => "a line on which it is taken is not known",
            Self::YearBefore => "the amount since the beginning of the year is not known",
            Self::Range => "the sum is beyond what can be shown",
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct BillLine {
    /// What it is about.
    pub kind: LineKind,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// First day.
    pub from: NaiveDate,
    /// First day after.
    pub to: NaiveDate,
    /// The tariff version, as `id@from`; empty where there is none.
    pub tariff: String,
    /// How much, in `unit`.
    pub quantity: Option<Decimal>,
    /// kWh, m3, GJ, …; kW, kVA; CNY; month.
    pub unit: &'static str,
    /// CNY a unit; a share for the adjustment by power factor.
    pub price: Option<Decimal>,
    /// The part of the month for which a monthly price is charged: days charged and days of the
    /// month.
    pub days: Option<(i64, i64)>,
    /// CNY, rounded to 0.01; `None` where it is not known.
    pub sum_cny: Option<Decimal>,
    /// Why there is no sum.
    pub unknown: Option<Unknown>,
}

/// A bill.
#[derive(Clone, Debug, PartialEq)]
pub struct Bill {
    /// First local day.
    pub from: NaiveDate,
    /// First day after.
    pub to: NaiveDate,
    /// Lines, in the order of time and of the table above.
    pub lines: Vec<BillLine>,
    /// Base units, priced or not.
    pub amount_base: i128,
    /// Base units by band, those without a price left out.
    pub by_band: Vec<(Band, i128)>,
    /// Energy and surcharges in nano-yuan before any rounding: what the costs of the ledger's rows
    /// add up to. `None` where something has no price.
    pub interval_cost_ncny: Option<i128>,
    /// The highest demand of the period, for electricity.
    pub demand: Option<MaxDemand>,
    /// The power factor that was used.
    pub power_factor: Option<Decimal>,
    /// Sum of the lines that are known.
    pub known_cny: Decimal,
    /// The total; `None` where a line is not known, or nothing was measured at all.
    pub total_cny: Option<Decimal>,
    /// Intervals of the period in which something is known.
    pub intervals_present: u64,
    /// Intervals that the period has.
    pub intervals_expected: u64,
}

/// The bill of a period; without days it has no lines.
pub fn bill(config: &Config, input: &BillInput<'_>) -> Bill {
    let period = (input.from, input.to);
    let cut = Cut::of(config, input.account, period, input.zone, input.intervals);
    let power_factor = input.power_factor.value();
    let charger = Charger {
        account: input.account,
        power_factor,
    };
    let mut lines: Vec<BillLine> = Vec::new();
    let mut taken = RunningAmounts::new(input);
    for stretch in &cut.stretches {
        taken.begin(stretch.cycle, stretch.from);
        if let Some(cycle) = cut.cycles.get(stretch.cycle) {
            charger.charge(stretch, cycle, &taken, &mut lines);
        }
        taken.add(stretch.amount_base());
    }
    let known_cny: Decimal = lines.iter().filter_map(|line| line.sum_cny).sum();
    let all_known = lines.iter().all(|line| line.sum_cny.is_some());
    let days = input.from.iter_days().take_while(|date| *date < input.to);
    let intervals_expected = days
        .map(|date| LocalDay::of(input.zone, date).intervals() as u64)
        .sum();
    let intervals_present = cut
        .cycles
        .iter()
        .map(|one| one.intervals.len() as u64)
        .sum();
    let electric = input.account.commodity.base_unit() == BaseUnit::WattHour;
    Bill {
        from: input.from,
        to: input.to,
        amount_base: cut.stretches.iter().map(|one| one.amount_base()).sum(),
        by_band: by_band(&cut),
        interval_cost_ncny: interval_cost(&cut),
        demand: electric.then(|| highest(&cut)).flatten(),
        power_factor,
        total_cny: (all_known && intervals_present > 0).then_some(known_cny),
        known_cny,
        lines,
        intervals_present,
        intervals_expected,
    }
}

/// What was taken so far in the month and in the year, for tiers.
pub(super) struct RunningAmounts {
    cycle: usize,
    year: i32,
    pub(super) month_base: i128,
    /// `None` while it is not known.
    pub(super) year_base: Option<i128>,
}

impl RunningAmounts {
    fn new(input: &BillInput<'_>) -> Self {
        let year_begins = input.from.ordinal() == 1;
        let before = if year_begins {
            Some(0)
        } else {
            input.year_before_base.map(i128::from)
        };
        Self {
            cycle: 0,
            year: input.from.year(),
            month_base: 0,
            year_base: before,
        }
    }

    fn begin(&mut self, cycle: usize, date: NaiveDate) {
        if self.cycle != cycle {
            self.cycle = cycle;
            self.month_base = 0;
        }
        if self.year != date.year() {
            self.year = date.year();
            // A stretch that began in the old year has no yearly tiers: what it took in the new
            // one is not known apart.
            self.year_base = (date.ordinal() == 1).then_some(0);
        }
    }

    fn add(&mut self, amount_base: i128) {
        self.month_base += amount_base;
        if let Some(year_base) = &mut self.year_base {
            *year_base += amount_base;
        }
    }
}

fn by_band(cut: &Cut<'_>) -> Vec<(Band, i128)> {
    let of_band = |band: Band| -> Option<(Band, i128)> {
        let amounts = cut
            .stretches
            .iter()
            .filter_map(|one| one.by_band.get(&band));
        amounts.copied().reduce(|a, b| a + b).map(|sum| (band, sum))
    };
    Band::ALL.into_iter().filter_map(of_band).collect()
}

fn interval_cost(cut: &Cut<'_>) -> Option<i128> {
    let mut sum: i128 = 0;
    for stretch in &cut.stretches {
        if stretch.unpriced_base.is_some() {
            return None;
        }
        for (band, amount) in &stretch.by_band {
            let price = stretch.terms?.1.ncny_per_base(*band)?;
            sum = sum.checked_add(amount.checked_mul(i128::from(price))?)?;
        }
    }
    Some(sum)
}

fn highest(cut: &Cut<'_>) -> Option<MaxDemand> {
    let of_stretch = |one: &super::stretch::Stretch<'_>| {
        let charge = one.terms.and_then(|(_, version)| version.demand);
        let window_min = charge.map_or(WINDOW_MIN, |charge| charge.window_min);
        max_demand(&cut.cycles.get(one.cycle)?.intervals, window_min)
    };
    // The first of equal ones.
    let more = |a: MaxDemand, b: MaxDemand| if b.kw > a.kw { b } else { a };
    cut.stretches.iter().filter_map(of_stretch).reduce(more)
}
