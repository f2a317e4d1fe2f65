//! Tables of invoices and of readings by hand: read whole, every mistake told, and entered in one
//! transaction or not at all.
//!
//! The first row names the columns, in English or in Chinese; their order is free. A line that
//! begins with `#` is a comment.

mod cells;
mod hand_readings;
mod invoices;

use std::fmt;

use serde::{Deserialize, Serialize};
use steward_config::Config;
use steward_model::UtcMs;
use steward_store::StoreReader;
use utoipa::ToSchema;

use crate::event::{Entry, Event};
use crate::{Books, BooksError, Refusal, enter_all};

pub use hand_readings::parse_hand_readings;
pub use invoices::parse_invoices;

/// One row of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<T> {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// What it says.
    pub value: T,
}

/// One mistake in a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mistake {
    /// The line, from 1.
    pub line: u64,
    /// The column by its name; empty where the whole line is meant.
    pub column: String,
    /// The cell as written.
    pub value: String,
    /// What would have been right.
    pub expected: String,
}

impl From<Mistake> for Refusal {
    fn from(mistake: Mistake) -> Self {
        let line = format!("line {}", mistake.line);
        if mistake.column.is_empty() {
            Self::new(line, mistake.value, mistake.expected)
        } else {
            Self::new(mistake.column, mistake.value, mistake.expected).within(&line)
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Refusal::from(self.clone()).fmt(f)
    }
}

/// Enters a table of invoices: all of its rows, or none. Refusals name line and column.
pub async fn import_invoices(
    config: &Config,
    books: &Books,
    store: &StoreReader,
    by: &str,
    reason: &str,
    table: &str,
    now: UtcMs,
) -> Result<Vec<Entry>, BooksError> {
    let rows = parse_invoices(table, config).map_err(refused)?;
    let events = events(rows, Event::InvoiceEntered);
    enter_all(config, books, store, by, reason, events, now).await
}

/// Enters a table of readings by hand: all of its rows, or none. Refusals name line and column.
pub async fn import_hand_readings(
    config: &Config,
    books: &Books,
    store: &StoreReader,
    by: &str,
    reason: &str,
    table: &str,
    now: UtcMs,
) -> Result<Vec<Entry>, BooksError> {
    let rows = parse_hand_readings(table, config).map_err(refused)?;
    let events = events(rows, Event::HandReading);
    enter_all(config, books, store, by, reason, events, now).await
}

fn refused(mistakes: Vec<Mistake>) -> BooksError {
    BooksError::Refused(mistakes.into_iter().map(Refusal::from).collect())
}

fn events<T>(rows: Vec<Row<T>>, event: impl Fn(T) -> Event) -> Vec<(String, Event)> {
    rows.into_iter()
        .map(|row| (format!("line {}", row.line), event(row.value)))
        .collect()
}
