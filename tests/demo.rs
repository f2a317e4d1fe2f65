//! What `steward demo` promises on the command line and in the README, asked of a running one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod story;
mod support;

use std::collections::BTreeSet;

use serde_json::Value;
use steward_store::StoreReader;
use support::{LONG, SHORT, Steward, path_of, wait_until};

const PILOT: &str = "jgswzx";
const PILOT_BUILDINGS: [&str; 3] = ["行政中心1号楼", "行政中心2号楼", "行政中心北楼"];
const COMMODITIES: [&str; 5] = [
    "electricity",
    "heat",
    "natural_gas",
    "solar_generation",
    "water",
];
const COLOURS: [&str; 3] = ["green", "amber", "red"];

/// The demo as everybody starts it, with its 400 days.
#[tokio::test]
async fn the_demo_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let mut demo = Steward::start(&["demo", "--data", path_of(&data)]).await;
    wait_until("the history to be computed", LONG, async || {
        demo.log().contains("history complete: 400 ").then_some(())
    })
    .await;
    every_meter_speaks(&demo).await;
    the_registry_is_a_city(&demo).await;
    every_commodity_has_a_ledger(&demo).await;
    budgets_have_colours(&demo).await;
    reports_come_in_both_formats(&demo, path_of(&data)).await;
    power_is_live(&demo).await;
    counters_add_up(&demo).await;
    story::is_told(&demo).await;
    verify_holds_beside_it(path_of(&data)).await;
    assert!(demo.stop().await.success());
    let log = demo.log();
    for word in ["panicked", "ERROR"] {
        assert!(!log.contains(word), "{log}");
    }
    let counts = StoreReader::open(&data.join("store")).counts().await;
    let counts = counts.unwrap();
    assert_eq!((counts.quarantined, counts.duplicates), (0, 0));
    story::is_told_at_the_command_line(path_of(&data)).await;
}

/// The array under the word that ends the path.
async fn list(demo: &Steward, word: &str) -> Vec<Value> {
    let answer = demo.json(&format!("/api/v1/{word}")).await;
    let list = answer[word].as_array();
    list.unwrap_or_else(|| panic!("no {word} in {answer}"))
        .clone()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    let text = value[field].as_str();
    text.unwrap_or_else(|| panic!("no {field} in {value}"))
}

async fn every_meter_speaks(demo: &Steward) {
    wait_until("every meter to be online", LONG, async || {
        let meters = list(demo, "meters").await;
        let silent = meters
            .iter()
            .any(|meter| meter["state"] != "online" || meter["latest"][0]["value"].is_null());
        (!silent && meters.len() >= 60).then_some(())
    })
    .await;
    let meters = list(demo, "meters").await;
    let protocols: BTreeSet<&str> = meters.iter().map(|meter| text(meter, "protocol")).collect();
    assert_eq!(protocols, BTreeSet::from(["modbus_tcp", "mqtt"]));
    let missing = "steward_collector_readings_missing_total";
    assert_eq!(demo.metric(missing).await, Some(0.0), "no message is lost");
}

async fn the_registry_is_a_city(demo: &Steward) {
    let institutions = list(demo, "institutions").await;
    assert!(institutions.len() >= 6, "{institutions:?}");
    let buildings = list(demo, "buildings").await;
    assert!(buildings.len() >= 10, "{buildings:?}");
    let points = list(demo, "points").await;
    assert!(points.len() >= 60, "{} points", points.len());
    let commodities: BTreeSet<&str> = points
        .iter()
        .map(|point| text(point, "commodity"))
        .collect();
    let mut expected = BTreeSet::from(COMMODITIES);
    // It enters no total, so nothing below asks for its sum.
    expected.insert("reactive_energy");
    assert_eq!(commodities, expected);
    let pilot = institutions.iter().find(|one| one["id"] == PILOT).unwrap();
    assert_eq!(pilot["budget_pilot"], true);
    let of_pilot: BTreeSet<&str> = buildings
        .iter()
        .filter(|building| building["institution"] == PILOT)
        .map(|building| text(building, "name_zh"))
        .collect();
    assert_eq!(of_pilot, BTreeSet::from(PILOT_BUILDINGS));
    let named = |one: &Value| !text(one, "name_zh").is_empty() && !text(one, "name_en").is_empty();
    for one in institutions.iter().chain(&buildings).chain(&points) {
        assert!(named(one), "{one}");
    }
}

async fn every_commodity_has_a_ledger(demo: &Steward) {
    for commodity in COMMODITIES {
        for (span, least) in [("interval", 90), ("day", 28), ("month", 13), ("year", 1)] {
            let from = days_ago(match span {
                "interval" => 1,
                "day" => 30,
                _ => 400,
            });
            let path = format!("/api/v1/ledger?commodity={commodity}&span={span}&from={from}");
            let ledger = demo.json(&path).await;
            let rows = ledger["rows"].as_array().unwrap();
            assert!(rows.len() >= least, "{path}: {} rows", rows.len());
            let sum: i64 = rows
                .iter()
                .map(|row| row["amount_base"].as_i64().unwrap())
                .sum();
            // The sun does not shine in every quarter, but on one of them in a day.
            assert!(sum > 0, "{path}: {ledger}");
        }
    }
}

fn days_ago(days: u64) -> String {
    let date = chrono::Utc::now().date_naive() - chrono::Days::new(days);
    date.to_string()
}

async fn budgets_have_colours(demo: &Steward) {
    let budgets = list(demo, "budgets").await;
    let electricity: Vec<&Value> = budgets
        .iter()
        .filter(|budget| budget["metric"] == "electricity_kwh")
        .collect();
    assert_eq!(electricity.len(), list(demo, "institutions").await.len());
    for budget in &electricity {
        assert!(COLOURS.contains(&text(budget, "colour")), "{budget}");
    }
    let carbon = budgets
        .iter()
        .find(|budget| budget["metric"] == "carbon_tco2");
    let carbon = carbon.unwrap();
    assert_eq!(text(carbon, "institution"), PILOT);
    assert!(COLOURS.contains(&text(carbon, "colour")), "{carbon}");
}

async fn reports_come_in_both_formats(demo: &Steward, data: &str) {
    let month = last_month();
    let json = demo
        .json(&format!("/api/v1/reports/monthly/{PILOT}/{month}"))
        .await;
    assert!(json.to_string().contains("市机关事务管理中心"), "{json}");
    let csv = demo
        .get(&format!(
            "/api/v1/reports/monthly/{PILOT}/{month}?format=csv"
        ))
        .await;
    assert!(csv.status().is_success());
    let csv = csv.bytes().await.unwrap();
    assert!(
        csv.starts_with(b"\xef\xbb\xbf"),
        "a spreadsheet needs the mark"
    );
    let command = [
        "report",
        "--config",
        data,
        "--institution",
        PILOT,
        "--month",
        &month,
    ];
    let by_command = Steward::once(&command).await.expect_success();
    let by_command: Value = serde_json::from_str(&by_command).unwrap();
    assert_eq!(without_time(by_command), without_time(json));
    let command = [&command[..], &["--format", "csv"]].concat();
    let by_command = Steward::once(&command).await.expect_success();
    for line in ["市机关事务管理中心", "行政中心1号楼"] {
        assert!(by_command.contains(line), "{by_command}");
    }
}

/// A report says when it was made; nothing else in it depends on that for a month that is over.
fn without_time(mut report: Value) -> Value {
    let fields = report.as_object_mut().unwrap();
    let before = fields.len();
    fields.retain(|name, _| name != "generated_at");
    assert_eq!(fields.len() + 1, before, "the report names no time");
    report
}

/// The month before the demo's present one, by its own clock.
fn last_month() -> String {
    let local = chrono::Utc::now() + chrono::TimeDelta::hours(8);
    let day = u64::from(chrono::Datelike::day(&local));
    let before = local.date_naive() - chrono::Days::new(day);
    before.format("%Y-%m").to_string()
}

async fn power_is_live(demo: &Steward) {
    let mut events = demo.get("/api/v1/live").await;
    assert!(events.status().is_success());
    let (mut heard, mut health) = (String::new(), false);
    // The history is over before every meter has told its present power.
    let live = async {
        loop {
            let chunk = events.chunk().await.unwrap();
            let chunk = chunk.unwrap_or_else(|| panic!("the events ended after {heard}"));
            heard.push_str(std::str::from_utf8(&chunk).unwrap());
            while let Some((event, rest)) = heard.split_once("\n\n") {
                health |= event.contains("event: health");
                let reports = power_of(event).is_some_and(|power| all_report(&power));
                heard = rest.to_owned();
                if health && reports {
                    return;
                }
            }
        }
    };
    let heard_all = tokio::time::timeout(LONG, live).await;
    heard_all.expect("every institution's power, and the health");
}

/// The data of a power event.
fn power_of(event: &str) -> Option<Value> {
    let data = event.lines().find_map(|line| line.strip_prefix("data: "));
    event
        .contains("event: power")
        .then(|| serde_json::from_str(data.unwrap()).unwrap())
}

fn all_report(power: &Value) -> bool {
    let institutions = power["institutions"].as_array().unwrap();
    assert!(institutions.len() >= 6, "{power}");
    institutions.iter().all(|one| {
        one["power_w"].as_f64().is_some_and(|watts| watts > 0.0)
            && one["points_reporting"] == one["points_expected"]
    })
}

/// received = stored + queued + quarantined, while readings keep coming.
async fn counters_add_up(demo: &Steward) {
    for _ in 0..3 {
        let before = demo.metric("steward_journal_received_total").await;
        wait_until("more readings", SHORT, async || {
            let received = demo.metric("steward_journal_received_total").await;
            (received > before).then_some(())
        })
        .await;
        wait_until("the counters to add up", SHORT, async || {
            let text = demo.get("/metrics").await.text().await.unwrap();
            let of = |name: &str| {
                let line = text.lines().find(|line| line.starts_with(name)).unwrap();
                line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
            };
            let received = of("steward_journal_received_total ");
            let accounted = of("steward_aggregator_readings_stored_total ")
                + of("steward_aggregator_readings_queued ")
                + of("steward_aggregator_readings_quarantined_total ");
            (received == accounted && received > 2_000_000).then_some(())
        })
        .await;
    }
}

async fn verify_holds_beside_it(data: &str) {
    for _ in 0..2 {
        let words = Steward::once(&["verify", "--data", data])
            .await
            .expect_success();
        assert!(
            words.contains("closure error 0 base units") && words.contains(" 0 faults"),
            "{words}"
        );
        assert!(words.contains("verify: 87 points"), "{words}");
    }
}
