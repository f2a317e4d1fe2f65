//! Rows of `batch`: writing one, checking one, and reading around broken places.

use rusqlite::{Connection, OptionalExtension as _, Row};
use steward_model::{Batch, GatewayId, UtcMs};

use crate::error::{damaged, is_damage};
use crate::pages::Column;
use crate::schema::unsigned;
use crate::{StoredBatch, payload};

/// A batch whose readings are already bytes; made by the caller, so that the writer's thread does
/// nothing but write.
pub(crate) struct PackedBatch {
    pub(crate) received_at: i64,
    pub(crate) gateway: GatewayId,
    pub(crate) gateway_boot: Option<i64>,
    pub(crate) gateway_seq: Option<i64>,
    pub(crate) readings: i64,
    pub(crate) payload: Vec<u8>,
}

impl PackedBatch {
    /// Packs the readings.
    pub(crate) fn new(batch: Batch) -> Self {
        Self {
            received_at: batch.received_at.0,
            gateway_boot: batch.gateway_boot,
            gateway_seq: batch.gateway_seq,
            readings: i64::try_from(batch.readings.len()).unwrap_or(i64::MAX),
            payload: payload::encode(batch.received_at, &batch.readings),
            gateway: batch.gateway,
        }
    }
}

/// A row as it stands in the file.
struct RawRow<'a> {
    seq: i64,
    received_at: i64,
    gateway: &'a str,
    gateway_boot: Option<i64>,
    gateway_seq: Option<i64>,
    first_reading: i64,
    readings: i64,
    payload: &'a [u8],
}

impl RawRow<'_> {
    /// Over every column but the checksum's own. Lengths are in it, so columns cannot trade bytes.
    fn crc(&self) -> i64 {
        let mut crc = 0;
        let mut add = |bytes: &[u8]| crc = crc32c::crc32c_append(crc, bytes);
        add(&self.seq.to_le_bytes());
        add(&self.received_at.to_le_bytes());
        for number in [self.gateway_boot, self.gateway_seq] {
            add(&[u8::from(number.is_some())]);
            add(&number.unwrap_or(0).to_le_bytes());
        }
        add(&self.first_reading.to_le_bytes());
        add(&self.readings.to_le_bytes());
        add(&(self.gateway.len() as u64).to_le_bytes());
        add(self.gateway.as_bytes());
        add(&(self.payload.len() as u64).to_le_bytes());
        add(self.payload);
        i64::from(crc)
    }
}

/// Writes a row.
pub(crate) fn insert(
    connection: &Connection,
    seq: i64,
    first_reading: i64,
    batch: &PackedBatch,
) -> Result<(), rusqlite::Error> {
    let row = RawRow {
        seq,
        received_at: batch.received_at,
        gateway: batch.gateway.as_str(),
        gateway_boot: batch.gateway_boot,
        gateway_seq: batch.gateway_seq,
        first_reading,
        readings: batch.readings,
        payload: &batch.payload,
    };
    connection
        .prepare_cached("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(rusqlite::params![
            row.seq,
            row.received_at,
            row.gateway,
            row.gateway_boot,
            row.gateway_seq,
            row.first_reading,
            row.readings,
            row.crc(),
            row.payload,
        ])?;
    Ok(())
}

const COLUMNS: &str = "seq, received_at, gateway, gateway_boot, gateway_seq, first_reading, \
                       readings, crc32c, payload";

impl RawRow<'_> {
    /// The batch, or `None` where any part of the row does not hold.
    fn accept(&self, crc: i64) -> Option<StoredBatch> {
        if crc != self.crc() {
            return None;
        }
        let received_at = UtcMs(self.received_at);
        let readings = payload::decode(received_at, self.payload).ok()?;
        if readings.len() as u64 != unsigned(self.readings) {
            return None;
        }
        Some(StoredBatch {
            seq: unsigned(self.seq),
            first_reading: unsigned(self.first_reading),
            batch: Batch {
                received_at,
                gateway: GatewayId::new(self.gateway).ok()?,
                gateway_boot: self.gateway_boot,
                gateway_seq: self.gateway_seq,
                readings,
            },
        })
    }
}

/// The batch of a row. A column of another type than the schema says is damage like any other.
fn check(row: &Row<'_>) -> Option<StoredBatch> {
    let raw = RawRow {
        seq: row.get(0).ok()?,
        received_at: row.get(1).ok()?,
        gateway: row.get_ref(2).ok()?.as_str().ok()?,
        gateway_boot: row.get(3).ok()?,
        gateway_seq: row.get(4).ok()?,
        first_reading: row.get(5).ok()?,
        readings: row.get(6).ok()?,
        payload: row.get_ref(8).ok()?.as_blob().ok()?,
    };
    raw.accept(row.get(7).ok()?)
}

/// The batch of a row that was found without SQLite.
pub(crate) fn from_columns(seq: i64, columns: &[Column]) -> Option<StoredBatch> {
    let [
        _,
        received_at,
        gateway,
        boot,
        gateway_seq,
        first_reading,
        readings,
        crc,
        payload,
    ] = columns
    else {
        return None;
    };
    let raw = RawRow {
        seq,
        received_at: received_at.integer()?,
        gateway: gateway.text()?,
        gateway_boot: boot.integer(),
        gateway_seq: gateway_seq.integer(),
        first_reading: first_reading.integer()?,
        readings: readings.integer()?,
        payload: payload.blob()?,
    };
    raw.accept(crc.integer()?)
}

/// The good row `seq`, if it is there.
pub(crate) fn one(
    connection: &Connection,
    seq: i64,
) -> Result<Option<StoredBatch>, rusqlite::Error> {
    let found = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM batch WHERE seq = ?"))?
        .query_row([seq], |row| Ok(check(row)))
        .optional();
    match found {
        Ok(row) => Ok(row.flatten()),
        Err(error) if is_damage(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Good rows in order, and how far the search went.
#[derive(Default)]
pub(crate) struct Scan {
    /// The good rows.
    pub(crate) good: Vec<StoredBatch>,
    /// Every number up to here was looked at; what is not among the good is lost.
    pub(crate) through: i64,
    /// Runs of numbers, first and last, that have no row at all.
    pub(crate) absent: Vec<(i64, i64)>,
    /// Readings in the good rows.
    readings: usize,
}

/// Reads rows with `after < seq <= upto` until there are `readings_max` readings. Rows whose
/// checksum does not hold are passed over; a broken structure is an error.
pub(crate) fn scan(
    connection: &Connection,
    after: i64,
    upto: i64,
    readings_max: usize,
) -> Result<Scan, rusqlite::Error> {
    let mut scan = Scan {
        through: after,
        ..Scan::default()
    };
    scan.range(connection, upto, readings_max)?;
    Ok(scan)
}

/// As [`scan`], around whatever is broken: behind an error of SQLite the rows are asked for one by
/// one, by number.
pub(crate) fn scan_around(
    connection: &Connection,
    after: i64,
    upto: i64,
    readings_max: usize,
) -> Result<Scan, rusqlite::Error> {
    let mut scan = Scan {
        through: after,
        ..Scan::default()
    };
    while scan.through < upto && scan.readings < readings_max {
        match scan.range(connection, upto, readings_max) {
            Ok(()) => {}
            Err(error) if is_damage(&error) => {
                scan.through += 1;
                let row = one(connection, scan.through)?;
                scan.take(row);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(scan)
}

impl Scan {
    fn take(&mut self, row: Option<StoredBatch>) {
        if let Some(row) = row {
            self.readings += row.batch.readings.len();
            self.good.push(row);
        }
    }

    /// Comes to row `seq`; the numbers before it have none.
    fn pass(&mut self, seq: i64) {
        if seq > self.through + 1 {
            self.absent.push((self.through + 1, seq - 1));
        }
        self.through = seq;
    }

    fn range(
        &mut self,
        connection: &Connection,
        upto: i64,
        readings_max: usize,
    ) -> Result<(), rusqlite::Error> {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM batch WHERE seq > ? AND seq <= ? ORDER BY seq"
        ))?;
        let mut rows = statement.query([self.through, upto])?;
        while self.readings < readings_max {
            match rows.next()? {
                Some(row) => {
                    let seq = row.get(0)?;
                    if seq <= self.through {
                        return Err(damaged("rows are out of order"));
                    }
                    let row = check(row);
                    self.pass(seq);
                    self.take(row);
                }
                None => {
                    self.pass(upto + 1);
                    self.through = upto;
                    break;
                }
            }
        }
        Ok(())
    }
}
