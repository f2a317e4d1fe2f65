//! Stored days out of their table.

use chrono::{Days, NaiveDate};
use rusqlite::{Connection, OptionalExtension as _, Row};
use steward_model::{IntervalAmount, PointId, PriceRun, UtcMs};

use super::codec::{decode_intervals, decode_prices};
use super::names;
use crate::{Carry, StoreError, StoredDay, StoredDayRef};

fn failed(step: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    StoreError::sqlite(step)
}

/// Days since 1970-01-01.
pub(crate) fn date_number(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days()
}

pub(super) fn date_of(number: i64) -> Result<NaiveDate, StoreError> {
    let epoch = NaiveDate::default();
    let date = if number < 0 {
        epoch.checked_sub_days(Days::new(number.unsigned_abs()))
    } else {
        epoch.checked_add_days(Days::new(number.unsigned_abs()))
    };
    date.ok_or_else(|| StoreError::Damaged(format!("day {number} is no date")))
}

const COLUMNS: &str = "date, start_s, carry_at, carry_base, carry_manual, kgce_ug, co2_ug, \
    factor_set, intervals, prices, tariff_set";

/// Room for a day's blobs, used again for the next one.
#[derive(Debug, Default)]
struct Room {
    intervals: Vec<Option<IntervalAmount>>,
    prices: Vec<PriceRun>,
}

impl Room {
    /// Reads a row of [`COLUMNS`].
    fn day<'a>(
        &'a mut self,
        point: &'a PointId,
        row: &'a Row<'_>,
    ) -> rusqlite::Result<Result<StoredDayRef<'a>, StoreError>> {
        let date = match date_of(row.get(0)?) {
            Ok(date) => date,
            Err(error) => return Ok(Err(error)),
        };
        let prices = row.get_ref(9)?.as_blob_or_null()?.unwrap_or_default();
        if !decode_intervals(row.get_ref(8)?.as_blob()?, &mut self.intervals)
            || !decode_prices(prices, &mut self.prices)
        {
            let text = format!("the intervals or prices of `{point}` on {date} cannot be read");
            return Ok(Err(StoreError::Damaged(text)));
        }
        let carry_at: Option<i64> = row.get(2)?;
        Ok(Ok(StoredDayRef {
            point,
            date,
            start_s: row.get(1)?,
            intervals: &self.intervals,
            carry: match (carry_at, row.get(3)?) {
                (Some(at), Some(register_base)) => Some(Carry {
                    at_ms: UtcMs(at),
                    register_base,
                    manual: row.get(4)?,
                }),
                _ => None,
            },
            kgce_ug_per_base: row.get(5)?,
            co2_ug_per_base: row.get(6)?,
            factor_set: row.get_ref(7)?.as_str()?,
            prices: &self.prices,
            tariff_set: row.get_ref(10)?.as_str()?,
        }))
    }
}

pub(crate) fn day(
    connection: &Connection,
    point: &PointId,
    date: NaiveDate,
) -> Result<Option<StoredDay>, StoreError> {
    day_numbered(connection, point, date_number(date))
}

/// The day of a point by its date's number.
pub(crate) fn day_numbered(
    connection: &Connection,
    point: &PointId,
    date: i64,
) -> Result<Option<StoredDay>, StoreError> {
    let Some(number) = names::point(connection, point)? else {
        return Ok(None);
    };
    let sql = format!("SELECT {COLUMNS} FROM day WHERE point = ?1 AND date = ?2");
    connection
        .prepare_cached(&sql)
        .and_then(|mut select| {
            select
                .query_row((number, date), |row| {
                    let mut room = Room::default();
                    Ok(room.day(point, row)?.map(StoredDayRef::to_stored))
                })
                .optional()
        })
        .map_err(failed("read a day"))?
        .transpose()
}

/// The days of a point with `from <= date < to`, ascending.
pub(crate) fn days(
    connection: &Connection,
    point: &PointId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<StoredDay>, StoreError> {
    days_between(connection, point, date_number(from), date_number(to))
}

/// As [`days`], by the numbers of dates.
pub(super) fn days_between(
    connection: &Connection,
    point: &PointId,
    from: i64,
    to: i64,
) -> Result<Vec<StoredDay>, StoreError> {
    let mut days = Vec::new();
    for_each(connection, std::slice::from_ref(point), (from, to), |day| {
        days.push(day.to_stored());
    })?;
    Ok(days)
}

/// Shows the days of points with `from <= date < to`, point by point as asked, ascending. A day
/// costs no memory of its own.
pub(super) fn for_each(
    connection: &Connection,
    points: &[PointId],
    (from, to): (i64, i64),
    mut each: impl FnMut(StoredDayRef<'_>),
) -> Result<(), StoreError> {
    let step = "read days";
    let sql = format!(
        "SELECT {COLUMNS} FROM day WHERE point = ?1 AND date >= ?2 AND date < ?3 ORDER BY date"
    );
    let mut select = connection.prepare_cached(&sql).map_err(failed(step))?;
    let mut room = Room::default();
    for point in points {
        let Some(number) = names::point(connection, point)? else {
            continue;
        };
        let mut rows = select.query((number, from, to)).map_err(failed(step))?;
        while let Some(row) = rows.next().map_err(failed(step))? {
            each(room.day(point, row).map_err(failed(step))??);
        }
    }
    Ok(())
}
