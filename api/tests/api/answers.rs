//! What is answered.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::{ask, get, good, send, state};

#[tokio::test]
async fn answers_are_as_reviewed() {
    let addresses = [
        ("institutions", "/api/v1/institutions"),
        ("buildings", "/api/v1/buildings?institution=hall"),
        ("points", "/api/v1/points?building=hall-1"),
        ("meters", "/api/v1/meters?building=hall-1"),
        (
            "readings",
            "/api/v1/readings?meter=hall-1-el-m&quantity=power&limit=3",
        ),
        (
            "ledger-days-by-building",
            "/api/v1/ledger?scope=institution:hall&commodity=electricity&span=day&from=2026-10-04&to=2026-10-07&by=building",
        ),
        (
            "ledger-month-by-subitem",
            "/api/v1/ledger?scope=building:hall-1&commodity=electricity&span=month&from=2026-10-01&to=2026-11-01&by=subitem",
        ),
        (
            "ledger-intervals",
            "/api/v1/ledger?scope=point:hall-1-el&commodity=electricity&span=interval&from=2026-10-05T09:45:00%2B08:00&to=2026-10-05T10:15:00%2B08:00",
        ),
        (
            "carbon",
            "/api/v1/carbon?scope=institution:hall&span=month&from=2025-12-01&to=2026-02-01",
        ),
        ("budgets", "/api/v1/budgets?year=2026"),
    ];
    for (name, uri) in addresses {
        insta::assert_json_snapshot!(name, good(uri).await);
    }
}

/// The exact amounts by start.
fn by_start(ledger: &Value) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for row in ledger["rows"].as_array().unwrap() {
        let start = row["start"].as_str().unwrap().to_owned();
        *sums.entry(start).or_default() += row["amount_base"].as_i64().unwrap();
    }
    sums
}

#[tokio::test]
async fn parts_add_up_to_the_total_in_base_units() {
    let range = "commodity=electricity&span=day&from=2026-10-01&to=2026-11-01";
    for (scope, ways) in [
        ("all", &["institution", "building", "point", "subitem"][..]),
        ("institution:hall", &["building", "point", "subitem"]),
        ("institution:school", &["building", "point", "subitem"]),
        ("building:hall-1", &["point", "subitem"]),
        ("point:hall-1-el", &["point", "subitem"]),
    ] {
        let total = by_start(&good(&format!("/api/v1/ledger?scope={scope}&{range}")).await);
        assert!(total.len() >= 31, "{scope}");
        for by in ways {
            let parts =
                by_start(&good(&format!("/api/v1/ledger?scope={scope}&{range}&by={by}")).await);
            assert_eq!(parts, total, "{scope} by {by}");
        }
    }
}

#[tokio::test]
async fn spans_add_up_in_base_units() {
    let ledger = |span: &str| {
        let uri = format!(
            "/api/v1/ledger?scope=institution:hall&commodity=electricity&span={span}&from=2026-10-01&to=2026-11-01"
        );
        async move { by_start(&good(&uri).await).values().sum::<i64>() }
    };
    let month = ledger("month").await;
    assert_eq!(month, 31 * 96 * 10_000 + 96 * 496);
    for span in ["interval", "hour", "day"] {
        assert_eq!(ledger(span).await, month, "{span}");
    }
}

#[tokio::test]
async fn days_of_two_zones_share_a_date() {
    let uri = "/api/v1/ledger?scope=institution:school&commodity=electricity&span=day&from=2026-10-01&to=2026-10-03";
    let ledger = good(uri).await;
    // Both buildings' first day, although one begins two hours later.
    let expected = 96 * (5_000 + 1) + 96 * (1_000 + 1);
    assert_eq!(by_start(&ledger)["2026-10-01T00:00:00+08:00"], expected);
    assert_eq!(ledger["rows"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn no_data_is_no_row_and_lowers_the_coverage() {
    let uri = "/api/v1/ledger?scope=point:school-1-el&commodity=electricity&from=2026-10-09&to=2026-10-12";
    let starts: Vec<String> = by_start(&good(uri).await).into_keys().collect();
    assert_eq!(
        starts,
        ["2026-10-09T00:00:00+08:00", "2026-10-11T00:00:00+08:00"]
    );
    let uri = "/api/v1/ledger?scope=institution:school&commodity=electricity&from=2026-10-10&to=2026-10-11";
    assert_eq!(good(uri).await["rows"][0]["coverage"], 0.5);
    // A day that runs is covered as far as it has run.
    let uri = "/api/v1/ledger?scope=institution:hall&commodity=electricity&from=2026-11-03";
    assert_eq!(good(uri).await["rows"][0]["coverage"], 1.0);
}

#[tokio::test]
async fn readings_go_on_where_the_limit_cut_them() {
    let first = good("/api/v1/readings?meter=hall-1-el-m&quantity=energy_import&limit=6").await;
    assert_eq!(first["rows"].as_array().unwrap().len(), 6);
    let next = first["next_from"].as_str().unwrap().replace('+', "%2B");
    let second = good(&format!(
        "/api/v1/readings?meter=hall-1-el-m&quantity=energy_import&from={next}"
    ))
    .await;
    assert_eq!(second["rows"].as_array().unwrap().len(), 4);
    assert_eq!(second["next_from"], Value::Null);
}

#[tokio::test]
async fn the_report_is_the_ledger() {
    let report = good("/api/v1/reports/monthly/hall/2026-10").await;
    let uri = "/api/v1/ledger?scope=institution:hall&commodity=electricity&span=month&from=2026-10-01&to=2026-11-01";
    let row = good(uri).await["rows"][0].clone();
    let electricity = &report["commodities"][0];
    assert_eq!(electricity["amount_base"], row["amount_base"]);
    assert_eq!(electricity["kgce"]["value"], row["kgce"]);
    assert_eq!(electricity["co2_kg"]["value"], row["co2_kg"]);
    let carbon =
        good("/api/v1/carbon?scope=institution:hall&span=month&from=2026-10-01&to=2026-11-01")
            .await;
    assert_eq!(
        report["totals"]["co2_kg"]["value"],
        carbon["rows"][0]["co2_kg"]
    );

    let csv = ask("/api/v1/reports/monthly/hall/2026-10?format=csv").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(
        csv.headers["content-disposition"],
        "inline; filename=\"hall-2026-10.csv\""
    );
    assert!(
        csv.text.starts_with('\u{feff}')
            && csv
                .text
                .contains(report["content_sha256"].as_str().unwrap())
    );
}

#[tokio::test]
async fn a_large_answer_can_be_compressed() {
    let mut request = get("/api/v1/ledger?commodity=electricity&span=day&from=2026-01-01");
    request
        .headers_mut()
        .insert("accept-encoding", "gzip".parse().unwrap());
    let response = tower::ServiceExt::oneshot(steward_api::app(state()), request)
        .await
        .unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
}

#[tokio::test]
async fn probes_and_metrics_need_no_token() {
    let router = steward_api::app(crate::harness::closed());
    for uri in ["/healthz", "/readyz", "/metrics", "/openapi.json", "/"] {
        let answer = send(router.clone(), get(uri)).await;
        assert_eq!(answer.status, 200, "{uri}: {}", answer.text);
    }
    let metrics = send(router.clone(), get("/metrics")).await;
    // The four before it; this one is counted when it is done.
    assert!(
        metrics
            .text
            .contains("steward_api_requests_total{status=\"2xx\"} 5\n"),
        "{}",
        metrics.text
    );
    let page = send(router, get("/")).await;
    assert!(
        page.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert!(
        page.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("default-src 'self'")
    );
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
}
