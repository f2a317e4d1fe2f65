//! MQTT gateways: one client a gateway publishes its meters' counters in the own JSON layout.

use std::sync::Arc;
use std::time::Duration;

use rumqttc::{AsyncClient, MqttOptions, QoS};
use serde_json::{Map, Value, json};
use steward_model::{Commodity, GatewayId};
use tokio_util::sync::CancellationToken;

use crate::modbus::Clock;
use crate::site::{SimMeter, Way};
use crate::world::{World, approximate};

/// The MQTT gateways of a world.
pub fn gateways(world: &World) -> Vec<GatewayId> {
    let mut ids: Vec<GatewayId> = world
        .meters()
        .iter()
        .filter(|meter| matches!(meter.way, Way::Mqtt { .. }))
        .map(|meter| meter.gateway.clone())
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

/// What an MQTT meter shows of its register: registers of these meters step by ten base units.
pub fn shown(register: i64) -> i64 {
    register - register.rem_euclid(10)
}

/// The topic of a meter.
pub fn topic(site: &str, gateway: &GatewayId, device: &str) -> String {
    format!("steward/v1/{site}/{gateway}/{device}/telemetry")
}

/// The message of a meter at an instant.
pub fn message(world: &World, number: usize, at_ms: i64, boot: i64, seq: i64) -> Value {
    let mut body = Map::new();
    body.insert("ts".into(), json!(at_ms));
    body.insert("boot".into(), json!(boot));
    body.insert("seq".into(), json!(seq));
    if let Some(meter) = world.meters().get(number) {
        let register = approximate(shown(world.shown(number, at_ms)));
        let rate = world.rate_per_hour(number, at_ms);
        for (name, value) in fields(meter, register, rate) {
            body.insert(name.into(), json!(value));
        }
        if meter.counts_reactive() {
            let varh = meter.reactive_varh(world.shown(number, at_ms));
            let kvarh = approximate(shown(varh)) / 1_000.0;
            body.insert("reactive_energy_import".into(), json!(kvarh));
        }
    }
    Value::Object(body)
}

fn fields(meter: &SimMeter, register: f64, rate: f64) -> Vec<(&'static str, f64)> {
    match meter.commodity {
        Commodity::Water | Commodity::NaturalGas => {
            vec![
                ("volume", register / 1_000.0),
                ("flow", (rate / 10.0).round() / 100.0),
            ]
        }
        Commodity::Heat | Commodity::Cooling => {
            vec![
                ("heat_energy", register / 1.0e6),
                ("thermal_power", (rate / 36.0).round() / 100.0),
            ]
        }
        Commodity::SolarGeneration => {
            vec![
                ("energy_export", register / 1_000.0),
                ("power", rate.round()),
            ]
        }
        _ => vec![
            ("energy_import", register / 1_000.0),
            ("power", rate.round()),
            ("voltage_l1", 230.0),
            ("current_l1", (rate / 6.555).round() / 100.0),
        ],
    }
}

/// Where and how often a gateway publishes.
#[derive(Clone, Debug)]
pub struct Publishing {
    /// Broker's port on loopback.
    pub port: u16,
    /// The site's id in topics.
    pub site: String,
    /// Time between two rounds.
    pub interval: Duration,
    /// The clock of meters and gateway.
    pub clock: Clock,
}

/// Publishes one gateway's meters until `stop`.
pub async fn publish(
    world: Arc<World>,
    gateway: GatewayId,
    publishing: Publishing,
    stop: CancellationToken,
) {
    let mut options = MqttOptions::new(format!("sim-{gateway}"), "127.0.0.1", publishing.port);
    options.set_keep_alive(Duration::from_secs(20));
    let (client, mut events) = AsyncClient::new(options, 256);
    let pump = tokio::spawn(async move {
        loop {
            if let Err(error) = events.poll().await {
                tracing::debug!(%error, "a simulated gateway has no broker");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    });
    let boot = (publishing.clock)();
    // Every meter counts its own messages, as its topic is its own.
    let mut sequences = vec![0; world.meters().len()];
    let mut ticks = tokio::time::interval(publishing.interval);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => break,
        }
        for (number, meter) in world.meters().iter().enumerate() {
            let Way::Mqtt { device } = &meter.way else {
                continue;
            };
            if meter.gateway != gateway {
                continue;
            }
            let Some(seq) = sequences.get_mut(number) else {
                continue;
            };
            *seq += 1;
            let at_ms = (publishing.clock)();
            let body = message(&world, number, at_ms, boot, *seq).to_string();
            let topic = topic(&publishing.site, &gateway, device);
            // A gateway without a broker skips a round; its registers tell the energy later.
            if client
                .try_publish(topic, QoS::AtLeastOnce, false, body)
                .is_err()
            {
                break;
            }
        }
    }
    pump.abort();
}
