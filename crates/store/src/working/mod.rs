//! The working store: one SQLite file beside the aggregator, with one writer.

mod aside;
mod codec;
mod commit;
mod days;
mod enqueue;
mod findings;
mod ledger;
mod marks;
mod meta;
mod names;
mod outbox;
mod query;
mod reader;
mod schema;
mod settle;
mod upgrade;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::NaiveDate;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use steward_model::{Fill, Finding, LedgerRow, MeterId, PointId, Quantity, UtcMs};

pub(crate) use codec::RawReading;
pub use outbox::Outbox;
pub(crate) use outbox::{LedgerKey, OutboxRow, SeriesDay};
pub use reader::StoreReader;
pub use schema::store_dir;
pub(crate) use settle::{Done, RefusedLine, Waiting};

use crate::{DirtySeries, SeriesReading, StoreCounts, StoreError, StoredDay, StoredDayRef};
use marks::LedgerSeries;
use names::Names;

/// Milliseconds of a UTC day, by which marks are kept.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// How the working store runs.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Whether what is stored also waits for InfluxDB.
    pub publish: bool,
    /// Bytes of readings that may wait in the outbox; beyond it the oldest wait as series-days.
    pub outbox_bytes_max: u64,
    /// The time of day, for the age of what waits.
    pub clock: fn() -> UtcMs,
    /// Gauges that stand in for a counter, as the power of a meter without a register: their new
    /// readings are marked as a counter's are.
    pub ledger_gauges: Vec<(MeterId, Quantity)>,
}

/// The single writer. It belongs to one thread; readers and the publisher have connections of
/// their own.
#[derive(Debug)]
pub struct WorkingStore {
    dir: PathBuf,
    options: StoreOptions,
    connection: Connection,
    names: Names,
    ledger_series: LedgerSeries,
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
        let mut connection = schema::open(dir, schema::Access::Writer)?;
        let ledger_series = LedgerSeries::new(&options.ledger_gauges);
        schema::bring_up(&mut connection, |connection| {
            upgrade::from_1(connection, &options, &ledger_series)
        })?;
        let names = Names::read(&connection)?;
        Ok(Self {
            dir: dir.to_owned(),
            options,
            connection,
            names,
            ledger_series,
            gate: Gate::default(),
        })
    }

    /// Writes when it is this writer's turn. Names that a failed transaction made are forgotten.
    fn in_turn<T>(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let gate = self.gate.clone();
        let _turn = gate.enter();
        let names_before = self.names.mark();
        let result = write(self);
        if result.is_err() {
            self.names.forget_after(names_before);
        }
        result
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

    /// When a series showed more than `value` for the first time before `to`. It walks the series.
    pub fn first_above(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        to: UtcMs,
        value: f64,
    ) -> Result<Option<UtcMs>, StoreError> {
        let Some(series) = self.names.series(meter, quantity) else {
            return Ok(None);
        };
        query::first_above(&self.connection, series, to, value)
    }

    /// One day of a point.
    pub fn day(&self, point: &PointId, date: NaiveDate) -> Result<Option<StoredDay>, StoreError> {
        days::day(&self.connection, point, date)
    }

    /// Shows the days of points with `from <= date < to`, point by point as asked, ascending, and
    /// keeps none: for sums over many.
    pub fn for_each_day(
        &self,
        points: &[PointId],
        from: NaiveDate,
        to: NaiveDate,
        each: impl FnMut(StoredDayRef<'_>),
    ) -> Result<(), StoreError> {
        let dates = (days::date_number(from), days::date_number(to));
        days::for_each(&self.connection, points, dates, each)
    }

    /// Findings of a point of which a part lies in `[from, to)`, ascending.
    pub fn findings(
        &self,
        point: &PointId,
        from: UtcMs,
        to: UtcMs,
    ) -> Result<Vec<Finding>, StoreError> {
        findings::findings_of(&self.connection, &self.names, point, from, to)
    }

    /// Fills of a point of which a part lies in `[from, to)`, ascending.
    pub fn fills(&self, point: &PointId, from: UtcMs, to: UtcMs) -> Result<Vec<Fill>, StoreError> {
        findings::fills_of(&self.connection, point, from, to)
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

    /// Drops everything that is computed, findings and fills too, and marks every day of every
    /// series that makes a ledger, so that it is computed anew from the readings. What the books
    /// touch is to be marked anew: [`WorkingStore::books_seq`] answers 0.
    pub fn rebuild(&mut self) -> Result<(), StoreError> {
        let _turn = self.gate.enter();
        let transaction = begin(&mut self.connection)?;
        marks::drop_computed(&transaction, &self.names, &self.ledger_series)?;
        transaction
            .commit()
            .map_err(StoreError::sqlite("drop what is computed"))
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

    /// The fingerprint of the tariffs by which the ledger was priced; 0 before the first.
    pub fn price_fingerprint(&self) -> Result<u64, StoreError> {
        meta::read(&self.connection, meta::PRICES)
    }

    /// Keeps the fingerprint of the tariffs; at most 63 bits are kept.
    pub fn set_price_fingerprint(&mut self, fingerprint: u64) -> Result<(), StoreError> {
        let _turn = self.gate.enter();
        meta::write(&self.connection, meta::PRICES, fingerprint)
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
