//! Which readings of a lineage count, and what the others are.
//!
//! [`Confirmer`] takes the readings in the order of their times and tells a [`Sink`] the steps of
//! the register. Whether a reading counts is judged after the last one that did, so the state after
//! a settled reading is that reading alone, and a day's carry is enough to go on from.
//!
//! The frame is the register of the meter that counts now. A rollover, a reset, a replacement with
//! registers and a change of ratio *rebase* what is held: the register known so far is meant in a
//! frame that lies higher or lower, and differences go on exactly. A *break* ends what is known;
//! what lies before the next confirmed register is missing, never zero.
//!
//! What persons said is in `decide`, what stands aside in `aside`, what links services in `link`.

use steward_model::{Finding, FindingKind, FindingState};

use crate::chain::{Chain, Lineage, Link, Service};
use crate::decide::{DecidedAt, decisions};
use crate::evidence::{About, Group};
use crate::limits::{LimitsBase, Relation};
use crate::link::Closing;
use crate::past::Past;
use crate::register::{Confirmed, Raw, base_units};
use crate::rules::Gaps;
use crate::run::{Outcome, Read, Run};

/// How a register is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct How {
    /// Whether no later reading had a say in it: a day may carry it to the next.
    pub settled: bool,
    /// Whether it is a reading, and not a register between two.
    pub exact: bool,
    /// How far the readings before and after stand apart, where they are not this register and the
    /// one before.
    pub gap_ms: Option<i64>,
}

impl How {
    /// A reading that counts by itself.
    pub const READ: Self = Self {
        settled: true,
        exact: true,
        gap_ms: None,
    };
}

/// Who listens to the steps of a register.
pub trait Sink {
    /// The next register, not below the one before it in its frame.
    fn confirmed(&mut self, reading: Confirmed, how: How);
    /// The registers so far lie `delta_base` higher in the frame of what follows.
    fn rebased(&mut self, delta_base: i64);
    /// What lies between the last register and the next is not known.
    fn broken(&mut self);
    /// One register stopped and another goes on at the same instant: `closing` is confirmed, and
    /// then the frame is the one of `opening`.
    fn linked(&mut self, closing: Confirmed, how: How, opening: Confirmed);
    /// Something that is not plain counting.
    fn found(&mut self, finding: Finding);
}

/// What [`Confirmer`] knows after its latest reading.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    /// Whose readings come.
    pub(crate) service: usize,
    /// In whose frame `last` stands.
    pub(crate) frame: usize,
    pub(crate) last: Option<Confirmed>,
    /// Whether the next confirmed register begins a series after another one.
    pub(crate) fresh: bool,
    pub(crate) run: Option<Run>,
    /// Readings that a person discarded, up to when, by which event.
    pub(crate) discard: Option<(Group, i64, u64)>,
    /// Readings out of range since the last confirmed one.
    pub(crate) range: Option<Group>,
    /// Falls within the resolution, and when their local day ends.
    pub(crate) jitter: Option<(Group, i64)>,
    /// The gauge's value at `last`, ratio applied.
    pub(crate) gauge: Option<f64>,
}

/// Judges the readings of a lineage.
#[derive(Clone, Debug)]
pub struct Confirmer<'a> {
    pub(crate) chain: &'a Chain,
    pub(crate) lineage: &'a Lineage,
    pub(crate) gaps: Gaps,
    pub(crate) decisions: Vec<DecidedAt>,
    pub(crate) state: State,
    /// The limits and the ratio of the frame.
    limits: LimitsBase,
    ratio: f64,
    /// Up to here no register contradicts a replacement.
    closing_base: i64,
    /// Readings before this instant need no look at decisions, services and groups.
    special_ms: i64,
}

impl<'a> Confirmer<'a> {
    /// From the beginning of the lineage, or from what a day carries.
    pub fn new(
        chain: &'a Chain,
        lineage: &'a Lineage,
        gaps: Gaps,
        past: &Past,
        carry: Option<Confirmed>,
    ) -> Self {
        let service = carry.map_or(0, |carry| lineage.service_at(carry.at_ms));
        let state = State {
            service,
            frame: service,
            last: carry,
            fresh: carry.is_none() && lineage.follows && !chain.is_integrated(),
            run: None,
            discard: None,
            range: None,
            jitter: None,
            gauge: None,
        };
        Self::with(chain, lineage, gaps, past, state)
    }

    pub(crate) fn with(
        chain: &'a Chain,
        lineage: &'a Lineage,
        gaps: Gaps,
        past: &Past,
        state: State,
    ) -> Self {
        let mut confirmer = Self {
            chain,
            lineage,
            gaps,
            decisions: decisions(chain, lineage, past),
            state,
            limits: LimitsBase::default(),
            ratio: 1.0,
            closing_base: i64::MAX,
            special_ms: i64::MIN,
        };
        confirmer.look_ahead(i64::MIN);
        confirmer
    }

    /// The last confirmed register, in its own frame.
    pub const fn last(&self) -> Option<Confirmed> {
        self.state.last
    }

    /// The next reading of the meter that serves at its time.
    pub fn read<S: Sink>(&mut self, raw: Raw, sink: &mut S) {
        if raw.at_ms < self.special_ms
            && let Some(last) = self.state.last
            && let Ok(base) = base_units(raw.value * self.ratio)
            && base >= last.register_base
            && base <= self.closing_base
            && self
                .limits
                .allows(base - last.register_base, raw.at_ms - last.at_ms)
        {
            let reading = Confirmed {
                at_ms: raw.at_ms,
                register_base: base,
                manual: raw.manual,
            };
            self.state.last = Some(reading);
            return sink.confirmed(reading, How::READ);
        }
        self.read_with_care(raw, sink);
        self.look_ahead(raw.at_ms);
    }

    /// There are no more readings: services that ended are closed.
    pub fn end<S: Sink>(&mut self, sink: &mut S) {
        // A ratio alone ends no register, but the meter that comes after it does.
        let ends = |one: &Service| one.link != Link::Ratio;
        let last = self.lineage.services.iter().rposition(ends).unwrap_or(0);
        while self.state.service < last {
            self.switch(sink);
        }
        self.look_ahead(i64::MIN);
    }

    /// Prepares the quick way: it serves while nothing but plain counting is expected.
    fn look_ahead(&mut self, at_ms: i64) {
        let state = &self.state;
        let (frame, ratio) = self.frame();
        self.limits = frame;
        self.ratio = ratio;
        self.closing_base = Closing::of(self.lineage, state.frame)
            .map_or(i64::MAX, |closing| closing.register_base);
        let plain = state.run.is_none()
            && state.discard.is_none()
            && state.range.is_none()
            && state.frame == state.service
            && !state.fresh
            && !self.chain.is_integrated();
        self.special_ms = if plain {
            let decision = self.decisions.partition_point(|one| one.0 <= at_ms);
            let decision = self.decisions.get(decision).map_or(i64::MAX, |one| one.0);
            let day = state
                .jitter
                .as_ref()
                .map_or(i64::MAX, |(_, end_ms)| *end_ms);
            self.switch_ms().min(decision).min(day)
        } else {
            i64::MIN
        };
    }

    fn frame(&self) -> (LimitsBase, f64) {
        let service = self.lineage.services.get(self.state.frame);
        service.map_or((LimitsBase::default(), 1.0), |service| {
            (service.limits, f64::from(service.ratio))
        })
    }

    pub(crate) fn next_service(&self) -> Option<&'a Service> {
        self.lineage.services.get(self.state.service + 1)
    }

    fn switch_ms(&self) -> i64 {
        self.next_service().map_or(i64::MAX, |next| next.from_ms)
    }

    fn read_with_care<S: Sink>(&mut self, raw: Raw, sink: &mut S) {
        while raw.at_ms >= self.switch_ms() {
            self.switch(sink);
        }
        // At the instant of a replacement its opening register stands for the reading.
        let opened = self.state.last.is_some_and(|last| last.at_ms == raw.at_ms);
        if opened && !self.chain.is_integrated() {
            return;
        }
        self.end_groups(raw, sink);
        if let Some((group, until_ms, _)) = &mut self.state.discard
            && raw.at_ms <= *until_ms
        {
            group.add(raw);
            return;
        }
        if self.chain.is_integrated() {
            return self.integrate(raw, sink);
        }
        let (limits, ratio) = self.frame();
        let Some(base) = base_units(raw.value * ratio).ok().filter(|base| *base >= 0) else {
            return self.hold_out_of_range(raw);
        };
        let read = Read { raw, base };
        if let Some(decided) = self.decision(raw.at_ms)
            && self.decide(read, decided, &limits, sink)
        {
            return;
        }
        if self.state.run.is_some() {
            self.in_run(read, &limits, sink);
        } else {
            self.on_course(raw, sink);
        }
    }

    /// A reading while no run is pending.
    fn on_course<S: Sink>(&mut self, raw: Raw, sink: &mut S) {
        let (limits, ratio) = self.frame();
        let (Some(last), Ok(base)) = (self.state.last, base_units(raw.value * ratio)) else {
            return self.confirm(raw, How::READ, None, sink);
        };
        let read = Read { raw, base };
        let over = self.is_over_closing(last, read);
        match limits.relation(last.register_base, base, raw.at_ms - last.at_ms) {
            Relation::Up if !over => self.confirm(raw, How::READ, None, sink),
            Relation::Jitter => self.hold_jitter(raw),
            Relation::Down => self.state.run = Some(Run::of(read, false, false)),
            Relation::Up => self.state.run = Some(Run::of(read, true, true)),
            Relation::High => self.state.run = Some(Run::of(read, true, false)),
        }
    }

    pub(crate) fn is_over_closing(&self, last: Confirmed, read: Read) -> bool {
        let closing = Closing::of(self.lineage, self.state.frame);
        self.state.frame == self.state.service
            && closing.is_some_and(|closing| closing.refutes(last, read.base, read.raw.at_ms))
    }

    /// A reading while a run is pending.
    fn in_run<S: Sink>(&mut self, read: Read, limits: &LimitsBase, sink: &mut S) {
        let (Some(mut run), Some(last)) = (self.state.run, self.state.last) else {
            return;
        };
        let passed_ms = read.raw.at_ms - last.at_ms;
        let relation = limits.relation(last.register_base, read.base, passed_ms);
        let on_course = relation.is_plausible() && !self.is_over_closing(last, read);
        let before = run;
        // A register of coarse steps, read twice in a moment, shows more than its rating allows in
        // that moment. What the rating allows over a stretch that counts as measured is no question.
        let soon = run.rises && run.count == 1 && passed_ms <= self.gaps.measured_max_ms;
        let outcome = match on_course && soon {
            true => Outcome::Returned,
            false => run.next(last, read, on_course, limits),
        };
        self.state.run = (outcome == Outcome::Pending).then_some(run);
        match outcome {
            Outcome::Pending => {}
            Outcome::Returned => {
                sink.found(self.of_run(&before, FindingState::ByRule, Some(read.raw)));
                self.on_course(read.raw, sink);
            }
            Outcome::Rollover { delta_base } => {
                self.follow(&before, read.raw, FindingKind::Rollover, delta_base, sink);
                self.on_course(read.raw, sink);
            }
            Outcome::Reset { delta_base } => {
                self.follow(&before, read.raw, FindingKind::Reset, delta_base, sink);
                self.on_course(read.raw, sink);
            }
        }
    }

    /// The register really went where the run is, as `next` shows: its readings count.
    pub(crate) fn follow<S: Sink>(
        &mut self,
        run: &Run,
        next: Raw,
        kind: FindingKind,
        delta_base: i64,
        sink: &mut S,
    ) {
        let mut about = About::run(run, Some(next));
        about.held_out = 0;
        sink.found(self.finding(kind, FindingState::ByRule, &about));
        self.rebase(delta_base, sink);
        let how = How {
            settled: false,
            ..How::READ
        };
        self.confirm(run.first.raw, how, None, sink);
        if run.count > 1 {
            // Between the first and the last the register stood still: zeros.
            let gap_ms = Some(run.gap_ms);
            self.confirm(run.last.raw, How { gap_ms, ..how }, None, sink);
        }
    }

    pub(crate) fn rebase<S: Sink>(&mut self, delta_base: i64, sink: &mut S) {
        if let Some(last) = &mut self.state.last {
            last.register_base += delta_base;
            sink.rebased(delta_base);
        }
    }

    /// The reading counts.
    pub(crate) fn confirm<S: Sink>(
        &mut self,
        raw: Raw,
        how: How,
        decided: Option<u64>,
        sink: &mut S,
    ) {
        if self.state.fresh {
            self.state.fresh = false;
            sink.broken();
            let state = decided.map_or(FindingState::Open, FindingState::Decided);
            let kind = FindingKind::ExchangeWithoutRegisters;
            sink.found(self.finding(kind, state, &About::reading(raw, 0)));
        }
        self.end_range(Some(raw), sink);
        let how = self.cross_ratios(raw, how, sink);
        let lowest = self.state.last.map_or(0, |last| last.register_base);
        let (_, ratio) = self.frame();
        let base = base_units(raw.value * ratio).unwrap_or(lowest);
        let reading = Confirmed {
            at_ms: raw.at_ms,
            register_base: base.max(lowest),
            manual: raw.manual,
        };
        self.state.last = Some(reading);
        sink.confirmed(reading, how);
    }

    /// What was known ends here.
    pub(crate) fn break_off<S: Sink>(&mut self, sink: &mut S) {
        self.state.last = None;
        self.state.frame = self.state.service;
        self.state.gauge = None;
        sink.broken();
    }
}
