//! `[[gateway]]`: Modbus TCP and MQTT.

use std::time::Duration;

use steward_model::GatewayId;

use super::settings::Basics;
use super::{Site, secrets};
use crate::error::{Located, Problem};
use crate::fields::Fields;
use crate::parse;
use crate::registry::{Gateway, GatewayKind, ModbusTcp, Mqtt, MqttVersion, Subscription, TlsFiles};
use crate::tree::Value;

/// A request reads at most 125 registers, so a gap of 124 between two can still be read through.
const GAP_REGISTERS: u16 = 124;
const PACKET_BYTES: u32 = 256 << 10;
/// With 25 ms a commit this allows 40,000 messages a second; the broker's own limit must agree.
const INFLIGHT: u16 = 1_000;
/// Longer than the longest outage that we are ready for.
const SESSION_EXPIRY_H: u64 = 7 * 24;

/// A gateway, and the place of its MQTT client id.
pub(super) struct RawGateway {
    pub(super) gateway: Located<Gateway>,
    pub(super) client_id: Option<Located<String>>,
}

#[derive(Clone, Copy)]
enum Way {
    ModbusTcp,
    Mqtt,
}

pub(super) fn read(site: Site<'_>, basics: &Basics, fields: &Fields<'_>) -> Option<RawGateway> {
    let id = fields.need("id", parse::id(|text| GatewayId::new(text).ok()));
    let words = [("modbus_tcp", Way::ModbusTcp), ("mqtt", Way::Mqtt)];
    // Without its kind nobody can say which keys a gateway may have.
    let way = fields.need("kind", parse::one_of(&words))?;
    let (kind, client_id) = match way.value {
        Way::ModbusTcp => (modbus_tcp(fields).map(GatewayKind::ModbusTcp), None),
        Way::Mqtt => {
            let fallback = id.as_ref().map_or("", |id| id.value.as_str());
            let fallback = format!("steward-{}-{fallback}", basics.site);
            let mqtt = mqtt(site, fields, fallback);
            let at = fields.at_of("client_id");
            let client_id = mqtt.as_ref().map(|mqtt| Located {
                value: mqtt.client_id.clone(),
                at,
            });
            (mqtt.map(GatewayKind::Mqtt), client_id)
        }
    };
    fields.finish();
    let id = id?;
    Some(RawGateway {
        gateway: Located {
            at: id.at,
            value: Gateway {
                id: id.value,
                kind: kind?,
            },
        },
        client_id,
    })
}

/// A host name or an address, without port or scheme.
fn host(value: &Value) -> Result<String, Problem> {
    let text = parse::text(value)?;
    let is_address = text.parse::<std::net::IpAddr>().is_ok();
    let is_name = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if is_address || is_name {
        Ok(text)
    } else {
        Err(Problem::new("is no host name or address")
            .hint("without scheme and port: the port has a key of its own"))
    }
}

fn modbus_tcp(fields: &Fields<'_>) -> Option<ModbusTcp> {
    let host = fields.need("host", host);
    let port = fields.or("port", 502, parse::integer(1..=65_535));
    let timeout_ms = fields.or("timeout_ms", 1_000, parse::integer(10..=60_000));
    let gap = parse::integer(0..=124);
    let gap_registers_max = fields.or("gap_registers_max", GAP_REGISTERS, gap);
    Some(ModbusTcp {
        host: host?.value,
        port,
        timeout: Duration::from_millis(timeout_ms),
        gap_registers_max,
    })
}

fn mqtt(site: Site<'_>, fields: &Fields<'_>, client_id: String) -> Option<Mqtt> {
    let host = fields.need("host", host);
    let tls_table = fields.table_if_any("tls");
    let has_tls = tls_table.is_some();
    let tls = tls_table.and_then(|table| tls(site, &table));
    let port = if has_tls { 8_883 } else { 1_883 };
    let versions = [("5", MqttVersion::V5), ("3.1.1", MqttVersion::V311)];
    let session_expiry_h = parse::integer(1..=8_760);
    let session_expiry_h = fields.or("session_expiry_h", SESSION_EXPIRY_H, session_expiry_h);
    let mqtt = (
        fields.or("port", port, parse::integer(1..=65_535)),
        fields.or("version", MqttVersion::V5, parse::one_of(&versions)),
        fields.or("client_id", client_id, client_id_text),
        fields.or(
            "packet_bytes_max",
            PACKET_BYTES,
            parse::integer(1_024..=268_435_455),
        ),
        fields.or("inflight_max", INFLIGHT, parse::integer(1..=65_535)),
    );
    let (port, version, client_id, packet_bytes_max, inflight_max) = mqtt;
    let credentials = credentials(site, fields);
    if !fields.has("subscriptions") {
        fields.missing("subscriptions", None);
    }
    let tables = fields.tables("subscriptions");
    if tables.is_empty() && fields.has("subscriptions") {
        let problem = Problem::new("must name at least one topic pattern");
        site.log.report(&fields.at_of("subscriptions"), problem);
    }
    let subscriptions = tables.iter().filter_map(|table| subscription(site, table));
    let subscriptions: Vec<Subscription> = subscriptions.collect();
    Some(Mqtt {
        host: host?.value,
        port,
        version,
        client_id,
        credentials,
        tls,
        packet_bytes_max,
        inflight_max,
        session_expiry: Duration::from_secs(session_expiry_h * 3_600),
        subscriptions,
    })
}

/// A client id that every broker takes: 1 to 128 printable characters without spaces.
fn client_id_text(value: &Value) -> Result<String, Problem> {
    let text = parse::text(value)?;
    if text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text)
    } else {
        Err(Problem::new("is no client id").allowed("1 to 128 letters, digits and signs"))
    }
}

fn credentials(site: Site<'_>, fields: &Fields<'_>) -> Option<(String, crate::Secret)> {
    let username = fields.read("username", parse::text);
    let password = secrets::secret(site, fields, "password", "password_file");
    let has_password = fields.has("password") || fields.has("password_file");
    match (fields.has("username"), has_password) {
        (true, false) => {
            let hint = "or name a password_file".to_owned();
            fields.missing("password", Some(hint));
        }
        (false, true) => fields.missing("username", None),
        _ => {}
    }
    Some((username?.value, password?))
}

fn tls(site: Site<'_>, fields: &Fields<'_>) -> Option<TlsFiles> {
    let file = |key| {
        let name = fields.read(key, parse::text)?;
        let path = site.path(&name.value);
        if path.is_file() {
            return Some(path);
        }
        let problem =
            Problem::new("there is no such file").hint("paths start at the folder of steward.toml");
        site.log.report(&name.at, problem);
        None
    };
    if !fields.has("ca") {
        fields.missing("ca", None);
    }
    let ca = file("ca");
    let (cert, key) = (file("cert"), file("key"));
    match (fields.has("cert"), fields.has("key")) {
        (true, false) => fields.missing("key", Some("cert needs its key".to_owned())),
        (false, true) => fields.missing("cert", Some("key needs its cert".to_owned())),
        _ => {}
    }
    fields.finish();
    Some(TlsFiles {
        ca: ca?,
        client: cert.zip(key),
    })
}

fn subscription(site: Site<'_>, fields: &Fields<'_>) -> Option<Subscription> {
    let pattern = fields.need("pattern", pattern);
    let device_pointer = fields.read("device_pointer", parse::json_pointer);
    if let Some(pattern) = &pattern {
        let names_meter = pattern.value.split('/').any(|level| level == "{meter}");
        if !names_meter && !fields.has("device_pointer") {
            let problem = Problem::new("does not say which meter speaks")
                .hint("write {meter} for its level, or name a device_pointer into the payload");
            site.log.report(&pattern.at, problem);
        }
    }
    fields.finish();
    Some(Subscription {
        pattern: pattern?.value,
        device_pointer: device_pointer.map(|pointer| pointer.value),
    })
}

fn pattern(value: &Value) -> Result<String, Problem> {
    let text = parse::text(value)?;
    let mut names: Vec<&str> = Vec::new();
    let levels = text.split('/').count();
    for (index, level) in text.split('/').enumerate() {
        let inside = level
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        match inside {
            Some(name) if names.contains(&name) => {
                return Err(Problem::new(format!("{{{name}}} stands here twice")));
            }
            Some(name) if is_part_name(name) => names.push(name),
            None if level == "+" || (level == "#" && index + 1 == levels) => {}
            None if !level.contains(['{', '}', '+', '#', '\0']) => {}
            _ => {
                return Err(Problem::new("is no topic pattern")
                    .allowed("levels between `/`: a text, {name}, `+`, and `#` at the end"));
            }
        }
    }
    Ok(text)
}

fn is_part_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
