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

use chrono::{TimeDelta, Utc};
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
    let counts = [("institution", 7), ("building", 11), ("commodity", 5)];
    for (name, count) in counts {
        let query = variables.iter().find(|query| query.name == name).unwrap();
        let rows = influx.query(&fill(&query.flux, ALL)).await;
        let values: BTreeSet<&String> = rows.iter().map(|row| &row["_value"]).collect();
        assert_eq!(values.len(), count, "{name}: {values:?}");
    }
}

/// Yesterday's electricity over all buildings is the same in the dashboard and in the api.
async fn totals_are_the_api_s(influx: &Influx, panels: &[Query], demo: &Steward) {
    let panel = panels
        .iter()
        .find(|query| query.name.contains("Amount by day"))
        .unwrap();
    let local = Utc::now() + TimeDelta::hours(8);
    let yesterday = local.date_naive() - chrono::Days::new(1);
    let today = local.date_naive();
    let path = format!("/api/v1/ledger?commodity=electricity&span=day&from={yesterday}&to={today}");
    let answer = demo.json(&path).await;
    let amount = answer["rows"][0]["amount"].as_f64().unwrap();
    // A local day begins at 16:00 UTC of the day before.
    let start = format!("{}T16:00:00Z", yesterday - chrono::Days::new(1));
    let rows = influx.query(&fill(&panel.flux, ALL)).await;
    let sum: f64 = rows
        .iter()
        .filter(|row| row["_time"] == start)
        .map(|row| row["_value"].parse::<f64>().unwrap())
        .sum();
    assert!(
        amount > 0.0 && (sum - amount).abs() < 1e-6 * amount,
        "{sum} and {amount}"
    );
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
    let midnight = (now_s + 8 * 3_600) / 86_400 * 86_400 - 8 * 3_600;
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
