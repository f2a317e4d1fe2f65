//! Making room: rows behind every cursor and older than the replay window go, in order. Near the
//! bound the window counts for nothing. What a reader has not passed never goes; without any
//! registered reader nothing goes.

use rusqlite::Connection;

use crate::schema::Totals;

/// The last row that every reader has passed, less one: a reader finds the running number at its
/// cursor in the row there, so that row stays.
pub(crate) fn floor(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection
        .prepare_cached("SELECT coalesce(min(seq), 0) - 1 FROM cursor")?
        .query_row([], |row| row.get(0))
}

/// Removes at most `rows_max` rows up to `floor` that were received before `cutoff`, and moves
/// `totals` along. Answers how many went. The caller's transaction holds it.
pub(crate) fn slice(
    connection: &Connection,
    totals: &mut Totals,
    floor: i64,
    cutoff: i64,
    rows_max: usize,
) -> Result<u64, rusqlite::Error> {
    let mut last = None;
    let mut readings = totals.reclaimed_readings;
    {
        let mut statement = connection.prepare_cached(
            "SELECT seq, received_at, first_reading + readings - 1 FROM batch
             WHERE seq <= ? ORDER BY seq",
        )?;
        let mut rows = statement.query([floor])?;
        for _ in 0..rows_max {
            let Some(row) = rows.next()? else { break };
            // In the order of arrival: the first young row ends it.
            if row.get::<_, i64>(1)? >= cutoff {
                break;
            }
            last = Some(row.get::<_, i64>(0)?);
            readings = readings.max(row.get(2)?);
        }
    }
    let Some(last) = last else { return Ok(0) };
    let gone = connection
        .prepare_cached("DELETE FROM batch WHERE seq <= ?")?
        .execute([last])?;
    totals.reclaimed_seq = totals.reclaimed_seq.max(last);
    totals.reclaimed_readings = readings.min(totals.readings);
    Ok(gone as u64)
}
