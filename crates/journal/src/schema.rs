//! The database file: its tables, the settings on which the promises rest, and the totals.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::JournalError;

/// The version in `user_version`.
pub(crate) const VERSION: i64 = 1;

/// How long a connection waits for another one's lock before it tells.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// One row of `batch` is one batch. `seq` never repeats, `first_reading` is a running number from
/// one, so the gap between two rows tells how many readings are missing.
///
/// `total` is the authority on numbers, read and written inside each appending transaction, so
/// that a replay in another process and the writer can never give the same number twice.
///
/// `hole` has the numbers that are known to have no row: jumped over after a loss, or not found by
/// a salvage. Any other missing row is a broken structure. `damage` has what readers found lost.
///
/// Rows of `quarantine` are never deleted: a discarded one loses its bytes and keeps its place in
/// the count.
const TABLES: &str = "
CREATE TABLE batch (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at   INTEGER NOT NULL,
    gateway       TEXT    NOT NULL,
    gateway_boot  INTEGER,
    gateway_seq   INTEGER,
    first_reading INTEGER NOT NULL,
    readings      INTEGER NOT NULL,
    crc32c        INTEGER NOT NULL,
    payload       BLOB    NOT NULL
) STRICT;

CREATE TABLE cursor (
    reader   TEXT PRIMARY KEY,
    seq      INTEGER NOT NULL,
    moved_at INTEGER NOT NULL
) STRICT;

CREATE TABLE quarantine (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at INTEGER NOT NULL,
    gateway     TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    crc32c      INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    replayed_as INTEGER,
    payload     BLOB    NOT NULL
) STRICT;

CREATE TABLE damage (
    seq           INTEGER PRIMARY KEY,
    first_reading INTEGER NOT NULL,
    readings      INTEGER NOT NULL
) STRICT;

CREATE TABLE hole (
    first_seq INTEGER PRIMARY KEY,
    last_seq  INTEGER NOT NULL
) STRICT;

CREATE TABLE total (
    one                INTEGER PRIMARY KEY CHECK (one = 1),
    seq                INTEGER NOT NULL,
    readings           INTEGER NOT NULL,
    items              INTEGER NOT NULL,
    items_lost         INTEGER NOT NULL,
    replayed           INTEGER NOT NULL,
    discarded          INTEGER NOT NULL,
    reclaimed_seq      INTEGER NOT NULL,
    reclaimed_readings INTEGER NOT NULL,
    crc32c             INTEGER NOT NULL
) STRICT;
";

/// The file of the journal in `dir`.
pub(crate) fn database(dir: &Path) -> PathBuf {
    dir.join("journal.db")
}

/// The write-ahead log of the journal in `dir`.
pub(crate) fn wal(dir: &Path) -> PathBuf {
    dir.join("journal.db-wal")
}

/// How a connection treats the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    /// A commit has returned when its bytes are on the disk.
    Full,
    /// A commit survives a kill but not surely a power cut. Enough for cursors, which are hints.
    Normal,
}

/// Opens the database and checks every setting by reading it back. Makes no tables.
pub(crate) fn connect(dir: &Path, create: bool, sync: Sync) -> Result<Connection, JournalError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    let connection = Connection::open_with_flags(database(dir), flags)?;
    connection.busy_timeout(BUSY_WAIT)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(JournalError::Setting {
            setting: "journal_mode",
            found: mode,
            needed: "wal",
        });
    }
    set_sync(&connection, sync)?;
    // Checkpoints are the writer's own work: SQLite's automatic one swallows a failed sync.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", 16 << 20)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// Sets `synchronous` and reads it back.
pub(crate) fn set_sync(connection: &Connection, sync: Sync) -> Result<(), JournalError> {
    let (number, needed) = match sync {
        Sync::Full => (2, "2 (FULL)"),
        Sync::Normal => (1, "1 (NORMAL)"),
    };
    connection.pragma_update(None, "synchronous", number)?;
    let found: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    if found != number {
        return Err(JournalError::Setting {
            setting: "synchronous",
            found: found.to_string(),
            needed,
        });
    }
    Ok(())
}

/// The version of the file; zero where it has no tables yet.
pub(crate) fn version(connection: &Connection) -> Result<i64, JournalError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > VERSION {
        return Err(JournalError::Version {
            found,
            known: VERSION,
        });
    }
    Ok(found)
}

/// The tables as the file describes them, as bytes: damage need not be text.
pub(crate) fn tables(connection: &Connection) -> Result<Vec<Vec<u8>>, rusqlite::Error> {
    let mut statement = connection.prepare(
        "SELECT CAST(type || name || tbl_name || coalesce(sql, '') AS BLOB) FROM sqlite_schema",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect()
}

/// The tables as they have to be.
pub(crate) fn expected() -> Result<Vec<Vec<u8>>, rusqlite::Error> {
    let memory = Connection::open_in_memory()?;
    memory.execute_batch(TABLES)?;
    tables(&memory)
}

/// The number that a query answers.
pub(crate) fn highest(connection: &Connection, sql: &str) -> Result<i64, rusqlite::Error> {
    connection.query_row(sql, [], |row| row.get(0))
}

/// Makes the tables in one transaction.
pub(crate) fn create(connection: &mut Connection) -> Result<(), JournalError> {
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    tx.execute_batch(TABLES)?;
    Totals::default().write(&tx)?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()?;
    Ok(())
}

/// The journal's numbers as the file holds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// The last row's number.
    pub(crate) seq: i64,
    /// The last running number of readings.
    pub(crate) readings: i64,
    /// The last running number of quarantined items.
    pub(crate) items: i64,
    /// Items that had a number and are no longer there.
    pub(crate) items_lost: i64,
    /// Items that were replayed.
    pub(crate) replayed: i64,
    /// Items whose bytes a person discarded.
    pub(crate) discarded: i64,
    /// Rows up to here were removed to make room.
    pub(crate) reclaimed_seq: i64,
    /// The running number of the last reading in those rows.
    pub(crate) reclaimed_readings: i64,
}

impl Totals {
    fn numbers(&self) -> [i64; 8] {
        [
            self.seq,
            self.readings,
            self.items,
            self.items_lost,
            self.replayed,
            self.discarded,
            self.reclaimed_seq,
            self.reclaimed_readings,
        ]
    }

    fn crc(&self) -> u32 {
        self.numbers().iter().fold(0, |crc, number| {
            crc32c::crc32c_append(crc, &number.to_le_bytes())
        })
    }

    /// The totals, or `None` where the row is missing or damaged.
    pub(crate) fn read(connection: &Connection) -> Result<Option<Self>, rusqlite::Error> {
        let mut statement = connection.prepare_cached(
            "SELECT seq, readings, items, items_lost, replayed, discarded, reclaimed_seq,
                    reclaimed_readings, crc32c FROM total",
        )?;
        let found = statement
            .query_row([], |row| {
                let totals = Self {
                    seq: row.get(0)?,
                    readings: row.get(1)?,
                    items: row.get(2)?,
                    items_lost: row.get(3)?,
                    replayed: row.get(4)?,
                    discarded: row.get(5)?,
                    reclaimed_seq: row.get(6)?,
                    reclaimed_readings: row.get(7)?,
                };
                Ok((totals, row.get::<_, i64>(8)?))
            })
            .optional()?;
        Ok(found.and_then(|(totals, crc)| (i64::from(totals.crc()) == crc).then_some(totals)))
    }

    /// The totals; where they are damaged, what the rows themselves still tell.
    pub(crate) fn read_or_derive(connection: &Connection) -> Result<Self, rusqlite::Error> {
        match Self::read(connection)? {
            Some(totals) => Ok(totals),
            None => Self::derive(connection),
        }
    }

    /// The last row's number by the rows themselves.
    pub(crate) fn derive_seq(connection: &Connection) -> Result<i64, rusqlite::Error> {
        connection.query_row("SELECT coalesce(max(seq), 0) FROM batch", [], |row| {
            row.get(0)
        })
    }

    /// What the rows themselves tell. The lost and reclaimed are taken from the first row's number.
    pub(crate) fn derive(connection: &Connection) -> Result<Self, rusqlite::Error> {
        let (seq, readings) = connection
            .query_row(
                "SELECT seq, first_reading + readings - 1 FROM batch ORDER BY seq DESC LIMIT 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?
            .unwrap_or_default();
        let (reclaimed_seq, reclaimed_readings) = connection
            .query_row(
                "SELECT seq - 1, first_reading - 1 FROM batch ORDER BY seq LIMIT 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?
            .unwrap_or_default();
        let (items, present, replayed, discarded): (i64, i64, i64, i64) = connection.query_row(
            "SELECT coalesce(max(id), 0), count(*), coalesce(sum(state = 1), 0),
                    coalesce(sum(state = 2), 0) FROM quarantine",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
        Ok(Self {
            seq,
            readings,
            items,
            items_lost: items - present,
            replayed,
            discarded,
            reclaimed_seq,
            reclaimed_readings,
        })
    }

    /// Writes the totals.
    pub(crate) fn write(&self, connection: &Connection) -> Result<(), rusqlite::Error> {
        let [a, b, c, d, e, f, g, h] = self.numbers();
        connection
            .prepare_cached("INSERT OR REPLACE INTO total VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
            .execute(rusqlite::params![
                a,
                b,
                c,
                d,
                e,
                f,
                g,
                h,
                i64::from(self.crc())
            ])?;
        Ok(())
    }
}

/// Pages in use and their size.
pub(crate) fn used_bytes(connection: &Connection) -> Result<u64, rusqlite::Error> {
    let read = |sql| -> Result<i64, rusqlite::Error> {
        connection
            .prepare_cached(sql)?
            .query_row([], |row| row.get(0))
    };
    let pages = read("PRAGMA page_count")? - read("PRAGMA freelist_count")?;
    Ok(unsigned(pages.saturating_mul(read("PRAGMA page_size")?)))
}

/// A number of the file as an unsigned one. Below zero is damage and becomes zero.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A number of the outside as the file has it.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
