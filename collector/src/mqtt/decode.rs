//! A message becomes readings. Pure: topic and payload in, readings and refusals out.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_config::{
    Config, GatewayKind, MeterAddress, MqttProfile, PayloadSpec, ProfileBody, TimestampSpec,
};
use steward_journal::{Entry, Quarantined, Reason};
use steward_model::{
    Batch, GatewayId, MeterId, ProfileId, Reading, ReadingQuality, UtcMs, time::local_date,
};

use super::pointer::{Pointers, Scalar};
use super::topic::Pattern;
use super::{number, timestamp};

/// Before this (2015-01-01) a meter's clock was never set: the time of receipt is taken.
const CLOCK_UNSET_BEFORE: UtcMs = UtcMs(1_420_070_400_000);
/// A reading older than this is set aside where no retention is configured: ten years.
const AGE_MAX_MS: i64 = 3_653 * 86_400_000;
/// Of a message that is too large, this much is kept.
const LARGE_KEPT_BYTES: usize = 64 * 1_024;

/// What became of a message. One message can give readings and refusals at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// Whose message it is, where that could be told.
    pub meter: Option<MeterId>,
    /// What was understood.
    pub batch: Option<Batch>,
    /// What was not; each with the bytes of the whole message.
    pub quarantine: Vec<Quarantined>,
}

impl Decoded {
    /// The entry for the journal.
    pub fn into_entry(self) -> Entry {
        Entry::Mixed {
            batch: self.batch,
            quarantine: self.quarantine,
        }
    }

    /// Whether no reading carries a time of its own.
    pub(crate) fn is_undated(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| {
            let mut readings = batch.readings.iter();
            readings.all(|reading| reading.quality == ReadingQuality::ReceiveTime)
        })
    }
}

/// Decodes one message by the configuration as it is now. For many messages of one gateway make an
/// [`MqttDecoder`] once.
pub fn decode_mqtt(
    config: &Config,
    gateway: &GatewayId,
    topic: &[u8],
    payload: &[u8],
    received_at: UtcMs,
) -> Decoded {
    MqttDecoder::new(config, gateway).decode(topic, payload, received_at)
}

/// The messages of one broker subscription, ready to be decoded.
#[derive(Debug)]
pub struct MqttDecoder {
    gateway: GatewayId,
    routes: Vec<Route>,
    devices: HashMap<Box<str>, Vec<Device>>,
    future_max_ms: i64,
    age_max_ms: i64,
    payload_bytes_max: usize,
}

#[derive(Debug)]
struct Route {
    pattern: Pattern,
    device: Option<Pointers>,
}

#[derive(Debug)]
struct Device {
    meter: MeterId,
    zone: Tz,
    from: NaiveDate,
    to: Option<NaiveDate>,
    payload: Arc<Payload>,
}

/// A profile with its pointers compiled.
#[derive(Debug)]
struct Payload {
    pointers: Pointers,
    timestamp: Option<(usize, TimestampSpec)>,
    quantities: Vec<(usize, PayloadSpec)>,
    boot: Option<usize>,
    seq: Option<usize>,
}

impl Payload {
    fn new(profile: &MqttProfile) -> Self {
        let mut pointers = Pointers::default();
        let timestamp = profile.timestamp.as_ref();
        let timestamp = timestamp.map(|spec| (pointers.add(&spec.pointer), spec.clone()));
        let mut quantities = Vec::with_capacity(profile.quantities.len());
        for spec in &profile.quantities {
            quantities.push((pointers.add(&spec.pointer), spec.clone()));
        }
        let boot = profile.boot_pointer.as_ref().map(|p| pointers.add(p));
        let seq = profile.seq_pointer.as_ref().map(|p| pointers.add(p));
        Self {
            pointers,
            timestamp,
            quantities,
            boot,
            seq,
        }
    }
}

/// A refusal of a whole message.
struct Refusal(Reason, String);

impl MqttDecoder {
    /// Compiles the patterns and profiles of a gateway. A gateway that is no broker knows no topics.
    pub fn new(config: &Config, gateway: &GatewayId) -> Self {
        let kind = config.registry.gateways.get(gateway).map(|g| &g.kind);
        let (subscriptions, packet_bytes_max) = match kind {
            Some(GatewayKind::Mqtt(mqtt)) => (mqtt.subscriptions.as_slice(), mqtt.packet_bytes_max),
            _ => ([].as_slice(), 0),
        };
        let routes = subscriptions.iter().map(|subscription| Route {
            pattern: Pattern::new(subscription),
            device: subscription.device_pointer.as_ref().map(|pointer| {
                let mut pointers = Pointers::default();
                pointers.add(pointer);
                pointers
            }),
        });
        let retention = config.settings.influx.as_ref();
        let retention_ms = retention
            .map(|influx| influx.retention_readings.as_millis())
            .filter(|ms| *ms > 0)
            .and_then(|ms| i64::try_from(ms).ok());
        Self {
            gateway: gateway.clone(),
            routes: routes.collect(),
            devices: devices(config, gateway),
            future_max_ms: config.settings.ledger.future_max_s.saturating_mul(1_000),
            age_max_ms: retention_ms.unwrap_or(AGE_MAX_MS),
            payload_bytes_max: usize::try_from(packet_bytes_max).unwrap_or(usize::MAX),
        }
    }

    /// Decodes one message.
    pub fn decode(&self, topic: &[u8], payload: &[u8], received_at: UtcMs) -> Decoded {
        self.follow(topic, payload, received_at).0
    }

    /// Also tells by which name its sequence numbers are followed.
    pub(crate) fn follow<'t>(
        &self,
        topic: &'t [u8],
        payload: &[u8],
        received_at: UtcMs,
    ) -> (Decoded, Option<&'t str>) {
        let set_aside = |meter: Option<MeterId>, Refusal(reason, detail): Refusal| {
            let kept = if reason == Reason::TooLarge {
                &payload[..payload.len().min(LARGE_KEPT_BYTES)]
            } else {
                payload
            };
            let item = Quarantined {
                received_at,
                gateway: self.gateway.clone(),
                source: String::from_utf8_lossy(topic).into_owned(),
                reason,
                detail,
                payload: kept.to_vec(),
            };
            Decoded {
                meter,
                batch: None,
                quarantine: vec![item],
            }
        };
        let (device, stream) = match self.device(topic, payload, received_at) {
            Ok(found) => found,
            Err(refusal) => return (set_aside(None, refusal), None),
        };
        let decoded = match self.readings(device, payload, received_at) {
            Ok(parts) => parts.into_decoded(self, device, topic, payload, received_at),
            Err(refusal) => set_aside(Some(device.meter.clone()), refusal),
        };
        (decoded, stream)
    }

    fn device<'s, 't>(
        &'s self,
        topic: &'t [u8],
        payload: &[u8],
        received_at: UtcMs,
    ) -> Result<(&'s Device, Option<&'t str>), Refusal> {
        if payload.len() > self.payload_bytes_max {
            let text = format!(
                "{} bytes where {} are accepted",
                payload.len(),
                self.payload_bytes_max
            );
            return Err(Refusal(Reason::TooLarge, text));
        }
        let topic = std::str::from_utf8(topic)
            .map_err(|error| Refusal(Reason::NotUtf8, format!("the topic: {error}")))?;
        let fits = |route: &'s Route| route.pattern.fit(topic).map(|parts| (route, parts));
        let (route, parts) =
            self.routes.iter().find_map(fits).ok_or_else(|| {
                Refusal(Reason::UnknownTopic, "the topic fits no pattern".to_owned())
            })?;
        if payload.iter().all(u8::is_ascii_whitespace) {
            return Err(Refusal(Reason::Empty, "there are no bytes".to_owned()));
        }
        let name = match &route.device {
            Some(pointers) => named(pointers, payload)?,
            None => parts
                .meter
                .ok_or_else(|| {
                    let text = "neither topic nor payload names the meter";
                    Refusal(Reason::UnknownMeter, text.to_owned())
                })?
                .to_owned(),
        };
        let known = self.devices.get(name.as_str()).map(Vec::as_slice);
        let device = in_service(known.unwrap_or_default(), received_at)
            .ok_or_else(|| Refusal(Reason::UnknownMeter, format!("no meter is called `{name}`")))?;
        Ok((device, parts.gateway.or(parts.meter)))
    }

    fn readings(
        &self,
        device: &Device,
        payload: &[u8],
        received_at: UtcMs,
    ) -> Result<Parts, Refusal> {
        let spec = &device.payload;
        let found = spec.pointers.extract(payload).map_err(|error| {
            let reason = if std::str::from_utf8(payload).is_err() {
                Reason::NotUtf8
            } else {
                Reason::NotJson
            };
            Refusal(reason, error.to_string())
        })?;
        let (at, quality) = self.time(spec, &found, received_at)?;
        let mut parts = Parts::default();
        for (slot, quantity) in &spec.quantities {
            let refused = match &found[*slot] {
                None | Some(Scalar::Null) if quantity.optional => continue,
                None => (Reason::MissingField, "there is no such field".to_owned()),
                Some(scalar) => match number::value(scalar, quantity.scale * quantity.factor) {
                    Ok(value) => {
                        parts.readings.push(Reading {
                            meter: device.meter.clone(),
                            quantity: quantity.quantity,
                            at,
                            value,
                            quality,
                        });
                        continue;
                    }
                    Err(refused) => refused,
                },
            };
            let detail = format!("{}: {}", quantity.pointer, refused.1);
            parts.refused.push((refused.0, detail));
        }
        if parts.readings.is_empty() && parts.refused.is_empty() {
            let text = "none of the profile's quantities is there";
            return Err(Refusal(Reason::Empty, text.to_owned()));
        }
        let whole = |slot: Option<usize>| match found[slot?].as_ref()? {
            Scalar::Number(text) => text.parse().ok(),
            Scalar::Text(text) => text.trim().parse().ok(),
            Scalar::Null | Scalar::Other(_) => None,
        };
        parts.boot = whole(spec.boot);
        parts.seq = whole(spec.seq);
        Ok(parts)
    }

    fn time(
        &self,
        spec: &Payload,
        found: &[Option<Scalar<'_>>],
        received_at: UtcMs,
    ) -> Result<(UtcMs, ReadingQuality), Refusal> {
        let told = spec.timestamp.as_ref().and_then(|(slot, format)| {
            let scalar = found.get(*slot)?.as_ref()?;
            timestamp::parse(format, scalar)
        });
        let Some(at) = told.filter(|at| *at >= CLOCK_UNSET_BEFORE) else {
            return Ok((received_at, ReadingQuality::ReceiveTime));
        };
        let ahead_ms = at.0.saturating_sub(received_at.0);
        if ahead_ms > self.future_max_ms {
            let text = format!("{} s ahead of our clock", ahead_ms / 1_000);
            return Err(Refusal(Reason::Future, text));
        }
        if -ahead_ms > self.age_max_ms {
            let text = format!("{} days old", -ahead_ms / 86_400_000);
            return Err(Refusal(Reason::TooOld, text));
        }
        Ok((at, ReadingQuality::Good))
    }
}

#[derive(Default)]
struct Parts {
    readings: Vec<Reading>,
    refused: Vec<(Reason, String)>,
    boot: Option<i64>,
    seq: Option<i64>,
}

impl Parts {
    fn into_decoded(
        self,
        decoder: &MqttDecoder,
        device: &Device,
        topic: &[u8],
        payload: &[u8],
        received_at: UtcMs,
    ) -> Decoded {
        let quarantine = self
            .refused
            .into_iter()
            .map(|(reason, detail)| Quarantined {
                received_at,
                gateway: decoder.gateway.clone(),
                source: String::from_utf8_lossy(topic).into_owned(),
                reason,
                detail,
                payload: payload.to_vec(),
            });
        Decoded {
            meter: Some(device.meter.clone()),
            quarantine: quarantine.collect(),
            batch: (!self.readings.is_empty()).then(|| Batch {
                received_at,
                gateway: decoder.gateway.clone(),
                gateway_boot: self.boot,
                gateway_seq: self.seq,
                readings: self.readings,
            }),
        }
    }
}

/// The name by which a payload calls its meter.
fn named(pointers: &Pointers, payload: &[u8]) -> Result<String, Refusal> {
    let found = pointers
        .extract(payload)
        .map_err(|error| Refusal(Reason::NotJson, error.to_string()))?;
    match found.into_iter().next().flatten() {
        Some(Scalar::Text(name)) => Ok(name.into_owned()),
        Some(Scalar::Number(name)) => Ok(name.to_owned()),
        _ => {
            let text = "the payload does not name the meter";
            Err(Refusal(Reason::MissingField, text.to_owned()))
        }
    }
}

/// The one of several meters with this name that serves now; a single one always does, since late
/// messages of a retired meter still belong to it.
fn in_service(known: &[Device], at: UtcMs) -> Option<&Device> {
    match known {
        [] => None,
        [only] => Some(only),
        several => several.iter().find(|device| {
            let date = local_date(device.zone, at.seconds_floor());
            device.from <= date && device.to.is_none_or(|to| date < to)
        }),
    }
}

fn devices(config: &Config, gateway: &GatewayId) -> HashMap<Box<str>, Vec<Device>> {
    let mut payloads: BTreeMap<&ProfileId, Arc<Payload>> = BTreeMap::new();
    let mut devices: HashMap<Box<str>, Vec<Device>> = HashMap::new();
    let registry = &config.registry;
    for meter in registry.meters.values().filter(|m| &m.gateway == gateway) {
        let MeterAddress::Mqtt { device } = &meter.address else {
            continue;
        };
        let Some(ProfileBody::Mqtt(profile)) = config.profiles.get(&meter.profile).map(|p| &p.body)
        else {
            continue;
        };
        let payload = payloads
            .entry(&meter.profile)
            .or_insert_with(|| Arc::new(Payload::new(profile)));
        let point = registry.points.get(&meter.point);
        let zone = point.and_then(|point| registry.zone_of(point));
        devices
            .entry(device.as_str().into())
            .or_default()
            .push(Device {
                meter: meter.id.clone(),
                zone: zone.unwrap_or(config.settings.zone),
                from: meter.from,
                to: meter.to,
                payload: Arc::clone(payload),
            });
    }
    devices
}
