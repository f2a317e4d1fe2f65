//! Appending inside a transaction: shared by the writer and by a replay in any process.

use rusqlite::Connection;

use crate::rows::{self, PackedBatch};
use crate::schema::{Totals, unsigned};
use crate::{Entry, Quarantined, quarantine};

/// An entry ready to be written.
pub(crate) struct Packed {
    pub(crate) batch: Option<PackedBatch>,
    pub(crate) items: Vec<Quarantined>,
}

impl Packed {
    /// Packs an entry.
    pub(crate) fn new(entry: Entry) -> Self {
        let (batch, items) = match entry {
            Entry::Batch(batch) => (Some(batch), Vec::new()),
            Entry::Quarantine(item) => (None, vec![item]),
            Entry::Mixed { batch, quarantine } => (batch, quarantine),
        };
        Self {
            batch: batch
                .filter(|batch| !batch.readings.is_empty())
                .map(PackedBatch::new),
            items,
        }
    }

    /// Roughly the bytes that it takes in the file.
    pub(crate) fn bytes(&self) -> usize {
        let batch = self
            .batch
            .as_ref()
            .map_or(0, |batch| batch.payload.len() + 64);
        let items = self.items.iter();
        batch
            + items
                .map(|item| item.payload.len() + item.detail.len() + 96)
                .sum::<usize>()
    }
}

/// Writes an entry and moves `totals` along. Answers the row's number; for an entry without
/// readings, the number of the last row.
pub(crate) fn append(
    connection: &Connection,
    totals: &mut Totals,
    entry: &Packed,
) -> Result<u64, rusqlite::Error> {
    if let Some(batch) = &entry.batch {
        rows::insert(connection, totals.seq + 1, totals.readings + 1, batch)?;
        totals.seq += 1;
        totals.readings += batch.readings;
    }
    for item in &entry.items {
        quarantine::insert(connection, totals.items + 1, item)?;
        totals.items += 1;
    }
    Ok(unsigned(totals.seq))
}
