//! Numbers without a row. Those that are known are counted and passed; an unknown one means that the
//! structure of the file is broken and hides rows.

use rusqlite::{Connection, OptionalExtension as _};

use crate::schema::Totals;

/// Notes that the rows `first..=last` are not there.
pub(crate) fn note(connection: &Connection, first: i64, last: i64) -> Result<(), rusqlite::Error> {
    // A hole that ends just before is made longer, so that one run of numbers is one hole.
    let longer = connection.execute(
        "UPDATE hole SET last_seq = ?2 WHERE last_seq = ?1 - 1",
        [first, last],
    )?;
    if longer == 0 {
        connection.execute("INSERT OR REPLACE INTO hole VALUES (?, ?)", [first, last])?;
    }
    Ok(())
}

/// True where none of `first..=last` is expected to be there.
pub(crate) fn is_known(
    connection: &Connection,
    first: i64,
    last: i64,
) -> Result<bool, rusqlite::Error> {
    connection
        .prepare_cached("SELECT 1 FROM hole WHERE first_seq <= ?1 AND last_seq >= ?2")?
        .exists([first, last])
}

/// Notes every number that has no row, from the last reclaimed one on.
pub(crate) fn note_all(connection: &Connection, totals: &Totals) -> Result<(), rusqlite::Error> {
    connection.execute("DELETE FROM hole", [])?;
    let mut last = totals.reclaimed_seq;
    while last < totals.seq {
        // The end of the run of rows that begins after `last`, found by one walk over the numbers.
        let next: Option<i64> = connection
            .prepare_cached("SELECT seq FROM batch WHERE seq > ? ORDER BY seq LIMIT 1")?
            .query_row([last], |row| row.get(0))
            .optional()?;
        match next {
            Some(next) if next == last + 1 => last = next,
            Some(next) => {
                note(connection, last + 1, next - 1)?;
                last = next;
            }
            None => {
                note(connection, last + 1, totals.seq)?;
                last = totals.seq;
            }
        }
    }
    Ok(())
}
