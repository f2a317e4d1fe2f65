//! What is kept beside the readings, for a person to look at.

use rusqlite::{Connection, Row};
use steward_model::{Quantity, UtcMs};

use crate::{SetAside, StoreError};

const CONFLICTS: &str = "
    SELECT 'conflict', series.meter, series.quantity, conflict.at, conflict.value, conflict.times
    FROM conflict JOIN series ON series.id = conflict.series
    ORDER BY conflict.at, series.id LIMIT ?1";
const REFUSED: &str = "
    SELECT reason, meter, quantity, at, value, 1 FROM refused ORDER BY seq, item LIMIT ?1";
const UNPUBLISHED: &str =
    "SELECT reason, line FROM publish_quarantine ORDER BY at_ms, line LIMIT ?1";

/// At most `limit` of each kind.
pub(super) fn list(connection: &Connection, limit: usize) -> Result<Vec<SetAside>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut all = rows(connection, CONFLICTS, limit, reading)?;
    all.extend(rows(connection, REFUSED, limit, reading)?);
    all.extend(rows(connection, UNPUBLISHED, limit, |row| {
        let (why, line): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(SetAside {
            reason: "refused_by_influx".to_owned(),
            at: None,
            detail: format!("{line}: {why}"),
        })
    })?);
    Ok(all)
}

fn rows(
    connection: &Connection,
    select: &str,
    limit: i64,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<SetAside>,
) -> Result<Vec<SetAside>, StoreError> {
    let failed = || StoreError::sqlite("list what was set aside");
    let mut statement = connection.prepare_cached(select).map_err(failed())?;
    let found = statement.query_map([limit], read).map_err(failed())?;
    found.collect::<Result<_, _>>().map_err(failed())
}

fn reading(row: &Row<'_>) -> rusqlite::Result<SetAside> {
    let meter: Option<String> = row.get(1)?;
    let code: Option<u8> = row.get(2)?;
    let value: Option<f64> = row.get(4)?;
    let times: i64 = row.get(5)?;
    let meter = meter.unwrap_or_else(|| "unreadable".to_owned());
    let quantity = code.and_then(Quantity::from_code).map_or("", Quantity::id);
    let value = value.map_or_else(String::new, |value| format!(" = {value}"));
    let times = if times > 1 {
        format!(" ({times} times)")
    } else {
        String::new()
    };
    Ok(SetAside {
        reason: row.get(0)?,
        at: row.get::<_, Option<i64>>(3)?.map(UtcMs),
        detail: format!("{meter} {quantity}{value}{times}"),
    })
}
