//! The course of a register, as the kernel's own rules tell it step by step.
//!
//! Registers are *unrolled*: what moved the frame is taken off, so that within a run the amount
//! between two instants is the difference of two numbers, whatever happened to the register.

use steward_ledger::{Confirmed, How, Sink};
use steward_model::{Finding, FindingKind};

/// A register that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Knot {
    /// The reading, in its own frame.
    pub(super) reading: Confirmed,
    /// The register in the frame in which the run began.
    pub(super) unrolled: i64,
    /// Whether it is a reading, and not a register that an event states or that lies between two.
    pub(super) is_reading: bool,
    /// How far the readings around it and the knot before stand apart, where it is no such pair.
    pub(super) gap_ms: Option<i64>,
}

/// What moved the frame or broke the series; it happened between the knot before and `at_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) at_ms: i64,
    pub(super) kind: StepKind,
    /// How far; `None` for a break.
    pub(super) delta_base: Option<i64>,
}

/// What it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepKind {
    Found(FindingKind),
    Replacement,
    Ratio,
    Restart,
}

/// Registers without a break between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) knots: Vec<Knot>,
}

/// Listens to the kernel.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) runs: Vec<Run>,
    pub(super) steps: Vec<Step>,
    /// The frame now − the frame in which the run began.
    shift: i64,
    /// A finding that explains the next step.
    found: Option<FindingKind>,
    /// Steps that have no time yet: the next register gives it.
    waiting: Vec<Step>,
}

impl Trace {
    /// A series that goes on from what the day before left.
    pub(super) fn from(carry: Option<Confirmed>) -> Self {
        let mut trace = Self::default();
        if let Some(carry) = carry {
            trace.confirmed(carry, How::READ);
        }
        trace
    }

    /// The last register.
    pub(super) fn last(&self) -> Option<Knot> {
        self.runs.last()?.knots.last().copied()
    }

    fn push(&mut self, reading: Confirmed, is_reading: bool, gap_ms: Option<i64>) {
        for mut step in self.waiting.drain(..) {
            step.at_ms = reading.at_ms;
            self.steps.push(step);
        }
        self.found = None;
        let knot = Knot {
            reading,
            unrolled: reading.register_base - self.shift,
            is_reading,
            gap_ms,
        };
        match self.runs.last_mut() {
            Some(run) => run.knots.push(knot),
            None => self.runs.push(Run { knots: vec![knot] }),
        }
    }

    fn wait(&mut self, kind: StepKind, delta_base: Option<i64>) {
        self.waiting.push(Step {
            at_ms: 0,
            kind,
            delta_base,
        });
    }
}

impl Sink for Trace {
    fn confirmed(&mut self, reading: Confirmed, how: How) {
        self.push(reading, how.exact, how.gap_ms);
    }

    fn rebased(&mut self, delta_base: i64) {
        self.shift += delta_base;
        let kind = self.found.take().map_or(StepKind::Ratio, StepKind::Found);
        self.wait(kind, Some(delta_base));
    }

    fn broken(&mut self) {
        if self.runs.last().is_some_and(|run| !run.knots.is_empty()) {
            self.runs.push(Run::default());
        }
        self.shift = 0;
        self.wait(StepKind::Restart, None);
    }

    fn linked(&mut self, closing: Confirmed, how: How, opening: Confirmed) {
        self.push(closing, false, how.gap_ms);
        let delta_base = opening.register_base - closing.register_base;
        self.shift += delta_base;
        self.steps.push(Step {
            at_ms: opening.at_ms,
            kind: StepKind::Replacement,
            delta_base: Some(delta_base),
        });
    }

    fn found(&mut self, finding: Finding) {
        self.found = Some(finding.kind);
    }
}

impl Run {
    /// The knots around an instant: the last at or before it, the first after it.
    pub(super) fn around(&self, at_ms: i64) -> (Option<Knot>, Option<Knot>) {
        let after = self
            .knots
            .partition_point(|knot| knot.reading.at_ms <= at_ms);
        let before = after.checked_sub(1).and_then(|index| self.knots.get(index));
        (before.copied(), self.knots.get(after).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at_ms: i64, register_base: i64) -> Confirmed {
        Confirmed {
            at_ms,
            register_base,
            manual: false,
        }
    }

    #[test]
    fn what_moves_the_frame_moves_no_amount() {
        let mut trace = Trace::from(Some(at(0, 990)));
        trace.rebased(-1_000);
        trace.confirmed(at(10, 5), How::READ);
        trace.linked(at(20, 8), How::READ, at(20, 100));
        trace.confirmed(at(30, 107), How::READ);
        let knots: Vec<i64> = trace.runs[0].knots.iter().map(|one| one.unrolled).collect();
        // 990 → 1,005 over the modulus, 3 more on the old meter, 7 on the new one.
        assert_eq!(knots, [990, 1_005, 1_008, 1_015]);
        assert_eq!(trace.steps.len(), 2);
        assert_eq!(trace.steps[1].delta_base, Some(92));
        trace.broken();
        trace.confirmed(at(40, 3), How::READ);
        assert_eq!(trace.runs.len(), 2);
        assert_eq!(trace.last().map(|knot| knot.unrolled), Some(3));
    }
}
