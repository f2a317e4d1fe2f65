//! Metrics of roles that keep plain health values.

use steward_model::AggregatorHealth;
use steward_model::metrics::{Metric, Sample};

const STORED: Metric = Metric::counter(
    "steward_aggregator_readings_stored_total",
    "Readings taken from the journal into the store, duplicates included.",
);
const DUPLICATES: Metric = Metric::counter(
    "steward_aggregator_readings_duplicate_total",
    "Readings that were copies of stored ones.",
);
const QUARANTINED: Metric = Metric::counter(
    "steward_aggregator_readings_quarantined_total",
    "Readings set aside by the aggregator.",
);
const QUEUED: Metric = Metric::gauge(
    "steward_aggregator_readings_queued",
    "Readings in the journal that wait.",
);
const DIRTY: Metric = Metric::gauge(
    "steward_aggregator_days_dirty",
    "Point-days whose ledger waits to be recomputed.",
);

/// The aggregator's metrics.
pub(crate) fn aggregator(health: &AggregatorHealth) -> Vec<Sample> {
    vec![
        STORED.sample(number(health.stored_total)),
        DUPLICATES.sample(number(health.duplicates_total)),
        QUARANTINED.sample(number(health.quarantined_total)),
        QUEUED.sample(number(health.queued)),
        DIRTY.sample(number(health.dirty_days)),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "metrics are doubles")]
fn number(count: u64) -> f64 {
    count as f64
}
