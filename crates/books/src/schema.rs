//! The table of the books, and how a connection to it is set up.
//!
//! Rows are added and never touched: triggers refuse every change, so that neither a defect nor a
//! hand at the SQLite shell removes an event by mistake. Whoever takes the triggers away is seen by
//! the chain of hashes. `head` says where the chain ends, because a chain alone does not show that
//! its last links are gone.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::BooksError;

/// Format of the file; a newer one is refused.
const FORMAT: i64 = 1;
/// How long a writer waits for another process. An append takes milliseconds; a copy of the file
/// made by an operator may take longer.
const BUSY_MAX: Duration = Duration::from_secs(30);

const TABLES: &str = "
-- entered_at: milliseconds UTC. undoes: the event that this one takes back.
-- hash: SHA-256 of the hash before and of the row.
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY, entered_at INTEGER NOT NULL, by TEXT NOT NULL, reason TEXT NOT NULL,
    kind TEXT NOT NULL, event TEXT NOT NULL, undoes INTEGER UNIQUE, hash BLOB NOT NULL
) STRICT;
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash BLOB NOT NULL
) STRICT;
CREATE TRIGGER entry_is_not_changed BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'the books are append-only'); END;
CREATE TRIGGER entry_is_not_removed BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'the books are append-only'); END;
";

/// What a process does with the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Adds events. Makes the file where there is none.
    Write,
    /// Reads only. Where there is no file the books are empty.
    Read,
}

/// The folder of the books in a data folder.
pub fn books_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("books")
}

pub(crate) fn file_in(dir: &Path) -> PathBuf {
    dir.join("books.db")
}

/// Opens the file in `dir`; `None` where a reader finds no books yet.
pub(crate) fn open(dir: &Path, access: Access) -> Result<Option<Connection>, BooksError> {
    let path = file_in(dir);
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match access {
        Access::Write => {
            make_dir(dir)?;
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        Access::Read if !path.exists() => return Ok(None),
        Access::Read => {}
    }
    let mut connection =
        Connection::open_with_flags(&path, flags).map_err(BooksError::sqlite("open their file"))?;
    connection
        .busy_timeout(BUSY_MAX)
        .map_err(BooksError::sqlite("set their connection up"))?;
    match access {
        Access::Write => {
            set_up_writer(&connection)?;
            make_tables(&mut connection)?;
        }
        Access::Read => {
            connection
                .execute_batch("PRAGMA query_only=ON;")
                .map_err(BooksError::sqlite("set their connection up"))?;
            if !has_tables(&connection)? {
                return Ok(None);
            }
        }
    }
    Ok(Some(connection))
}

/// Makes the folder, and makes the folder's own entry durable.
fn make_dir(dir: &Path) -> Result<(), BooksError> {
    let failed = |source| BooksError::File {
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

fn set_up_writer(connection: &Connection) -> Result<(), BooksError> {
    turn_to_wal(connection)?;
    connection
        .execute_batch("PRAGMA synchronous=FULL;")
        .map_err(BooksError::sqlite("set their connection up"))?;
    let found: i64 = connection
        .query_row("PRAGMA synchronous", [], |row| row.get(0))
        .map_err(BooksError::sqlite("set their connection up"))?;
    if found == 2 {
        Ok(())
    } else {
        Err(BooksError::Setting {
            setting: "synchronous",
            found: found.to_string(),
            wanted: "2",
        })
    }
}

/// Turns the file to its write-ahead log. SQLite does not wait for a busy file here as it does
/// elsewhere: of several processes that open new books at the same time, all but one would fail.
fn turn_to_wal(connection: &Connection) -> Result<(), BooksError> {
    let give_up = Instant::now() + BUSY_MAX;
    loop {
        let mode =
            connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get::<_, String>(0));
        match mode.map_err(BooksError::sqlite("set their connection up")) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(found) => {
                return Err(BooksError::Setting {
                    setting: "journal_mode",
                    found,
                    wanted: "wal",
                });
            }
            Err(BooksError::Busy) if Instant::now() < give_up => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether the tables are there; not yet where another process is about to make them.
fn has_tables(connection: &Connection) -> Result<bool, BooksError> {
    let found: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(BooksError::sqlite("read their format"))?;
    match found {
        FORMAT => Ok(true),
        0 => Ok(false),
        found => Err(BooksError::Format {
            found,
            known: FORMAT,
        }),
    }
}

fn make_tables(connection: &mut Connection) -> Result<(), BooksError> {
    let failed = || BooksError::sqlite("make their tables");
    if has_tables(connection)? {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(failed())?;
    // Another process may have been faster.
    if has_tables(&transaction)? {
        return Ok(());
    }
    transaction.execute_batch(TABLES).map_err(failed())?;
    transaction
        .execute(
            "INSERT INTO head (one, seq, hash) VALUES (1, 0, ?1)",
            [crate::chain::BEGIN.as_slice()],
        )
        .map_err(failed())?;
    transaction
        .execute_batch(&format!("PRAGMA user_version={FORMAT}"))
        .map_err(failed())?;
    transaction.commit().map_err(failed())
}
