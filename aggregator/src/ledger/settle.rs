//! Which days do new readings touch, and what are those days now?
//!
//! A reading changes the boundaries between the confirmed reading before it and the one after it.
//! So a run begins on the day of the confirmed reading before, and goes forward until it is past
//! the new readings and at the end of a day whose carry is what it was: from there on nothing can
//! differ. A late reading stops after a day; one that others are now held out against
//! ripples as far as it must.
//!
//! A run needs what its first day starts with. A stored day knows what it leaves to the next one;
//! where the day before is not stored, the run begins earlier. Readings that only continue a series, the
//! normal case, need none of this: [`Head`] keeps the fold as it stood after the last reading.

use chrono::NaiveDate;
use steward_model::{MeterId, PointId, Quantity};

use super::chain::{Chain, Service};
use super::interval::{DayFold, Gaps, LocalDay, SettledDay};
use super::register::{Confirmed, confirm};

/// Readings of one page. Around 100,000 of 16 bytes each bound the memory of a run, whatever the
/// interval of the meter.
const PAGE_READINGS_AIM: usize = 50_000;
/// A page covers at least an hour and at most 32 days.
const PAGE_MS_MIN: i64 = 3_600_000;
/// See [`PAGE_MS_MIN`].
const PAGE_MS_MAX: i64 = 32 * 86_400_000;
/// The first page of a run, before the density of the series is known.
const PAGE_MS_FIRST: i64 = 4 * 86_400_000;

/// What the kernel reads: the readings of a series, and the carries of stored days.
pub trait Shelf {
    /// Why it did not answer.
    type Error;

    /// Time and value of the readings from `from_ms` to `to_ms`, both included, ascending.
    fn readings(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<(i64, f64)>, Self::Error>;

    /// The time of the last reading before `at_ms`.
    fn reading_before(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at_ms: i64,
    ) -> Result<Option<i64>, Self::Error>;

    /// The time of the first reading after `at_ms`.
    fn reading_after(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at_ms: i64,
    ) -> Result<Option<i64>, Self::Error>;

    /// The last confirmed register up to the end of a stored day, the end included; `None` where
    /// the day is not stored.
    fn carry(&self, point: &PointId, date: NaiveDate) -> Result<Option<Confirmed>, Self::Error>;
}

/// A stretch of new or changed readings, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dirty {
    /// Time of the first.
    pub from_ms: i64,
    /// Time of the last.
    pub to_ms: i64,
}

/// A series after all of its readings: from here it is continued without looking back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    fold: DayFold,
    /// Every reading up to here has been seen, those held out included.
    scanned_to_ms: i64,
}

/// What became of the days of one meter's service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Days that are new or may have changed, ascending.
    pub days: Vec<SettledDay>,
    /// Stored days that have no interval any more.
    pub removed: Vec<NaiveDate>,
    /// Where the series can be continued.
    pub head: Option<Head>,
}

/// Recomputes what `dirty` touches of one meter's service. `head` is what the last settlement of
/// this service answered, or `None`; it saves work and never changes the answer.
pub fn settle<S: Shelf>(
    shelf: &S,
    chain: &Chain,
    service: &Service,
    gaps: Gaps,
    head: Option<Head>,
    dirty: &[Dirty],
) -> Result<Settlement, S::Error> {
    let mut ranges: Vec<Dirty> = dirty
        .iter()
        .map(|range| Dirty {
            from_ms: range.from_ms.max(service.from_ms),
            to_ms: range.to_ms.min(service.to_ms),
        })
        .filter(|range| range.from_ms <= range.to_ms)
        .collect();
    ranges.sort_unstable();
    let mut run = Run {
        shelf,
        chain,
        service,
        gaps,
        ranges,
        next_range: 0,
        floor: None,
        out: Settlement {
            head,
            ..Settlement::default()
        },
    };
    while let Some(range) = run.take_range() {
        let reached_end = match run.out.head.take() {
            Some(head) if range.from_ms > head.scanned_to_ms => run.continue_from(head)?,
            head => {
                run.out.head = head;
                run.go_back_and_settle(range)?
            }
        };
        if reached_end {
            break;
        }
    }
    Ok(run.out)
}

/// A day and the last confirmed reading up to its start, the start included.
type Anchor = (LocalDay, Option<Confirmed>);

struct Run<'a, S> {
    shelf: &'a S,
    chain: &'a Chain,
    service: &'a Service,
    gaps: Gaps,
    ranges: Vec<Dirty>,
    next_range: usize,
    /// The day up to which everything is settled, with its carry.
    floor: Option<Anchor>,
    out: Settlement,
}

impl<S: Shelf> Run<'_, S> {
    fn take_range(&mut self) -> Option<Dirty> {
        let range = self.ranges.get(self.next_range).copied();
        self.next_range += usize::from(range.is_some());
        range
    }

    /// Continues a series to its end.
    fn continue_from(&mut self, mut head: Head) -> Result<bool, S::Error> {
        let mut pages = Pages::new(head.scanned_to_ms + 1, self.service.to_ms);
        let mut rose = false;
        while let Some(page) = pages.next(self.shelf, self.chain, self.service)? {
            for (at_ms, value) in page {
                head.scanned_to_ms = at_ms;
                if let Ok(next) = confirm(head.fold.last(), at_ms, value, self.service.ratio) {
                    head.fold.push(next, &mut self.out.days);
                    rose = true;
                }
            }
        }
        if rose {
            self.out.days.extend(head.fold.running());
        }
        self.out.head = Some(head);
        Ok(true)
    }

    /// Settles one range; true when the run went to the end of the series.
    fn go_back_and_settle(&mut self, range: Dirty) -> Result<bool, S::Error> {
        let touched = LocalDay::at(self.chain.zone, range.from_ms);
        let mut anchor = self.anchor(touched)?;
        let Some(before) = self.confirmed_before(anchor, range)? else {
            return Ok(false);
        };
        let first = before.map_or(touched, |last| LocalDay::at(self.chain.zone, last.at_ms));
        if first.start_ms < anchor.0.start_ms {
            anchor = self.anchor(first)?;
        }
        let first = match self.floor {
            Some((floor, _)) if first.start_ms < floor.start_ms => floor,
            _ => first,
        };
        self.settle_from(anchor, first, range.to_ms)
    }

    /// The latest day, not after `day`, for which it is known what it starts with.
    fn anchor(&self, mut day: LocalDay) -> Result<Anchor, S::Error> {
        let (meter, quantity) = (&self.service.meter, self.chain.quantity);
        loop {
            if let Some((floor, carry)) = self.floor
                && day.start_ms <= floor.start_ms
            {
                return Ok((floor, carry));
            }
            let before = day.date.pred_opt().unwrap_or(day.date);
            if let Some(carry) = self.stored_carry(before)? {
                return Ok((day, Some(carry)));
            }
            let last = self
                .shelf
                .reading_before(meter, quantity, day.start_ms + 1)?;
            let Some(at_ms) = last.filter(|at_ms| *at_ms >= self.service.from_ms) else {
                return Ok((day, None));
            };
            // A reading on a boundary ends the day before it, unless the service begins there.
            let within_ms = (at_ms - 1).max(self.service.from_ms);
            let earlier = LocalDay::at(self.chain.zone, within_ms);
            if earlier.start_ms >= day.start_ms {
                return Ok((day, None));
            }
            day = earlier;
        }
    }

    /// The carry of a stored day of this service. Days of other meters do not count.
    fn stored_carry(&self, date: NaiveDate) -> Result<Option<Confirmed>, S::Error> {
        if self.service.serves(date) {
            self.shelf.carry(&self.chain.point, date)
        } else {
            Ok(None)
        }
    }

    /// The last confirmed reading before the range; the outer `None` where everything in the range
    /// is held out, so that nothing changes.
    fn confirmed_before(
        &self,
        (day, carry): Anchor,
        range: Dirty,
    ) -> Result<Option<Option<Confirmed>>, S::Error> {
        let mut last = carry;
        let mut pages = Pages::new(first_unread_ms(day, carry), range.to_ms);
        while let Some(page) = pages.next(self.shelf, self.chain, self.service)? {
            for (at_ms, value) in page {
                if let Ok(next) = confirm(last, at_ms, value, self.service.ratio) {
                    if at_ms >= range.from_ms {
                        return Ok(Some(last));
                    }
                    last = Some(next);
                }
            }
        }
        Ok(None)
    }

    /// Folds from `anchor` on, keeps the days from `first` on, and stops where nothing differs.
    fn settle_from(
        &mut self,
        (day, carry): Anchor,
        first: LocalDay,
        mut to_ms: i64,
    ) -> Result<bool, S::Error> {
        let mut fold = DayFold::resume(self.chain.zone, self.gaps, day, carry);
        let mut scanned_to_ms = day.start_ms;
        let mut done: Vec<SettledDay> = Vec::new();
        let mut pages = Pages::new(first_unread_ms(day, carry), self.service.to_ms);
        while let Some(page) = pages.next(self.shelf, self.chain, self.service)? {
            for (at_ms, value) in page {
                scanned_to_ms = at_ms;
                let Ok(next) = confirm(fold.last(), at_ms, value, self.service.ratio) else {
                    continue;
                };
                fold.push(next, &mut done);
                for settled in done.drain(..) {
                    let SettledDay { day, carry, .. } = settled;
                    let following = day.next(self.chain.zone);
                    if day.start_ms >= first.start_ms {
                        self.out.days.push(settled);
                    }
                    to_ms = self.absorb_ranges(following, to_ms);
                    if following.start_ms >= to_ms && self.stored_carry(day.date)? == Some(carry) {
                        self.floor = Some((following, Some(carry)));
                        self.drop_head_before(following);
                        return Ok(false);
                    }
                }
            }
        }
        self.finish(fold, first, scanned_to_ms)?;
        Ok(true)
    }

    /// A head whose open day was settled again no longer knows that day's intervals.
    fn drop_head_before(&mut self, day: LocalDay) {
        let open = self.out.head.as_ref().and_then(|head| head.fold.open_day());
        if open.is_some_and(|open| open.start_ms < day.start_ms) {
            self.out.head = None;
        }
    }

    /// Ranges that begin up to the start of `day` are settled by this run too.
    fn absorb_ranges(&mut self, day: LocalDay, mut to_ms: i64) -> i64 {
        while let Some(range) = self.ranges.get(self.next_range)
            && range.from_ms <= day.start_ms
        {
            to_ms = to_ms.max(range.to_ms);
            self.next_range += 1;
        }
        to_ms
    }

    /// The end of the series: the day in progress, and the days after it that lost their ledger.
    fn finish(
        &mut self,
        fold: DayFold,
        first: LocalDay,
        scanned_to_ms: i64,
    ) -> Result<(), S::Error> {
        let mut day = fold.open_day().unwrap_or(first);
        if let Some(running) = fold.running() {
            day = running.day.next(self.chain.zone);
            self.out.days.push(running);
        }
        while day.start_ms <= scanned_to_ms {
            if self.stored_carry(day.date)?.is_some() {
                self.out.removed.push(day.date);
            }
            day = day.next(self.chain.zone);
        }
        self.out.head = Some(Head {
            fold,
            scanned_to_ms,
        });
        Ok(())
    }
}

/// The first reading of a day that its carry does not already stand for.
fn first_unread_ms(day: LocalDay, carry: Option<Confirmed>) -> i64 {
    carry.map_or(day.start_ms, |carry| day.start_ms.max(carry.at_ms + 1))
}

/// Reads a series in pages of about [`PAGE_READINGS_AIM`].
struct Pages {
    from_ms: i64,
    to_ms: i64,
    length_ms: i64,
}

impl Pages {
    const fn new(from_ms: i64, to_ms: i64) -> Self {
        Self {
            from_ms,
            to_ms,
            length_ms: PAGE_MS_FIRST,
        }
    }

    fn next<S: Shelf>(
        &mut self,
        shelf: &S,
        chain: &Chain,
        service: &Service,
    ) -> Result<Option<Vec<(i64, f64)>>, S::Error> {
        let (meter, quantity) = (&service.meter, chain.quantity);
        while self.from_ms <= self.to_ms {
            let end_ms = self.from_ms.saturating_add(self.length_ms).min(self.to_ms);
            let page = shelf.readings(meter, quantity, self.from_ms, end_ms)?;
            if page.len() > PAGE_READINGS_AIM {
                self.length_ms = (self.length_ms / 2).max(PAGE_MS_MIN);
            } else if page.len() < PAGE_READINGS_AIM / 4 {
                self.length_ms = (self.length_ms * 2).min(PAGE_MS_MAX);
            }
            if !page.is_empty() {
                self.from_ms = end_ms.saturating_add(1);
                return Ok(Some(page));
            }
            // Outages are skipped, not walked through.
            match shelf.reading_after(meter, quantity, end_ms)? {
                Some(at_ms) => self.from_ms = at_ms,
                None => return Ok(None),
            }
        }
        Ok(None)
    }
}
