//! What can go wrong, told apart by what the caller does about it.

use std::path::PathBuf;

/// Why a journal could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is no journal in the folder yet. A reader that starts first tries again.
    #[error("there is no journal in {0}")]
    Missing(PathBuf),
    /// Another process writes this journal.
    #[error(
        "another process writes the journal in {0}: stop it, or give this one its own data folder"
    )]
    InUse(PathBuf),
    /// The write-ahead log needs shared memory, which network file systems do not give.
    #[error("{dir} is on {kind}, a network file system: the journal needs a local disk")]
    NetworkFileSystem {
        /// The folder.
        dir: PathBuf,
        /// What the file system is called.
        kind: &'static str,
    },
    /// The file was written by a newer program.
    #[error("the journal has version {found}, this program knows {known}: run the newer program")]
    Version {
        /// The version in the file.
        found: i64,
        /// The newest version that this program reads.
        known: i64,
    },
    /// SQLite did not take a setting on which the promises rest.
    #[error("SQLite answered `{found}` to {setting}, needed is `{needed}`")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// What SQLite answered.
        found: String,
        /// What the journal needs.
        needed: &'static str,
    },
    /// A folder or file beside the database failed.
    #[error("{what} {path}: {source}")]
    File {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// There is no quarantined item of this number.
    #[error("there is no quarantined item {0}")]
    NoSuchItem(u64),
    /// The quarantined item is damaged, or was replayed or discarded before.
    #[error("the quarantined item {id} cannot be replayed: {why}")]
    NotReplayable {
        /// The item.
        id: u64,
        /// Why.
        why: &'static str,
    },
    /// The writer has stopped.
    #[error("the journal is closed")]
    Closed,
    /// The file's structure is broken. A salvage is asked for: the writer stops, and its next
    /// start brings back what holds. A reader tries again later; nothing was skipped.
    #[error("the journal's file is damaged: its writer's next start salvages it")]
    Damaged,
    /// SQLite failed.
    #[error("the journal's database: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// Why an entry was not acknowledged. Nothing of it will be found in the journal, unless the
/// process is killed in between: then it may be there, though nobody was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// There is no room. The entry may be given again; the journal works again by itself.
    #[error("the journal is full")]
    Full,
    /// The writer was stopped.
    #[error("the journal is closed")]
    Closed,
    /// The disk failed. Nothing is acknowledged any more; the process has to end.
    #[error("the journal's disk failed")]
    Broken,
}

/// What an error of SQLite means for the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No room; reclaim and go on.
    Full,
    /// Another connection holds the lock; try again.
    Busy,
    /// The disk lies or the file is damaged; stop.
    Broken,
}

/// Judges an error on the write path. What is not known to be harmless is taken as broken.
pub(crate) fn judge(error: &rusqlite::Error) -> Trouble {
    use rusqlite::ffi;
    let Some(code) = error.sqlite_error() else {
        return Trouble::Broken;
    };
    match code.extended_code & 0xff {
        ffi::SQLITE_FULL => Trouble::Full,
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => Trouble::Busy,
        // The index of the write-ahead log could not grow: no room, and nothing was written.
        _ if code.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Trouble::Full,
        _ => Trouble::Broken,
    }
}

/// True where the file's content is damaged, so that reading around the place may help. A value
/// of a type that its column cannot have is damage, too.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::{Error, ffi};
    match error.sqlite_error() {
        Some(code) => matches!(
            code.extended_code & 0xff,
            ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB | ffi::SQLITE_IOERR
        ),
        None => matches!(
            error,
            Error::InvalidColumnType(..)
                | Error::FromSqlConversionFailure(..)
                | Error::IntegralValueOutOfRange(..)
                | Error::Utf8Error(..)
        ),
    }
}

/// Damage that we found ourselves, as SQLite would tell it.
pub(crate) fn damaged(what: &str) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(code, Some(what.to_owned()))
}
