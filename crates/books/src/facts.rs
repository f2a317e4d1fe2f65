//! Where standing events are kept, and how one comes in and goes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use steward_model::{InstitutionId, MeterId, PointId, Quantity, UtcMs};

use crate::close::{Close, CloseState};
use crate::event::{
    CloseProposal, Decision, Entry, Event, HandReading, Invoice, Replacement, Voided,
};
use crate::prices::ClosedPrices;

/// A series, an instant, and the number of the event.
pub(crate) type SeriesAt = (MeterId, Quantity, UtcMs, u64);

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    /// Where each standing event is.
    pub(crate) standing: BTreeMap<u64, Place>,
    pub(crate) replacements: BTreeMap<(PointId, UtcMs, u64), Replacement>,
    pub(crate) decisions: BTreeMap<SeriesAt, Decision>,
    pub(crate) hand_readings: BTreeMap<SeriesAt, HandReading>,
    pub(crate) voided: BTreeMap<SeriesAt, Voided>,
    pub(crate) invoices: BTreeMap<(String, String, u64), Invoice>,
    /// By the number of the proposal.
    pub(crate) closes: Vec<Close>,
    /// Proposals of a month, ascending.
    pub(crate) months: BTreeMap<(InstitutionId, String), Vec<u64>>,
    /// What was said about a proposal, by the number of the verdict.
    verdicts: BTreeMap<u64, BTreeMap<u64, Said>>,
}

/// Where an event is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Place {
    Replacement(PointId, UtcMs),
    Decision(MeterId, Quantity, UtcMs),
    HandReading(MeterId, Quantity, UtcMs),
    Voided(MeterId, Quantity, UtcMs),
    Invoice(String, String),
    Proposal,
    Approval(u64),
    Rejection(u64),
}

#[derive(Clone, Debug, PartialEq)]
struct Said {
    approved: bool,
    by: String,
    at: UtcMs,
}

impl Facts {
    pub(crate) fn add(&mut self, entry: &Entry, event: &Event) {
        let seq = entry.seq;
        let place = match event {
            Event::MeterReplaced(one) => {
                self.replacements
                    .insert((one.point.clone(), one.at, seq), one.clone());
                Place::Replacement(one.point.clone(), one.at)
            }
            Event::ReviewDecided(one) => {
                let (meter, quantity, at) = (one.meter.clone(), one.quantity, one.at);
                self.decisions
                    .insert((meter.clone(), quantity, at, seq), one.clone());
                Place::Decision(meter, quantity, at)
            }
            Event::HandReading(one) => {
                let (meter, quantity, at) = (one.meter.clone(), one.quantity, one.at);
                self.hand_readings
                    .insert((meter.clone(), quantity, at, seq), one.clone());
                Place::HandReading(meter, quantity, at)
            }
            Event::ReadingsVoided(one) => {
                let (meter, quantity, from) = (one.meter.clone(), one.quantity, one.from);
                self.voided
                    .insert((meter.clone(), quantity, from, seq), one.clone());
                Place::Voided(meter, quantity, from)
            }
            Event::InvoiceEntered(one) => {
                let (account, number) = (one.account.clone(), one.number.clone());
                self.invoices
                    .insert((account.clone(), number.clone(), seq), one.clone());
                Place::Invoice(account, number)
            }
            Event::CloseProposed(one) => {
                self.propose(entry, one);
                Place::Proposal
            }
            Event::CloseApproved(one) => {
                self.say(entry, one.proposal, true);
                Place::Approval(one.proposal)
            }
            Event::CloseRejected(one) => {
                self.say(entry, one.proposal, false);
                Place::Rejection(one.proposal)
            }
            // `State::apply` takes these.
            Event::Undone(_) => return,
        };
        self.standing.insert(seq, place);
    }

    /// Takes a standing event out; answers whether it stood.
    pub(crate) fn remove(&mut self, seq: u64) -> bool {
        let Some(place) = self.standing.remove(&seq) else {
            return false;
        };
        match place {
            Place::Replacement(point, at) => {
                self.replacements.remove(&(point, at, seq));
            }
            Place::Decision(meter, quantity, at) => {
                self.decisions.remove(&(meter, quantity, at, seq));
            }
            Place::HandReading(meter, quantity, at) => {
                self.hand_readings.remove(&(meter, quantity, at, seq));
            }
            Place::Voided(meter, quantity, from) => {
                self.voided.remove(&(meter, quantity, from, seq));
            }
            Place::Invoice(account, number) => {
                self.invoices.remove(&(account, number, seq));
            }
            Place::Proposal => self.withdraw(seq),
            Place::Approval(proposal) | Place::Rejection(proposal) => self.unsay(seq, proposal),
        }
        true
    }

    pub(crate) fn place_of(&self, proposal: u64) -> Result<usize, usize> {
        self.closes
            .binary_search_by_key(&proposal, |close| close.proposal)
    }

    fn propose(&mut self, entry: &Entry, proposal: &CloseProposal) {
        let key = (proposal.institution.clone(), proposal.month.clone());
        let close = Close {
            institution: proposal.institution.clone(),
            month: proposal.month.clone(),
            revision: proposal.revision,
            state: CloseState::Provisional,
            proposal: entry.seq,
            proposed_by: entry.by.clone(),
            proposed_at: entry.entered_at,
            reason: entry.reason.clone(),
            verdict: None,
            decided_by: None,
            decided_at: None,
            closed_at: None,
            content_sha256: proposal.content_sha256.clone(),
            content: proposal.content.clone(),
            checklist: proposal.checklist.clone(),
            prices: ClosedPrices::in_content(&proposal.content).map(Arc::new),
        };
        let (Ok(index) | Err(index)) = self.place_of(entry.seq);
        self.closes.insert(index, close);
        let proposals = self.months.entry(key.clone()).or_default();
        proposals.push(entry.seq);
        proposals.sort_unstable();
        self.settle(&key);
    }

    fn withdraw(&mut self, proposal: u64) {
        let Ok(index) = self.place_of(proposal) else {
            return;
        };
        let close = self.closes.remove(index);
        let key = (close.institution, close.month);
        if let Some(proposals) = self.months.get_mut(&key) {
            proposals.retain(|one| *one != proposal);
            if proposals.is_empty() {
                self.months.remove(&key);
            }
        }
        self.settle(&key);
    }

    fn say(&mut self, entry: &Entry, proposal: u64, approved: bool) {
        let said = Said {
            approved,
            by: entry.by.clone(),
            at: entry.entered_at,
        };
        let about = self.verdicts.entry(proposal).or_default();
        about.insert(entry.seq, said);
        self.settle_month_of(proposal);
    }

    fn unsay(&mut self, seq: u64, proposal: u64) {
        if let Some(about) = self.verdicts.get_mut(&proposal) {
            about.remove(&seq);
            if about.is_empty() {
                self.verdicts.remove(&proposal);
            }
        }
        self.settle_month_of(proposal);
    }

    fn settle_month_of(&mut self, proposal: u64) {
        if let Ok(index) = self.place_of(proposal)
            && let Some(close) = self.closes.get(index)
        {
            let key = (close.institution.clone(), close.month.clone());
            self.settle(&key);
        }
    }

    /// Sets the states of a month's proposals: the first word about a proposal counts, and of the
    /// approved ones the one that was approved last holds.
    fn settle(&mut self, key: &(InstitutionId, String)) {
        let proposals = self.months.get(key).cloned().unwrap_or_default();
        let mut holds: Option<(u64, usize)> = None;
        for proposal in proposals {
            let Ok(index) = self.place_of(proposal) else {
                continue;
            };
            let word = self
                .verdicts
                .get(&proposal)
                .and_then(BTreeMap::first_key_value);
            let Some(close) = self.closes.get_mut(index) else {
                continue;
            };
            close.verdict = word.map(|(seq, _)| *seq);
            close.decided_by = word.map(|(_, said)| said.by.clone());
            close.decided_at = word.map(|(_, said)| said.at);
            close.closed_at = word
                .filter(|(_, said)| said.approved)
                .map(|(_, said)| said.at);
            close.state = match word {
                None => CloseState::Provisional,
                Some((_, said)) if !said.approved => CloseState::Rejected,
                Some((seq, _)) => {
                    if holds.is_none_or(|(latest, _)| latest < *seq) {
                        holds = Some((*seq, index));
                    }
                    CloseState::Superseded
                }
            };
        }
        if let Some((_, index)) = holds
            && let Some(close) = self.closes.get_mut(index)
        {
            close.state = CloseState::Closed;
        }
    }
}
