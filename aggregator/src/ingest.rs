//! Pages of the journal become readings of the store, or are set aside with a reason.
//!
//! The journal is read again after a crash and by a rebuilt store, so what is decided here depends
//! on the journal and the registry alone, never on the time of day.

use steward_config::Config;
use steward_journal::{Gap, GapCause, Reason, Stored, StoredBatch};
use steward_model::{Kind, Reading, UtcMs};
use steward_store::RefusedReading;

use crate::plan::Plan;
use steward_ledger::register::register_base;

/// The first instant of 2000 in UTC. A time before is a clock that was never set.
const EARLIEST: UtcMs = UtcMs(946_684_800_000);

/// The word under which a reading is set aside that the journal can no longer read.
const DAMAGED: &str = "damaged";

/// Readings of a damaged stretch that are set aside in one commit.
const DAMAGED_MAX: u64 = 50_000;

/// What one commit of the store takes.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) readings: Vec<Reading>,
    pub(crate) refused: Vec<RefusedReading>,
    /// The journal's batch to which this page leads.
    pub(crate) cursor: u64,
    /// The running number of the last reading in it.
    pub(crate) accounted: u64,
}

/// Sorts the entries of the journal into pages. Usually it is one; a large damaged stretch makes
/// more, so that none of them is larger than memory allows.
pub(crate) fn sort(
    config: &Config,
    plan: &Plan,
    entries: Vec<Stored>,
    cursor: u64,
    accounted: u64,
) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut page = Page {
        cursor,
        accounted,
        ..Page::default()
    };
    for entry in entries {
        match entry {
            Stored::Batch(batch) => take(config, plan, batch, &mut page),
            Stored::Gap(gap) => set_damage_aside(&gap, &mut page, &mut pages),
        }
    }
    pages.push(page);
    pages
}

fn take(config: &Config, plan: &Plan, stored: StoredBatch, page: &mut Page) {
    let StoredBatch {
        seq,
        first_reading,
        batch,
    } = stored;
    let future_max_ms = config.settings.ledger.future_max_s.saturating_mul(1_000);
    let latest = UtcMs(batch.received_at.0.saturating_add(future_max_ms));
    let count = batch.readings.len() as u64;
    for (item, reading) in (0..).zip(batch.readings) {
        match judge(plan, &reading, latest) {
            None => page.readings.push(reading),
            Some(reason) => page.refused.push(RefusedReading {
                seq,
                item,
                reason: reason.id().to_owned(),
                reading: Some(reading),
            }),
        }
    }
    page.cursor = seq;
    page.accounted = page
        .accounted
        .max((first_reading + count).saturating_sub(1));
}

/// Why a reading cannot be placed; `None` where it can.
fn judge(plan: &Plan, reading: &Reading, latest: UtcMs) -> Option<Reason> {
    let Some(meter) = plan.meters.get(&reading.meter) else {
        return Some(Reason::UnknownMeter);
    };
    if !meter.quantities.contains(&reading.quantity) {
        return Some(Reason::UnknownQuantity);
    }
    if reading.at < EARLIEST {
        return Some(Reason::TooOld);
    }
    if reading.at > latest {
        return Some(Reason::Future);
    }
    let is_counter = reading.quantity.kind() == Kind::Counter;
    if is_counter && register_base(reading.value.get(), meter.ratio_max).is_err() {
        return Some(Reason::OutOfRange);
    }
    None
}

/// Every reading that the journal lost on the disk is counted. What it reclaimed had been taken
/// over before, and counts as stored.
fn set_damage_aside(gap: &Gap, page: &mut Page, pages: &mut Vec<Page>) {
    if gap.cause == GapCause::Damaged {
        let mut item = 0;
        while u64::from(item) < gap.readings {
            page.refused.push(RefusedReading {
                seq: gap.seq,
                item,
                reason: DAMAGED.to_owned(),
                reading: None,
            });
            item += 1;
            if page.refused.len() as u64 == DAMAGED_MAX {
                // The cursor stays before the gap until all of it is set aside.
                let rest = Page {
                    cursor: page.cursor,
                    accounted: page.accounted,
                    ..Page::default()
                };
                pages.push(std::mem::replace(page, rest));
            }
        }
    }
    page.cursor = gap.seq;
    if gap.readings > 0 {
        page.accounted = page.accounted.max(gap.first_reading + gap.readings - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(readings: u64, cause: GapCause) -> Gap {
        Gap {
            seq: 9,
            first_reading: 101,
            readings,
            cause,
        }
    }

    #[test]
    fn a_large_damage_is_set_aside_in_pieces_and_passed_at_last() {
        let mut page = Page {
            cursor: 5,
            accounted: 100,
            ..Page::default()
        };
        let mut pages = Vec::new();
        set_damage_aside(&gap(120_000, GapCause::Damaged), &mut page, &mut pages);
        let places: Vec<(u64, usize)> = pages
            .iter()
            .map(|page| (page.cursor, page.refused.len()))
            .collect();
        assert_eq!(places, [(5, 50_000), (5, 50_000)]);
        assert_eq!((page.cursor, page.refused.len()), (9, 20_000));
        assert_eq!(page.accounted, 120_100);
        let items: std::collections::HashSet<u32> = pages
            .iter()
            .chain([&page])
            .flat_map(|page| page.refused.iter().map(|refused| refused.item))
            .collect();
        assert_eq!(
            items.len(),
            120_000,
            "every lost reading has a place of its own"
        );
    }

    #[test]
    fn what_the_journal_reclaimed_was_stored_before() {
        let (mut page, mut pages) = (Page::default(), Vec::new());
        set_damage_aside(&gap(7, GapCause::Reclaimed), &mut page, &mut pages);
        assert!(pages.is_empty() && page.refused.is_empty());
        assert_eq!((page.cursor, page.accounted), (9, 107));
    }
}
