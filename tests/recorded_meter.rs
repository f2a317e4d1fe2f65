//! A recorded series of a real meter: replayed by mosquitto's own client as a rising register, its
//! sums come out of ledger and report unchanged, to the last digit of the record.
//!
//! What is expected is added up here from the file, by rules written here.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveDateTime, Utc, Weekday};
use serde_json::Value;
use support::{Mosquitto, Site, Steward, repo};

const HALF_HOUR_S: i64 = 1_800;
const WEEK_S: i64 = 7 * 86_400;

/// The record has up to seven decimals of a kWh: with a Wh for each last digit nothing is lost.
const DECIMALS: usize = 7;

const FACTORS: &str = r#"
[[factor]]
id = "gb-co2"
commodity = "electricity"
kind = "co2"
series = "average"
level = "province"
region = "GB"
value = 0.5
unit = "kgCO2/kWh"
document = "of the test"
valid_from = 2012-01-01
confidence = "U"

[[factor]]
id = "gb-coal"
commodity = "electricity"
kind = "coal_calorific"
series = "average"
level = "province"
region = "GB"
value = 0.1229
unit = "kgce/kWh"
document = "of the test"
valid_from = 2012-01-01
confidence = "U"
"#;

fn site(broker: &Mosquitto, from: NaiveDate) -> Site {
    let registry = format!(
        r#"
        institution = [{{ id = "uk", name_zh = "英国", name_en = "UK", province = "GB", region = "GB" }}]
        building = [{{ id = "house", institution = "uk", name_zh = "楼", name_en = "House" }}]
        gateway = [{{ id = "broker", kind = "mqtt", host = "127.0.0.1", port = {port}, subscriptions = [
            {{ pattern = "record/{{meter}}" }},
        ] }}]
        point = [{{ id = "el", building = "house", name_zh = "电", name_en = "Power", commodity = "electricity" }}]
        meter = [{{ id = "m", point = "el", gateway = "broker", profile = "steward-json", from = {from} }}]
        "#,
        port = broker.port(),
    );
    let settings = "site = { id = \"uk\", name_zh = \"英国\", name_en = \"UK\", zone = \"Europe/London\" }\n\
                    api = { open_on_loopback = true }\n\
                    carbon = { coal_basis = \"calorific\" }\n";
    let site = Site::new(settings, &registry);
    site.write("factors/gb.toml", FACTORS);
    site
}

/// One row: the half hour's first second, and its amount in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    start_s: i64,
    amount: i64,
}

impl Row {
    fn end_s(self) -> i64 {
        self.start_s + HALF_HOUR_S
    }
}

/// The rows as they stand in the file, moved by whole weeks: what is older than ten years is set
/// aside, and clocks before 2015 count as never set. 313 weeks are six years to the day with the
/// same weekdays; 261 more are five years, less a day.
fn record() -> Vec<Row> {
    let file = std::fs::File::open(repo().join("tests/fixtures/real_meter_halfhourly.csv.gz"));
    let mut text = String::new();
    let mut unpacked = flate2::read::GzDecoder::new(file.unwrap());
    unpacked.read_to_string(&mut text).unwrap();
    let mut rows: Vec<Row> = text.lines().skip(1).map(row).collect();
    let nine_years_ago_s = Utc::now().timestamp() - 9 * 366 * 86_400;
    let mut weeks = 313;
    while rows[0].start_s + weeks * WEEK_S < nine_years_ago_s {
        weeks += 261;
    }
    println!("the record is moved by {weeks} weeks");
    for row in &mut rows {
        row.start_s += weeks * WEEK_S;
    }
    rows
}

fn row(line: &str) -> Row {
    let (start, kwh) = line.split_once(',').unwrap();
    let start = NaiveDateTime::parse_from_str(start, "%Y-%m-%d %H:%M:%S").unwrap();
    let (whole, decimals) = kwh.split_once('.').unwrap();
    assert!(decimals.len() <= DECIMALS, "{line}");
    Row {
        start_s: start.and_utc().timestamp(),
        amount: format!("{whole}{decimals:0<DECIMALS$}").parse().unwrap(),
    }
}

/// The local date in London: an hour ahead from the last Sunday of March, 01:00 UTC, to that of
/// October.
fn local_date(at_s: i64) -> NaiveDate {
    let utc = DateTime::from_timestamp(at_s, 0).unwrap();
    let change_s = |month: u32| {
        let mut day = NaiveDate::from_ymd_opt(utc.year(), month, 31).unwrap();
        while day.weekday() != Weekday::Sun {
            day = day - Days::new(1);
        }
        day.and_hms_opt(1, 0, 0).unwrap().and_utc().timestamp()
    };
    let is_summer = (change_s(3)..change_s(10)).contains(&at_s);
    let local = utc + chrono::Duration::hours(i64::from(is_summer));
    local.date_naive()
}

/// `2019-04`.
fn month(at_s: i64) -> String {
    local_date(at_s).format("%Y-%m").to_string()
}

/// What ledger and report have to say, from the rows alone.
#[derive(Debug, Default)]
struct Expected {
    total: i64,
    years: BTreeMap<String, i64>,
    months: BTreeMap<String, i64>,
    /// What came over a hole of half an hour, and over one of a day: known only as a sum.
    interpolated: i64,
    estimated: i64,
}

fn expected(rows: &[Row]) -> Expected {
    let mut expected = Expected::default();
    for (index, row) in rows.iter().enumerate() {
        let before = index
            .checked_sub(1)
            .map_or(row.start_s, |i| rows[i].end_s());
        let month = month(row.start_s);
        assert_eq!(month, self::month(before), "no hole crosses a month");
        expected.total += row.amount;
        *expected.years.entry(month[..4].to_owned()).or_default() += row.amount;
        *expected.months.entry(month).or_default() += row.amount;
        match row.start_s - before {
            0 => {}
            HALF_HOUR_S => expected.interpolated += row.amount,
            _ => expected.estimated += row.amount,
        }
    }
    expected
}

/// The register at the end of every row that the meter recorded, as messages.
fn messages(rows: &[Row]) -> String {
    let mut register = 0;
    let mut lines = String::new();
    let mut push = |at_s: i64, register: i64| {
        let (kwh, wh) = (register / 1_000, register % 1_000);
        let ts = at_s * 1_000;
        writeln!(lines, r#"{{"ts":{ts},"energy_import":{kwh}.{wh:03}}}"#).unwrap();
    };
    push(rows[0].start_s, register);
    for (index, row) in rows.iter().enumerate() {
        // A row that stands twice is one amount: its message is sent twice.
        let is_copy = index > 0 && rows[index - 1].start_s == row.start_s;
        if !is_copy {
            register += row.amount;
        }
        push(row.end_s(), register);
    }
    lines
}

/// The rows of a ledger answer by the first letters of their start.
fn by_start(answer: &Value, letters: usize) -> BTreeMap<String, i64> {
    let rows = answer["rows"].as_array().unwrap().iter();
    rows.map(|row| {
        let start = row["start"].as_str().unwrap()[..letters].to_owned();
        (start, row["amount_base"].as_i64().unwrap())
    })
    .collect()
}

/// The sums of all intervals by quality: measured, interpolated, estimated.
async fn by_quality(steward: &Steward, years: &[i32]) -> [i64; 3] {
    let mut sums = [0; 3];
    for year in years {
        let path = format!(
            "/api/v1/ledger?scope=point:el&commodity=electricity&span=interval\
             &from={year}-01-01&to={}-01-01",
            year + 1
        );
        let answer = steward.json(&path).await;
        for row in answer["rows"].as_array().unwrap() {
            let amount = row["amount_base"].as_i64().unwrap();
            let names = ["measured", "interpolated", "estimated"];
            let index = names.iter().position(|name| row["quality"][name] == 1.0);
            // An interval without an amount says nothing about how it is known.
            assert!(amount == 0 || index.is_some(), "{row}");
            sums[index.unwrap_or(0)] += amount;
        }
    }
    sums
}

#[tokio::test]
async fn a_real_meters_years_come_out_of_the_report_unchanged() {
    let all = record();
    let mut rows = all.clone();
    rows.dedup();
    let starts_rise = rows
        .windows(2)
        .all(|pair| pair[0].start_s < pair[1].start_s);
    assert!(starts_rise, "rows that stand twice are equal");
    let copies = (all.len() - rows.len()) as u64;
    let expected = expected(&rows);
    assert!(copies > 10 && expected.interpolated > 0 && expected.estimated > 0);

    let broker = Mosquitto::start().await;
    let site = site(&broker, local_date(rows[0].start_s));
    let mut steward = site.start("run").await;
    let sent = all.len() as u64 + 1;
    support::wait_until(
        "the collector to be subscribed",
        support::SHORT,
        async || (steward.metric("steward_collector_connected").await? > 0.0).then_some(()),
    )
    .await;
    broker.publish_lines("record/m", &messages(&all)).await;
    site.settled(sent).await;

    let ledger = |span: &str| {
        format!(
            "/api/v1/ledger?scope=point:el&commodity=electricity&span={span}\
             &from=2010-01-01&to=2060-01-01"
        )
    };
    assert_eq!(
        by_start(&steward.json(&ledger("year")).await, 4),
        expected.years
    );
    assert_eq!(
        by_start(&steward.json(&ledger("month")).await, 7),
        expected.months
    );
    let years: Vec<i32> = expected
        .years
        .keys()
        .map(|year| year.parse().unwrap())
        .collect();
    let measured = expected.total - expected.interpolated - expected.estimated;
    assert_eq!(
        by_quality(&steward, &years).await,
        [measured, expected.interpolated, expected.estimated]
    );
    assert!(steward.stop().await.success());

    let mut reported: BTreeMap<String, i64> = BTreeMap::new();
    for (month, amount) in &expected.months {
        let report = site
            .once(&["report", "--institution", "uk", "--month", month])
            .await;
        let report: Value = serde_json::from_str(&report.expect_success()).unwrap();
        let electricity = &report["commodities"][0];
        assert_eq!(electricity["amount_base"], *amount, "{month}");
        assert_eq!(
            electricity["amount"]["value"],
            *amount as f64 / 1_000.0,
            "{month}"
        );
        *reported.entry(month[..4].to_owned()).or_default() += amount;
    }
    assert_eq!(reported, expected.years);
    assert_eq!(reported.values().sum::<i64>(), expected.total);

    let counts = site.verify().await;
    assert_eq!((counts.received, counts.duplicates), (sent, copies));
    assert_eq!(counts.stored, sent - copies);
}
