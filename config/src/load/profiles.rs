//! `profiles/*.toml`: meter models.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono::format::{Item as FormatItem, StrftimeItems};
use chrono_tz::Tz;
use steward_model::{ProfileId, Quantity, Unit, UnitError};

use super::{Site, counters, golden};
use crate::error::{At, ConfigErrors, Located, Log, Problem};
use crate::fields::Fields;
use crate::parse;
use crate::profile::{
    ModbusProfile, MqttProfile, PayloadSpec, Profile, ProfileBody, RatioSide, RegisterSpec,
    RegisterType, TimestampFormat, TimestampSpec, WordOrder,
};
use crate::registry::CounterLimits;
use crate::shipped;
use crate::tree::{Document, Value, parse_toml};

type Counters = BTreeMap<Quantity, CounterLimits>;

/// How far a number can be trusted; `own` is a layout that we define ourselves.
pub(crate) const CONFIDENCE: [(&str, char); 6] = [
    ("A", 'A'),
    ("B", 'B'),
    ("C", 'C'),
    ("D", 'D'),
    ("U", 'U'),
    ("own", 'O'),
];

/// Reads one profile. `zone` is that of timestamps without one.
pub fn parse_profile(id: &ProfileId, text: &str, zone: Tz) -> Result<Profile, ConfigErrors> {
    let log = Log::default();
    let profile = read_text(id, format!("profiles/{id}.toml"), text, zone, &log);
    log.settle(profile)
}

/// Every shipped profile.
pub fn shipped_profiles(zone: Tz) -> Result<BTreeMap<ProfileId, Profile>, ConfigErrors> {
    let log = Log::default();
    let profiles = read_shipped(zone, &log);
    log.settle(Some(profiles))
}

fn read_shipped(zone: Tz, log: &Log) -> BTreeMap<ProfileId, Profile> {
    let mut profiles = BTreeMap::new();
    for (name, text) in shipped::PROFILES {
        let id = ProfileId::new(name).expect("a test checks the names of the shipped profiles");
        let file = format!("(shipped) profiles/{name}.toml");
        if let Some(profile) = read_text(&id, file, text, zone, log) {
            profiles.insert(id, profile);
        }
    }
    profiles
}

/// Shipped profiles and those of the site, which replace shipped ones of the same id.
pub(super) fn collect(site: Site<'_>, zone: Tz) -> BTreeMap<ProfileId, Profile> {
    let mut profiles = read_shipped(zone, site.log);
    for file in site.toml_files("profiles") {
        let name = file
            .trim_start_matches("profiles/")
            .trim_end_matches(".toml");
        let Ok(id) = ProfileId::new(name) else {
            let problem = Problem::new("the file's name is no id")
                .allowed("1 to 64 of a-z, 0-9, `-`, `_` and `.`, then .toml");
            site.log.report_unread(&At::file(file.as_str()), problem);
            continue;
        };
        let Some(text) = site.text(&file) else {
            continue;
        };
        match read_text(&id, file, &text, zone, site.log) {
            Some(profile) => {
                profiles.insert(id, profile);
            }
            // Its meters are not judged by the shipped profile of that name.
            None => site.log.mark_unread(),
        }
    }
    profiles
}

fn read_text(id: &ProfileId, file: String, text: &str, zone: Tz, log: &Log) -> Option<Profile> {
    let document = parse_toml(Rc::from(file), text, None, log)?;
    read(id, &document, zone, log)
}

#[derive(Clone, Copy)]
enum Protocol {
    Modbus,
    Mqtt,
}

fn read(id: &ProfileId, document: &Document, zone: Tz, log: &Log) -> Option<Profile> {
    let top = Fields::document(document, log);
    let maker = top.need("maker", parse::text);
    let model = top.need("model", parse::text);
    let source = top.need("source", parse::text);
    let confidence = top.need("confidence", parse::one_of(&CONFIDENCE));
    let caveats = top.or("caveats", Vec::new(), parse::list(parse::text));
    let sides = [
        ("primary", RatioSide::Primary),
        ("secondary", RatioSide::Secondary),
    ];
    let side = top.or("ratio_side", RatioSide::Primary, parse::one_of(&sides));
    let protocols = [("modbus", Protocol::Modbus), ("mqtt", Protocol::Mqtt)];
    // Without its protocol nobody can say which keys a profile may have.
    let protocol = top.need("protocol", parse::one_of(&protocols))?;
    if !top.has("quantity") {
        top.missing(
            "quantity",
            Some("a profile has [[quantity]] tables".to_owned()),
        );
    }
    let mut counters = BTreeMap::new();
    let body = match protocol.value {
        Protocol::Modbus => modbus(&top, &mut counters).map(ProfileBody::Modbus),
        Protocol::Mqtt => mqtt(&top, zone, &mut counters).map(ProfileBody::Mqtt),
    };
    let goldens = top.tables("golden");
    let golden = goldens
        .iter()
        .filter_map(|table| golden::read(table, body.as_ref()))
        .collect();
    top.finish();
    Some(Profile {
        id: id.clone(),
        maker: maker?.value,
        model: model?.value,
        source: source?.value,
        confidence: confidence?.value,
        caveats,
        side,
        counters,
        body: body?,
        golden,
    })
}

fn quantity(value: &Value) -> Result<Quantity, Problem> {
    let name = parse::text(value)?;
    name.parse().map_err(|_| {
        let names = || Quantity::ALL.iter().map(|quantity| quantity.id());
        Problem::new("is no quantity")
            .allowed(names().collect::<Vec<_>>().join(", "))
            .nearest(&name, names())
    })
}

/// The factor from the written unit to the quantity's own.
fn unit(quantity: Quantity) -> impl Fn(&Value) -> Result<f64, Problem> {
    move |value| {
        let symbol = parse::text(value)?;
        let factor = Unit::parse(&symbol).and_then(|unit| unit.factor_to(quantity));
        factor.map_err(|error| match error {
            UnitError::Unknown(_) => Problem::new("is no unit we know")
                .allowed(Unit::symbols().collect::<Vec<_>>().join(", "))
                .nearest(&symbol, Unit::symbols()),
            UnitError::Mismatch { expected, .. } => Problem::new(format!(
                "does not measure {quantity}, whose unit is {expected}"
            )),
        })
    }
}

/// A multiplier: finite and not zero.
fn scale(value: &Value) -> Result<f64, Problem> {
    parse::number(f64::MIN..=f64::MAX)(value).and_then(|scale| {
        if scale == 0.0 {
            Err(Problem::new("must not be 0"))
        } else {
            Ok(scale)
        }
    })
}

/// Name and unit of a `[[quantity]]`.
fn quantity_and_unit(fields: &Fields<'_>) -> Option<(Located<Quantity>, f64)> {
    let quantity = fields.need("name", quantity);
    if !fields.has("unit") {
        fields.missing("unit", None);
    }
    let quantity = quantity?;
    let factor = fields.read("unit", unit(quantity.value))?;
    Some((quantity, factor.value))
}

/// Reports a quantity that stands in a profile twice.
fn once(log: &Log, seen: &mut BTreeSet<Quantity>, quantity: &Located<Quantity>) {
    if !seen.insert(quantity.value) {
        log.report(&quantity.at, Problem::new("stands in this profile twice"));
    }
}

fn modbus(top: &Fields<'_>, counters: &mut Counters) -> Option<ModbusProfile> {
    let function = top.need("function", parse::integer(1..=4));
    let order = top.or("order", WordOrder::Abcd, parse::one_of(&WordOrder::ALL));
    let function = function?.value;
    let mut seen = BTreeSet::new();
    let mut registers = Vec::new();
    for table in top.tables("quantity") {
        if let Some(register) = register(&table, function, order, &mut seen, counters) {
            registers.extend(within_reach(&table, register));
        }
    }
    let probe = top
        .table_if_any("probe")
        .and_then(|table| probe(&table, &registers));
    Some(ModbusProfile { registers, probe })
}

fn register(
    fields: &Fields<'_>,
    function: u8,
    order: WordOrder,
    seen: &mut BTreeSet<Quantity>,
    counters: &mut Counters,
) -> Option<RegisterSpec> {
    let named = quantity_and_unit(fields);
    let address = fields.need("address", parse::integer(0..=65_535));
    let kind = fields.need("type", parse::one_of(&RegisterType::ALL));
    let spec = (
        fields.or("function", function, parse::integer(1..=4)),
        fields.or("order", order, parse::one_of(&WordOrder::ALL)),
        fields.or("scale", 1.0, scale),
        fields.or("offset", 0.0, parse::number(f64::MIN..=f64::MAX)),
    );
    let is_whole = kind.as_ref().is_some_and(|kind| kind.value.is_whole());
    let known = named.as_ref().map(|(one, factor)| (one.value, *factor));
    counters.extend(counters::of_quantity(
        fields,
        known,
        is_whole.then_some(spec.2),
    ));
    fields.finish();
    let (quantity, factor) = named?;
    once(fields.log(), seen, &quantity);
    let (function, order, scale, offset) = spec;
    Some(RegisterSpec {
        quantity: quantity.value,
        function,
        address: address?.value,
        kind: kind?.value,
        order,
        scale,
        offset,
        factor,
    })
}

fn within_reach(fields: &Fields<'_>, spec: RegisterSpec) -> Option<RegisterSpec> {
    if (spec.kind == RegisterType::Bit) != (spec.function <= 2) {
        let problem = Problem::new("does not fit the function")
            .hint("functions 1 and 2 read bits, 3 and 4 read registers");
        fields.log().report(&fields.at_of("type"), problem);
        return None;
    }
    if spec.address.checked_add(spec.kind.words() - 1).is_none() {
        let problem = Problem::new("reaches beyond the last register, 65535");
        fields.log().report(&fields.at_of("address"), problem);
        return None;
    }
    Some(spec)
}

fn probe(fields: &Fields<'_>, registers: &[RegisterSpec]) -> Option<(RegisterSpec, f64, f64)> {
    let quantity = fields.need("quantity", quantity);
    let any = parse::number(f64::MIN..=f64::MAX);
    let expect = fields.need("expect", |value| {
        match parse::list(&any)(value)?.as_slice() {
            [low, high] if low < high => Ok((*low, *high)),
            _ => Err(Problem::new("must be two numbers, the lower first")),
        }
    });
    fields.finish();
    let (quantity, expect) = (quantity?, expect?);
    let spec = registers
        .iter()
        .find(|register| register.quantity == quantity.value);
    if spec.is_none() {
        let problem = Problem::new("is no quantity of this profile");
        fields.log().report(&quantity.at, problem);
    }
    Some((spec?.clone(), expect.value.0, expect.value.1))
}

fn mqtt(top: &Fields<'_>, zone: Tz, counters: &mut Counters) -> Option<MqttProfile> {
    let timestamp = top
        .table_if_any("timestamp")
        .map(|table| timestamp(&table, zone));
    let boot_pointer = top.read("boot_pointer", parse::json_pointer);
    let seq_pointer = top.read("seq_pointer", parse::json_pointer);
    let mut seen = BTreeSet::new();
    let mut quantities = Vec::new();
    for table in top.tables("quantity") {
        let named = quantity_and_unit(&table);
        let pointer = table.need("pointer", parse::json_pointer);
        let scale = table.or("scale", 1.0, scale);
        let optional = table.or("optional", false, parse::boolean);
        let known = named.as_ref().map(|(one, factor)| (one.value, *factor));
        counters.extend(counters::of_quantity(&table, known, None));
        table.finish();
        if let Some((quantity, factor)) = named {
            once(table.log(), &mut seen, &quantity);
            if let Some(pointer) = pointer {
                quantities.push(PayloadSpec {
                    quantity: quantity.value,
                    pointer: pointer.value,
                    scale,
                    factor,
                    optional,
                });
            }
        }
    }
    Some(MqttProfile {
        timestamp: match timestamp {
            Some(timestamp) => Some(timestamp?),
            None => None,
        },
        quantities,
        boot_pointer: boot_pointer.map(|pointer| pointer.value),
        seq_pointer: seq_pointer.map(|pointer| pointer.value),
    })
}

fn timestamp(fields: &Fields<'_>, zone: Tz) -> Option<TimestampSpec> {
    let pointer = fields.need("pointer", parse::json_pointer);
    let format = fields.need("format", timestamp_format);
    let zone = fields.or("zone", zone, parse::zone);
    fields.finish();
    Some(TimestampSpec {
        pointer: pointer?.value,
        format: format?.value,
        zone,
    })
}

fn timestamp_format(value: &Value) -> Result<TimestampFormat, Problem> {
    let text = parse::text(value)?;
    Ok(match text.as_str() {
        "unix_s" => TimestampFormat::UnixS,
        "unix_ms" => TimestampFormat::UnixMs,
        "rfc3339" => TimestampFormat::Rfc3339,
        "unix_ms_or_rfc3339" => TimestampFormat::UnixMsOrRfc3339,
        pattern => {
            let is_right = pattern.contains('%')
                && StrftimeItems::new(pattern).all(|item| item != FormatItem::Error);
            if !is_right {
                return Err(Problem::new("is no timestamp format").allowed(
                    "unix_s, unix_ms, rfc3339, unix_ms_or_rfc3339, \
                     or a pattern such as %Y-%m-%dT%H:%M:%S",
                ));
            }
            TimestampFormat::Pattern(text)
        }
    })
}
