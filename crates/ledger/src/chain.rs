//! Which meter serves a point when, and how one follows another.
//!
//! Meters follow each other. Where the registers of an exchange are known, the series goes on: such
//! services make one *lineage*, and so do the ratios of one meter in succession. Where they are not
//! known, the new meter starts anew. Readings of a meter from outside its service are kept as
//! readings and make no ledger.

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_config::{Config, CounterLimits, Meter, Point};
use steward_model::time::{day_start_s, local_date};
use steward_model::{Kind, MeterId, PointId, Quantity};

use crate::limits::LimitsBase;
use crate::past::{Past, Replaced};
use crate::settle::Dirty;

/// How a service follows the one before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Link {
    /// It does not: its first register begins a series.
    Anew,
    /// Another register goes on where the old one stopped; both were read.
    Replaced {
        /// The last register of the meter before, in the unit of the quantity, before ratios.
        old_last: f64,
        /// The first of this one.
        new_first: f64,
        /// The event's number in the books.
        event: u64,
    },
    /// The same register behind other transformers.
    Ratio,
}

/// A meter's time at its point with one ratio.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// The meter.
    pub meter: MeterId,
    /// What multiplies its registers.
    pub ratio: u32,
    /// What its register can show, before the ratio.
    pub counter: CounterLimits,
    /// The same in base units.
    pub limits: LimitsBase,
    /// The first instant.
    pub from_ms: i64,
    /// The first instant after; `i64::MAX` is open.
    pub to_ms: i64,
    /// How it follows the service before.
    pub link: Link,
}

/// Services that make one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Lineage {
    /// In the order of their times; each ends where the next begins.
    pub services: Vec<Service>,
    /// First local day.
    pub from: NaiveDate,
    /// First local day after; `None` is open.
    pub to: Option<NaiveDate>,
    /// The start of the first day: the first reading that may count.
    pub from_ms: i64,
    /// The end of the last day: the last reading that may count. One that stands on it closes the
    /// last interval.
    pub to_ms: i64,
    /// Whether another meter served before, whose last register is not linked to this series.
    pub follows: bool,
}

impl Lineage {
    /// A lineage of `services`, which is not empty.
    fn of(zone: Tz, services: Vec<Service>, follows: bool) -> Option<Self> {
        let (first, last) = (services.first()?, services.last()?);
        let (from_ms, to_ms) = (first.from_ms, last.to_ms);
        Some(Self {
            from: local_date(zone, from_ms.div_euclid(1_000)),
            to: (to_ms != i64::MAX).then(|| local_date(zone, to_ms.div_euclid(1_000))),
            from_ms,
            to_ms,
            follows,
            services,
        })
    }

    /// Whether it serves on `date`.
    pub fn serves(&self, date: NaiveDate) -> bool {
        self.from <= date && self.to.is_none_or(|to| date < to)
    }

    /// The index of the service at an instant; the last one has its end too.
    pub fn service_at(&self, at_ms: i64) -> usize {
        let begun = self.services.partition_point(|one| one.from_ms <= at_ms);
        begun.saturating_sub(1)
    }

    /// The last instant whose reading of service `index` may count.
    pub(crate) fn last_ms(&self, index: usize) -> i64 {
        self.services
            .get(index + 1)
            .map_or(self.to_ms, |next| next.from_ms - 1)
    }
}

/// The meters of a point in the order of their service, and the series that they give.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// The point.
    pub point: PointId,
    /// The zone of its days.
    pub zone: Tz,
    /// What is read: the point's counter, or a gauge that is integrated where no meter counts.
    pub quantity: Quantity,
    /// Series in the order of their times; their days do not overlap.
    pub lineages: Vec<Lineage>,
}

/// A meter's stretch while lineages are put together.
struct Stretch<'a> {
    meter: &'a Meter,
    from_ms: i64,
    to_ms: i64,
    link: Link,
}

impl Chain {
    /// The chain of a point; `None` where its building is unknown.
    pub fn of(config: &Config, point: &Point, past: &Past) -> Option<Self> {
        let registry = &config.registry;
        let zone = registry.zone_of(point)?;
        let meters = registry.meters_of(&point.id);
        let quantity = series_of(config, point, &meters);
        let mut stretches = by_dates(zone, &meters);
        let mut exchanges: Vec<&Replaced> = past
            .replacements
            .iter()
            .filter(|one| one.point == *point.metered_by.as_ref().unwrap_or(&point.id))
            .collect();
        exchanges.sort_by_key(|one| (one.at_ms, one.event));
        for exchange in exchanges {
            apply(
                &mut stretches,
                exchange,
                registers(point, quantity, exchange),
            );
        }
        let services: Vec<Service> = stretches
            .iter()
            .flat_map(|stretch| by_ratio(zone, quantity, stretch))
            .collect();
        Some(Self {
            point: point.id.clone(),
            zone,
            quantity,
            lineages: lineages(zone, services),
        })
    }

    /// Whether the series is integrated from a gauge.
    pub const fn is_integrated(&self) -> bool {
        matches!(self.quantity.kind(), Kind::Gauge)
    }

    /// The lineage on `date`.
    pub fn serving(&self, date: NaiveDate) -> Option<&Lineage> {
        self.lineages.iter().find(|lineage| lineage.serves(date))
    }

    /// The lineage to which a reading of `meter` belongs.
    pub fn lineage_of(&self, meter: &MeterId, at_ms: i64) -> Option<&Lineage> {
        let touched = self.touched(meter, at_ms, at_ms);
        let (index, _) = touched.first()?;
        self.lineages.get(*index)
    }

    /// What readings of `meter` between two instants, both included, touch: lineages by their
    /// index, and the part of the stretch that lies in them.
    pub fn touched(&self, meter: &MeterId, from_ms: i64, to_ms: i64) -> Vec<(usize, Dirty)> {
        let mut found = Vec::new();
        for (at, lineage) in self.lineages.iter().enumerate() {
            for (index, service) in lineage.services.iter().enumerate() {
                let from_ms = from_ms.max(service.from_ms);
                let to_ms = to_ms.min(lineage.last_ms(index));
                if &service.meter == meter && from_ms <= to_ms {
                    found.push((at, Dirty { from_ms, to_ms }));
                }
            }
        }
        found
    }
}

/// The counter of the point; where no meter has it, the gauge from which it can be integrated.
fn series_of(config: &Config, point: &Point, meters: &[&Meter]) -> Quantity {
    let gives = |quantity: Quantity| {
        meters.iter().any(|meter| {
            let profile = config.profiles.get(&meter.profile);
            profile.is_some_and(|profile| profile.quantities().contains(&quantity))
        })
    };
    match gauge_of(point.counter) {
        Some(gauge) if !gives(point.counter) && gives(gauge) => gauge,
        _ => point.counter,
    }
}

/// The gauge whose integral is the counter.
const fn gauge_of(counter: Quantity) -> Option<Quantity> {
    match counter {
        Quantity::EnergyImport | Quantity::EnergyExport => Some(Quantity::Power),
        Quantity::HeatEnergy | Quantity::CoolingEnergy => Some(Quantity::ThermalPower),
        Quantity::Volume => Some(Quantity::Flow),
        _ => None,
    }
}

/// What the registry's dates say.
fn by_dates<'a>(zone: Tz, meters: &[&'a Meter]) -> Vec<Stretch<'a>> {
    let start_ms = |date| day_start_s(zone, date) * 1_000;
    let mut stretches = Vec::with_capacity(meters.len());
    for (index, meter) in meters.iter().enumerate() {
        // The registry refuses overlaps; were there one, the later meter would have the day.
        let following = meters.get(index + 1).map(|next| next.from);
        let to = match (meter.to, following) {
            (Some(to), Some(following)) => Some(to.min(following)),
            (to, following) => to.or(following),
        };
        if to.is_none_or(|to| meter.from < to) {
            stretches.push(Stretch {
                meter,
                from_ms: start_ms(meter.from),
                to_ms: to.map_or(i64::MAX, start_ms),
                link: Link::Anew,
            });
        }
    }
    stretches
}

/// The registers of an exchange in a point's own series; `None` where the books do not state them.
fn registers(point: &Point, quantity: Quantity, exchange: &Replaced) -> Option<(f64, f64)> {
    if quantity.kind() != Kind::Counter {
        return None;
    }
    if point.metered_by.is_none() {
        return Some((exchange.old_last, exchange.new_first));
    }
    let mut others = exchange.others.iter();
    let (_, old_last, new_first) = others.find(|one| one.0 == quantity)?;
    Some((*old_last, *new_first))
}

/// Puts an exchange of the books between two stretches. One that fits no two is left out.
fn apply(stretches: &mut Vec<Stretch<'_>>, exchange: &Replaced, registers: Option<(f64, f64)>) {
    let link = match registers {
        Some((old_last, new_first)) => Link::Replaced {
            old_last,
            new_first,
            event: exchange.event,
        },
        None => Link::Anew,
    };
    let at_ms = exchange.at_ms;
    if exchange.old_meter == exchange.new_meter {
        let within = |one: &Stretch<'_>| {
            one.meter.id == exchange.old_meter && one.from_ms < at_ms && at_ms < one.to_ms
        };
        if let Some(index) = stretches.iter().position(within) {
            let old = &mut stretches[index];
            let new = Stretch {
                meter: old.meter,
                from_ms: at_ms,
                to_ms: old.to_ms,
                link,
            };
            old.to_ms = at_ms;
            stretches.insert(index + 1, new);
        }
        return;
    }
    let fits = |pair: &[Stretch<'_>]| {
        pair[0].meter.id == exchange.old_meter
            && pair[1].meter.id == exchange.new_meter
            && pair[0].from_ms < at_ms
            && at_ms < pair[1].to_ms
    };
    if let Some(index) = stretches.windows(2).position(fits) {
        stretches[index].to_ms = at_ms;
        stretches[index + 1].from_ms = at_ms;
        stretches[index + 1].link = link;
    }
}

/// A stretch by the ratios of its meter. A gauge needs no link: its value is multiplied at once.
fn by_ratio(zone: Tz, quantity: Quantity, stretch: &Stretch<'_>) -> Vec<Service> {
    let meter = stretch.meter;
    let counter = meter.counters.get(&quantity).copied().unwrap_or_default();
    let service = |ratio: u32, from_ms: i64, to_ms: i64, link: Link| Service {
        meter: meter.id.clone(),
        ratio,
        counter,
        limits: LimitsBase::of(counter, ratio),
        from_ms,
        to_ms,
        link,
    };
    let first = local_date(zone, stretch.from_ms.div_euclid(1_000));
    let mut services: Vec<Service> = Vec::new();
    let mut link = stretch.link;
    let (mut from_ms, mut ratio) = (stretch.from_ms, meter.ratio_on(first));
    for (date, next) in &meter.ratio_changes {
        let at_ms = day_start_s(zone, *date) * 1_000;
        if from_ms < at_ms && at_ms < stretch.to_ms && *next != ratio {
            services.push(service(ratio, from_ms, at_ms, link));
            (from_ms, ratio, link) = (at_ms, *next, Link::Ratio);
        }
    }
    services.push(service(ratio, from_ms, stretch.to_ms, link));
    services
}

/// Services that go on from each other, together. One that starts anew within a day stays with
/// those of the day, because a day is computed as a whole.
fn lineages(zone: Tz, services: Vec<Service>) -> Vec<Lineage> {
    let mut found: Vec<Lineage> = Vec::new();
    let mut together: Vec<Service> = Vec::new();
    let mut follows = false;
    for service in services {
        let date = local_date(zone, service.from_ms.div_euclid(1_000));
        let begins_a_day = day_start_s(zone, date) * 1_000 == service.from_ms;
        if service.link == Link::Anew && begins_a_day && !together.is_empty() {
            found.extend(Lineage::of(zone, std::mem::take(&mut together), follows));
            follows = true;
        }
        together.push(service);
    }
    found.extend(Lineage::of(zone, together, follows));
    found
}
