//! Every Flux query of the Grafana files, run against a real InfluxDB that the real publisher has
//! filled. How queries are found and filled stands in `dashboards/README.md`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod fleet;
mod grafana;
mod oracle;
mod support;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate, TimeDelta, Utc};
use fleet::{Fleet, Publish, TOKEN_VARIABLE};
use grafana::{ALL, Query, alerts, dashboards, fill, firing, panels, real_panels, variables};
use oracle::ask;
use support::{Influx, LONG, Row, Steward, path_of, repo, wait_until};

const HISTORY_DAYS: &str = "40";
const ONE: &str = "jgswzx";
const TWO: &str = "(jgswzx|rmyy)";

#[tokio::test]
async fn every_query_answers_what_the_publisher_wrote() {
    let influx = Influx::start().await;
    make_buckets(&influx).await;
    let folder = tempfile::tempdir().unwrap();
    let (url, data) = (influx.url(), folder.path().join("demo"));
    let start = [
        "demo",
        "--data",
        path_of(&data),
        "--history-days",
        HISTORY_DAYS,
    ];
    let mut demo = Steward::prepare(&[&start[..], &["--influx", &url]].concat())
        .with_env(TOKEN_VARIABLE, influx.token());
    demo.start_again().await;
    filled(&demo, &data, &influx).await;

    let mut failed = Vec::new();
    let dashboards = dashboards();
    let (panels, variables) = (panels(&dashboards), variables(&dashboards));
    assert!(
        panels.len() >= 15 && variables.len() >= 4,
        "files were not read"
    );
    for query in panels.iter().chain(&variables) {
        for institution in [ALL, ONE, TWO] {
            let flux = fill(&query.flux, institution);
            match influx.try_query(&flux).await {
                Ok(rows) if has_value(&rows) => {}
                Ok(rows) => failed.push(format!(
                    "{} of {institution}: {} rows without a value",
                    query.name,
                    rows.len()
                )),
                Err(error) => failed.push(format!("{} of {institution}: {error}", query.name)),
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    choices_are_the_registry(&influx, &variables).await;
    totals_are_the_api_s(&influx, &panels, &demo).await;
    every_kind_of_point_counts_as_it_should(&influx, &panels).await;
    alerts_are_silent_and_can_fire(&influx).await;
    assert!(demo.stop().await.success());
}

/// The buckets are made by the command, from a folder that names the same InfluxDB.
async fn make_buckets(influx: &Influx) {
    let folder = tempfile::tempdir().unwrap();
    let url = influx.url();
    let publish = Publish {
        url: &url,
        bucket_readings: "readings",
        bucket_ledger: "ledger",
    };
    let start_ms = Utc::now().timestamp_millis() - 86_400_000;
    Fleet::new(1, start_ms).write_site(folder.path(), 1, Some(publish));
    let command = ["influx", "setup", "--config", path_of(&folder)];
    let environment = [(TOKEN_VARIABLE, influx.token())];
    let finished = Steward::once_with_env(&command, &environment).await;
    finished.expect_success();
}

/// Waits until the history is in InfluxDB and live readings of every gateway have arrived there.
async fn filled(demo: &Steward, data: &std::path::Path, influx: &Influx) {
    wait_until("the history to be computed", LONG, async || {
        demo.log().contains("history complete").then_some(())
    })
    .await;
    wait_until("the history to be published", LONG, async || {
        // What is live waits for a moment now and then; the history is what makes it many.
        let waiting = "SELECT (SELECT count(*) FROM dirty) + (SELECT count(*) FROM backlog) \
             + (SELECT count(*) FROM outbox_ledger)";
        (ask(data, waiting) < 100).then_some(())
    })
    .await;
    let meters = demo.json("/api/v1/meters").await;
    let electric = meters["meters"].as_array().unwrap().iter();
    let powered = electric
        .filter(|meter| {
            let latest = meter["latest"].as_array().unwrap();
            latest.iter().any(|reading| reading["quantity"] == "power")
        })
        .count();
    wait_until("live power in InfluxDB", LONG, async || {
        let flux = "from(bucket: \"readings\") |> range(start: -1h)
            |> filter(fn: (r) => r.quantity == \"power\" and r._field == \"value\")
            |> group(columns: [\"meter\"]) |> last()";
        let heard = influx.query(flux).await.len();
        (heard > 0 && heard >= powered).then_some(())
    })
    .await;
}

/// Whether a row comes back that says something.
fn has_value(rows: &[Row]) -> bool {
    rows.iter()
        .any(|row| row.get("_value").is_some_and(|value| !value.is_empty()))
}

/// The choices of the variables are the site's.
async fn choices_are_the_registry(influx: &Influx, variables: &[Query]) {
    let counts = [("institution", 7), ("building", 11), ("commodity", 6)];
    for (name, count) in counts {
        let query = variables.iter().find(|query| query.name == name).unwrap();
        let rows = influx.query(&fill(&query.flux, ALL)).await;
        let values: BTreeSet<&String> = rows.iter().map(|row| &row["_value"]).collect();
        assert_eq!(values.len(), count, "{name}: {values:?}");
    }
}

/// The query of the panel with this English title.
fn panel<'a>(panels: &'a [Query], title: &str) -> &'a Query {
    let mut found = panels.iter().filter(|query| query.name.ends_with(title));
    let query = found.next().unwrap_or_else(|| panic!("no panel `{title}`"));
    assert!(found.next().is_none(), "`{title}` stands twice");
    query
}

/// The local date. The test runs in the hours and at the zone of its site.
fn today() -> NaiveDate {
    (Utc::now() + TimeDelta::hours(8)).date_naive()
}

/// The second at which a local date begins.
fn midnight_s(date: NaiveDate) -> i64 {
    date.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp() - 8 * 3_600
}

/// Yesterday's electricity over all buildings, and what it costs, are the same in the dashboard and
/// in the api.
async fn totals_are_the_api_s(influx: &Influx, panels: &[Query], demo: &Steward) {
    let yesterday = today() - Days::new(1);
    let path = format!(
        "/api/v1/ledger?commodity=electricity&span=day&from={yesterday}&to={}",
        today()
    );
    let row = demo.json(&path).await["rows"][0].clone();
    let amount = row["amount"].as_f64().unwrap();
    let cost: f64 = row["cost_cny"].as_str().unwrap().parse().unwrap();
    // A local day begins at 16:00 UTC of the day before.
    let start = format!("{}T16:00:00Z", yesterday - Days::new(1));
    for (title, wanted) in [("· Amount by day", amount), ("· Cost by day", cost)] {
        let rows = influx.query(&fill(&panel(panels, title).flux, ALL)).await;
        // Of the cost's commodities, electricity; the amount has no other.
        let is_meant = |row: &&Row| {
            let commodity = row.get("commodity").map_or("electricity", String::as_str);
            row["_time"] == start && commodity == "electricity"
        };
        let sum: f64 = rows
            .iter()
            .filter(is_meant)
            .map(|row| row["_value"].parse::<f64>().unwrap())
            .sum();
        assert!(
            wanted > 0.0 && (sum - wanted).abs() < 1e-6 * wanted,
            "{title}: {sum} and {wanted}"
        );
    }
}

/// A made-up institution in which every kind of point occurs.
const KINDS: &str = "kinds";

/// What each of its points has in every span: tags, kWh or m3, and CNY.
const POINTS: [(&str, &str, f64, Option<f64>); 8] = [
    ("electricity", "point=main,subitem=01000", 100.0, Some(50.0)),
    (
        "electricity",
        "parent=main,point=light,subitem=01A00",
        30.0,
        Some(15.0),
    ),
    (
        "electricity",
        "parent=main,point=without-a-code",
        7.0,
        Some(3.5),
    ),
    (
        "electricity",
        "parent=main,point=shop,role=deducted",
        11.0,
        Some(5.5),
    ),
    (
        "electricity",
        "parent=main,point=plant,role=shared",
        20.0,
        Some(10.0),
    ),
    (
        "electricity",
        "point=part-of-the-plant,subitem=01B01",
        12.0,
        Some(6.0),
    ),
    ("electricity", "point=analysis,role=aside", 500.0, Some(1.0)),
    ("natural_gas", "point=gas", 9.0, None),
];

/// A total takes points without a parent and without a role, less what is rented or shared behind
/// them; the analysis and the parts change nothing; what has no price leaves no cost.
async fn every_kind_of_point_counts_as_it_should(influx: &Influx, panels: &[Query]) {
    write_kinds(influx, None).await;
    let answer = async |title: &str| {
        let rows = influx.query(&fill(&panel(panels, title).flux, KINDS)).await;
        let values = rows.iter().map(|row| row["_value"].parse::<f64>().unwrap());
        values.collect::<Vec<f64>>()
    };
    let electricity = 100.0 - 11.0 - 20.0 + 12.0;
    let co2_t = (electricity + 9.0) * 0.5 / 1_000.0;
    let measured = 1.0 - 0.25;
    for (title, wanted) in [
        ("· Power now", vec![electricity * 4.0]),
        ("· Today", vec![electricity]),
        ("· This month", vec![electricity]),
        ("· This year", vec![electricity]),
        ("· CO₂ this month", vec![co2_t]),
        ("· CO₂ this year", vec![co2_t]),
        ("· Measured today", vec![measured]),
        ("· Load curve", vec![electricity * 4.0]),
        ("· Electricity by sub-item", vec![30.0, 12.0]),
        ("· Buildings", vec![electricity]),
        ("· Amount by day", vec![electricity]),
        ("· CO₂ by month", vec![electricity * 0.5 / 1_000.0, 0.0045]),
        ("· Cost this month", vec![]),
        ("· Cost by day", vec![electricity / 2.0]),
        ("· Cost by month", vec![electricity / 2.0]),
        // Estimated, interpolated, manual, measured: the fields in their order.
        (
            "· Quality shares",
            vec![0.0, 0.0, electricity * 0.25, electricity * 0.75],
        ),
    ] {
        let found = answer(title).await;
        let is_near = |(one, other): (&f64, &f64)| (one - other).abs() < 1e-9;
        assert!(
            found.len() == wanted.len() && found.iter().zip(&wanted).all(is_near),
            "{title}: {found:?}, not {wanted:?}"
        );
    }
    write_kinds(influx, Some(27.0)).await;
    let both = electricity / 2.0 + 27.0;
    assert_eq!(answer("· Cost this month").await, [both]);
    assert_eq!(answer("· Cost by month").await, [electricity / 2.0, 27.0]);
}

/// Writes the newest row of every span of the made-up points, a quarter of it read by a person.
async fn write_kinds(influx: &Influx, gas_price: Option<f64>) {
    let today = today();
    let month = today.with_day(1).unwrap();
    let year = month.with_month(1).unwrap();
    let quarter = Utc::now().timestamp() / 900 * 900 - 900;
    let mut lines = Vec::new();
    for (commodity, tags, amount, cost) in POINTS {
        for (span, at_s) in [
            ("interval", quarter),
            ("day", midnight_s(today)),
            ("month", midnight_s(month)),
            ("year", midnight_s(year)),
        ] {
            let base = amount * 1_000.0;
            let cost = cost.or(gas_price);
            let cost = cost.map_or_else(String::new, |cost| format!(",cost={cost}"));
            lines.push(format!(
                "energy,building=kinds,commodity={commodity},institution={KINDS},{tags},span={span} \
                 amount={amount},amount_base={base},measured={},interpolated=0,estimated=0,\
                 manual={},co2_kg={}{cost} {at_s}",
                base * 0.75,
                base * 0.25,
                amount * 0.5,
            ));
        }
    }
    influx.write("ledger", &lines.join("\n")).await;
}

/// In a healthy site no alert fires. Then rows are written that each of them has to find.
async fn alerts_are_silent_and_can_fire(influx: &Influx) {
    let alerts = alerts();
    let names: Vec<&str> = alerts
        .iter()
        .map(|alert| alert.query.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "steward-meter-silent",
            "steward-interval-negative",
            "steward-interval-implausible",
            "steward-estimated-share"
        ]
    );
    for alert in &alerts {
        let rows = influx.query(&alert.query.flux).await;
        assert!(has_value(&rows), "{} asks nobody", alert.query.name);
        let firing = firing(alert, &rows);
        assert!(firing.is_empty(), "{}: {firing:?}", alert.query.name);
    }
    write_trouble(influx).await;
    let subjects = ["meter", "point", "point", "institution"];
    for (alert, subject) in alerts.iter().zip(subjects) {
        let rows = influx.query(&alert.query.flux).await;
        let found: Vec<&str> = firing(alert, &rows)
            .into_iter()
            .map(|row| row[subject].as_str())
            .collect();
        let wanted = alert.query.name.trim_start_matches("steward-");
        assert_eq!(found, [wanted], "{}", alert.query.name);
    }
}

/// One offender an alert, named as the alert.
async fn write_trouble(influx: &Influx) {
    let now_s = Utc::now().timestamp();
    let quarter = |ago_s: i64| (now_s - ago_s) / 900 * 900;
    let silent = format!(
        "reading,building=b,institution=i,meter=meter-silent,quantity=power value=1,quality=0 {}",
        now_s - 1_200
    );
    influx.write("readings", &silent).await;
    let interval = |point: &str, amount: i64, at_s: i64| {
        format!(
            "energy,building=b,commodity=electricity,institution=i,point={point},span=interval \
             amount_base={amount} {at_s}"
        )
    };
    let midnight = midnight_s(today());
    let day = |institution: &str, fields: &str| {
        format!(
            "energy,building=b,commodity=electricity,institution={institution},point=e,span=day \
             {fields} {midnight}"
        )
    };
    let lines = [
        interval("interval-negative", -1, quarter(3_600)),
        interval("interval-implausible", 100, quarter(10 * 86_400)),
        interval("interval-implausible", 301, quarter(3_600)),
        // Three times is not yet above three times.
        interval("large", 100, quarter(10 * 86_400)),
        interval("large", 300, quarter(3_600)),
        day("estimated-share", "amount_base=1000,estimated=201"),
        day("little-estimated", "amount_base=1000,estimated=199"),
        // A part of a point, and an analysis: all estimated, and no part of the total.
        day("little-estimated,parent=e", "amount_base=500,estimated=500"),
        day(
            "little-estimated,role=aside",
            "amount_base=500,estimated=500",
        ),
    ];
    influx.write("ledger", &lines.join("\n")).await;
}

#[test]
fn panels_are_complete_and_can_be_imported() {
    let source =
        std::fs::read_to_string(repo().join("dashboards/provisioning/datasources/influxdb.yaml"))
            .unwrap();
    assert!(source.contains("uid: steward-influxdb"), "{source}");
    let mut uids = BTreeSet::new();
    for (file, dashboard) in dashboards() {
        assert!(dashboard["id"].is_null(), "{file}: an id is the server's");
        let uid = dashboard["uid"].as_str().unwrap().to_owned();
        assert!(uids.insert(uid.clone()), "{file}: {uid} is taken");
        let mut ids = BTreeSet::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            assert!(ids.insert(panel["id"].as_i64().unwrap()), "{file}: {panel}");
            assert!(!panel["title"].as_str().unwrap().is_empty(), "{panel}");
        }
        for panel in real_panels(&dashboard) {
            let title = &panel["title"];
            let defaults = &panel["fieldConfig"]["defaults"];
            for (what, text) in [
                ("description", &panel["description"]),
                ("unit", &defaults["unit"]),
                ("text for no value", &defaults["noValue"]),
            ] {
                let text = text.as_str().unwrap_or_default();
                assert!(!text.is_empty(), "{file}: {title} has no {what}");
            }
            assert_eq!(panel["datasource"]["uid"], "steward-influxdb", "{title}");
            assert!(!panel["targets"].as_array().unwrap().is_empty(), "{title}");
        }
        for variable in dashboard["templating"]["list"].as_array().unwrap() {
            assert_eq!(
                variable["datasource"]["uid"], "steward-influxdb",
                "{variable}"
            );
        }
    }
    for alert in alerts() {
        assert!(
            uids.insert(alert.query.name.clone()),
            "{}",
            alert.query.name
        );
    }
}

#[test]
fn no_query_is_without_a_range_and_none_windows_a_month() {
    let dashboards = dashboards();
    let alerts = alerts().into_iter().map(|alert| alert.query);
    let mut buckets = BTreeMap::new();
    for query in panels(&dashboards)
        .into_iter()
        .chain(variables(&dashboards))
        .chain(alerts)
    {
        let (name, flux) = (&query.name, &query.flux);
        let is_bounded = flux.contains("|> range(start: ") || flux.contains("start: -400d");
        assert!(is_bounded, "{name} has no range");
        for every in flux.split("every:").skip(1) {
            let every = every.trim_start();
            assert!(
                every.starts_with("v.windowPeriod"),
                "{name} cuts periods in UTC: every: {every}"
            );
        }
        for word in [
            "window(",
            "1mo",
            "1y,",
            "truncate(",
            "date.month",
            "date.year",
        ] {
            let allowed = word == "window(" && flux.contains("aggregateWindow(every: v.");
            assert!(allowed || !flux.contains(word), "{name} has `{word}`");
        }
        for bucket in ["readings", "ledger"] {
            let uses = flux.contains(&format!("bucket: \"{bucket}\""));
            *buckets.entry(bucket).or_insert(0) += usize::from(uses);
        }
    }
    assert!(buckets.values().all(|uses| *uses > 0), "{buckets:?}");
}
