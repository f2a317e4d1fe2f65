//! Single numbers: counters, cursor, versions.

use rusqlite::{Connection, OptionalExtension as _};

use crate::StoreError;

pub(crate) const CURSOR: &str = "cursor";
pub(crate) const ACCOUNTED: &str = "accounted";
pub(crate) const STORED_NEW: &str = "stored_new";
pub(crate) const DUPLICATES: &str = "duplicates";
pub(crate) const QUARANTINED: &str = "quarantined";
/// Fingerprint of the plan by which the ledger was computed.
pub(crate) const PLAN: &str = "plan";
/// What the prices of the ledger were made by.
pub(crate) const PRICES: &str = "prices";
/// Last version given to a dirty mark.
pub(crate) const MARK: &str = "mark";
/// The event of the books up to which marks were made.
pub(crate) const BOOKS_SEQ: &str = "books_seq";
/// Last number given to a ledger key in the outbox or to a backlog mark.
pub(crate) const OUTBOX_SEQ: &str = "outbox_seq";
/// Bytes of payload in `outbox_reading`.
pub(crate) const OUTBOX_BYTES: &str = "outbox_bytes";
/// New readings that left the outbox: confirmed, refused or expired.
pub(crate) const SETTLED_READINGS: &str = "settled_readings";
/// Of these, older than the bucket's retention and never sent.
pub(crate) const EXPIRED_READINGS: &str = "expired_readings";
/// Ledger keys that left the outbox.
pub(crate) const SETTLED_LEDGER: &str = "settled_ledger";
/// Lines in `publish_quarantine`, by what they hold.
pub(crate) const REFUSED_READINGS: &str = "refused_readings";
pub(crate) const REFUSED_LEDGER: &str = "refused_ledger";

pub(crate) fn read(connection: &Connection, key: &str) -> Result<u64, StoreError> {
    let number: Option<i64> = connection
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")
        .and_then(|mut statement| statement.query_row([key], |row| row.get(0)).optional())
        .map_err(StoreError::sqlite("read its counters"))?;
    u64::try_from(number.unwrap_or(0))
        .map_err(|_| StoreError::Damaged(format!("the counter `{key}` is negative")))
}

pub(crate) fn write(connection: &Connection, key: &str, number: u64) -> Result<(), StoreError> {
    let number = i64::try_from(number).map_err(|_| StoreError::Range("a counter"))?;
    connection
        .prepare_cached("INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2")
        .and_then(|mut statement| statement.execute((key, number)))
        .map_err(StoreError::sqlite("write its counters"))?;
    Ok(())
}

/// Adds and answers the sum.
pub(crate) fn add(connection: &Connection, key: &str, number: u64) -> Result<u64, StoreError> {
    let sum = read(connection, key)?.saturating_add(number);
    if number > 0 {
        write(connection, key, sum)?;
    }
    Ok(sum)
}

/// Adds one and answers the sum as SQLite keeps it: a version or a place in an order.
pub(crate) fn next(connection: &Connection, key: &str) -> Result<i64, StoreError> {
    let number = add(connection, key, 1)?;
    i64::try_from(number).map_err(|_| StoreError::Range("a running number"))
}

/// Subtracts, down to zero.
pub(crate) fn subtract(connection: &Connection, key: &str, number: u64) -> Result<(), StoreError> {
    if number == 0 {
        return Ok(());
    }
    write(
        connection,
        key,
        read(connection, key)?.saturating_sub(number),
    )
}
