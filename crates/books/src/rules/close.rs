//! Maker and checker: which proposals, verdicts and undoings the books take.

use crate::Refusal;
use crate::close::{Close, CloseState};
use crate::event::{CloseProposal, CloseVerdict};
use crate::state::State;

pub(super) fn proposal(state: &State, new: &CloseProposal, refusals: &mut Vec<Refusal>) {
    let closed = state.closed(&new.institution, &new.month);
    let next = closed.map_or(1, |close| close.revision.saturating_add(1));
    if new.revision != next {
        let hint = match closed {
            Some(close) => format!("revision {} is closed", close.revision),
            None => "the month is not closed yet".to_owned(),
        };
        refusals.push(Refusal::new("revision", new.revision, next.to_string()).hint(hint));
    }
    if let Some(pending) = state.pending(&new.institution, &new.month) {
        refusals.push(
            Refusal::new("month", &new.month, "a month without a waiting proposal").hint(format!(
                "proposal {} waits for the checker: let it be approved or rejected, or undo it",
                pending.proposal
            )),
        );
    }
}

pub(super) fn approval(state: &State, by: &str, new: &CloseVerdict, refusals: &mut Vec<Refusal>) {
    let Some(close) = waiting(state, new, refusals) else {
        return;
    };
    if same_person(&close.proposed_by, by) {
        refusals.push(
            Refusal::new("by", by, "another person than the maker")
                .hint(format!("`{}` proposed it", close.proposed_by)),
        );
    }
    let next = state
        .closed(&close.institution, &close.month)
        .map_or(1, |closed| closed.revision.saturating_add(1));
    if close.revision != next {
        refusals.push(
            Refusal::new("proposal", new.proposal, format!("revision {next}"))
                .hint("another revision was closed since: propose again"),
        );
    }
}

pub(super) fn rejection(state: &State, new: &CloseVerdict, refusals: &mut Vec<Refusal>) {
    waiting(state, new, refusals);
}

/// The proposal, if it waits for a verdict.
fn waiting<'a>(
    state: &'a State,
    new: &CloseVerdict,
    refusals: &mut Vec<Refusal>,
) -> Option<&'a Close> {
    let mut refuse = |expected: &str, hint: String| {
        refusals.push(Refusal::new("proposal", new.proposal, expected).hint(hint));
        None
    };
    match state.close(new.proposal) {
        None => match state.undone_by(new.proposal) {
            Some(undo) => refuse(
                "a proposal that stands",
                format!("event {undo} took it back"),
            ),
            None => refuse(
                "the number of a proposal to close",
                "the list of closes has them".to_owned(),
            ),
        },
        Some(close) if close.state == CloseState::Provisional => Some(close),
        Some(close) => {
            let by = close.decided_by.as_deref().unwrap_or_default();
            let hint = format!("it is {}, by `{by}`", close.state.id());
            refuse("a proposal that waits for a verdict", hint)
        }
    }
}

/// Names that differ in case or in white space around them are one person.
fn same_person(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

pub(super) fn undo_proposal(state: &State, seq: u64, refuse: &mut impl FnMut(&str, String)) {
    if let Some(close) = state.close(seq)
        && close.state != CloseState::Provisional
    {
        refuse(
            "a proposal that waits for a verdict",
            format!("it is {}", close.state.id()),
        );
    }
}

pub(super) fn undo_rejection(state: &State, proposal: u64, refuse: &mut impl FnMut(&str, String)) {
    let Some(close) = state.close(proposal) else {
        return;
    };
    let closes = state.closes_of(&close.institution, &close.month);
    if let Some(later) = closes.iter().find(|other| other.proposal > proposal) {
        refuse(
            "the rejection of the latest proposal for its month",
            format!("proposal {} followed it", later.proposal),
        );
    }
}
