//! Which meter serves a point on which local day.
//!
//! Meters follow each other: a day belongs to one meter, so no interval ever spans the registers
//! of two, and at the exchange the new meter starts anew. Readings of a meter from outside its
//! service are kept as readings and make no ledger.

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_config::{Point, Registry};
use steward_model::time::day_start_s;
use steward_model::{MeterId, PointId, Quantity};

/// A meter's time at its point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The meter.
    pub meter: MeterId,
    /// What multiplies its registers.
    pub ratio: u32,
    /// First local day.
    pub from: NaiveDate,
    /// First local day after; `None` is open.
    pub to: Option<NaiveDate>,
    /// The start of the first day: the first reading that may count.
    pub from_ms: i64,
    /// The end of the last day: the last reading that may count. One that stands on it closes the
    /// last interval.
    pub to_ms: i64,
}

impl Service {
    /// Whether it serves on `date`.
    pub fn serves(&self, date: NaiveDate) -> bool {
        self.from <= date && self.to.is_none_or(|to| date < to)
    }
}

/// The meters of a point in the order of their service, and the counter that they read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The point.
    pub point: PointId,
    /// The zone of its days.
    pub zone: Tz,
    /// The counter.
    pub quantity: Quantity,
    /// Who serves when; spans do not overlap.
    pub services: Vec<Service>,
}

impl Chain {
    /// The chain of a point; `None` for a point whose building is unknown.
    pub fn of(registry: &Registry, point: &Point) -> Option<Self> {
        let zone = registry.zone_of(point)?;
        let meters = registry.meters_of(&point.id);
        let mut services: Vec<Service> = Vec::with_capacity(meters.len());
        for (index, meter) in meters.iter().enumerate() {
            // The registry refuses overlaps; were there one, the later meter would have the day.
            let following = meters.get(index + 1).map(|next| next.from);
            let to = match (meter.to, following) {
                (Some(to), Some(following)) => Some(to.min(following)),
                (to, following) => to.or(following),
            };
            if to.is_none_or(|to| meter.from < to) {
                services.push(Service {
                    meter: meter.id.clone(),
                    ratio: meter.ratio,
                    from: meter.from,
                    to,
                    from_ms: day_start_s(zone, meter.from) * 1_000,
                    to_ms: to.map_or(i64::MAX, |to| day_start_s(zone, to) * 1_000),
                });
            }
        }
        Some(Self {
            point: point.id.clone(),
            zone,
            quantity: point.commodity.counter(),
            services,
        })
    }

    /// The service on `date`.
    pub fn serving(&self, date: NaiveDate) -> Option<&Service> {
        self.services.iter().find(|service| service.serves(date))
    }
}
