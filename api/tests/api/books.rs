//! Events: entered, listed, taken back, refused.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::harness::{Desk, closed, get, refused, send};
use crate::world::TOKEN;

/// A reading by hand of the hall's lighting, which has no readings of its own.
fn by_hand(at: &str, value: f64) -> Value {
    json!({
        "reason": "月末抄表",
        "event": {
            "kind": "hand_reading", "meter": "hall-1-el-a-m", "quantity": "energy_import",
            "at": at, "value": value,
        },
    })
}

#[tokio::test]
async fn what_is_entered_stands_in_the_books() {
    let desk = Desk::new();
    assert_eq!(desk.good("/api/v1/events").await["last_seq"], 0);
    let sent = by_hand("2026-10-31T16:00:00Z", 1_234.5);
    let entry = desk.enter("Wang 3", "/api/v1/events", &sent).await;
    // 2026-11-03T10:00:00+08:00 is this world's present, and times are told in the zone of the meter.
    let expected = json!({
        "seq": 1, "entered_at": "2026-11-03T10:00:00+08:00", "by": "Wang 3", "reason": "月末抄表",
        "event": {
            "kind": "hand_reading", "meter": "hall-1-el-a-m", "quantity": "energy_import",
            "unit": "Wh", "at": "2026-11-01T00:00:00+08:00", "value": 1_234.5,
        },
        "undone_by": null,
    });
    assert_eq!(entry, expected);
    let listed = desk.good("/api/v1/events").await;
    assert_eq!(
        listed,
        json!({"events": [expected], "next_before": null, "last_seq": 1})
    );
}

#[tokio::test]
async fn events_are_listed_from_the_newest_page_by_page() {
    let desk = Desk::new();
    for hour in 0..5 {
        let at = format!("2026-11-01T0{hour}:00:00+08:00");
        desk.enter("a", "/api/v1/events", &by_hand(&at, f64::from(hour)))
            .await;
    }
    desk.enter("a", "/api/v1/events/2/undo", &json!({"reason": "misread"}))
        .await;
    let seqs = |page: &Value| -> Vec<u64> {
        let events = page["events"].as_array().unwrap().iter();
        events.map(|event| event["seq"].as_u64().unwrap()).collect()
    };
    let first = desk.good("/api/v1/events?limit=4").await;
    assert_eq!(
        (seqs(&first), &first["next_before"]),
        (vec![6, 5, 4, 3], &json!(3))
    );
    let second = desk.good("/api/v1/events?limit=4&before=3").await;
    assert_eq!(
        (seqs(&second), &second["next_before"]),
        (vec![2, 1], &Value::Null)
    );
    assert_eq!(second["events"][0]["undone_by"], 6);
    let undone = desk.good("/api/v1/events?kind=undone").await;
    assert_eq!(seqs(&undone), [6]);
    assert_eq!(
        undone["events"][0]["event"],
        json!({"kind": "undone", "seq": 2})
    );
    assert_eq!(undone["last_seq"], 6);
}

#[tokio::test]
async fn an_event_is_taken_back_once_and_both_stay() {
    let desk = Desk::new();
    desk.enter(
        "a",
        "/api/v1/events",
        &by_hand("2026-11-01T00:00:00+08:00", 1.0),
    )
    .await;
    let why = json!({"reason": "the wrong meter"});
    let undone = desk.enter("b", "/api/v1/events/1/undo", &why).await;
    assert_eq!((&undone["seq"], &undone["by"]), (&json!(2), &json!("b")));
    let again = desk.post("b", "/api/v1/events/1/undo", &why).await;
    assert_eq!(refused(&again), (409, vec!["seq".to_owned()]));
    assert!(
        again.text.contains("event 2 has taken it back already"),
        "{}",
        again.text
    );
    // Taking back is not taken back: what was right is entered again.
    assert_eq!(
        desk.post("b", "/api/v1/events/2/undo", &why).await.status,
        422
    );
    assert_eq!(
        desk.post("b", "/api/v1/events/9/undo", &why).await.status,
        404
    );
    assert_eq!(
        desk.post("b", "/api/v1/events/x/undo", &why).await.status,
        400
    );
    assert_eq!(desk.good("/api/v1/events").await["last_seq"], 2);
}

#[tokio::test]
async fn everything_wrong_is_told_at_once_and_nothing_is_entered() {
    let desk = Desk::new();
    let sent = json!({
        "reason": "",
        "event": {
            "kind": "meter_replaced", "point": "Hall", "at": "2026-11-01", "old_meter": 7,
            "old_last": "12", "new_meter": "", "colour": "red",
        },
        "by": "me",
    });
    let answer = desk.post("a", "/api/v1/events", &sent).await;
    let places = [
        "reason",
        "event.point",
        "event.at",
        "event.old_meter",
        "event.old_last",
        "event.new_meter",
        "event.new_first",
        "event.colour",
        "by",
    ];
    let (status, mut found) = refused(&answer);
    found.sort();
    let mut expected = places.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!((status, found), (422, expected));
    // What has an address of its own is not entered here.
    let sent = json!({"reason": "r", "event": {"kind": "close_approved", "proposal": 1}});
    let answer = desk.post("a", "/api/v1/events", &sent).await;
    assert_eq!(refused(&answer), (422, vec!["event.kind".to_owned()]));
    // The books know what the registry and the readings say.
    let mut unknown = by_hand("2026-11-01T00:00:00+08:00", 1.0);
    unknown["event"]["meter"] = "nobody".into();
    let (status, places) = refused(&desk.post("a", "/api/v1/events", &unknown).await);
    assert_eq!(
        (status, places.first().map(String::as_str)),
        (422, Some("event.meter"))
    );
    let tomorrow = by_hand("2026-11-04T00:00:00+08:00", 1.0);
    let (status, places) = refused(&desk.post("a", "/api/v1/events", &tomorrow).await);
    assert_eq!((status, places), (422, vec!["event.at".to_owned()]));
    assert_eq!(desk.good("/api/v1/events").await["last_seq"], 0);
}

#[tokio::test]
async fn a_body_is_json_and_says_so() {
    let desk = Desk::new();
    for (kind, body, status) in [
        (None, "{}", 415),
        (Some("text/plain"), "{}", 415),
        (Some("application/x-www-form-urlencoded"), "reason=x", 415),
        (Some("application/json"), "", 400),
        (Some("application/json"), "{\"reason\":", 400),
        (Some("application/json"), "[]", 400),
        (Some("Application/JSON; charset=utf-8"), "{}", 422),
    ] {
        let mut request = Request::post("/api/v1/events").header(header::HOST, "localhost");
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let answer = desk.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status, status, "{kind:?} {body}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    let long = format!("{{\"reason\": \"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let answer = desk.post("a", "/api/v1/events", &Value::Null).await;
    assert_eq!(answer.status, 400);
    let request = Request::post("/api/v1/events")
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, "application/json");
    let answer = desk.send(request.body(Body::from(long)).unwrap()).await;
    assert_eq!(answer.status, 413, "{}", answer.text);
}

#[tokio::test]
async fn a_token_writes_under_its_name_and_without_one_nothing_is_written() {
    let desk = Desk::new();
    let guarded = steward_api::ApiState {
        books: desk.state.books.clone(),
        ..closed()
    };
    let request = |token: Option<&str>| {
        let mut request = Request::post("/api/v1/events")
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-steward-user", "somebody else");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = by_hand("2026-11-01T00:00:00+08:00", 1.0).to_string();
        request.body(Body::from(body)).unwrap()
    };
    let router = steward_api::app(guarded);
    let answer = send(router.clone(), request(None)).await;
    assert_eq!(answer.status, 401, "{}", answer.text);
    let answer = send(router, request(Some(TOKEN))).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let name = &closed().config.settings.api.tokens_sha256[0].0;
    assert_eq!(answer.json()["by"], name.as_str());
    assert_eq!(desk.good("/api/v1/events").await["last_seq"], 1);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_write() {
    let desk = Desk::new();
    let request = Request::post("/api/v1/events")
        .header(header::HOST, "127.0.0.1:8080")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ORIGIN, "https://evil.example");
    let body = by_hand("2026-11-01T00:00:00+08:00", 1.0).to_string();
    let answer = desk.send(request.body(Body::from(body)).unwrap()).await;
    assert_eq!(answer.status, 403, "{}", answer.text);
    assert_eq!(desk.good("/api/v1/events").await["last_seq"], 0);
}

#[tokio::test]
async fn reading_takes_the_parameters_that_there_are() {
    let desk = Desk::new();
    for (query, parameter) in [
        ("before=0", "before"),
        ("limit=1001", "limit"),
        ("kind=birthday", "kind"),
        ("after=1", "after"),
    ] {
        let answer = desk.send(get(&format!("/api/v1/events?{query}"))).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.json()["parameter"], parameter, "{query}");
    }
}
