//! Marks of new readings become days, rows of days, months and years, in one transaction a chunk.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_config::Config;
use steward_model::time::{day_start_s, next_period_date, period_date};
use steward_model::{
    Commodity, InstitutionId, LedgerDay, LedgerRow, MeterId, PointId, Quantity, Shares, Span, UtcMs,
};
use steward_store::{Carry, DirtySeries, LedgerUpdate, StoreError, StoredDay, WorkingStore};

use crate::carbon::DayFactors;
use crate::ledger::{Confirmed, Dirty, Head, SettledDay, Shelf, settle};
use crate::plan::{Plan, PointPlan};
use crate::rollup::{Part, day_row, roll_up};
use crate::step::AggregatorError;

/// Marks looked at in one chunk.
const MARKS_MAX: usize = 50_000;
/// Days after which a chunk is written. A day takes about 2 KB here, so a chunk takes some 8 MB;
/// one series is never divided, because its days and its marks must move together.
const CHUNK_DAYS: usize = 4_000;

/// Of whom it was told that a factor is missing: once is enough.
pub(crate) type Warned = (InstitutionId, Commodity);

/// What a chunk did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Computed {
    /// Point-days written or removed.
    pub(crate) days: usize,
    /// Marks that are left, up to [`MARKS_MAX`].
    pub(crate) waiting: u64,
}

impl Shelf for WorkingStore {
    type Error = StoreError;

    fn readings(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<(i64, f64)>, StoreError> {
        let series = self.series(meter, quantity, UtcMs(from_ms), UtcMs(to_ms))?;
        Ok(series
            .into_iter()
            .map(|(at, value, _)| (at.0, value))
            .collect())
    }

    fn reading_before(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at_ms: i64,
    ) -> Result<Option<i64>, StoreError> {
        let found = WorkingStore::reading_before(self, meter, quantity, UtcMs(at_ms))?;
        Ok(found.map(|(at, ..)| at.0))
    }

    fn reading_after(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at_ms: i64,
    ) -> Result<Option<i64>, StoreError> {
        let found = WorkingStore::reading_after(self, meter, quantity, UtcMs(at_ms))?;
        Ok(found.map(|(at, ..)| at.0))
    }

    fn carry(&self, point: &PointId, date: NaiveDate) -> Result<Option<Confirmed>, StoreError> {
        let carry = self.day(point, date)?.and_then(|day| day.carry);
        Ok(carry.map(|carry| Confirmed {
            at_ms: carry.at_ms.0,
            register_base: carry.register_base,
        }))
    }
}

/// Computes the ledger of as many dirty series as make a chunk; `None` when nothing is dirty.
///
/// A failure leaves the marks where they are, and heads that were taken out are only missed: they
/// save work and nothing else.
pub(crate) fn chunk(
    config: &Config,
    plan: &Plan,
    store: &mut WorkingStore,
    heads: &mut HashMap<MeterId, Head>,
    warned: &mut HashSet<Warned>,
) -> Result<Option<Computed>, AggregatorError> {
    let mut marks = store.dirty(MARKS_MAX)?;
    if marks.is_empty() {
        return Ok(None);
    }
    let found = marks.len();
    whole_series(&mut marks, found == MARKS_MAX);
    let mut chunk = Chunk {
        config,
        warned,
        days: Vec::new(),
        rows: Vec::new(),
        removed: Vec::new(),
        months: BTreeMap::new(),
    };
    let mut new_heads = Vec::new();
    let mut cleared = 0;
    for series in marks.chunk_by(|a, b| a.meter == b.meter && a.quantity == b.quantity) {
        let Some(first) = series.first() else {
            continue;
        };
        cleared += series.len();
        if let Some((point, service)) = plan.ledger_of(&first.meter, first.quantity) {
            let dirty: Vec<Dirty> = series
                .iter()
                .map(|mark| Dirty {
                    from_ms: mark.from.0,
                    to_ms: mark.to.0,
                })
                .collect();
            let head = heads.remove(&first.meter);
            let settled = settle(&*store, &point.chain, service, plan.gaps, head, &dirty)?;
            new_heads.extend(settled.head.map(|head| (first.meter.clone(), head)));
            chunk.take(point, settled.days, settled.removed);
        }
        if chunk.days.len() + chunk.removed.len() >= CHUNK_DAYS {
            break;
        }
    }
    chunk.add_periods(store)?;
    store.write_ledger(LedgerUpdate {
        days: &chunk.days,
        rows: &chunk.rows,
        cleared: marks.get(..cleared).unwrap_or_default(),
        removed_days: &chunk.removed,
    })?;
    heads.extend(new_heads);
    Ok(Some(Computed {
        days: chunk.days.len() + chunk.removed.len(),
        waiting: (found - cleared) as u64,
    }))
}

/// Where the list of marks was cut, the last series may be incomplete: it waits for the next
/// chunk, because a run goes to the end of its series and would have to be repeated.
fn whole_series(marks: &mut Vec<DirtySeries>, was_cut: bool) {
    if !was_cut {
        return;
    }
    let Some(last) = marks.last().cloned() else {
        return;
    };
    let is_last = |mark: &DirtySeries| mark.meter == last.meter && mark.quantity == last.quantity;
    let whole = marks.partition_point(|mark| !is_last(mark));
    if whole > 0 {
        marks.truncate(whole);
    }
}

/// What is written together.
struct Chunk<'a> {
    config: &'a Config,
    warned: &'a mut HashSet<Warned>,
    days: Vec<StoredDay>,
    rows: Vec<LedgerRow>,
    removed: Vec<(PointId, NaiveDate)>,
    /// Months to add up again, by point and first date.
    months: BTreeMap<(PointId, NaiveDate), Tz>,
}

impl Chunk<'_> {
    /// Days of one point: their factors and their rows.
    fn take(&mut self, point: &PointPlan, days: Vec<SettledDay>, removed: Vec<NaiveDate>) {
        for settled in days {
            let date = settled.day.date;
            let day = LedgerDay {
                point: point.chain.point.clone(),
                date,
                start_s: settled.day.start_ms.div_euclid(1_000),
                intervals: settled.intervals,
            };
            let factors = self.factors(point, date);
            let row = day_row(&day, &factors);
            self.touch(point, date);
            self.days.push(StoredDay {
                day,
                carry: Some(Carry {
                    at_ms: UtcMs(settled.carry.at_ms),
                    register_base: settled.carry.register_base,
                }),
                // Where the day's figure would not fit, its hours show none either.
                kgce_ug_per_base: row.kgce_ug.and(factors.kgce_ug_per_base),
                co2_ug_per_base: row.co2_ug.and(factors.co2_ug_per_base),
                factor_set: factors.factor_set,
            });
            self.rows.push(row);
        }
        for date in removed {
            self.touch(point, date);
            self.removed.push((point.chain.point.clone(), date));
        }
    }

    fn touch(&mut self, point: &PointPlan, date: NaiveDate) {
        let key = (point.chain.point.clone(), period_date(Span::Month, date));
        self.months.insert(key, point.chain.zone);
    }

    fn factors(&mut self, point: &PointPlan, date: NaiveDate) -> DayFactors {
        let Some(institution) = point.institution(self.config) else {
            return DayFactors::default();
        };
        let (factors, trouble) = DayFactors::of(self.config, point.commodity, institution, date);
        if let Some(error) = trouble
            && self
                .warned
                .insert((point.institution.clone(), point.commodity))
        {
            tracing::warn!(%error, "days without a factor show no figure");
        }
        factors
    }

    /// Adds up the months that were touched, and then their years.
    fn add_periods(&mut self, store: &WorkingStore) -> Result<(), AggregatorError> {
        let months = std::mem::take(&mut self.months);
        let mut years = BTreeMap::new();
        for ((point, month), zone) in &months {
            years.insert((point.clone(), period_date(Span::Year, *month)), *zone);
        }
        self.add_up(store, Span::Month, &months)?;
        self.add_up(store, Span::Year, &years)
    }

    /// Adds up `periods` of `span` from the stored rows of the shorter span below it, with what
    /// this chunk changed in their place.
    fn add_up(
        &mut self,
        store: &WorkingStore,
        span: Span,
        periods: &BTreeMap<(PointId, NaiveDate), Tz>,
    ) -> Result<(), AggregatorError> {
        let of = if span == Span::Year {
            Span::Month
        } else {
            Span::Day
        };
        let mut parts: BTreeMap<(&PointId, i64), LedgerRow> = BTreeMap::new();
        for ((point, date), zone) in periods {
            let from_s = day_start_s(*zone, *date);
            let to_s = day_start_s(*zone, next_period_date(span, *date));
            for row in store.ledger_rows(point, of, from_s, to_s)? {
                parts.insert((point, row.start_s), row);
            }
        }
        let zones: HashMap<&PointId, Tz> = periods
            .iter()
            .map(|((point, _), zone)| (point, *zone))
            .collect();
        for (point, date) in &self.removed {
            if let Some(zone) = zones.get(point) {
                parts.remove(&(point, day_start_s(*zone, *date)));
            }
        }
        for row in self.rows.iter().filter(|row| row.span == of) {
            if row.intervals_present == 0 {
                parts.remove(&(&row.point, row.start_s));
            } else {
                parts.insert((&row.point, row.start_s), row.clone());
            }
        }
        let parts: Vec<Part<'_>> = parts
            .values()
            .filter_map(|row| {
                let zone = *zones.get(&row.point)?;
                Some(Part { row, zone })
            })
            .collect();
        let rows = roll_up(span, &parts)?;
        let found: BTreeSet<(&PointId, i64)> =
            rows.iter().map(|row| (&row.point, row.start_s)).collect();
        let emptied: Vec<LedgerRow> = periods
            .iter()
            .map(|((point, date), zone)| (point, day_start_s(*zone, *date)))
            .filter(|key| !found.contains(key))
            .map(|(point, start_s)| empty_row(point, span, start_s))
            .collect();
        self.rows.extend(rows);
        self.rows.extend(emptied);
        Ok(())
    }
}

/// A row without an interval: the store takes away what was there.
fn empty_row(point: &PointId, span: Span, start_s: i64) -> LedgerRow {
    LedgerRow {
        point: point.clone(),
        span,
        start_s,
        amount_base: 0,
        shares: Shares::default(),
        intervals_present: 0,
        intervals_expected: 0,
        kgce_ug: None,
        co2_ug: None,
        factor_set: String::new(),
    }
}
