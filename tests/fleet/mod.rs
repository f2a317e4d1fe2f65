//! Meters that speak MQTT by our own topic layout: a site's folder for them, their messages, and a
//! sender that knows which of them the broker has acknowledged.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own share"
)]

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Days};
use rumqttc::{AsyncClient, Event, MqttOptions, Outgoing, Packet, QoS};
use serde_json::json;
use steward_model::{PointId, Quantity};
use tokio::task::JoinHandle;

use super::oracle::Key;
use super::support::{LONG, wait_until};

/// The variable in which a site's folder expects InfluxDB's token.
pub const TOKEN_VARIABLE: &str = "STEWARD_INFLUX_TOKEN";

/// Messages that may be without acknowledgement, as in the configuration of the broker.
const INFLIGHT_MAX: u16 = 1_000;

/// A number of electricity meters in one building, whose registers begin at an instant.
#[derive(Clone, Debug)]
pub struct Fleet {
    pub meters: usize,
    pub start_ms: i64,
}

/// Where a site publishes.
#[derive(Clone, Copy, Debug)]
pub struct Publish<'a> {
    pub url: &'a str,
    pub bucket_readings: &'a str,
    pub bucket_ledger: &'a str,
}

/// A message and the readings that it holds.
#[derive(Clone, Debug)]
pub struct Message {
    pub topic: String,
    pub payload: String,
    pub readings: Vec<(Key, f64)>,
}

impl Fleet {
    /// A fleet whose registers begin at an instant.
    pub fn new(meters: usize, start_ms: i64) -> Self {
        Self { meters, start_ms }
    }

    /// The id of a meter.
    pub fn meter(number: usize) -> String {
        format!("m-{number:02}")
    }

    /// The ids of all points.
    pub fn points(&self) -> Vec<PointId> {
        let ids = (0..self.meters).map(|number| format!("p-{number:02}"));
        ids.map(|id| PointId::new(id).unwrap()).collect()
    }

    /// Writes the folder of a site with these meters behind a broker.
    pub fn write_site(&self, folder: &Path, broker_port: u16, publish: Option<Publish<'_>>) {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("steward.toml"), settings(publish)).unwrap();
        std::fs::write(folder.join("registry.toml"), self.registry(broker_port)).unwrap();
    }

    fn registry(&self, broker_port: u16) -> String {
        let start = DateTime::from_timestamp_millis(self.start_ms).unwrap();
        let from = start.date_naive() - Days::new(2);
        let mut text = format!(
            "[[institution]]\nid = \"office\"\nname_zh = \"机关\"\nname_en = \"Office\"\n\
             province = \"浙江\"\nregion = \"华东\"\n\
             extents = [{{ from = {from}, floor_area_m2 = 9000, energy_users = 300 }}]\n\
             [[building]]\nid = \"house\"\ninstitution = \"office\"\n\
             name_zh = \"主楼\"\nname_en = \"House\"\n\
             extents = [{{ from = {from}, floor_area_m2 = 9000, energy_users = 300 }}]\n\
             [[gateway]]\nid = \"gw\"\nkind = \"mqtt\"\nhost = \"127.0.0.1\"\n\
             port = {broker_port}\n\
             subscriptions = [{{ pattern = \"steward/v1/{{site}}/gw/{{meter}}/telemetry\" }}]\n"
        );
        for number in 0..self.meters {
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "[[point]]\nid = \"p-{number:02}\"\nbuilding = \"house\"\n\
                 name_zh = \"表{number}\"\nname_en = \"Meter {number}\"\n\
                 commodity = \"electricity\"\n\
                 [[meter]]\nid = \"{}\"\npoint = \"p-{number:02}\"\ngateway = \"gw\"\n\
                 profile = \"steward-json\"\nfrom = {from}\n",
                Self::meter(number)
            );
        }
        text
    }

    /// What a meter says at an instant: ten readings. The register rises by 125 Wh every two
    /// seconds, so that its kilowatt-hours are exact in binary.
    pub fn message(&self, number: usize, at_ms: i64, seq: usize) -> Message {
        let seconds = (at_ms - self.start_ms) / 1_000;
        let wh = f64::from(i32::try_from(125 * (seconds / 2)).unwrap());
        let wh = wh + 1_000_000.0 * f64::from(u32::try_from(number).unwrap() + 1);
        // A gauge's value is an eighth of a number that the instant decides.
        let gauge = |salt: i64, least: f64| {
            let steps = (seconds * 31 + salt * 7) % 97;
            least + f64::from(i32::try_from(steps).unwrap()) / 8.0
        };
        let fields = [
            (Quantity::EnergyImport, wh / 1_000.0, wh),
            (Quantity::Power, gauge(1, 4_000.0), gauge(1, 4_000.0)),
            (Quantity::VoltageL1, gauge(2, 220.0), gauge(2, 220.0)),
            (Quantity::VoltageL2, gauge(3, 220.0), gauge(3, 220.0)),
            (Quantity::VoltageL3, gauge(4, 220.0), gauge(4, 220.0)),
            (Quantity::CurrentL1, gauge(5, 1.0), gauge(5, 1.0)),
            (Quantity::CurrentL2, gauge(6, 1.0), gauge(6, 1.0)),
            (Quantity::CurrentL3, gauge(7, 1.0), gauge(7, 1.0)),
            (Quantity::Frequency, gauge(8, 45.0), gauge(8, 45.0)),
            (Quantity::PowerFactor, 0.875, 0.875),
        ];
        let meter = Self::meter(number);
        let mut payload = json!({"ts": at_ms, "boot": 1, "seq": seq});
        let mut readings = Vec::new();
        for (quantity, shown, stored) in fields {
            payload[quantity.id()] = json!(shown);
            readings.push(((meter.clone(), quantity, at_ms), stored));
        }
        Message {
            topic: format!("steward/v1/bench/gw/{meter}/telemetry"),
            payload: payload.to_string(),
            readings,
        }
    }
}

fn settings(publish: Option<Publish<'_>>) -> String {
    let influx = publish.map_or_else(String::new, |publish| {
        format!(
            "[influx]\nurl = \"{}\"\norg = \"steward\"\ntoken = \"${{{TOKEN_VARIABLE}}}\"\n\
             bucket_readings = \"{}\"\nbucket_ledger = \"{}\"\n",
            publish.url, publish.bucket_readings, publish.bucket_ledger
        )
    });
    format!(
        "[site]\nid = \"bench\"\nname_zh = \"试验台\"\nname_en = \"Test bench\"\n\
         [api]\nopen_on_loopback = true\n\
         [carbon]\ncoal_basis = \"calorific\"\n{influx}"
    )
}

/// A gateway that publishes at QoS 1 over one connection.
#[derive(Debug)]
pub struct Sender {
    client: AsyncClient,
    record: Arc<Mutex<Record>>,
    pump: JoinHandle<()>,
}

/// What is on its way and what has arrived, by the numbers in the order of sending.
#[derive(Debug, Default)]
struct Record {
    waiting: VecDeque<usize>,
    flying: HashMap<u16, usize>,
    /// For every message that was given to the sender.
    acknowledged: Vec<bool>,
}

impl Sender {
    /// Connects to a broker that stays.
    pub fn start(broker_port: u16) -> Self {
        let mut options = MqttOptions::new("bench-sender", "127.0.0.1", broker_port);
        options.set_inflight(INFLIGHT_MAX);
        let (client, mut events) = AsyncClient::new(options, 64);
        let record = Arc::new(Mutex::new(Record::default()));
        let shared = Arc::clone(&record);
        let pump = tokio::spawn(async move {
            loop {
                let event = events.poll().await.expect("the broker stays");
                let mut record = shared.lock().unwrap();
                match event {
                    Event::Outgoing(Outgoing::Publish(packet)) => {
                        let number = record.waiting.pop_front().unwrap();
                        record.flying.insert(packet, number);
                    }
                    Event::Incoming(Packet::PubAck(ack)) => {
                        let number = record.flying.remove(&ack.pkid).unwrap();
                        record.acknowledged[number] = true;
                    }
                    _ => {}
                }
            }
        });
        Self {
            client,
            record,
            pump,
        }
    }

    /// Sends a message and returns when it is on its way, with its number.
    pub async fn send(&mut self, message: &Message) -> usize {
        let number = {
            let mut record = self.record.lock().unwrap();
            let number = record.acknowledged.len();
            record.acknowledged.push(false);
            record.waiting.push_back(number);
            number
        };
        let (topic, payload) = (message.topic.clone(), message.payload.clone());
        let sent = self
            .client
            .publish(topic, QoS::AtLeastOnce, false, payload)
            .await;
        sent.unwrap();
        number
    }

    /// Which messages the broker has acknowledged, by number.
    pub fn acknowledged(&self) -> Vec<bool> {
        self.record.lock().unwrap().acknowledged.clone()
    }

    /// Waits until the broker has acknowledged everything.
    pub async fn settled(&self) {
        wait_until("the broker to take everything", LONG, async || {
            assert!(!self.pump.is_finished(), "the sender lost its broker");
            self.acknowledged().iter().all(|taken| *taken).then_some(())
        })
        .await;
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.pump.abort();
    }
}
