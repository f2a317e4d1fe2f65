//! Readings that stand aside, alone or in groups, and how they are told.

use steward_model::{Finding, FindingKind, FindingState};

use crate::classify::{Confirmer, Sink};
use crate::day::LocalDay;
use crate::evidence::{About, Group, finding};
use crate::register::Raw;
use crate::run::Run;

impl Confirmer<'_> {
    /// What waits for readings to come, as it stands now.
    pub fn outstanding(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        if let Some(run) = self.state.run.filter(Run::is_open) {
            found.push(self.of_run(&run, FindingState::Open, None));
        }
        if let Some((group, _, event)) = &self.state.discard {
            let state = FindingState::Decided(*event);
            found.push(self.of_group(group, FindingKind::Glitch, state, None));
        }
        if let Some(group) = &self.state.range {
            let state = FindingState::ByRule;
            found.push(self.of_group(group, FindingKind::OutOfRange, state, None));
        }
        if let Some((group, _)) = &self.state.jitter {
            let state = FindingState::ByRule;
            found.push(self.of_group(group, FindingKind::Jitter, state, None));
        }
        found
    }

    pub(crate) fn discard(&mut self, raw: Raw, until_ms: i64, event: u64) {
        self.state.discard = Some((self.group(raw), until_ms, event));
    }

    /// Groups that this reading ends.
    pub(crate) fn end_groups<S: Sink>(&mut self, raw: Raw, sink: &mut S) {
        if let Some((group, _)) = self
            .state
            .jitter
            .take_if(|(_, end_ms)| raw.at_ms >= *end_ms)
        {
            let kind = FindingKind::Jitter;
            sink.found(self.of_group(&group, kind, FindingState::ByRule, Some(raw)));
        }
        let ended = |(_, until_ms, _): &mut (Group, i64, u64)| raw.at_ms > *until_ms;
        if let Some((group, _, event)) = self.state.discard.take_if(ended) {
            let state = FindingState::Decided(event);
            sink.found(self.of_group(&group, FindingKind::Glitch, state, Some(raw)));
        }
    }

    /// The readings out of range that the next confirmed one ends.
    pub(crate) fn end_range<S: Sink>(&mut self, after: Option<Raw>, sink: &mut S) {
        if let Some(group) = self.state.range.take() {
            let kind = FindingKind::OutOfRange;
            sink.found(self.of_group(&group, kind, FindingState::ByRule, after));
        }
    }

    /// What is held out ends with the meter.
    pub(crate) fn end_held_out<S: Sink>(&mut self, sink: &mut S) {
        self.end_range(None, sink);
        if let Some((group, _, event)) = self.state.discard.take() {
            let state = FindingState::Decided(event);
            sink.found(self.of_group(&group, FindingKind::Glitch, state, None));
        }
    }

    fn group(&self, first: Raw) -> Group {
        Group::of(first, self.state.last.map(|last| (self.state.frame, last)))
    }

    pub(crate) fn hold_out_of_range(&mut self, raw: Raw) {
        match &mut self.state.range {
            Some(group) => group.add(raw),
            None => self.state.range = Some(self.group(raw)),
        }
    }

    pub(crate) fn hold_jitter(&mut self, raw: Raw) {
        match &mut self.state.jitter {
            Some((group, _)) => group.add(raw),
            None => {
                let day = LocalDay::at(self.chain.zone, raw.at_ms);
                self.state.jitter = Some((self.group(raw), day.end_ms));
            }
        }
    }

    pub(crate) fn of_run(&self, run: &Run, state: FindingState, after: Option<Raw>) -> Finding {
        let kind = match (state, run.rises) {
            (FindingState::ByRule, _) => FindingKind::Glitch,
            (_, true) => FindingKind::Rise,
            (_, false) => FindingKind::Fall,
        };
        self.finding(kind, state, &About::run(run, after))
    }

    fn of_group(
        &self,
        group: &Group,
        kind: FindingKind,
        state: FindingState,
        after: Option<Raw>,
    ) -> Finding {
        let about = About::group(group, after);
        finding(self.chain, self.lineage, group.before, kind, state, &about)
    }

    pub(crate) fn finding(&self, kind: FindingKind, state: FindingState, about: &About) -> Finding {
        let before = self.state.last.map(|last| (self.state.frame, last));
        finding(self.chain, self.lineage, before, kind, state, about)
    }
}
