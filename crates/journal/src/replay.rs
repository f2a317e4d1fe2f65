//! What a person does with the quarantine: list, replay, discard. Works beside a running writer.

use rusqlite::Connection;

use crate::append::{self, Packed};
use crate::head::HeadFile;
use crate::reader::write;
use crate::schema::{self, Sync, Totals};
use crate::{
    Entry, ItemState, JournalError, JournalReader, QuarantineFilter, QuarantineRow, quarantine,
};

impl JournalReader {
    /// Lists quarantined items.
    pub fn quarantine(
        &mut self,
        filter: &QuarantineFilter,
    ) -> Result<Vec<QuarantineRow>, JournalError> {
        self.refresh()?;
        Ok(quarantine::list(&self.connection, filter)?)
    }

    /// Appends what was decoded from the open item `id` and marks the item as replayed, both in one
    /// transaction. Answers the row of its readings.
    pub fn replay(&mut self, id: u64, decoded: Entry) -> Result<u64, JournalError> {
        self.refresh()?;
        let packed = Packed::new(decoded);
        // Numbers that were told to a reader must not come back after a power cut.
        schema::set_sync(&self.connection, Sync::Full)?;
        let outcome = self.try_replay(id, &packed);
        schema::set_sync(&self.connection, Sync::Normal)?;
        outcome
    }

    fn try_replay(&mut self, id: u64, packed: &Packed) -> Result<u64, JournalError> {
        let tx = write(&mut self.connection)?;
        open_item(&tx, id)?;
        let mut totals = Totals::read_or_derive(&tx)?;
        let seq = append::append(&tx, &mut totals, packed)?;
        quarantine::mark_replayed(&tx, id, seq)?;
        totals.replayed += 1;
        totals.write(&tx)?;
        tx.commit()?;
        HeadFile::open(&self.dir)?.write((&totals).into());
        Ok(seq)
    }

    /// Throws away the bytes of an open item. Its place in the count stays.
    pub fn discard(&mut self, id: u64) -> Result<(), JournalError> {
        self.refresh()?;
        let tx = write(&mut self.connection)?;
        let found = quarantine::find(&tx, id)?.ok_or(JournalError::NoSuchItem(id))?;
        let mut row = still_open(found)?;
        quarantine::empty(&tx, &mut row)?;
        let mut totals = Totals::read_or_derive(&tx)?;
        totals.discarded += 1;
        totals.write(&tx)?;
        tx.commit()?;
        Ok(())
    }
}

fn still_open(row: QuarantineRow) -> Result<QuarantineRow, JournalError> {
    let why = match row.state {
        ItemState::Open => return Ok(row),
        ItemState::Replayed { .. } => "it was replayed before",
        ItemState::Discarded => "it was discarded",
    };
    Err(JournalError::NotReplayable { id: row.id, why })
}

fn open_item(connection: &Connection, id: u64) -> Result<(), JournalError> {
    let found = quarantine::find(connection, id)?.ok_or(JournalError::NoSuchItem(id))?;
    let row = still_open(found)?;
    if row.intact {
        Ok(())
    } else {
        let why = "its bytes are damaged";
        Err(JournalError::NotReplayable { id, why })
    }
}
