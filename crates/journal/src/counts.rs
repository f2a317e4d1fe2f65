//! The counts that prove that nothing is missing.

use crate::schema::{Totals, unsigned};

/// What the journal holds, read in one transaction. See the crate's page for the equation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalCounts {
    /// Readings and items received since the journal was made.
    pub received: u64,
    /// Of these, readings in batches: the last running number of readings.
    pub readings: u64,
    /// Of these, quarantined items: the last running number of items.
    pub items: u64,
    /// The last row.
    pub last_seq: u64,
    /// Items that wait for a person.
    pub quarantined_open: u64,
    /// Items that were replayed.
    pub replayed: u64,
    /// Items whose bytes a person discarded.
    pub discarded: u64,
    /// Items that were lost with the disk.
    pub items_lost: u64,
    /// Readings that readers found to be lost, each once.
    pub damaged: u64,
    /// The last row that was removed to make room.
    pub reclaimed_seq: u64,
}

impl JournalCounts {
    pub(crate) fn new(totals: &Totals, damaged: i64) -> Self {
        let open = totals.items - totals.items_lost - totals.replayed - totals.discarded;
        Self {
            received: unsigned(totals.readings + totals.items),
            readings: unsigned(totals.readings),
            items: unsigned(totals.items),
            last_seq: unsigned(totals.seq),
            quarantined_open: unsigned(open),
            replayed: unsigned(totals.replayed),
            discarded: unsigned(totals.discarded),
            items_lost: unsigned(totals.items_lost),
            damaged: unsigned(damaged),
            reclaimed_seq: unsigned(totals.reclaimed_seq),
        }
    }
}
