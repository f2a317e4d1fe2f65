//! Live events.

use axum::body::BodyDataStream;
use futures_util::StreamExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::harness::{Desk, get, state};
use crate::schema::differences;

/// Reads events until one of each name was there.
async fn first_of_each(stream: &mut BodyDataStream) -> (Value, Value) {
    let mut text = String::new();
    loop {
        let chunk = stream.next().await.expect("the stream goes on").unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        let data = |name: &str| -> Option<Value> {
            let event = text
                .split("\n\n")
                .find(|event| event.contains(&format!("event: {name}\n")))?;
            let data = event.lines().find_map(|line| line.strip_prefix("data: "))?;
            serde_json::from_str(data).ok()
        };
        if let (Some(power), Some(health)) = (data("power"), data("health")) {
            return (power, health);
        }
    }
}

#[tokio::test]
async fn listeners_get_power_and_health() {
    let router = steward_api::app(state());
    let response = router.clone().oneshot(get("/api/v1/live")).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    let (power, health) = first_of_each(&mut stream).await;
    let contract: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    let schemas = &contract["components"]["schemas"];
    assert_eq!(
        differences(&contract, &schemas["Power"], &power),
        Vec::<String>::new()
    );
    assert_eq!(
        differences(&contract, &schemas["Health"], &health),
        Vec::<String>::new()
    );

    let hall = &power["institutions"][0];
    // 500 W on the secondary side of 80:1; the three sub-meters are silent but counted elsewhere.
    assert_eq!(
        (&hall["id"], &hall["power_w"]),
        (&"hall".into(), &40_000.0.into())
    );
    assert_eq!(hall["points_reporting"], 1);
    // The school's reading is an hour old: that is no power now, and not zero.
    let school = &power["institutions"][1];
    assert_eq!(
        (&school["power_w"], &school["points_reporting"]),
        (&Value::Null, &0.into())
    );
    let classrooms = power["points"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["id"] == "school-1-el")
        .unwrap();
    assert_eq!(classrooms["power_w"], Value::Null);
    assert!(classrooms["at"].is_string());
    assert_eq!(health["store_answers"], true);
    assert_eq!(health["journal"]["full"], false);

    // A second listener gets the frame that is there, without another question to the store.
    let response = router.clone().oneshot(get("/api/v1/live")).await.unwrap();
    let mut second = response.into_body().into_data_stream();
    let (same, _) = first_of_each(&mut second).await;
    assert_eq!(same, power);
    let metrics = crate::harness::send(router, get("/metrics")).await;
    assert!(
        metrics.text.contains("steward_api_live_listeners 2\n"),
        "{}",
        metrics.text
    );
}

#[tokio::test]
async fn listeners_hear_of_the_books() {
    let desk = Desk::new();
    let router = steward_api::app(desk.state.clone());
    let response = router.clone().oneshot(get("/api/v1/live")).await.unwrap();
    let mut stream = response.into_body().into_data_stream();
    let mut text = String::new();
    let mut is_entered = false;
    // The number that stands comes first, and then the one of what was entered meanwhile.
    while !text.contains("event: books\ndata: {\"seq\":1}\n") {
        let chunk = stream.next().await.expect("the stream goes on").unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        if !is_entered && text.contains("event: books\ndata: {\"seq\":0}\n") {
            is_entered = true;
            let event = serde_json::json!({
                "kind": "hand_reading", "meter": "hall-1-el-a-m", "quantity": "energy_import",
                "at": "2026-11-01T00:00:00+08:00", "value": 1,
            });
            let body = serde_json::json!({"reason": "why", "event": event});
            desk.enter("a", "/api/v1/events", &body).await;
        }
    }
    assert!(is_entered);
    assert_eq!(text.matches("event: books\n").count(), 2, "{text}");
}
