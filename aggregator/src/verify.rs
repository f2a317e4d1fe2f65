//! The proof of closure: for every series at a point, the intervals of the ledger add up to what its
//! registers say, run by run (last − first), in whole base units; virtual points are what their
//! formulas say; and days, months and years add up to the intervals.
//!
//! The registers are taken from the readings and the books again, by a plain walk from the first to
//! the last that shares nothing with the kernel's pages, heads, marks and load shapes but the rules
//! of what a register means. Beside a running aggregator readings may be newer than the ledger: the
//! ledger must then close with a reading that its own last interval contains.

use std::time::Duration;

use chrono::{DateTime, NaiveDate};
use steward_books::State;
use steward_config::{Config, Formula, Point};
use steward_ledger::{
    Chain, Confirmed, Confirmer, How, Lineage, LocalDay, Raw, Rules, Sink, formula,
};
use steward_model::time::INTERVAL_S;
use steward_model::{Finding, IntervalAmount, PointId, Span, UtcMs};
use steward_store::{StoreError, StoreReader, StoredDay};

use crate::past::BookView;

/// Readings are walked in pages of so many days, so memory stays small.
const PAGE_MS: i64 = 30 * 86_400_000;
/// Base units of an integrated series are counted in thousandths on the way.
const INTEGRATED_SCALE: i64 = 1_000;

/// What one series at a point adds up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    /// The point.
    pub point: PointId,
    /// The series, as the ids of its meters; `formula` for a virtual point.
    pub meter: String,
    /// Intervals in the ledger.
    pub intervals: u64,
    /// Intervals from the first to the last, had none a hole.
    pub intervals_between: u64,
    /// Breaks of the series: what lies in them is missing, because nobody can know it.
    pub breaks: u64,
    /// The sum of the intervals.
    pub ledger_base: i128,
    /// Σ over unbroken runs of last confirmed register − first; or what the formula gives.
    pub register_base: i128,
    /// Sums of the point's day, month and year rows minus the sum of all its intervals.
    pub rows_off_base: [i128; 3],
}

impl Closure {
    /// Ledger − registers: 0 where the ledger closes.
    pub fn error_base(&self) -> i128 {
        self.ledger_base - self.register_base
    }

    /// Whether everything adds up and no interval is missing but in breaks.
    pub fn holds(&self) -> bool {
        let whole = self.intervals == self.intervals_between
            || (self.breaks > 0 && self.intervals < self.intervals_between);
        self.error_base() == 0 && whole && self.rows_off_base == [0; 3]
    }
}

impl std::fmt::Display for Closure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [day, month, year] = self.rows_off_base;
        write!(
            f,
            "point {} meter {}: ledger {} base units, registers {}, intervals {} of {}, {} breaks, \
             days off by {day}, months by {month}, years by {year}",
            self.point,
            self.meter,
            self.ledger_base,
            self.register_base,
            self.intervals,
            self.intervals_between,
            self.breaks,
        )
    }
}

/// How often a point is looked at again before it counts as open: readings may arrive between
/// two questions to the store, and a new look then agrees.
const LOOKS_MAX: usize = 5;
/// The pause before the next look.
const LOOK_AGAIN: Duration = Duration::from_millis(300);

/// The closures of every series and of every virtual point. It may run beside the aggregator: what a
/// point's ledger rests on is named by the ledger itself.
///
/// # Errors
/// What the store answers.
pub async fn closures(
    config: &Config,
    books: &State,
    store: &StoreReader,
) -> Result<Vec<Closure>, StoreError> {
    let proof = Proof {
        config,
        view: BookView::of(books),
        store,
    };
    let mut all = Vec::new();
    for point in config.registry.points.values() {
        for look in 1..=LOOKS_MAX {
            let mut of_point = proof.of_point(point).await?;
            if look == LOOKS_MAX || of_point.iter().all(Closure::holds) {
                all.append(&mut of_point);
                break;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
    Ok(all)
}

struct Proof<'a> {
    config: &'a Config,
    view: BookView,
    store: &'a StoreReader,
}

impl Proof<'_> {
    async fn of_point(&self, point: &Point) -> Result<Vec<Closure>, StoreError> {
        let mut of_point = Vec::new();
        if !point.formulas.is_empty() {
            of_point.push(self.of_formula(point).await?);
        } else if let Some(chain) = Chain::of(self.config, point, &self.view.past) {
            for lineage in &chain.lineages {
                of_point.push(self.of_lineage(&chain, lineage).await?);
            }
        }
        let intervals: i128 = of_point.iter().map(|closure| closure.ledger_base).sum();
        let mut off = [0; 3];
        for (off, span) in off.iter_mut().zip([Span::Day, Span::Month, Span::Year]) {
            let point = std::slice::from_ref(&point.id);
            let rows = self.store.ledger(point, span, i64::MIN, i64::MAX).await?;
            *off = rows
                .iter()
                .map(|row| i128::from(row.amount_base))
                .sum::<i128>()
                - intervals;
        }
        // The rows are the point's, not the series': they are told once.
        if let Some(first) = of_point.first_mut() {
            first.rows_off_base = off;
        }
        Ok(of_point)
    }

    async fn of_lineage(&self, chain: &Chain, lineage: &Lineage) -> Result<Closure, StoreError> {
        let days = self.days(&chain.point, lineage.from, lineage.to).await?;
        let found = Intervals::of(&days);
        let mut rise = Rise::new(chain.is_integrated());
        if let Some((_, to_s)) = found.ends_s {
            let last_ms = (to_s - INTERVAL_S) * 1_000;
            self.walk(chain, lineage, last_ms, found.sum, &mut rise)
                .await?;
        }
        let names: Vec<&str> = lineage
            .services
            .iter()
            .map(|service| service.meter.as_str())
            .collect();
        let mut register_base = rise.base;
        if chain.is_integrated() {
            // Power is integrated day by day, and each day rounds down once.
            let days = i128::try_from(days.len()).unwrap_or(0);
            if (register_base - found.sum).abs() <= days {
                register_base = found.sum;
            }
        }
        Ok(found.closure(&chain.point, names.join("+"), rise.breaks, register_base))
    }

    async fn days(
        &self,
        point: &PointId,
        from: NaiveDate,
        to: Option<NaiveDate>,
    ) -> Result<Vec<StoredDay>, StoreError> {
        let from = from.max(DateTime::UNIX_EPOCH.date_naive());
        let to = to.unwrap_or(NaiveDate::MAX);
        self.store.days(point, from, to).await
    }

    /// Feeds all readings of a lineage to the rules of registers. Of the readings from `last_ms` on,
    /// where the ledger's last interval begins, the first that gives `sum` ends the walk.
    async fn walk(
        &self,
        chain: &Chain,
        lineage: &Lineage,
        last_ms: i64,
        sum: i128,
        rise: &mut Rise,
    ) -> Result<(), StoreError> {
        let rules = Rules::of(self.config);
        let mut confirmer = Confirmer::new(chain, lineage, rules.gaps, &self.view.past, None);
        // Only the running interval's readings are of interest beyond its start.
        let end_ms = (last_ms + INTERVAL_S * 1_000).min(lineage.to_ms);
        for (index, service) in lineage.services.iter().enumerate() {
            let is_last = index + 1 == lineage.services.len();
            let until = service.to_ms.saturating_sub(i64::from(!is_last));
            let series = (service.meter.clone(), chain.quantity);
            let mut from_ms = service.from_ms.max(0);
            while from_ms <= until.min(end_ms) {
                let to_ms = from_ms.saturating_add(PAGE_MS - 1).min(until).min(end_ms);
                let (meter, quantity) = (&series.0, series.1);
                let page = self
                    .store
                    .series(meter, quantity, UtcMs(from_ms), UtcMs(to_ms))
                    .await?;
                for raw in self.view.merged(&series, page, (from_ms, to_ms)) {
                    let Raw { at_ms, .. } = raw;
                    confirmer.read(raw, rise);
                    if at_ms >= last_ms && rise.base == sum {
                        return Ok(());
                    }
                }
                from_ms = to_ms + 1;
            }
        }
        confirmer.end(rise);
        Ok(())
    }

    /// A virtual point's days, made again from the stored days of its terms.
    async fn of_formula(&self, point: &Point) -> Result<Closure, StoreError> {
        let registry = &self.config.registry;
        let zone = registry.zone_of(point).unwrap_or_default();
        let mut days = Vec::new();
        let mut expected = 0;
        for day in self.days(&point.id, NaiveDate::MIN, None).await? {
            let date = day.day.date;
            let Some(made_of) = formula::formula_on(registry, point, date) else {
                days.push(day);
                continue;
            };
            let (day, inputs) = self.of_one_moment(day, &made_of).await?;
            let count = LocalDay::of(zone, date).intervals();
            let intervals = formula::virtual_day(&made_of, count, |input| {
                let known = inputs.iter().find(|(name, _)| name == input);
                known.and_then(|(_, intervals)| intervals.as_deref())
            });
            expected += intervals
                .iter()
                .flatten()
                .map(|interval| i128::from(interval.amount_base))
                .sum::<i128>();
            days.push(day);
        }
        let found = Intervals::of(&days);
        let mut closure = found.closure(&point.id, "formula".to_owned(), 0, expected);
        // Where a term is missing the sum is missing too.
        closure.intervals_between = closure.intervals;
        Ok(closure)
    }
}

/// Points and their intervals of a day.
type Inputs = Vec<(PointId, Option<Vec<Option<IntervalAmount>>>)>;

impl Proof<'_> {
    /// A virtual point's day and the days of its terms, all of one moment: they are written in one
    /// transaction, so the point's own day is the same before and after the others are read.
    async fn of_one_moment(
        &self,
        mut day: StoredDay,
        formula: &Formula,
    ) -> Result<(StoredDay, Inputs), StoreError> {
        let (id, date) = (day.day.point.clone(), day.day.date);
        loop {
            let mut inputs = Vec::with_capacity(formula.terms.len());
            for term in &formula.terms {
                let input = self.store.day(&term.point, date).await?;
                inputs.push((term.point.clone(), input.map(|day| day.day.intervals)));
            }
            match self.store.day(&id, date).await? {
                Some(again) if again.day.intervals != day.day.intervals => day = again,
                _ => return Ok((day, inputs)),
            }
        }
    }
}

/// Sum, count and ends of the intervals of a series.
#[derive(Default)]
struct Intervals {
    sum: i128,
    count: u64,
    ends_s: Option<(i64, i64)>,
}

impl Intervals {
    fn of(days: &[StoredDay]) -> Self {
        let mut found = Self::default();
        for stored in days {
            let mut start_s = stored.day.start_s;
            for interval in &stored.day.intervals {
                if let Some(interval) = interval {
                    found.sum += i128::from(interval.amount_base);
                    found.count += 1;
                    let first_s = found.ends_s.map_or(start_s, |(first_s, _)| first_s);
                    found.ends_s = Some((first_s, start_s + INTERVAL_S));
                }
                start_s += INTERVAL_S;
            }
        }
        found
    }

    fn closure(&self, point: &PointId, meter: String, breaks: u64, register: i128) -> Closure {
        let between = self
            .ends_s
            .map_or(0, |(from_s, to_s)| (to_s - from_s) / INTERVAL_S);
        Closure {
            point: point.clone(),
            meter,
            intervals: self.count,
            intervals_between: u64::try_from(between).unwrap_or(0),
            breaks,
            ledger_base: self.sum,
            register_base: register,
            rows_off_base: [0; 3],
        }
    }
}

/// Adds up registers as they come, run by run.
struct Rise {
    scale: i64,
    last_base: Option<i64>,
    base: i128,
    breaks: u64,
}

impl Rise {
    const fn new(integrated: bool) -> Self {
        Self {
            scale: if integrated { INTEGRATED_SCALE } else { 1 },
            last_base: None,
            base: 0,
            breaks: 0,
        }
    }

    fn take(&mut self, register_base: i64) {
        if let Some(last) = self.last_base.replace(register_base) {
            let whole = |base: i64| i128::from(base.div_euclid(self.scale));
            self.base += whole(register_base) - whole(last);
        }
    }
}

impl Sink for Rise {
    fn confirmed(&mut self, reading: Confirmed, _: How) {
        self.take(reading.register_base);
    }

    fn rebased(&mut self, delta_base: i64) {
        self.last_base = self.last_base.map(|last| last + delta_base);
    }

    fn broken(&mut self) {
        self.breaks += u64::from(self.last_base.take().is_some());
    }

    fn linked(&mut self, closing: Confirmed, _: How, opening: Confirmed) {
        self.take(closing.register_base);
        self.last_base = Some(opening.register_base);
    }

    fn found(&mut self, _: Finding) {}
}
