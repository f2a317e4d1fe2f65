//! Marks: which stretches of which series the ledger has not seen.

use std::collections::HashSet;

use rusqlite::Connection;
use steward_model::{Kind, MeterId, Quantity};

use super::names::Names;
use super::{DAY_MS, WorkingStore, begin, meta, query};
use crate::{DirtySeries, StoreError, Touched};

/// The series that make a ledger: all counters, and the gauges that stand in for one.
#[derive(Clone, Debug, Default)]
pub(crate) struct LedgerSeries {
    gauges: HashSet<(MeterId, Quantity)>,
}

impl LedgerSeries {
    pub(crate) fn new(gauges: &[(MeterId, Quantity)]) -> Self {
        Self {
            gauges: gauges.iter().cloned().collect(),
        }
    }

    fn has(&self, name: &(MeterId, Quantity)) -> bool {
        name.1.kind() == Kind::Counter || self.gauges.contains(name)
    }

    /// Whether the series with this number is one of them.
    pub(crate) fn has_number(&self, names: &Names, series: i64) -> bool {
        names.name(series).is_some_and(|name| self.has(name))
    }
}

/// A stretch of one series. Its mark stands under the UTC day in which it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    pub(crate) series: i64,
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
}

impl WorkingStore {
    /// Marks stretches whose ledger must be computed again though no reading of them is new, and
    /// keeps up to which event of the books that has been done, in one transaction.
    pub fn touch(&mut self, touched: &[Touched], books_seq: u64) -> Result<(), StoreError> {
        self.in_turn(|store| {
            let transaction = begin(&mut store.connection)?;
            put_touched(&transaction, &mut store.names, touched)?;
            meta::write(&transaction, meta::BOOKS_SEQ, books_seq)?;
            transaction
                .commit()
                .map_err(StoreError::sqlite("mark what the books touch"))
        })
    }

    /// The event of the books up to which marks were made; 0 before the first and after a rebuild.
    pub fn books_seq(&self) -> Result<u64, StoreError> {
        meta::read(&self.connection, meta::BOOKS_SEQ)
    }
}

/// Marks stretches. A stretch that begins in the day of another one widens it.
pub(super) fn put(connection: &Connection, stretches: &[Stretch]) -> Result<(), StoreError> {
    if stretches.is_empty() {
        return Ok(());
    }
    let failed = || StoreError::sqlite("mark a day");
    let mark = meta::next(connection, meta::MARK)?;
    let mut upsert = connection
        .prepare_cached(
            "INSERT INTO dirty VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET \
             from_ms = min(from_ms, ?3), to_ms = max(to_ms, ?4), mark = ?5",
        )
        .map_err(failed())?;
    for stretch in stretches {
        let day = stretch.from_ms.div_euclid(DAY_MS);
        upsert
            .execute((stretch.series, day, stretch.from_ms, stretch.to_ms, mark))
            .map_err(failed())?;
    }
    Ok(())
}

/// Marks what the books or other series touch. A series without a stored reading gets its number
/// here: all of its readings may stand in the books.
pub(super) fn put_touched(
    connection: &Connection,
    names: &mut Names,
    touched: &[Touched],
) -> Result<(), StoreError> {
    let mut stretches = Vec::with_capacity(touched.len());
    for stretch in touched.iter().filter(|stretch| stretch.from <= stretch.to) {
        stretches.push(Stretch {
            series: names.series_or_new(connection, &stretch.meter, stretch.quantity)?,
            from_ms: stretch.from.0,
            to_ms: stretch.to.0,
        });
    }
    put(connection, &stretches)
}

/// Drops everything that is computed and marks every day of every series that makes a ledger. The
/// books are to be looked through again too.
pub(super) fn drop_computed(
    connection: &Connection,
    names: &Names,
    ledger_series: &LedgerSeries,
) -> Result<(), StoreError> {
    connection
        .execute_batch(
            "DELETE FROM day; DELETE FROM ledger; DELETE FROM finding; DELETE FROM fill; \
             DELETE FROM dirty;",
        )
        .map_err(StoreError::sqlite("drop what is computed"))?;
    meta::write(connection, meta::BOOKS_SEQ, 0)?;
    let mut stretches = Vec::new();
    for series in names.numbers() {
        if !ledger_series.has_number(names, series) {
            continue;
        }
        for day in query::days_of(connection, series)? {
            let from_ms = day * DAY_MS;
            stretches.push(Stretch {
                series,
                from_ms,
                to_ms: from_ms + DAY_MS - 1,
            });
        }
    }
    put(connection, &stretches)
}

/// Takes away marks that nothing has changed since they were read.
pub(super) fn clear(
    connection: &Connection,
    names: &Names,
    cleared: &[DirtySeries],
) -> Result<(), StoreError> {
    let mut delete = connection
        .prepare_cached("DELETE FROM dirty WHERE series = ?1 AND day = ?2 AND mark = ?3")
        .map_err(StoreError::sqlite("clear a mark"))?;
    for done in cleared {
        let Some(series) = names.series(&done.meter, done.quantity) else {
            continue;
        };
        let mark = i64::try_from(done.mark).map_err(|_| StoreError::Range("a mark"))?;
        delete
            .execute((series, done.from.0.div_euclid(DAY_MS), mark))
            .map_err(StoreError::sqlite("clear a mark"))?;
    }
    Ok(())
}
