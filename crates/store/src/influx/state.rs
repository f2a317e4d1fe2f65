//! What the publisher tells about itself.

use std::sync::{Mutex, PoisonError};

use steward_model::PublisherHealth;
use steward_model::metrics::{Metric, Sample};

use crate::working::Waiting;

const LAG: Metric = Metric::gauge(
    "steward_publisher_lag_seconds",
    "Age of the oldest row that waits for InfluxDB.",
);
const WAITING: Metric = Metric::gauge(
    "steward_publisher_waiting_rows",
    "Readings and ledger keys that wait for InfluxDB.",
);
const PUBLISHED: Metric = Metric::counter(
    "steward_publisher_published_rows_total",
    "Readings and ledger keys that InfluxDB confirmed, since the store was made.",
);
const REFUSED: Metric = Metric::counter(
    "steward_publisher_refused_lines_total",
    "Lines that InfluxDB refused for good and that are in quarantine.",
);
const EXPIRED: Metric = Metric::counter(
    "steward_publisher_expired_readings_total",
    "Readings older than the bucket's retention when their turn came; they are not sent.",
);
const LINES: Metric = Metric::counter(
    "steward_publisher_lines_total",
    "Lines that InfluxDB confirmed since the start, repetitions included.",
);
const BYTES: Metric = Metric::counter(
    "steward_publisher_sent_bytes_total",
    "Bytes of compressed lines sent since the start.",
);
const REQUESTS: Metric = Metric::counter(
    "steward_publisher_requests_total",
    "Requests to InfluxDB since the start, by verdict.",
);
const TROUBLE: Metric = Metric::gauge(
    "steward_publisher_trouble",
    "1 while the publisher waits because of trouble.",
);

/// Shared by the publisher, which writes it, and whoever shows it.
#[derive(Debug, Default)]
pub struct PublisherState {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
pub(crate) struct Inner {
    pub(crate) waiting: Waiting,
    pub(crate) lag_s: u64,
    pub(crate) trouble: Option<String>,
    pub(crate) expired: u64,
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    pub(crate) stored: u64,
    pub(crate) halved: u64,
    pub(crate) waited: u64,
    pub(crate) misconfigured: u64,
}

impl PublisherState {
    pub(crate) fn update(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn view<T>(&self, view: impl FnOnce(&Inner) -> T) -> T {
        view(&self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How the publisher is.
    pub fn health(&self) -> PublisherHealth {
        self.view(|inner| PublisherHealth {
            published_total: inner.waiting.published_readings + inner.waiting.published_ledger,
            quarantined_total: inner.waiting.refused_readings + inner.waiting.refused_ledger,
            queued: inner.waiting.readings + inner.waiting.ledger_keys,
            lag_s: inner.lag_s,
            trouble: inner.trouble.clone(),
        })
    }

    /// The metrics.
    #[expect(
        clippy::cast_precision_loss,
        reason = "metrics are floats; counts stay far below 2^53"
    )]
    pub fn samples(&self) -> Vec<Sample> {
        self.view(|inner| {
            let by = |metric: Metric, label, text: &str, number: u64| {
                metric.labelled(label, text, number as f64)
            };
            let waiting = &inner.waiting;
            vec![
                LAG.sample(inner.lag_s as f64),
                by(WAITING, "family", "readings", waiting.readings),
                by(WAITING, "family", "ledger", waiting.ledger_keys),
                by(PUBLISHED, "family", "readings", waiting.published_readings),
                by(PUBLISHED, "family", "ledger", waiting.published_ledger),
                by(REFUSED, "family", "readings", waiting.refused_readings),
                by(REFUSED, "family", "ledger", waiting.refused_ledger),
                EXPIRED.sample(waiting.expired_readings as f64),
                LINES.sample(inner.lines as f64),
                BYTES.sample(inner.bytes as f64),
                by(REQUESTS, "verdict", "stored", inner.stored),
                by(REQUESTS, "verdict", "halved", inner.halved),
                by(REQUESTS, "verdict", "waited", inner.waited),
                by(REQUESTS, "verdict", "misconfigured", inner.misconfigured),
                TROUBLE.sample(f64::from(u8::from(inner.trouble.is_some()))),
            ]
        })
    }
}
