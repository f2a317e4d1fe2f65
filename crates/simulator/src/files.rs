//! The demo's world as a site's folder: the same files that a person would write.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use chrono::{Datelike, NaiveDate};
use steward_model::Commodity;

use crate::site::{Institution, SimMeter, Way};
use crate::world::{World, approximate};
use crate::{modbus, mqtt};

/// What the files say beside the world itself.
#[derive(Clone, Debug)]
pub struct FileOptions {
    /// First day of service of every meter.
    pub from: NaiveDate,
    /// The last day that needs a budget's year.
    pub today: NaiveDate,
    /// Port of the broker on loopback.
    pub broker_port: u16,
    /// Port of each Modbus gateway, in the order of [`modbus::gateways`].
    pub modbus_ports: Vec<u16>,
    /// Where the api listens.
    pub api_port: u16,
    /// Seconds between two readings of a meter.
    pub interval_s: u32,
    /// Where to publish, and the `${NAME}` that holds the token.
    pub influx: Option<(String, String)>,
}

/// The site's id in files and topics.
pub const SITE: &str = "demo";

/// Writes `steward.toml`, `registry.toml` and `budgets.csv` into `folder`.
///
/// # Errors
/// Whatever the file system answers.
pub fn write(folder: &Path, world: &World, options: &FileOptions) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("steward.toml"), settings(options))?;
    std::fs::write(folder.join("registry.toml"), registry(world, options))?;
    std::fs::write(folder.join("budgets.csv"), budgets(world, options))
}

fn settings(options: &FileOptions) -> String {
    let influx = options
        .influx
        .as_ref()
        .map_or_else(String::new, |(url, token)| {
            format!("\n[influx]\nurl = {url:?}\norg = \"steward\"\ntoken = {token:?}\n")
        });
    format!(
        "# Written by `steward demo` at every start. A site of your own is a folder like this one.\n\
         [site]\n\
         id = \"{SITE}\"\n\
         name_zh = \"海州市机关事务管理中心（演示）\"\n\
         name_en = \"Haizhou Government Affairs Centre (demo)\"\n\
         data_dir = \".\"\n\
         zone = \"Asia/Shanghai\"\n\n\
         [api]\n\
         listen = \"127.0.0.1:{}\"\n\
         open_on_loopback = true\n\n\
         [carbon]\n\
         coal_basis = \"calorific\"\n\
         gas_coal_series = \"gas-field\"\n{influx}",
        options.api_port
    )
}

fn registry(world: &World, options: &FileOptions) -> String {
    let site = world.site();
    let from = options.from;
    let mut text = String::from("# Written by `steward demo`.\n");
    // Writing to a String cannot fail; the results are dropped for that reason.
    for institution in &site.institutions {
        let area: u32 = site
            .buildings
            .iter()
            .filter(|building| building.institution == institution.id)
            .map(|building| building.floor_area_m2)
            .sum();
        let _ = write!(
            text,
            "\n[[institution]]\nid = \"{}\"\nname_zh = \"{}\"\nname_en = \"{}\"\n\
             province = \"浙江\"\nregion = \"华东\"\nbudget_pilot = {}\n\
             extents = [{{ from = {from}, floor_area_m2 = {area}, energy_users = {} }}]\n",
            institution.id,
            institution.name_zh,
            institution.name_en,
            institution.budget_pilot,
            institution.energy_users,
        );
    }
    for building in &site.buildings {
        let _ = write!(
            text,
            "\n[[building]]\nid = \"{}\"\ninstitution = \"{}\"\nname_zh = \"{}\"\n\
             name_en = \"{}\"\n\
             extents = [{{ from = {from}, floor_area_m2 = {}, energy_users = {} }}]\n",
            building.id,
            building.institution,
            building.name_zh,
            building.name_en,
            building.floor_area_m2,
            building.floor_area_m2 / 25,
        );
    }
    for (gateway, port) in modbus::gateways(world).iter().zip(&options.modbus_ports) {
        let _ = write!(
            text,
            "\n[[gateway]]\nid = \"{gateway}\"\nkind = \"modbus_tcp\"\nhost = \"127.0.0.1\"\n\
             port = {port}\n"
        );
    }
    for gateway in mqtt::gateways(world) {
        let _ = write!(
            text,
            "\n[[gateway]]\nid = \"{gateway}\"\nkind = \"mqtt\"\nhost = \"127.0.0.1\"\n\
             port = {}\nversion = \"3.1.1\"\nsubscriptions = [\n  \
             {{ pattern = \"steward/v1/{{site}}/{gateway}/{{meter}}/telemetry\" }},\n]\n",
            options.broker_port
        );
    }
    points_and_meters(world, options, &mut text);
    accounts(world, &mut text);
    text.push_str(VIRTUAL_POINT);
    text
}

/// A figure that no meter shows: the air-conditioning of the three office buildings together.
const VIRTUAL_POINT: &str = r#"
[[virtual_point]]
id = "xzzx-hvac"
building = "xzzx-1"
commodity = "electricity"
name_zh = "行政中心空调合计"
name_en = "Administration Centre, air-conditioning of all buildings"
role = "aside"
formula = "xzzx-1-hvac + xzzx-2-hvac + xzzx-north-hvac"
"#;

/// An account of every institution for everything that it buys.
fn accounts(world: &World, text: &mut String) {
    for (number, institution) in (1..).zip(&world.site().institutions) {
        for commodity in [
            Commodity::Electricity,
            Commodity::Water,
            Commodity::NaturalGas,
            Commodity::Heat,
        ] {
            let of_institution = |meter: &&SimMeter| {
                let building = world
                    .site()
                    .buildings
                    .iter()
                    .find(|one| one.id == meter.building);
                building.is_some_and(|building| building.institution == institution.id)
            };
            let points: Vec<String> = world
                .meters()
                .iter()
                .filter(of_institution)
                .filter(|meter| meter.commodity == commodity && meter.parent.is_none())
                .map(|meter| format!("\"{}\"", meter.point))
                .collect();
            if points.is_empty() {
                continue;
            }
            let (supplier, tariff, digit) = match commodity {
                Commodity::Electricity => ("海州供电公司", "example-zj-tou-1-10kv", 1),
                Commodity::Water => ("海州水务公司", "example-water", 2),
                Commodity::NaturalGas => ("海州燃气公司", "example-gas", 3),
                _ => ("海州热力公司", "example-heat", 4),
            };
            let _ = write!(
                text,
                "\n[[account]]\nid = \"{}-{commodity}\"\ninstitution = \"{}\"\n\
                 number = \"33{digit}{number:07}\"\nsupplier = \"{supplier}\"\n\
                 commodity = \"{commodity}\"\npoints = [{}]\ntariff = \"{tariff}\"\n",
                institution.id,
                institution.id,
                points.join(", "),
            );
        }
    }
}

fn points_and_meters(world: &World, options: &FileOptions, text: &mut String) {
    for meter in world.meters() {
        let _ = write!(
            text,
            "\n[[point]]\nid = \"{}\"\nbuilding = \"{}\"\nname_zh = \"{}\"\nname_en = \"{}\"\n\
             commodity = \"{}\"\n",
            meter.point, meter.building, meter.name_zh, meter.name_en, meter.commodity,
        );
        if let Some(subitem) = meter.subitem {
            let _ = writeln!(text, "subitem = \"{subitem}\"");
        }
        if let Some(parent) = &meter.parent {
            let _ = writeln!(text, "parent = \"{parent}\"");
        }
        if meter.counts_reactive() {
            let _ = write!(
                text,
                "\n[[point]]\nid = \"{}-var\"\nbuilding = \"{}\"\nname_zh = \"{}无功\"\n\
                 name_en = \"{}, reactive\"\ncommodity = \"reactive_energy\"\n\
                 metered_by = \"{}\"\n",
                meter.point, meter.building, meter.name_zh, meter.name_en, meter.point,
            );
        }
        let address = match &meter.way {
            Way::Modbus { unit_id } => format!("unit_id = {unit_id}"),
            Way::Mqtt { device } => format!("device = \"{device}\""),
        };
        let _ = write!(
            text,
            "\n[[meter]]\nid = \"{}\"\npoint = \"{}\"\ngateway = \"{}\"\nprofile = \"{}\"\n\
             {address}\nfrom = {}\ninterval_s = {}\nrise_max_per_h = {}\n",
            meter.id,
            meter.point,
            meter.gateway,
            meter.profile,
            options.from,
            options.interval_s,
            (meter.load.rating_per_h() / approximate(meter.commodity.base_per_unit()) * 1_000.0)
                .ceil()
                / 1_000.0,
        );
        if matches!(meter.way, Way::Mqtt { .. }) {
            // What these meters show steps by ten base units.
            let step = 10.0 / approximate(meter.commodity.base_per_unit());
            let _ = writeln!(text, "resolution = {step}");
        }
        if let Some((short, modulus)) = &world.story().short_register
            && short == &meter.id
        {
            let modulus = modulus / meter.commodity.base_per_unit();
            let _ = writeln!(text, "modulus = {modulus}");
        }
    }
}

/// What an institution plans: its own need, a little more or less, so that all colours appear.
fn ambition(institution: &Institution) -> f64 {
    match institution.id.as_str() {
        "rmyy" => 0.97,
        "tsg" => 0.91,
        "hybwg" => 1.08,
        _ => 1.03,
    }
}

fn budgets(world: &World, options: &FileOptions) -> String {
    let mut text = String::from(
        "institution,year,metric,annual,jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec\n",
    );
    for institution in &world.site().institutions {
        for year in options.from.year()..=options.today.year() {
            let kwh: Vec<f64> = (1..=12)
                .map(|month| month_kwh(world, institution, year, month) * ambition(institution))
                .collect();
            let mut line = |metric: &str, per_kwh: f64, digits: usize| {
                let cells: Vec<String> = kwh
                    .iter()
                    .map(|kwh| format!("{:.digits$}", kwh * per_kwh))
                    .collect();
                let _ = writeln!(
                    text,
                    "{},{year},{metric},,{}",
                    institution.id,
                    cells.join(",")
                );
            };
            line("electricity_kwh", 1.0, 0);
            if institution.budget_pilot {
                line("cost_yuan", 0.72, 2);
                line("carbon_tco2", 0.000_53, 2);
            }
        }
    }
    text
}

fn month_kwh(world: &World, institution: &Institution, year: i32, month: u32) -> f64 {
    // The world begins some day; months before it are planned like the same month a year later.
    let year = if year == world_year(world) {
        year + 1
    } else {
        year
    };
    let first = |year, month| {
        NaiveDate::from_ymd_opt(year, month, 1).map_or(0, |date| {
            date.and_time(chrono::NaiveTime::MIN)
                .and_utc()
                .timestamp_millis()
        }) - 8 * 3_600_000
    };
    let (from, to) = (
        first(year, month),
        if month == 12 {
            first(year + 1, 1)
        } else {
            first(year, month + 1)
        },
    );
    let buildings: Vec<_> = world
        .site()
        .buildings
        .iter()
        .filter(|building| building.institution == institution.id)
        .map(|building| &building.id)
        .collect();
    let drawn: i64 = world
        .meters()
        .iter()
        .enumerate()
        .filter(|(_, meter)| {
            meter.commodity == Commodity::Electricity
                && meter.parent.is_none()
                && buildings.contains(&&meter.building)
        })
        .map(|(number, _)| world.register(number, to) - world.register(number, from))
        .sum();
    approximate(drawn) / 1_000.0
}

fn world_year(world: &World) -> i32 {
    crate::world::local_date(world.start_ms()).year()
}
