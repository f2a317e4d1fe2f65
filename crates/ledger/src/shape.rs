//! The load shape by which the rise over an outage is spread.
//!
//! The shape is the point's own: the mean of each local quarter of an hour over the measured days
//! before the outage that are of the same kind, and of a like temperature where weather is known.
//! The register at a boundary is the register before plus the part of the rise that the shape has
//! passed by then, rounded down, so the intervals of an outage add up to its rise exactly.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, Timelike};
use chrono_tz::Tz;
use steward_config::DayKind;
use steward_model::{Fill, FillRule, IntervalAmount, IntervalQuality, UtcMs};

use crate::day::{INTERVAL_MS, LocalDay};
use crate::register::Confirmed;
use crate::rules::Rules;
use crate::settle::Dirty;

/// Quarters of an hour of a local day, by the clock on the wall.
const QUARTERS: usize = 96;
/// Means are taken in thousandths of a base unit.
const MEAN_SCALE: i64 = 1_000;

/// Goes along an outage and tells which part of its rise has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    rise_base: i128,
    total: i128,
    passed: i128,
    at_ms: i64,
    days: Vec<ShapedDay>,
    index: usize,
}

/// A day of the outage with the weights of its intervals.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ShapedDay {
    day: LocalDay,
    weights: Vec<i64>,
}

impl Walk {
    /// The part of the rise that has passed at `to_ms`, which never lies before an earlier question.
    pub(crate) fn part(&mut self, to_ms: i64) -> i64 {
        self.advance(to_ms);
        let part = (self.rise_base * self.passed).div_euclid(self.total.max(1));
        i64::try_from(part).expect("a part of the rise is at most the rise")
    }

    fn advance(&mut self, to_ms: i64) {
        while self.at_ms < to_ms {
            let Some(shaped) = self.days.get(self.index) else {
                return;
            };
            let day = shaped.day;
            if self.at_ms >= day.end_ms {
                self.index += 1;
                continue;
            }
            let interval = (self.at_ms - day.start_ms) / INTERVAL_MS;
            let end_ms = (day.start_ms + (interval + 1) * INTERVAL_MS)
                .min(day.end_ms)
                .min(to_ms);
            let index = usize::try_from(interval).unwrap_or(0);
            let weight = shaped.weights.get(index).copied().unwrap_or(0);
            self.passed += i128::from(weight) * i128::from(end_ms - self.at_ms);
            self.at_ms = end_ms;
        }
    }
}

/// A measured day before the outage.
struct BasisDay {
    kind_works: bool,
    mean_c: Option<f64>,
    quarters: [Option<i64>; QUARTERS],
}

/// Means of the quarters, from how many days, and whether they were chosen by temperature.
struct Means {
    quarters: Option<[i64; QUARTERS]>,
    days: u16,
    by_temperature: bool,
}

/// How the rise from `before` to `after` is spread: by a walk, or evenly.
pub(crate) fn spread<E>(
    rules: &Rules<'_>,
    zone: Tz,
    (before, after): (Confirmed, Confirmed),
    mut stored: impl FnMut(NaiveDate) -> Result<Option<Vec<Option<IntervalAmount>>>, E>,
) -> Result<(Option<Walk>, Fill), E> {
    let first = LocalDay::at(zone, before.at_ms);
    let basis_from = days_before(first.date, rules);
    let mut basis = Vec::new();
    for date in basis_from.iter_days().take_while(|date| *date < first.date) {
        if let Some(intervals) = stored(date)?
            && let Some(day) = basis_day(rules, zone, date, &intervals)
        {
            basis.push(day);
        }
    }
    let rise_base = after.register_base - before.register_base;
    let fill = |rule| Fill {
        from: UtcMs(before.at_ms),
        to: UtcMs(after.at_ms),
        amount_base: rise_base,
        rule,
    };
    let mut means: BTreeMap<(bool, Option<i64>), Means> = BTreeMap::new();
    let mut days: Vec<(LocalDay, (bool, Option<i64>))> = Vec::new();
    let mut day = first;
    while day.start_ms < after.at_ms && day.date != NaiveDate::MAX {
        let works = rules.calendar.kind(day.date) == DayKind::Workday;
        let mean_c = rules.weather.mean_on(day.date);
        // Temperatures are told apart to the thousandth of a kelvin.
        let key = (works, mean_c.map(|mean| (mean * 1e3).round() as i64));
        means
            .entry(key)
            .or_insert_with(|| means_of(rules, &basis, works, mean_c));
        days.push((day, key));
        day = day.next(zone);
    }
    let days_used = means.values().map(|one| one.days).min().unwrap_or(0);
    let even = FillRule::Even {
        days_found: days_used,
    };
    let Some(walk) = walk(zone, before, after, &days, &means) else {
        return Ok((None, fill(even)));
    };
    let rule = FillRule::Shape {
        basis_from,
        basis_to: first.date,
        days: days_used,
        by_temperature: means.values().any(|one| one.by_temperature),
    };
    Ok((Some(walk), fill(rule)))
}

fn days_before(first: NaiveDate, rules: &Rules<'_>) -> NaiveDate {
    let days = Days::new(rules.shape.days.into());
    first.checked_sub_days(days).unwrap_or(first)
}

/// The walk along `days`; `None` where a day has no shape or all of them weigh nothing.
fn walk(
    zone: Tz,
    before: Confirmed,
    after: Confirmed,
    days: &[(LocalDay, (bool, Option<i64>))],
    means: &BTreeMap<(bool, Option<i64>), Means>,
) -> Option<Walk> {
    let mut heaviest = 0;
    for one in means.values() {
        heaviest = heaviest.max(one.quarters.as_ref()?.iter().copied().max()?);
    }
    // Weights of 31 bits over a century of milliseconds, times any register, fit 127 bits.
    let divisor = heaviest / i64::from(i32::MAX) + 1;
    let mut shaped = Vec::with_capacity(days.len());
    for (day, key) in days {
        let quarters = means.get(key)?.quarters.as_ref()?;
        let weights = (0..day.intervals())
            .map(|index| quarters[quarter_of(zone, *day, index)] / divisor)
            .collect();
        shaped.push(ShapedDay { day: *day, weights });
    }
    let mut walk = Walk {
        rise_base: i128::from(after.register_base - before.register_base),
        total: 0,
        passed: 0,
        at_ms: before.at_ms,
        days: shaped,
        index: 0,
    };
    let mut whole = walk.clone();
    whole.advance(after.at_ms);
    walk.total = whole.passed;
    (walk.total > 0).then_some(walk)
}

/// The quarter of the local day in which an interval begins.
fn quarter_of(zone: Tz, day: LocalDay, index: usize) -> usize {
    if day.intervals() == QUARTERS {
        return index;
    }
    let time = UtcMs(day.boundary_ms(index))
        .to_datetime()
        .with_timezone(&zone);
    (time.num_seconds_from_midnight() / 900) as usize % QUARTERS
}

/// The measured quarters of a day; `None` where less than half of it is measured.
fn basis_day(
    rules: &Rules<'_>,
    zone: Tz,
    date: NaiveDate,
    intervals: &[Option<IntervalAmount>],
) -> Option<BasisDay> {
    let day = LocalDay::of(zone, date);
    let mut quarters = [None; QUARTERS];
    let mut measured = 0;
    for (index, interval) in intervals.iter().enumerate().take(day.intervals()) {
        if let Some(one) = interval
            && one.quality == IntervalQuality::Measured
        {
            quarters[quarter_of(zone, day, index)] = Some(one.amount_base);
            measured += 1;
        }
    }
    (measured > 0 && 2 * measured >= intervals.len()).then(|| BasisDay {
        kind_works: rules.calendar.kind(date) == DayKind::Workday,
        mean_c: rules.weather.mean_on(date),
        quarters,
    })
}

/// The means for a day of the outage.
fn means_of(rules: &Rules<'_>, basis: &[BasisDay], works: bool, mean_c: Option<f64>) -> Means {
    let alike: Vec<&BasisDay> = basis.iter().filter(|day| day.kind_works == works).collect();
    let near: Vec<&BasisDay> = alike
        .iter()
        .copied()
        .filter(|day| {
            let apart = day
                .mean_c
                .zip(mean_c)
                .map(|(basis, gap)| (basis - gap).abs());
            apart.is_some_and(|apart| apart <= rules.shape.band_k)
        })
        .collect();
    let enough = usize::from(rules.shape.days_min.max(1));
    let by_temperature = near.len() >= enough;
    let chosen = if by_temperature { near } else { alike };
    let quarters = (chosen.len() >= enough).then(|| mean_quarters(&chosen));
    Means {
        quarters: quarters.flatten(),
        days: u16::try_from(chosen.len()).unwrap_or(u16::MAX),
        by_temperature,
    }
}

/// The mean of each quarter; `None` where one was never measured.
fn mean_quarters(days: &[&BasisDay]) -> Option<[i64; QUARTERS]> {
    let mut means = [0; QUARTERS];
    for (quarter, mean) in means.iter_mut().enumerate() {
        let (mut sum, mut count) = (0_i128, 0_i128);
        for amount in days.iter().filter_map(|day| day.quarters[quarter]) {
            sum += i128::from(amount);
            count += 1;
        }
        let exact = (sum * i128::from(MEAN_SCALE)).checked_div(count)?;
        *mean = i64::try_from(exact).unwrap_or(i64::MAX);
    }
    Some(means)
}

/// The outages among `fills` whose load shape rests on one of `days`: their stretches are computed
/// again when the measured intervals of such a day change.
pub fn resting_on(rules: &Rules<'_>, zone: Tz, days: &[NaiveDate], fills: &[Fill]) -> Vec<Dirty> {
    fills
        .iter()
        .filter(|fill| {
            let first = LocalDay::at(zone, fill.from.0).date;
            let from = days_before(first, rules);
            days.iter().any(|date| from <= *date && *date < first)
        })
        .map(|fill| Dirty {
            from_ms: fill.to.0,
            to_ms: fill.to.0,
        })
        .collect()
}
