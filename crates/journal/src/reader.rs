//! Reading: from a cursor, around damage, in this process or another one.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use crate::error::{damaged, is_damage};
use crate::rows::{self, Scan};
use crate::schema::{self, Sync, Totals, signed, unsigned};
use crate::{Gap, GapCause, JournalCounts, JournalError, Stored, StoredBatch, files, holes};

/// How often [`JournalReader::wait_for_more`] looks.
const POLL: Duration = Duration::from_millis(10);

/// A connection of its own to the journal. Several may be open, in any number of processes.
#[derive(Debug)]
pub struct JournalReader {
    pub(crate) dir: PathBuf,
    pub(crate) connection: Connection,
    /// Device and inode of the open file. A salvage puts another one in its place.
    identity: (u64, u64),
    /// The row last delivered and the running number that follows its readings.
    position: Option<(i64, i64)>,
}

fn identity(dir: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(schema::database(dir))
        .ok()
        .map(|file| (file.dev(), file.ino()))
}

impl JournalReader {
    /// Opens the journal in `dir`. [`JournalError::Missing`] until a writer has made it.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let missing = || JournalError::Missing(dir.to_owned());
        let identity = identity(dir).ok_or_else(missing)?;
        // Cursors are hints, so they need no sync. A replay asks for its own.
        let connection = schema::connect(dir, false, Sync::Normal)?;
        if schema::version(&connection)? == 0 {
            return Err(missing());
        }
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Self {
            dir: dir.to_owned(),
            connection,
            identity,
            position: None,
        })
    }

    /// Follows a salvage: opens the file that stands in the place of the old one.
    pub(crate) fn refresh(&mut self) -> Result<(), JournalError> {
        if identity(&self.dir).is_some_and(|found| found != self.identity) {
            *self = Self::open(&self.dir)?;
        }
        Ok(())
    }

    /// What comes after row `seq`, in order, until there are `readings_max` readings. Missing rows
    /// come as a [`Gap`] before the next good one. Empty where nothing is new.
    ///
    /// A row whose checksum does not hold is such a gap. Where the structure of the file is broken
    /// nothing is skipped: the answer is [`JournalError::Damaged`] until the writer has salvaged.
    ///
    /// The transaction ends before this returns: the caller may take its time.
    pub fn read_after(
        &mut self,
        seq: u64,
        readings_max: usize,
    ) -> Result<Vec<Stored>, JournalError> {
        self.refresh()?;
        match self.try_read_after(signed(seq), readings_max) {
            Err(error) if is_damage(&error) => {
                tracing::error!(%error, "the journal's structure is broken: a salvage is asked for");
                files::mark_broken(&self.dir, &error.to_string());
                Err(JournalError::Damaged)
            }
            outcome => Ok(outcome?),
        }
    }

    fn try_read_after(
        &mut self,
        after: i64,
        readings_max: usize,
    ) -> Result<Vec<Stored>, rusqlite::Error> {
        let tx = self.connection.transaction()?;
        let totals = Totals::read_or_derive(&tx)?;
        if after >= totals.seq {
            return Ok(Vec::new());
        }
        let expected = match self.position {
            Some((seq, next)) if seq == after => Some(next),
            _ => expected_after(&tx, after, &totals)?,
        };
        let mut out = Collected {
            seq: after,
            expected,
            stored: Vec::new(),
        };
        if after < totals.reclaimed_seq {
            out.gap(
                totals.reclaimed_seq,
                totals.reclaimed_readings + 1,
                GapCause::Reclaimed,
            );
        }
        let scan = rows::scan(&tx, out.seq, totals.seq, readings_max.max(1))?;
        for &(first, last) in &scan.absent {
            if !holes::is_known(&tx, first, last)? {
                return Err(damaged("rows are hidden"));
            }
        }
        drop(tx);
        out.take(scan, &totals);
        self.position = out.expected.map(|next| (out.seq, next));
        self.note(&out.stored);
        Ok(out.stored)
    }

    /// Keeps what was found damaged, each reading once, for the counts. Damage is rare and the
    /// reading of the rest more important: a failure is told to the log only.
    fn note(&mut self, stored: &[Stored]) {
        for entry in stored {
            let Stored::Gap(gap) = entry else { continue };
            tracing::warn!(
                seq = gap.seq,
                readings = gap.readings,
                cause = ?gap.cause,
                "rows of the journal are missing"
            );
            if gap.cause == GapCause::Damaged
                && let Err(error) = self.note_damage(gap)
            {
                tracing::warn!(%error, "the damage could not be noted");
            }
        }
    }

    fn note_damage(&mut self, gap: &Gap) -> Result<(), rusqlite::Error> {
        let first = signed(gap.first_reading);
        let readings = signed(gap.readings);
        let tx = write(&mut self.connection)?;
        tx.execute(
            "DELETE FROM damage WHERE first_reading >= ? AND first_reading < ?",
            [first, first.saturating_add(readings)],
        )?;
        tx.execute(
            "INSERT OR REPLACE INTO damage VALUES (?, ?, ?)",
            [signed(gap.seq), first, readings],
        )?;
        tx.commit()
    }

    /// Tells that `reader` has passed everything up to row `seq` and that it is safe elsewhere, so
    /// that it may be reclaimed. The first call registers the reader.
    ///
    /// A reader that keeps its cursor elsewhere calls this once before it reads: should the journal
    /// have lost rows that the reader already passed, their numbers are not given again.
    pub fn move_cursor(&mut self, reader: &str, seq: u64) -> Result<(), JournalError> {
        self.refresh()?;
        let seq = signed(seq);
        let tx = write(&mut self.connection)?;
        tx.prepare_cached(
            "INSERT INTO cursor VALUES (?1, ?2, CAST(unixepoch('subsec') * 1000 AS INTEGER))
             ON CONFLICT (reader) DO UPDATE SET seq = excluded.seq, moved_at = excluded.moved_at",
        )?
        .execute(rusqlite::params![reader, seq])?;
        let mut totals = Totals::read_or_derive(&tx)?;
        if seq > totals.seq {
            tracing::error!(
                reader,
                cursor = seq,
                last = totals.seq,
                "a reader has passed rows that the journal does not have: its tail was lost"
            );
            holes::note(&tx, totals.seq + 1, seq)?;
            totals.seq = seq;
            totals.write(&tx)?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Where `reader` stands; `None` where it is not registered.
    pub fn cursor(&mut self, reader: &str) -> Result<Option<u64>, JournalError> {
        self.refresh()?;
        let seq: Option<i64> = self.connection.query_row(
            "SELECT max(seq) FROM cursor WHERE reader = ?",
            [reader],
            |row| row.get(0),
        )?;
        Ok(seq.map(unsigned))
    }

    /// Forgets a reader that will not come back. Until then nothing behind it is reclaimed.
    pub fn remove_cursor(&mut self, reader: &str) -> Result<(), JournalError> {
        self.refresh()?;
        let tx = write(&mut self.connection)?;
        tx.execute("DELETE FROM cursor WHERE reader = ?", [reader])?;
        tx.commit()?;
        Ok(())
    }

    /// The running number of the last reading up to row `seq`: what a reader that stands there has
    /// dealt with, damage included.
    pub fn readings_through(&mut self, seq: u64) -> Result<u64, JournalError> {
        self.refresh()?;
        let seq = signed(seq);
        let tx = self.connection.transaction()?;
        let totals = Totals::read_or_derive(&tx)?;
        if seq >= totals.seq {
            return Ok(unsigned(totals.readings));
        }
        if let Some(next) = expected_after(&tx, seq, &totals)? {
            return Ok(unsigned(next - 1));
        }
        // The row is gone: everything before the next good one was passed with it.
        let scan = rows::scan(&tx, seq, totals.seq, 1)?;
        Ok(scan
            .good
            .first()
            .map_or(unsigned(totals.readings), |row| row.first_reading - 1))
    }

    /// The counts, all from one moment.
    pub fn counts(&mut self) -> Result<JournalCounts, JournalError> {
        self.refresh()?;
        let tx = self.connection.transaction()?;
        let totals = Totals::read_or_derive(&tx)?;
        let damaged: i64 =
            tx.query_row("SELECT coalesce(sum(readings), 0) FROM damage", [], |row| {
                row.get(0)
            })?;
        Ok(JournalCounts::new(&totals, damaged))
    }

    /// Waits until there is something after row `seq`, at most `timeout`. True where there is.
    /// Blocks its thread.
    pub fn wait_for_more(&mut self, seq: u64, timeout: Duration) -> Result<bool, JournalError> {
        let deadline = Instant::now() + timeout;
        loop {
            self.refresh()?;
            let last = match Totals::read(&self.connection)? {
                Some(totals) => totals.seq,
                None => Totals::derive_seq(&self.connection)?,
            };
            if last > signed(seq) {
                return Ok(true);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            std::thread::sleep(left.min(POLL));
        }
    }
}

/// A transaction that will write: the lock is taken at once, so that it cannot fail half-way.
pub(crate) fn write(connection: &mut Connection) -> Result<Transaction<'_>, rusqlite::Error> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// The running number that the first reading after row `seq` has, where the journal still knows.
fn expected_after(
    connection: &Connection,
    seq: i64,
    totals: &Totals,
) -> Result<Option<i64>, rusqlite::Error> {
    if seq == 0 {
        return Ok(Some(1));
    }
    if seq == totals.reclaimed_seq {
        return Ok(Some(totals.reclaimed_readings + 1));
    }
    if let Some(row) = rows::one(connection, seq)? {
        return Ok(Some(next_reading(&row)));
    }
    // The row is lost; whoever passed it was told how many readings went with it.
    connection
        .prepare_cached("SELECT first_reading + readings FROM damage WHERE seq = ?")?
        .query_row([seq], |row| row.get(0))
        .optional()
}

/// The running number after a batch.
fn next_reading(row: &StoredBatch) -> i64 {
    signed(row.first_reading + row.batch.readings.len() as u64)
}

/// What `read_after` has so far, and the number that has to come next.
struct Collected {
    seq: i64,
    expected: Option<i64>,
    stored: Vec<Stored>,
}

impl Collected {
    /// Rows up to `seq` are missing; what follows begins at `next`.
    fn gap(&mut self, seq: i64, next: i64, cause: GapCause) {
        let first = self.expected.unwrap_or(next).min(next);
        self.stored.push(Stored::Gap(Gap {
            seq: unsigned(seq),
            first_reading: unsigned(first),
            readings: unsigned(next - first),
            cause,
        }));
        self.seq = seq;
        self.expected = Some(next);
    }

    fn take(&mut self, scan: Scan, totals: &Totals) {
        for row in scan.good {
            let seq = signed(row.seq);
            let first = signed(row.first_reading);
            if seq != self.seq + 1 {
                self.gap(seq - 1, first, GapCause::Damaged);
            }
            self.seq = seq;
            self.expected = Some(next_reading(&row));
            self.stored.push(Stored::Batch(row));
        }
        // The search went to the very end, and the last rows are missing.
        if scan.through == totals.seq && self.seq < totals.seq {
            self.gap(totals.seq, totals.readings + 1, GapCause::Damaged);
        }
    }
}
