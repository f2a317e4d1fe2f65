//! The steps of a register over some days, one by one: for proofs and for explanations.

use chrono::NaiveDate;
use steward_model::{Fill, Finding};

use crate::boundary::register_at;
use crate::chain::{Chain, Lineage};
use crate::classify::{How, Sink};
use crate::day::{INTERVAL_MS, LocalDay};
use crate::folding::{Folding, Ground};
use crate::past::Past;
use crate::register::Confirmed;
use crate::rules::Rules;
use crate::settle::{Run, Settlement};
use crate::shelf::Shelf;

/// One step of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A register that counts, in the frame of then.
    Confirmed(Confirmed),
    /// A register between two readings, at which a ratio changed.
    Between(Confirmed),
    /// What was before lies so many base units higher in the frame of what follows.
    Rebased(i64),
    /// What lies between the register before and the one after is missing.
    Broken,
}

/// The register at a boundary and the two registers around it, in the frame of the later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boundary {
    /// When.
    pub at_ms: i64,
    /// The register.
    pub register_base: i64,
    /// The register before, or on it.
    pub before: Confirmed,
    /// The register after, or on it.
    pub after: Confirmed,
}

/// What happened in a stretch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// From the last confirmed register before the stretch to the first one after it.
    pub steps: Vec<Step>,
    /// Every boundary of the stretch whose register is known.
    pub boundaries: Vec<Boundary>,
    /// What was found between the first and the last step.
    pub findings: Vec<Finding>,
    /// Gaps that were spread.
    pub fills: Vec<Fill>,
}

impl Trace {
    /// What the steps add up to: over every unbroken run the last register minus the first.
    pub fn total_base(&self) -> i128 {
        let mut total = Total::default();
        for step in &self.steps {
            match step {
                Step::Confirmed(reading) | Step::Between(reading) => total.register(*reading),
                Step::Rebased(delta_base) => total.rebased(*delta_base),
                Step::Broken => total.last_base = None,
            }
        }
        total.base
    }
}

/// Adds up the steps of a register as they come: Σ over unbroken runs of (last − first).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// So far.
    pub base: i128,
    last_base: Option<i64>,
}

impl Total {
    fn register(&mut self, reading: Confirmed) {
        let last = self.last_base.replace(reading.register_base);
        let rise = last.map_or(0, |last| reading.register_base - last);
        self.base += i128::from(rise);
    }
}

impl Sink for Total {
    fn confirmed(&mut self, reading: Confirmed, _: How) {
        self.register(reading);
    }
    fn rebased(&mut self, delta_base: i64) {
        self.last_base = self.last_base.map(|last| last + delta_base);
    }
    fn broken(&mut self) {
        self.last_base = None;
    }
    fn linked(&mut self, closing: Confirmed, _: How, opening: Confirmed) {
        self.register(closing);
        self.last_base = Some(opening.register_base);
    }
    fn found(&mut self, _: Finding) {}
}

/// The steps of the local days from `from` to `to`, `to` excluded. The shelf needs the readings from
/// the carry of the day before on, until one that counts after the end.
pub fn trace<S: Shelf>(
    shelf: &S,
    chain: &Chain,
    lineage: &Lineage,
    rules: &Rules<'_>,
    past: &Past,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Trace, S::Error> {
    let ground = Ground {
        shelf,
        chain,
        lineage,
        rules,
    };
    let run = Run::looking(ground, past);
    let first = LocalDay::of(chain.zone, from.max(lineage.from));
    let end_ms = LocalDay::of(chain.zone, to).start_ms;
    let (day, carry) = run.anchor(first, i64::MAX)?;
    let fold = run.fold((day, carry));
    // Load shapes rest on stored days alone: nothing is settled here.
    let never = LocalDay::of(chain.zone, NaiveDate::MAX);
    let folding = Folding::new(ground, fold, never, Settlement::default());
    let mut tracing = Tracing {
        folding,
        last: carry,
        broken: false,
        from_ms: first.start_ms,
        to_ms: end_ms,
        out: Trace::default(),
    };
    tracing.out.steps.extend(carry.map(Step::Confirmed));
    let mut confirmer = run.confirmer(carry);
    let mut pages = run.pages(run.first_unread_ms(carry), lineage.to_ms);
    while let Some(page) = pages.next(shelf)? {
        for raw in page {
            confirmer.read(raw, &mut tracing);
            tracing.folding.check()?;
            tracing.folding.done.clear();
            if tracing.last.is_some_and(|last| last.at_ms >= end_ms) {
                return Ok(tracing.into_trace(Vec::new()));
            }
        }
    }
    confirmer.end(&mut tracing);
    tracing.folding.check()?;
    Ok(tracing.into_trace(confirmer.outstanding()))
}

struct Tracing<'a, S: Shelf> {
    folding: Folding<'a, S>,
    last: Option<Confirmed>,
    broken: bool,
    from_ms: i64,
    to_ms: i64,
    out: Trace,
}

impl<S: Shelf> Tracing<'_, S> {
    fn boundaries(&mut self, next: Confirmed, how: How) {
        let Some(last) = self.last.filter(|_| !self.broken) else {
            return;
        };
        let mut walk = self.folding.shape(next, how);
        let first_ms = last.at_ms.max(self.from_ms - 1);
        // Every zone in use is offset by whole quarters of an hour, so quarters agree with UTC.
        let mut at_ms = (first_ms.div_euclid(INTERVAL_MS) + 1) * INTERVAL_MS;
        while at_ms <= next.at_ms && at_ms <= self.to_ms {
            let register_base = match &mut walk {
                Some(walk) if at_ms < next.at_ms => last.register_base + walk.part(at_ms),
                _ => register_at(last, next, at_ms),
            };
            self.out.boundaries.push(Boundary {
                at_ms,
                register_base,
                before: last,
                after: next,
            });
            at_ms += INTERVAL_MS;
        }
    }

    fn into_trace(self, outstanding: Vec<Finding>) -> Trace {
        let mut out = self.out;
        out.findings = self.folding.findings;
        out.findings.extend(outstanding);
        out.fills = self.folding.fills;
        out
    }
}

impl<S: Shelf> Sink for Tracing<'_, S> {
    fn confirmed(&mut self, reading: Confirmed, how: How) {
        self.boundaries(reading, how);
        self.out.steps.push(if how.exact {
            Step::Confirmed(reading)
        } else {
            Step::Between(reading)
        });
        self.last = Some(reading);
        self.broken = false;
        self.folding.confirmed(reading, how);
    }

    fn rebased(&mut self, delta_base: i64) {
        self.out.steps.push(Step::Rebased(delta_base));
        if let Some(last) = &mut self.last {
            last.register_base += delta_base;
        }
        self.folding.rebased(delta_base);
    }

    fn broken(&mut self) {
        if !self.broken {
            self.out.steps.push(Step::Broken);
        }
        self.broken = true;
        self.folding.broken();
    }

    fn linked(&mut self, closing: Confirmed, how: How, opening: Confirmed) {
        self.boundaries(closing, how);
        self.out.steps.push(Step::Confirmed(closing));
        let delta_base = opening.register_base - closing.register_base;
        self.out.steps.push(Step::Rebased(delta_base));
        self.out.steps.push(Step::Confirmed(opening));
        self.last = Some(opening);
        self.broken = false;
        self.folding.linked(closing, how, opening);
    }

    fn found(&mut self, finding: Finding) {
        self.folding.found(finding);
    }
}
