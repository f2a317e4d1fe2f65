//! What can go wrong with the books, and why an event is refused.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use steward_store::StoreError;
use utoipa::ToSchema;

/// One reason why an event does not enter the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refusal {
    /// Which value: a field of the event such as `old_last`, with its line where it came in a file.
    pub place: String,
    /// The value as it was given.
    pub value: String,
    /// What would have been right.
    pub expected: String,
    /// What to do; empty where there is nothing to add.
    pub hint: String,
}

impl Refusal {
    /// A refusal of the value at `place`.
    pub fn new(
        place: impl Into<String>,
        value: impl fmt::Display,
        expected: impl Into<String>,
    ) -> Self {
        Self {
            place: place.into(),
            value: shorten(&value.to_string()),
            expected: expected.into(),
            hint: String::new(),
        }
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Puts the place into a row of a file or an item of a list.
    #[must_use]
    pub(crate) fn within(mut self, whole: &str) -> Self {
        if !whole.is_empty() {
            self.place = format!("{whole}: {}", self.place);
        }
        self
    }

    /// The refusal of a part, named by where the part stands.
    pub(crate) fn under(mut self, above: &str) -> Self {
        self.place = format!("{above}{}", self.place);
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} = {}: expected {}",
            self.place, self.value, self.expected
        )?;
        if self.hint.is_empty() {
            Ok(())
        } else {
            write!(f, " (hint: {})", self.hint)
        }
    }
}

/// Long texts stand in refusals by their beginning.
fn shorten(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    let mut short: String = text
        .chars()
        .map(|one| if one.is_control() { ' ' } else { one })
        .take(CHARS_MAX)
        .collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}

/// Why the books did not answer or did not take an event.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    /// The event breaks a rule. Nothing was written.
    #[error("the books refuse: {}", join(.0))]
    Refused(Vec<Refusal>),
    /// There is no event of this number.
    #[error("there is no event {0} in the books")]
    NoSuchEvent(u64),
    /// These books were opened for reading.
    #[error("these books were opened for reading only")]
    ReadOnly,
    /// The file is not what it was when it was written.
    #[error("the books are damaged at event {seq}: {what}")]
    Damaged {
        /// The first event that is not as it was written.
        seq: u64,
        /// In which way.
        what: &'static str,
    },
    /// A newer program wrote the file.
    #[error("the books have format {found}, and this program knows formats up to {known}")]
    Format {
        /// Format of the file.
        found: i64,
        /// Newest known format.
        known: i64,
    },
    /// The disk is full. Nothing was written; the same call may succeed later.
    #[error("there is no room for the books")]
    Full,
    /// Another process held the file for too long. Nothing was written.
    #[error("another process holds the books; try again")]
    Busy,
    /// The folder or file cannot be used.
    #[error("the books cannot use `{path}`")]
    File {
        /// The path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
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
    /// SQLite refused.
    #[error("the books could not {step}")]
    Sqlite {
        /// What was tried.
        step: &'static str,
        /// Why not.
        #[source]
        source: rusqlite::Error,
    },
    /// An event has no JSON form.
    #[error("the event cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The store that the event is compared with does not answer.
    #[error("the store of readings does not answer")]
    Store(#[from] StoreError),
    /// A helper thread ended without an answer.
    #[error("a question to the books ended without an answer")]
    Task,
}

impl BooksError {
    /// Wraps what SQLite says; what a caller treats differently has a name of its own.
    pub(crate) fn sqlite(step: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            Some(rusqlite::ErrorCode::DatabaseBusy) => Self::Busy,
            _ => Self::Sqlite { step, source },
        }
    }

    /// The refusals, where it is that.
    pub fn refusals(&self) -> &[Refusal] {
        match self {
            Self::Refused(refusals) => refusals,
            _ => &[],
        }
    }
}

/// Everything or the reasons why not.
pub(crate) fn settle(refusals: Vec<Refusal>) -> Result<(), BooksError> {
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(BooksError::Refused(refusals))
    }
}

fn join(refusals: &[Refusal]) -> String {
    let said: Vec<String> = refusals.iter().map(Refusal::to_string).collect();
    said.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_place_value_expectation_and_hint() {
        let refusal = Refusal::new("old_last", 12.5, "at least 13.0 Wh");
        assert_eq!(
            refusal.to_string(),
            "old_last = 12.5: expected at least 13.0 Wh"
        );
        let refusal = refusal.hint("the unit is Wh").within("line 3");
        assert_eq!(
            refusal.to_string(),
            "line 3: old_last = 12.5: expected at least 13.0 Wh (hint: the unit is Wh)"
        );
        let long = Refusal::new("reason", "长\n".repeat(100), "less");
        assert_eq!(long.value.chars().count(), 81);
        assert!(!long.value.contains('\n'));
    }
}
