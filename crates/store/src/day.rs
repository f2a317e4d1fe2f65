//! A stored day opened: into its totals, and into rows of intervals and of hours, which are sums of
//! four intervals.

use chrono::NaiveDate;
use steward_model::{
    IntervalAmount, LedgerDay, LedgerRow, PointId, PriceRun, Shares, Span, time::INTERVAL_S,
};

use crate::{Carry, StoreError, StoredDay};

/// Intervals of an hour. Hours are counted from the start of the local day; zones in use shift
/// their clocks by whole hours.
pub(crate) const HOUR_INTERVALS: usize = 4;
/// Seconds of an hour.
pub(crate) const HOUR_S: i64 = 3_600;

/// A stored day that is looked at and not kept: what [`StoredDay`] says, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct StoredDayRef<'a> {
    /// The point.
    pub point: &'a PointId,
    /// The local date.
    pub date: NaiveDate,
    /// The second at which the day begins.
    pub start_s: i64,
    /// One entry an interval of the day; `None` is missing, never zero.
    pub intervals: &'a [Option<IntervalAmount>],
    /// What the next day starts with.
    pub carry: Option<Carry>,
    /// Micrograms of standard coal a base unit.
    pub kgce_ug_per_base: Option<i64>,
    /// Micrograms of CO2 a base unit.
    pub co2_ug_per_base: Option<i64>,
    /// Ids of the factors used, joined by `+`.
    pub factor_set: &'a str,
    /// The price of every interval, as runs; empty where no interval has one.
    pub prices: &'a [PriceRun],
    /// Tariff versions used, joined by `+`.
    pub tariff_set: &'a str,
}

/// What the intervals of a day add up to. The figures are wider than a row's, so that days can be
/// added up without a check each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayTotals {
    /// The amount by quality.
    pub shares: Shares,
    /// Intervals with an amount.
    pub intervals_present: u32,
    /// Nano-yuan; `None` where any present interval has no price.
    pub cost_ncny: Option<i128>,
    /// Micrograms of standard coal; `None` where the commodity counts none.
    pub kgce_ug: Option<i128>,
    /// Micrograms of CO2; `None` where the commodity counts none.
    pub co2_ug: Option<i128>,
}

impl StoredDay {
    /// The day, borrowed.
    pub fn view(&self) -> StoredDayRef<'_> {
        StoredDayRef {
            point: &self.day.point,
            date: self.day.date,
            start_s: self.day.start_s,
            intervals: &self.day.intervals,
            carry: self.carry,
            kgce_ug_per_base: self.kgce_ug_per_base,
            co2_ug_per_base: self.co2_ug_per_base,
            factor_set: &self.factor_set,
            prices: &self.prices,
            tariff_set: &self.tariff_set,
        }
    }
}

impl StoredDayRef<'_> {
    /// The day, to be kept.
    pub fn to_stored(self) -> StoredDay {
        StoredDay {
            day: LedgerDay {
                point: self.point.clone(),
                date: self.date,
                start_s: self.start_s,
                intervals: self.intervals.to_vec(),
            },
            carry: self.carry,
            kgce_ug_per_base: self.kgce_ug_per_base,
            co2_ug_per_base: self.co2_ug_per_base,
            factor_set: self.factor_set.to_owned(),
            prices: self.prices.to_vec(),
            tariff_set: self.tariff_set.to_owned(),
        }
    }

    /// What the intervals add up to.
    pub fn totals(&self) -> DayTotals {
        let mut sums = Sums::default();
        let mut rest = self.intervals;
        for run in self.prices {
            let (some, more) = rest.split_at(rest.len().min(usize::from(run.intervals)));
            sums.add(some, run.ncny_per_base);
            rest = more;
        }
        sums.add(rest, None);
        let amount = i128::from(sums.shares.total());
        let product = |ug: Option<i64>| ug.map(|ug| amount * i128::from(ug));
        DayTotals {
            shares: sums.shares,
            intervals_present: sums.present,
            cost_ncny: sums.cost_ncny(),
            kgce_ug: product(self.kgce_ug_per_base),
            co2_ug: product(self.co2_ug_per_base),
        }
    }

    /// Whether there is one price an interval, or none at all.
    pub(crate) fn prices_fit(&self) -> bool {
        let priced = self.prices.iter().map(|run| usize::from(run.intervals));
        self.prices.is_empty() || priced.sum::<usize>() == self.intervals.len()
    }
}

/// Some intervals, added up.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    shares: Shares,
    present: u32,
    unpriced: u32,
    cost_ncny: i128,
}

impl Sums {
    /// Adds intervals that have one price.
    fn add(&mut self, intervals: &[Option<IntervalAmount>], ncny_per_base: Option<i64>) {
        let before = (self.shares.total(), self.present);
        for interval in intervals.iter().flatten() {
            self.shares.add(*interval);
            self.present += 1;
        }
        match ncny_per_base {
            None => self.unpriced += self.present - before.1,
            Some(price) => {
                let amount = i128::from(self.shares.total()) - i128::from(before.0);
                self.cost_ncny += amount * i128::from(price);
            }
        }
    }

    fn cost_ncny(&self) -> Option<i128> {
        (self.present > 0 && self.unpriced == 0).then_some(self.cost_ncny)
    }
}

/// The price of each of `count` intervals.
pub(crate) fn expand(prices: &[PriceRun], count: usize) -> Vec<Option<i64>> {
    let mut expanded = Vec::with_capacity(count);
    for run in prices {
        let length = usize::from(run.intervals).min(count - expanded.len());
        expanded.extend(std::iter::repeat_n(run.ncny_per_base, length));
    }
    expanded.resize(count, None);
    expanded
}

/// The rows of `span` ([`Span::Interval`] or [`Span::Hour`]) of a day. What is missing has no row.
pub(crate) fn rows_of(day: &StoredDayRef<'_>, span: Span) -> Result<Vec<LedgerRow>, StoreError> {
    let width = match span {
        Span::Interval => 1,
        Span::Hour => HOUR_INTERVALS,
        Span::Day | Span::Month | Span::Year => {
            return Err(StoreError::Range("a span that is not within a day"));
        }
    };
    let prices = expand(day.prices, day.intervals.len());
    let mut rows = Vec::with_capacity(day.intervals.len() / width);
    let parts = day.intervals.chunks(width).zip(prices.chunks(width));
    for (index, (intervals, prices)) in parts.enumerate() {
        let mut sums = Sums::default();
        for (interval, price) in intervals.iter().zip(prices) {
            sums.add(std::slice::from_ref(interval), *price);
        }
        if sums.present == 0 {
            continue;
        }
        let start = i64::try_from(index * width).unwrap_or(i64::MAX);
        rows.push(LedgerRow {
            intervals_expected: u32::try_from(intervals.len()).unwrap_or(u32::MAX),
            ..row_of(day, span, day.start_s + start * INTERVAL_S, &sums)?
        });
    }
    Ok(rows)
}

fn row_of(
    day: &StoredDayRef<'_>,
    span: Span,
    start_s: i64,
    sums: &Sums,
) -> Result<LedgerRow, StoreError> {
    let amount_base = sums.shares.total();
    let product = |ug_per_base: Option<i64>| match ug_per_base {
        None => Ok(None),
        Some(ug) => amount_base
            .checked_mul(ug)
            .map(Some)
            .ok_or(StoreError::Range("an amount of coal or CO2")),
    };
    let cost_ncny = sums.cost_ncny().map(i64::try_from).transpose();
    Ok(LedgerRow {
        point: day.point.clone(),
        span,
        start_s,
        amount_base,
        shares: sums.shares,
        intervals_present: sums.present,
        intervals_expected: 0,
        kgce_ug: product(day.kgce_ug_per_base)?,
        co2_ug: product(day.co2_ug_per_base)?,
        factor_set: day.factor_set.to_owned(),
        cost_ncny: cost_ncny.map_err(|_| StoreError::Range("a cost"))?,
        tariff_set: day.tariff_set.to_owned(),
    })
}
