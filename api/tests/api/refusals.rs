//! What is refused, and in which words.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use steward_api::ApiState;
use steward_model::{Health, JournalHealth};
use steward_store::{Source, StoreReader};

use crate::harness::{ask, get, send, state};

#[tokio::test]
async fn every_mistake_names_its_parameter() {
    let cases = [
        ("ledger", 400, "commodity"),
        ("ledger?commodity=gold", 400, "commodity"),
        ("ledger?commodity=water&span=week", 400, "span"),
        ("ledger?commodity=water&scope=hall", 400, "scope"),
        ("ledger?commodity=water&scope=town:hall", 400, "scope"),
        (
            "ledger?commodity=water&scope=institution:H%22%29",
            400,
            "scope",
        ),
        (
            "ledger?commodity=water&scope=institution:nobody",
            404,
            "scope",
        ),
        ("ledger?commodity=water&by=floor", 400, "by"),
        (
            "ledger?commodity=water&scope=institution:hall&by=institution",
            400,
            "by",
        ),
        (
            "ledger?commodity=water&scope=building:hall-1&by=building",
            400,
            "by",
        ),
        ("ledger?commodity=water&from=yesterday", 400, "from"),
        (
            "ledger?commodity=water&from=2026-10-02&to=2026-10-01",
            400,
            "from",
        ),
        (
            "ledger?commodity=water&span=hour&from=2025-01-01&to=2026-10-01",
            400,
            "to",
        ),
        (
            "ledger?commodity=water&span=interval&from=2026-01-01&to=2026-10-01&by=point",
            200,
            "",
        ),
        (
            "ledger?commodity=electricity&span=interval&from=2025-11-01&to=2026-11-01&by=point",
            400,
            "from",
        ),
        ("ledger?commodity=water&commodity=heat", 400, "commodity"),
        ("carbon?by=point", 400, "by"),
        ("carbon?span=decade", 400, "span"),
        ("readings?quantity=power", 400, "meter"),
        ("readings?meter=hall-1-el-m", 400, "quantity"),
        ("readings?meter=hall-1-el-m&quantity=mood", 400, "quantity"),
        ("readings?meter=nobody&quantity=power", 404, "meter"),
        (
            "readings?meter=hall-1-el-m&quantity=power&limit=0",
            400,
            "limit",
        ),
        (
            "readings?meter=hall-1-el-m&quantity=power&limit=50001",
            400,
            "limit",
        ),
        (
            "readings?meter=hall-1-el-m&quantity=power&from=2025-01-01",
            400,
            "to",
        ),
        ("buildings?institution=..%2F..", 400, "institution"),
        ("points?building=nowhere", 404, "building"),
        ("meters?point=nowhere", 404, "point"),
        ("budgets?year=MMXXVI", 400, "year"),
        ("reports/monthly/hall/2026-13", 400, "month"),
        ("reports/monthly/hall/2027-01", 404, "month"),
        ("reports/monthly/nobody/2026-10", 404, "institution"),
        ("reports/monthly/HALL/2026-10", 400, "institution"),
        ("reports/monthly/hall/2026-10?format=pdf", 400, "format"),
    ];
    for (address, status, parameter) in cases {
        let answer = ask(&format!("/api/v1/{address}")).await;
        assert_eq!(answer.status, status, "{address}: {}", answer.text);
        if status == 200 {
            continue;
        }
        assert_eq!(
            answer.headers["content-type"], "application/problem+json",
            "{address}"
        );
        let problem = answer.json();
        assert_eq!(
            problem["parameter"], parameter,
            "{address}: {}",
            answer.text
        );
        assert_eq!(problem["status"], status, "{address}");
    }
}

#[tokio::test]
async fn problems_are_as_reviewed() {
    for (name, uri) in [
        ("problem-commodity", "/api/v1/ledger?commodity=gold"),
        (
            "problem-unknown-parameter",
            "/api/v1/ledger?commodity=water&where=here",
        ),
        ("problem-nowhere", "/api/v1/nowhere"),
    ] {
        insta::assert_json_snapshot!(name, ask(uri).await.json());
    }
}

#[tokio::test]
async fn what_layers_refuse_has_words_too() {
    let request = |method: &str, uri: &str, length: Option<&str>| {
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header("host", "localhost");
        if let Some(length) = length {
            request = request.header("content-length", length);
        }
        request.body(Body::empty()).unwrap()
    };
    for (method, uri, length, status) in [
        ("DELETE", "/api/v1/ledger", None, 405),
        ("POST", "/", None, 405),
        ("GET", "/no-such-file.js", None, 404),
        ("GET", "/api/v2/ledger", None, 404),
        ("POST", "/api/v1/ledger", Some("2000000"), 413),
    ] {
        let answer = send(steward_api::app(state()), request(method, uri, length)).await;
        assert_eq!(answer.status, status, "{method} {uri}: {}", answer.text);
        assert_eq!(
            answer.headers["content-type"], "application/problem+json",
            "{method} {uri}"
        );
        assert_eq!(answer.json()["status"], status);
        assert_eq!(answer.headers["x-frame-options"], "DENY");
        if status == 405 {
            assert!(answer.headers["allow"].to_str().unwrap().contains("GET"));
        }
    }
}

#[tokio::test]
async fn not_ready_says_why() {
    let full = ApiState {
        health: Arc::new(|| Health {
            journal: Some(JournalHealth {
                full: true,
                ..JournalHealth::default()
            }),
            ..Health::default()
        }),
        ..state()
    };
    let answer = send(steward_api::app(full), get("/readyz")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        answer.json()["reasons"][0],
        "the journal is full: readings are not acknowledged"
    );

    let empty = tempfile::tempdir().unwrap();
    let no_store = ApiState {
        source: Source::Working(StoreReader::open(empty.path())),
        ..state()
    };
    let router = steward_api::app(no_store);
    let answer = send(router.clone(), get("/readyz")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["reasons"][0], "the store does not answer");
    let answer = send(router, get("/api/v1/ledger?commodity=water")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers["retry-after"], "5");
    // Where the store lies is nobody's business.
    assert!(!answer.text.contains(empty.path().to_str().unwrap()));
}

#[tokio::test]
async fn a_defect_is_told_in_one_sentence() {
    let broken = ApiState {
        health: Arc::new(|| panic!("a defect of the test")),
        ..state()
    };
    let answer = send(steward_api::app(broken), get("/readyz")).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.json()["type"], "urn:steward:problem:internal");
    assert!(!answer.text.contains("defect of the test"));
}
