//! Messages, good and bad, and their replay.

use std::time::Duration;

use proptest::prelude::*;
use steward_config::{Config, GatewayKind, MeterAddress, MqttVersion, ProfileBody, Subscription};
use steward_journal::{Entry, Reason};
use steward_model::{Quantity, ReadingQuality, UtcMs};

use super::site::{add_meter, mqtt, site};
use crate::{Decoded, MqttDecoder, decode_mqtt, replay};

const NOW: UtcMs = UtcMs(1_790_000_000_000);
const TOPIC: &str = "steward/v1/s/gw-1/m-1/telemetry";

fn config() -> Config {
    let mut settings = mqtt(1, MqttVersion::V5);
    settings.packet_bytes_max = 4_096;
    settings.subscriptions.push(Subscription {
        pattern: "other/+/data".into(),
        device_pointer: Some("/dev".into()),
    });
    let mut config = site(GatewayKind::Mqtt(settings));
    let address = MeterAddress::Mqtt {
        device: "m-1".into(),
    };
    let minute = Duration::from_secs(60);
    add_meter(&mut config, "meter-1", "steward-json", address, minute);
    config
}

fn decode(topic: &str, payload: &[u8]) -> Decoded {
    let gateway = "g".parse().unwrap();
    decode_mqtt(&config(), &gateway, topic.as_bytes(), payload, NOW)
}

fn reasons(decoded: &Decoded) -> Vec<Reason> {
    decoded.quarantine.iter().map(|item| item.reason).collect()
}

fn values(decoded: &Decoded) -> Vec<(Quantity, f64)> {
    let readings = decoded.batch.iter().flat_map(|batch| &batch.readings);
    readings.map(|r| (r.quantity, r.value.get())).collect()
}

#[test]
fn a_good_message() {
    let decoded = decode(
        TOPIC,
        br#"{"ts":1789999999000,"boot":3,"seq":"17","energy_import":"12.5","power":400}"#,
    );
    assert_eq!(reasons(&decoded), []);
    assert_eq!(
        values(&decoded),
        [(Quantity::EnergyImport, 12_500.0), (Quantity::Power, 400.0)]
    );
    let batch = decoded.batch.unwrap();
    assert_eq!((batch.gateway_boot, batch.gateway_seq), (Some(3), Some(17)));
    assert_eq!(batch.received_at, NOW);
    for reading in &batch.readings {
        assert_eq!(reading.meter.as_str(), "meter-1");
        assert_eq!(reading.at, UtcMs(1_789_999_999_000));
        assert_eq!(reading.quality, ReadingQuality::Good);
    }
}

#[test]
fn the_payload_may_name_the_meter() {
    let decoded = decode(
        "other/x/data",
        br#"{"dev":"m-1","ts":1790000000000,"energy_import":1}"#,
    );
    assert_eq!(values(&decoded), [(Quantity::EnergyImport, 1_000.0)]);
    let unnamed = decode("other/x/data", br#"{"energy_import":1}"#);
    assert_eq!(reasons(&unnamed), [Reason::MissingField]);
}

#[test]
fn bad_messages_are_set_aside_whole() {
    let good = r#"{"ts":1790000000000,"energy_import":1}"#;
    let large = format!(r#"{{"energy_import":1,"x":"{}"}}"#, "x".repeat(4_096));
    let cases: [(&str, &[u8], Reason); 14] = [
        (TOPIC, b"", Reason::Empty),
        (TOPIC, b"  \n", Reason::Empty),
        (TOPIC, b"energy 12", Reason::NotJson),
        (TOPIC, b"{\"energy_import\":1", Reason::NotJson),
        (TOPIC, b"{\"energy_import\":1} {}", Reason::NotJson),
        (TOPIC, b"{\"energy_import\":\"\xff\"}", Reason::NotUtf8),
        (TOPIC, b"\x00\x01\x02", Reason::NotJson),
        (TOPIC, large.as_bytes(), Reason::TooLarge),
        (TOPIC, b"[1,2]", Reason::MissingField),
        (
            "steward/v1/s/gw-1/m-9/telemetry",
            good.as_bytes(),
            Reason::UnknownMeter,
        ),
        (
            "steward/v1/s/gw-1/m-1",
            good.as_bytes(),
            Reason::UnknownTopic,
        ),
        (
            TOPIC,
            br#"{"ts":1790000300001,"energy_import":1}"#,
            Reason::Future,
        ),
        (
            TOPIC,
            br#"{"ts":1430000000000,"energy_import":1}"#,
            Reason::TooOld,
        ),
        (TOPIC, br#"{"ts":1790000000000}"#, Reason::MissingField),
    ];
    for (topic, payload, reason) in cases {
        let decoded = decode(topic, payload);
        let told = String::from_utf8_lossy(payload);
        assert_eq!(reasons(&decoded), [reason], "{told}");
        assert_eq!(decoded.batch, None, "{told}");
        let item = &decoded.quarantine[0];
        assert_eq!(item.source, topic);
        assert_eq!(item.received_at, NOW);
        assert!(!item.detail.is_empty());
        assert_eq!(item.payload, payload, "the bytes are kept");
    }
    let gateway = "g".parse().unwrap();
    let decoded = decode_mqtt(&config(), &gateway, b"a/\xff", good.as_bytes(), NOW);
    assert_eq!(reasons(&decoded), [Reason::NotUtf8]);
}

#[test]
fn good_fields_survive_bad_ones() {
    let payload = br#"{"ts":1790000000000,"energy_import":7,"energy_export":"NaN","power":1e999,
        "voltage_l1":true,"voltage_l2":null,"voltage_l3":"230.5","current_l1":{},
        "current_l2":18446744073709551615,"current_l3":-0.0}"#;
    let decoded = decode(TOPIC, payload);
    assert_eq!(
        values(&decoded),
        [
            (Quantity::EnergyImport, 7_000.0),
            (Quantity::VoltageL3, 230.5),
            (Quantity::CurrentL3, 0.0),
        ]
    );
    assert_eq!(
        reasons(&decoded),
        [
            Reason::NotANumber,
            Reason::OutOfRange,
            Reason::NotANumber,
            Reason::NotANumber,
            Reason::OutOfRange,
        ]
    );
    assert!(decoded.quarantine[0].detail.starts_with("/energy_export: "));
}

#[test]
fn a_time_that_is_none_becomes_ours() {
    for ts in [
        "0",
        "null",
        "\"yesterday\"",
        "1e400",
        "-5",
        "{}",
        "946684800000",
        "\"2000-01-01T00:00:05Z\"",
    ] {
        let payload = format!(r#"{{"ts":{ts},"energy_import":1}}"#);
        let decoded = decode(TOPIC, payload.as_bytes());
        let batch = decoded.batch.unwrap_or_else(|| panic!("{ts}"));
        assert_eq!(batch.readings[0].at, NOW, "{ts}");
        assert_eq!(batch.readings[0].quality, ReadingQuality::ReceiveTime);
    }
    // Exactly five minutes ahead is still believed.
    let edge = decode(TOPIC, br#"{"ts":1790000300000,"energy_import":1}"#);
    assert_eq!(edge.batch.unwrap().readings[0].at, UtcMs(1_790_000_300_000));
}

#[test]
fn a_name_that_passed_to_another_meter() {
    let mut config = config();
    let address = MeterAddress::Mqtt {
        device: "m-1".into(),
    };
    let minute = Duration::from_secs(60);
    let new = add_meter(&mut config, "meter-2", "steward-json", address, minute);
    // 2026-09-21 22:13 in the building.
    let day = chrono::NaiveDate::from_ymd_opt(2026, 9, 21).unwrap();
    config.registry.meters.get_mut(&new).unwrap().from = day;
    let old = "meter-1".parse().unwrap();
    let old: &steward_model::MeterId = &old;
    config.registry.meters.get_mut(old).unwrap().to = Some(day);
    let gateway = "g".parse().unwrap();
    let decoder = MqttDecoder::new(&config, &gateway);
    let decoded = decoder.decode(TOPIC.as_bytes(), br#"{"energy_import":1}"#, NOW);
    assert_eq!(decoded.meter, Some(new));
    let before = UtcMs(NOW.0 - 86_400_000);
    let decoded = decoder.decode(TOPIC.as_bytes(), br#"{"energy_import":1}"#, before);
    assert_eq!(decoded.meter.as_ref(), Some(old));
}

#[test]
fn what_was_set_aside_is_replayed_after_mending() {
    let mut config = config();
    let gateway = "g".parse().unwrap();
    let payload = br#"{"ts":1790000000000,"energy_import":7,"power":"n/a"}"#;
    let topic = b"steward/v1/s/gw-1/m-2/telemetry";
    let set_aside = decode_mqtt(&config, &gateway, topic, payload, NOW).quarantine;
    assert_eq!(set_aside[0].reason, Reason::UnknownMeter);
    let still = replay(&config, &set_aside[0]).unwrap_err();
    assert_eq!(still.reason, Reason::UnknownMeter);

    let address = MeterAddress::Mqtt {
        device: "m-2".into(),
    };
    let minute = Duration::from_secs(60);
    add_meter(&mut config, "meter-2", "steward-json", address, minute);
    let Entry::Batch(batch) = replay(&config, &set_aside[0]).unwrap() else {
        panic!("a batch");
    };
    assert_eq!(
        batch.readings.len(),
        1,
        "the bad field is not set aside anew"
    );
    assert_eq!(batch.received_at, NOW);

    // A bad field has an item of its own, which stays until its field can be read.
    let item = &decode_mqtt(&config, &gateway, topic, payload, NOW).quarantine[0];
    assert_eq!(
        replay(&config, item).unwrap_err().reason,
        Reason::NotANumber
    );
    for profile in config.profiles.values_mut() {
        if let ProfileBody::Mqtt(mqtt) = &mut profile.body {
            mqtt.quantities.retain(|q| q.quantity != Quantity::Power);
        }
    }
    assert!(replay(&config, item).is_ok());
}

#[test]
fn registers_are_replayed_after_mending() {
    let mut config = site(super::site::modbus(1, Duration::from_secs(1)));
    let address = MeterAddress::Modbus { unit_id: 1 };
    let minute = Duration::from_secs(60);
    let meter = add_meter(&mut config, "m", "eastron-sdm230", address, minute);
    let mut item = steward_journal::Quarantined {
        received_at: NOW,
        gateway: "g".parse().unwrap(),
        source: "m/power".into(),
        reason: Reason::NotANumber,
        detail: "power".into(),
        payload: vec![0x7F, 0xC0, 0, 0],
    };
    assert_eq!(
        replay(&config, &item).unwrap_err().reason,
        Reason::NotANumber
    );
    let profile = config.registry.meters[&meter].profile.clone();
    if let ProfileBody::Modbus(modbus) = &mut config.profiles.get_mut(&profile).unwrap().body {
        for spec in &mut modbus.registers {
            spec.order = steward_config::WordOrder::Dcba;
        }
    }
    let Entry::Batch(batch) = replay(&config, &item).unwrap() else {
        panic!("a batch");
    };
    assert_eq!(batch.readings[0].quantity, Quantity::Power);
    for source in ["", "m", "m/", "m/nothing", "x/power", "A/power"] {
        item.source = source.into();
        assert!(replay(&config, &item).is_err(), "{source}");
    }
}

proptest! {
    /// Whatever comes, something is kept: readings that are finite, or the bytes with a reason.
    #[test]
    fn any_bytes(
        topic in prop_oneof![Just(TOPIC.as_bytes().to_vec()), proptest::collection::vec(any::<u8>(), 0..40)],
        payload in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            r#"\{"ts":[-0-9e.]{1,15},"energy_import":["a0-9.eE+-]{1,12}(,"power":[0-9.]{1,400})?\}"#
                .prop_map(String::into_bytes),
        ]
    ) {
        let gateway = "g".parse().unwrap();
        let config = config_once();
        let decoded = decode_mqtt(config, &gateway, &topic, &payload, NOW);
        prop_assert!(decoded.batch.is_some() || !decoded.quarantine.is_empty());
        for (_, value) in values(&decoded) {
            prop_assert!(value.is_finite());
        }
        for item in &decoded.quarantine {
            prop_assert_eq!(&item.payload, &payload);
            prop_assert!(replay(config, item).is_err() || decoded.batch.is_some());
        }
    }
}

fn config_once() -> &'static Config {
    static CONFIG: std::sync::OnceLock<Config> = std::sync::OnceLock::new();
    CONFIG.get_or_init(config)
}
