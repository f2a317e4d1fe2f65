//! What a run makes on its way: days as they are completed, and what was found.

use steward_model::{Fill, Finding};

use crate::classify::{How, Sink};
use crate::day::LocalDay;
use crate::folding::Folding;
use crate::frozen::Frozen;
use crate::register::Confirmed;
use crate::settle::{Found, Run, Settlement};
use crate::shelf::Shelf;

/// Findings and fills that begin in a stretch, in the order of their times, one finding a reading.
pub(crate) fn found(from_ms: i64, to_ms: i64, findings: Vec<Finding>, fills: Vec<Fill>) -> Found {
    let within = |at_ms: i64| from_ms <= at_ms && at_ms < to_ms;
    let mut findings: Vec<Finding> = findings
        .into_iter()
        .filter(|one| within(one.at.0))
        .collect();
    findings.sort_by(|a, b| (a.at, &a.meter).cmp(&(b.at, &b.meter)));
    findings.dedup_by(|a, b| (a.at, &a.meter) == (b.at, &b.meter));
    // A fill begins after the register before it, which may stand on the last instant of a stretch.
    let fills = fills.into_iter().filter(|one| within(one.from.0 + 1));
    let fills = fills.collect();
    Found {
        from_ms,
        to_ms,
        findings,
        fills,
    }
}

/// Days as they are completed.
pub(crate) struct Completed {
    pub(crate) frozen: Frozen,
    /// The day whose turn it is; stored days before the next one that there is lost their ledger.
    pub(crate) turn: Option<LocalDay>,
}

impl Completed {
    pub(crate) const fn new(frozen: Frozen, turn: Option<LocalDay>) -> Self {
        Self { frozen, turn }
    }

    /// Stored days before `day` that the series no longer has.
    pub(crate) fn skip_to<S: Shelf>(
        &mut self,
        run: &Run<'_, S>,
        out: &mut Settlement,
        day: LocalDay,
    ) -> Result<(), S::Error> {
        while let Some(turn) = self.turn.filter(|turn| turn.start_ms < day.start_ms) {
            if run.stored_carry(turn.date)?.is_some() {
                out.removed.push(turn.date);
            }
            self.turn = Some(turn.next(run.ground.chain.zone));
        }
        Ok(())
    }

    /// Moves completed days from `first` on into the settlement. Answers for each day what follows
    /// it, its carry, and whether that is what is stored.
    pub(crate) fn take<S: Shelf>(
        &mut self,
        run: &Run<'_, S>,
        folding: &mut Folding<'_, S>,
        first: LocalDay,
    ) -> Result<Vec<(LocalDay, Confirmed, bool)>, S::Error> {
        folding.check()?;
        let mut ends = Vec::new();
        for settled in std::mem::take(&mut folding.done) {
            let (day, carry) = (settled.day, settled.carry);
            let stored = run.stored_carry(day.date)?;
            let following = day.next(run.ground.chain.zone);
            if day.start_ms >= first.start_ms {
                self.skip_to(run, &mut folding.out, day)?;
                self.turn = Some(following);
                let found = self.frozen.day(run.ground, run.past, &settled)?;
                folding.findings.extend(found);
                if settled.is_present() {
                    folding.out.days.push(settled);
                } else if stored.is_some() {
                    folding.out.removed.push(day.date);
                }
            }
            ends.push((following, carry, stored == Some(carry)));
        }
        Ok(ends)
    }
}

/// Remembers the last register in which no later reading had a say.
pub(crate) struct LastSettled(pub(crate) Option<Confirmed>);

impl Sink for LastSettled {
    fn confirmed(&mut self, reading: Confirmed, how: How) {
        if how.settled {
            self.0 = Some(reading);
        }
    }
    fn rebased(&mut self, _: i64) {}
    fn broken(&mut self) {}
    fn linked(&mut self, _: Confirmed, _: How, opening: Confirmed) {
        self.0 = Some(opening);
    }
    fn found(&mut self, _: Finding) {}
}
