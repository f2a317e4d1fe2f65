//! How the publisher waits, and what it reports.

use std::time::Duration;

/// How the publisher waits and how much it does at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Requests on their way at the same time.
    pub in_flight_max: usize,
    /// How often an empty outbox is looked at.
    pub poll: Duration,
    /// The wait after a first failure; it doubles with each further one.
    pub wait_min: Duration,
    /// The longest such wait.
    pub wait_max: Duration,
    /// The wait when token, organisation or bucket are refused.
    pub misconfigured_wait: Duration,
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time for a whole request.
    pub request_timeout: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            in_flight_max: 2,
            poll: Duration::from_millis(500),
            wait_min: Duration::from_millis(500),
            wait_max: Duration::from_secs(60),
            misconfigured_wait: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
        }
    }
}

/// What a whole publication has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublishReport {
    /// Lines that InfluxDB confirmed.
    pub lines: u64,
    /// Lines in quarantine.
    pub quarantined: u64,
    /// Readings older than the bucket's retention, which were not sent.
    pub expired: u64,
}
