//! The tables of the working store, and how a connection to it is set up.
//!
//! Readings are clustered by (series, at): a range of one series is a range of pages, for the
//! ledger as for a chart. Amounts of intervals are one blob a (point, local day), because a day is
//! what is recomputed; days, months and years are rows. The outbox of readings is one blob a
//! commit; what no longer fits there becomes (series, UTC day) in `backlog` and is published from
//! the readings themselves. The outbox of the ledger holds keys only: what is published is what the
//! ledger says at that moment.
//!
//! The aggregator's connection writes with `synchronous=FULL`: after each commit the journal's
//! cursor moves, and what lies behind that cursor may be reclaimed, so it must be on the disk. With
//! commits of thousands of readings the sync costs about a tenth.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::StoreError;

/// Format of the file; a newer one is refused.
const FORMAT: i64 = 2;
/// How long a writer waits for another process, such as `steward influx publish --all`.
const BUSY_MAX: Duration = Duration::from_secs(60);
/// The write-ahead log is folded into the file at this many pages of 4 KiB: large enough that a
/// page that several commits touch is folded once, small enough to stay a fraction of the file.
const WAL_PAGES_MAX: u32 = 8_000;
/// What remains of the write-ahead log on the disk after it was folded in.
const WAL_BYTES_KEPT_MAX: u32 = 64 << 20;

/// What came in, and what waits.
const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE series (
    id INTEGER PRIMARY KEY, meter TEXT NOT NULL, quantity INTEGER NOT NULL,
    UNIQUE (meter, quantity)
) STRICT;
CREATE TABLE point (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
-- at: milliseconds UTC.
CREATE TABLE reading (
    series INTEGER NOT NULL, at INTEGER NOT NULL, value REAL NOT NULL, quality INTEGER NOT NULL,
    PRIMARY KEY (series, at)
) STRICT, WITHOUT ROWID;
-- The same key with another value. The first value stays; each other is kept and counted.
CREATE TABLE conflict (
    series INTEGER NOT NULL, at INTEGER NOT NULL, value REAL NOT NULL, quality INTEGER NOT NULL,
    times INTEGER NOT NULL,
    PRIMARY KEY (series, at, value)
) STRICT, WITHOUT ROWID;
-- What the aggregator set aside, by its place in the journal.
CREATE TABLE refused (
    seq INTEGER NOT NULL, item INTEGER NOT NULL, reason TEXT NOT NULL,
    meter TEXT, quantity INTEGER, at INTEGER, value REAL, quality INTEGER,
    PRIMARY KEY (seq, item)
) STRICT, WITHOUT ROWID;
-- Stretches of a series that the ledger has not seen, by the UTC day in which they begin. mark:
-- version.
CREATE TABLE dirty (
    series INTEGER NOT NULL, day INTEGER NOT NULL,
    from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, mark INTEGER NOT NULL,
    PRIMARY KEY (series, day)
) STRICT, WITHOUT ROWID;
-- Readings that wait for InfluxDB: one row a commit. lines: new readings in it.
CREATE TABLE outbox_reading (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, lines INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT;
-- Series-days whose readings wait for InfluxDB and are read from `reading` when their turn comes.
CREATE TABLE backlog (
    series INTEGER NOT NULL, day INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    lines INTEGER NOT NULL, mark INTEGER NOT NULL,
    PRIMARY KEY (series, day)
) STRICT, WITHOUT ROWID;
-- Ledger keys that wait for InfluxDB. Span 0 stands for what is within a day: start is the date,
-- first..last are the hours that changed. erase_from..erase_to: seconds in which something no
-- longer exists. seq: order and version.
CREATE TABLE outbox_ledger (
    point INTEGER NOT NULL, span INTEGER NOT NULL, start INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, erase_from INTEGER, erase_to INTEGER,
    at_ms INTEGER NOT NULL, seq INTEGER NOT NULL UNIQUE,
    PRIMARY KEY (point, span, start)
) STRICT, WITHOUT ROWID;
-- Lines that InfluxDB refuses for good.
CREATE TABLE publish_quarantine (
    bucket TEXT NOT NULL, line TEXT NOT NULL, reason TEXT NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (bucket, line)
) STRICT, WITHOUT ROWID;
";

/// What is computed. An upgrade drops these tables and makes them anew.
pub(super) const LEDGER_TABLES: &str = "
-- One local day of a point. date: days since 1970-01-01; ug: micrograms a base unit; prices: runs,
-- NULL where no interval has one.
CREATE TABLE day (
    point INTEGER NOT NULL, date INTEGER NOT NULL, start_s INTEGER NOT NULL,
    carry_at INTEGER, carry_base INTEGER, carry_manual INTEGER NOT NULL,
    kgce_ug INTEGER, co2_ug INTEGER, factor_set TEXT NOT NULL,
    intervals BLOB NOT NULL, prices BLOB, tariff_set TEXT NOT NULL,
    PRIMARY KEY (point, date)
) STRICT, WITHOUT ROWID;
-- Days, months and years. span: 2, 3, 4; cost_ncny: nano-yuan.
CREATE TABLE ledger (
    point INTEGER NOT NULL, span INTEGER NOT NULL, start_s INTEGER NOT NULL,
    measured INTEGER NOT NULL, interpolated INTEGER NOT NULL, estimated INTEGER NOT NULL,
    manual INTEGER NOT NULL, present INTEGER NOT NULL, expected INTEGER NOT NULL,
    kgce_ug INTEGER, co2_ug INTEGER, factor_set TEXT NOT NULL,
    cost_ncny INTEGER, tariff_set TEXT NOT NULL,
    PRIMARY KEY (point, span, start_s)
) STRICT, WITHOUT ROWID;
-- What is not plain counting, by point and the time of its first reading. Times: milliseconds UTC.
-- state: 0 by rule, 1 open, 2 decided by the event. A point may stand on several series in turn,
-- and one reading may begin two kinds of findings.
CREATE TABLE finding (
    point INTEGER NOT NULL, at INTEGER NOT NULL, series INTEGER NOT NULL, kind INTEGER NOT NULL,
    until INTEGER NOT NULL, held_out INTEGER NOT NULL,
    state INTEGER NOT NULL, event INTEGER,
    before_at INTEGER, before REAL, first_at INTEGER NOT NULL, first REAL NOT NULL,
    last_at INTEGER NOT NULL, last REAL NOT NULL, after_at INTEGER, after REAL,
    modulus REAL, resolution REAL, rise_max REAL, flowed REAL,
    PRIMARY KEY (point, at, series, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX finding_of_series ON finding (series, at);
CREATE INDEX finding_open ON finding (point) WHERE state = 1;
-- Stretches over which a rise was spread. rule: 0 evenly, 1 by shape; basis: dates, last excluded.
CREATE TABLE fill (
    point INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
    amount INTEGER NOT NULL, rule INTEGER NOT NULL, days INTEGER NOT NULL,
    basis_from INTEGER, basis_to INTEGER, by_temperature INTEGER NOT NULL,
    PRIMARY KEY (point, from_ms, to_ms)
) STRICT, WITHOUT ROWID;
";

/// The folder of the working store in a data folder.
pub fn store_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("store")
}

pub(crate) fn file_in(dir: &Path) -> PathBuf {
    dir.join("store.db")
}

/// How much a connection may do to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// The aggregator's: makes the file, every commit is on the disk when it returns.
    Writer,
    /// The publisher's: what it writes (rows that InfluxDB confirmed) may be lost in a power cut,
    /// because sending twice is harmless.
    Confirmer,
    /// Reads only.
    Reader,
}

impl Access {
    const fn cache_kib(self) -> u32 {
        match self {
            Self::Writer => 24 << 10,
            Self::Confirmer => 2 << 10,
            Self::Reader => 4 << 10,
        }
    }
}

/// Opens the file in `dir` and sets the connection up. A writer's file may still be empty or of an
/// earlier format: see [`bring_up`].
pub(crate) fn open(dir: &Path, access: Access) -> Result<Connection, StoreError> {
    let path = file_in(dir);
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if access == Access::Writer {
        make_dir(dir)?;
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    } else if !path.exists() {
        return Err(StoreError::Missing(path));
    }
    let connection =
        Connection::open_with_flags(&path, flags).map_err(StoreError::sqlite("open its file"))?;
    set_up(&connection, access)?;
    if access != Access::Writer {
        check_format(&connection, &path)?;
    }
    Ok(connection)
}

/// Makes the folder, and makes the folder's own entry durable.
fn make_dir(dir: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::File {
        path: dir.to_owned(),
        source,
    };
    if dir.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(dir).map_err(failed)?;
    match dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => std::fs::File::open(parent)
            .and_then(|folder| folder.sync_all())
            .map_err(failed),
        None => Ok(()),
    }
}

fn set_up(connection: &Connection, access: Access) -> Result<(), StoreError> {
    let failed = || StoreError::sqlite("set its connection up");
    connection.busy_timeout(BUSY_MAX).map_err(failed())?;
    let (synchronous, synchronous_code) = match access {
        Access::Writer => ("FULL", "2"),
        Access::Confirmer | Access::Reader => ("NORMAL", "1"),
    };
    if access == Access::Writer {
        expect(connection, "PRAGMA journal_mode=WAL", "journal_mode", "wal")?;
    }
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous={synchronous}; PRAGMA cache_size=-{}; \
             PRAGMA wal_autocheckpoint={WAL_PAGES_MAX}; \
             PRAGMA journal_size_limit={WAL_BYTES_KEPT_MAX}; PRAGMA temp_store=MEMORY;",
            access.cache_kib()
        ))
        .map_err(failed())?;
    expect(
        connection,
        "PRAGMA synchronous",
        "synchronous",
        synchronous_code,
    )?;
    if access == Access::Reader {
        connection
            .execute_batch("PRAGMA query_only=ON;")
            .map_err(failed())?;
    }
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn expect(
    connection: &Connection,
    pragma: &str,
    setting: &'static str,
    wanted: &'static str,
) -> Result<(), StoreError> {
    let value: rusqlite::types::Value = connection
        .query_row(pragma, [], |row| row.get(0))
        .map_err(StoreError::sqlite("set its connection up"))?;
    let found = match value {
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    if found == wanted {
        Ok(())
    } else {
        Err(StoreError::Setting {
            setting,
            found,
            wanted,
        })
    }
}

fn format_of(connection: &Connection) -> Result<i64, StoreError> {
    connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(StoreError::sqlite("read its format"))
}

fn check_format(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    match format_of(connection)? {
        FORMAT => Ok(()),
        // The aggregator has made the file and not yet its tables.
        0 => Err(StoreError::Missing(path.to_owned())),
        found @ 1..FORMAT => Err(StoreError::OldFormat {
            found,
            known: FORMAT,
        }),
        found => Err(StoreError::Format {
            found,
            known: FORMAT,
        }),
    }
}

/// Makes the tables where they are missing, and brings those of an earlier format up to date with
/// `upgrade`: a file is of one format or of the next, whenever the program ends.
pub(crate) fn bring_up(
    connection: &mut Connection,
    upgrade: impl FnOnce(&Connection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let failed = || StoreError::sqlite("make its tables");
    let transaction = match format_of(connection)? {
        FORMAT => return Ok(()),
        0 | 1 => super::begin(connection)?,
        found => {
            return Err(StoreError::Format {
                found,
                known: FORMAT,
            });
        }
    };
    // Another writer may have been faster.
    match format_of(&transaction)? {
        0 => transaction
            .execute_batch(TABLES)
            .and_then(|()| transaction.execute_batch(LEDGER_TABLES))
            .map_err(failed())?,
        1 => upgrade(&transaction)?,
        _ => return Ok(()),
    }
    transaction
        .execute_batch(&format!("PRAGMA user_version={FORMAT}"))
        .map_err(failed())?;
    transaction.commit().map_err(failed())
}
