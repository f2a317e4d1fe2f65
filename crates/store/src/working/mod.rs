//! The working store: one SQLite file beside the aggregator, with one writer.

mod aside;
mod codec;
mod commit;
mod enqueue;
mod ledger;
mod meta;
mod names;
mod outbox;
mod query;
mod reader;
mod schema;
mod settle;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::NaiveDate;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use steward_model::{LedgerRow, MeterId, PointId, Quantity, UtcMs};

pub(crate) use codec::RawReading;
pub use outbox::Outbox;
pub(crate) use outbox::{LedgerKey, OutboxRow, SeriesDay};
pub use reader::StoreReader;
pub use schema::store_dir;
pub(crate) use settle::{Done, RefusedLine, Waiting};

use crate::{DirtySeries, SeriesReading, StoreCounts, StoreError, StoredDay};
use names::Names;

/// Milliseconds of a UTC day, by which marks are kept.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// How the working store runs.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// Whether what is stored also waits for InfluxDB.
    pub publish: bool,
    /// Bytes of readings that may wait in the outbox; beyond it the oldest wait as series-days.
    pub outbox_bytes_max: u64,
    /// The time of day, for the age of what waits.
    pub clock: fn() -> UtcMs,
}

/// The single writer. It belongs to one thread; readers and the publisher have connections of
/// their own.
#[derive(Debug)]
pub struct WorkingStore {
    dir: PathBuf,
    options: StoreOptions,
    connection: Connection,
    names: Names,
    gate: Gate,
}

/// Whoever writes in this process takes turns here: SQLite's own waiting polls with growing pauses
/// and would starve the publisher behind a busy aggregator.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<Mutex<()>>);

impl Gate {
    fn enter(&self) -> MutexGuard<'_, ()> {
        // The gate guards no data that a panic could leave half done: SQLite rolls back.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begin(connection: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(StoreError::sqlite("begin"))
}

impl WorkingStore {
    /// Opens or makes the store in the folder `dir` (see [`store_dir`]).
    pub fn open(dir: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let connection = schema::open(dir, schema::Access::Writer)?;
        let names = Names::read(&connection)?;
        Ok(Self {
            dir: dir.to_owned(),
            options,
            connection,
            names,
            gate: Gate::default(),
        })
    }

    /// The journal's batch up to which all is stored or quarantined.
    pub fn cursor(&self) -> Result<u64, StoreError> {
        meta::read(&self.connection, meta::CURSOR)
    }

    /// The counters.
    pub fn counts(&self) -> Result<StoreCounts, StoreError> {
        query::counts(&self.connection)
    }

    /// Marks of what the ledger has not seen, by series and day.
    pub fn dirty(&self, limit: usize) -> Result<Vec<DirtySeries>, StoreError> {
        query::dirty(&self.connection, &self.names, limit)
    }

    /// The readings of a series in `[from, to]`, ascending.
    pub fn series(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        from: UtcMs,
        to: UtcMs,
    ) -> Result<Vec<SeriesReading>, StoreError> {
        let Some(series) = self.names.series(meter, quantity) else {
            return Ok(Vec::new());
        };
        query::series(&self.connection, series, from, to, usize::MAX)
    }

    /// The last reading strictly before `at`.
    pub fn reading_before(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at: UtcMs,
    ) -> Result<Option<SeriesReading>, StoreError> {
        let Some(series) = self.names.series(meter, quantity) else {
            return Ok(None);
        };
        query::before(&self.connection, series, at)
    }

    /// The first reading strictly after `at`.
    pub fn reading_after(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at: UtcMs,
    ) -> Result<Option<SeriesReading>, StoreError> {
        let Some(series) = self.names.series(meter, quantity) else {
            return Ok(None);
        };
        query::after(&self.connection, series, at)
    }

    /// One day of a point.
    pub fn day(&self, point: &PointId, date: NaiveDate) -> Result<Option<StoredDay>, StoreError> {
        query::day(&self.connection, point, date)
    }

    /// The day rows of a point with `from_s <= start_s < to_s`, ascending.
    pub fn day_rows(
        &self,
        point: &PointId,
        from_s: i64,
        to_s: i64,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        query::ledger_of(
            &self.connection,
            point,
            steward_model::Span::Day,
            from_s,
            to_s,
        )
    }

    /// The rows of a point and span (day, month or year) with `from_s <= start_s < to_s`,
    /// ascending.
    pub fn ledger_rows(
        &self,
        point: &PointId,
        span: steward_model::Span,
        from_s: i64,
        to_s: i64,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        query::ledger_of(&self.connection, point, span, from_s, to_s)
    }

    /// The publisher's side of this store. Its writes take turns with this writer's.
    pub fn outbox(&self) -> Result<Outbox, StoreError> {
        Outbox::with_gate(&self.dir, self.gate.clone())
    }

    /// Drops everything that is computed and marks every counter's day, so that the ledger is
    /// computed anew from the readings.
    pub fn rebuild(&mut self) -> Result<(), StoreError> {
        let failed = || StoreError::sqlite("drop what is computed");
        let _turn = self.gate.enter();
        let transaction = begin(&mut self.connection)?;
        transaction
            .execute_batch("DELETE FROM day; DELETE FROM ledger; DELETE FROM dirty;")
            .map_err(failed())?;
        let mark = meta::next(&transaction, meta::MARK)?;
        let counters = self.names.counters();
        let mut insert = transaction
            .prepare("INSERT INTO dirty VALUES (?1, ?2, ?3, ?4, ?5)")
            .map_err(failed())?;
        for series in counters {
            for day in query::days_of(&transaction, series)? {
                let from_ms = day * DAY_MS;
                insert
                    .execute((series, day, from_ms, from_ms + DAY_MS - 1, mark))
                    .map_err(failed())?;
            }
        }
        drop(insert);
        transaction.commit().map_err(failed())
    }

    /// The fingerprint of the plan by which the ledger was computed; 0 before the first.
    pub fn plan_fingerprint(&self) -> Result<u64, StoreError> {
        meta::read(&self.connection, meta::PLAN)
    }

    /// Keeps the fingerprint of the plan; at most 63 bits are kept.
    pub fn set_plan_fingerprint(&mut self, fingerprint: u64) -> Result<(), StoreError> {
        let _turn = self.gate.enter();
        meta::write(&self.connection, meta::PLAN, fingerprint)
    }

    /// Folds the write-ahead log into the file and shortens it, for a quiet moment. Answers whether
    /// no reader was in the way.
    pub fn checkpoint(&mut self) -> Result<bool, StoreError> {
        let _turn = self.gate.enter();
        let busy: i64 = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(StoreError::sqlite("fold its log into the file"))?;
        Ok(busy == 0)
    }
}
