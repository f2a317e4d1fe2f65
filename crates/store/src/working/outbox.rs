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

use super::codec::{RawReading, decode_payload};
use super::names::Names;
use super::query::{self, span_code};
use super::{DAY_MS, Gate, StoreOptions, begin, meta, schema};
use crate::{StoreError, day};

fn failed(step: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    StoreError::sqlite(step)
}

/// What has changed under a ledger key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyChange {
    /// First hour of the day; 0 for rows.
    pub(crate) first: usize,
    /// Last hour.
    pub(crate) last: usize,
    /// Seconds in which something no longer exists.
    pub(crate) erase: Option<(i64, i64)>,
}

impl KeyChange {
    pub(crate) const fn at(hour: usize) -> Self {
        Self {
            first: hour,
            last: hour,
            erase: None,
        }
    }

    pub(crate) fn erase_also(&mut self, (from_s, to_s): (i64, i64)) {
        self.erase = Some(match self.erase {
            None => (from_s, to_s),
            Some((first, last)) => (first.min(from_s), last.max(to_s)),
        });
    }
}

/// Puts a commit's readings at the end of the outbox, and lets the oldest rows become series-days
/// while there are too many bytes.
pub(crate) fn enqueue_readings(
    connection: &Connection,
    options: &StoreOptions,
    payload: &[u8],
    new: u64,
) -> Result<(), StoreError> {
    let at_ms = (options.clock)().0;
    let lines = i64::try_from(new).map_err(|_| StoreError::Range("a number of readings"))?;
    connection
        .prepare_cached("INSERT INTO outbox_reading (at_ms, lines, payload) VALUES (?1, ?2, ?3)")
        .and_then(|mut insert| insert.execute((at_ms, lines, payload)))
        .map_err(failed("queue readings"))?;
    let mut bytes = meta::add(connection, meta::OUTBOX_BYTES, payload.len() as u64)?;
    while bytes > options.outbox_bytes_max {
        match collapse_oldest(connection)? {
            None => break,
            Some(freed) => bytes = bytes.saturating_sub(freed),
        }
    }
    meta::write(connection, meta::OUTBOX_BYTES, bytes)
}

/// Turns the oldest outbox row into series-days; answers the bytes that it held.
fn collapse_oldest(connection: &Connection) -> Result<Option<u64>, StoreError> {
    let row: Option<(i64, i64, Vec<u8>)> = connection
        .prepare_cached("SELECT seq, at_ms, payload FROM outbox_reading ORDER BY seq LIMIT 1")
        .and_then(|mut select| {
            select
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()
        })
        .map_err(failed("read its outbox"))?;
    let Some((seq, at_ms, payload)) = row else {
        return Ok(None);
    };
    // A row that cannot be read must not stop what comes in: its readings are in the store and
    // `steward influx publish --all` sends them.
    let readings = payload_of(seq, &payload).unwrap_or_else(|error| {
        tracing::error!(%error, "Readings that waited for InfluxDB must be published again.");
        Vec::new()
    });
    let mark = meta::next(connection, meta::OUTBOX_SEQ)?;
    let by_day = |a: &RawReading, b: &RawReading| {
        a.series == b.series && a.at_ms.div_euclid(DAY_MS) == b.at_ms.div_euclid(DAY_MS)
    };
    for same_day in readings.chunk_by(by_day) {
        let (series, day) = (same_day[0].series, same_day[0].at_ms.div_euclid(DAY_MS));
        let lines = same_day.iter().filter(|reading| reading.is_new).count() as u64;
        put_backlog(connection, series, day, at_ms, lines, mark)?;
    }
    connection
        .prepare_cached("DELETE FROM outbox_reading WHERE seq = ?1")
        .and_then(|mut delete| delete.execute([seq]))
        .map_err(failed("shorten its outbox"))?;
    Ok(Some(payload.len() as u64))
}

fn payload_of(seq: i64, payload: &[u8]) -> Result<Vec<RawReading>, StoreError> {
    decode_payload(payload)
        .ok_or_else(|| StoreError::Damaged(format!("row {seq} of the outbox cannot be read")))
}

fn put_backlog(
    connection: &Connection,
    series: i64,
    day: i64,
    at_ms: i64,
    lines: u64,
    mark: i64,
) -> Result<(), StoreError> {
    let lines = i64::try_from(lines).map_err(|_| StoreError::Range("a number of readings"))?;
    connection
        .prepare_cached(
            "INSERT INTO backlog VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET \
             at_ms = min(at_ms, ?3), lines = lines + ?4, mark = ?5",
        )
        .and_then(|mut upsert| upsert.execute((series, day, at_ms, lines, mark)))
        .map_err(failed("queue a day of readings"))?;
    Ok(())
}

/// Lets a ledger key wait. A key that waits already moves to the end and keeps its age.
pub(crate) fn enqueue_key(
    connection: &Connection,
    point: i64,
    span: Span,
    start: i64,
    change: KeyChange,
    now_ms: i64,
) -> Result<(), StoreError> {
    let seq = meta::next(connection, meta::OUTBOX_SEQ)?;
    let hour = |hour| i64::try_from(hour).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "INSERT INTO outbox_ledger VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
             ON CONFLICT (point, span, start) DO UPDATE SET \
             first = min(first, ?4), last = max(last, ?5), \
             erase_from = min(coalesce(erase_from, ?6), coalesce(?6, erase_from)), \
             erase_to = max(coalesce(erase_to, ?7), coalesce(?7, erase_to)), seq = ?9",
        )
        .and_then(|mut upsert| {
            upsert.execute((
                point,
                span_code(span),
                start,
                hour(change.first),
                hour(change.last),
                change.erase.map(|(from_s, _)| from_s),
                change.erase.map(|(_, to_s)| to_s),
                now_ms,
                seq,
            ))
        })
        .map_err(failed("queue a ledger key"))?;
    Ok(())
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
    /// Readings that InfluxDB confirmed.
    pub(crate) published_readings: u64,
    /// Ledger keys that InfluxDB confirmed.
    pub(crate) published_ledger: u64,
    /// Lines of readings in quarantine.
    pub(crate) refused_readings: u64,
    /// Lines of the ledger in quarantine.
    pub(crate) refused_ledger: u64,
}

/// The publisher's side of the working store: a connection of its own.
#[derive(Debug)]
pub struct Outbox {
    dir: PathBuf,
    connection: Connection,
    names: Names,
    gate: Gate,
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
        let Some(stored) = query::day_numbered(&self.connection, &key.point, key.start)? else {
            return Ok(Vec::new());
        };
        let hour_s = |hour: usize| {
            stored.day.start_s + i64::try_from(hour).unwrap_or(0) * day::HOUR_S
        };
        let (from_s, to_s) = (hour_s(key.change.first), hour_s(key.change.last + 1));
        let mut rows = day::rows_of(&stored, Span::Interval)?;
        rows.extend(day::rows_of(&stored, Span::Hour)?);
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

    /// Takes out what InfluxDB has settled and keeps what it refused, in one transaction.
    pub(crate) fn settle(
        &mut self,
        done: &[Done],
        refused: &[RefusedLine],
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
        meta::add(&transaction, meta::PUBLISHED_READINGS, readings)?;
        meta::subtract(&transaction, meta::PUBLISHED_READINGS, refused_now.0)?;
        meta::add(&transaction, meta::PUBLISHED_LEDGER, keys)?;
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
        let rows = sums("SELECT coalesce(sum(lines), 0), count(*), min(at_ms) FROM outbox_reading")?;
        let days = sums("SELECT coalesce(sum(lines), 0), count(*), min(at_ms) FROM backlog")?;
        let keys = sums("SELECT 0, count(*), min(at_ms) FROM outbox_ledger")?;
        Ok(Waiting {
            readings: rows.0 + days.0,
            ledger_keys: keys.1,
            backlog_days: days.1,
            oldest_at_ms: [rows.2, days.2, keys.2].into_iter().flatten().min(),
            published_readings: meta::read(&transaction, meta::PUBLISHED_READINGS)?,
            published_ledger: meta::read(&transaction, meta::PUBLISHED_LEDGER)?,
            refused_readings: meta::read(&transaction, meta::REFUSED_READINGS)?,
            refused_ledger: meta::read(&transaction, meta::REFUSED_LEDGER)?,
        })
    }
}

/// More hours than any day has.
const WHOLE_DAY_HOURS: usize = 47;

fn span_of(code: i64) -> Result<Span, StoreError> {
    Span::ALL
        .into_iter()
        .find(|span| span_code(*span) == code)
        .ok_or_else(|| StoreError::Damaged(format!("{code} is no span")))
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
        .prepare_cached("INSERT INTO publish_quarantine VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")
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
