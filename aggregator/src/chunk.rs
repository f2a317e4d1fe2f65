//! What one chunk of work writes: days with their factors and prices, virtual points, periods.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use steward_config::Config;
use steward_ledger::{
    Chain, Lineage, LocalDay, Rules, SettledDay, Settlement, formula, resting_on,
};
use steward_model::time::{day_start_s, next_period_date, period_date};
use steward_model::{IntervalAmount, LedgerDay, LedgerRow, PointId, Shares, Span, UtcMs};
use steward_store::{Carry, FoundIn, StoreError, StoredDay, Touched, WorkingStore};

use crate::carbon::DayFactors;
use crate::compute::Warned;
use crate::plan::{Plan, PointPlan};
use crate::rollup::{Part, day_row, roll_up};
use crate::step::AggregatorError;

/// What is written together.
pub(crate) struct Chunk<'a> {
    config: &'a Config,
    plan: &'a Plan,
    warned: &'a mut Warned,
    pub(crate) days: Vec<StoredDay>,
    pub(crate) rows: Vec<LedgerRow>,
    pub(crate) removed: Vec<(PointId, NaiveDate)>,
    pub(crate) found: Vec<FoundIn>,
    pub(crate) touched: Vec<Touched>,
    /// Days that changed, by point.
    changed: BTreeMap<PointId, BTreeSet<NaiveDate>>,
    /// Months to add up again, by point and first date.
    months: BTreeMap<(PointId, NaiveDate), Tz>,
}

impl<'a> Chunk<'a> {
    pub(crate) fn new(config: &'a Config, plan: &'a Plan, warned: &'a mut Warned) -> Self {
        Self {
            config,
            plan,
            warned,
            days: Vec::new(),
            rows: Vec::new(),
            removed: Vec::new(),
            found: Vec::new(),
            touched: Vec::new(),
            changed: BTreeMap::new(),
            months: BTreeMap::new(),
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.days.len() + self.removed.len()
    }

    /// Days of one point: their factors, their prices and their rows.
    pub(crate) fn take(&mut self, point: &PointPlan, settled: Settlement) {
        for day in settled.days {
            let SettledDay {
                day,
                carry,
                intervals,
            } = day;
            let carry = Carry {
                at_ms: UtcMs(carry.at_ms),
                register_base: carry.register_base,
                manual: carry.manual,
            };
            self.add_day(point, day, Some(carry), intervals);
        }
        for date in settled.removed {
            self.remove_day(point, date);
        }
        for found in settled.found {
            self.found.push(FoundIn {
                point: point.point.clone(),
                from: UtcMs(found.from_ms),
                to: UtcMs(found.to_ms),
                findings: found.findings,
                fills: found.fills,
            });
        }
    }

    fn add_day(
        &mut self,
        point: &PointPlan,
        day: LocalDay,
        carry: Option<Carry>,
        intervals: Vec<Option<IntervalAmount>>,
    ) {
        let date = day.date;
        let factors = self.factors(point, date);
        let prices = self.plan.prices(self.config, point, &day);
        let day = LedgerDay {
            point: point.point.clone(),
            date,
            start_s: day.start_ms.div_euclid(1_000),
            intervals,
        };
        let row = day_row(&day, &factors, &prices);
        self.touch(point, date);
        self.days.push(StoredDay {
            day,
            carry,
            // Where the day's figure would not fit, its hours show none either.
            kgce_ug_per_base: row.kgce_ug.and(factors.kgce_ug_per_base),
            co2_ug_per_base: row.co2_ug.and(factors.co2_ug_per_base),
            factor_set: factors.factor_set,
            prices: prices.runs,
            tariff_set: prices.tariff_set,
        });
        self.rows.push(row);
    }

    fn remove_day(&mut self, point: &PointPlan, date: NaiveDate) {
        self.touch(point, date);
        self.removed.push((point.point.clone(), date));
    }

    pub(crate) fn touch(&mut self, point: &PointPlan, date: NaiveDate) {
        let key = (point.point.clone(), period_date(Span::Month, date));
        self.months.insert(key, point.zone);
        let changed = self.changed.entry(point.point.clone()).or_default();
        changed.insert(date);
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

    /// Outages after the days of a settlement were filled by the load shape of days before them.
    /// Where one of these days is no longer what it was, the outage is computed again next.
    pub(crate) fn find_dependent_fills(
        &mut self,
        store: &WorkingStore,
        rules: &Rules<'_>,
        point: &PointPlan,
        chain: &Chain,
        lineage: &Lineage,
        settled: &Settlement,
    ) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (settled.days.first(), settled.days.last()) else {
            return Ok(());
        };
        let (after, reach) = (last.day.end_ms, u64::from(rules.shape.days) + 1);
        let until = LocalDay::of(point.zone, last.day.date + Days::new(reach)).end_ms;
        let mut fills = store.fills(&point.point, UtcMs(after), UtcMs(until))?;
        // One that began before the end of the last day was made anew with it.
        fills.retain(|fill| fill.from.0 >= after);
        if fills.is_empty() {
            return Ok(());
        }
        let mut changed: Vec<NaiveDate> = settled.removed.clone();
        changed.retain(|date| *date >= first.day.date);
        for settled in &settled.days {
            let old = store.day(&point.point, settled.day.date)?;
            if old.is_none_or(|old| old.day.intervals != settled.intervals) {
                changed.push(settled.day.date);
            }
        }
        for dirty in resting_on(rules, point.zone, &changed, &fills) {
            let index = lineage.service_at(dirty.from_ms);
            if let Some(service) = lineage.services.get(index) {
                self.touched.push(Touched {
                    meter: service.meter.clone(),
                    quantity: chain.quantity,
                    from: UtcMs(dirty.from_ms),
                    to: UtcMs(dirty.to_ms),
                });
            }
        }
        Ok(())
    }

    /// Virtual points on the days that changed below them, in the order of their formulas.
    pub(crate) fn add_virtual_days(&mut self, store: &WorkingStore) -> Result<(), StoreError> {
        let plan = self.plan;
        let mut wanted: BTreeMap<&PointId, BTreeSet<NaiveDate>> = BTreeMap::new();
        for (point, dates) in &self.changed {
            for dependent in plan.dependents.get(point).into_iter().flatten() {
                wanted.entry(dependent).or_default().extend(dates);
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let mut fresh: HashMap<(PointId, NaiveDate), Vec<Option<IntervalAmount>>> = HashMap::new();
        for day in &self.days {
            let key = (day.day.point.clone(), day.day.date);
            fresh.insert(key, day.day.intervals.clone());
        }
        for (point, date) in &self.removed {
            fresh.insert((point.clone(), *date), Vec::new());
        }
        for id in &plan.virtual_order {
            let (Some(dates), Some(point)) = (wanted.get(id), plan.virtual_point(id)) else {
                continue;
            };
            for date in dates {
                let day = LocalDay::of(point.zone, *date);
                let intervals = self.virtual_day(store, &mut fresh, point, day)?;
                fresh.insert((id.clone(), *date), intervals.clone());
                if intervals.iter().any(Option::is_some) {
                    self.add_day(point, day, None, intervals);
                } else if store.day(id, *date)?.is_some() {
                    self.remove_day(point, *date);
                }
            }
        }
        Ok(())
    }

    fn virtual_day(
        &self,
        store: &WorkingStore,
        fresh: &mut HashMap<(PointId, NaiveDate), Vec<Option<IntervalAmount>>>,
        point: &PointPlan,
        day: LocalDay,
    ) -> Result<Vec<Option<IntervalAmount>>, StoreError> {
        let definition = self.config.registry.points.get(&point.point);
        let Some(formula) =
            definition.and_then(|one| formula::formula_on(&self.config.registry, one, day.date))
        else {
            return Ok(Vec::new());
        };
        for term in &formula.terms {
            if let Entry::Vacant(place) = fresh.entry((term.point.clone(), day.date)) {
                let stored = store.day(&term.point, day.date)?;
                place.insert(stored.map(|day| day.day.intervals).unwrap_or_default());
            }
        }
        Ok(formula::virtual_day(&formula, day.intervals(), |input| {
            fresh.get(&(input.clone(), day.date)).map(Vec::as_slice)
        }))
    }

    /// Adds up the months that were touched, and then their years.
    pub(crate) fn add_periods(&mut self, store: &WorkingStore) -> Result<(), AggregatorError> {
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
        cost_ncny: None,
        tariff_set: String::new(),
    }
}
