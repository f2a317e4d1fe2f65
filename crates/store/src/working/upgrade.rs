//! A file of an earlier format is brought up to date when the aggregator opens it.
//!
//! What came in stays as it is. What is computed is computed again from it: its tables are made
//! anew, and every series is marked as after [`super::WorkingStore::rebuild`].

use rusqlite::Connection;
use steward_model::Span;

use super::enqueue::{KeyChange, enqueue_key};
use super::marks::{self, LedgerSeries};
use super::names::Names;
use super::{StoreOptions, schema};
use crate::StoreError;

/// A start at which no period begins: a key that erases, and under which there is no row.
const NO_START: i64 = i64::MIN;
/// More seconds than any day has.
const DAY_S_MAX: i64 = 2 * 86_400;

/// From format 1 to 2, within a transaction.
pub(super) fn from_1(
    connection: &Connection,
    options: &StoreOptions,
    ledger_series: &LedgerSeries,
) -> Result<(), StoreError> {
    let failed = || StoreError::sqlite("bring its tables up to date");
    if options.publish {
        erase_published(connection, (options.clock)().0)?;
    }
    connection
        .execute_batch("DROP TABLE day; DROP TABLE ledger;")
        .and_then(|()| connection.execute_batch(schema::LEDGER_TABLES))
        .map_err(failed())?;
    let names = Names::read(connection)?;
    marks::drop_computed(connection, &names, ledger_series)
}

/// Lets InfluxDB forget the ledger it was sent: its lines had fewer tags, so what follows would
/// stand beside them and not in their place.
fn erase_published(connection: &Connection, now_ms: i64) -> Result<(), StoreError> {
    let step = "look for what was published";
    let mut select = connection
        .prepare(
            "SELECT point, 0, min(start_s), max(start_s) FROM day GROUP BY point \
             UNION ALL SELECT point, span, min(start_s), max(start_s) FROM ledger \
             GROUP BY point, span",
        )
        .map_err(StoreError::sqlite(step))?;
    let rows = select
        .query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .map_err(StoreError::sqlite(step))?;
    for row in rows {
        let (point, code, first_s, last_s): (i64, i64, i64, i64) =
            row.map_err(StoreError::sqlite(step))?;
        let span = super::outbox::span_of(code)?;
        let mut change = KeyChange::at(0);
        let last_s = if span == Span::Interval {
            last_s + DAY_S_MAX
        } else {
            last_s + 1
        };
        change.erase_also((first_s, last_s));
        enqueue_key(connection, point, span, NO_START, change, now_ms)?;
    }
    Ok(())
}
