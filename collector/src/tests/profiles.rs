//! Every shipped profile reads its own golden vectors.

use steward_config::{Golden, MeterAddress, MqttVersion, ProfileBody, shipped_profiles};
use steward_model::{ReadingQuality, UtcMs};

use super::site::{ZONE, add_meter, mqtt, site};
use crate::modbus::plan::blocks;
use crate::{decode_mqtt, decode_registers};

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() <= right.abs() * 1e-6
}

#[test]
fn registers_mean_what_the_profile_says() {
    let mut vectors = 0;
    for profile in shipped_profiles(ZONE).unwrap().values() {
        let ProfileBody::Modbus(modbus) = &profile.body else {
            continue;
        };
        assert!(!profile.golden.is_empty(), "{} has no vector", profile.id);
        for golden in &profile.golden {
            let Golden::Registers { registers, expect } = golden else {
                panic!("{}: a payload for a Modbus meter", profile.id);
            };
            // As it would be read: in blocks, holes filled with what is certainly no value.
            let mut found = Vec::new();
            for block in blocks(&modbus.registers, 200) {
                let words: Vec<u16> = (0..block.count)
                    .map(|n| *registers.get(&(block.address + n)).unwrap_or(&0xFFFF))
                    .collect();
                for spec in &block.specs {
                    let at = block.offset_of(spec);
                    let own = &words[at..at + usize::from(spec.kind.words())];
                    if registers.contains_key(&spec.address) {
                        found.push((spec.quantity, decode_registers(spec, own).unwrap().get()));
                    }
                }
            }
            for (quantity, value) in expect {
                let own = found.iter().find(|(q, _)| q == quantity);
                let own = own.unwrap_or_else(|| panic!("{}: no {quantity}", profile.id));
                assert!(close(own.1, *value), "{}: {quantity} {}", profile.id, own.1);
                vectors += 1;
            }
            if let Some((probe, low, high)) = &modbus.probe {
                for (_, value) in found.iter().filter(|(q, _)| *q == probe.quantity) {
                    assert!((*low..=*high).contains(value), "{}: probe", profile.id);
                }
            }
        }
    }
    assert!(vectors > 20, "{vectors}");
}

#[test]
fn payloads_mean_what_the_profile_says() {
    let mut vectors = 0;
    let profiles = shipped_profiles(ZONE).unwrap();
    for profile in profiles.values() {
        if !matches!(profile.body, ProfileBody::Mqtt(_)) {
            continue;
        }
        assert!(!profile.golden.is_empty(), "{} has no vector", profile.id);
        let kind = steward_config::GatewayKind::Mqtt(mqtt(1, MqttVersion::V5));
        let mut config = site(kind);
        let address = MeterAddress::Mqtt { device: "m".into() };
        add_meter(
            &mut config,
            "m",
            profile.id.as_str(),
            address,
            std::time::Duration::from_secs(60),
        );
        for golden in &profile.golden {
            let Golden::Payload {
                payload,
                at,
                expect,
            } = golden
            else {
                panic!("{}: registers for an MQTT meter", profile.id);
            };
            let received = UtcMs(at.map_or(1_790_000_000_000, |at| at.0 + 1_000));
            let topic = b"steward/v1/s/g/m/telemetry";
            let decoded = decode_mqtt(
                &config,
                &"g".parse().unwrap(),
                topic,
                payload.as_bytes(),
                received,
            );
            assert_eq!(decoded.quarantine, [], "{}", profile.id);
            let readings = decoded.batch.unwrap().readings;
            assert_eq!(readings.len(), expect.len(), "{}", profile.id);
            for (quantity, value) in expect {
                let own = readings.iter().find(|r| r.quantity == *quantity).unwrap();
                assert!(close(own.value.get(), *value), "{}: {quantity}", profile.id);
                let (time, quality) = match at {
                    Some(at) => (*at, ReadingQuality::Good),
                    None => (received, ReadingQuality::ReceiveTime),
                };
                assert_eq!((own.at, own.quality), (time, quality), "{}", profile.id);
                vectors += 1;
            }
        }
    }
    assert!(vectors > 10, "{vectors}");
}
