//! How a run ends: where nothing differs any more, or where the series does.

use chrono::Days;

use crate::classify::Confirmer;
use crate::completed::{Completed, found};
use crate::day::LocalDay;
use crate::folding::Folding;
use crate::frozen::Frozen;
use crate::register::Confirmed;
use crate::settle::{Found, Head, Run, Told};
use crate::shelf::Shelf;

/// How far beyond the last reading stored days are looked for that lost their ledger.
const REMOVED_DAYS_MAX: u64 = 3_660;

impl<S: Shelf> Run<'_, S> {
    /// Nothing after the day before `following` differs.
    pub(crate) fn stop(
        &mut self,
        folding: Folding<'_, S>,
        from_ms: i64,
        following: LocalDay,
        carry: Confirmed,
    ) {
        let Folding {
            mut out,
            findings,
            fills,
            ..
        } = folding;
        // A reading may have completed several days; those after the first are what they were.
        out.days.retain(|day| day.day.start_ms < following.start_ms);
        out.removed.retain(|date| *date < following.date);
        let end_ms = first_found_ms(following, carry);
        out.found.push(found(from_ms, end_ms, findings, fills));
        // A head whose open day was settled again no longer knows that day's intervals, nor what
        // was found about the register on which it begins.
        let open = out.head.as_ref().map(|head| head.fold.open_day());
        if open.is_some_and(|open| open.is_none_or(|open| open.start_ms < end_ms)) {
            out.head = None;
        }
        self.floor = Some((following, Some(carry)));
        self.out = out;
    }

    /// The day in progress, and the stored days after it that lost their ledger.
    pub(crate) fn finish(
        &mut self,
        folding: &mut Folding<'_, S>,
        days: &mut Completed,
        scanned_to_ms: i64,
        dirty_to_ms: i64,
    ) -> Result<(), S::Error> {
        let zone = self.ground.chain.zone;
        if let Some(running) = folding.fold.running()
            && running.day.start_ms >= folding.first.start_ms
        {
            days.skip_to(self, &mut folding.out, running.day)?;
            days.turn = Some(running.day.next(zone));
            folding.out.days.push(running);
        }
        let dirty_to_ms = self
            .ranges
            .iter()
            .fold(dirty_to_ms, |to_ms, one| to_ms.max(one.to_ms));
        // Everything is as far as the readings go.
        let to_ms = if dirty_to_ms == i64::MAX {
            scanned_to_ms
        } else {
            scanned_to_ms.max(dirty_to_ms)
        };
        let scanned = LocalDay::at(zone, scanned_to_ms).date;
        let farthest = scanned
            .checked_add_days(Days::new(REMOVED_DAYS_MAX))
            .map_or(to_ms, |date| LocalDay::of(zone, date).start_ms);
        let last = LocalDay::at(zone, to_ms.min(farthest));
        days.skip_to(self, &mut folding.out, last.next(zone))
    }

    /// The end of the series: what was found up to here, and where it goes on.
    pub(crate) fn end(
        &mut self,
        confirmer: &Confirmer<'_>,
        folding: Folding<'_, S>,
        mut frozen: Frozen,
        scanned_to_ms: i64,
        (from_ms, told): (i64, Option<Told>),
    ) -> Result<(), S::Error> {
        let Folding {
            mut out,
            fold,
            mut findings,
            mut fills,
            ..
        } = folding;
        let lineage = self.ground.lineage;
        let settled = fold.open_day().map_or(from_ms, |open| open.start_ms);
        let mut all = findings.clone();
        all.extend(confirmer.outstanding());
        if let Some(running) = fold.running() {
            all.extend(frozen.running(self.ground, self.past, &running, scanned_to_ms)?);
        }
        let found = found(from_ms, lineage.to_ms, all, fills.clone());
        let from_ms = settled.max(from_ms);
        findings.retain(|one| one.at.0 >= from_ms);
        fills.retain(|one| one.from.0 + 1 >= from_ms);
        let tell = |found: &Found| {
            let findings = found.findings.iter().filter(|one| one.at.0 >= from_ms);
            let fills = found.fills.iter().filter(|one| one.from.0 + 1 >= from_ms);
            (findings.cloned().collect(), fills.cloned().collect())
        };
        let now = tell(&found);
        let is_new =
            told.is_none_or(|(findings, fills)| findings != found.findings || fills != found.fills);
        if is_new {
            out.found.push(found);
        }
        out.head = Some(Head {
            state: confirmer.state.clone(),
            fold,
            scanned_to_ms: confirmer
                .last()
                .map_or(scanned_to_ms, |last| scanned_to_ms.max(last.at_ms))
                .max(lineage.services[confirmer.state.service].from_ms - 1),
            from_ms,
            findings,
            fills,
            frozen,
            told: now,
        });
        self.out = out;
        Ok(())
    }
}

/// The first instant of which a run tells what was found, where it begins with `day` and its carry.
/// What is known about a settled register is known with the day that it ends: one on which a day
/// begins belongs to the day before, and a reading there that did not count to the day itself.
pub(crate) fn first_found_ms(day: LocalDay, carry: Confirmed) -> i64 {
    day.start_ms + i64::from(carry.at_ms == day.start_ms)
}
