//! What the collector tells about itself: health of every meter, and counters.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use steward_config::Config;
use steward_journal::{Quarantined, Reason};
use steward_model::metrics::{Metric, Sample};
use steward_model::{CollectorHealth, GatewayId, MeterHealth, MeterId, MeterState, UtcMs};

use crate::Clock;

const POLLS: Metric = Metric::counter(
    "steward_collector_polls_total",
    "Polls of meters whose readings are in the journal.",
);
const POLLS_FAILED: Metric = Metric::counter(
    "steward_collector_polls_failed_total",
    "Polls that read nothing.",
);
const POLLS_MISSED: Metric = Metric::counter(
    "steward_collector_polls_missed_total",
    "Polls that fell due and were not made, or found no room in the journal.",
);
const POLL_SECONDS: Metric = Metric::counter(
    "steward_collector_poll_seconds_total",
    "Time spent polling: the share of it is the utilisation of the bus.",
);
const REQUESTS: Metric = Metric::counter(
    "steward_collector_requests_total",
    "Requests made on the bus.",
);
const ERRORS: Metric = Metric::counter(
    "steward_collector_errors_total",
    "Requests without a usable answer and values that are none.",
);
const MESSAGES: Metric = Metric::counter(
    "steward_collector_messages_total",
    "MQTT messages received, repeated ones included.",
);
const MESSAGES_IGNORED: Metric = Metric::counter(
    "steward_collector_retained_ignored_total",
    "Retained copies without a time of their own, which are no new readings.",
);
const BATCHES: Metric = Metric::counter(
    "steward_collector_batches_total",
    "Batches committed to the journal.",
);
const READINGS: Metric = Metric::counter(
    "steward_collector_readings_total",
    "Readings committed to the journal.",
);
const QUARANTINED: Metric = Metric::counter(
    "steward_collector_quarantined_total",
    "What was committed to the quarantine.",
);
const MISSING: Metric = Metric::counter(
    "steward_collector_readings_missing_total",
    "Sequence numbers of gateways that never came.",
);
const ACKS: Metric = Metric::counter(
    "steward_collector_acks_total",
    "Messages acknowledged to the broker.",
);
const ACKS_DROPPED: Metric = Metric::counter(
    "steward_collector_acks_dropped_total",
    "Acknowledgements not sent, since they belong to a connection that is gone.",
);
const CONNECTIONS: Metric = Metric::counter(
    "steward_collector_connections_total",
    "Connections made to gateways and brokers.",
);
const CONNECTED: Metric = Metric::gauge(
    "steward_collector_connected",
    "1 while the gateway or broker is connected.",
);
const TIMES_REPLACED: Metric = Metric::counter(
    "steward_collector_timestamps_replaced_total",
    "Readings whose meter told no sane time, stored at the time of receipt.",
);
const RESTARTS: Metric = Metric::counter(
    "steward_collector_restarts_total",
    "Gateway tasks that ended by a defect and were started again.",
);

/// Counters of one gateway.
#[derive(Debug, Default)]
pub(crate) struct GatewaySlot {
    pub(crate) polls: AtomicU64,
    pub(crate) polls_failed: AtomicU64,
    pub(crate) polls_missed: AtomicU64,
    pub(crate) poll_micros: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) messages: AtomicU64,
    pub(crate) retained_ignored: AtomicU64,
    pub(crate) batches: AtomicU64,
    pub(crate) readings: AtomicU64,
    pub(crate) missing: AtomicU64,
    pub(crate) acks: AtomicU64,
    pub(crate) acks_dropped: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) connected: AtomicBool,
    pub(crate) times_replaced: AtomicU64,
    pub(crate) restarts: AtomicU64,
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

const NEVER: i64 = i64::MIN;

#[derive(Debug)]
struct MeterSlot {
    gateway: GatewayId,
    interval_ms: i64,
    last_seen: AtomicI64,
    errors: AtomicU64,
    failing: AtomicBool,
    last_error: Mutex<Option<String>>,
}

/// Health and counters of a running collector. Shared with whoever shows them.
pub struct CollectorState {
    clock: Clock,
    meters: BTreeMap<MeterId, MeterSlot>,
    gateways: BTreeMap<GatewayId, Arc<GatewaySlot>>,
    errors: Mutex<BTreeMap<&'static str, u64>>,
    quarantined: Mutex<BTreeMap<Reason, u64>>,
}

impl std::fmt::Debug for CollectorState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CollectorState")
            .field("meters", &self.meters.len())
            .field("gateways", &self.gateways.len())
            .finish_non_exhaustive()
    }
}

impl CollectorState {
    /// A state in which every meter of `config` waits.
    pub fn new(config: &Config, clock: Clock) -> Self {
        let meters = config.registry.meters.values().map(|meter| {
            let slot = MeterSlot {
                gateway: meter.gateway.clone(),
                interval_ms: i64::try_from(meter.interval.as_millis()).unwrap_or(i64::MAX),
                last_seen: AtomicI64::new(NEVER),
                errors: AtomicU64::new(0),
                failing: AtomicBool::new(false),
                last_error: Mutex::new(None),
            };
            (meter.id.clone(), slot)
        });
        let gateways = config.registry.gateways.keys();
        Self {
            clock,
            meters: meters.collect(),
            gateways: gateways.map(|id| (id.clone(), Arc::default())).collect(),
            errors: Mutex::default(),
            quarantined: Mutex::default(),
        }
    }

    /// Every meter as it is now.
    pub fn health(&self) -> CollectorHealth {
        let now = (self.clock)();
        let meters = self.meters.iter().map(|(id, slot)| {
            let seen = slot.last_seen.load(Ordering::Relaxed);
            let last_seen = (seen != NEVER).then_some(UtcMs(seen));
            let silent_ms = slot.interval_ms.saturating_mul(3);
            let state = match last_seen {
                Some(at) if now.0.saturating_sub(at.0) > silent_ms => MeterState::Silent,
                _ if slot.failing.load(Ordering::Relaxed) => MeterState::BackedOff,
                Some(_) => MeterState::Online,
                None => MeterState::Waiting,
            };
            let health = MeterHealth {
                state,
                last_seen,
                errors_total: slot.errors.load(Ordering::Relaxed),
                last_error: lock(&slot.last_error).clone(),
            };
            (id.clone(), health)
        });
        CollectorHealth {
            meters: meters.collect(),
        }
    }

    /// Every counter as it is now.
    pub fn samples(&self) -> Vec<Sample> {
        let mut samples = Vec::new();
        for (id, slot) in &self.gateways {
            // Counters stay far below 2^53.
            let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
            let mut push = |metric: Metric, value: f64| {
                samples.push(metric.labelled("gateway", id.as_str(), value));
            };
            push(POLLS, count(&slot.polls));
            push(POLLS_FAILED, count(&slot.polls_failed));
            push(POLLS_MISSED, count(&slot.polls_missed));
            push(POLL_SECONDS, count(&slot.poll_micros) / 1e6);
            push(REQUESTS, count(&slot.requests));
            push(MESSAGES, count(&slot.messages));
            push(MESSAGES_IGNORED, count(&slot.retained_ignored));
            push(BATCHES, count(&slot.batches));
            push(READINGS, count(&slot.readings));
            push(MISSING, count(&slot.missing));
            push(ACKS, count(&slot.acks));
            push(ACKS_DROPPED, count(&slot.acks_dropped));
            push(CONNECTIONS, count(&slot.connections));
            push(TIMES_REPLACED, count(&slot.times_replaced));
            push(RESTARTS, count(&slot.restarts));
            let connected = slot.connected.load(Ordering::Relaxed);
            push(CONNECTED, f64::from(u8::from(connected)));
        }
        for (reason, total) in lock(&self.errors).iter() {
            samples.push(ERRORS.labelled("reason", *reason, *total as f64));
        }
        for (reason, total) in lock(&self.quarantined).iter() {
            samples.push(QUARANTINED.labelled("reason", reason.id(), *total as f64));
        }
        samples
    }

    /// The counters of a gateway.
    pub(crate) fn gateway(&self, id: &GatewayId) -> Arc<GatewaySlot> {
        self.gateways.get(id).map(Arc::clone).unwrap_or_default()
    }

    /// A meter's readings are in the journal.
    pub(crate) fn heard(&self, meter: &MeterId, at: UtcMs) {
        if let Some(slot) = self.meters.get(meter) {
            slot.last_seen.fetch_max(at.0, Ordering::Relaxed);
            slot.failing.store(false, Ordering::Relaxed);
        }
    }

    /// Something about a meter went wrong. `failing`: it gave nothing at all.
    pub(crate) fn failed(&self, meter: &MeterId, text: String, failing: bool) {
        if let Some(slot) = self.meters.get(meter) {
            add(&slot.errors, 1);
            if failing {
                slot.failing.store(true, Ordering::Relaxed);
            }
            *lock(&slot.last_error) = Some(text);
        }
    }

    /// None of the gateway's meters can be heard.
    pub(crate) fn gateway_failed(&self, gateway: &GatewayId, reason: &'static str, text: &str) {
        self.error(reason);
        for slot in self.meters.values().filter(|s| &s.gateway == gateway) {
            slot.failing.store(true, Ordering::Relaxed);
            *lock(&slot.last_error) = Some(text.to_owned());
        }
    }

    /// The gateway can be reached again: its meters are no longer failing because of it.
    pub(crate) fn gateway_recovered(&self, gateway: &GatewayId) {
        for slot in self.meters.values().filter(|s| &s.gateway == gateway) {
            slot.failing.store(false, Ordering::Relaxed);
        }
    }

    /// Counts an error.
    pub(crate) fn error(&self, reason: &'static str) {
        *lock(&self.errors).entry(reason).or_default() += 1;
    }

    /// Counts what was committed to the quarantine.
    pub(crate) fn quarantined(&self, reason: Reason) {
        *lock(&self.quarantined).entry(reason).or_default() += 1;
    }

    /// Counts a list of quarantined items and tells their meter.
    pub(crate) fn quarantined_all(&self, meter: Option<&MeterId>, items: &[(Reason, String)]) {
        for (reason, detail) in items {
            self.quarantined(*reason);
            if let Some(meter) = meter {
                self.failed(meter, format!("{reason}: {detail}"), false);
            }
        }
    }
}

/// What is remembered of quarantined items until their commit.
pub(crate) fn reasons(items: &[Quarantined]) -> Vec<(Reason, String)> {
    items
        .iter()
        .map(|item| (item.reason, item.detail.clone()))
        .collect()
}

/// The data behind these locks is whole after every statement, so a panic elsewhere spoils nothing.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
