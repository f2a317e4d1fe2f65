//! What the kernel reads, and a shelf in memory.

use std::collections::BTreeMap;
use std::convert::Infallible;

use chrono::NaiveDate;
use steward_model::{IntervalAmount, MeterId, PointId, Quantity};

use crate::register::{Confirmed, Raw};

/// Readings of series with those taken by hand among them and without those that are voided, and
/// what is stored of days.
pub trait Shelf {
    /// Why it did not answer.
    type Error;

    /// The readings from `from_ms` to `to_ms`, both included, ascending, one an instant.
    fn readings(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<Raw>, Self::Error>;

    /// The time of the last reading before `at_ms`.
    fn reading_before(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at_ms: i64,
    ) -> Result<Option<i64>, Self::Error>;

    /// The time of the first reading after `at_ms`.
    fn reading_after(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at_ms: i64,
    ) -> Result<Option<i64>, Self::Error>;

    /// The register from which the day after a stored day goes on; `None` where the day is not
    /// stored.
    fn carry(&self, point: &PointId, date: NaiveDate) -> Result<Option<Confirmed>, Self::Error>;

    /// The intervals of a stored day, for load shapes.
    fn day(
        &self,
        point: &PointId,
        date: NaiveDate,
    ) -> Result<Option<Vec<Option<IntervalAmount>>>, Self::Error>;
}

/// Readings and days in memory: for whoever has gathered a window beforehand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemoryShelf {
    /// Readings of every series, ascending.
    pub series: BTreeMap<(MeterId, Quantity), Vec<Raw>>,
    /// Carries of stored days.
    pub carries: BTreeMap<(PointId, NaiveDate), Confirmed>,
    /// Intervals of stored days.
    pub days: BTreeMap<(PointId, NaiveDate), Vec<Option<IntervalAmount>>>,
}

impl MemoryShelf {
    fn series(&self, meter: &MeterId, quantity: Quantity) -> &[Raw] {
        self.series
            .get(&(meter.clone(), quantity))
            .map_or(&[], Vec::as_slice)
    }
}

impl Shelf for MemoryShelf {
    type Error = Infallible;

    fn readings(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<Raw>, Infallible> {
        Ok(window(self.series(meter, quantity), from_ms, to_ms).to_vec())
    }

    fn reading_before(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at_ms: i64,
    ) -> Result<Option<i64>, Infallible> {
        Ok(last_before(self.series(meter, quantity), at_ms))
    }

    fn reading_after(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at_ms: i64,
    ) -> Result<Option<i64>, Infallible> {
        Ok(first_after(self.series(meter, quantity), at_ms))
    }

    fn carry(&self, point: &PointId, date: NaiveDate) -> Result<Option<Confirmed>, Infallible> {
        Ok(self.carries.get(&(point.clone(), date)).copied())
    }

    fn day(
        &self,
        point: &PointId,
        date: NaiveDate,
    ) -> Result<Option<Vec<Option<IntervalAmount>>>, Infallible> {
        Ok(self.days.get(&(point.clone(), date)).cloned())
    }
}

/// A shelf over the readings of one meter, with nothing stored.
pub(crate) struct SliceShelf<'a>(pub(crate) &'a [Raw]);

impl Shelf for SliceShelf<'_> {
    type Error = Infallible;

    fn readings(
        &self,
        _: &MeterId,
        _: Quantity,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<Raw>, Self::Error> {
        Ok(window(self.0, from_ms, to_ms).to_vec())
    }

    fn reading_before(
        &self,
        _: &MeterId,
        _: Quantity,
        at_ms: i64,
    ) -> Result<Option<i64>, Self::Error> {
        Ok(last_before(self.0, at_ms))
    }

    fn reading_after(
        &self,
        _: &MeterId,
        _: Quantity,
        at_ms: i64,
    ) -> Result<Option<i64>, Self::Error> {
        Ok(first_after(self.0, at_ms))
    }

    fn carry(&self, _: &PointId, _: NaiveDate) -> Result<Option<Confirmed>, Self::Error> {
        Ok(None)
    }

    fn day(
        &self,
        _: &PointId,
        _: NaiveDate,
    ) -> Result<Option<Vec<Option<IntervalAmount>>>, Self::Error> {
        Ok(None)
    }
}

/// The part of an ascending slice from `from_ms` to `to_ms`, both included.
fn window(series: &[Raw], from_ms: i64, to_ms: i64) -> &[Raw] {
    let from = series.partition_point(|one| one.at_ms < from_ms);
    let to = series.partition_point(|one| one.at_ms <= to_ms);
    series.get(from..to).unwrap_or_default()
}

fn last_before(series: &[Raw], at_ms: i64) -> Option<i64> {
    let index = series.partition_point(|one| one.at_ms < at_ms);
    Some(series.get(index.checked_sub(1)?)?.at_ms)
}

fn first_after(series: &[Raw], at_ms: i64) -> Option<i64> {
    let index = series.partition_point(|one| one.at_ms <= at_ms);
    series.get(index).map(|one| one.at_ms)
}
