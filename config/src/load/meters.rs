//! What meters say of points, profiles, gateways and each other.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use steward_model::{GatewayId, PointId, ProfileId};

use super::references::{Ids, Profiles, known};
use super::registry::{RawMeter, RawPoint, RawRegistry};
use crate::error::{At, Log, Problem};
use crate::profile::{Profile, ProfileBody, RatioSide};
use crate::registry::{Gateway, GatewayKind, MeterAddress};

/// The address of every meter that is right, by the meter's index.
pub(super) type Addresses = BTreeMap<usize, MeterAddress>;

/// Judges all meters.
pub(super) fn check(log: &Log, raw: &RawRegistry, profiles: &Profiles, ids: &Ids<'_>) -> Addresses {
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
    let profile_ids: BTreeSet<&ProfileId> = profiles.keys().collect();
    let mut addresses = Addresses::new();
    for (index, meter) in raw.meters.iter().enumerate() {
        known(log, "point", &meter.point, &ids.points);
        known(log, "gateway", &meter.gateway, &ids.gateways);
        known(log, "profile", &meter.profile, &profile_ids);
        let profile = profiles.get(&meter.profile.value);
        if let Some(profile) = profile {
            fits_point(log, meter, profile, points.get(&meter.point.value).copied());
        }
        if let Some(gateway) = gateways.get(&meter.gateway.value)
            && let Some(address) = address(log, meter, gateway, profile)
        {
            addresses.insert(index, address);
        }
    }
    serve_one_after_another(log, &raw.meters);
    stand_apart(log, &raw.meters, &addresses);
    addresses
}

fn fits_point(log: &Log, meter: &RawMeter, profile: &Profile, point: Option<&RawPoint>) {
    if meter.ratio.value != 1 && profile.side == RatioSide::Primary {
        let text = format!("profile {} already contains the ratios", profile.id);
        let problem = Problem::new(text).hint("leave ratio out, or it is applied twice");
        log.report(&meter.ratio.at, problem);
    }
    let Some(commodity) = point.map(|point| point.commodity.value) else {
        return;
    };
    let quantities = profile.quantities();
    if !quantities.contains(&commodity.counter()) {
        let text = format!(
            "point {} meters {commodity}, but this profile has no {}",
            meter.point.value,
            commodity.counter()
        );
        let counters: Vec<&str> = quantities
            .iter()
            .filter(|quantity| quantity.kind() == steward_model::Kind::Counter)
            .map(|quantity| quantity.id())
            .collect();
        let hint = format!("its counters are {}", counters.join(", "));
        log.report(&meter.profile.at, Problem::new(text).hint(hint));
    }
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
    let end = |meter: &RawMeter| meter.to.unwrap_or(NaiveDate::MAX);
    a.from.value < end(b) && b.from.value < end(a)
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
fn stand_apart(log: &Log, meters: &[RawMeter], addresses: &Addresses) {
    let with_address = meters.iter().enumerate().filter_map(|(index, meter)| {
        let address = addresses.get(&index)?;
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
