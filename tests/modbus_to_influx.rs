//! A Modbus server that is not ours → journal → ledger → InfluxDB 2 → the api, over either store.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod support;

use chrono::{DateTime, Days, FixedOffset, NaiveDate, Utc};
use serde_json::{Value, json};
use support::{Influx, LONG, PymodbusServer, SHORT, Site, Steward, Table, wait_until};

const REGISTRY: &str = r#"
[[institution]]
id = "xz"
name_zh = "行政中心"
name_en = "Administrative centre"
province = "浙江"
region = "华东"

[[building]]
id = "b"
institution = "xz"
name_zh = "行政中心2号楼"
name_en = "Building 2"

[[gateway]]
id = "bus"
kind = "modbus_tcp"
host = "127.0.0.1"
port = PORT
timeout_ms = 500

[[point]]
id = "el"
building = "b"
name_zh = "总用电"
name_en = "Electricity"
commodity = "electricity"
subitem = "01000"

[[point]]
id = "water"
building = "b"
name_zh = "用水"
name_en = "Water"
commodity = "water"

[[account]]
id = "grid"
institution = "xz"
number = "1"
supplier = "供电公司"
commodity = "electricity"
points = ["el"]
tariff = "one-price"

[[meter]]
id = "el-m"
point = "el"
gateway = "bus"
profile = "eastron-sdm630"
unit_id = 1
from = 2025-01-01
interval_s = 1

[[meter]]
id = "water-m"
point = "water"
gateway = "bus"
profile = "generic-volume-u32"
unit_id = 17
from = 2025-01-01
interval_s = 1
"#;

const TARIFF: &str = r#"
name_zh = "一口价"
name_en = "One price"
commodity = "electricity"
unit = "CNY/kWh"

[[version]]
from = 2025-01-01
source = "of the test"
confidence = "U"
price = 0.642537
"#;

/// The units of the two meters.
const EL: u8 = 1;
const WATER: u8 = 17;

fn settings(more: &str) -> String {
    format!(
        r#"
        [site]
        id = "line"
        name_zh = "试验"
        name_en = "Line"
        [carbon]
        coal_basis = "calorific"
        {more}
        "#
    )
}

fn site(server: &PymodbusServer, more: &str) -> Site {
    let site = Site::new(
        &settings(more),
        &REGISTRY.replace("PORT", &server.port().to_string()),
    );
    site.write("tariffs/one-price.toml", TARIFF);
    site
}

/// The two words of a big-endian float.
fn float(value: f32) -> [u16; 2] {
    words(value.to_bits())
}

fn words(value: u32) -> [u16; 2] {
    [(value >> 16) as u16, (value & 0xffff) as u16]
}

/// A three-phase meter of 1000 kWh with a load of 4.2 kW, and a water meter of 1000 m3.
async fn server() -> PymodbusServer {
    let mut input = [0_u16; 0x4c];
    let mut put = |address: usize, value: f32| {
        input[address..address + 2].copy_from_slice(&float(value));
    };
    put(0x00, 230.5);
    put(0x02, 229.75);
    put(0x04, 231.25);
    put(0x34, 4_200.0);
    put(0x46, 50.0);
    put(0x48, 1_000.0);
    put(0x4a, 0.25);
    let [high, low] = words(1_000_000);
    PymodbusServer::start(&json!({
        "1": {"input": {"0": input.to_vec()}},
        "17": {"holding": {"0": [high, low, 0, 1500]}},
    }))
    .await
}

async fn readings(steward: &Steward, meter: &str, quantity: &str) -> Vec<Value> {
    let path = format!("/api/v1/readings?meter={meter}&quantity={quantity}");
    steward.json(&path).await["rows"]
        .as_array()
        .unwrap()
        .clone()
}

/// Waits until the last reading has this value, and answers it.
async fn last_is(steward: &Steward, meter: &str, quantity: &str, value: f64) -> Value {
    let what = format!("{quantity} of {meter} to be {value}");
    wait_until(&what, SHORT, async || {
        let rows = readings(steward, meter, quantity).await;
        rows.last().filter(|row| row["value"] == value).cloned()
    })
    .await
}

/// Waits for so many more readings of a meter.
async fn goes_on(steward: &Steward, meter: &str, quantity: &str, more: usize) {
    let before = readings(steward, meter, quantity).await.len();
    let what = format!("{more} more readings of {meter}");
    wait_until(&what, SHORT, async || {
        let now = readings(steward, meter, quantity).await.len();
        (now >= before + more).then_some(())
    })
    .await;
}

async fn meter(steward: &Steward, id: &str) -> Value {
    let answer = steward.json("/api/v1/meters").await;
    let mut all = answer["meters"].as_array().unwrap().iter();
    all.find(|meter| meter["id"] == id).unwrap().clone()
}

/// The local dates around today: the test may run over midnight.
fn dates() -> (NaiveDate, NaiveDate) {
    let zone = FixedOffset::east_opt(8 * 3_600).unwrap();
    let today = Utc::now().with_timezone(&zone).date_naive();
    (today - Days::new(1), today + Days::new(2))
}

fn ledger_path(scope: &str, commodity: &str, span: &str) -> String {
    let (from, to) = dates();
    format!("/api/v1/ledger?scope={scope}&commodity={commodity}&span={span}&from={from}&to={to}")
}

async fn amount(steward: &Steward, point: &str, commodity: &str) -> i64 {
    let path = ledger_path(&format!("point:{point}"), commodity, "interval");
    let answer = steward.json(&path).await;
    let rows = answer["rows"].as_array().unwrap().iter();
    rows.map(|row| row["amount_base"].as_i64().unwrap()).sum()
}

async fn amount_is(steward: &Steward, point: &str, commodity: &str, base: i64) {
    let what = format!("{base} base units of {commodity}");
    wait_until(&what, SHORT, async || {
        (amount(steward, point, commodity).await == base).then_some(())
    })
    .await;
}

/// Two programs asked the same. An answer that changes while it is compared (an interval ends) is
/// asked for again.
async fn assert_same(one: &Steward, other: &Steward, path: &str, part: fn(Value) -> Value) {
    for _ in 0..5 {
        let before = part(one.json(path).await);
        let answer = part(other.json(path).await);
        if before == part(one.json(path).await) {
            assert_eq!(before, answer, "{path}");
            return;
        }
    }
    panic!("{path} does not stand still");
}

/// What stores tell of meters; how meters answer is known to the collector's process alone.
fn latest(answer: Value) -> Value {
    let meters = answer["meters"].as_array().unwrap().iter();
    meters
        .map(|meter| json!([meter["id"], meter["latest"]]))
        .collect()
}

/// What both stores know of the ledger: findings are kept in the working store alone, so whether a
/// figure is provisional is known there and null elsewhere.
fn figures(mut answer: Value) -> Value {
    for row in answer["rows"].as_array_mut().unwrap() {
        let provisional = row.as_object_mut().unwrap().remove("provisional");
        assert!(
            matches!(provisional, Some(Value::Null | Value::Bool(false))),
            "{row}"
        );
    }
    answer
}

async fn published(steward: &Steward) {
    wait_until("everything to be published", LONG, async || {
        let names = [
            "steward_aggregator_readings_queued",
            "steward_aggregator_days_dirty",
            "steward_publisher_waiting_rows",
        ];
        let mut waiting = 0.0;
        for name in names {
            waiting += steward.metric(name).await?;
        }
        (waiting == 0.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn both_stores_answer_what_the_registers_hold() {
    let mut server = server().await;
    let influx = Influx::start().await;
    let link = format!(
        "[influx]\nurl = \"{}\"\norg = \"{}\"\ntoken = \"${{INFLUX_TOKEN}}\"\n",
        influx.url(),
        Influx::ORG
    );
    let site = site(&server, &format!("[api]\nopen_on_loopback = true\n{link}"));
    let secret = [("INFLUX_TOKEN", influx.token())];
    let setup = ["influx", "setup", "--config", site.arg()];
    let made = Steward::once_with_env(&setup, &secret)
        .await
        .expect_success();
    assert!(
        made.contains("`readings`") && made.contains("`ledger`"),
        "{made}"
    );
    let again = Steward::once_with_env(&setup, &secret)
        .await
        .expect_success();
    assert!(again.contains("everything was there"), "{again}");

    let mut steward =
        Steward::prepare(&["run", "--config", site.arg()]).with_env("INFLUX_TOKEN", influx.token());
    steward.start_again().await;
    last_is(&steward, "el-m", "energy_import", 1_000_000.0).await;
    last_is(&steward, "el-m", "power", 4_200.0).await;
    last_is(&steward, "water-m", "volume", 1_000_000.0).await;
    // What changes shows up, in Wh and litres.
    server.set(EL, Table::Input, 0x48, &float(1_012.5));
    server.set(WATER, Table::Holding, 0, &words(1_000_250));
    last_is(&steward, "el-m", "energy_import", 1_012_500.0).await;
    last_is(&steward, "water-m", "volume", 1_000_250.0).await;
    amount_is(&steward, "el", "electricity", 12_500).await;
    amount_is(&steward, "water", "water", 250).await;

    // The line is cut, so that both stores can come to rest with the same.
    server.stop();
    wait_until("the collector to see it", SHORT, async || {
        (meter(&steward, "el-m").await["state"] != "online").then_some(())
    })
    .await;
    published(&steward).await;
    let second = site_reading_influx(&server, &link);
    let mut other = Steward::prepare(&["api", "--config", second.arg()])
        .with_env("INFLUX_TOKEN", influx.token());
    other.start_again().await;
    last_is(&other, "el-m", "energy_import", 1_012_500.0).await;

    for (meter, quantity) in [
        ("el-m", "energy_import"),
        ("el-m", "energy_export"),
        ("el-m", "power"),
        ("el-m", "voltage_l3"),
        ("water-m", "volume"),
        ("water-m", "flow"),
    ] {
        let (from, to) = dates();
        let path =
            format!("/api/v1/readings?meter={meter}&quantity={quantity}&from={from}&to={to}");
        assert_same(&steward, &other, &path, |answer| answer).await;
        assert!(
            readings(&other, meter, quantity).await.len() >= 2,
            "{meter} {quantity}"
        );
    }
    assert_same(&steward, &other, "/api/v1/meters", latest).await;
    for span in ["interval", "hour", "day", "month", "year"] {
        for (scope, commodity) in [("point:el", "electricity"), ("institution:xz", "water")] {
            let mut path = ledger_path(scope, commodity, span);
            if matches!(span, "month" | "year") {
                // Months and years begin before yesterday.
                path = path.replace(&format!("from={}", dates().0), "from=2025-01-01");
            }
            assert_same(&steward, &other, &path, figures).await;
            let (here, there) = (steward.json(&path).await, other.json(&path).await);
            assert_eq!(here["rows"][0]["provisional"], false, "{path}");
            assert_eq!(there["rows"][0]["provisional"], Value::Null, "{path}");
            let has_price = commodity == "electricity";
            assert_eq!(
                there["rows"][0]["cost_cny"].is_string(),
                has_price,
                "{there}"
            );
        }
    }
    assert_eq!(amount(&other, "el", "electricity").await, 12_500);
    let zone = FixedOffset::east_opt(8 * 3_600).unwrap();
    let month = Utc::now().with_timezone(&zone).format("%Y-%m");
    let report = format!("/api/v1/reports/monthly/xz/{month}?format=json");
    assert_same(&steward, &other, &report, |answer| {
        answer["content_sha256"].clone()
    })
    .await;

    assert_influx_holds_the_same(&influx, &steward).await;
    assert!(other.stop().await.success());
    assert!(steward.stop().await.success());
    let verify = ["verify", "--config", site.arg()];
    let proof = Steward::once_with_env(&verify, &secret)
        .await
        .expect_success();
    assert!(
        proof.contains("queued 0") && proof.contains("closure error 0"),
        "{proof}"
    );
}

/// The same site with data of its own, which stay empty: it can only answer from InfluxDB.
fn site_reading_influx(server: &PymodbusServer, link: &str) -> Site {
    site(
        server,
        &format!("[api]\nopen_on_loopback = true\nread_from = \"influx\"\n{link}"),
    )
}

/// InfluxDB's own rows, asked without our code, are the api's readings.
async fn assert_influx_holds_the_same(influx: &Influx, steward: &Steward) {
    let flux = r#"from(bucket: "readings") |> range(start: 0)
        |> filter(fn: (r) => r._measurement == "reading" and r._field == "value")
        |> filter(fn: (r) => r.meter == "el-m" and r.quantity == "energy_import")
        |> sort(columns: ["_time"])"#;
    let stored: Vec<(i64, f64)> = influx
        .query(flux)
        .await
        .iter()
        .map(|row| {
            let at = DateTime::parse_from_rfc3339(&row["_time"]).unwrap();
            (at.timestamp_millis(), row["_value"].parse().unwrap())
        })
        .collect();
    let answered: Vec<(i64, f64)> = readings(steward, "el-m", "energy_import")
        .await
        .iter()
        .map(|row| {
            let at = DateTime::parse_from_rfc3339(row["at"].as_str().unwrap()).unwrap();
            (at.timestamp_millis(), row["value"].as_f64().unwrap())
        })
        .collect();
    assert_eq!(stored, answered);
    let flux = r#"from(bucket: "ledger") |> range(start: 0, stop: 2100-01-01T00:00:00Z)
        |> filter(fn: (r) => r._measurement == "energy" and r._field == "amount_base")
        |> filter(fn: (r) => r.point == "el" and r.span == "year") |> group() |> sum()"#;
    let sum = influx.query(flux).await;
    assert_eq!(sum[0]["_value"].parse(), Ok(12_500.0));
    for (field, wanted) in [("kgce", 12.5 * 0.1229), ("cost", 12.5 * 0.642_537)] {
        let flux = flux.replace("amount_base", field);
        let found: f64 = influx.query(&flux).await[0]["_value"].parse().unwrap();
        assert!((found - wanted).abs() < 1e-9, "{field} {found}");
    }
    let flux = flux.replace("amount_base", "cost_ncny");
    assert_eq!(influx.query(&flux).await[0]["_value"], "8031712500");
}

#[tokio::test]
async fn a_unit_that_fails_does_not_stop_its_neighbour() {
    let mut server = server().await;
    let site = site(&server, "[api]\nopen_on_loopback = true\n");
    let mut steward = site.start("run").await;
    last_is(&steward, "el-m", "energy_import", 1_000_000.0).await;
    last_is(&steward, "water-m", "volume", 1_000_000.0).await;

    // It answers that it has failed.
    server.set_exception(WATER, Some(4));
    let failed = wait_until("the water meter to be told as failing", SHORT, async || {
        let meter = meter(&steward, "water-m").await;
        (meter["state"] == "backed_off").then_some(meter)
    })
    .await;
    let why = failed["last_error"].as_str().unwrap();
    assert!(why.contains("exception 4"), "{why}");
    goes_on(&steward, "el-m", "energy_import", 3).await;
    assert_eq!(meter(&steward, "el-m").await["state"], "online");
    server.set_exception(WATER, None);
    goes_on(&steward, "water-m", "volume", 1).await;

    // It answers nothing: every call runs into its timeout and costs the connection.
    server.set_delay_ms(WATER, 600_000);
    let silent = wait_until("the water meter to be silent", SHORT, async || {
        let meter = meter(&steward, "water-m").await;
        (meter["state"] == "backed_off").then_some(meter)
    })
    .await;
    let why = silent["last_error"].as_str().unwrap();
    assert!(why.contains("no answer within 500ms"), "{why}");
    server.set(EL, Table::Input, 0x48, &float(1_000.5));
    last_is(&steward, "el-m", "energy_import", 1_000_500.0).await;
    goes_on(&steward, "el-m", "energy_import", 3).await;
    server.set_delay_ms(WATER, 0);
    server.set(WATER, Table::Holding, 0, &words(1_000_001));
    last_is(&steward, "water-m", "volume", 1_000_001.0).await;

    // One register begins to hold no number: it alone is set aside.
    server.set(EL, Table::Input, 0x34, &float(f32::NAN));
    wait_until("the quarantine", SHORT, async || {
        let count = steward
            .metric("steward_collector_quarantined_total")
            .await?;
        (count > 0.0).then_some(())
    })
    .await;
    goes_on(&steward, "el-m", "energy_import", 2).await;
    let list = site.once(&["quarantine", "list"]).await.expect_success();
    assert!(list.contains("el-m/power not_a_number: "), "{list}");
    server.set(EL, Table::Input, 0x34, &float(-17.5));
    last_is(&steward, "el-m", "power", -17.5).await;

    // The whole gateway goes and comes; afterwards both are read, without a person.
    server.stop();
    wait_until("both to be told as failing", SHORT, async || {
        let states = [
            meter(&steward, "el-m").await,
            meter(&steward, "water-m").await,
        ];
        states
            .iter()
            .all(|meter| meter["state"] == "backed_off")
            .then_some(())
    })
    .await;
    server.start_again().await;
    goes_on(&steward, "el-m", "energy_import", 1).await;
    goes_on(&steward, "water-m", "volume", 1).await;
    assert!(steward.stop().await.success());
    site.verify().await;
}
