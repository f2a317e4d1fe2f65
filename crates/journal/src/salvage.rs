//! What is done with a journal that cannot be trusted.
//!
//! After a failed disk the page cache is not believed: a failed sync leaves pages marked clean
//! that never reached the disk. Every row is read by its number and checked, the good ones go into
//! a journal in a new folder, and that one takes the old one's place by renaming folders, so that
//! no write-ahead log ever meets a database that is not its own. The old folder stays for a person.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

use crate::error::damaged;
use crate::files::{self, beside, failed};
use crate::head::{self, Head, HeadFile};
use crate::rows::{self, PackedBatch};
use crate::schema::{self, Sync, Totals, highest, signed};
use crate::start::settle;
use crate::{ItemState, JournalError, QuarantineFilter, holes, pages, quarantine};

/// Readings in one step of copying.
const STEP_READINGS: usize = 50_000;
/// Quarantined items in one step of copying.
const STEP_ITEMS: usize = 256;

/// Puts a salvaged journal in its place, where the last process was ended in between.
pub(crate) fn finish(dir: &Path) -> Result<(), JournalError> {
    let salvaged = beside(dir, ".salvaged");
    if !salvaged.exists() {
        return Ok(());
    }
    if dir.exists() {
        let mut number = 1;
        while beside(dir, &format!(".broken-{number}")).exists() {
            number += 1;
        }
        let old = beside(dir, &format!(".broken-{number}"));
        std::fs::rename(dir, &old).map_err(failed("move away", dir))?;
        tracing::warn!(folder = %old.display(), "the broken journal stays here for a person");
    }
    std::fs::rename(&salvaged, dir).map_err(failed("put in place", &salvaged))?;
    files::sync_parent(dir)
}

/// Copies what holds into a new folder and puts it in the place of the old one.
pub(crate) fn salvage(dir: &Path, reason: &str) -> Result<(), JournalError> {
    tracing::error!(
        reason,
        "the journal is salvaged: every row is read and checked"
    );
    let part = beside(dir, ".salvaging");
    if part.exists() {
        std::fs::remove_dir_all(&part).map_err(failed("remove", &part))?;
    }
    files::make_dir(&part)?;
    let mut new = schema::connect(&part, true, Sync::Full)?;
    schema::create(&mut new)?;
    let head = head::read(dir);
    let mut copied = match Old::open(dir) {
        Ok(old) => old.copy(&mut new, head)?,
        Err(error) => {
            tracing::error!(%error, "the database cannot be read as one");
            0
        }
    };
    if !is_complete(&new, head)? {
        copied += search_pages(dir, &mut new)?;
    }
    let (totals, _) = settle(&mut new, head)?;
    let tx = new.transaction_with_behavior(TransactionBehavior::Immediate)?;
    holes::note_all(&tx, &totals)?;
    tx.commit()?;
    new.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    drop(new);
    HeadFile::open(&part)?.write((&totals).into());
    files::sync_dir(&part)?;
    let salvaged = beside(dir, ".salvaged");
    std::fs::rename(&part, &salvaged).map_err(failed("rename", &part))?;
    files::sync_parent(dir)?;
    tracing::warn!(rows = copied, "salvaged");
    finish(dir)
}

/// True where no number is missing that the totals or the head mark know.
fn is_complete(new: &Connection, head: Head) -> Result<bool, rusqlite::Error> {
    let totals = Totals::read_or_derive(new)?;
    let rows = highest(new, "SELECT count(*) FROM batch")?;
    let items = highest(new, "SELECT count(*) FROM quarantine")?;
    let known = totals.seq > 0;
    Ok(known
        && rows >= totals.seq.max(head.seq) - totals.reclaimed_seq
        && items >= totals.items.max(head.items))
}

/// Adds what stands in the pages and could not be reached. Answers how many rows.
fn search_pages(dir: &Path, new: &mut Connection) -> Result<u64, JournalError> {
    let tx = new.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut totals = Totals::read(&tx)?.unwrap_or_default();
    let has = |sql: &str, number: i64| -> Result<bool, rusqlite::Error> {
        tx.prepare_cached(sql)?.exists([number])
    };
    let mut added = 0;
    pages::search(dir, |number, columns| {
        if let Some(row) = rows::from_columns(number, columns) {
            if number > totals.reclaimed_seq && !has("SELECT 1 FROM batch WHERE seq = ?", number)? {
                let packed = PackedBatch::new(row.batch);
                rows::insert(&tx, number, signed(row.first_reading), &packed)?;
                added += 1;
            }
        } else if let Some(item) = quarantine::from_columns(number, columns)
            && !has("SELECT 1 FROM quarantine WHERE id = ?", number)?
        {
            quarantine::copy(&tx, &item)?;
        }
        Ok(())
    })?;
    let derived = Totals::derive(&tx)?;
    totals.seq = totals.seq.max(derived.seq);
    totals.readings = totals.readings.max(derived.readings);
    totals.items = totals.items.max(derived.items);
    totals.items_lost = totals.items - highest(&tx, "SELECT count(*) FROM quarantine")?;
    totals.replayed = derived.replayed;
    totals.discarded = derived.discarded;
    totals.write(&tx)?;
    tx.commit()?;
    Ok(added)
}

/// The journal that is not trusted.
struct Old {
    connection: Connection,
    totals: Option<Totals>,
}

impl Old {
    fn open(dir: &Path) -> Result<Self, JournalError> {
        let connection = schema::connect(dir, false, Sync::Normal)?;
        // The old folder stays as it was found.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        if schema::tables(&connection)? != schema::expected()? {
            return Err(damaged("the schema is damaged").into());
        }
        let totals = Totals::read(&connection).unwrap_or_default();
        Ok(Self { connection, totals })
    }

    /// Copies all that holds. Answers how many rows.
    fn copy(&self, new: &mut Connection, head: Head) -> Result<u64, JournalError> {
        let rows = self.copy_rows(new, head)?;
        let tx = new.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (replayed, discarded) = self.copy_items(&tx, head)?;
        // These are hints and notes: what cannot be read of them is done without.
        let cursors = self.copy_numbers(
            &tx,
            "SELECT reader, seq, moved_at FROM cursor",
            |tx, row| {
                let reader: String = row.get(0)?;
                let (seq, moved_at): (i64, i64) = (row.get(1)?, row.get(2)?);
                tx.execute(
                    "INSERT INTO cursor VALUES (?, ?, ?)",
                    rusqlite::params![reader, seq, moved_at],
                )
            },
        );
        let damage = self.copy_numbers(
            &tx,
            "SELECT seq, first_reading, readings FROM damage",
            |tx, row| {
                let numbers: [i64; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
                tx.execute("INSERT INTO damage VALUES (?, ?, ?)", numbers)
            },
        );
        for error in [cursors, damage].into_iter().filter_map(Result::err) {
            tracing::warn!(%error, "cursors or notes of damage could not all be read");
        }
        self.totals(&tx, replayed, discarded)?.write(&tx)?;
        tx.commit()?;
        Ok(rows)
    }

    /// The totals of the copy: as the old one knew them, with the items that are there.
    fn totals(
        &self,
        tx: &Connection,
        replayed: i64,
        discarded: i64,
    ) -> Result<Totals, rusqlite::Error> {
        let derived = Totals::derive(tx)?;
        let present = highest(tx, "SELECT count(*) FROM quarantine")?;
        let mut totals = self.totals.unwrap_or(derived);
        totals.seq = totals.seq.max(derived.seq);
        totals.readings = totals.readings.max(derived.readings);
        totals.items = totals.items.max(derived.items);
        totals.items_lost = totals.items - present;
        totals.replayed = replayed;
        totals.discarded = discarded;
        Ok(totals)
    }

    fn copy_rows(&self, new: &mut Connection, head: Head) -> Result<u64, JournalError> {
        let last = highest(&self.connection, "SELECT coalesce(max(seq), 0) FROM batch");
        let upto = head
            .seq
            .max(self.totals.map_or(0, |totals| totals.seq))
            .max(last.unwrap_or(0));
        let mut through = self.totals.map_or(0, |totals| totals.reclaimed_seq);
        let mut copied = 0;
        while through < upto {
            let scan = rows::scan_around(&self.connection, through, upto, STEP_READINGS)?;
            through = scan.through;
            let tx = new.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for row in scan.good {
                let packed = PackedBatch::new(row.batch);
                rows::insert(&tx, signed(row.seq), signed(row.first_reading), &packed)?;
                copied += 1;
            }
            tx.commit()?;
        }
        Ok(copied)
    }

    /// Answers how many of the copied items were replayed and discarded.
    fn copy_items(&self, tx: &Connection, head: Head) -> Result<(i64, i64), JournalError> {
        let upto = head.items.max(self.totals.map_or(0, |totals| totals.items));
        let (mut replayed, mut discarded) = (0, 0);
        let mut after = 0;
        loop {
            let filter = QuarantineFilter {
                after_id: after,
                closed_too: true,
                limit: STEP_ITEMS,
                ..QuarantineFilter::default()
            };
            let items = match quarantine::list(&self.connection, &filter) {
                Ok(items) if items.is_empty() => break,
                Ok(items) => {
                    after = items.last().map_or(after, |item| item.id);
                    items
                }
                // Behind a broken place the items are asked for one by one.
                Err(_) if signed(after) < upto => {
                    after += 1;
                    let found = quarantine::find(&self.connection, after);
                    found.ok().flatten().into_iter().collect()
                }
                Err(_) => break,
            };
            for item in &items {
                quarantine::copy(tx, item)?;
                match item.state {
                    ItemState::Open => {}
                    ItemState::Replayed { .. } => replayed += 1,
                    ItemState::Discarded => discarded += 1,
                }
            }
        }
        Ok((replayed, discarded))
    }

    fn copy_numbers(
        &self,
        tx: &Connection,
        sql: &str,
        insert: impl Fn(&Connection, &rusqlite::Row<'_>) -> Result<usize, rusqlite::Error>,
    ) -> Result<(), rusqlite::Error> {
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            insert(tx, row)?;
        }
        Ok(())
    }
}
