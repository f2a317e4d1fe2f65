//! A broker that is killed and forgets us, and messages that are too large: what was acknowledged is
//! in the store, and the line goes on.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use support::{LONG, Mosquitto, SHORT, Site, Steward, seed, wait_until};

const CLIENT: &str = "steward-under-test";

fn site(broker: &Mosquitto, version: &str, packet_bytes_max: u32) -> Site {
    let registry = format!(
        r#"
        institution = [{{ id = "xz", name_zh = "机构", name_en = "Office", province = "浙江", region = "华东" }}]
        building = [{{ id = "b", institution = "xz", name_zh = "楼", name_en = "Building" }}]
        point = [{{ id = "el", building = "b", name_zh = "电", name_en = "Power", commodity = "electricity" }}]
        meter = [{{ id = "m", point = "el", gateway = "broker", profile = "steward-json", from = 2025-01-01 }}]

        [[gateway]]
        id = "broker"
        kind = "mqtt"
        host = "127.0.0.1"
        port = {port}
        version = "{version}"
        client_id = "{CLIENT}"
        packet_bytes_max = {packet_bytes_max}
        subscriptions = [{{ pattern = "line/{{gateway}}/{{meter}}" }}]
        "#,
        port = broker.port(),
    );
    let settings = "site = { id = \"line\", name_zh = \"线\", name_en = \"Line\" }\n\
                    api = { open_on_loopback = true }\n\
                    carbon = { coal_basis = \"calorific\" }\n";
    Site::new(settings, &registry)
}

/// Messages have a number; it is the name of their gateway, their register, and their second.
#[derive(Clone, Copy)]
struct Numbers {
    begin_s: i64,
}

impl Numbers {
    fn payload(self, number: u64) -> String {
        let ts = (self.begin_s + i64::try_from(number).unwrap()) * 1_000;
        format!(r#"{{"ts":{ts},"energy_import":{number}}}"#)
    }

    fn topic(number: u64) -> String {
        format!("line/{number}/m")
    }
}

/// Publishes number after number until it is told to stop. A broker that is away refuses, and the
/// same number is tried again.
async fn publish(broker_port: u16, numbers: Numbers, next: Arc<AtomicU64>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        let number = next.load(Ordering::Relaxed);
        let mut command = tokio::process::Command::new("mosquitto_pub");
        command.args(["-h", "127.0.0.1", "-p", &broker_port.to_string(), "-q", "1"]);
        command.args([
            "-t",
            &Numbers::topic(number),
            "-m",
            &numbers.payload(number),
        ]);
        command
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        if command.status().await.unwrap().success() {
            next.store(number + 1, Ordering::Relaxed);
        }
    }
}

/// The numbers whose delivery our program acknowledged, by the broker's own log.
fn acknowledged(log: &str) -> BTreeSet<u64> {
    let mut open: BTreeMap<String, u64> = BTreeMap::new();
    let mut acknowledged = BTreeSet::new();
    let sending = format!("Sending PUBLISH to {CLIENT} (");
    let receiving = format!("Received PUBACK from {CLIENT} (Mid: ");
    for line in log.lines() {
        if let Some((_, rest)) = line.split_once(&sending) {
            // d0, q1, r0, m1, 'line/7/m', ... (45 bytes))
            let mut parts = rest.split(", ");
            let packet = parts.nth(3).unwrap().trim_start_matches('m').to_owned();
            let topic = parts.next().unwrap().trim_matches('\'');
            open.insert(packet, topic.split('/').nth(1).unwrap().parse().unwrap());
        } else if let Some((_, rest)) = line.split_once(&receiving) {
            let packet = rest.split([',', ')']).next().unwrap();
            acknowledged.extend(open.remove(packet));
        } else if line.contains("mosquitto version") && line.contains("starting") {
            open.clear();
        }
    }
    acknowledged
}

/// The numbers in the store; each has to be whole.
async fn stored(steward: &Steward, numbers: Numbers) -> BTreeSet<u64> {
    let from = DateTime::from_timestamp(numbers.begin_s, 0).unwrap();
    let path = format!(
        "/api/v1/readings?meter=m&quantity=energy_import&limit=50000&from={}",
        from.format("%Y-%m-%dT%H:%M:%SZ")
    );
    let answer = steward.json(&path).await;
    let rows = answer["rows"].as_array().unwrap();
    let mut found = BTreeSet::new();
    for row in rows {
        let at = DateTime::parse_from_rfc3339(row["at"].as_str().unwrap()).unwrap();
        let number = u64::try_from(at.timestamp() - numbers.begin_s).unwrap();
        assert_eq!(row["value"], number as f64 * 1_000.0, "{row}");
        assert!(found.insert(number), "{number} stands twice");
    }
    found
}

async fn survives_lost_sessions(version: &str) {
    let mut rng = StdRng::seed_from_u64(seed());
    let mut broker = Mosquitto::start_with("log_type all").await;
    let site = site(&broker, version, 262_144);
    let mut steward = site.start("run").await;
    let numbers = Numbers {
        begin_s: Utc::now().timestamp() - 86_400,
    };
    let next = Arc::new(AtomicU64::new(1));
    let stop = Arc::new(AtomicBool::new(false));
    let port = broker.port();
    let publisher = tokio::spawn(publish(port, numbers, Arc::clone(&next), Arc::clone(&stop)));

    for round in 0..4 {
        // A number of this life of the broker arrives: we are subscribed, without a person.
        let first = next.load(Ordering::Relaxed);
        let passes: usize = rng.random_range(20..60);
        wait_until("messages to arrive", SHORT, async || {
            let fresh = stored(&steward, numbers).await.range(first..).count();
            (fresh >= passes).then_some(())
        })
        .await;
        if round == 3 {
            break;
        }
        if rng.random_bool(0.5) {
            broker.kill();
        } else {
            broker.stop().await;
        }
        broker.lose_sessions();
        broker.start_again().await;
    }
    stop.store(true, Ordering::Relaxed);
    publisher.await.unwrap();
    let attempted = next.load(Ordering::Relaxed);
    // The last message comes when all before it have come.
    broker
        .publish(
            &Numbers::topic(attempted),
            numbers.payload(attempted).as_bytes(),
        )
        .await;
    wait_until("a fresh message to pass", SHORT, async || {
        stored(&steward, numbers)
            .await
            .contains(&attempted)
            .then_some(())
    })
    .await;
    assert!(steward.stop().await.success());
    let acknowledged = acknowledged(&broker.log());
    steward.start_again().await;
    let stored = stored(&steward, numbers).await;

    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    let invented: Vec<_> = stored
        .iter()
        .filter(|number| !(1..=attempted).contains(*number))
        .collect();
    println!(
        "{attempted} published, {} acknowledged by us, {} stored",
        acknowledged.len(),
        stored.len()
    );
    assert_eq!((lost, invented), (vec![], vec![]));
    assert!(acknowledged.len() > 80, "{}", acknowledged.len());
    assert!(steward.stop().await.success());
    site.verify().await;
}

#[tokio::test]
async fn a_broker_that_forgets_us_costs_nothing_acknowledged_mqtt_5() {
    survives_lost_sessions("5").await;
}

#[tokio::test]
async fn a_broker_that_forgets_us_costs_nothing_acknowledged_mqtt_311() {
    survives_lost_sessions("3.1.1").await;
}

/// What waits at the broker while we are away comes when we are back.
#[tokio::test]
async fn what_the_broker_kept_while_we_were_away_arrives() {
    let mut broker = Mosquitto::start().await;
    let site = site(&broker, "5", 262_144);
    let mut steward = site.start("run").await;
    let numbers = Numbers {
        begin_s: Utc::now().timestamp() - 86_400,
    };
    wait_until("the first message", SHORT, async || {
        broker
            .publish(&Numbers::topic(1), numbers.payload(1).as_bytes())
            .await;
        stored(&steward, numbers).await.contains(&1).then_some(())
    })
    .await;
    steward.kill();
    for number in 2..=20 {
        broker
            .publish(&Numbers::topic(number), numbers.payload(number).as_bytes())
            .await;
    }
    broker.stop().await;
    broker.start_again().await;
    steward.start_again().await;
    wait_until("the messages that waited", LONG, async || {
        (stored(&steward, numbers).await.len() == 20).then_some(())
    })
    .await;
    assert!(steward.stop().await.success());
    site.verify().await;
}

/// Between the limit of the configuration and what is read from the wire, a message is set aside;
/// beyond that, nobody has to read it. Either way the next one arrives.
async fn a_large_message_does_not_stop_the_line(version: &str, huge_too: bool) {
    let broker = Mosquitto::start_with("max_packet_size 33554432").await;
    let site = site(&broker, version, 4_096);
    let mut steward = site.start("run").await;
    let numbers = Numbers {
        begin_s: Utc::now().timestamp() - 86_400,
    };
    wait_until("the collector to be connected", SHORT, async || {
        (steward.metric("steward_collector_connected").await? > 0.0).then_some(())
    })
    .await;
    let padded = |number: u64, bytes: usize| {
        let payload = numbers.payload(number);
        let padding = " ".repeat(bytes - payload.len());
        format!("{}{padding}}}", payload.trim_end_matches('}'))
    };
    broker
        .publish(&Numbers::topic(1), numbers.payload(1).as_bytes())
        .await;
    broker
        .publish(&Numbers::topic(2), padded(2, 4_096).as_bytes())
        .await;
    broker
        .publish(&Numbers::topic(3), padded(3, 4_097).as_bytes())
        .await;
    broker
        .publish(&Numbers::topic(4), padded(4, 700_000).as_bytes())
        .await;
    if huge_too {
        broker
            .publish(&Numbers::topic(5), padded(5, 9_000_000).as_bytes())
            .await;
    }
    broker
        .publish(&Numbers::topic(6), numbers.payload(6).as_bytes())
        .await;
    wait_until("the message after the large ones", SHORT, async || {
        stored(&steward, numbers).await.contains(&6).then_some(())
    })
    .await;
    assert_eq!(stored(&steward, numbers).await, BTreeSet::from([1, 2, 6]));
    site.settled(5).await;
    let list = site.once(&["quarantine", "list"]).await.expect_success();
    assert_eq!(list.matches(" too_large: ").count(), 2, "{list}");
    assert!(
        list.contains("700000 bytes where 4096 are accepted"),
        "{list}"
    );
    assert_eq!(
        steward.metric("steward_collector_connections_total").await,
        Some(1.0)
    );
    assert!(steward.stop().await.success());
    let counts = site.verify().await;
    assert_eq!((counts.received, counts.quarantined), (5, 2));
}

#[tokio::test]
async fn a_large_message_does_not_stop_the_line_mqtt_5() {
    // Here the broker knows how much we read, and keeps the huge one to itself.
    a_large_message_does_not_stop_the_line("5", true).await;
}

#[tokio::test]
async fn a_large_message_does_not_stop_the_line_mqtt_311() {
    // Nobody can tell a broker of 3.1.1 how much is read: its own limit has to be below 8 MiB.
    a_large_message_does_not_stop_the_line("3.1.1", false).await;
}
