//! Readings become durable: one transaction from readings to cursor.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _};
use steward_model::Reading;

use super::codec::PayloadWriter;
use super::marks::{self, Stretch};
use super::names::Names;
use super::{DAY_MS, RawReading, WorkingStore, begin, enqueue, meta};
use crate::{CommitReport, ReadingsCommit, RefusedReading, StoreError};

/// What a commit found out about its readings.
#[derive(Debug)]
struct Outcome {
    report: CommitReport,
    /// By series and UTC day.
    stretches: Vec<Stretch>,
    payload: PayloadWriter,
}

impl WorkingStore {
    /// Stores readings. New ones go in; equal ones count as duplicates; a conflicting value is
    /// quarantined and the first value stays. Counters, dirty marks, outbox and cursor move in the
    /// same transaction, which is on the disk when this returns.
    pub fn commit_readings(
        &mut self,
        commit: ReadingsCommit<'_>,
    ) -> Result<CommitReport, StoreError> {
        self.in_turn(|store| store.commit_in_turn(commit))
    }

    fn commit_in_turn(&mut self, commit: ReadingsCommit<'_>) -> Result<CommitReport, StoreError> {
        let transaction = begin(&mut self.connection)?;
        let rows = sorted(&transaction, &mut self.names, commit.readings)?;
        let outcome = store(&transaction, &rows)?;
        let refused = refuse(&transaction, commit.quarantine)?;
        let mut stretches = outcome.stretches;
        stretches.retain(|one| self.ledger_series.has_number(&self.names, one.series));
        marks::put(&transaction, &stretches)?;
        let CommitReport {
            new,
            duplicates,
            conflicts,
        } = outcome.report;
        meta::add(&transaction, meta::STORED_NEW, new)?;
        meta::add(&transaction, meta::DUPLICATES, duplicates)?;
        meta::add(&transaction, meta::QUARANTINED, conflicts + refused)?;
        move_forward(&transaction, "cursor", meta::CURSOR, commit.cursor)?;
        move_forward(
            &transaction,
            "running number",
            meta::ACCOUNTED,
            commit.accounted,
        )?;
        if self.options.publish
            && let Some(payload) = outcome.payload.finish()
        {
            enqueue::enqueue_readings(&transaction, &self.options, &payload, new)?;
        }
        transaction
            .commit()
            .map_err(StoreError::sqlite("commit readings"))?;
        Ok(outcome.report)
    }
}

/// Numbers instead of names, ordered as the table is. The sort is stable: of two readings with one
/// key the one that came first is stored.
fn sorted(
    connection: &Connection,
    names: &mut Names,
    readings: &[Reading],
) -> Result<Vec<RawReading>, StoreError> {
    let mut rows = Vec::with_capacity(readings.len());
    let mut last: Option<(&Reading, i64)> = None;
    for reading in readings {
        let series = match last {
            Some((before, series))
                if before.quantity == reading.quantity && before.meter == reading.meter =>
            {
                series
            }
            _ => names.series_or_new(connection, &reading.meter, reading.quantity)?,
        };
        last = Some((reading, series));
        rows.push(RawReading {
            series,
            at_ms: reading.at.0,
            value: reading.value.get(),
            quality: reading.quality.code(),
            is_new: true,
        });
    }
    rows.sort_by_key(|row| (row.series, row.at_ms));
    Ok(rows)
}

fn store(connection: &Connection, rows: &[RawReading]) -> Result<Outcome, StoreError> {
    let failed = || StoreError::sqlite("store a reading");
    let prepare = |sql| connection.prepare_cached(sql).map_err(failed());
    let mut insert = prepare("INSERT INTO reading VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")?;
    let mut select = prepare("SELECT value, quality FROM reading WHERE series = ?1 AND at = ?2")?;
    let mut improve = prepare("UPDATE reading SET quality = ?3 WHERE series = ?1 AND at = ?2")?;
    let mut conflict = prepare(
        "INSERT INTO conflict VALUES (?1, ?2, ?3, ?4, 1) \
         ON CONFLICT DO UPDATE SET times = times + 1",
    )?;
    let mut outcome = Outcome {
        report: CommitReport::default(),
        stretches: Vec::new(),
        payload: PayloadWriter::new(),
    };
    for row in rows {
        let key = (row.series, row.at_ms);
        if insert
            .execute((row.series, row.at_ms, row.value, row.quality))
            .map_err(failed())?
            == 1
        {
            outcome.report.new += 1;
            outcome.changed(*row);
            continue;
        }
        let (value, quality): (f64, u8) = select
            .query_row(key, |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(failed())?;
        if value.to_bits() != row.value.to_bits() {
            outcome.report.conflicts += 1;
            conflict
                .execute((row.series, row.at_ms, row.value, row.quality))
                .map_err(failed())?;
            continue;
        }
        outcome.report.duplicates += 1;
        if row.quality < quality {
            // The better of two equal readings stays, whichever came first.
            improve
                .execute((row.series, row.at_ms, row.quality))
                .map_err(failed())?;
            outcome.changed(RawReading {
                is_new: false,
                ..*row
            });
        }
    }
    Ok(outcome)
}

impl Outcome {
    fn changed(&mut self, row: RawReading) {
        self.payload.push(row);
        let day = |at_ms: i64| at_ms.div_euclid(DAY_MS);
        match self.stretches.last_mut() {
            Some(stretch)
                if stretch.series == row.series && day(stretch.from_ms) == day(row.at_ms) =>
            {
                stretch.to_ms = row.at_ms;
            }
            _ => self.stretches.push(Stretch {
                series: row.series,
                from_ms: row.at_ms,
                to_ms: row.at_ms,
            }),
        }
    }
}

/// Keeps what the aggregator set aside; answers how many were not there yet.
fn refuse(connection: &Connection, refused: &[RefusedReading]) -> Result<u64, StoreError> {
    let failed = || StoreError::sqlite("set a reading aside");
    let mut insert: CachedStatement<'_> = connection
        .prepare_cached(
            "INSERT INTO refused VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )
        .map_err(failed())?;
    let mut added = 0;
    for item in refused {
        let seq = i64::try_from(item.seq).map_err(|_| StoreError::Range("a journal number"))?;
        let reading = item.reading.as_ref();
        added += insert
            .execute((
                seq,
                item.item,
                &item.reason,
                reading.map(|reading| reading.meter.as_str()),
                reading.map(|reading| reading.quantity.code()),
                reading.map(|reading| reading.at.0),
                reading.map(|reading| reading.value.get()),
                reading.map(|reading| reading.quality.code()),
            ))
            .map_err(failed())? as u64;
    }
    Ok(added)
}

fn move_forward(
    connection: &Connection,
    what: &'static str,
    key: &str,
    wanted: u64,
) -> Result<(), StoreError> {
    let now: Option<i64> = connection
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")
        .and_then(|mut select| select.query_row([key], |row| row.get(0)).optional())
        .map_err(StoreError::sqlite("read its cursor"))?;
    let now = now.unwrap_or(0).unsigned_abs();
    if wanted < now {
        return Err(StoreError::Backwards { what, now, wanted });
    }
    meta::write(connection, key, wanted)
}
