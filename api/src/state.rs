//! What every request sees.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono_tz::Tz;
use steward_books::Books;
use steward_config::{Config, Dated, Extent};
use steward_model::metrics::{Metric, Sample};
use steward_model::time::local_date;
use steward_model::{Health, MeterId, PointId, UtcMs};
use steward_store::Source;

use crate::auth::Doorkeeper;
use crate::books::Desk;
use crate::live::Live;

/// What the api is made of. The root builds it; the clock, the health of the other roles and their
/// metrics come in as functions.
#[derive(Clone)]
pub struct ApiState {
    /// The configuration.
    pub config: Arc<Config>,
    /// Where readings and ledger are read.
    pub source: Source,
    /// The books: what happened, and what people decided.
    pub books: Books,
    /// The health of the roles of this process.
    pub health: Arc<dyn Fn() -> Health + Send + Sync>,
    /// Their metrics.
    pub samples: Arc<dyn Fn() -> Vec<Sample> + Send + Sync>,
    /// The time of day.
    pub clock: fn() -> UtcMs,
}

const REQUESTS: Metric = Metric::counter(
    "steward_api_requests_total",
    "Requests answered, by class of status.",
);
const LISTENERS: Metric =
    Metric::gauge("steward_api_live_listeners", "Open streams of live events.");

/// Classes of status that are counted, from 2xx.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// The state of one running api.
pub(crate) struct App {
    pub(crate) state: ApiState,
    pub(crate) doorkeeper: Doorkeeper,
    pub(crate) live: Live,
    pub(crate) desk: Desk,
    answered: [AtomicU64; CLASSES.len()],
}

impl App {
    pub(crate) fn new(state: ApiState, is_loopback: bool) -> Self {
        let doorkeeper = Doorkeeper::new(&state.config.settings.api, is_loopback);
        Self {
            state,
            doorkeeper,
            live: Live::new(),
            desk: Desk::default(),
            answered: Default::default(),
        }
    }

    pub(crate) fn config(&self) -> &Config {
        &self.state.config
    }

    pub(crate) fn now(&self) -> UtcMs {
        (self.state.clock)()
    }

    pub(crate) fn count(&self, status: u16) {
        let class = usize::from(status / 100).saturating_sub(2);
        if let Some(counter) = self.answered.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The metrics of all roles and of the api itself.
    pub(crate) fn samples(&self) -> Vec<Sample> {
        let mut samples = (self.state.samples)();
        for (class, counter) in CLASSES.into_iter().zip(&self.answered) {
            samples.push(REQUESTS.labelled(
                "status",
                class,
                counter.load(Ordering::Relaxed) as f64,
            ));
        }
        samples.push(LISTENERS.sample(self.live.listeners() as f64));
        samples
    }

    /// The extent that holds today.
    pub(crate) fn extent_today(&self, extents: &[Dated<Extent>], zone: Tz) -> Option<Extent> {
        let today = local_date(zone, self.now().seconds_floor());
        extents
            .iter()
            .find(|extent| extent.holds_on(today))
            .map(|extent| extent.value)
    }
}

/// An instant as RFC 3339 with the offset of a zone, to the millisecond where there are any.
pub(crate) fn rfc3339(zone: Tz, at: UtcMs) -> String {
    let time = at.to_datetime().with_timezone(&zone);
    time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false)
}

/// The same for whole seconds.
pub(crate) fn rfc3339_s(zone: Tz, at_s: i64) -> String {
    rfc3339(zone, UtcMs(at_s.saturating_mul(1_000)))
}

/// The zone of a point's building, or the site's.
pub(crate) fn zone_of_point(config: &Config, point: &PointId) -> Tz {
    let point = config.registry.points.get(point);
    point
        .and_then(|point| config.registry.zone_of(point))
        .unwrap_or(config.settings.zone)
}

/// The zone of a meter's point, or the site's.
pub(crate) fn zone_of_meter(config: &Config, meter: &MeterId) -> Tz {
    let meter = config.registry.meters.get(meter);
    meter.map_or(config.settings.zone, |meter| {
        zone_of_point(config, &meter.point)
    })
}
