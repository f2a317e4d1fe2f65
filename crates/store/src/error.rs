//! What can go wrong in the store.

use std::path::PathBuf;

use crate::influx::InfluxError;

/// Why the store did not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("the working store could not {step}")]
    Sqlite {
        /// What was tried.
        step: &'static str,
        /// Why not.
        #[source]
        source: rusqlite::Error,
    },
    /// The disk or the file's bound is full. Nothing was changed; the same call may succeed later.
    #[error("there is no room for the working store")]
    Full,
    /// The folder or file cannot be used.
    #[error("the working store cannot use `{path}`")]
    File {
        /// The path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// No store has been written yet.
    #[error("there is no working store at `{0}` yet; the aggregator makes it")]
    Missing(PathBuf),
    /// A newer program wrote it.
    #[error("the working store has format {found}, and this program knows formats up to {known}")]
    Format {
        /// Format of the file.
        found: i64,
        /// Newest known format.
        known: i64,
    },
    /// An earlier program wrote it, and this connection may not change it.
    #[error(
        "the working store has the earlier format {found} and format {known} is needed; the \
         aggregator brings it up to date when it starts"
    )]
    OldFormat {
        /// Format of the file.
        found: i64,
        /// The format that is needed.
        known: i64,
    },
    /// SQLite did not take a setting that the promises rest on.
    #[error("SQLite answers `{found}` for `{setting}` where `{wanted}` is needed")]
    Setting {
        /// Which pragma.
        setting: &'static str,
        /// What it answers.
        found: String,
        /// What is needed.
        wanted: &'static str,
    },
    /// Content that this program cannot have written.
    #[error("the working store is damaged: {0}")]
    Damaged(String),
    /// A number lies outside of what the store can hold.
    #[error("{0} lies outside of what the store can hold")]
    Range(&'static str),
    /// The cursor or the running number would go back.
    #[error("the {what} stands at {now} and would go back to {wanted}")]
    Backwards {
        /// Which number.
        what: &'static str,
        /// Where it stands.
        now: u64,
        /// Where it was told to go.
        wanted: u64,
    },
    /// InfluxDB did not answer as it should.
    #[error("InfluxDB does not answer the question")]
    Influx(#[from] InfluxError),
    /// InfluxDB does not hold this.
    #[error(
        "{0} are kept only in the working store beside the aggregator, and this program reads from \
         InfluxDB"
    )]
    NotPublished(&'static str),
    /// A helper thread ended without an answer.
    #[error("a query of the working store ended without an answer")]
    Task,
}

impl StoreError {
    /// Wraps what SQLite says; a full disk has a name of its own.
    pub(crate) fn sqlite(step: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            _ => Self::Sqlite { step, source },
        }
    }
}
