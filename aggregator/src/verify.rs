//! The proof of closure: for every meter's service at a point, the intervals of the ledger add up
//! to the last confirmed register minus the first, in whole base units, and days, months and years
//! add up to the intervals.
//!
//! The registers are taken from the readings again, by a plain walk from the first to the last
//! that shares nothing with the kernel's pages, heads and marks but the rule of confirmation.
//! Beside a running aggregator readings may be newer than the ledger: the ledger must then close
//! with a reading that its own last interval contains.

use std::time::Duration;

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
    /// Intervals from the first to the last, had none a hole.
    pub intervals_between: u64,
    /// Their sum.
    pub ledger_base: i128,
    /// Last confirmed register − first confirmed register.
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

/// How often a point is looked at again before it counts as open: readings may arrive between
/// two questions to the store, and a new look then agrees.
const LOOKS_MAX: usize = 5;
/// The pause before the next look.
const LOOK_AGAIN: Duration = Duration::from_millis(300);

/// The closures of every meter's service. It may run beside the aggregator: what a point's ledger
/// rests on is named by the ledger itself.
///
/// # Errors
/// What the store answers.
pub async fn closures(config: &Config, store: &StoreReader) -> Result<Vec<Closure>, StoreError> {
    let mut all = Vec::new();
    for point in config.registry.points.values() {
        let Some(chain) = Chain::of(&config.registry, point) else {
            continue;
        };
        for look in 1..=LOOKS_MAX {
            let mut of_point = closures_of(store, &chain).await?;
            if look == LOOKS_MAX || of_point.iter().all(Closure::holds) {
                all.append(&mut of_point);
                break;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
    Ok(all)
}

async fn closures_of(store: &StoreReader, chain: &Chain) -> Result<Vec<Closure>, StoreError> {
    let mut of_point = Vec::new();
    for service in &chain.services {
        of_point.push(closure(store, chain, service).await?);
    }
    let intervals: i128 = of_point.iter().map(|closure| closure.ledger_base).sum();
    let mut off = [0; 3];
    for (off, span) in off.iter_mut().zip([Span::Day, Span::Month, Span::Year]) {
        let point = std::slice::from_ref(&chain.point);
        let rows = store.ledger(point, span, i64::MIN, i64::MAX).await?;
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
    Ok(of_point)
}

/// Sum, count and ends of the intervals of a service.
#[derive(Default)]
struct Intervals {
    sum: i128,
    count: u64,
    ends_s: Option<(i64, i64)>,
}

async fn closure(
    store: &StoreReader,
    chain: &Chain,
    service: &Service,
) -> Result<Closure, StoreError> {
    let intervals = intervals(store, chain, service).await?;
    let between = intervals
        .ends_s
        .map_or(0, |(from_s, to_s)| (to_s - from_s) / INTERVAL_S);
    let rise = match intervals.ends_s {
        Some((_, to_s)) => {
            let last_ms = (to_s - INTERVAL_S) * 1_000;
            rise(store, chain, service, last_ms, intervals.sum).await?
        }
        None => 0,
    };
    Ok(Closure {
        point: chain.point.clone(),
        meter: service.meter.to_string(),
        intervals: intervals.count,
        intervals_between: u64::try_from(between).unwrap_or(0),
        ledger_base: intervals.sum,
        register_base: rise,
        rows_off_base: [0; 3],
    })
}

async fn intervals(
    store: &StoreReader,
    chain: &Chain,
    service: &Service,
) -> Result<Intervals, StoreError> {
    let mut found = Intervals::default();
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
                let first_s = found.ends_s.map_or(start_s, |(first_s, _)| first_s);
                found.ends_s = Some((first_s, start_s + INTERVAL_S));
            }
            start_s += INTERVAL_S;
        }
    }
    Ok(found)
}

/// The last confirmed register minus the first, by a walk over all readings. Of the readings from
/// `last_ms` on, where the ledger's last interval begins, the first that gives `sum` is taken.
async fn rise(
    store: &StoreReader,
    chain: &Chain,
    service: &Service,
    last_ms: i64,
    sum: i128,
) -> Result<i128, StoreError> {
    let mut first: Option<Confirmed> = None;
    let mut last: Option<Confirmed> = None;
    let mut rise = 0;
    let mut from_ms = service.from_ms.max(0);
    // Only the running interval's readings are of interest beyond its start.
    let end_ms = (last_ms + INTERVAL_S * 1_000).min(service.to_ms);
    while from_ms <= end_ms {
        let until_ms = from_ms.saturating_add(PAGE_MS - 1).min(end_ms);
        let page = store
            .series(
                &service.meter,
                chain.quantity,
                UtcMs(from_ms),
                UtcMs(until_ms),
            )
            .await?;
        for (at, value, _) in page {
            let Ok(next) = confirm(last, at.0, value, service.ratio) else {
                continue;
            };
            let start = *first.get_or_insert(next);
            rise = i128::from(next.register_base) - i128::from(start.register_base);
            last = Some(next);
            if next.at_ms >= last_ms && rise == sum {
                return Ok(rise);
            }
        }
        from_ms = until_ms + 1;
    }
    Ok(rise)
}
