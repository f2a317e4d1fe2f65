//! Questions to the file; the writer, the readers and the publisher ask the same ones.

use rusqlite::{Connection, OptionalExtension as _, Row};
use steward_model::{
    LedgerRow, MeterId, PointId, Quantity, Reading, ReadingQuality, Shares, Span, UtcMs, Value,
};

use super::days::for_each;
use super::names::{self, Names};
use super::{DAY_MS, meta};
use crate::{DirtySeries, SeriesReading, StoreCounts, StoreError, day};

const DAY_S: i64 = 86_400;
/// A local day begins at most this many days from the UTC day of the same date.
const ZONE_DAYS: i64 = 2;

fn failed(step: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    StoreError::sqlite(step)
}

pub(crate) fn counts(connection: &Connection) -> Result<StoreCounts, StoreError> {
    let dirty: i64 = connection
        .prepare_cached("SELECT count(*) FROM dirty")
        .and_then(|mut select| select.query_row([], |row| row.get(0)))
        .map_err(failed("count its marks"))?;
    Ok(StoreCounts {
        stored_new: meta::read(connection, meta::STORED_NEW)?,
        duplicates: meta::read(connection, meta::DUPLICATES)?,
        quarantined: meta::read(connection, meta::QUARANTINED)?,
        cursor: meta::read(connection, meta::CURSOR)?,
        accounted: meta::read(connection, meta::ACCOUNTED)?,
        dirty: dirty.unsigned_abs(),
    })
}

pub(crate) fn count_readings(connection: &Connection) -> Result<u64, StoreError> {
    let count: i64 = connection
        .query_row("SELECT count(*) FROM reading", [], |row| row.get(0))
        .map_err(failed("count its readings"))?;
    Ok(count.unsigned_abs())
}

pub(crate) fn dirty(
    connection: &Connection,
    names: &Names,
    limit: usize,
) -> Result<Vec<DirtySeries>, StoreError> {
    let step = "read its marks";
    let mut select = connection
        .prepare_cached(
            "SELECT series, from_ms, to_ms, mark FROM dirty ORDER BY series, day LIMIT ?1",
        )
        .map_err(failed(step))?;
    let rows = select
        .query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .map_err(failed(step))?;
    let mut marks = Vec::new();
    for row in rows {
        let (series, from_ms, to_ms, mark): (i64, i64, i64, i64) = row.map_err(failed(step))?;
        let (meter, quantity) = names
            .name(series)
            .ok_or_else(|| StoreError::Damaged(format!("series {series} has no name")))?;
        marks.push(DirtySeries {
            meter: meter.clone(),
            quantity: *quantity,
            from: UtcMs(from_ms),
            to: UtcMs(to_ms),
            mark: mark.unsigned_abs(),
        });
    }
    Ok(marks)
}

fn reading_quality(code: u8) -> Result<ReadingQuality, StoreError> {
    ReadingQuality::from_code(code)
        .ok_or_else(|| StoreError::Damaged(format!("{code} is no quality of a reading")))
}

fn series_reading((at, value, code): (i64, f64, u8)) -> Result<SeriesReading, StoreError> {
    Ok((UtcMs(at), value, reading_quality(code)?))
}

fn triple(row: &Row<'_>) -> rusqlite::Result<(i64, f64, u8)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

/// Readings in `[from, to]`, ascending, at most `limit`.
pub(crate) fn series(
    connection: &Connection,
    series: i64,
    from: UtcMs,
    to: UtcMs,
    limit: usize,
) -> Result<Vec<SeriesReading>, StoreError> {
    let step = "read a series";
    let mut select = connection
        .prepare_cached(
            "SELECT at, value, quality FROM reading \
             WHERE series = ?1 AND at BETWEEN ?2 AND ?3 ORDER BY at LIMIT ?4",
        )
        .map_err(failed(step))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = select
        .query_map((series, from.0, to.0, limit), triple)
        .map_err(failed(step))?;
    rows.map(|row| series_reading(row.map_err(failed(step))?))
        .collect()
}

/// The last reading strictly before `at`.
pub(crate) fn before(
    connection: &Connection,
    series: i64,
    at: UtcMs,
) -> Result<Option<SeriesReading>, StoreError> {
    let sql = "SELECT at, value, quality FROM reading WHERE series = ?1 AND at < ?2 \
               ORDER BY at DESC LIMIT 1";
    neighbour(connection, sql, series, at)
}

/// The first reading strictly after `at`.
pub(crate) fn after(
    connection: &Connection,
    series: i64,
    at: UtcMs,
) -> Result<Option<SeriesReading>, StoreError> {
    let sql = "SELECT at, value, quality FROM reading WHERE series = ?1 AND at > ?2 \
               ORDER BY at LIMIT 1";
    neighbour(connection, sql, series, at)
}

/// When a series first showed more than `value` before `to`.
pub(crate) fn first_above(
    connection: &Connection,
    series: i64,
    to: UtcMs,
    value: f64,
) -> Result<Option<UtcMs>, StoreError> {
    let sql = "SELECT at FROM reading WHERE series = ?1 AND at < ?2 AND value > ?3 \
               ORDER BY at LIMIT 1";
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| {
            statement
                .query_row((series, to.0, value), |row| row.get(0).map(UtcMs))
                .optional()
        })
        .map_err(StoreError::sqlite("read a series"))
}

/// The last reading of a series. It is one step down the tree, so no table of latest readings has
/// to be kept in step.
pub(crate) fn last(
    connection: &Connection,
    series: i64,
) -> Result<Option<SeriesReading>, StoreError> {
    let sql = "SELECT at, value, quality FROM reading WHERE series = ?1 AND at <= ?2 \
               ORDER BY at DESC LIMIT 1";
    neighbour(connection, sql, series, UtcMs(i64::MAX))
}

fn neighbour(
    connection: &Connection,
    sql: &str,
    series: i64,
    at: UtcMs,
) -> Result<Option<SeriesReading>, StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut select| select.query_row((series, at.0), triple).optional())
        .map_err(failed("read a reading"))?
        .map(series_reading)
        .transpose()
}

/// A whole reading from its parts.
pub(crate) fn reading(
    meter: &MeterId,
    quantity: Quantity,
    (at, value, quality): SeriesReading,
) -> Result<Reading, StoreError> {
    Ok(Reading {
        meter: meter.clone(),
        quantity,
        at,
        value: Value::new(value)
            .map_err(|_| StoreError::Damaged("a value is no number".to_owned()))?,
        quality,
    })
}

/// The UTC days on which a series has readings, ascending. One step down the tree a day.
pub(crate) fn days_of(connection: &Connection, series: i64) -> Result<Vec<i64>, StoreError> {
    let mut select = connection
        .prepare_cached("SELECT at FROM reading WHERE series = ?1 AND at >= ?2 ORDER BY at LIMIT 1")
        .map_err(failed("read its days"))?;
    let mut days = Vec::new();
    let mut from = i64::MIN;
    loop {
        let at: Option<i64> = select
            .query_row((series, from), |row| row.get(0))
            .optional()
            .map_err(failed("read its days"))?;
        let Some(at) = at else { return Ok(days) };
        let day = at.div_euclid(DAY_MS);
        days.push(day);
        from = (day + 1).saturating_mul(DAY_MS);
    }
}

/// The code of a span on disk.
pub(crate) const fn span_code(span: Span) -> i64 {
    match span {
        Span::Interval => 0,
        Span::Hour => 1,
        Span::Day => 2,
        Span::Month => 3,
        Span::Year => 4,
    }
}

/// The rows of one point with `from_s <= start_s < to_s`, ascending.
pub(crate) fn ledger_of(
    connection: &Connection,
    point: &PointId,
    span: Span,
    from_s: i64,
    to_s: i64,
) -> Result<Vec<LedgerRow>, StoreError> {
    if matches!(span, Span::Interval | Span::Hour) {
        let first = from_s.div_euclid(DAY_S) - ZONE_DAYS;
        let last = to_s.div_euclid(DAY_S) + ZONE_DAYS;
        let mut rows = Vec::new();
        let mut trouble = Ok(());
        for_each(
            connection,
            std::slice::from_ref(point),
            (first, last),
            |stored| match day::rows_of(&stored, span) {
                Ok(more) => rows.extend(more),
                Err(error) => trouble = Err(error),
            },
        )?;
        trouble?;
        rows.retain(|row: &LedgerRow| from_s <= row.start_s && row.start_s < to_s);
        return Ok(rows);
    }
    let Some(number) = names::point(connection, point)? else {
        return Ok(Vec::new());
    };
    let step = "read the ledger";
    let mut select = connection
        .prepare_cached(
            "SELECT start_s, measured, interpolated, estimated, manual, present, expected, \
             kgce_ug, co2_ug, factor_set, cost_ncny, tariff_set FROM ledger \
             WHERE point = ?1 AND span = ?2 AND start_s >= ?3 AND start_s < ?4 ORDER BY start_s",
        )
        .map_err(failed(step))?;
    let rows = select
        .query_map((number, span_code(span), from_s, to_s), |row| {
            ledger_row(point, span, row)
        })
        .map_err(failed(step))?;
    rows.map(|row| row.map_err(failed(step))).collect()
}

fn ledger_row(point: &PointId, span: Span, row: &Row<'_>) -> rusqlite::Result<LedgerRow> {
    let shares = Shares {
        measured_base: row.get(1)?,
        interpolated_base: row.get(2)?,
        estimated_base: row.get(3)?,
        manual_base: row.get(4)?,
    };
    Ok(LedgerRow {
        point: point.clone(),
        span,
        start_s: row.get(0)?,
        amount_base: shares.total(),
        shares,
        intervals_present: row.get(5)?,
        intervals_expected: row.get(6)?,
        kgce_ug: row.get(7)?,
        co2_ug: row.get(8)?,
        factor_set: row.get(9)?,
        cost_ncny: row.get(10)?,
        tariff_set: row.get(11)?,
    })
}
