//! The writer's side of the outbox: what begins to wait for InfluxDB.

use rusqlite::{Connection, OptionalExtension as _};
use steward_model::Span;

use super::codec::{RawReading, decode_payload};
use super::query::span_code;
use super::{DAY_MS, StoreOptions, meta};
use crate::StoreError;

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

pub(super) fn payload_of(seq: i64, payload: &[u8]) -> Result<Vec<RawReading>, StoreError> {
    decode_payload(payload)
        .ok_or_else(|| StoreError::Damaged(format!("row {seq} of the outbox cannot be read")))
}

pub(super) fn put_backlog(
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
