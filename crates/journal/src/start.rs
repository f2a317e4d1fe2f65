//! Opening for writing: what the last process left is finished, checked, or salvaged, and it is
//! settled from which numbers the journal goes on.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior, ffi};

use crate::error::damaged;
use crate::head::{self, Head};
use crate::salvage::{finish, salvage};
use crate::schema::{self, Sync, Totals, highest};
use crate::{JournalError, files, holes};

/// Opens the journal for its one writer. Answers the connection, the totals from which numbers go
/// on, how many readings and items are known to be lost, and the lock.
pub(crate) fn open(dir: &Path) -> Result<(Connection, Totals, u64, File), JournalError> {
    if let Some(parent) = dir.parent().filter(|parent| *parent != Path::new("")) {
        files::make_dir(parent)?;
    }
    let lock = files::lock(dir)?;
    finish(dir)?;
    files::make_dir(dir)?;
    files::refuse_network(dir)?;
    if let Some(reason) = files::is_broken(dir) {
        salvage(dir, &reason)?;
    } else if is_orphaned(dir) {
        salvage(dir, "the database file is gone, its write-ahead log is not")?;
    }
    let (connection, totals, lost) = match prepare(dir) {
        Err(JournalError::Sqlite(error)) if is_salvageable(dir, &error) => {
            salvage(dir, &error.to_string())?;
            prepare(dir)?
        }
        outcome => outcome?,
    };
    Ok((connection, totals, lost, lock))
}

/// True where another, clean file would serve. A flip in the file's header has many faces: no
/// database, a broken schema, an unknown format, a file that may only be read.
fn is_salvageable(dir: &Path, error: &rusqlite::Error) -> bool {
    let Some(code) = error.sqlite_error() else {
        return true;
    };
    match code.extended_code & 0xff {
        ffi::SQLITE_FULL
        | ffi::SQLITE_BUSY
        | ffi::SQLITE_LOCKED
        | ffi::SQLITE_CANTOPEN
        | ffi::SQLITE_PERM
        | ffi::SQLITE_NOMEM => false,
        ffi::SQLITE_READONLY => {
            let database = schema::database(dir);
            File::options().write(true).open(database).is_ok()
        }
        _ => true,
    }
}

/// SQLite would take the log of a missing database for nothing and remove it.
fn is_orphaned(dir: &Path) -> bool {
    let length = |path: PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
    length(schema::database(dir)) == 0 && length(schema::wal(dir)) > 0
}

/// Opens the database, makes its tables, and settles from which numbers it goes on.
fn prepare(dir: &Path) -> Result<(Connection, Totals, u64), JournalError> {
    let mut connection = schema::connect(dir, true, Sync::Full)?;
    let tables = schema::tables(&connection)?;
    if tables.is_empty() {
        schema::create(&mut connection)?;
    } else if tables != schema::expected()? {
        // Tables that are not ours are a newer program's, if the version says so.
        schema::version(&connection)?;
        return Err(damaged("the schema is damaged").into());
    } else if schema::version(&connection).ok() != Some(schema::VERSION) {
        return Err(damaged("the version is damaged: the schema is this program's").into());
    }
    let (totals, lost) = settle(&mut connection, head::read(dir))?;
    Ok((connection, totals, lost))
}

/// Numbers go on above everything that was ever told: the rows, SQLite's own sequence, every
/// cursor and the head mark. What the head mark knows and the file does not is lost, and said.
pub(crate) fn settle(
    connection: &mut Connection,
    head: Head,
) -> Result<(Totals, u64), rusqlite::Error> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = Totals::read(&tx)?;
    let before = match found {
        Some(totals) => totals,
        None => Totals::derive(&tx)?,
    };
    let sequence = |table: &str| {
        let sql = format!(
            "SELECT coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = '{table}'), 0)"
        );
        highest(&tx, &sql)
    };
    let cursors = highest(&tx, "SELECT coalesce(max(seq), 0) FROM cursor")?;
    let mut totals = before;
    totals.seq = [
        before.seq,
        highest(&tx, "SELECT coalesce(max(seq), 0) FROM batch")?,
        sequence("batch")?,
        cursors,
        head.seq,
    ]
    .into_iter()
    .fold(0, i64::max);
    totals.readings = before.readings.max(head.readings);
    totals.items = before.items.max(sequence("quarantine")?).max(head.items);
    let items_lost = totals.items - before.items;
    totals.items_lost += items_lost;
    let lost = schema::unsigned(totals.readings - before.readings + items_lost);
    if totals.seq > before.seq || lost > 0 {
        tracing::error!(
            rows = totals.seq - before.seq,
            readings = totals.readings - before.readings,
            items = items_lost,
            "the tail of the journal was lost: readings that were received are missing"
        );
    }
    if totals.seq > before.seq {
        holes::note(&tx, before.seq + 1, totals.seq)?;
    }
    if found != Some(totals) {
        totals.write(&tx)?;
        tx.commit()?;
    }
    Ok((totals, lost))
}
