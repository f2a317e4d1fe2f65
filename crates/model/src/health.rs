//! What the roles tell about themselves. Plain values that the root carries from role to role:
//! the api shows them without opening the journal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{MeterId, UtcMs};

/// How a meter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeterState {
    /// Not heard of since the start of the process.
    Waiting,
    /// Its last poll or message was good.
    Online,
    /// Its last polls failed; it is asked less often.
    BackedOff,
    /// Silent for longer than three of its intervals.
    Silent,
}

/// One meter as the collector sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterHealth {
    /// How it answers.
    pub state: MeterState,
    /// When the last good reading was received.
    pub last_seen: Option<UtcMs>,
    /// Failed polls and refused messages since the start.
    pub errors_total: u64,
    /// The last failure in words.
    pub last_error: Option<String>,
}

/// The collector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectorHealth {
    /// Meters by id.
    pub meters: BTreeMap<MeterId, MeterHealth>,
}

/// The journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalHealth {
    /// Bytes used, without free pages.
    pub used_bytes: u64,
    /// The bound.
    pub bytes_max: u64,
    /// True while nothing is acknowledged because there is no room.
    pub full: bool,
    /// Readings received since the journal was made, those in quarantine included.
    pub received_total: u64,
    /// Of these, set aside by the collector.
    pub quarantined_total: u64,
}

/// The aggregator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AggregatorHealth {
    /// Readings taken from the journal into the store, duplicates included.
    pub stored_total: u64,
    /// Of these, copies of what was there.
    pub duplicates_total: u64,
    /// Readings set aside by the aggregator.
    pub quarantined_total: u64,
    /// Readings in the journal that wait.
    pub queued: u64,
    /// Point-days whose ledger waits to be recomputed.
    pub dirty_days: u64,
    /// When the cursor last moved.
    pub moved_at: Option<UtcMs>,
}

/// The publisher to InfluxDB.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublisherHealth {
    /// Lines that InfluxDB confirmed.
    pub published_total: u64,
    /// Lines that InfluxDB refused for good.
    pub quarantined_total: u64,
    /// Lines that wait.
    pub queued: u64,
    /// Age of the oldest waiting row in seconds.
    pub lag_s: u64,
    /// Why it waits, in words; `None` while it works.
    pub trouble: Option<String>,
}

/// Everything that the api shows about the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// When this was written.
    pub at: UtcMs,
    /// The collector, where it runs.
    pub collector: Option<CollectorHealth>,
    /// The journal, where it is open.
    pub journal: Option<JournalHealth>,
    /// The aggregator, where it runs.
    pub aggregator: Option<AggregatorHealth>,
    /// The publisher, where it is configured.
    pub publisher: Option<PublisherHealth>,
}
