//! Registry files: institutions, buildings, points, meters, gateways, each with its place.
//! What they say of each other is judged in `references`.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_model::{BuildingId, GatewayId, InstitutionId, MeterId, PointId, ProfileId};

use super::accounts::{self, RawAccount};
use super::allocations::{self, RawAllocation};
use super::gateways::{self, RawGateway};
use super::points::{self, RawPoint};
use super::ratios::{self, RawRatio};
use super::settings::Basics;
use super::{Site, counters, dated};
use crate::csv_file::parse_csv;
use crate::error::{At, Located, Log, Problem};
use crate::factor::RegionLevel;
use crate::fields::Fields;
use crate::parse;
use crate::registry::{Dated, Extent, Institution};
use crate::tree::Document;

const INTERVAL_S: u64 = 60;
const POINT_COLUMNS: &[&str] = &[
    "id",
    "building",
    "commodity",
    "name_zh",
    "name_en",
    "subitem",
    "parent",
    "counter",
    "metered_by",
    "role",
    "balance_tolerance",
];
const METER_COLUMNS: &[&str] = &[
    "id",
    "point",
    "gateway",
    "profile",
    "unit_id",
    "device",
    "ratio",
    "from",
    "to",
    "interval_s",
    "resolution",
    "modulus",
    "rise_max_per_h",
];

pub(super) struct RawInstitution {
    pub(super) institution: Located<Institution>,
    pub(super) province: At,
    pub(super) region: At,
}

pub(super) struct RawBuilding {
    pub(super) id: Located<BuildingId>,
    pub(super) institution: Located<InstitutionId>,
    pub(super) name_zh: String,
    pub(super) name_en: String,
    pub(super) zone: Tz,
    pub(super) extents: Vec<Dated<Extent>>,
}

pub(super) struct RawMeter {
    pub(super) id: Located<MeterId>,
    pub(super) point: Located<PointId>,
    pub(super) gateway: Located<GatewayId>,
    pub(super) profile: Located<ProfileId>,
    pub(super) unit_id: Option<Located<u8>>,
    /// Whether a unit id is written, right or wrong.
    pub(super) has_unit_id: bool,
    pub(super) device: Option<Located<String>>,
    pub(super) ratio: Located<u32>,
    pub(super) limits: counters::Written,
    pub(super) from: Located<NaiveDate>,
    pub(super) to: Option<NaiveDate>,
    pub(super) interval: Duration,
}

/// Ids that are written, even where the rest of their table is wrong: a reference to them is not
/// a second mistake.
#[derive(Default)]
pub(super) struct Written {
    pub(super) institutions: Vec<Located<InstitutionId>>,
    pub(super) buildings: Vec<Located<BuildingId>>,
    pub(super) points: Vec<Located<PointId>>,
    pub(super) meters: Vec<Located<MeterId>>,
    pub(super) gateways: Vec<Located<GatewayId>>,
}

#[derive(Default)]
pub(super) struct RawRegistry {
    pub(super) written: Written,
    pub(super) institutions: Vec<RawInstitution>,
    pub(super) buildings: Vec<RawBuilding>,
    pub(super) points: Vec<RawPoint>,
    pub(super) meters: Vec<RawMeter>,
    pub(super) ratios: Vec<RawRatio>,
    pub(super) gateways: Vec<RawGateway>,
    pub(super) allocations: Vec<RawAllocation>,
    /// Whether an allocation was left out for its mistakes, so that others cannot be missed.
    pub(super) has_unread_allocation: bool,
    pub(super) accounts: Vec<RawAccount>,
}

impl RawRegistry {
    /// The ids of the institutions that are written; `None` where a file could not be read.
    pub(super) fn institution_ids(&self, log: &Log) -> Option<BTreeSet<InstitutionId>> {
        let ids = self.written.institutions.iter().map(|id| id.value.clone());
        (!log.has_unread()).then(|| ids.collect())
    }
}

pub(super) fn read(site: Site<'_>, basics: &Basics) -> RawRegistry {
    let mut raw = RawRegistry::default();
    let mut files = site.toml_files("registry.d");
    if site.has("registry.toml") {
        files.insert(0, "registry.toml".to_owned());
    }
    if files.is_empty() {
        let problem = Problem::new("is missing").hint("or use registry.d/*.toml");
        site.log.report_unread(&At::file("registry.toml"), problem);
    }
    for file in files {
        if let Some(document) = site.toml(&file, Some(site.environment)) {
            read_document(site, basics, &document, &mut raw);
        }
    }
    read_rows(site, "points.csv", POINT_COLUMNS, |fields| {
        points::read_metered(fields, &mut raw);
    });
    read_rows(site, "meters.csv", METER_COLUMNS, |fields| {
        read_meter(fields, &mut raw);
    });
    read_rows(site, "ratios.csv", ratios::COLUMNS, |fields| {
        raw.ratios.extend(ratios::read(fields));
    });
    raw
}

fn read_rows(site: Site<'_>, name: &str, columns: &[&str], mut read: impl FnMut(&Fields<'_>)) {
    if !site.has(name) {
        return;
    }
    let Some(text) = site.text(name) else {
        return;
    };
    let file: Rc<str> = Rc::from(name);
    let kind = name.trim_end_matches("s.csv");
    for row in parse_csv(&file, &text, columns, site.log) {
        read(&Fields::row(kind, &row, &file, site.log));
    }
}

fn read_document(site: Site<'_>, basics: &Basics, document: &Document, raw: &mut RawRegistry) {
    let top = Fields::document(document, site.log);
    for fields in top.tables("institution") {
        read_institution(&fields, raw);
    }
    for fields in top.tables("building") {
        read_building(&fields, basics, raw);
    }
    for fields in top.tables("gateway") {
        let id = fields.read_quietly("id", parse::id(|text| GatewayId::new(text).ok()));
        raw.written.gateways.extend(id);
        raw.gateways.extend(gateways::read(site, basics, &fields));
    }
    for fields in top.tables("point") {
        points::read_metered(&fields, raw);
    }
    for fields in top.tables("virtual_point") {
        points::read_virtual(&fields, raw);
    }
    for fields in top.tables("allocation") {
        match allocations::read(&fields) {
            Some(allocation) => raw.allocations.push(allocation),
            None => raw.has_unread_allocation = true,
        }
    }
    for fields in top.tables("meter") {
        read_meter(&fields, raw);
    }
    for fields in top.tables("account") {
        raw.accounts.extend(accounts::read(&fields));
    }
    top.finish();
}

fn read_institution(fields: &Fields<'_>, raw: &mut RawRegistry) {
    let id = fields.need("id", parse::id(|text| InstitutionId::new(text).ok()));
    let name_zh = fields.need("name_zh", parse::text);
    let name_en = fields.need("name_en", parse::text);
    let province = fields.need("province", parse::text);
    let region = fields.need("region", parse::text);
    let wider = &RegionLevel::ALL[1..];
    let factor_fallback = parse::list(parse::one_of(wider));
    let factor_fallback = fields.or("factor_fallback", Vec::new(), factor_fallback);
    let budget_pilot = fields.or("budget_pilot", false, parse::boolean);
    let extents = extents(fields);
    fields.finish();
    raw.written.institutions.extend(id.clone());
    let institution = (|| {
        let (id, province, region) = (id?, province?, region?);
        Some(RawInstitution {
            institution: Located {
                at: id.at,
                value: Institution {
                    id: id.value,
                    name_zh: name_zh?.value,
                    name_en: name_en?.value,
                    province: province.value,
                    region: region.value,
                    factor_fallback,
                    budget_pilot,
                    extents,
                },
            },
            province: province.at,
            region: region.at,
        })
    })();
    raw.institutions.extend(institution);
}

fn read_building(fields: &Fields<'_>, basics: &Basics, raw: &mut RawRegistry) {
    let id = fields.need("id", parse::id(|text| BuildingId::new(text).ok()));
    let institution_id = parse::id(|text| InstitutionId::new(text).ok());
    let institution = fields.need("institution", institution_id);
    let name_zh = fields.need("name_zh", parse::text);
    let name_en = fields.need("name_en", parse::text);
    let zone = fields.or("zone", basics.zone, parse::zone);
    let extents = extents(fields);
    fields.finish();
    raw.written.buildings.extend(id.clone());
    let building = (|| {
        Some(RawBuilding {
            id: id?,
            institution: institution?,
            name_zh: name_zh?.value,
            name_en: name_en?.value,
            zone,
            extents,
        })
    })();
    raw.buildings.extend(building);
}

fn read_meter(fields: &Fields<'_>, raw: &mut RawRegistry) {
    let id = fields.need("id", parse::id(|text| MeterId::new(text).ok()));
    let point = fields.need("point", parse::id(|text| PointId::new(text).ok()));
    let gateway = fields.need("gateway", parse::id(|text| GatewayId::new(text).ok()));
    let profile = fields.need("profile", parse::id(|text| ProfileId::new(text).ok()));
    let unit_id = fields.read("unit_id", parse::integer(1..=255));
    let unit_id = unit_id.filter(|unit| {
        let is_unit = unit.value <= 247 || unit.value == 255;
        if !is_unit {
            let problem = Problem::new("is reserved").allowed("1 to 247, or 255");
            fields.log().report(&unit.at, problem);
        }
        is_unit
    });
    let device = fields.read("device", parse::text);
    let ratio = fields.read("ratio", parse::integer(1..=10_000_000));
    let ratio = ratio.unwrap_or_else(|| Located {
        value: 1,
        at: fields.at_of("ratio"),
    });
    let from = fields.need("from", parse::date);
    let to = fields.read("to", parse::date);
    let interval_s = fields.or("interval_s", INTERVAL_S, parse::integer(1..=86_400));
    let limits = counters::Written::read(fields);
    fields.finish();
    raw.written.meters.extend(id.clone());
    if let (Some(from), Some(to)) = (&from, &to)
        && to.value <= from.value
    {
        let problem = Problem::new(format!("must be after from, which is {}", from.value));
        fields.log().report(&to.at, problem);
    }
    let meter = (|| {
        Some(RawMeter {
            id: id?,
            point: point?,
            gateway: gateway?,
            profile: profile?,
            unit_id,
            has_unit_id: fields.has("unit_id"),
            device,
            ratio,
            limits,
            from: from?,
            to: to.map(|to| to.value),
            interval: Duration::from_secs(interval_s),
        })
    })();
    raw.meters.extend(meter);
}

/// `extents = [{ from, to, floor_area_m2, energy_users }]`: without `to` one holds until the next.
fn extents(fields: &Fields<'_>) -> Vec<Dated<Extent>> {
    let mut found: Vec<Located<Dated<Extent>>> = Vec::new();
    for table in fields.tables("extents") {
        let from = table.need("from", parse::date);
        let to = table.read("to", parse::date).map(|to| to.value);
        let floor_area_m2 = table.need("floor_area_m2", parse::number(0.0..=100_000_000.0));
        let energy_users = table.need("energy_users", parse::integer(0..=10_000_000));
        table.finish();
        if let (Some(from), Some(area), Some(users)) = (from, floor_area_m2, energy_users) {
            let value = Extent {
                floor_area_m2: area.value,
                energy_users: users.value,
            };
            found.push(Located {
                at: from.at,
                value: Dated {
                    from: from.value,
                    to,
                    value,
                },
            });
        }
    }
    let ordered = dated::in_order(fields.log(), found, "extent");
    ordered.into_iter().map(|extent| extent.value).collect()
}
