//! Series and points have names outside and numbers inside. The writer keeps both in memory.

use std::collections::HashMap;

use rusqlite::Connection;
use steward_model::{MeterId, PointId, Quantity};

use crate::StoreError;

/// The numbers of all series. A site has thousands at most.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_meter: HashMap<MeterId, Vec<(Quantity, i64)>>,
    by_number: HashMap<i64, (MeterId, Quantity)>,
    number_max: i64,
}

impl Names {
    pub(crate) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let mut names = Self::default();
        names.read_more(connection)?;
        Ok(names)
    }

    /// Learns the series that another connection has made since.
    pub(crate) fn read_more(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let failed = || StoreError::sqlite("read the names of its series");
        let mut statement = connection
            .prepare_cached("SELECT id, meter, quantity FROM series WHERE id > ?1 ORDER BY id")
            .map_err(failed())?;
        let rows = statement
            .query_map([self.number_max], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .map_err(failed())?;
        for row in rows {
            let (number, meter, code): (i64, String, i64) = row.map_err(failed())?;
            let meter = MeterId::new(&meter)
                .map_err(|error| StoreError::Damaged(format!("series {number}: {error}")))?;
            let quantity = quantity(code)?;
            self.insert(number, meter, quantity);
        }
        Ok(())
    }

    fn insert(&mut self, number: i64, meter: MeterId, quantity: Quantity) {
        self.number_max = self.number_max.max(number);
        self.by_number.insert(number, (meter.clone(), quantity));
        self.by_meter
            .entry(meter)
            .or_default()
            .push((quantity, number));
    }

    pub(crate) fn series(&self, meter: &MeterId, quantity: Quantity) -> Option<i64> {
        self.by_meter
            .get(meter)?
            .iter()
            .find(|(known, _)| *known == quantity)
            .map(|(_, number)| *number)
    }

    /// The quantities of a meter and their numbers.
    pub(crate) fn of_meter(&self, meter: &MeterId) -> &[(Quantity, i64)] {
        self.by_meter.get(meter).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn name(&self, series: i64) -> Option<&(MeterId, Quantity)> {
        self.by_number.get(&series)
    }

    /// The numbers of all series, ascending.
    pub(crate) fn numbers(&self) -> Vec<i64> {
        let mut numbers: Vec<i64> = self.by_number.keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    /// The number of a series; a new one is written, and stays only if the transaction does.
    pub(crate) fn series_or_new(
        &mut self,
        connection: &Connection,
        meter: &MeterId,
        quantity: Quantity,
    ) -> Result<i64, StoreError> {
        if let Some(number) = self.series(meter, quantity) {
            return Ok(number);
        }
        let number = self.number_max + 1;
        connection
            .prepare_cached("INSERT INTO series VALUES (?1, ?2, ?3)")
            .and_then(|mut insert| insert.execute((number, meter.as_str(), quantity.code())))
            .map_err(StoreError::sqlite("name a series"))?;
        self.insert(number, meter.clone(), quantity);
        Ok(number)
    }

    /// The highest number, to go back to with [`Names::forget_after`] if a transaction fails.
    pub(crate) const fn mark(&self) -> i64 {
        self.number_max
    }

    pub(crate) fn forget_after(&mut self, mark: i64) {
        self.number_max = mark;
        self.by_number.retain(|number, _| *number <= mark);
        for series in self.by_meter.values_mut() {
            series.retain(|(_, number)| *number <= mark);
        }
    }
}

pub(crate) fn quantity(code: i64) -> Result<Quantity, StoreError> {
    u8::try_from(code)
        .ok()
        .and_then(Quantity::from_code)
        .ok_or_else(|| StoreError::Damaged(format!("{code} is no quantity")))
}

/// The number of a point, if it has one.
pub(crate) fn point(connection: &Connection, point: &PointId) -> Result<Option<i64>, StoreError> {
    use rusqlite::OptionalExtension as _;
    connection
        .prepare_cached("SELECT id FROM point WHERE name = ?1")
        .and_then(|mut select| {
            select
                .query_row([point.as_str()], |row| row.get(0))
                .optional()
        })
        .map_err(StoreError::sqlite("look a point up"))
}

/// The number of a point; a new one is written.
pub(crate) fn point_or_new(connection: &Connection, point_id: &PointId) -> Result<i64, StoreError> {
    if let Some(number) = point(connection, point_id)? {
        return Ok(number);
    }
    connection
        .prepare_cached("INSERT INTO point (name) VALUES (?1)")
        .and_then(|mut insert| insert.execute([point_id.as_str()]))
        .map_err(StoreError::sqlite("name a point"))?;
    Ok(connection.last_insert_rowid())
}
