//! Sums over periods: intervals → day, days → month, months → year.
//!
//! A day's intervals stand in one array when the kernel leaves them; adding them up there costs
//! less than copying them into a frame (see [`day_row`]). Months and years are groups over many
//! points and rows of other days, and that is what a frame is for: one group-by over integer local
//! keys with sums of integer columns. Integers, so the order of rows does not matter.
//!
//! No polars type leaves this module.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use polars::prelude::{Column, DataFrame, NamedFrom, PolarsError, Series};
use steward_model::time::{INTERVAL_S, day_start_s, local_date, next_period_date, period_date};
use steward_model::{LedgerDay, LedgerRow, PointId, Shares, Span};

use crate::carbon::{DayFactors, day_ug, join};
use steward_ledger::money::{DayPrices, cost};

/// A frame that could not be grouped.
#[derive(Debug, thiserror::Error)]
#[error("the roll-up of periods failed: {0}")]
pub struct RollUpError(String);

impl From<PolarsError> for RollUpError {
    fn from(error: PolarsError) -> Self {
        Self(error.to_string())
    }
}

/// The row of a day: its intervals added up, times the day's factors and prices.
pub fn day_row(day: &LedgerDay, factors: &DayFactors, prices: &DayPrices) -> LedgerRow {
    let mut shares = Shares::default();
    let mut intervals_present = 0;
    for interval in day.intervals.iter().flatten() {
        shares.add(*interval);
        intervals_present += 1;
    }
    let amount_base = shares.total();
    LedgerRow {
        point: day.point.clone(),
        span: Span::Day,
        start_s: day.start_s,
        amount_base,
        shares,
        intervals_present,
        intervals_expected: u32::try_from(day.intervals.len())
            .expect("a day has some hundred intervals at most"),
        kgce_ug: day_ug(amount_base, factors.kgce_ug_per_base),
        co2_ug: day_ug(amount_base, factors.co2_ug_per_base),
        factor_set: factors.factor_set.clone(),
        cost_ncny: cost(&day.intervals, &prices.runs),
        tariff_set: prices.tariff_set.clone(),
    }
}

/// Rows of days (or of months) of one point, to be added up.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The row.
    pub row: &'a LedgerRow,
    /// The zone of its point.
    pub zone: Tz,
}

/// The rows of `span` (month or year) to which `parts` add up, ordered by point and start.
///
/// A period's kgce and CO2 are present when those of all of its parts are: a sum over some of the
/// days would be a wrong figure.
pub fn roll_up(span: Span, parts: &[Part<'_>]) -> Result<Vec<LedgerRow>, RollUpError> {
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let keys = Keys::of(span, parts);
    let frame = frame(&keys, parts)?;
    let sums = sums(&frame)?;
    Ok(sums
        .into_iter()
        .filter_map(|(key, sums)| keys.row(key, &sums))
        .collect())
}

/// Integer keys of (point, local period), made once for all parts.
struct Keys<'a> {
    span: Span,
    points: Vec<(&'a PointId, Tz)>,
    /// The key of every part.
    of_parts: Vec<i64>,
    factor_sets: BTreeMap<i64, BTreeSet<&'a str>>,
    tariff_sets: BTreeMap<i64, BTreeSet<&'a str>>,
}

/// Periods a point may have: years up to 80,000 in months.
const PERIODS_MAX: i64 = 1_000_000;

impl<'a> Keys<'a> {
    fn of(span: Span, parts: &[Part<'a>]) -> Self {
        let zones: BTreeMap<&PointId, Tz> = parts
            .iter()
            .map(|part| (&part.row.point, part.zone))
            .collect();
        let points: Vec<(&PointId, Tz)> = zones.into_iter().collect();
        let mut keys = Self {
            span,
            points,
            of_parts: Vec::with_capacity(parts.len()),
            factor_sets: BTreeMap::new(),
            tariff_sets: BTreeMap::new(),
        };
        for part in parts {
            let key = keys.key(part);
            keys.of_parts.push(key);
            let ids = keys.factor_sets.entry(key).or_default();
            ids.extend(part.row.factor_set.split('+').filter(|id| !id.is_empty()));
            let names = keys.tariff_sets.entry(key).or_default();
            names.extend(part.row.tariff_set.split('+').filter(|id| !id.is_empty()));
        }
        keys
    }

    fn key(&self, part: &Part<'_>) -> i64 {
        let index = self
            .points
            .binary_search_by_key(&&part.row.point, |(point, _)| point)
            .expect("every part's point was collected");
        let date = local_date(part.zone, part.row.start_s);
        let period = match self.span {
            Span::Year => i64::from(date.year()),
            _ => i64::from(date.year()) * 12 + i64::from(date.month0()),
        };
        i64::try_from(index).expect("an index fits") * PERIODS_MAX + period
    }

    fn first_date(&self, key: i64) -> Option<NaiveDate> {
        let period = key.rem_euclid(PERIODS_MAX);
        let (year, month0) = match self.span {
            Span::Year => (period, 0),
            _ => (period / 12, period % 12),
        };
        let month = u32::try_from(month0).ok()? + 1;
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, 1)
    }

    fn row(&self, key: i64, sums: &Sums) -> Option<LedgerRow> {
        let index = usize::try_from(key.div_euclid(PERIODS_MAX)).ok()?;
        let (point, zone) = *self.points.get(index)?;
        let date = self.first_date(key)?;
        let start_s = day_start_s(zone, date);
        let shares = Shares {
            measured_base: sums.measured,
            interpolated_base: sums.interpolated,
            estimated_base: sums.estimated,
            manual_base: sums.manual,
        };
        let complete = |sum: i64, known: i64| (known == sums.parts).then_some(sum);
        Some(LedgerRow {
            point: point.clone(),
            span: self.span,
            start_s,
            amount_base: shares.total(),
            shares,
            intervals_present: u32::try_from(sums.present).ok()?,
            intervals_expected: intervals_expected(zone, self.span, date),
            kgce_ug: complete(sums.kgce, sums.kgce_known),
            co2_ug: complete(sums.co2, sums.co2_known),
            factor_set: self.factor_sets.get(&key).map(join).unwrap_or_default(),
            cost_ncny: complete(sums.cost, sums.cost_known),
            tariff_set: self.tariff_sets.get(&key).map(join).unwrap_or_default(),
        })
    }
}

/// Intervals that the period of `span` around `date` has.
fn intervals_expected(zone: Tz, span: Span, date: NaiveDate) -> u32 {
    let start_s = day_start_s(zone, period_date(span, date));
    let end_s = day_start_s(zone, next_period_date(span, date));
    u32::try_from((end_s - start_s) / INTERVAL_S).unwrap_or(0)
}

/// The summed columns in the order of [`COLUMNS`].
struct Sums {
    measured: i64,
    interpolated: i64,
    estimated: i64,
    manual: i64,
    present: i64,
    kgce: i64,
    kgce_known: i64,
    co2: i64,
    co2_known: i64,
    cost: i64,
    cost_known: i64,
    parts: i64,
}

const COLUMNS: [&str; 12] = [
    "measured",
    "interpolated",
    "estimated",
    "manual",
    "present",
    "kgce",
    "kgce_known",
    "co2",
    "co2_known",
    "cost",
    "cost_known",
    "parts",
];

fn frame(keys: &Keys<'_>, parts: &[Part<'_>]) -> Result<DataFrame, PolarsError> {
    let column = |name: &str, of: &dyn Fn(&LedgerRow) -> i64| -> Column {
        let values: Vec<i64> = parts.iter().map(|part| of(part.row)).collect();
        Series::new(name.into(), values).into()
    };
    let columns = vec![
        Series::new("key".into(), &keys.of_parts).into(),
        column("measured", &|row| row.shares.measured_base),
        column("interpolated", &|row| row.shares.interpolated_base),
        column("estimated", &|row| row.shares.estimated_base),
        column("manual", &|row| row.shares.manual_base),
        column("present", &|row| i64::from(row.intervals_present)),
        column("kgce", &|row| row.kgce_ug.unwrap_or(0)),
        column("kgce_known", &|row| i64::from(row.kgce_ug.is_some())),
        column("co2", &|row| row.co2_ug.unwrap_or(0)),
        column("co2_known", &|row| i64::from(row.co2_ug.is_some())),
        column("cost", &|row| row.cost_ncny.unwrap_or(0)),
        column("cost_known", &|row| i64::from(row.cost_ncny.is_some())),
        column("parts", &|_| 1),
    ];
    DataFrame::new(parts.len(), columns)
}

#[expect(
    deprecated,
    reason = "eager aggregation is marked so in favour of lazy frames, which this build leaves out"
)]
fn sums(frame: &DataFrame) -> Result<BTreeMap<i64, Sums>, PolarsError> {
    let grouped = frame.group_by_stable(["key"])?.select(COLUMNS).sum()?;
    let keys = grouped.column("key")?.i64()?;
    let mut columns = Vec::with_capacity(COLUMNS.len());
    for name in COLUMNS {
        columns.push(grouped.column(&format!("{name}_sum"))?.i64()?);
    }
    let mut rows = BTreeMap::new();
    for (index, key) in keys.iter().enumerate() {
        let at = |column: usize| -> i64 {
            let values = columns.get(column).expect("one column a name");
            values.get(index).unwrap_or(0)
        };
        let Some(key) = key else { continue };
        let sums = Sums {
            measured: at(0),
            interpolated: at(1),
            estimated: at(2),
            manual: at(3),
            present: at(4),
            kgce: at(5),
            kgce_known: at(6),
            co2: at(7),
            co2_known: at(8),
            cost: at(9),
            cost_known: at(10),
            parts: at(11),
        };
        rows.insert(key, sums);
    }
    Ok(rows)
}
