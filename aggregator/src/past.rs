//! What the books say, as the kernel needs it: events beside the readings of the store.

use std::collections::HashMap;

use chrono::NaiveDate;
use steward_books::{Entry, Event, State};
use steward_config::Config;
use steward_ledger::{Confirmed, Decided, Past, Raw, Replaced, Shelf, Verdict};
use steward_model::time::day_start_s;
use steward_model::{IntervalAmount, MeterId, PointId, Quantity, ReadingQuality, UtcMs};
use steward_store::{StoreError, Touched, WorkingStore};

type Series = (MeterId, Quantity);

/// When a series showed more than a value for the first time before an instant.
pub(crate) type FirstAbove<'a> =
    dyn Fn(&MeterId, Quantity, UtcMs, f64) -> Result<Option<UtcMs>, StoreError> + 'a;

/// The books, folded.
#[derive(Debug, Default)]
pub(crate) struct BookView {
    /// Replacements and decisions.
    pub(crate) past: Past,
    /// Readings by hand, ascending.
    by_hand: HashMap<Series, Vec<Raw>>,
    /// Stretches whose readings do not count, both ends included.
    voided: HashMap<Series, Vec<(i64, i64)>>,
}

impl BookView {
    pub(crate) fn of(state: &State) -> Self {
        let mut view = Self::default();
        for (event, one) in state.replacements() {
            view.past.replacements.push(Replaced {
                point: one.point.clone(),
                at_ms: one.at.0,
                old_meter: one.old_meter.clone(),
                old_last: one.old_last,
                new_meter: one.new_meter.clone(),
                new_first: one.new_first,
                others: one
                    .others
                    .iter()
                    .map(|other| (other.quantity, other.old_last, other.new_first))
                    .collect(),
                event,
            });
        }
        for (event, one) in state.decisions() {
            let key = (one.meter.clone(), one.quantity, one.at.0);
            let verdict = match one.verdict {
                steward_books::Verdict::Accept => Verdict::Accept,
                steward_books::Verdict::Rollover => Verdict::Rollover,
                steward_books::Verdict::Restart => Verdict::Restart,
                steward_books::Verdict::Discard { until } => Verdict::Discard { until_ms: until.0 },
            };
            view.past.decisions.insert(key, Decided { verdict, event });
        }
        for (_, one) in state.hand_readings() {
            let series = (one.meter.clone(), one.quantity);
            view.by_hand.entry(series).or_default().push(Raw {
                at_ms: one.at.0,
                value: one.value,
                manual: true,
            });
        }
        for readings in view.by_hand.values_mut() {
            readings.sort_by_key(|raw| raw.at_ms);
            // Two notes of one instant: the later entry corrects the earlier one.
            readings.reverse();
            readings.dedup_by_key(|raw| raw.at_ms);
            readings.reverse();
        }
        for (_, one) in state.voided() {
            let series = (one.meter.clone(), one.quantity);
            let stretch = (one.from.0, one.to.0);
            view.voided.entry(series).or_default().push(stretch);
        }
        view
    }

    fn voids(&self, series: &Series) -> &[(i64, i64)] {
        self.voided.get(series).map_or(&[], Vec::as_slice)
    }

    fn hand(&self, series: &Series) -> &[Raw] {
        self.by_hand.get(series).map_or(&[], Vec::as_slice)
    }

    /// Readings of the store as the kernel takes them: without the voided, with those by hand. Where
    /// a meter's own reading counts at the same instant it stays.
    pub(crate) fn merged(
        &self,
        series: &Series,
        stored: impl IntoIterator<Item = (UtcMs, f64, ReadingQuality)>,
        (from_ms, to_ms): (i64, i64),
    ) -> Vec<Raw> {
        let voids = self.voids(series);
        let counts = |at_ms: i64| {
            !voids
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&at_ms))
        };
        let mut all: Vec<Raw> = stored
            .into_iter()
            .filter(|(at, ..)| counts(at.0))
            .map(|(at, value, quality)| Raw {
                at_ms: at.0,
                value,
                manual: quality == ReadingQuality::Manual,
            })
            .collect();
        let hand = self.hand(series);
        let first = hand.partition_point(|raw| raw.at_ms < from_ms);
        let last = hand.partition_point(|raw| raw.at_ms <= to_ms);
        if let Some(hand) = hand.get(first..last)
            && !hand.is_empty()
        {
            // The sort is stable, so the meter's own reading comes first and stays.
            all.extend_from_slice(hand);
            all.sort_by_key(|raw| raw.at_ms);
            all.dedup_by_key(|raw| raw.at_ms);
        }
        all
    }
}

/// The store seen through the books.
pub(crate) struct BookShelf<'a> {
    pub(crate) store: &'a WorkingStore,
    pub(crate) view: &'a BookView,
}

impl BookShelf<'_> {
    /// The first reading before `to` that shows more than `value`, voided ones included.
    pub(crate) fn first_above(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        to: UtcMs,
        value: f64,
    ) -> Result<Option<UtcMs>, StoreError> {
        let stored = self.store.first_above(meter, quantity, to, value)?;
        let mut hand = self.view.hand(&(meter.clone(), quantity)).iter();
        let hand = hand.find(|raw| raw.at_ms < to.0 && raw.value > value);
        let hand = hand.map(|raw| UtcMs(raw.at_ms));
        Ok(stored.into_iter().chain(hand).min())
    }

    /// The nearest stored reading that is not voided, in the direction that `step` goes.
    fn nearest(
        &self,
        series: &Series,
        mut at_ms: i64,
        step: impl Fn(i64) -> Result<Option<i64>, StoreError>,
        past: impl Fn((i64, i64)) -> i64,
    ) -> Result<Option<i64>, StoreError> {
        loop {
            let Some(found) = step(at_ms)? else {
                return Ok(None);
            };
            let voids = self.view.voids(series);
            match voids
                .iter()
                .find(|(from, to)| (*from..=*to).contains(&found))
            {
                Some(void) => at_ms = past(*void),
                None => return Ok(Some(found)),
            }
        }
    }
}

impl Shelf for BookShelf<'_> {
    type Error = StoreError;

    fn readings(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<Raw>, StoreError> {
        let stored = self
            .store
            .series(meter, quantity, UtcMs(from_ms), UtcMs(to_ms))?;
        let series = (meter.clone(), quantity);
        Ok(self.view.merged(&series, stored, (from_ms, to_ms)))
    }

    fn reading_before(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at_ms: i64,
    ) -> Result<Option<i64>, StoreError> {
        let series = (meter.clone(), quantity);
        let step = |at_ms| {
            let found = WorkingStore::reading_before(self.store, meter, quantity, UtcMs(at_ms))?;
            Ok(found.map(|(at, ..)| at.0))
        };
        let stored = self.nearest(&series, at_ms, step, |(from, _)| from)?;
        let hand = self.view.hand(&series);
        let before = hand.partition_point(|raw| raw.at_ms < at_ms);
        let hand = before.checked_sub(1).and_then(|index| hand.get(index));
        Ok(stored.max(hand.map(|raw| raw.at_ms)))
    }

    fn reading_after(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at_ms: i64,
    ) -> Result<Option<i64>, StoreError> {
        let series = (meter.clone(), quantity);
        let step = |at_ms| {
            let found = WorkingStore::reading_after(self.store, meter, quantity, UtcMs(at_ms))?;
            Ok(found.map(|(at, ..)| at.0))
        };
        let stored = self.nearest(&series, at_ms, step, |(_, to)| to)?;
        let hand = self.view.hand(&series);
        let hand = hand.get(hand.partition_point(|raw| raw.at_ms <= at_ms));
        Ok(match (stored, hand.map(|raw| raw.at_ms)) {
            (Some(stored), Some(hand)) => Some(stored.min(hand)),
            (stored, hand) => stored.or(hand),
        })
    }

    fn carry(&self, point: &PointId, date: NaiveDate) -> Result<Option<Confirmed>, StoreError> {
        let carry = self.store.day(point, date)?.and_then(|day| day.carry);
        Ok(carry.map(|carry| Confirmed {
            at_ms: carry.at_ms.0,
            register_base: carry.register_base,
            manual: carry.manual,
        }))
    }

    fn day(
        &self,
        point: &PointId,
        date: NaiveDate,
    ) -> Result<Option<Vec<Option<IntervalAmount>>>, StoreError> {
        Ok(self.store.day(point, date)?.map(|day| day.day.intervals))
    }
}

/// What an event moves in the ledger; for one that took another back, what that one moved.
///
/// A replacement says where the old register stopped, and readings above that do not count however
/// early they came. `first_above` answers when a series first showed more than a value.
pub(crate) fn moved(
    config: &Config,
    entries: &[Entry],
    entry: &Entry,
    first_above: &FirstAbove<'_>,
) -> Result<Vec<Touched>, StoreError> {
    let stretch = |meter: &MeterId, quantity, from: UtcMs, to: UtcMs| Touched {
        meter: meter.clone(),
        quantity,
        from,
        to,
    };
    Ok(match &entry.event {
        Event::MeterReplaced(one) => {
            let registry = &config.registry;
            let Some(point) = registry.points.get(&one.point) else {
                return Ok(Vec::new());
            };
            // Between the dates of the registry and the instant of the event either meter may serve.
            let (mut from, mut to) = (one.at, one.at);
            let zone = registry.zone_of(point).unwrap_or_default();
            let instant = |date| UtcMs(day_start_s(zone, date) * 1_000);
            let leaves = registry
                .meters
                .get(&one.old_meter)
                .and_then(|meter| meter.to);
            let comes = registry.meters.get(&one.new_meter).map(|meter| meter.from);
            let same = one.old_meter == one.new_meter;
            for date in leaves.into_iter().chain(comes).filter(|_| !same) {
                (from, to) = (from.min(instant(date)), to.max(instant(date)));
            }
            // Every point that reads these meters, such as the feed-in beside the grid's own.
            let owner = point.metered_by.as_ref().unwrap_or(&one.point);
            let counters = registry
                .points
                .values()
                .filter(|other| &other.id == owner || other.metered_by.as_ref() == Some(owner));
            let main = registry.points.get(owner).map(|owner| owner.counter);
            let mut touched = Vec::new();
            for counter in counters.map(|point| point.counter) {
                let mut old_from = UtcMs(from.0 - 1);
                if let Some((old_last, _)) = main.and_then(|main| one.registers(main, counter)) {
                    let above = first_above(&one.old_meter, counter, one.at, old_last)?;
                    old_from = above.map_or(old_from, |above| above.min(old_from));
                }
                touched.push(stretch(&one.old_meter, counter, old_from, to));
                touched.push(stretch(&one.new_meter, counter, UtcMs(from.0 - 1), to));
            }
            touched
        }
        Event::ReviewDecided(one) => {
            let until = match one.verdict {
                steward_books::Verdict::Discard { until } => until.max(one.at),
                _ => one.at,
            };
            vec![stretch(&one.meter, one.quantity, one.at, until)]
        }
        Event::HandReading(one) => vec![stretch(&one.meter, one.quantity, one.at, one.at)],
        Event::ReadingsVoided(one) => vec![stretch(&one.meter, one.quantity, one.from, one.to)],
        Event::Undone(undone) => entries
            .iter()
            .find(|other| other.seq == undone.seq && other.seq < entry.seq)
            .map(|other| moved(config, entries, other, first_above))
            .transpose()?
            .unwrap_or_default(),
        Event::InvoiceEntered(_)
        | Event::CloseProposed(_)
        | Event::CloseApproved(_)
        | Event::CloseRejected(_) => Vec::new(),
    })
}
