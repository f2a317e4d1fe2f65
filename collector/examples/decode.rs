//! How fast messages become readings, on one core, and how the payload is best read.
//!
//! `cargo run --release -p steward-collector --example decode`

use std::hint::black_box;
use std::time::{Duration, Instant};

use steward_collector::MqttDecoder;
use steward_config::{GatewayKind, MeterAddress, MqttVersion};
use steward_model::UtcMs;

#[allow(dead_code, clippy::unwrap_used)]
#[path = "../src/tests/site.rs"]
mod site;

const MESSAGES: u32 = 200_000;
const QUANTITIES: [&str; 10] = [
    "energy_import",
    "energy_export",
    "power",
    "voltage_l1",
    "voltage_l2",
    "voltage_l3",
    "current_l1",
    "current_l2",
    "current_l3",
    "frequency",
];

fn main() {
    let kind = GatewayKind::Mqtt(site::mqtt(1, MqttVersion::V5));
    let mut config = site::site(kind);
    let device = MeterAddress::Mqtt {
        device: "m-1".to_owned(),
    };
    let minute = Duration::from_secs(60);
    site::add_meter(&mut config, "meter-1", "steward-json", device, minute);
    let Ok(gateway) = "g".parse() else { return };
    let decoder = MqttDecoder::new(&config, &gateway);
    let fields: Vec<String> = (0..)
        .zip(QUANTITIES)
        .map(|(n, name)| format!("\"{name}\":{}.{:03}", 1_234_567 + n, n * 37))
        .collect();
    let payload = format!(
        "{{\"ts\":1790000000000,\"boot\":3,\"seq\":17,{}}}",
        fields.join(",")
    );
    let topic = b"steward/v1/site/gw-1/m-1/telemetry";
    let now = UtcMs(1_790_000_001_000);
    println!("{} bytes a message, {MESSAGES} messages", payload.len());

    let begun = Instant::now();
    let mut readings = 0;
    for _ in 0..MESSAGES {
        let decoded = decoder.decode(black_box(topic), black_box(payload.as_bytes()), now);
        readings += decoded.batch.map_or(0, |batch| batch.readings.len());
    }
    tell("decoded, all readings", begun, readings);

    // What the decoder does not do: the whole payload as a tree, then the pointers.
    let pointers: Vec<String> = QUANTITIES.iter().map(|name| format!("/{name}")).collect();
    let begun = Instant::now();
    let mut readings = 0;
    for _ in 0..MESSAGES {
        let Ok(tree) = serde_json::from_slice::<serde_json::Value>(black_box(payload.as_bytes()))
        else {
            return;
        };
        let found = pointers
            .iter()
            .filter_map(|pointer| tree.pointer(pointer)?.as_f64());
        readings += found.map(black_box).count();
    }
    tell("a tree and ten pointers only", begun, readings);
}

fn tell(what: &str, begun: Instant, readings: usize) {
    let seconds = begun.elapsed().as_secs_f64();
    let messages = f64::from(MESSAGES) / seconds;
    println!(
        "{what}: {messages:.0} messages/s, {:.2} us each, {readings} readings",
        1e6 / messages
    );
}
