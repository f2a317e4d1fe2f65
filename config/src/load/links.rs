//! What points say of buildings and of each other.

use std::collections::{BTreeMap, BTreeSet};

use steward_model::{PointId, Quantity};

use super::points::{RawPoint, Source};
use super::references::{Ids, known};
use crate::error::{Log, Problem};
use crate::registry::PointRole;

type ById<'r> = BTreeMap<&'r PointId, &'r RawPoint>;

/// Judges all points.
pub(super) fn check(log: &Log, points: &[RawPoint], ids: &Ids<'_>) {
    let by_id: ById<'_> = points
        .iter()
        .map(|point| (&point.id.value, point))
        .collect();
    for point in points {
        known(log, "building", &point.building, &ids.buildings);
        parent(log, point, &by_id, ids);
        counter(log, point);
        metered_by(log, point, &by_id, ids);
        if point.role.value == PointRole::Deducted && point.parent.is_none() {
            let problem = Problem::new("there is nothing to take it off: it has no parent");
            log.report(&point.role.at, problem);
        }
    }
    read_different_counters(log, points);
    rings(log, points, &by_id);
}

fn parent(log: &Log, point: &RawPoint, by_id: &ById<'_>, ids: &Ids<'_>) {
    let Some(parent) = &point.parent else {
        return;
    };
    if !known(log, "point", parent, &ids.points) {
        return;
    }
    let Some(above) = by_id.get(&parent.value) else {
        return;
    };
    if above.building.value != point.building.value {
        let text = format!(
            "the parent is in another building, {}",
            above.building.value
        );
        log.report(&parent.at, Problem::new(text));
    }
    if above.commodity.value != point.commodity.value {
        let text = format!(
            "the parent meters another commodity, {}",
            above.commodity.value
        );
        log.report(&parent.at, Problem::new(text));
    }
}

/// A counter makes a ledger whose unit is its own.
fn counter(log: &Log, point: &RawPoint) {
    let Source::Meters {
        counter: Some(counter),
        ..
    } = &point.source
    else {
        return;
    };
    let commodity = point.commodity.value;
    let unit = commodity.base_unit().symbol();
    if counter.value.unit() != unit {
        let fitting: Vec<&str> = Quantity::ALL
            .iter()
            .filter(|one| one.kind() == steward_model::Kind::Counter && one.unit() == unit)
            .map(|one| one.id())
            .collect();
        let text = format!(
            "counts {}, but the ledger of {commodity} is kept in {unit}",
            counter.value.unit()
        );
        log.report(&counter.at, Problem::new(text).allowed(fitting.join(", ")));
    }
}

fn metered_by(log: &Log, point: &RawPoint, by_id: &ById<'_>, ids: &Ids<'_>) {
    let Some(owner_id) = point.metered_by() else {
        return;
    };
    if !known(log, "point", owner_id, &ids.points) {
        return;
    }
    let Some(owner) = by_id.get(&owner_id.value) else {
        return;
    };
    let problem = if owner.id.value == point.id.value {
        Problem::new("names the point itself").hint("leave it out where the meters are its own")
    } else if owner.is_virtual() {
        Problem::new("is a virtual point, which has no meters")
    } else if let Some(next) = owner.metered_by() {
        Problem::new("has no meters of its own").hint(format!("it reads those of {}", next.value))
    } else if owner.building.value != point.building.value {
        let text = format!("is in another building, {}", owner.building.value);
        Problem::new(text)
    } else {
        return;
    };
    log.report(&owner_id.at, problem);
}

/// Two points on one meter read different counters: one amount would count twice.
fn read_different_counters(log: &Log, points: &[RawPoint]) {
    let mut readers: BTreeMap<(&PointId, Quantity), &PointId> = BTreeMap::new();
    let own = points.iter().filter(|point| point.metered_by().is_none());
    for point in own {
        readers.insert((&point.id.value, point.counter()), &point.id.value);
    }
    for point in points {
        let Some(owner) = point.metered_by() else {
            continue;
        };
        let counter = point.counter();
        let other = *readers
            .entry((&owner.value, counter))
            .or_insert(&point.id.value);
        if *other != point.id.value {
            let text = format!("point {other} reads {counter} of these meters already");
            let problem = Problem::new(text).hint("give one of the two another `counter`");
            log.report(&owner.at, problem);
        }
    }
}

/// Reports each ring of parents once, at its smallest id.
fn rings(log: &Log, points: &[RawPoint], by_id: &ById<'_>) {
    // Points whose way up is known to end, so that every point is walked once.
    let mut ends: BTreeSet<&PointId> = BTreeSet::new();
    for start in points {
        let mut way: Vec<&PointId> = Vec::new();
        let mut at = Some(&start.id.value);
        while let Some(id) = at {
            if ends.contains(id) {
                break;
            }
            if let Some(position) = way.iter().position(|other| *other == id) {
                report_ring(log, way.get(position..).unwrap_or_default(), by_id);
                break;
            }
            way.push(id);
            let point = by_id.get(id);
            at = point.and_then(|point| point.parent.as_ref().map(|parent| &parent.value));
        }
        ends.extend(way);
    }
}

fn report_ring(log: &Log, ring: &[&PointId], by_id: &ById<'_>) {
    let first = ring.iter().min().and_then(|id| by_id.get(*id));
    if let Some(parent) = first.and_then(|point| point.parent.as_ref()) {
        let names: Vec<&str> = ring.iter().map(|id| id.as_str()).collect();
        let text = format!("the parents go round in a ring: {}", names.join(" → "));
        log.report(&parent.at, Problem::new(text));
    }
}
