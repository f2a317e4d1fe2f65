//! One way to read, whichever store answers.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use steward_model::{Fill, Finding, LedgerRow, MeterId, PointId, Quantity, Reading, Span, UtcMs};

use crate::influx::InfluxReader;
use crate::{FindingFilter, StoreError, StoreReader, StoredDay};

const FINDINGS: &str = "findings and fills";
const DAYS: &str = "days with their registers and prices";

/// The store that is read. What both hold they answer the same; one contract suite runs over both.
/// What is not published answers [`StoreError::NotPublished`] from InfluxDB.
#[derive(Clone, Debug)]
pub enum Source {
    /// The working store beside the aggregator.
    Working(StoreReader),
    /// InfluxDB 2.
    Influx(InfluxReader),
}

impl Source {
    /// Readings of a series in `[from, to)`, ascending, at most `limit`.
    pub async fn readings(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        from: UtcMs,
        to: UtcMs,
        limit: usize,
    ) -> Result<Vec<Reading>, StoreError> {
        match self {
            Self::Working(reader) => reader.readings(meter, quantity, from, to, limit).await,
            Self::Influx(reader) => reader.readings(meter, quantity, from, to, limit).await,
        }
    }

    /// The last reading of every quantity of these meters, by meter as asked and quantity.
    pub async fn latest(&self, meters: &[MeterId]) -> Result<Vec<Reading>, StoreError> {
        match self {
            Self::Working(reader) => reader.latest(meters).await,
            Self::Influx(reader) => reader.latest(meters).await,
        }
    }

    /// Ledger rows with `from_s <= start_s < to_s`, ordered by (start, point).
    pub async fn ledger(
        &self,
        points: &[PointId],
        span: Span,
        from_s: i64,
        to_s: i64,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        match self {
            Self::Working(reader) => reader.ledger(points, span, from_s, to_s).await,
            Self::Influx(reader) => reader.ledger(points, span, from_s, to_s).await,
        }
    }

    /// The stored days of a point with `from <= date < to`, ascending.
    pub async fn days(
        &self,
        point: &PointId,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<StoredDay>, StoreError> {
        self.working(DAYS)?.days(point, from, to).await
    }

    /// One day of a point.
    pub async fn day(
        &self,
        point: &PointId,
        date: NaiveDate,
    ) -> Result<Option<StoredDay>, StoreError> {
        self.working(DAYS)?.day(point, date).await
    }

    /// The findings that `filter` asks for, by time.
    pub async fn findings(&self, filter: FindingFilter) -> Result<Vec<Finding>, StoreError> {
        self.working(FINDINGS)?.findings(filter).await
    }

    /// The finding that begins with the reading of `at`, if there is one.
    pub async fn finding(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at: UtcMs,
    ) -> Result<Option<Finding>, StoreError> {
        self.working(FINDINGS)?.finding(meter, quantity, at).await
    }

    /// How many findings wait for a person, by point.
    pub async fn open_findings(&self) -> Result<BTreeMap<PointId, u64>, StoreError> {
        self.working(FINDINGS)?.open_findings().await
    }

    /// Fills of a point of which a part lies in `[from, to)`, ascending.
    pub async fn fills(
        &self,
        point: &PointId,
        from: UtcMs,
        to: UtcMs,
    ) -> Result<Vec<Fill>, StoreError> {
        self.working(FINDINGS)?.fills(point, from, to).await
    }

    /// The reader of the working store, for what is not published.
    fn working(&self, what: &'static str) -> Result<&StoreReader, StoreError> {
        match self {
            Self::Working(reader) => Ok(reader),
            Self::Influx(_) => Err(StoreError::NotPublished(what)),
        }
    }
}
