//! The site folders and configurations of the two sides: ours and Telegraf's, for the same meters.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::process::Folder;
use super::servers::{BUCKET, ORG, TOKEN};

/// The load's meters, as the example `offer` names them.
pub(super) const METERS: usize = 500;

/// What a message of the load holds, and by how much the journal's unit differs from the message's.
pub(super) const QUANTITIES: [(&str, f64); 10] = [
    ("energy_import", 1_000.0),
    ("energy_export", 1_000.0),
    ("power", 1.0),
    ("voltage_l1", 1.0),
    ("voltage_l2", 1.0),
    ("voltage_l3", 1.0),
    ("current_l1", 1.0),
    ("current_l2", 1.0),
    ("current_l3", 1.0),
    ("frequency", 1.0),
];

/// The head of every `steward.toml` here.
const SITE: &str = "[site]\nid = \"bench\"\nname_zh = \"测试\"\nname_en = \"Bench\"\n\
    [api]\nopen_on_loopback = true\n[carbon]\ncoal_basis = \"calorific\"\n";

/// The head of every `registry.toml` here: one building.
const REGISTRY: &str = "[[institution]]\nid = \"i\"\nname_zh = \"机关\"\n\
    name_en = \"Office\"\nprovince = \"浙江\"\nregion = \"华东\"\n\
    extents = [{ from = 2025-01-01, floor_area_m2 = 1000, energy_users = 10 }]\n\
    [[building]]\nid = \"b\"\ninstitution = \"i\"\nname_zh = \"楼\"\nname_en = \"House\"\n\
    extents = [{ from = 2025-01-01, floor_area_m2 = 1000, energy_users = 10 }]\n";

/// A meter with a point of its own.
fn meter(id: &str, gateway: &str, profile: &str, more: &str) -> String {
    format!(
        "[[point]]\nid = \"{id}-p\"\nbuilding = \"b\"\nname_zh = \"点\"\nname_en = \"Point\"\n\
         commodity = \"electricity\"\n[[meter]]\nid = \"{id}\"\npoint = \"{id}-p\"\n\
         gateway = \"{gateway}\"\nprofile = \"{profile}\"\nfrom = 2025-01-01\n{more}\n"
    )
}

/// Our site for the load's messages.
pub(super) fn write_mqtt(folder: &Folder, broker_port: u16) -> Result<()> {
    let mut registry = format!(
        "{REGISTRY}[[gateway]]\nid = \"broker\"\nkind = \"mqtt\"\nhost = \"127.0.0.1\"\n\
         port = {broker_port}\nsubscriptions = \
         [{{ pattern = \"steward/v1/{{site}}/{{gateway}}/{{meter}}/telemetry\" }}]\n"
    );
    for number in 0..METERS {
        registry.push_str(&meter(
            &format!("m{number:03}"),
            "broker",
            "steward-json",
            "",
        ));
    }
    folder.write("steward.toml", SITE)?;
    folder.write("registry.toml", &registry)?;
    Ok(())
}

/// Our site for meters that answer Modbus TCP on these ports, once a second.
pub(super) fn write_modbus(folder: &Folder, ports: &[u64]) -> Result<()> {
    let mut registry = REGISTRY.to_owned();
    for (number, port) in ports.iter().enumerate() {
        registry.push_str(&format!(
            "[[gateway]]\nid = \"g{number:03}\"\nkind = \"modbus_tcp\"\nhost = \"127.0.0.1\"\n\
             port = {port}\n"
        ));
        registry.push_str(&meter(
            &format!("m{number:03}"),
            &format!("g{number:03}"),
            "eastron-sdm630",
            "unit_id = 1\ninterval_s = 1",
        ));
    }
    folder.write("steward.toml", SITE)?;
    folder.write("registry.toml", &registry)?;
    Ok(())
}

/// How Telegraf is set: as shipped, or tuned once for this load.
#[derive(Clone, Copy)]
pub(super) struct Tuning {
    pub(super) name: &'static str,
    pub(super) batch_size: u32,
    pub(super) buffer: u32,
    pub(super) flush: &'static str,
    pub(super) undelivered: u32,
    pub(super) qos: u8,
    pub(super) persistent: bool,
}

impl Tuning {
    /// Its defaults in everything but what keeps messages over a crash.
    pub(super) const DEFAULT: Self = Self {
        name: "Telegraf, QoS 1 and persistent session, else as shipped",
        batch_size: 1_000,
        buffer: 10_000,
        flush: "10s",
        undelivered: 1_000,
        qos: 1,
        persistent: true,
    };
    /// The best of some settings that were tried with this load.
    pub(super) const TUNED: Self = Self {
        name: "Telegraf, tuned",
        batch_size: 500,
        buffer: 50_000,
        flush: "100ms",
        undelivered: 5_000,
        ..Self::DEFAULT
    };
    /// As shipped, delivery included.
    pub(super) const SHIPPED: Self = Self {
        name: "Telegraf as shipped (QoS 0, no persistent session)",
        qos: 0,
        persistent: false,
        ..Self::DEFAULT
    };

    fn agent(&self, influx_port: u16) -> String {
        format!(
            "[agent]\ninterval = \"1s\"\nmetric_batch_size = {}\nmetric_buffer_limit = {}\n\
             flush_interval = \"{}\"\nomit_hostname = true\nskip_processors_after_aggregators = true\n\
             [[outputs.influxdb_v2]]\nurls = [\"http://127.0.0.1:{influx_port}\"]\n\
             token = \"{TOKEN}\"\norganization = \"{ORG}\"\nbucket = \"{BUCKET}\"\n",
            self.batch_size, self.buffer, self.flush
        )
    }
}

/// Telegraf's configuration for the load's messages.
pub(super) fn telegraf_mqtt(tuning: &Tuning, influx_port: u16, broker_port: u16) -> String {
    let mut config = tuning.agent(influx_port);
    config.push_str(&format!(
        "[[inputs.mqtt_consumer]]\nservers = [\"tcp://127.0.0.1:{broker_port}\"]\n\
         topics = [\"steward/v1/bench/load/+/telemetry\"]\nqos = {}\npersistent_session = {}\n\
         client_id = \"telegraf-bench\"\nmax_undelivered_messages = {}\n\
         data_format = \"json_v2\"\n[[inputs.mqtt_consumer.json_v2]]\n\
         measurement_name = \"reading\"\ntimestamp_path = \"ts\"\n\
         timestamp_format = \"unix_ms\"\n",
        tuning.qos, tuning.persistent, tuning.undelivered
    ));
    for (name, kind) in QUANTITIES
        .map(|(name, _)| (name, "float"))
        .into_iter()
        .chain([("seq", "int")])
    {
        config.push_str(&format!(
            "[[inputs.mqtt_consumer.json_v2.field]]\npath = \"{name}\"\ntype = \"{kind}\"\n"
        ));
    }
    config
}

/// What the simulated meters show: quantity, address, value in the register's unit, and by how much
/// the journal's unit differs.
pub(super) const REGISTERS: [(&str, u16, f64, f64); 11] = [
    ("voltage_l1", 0x00, 230.5, 1.0),
    ("voltage_l2", 0x02, 229.75, 1.0),
    ("voltage_l3", 0x04, 231.25, 1.0),
    ("current_l1", 0x06, 12.5, 1.0),
    ("current_l2", 0x08, 11.25, 1.0),
    ("current_l3", 0x0A, 13.0, 1.0),
    ("power", 0x34, 8_400.0, 1.0),
    ("power_factor", 0x3E, 0.9375, 1.0),
    ("frequency", 0x46, 50.0, 1.0),
    ("energy_import", 0x48, 123_456.5, 1_000.0),
    ("energy_export", 0x4A, 0.25, 1_000.0),
];

/// Telegraf's configuration for the meters: one instance a meter, as its plugin wants it.
pub(super) fn telegraf_modbus(influx_port: u16, ports: &[u64]) -> String {
    let tuning = Tuning {
        flush: "1s",
        ..Tuning::DEFAULT
    };
    let fields: Vec<String> = REGISTERS
        .iter()
        .map(|(name, address, ..)| {
            format!("{{ address = {address}, name = \"{name}\", type = \"FLOAT32\" }}")
        })
        .collect();
    let fields = fields.join(", ");
    let mut config = tuning.agent(influx_port);
    for (number, port) in ports.iter().enumerate() {
        config.push_str(&format!(
            "[[inputs.modbus]]\nname = \"m{number:03}\"\ninterval = \"1s\"\ntimeout = \"1s\"\n\
             controller = \"tcp://127.0.0.1:{port}\"\nconfiguration_type = \"request\"\n\
             [[inputs.modbus.request]]\nslave_id = 1\nbyte_order = \"ABCD\"\n\
             register = \"input\"\nmeasurement = \"reading\"\noptimization = \"max_insert\"\n\
             optimization_max_register_fill = 124\nfields = [{fields}]\n\
             [inputs.modbus.request.tags]\nmeter = \"m{number:03}\"\n"
        ));
    }
    config
}

/// A line of JSON in a program's output, by a key that it holds.
pub(super) fn line(log: &str, key: &str) -> Result<Value> {
    let found = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|value| value.get(key).is_some());
    found.with_context(|| format!("no line of the output tells `{key}`:\n{log}"))
}

/// The folder of the journal of a site.
pub(super) fn journal(site: &Path) -> std::path::PathBuf {
    site.join("data/journal")
}
