//! The proof of closure: for every meter's service at a point, the intervals of the ledger add up
//! to the register at the last boundary minus the register at the first, in whole base units, and
//! days, months and years add up to the intervals.
//!
//! The registers are taken from the readings again, by a plain walk from the first to the last
//! that shares nothing with the kernel's pages, heads and marks but the rule of confirmation.

use chrono::{DateTime, NaiveDate};
use steward_config::Config;
use steward_model::time::INTERVAL_S;
use steward_model::{PointId, Span, UtcMs};
use steward_store::{StoreError, StoreReader};

use crate::ledger::register::confirm;
use crate::ledger::{Chain, Confirmed, Service};

/// Readings are walked in pages of so many days, so memory stays small.
const PAGE_MS: i64 = 30 * 86_400_000;

/// What one meter's service at a point adds up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    /// The point.
    pub point: PointId,
    /// The service, as its meter's id.
    pub meter: String,
    /// Intervals in the ledger.
    pub intervals: u64,
    /// Intervals that lie between the first and the last boundary.
    pub intervals_between: u64,
    /// Their sum.
    pub ledger_base: i128,
    /// Last boundary register − first boundary register.
    pub register_base: i128,
    /// Sums of the point's day, month and year rows minus the sum of all its intervals.
    pub rows_off_base: [i128; 3],
}

impl Closure {
    /// Ledger − registers: 0 where the ledger closes.
    pub fn error_base(&self) -> i128 {
        self.ledger_base - self.register_base
    }

    /// Whether everything adds up and no interval is missing between two boundaries.
    pub fn holds(&self) -> bool {
        self.error_base() == 0
            && self.intervals == self.intervals_between
            && self.rows_off_base == [0; 3]
    }
}

impl std::fmt::Display for Closure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [day, month, year] = self.rows_off_base;
        write!(
            f,
            "point {} meter {}: ledger {} base units, registers {}, intervals {} of {}, \
             days off by {day}, months by {month}, years by {year}",
            self.point,
            self.meter,
            self.ledger_base,
            self.register_base,
            self.intervals,
            self.intervals_between,
        )
    }
}

/// The closures of every meter's service. Days whose ledger still waits are outside of the last
/// boundary, so it may run beside the aggregator.
///
/// # Errors
/// What the store answers.
pub async fn closures(config: &Config, store: &StoreReader) -> Result<Vec<Closure>, StoreError> {
    let mut all = Vec::new();
    for point in config.registry.points.values() {
        let Some(chain) = Chain::of(&config.registry, point) else {
            continue;
        };
        let mut of_point = Vec::new();
        for service in &chain.services {
            of_point.push(closure(store, &chain, service).await?);
        }
        let intervals: i128 = of_point.iter().map(|closure| closure.ledger_base).sum();
        let mut off = [0; 3];
        for (off, span) in off.iter_mut().zip([Span::Day, Span::Month, Span::Year]) {
            let rows = store
                .ledger(std::slice::from_ref(&point.id), span, i64::MIN, i64::MAX)
                .await?;
            *off = rows
                .iter()
                .map(|row| i128::from(row.amount_base))
                .sum::<i128>()
                - intervals;
        }
        // The rows are the point's, not the service's: they are told once.
        if let Some(first) = of_point.first_mut() {
            first.rows_off_base = off;
        }
        all.append(&mut of_point);
    }
    Ok(all)
}

/// Sum, count, first and end second of the intervals of a service.
struct Intervals {
    sum: i128,
    count: u64,
    ends: Option<(i64, i64)>,
}

async fn closure(
    store: &StoreReader,
    chain: &Chain,
    service: &Service,
) -> Result<Closure, StoreError> {
    let intervals = intervals(store, chain, service).await?;
    let mut closure = Closure {
        point: chain.point.clone(),
        meter: service.meter.to_string(),
        intervals: intervals.count,
        intervals_between: 0,
        ledger_base: intervals.sum,
        register_base: 0,
        rows_off_base: [0; 3],
    };
    if let Some((from_s, to_s)) = intervals.ends {
        let between = u64::try_from((to_s - from_s) / INTERVAL_S).unwrap_or(0);
        closure.intervals_between = between;
        let ends = [from_s * 1_000, to_s * 1_000];
        if let [Some(first), Some(last)] = registers(store, chain, service, ends).await? {
            closure.register_base = i128::from(last) - i128::from(first);
        }
    }
    Ok(closure)
}

async fn intervals(
    store: &StoreReader,
    chain: &Chain,
    service: &Service,
) -> Result<Intervals, StoreError> {
    let mut found = Intervals {
        sum: 0,
        count: 0,
        ends: None,
    };
    let from = service.from.max(DateTime::UNIX_EPOCH.date_naive());
    let days = store
        .days(&chain.point, from, service.to.unwrap_or(NaiveDate::MAX))
        .await?;
    for stored in days {
        let mut start_s = stored.day.start_s;
        for interval in stored.day.intervals {
            if let Some(interval) = interval {
                found.sum += i128::from(interval.amount_base);
                found.count += 1;
                let first_s = found.ends.map_or(start_s, |(first_s, _)| first_s);
                found.ends = Some((first_s, start_s + INTERVAL_S));
            }
            start_s += INTERVAL_S;
        }
    }
    Ok(found)
}

/// The register at two instants, by a walk over all readings of the service.
async fn registers(
    store: &StoreReader,
    chain: &Chain,
    service: &Service,
    ends_ms: [i64; 2],
) -> Result<[Option<i64>; 2], StoreError> {
    let mut found = [None; 2];
    let mut last: Option<Confirmed> = None;
    let mut from_ms = service.from_ms.max(0);
    // Beyond the second boundary one more reading is needed, wherever it is.
    let open_end = UtcMs(service.to_ms);
    while found[1].is_none() && from_ms <= open_end.0 {
        let to_ms = from_ms.saturating_add(PAGE_MS - 1).min(open_end.0);
        let page = store
            .series(&service.meter, chain.quantity, UtcMs(from_ms), UtcMs(to_ms))
            .await?;
        for (at, value, _) in page {
            let Ok(next) = confirm(last, at.0, value, service.ratio) else {
                continue;
            };
            for (found, end_ms) in found.iter_mut().zip(ends_ms) {
                if found.is_none() && next.at_ms >= end_ms {
                    *found = last.map_or_else(
                        || (next.at_ms == end_ms).then_some(next.register_base),
                        |last| Some(between(last, next, end_ms)),
                    );
                }
            }
            last = Some(next);
        }
        from_ms = to_ms.saturating_add(1);
        if from_ms > ends_ms[1] + 40 * PAGE_MS {
            break;
        }
    }
    Ok(found)
}

/// The straight line between two registers, rounded down: the definition, in wide integers.
fn between(before: Confirmed, after: Confirmed, at_ms: i64) -> i64 {
    let rise = i128::from(after.register_base) - i128::from(before.register_base);
    let passed = i128::from(at_ms) - i128::from(before.at_ms);
    let whole = i128::from(after.at_ms) - i128::from(before.at_ms);
    let part = (rise * passed).div_euclid(whole.max(1));
    before.register_base + i64::try_from(part).unwrap_or(i64::MAX)
}
