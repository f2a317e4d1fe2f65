//! What the demo's world is made of: seven institutions of a coastal city, their buildings and
//! meters. Names are invented; loads are sized after ordinary public buildings.

use steward_model::{BuildingId, Commodity, GatewayId, InstitutionId, MeterId, PointId};

use crate::load::{Load, Use};

/// A simulated institution.
#[derive(Clone, Debug)]
pub struct Institution {
    /// Id.
    pub id: InstitutionId,
    /// Chinese name.
    pub name_zh: &'static str,
    /// English name.
    pub name_en: &'static str,
    /// Pilot of energy and carbon budgets.
    pub budget_pilot: bool,
    /// People who use energy there.
    pub energy_users: u32,
}

/// A simulated building.
#[derive(Clone, Debug)]
pub struct Building {
    /// Id.
    pub id: BuildingId,
    /// Whose it is.
    pub institution: InstitutionId,
    /// Chinese name.
    pub name_zh: &'static str,
    /// English name.
    pub name_en: &'static str,
    /// Floor area in square metres.
    pub floor_area_m2: u32,
}

/// How a meter speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Modbus TCP behind a gateway, by unit id.
    Modbus {
        /// Unit id.
        unit_id: u8,
    },
    /// MQTT, by the device's name in the topic.
    Mqtt {
        /// Device name.
        device: String,
    },
}

/// A simulated meter and the point that it serves.
#[derive(Clone, Debug)]
pub struct SimMeter {
    /// Meter id.
    pub id: MeterId,
    /// Point id.
    pub point: PointId,
    /// The point's Chinese name.
    pub name_zh: String,
    /// The point's English name.
    pub name_en: String,
    /// Its building.
    pub building: BuildingId,
    /// What is metered.
    pub commodity: Commodity,
    /// Sub-item code.
    pub subitem: Option<&'static str>,
    /// Parent point.
    pub parent: Option<PointId>,
    /// Gateway.
    pub gateway: GatewayId,
    /// Profile id.
    pub profile: &'static str,
    /// How it speaks.
    pub way: Way,
    /// What it measures.
    pub load: Load,
    /// How its building is used.
    pub usage: Use,
    /// Meters of one family share their jitter.
    pub family: u64,
}

impl SimMeter {
    /// Whether it counts reactive energy beside its own counter: the mains of a house do.
    pub fn counts_reactive(&self) -> bool {
        self.commodity == Commodity::Electricity && self.parent.is_none()
    }

    /// What a meter that counts reactive energy has counted of it, in varh, where its register of
    /// active energy stands at `register_wh`. Every house has a power factor of its own, between
    /// 0.88 and 0.97.
    pub fn reactive_varh(&self, register_wh: i64) -> i64 {
        let share_ppm = 250_000 + i64::try_from(self.family % 8).unwrap_or(0) * 40_000;
        register_wh / 1_000 * share_ppm / 1_000
    }
}

/// A site: everything there is.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Institutions.
    pub institutions: Vec<Institution>,
    /// Buildings.
    pub buildings: Vec<Building>,
    /// Meters.
    pub meters: Vec<SimMeter>,
}

/// A building of the demo in one line.
struct Plan {
    institution: (&'static str, &'static str, &'static str, bool, u32, Use),
    id: &'static str,
    name_zh: &'static str,
    name_en: &'static str,
    floor_area_m2: u32,
    /// Lighting, air-conditioning, motive, special: kW.
    kw: [f64; 4],
    water_l: f64,
    gas_l: f64,
    heat_kj: f64,
    solar_kw: f64,
    modbus: bool,
}

type Owner = (&'static str, &'static str, &'static str, bool, u32, Use);
const CENTRE: Owner = (
    "jgswzx",
    "市机关事务管理中心",
    "Government Affairs Centre",
    true,
    1_180,
    Use::Office,
);
const HOSPITAL: Owner = (
    "rmyy",
    "市人民医院",
    "People's Hospital",
    false,
    2_350,
    Use::Hospital,
);
const SCHOOL: Owner = (
    "dyzx",
    "市第一中学",
    "First Middle School",
    false,
    3_100,
    Use::School,
);
const LIBRARY: Owner = ("tsg", "市图书馆", "City Library", false, 160, Use::Public);
const MUSEUM: Owner = (
    "hybwg",
    "海洋博物馆",
    "Maritime Museum",
    false,
    120,
    Use::Public,
);
const BUREAU: Owner = (
    "zrzyj",
    "市自然资源局",
    "Natural Resources Bureau",
    false,
    310,
    Use::Office,
);
const SPORTS: Owner = (
    "tyzx",
    "市体育中心",
    "Sports Centre",
    false,
    95,
    Use::Public,
);

#[rustfmt::skip]
fn plans() -> Vec<Plan> {
    let plan = |institution, id, name_zh, name_en, floor_area_m2, kw, modbus| Plan {
        institution, id, name_zh, name_en, floor_area_m2, kw,
        water_l: f64::from(floor_area_m2) * 0.055,
        gas_l: 0.0, heat_kj: 0.0, solar_kw: 0.0, modbus,
    };
    vec![
        Plan { gas_l: 21_000.0, solar_kw: 180.0,
            ..plan(CENTRE, "xzzx-1", "行政中心1号楼", "Administration Centre 1", 28_600, [170.0, 420.0, 95.0, 120.0], true) },
        plan(CENTRE, "xzzx-2", "行政中心2号楼", "Administration Centre 2", 21_400, [130.0, 310.0, 70.0, 45.0], true),
        plan(CENTRE, "xzzx-north", "行政中心北楼", "Administration Centre North", 9_800, [60.0, 140.0, 30.0, 18.0], false),
        Plan { gas_l: 16_000.0,
            ..plan(HOSPITAL, "rmyy-mz", "门诊楼", "Outpatient Building", 34_000, [260.0, 600.0, 180.0, 240.0], true) },
        Plan { gas_l: 30_000.0, heat_kj: 420_000.0,
            ..plan(HOSPITAL, "rmyy-zy", "住院楼", "Inpatient Building", 46_000, [300.0, 720.0, 210.0, 180.0], true) },
        Plan { solar_kw: 120.0,
            ..plan(SCHOOL, "dyzx-jx", "教学楼", "Teaching Building", 18_200, [120.0, 210.0, 25.0, 20.0], false) },
        Plan { gas_l: 24_000.0,
            ..plan(SCHOOL, "dyzx-st", "食堂综合楼", "Canteen Building", 7_600, [45.0, 90.0, 20.0, 85.0], false) },
        plan(LIBRARY, "tsg-main", "图书馆主楼", "Library", 22_000, [150.0, 330.0, 60.0, 55.0], false),
        Plan { heat_kj: 260_000.0,
            ..plan(MUSEUM, "hybwg-main", "博物馆展厅楼", "Museum Halls", 16_500, [140.0, 300.0, 35.0, 30.0], false) },
        plan(BUREAU, "zrzyj-main", "办公楼", "Bureau Offices", 11_300, [75.0, 170.0, 32.0, 28.0], false),
        Plan { solar_kw: 90.0,
            ..plan(SPORTS, "tyzx-main", "体育馆", "Sports Hall", 19_800, [210.0, 380.0, 75.0, 24.0], true) },
    ]
}

impl Site {
    /// The demo's site.
    pub fn demo() -> Self {
        let mut site = Self::default();
        for (number, plan) in plans().into_iter().enumerate() {
            site.add(number, &plan);
        }
        site
    }

    fn add(&mut self, number: usize, plan: &Plan) {
        let (owner, name_zh, name_en, budget_pilot, energy_users, usage) = plan.institution;
        let institution = id(InstitutionId::new(owner));
        if self
            .institutions
            .iter()
            .all(|known| known.id != institution)
        {
            self.institutions.push(Institution {
                id: institution.clone(),
                name_zh,
                name_en,
                budget_pilot,
                energy_users,
            });
        }
        let building = id(BuildingId::new(plan.id));
        self.buildings.push(Building {
            id: building.clone(),
            institution,
            name_zh: plan.name_zh,
            name_en: plan.name_en,
            floor_area_m2: plan.floor_area_m2,
        });
        let mut rows = Rows {
            site: self,
            plan,
            building,
            usage,
            number,
            unit_id: 0,
        };
        rows.electricity();
        rows.others();
    }
}

/// Ids of the demo are written in this file and have the right form; the tests build them all.
pub(crate) fn id<T>(made: Result<T, steward_model::InvalidId>) -> T {
    made.expect("ids of the demo are well formed")
}

struct Rows<'a> {
    site: &'a mut Site,
    plan: &'a Plan,
    building: BuildingId,
    usage: Use,
    number: usize,
    unit_id: u8,
}

impl Rows<'_> {
    fn electricity(&mut self) {
        let [light, hvac, motive, special] = self.plan.kw;
        let children = vec![
            Load::Lighting(light),
            Load::Hvac(hvac),
            Load::Motive(motive),
            Load::Special(special),
        ];
        let total = Load::Total(children.clone(), 0.028);
        let main = self.meter(
            ("main", "总电", "main"),
            Commodity::Electricity,
            None,
            None,
            total,
        );
        let items = [
            ("light", "照明插座", "lighting and sockets", "01A00"),
            ("hvac", "空调", "air-conditioning", "01B00"),
            ("motive", "动力", "motive power", "01C00"),
            ("special", "特殊", "special use", "01D00"),
        ];
        for ((suffix, zh, en, code), load) in items.into_iter().zip(children) {
            let parent = Some(main.clone());
            self.meter(
                (suffix, zh, en),
                Commodity::Electricity,
                Some(code),
                parent,
                load,
            );
        }
    }

    fn others(&mut self) {
        let plan = self.plan;
        let water = Load::Water(plan.water_l);
        self.meter(
            ("water", "总水", "water"),
            Commodity::Water,
            None,
            None,
            water,
        );
        if plan.gas_l > 0.0 {
            let load = Load::Gas(plan.gas_l);
            self.meter(
                ("gas", "天然气", "natural gas"),
                Commodity::NaturalGas,
                None,
                None,
                load,
            );
        }
        if plan.heat_kj > 0.0 {
            let load = Load::Heat(plan.heat_kj);
            self.meter(("heat", "热力", "heat"), Commodity::Heat, None, None, load);
        }
        if plan.solar_kw > 0.0 {
            let load = Load::Solar(plan.solar_kw);
            let commodity = Commodity::SolarGeneration;
            self.meter(
                ("solar", "屋顶光伏", "rooftop solar"),
                commodity,
                None,
                None,
                load,
            );
        }
    }

    fn meter(
        &mut self,
        (suffix, zh, en): (&str, &str, &str),
        commodity: Commodity,
        subitem: Option<&'static str>,
        parent: Option<PointId>,
        load: Load,
    ) -> PointId {
        self.unit_id += 1;
        let point = id(PointId::new(format!("{}-{suffix}", self.plan.id)));
        let meter = id(MeterId::new(format!("m-{}-{suffix}", self.plan.id)));
        let (gateway, way) = if self.plan.modbus {
            // Buildings of one institution share a gateway: several unit ids behind one address.
            let offset = u8::try_from(self.number).unwrap_or(0) * 10;
            (
                format!("gw-{}", self.plan.institution.0),
                Way::Modbus {
                    unit_id: offset + self.unit_id,
                },
            )
        } else {
            let device = meter.as_str().trim_start_matches("m-").to_owned();
            (
                format!("dtu-{}", self.plan.institution.0),
                Way::Mqtt { device },
            )
        };
        let is_main = parent.is_none();
        self.site.meters.push(SimMeter {
            id: meter,
            point: point.clone(),
            name_zh: format!("{}{zh}", self.plan.name_zh),
            name_en: format!("{} {en}", self.plan.name_en),
            building: self.building.clone(),
            commodity,
            subitem,
            parent,
            gateway: id(GatewayId::new(gateway)),
            profile: profile(commodity, &way, self.number, is_main),
            way,
            load,
            usage: self.usage,
            family: u64::try_from(self.number).unwrap_or(0) + 1,
        });
        point
    }
}

/// Several makers, as in life.
fn profile(commodity: Commodity, way: &Way, number: usize, is_main: bool) -> &'static str {
    match (commodity, way) {
        // Its reactive registers are known to us.
        (Commodity::Electricity, Way::Modbus { .. }) if is_main => "eastron-sdm630-reactive",
        (Commodity::Water | Commodity::NaturalGas, Way::Modbus { .. }) => "generic-volume-u32",
        (Commodity::Heat, Way::Modbus { .. }) => "generic-heat-u32",
        (_, Way::Modbus { unit_id }) => match (usize::from(*unit_id) + number) % 3 {
            0 => "eastron-sdm630",
            1 => "schneider-iem3000",
            _ => "chint-dtsu666",
        },
        (Commodity::Water | Commodity::NaturalGas, Way::Mqtt { .. }) => "steward-json-volume",
        (Commodity::Heat, Way::Mqtt { .. }) => "steward-json-heat",
        (Commodity::SolarGeneration, Way::Mqtt { .. }) => "steward-json-solar",
        (_, Way::Mqtt { .. }) => "steward-json",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_as_large_as_promised() {
        let site = Site::demo();
        assert!(site.institutions.len() >= 6, "{}", site.institutions.len());
        assert!(site.buildings.len() >= 10, "{}", site.buildings.len());
        assert!(site.meters.len() >= 60, "{}", site.meters.len());
        let modbus = site
            .meters
            .iter()
            .filter(|m| matches!(m.way, Way::Modbus { .. }))
            .count();
        assert!(
            (25..=40).contains(&modbus),
            "{modbus} of {}",
            site.meters.len()
        );
        let pilot: Vec<&str> = site
            .buildings
            .iter()
            .filter(|b| {
                site.institutions
                    .iter()
                    .any(|i| i.id == b.institution && i.budget_pilot)
            })
            .map(|b| b.name_zh)
            .collect();
        assert_eq!(pilot, ["行政中心1号楼", "行政中心2号楼", "行政中心北楼"]);
    }
}
