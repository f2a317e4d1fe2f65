//! What leaves the outbox, and how much still waits.

use rusqlite::{Connection, OptionalExtension as _};

use super::outbox::{Outbox, SeriesDay};
use super::{begin, meta};
use crate::StoreError;

fn failed(step: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    StoreError::sqlite(step)
}

/// What InfluxDB has settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// All readings of an outbox row.
    Row(i64),
    /// All readings of a series-day.
    Day(SeriesDay),
    /// A ledger key, by its number.
    Key(i64),
}

/// A line that InfluxDB refuses for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefusedLine {
    pub(crate) bucket: String,
    pub(crate) line: String,
    pub(crate) reason: String,
    pub(crate) is_reading: bool,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// Readings in outbox and backlog.
    pub(crate) readings: u64,
    /// Ledger keys.
    pub(crate) ledger_keys: u64,
    /// Series-days that are read again.
    pub(crate) backlog_days: u64,
    /// Since when the oldest waits.
    pub(crate) oldest_at_ms: Option<i64>,
    /// Readings that InfluxDB confirmed: each once, however often it was sent.
    pub(crate) published_readings: u64,
    /// Ledger keys that InfluxDB confirmed.
    pub(crate) published_ledger: u64,
    /// Readings that were too old for the bucket when their turn came.
    pub(crate) expired_readings: u64,
    /// Lines of readings in quarantine.
    pub(crate) refused_readings: u64,
    /// Lines of the ledger in quarantine.
    pub(crate) refused_ledger: u64,
}

impl Outbox {
    /// Takes out what InfluxDB has settled and keeps what it refused, in one transaction.
    pub(crate) fn settle(
        &mut self,
        done: &[Done],
        refused: &[RefusedLine],
        expired: u64,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        if done.is_empty() && refused.is_empty() {
            return Ok(());
        }
        let _turn = self.gate.enter();
        let transaction = begin(&mut self.connection)?;
        let (mut readings, mut keys) = (0, 0);
        for done in done {
            match done {
                Done::Row(seq) => readings += take_row(&transaction, *seq)?,
                Done::Day(day) => readings += take_day(&transaction, *day)?,
                Done::Key(seq) => keys += take_key(&transaction, *seq)?,
            }
        }
        let refused_now = keep_refused(&transaction, refused, now_ms)?;
        meta::add(&transaction, meta::REFUSED_READINGS, refused_now.0)?;
        meta::add(&transaction, meta::REFUSED_LEDGER, refused_now.1)?;
        meta::add(&transaction, meta::EXPIRED_READINGS, expired)?;
        meta::add(&transaction, meta::SETTLED_READINGS, readings)?;
        meta::add(&transaction, meta::SETTLED_LEDGER, keys)?;
        transaction.commit().map_err(failed("settle what was sent"))
    }

    /// How much waits and what became of the rest, in one view.
    pub(crate) fn waiting(&self) -> Result<Waiting, StoreError> {
        let transaction = self
            .connection
            .unchecked_transaction()
            .map_err(failed("begin to read"))?;
        let sums = |sql: &str| -> Result<(u64, u64, Option<i64>), StoreError> {
            transaction
                .prepare_cached(sql)
                .and_then(|mut select| {
                    select.query_row([], |row| {
                        let numbers: (i64, i64) = (row.get(0)?, row.get(1)?);
                        let oldest = row.get(2)?;
                        Ok((numbers.0.unsigned_abs(), numbers.1.unsigned_abs(), oldest))
                    })
                })
                .map_err(failed("count what waits"))
        };
        let rows =
            sums("SELECT coalesce(sum(lines), 0), count(*), min(at_ms) FROM outbox_reading")?;
        let days = sums("SELECT coalesce(sum(lines), 0), count(*), min(at_ms) FROM backlog")?;
        let keys = sums("SELECT 0, count(*), min(at_ms) FROM outbox_ledger")?;
        let refused_readings = meta::read(&transaction, meta::REFUSED_READINGS)?;
        let expired_readings = meta::read(&transaction, meta::EXPIRED_READINGS)?;
        // A row leaves with its last line, so for a moment more may be refused than has left.
        let published_readings = meta::read(&transaction, meta::SETTLED_READINGS)?
            .saturating_sub(refused_readings)
            .saturating_sub(expired_readings);
        Ok(Waiting {
            readings: rows.0 + days.0,
            ledger_keys: keys.1,
            backlog_days: days.1,
            oldest_at_ms: [rows.2, days.2, keys.2].into_iter().flatten().min(),
            published_readings,
            published_ledger: meta::read(&transaction, meta::SETTLED_LEDGER)?,
            expired_readings,
            refused_readings,
            refused_ledger: meta::read(&transaction, meta::REFUSED_LEDGER)?,
        })
    }
}

fn take_row(connection: &Connection, seq: i64) -> Result<u64, StoreError> {
    let row: Option<(i64, i64)> = connection
        .prepare_cached(
            "DELETE FROM outbox_reading WHERE seq = ?1 RETURNING lines, length(payload)",
        )
        .and_then(|mut delete| {
            delete
                .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        })
        .map_err(failed("take a row out"))?;
    // No row: it became series-days while it was on its way, and those count when they are sent.
    let Some((lines, bytes)) = row else {
        return Ok(0);
    };
    meta::subtract(connection, meta::OUTBOX_BYTES, bytes.unsigned_abs())?;
    Ok(lines.unsigned_abs())
}

fn take_day(connection: &Connection, day: SeriesDay) -> Result<u64, StoreError> {
    let lines: Option<i64> = connection
        .prepare_cached(
            "DELETE FROM backlog WHERE series = ?1 AND day = ?2 AND mark = ?3 RETURNING lines",
        )
        .and_then(|mut delete| {
            delete
                .query_row((day.series, day.day, day.mark), |row| row.get(0))
                .optional()
        })
        .map_err(failed("take a day out"))?;
    Ok(lines.unwrap_or(0).unsigned_abs())
}

fn take_key(connection: &Connection, seq: i64) -> Result<u64, StoreError> {
    connection
        .prepare_cached("DELETE FROM outbox_ledger WHERE seq = ?1")
        .and_then(|mut delete| delete.execute([seq]))
        .map(|rows| rows as u64)
        .map_err(failed("take a ledger key out"))
}

/// Answers how many lines of readings and of the ledger were not there yet.
fn keep_refused(
    connection: &Connection,
    refused: &[RefusedLine],
    now_ms: i64,
) -> Result<(u64, u64), StoreError> {
    let mut insert = connection
        .prepare_cached(
            "INSERT INTO publish_quarantine VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )
        .map_err(failed("keep a refused line"))?;
    let mut added = (0, 0);
    for line in refused {
        let rows = insert
            .execute((&line.bucket, &line.line, &line.reason, now_ms))
            .map_err(failed("keep a refused line"))? as u64;
        if line.is_reading {
            added.0 += rows;
        } else {
            added.1 += rows;
        }
    }
    Ok(added)
}
