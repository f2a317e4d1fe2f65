//! What the books refuse by themselves: the form of an event, and what stands already. Judged
//! inside the appending transaction, so that two processes cannot enter what excludes each other.

mod close;
mod form;

use crate::Refusal;
use crate::event::{Decision, Event, HandReading, Invoice, Replacement, Undone, Voided};
use crate::facts::Place;
use crate::state::State;

/// Who may have a name of this length in the books.
const BY_CHARS_MAX: usize = 100;
/// The longest reason.
const REASON_CHARS_MAX: usize = 500;

/// Judges who enters it and why.
pub(crate) fn signature(by: &str, reason: &str) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let texts = [
        ("by", by, BY_CHARS_MAX, "say who enters it"),
        ("reason", reason, REASON_CHARS_MAX, "say why in a few words"),
    ];
    for (place, text, chars_max, hint) in texts {
        let expected = || format!("1 to {chars_max} characters");
        if text.trim().is_empty() {
            refusals.push(Refusal::new(place, "(empty)", expected()).hint(hint));
        } else if text.chars().count() > chars_max {
            refusals.push(Refusal::new(place, text, expected()));
        }
    }
    if by.chars().any(char::is_control) {
        refusals.push(Refusal::new("by", by, "a name without control characters"));
    }
    refusals
}

/// Judges an event that `by` wants to enter after what stands.
pub(crate) fn event(state: &State, by: &str, event: &Event) -> Vec<Refusal> {
    let mut refusals = form::of(event);
    match event {
        Event::MeterReplaced(one) => replacement(state, one, &mut refusals),
        Event::ReviewDecided(one) => decision(state, one, &mut refusals),
        Event::HandReading(one) => hand_reading(state, one, &mut refusals),
        Event::ReadingsVoided(one) => voided(state, one, &mut refusals),
        Event::InvoiceEntered(one) => invoice(state, one, &mut refusals),
        Event::CloseProposed(one) => close::proposal(state, one, &mut refusals),
        Event::CloseApproved(one) => close::approval(state, by, one, &mut refusals),
        Event::CloseRejected(one) => close::rejection(state, one, &mut refusals),
        Event::Undone(one) => undone(state, one, &mut refusals),
    }
    refusals
}

/// One meter at a time stands at a point: each pair of its replacements must agree on the order.
fn replacement(state: &State, new: &Replacement, refusals: &mut Vec<Refusal>) {
    for (seq, other) in state.replacements_of(&new.point) {
        if other.at == new.at {
            refusals.push(
                Refusal::new("at", new.at.0, "an instant without another replacement")
                    .hint(format!("event {seq} stands at this instant: undo it first")),
            );
            continue;
        }
        let (first, second) = if other.at < new.at {
            (other, new)
        } else {
            (new, other)
        };
        if let Some(why) = disorder(first, second) {
            refusals.push(
                Refusal::new(
                    "at",
                    new.at.0,
                    "replacements that leave one meter at a time at the point",
                )
                .hint(format!("beside event {seq}: {why}")),
            );
        }
    }
}

/// Why two replacements at one point, in the order of time, cannot both be.
fn disorder(first: &Replacement, second: &Replacement) -> Option<String> {
    let left = (first.old_meter != first.new_meter).then_some(&first.old_meter);
    let comes = (second.old_meter != second.new_meter).then_some(&second.new_meter);
    if left == Some(&second.old_meter) {
        let meter = &second.old_meter;
        Some(format!("`{meter}` has left already when it is to leave"))
    } else if left == Some(&second.new_meter) {
        let meter = &second.new_meter;
        Some(format!("`{meter}` has left and cannot come again"))
    } else if comes.is_some_and(|meter| *meter == first.old_meter || *meter == first.new_meter) {
        let meter = &second.new_meter;
        Some(format!("`{meter}` stands there before it comes"))
    } else {
        None
    }
}

fn decision(state: &State, new: &Decision, refusals: &mut Vec<Refusal>) {
    if let Some((seq, standing)) = state.decision(&new.meter, new.quantity, new.at)
        && standing.verdict == new.verdict
    {
        refusals.push(
            Refusal::new("verdict", form::verdict_id(new.verdict), "another verdict")
                .hint(format!("event {seq} says the same already")),
        );
    }
}

fn hand_reading(state: &State, new: &HandReading, refusals: &mut Vec<Refusal>) {
    let standing = state.hand_readings_of(&new.meter, new.quantity, new.at, new.at);
    if let Some((seq, one)) = standing.first() {
        refusals.push(
            Refusal::new("at", new.at.0, "an instant without another reading by hand").hint(
                format!(
                    "event {seq} says {} at this instant: undo it first",
                    one.value
                ),
            ),
        );
    }
}

fn voided(state: &State, new: &Voided, refusals: &mut Vec<Refusal>) {
    let standing = state.voided_of(&new.meter, new.quantity);
    if let Some((seq, _)) = standing
        .iter()
        .find(|(_, one)| one.from <= new.from && new.to <= one.to)
    {
        refusals.push(
            Refusal::new("from", new.from.0, "a stretch that still counts")
                .hint(format!("event {seq} voids all of it already")),
        );
    }
}

fn invoice(state: &State, new: &Invoice, refusals: &mut Vec<Refusal>) {
    for (seq, other) in state.invoices_of(&new.account) {
        if other.number == new.number {
            refusals.push(
                Refusal::new(
                    "number",
                    &new.number,
                    "a number not yet entered for the account",
                )
                .hint(format!(
                    "it is event {seq}: undo that one to enter it again"
                )),
            );
        } else if new.from < other.to && other.from < new.to {
            refusals.push(
                Refusal::new(
                    "from",
                    format!("{}..{}", new.from, new.to),
                    "days that no other invoice of the account covers",
                )
                .hint(format!(
                    "invoice `{}` (event {seq}) covers {} until before {}",
                    other.number, other.from, other.to
                )),
            );
        }
    }
}

fn undone(state: &State, new: &Undone, refusals: &mut Vec<Refusal>) {
    let mut refuse = |expected: &str, hint: String| {
        refusals.push(Refusal::new("seq", new.seq, expected).hint(hint));
    };
    let Some(place) = state.place(new.seq) else {
        if let Some(undo) = state.undone_by(new.seq) {
            refuse("an event that stands", format!("event {undo} took it back"));
        } else if state.is_undo(new.seq) {
            refuse(
                "an event that is no undoing itself",
                "enter the first event again".to_owned(),
            );
        } else {
            let last = state.seq();
            refuse("the number of an event", format!("the last one is {last}"));
        }
        return;
    };
    match place {
        Place::Replacement(point, at) => {
            let mut others = state.replacements_of(point).into_iter();
            if let Some((seq, _)) = others.rfind(|(_, other)| other.at > *at) {
                refuse(
                    "the latest replacement at its point",
                    format!("event {seq} rests on it: undo that one first"),
                );
            }
        }
        Place::Proposal => close::undo_proposal(state, new.seq, &mut refuse),
        Place::Rejection(proposal) => close::undo_rejection(state, *proposal, &mut refuse),
        Place::Approval(_) => refuse(
            "an event that may be taken back",
            "a closed month stays closed: propose a revision".to_owned(),
        ),
        Place::Decision(..) | Place::HandReading(..) | Place::Voided(..) | Place::Invoice(..) => {}
    }
}
