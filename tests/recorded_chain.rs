//! A recorded series of a real meter, read as a register through a Modbus server that is not ours:
//! its total comes out unchanged although the bus is dead for a while, the meter is replaced while it
//! is, and what nobody could explain first waits in the review queue.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod support;

use std::io::Read as _;

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};
use support::{LONG, PymodbusServer, Site, Steward, Table, repo, wait_until};

/// The record has up to seven decimals of a kWh: with a Wh for each last digit nothing is lost.
const DECIMALS: usize = 7;
/// The whole record passes in so many polls before the exchange, and as many after it.
const STEPS: usize = 8;
const UNIT: u8 = 3;

const PROFILE: &str = r#"
maker = "Test"
model = "64-bit register"
source = "of the test"
confidence = "own"
protocol = "modbus"
function = 3

[[quantity]]
name = "energy_import"
address = 0
type = "u64"
scale = 0.001
unit = "kWh"

[[golden]]
[golden.registers]
0 = [0, 0, 0, 1500]
[golden.expect]
energy_import = 1500.0
"#;

fn site(server: &PymodbusServer) -> Site {
    let registry = format!(
        r#"
        institution = [{{ id = "uk", name_zh = "英国", name_en = "UK", province = "浙江", region = "华东" }}]
        building = [{{ id = "house", institution = "uk", name_zh = "楼", name_en = "House" }}]
        gateway = [{{ id = "bus", kind = "modbus_tcp", host = "127.0.0.1", port = {port}, timeout_ms = 500 }}]
        point = [{{ id = "el", building = "house", name_zh = "电", name_en = "Power", commodity = "electricity" }}]
        meter = [{{ id = "m", point = "el", gateway = "bus", profile = "wide", unit_id = {UNIT}, from = 2025-01-01, interval_s = 1 }}]
        "#,
        port = server.port(),
    );
    let settings = "site = { id = \"uk\", name_zh = \"英国\", name_en = \"UK\" }\n\
                    api = { open_on_loopback = true }\n\
                    carbon = { coal_basis = \"calorific\" }\n";
    let site = Site::new(settings, &registry);
    site.write("profiles/wide.toml", PROFILE);
    site
}

/// The register after each part of the record: the amounts of its rows, added up here.
fn registers() -> Vec<i64> {
    let file = std::fs::File::open(repo().join("tests/fixtures/real_meter_halfhourly.csv.gz"));
    let mut text = String::new();
    let mut unpacked = flate2::read::GzDecoder::new(file.unwrap());
    unpacked.read_to_string(&mut text).unwrap();
    let amounts: Vec<i64> = text
        .lines()
        .skip(1)
        .map(|line| {
            let (_, kwh) = line.split_once(',').unwrap();
            let (whole, decimals) = kwh.split_once('.').unwrap();
            format!("{whole}{decimals:0<DECIMALS$}").parse().unwrap()
        })
        .collect();
    let part = amounts.len().div_ceil(2 * STEPS);
    let mut register = 0;
    let sums = amounts.chunks(part).map(|rows| {
        register += rows.iter().sum::<i64>();
        register
    });
    std::iter::once(0).chain(sums.collect::<Vec<_>>()).collect()
}

fn words(register: i64) -> Vec<u16> {
    let bytes = register.to_be_bytes();
    bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect()
}

/// Waits until the last stored reading shows this register.
async fn read(steward: &Steward, register: i64) {
    wait_until(&format!("a reading of {register}"), LONG, async || {
        let answer = steward
            .json("/api/v1/readings?meter=m&quantity=energy_import")
            .await;
        let last = answer["rows"].as_array()?.last()?["value"].as_f64()?;
        (last == register as f64).then_some(())
    })
    .await;
}

/// The sum of the point's years.
async fn total(steward: &Steward) -> i64 {
    let path = "/api/v1/ledger?scope=point:el&commodity=electricity&span=year&from=2020-01-01&to=2060-01-01";
    let answer = steward.json(path).await;
    let rows = answer["rows"].as_array().unwrap();
    rows.iter()
        .map(|row| row["amount_base"].as_i64().unwrap())
        .sum()
}

async fn open_reviews(steward: &Steward) -> Vec<Value> {
    let answer = steward.json("/api/v1/reviews?state=open").await;
    answer["reviews"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_real_total_survives_a_gap_and_a_replacement() {
    let registers = registers();
    let (first_half, second_half) = registers.split_at(STEPS + 1);
    let mut server = PymodbusServer::start(&json!({
        (UNIT.to_string()): {"holding": {"0": words(first_half[0])}},
    }))
    .await;
    let site = site(&server);
    let mut steward = site.start("run").await;
    for register in first_half {
        server.set(UNIT, Table::Holding, 0, &words(*register));
        read(&steward, *register).await;
    }

    // The bus is dead. Energy flows on, and behind the same address another device is put in.
    server.stop();
    let old_last = first_half[STEPS] + 4_321_987;
    let new_first = 777;
    let exchanged_at = Utc::now();
    let shown = |register: i64| register - old_last + new_first;
    server.start_again().await;
    for register in &second_half[..2] {
        server.set(UNIT, Table::Holding, 0, &words(shown(*register)));
        read(&steward, shown(*register)).await;
    }

    // Nobody entered it yet: the fall is a question, and the ledger holds what it knows.
    let reviews = wait_until("the fall to wait for a person", LONG, async || {
        let open = open_reviews(&steward).await;
        (!open.is_empty()).then_some(open)
    })
    .await;
    assert_eq!(reviews[0]["kind"], "fall", "{reviews:?}");
    assert_eq!(total(&steward).await, first_half[STEPS]);

    let kwh = |register: i64| format!("{}.{:03}", register / 1_000, register % 1_000);
    let replace = |old_last: i64| {
        vec![
            "books".to_owned(),
            "replace".to_owned(),
            "--by=Zhang".to_owned(),
            "--reason=verification period over".to_owned(),
            "--point=el".to_owned(),
            format!(
                "--at={}",
                exchanged_at.to_rfc3339_opts(SecondsFormat::Millis, true)
            ),
            "--old-meter=m".to_owned(),
            format!("--old-last={}", kwh(old_last)),
            "--new-meter=m".to_owned(),
            format!("--new-first={}", kwh(new_first)),
        ]
    };
    let run = async |words: Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        site.once(&words).await
    };
    // A last register below what was read is refused, with place and reason, and nothing is entered.
    let refused = run(replace(first_half[STEPS] - 1)).await;
    assert!(
        !refused.status.success() && refused.stderr.contains("old_last"),
        "{}",
        refused.stderr
    );
    run(replace(old_last)).await.expect_success();

    for register in &second_half[2..] {
        server.set(UNIT, Table::Holding, 0, &words(shown(*register)));
        read(&steward, shown(*register)).await;
    }
    let whole = *registers.last().unwrap();
    wait_until("the total of the record", LONG, async || {
        (total(&steward).await == whole).then_some(())
    })
    .await;
    assert!(open_reviews(&steward).await.is_empty());
    assert!(steward.stop().await.success());
    site.verify().await;

    // The mistake is taken back: the ledger is as it was, and the books keep both.
    let mut steward = site.start("run").await;
    run(vec![
        "books".to_owned(),
        "undo".to_owned(),
        "--by=Li".to_owned(),
        "--reason=wrong point".to_owned(),
        "1".to_owned(),
    ])
    .await
    .expect_success();
    wait_until("the ledger to hold again", LONG, async || {
        (total(&steward).await == first_half[STEPS]).then_some(())
    })
    .await;
    assert_eq!(open_reviews(&steward).await.len(), 1);
    let events = steward.json("/api/v1/events").await;
    assert_eq!(events["events"].as_array().unwrap().len(), 2, "{events}");
    assert!(steward.stop().await.success());
    site.verify().await;
}
