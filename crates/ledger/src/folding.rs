//! The steps of a register on their way into days: gaps get their shape, findings are kept.

use chrono::NaiveDate;
use steward_model::{Fill, Finding, IntervalAmount};

use crate::chain::{Chain, Lineage};
use crate::classify::{How, Sink};
use crate::day::LocalDay;
use crate::interval::{DayFold, SettledDay};
use crate::register::Confirmed;
use crate::rules::Rules;
use crate::settle::Settlement;
use crate::shape::{Walk, spread};
use crate::shelf::Shelf;

/// Everything that a run rests on.
pub(crate) struct Ground<'a, S> {
    pub(crate) shelf: &'a S,
    pub(crate) chain: &'a Chain,
    pub(crate) lineage: &'a Lineage,
    pub(crate) rules: &'a Rules<'a>,
}

impl<S> Clone for Ground<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Ground<'_, S> {}

/// Folds the steps of one run.
pub(crate) struct Folding<'a, S: Shelf> {
    ground: Ground<'a, S>,
    pub(crate) fold: DayFold,
    /// The first day whose intervals are of interest.
    pub(crate) first: LocalDay,
    /// What this settlement has made so far; it is newer than what is stored.
    pub(crate) out: Settlement,
    /// Days that the latest reading completed.
    pub(crate) done: Vec<SettledDay>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) fills: Vec<Fill>,
    /// What the shelf answered to a question for a load shape.
    error: Option<S::Error>,
}

impl<'a, S: Shelf> Folding<'a, S> {
    pub(crate) const fn new(
        ground: Ground<'a, S>,
        fold: DayFold,
        first: LocalDay,
        out: Settlement,
    ) -> Self {
        Self {
            ground,
            fold,
            first,
            out,
            done: Vec::new(),
            findings: Vec::new(),
            fills: Vec::new(),
            error: None,
        }
    }

    /// Tells an error of the shelf that a step met.
    pub(crate) fn check(&mut self) -> Result<(), S::Error> {
        self.error.take().map_or(Ok(()), Err)
    }

    fn push(&mut self, next: Confirmed, how: How) {
        let mut walk = None;
        if let Some(gap) = self.fold.gap_before(next, how)
            && let Some((shape, fill)) = self.spread(gap)
        {
            walk = shape;
            self.fills.push(fill);
        }
        self.fold.push(next, how, walk.as_mut(), &mut self.done);
    }

    /// The load shape of the gap before `next`, where there is one.
    pub(crate) fn shape(&mut self, next: Confirmed, how: How) -> Option<Walk> {
        let gap = self.fold.gap_before(next, how)?;
        self.spread(gap)?.0
    }

    fn spread(&mut self, gap: (Confirmed, Confirmed)) -> Option<(Option<Walk>, Fill)> {
        let ground = self.ground;
        match spread(ground.rules, ground.chain.zone, gap, |date| self.day(date)) {
            Ok(spread) => Some(spread),
            Err(error) => {
                self.error = Some(error);
                None
            }
        }
    }

    /// The intervals of a day before the one in progress.
    fn day(&self, date: NaiveDate) -> Result<Option<Vec<Option<IntervalAmount>>>, S::Error> {
        if let Some(day) = self.done.iter().find(|day| day.day.date == date) {
            return Ok(Some(day.intervals.clone()));
        }
        let days = &self.out.days;
        if let Ok(index) = days.binary_search_by_key(&date, |day| day.day.date) {
            return Ok(Some(days[index].intervals.clone()));
        }
        if date >= self.first.date || self.out.removed.contains(&date) {
            return Ok(None);
        }
        self.ground.shelf.day(&self.ground.chain.point, date)
    }
}

impl<S: Shelf> Sink for Folding<'_, S> {
    fn confirmed(&mut self, reading: Confirmed, how: How) {
        self.push(reading, how);
    }

    fn rebased(&mut self, delta_base: i64) {
        self.fold.rebase(delta_base);
    }

    fn broken(&mut self) {
        self.fold.break_off();
    }

    fn linked(&mut self, closing: Confirmed, how: How, opening: Confirmed) {
        self.push(closing, how);
        self.fold.link(opening, &mut self.done);
    }

    fn found(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}
