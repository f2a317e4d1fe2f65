//! Live events and probes.

use serde::Serialize;
use utoipa::ToSchema;

/// Data of the event `power`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Power {
    /// When this was looked at.
    #[schema(format = DateTime)]
    pub at: String,
    /// Electric power drawn from the grid, by institution.
    pub institutions: Vec<InstitutionPower>,
    /// Power of every point that measures it.
    pub points: Vec<PointPower>,
}

/// Data of the event `books`: it comes first with the number that stands, then with every change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BooksSeq {
    /// The number of the last event of the books; 0 where they are empty.
    pub seq: u64,
}

/// Power of an institution.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct InstitutionPower {
    /// Institution.
    pub id: String,
    /// The sum of what reports; null where nothing does.
    pub power_w: Option<f64>,
    /// Points of the total with a fresh reading.
    pub points_reporting: usize,
    /// Points of the total that measure power.
    pub points_expected: usize,
}

/// Power of a point.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PointPower {
    /// Point.
    pub id: String,
    /// CT and PT ratios applied; null where the last reading is older than three intervals.
    pub power_w: Option<f64>,
    /// When it was measured.
    #[schema(format = DateTime)]
    pub at: Option<String>,
}

/// Data of the event `health`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Health {
    /// When this was looked at.
    #[schema(format = DateTime)]
    pub at: String,
    /// Whether the store answered the last question.
    pub store_answers: bool,
    /// Null where the collector runs elsewhere.
    pub meters: Option<MeterCounts>,
    /// Null where the journal is elsewhere.
    pub journal: Option<Journal>,
    /// Null where the aggregator runs elsewhere.
    pub aggregator: Option<Aggregator>,
    /// Null where nothing is published.
    pub publisher: Option<Publisher>,
}

/// Meters by state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct MeterCounts {
    /// Not heard of since the start.
    pub waiting: usize,
    /// Good.
    pub online: usize,
    /// Failing, asked less often.
    pub backed_off: usize,
    /// Silent.
    pub silent: usize,
}

/// The journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Journal {
    /// Bytes used.
    pub used_bytes: u64,
    /// The bound.
    pub bytes_max: u64,
    /// True while nothing is acknowledged for want of room.
    pub full: bool,
    /// Readings received, ever.
    pub received_total: u64,
    /// Of these, set aside.
    pub quarantined_total: u64,
}

/// The aggregator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Aggregator {
    /// Readings taken into the store.
    pub stored_total: u64,
    /// Readings that wait.
    pub queued: u64,
    /// Point-days whose ledger waits.
    pub dirty_days: u64,
    /// When the cursor last moved.
    #[schema(format = DateTime)]
    pub moved_at: Option<String>,
}

/// The publisher to InfluxDB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Publisher {
    /// Lines confirmed.
    pub published_total: u64,
    /// Lines refused for good.
    pub quarantined_total: u64,
    /// Lines that wait.
    pub queued: u64,
    /// Age of the oldest.
    pub lag_s: u64,
    /// Why it waits.
    pub trouble: Option<String>,
}

/// Answer of `/healthz`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alive {
    /// `ok`
    pub status: &'static str,
    /// The program's version.
    pub version: &'static str,
}

/// Answer of `/readyz`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ready {
    /// Whether work can be done.
    pub ready: bool,
    /// Why not.
    pub reasons: Vec<String>,
}
