//! What persons decided about readings in question.

use steward_model::{FindingKind, FindingState};

use crate::chain::{Chain, Lineage};
use crate::classify::{Confirmer, How, Sink};
use crate::evidence::About;
use crate::limits::{LimitsBase, Relation};
use crate::past::{Decided, Past, Verdict};
use crate::run::Read;

/// A decision about a reading: when it was made, of which service, and what was said.
pub(crate) type DecidedAt = (i64, usize, Decided);

impl Confirmer<'_> {
    /// What a person said about this reading; false where it says nothing here.
    pub(crate) fn decide<S: Sink>(
        &mut self,
        read: Read,
        decided: Decided,
        limits: &LimitsBase,
        sink: &mut S,
    ) -> bool {
        let raw = read.raw;
        let event = decided.event;
        let relation = self.state.last.map(|last| {
            let passed_ms = raw.at_ms - last.at_ms;
            let relation = limits.relation(last.register_base, read.base, passed_ms);
            match relation {
                Relation::Up if self.is_over_closing(last, read) => Relation::High,
                relation => relation,
            }
        });
        if decided.verdict == Verdict::Rollover && limits.modulus_base.is_none() {
            return false;
        }
        if let Some(run) = self.state.run.take() {
            sink.found(self.of_run(&run, FindingState::Decided(event), Some(raw)));
        }
        if let Verdict::Discard { until_ms } = decided.verdict {
            self.discard(raw, until_ms, event);
            return true;
        }
        let Some(relation) = relation else {
            self.confirm(raw, How::READ, Some(event), sink);
            return true;
        };
        let falls = matches!(relation, Relation::Jitter | Relation::Down);
        let kind = match (decided.verdict, relation) {
            (Verdict::Rollover, _) => Some(FindingKind::Rollover),
            (Verdict::Accept, Relation::Up) => None,
            (_, Relation::High) => Some(FindingKind::Rise),
            (_, Relation::Up) => Some(FindingKind::Reset),
            (_, Relation::Jitter | Relation::Down) => Some(FindingKind::Fall),
        };
        if let Some(kind) = kind {
            let state = FindingState::Decided(event);
            sink.found(self.finding(kind, state, &About::reading(raw, 0)));
        }
        match (decided.verdict, limits.modulus_base) {
            (Verdict::Rollover, Some(modulus)) => {
                self.rebase(-modulus, sink);
                let last = self.state.last.map_or(0, |last| last.register_base);
                if read.base < last {
                    self.break_off(sink);
                }
            }
            (Verdict::Restart, _) => self.break_off(sink),
            (Verdict::Accept, _) if falls => self.break_off(sink),
            _ => {}
        }
        self.confirm(raw, How::READ, Some(event), sink);
        true
    }

    pub(crate) fn decision(&self, at_ms: i64) -> Option<Decided> {
        let index = self.decisions.partition_point(|one| one.0 < at_ms);
        let mut at = self.decisions.get(index..)?.iter();
        at.find(|one| one.0 == at_ms && one.1 == self.state.service)
            .map(|one| one.2)
    }
}

/// The decisions about readings of the lineage, with the service that they concern.
pub(crate) fn decisions(chain: &Chain, lineage: &Lineage, past: &Past) -> Vec<DecidedAt> {
    let mut found: Vec<DecidedAt> = Vec::new();
    for (index, service) in lineage.services.iter().enumerate() {
        let key = |at_ms| (service.meter.clone(), chain.quantity, at_ms);
        let within = key(service.from_ms)..=key(lineage.last_ms(index));
        let of_service = past.decisions.range(within);
        found.extend(of_service.map(|((_, _, at_ms), decided)| (*at_ms, index, *decided)));
    }
    found.sort_by_key(|one| (one.0, one.1));
    found
}
