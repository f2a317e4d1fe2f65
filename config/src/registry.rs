//! What a site is made of: institutions, buildings, points, meters, gateways.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_model::{
    BuildingId, Commodity, GatewayId, InstitutionId, MeterId, PointId, ProfileId, Quantity,
};

use crate::factor::RegionLevel;
use crate::settings::Secret;

/// A value and the dates between which it holds: from inclusive, to exclusive.
#[derive(Clone, Debug, PartialEq)]
pub struct Dated<T> {
    /// First day.
    pub from: NaiveDate,
    /// First day after; `None` is open.
    pub to: Option<NaiveDate>,
    /// The value.
    pub value: T,
}

impl<T> Dated<T> {
    /// Whether `date` lies within.
    pub fn holds_on(&self, date: NaiveDate) -> bool {
        self.from <= date && self.to.is_none_or(|to| date < to)
    }
}

/// Floor area and head count of an institution or a building.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// 建筑面积 in square metres.
    pub floor_area_m2: f64,
    /// 用能人数.
    pub energy_users: u32,
}

/// An institution 公共机构.
#[derive(Clone, Debug)]
pub struct Institution {
    /// Id.
    pub id: InstitutionId,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Province as factor files write it, 浙江.
    pub province: String,
    /// Grid region as factor files write it, 华东.
    pub region: String,
    /// Levels to which the choice of a factor may fall back, in this order, when the province has none.
    pub factor_fallback: Vec<RegionLevel>,
    /// Pilot of energy and carbon budgets.
    pub budget_pilot: bool,
    /// Floor area and head count by date.
    pub extents: Vec<Dated<Extent>>,
}

/// A building.
#[derive(Clone, Debug)]
pub struct Building {
    /// Id.
    pub id: BuildingId,
    /// Whose it is.
    pub institution: InstitutionId,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Its zone decides what its days are.
    pub zone: Tz,
    /// Floor area and head count by date.
    pub extents: Vec<Dated<Extent>>,
}

/// A point 计量点. Points without a parent make the totals; children explain them.
#[derive(Clone, Debug)]
pub struct Point {
    /// Id.
    pub id: PointId,
    /// Where it is.
    pub building: BuildingId,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// What is metered.
    pub commodity: Commodity,
    /// Sub-item code such as `01A00`, hierarchical; `None` where there is none.
    pub subitem: Option<String>,
    /// The point that meters this one too.
    pub parent: Option<PointId>,
    /// The counter that makes its ledger: the commodity's own, or another register of the same unit
    /// such as `energy_export` of a grid meter for the feed-in of a solar plant.
    pub counter: Quantity,
    /// Whose meters are read; `None` for a point with meters of its own. Two points may stand on one
    /// meter only with different counters.
    pub metered_by: Option<PointId>,
    /// What a virtual point is made of, by date; empty for a metered point. Allocations of shared
    /// points become formulas too.
    pub formulas: Vec<Dated<Formula>>,
    /// What it is in the totals.
    pub role: PointRole,
    /// Balance: the part of this point's amount by which its children may differ before somebody
    /// should look; `None` takes the setting.
    pub balance_tolerance: Option<f64>,
}

/// What a point is in totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PointRole {
    /// Counted: it makes the total where it has no parent, and explains it otherwise.
    #[default]
    Counted,
    /// Rented out and metered separately: taken off the total that contains it.
    Deducted,
    /// Shared: its amount reaches totals through the points to which it is allocated, and through
    /// the point of the unallocated rest.
    Shared,
    /// An analysis beside the books: it enters no total.
    Aside,
}

impl PointRole {
    /// The word used in files and JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::Deducted => "deducted",
            Self::Shared => "shared",
            Self::Aside => "aside",
        }
    }
}

/// A sum of points with coefficients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula {
    /// As written, or as the allocation made it.
    pub text: String,
    /// The terms. All have the base unit of the point they make.
    pub terms: Vec<Term>,
}

/// One term: millionths of a point's amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Which point.
    pub point: PointId,
    /// Its coefficient in millionths; negative is taken off.
    pub coefficient_ppm: i64,
}

/// How a shared point is divided, as written. The loader turns it into the formulas of its
/// receivers; it is kept so that an answer can say why.
#[derive(Clone, Debug, PartialEq)]
pub struct Allocation {
    /// The shared point.
    pub point: PointId,
    /// First day.
    pub from: NaiveDate,
    /// First day after; `None` is open.
    pub to: Option<NaiveDate>,
    /// By what.
    pub by: AllocationKey,
    /// The receiving points and, for [`AllocationKey::Share`], their shares in millionths.
    pub receivers: Vec<(PointId, Option<i64>)>,
    /// The point of what nobody receives.
    pub rest: PointId,
}

/// By what a shared point is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocationKey {
    /// By written shares; what they leave is the rest.
    Share,
    /// By floor area of the receivers' buildings.
    FloorArea,
    /// By energy users of the receivers' buildings.
    EnergyUsers,
}

/// A meter 表计: a device that serves a point from one date to another.
#[derive(Clone, Debug)]
pub struct Meter {
    /// Id.
    pub id: MeterId,
    /// Which point it serves.
    pub point: PointId,
    /// By which gateway it is reached.
    pub gateway: GatewayId,
    /// Its model.
    pub profile: ProfileId,
    /// Where the gateway finds it.
    pub address: MeterAddress,
    /// Product of CT and PT ratios for secondary-side registers at the start of service; 1 otherwise.
    pub ratio: u32,
    /// Later ratios and their first days, ascending: transformers were exchanged.
    pub ratio_changes: Vec<(NaiveDate, u32)>,
    /// What its counters can show and how fast they can rise, in units of the quantity, before
    /// ratios: the profile's own, with what the meter's row overrides.
    pub counters: BTreeMap<Quantity, CounterLimits>,
    /// First local day of service.
    pub from: NaiveDate,
    /// First day after its service; `None` is open.
    pub to: Option<NaiveDate>,
    /// How often it is asked, or expected to speak.
    pub interval: Duration,
}

/// What a counter can show, in units of its quantity, before ratios.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CounterLimits {
    /// The smallest step that it shows; 0 where unknown.
    pub resolution: f64,
    /// Where it begins again at zero; `None` where it never does, or it is unknown.
    pub modulus: Option<f64>,
    /// The most that it can rise in an hour by the meter's rating; `None` where unknown: then no
    /// rise is implausible and no rollover is certain.
    pub rise_max_per_h: Option<f64>,
}

impl Meter {
    /// The ratio of `date`.
    pub fn ratio_on(&self, date: NaiveDate) -> u32 {
        self.ratio_changes
            .iter()
            .rev()
            .find(|(from, _)| *from <= date)
            .map_or(self.ratio, |(_, ratio)| *ratio)
    }
}

/// Where a gateway finds a meter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MeterAddress {
    /// Modbus unit id.
    Modbus {
        /// 1 to 247, or 255 for the gateway itself.
        unit_id: u8,
    },
    /// The name by which messages call the meter: the topic part `{meter}` or the payload's own.
    Mqtt {
        /// The device's name.
        device: String,
    },
}

/// A gateway: how meters are reached.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Id.
    pub id: GatewayId,
    /// How.
    pub kind: GatewayKind,
}

/// The ways.
#[derive(Clone, Debug)]
pub enum GatewayKind {
    /// Modbus TCP, many unit ids behind one address.
    ModbusTcp(ModbusTcp),
    /// A broker subscription.
    Mqtt(Mqtt),
}

/// Modbus TCP.
#[derive(Clone, Debug)]
pub struct ModbusTcp {
    /// Host name or address.
    pub host: String,
    /// Port, 502 by default.
    pub port: u16,
    /// Time for one answer.
    pub timeout: Duration,
    /// What one request costs beside its registers, in registers: a smaller gap is read through.
    pub gap_registers_max: u16,
}

/// A broker subscription.
#[derive(Clone, Debug)]
pub struct Mqtt {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Protocol version.
    pub version: MqttVersion,
    /// Fixed client id: the session hangs on it.
    pub client_id: String,
    /// User name and password.
    pub credentials: Option<(String, Secret)>,
    /// TLS files; `None` speaks plain.
    pub tls: Option<TlsFiles>,
    /// The largest packet accepted.
    pub packet_bytes_max: u32,
    /// Messages in flight; MQTT 5's receive maximum.
    pub inflight_max: u16,
    /// How long the broker keeps the session (MQTT 5).
    pub session_expiry: Duration,
    /// What to subscribe to.
    pub subscriptions: Vec<Subscription>,
}

/// Protocol versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MqttVersion {
    /// 3.1.1
    V311,
    /// 5
    V5,
}

/// One topic pattern. `{name}` stands for one level: `steward/v1/{site}/{gateway}/{meter}/telemetry`.
/// `{meter}` is the device's name unless the payload names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The pattern as written.
    pub pattern: String,
    /// JSON pointer of the device's name, where the topic does not hold it.
    pub device_pointer: Option<String>,
}

impl Subscription {
    /// The topic filter for the broker: named levels become `+`.
    pub fn filter(&self) -> String {
        let levels: Vec<&str> = self
            .pattern
            .split('/')
            .map(|level| if level.starts_with('{') { "+" } else { level })
            .collect();
        levels.join("/")
    }
}

/// PEM files of a TLS connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authority that signed the broker's certificate.
    pub ca: PathBuf,
    /// Client certificate and key.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// Everything by id. References are checked: every id that is named exists.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    /// Institutions.
    pub institutions: BTreeMap<InstitutionId, Institution>,
    /// Buildings.
    pub buildings: BTreeMap<BuildingId, Building>,
    /// Points.
    pub points: BTreeMap<PointId, Point>,
    /// Meters.
    pub meters: BTreeMap<MeterId, Meter>,
    /// Gateways.
    pub gateways: BTreeMap<GatewayId, Gateway>,
    /// How shared points are divided.
    pub allocations: Vec<Allocation>,
}

impl Registry {
    /// The building of a point.
    pub fn building_of(&self, point: &Point) -> Option<&Building> {
        self.buildings.get(&point.building)
    }

    /// The institution of a point.
    pub fn institution_of(&self, point: &Point) -> Option<&Institution> {
        self.building_of(point)
            .and_then(|building| self.institutions.get(&building.institution))
    }

    /// The zone of a point.
    pub fn zone_of(&self, point: &Point) -> Option<Tz> {
        self.building_of(point).map(|building| building.zone)
    }

    /// The meters that a point reads, in the order of their service: its own, or those of the point
    /// that it is metered by.
    pub fn meters_of(&self, point: &PointId) -> Vec<&Meter> {
        let owner = self
            .points
            .get(point)
            .and_then(|one| one.metered_by.as_ref());
        let point = owner.unwrap_or(point);
        let mut meters: Vec<&Meter> = self
            .meters
            .values()
            .filter(|meter| &meter.point == point)
            .collect();
        meters.sort_by_key(|meter| (meter.from, meter.id.clone()));
        meters
    }

    /// The children of a point.
    pub fn children_of<'a>(&'a self, point: &'a PointId) -> impl Iterator<Item = &'a Point> {
        self.points
            .values()
            .filter(move |child| child.parent.as_ref() == Some(point))
    }
}
