//! Which days do new readings touch, and what are those days now?
//!
//! A reading changes the boundaries between the confirmed reading before it and the one after it.
//! So a run begins on the day of the last reading that counts whatever follows, and goes forward
//! until it is past the new readings and at the end of a day whose carry is what it was: from there
//! on nothing can differ. A late reading stops after a day; one that others are now held out
//! against ripples as far as it must.
//!
//! A run needs what its first day starts with. A stored day knows what it leaves to the next one;
//! where the day before is not stored, the run begins earlier. Readings that only continue a
//! series, the normal case, need none of this: [`Head`] keeps everything as it stood after the last
//! reading.

use chrono::NaiveDate;
use steward_model::{Fill, Finding};

use crate::chain::{Chain, Lineage};
use crate::classify::{Confirmer, State};
use crate::completed::{Completed, LastSettled};
use crate::day::LocalDay;
use crate::ending::first_found_ms;
use crate::folding::{Folding, Ground};
use crate::frozen::Frozen;
use crate::interval::{DayFold, SettledDay};
use crate::pages::{Pages, register_before};
use crate::past::Past;
use crate::register::{Confirmed, Raw};
use crate::rules::Rules;
use crate::shelf::{Shelf, SliceShelf};

/// A stretch of new or changed readings, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dirty {
    /// Time of the first.
    pub from_ms: i64,
    /// Time of the last.
    pub to_ms: i64,
}

/// A series after all of its readings: from here it is continued without looking back. It holds for
/// the chain, the rules and the books with which it was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub(crate) state: State,
    pub(crate) fold: DayFold,
    /// Every reading up to here has been seen, those held out included.
    pub(crate) scanned_to_ms: i64,
    /// From here on findings and fills are those below.
    pub(crate) from_ms: i64,
    pub(crate) findings: Vec<Finding>,
    pub(crate) fills: Vec<Fill>,
    pub(crate) frozen: Frozen,
    /// What was told last of this stretch.
    pub(crate) told: Told,
}

/// What was found in a stretch: everything that began there before is replaced by this.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// First millisecond.
    pub from_ms: i64,
    /// First millisecond after.
    pub to_ms: i64,
    /// Findings that begin in it, by time.
    pub findings: Vec<Finding>,
    /// Fills whose first millisecond lies in it, the one after the register before, by time.
    pub fills: Vec<Fill>,
}

/// What became of a lineage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settlement {
    /// Days that are new or may have changed, ascending.
    pub days: Vec<SettledDay>,
    /// Stored days that have no interval any more.
    pub removed: Vec<NaiveDate>,
    /// Findings and fills of the stretches that were computed again; stretches do not overlap.
    pub found: Vec<Found>,
    /// Where the series can be continued.
    pub head: Option<Head>,
}

/// Recomputes what `dirty` touches of one lineage. `head` is what the last settlement of this
/// lineage answered, or `None`; it saves work and never changes the answer.
pub fn settle<S: Shelf>(
    shelf: &S,
    chain: &Chain,
    lineage: &Lineage,
    rules: &Rules<'_>,
    past: &Past,
    head: Option<Head>,
    dirty: &[Dirty],
) -> Result<Settlement, S::Error> {
    let mut ranges: Vec<Dirty> = dirty
        .iter()
        .map(|range| Dirty {
            from_ms: range.from_ms.max(lineage.from_ms),
            to_ms: range.to_ms.min(lineage.to_ms),
        })
        .filter(|range| range.from_ms <= range.to_ms)
        .collect();
    ranges.sort_unstable();
    let mut run = Run {
        ground: Ground {
            shelf,
            chain,
            lineage,
            rules,
        },
        past,
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

/// Settles a whole lineage from the readings of its only meter, ascending: for rebuilds and
/// measurements, where everything is in memory and nothing is stored.
pub fn settle_slice(
    chain: &Chain,
    lineage: &Lineage,
    rules: &Rules<'_>,
    past: &Past,
    readings: &[Raw],
) -> Settlement {
    let all = Dirty {
        from_ms: i64::MIN,
        to_ms: i64::MAX,
    };
    match settle(
        &SliceShelf(readings),
        chain,
        lineage,
        rules,
        past,
        None,
        &[all],
    ) {
        Ok(settlement) => settlement,
        Err(never) => match never {},
    }
}

/// Findings and fills.
pub(crate) type Told = (Vec<Finding>, Vec<Fill>);

/// A day and what the day before leaves to it.
pub(crate) type Anchor = (LocalDay, Option<Confirmed>);

pub(crate) struct Run<'a, S> {
    pub(crate) ground: Ground<'a, S>,
    pub(crate) past: &'a Past,
    pub(crate) ranges: Vec<Dirty>,
    pub(crate) next_range: usize,
    /// The day up to which everything is settled, with its carry.
    pub(crate) floor: Option<Anchor>,
    pub(crate) out: Settlement,
}

impl<'a, S: Shelf> Run<'a, S> {
    /// A run that looks at what is stored and settles nothing.
    pub(crate) fn looking(ground: Ground<'a, S>, past: &'a Past) -> Self {
        Self {
            ground,
            past,
            ranges: Vec::new(),
            next_range: 0,
            floor: None,
            out: Settlement::default(),
        }
    }

    fn take_range(&mut self) -> Option<Dirty> {
        let range = self.ranges.get(self.next_range).copied();
        self.next_range += usize::from(range.is_some());
        range
    }

    pub(crate) fn confirmer(&self, carry: Option<Confirmed>) -> Confirmer<'a> {
        let Ground { chain, lineage, .. } = self.ground;
        Confirmer::new(chain, lineage, self.ground.rules.gaps, self.past, carry)
    }

    pub(crate) fn pages(&self, from_ms: i64, to_ms: i64) -> Pages<'a> {
        Pages::new(self.ground.chain, self.ground.lineage, from_ms, to_ms)
    }

    /// Continues a series to its end.
    fn continue_from(&mut self, head: Head) -> Result<bool, S::Error> {
        let Ground {
            shelf,
            chain,
            lineage,
            rules,
        } = self.ground;
        let mut pages = self.pages(head.scanned_to_ms + 1, lineage.to_ms);
        let mut confirmer = Confirmer::with(chain, lineage, rules.gaps, self.past, head.state);
        let first = head
            .fold
            .open_day()
            .unwrap_or_else(|| LocalDay::at(chain.zone, head.scanned_to_ms));
        let last = head.fold.last();
        let mut days = Completed::new(head.frozen, head.fold.open_day());
        let mut folding =
            Folding::new(self.ground, head.fold, first, std::mem::take(&mut self.out));
        (folding.findings, folding.fills) = (head.findings, head.fills);
        let mut scanned_to_ms = head.scanned_to_ms;
        while let Some(page) = pages.next(shelf)? {
            for raw in page {
                scanned_to_ms = raw.at_ms;
                confirmer.read(raw, &mut folding);
                if !folding.done.is_empty() {
                    days.take(self, &mut folding, first)?;
                }
            }
        }
        confirmer.end(&mut folding);
        days.take(self, &mut folding, first)?;
        let running = folding.fold.running();
        if let Some(running) = running.filter(|_| folding.fold.last() != last) {
            folding.out.days.push(running);
        }
        let stretch = (head.from_ms, Some(head.told));
        self.end(&confirmer, folding, days.frozen, scanned_to_ms, stretch)?;
        Ok(true)
    }

    /// Settles one range; true when the run went to the end of the series.
    fn go_back_and_settle(&mut self, range: Dirty) -> Result<bool, S::Error> {
        let touched = LocalDay::at(self.ground.chain.zone, range.from_ms);
        let mut anchor = self.anchor(touched, range.from_ms)?;
        let before = self.settled_before(anchor, range.from_ms)?;
        let first = match before {
            Some(last) => LocalDay::at(self.ground.chain.zone, last.at_ms),
            None => anchor.0,
        };
        if first.start_ms < anchor.0.start_ms {
            anchor = self.anchor(first, range.from_ms)?;
        }
        let first = match self.floor {
            Some((floor, _)) if first.start_ms < floor.start_ms => floor,
            _ => first,
        };
        self.settle_from(anchor, first, range.to_ms)
    }

    /// The latest day, not after `day`, of which it is known what it starts with, and whose start
    /// no reading from `limit_ms` on can change.
    pub(crate) fn anchor(&self, mut day: LocalDay, limit_ms: i64) -> Result<Anchor, S::Error> {
        let Ground {
            shelf,
            chain,
            lineage,
            ..
        } = self.ground;
        loop {
            if let Some((floor, carry)) = self.floor
                && day.start_ms <= floor.start_ms
            {
                return Ok((floor, carry));
            }
            let before = day.date.pred_opt().unwrap_or(day.date);
            let carry = self.stored_carry(before)?;
            if let Some(carry) = carry.filter(|carry| carry.at_ms < limit_ms) {
                return Ok((day, Some(carry)));
            }
            let Some(at_ms) = register_before(shelf, chain, lineage, day.start_ms)? else {
                return Ok((day, None));
            };
            day = LocalDay::at(chain.zone, at_ms);
        }
    }

    /// The carry of a stored day of this lineage. Days of others do not count.
    pub(crate) fn stored_carry(&self, date: NaiveDate) -> Result<Option<Confirmed>, S::Error> {
        if self.ground.lineage.serves(date) {
            self.ground.shelf.carry(&self.ground.chain.point, date)
        } else {
            Ok(None)
        }
    }

    /// The last register that counts by the readings before `limit_ms` alone.
    fn settled_before(
        &self,
        (_, carry): Anchor,
        limit_ms: i64,
    ) -> Result<Option<Confirmed>, S::Error> {
        let mut confirmer = self.confirmer(carry);
        let mut last = LastSettled(carry);
        let mut pages = self.pages(self.first_unread_ms(carry), limit_ms.saturating_sub(1));
        while let Some(page) = pages.next(self.ground.shelf)? {
            for raw in page {
                confirmer.read(raw, &mut last);
            }
        }
        Ok(last.0)
    }

    /// The first reading that the carry does not already stand for. A gauge is read again for its
    /// value.
    pub(crate) fn first_unread_ms(&self, carry: Option<Confirmed>) -> i64 {
        let integrated = self.ground.chain.is_integrated();
        carry.map_or(self.ground.lineage.from_ms, |carry| {
            carry.at_ms + i64::from(!integrated)
        })
    }

    pub(crate) fn fold(&self, (day, carry): Anchor) -> DayFold {
        let chain = self.ground.chain;
        let fold = DayFold::new(chain.zone, self.ground.rules.gaps, chain.is_integrated());
        match carry {
            Some(carry) => fold.resume(day, carry),
            None => fold,
        }
    }

    /// Folds from `anchor` on, keeps the days from `first` on, and stops where nothing differs.
    fn settle_from(
        &mut self,
        anchor: Anchor,
        first: LocalDay,
        mut to_ms: i64,
    ) -> Result<bool, S::Error> {
        let (day, carry) = anchor;
        let fold = self.fold(anchor);
        let mut folding = Folding::new(self.ground, fold, first, std::mem::take(&mut self.out));
        let mut confirmer = self.confirmer(carry);
        let mut scanned_to_ms = day.start_ms;
        let mut pages = self.pages(self.first_unread_ms(carry), self.ground.lineage.to_ms);
        let from_ms = match carry {
            None => self.ground.lineage.from_ms,
            Some(carry) => first_found_ms(first, carry),
        };
        let mut days = Completed::new(Frozen::default(), Some(first));
        while let Some(page) = pages.next(self.ground.shelf)? {
            for raw in page {
                scanned_to_ms = raw.at_ms;
                confirmer.read(raw, &mut folding);
                if folding.done.is_empty() {
                    continue;
                }
                let ends = days.take(self, &mut folding, first)?;
                for (following, carry, same) in ends {
                    to_ms = self.absorb_ranges(following, to_ms);
                    if to_ms <= carry.at_ms && same {
                        self.stop(folding, from_ms, following, carry);
                        return Ok(false);
                    }
                }
            }
        }
        confirmer.end(&mut folding);
        days.take(self, &mut folding, first)?;
        // A replacement is a register without a reading: days may have gone up to it.
        let last_ms = confirmer.last().map_or(to_ms, |last| last.at_ms.max(to_ms));
        self.finish(&mut folding, &mut days, scanned_to_ms, last_ms)?;
        let stretch = (from_ms, None);
        self.end(&confirmer, folding, days.frozen, scanned_to_ms, stretch)?;
        Ok(true)
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
}
