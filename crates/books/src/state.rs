//! What stands: the fold of all events, those that were taken back left out.
//!
//! An event that was taken back leaves no trace here: the state with the pair equals the state
//! without it. The fold is total, whatever the order of events; what may be entered at all is the
//! matter of `rules`.

use std::collections::BTreeMap;

use steward_model::{InstitutionId, MeterId, PointId, Quantity, UtcMs};

use crate::close::{Close, CloseState, MonthState};
use crate::event::{Decision, Entry, Event, HandReading, Invoice, Replacement, Verdict, Voided};
use crate::facts::{Facts, Place};

/// What stands now, or after any number of entries. Two states are equal when the same events
/// stand.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The last entry that was applied.
    seq: u64,
    /// Which event was taken back by which.
    undone: BTreeMap<u64, u64>,
    facts: Facts,
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.facts == other.facts
    }
}

impl State {
    /// The state after these entries, which are in the order of the books. What counts are the
    /// undoing events among them, so that the state after the first n entries is what stood then.
    pub fn of(entries: &[Entry]) -> Self {
        let mut state = Self::default();
        for entry in entries {
            state.apply(entry);
        }
        state
    }

    /// Applies the next entry.
    pub fn apply(&mut self, entry: &Entry) {
        self.seq = self.seq.max(entry.seq);
        match &entry.event {
            Event::Undone(undone) => {
                if self.facts.remove(undone.seq) {
                    self.undone.insert(undone.seq, entry.seq);
                }
            }
            event => self.facts.add(entry, event),
        }
    }

    /// The number of the last entry that it contains.
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Which event took this one back.
    pub fn undone_by(&self, seq: u64) -> Option<u64> {
        self.undone.get(&seq).copied()
    }

    /// Where a standing event is.
    pub(crate) fn place(&self, seq: u64) -> Option<&Place> {
        self.facts.standing.get(&seq)
    }

    /// Whether this event is one that took another back.
    pub(crate) fn is_undo(&self, seq: u64) -> bool {
        self.undone.values().any(|undo| *undo == seq)
    }

    /// Replacements by point and time.
    pub fn replacements(&self) -> Vec<(u64, &Replacement)> {
        let all = self.facts.replacements.iter();
        all.map(|((_, _, seq), one)| (*seq, one)).collect()
    }

    /// Replacements at a point by time.
    pub fn replacements_of(&self, point: &PointId) -> Vec<(u64, &Replacement)> {
        self.facts
            .replacements
            .range((point.clone(), UtcMs(i64::MIN), 0)..)
            .take_while(|((of, ..), _)| of == point)
            .map(|((_, _, seq), one)| (*seq, one))
            .collect()
    }

    /// The decisions that hold, by (meter, quantity, at). Of several on one key the latest holds;
    /// when it is taken back the one before it holds again.
    pub fn decisions(&self) -> Vec<(u64, &Decision)> {
        let mut holding: Vec<(u64, &Decision)> = Vec::new();
        for ((.., seq), one) in &self.facts.decisions {
            match holding.last_mut() {
                Some(last) if same_key(last.1, one) => *last = (*seq, one),
                _ => holding.push((*seq, one)),
            }
        }
        holding
    }

    /// Every standing decision on a key, oldest first: the last one holds.
    pub fn decisions_on(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at: UtcMs,
    ) -> Vec<(u64, &Decision)> {
        self.facts
            .decisions
            .range((meter.clone(), quantity, at, 0)..=(meter.clone(), quantity, at, u64::MAX))
            .map(|((.., seq), one)| (*seq, one))
            .collect()
    }

    /// The decision that holds on a key.
    pub fn decision(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at: UtcMs,
    ) -> Option<(u64, &Decision)> {
        self.decisions_on(meter, quantity, at).pop()
    }

    /// The stretches of a series that decisions discard, first and last millisecond included.
    pub fn discards_of(&self, meter: &MeterId, quantity: Quantity) -> Vec<(UtcMs, UtcMs)> {
        let first = (meter.clone(), quantity, UtcMs(i64::MIN), 0);
        let last = (meter.clone(), quantity, UtcMs(i64::MAX), u64::MAX);
        let mut holding: Vec<&Decision> = Vec::new();
        for one in self.facts.decisions.range(first..=last).map(|(_, one)| one) {
            match holding.last_mut() {
                Some(last) if same_key(last, one) => *last = one,
                _ => holding.push(one),
            }
        }
        let stretches = holding.into_iter();
        stretches
            .filter_map(|one| match one.verdict {
                Verdict::Discard { until } => Some((one.at, until)),
                Verdict::Accept | Verdict::Rollover | Verdict::Restart => None,
            })
            .collect()
    }

    /// Readings by hand by (meter, quantity, at).
    pub fn hand_readings(&self) -> Vec<(u64, &HandReading)> {
        let all = self.facts.hand_readings.iter();
        all.map(|((.., seq), one)| (*seq, one)).collect()
    }

    /// Readings by hand of a series by time, first and last millisecond included.
    pub fn hand_readings_of(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        from: UtcMs,
        to: UtcMs,
    ) -> Vec<(u64, &HandReading)> {
        if from > to {
            return Vec::new();
        }
        self.facts
            .hand_readings
            .range((meter.clone(), quantity, from, 0)..=(meter.clone(), quantity, to, u64::MAX))
            .map(|((.., seq), one)| (*seq, one))
            .collect()
    }

    /// Voided stretches by (meter, quantity, from).
    pub fn voided(&self) -> Vec<(u64, &Voided)> {
        let all = self.facts.voided.iter();
        all.map(|((.., seq), one)| (*seq, one)).collect()
    }

    /// Voided stretches of a series by their begin.
    pub fn voided_of(&self, meter: &MeterId, quantity: Quantity) -> Vec<(u64, &Voided)> {
        let first = (meter.clone(), quantity, UtcMs(i64::MIN), 0);
        let last = (meter.clone(), quantity, UtcMs(i64::MAX), u64::MAX);
        self.facts
            .voided
            .range(first..=last)
            .map(|((.., seq), one)| (*seq, one))
            .collect()
    }

    /// Invoices by (account, number).
    pub fn invoices(&self) -> Vec<(u64, &Invoice)> {
        let all = self.facts.invoices.iter();
        all.map(|((_, _, seq), one)| (*seq, one)).collect()
    }

    /// Invoices of an account by number.
    pub fn invoices_of(&self, account: &str) -> Vec<(u64, &Invoice)> {
        self.facts
            .invoices
            .range((account.to_owned(), String::new(), 0)..)
            .take_while(|((of, ..), _)| of == account)
            .map(|((_, _, seq), one)| (*seq, one))
            .collect()
    }

    /// Every proposal that stands and what became of it, in the order of the books.
    pub fn closes(&self) -> &[Close] {
        &self.facts.closes
    }

    /// The proposal of this number.
    pub fn close(&self, proposal: u64) -> Option<&Close> {
        self.facts
            .place_of(proposal)
            .ok()
            .and_then(|index| self.facts.closes.get(index))
    }

    /// Every proposal for a month, in the order of the books.
    pub fn closes_of(&self, institution: &InstitutionId, month: &str) -> Vec<&Close> {
        let key = (institution.clone(), month.to_owned());
        let proposals = self.facts.months.get(&key).into_iter().flatten();
        proposals.filter_map(|one| self.close(*one)).collect()
    }

    /// The close that holds for a month.
    pub fn closed(&self, institution: &InstitutionId, month: &str) -> Option<&Close> {
        let mut closes = self.closes_of(institution, month).into_iter();
        closes.find(|close| close.state == CloseState::Closed)
    }

    /// The proposal that waits for a checker.
    pub fn pending(&self, institution: &InstitutionId, month: &str) -> Option<&Close> {
        let mut closes = self.closes_of(institution, month).into_iter();
        closes.find(|close| close.state == CloseState::Provisional)
    }

    /// The closes that hold of an institution, by month.
    pub fn closed_months(&self, institution: &InstitutionId) -> Vec<&Close> {
        self.facts
            .months
            .range((institution.clone(), String::new())..)
            .take_while(|((of, _), _)| of == institution)
            .filter_map(|((_, month), _)| self.closed(institution, month))
            .collect()
    }

    /// Where a month stands.
    pub fn month_state(&self, institution: &InstitutionId, month: &str) -> MonthState {
        if self.closed(institution, month).is_some() {
            MonthState::Closed
        } else if self.pending(institution, month).is_some() {
            MonthState::Provisional
        } else {
            MonthState::Open
        }
    }
}

fn same_key(a: &Decision, b: &Decision) -> bool {
    (&a.meter, a.quantity, a.at) == (&b.meter, b.quantity, b.at)
}
