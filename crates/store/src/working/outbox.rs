//! What waits for InfluxDB, and the publisher's side of it.
//!
//! Three queues, each in its own order: readings of recent commits (`outbox_reading`), keys of the
//! ledger (`outbox_ledger`), and series-days that are read again when their turn comes (`backlog`).
//! A row leaves only with InfluxDB's confirmation or with a quarantined line, in one transaction
//! with the counters. What is lost of these transactions in a power cut is sent twice, which
//! InfluxDB takes as the same points.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};
use steward_model::{LedgerRow, MeterId, PointId, Quantity, Span};

use super::codec::RawReading;
use super::enqueue::{KeyChange, enqueue_key, payload_of, put_backlog};
use super::names::Names;
use super::query::{self, span_code};
use super::{DAY_MS, Gate, begin, days, meta, schema};
use crate::{StoreError, day};

fn failed(step: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    StoreError::sqlite(step)
}

/// A row of the outbox of readings.
#[derive(Clone, Debug)]
pub(crate) struct OutboxRow {
    pub(crate) seq: i64,
    pub(crate) readings: Vec<RawReading>,
}

/// A series-day whose readings wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeriesDay {
    pub(crate) series: i64,
    pub(crate) day: i64,
    pub(crate) mark: i64,
}

/// A ledger key that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LedgerKey {
    pub(crate) point: PointId,
    pub(crate) seq: i64,
    pub(crate) span: i64,
    pub(crate) start: i64,
    pub(crate) change: KeyChange,
}

impl LedgerKey {
    /// The spans of the rows under this key.
    pub(crate) fn spans(&self) -> Vec<Span> {
        match span_of(self.span) {
            Ok(Span::Interval) => vec![Span::Interval, Span::Hour],
            Ok(span) => vec![span],
            Err(_) => Vec::new(),
        }
    }
}

/// The publisher's side of the working store: a connection of its own.
#[derive(Debug)]
pub struct Outbox {
    dir: PathBuf,
    pub(super) connection: Connection,
    names: Names,
    pub(super) gate: Gate,
}

impl Outbox {
    /// Opens the outbox of the store in `dir` from another process than the aggregator's.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::with_gate(dir, Gate::default())
    }

    pub(crate) fn with_gate(dir: &Path, gate: Gate) -> Result<Self, StoreError> {
        let connection = schema::open(dir, schema::Access::Confirmer)?;
        let names = Names::read(&connection)?;
        Ok(Self {
            dir: dir.to_owned(),
            connection,
            names,
            gate,
        })
    }

    /// The folder of the store.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Lets everything that is stored wait for InfluxDB again.
    pub fn mark_all(&mut self, now: steward_model::UtcMs) -> Result<(), StoreError> {
        self.names.read_more(&self.connection)?;
        let _turn = self.gate.enter();
        let transaction = begin(&mut self.connection)?;
        let step = "queue everything";
        let mark = meta::next(&transaction, meta::OUTBOX_SEQ)?;
        let numbers = self.names.numbers();
        for series in numbers {
            for day in query::days_of(&transaction, series)? {
                put_backlog(&transaction, series, day, now.0, 0, mark)?;
            }
        }
        let keys: Vec<(i64, i64, i64)> = {
            let mut select = transaction
                .prepare(
                    "SELECT point, 0, date FROM day \
                     UNION ALL SELECT point, span, start_s FROM ledger",
                )
                .map_err(failed(step))?;
            let rows = select
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .map_err(failed(step))?;
            rows.collect::<Result<_, _>>().map_err(failed(step))?
        };
        for (point, code, start) in keys {
            let span = span_of(code)?;
            let mut change = KeyChange::at(0);
            if span == Span::Interval {
                change.last = WHOLE_DAY_HOURS;
            }
            enqueue_key(&transaction, point, span, start, change, now.0)?;
        }
        transaction.commit().map_err(failed(step))
    }

    /// Lines that InfluxDB refused for good, at most `limit`: bucket, line and reason.
    pub fn refused_lines(&self, limit: usize) -> Result<Vec<(String, String, String)>, StoreError> {
        let step = "read refused lines";
        let mut select = self
            .connection
            .prepare_cached("SELECT bucket, line, reason FROM publish_quarantine LIMIT ?1")
            .map_err(failed(step))?;
        let rows = select
            .query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .map_err(failed(step))?;
        rows.collect::<Result<_, _>>().map_err(failed(step))
    }

    /// Empties the quarantine of lines, once a person has seen it. The readings stay in the store;
    /// [`Outbox::mark_all`] lets them try again.
    pub fn forget_refused(&mut self) -> Result<(), StoreError> {
        let _turn = self.gate.enter();
        let transaction = begin(&mut self.connection)?;
        transaction
            .execute("DELETE FROM publish_quarantine", [])
            .map_err(failed("empty the quarantine"))?;
        let refused = meta::read(&transaction, meta::REFUSED_READINGS)?;
        meta::subtract(&transaction, meta::SETTLED_READINGS, refused)?;
        meta::write(&transaction, meta::REFUSED_READINGS, 0)?;
        meta::write(&transaction, meta::REFUSED_LEDGER, 0)?;
        transaction.commit().map_err(failed("empty the quarantine"))
    }

    /// The first row after `seq`.
    pub(crate) fn row_after(&self, seq: i64) -> Result<Option<OutboxRow>, StoreError> {
        let row: Option<(i64, Vec<u8>)> = self
            .connection
            .prepare_cached(
                "SELECT seq, payload FROM outbox_reading WHERE seq > ?1 ORDER BY seq LIMIT 1",
            )
            .and_then(|mut select| {
                select
                    .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()
            })
            .map_err(failed("read its outbox"))?;
        row.map(|(seq, payload)| {
            let readings = payload_of(seq, &payload)?;
            Ok(OutboxRow { seq, readings })
        })
        .transpose()
    }

    /// The first series-day after (series, day).
    pub(crate) fn day_after(&self, after: (i64, i64)) -> Result<Option<SeriesDay>, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT series, day, mark FROM backlog WHERE (series, day) > (?1, ?2) \
                 ORDER BY series, day LIMIT 1",
            )
            .and_then(|mut select| {
                select
                    .query_row(after, |row| {
                        Ok(SeriesDay {
                            series: row.get(0)?,
                            day: row.get(1)?,
                            mark: row.get(2)?,
                        })
                    })
                    .optional()
            })
            .map_err(failed("read its backlog"))
    }

    /// Readings of a series-day from `from_ms` on, at most `limit`.
    pub(crate) fn readings_of(
        &self,
        day: SeriesDay,
        from_ms: i64,
        limit: usize,
    ) -> Result<Vec<RawReading>, StoreError> {
        let to = steward_model::UtcMs((day.day + 1) * DAY_MS - 1);
        let from = steward_model::UtcMs(from_ms);
        let readings = query::series(&self.connection, day.series, from, to, limit)?;
        Ok(readings
            .into_iter()
            .map(|(at, value, quality)| RawReading {
                series: day.series,
                at_ms: at.0,
                value,
                quality: quality.code(),
                is_new: false,
            })
            .collect())
    }

    /// The ledger keys after `seq`.
    pub(crate) fn keys_after(&self, seq: i64, limit: usize) -> Result<Vec<LedgerKey>, StoreError> {
        let step = "read its outbox";
        let mut select = self
            .connection
            .prepare_cached(
                "SELECT name, seq, span, start, first, last, erase_from, erase_to \
                 FROM outbox_ledger JOIN point ON point.id = outbox_ledger.point \
                 WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )
            .map_err(failed(step))?;
        let rows = select
            .query_map((seq, i64::try_from(limit).unwrap_or(i64::MAX)), |row| {
                let erase = match (row.get(6)?, row.get(7)?) {
                    (Some(from_s), Some(to_s)) => Some((from_s, to_s)),
                    _ => None,
                };
                let hours: (u32, u32) = (row.get(4)?, row.get(5)?);
                let change = KeyChange {
                    first: hours.0 as usize,
                    last: hours.1 as usize,
                    erase,
                };
                let name: String = row.get(0)?;
                Ok((name, row.get(1)?, row.get(2)?, row.get(3)?, change))
            })
            .map_err(failed(step))?;
        rows.map(|row| {
            let (name, seq, span, start, change) = row.map_err(failed(step))?;
            let point = PointId::new(&name).map_err(|e| StoreError::Damaged(e.to_string()))?;
            Ok(LedgerKey {
                point,
                seq,
                span,
                start,
                change,
            })
        })
        .collect()
    }

    /// What the ledger says under a key now.
    pub(crate) fn rows_of(&self, key: &LedgerKey) -> Result<Vec<LedgerRow>, StoreError> {
        let span = span_of(key.span)?;
        if span != Span::Interval {
            let to_s = key.start + 1;
            return query::ledger_of(&self.connection, &key.point, span, key.start, to_s);
        }
        let Some(stored) = days::day_numbered(&self.connection, &key.point, key.start)? else {
            return Ok(Vec::new());
        };
        let hour_s =
            |hour: usize| stored.day.start_s + i64::try_from(hour).unwrap_or(0) * day::HOUR_S;
        let (from_s, to_s) = (hour_s(key.change.first), hour_s(key.change.last + 1));
        let mut rows = day::rows_of(&stored.view(), Span::Interval)?;
        rows.extend(day::rows_of(&stored.view(), Span::Hour)?);
        rows.retain(|row| from_s <= row.start_s && row.start_s < to_s);
        Ok(rows)
    }

    /// The name of a series.
    pub(crate) fn name_of(&mut self, series: i64) -> Result<(MeterId, Quantity), StoreError> {
        if self.names.name(series).is_none() {
            self.names.read_more(&self.connection)?;
        }
        let name = self.names.name(series).cloned();
        name.ok_or_else(|| StoreError::Damaged(format!("series {series} has no name")))
    }
}

/// More hours than any day has.
const WHOLE_DAY_HOURS: usize = 47;

pub(super) fn span_of(code: i64) -> Result<Span, StoreError> {
    Span::ALL
        .into_iter()
        .find(|span| span_code(*span) == code)
        .ok_or_else(|| StoreError::Damaged(format!("{code} is no span")))
}
