//! `openapi.json` is the whole truth about the api.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::harness::{Desk, FALL_ID, ask, good, refused};
use crate::schema::differences;

pub(crate) fn committed() -> Value {
    serde_json::from_str(include_str!("../../openapi.json")).unwrap()
}

/// Every address under `/api/v1` with its method, made of its path.
pub(crate) fn addresses(contract: &Value) -> Vec<(&'static str, String, &Value)> {
    let paths = contract["paths"].as_object().unwrap();
    let v1 = paths
        .iter()
        .filter(|(path, _)| path.starts_with("/api/v1/"));
    let operations = v1.flat_map(|(path, item)| {
        let uri = path
            .replace("{institution}", "hall")
            .replace("{month}", "2026-10")
            .replace("{seq}", "1")
            .replace("{proposal}", "1")
            .replace("{id}", FALL_ID);
        let methods = ["get", "post"].into_iter();
        methods.filter_map(move |method| Some((method, uri.clone(), item.get(method)?)))
    });
    operations.collect()
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
    ("/api/v1/events", "/api/v1/events"),
    ("/api/v1/reviews", "/api/v1/reviews?state=all"),
    ("/api/v1/closes", "/api/v1/closes"),
    (
        "/api/v1/closes/checklist",
        "/api/v1/closes/checklist?institution=school&month=2026-10",
    ),
    (
        "/api/v1/adjustments",
        "/api/v1/adjustments?institution=hall",
    ),
    (
        "/api/v1/explain",
        "/api/v1/explain?point=hall-1-el&span=day&start=2026-10-05",
    ),
    (
        "/api/v1/explain",
        "/api/v1/explain?scope=institution:hall&commodity=electricity&span=month&start=2026-10-01",
    ),
    (
        "/api/v1/balance",
        "/api/v1/balance?point=hall-1-el&span=day&from=2026-10-05&to=2026-10-07",
    ),
    ("/api/v1/tariffs", "/api/v1/tariffs"),
    (
        "/api/v1/tariffs/bill",
        "/api/v1/tariffs/bill?account=grid&month=2026-10",
    ),
    ("/api/v1/invoices", "/api/v1/invoices"),
];

/// Addresses whose answers are no JSON of ours, and one that other tests ask.
const OTHERS: [&str; 4] = [
    "/metrics",
    "/openapi.json",
    "/api/v1/live",
    "/api/v1/closes/{proposal}",
];

#[tokio::test]
async fn answers_have_the_form_that_the_contract_says() {
    let contract = committed();
    for (path, item) in contract["paths"].as_object().unwrap() {
        let is_asked = QUESTIONS.iter().any(|(asked, _)| asked == path);
        assert!(
            is_asked || OTHERS.contains(&path.as_str()) || item.get("get").is_none(),
            "nobody asks {path}"
        );
    }
    let desk = Desk::with_tariffs();
    fill(&desk).await;
    for (path, uri) in QUESTIONS {
        let ok = &contract["paths"][path]["get"]["responses"]["200"]["content"];
        let schema = &ok["application/json"]["schema"];
        assert!(schema.is_object(), "{path}");
        let found = differences(&contract, schema, &desk.good(uri).await);
        assert!(found.is_empty(), "{uri}: {found:#?}");
    }
    let problem = &contract["components"]["schemas"]["Problem"];
    let answer = ask("/api/v1/ledger?commodity=gold").await.json();
    assert_eq!(
        differences(&contract, problem, &answer),
        Vec::<String>::new()
    );
}

/// One event of each kind that the filled store bears; each answer has its form.
async fn fill(desk: &Desk) {
    let contract = committed();
    let decide = format!("/api/v1/reviews/{FALL_ID}/decision");
    let at = "2026-11-01T00:00:00+08:00";
    let series = json!({"meter": "hall-1-el-a-m", "quantity": "energy_import"});
    let with = |more: Value| {
        let mut event: Map<String, Value> = series.as_object().unwrap().clone();
        event.extend(more.as_object().unwrap().clone());
        json!({"reason": "why", "event": event})
    };
    let invoice = json!({
        "account": "grid", "number": "1", "from": "2026-10-01", "to": "2026-11-01",
        "amount": "30000.5", "cost_cny": "21000.00", "demand_kw": null, "power_factor": "0.93",
    });
    let sent = [
        (
            "events",
            "/api/v1/events",
            with(json!({"kind": "hand_reading", "at": at, "value": 1})),
        ),
        (
            "events",
            "/api/v1/events",
            with(json!({"kind": "readings_voided", "from": at, "to": at})),
        ),
        (
            "reviews/{id}/decision",
            &decide,
            json!({"reason": "why", "verdict": "accept"}),
        ),
        (
            "events/{seq}/undo",
            "/api/v1/events/2/undo",
            json!({"reason": "why"}),
        ),
        (
            "invoices",
            "/api/v1/invoices",
            json!({"reason": "why", "invoices": [invoice]}),
        ),
    ];
    for (path, uri, body) in sent {
        let post = &contract["paths"][format!("/api/v1/{path}")]["post"];
        let asked = &post["requestBody"]["content"]["application/json"]["schema"];
        let found = differences(&contract, asked, &body);
        assert!(found.is_empty(), "{body}: {found:#?}");
        let entered = desk.enter("a", uri, &body).await;
        let schema = &post["responses"]["201"]["content"]["application/json"]["schema"];
        let found = differences(&contract, schema, &entered);
        assert!(found.is_empty(), "{uri}: {found:#?}");
    }
}

#[tokio::test]
async fn addresses_take_the_parameters_that_the_contract_names_and_no_others() {
    let contract = committed();
    let desk = Desk::new();
    for (method, uri, operation) in addresses(&contract) {
        let named = operation["parameters"].as_array().into_iter().flatten();
        let named = named.filter(|parameter| parameter["in"] == "query");
        let named: Vec<&Value> = named.map(|parameter| &parameter["name"]).collect();
        let uri = format!("{uri}?nonsense=1");
        let answer = match method {
            "get" => ask(&uri).await,
            _ => desk.post("a", &uri, &json!({})).await,
        };
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{uri}");
        let allowed = answer.json()["allowed"].as_array().cloned().unwrap();
        assert_eq!(allowed.iter().collect::<Vec<_>>(), named, "{uri}");
    }
}

fn resolved<'a>(contract: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => contract.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// The places that are refused of `body`, each cut to the members of the first level below `above`.
async fn refused_members(desk: &Desk, uri: &str, body: &Value, above: &str) -> BTreeSet<String> {
    let answer = desk.post("a", uri, body).await;
    let (status, places) = refused(&answer);
    assert_eq!(status, 422, "{uri} {body}: {}", answer.text);
    let member = |place: &String| {
        let place = place
            .strip_prefix(above)
            .unwrap_or_else(|| panic!("{uri}: {place}"));
        place.split('.').next().unwrap().to_owned()
    };
    places.iter().map(member).collect()
}

fn names(values: impl Iterator<Item = Value>) -> BTreeSet<String> {
    values
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

/// The bodies are read by hand, so that all that is wrong is told at once. Here they are held
/// against the contract.
#[tokio::test]
async fn bodies_are_read_as_the_contract_says() {
    let contract = committed();
    let desk = Desk::new();
    let mut seen = 0;
    for (method, uri, operation) in addresses(&contract) {
        if method != "post" {
            continue;
        }
        seen += 1;
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let schema = resolved(&contract, schema);
        assert_eq!(schema["additionalProperties"], false, "{uri}");
        let required = schema["required"].as_array().unwrap().iter().cloned();
        let found = refused_members(&desk, &uri, &json!({}), "").await;
        assert_eq!(found, names(required), "{uri}");
        // No member of ours is a number.
        let properties = schema["properties"].as_object().unwrap();
        let mut wrong: Map<String, Value> = properties
            .keys()
            .map(|name| (name.clone(), json!(7)))
            .collect();
        wrong.insert("nonsense".to_owned(), json!(1));
        let found = refused_members(&desk, &uri, &Value::from(wrong.clone()), "").await;
        let all: BTreeSet<String> = wrong.keys().cloned().collect();
        assert_eq!(found, all, "{uri}");
    }
    assert_eq!(seen, 7);
    let kinds = contract["components"]["schemas"]["NewEventKind"]["oneOf"].clone();
    for kind in kinds.as_array().unwrap() {
        let word = &kind["properties"]["kind"]["enum"][0];
        assert_eq!(kind["additionalProperties"], false, "{word}");
        let mut required = names(kind["required"].as_array().unwrap().iter().cloned());
        required.remove("kind");
        let sent = json!({"reason": "why", "event": {"kind": word}});
        let found = refused_members(&desk, "/api/v1/events", &sent, "event.").await;
        assert_eq!(found, required, "{word}");
    }
}
