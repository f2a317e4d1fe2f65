//! What happens to the meters of the demo, and that each of it is explained: a replacement, a
//! rollover, an outage whose backlog came after the month was closed, an exchange that nobody wrote
//! down, a virtual point and a residual.

#![allow(unreachable_pub, reason = "a module of a test")]

use chrono::{DateTime, Datelike as _, Months, NaiveDate};
use serde_json::Value;

use crate::support::{LONG, Steward, wait_until};

const OUTAGE: &str = "tsg";
const PILOT: &str = "jgswzx";
const REPLACED: &str = "xzzx-2-hvac";
const SHORT: &str = "zrzyj-main-light";
const FORGOTTEN: &str = "tyzx-main-water";

fn list<'a>(answer: &'a Value, name: &str) -> &'a Vec<Value> {
    let list = answer[name].as_array();
    list.unwrap_or_else(|| panic!("no {name} in {answer}"))
}

/// The month that the demo closes: the one before the last, by its own clock.
fn closed_month() -> NaiveDate {
    let local = chrono::Utc::now() + chrono::TimeDelta::hours(8);
    let first = local.date_naive().with_day(1).unwrap();
    first - Months::new(2)
}

async fn explain(demo: &Steward, scope: &str, span: &str, start: &str) -> Value {
    let start = start.replace('+', "%2B");
    let path = format!("/api/v1/explain?scope={scope}&span={span}&start={start}");
    let answer = demo.json(&path).await;
    let checks = list(&answer, "checks");
    assert!(!checks.is_empty(), "{path}: {answer}");
    for check in checks {
        assert_eq!(check["difference_base"], 0, "{path}: {answer}");
    }
    answer
}

/// The local day of an instant, as the api writes it.
fn day_of(instant: &Value) -> String {
    let instant = DateTime::parse_from_rfc3339(instant.as_str().unwrap()).unwrap();
    let local = instant.to_utc() + chrono::TimeDelta::hours(8);
    format!("{}T00:00:00+08:00", local.date_naive())
}

pub async fn is_told(demo: &Steward) {
    // The backlog is sent last: from then on the books and the ledger stand still.
    let adjustments = wait_until("the backlog to change the closed month", LONG, async || {
        let path = format!("/api/v1/adjustments?institution={OUTAGE}");
        let answer = demo.json(&path).await;
        let lines = list(&answer, "adjustments").clone();
        (!lines.is_empty()).then_some(lines)
    })
    .await;
    let month = closed_month().format("%Y-%m").to_string();
    for line in &adjustments {
        assert_eq!(line["month"], *month, "{line}");
        assert_eq!(line["cause"]["kind"], "late_readings", "{line}");
    }
    months_are_closed(demo, &month).await;
    questions_are_asked(demo).await;
    meters_are_explained(demo).await;
    points_over_points(demo).await;
}

async fn months_are_closed(demo: &Steward, month: &str) {
    let closes = demo.json("/api/v1/closes").await;
    for institution in [OUTAGE, PILOT] {
        let close = list(&closes, "closes")
            .iter()
            .find(|close| close["institution"] == institution)
            .unwrap_or_else(|| panic!("{institution} closed nothing: {closes}"));
        assert_eq!(close["month"], month);
        assert_eq!(close["state"], "closed", "{close}");
        assert_ne!(close["proposed_by"], close["decided_by"], "{close}");
        let path = format!("/api/v1/reports/monthly/{institution}/{month}");
        let report = demo.json(&path).await;
        assert_eq!(report["state"], "closed");
        assert_eq!(
            report["close"]["content_sha256"], close["content_sha256"],
            "the report is the closed one"
        );
    }
}

async fn questions_are_asked(demo: &Steward) {
    let open = demo.json("/api/v1/reviews?state=open").await;
    let open = list(&open, "reviews");
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0]["point"], FORGOTTEN);
    assert_eq!(open[0]["kind"], "fall");
    let today = chrono::Utc::now().date_naive();
    let path = format!(
        "/api/v1/ledger?scope=point:{FORGOTTEN}&commodity=water&span=month&from={}",
        today.with_day(1).unwrap() - Months::new(1)
    );
    let ledger = demo.json(&path).await;
    let last = list(&ledger, "rows").last().unwrap().clone();
    assert_eq!(last["provisional"], true, "{ledger}");
}

async fn meters_are_explained(demo: &Steward) {
    let events = demo.json("/api/v1/events").await;
    let replaced = list(&events, "events")
        .iter()
        .find(|entry| entry["event"]["kind"] == "meter_replaced")
        .unwrap_or_else(|| panic!("no replacement in {events}"));
    let day = day_of(&replaced["event"]["at"]);
    let answer = explain(demo, &format!("point:{REPLACED}"), "day", &day).await;
    let chain = list(&answer["metering"], "chain");
    assert_eq!(chain.last().unwrap()["link"], "replaced", "{answer}");
    assert_eq!(chain.last().unwrap()["event"], replaced["seq"]);
    assert_eq!(answer["intervals_present"], 96, "the day has no hole");

    let settled = demo.json("/api/v1/reviews?state=all").await;
    let rollover = list(&settled, "reviews")
        .iter()
        .find(|review| review["kind"] == "rollover")
        .unwrap_or_else(|| panic!("no rollover in {settled}"));
    assert_eq!(rollover["point"], SHORT);
    assert_eq!(rollover["state"], "rule", "{rollover}");
    let day = day_of(&rollover["at"]);
    let answer = explain(demo, &format!("point:{SHORT}"), "day", &day).await;
    assert!(!list(&answer["metering"], "steps").is_empty(), "{answer}");
    assert!(answer["amount_base"].as_i64().unwrap() > 0);
}

async fn points_over_points(demo: &Steward) {
    let start = format!("{}T00:00:00+08:00", closed_month());
    let answer = explain(demo, "point:xzzx-hvac", "month", &start).await;
    let terms = list(&list(&answer, "formulas")[0], "terms");
    assert_eq!(terms.len(), 3, "{answer}");
    let answer = explain(demo, "point:xzzx-1-main", "month", &start).await;
    assert!(answer["cost_cny"].as_f64().unwrap() > 0.0, "{answer}");
    assert!(!list(&answer, "tariffs").is_empty() && !list(&answer, "factors").is_empty());
    let path = format!(
        "/api/v1/balance?point=xzzx-1-main&span=month&from={}&to={}",
        closed_month(),
        closed_month() + Months::new(1)
    );
    let balance = demo.json(&path).await;
    let period = &list(&balance, "periods")[0];
    // The demo's mains meter 2.8 % more than their four children.
    let share = period["residual_share"].as_f64().unwrap();
    assert!((0.02..0.035).contains(&share), "{balance}");
    assert_eq!(period["verdict"], "ok");
}

pub async fn is_told_at_the_command_line(data: &str) {
    let month = closed_month().format("%Y-%m").to_string();
    let site = ["--config", data];
    let run = async |words: &[&str]| Steward::once(&[words, &site].concat()).await;
    let scope = format!("point:{REPLACED}");
    let page = run(&[
        "explain", "--scope", &scope, "--span", "month", "--start", &month,
    ])
    .await;
    assert!(page.expect_success().contains("replaced"));
    let books = run(&["books", "verify"]).await.expect_success();
    assert!(books.contains("the books are whole"), "{books}");
    let reviews = run(&["review", "list"]).await.expect_success();
    assert!(
        reviews.contains(FORGOTTEN) && reviews.contains("1 findings"),
        "{reviews}"
    );
    let closes = run(&["close", "list"]).await.expect_success();
    assert!(
        closes.contains(OUTAGE) && closes.contains("Closed"),
        "{closes}"
    );
    let invoices = run(&["invoice", "list"]).await.expect_success();
    assert!(invoices.lines().count() > 10, "{invoices}");
    let tariffs = run(&["tariff", "list"]).await.expect_success();
    assert!(
        tariffs.contains("example-zj-tou-1-10kv") && tariffs.contains("account"),
        "{tariffs}"
    );
    let account = format!("{PILOT}-electricity");
    let bill = run(&["tariff", "bill", "--account", &account, "--month", &month]).await;
    let bill = bill.expect_success();
    // The mains count reactive energy, so the bill has a total without an invoice's power factor.
    assert!(
        bill.contains("power factor 0.9") && bill.contains("合计 total"),
        "{bill}"
    );
    // An own approval, a close with an open review: refused with the reason, nothing entered.
    let last_month = (closed_month() + Months::new(1))
        .format("%Y-%m")
        .to_string();
    let again = run(&[
        "close",
        "propose",
        "--institution",
        PILOT,
        "--month",
        &last_month,
        "--by",
        "Li",
        "--reason",
        "monthly",
        "--justification",
        "demo",
    ])
    .await;
    let proposal = again.expect_success();
    let number = proposal
        .split("event ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    let own = run(&[
        "close", "approve", "--by", "Li", "--reason", "mine", &number,
    ])
    .await;
    assert!(
        !own.status.success() && own.stderr.contains("by"),
        "{}",
        own.stderr
    );
    run(&[
        "close", "reject", "--by", "Wang", "--reason", "a test", &number,
    ])
    .await
    .expect_success();
}
