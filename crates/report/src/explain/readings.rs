//! The readings of a series as the kernel takes them: with those by hand, without the voided.

use std::collections::BTreeMap;

use steward_books::State;
use steward_ledger::{Decided, Past, Raw, Replaced, Verdict};
use steward_model::{MeterId, Quantity, ReadingQuality, UtcMs};
use steward_store::{Source, StoreError};

/// Readings of one question.
const PAGE_READINGS: usize = 50_000;

/// What the books say, in the words of the kernel.
pub(super) fn past_of(state: &State) -> Past {
    let replacements = state.replacements().into_iter();
    let decisions = state.decisions().into_iter();
    Past {
        replacements: replacements
            .map(|(event, one)| Replaced {
                point: one.point.clone(),
                at_ms: one.at.0,
                old_meter: one.old_meter.clone(),
                old_last: one.old_last,
                new_meter: one.new_meter.clone(),
                new_first: one.new_first,
                others: one
                    .others
                    .iter()
                    .map(|other| (other.quantity, other.old_last, other.new_first))
                    .collect(),
                event,
            })
            .collect(),
        decisions: decisions
            .map(|(event, one)| {
                let verdict = match one.verdict {
                    steward_books::Verdict::Accept => Verdict::Accept,
                    steward_books::Verdict::Rollover => Verdict::Rollover,
                    steward_books::Verdict::Restart => Verdict::Restart,
                    steward_books::Verdict::Discard { until } => {
                        Verdict::Discard { until_ms: until.0 }
                    }
                };
                let key = (one.meter.clone(), one.quantity, one.at.0);
                (key, Decided { verdict, event })
            })
            .collect::<BTreeMap<_, _>>(),
    }
}

/// Readings of a stretch.
#[derive(Clone, Debug, Default)]
pub(super) struct Stretch {
    /// What may count, ascending, one an instant.
    pub(super) raws: Vec<Raw>,
    /// The times of those that are voided.
    pub(super) voided: Vec<i64>,
}

/// The readings of a series from `from_ms` to `to_ms`, both included.
pub(super) async fn stretch(
    source: &Source,
    state: &State,
    meter: &MeterId,
    quantity: Quantity,
    (from_ms, to_ms): (i64, i64),
) -> Result<Stretch, StoreError> {
    let voids = state.voided_of(meter, quantity);
    let is_void = |at: UtcMs| voids.iter().any(|(_, one)| one.from <= at && at <= one.to);
    let mut found = Stretch::default();
    let mut from = UtcMs(from_ms);
    let to = UtcMs(to_ms.saturating_add(1));
    while from < to {
        let page = source
            .readings(meter, quantity, from, to, PAGE_READINGS)
            .await?;
        for reading in &page {
            if is_void(reading.at) {
                found.voided.push(reading.at.0);
            } else {
                found.raws.push(Raw {
                    at_ms: reading.at.0,
                    value: reading.value.get(),
                    manual: reading.quality == ReadingQuality::Manual,
                });
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE_READINGS => from = UtcMs(last.at.0 + 1),
            _ => break,
        }
    }
    // Of two notes of one instant the later entry holds; a meter's own reading stays before both.
    let mut by_hand: BTreeMap<i64, f64> = BTreeMap::new();
    let mut notes = state.hand_readings_of(meter, quantity, UtcMs(from_ms), UtcMs(to_ms));
    notes.sort_by_key(|(event, _)| *event);
    by_hand.extend(notes.iter().map(|(_, one)| (one.at.0, one.value)));
    if !by_hand.is_empty() {
        found
            .raws
            .extend(by_hand.into_iter().map(|(at_ms, value)| Raw {
                at_ms,
                value,
                manual: true,
            }));
        found.raws.sort_by_key(|raw| raw.at_ms);
        found.raws.dedup_by_key(|raw| raw.at_ms);
    }
    Ok(found)
}
