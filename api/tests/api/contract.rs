//! `openapi.json` is the whole truth about the api.

use serde_json::Value;

use crate::harness::{ask, good};
use crate::schema::differences;

fn committed() -> Value {
    serde_json::from_str(include_str!("../../openapi.json")).unwrap()
}

#[test]
fn the_committed_contract_is_that_of_the_code() {
    assert!(
        include_str!("../../openapi.json") == steward_api::openapi_json().unwrap(),
        "the contract of the api changed; if that is meant, run\n  cargo xtask openapi\nwhich is\n  \
         cargo run -p steward-api --example openapi > api/openapi.json"
    );
}

#[tokio::test]
async fn the_api_serves_its_contract() {
    assert_eq!(good("/openapi.json").await, committed());
}

/// Good questions, one or more for every address that answers JSON.
const QUESTIONS: &[(&str, &str)] = &[
    ("/healthz", "/healthz"),
    ("/readyz", "/readyz"),
    ("/api/v1/institutions", "/api/v1/institutions"),
    ("/api/v1/buildings", "/api/v1/buildings"),
    ("/api/v1/points", "/api/v1/points?institution=hall"),
    ("/api/v1/meters", "/api/v1/meters"),
    (
        "/api/v1/readings",
        "/api/v1/readings?meter=hall-1-el-m&quantity=power",
    ),
    (
        "/api/v1/ledger",
        "/api/v1/ledger?commodity=electricity&by=institution",
    ),
    (
        "/api/v1/ledger",
        "/api/v1/ledger?commodity=water&span=month",
    ),
    ("/api/v1/ledger", "/api/v1/ledger?commodity=coal"),
    ("/api/v1/carbon", "/api/v1/carbon?span=year"),
    ("/api/v1/budgets", "/api/v1/budgets"),
    ("/api/v1/budgets", "/api/v1/budgets?year=2031"),
    (
        "/api/v1/reports/monthly/{institution}/{month}",
        "/api/v1/reports/monthly/hall/2026-10",
    ),
    (
        "/api/v1/reports/monthly/{institution}/{month}",
        "/api/v1/reports/monthly/school/2026-09",
    ),
];

/// Addresses whose answers are no JSON of ours.
const OTHERS: [&str; 3] = ["/metrics", "/openapi.json", "/api/v1/live"];

#[tokio::test]
async fn answers_have_the_form_that_the_contract_says() {
    let contract = committed();
    for (path, _) in contract["paths"].as_object().unwrap() {
        let is_asked = QUESTIONS.iter().any(|(asked, _)| asked == path);
        assert!(
            is_asked || OTHERS.contains(&path.as_str()),
            "nobody asks {path}"
        );
    }
    for (path, uri) in QUESTIONS {
        let ok = &contract["paths"][path]["get"]["responses"]["200"]["content"];
        let schema = &ok["application/json"]["schema"];
        assert!(schema.is_object(), "{path}");
        let found = differences(&contract, schema, &good(uri).await);
        assert!(found.is_empty(), "{uri}: {found:#?}");
    }
    let problem = &contract["components"]["schemas"]["Problem"];
    let answer = ask("/api/v1/ledger?commodity=gold").await.json();
    assert_eq!(
        differences(&contract, problem, &answer),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn addresses_take_the_parameters_that_the_contract_names_and_no_others() {
    let contract = committed();
    let paths = contract["paths"].as_object().unwrap();
    for (path, item) in paths
        .iter()
        .filter(|(path, _)| path.starts_with("/api/v1/"))
    {
        let named = item["get"]["parameters"].as_array().into_iter().flatten();
        let named = named.filter(|parameter| parameter["in"] == "query");
        let named: Vec<&Value> = named.map(|parameter| &parameter["name"]).collect();
        let uri = path
            .replace("{institution}", "hall")
            .replace("{month}", "2026-10");
        let answer = ask(&format!("{uri}?nonsense=1")).await;
        assert_eq!(answer.status, 400, "{uri}");
        let allowed = answer.json()["allowed"].as_array().cloned().unwrap();
        assert_eq!(allowed.iter().collect::<Vec<_>>(), named, "{uri}");
    }
}
