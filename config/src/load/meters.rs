//! What meters say of points, profiles, gateways and each other.

use std::collections::{BTreeMap, BTreeSet};

use steward_model::{Commodity, GatewayId, PointId, ProfileId, Quantity};

use super::dated;
use super::points::RawPoint;
use super::references::{Ids, Profiles, known};
use super::registry::{RawMeter, RawRegistry};
use crate::error::{At, Log, Problem};
use crate::profile::{Profile, ProfileBody, RatioSide};
use crate::registry::{CounterLimits, Gateway, GatewayKind, MeterAddress};

/// What is known of a meter that is right.
pub(super) struct CheckedMeter {
    pub(super) address: MeterAddress,
    pub(super) counters: BTreeMap<Quantity, CounterLimits>,
}

/// Every meter that is right, by its index.
pub(super) type CheckedMeters = BTreeMap<usize, CheckedMeter>;

/// Judges all meters.
pub(super) fn check(
    log: &Log,
    raw: &RawRegistry,
    profiles: &Profiles,
    ids: &Ids<'_>,
) -> CheckedMeters {
    let gateways: BTreeMap<&GatewayId, &Gateway> = raw
        .gateways
        .iter()
        .map(|one| (&one.gateway.value.id, &one.gateway.value))
        .collect();
    let points: BTreeMap<&PointId, &RawPoint> = raw
        .points
        .iter()
        .map(|point| (&point.id.value, point))
        .collect();
    let mut riders: BTreeMap<&PointId, Vec<&RawPoint>> = BTreeMap::new();
    for point in &raw.points {
        if let Some(owner) = point.metered_by() {
            riders.entry(&owner.value).or_default().push(point);
        }
    }
    let profile_ids: BTreeSet<&ProfileId> = profiles.keys().collect();
    let mut checked = CheckedMeters::new();
    for (index, meter) in raw.meters.iter().enumerate() {
        known(log, "point", &meter.point, &ids.points);
        known(log, "gateway", &meter.gateway, &ids.gateways);
        known(log, "profile", &meter.profile, &profile_ids);
        let profile = profiles.get(&meter.profile.value);
        let point = points.get(&meter.point.value).copied();
        let mut counters = BTreeMap::new();
        if let Some(profile) = profile {
            has_right_ratio(log, meter, profile);
            if let Some(point) = point {
                fits_point(log, meter, profile, point);
                counters = limits(log, meter, profile, point);
            }
            for rider in riders.get(&meter.point.value).into_iter().flatten() {
                fits_rider(log, meter, profile, rider);
            }
        }
        if let Some(gateway) = gateways.get(&meter.gateway.value)
            && let Some(address) = address(log, meter, gateway, profile)
        {
            checked.insert(index, CheckedMeter { address, counters });
        }
    }
    are_read_in_one_way(log, raw, profiles, &points);
    serve_one_after_another(log, &raw.meters);
    stand_apart(log, &raw.meters, &checked);
    checked
}

fn has_right_ratio(log: &Log, meter: &RawMeter, profile: &Profile) {
    if meter.ratio.value != 1 && profile.side == RatioSide::Primary {
        let text = format!("profile {} already contains the ratios", profile.id);
        let problem = Problem::new(text).hint("leave ratio out, or it is applied twice");
        log.report(&meter.ratio.at, problem);
    }
}

fn fits_point(log: &Log, meter: &RawMeter, profile: &Profile, point: &RawPoint) {
    if point.is_virtual() {
        let problem = Problem::new("is a virtual point, which has no meters");
        log.report(&meter.point.at, problem);
        return;
    }
    if let Some(owner) = point.metered_by() {
        let text = format!(
            "reads the meters of {}, it has none of its own",
            owner.value
        );
        let problem = Problem::new(text).hint(format!("it says so at {}", owner.at.place()));
        log.report(&meter.point.at, problem);
        return;
    }
    if !profile.quantities().contains(&point.counter()) && !is_integrated(profile, point) {
        let text = format!(
            "point {} meters {}, but this profile has no {}",
            point.id.value,
            point.commodity.value,
            point.counter()
        );
        lacks_counter(log, meter, profile, point, text);
    }
}

/// Reports a profile without the counter of a point, and says what it has instead.
fn lacks_counter(log: &Log, meter: &RawMeter, profile: &Profile, point: &RawPoint, text: String) {
    let unit = point.commodity.value.base_unit().symbol();
    let counters: Vec<Quantity> = profile.counters.keys().copied().collect();
    let names: Vec<&str> = counters.iter().map(|quantity| quantity.id()).collect();
    let mut hint = match names.as_slice() {
        [] => "it has no counter".to_owned(),
        names => format!("its counters are {}", names.join(", ")),
    };
    if let Some(other) = counters.iter().find(|quantity| quantity.unit() == unit) {
        hint.push_str(&format!(
            "; a point that reads another says so: counter = \"{other}\""
        ));
    }
    log.report(&meter.profile.at, Problem::new(text).hint(hint));
}

/// A meter that tells power and counts no energy: its power is integrated.
fn is_integrated(profile: &Profile, point: &RawPoint) -> bool {
    let commodity = point.commodity.value;
    let is_electric = matches!(
        commodity,
        Commodity::Electricity | Commodity::SolarGeneration
    );
    let unit = commodity.base_unit().symbol();
    is_electric
        && profile.quantities().contains(&Quantity::Power)
        && profile
            .counters
            .keys()
            .all(|counter| counter.unit() != unit)
}

/// A point's series is a counter or an integral, not now one and now the other.
fn are_read_in_one_way(
    log: &Log,
    raw: &RawRegistry,
    profiles: &Profiles,
    points: &BTreeMap<&PointId, &RawPoint>,
) {
    let mut counting: BTreeMap<&PointId, &RawMeter> = BTreeMap::new();
    let mut integrated = Vec::new();
    for meter in &raw.meters {
        let profile = profiles.get(&meter.profile.value);
        let Some((profile, point)) = profile.zip(points.get(&meter.point.value)) else {
            continue;
        };
        if profile.counters.contains_key(&point.counter()) {
            counting.entry(&point.id.value).or_insert(meter);
        } else if is_integrated(profile, point) {
            integrated.push(meter);
        }
    }
    for meter in integrated {
        if let Some(other) = counting.get(&meter.point.value) {
            let text = format!(
                "tells power only, but meter {} of point {} counts energy",
                other.id.value, meter.point.value
            );
            let hint = "give it a point of its own, and add both in a virtual point";
            log.report(&meter.profile.at, Problem::new(text).hint(hint));
        }
    }
}

fn fits_rider(log: &Log, meter: &RawMeter, profile: &Profile, rider: &RawPoint) {
    if !profile.counters.contains_key(&rider.counter()) {
        let text = format!(
            "point {} reads {} of this meter, but this profile has none",
            rider.id.value,
            rider.counter()
        );
        lacks_counter(log, meter, profile, rider, text);
    }
}

/// The profile's limits with what the meter's row overrides: of the point's counter and of all
/// others in its unit, for a device counts both directions with the same digits.
fn limits(
    log: &Log,
    meter: &RawMeter,
    profile: &Profile,
    point: &RawPoint,
) -> BTreeMap<Quantity, CounterLimits> {
    let commodity = point.commodity.value;
    let unit = commodity.base_unit().symbol();
    if profile
        .counters
        .keys()
        .all(|counter| counter.unit() != unit)
    {
        let why = format!("profile {} counts no {commodity}", profile.id);
        meter.limits.have_no_meaning(log, &why);
    }
    // At most 1,000,000 base units: exact as a float.
    let factor = commodity.base_per_unit() as f64;
    let counters = profile.counters.iter();
    counters
        .map(|(quantity, known)| {
            let limits = match quantity.unit() == unit {
                true => meter.limits.over(log, *known, factor),
                false => *known,
            };
            (*quantity, limits)
        })
        .collect()
}

fn address(
    log: &Log,
    meter: &RawMeter,
    gateway: &Gateway,
    profile: Option<&Profile>,
) -> Option<MeterAddress> {
    let unfit = |protocol: &str| {
        let text = format!(
            "the profile is not for gateway {}, which speaks {protocol}",
            gateway.id
        );
        log.report(&meter.profile.at, Problem::new(text));
    };
    let unused = |at: &At, protocol: &str| {
        let text = format!("has no meaning: gateway {} speaks {protocol}", gateway.id);
        log.report(at, Problem::new(text));
    };
    match &gateway.kind {
        GatewayKind::ModbusTcp(_) => {
            if profile.is_some_and(|profile| matches!(profile.body, ProfileBody::Mqtt(_))) {
                unfit("Modbus");
            }
            if let Some(device) = &meter.device {
                unused(&device.at, "Modbus");
            }
            if !meter.has_unit_id {
                let text = format!("needs a unit_id: gateway {} speaks Modbus", gateway.id);
                let problem = Problem::new(text).allowed("1 to 247, or 255");
                log.report(&meter.gateway.at, problem);
            }
            let unit_id = meter.unit_id.as_ref()?;
            Some(MeterAddress::Modbus {
                unit_id: unit_id.value,
            })
        }
        GatewayKind::Mqtt(_) => {
            if profile.is_some_and(|profile| matches!(profile.body, ProfileBody::Modbus(_))) {
                unfit("MQTT");
            }
            if let Some(unit_id) = &meter.unit_id {
                unused(&unit_id.at, "MQTT");
            }
            let device = meter.device.as_ref().map(|device| device.value.clone());
            Some(MeterAddress::Mqtt {
                device: device.unwrap_or_else(|| meter.id.value.to_string()),
            })
        }
    }
}

fn spans_overlap(a: &RawMeter, b: &RawMeter) -> bool {
    dated::overlap((a.from.value, a.to), (b.from.value, b.to))
}

/// Reports meters that serve one thing at one time. `key` says what is shared.
fn report_overlaps<'r, K: Ord>(
    log: &Log,
    meters: impl Iterator<Item = (K, &'r RawMeter)>,
    at: impl Fn(&'r RawMeter) -> &'r At,
    what: impl Fn(&'r RawMeter) -> String,
) {
    let mut groups: BTreeMap<K, Vec<&RawMeter>> = BTreeMap::new();
    for (key, meter) in meters {
        groups.entry(key).or_default().push(meter);
    }
    for mut group in groups.into_values() {
        group.sort_by_key(|meter| meter.from.value);
        for pair in group.windows(2) {
            if let [a, b] = pair
                && spans_overlap(a, b)
            {
                let text = format!("{} at the same time as meter {}", what(b), a.id.value);
                let hint = format!("that one begins {} at {}", a.from.value, a.id.at.place());
                log.report(at(b), Problem::new(text).hint(hint));
            }
        }
    }
}

/// No two meters serve a point on one day.
fn serve_one_after_another(log: &Log, meters: &[RawMeter]) {
    report_overlaps(
        log,
        meters.iter().map(|meter| (&meter.point.value, meter)),
        |meter| &meter.from.at,
        |meter| format!("serves point {}", meter.point.value),
    );
}

/// No two meters have one address on one day.
fn stand_apart(log: &Log, meters: &[RawMeter], checked: &CheckedMeters) {
    let with_address = meters.iter().enumerate().filter_map(|(index, meter)| {
        let address = &checked.get(&index)?.address;
        Some(((&meter.gateway.value, address), meter))
    });
    report_overlaps(
        log,
        with_address,
        |meter| match (&meter.unit_id, &meter.device) {
            (Some(unit_id), _) => &unit_id.at,
            (None, Some(device)) => &device.at,
            (None, None) => &meter.id.at,
        },
        |meter| format!("has its address on gateway {}", meter.gateway.value),
    );
}
