//! What the tables of a registry say of each other.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use steward_model::{BuildingId, GatewayId, InstitutionId, PointId, ProfileId};

use super::Site;
use super::accounts::{self, TariffsById};
use super::allocations::RawAllocation;
use super::factors::Draft;
use super::formulas::{self, Formulas};
use super::links;
use super::meters::{self, CheckedMeters};
use super::ratios::{self, Ratios};
use super::registry::RawRegistry;
use crate::error::{At, Located, Log, Problem};
use crate::factor::RegionLevel;
use crate::profile::Profile;
use crate::registry::{Building, Meter, Point, Registry};
use crate::tariff::Account;

/// Provinces as factor files write them.
const PROVINCES: &[&str] = &[
    "北京",
    "天津",
    "河北",
    "山西",
    "内蒙古",
    "辽宁",
    "吉林",
    "黑龙江",
    "上海",
    "江苏",
    "浙江",
    "安徽",
    "福建",
    "江西",
    "山东",
    "河南",
    "湖北",
    "湖南",
    "广东",
    "广西",
    "海南",
    "重庆",
    "四川",
    "贵州",
    "云南",
    "西藏",
    "陕西",
    "甘肃",
    "青海",
    "宁夏",
    "新疆",
    "香港",
    "澳门",
    "台湾",
];
/// Regions of the grid.
const REGIONS: &[&str] = &["华北", "东北", "华东", "华中", "西北", "南方", "西南"];

/// A registry whose references hold, with the places that later checks point to.
pub(super) struct Checked {
    pub(super) registry: Registry,
    pub(super) accounts: BTreeMap<String, Account>,
    pub(super) places: BTreeMap<InstitutionId, At>,
}

pub(super) type Profiles = BTreeMap<ProfileId, Profile>;

/// Judges the references. `None` after a mistake, or where a file could not be read.
pub(super) fn check(
    site: Site<'_>,
    raw: RawRegistry,
    profiles: &Profiles,
    drafts: &[Draft],
    tariffs: &TariffsById,
) -> Option<Checked> {
    let log = site.log;
    let ids = Ids {
        institutions: unique(log, "institution", &raw.written.institutions),
        buildings: unique(log, "building", &raw.written.buildings),
        points: unique(log, "point", &raw.written.points),
        gateways: unique(log, "gateway", &raw.written.gateways),
    };
    unique(log, "meter", &raw.written.meters);
    if log.has_unread() {
        return None;
    }
    regions(log, &raw, drafts);
    for building in &raw.buildings {
        known(log, "institution", &building.institution, &ids.institutions);
    }
    links::check(log, &raw.points, &ids);
    client_ids(log, &raw);
    let made = Made {
        formulas: formulas::check(log, &raw, &ids),
        ratios: ratios::check(log, &raw, profiles),
        meters: meters::check(log, &raw, profiles, &ids),
        accounts: accounts::check(log, &raw, tariffs, &ids),
    };
    log.is_empty().then(|| build(raw, made))
}

/// What the checks make of what is written.
struct Made {
    formulas: Formulas,
    ratios: Ratios,
    meters: CheckedMeters,
    accounts: BTreeMap<String, Account>,
}

pub(super) struct Ids<'r> {
    pub(super) institutions: BTreeSet<&'r InstitutionId>,
    pub(super) buildings: BTreeSet<&'r BuildingId>,
    pub(super) points: BTreeSet<&'r PointId>,
    pub(super) gateways: BTreeSet<&'r GatewayId>,
}

/// The ids of a kind; those written twice are reported.
pub(super) fn unique<'r, T: Ord>(log: &Log, kind: &str, ids: &'r [Located<T>]) -> BTreeSet<&'r T> {
    let mut first: BTreeMap<&T, &At> = BTreeMap::new();
    for id in ids {
        if let Some(other) = first.get(&id.value) {
            let problem = Problem::new(format!("another {kind} has this id"))
                .hint(format!("the first stands at {}", other.place()));
            log.report(&id.at, problem);
        } else {
            first.insert(&id.value, &id.at);
        }
    }
    first.into_keys().collect()
}

/// Reports a reference to nothing.
pub(super) fn known<T: Ord + Borrow<str>>(
    log: &Log,
    kind: &str,
    id: &Located<T>,
    ids: &BTreeSet<&T>,
) -> bool {
    let is_known = ids.contains(&id.value);
    if !is_known {
        let names = ids.iter().map(|known| (*known).borrow());
        let problem = Problem::new(format!("no {kind} has this id"));
        log.report(&id.at, problem.nearest(id.value.borrow(), names));
    }
    is_known
}

/// Provinces and regions are spelt as factor files spell them: a misspelt one would otherwise fall
/// back to a wider factor unnoticed.
fn regions(log: &Log, raw: &RawRegistry, drafts: &[Draft]) {
    let own: BTreeSet<&str> = drafts
        .iter()
        .map(|draft| &draft.factor)
        .filter(|factor| factor.level != RegionLevel::Nation)
        .map(|factor| factor.region.as_str())
        .collect();
    let names = |official: &[&'static str]| -> BTreeSet<&str> {
        own.iter()
            .copied()
            .chain(official.iter().copied())
            .collect()
    };
    let provinces = names(PROVINCES);
    let regions = names(REGIONS);
    for one in &raw.institutions {
        let written = &one.institution.value;
        for (name, at, names) in [
            (&written.province, &one.province, &provinces),
            (&written.region, &one.region, &regions),
        ] {
            if !names.contains(name.as_str()) {
                let start = names.iter().find(|known| name.starts_with(**known));
                let problem = Problem::new("is no name that factor files use");
                let problem = match start {
                    Some(known) => problem.hint(format!("write \"{known}\"")),
                    None => {
                        problem.hint("浙江 and 华东 are such names; own factor files add others")
                    }
                };
                log.report(at, problem);
            }
        }
    }
}

/// Two connections of one client id throw each other out for ever.
fn client_ids(log: &Log, raw: &RawRegistry) {
    let mut first: BTreeMap<&str, &At> = BTreeMap::new();
    for client in raw.gateways.iter().filter_map(|one| one.client_id.as_ref()) {
        if let Some(other) = first.get(client.value.as_str()) {
            let mut at = client.at.clone();
            at.shown = Some(format!("{:?}", client.value));
            let problem = Problem::new("another gateway uses this client id")
                .hint(format!("the first stands at {}", other.place()));
            log.report(&at, problem);
        } else {
            first.insert(&client.value, &client.at);
        }
    }
}

fn build(raw: RawRegistry, mut made: Made) -> Checked {
    let mut checked = Checked {
        registry: Registry::default(),
        accounts: made.accounts,
        places: BTreeMap::new(),
    };
    let registry = &mut checked.registry;
    for one in raw.institutions {
        let Located { value, at } = one.institution;
        checked.places.insert(value.id.clone(), at);
        registry.institutions.insert(value.id.clone(), value);
    }
    for one in raw.buildings {
        let building = Building {
            id: one.id.value,
            institution: one.institution.value,
            name_zh: one.name_zh,
            name_en: one.name_en,
            zone: one.zone,
            extents: one.extents,
        };
        registry.buildings.insert(building.id.clone(), building);
    }
    for one in raw.points {
        let point = Point {
            counter: one.counter(),
            metered_by: one.metered_by().map(|owner| owner.value.clone()),
            formulas: made.formulas.remove(&one.id.value).unwrap_or_default(),
            id: one.id.value,
            building: one.building.value,
            name_zh: one.name_zh,
            name_en: one.name_en,
            commodity: one.commodity.value,
            subitem: one.subitem,
            parent: one.parent.map(|parent| parent.value),
            role: one.role.value,
            balance_tolerance: one.balance_tolerance,
        };
        registry.points.insert(point.id.clone(), point);
    }
    for one in raw.gateways {
        let gateway = one.gateway.value;
        registry.gateways.insert(gateway.id.clone(), gateway);
    }
    for (index, one) in raw.meters.into_iter().enumerate() {
        // Every meter has an address here: one without was reported, and then nothing is built.
        if let Some(checked) = made.meters.remove(&index) {
            let meter = Meter {
                ratio_changes: made.ratios.remove(&one.id.value).unwrap_or_default(),
                id: one.id.value,
                point: one.point.value,
                gateway: one.gateway.value,
                profile: one.profile.value,
                address: checked.address,
                ratio: one.ratio.value,
                counters: checked.counters,
                from: one.from.value,
                to: one.to,
                interval: one.interval,
            };
            registry.meters.insert(meter.id.clone(), meter);
        }
    }
    let allocations = raw.allocations.into_iter();
    registry.allocations = allocations.map(RawAllocation::into_allocation).collect();
    checked
}
