//! mosquitto → collector → SQLite → report: what meters said comes out as the differences of their
//! registers, and what nobody can use is kept, told and can be used later.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, FixedOffset, NaiveDate};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use support::{Mosquitto, SHORT, Site, Steward, records_of, seed, wait_until};

const SETTINGS: &str = r#"
[site]
id = "campus"
name_zh = "园区"
name_en = "Campus"

[api]
open_on_loopback = true

[carbon]
coal_basis = "calorific"
gas_coal_series = "gas-field"
"#;

const REGISTRY: &str = r#"
[[institution]]
id = "xz"
name_zh = "行政中心"
name_en = "Administrative centre"
province = "浙江"
region = "华东"
extents = [{ from = 2024-01-01, floor_area_m2 = 8000, energy_users = 250 }]

[[building]]
id = "b1"
institution = "xz"
name_zh = "行政中心1号楼"
name_en = "Building 1"

[[building]]
id = "b2"
institution = "xz"
name_zh = "北楼"
name_en = "North building"

[[gateway]]
id = "broker"
kind = "mqtt"
host = "127.0.0.1"
port = PORT
subscriptions = [{ pattern = "steward/v1/{site}/{gateway}/{meter}/telemetry" }]

[[account]]
id = "water"
institution = "xz"
number = "W-1"
supplier = "水务公司"
commodity = "water"
points = ["b1-water"]
tariff = "water-of-the-town"
"#;

/// A price that changes in the middle of a month.
const TARIFF: &str = r#"
name_zh = "自来水"
name_en = "Water"
commodity = "water"
unit = "CNY/m3"

[[version]]
from = 2024-01-01
to = 2025-12-17
source = "of the test"
confidence = "U"
price = 3.10

[[version]]
from = 2025-12-17
source = "of the test"
confidence = "U"
price = 3.155
"#;

const POINTS: &str = "\
id,building,commodity,name_zh,name_en,subitem,parent
b1-el,b1,electricity,总用电,Electricity,01000,
b1-light,b1,electricity,照明插座,Lighting,01A00,b1-el
b2-el,b2,electricity,总用电,Electricity,01000,
b1-water,b1,water,用水,Water,,
b1-gas,b1,natural_gas,天然气,Natural gas,,
";

const METERS: &str = "\
id,point,gateway,profile,from
b1-el-m,b1-el,broker,steward-json,2025-11-01
b1-light-m,b1-light,broker,steward-json,2025-11-01
b2-el-m,b2-el,broker,steward-json,2025-11-01
b1-water-m,b1-water,broker,steward-json-volume,2025-11-01
b1-gas-m,b1-gas,broker,steward-json-volume,2025-11-01
";

/// Micrograms a base unit, as the documents publish them in kg a kWh or m3.
const ELECTRICITY_COAL: i128 = 122_900;
const GAS_COAL: i128 = 1_214_300;
const GAS_CO2: i128 = 2_162_200;

/// Nano-yuan of a litre.
fn water_price(date: NaiveDate) -> i128 {
    if date < date_of("2025-12-17") {
        3_100_000
    } else {
        3_155_000
    }
}

/// Zhejiang's grid: the value of 2022 until the last day of 2025, then the value of 2023.
fn electricity_co2(date: NaiveDate) -> i128 {
    if date < date_of("2025-12-31") {
        515_300
    } else {
        497_400
    }
}

fn site(broker: &Mosquitto) -> Site {
    let site = Site::new(
        SETTINGS,
        &REGISTRY.replace("PORT", &broker.port().to_string()),
    );
    site.write("points.csv", POINTS);
    site.write("meters.csv", METERS);
    site.write("tariffs/water-of-the-town.toml", TARIFF);
    site
}

fn topic(meter: &str) -> String {
    format!("steward/v1/campus/gw-1/{meter}/telemetry")
}

fn date_of(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

const fn shanghai() -> FixedOffset {
    FixedOffset::east_opt(8 * 3_600).unwrap()
}

/// The second at which a date begins in Shanghai.
fn midnight_s(date: NaiveDate) -> i64 {
    let local = date
        .and_hms_opt(0, 0, 0)
        .unwrap()
        .and_local_timezone(shanghai());
    local.unwrap().timestamp()
}

async fn subscribed(steward: &Steward) {
    wait_until("the collector to be subscribed", SHORT, async || {
        (steward.metric("steward_collector_connected").await? > 0.0).then_some(())
    })
    .await;
}

/// The register of one counter on every hour, in base units.
struct Series {
    meter: &'static str,
    /// What its messages call the counter: thousands of base units.
    field: &'static str,
    registers: BTreeMap<i64, i64>,
}

impl Series {
    fn new(meter: &'static str, field: &'static str, rise_max: i64, rng: &mut StdRng) -> Self {
        let (from, to) = (date_of("2025-11-01"), date_of("2026-02-01"));
        let mut register: i64 = rng.random_range(0..1_000_000_000);
        let mut registers = BTreeMap::new();
        let mut at_s = midnight_s(from);
        while at_s <= midnight_s(to) {
            registers.insert(at_s, register);
            // Nights stand still now and then.
            register += rng.random_range(0..=rise_max).max(rise_max / 4) - rise_max / 4;
            at_s += 3_600;
        }
        Self {
            meter,
            field,
            registers,
        }
    }

    /// The difference of the registers at two midnights.
    fn rise(&self, from: NaiveDate, to: NaiveDate) -> i64 {
        self.registers[&midnight_s(to)] - self.registers[&midnight_s(from)]
    }

    /// One message a reading, some twice, in the order of a line that is not quite one.
    fn messages(&self, rng: &mut StdRng) -> Vec<String> {
        let mut messages = Vec::new();
        for (at_s, register) in &self.registers {
            let (whole, rest) = (register / 1_000, register % 1_000);
            let time = if rng.random_bool(0.5) {
                (at_s * 1_000).to_string()
            } else {
                let at = DateTime::from_timestamp(*at_s, 0).unwrap();
                format!("{:?}", at.with_timezone(&shanghai()).to_rfc3339())
            };
            let message = format!(r#"{{"ts":{time},"{}":{whole}.{rest:03}}}"#, self.field);
            if rng.random_bool(0.02) {
                messages.push(message.clone());
            }
            messages.push(message);
        }
        for near in messages.chunks_mut(6) {
            for last in (1..near.len()).rev() {
                near.swap(last, rng.random_range(0..=last));
            }
        }
        messages
    }
}

struct Month {
    name: &'static str,
    from: NaiveDate,
    to: NaiveDate,
}

fn months() -> [Month; 3] {
    let month = |name, from, to| Month {
        name,
        from: date_of(from),
        to: date_of(to),
    };
    [
        month("2025-11", "2025-11-01", "2025-12-01"),
        month("2025-12", "2025-12-01", "2026-01-01"),
        month("2026-01", "2026-01-01", "2026-02-01"),
    ]
}

/// Micrograms as reports tell them: kilograms to the gram.
fn kg(micrograms: i128) -> f64 {
    ((micrograms + 500_000) / 1_000_000) as f64 / 1_000.0
}

/// Nano-yuan as reports tell them: yuan to the fen.
fn yuan(nano: i128) -> f64 {
    ((nano + 5_000_000) / 10_000_000) as f64 / 100.0
}

/// Amount, standard coal and CO2 of some series in a month; the factor is that of each day.
fn expected(
    series: &[&Series],
    month: &Month,
    coal: i128,
    co2: fn(NaiveDate) -> i128,
) -> [i128; 3] {
    let [amount, co2] = by_day(series, month, co2);
    [amount, amount * coal, co2]
}

/// The amount of some series in a month, and what it makes by the factor or the price of each day.
fn by_day(series: &[&Series], month: &Month, of: fn(NaiveDate) -> i128) -> [i128; 2] {
    let mut sums = [0; 2];
    for date in month.from.iter_days().take_while(|date| *date < month.to) {
        let next = date.succ_opt().unwrap();
        let amount: i128 = series.iter().map(|s| i128::from(s.rise(date, next))).sum();
        sums[0] += amount;
        sums[1] += amount * of(date);
    }
    sums
}

fn commodity<'a>(report: &'a Value, id: &str) -> &'a Value {
    let mut all = report["commodities"].as_array().unwrap().iter();
    all.find(|entry| entry["commodity"] == id)
        .unwrap_or_else(|| panic!("no {id} in {report}"))
}

fn part<'a>(parts: &'a Value, key: &str) -> &'a Value {
    let mut all = parts.as_array().unwrap().iter();
    all.find(|part| part["key"] == key)
        .unwrap_or_else(|| panic!("no {key} in {parts}"))
}

fn assert_measure(what: &str, entry: &Value, [amount, coal, co2]: [i128; 3]) {
    assert_eq!(entry["amount_base"], amount as i64, "{what}");
    assert_eq!(entry["amount"]["value"], amount as f64 / 1_000.0, "{what}");
    assert_eq!(entry["kgce"]["value"], kg(coal), "{what}");
    assert_eq!(entry["co2_kg"]["value"], kg(co2), "{what}");
}

async fn report(site: &Site, month: &str, format: &str) -> String {
    let words = [
        "report",
        "--institution",
        "xz",
        "--month",
        month,
        "--format",
        format,
    ];
    site.once(&words).await.expect_success()
}

/// The value of one row of the CSV: by section, commodity and key.
fn cell<'a>(rows: &'a [Vec<String>], of: [&str; 3], column: &str) -> &'a str {
    let index = |name: &str| {
        let found = rows[0].iter().position(|title| title.ends_with(name));
        found.unwrap_or_else(|| panic!("no column {name}"))
    };
    let place = [index(" section"), index(" commodity"), index(" key")];
    let mut found = rows
        .iter()
        .filter(|row| (0..3).all(|i| row[place[i]] == of[i]));
    let row = found.next().unwrap_or_else(|| panic!("no row {of:?}"));
    assert!(found.next().is_none(), "{of:?} stands twice");
    &row[index(column)]
}

fn assert_reports_agree(json: &Value, csv: &str) {
    let csv = csv
        .strip_prefix('\u{feff}')
        .expect("a mark at the beginning of the CSV");
    let rows = records_of(csv);
    let number = |of, column| cell(&rows, of, column).parse::<f64>().unwrap();
    for id in ["electricity", "natural_gas"] {
        let entry = commodity(json, id);
        let of = ["commodity", id, ""];
        assert_eq!(entry["amount"]["value"], number(of, " value"));
        assert_eq!(entry["kgce"]["value"], number(of, " kgce"));
        assert_eq!(entry["co2_kg"]["value"], number(of, " co2_kg"));
        assert_eq!(entry["coverage"], number(of, " coverage"));
        assert_eq!(entry["quality"]["manual"], number(of, " manual_share"));
        assert_eq!(cell(&rows, of, " cost_cny"), "", "{id} has no tariff");
    }
    let water = ["commodity", "water", ""];
    assert_eq!(
        cell(&rows, water, " kgce"),
        "",
        "water counts no standard coal"
    );
    let cost = &commodity(json, "water")["cost"]["value"];
    assert_eq!(cost, number(water, " cost_cny"));
    let carbon = number(["total", "", "carbon"], " value");
    assert_eq!(json["totals"]["co2_kg"]["value"], carbon);
    let north = part(&commodity(json, "electricity")["buildings"], "b2");
    assert_eq!(
        north["amount"],
        number(["building", "electricity", "b2"], " value")
    );
}

#[tokio::test]
async fn a_month_is_the_difference_of_registers() {
    let mut rng = StdRng::seed_from_u64(seed());
    let el1 = Series::new("b1-el-m", "energy_import", 80_000, &mut rng);
    let light = Series::new("b1-light-m", "energy_import", 9_000, &mut rng);
    let el2 = Series::new("b2-el-m", "energy_import", 30_000, &mut rng);
    let water = Series::new("b1-water-m", "volume", 2_000, &mut rng);
    let gas = Series::new("b1-gas-m", "volume", 5_000, &mut rng);

    let broker = Mosquitto::start().await;
    let site = site(&broker);
    let mut steward = site.start("run").await;
    subscribed(&steward).await;
    let (mut sent, mut different) = (0, 0);
    for series in [&el1, &light, &el2, &water, &gas] {
        let messages = series.messages(&mut rng);
        sent += messages.len() as u64;
        different += series.registers.len() as u64;
        broker
            .publish_lines(&topic(series.meter), &(messages.join("\n") + "\n"))
            .await;
    }
    site.settled(sent).await;
    let counts = site.verify().await;
    assert_eq!((counts.received, counts.stored), (sent, different));
    assert_eq!(counts.duplicates, sent - different);

    let mut last_month: Option<f64> = None;
    for month in months() {
        let json: Value = serde_json::from_str(&report(&site, month.name, "json").await).unwrap();
        assert_eq!(
            (&json["month"], &json["month_over"], &json["state"]),
            (&month.name.into(), &true.into(), &"open".into())
        );
        assert_eq!(json["adjustments"], Value::Array(Vec::new()));
        let electricity = expected(&[&el1, &el2], &month, ELECTRICITY_COAL, electricity_co2);
        let heating = expected(&[&gas], &month, GAS_COAL, |_| GAS_CO2);
        let entry = commodity(&json, "electricity");
        assert_measure(month.name, entry, electricity);
        assert_measure(month.name, commodity(&json, "natural_gas"), heating);
        assert_eq!(
            json["totals"]["kgce"]["value"],
            kg(electricity[1] + heating[1])
        );
        assert_eq!(
            json["totals"]["co2_kg"]["value"],
            kg(electricity[2] + heating[2])
        );
        assert_eq!(entry["coverage"], 1.0);
        for unknown in ["estimated", "manual"] {
            assert_eq!(entry["quality"][unknown], 0.0);
        }
        assert_eq!(entry["cost"]["missing"], "no_tariff");
        assert_eq!(json["totals"]["cost"]["missing"], "no_tariff");
        assert_eq!(
            entry["amount"]["against_last_month"]["value"].as_f64(),
            last_month
        );
        last_month = entry["amount"]["value"].as_f64();

        let north = part(&entry["buildings"], "b2");
        assert_eq!(north["amount_base"], el2.rise(month.from, month.to));
        let lights = light.rise(month.from, month.to);
        assert_eq!(part(&entry["subitems"], "01A00")["amount_base"], lights);
        let litres = commodity(&json, "water");
        assert_eq!(litres["amount_base"], water.rise(month.from, month.to));
        assert_eq!(litres["kgce"]["missing"], "not_counted");
        let [_, cost] = by_day(&[&water], &month, water_price);
        assert_eq!(litres["cost"]["value"], yuan(cost));
        let both = month.name == "2025-12";
        let used = |entry: &Value, ids: &str, id: &str| {
            let ids = entry[ids].as_array().unwrap();
            ids.iter().any(|used| used == id)
        };
        for (entry, ids, before, after) in [
            (
                entry,
                "factor_ids",
                "cn-grid-zhejiang-2022",
                "cn-grid-zhejiang-2023",
            ),
            (
                litres,
                "tariff_ids",
                "water-of-the-town@2024-01-01",
                "water-of-the-town@2025-12-17",
            ),
        ] {
            let is_early = month.name == "2025-11";
            assert_eq!(used(entry, ids, before), both || is_early, "{entry}");
            assert_eq!(used(entry, ids, after), both || !is_early, "{entry}");
        }

        assert_reports_agree(&json, &report(&site, month.name, "csv").await);
        // The api tells the same document as the command.
        let path = format!("/api/v1/reports/monthly/xz/{}?format=json", month.name);
        assert_eq!(
            steward.json(&path).await["content_sha256"],
            json["content_sha256"]
        );
    }
    assert!(steward.stop().await.success());
}

/// Messages that nobody can use, with the word under which each has to be found.
fn garbage(now_ms: i64) -> Vec<(&'static str, Vec<u8>)> {
    let past = now_ms - 3_600_000;
    let future = now_ms + 86_400_000;
    vec![
        ("not_json", b"this is no JSON".to_vec()),
        (
            "not_json",
            format!(r#"{{"ts":{past},"energy_import":NaN}}"#).into_bytes(),
        ),
        (
            "not_a_number",
            format!(r#"{{"ts":{past},"energy_import":"NaN"}}"#).into_bytes(),
        ),
        (
            "out_of_range",
            format!(r#"{{"ts":{past},"energy_import":1e999}}"#).into_bytes(),
        ),
        (
            "missing_field",
            format!(r#"{{"ts":{past},"energy":5}}"#).into_bytes(),
        ),
        (
            "future",
            format!(r#"{{"ts":{future},"energy_import":1}}"#).into_bytes(),
        ),
        ("not_utf8", vec![0xff, 0xfe, 0x00, 0x7b]),
        ("empty", b"  ".to_vec()),
    ]
}

/// How many items the list shows under each reason.
fn reasons(list: &str) -> BTreeMap<String, usize> {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for line in list.lines().filter(|line| line.starts_with('#')) {
        let word = line.split(' ').find_map(|word| word.strip_suffix(':'));
        *reasons.entry(word.unwrap().to_owned()).or_default() += 1;
    }
    reasons
}

#[tokio::test]
async fn what_cannot_be_used_is_kept_told_and_replayed_after_the_mending() {
    let broker = Mosquitto::start().await;
    let site = site(&broker);
    let mut steward = site.start("run").await;
    subscribed(&steward).await;
    let now_ms = chrono::Utc::now().timestamp_millis();
    let good = format!(r#"{{"ts":{},"energy_import":100}}"#, now_ms - 7_200_000);
    broker.publish(&topic("b1-el-m"), good.as_bytes()).await;

    let mut expected: BTreeMap<String, usize> = BTreeMap::new();
    for (reason, payload) in garbage(now_ms) {
        broker.publish(&topic("b1-el-m"), &payload).await;
        *expected.entry(reason.to_owned()).or_default() += 1;
    }
    let unusable = expected.values().sum::<usize>();
    // A meter that the registry does not know yet: 25 hourly registers of a day of last winter.
    let begin_s = midnight_s(date_of("2026-01-10"));
    let mut ghosts = String::new();
    for hour in 0..=24 {
        let ts = (begin_s + hour * 3_600) * 1_000;
        writeln!(
            ghosts,
            r#"{{"ts":{ts},"energy_import":{}.125}}"#,
            500 + 3 * hour
        )
        .unwrap();
    }
    broker.publish_lines(&topic("ghost-m"), &ghosts).await;
    expected.insert("unknown_meter".to_owned(), 25);

    site.settled(1 + unusable as u64 + 25).await;
    let list = site.once(&["quarantine", "list"]).await.expect_success();
    assert_eq!(reasons(&list), expected, "{list}");
    assert!(
        list.contains("this is no JSON") && list.contains("ff fe 00 7b"),
        "{list}"
    );
    assert!(list.contains(&topic("ghost-m")), "{list}");
    let total = format!("{} 条隔离数据", unusable + 25);
    assert!(list.lines().last().unwrap().starts_with(&total), "{list}");
    let labelled = steward.get("/metrics").await.text().await.unwrap();
    assert!(
        labelled.contains(r#"steward_collector_quarantined_total{reason="unknown_meter"} 25"#),
        "{labelled}"
    );
    let counts = site.verify().await;
    assert_eq!(
        (counts.stored, counts.quarantined),
        (1, unusable as u64 + 25)
    );
    assert!(steward.stop().await.success());

    // Nothing was mended yet, so nothing moves.
    let replay = site.once(&["quarantine", "replay"]).await.expect_success();
    assert!(replay.contains("0 条重放 replayed"), "{replay}");

    let point = "ghost,b2,electricity,新表,New meter,01B00,b2-el\n";
    site.write("points.csv", &format!("{POINTS}{point}"));
    let meter = "ghost-m,ghost,broker,steward-json,2026-01-01\n";
    site.write("meters.csv", &format!("{METERS}{meter}"));
    let replay = site.once(&["quarantine", "replay"]).await.expect_success();
    let last = format!("25 条重放 replayed, {unusable} 条保留 still set aside\n");
    assert!(replay.ends_with(&last), "{replay}");
    let mut steward = site.start("run").await;
    let path = "/api/v1/ledger?scope=point:ghost&commodity=electricity&span=day\
                &from=2026-01-01&to=2026-02-01";
    let day = wait_until("the replayed readings in the ledger", SHORT, async || {
        let answer = steward.json(path).await;
        answer["rows"].as_array().unwrap().first().cloned()
    })
    .await;
    site.settled(1 + unusable as u64 + 25).await;
    assert_eq!(day["start"], "2026-01-10T00:00:00+08:00");
    assert_eq!(steward.json(path).await["rows"][0]["amount_base"], 72_000);

    let list = site.once(&["quarantine", "list"]).await.expect_success();
    expected.remove("unknown_meter");
    assert_eq!(reasons(&list), expected, "{list}");
    let counts = site.verify().await;
    assert_eq!((counts.stored, counts.quarantined), (26, unusable as u64));
    assert_eq!((counts.duplicates, counts.replayed), (0, 25));
    assert!(steward.stop().await.success());
}
