//! One way to read, whichever store answers.

use steward_model::{LedgerRow, MeterId, PointId, Quantity, Reading, Span, UtcMs};

use crate::influx::InfluxReader;
use crate::{StoreError, StoreReader};

/// The store that is read. Both answer the same; one contract suite runs over both.
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
}
