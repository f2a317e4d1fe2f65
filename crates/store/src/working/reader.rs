//! Reading the working store beside its writer, in this process or another.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;
use rusqlite::Connection;
use steward_model::{Fill, Finding, LedgerRow, MeterId, PointId, Quantity, Reading, Span, UtcMs};
use tokio::sync::Semaphore;

use super::names::Names;
use super::{aside, days, findings, meta, query, schema};
use crate::{
    FindingFilter, SeriesReading, SetAside, StoreCounts, StoreError, StoredDay, StoredDayRef,
};

/// Questions that are answered at the same time; more wait for their turn.
const CONNECTIONS_MAX: usize = 4;

#[derive(Debug)]
struct Pool {
    dir: PathBuf,
    idle: Mutex<Vec<Session>>,
    permits: Arc<Semaphore>,
}

/// A connection and the names that it has seen.
#[derive(Debug)]
struct Session {
    connection: Connection,
    names: Names,
}

/// A pool of reading connections. Every question is one short transaction, so the write-ahead log
/// can always be folded in.
#[derive(Clone, Debug)]
pub struct StoreReader {
    pool: Arc<Pool>,
}

impl StoreReader {
    /// A reader of the store in the folder `dir` (see [`crate::store_dir`]). The file need not be
    /// there yet: until it is, every question answers [`StoreError::Missing`].
    pub fn open(dir: &Path) -> Self {
        Self {
            pool: Arc::new(Pool {
                dir: dir.to_owned(),
                idle: Mutex::new(Vec::new()),
                permits: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            }),
        }
    }

    /// Readings of a series in `[from, to)`, ascending, at most `limit`.
    pub async fn readings(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        from: UtcMs,
        to: UtcMs,
        limit: usize,
    ) -> Result<Vec<Reading>, StoreError> {
        let meter = meter.clone();
        self.ask(move |session| {
            let Some(series) = session.names.series(&meter, quantity) else {
                return Ok(Vec::new());
            };
            if from >= to {
                return Ok(Vec::new());
            }
            query::series(&session.connection, series, from, UtcMs(to.0 - 1), limit)?
                .into_iter()
                .map(|row| query::reading(&meter, quantity, row))
                .collect()
        })
        .await
    }

    /// The readings of a series in `[from, to]`, ascending, as the ledger sees them.
    pub async fn series(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        from: UtcMs,
        to: UtcMs,
    ) -> Result<Vec<SeriesReading>, StoreError> {
        let meter = meter.clone();
        self.ask(
            move |session| match session.names.series(&meter, quantity) {
                None => Ok(Vec::new()),
                Some(series) => query::series(&session.connection, series, from, to, usize::MAX),
            },
        )
        .await
    }

    /// The last reading of every quantity of these meters, by meter as asked and quantity.
    pub async fn latest(&self, meters: &[MeterId]) -> Result<Vec<Reading>, StoreError> {
        let meters = meters.to_vec();
        self.ask(move |session| {
            let mut latest = Vec::new();
            for meter in &meters {
                let mut series = session.names.of_meter(meter).to_vec();
                series.sort_unstable();
                for (quantity, number) in series {
                    if let Some(row) = query::last(&session.connection, number)? {
                        latest.push(query::reading(meter, quantity, row)?);
                    }
                }
            }
            Ok(latest)
        })
        .await
    }

    /// Ledger rows with `from_s <= start_s < to_s`, ordered by (start, point).
    pub async fn ledger(
        &self,
        points: &[PointId],
        span: Span,
        from_s: i64,
        to_s: i64,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let points = points.to_vec();
        self.ask(move |session| {
            let mut rows = Vec::new();
            for point in &points {
                rows.extend(query::ledger_of(
                    &session.connection,
                    point,
                    span,
                    from_s,
                    to_s,
                )?);
            }
            rows.sort_by(|a, b| (a.start_s, &a.point).cmp(&(b.start_s, &b.point)));
            Ok(rows)
        })
        .await
    }

    /// The stored days of a point with `from <= date < to`, ascending: what `verify` adds up.
    pub async fn days(
        &self,
        point: &PointId,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<StoredDay>, StoreError> {
        let point = point.clone();
        self.ask(move |session| days::days(&session.connection, &point, from, to))
            .await
    }

    /// One day of a point.
    pub async fn day(
        &self,
        point: &PointId,
        date: NaiveDate,
    ) -> Result<Option<StoredDay>, StoreError> {
        let point = point.clone();
        self.ask(move |session| days::day(&session.connection, &point, date))
            .await
    }

    /// Shows the days of points with `from <= date < to`, point by point as asked, ascending, to
    /// `fold`, which adds them to `sum`: for figures over many days, none of which is kept.
    pub async fn fold_days<S: Send + 'static>(
        &self,
        points: &[PointId],
        from: NaiveDate,
        to: NaiveDate,
        mut sum: S,
        mut fold: impl FnMut(&mut S, StoredDayRef<'_>) + Send + 'static,
    ) -> Result<S, StoreError> {
        let points = points.to_vec();
        let dates = (days::date_number(from), days::date_number(to));
        self.ask(move |session| {
            days::for_each(&session.connection, &points, dates, |day| {
                fold(&mut sum, day);
            })?;
            Ok(sum)
        })
        .await
    }

    /// The findings that `filter` asks for, by time.
    pub async fn findings(&self, filter: FindingFilter) -> Result<Vec<Finding>, StoreError> {
        self.ask(move |session| findings::filtered(&session.connection, &session.names, &filter))
            .await
    }

    /// The finding that begins with the reading of `at`, if there is one. Where one reading begins
    /// two, the one that waits for a person comes first.
    pub async fn finding(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at: UtcMs,
    ) -> Result<Option<Finding>, StoreError> {
        let meter = meter.clone();
        self.ask(move |session| {
            findings::one(&session.connection, &session.names, &meter, quantity, at)
        })
        .await
    }

    /// How many findings wait for a person, by point; points without any are not in it.
    pub async fn open_findings(&self) -> Result<BTreeMap<PointId, u64>, StoreError> {
        self.ask(|session| findings::open_by_point(&session.connection))
            .await
    }

    /// Fills of a point of which a part lies in `[from, to)`, ascending.
    pub async fn fills(
        &self,
        point: &PointId,
        from: UtcMs,
        to: UtcMs,
    ) -> Result<Vec<Fill>, StoreError> {
        let point = point.clone();
        self.ask(move |session| findings::fills_of(&session.connection, &point, from, to))
            .await
    }

    /// The event of the books up to which the ledger has been marked.
    pub async fn books_seq(&self) -> Result<u64, StoreError> {
        self.ask(|session| meta::read(&session.connection, meta::BOOKS_SEQ))
            .await
    }

    /// The counters, in one view.
    pub async fn counts(&self) -> Result<StoreCounts, StoreError> {
        self.ask(|session| query::counts(&session.connection)).await
    }

    /// Counts the readings in the table, one by one: the proof of the counters.
    pub async fn count_readings(&self) -> Result<u64, StoreError> {
        self.ask(|session| query::count_readings(&session.connection))
            .await
    }

    /// What the aggregator set aside and what InfluxDB refused for good, oldest first, at most
    /// `limit` of each kind.
    pub async fn set_aside(&self, limit: usize) -> Result<Vec<SetAside>, StoreError> {
        self.ask(move |session| aside::list(&session.connection, limit))
            .await
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let pool = Arc::clone(&self.pool);
        // The permit moves along with the query, which outlives an asker that goes away.
        let permit = Arc::clone(&pool.permits)
            .acquire_owned()
            .await
            .map_err(|_| StoreError::Task)?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            pool.answer(question)
        })
        .await
        .map_err(|_| StoreError::Task)?
    }
}

impl Pool {
    fn answer<T>(
        &self,
        question: impl FnOnce(&Session) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        let mut session = match idle {
            Some(session) => session,
            None => {
                let connection = schema::open(&self.dir, schema::Access::Reader)?;
                Session {
                    connection,
                    names: Names::default(),
                }
            }
        };
        // One view for the whole question, however many statements it takes. A transaction that
        // only reads has nothing to commit: it ends when it is dropped.
        let view = session
            .connection
            .unchecked_transaction()
            .map_err(StoreError::sqlite("begin to read"))?;
        session.names.read_more(&view)?;
        let answer = question(&session)?;
        drop(view);
        // A session whose question failed is dropped: the file may have been replaced.
        self.idle().push(session);
        Ok(answer)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
