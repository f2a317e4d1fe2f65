//! Live power and health. One poller asks the store for all listeners together; it runs while
//! somebody listens. A slow listener misses frames, so nothing piles up for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use steward_config::{Config, Meter, RatioSide};
use steward_model::time::local_date;
use steward_model::{Commodity, MeterId, PointId, Quantity, Reading, UtcMs};
use steward_report::{By, Scope, groups};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::routes::probes;
use crate::state::{App, rfc3339, zone_of_meter};
use crate::views::{Health, InstitutionPower, PointPower, Power};

/// How often the store is asked.
const PERIOD: Duration = Duration::from_secs(2);

/// The most listeners at once; each holds a connection.
pub(crate) const LISTENERS_MAX: usize = 128;

/// A reading older than this many of its meter's intervals tells nothing about now.
const FRESH_INTERVALS: i64 = 3;

/// Meters that speak every second are still given this long.
const FRESH_MS_MIN: i64 = 30_000;

/// What all listeners get.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    /// Counts from one while the poller runs.
    pub(crate) number: u64,
    /// JSON of [`Power`]; `None` while the store does not answer.
    pub(crate) power: Option<String>,
    /// JSON of [`Health`].
    pub(crate) health: String,
    /// The number of the last event of the books; `None` while they do not answer.
    pub(crate) books_seq: Option<u64>,
}

/// The poller and its listeners.
pub(crate) struct Live {
    frames: watch::Sender<Option<Arc<Frame>>>,
    is_running: Mutex<bool>,
    stop: CancellationToken,
}

impl Live {
    pub(crate) fn new() -> Self {
        Self {
            frames: watch::Sender::new(None),
            is_running: Mutex::new(false),
            stop: CancellationToken::new(),
        }
    }

    pub(crate) fn listeners(&self) -> usize {
        self.frames.receiver_count()
    }

    /// Ends the poller and every stream.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    pub(crate) fn stopped(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Listens, and starts the poller for the first. `None` when there are too many.
    pub(crate) fn listen(app: &Arc<App>) -> Option<watch::Receiver<Option<Arc<Frame>>>> {
        let live = &app.live;
        // Under the lock the poller cannot end between the look at it and the new receiver.
        let mut is_running = live
            .is_running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if live.listeners() >= LISTENERS_MAX {
            return None;
        }
        let receiver = live.frames.subscribe();
        if !*is_running {
            *is_running = true;
            tokio::spawn(poll(app.clone()));
        }
        Some(receiver)
    }

    /// Publishes a frame; `false` when nobody listens any more and the poller is over.
    fn publish(&self, frame: Frame) -> bool {
        let mut is_running = self
            .is_running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if self.listeners() == 0 {
            *is_running = false;
            // A later first listener must not see an old frame.
            self.frames.send_replace(None);
            return false;
        }
        self.frames.send_replace(Some(Arc::new(frame)));
        true
    }
}

async fn poll(app: Arc<App>) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let stop = app.live.stopped();
    for number in 1.. {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if !app.live.publish(frame(&app, number).await) {
            return;
        }
    }
}

async fn frame(app: &App, number: u64) -> Frame {
    let now = app.now();
    let meters = power_meters(app.config(), now);
    let ids: Vec<MeterId> = meters.iter().map(|(_, meter)| meter.id.clone()).collect();
    let latest = app.state.source.latest(&ids).await;
    let health = health(app, now, latest.is_ok());
    let power = latest
        .ok()
        .map(|latest| power(app.config(), &meters, &latest, now));
    Frame {
        number,
        power: power.and_then(|power| serde_json::to_string(&power).ok()),
        health: serde_json::to_string(&health).unwrap_or_default(),
        books_seq: app.books_seq().await.ok(),
    }
}

/// The points whose meter of today measures power, and that meter.
fn power_meters(config: &Config, now: UtcMs) -> Vec<(PointId, &Meter)> {
    let in_service = |meter: &&Meter| {
        let point = config.registry.points.get(&meter.point);
        let zone = point.and_then(|point| config.registry.zone_of(point));
        let today = local_date(zone.unwrap_or(config.settings.zone), now.seconds_floor());
        meter.from <= today && meter.to.is_none_or(|to| today < to)
    };
    let measures_power = |meter: &&Meter| {
        let profile = config.profiles.get(&meter.profile);
        profile.is_some_and(|profile| profile.quantities().contains(&Quantity::Power))
    };
    let meters = config
        .registry
        .meters
        .values()
        .filter(in_service)
        .filter(measures_power);
    meters.map(|meter| (meter.point.clone(), meter)).collect()
}

/// What the points and institutions draw now. Pure.
fn power(config: &Config, meters: &[(PointId, &Meter)], latest: &[Reading], now: UtcMs) -> Power {
    let readings: HashMap<&MeterId, &Reading> = latest
        .iter()
        .filter(|reading| reading.quantity == Quantity::Power)
        .map(|reading| (&reading.meter, reading))
        .collect();
    let mut watts: HashMap<&PointId, Option<f64>> = HashMap::new();
    let mut points = Vec::new();
    for (point, meter) in meters {
        let reading = readings.get(&meter.id);
        let interval_ms = i64::try_from(meter.interval.as_millis()).unwrap_or(i64::MAX);
        let fresh_ms = interval_ms
            .saturating_mul(FRESH_INTERVALS)
            .max(FRESH_MS_MIN);
        let fresh = reading.filter(|reading| now.0 - reading.at.0 <= fresh_ms);
        let power_w = fresh.map(|reading| reading.value.get() * ratio(config, meter, now));
        let zone = config
            .registry
            .points
            .get(point)
            .and_then(|point| config.registry.zone_of(point));
        let zone = zone.unwrap_or(config.settings.zone);
        watts.insert(point, power_w);
        points.push(PointPower {
            id: point.to_string(),
            power_w,
            at: reading.map(|reading| rfc3339(zone, reading.at)),
        });
    }
    points.sort_by(|a, b| a.id.cmp(&b.id));
    let totals = groups(
        &config.registry,
        &Scope::All,
        Commodity::Electricity,
        Some(By::Institution),
    );
    let institutions = totals.into_iter().map(|group| {
        let signed = group
            .plus
            .iter()
            .map(|id| (id, 1.0))
            .chain(group.minus.iter().map(|id| (id, -1.0)));
        let measured: Vec<(Option<f64>, f64)> = signed
            .filter_map(|(id, sign)| watts.get(id).map(|watts| (*watts, sign)))
            .collect();
        let known: Vec<f64> = measured
            .iter()
            .filter_map(|(watts, sign)| watts.map(|watts| watts * sign))
            .collect();
        InstitutionPower {
            id: group.key.unwrap_or_default(),
            power_w: (!known.is_empty()).then(|| known.iter().sum()),
            points_reporting: known.len(),
            points_expected: measured.len(),
        }
    });
    Power {
        at: rfc3339(config.settings.zone, now),
        institutions: institutions.collect(),
        points,
    }
}

fn ratio(config: &Config, meter: &Meter, now: UtcMs) -> f64 {
    let today = local_date(zone_of_meter(config, &meter.id), now.seconds_floor());
    match config
        .profiles
        .get(&meter.profile)
        .map(|profile| profile.side)
    {
        Some(RatioSide::Secondary) => f64::from(meter.ratio_on(today)),
        _ => 1.0,
    }
}

fn health(app: &App, now: UtcMs, store_answers: bool) -> Health {
    probes::health_view(
        &(app.state.health)(),
        app.config().settings.zone,
        now,
        store_answers,
    )
}
