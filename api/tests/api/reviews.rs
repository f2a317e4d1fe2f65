//! The review queue: listed with evidence, decided, taken back.

use serde_json::{Value, json};

use crate::harness::{Desk, FALL_ID, get, good, refused};

fn uri() -> String {
    format!("/api/v1/reviews/{FALL_ID}/decision")
}

#[tokio::test]
async fn what_waits_is_listed_with_its_evidence() {
    let open = good("/api/v1/reviews").await;
    assert_eq!(
        (&open["open_total"], &open["more"]),
        (&json!(1), &json!(false))
    );
    insta::assert_json_snapshot!("reviews-open", open);
    let ids = |reviews: &Value| -> Vec<String> {
        let reviews = reviews["reviews"].as_array().unwrap().iter();
        reviews
            .map(|one| one["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        ids(&good("/api/v1/reviews?state=all").await),
        ["glitch", "fall"]
    );
    assert_eq!(ids(&good("/api/v1/reviews?state=rule").await), ["glitch"]);
    assert!(ids(&good("/api/v1/reviews?state=decided").await).is_empty());
    assert_eq!(
        ids(&good("/api/v1/reviews?state=all&kind=fall").await),
        ["fall"]
    );
    assert!(ids(&good("/api/v1/reviews?point=hall-1-el").await).is_empty());
    assert_eq!(
        ids(&good("/api/v1/reviews?meter=school-1-el-m").await),
        ["fall"]
    );
    assert_eq!(
        ids(&good("/api/v1/reviews?state=all&to=2026-10-13").await),
        ["glitch"]
    );
    assert_eq!(
        ids(&good("/api/v1/reviews?state=all&from=2026-10-13").await),
        ["fall"]
    );
    let cut = good("/api/v1/reviews?state=all&limit=1").await;
    assert_eq!(
        (ids(&cut), &cut["more"]),
        (vec!["glitch".to_owned()], &json!(true))
    );
}

#[tokio::test]
async fn what_follows_an_open_finding_is_provisional() {
    let provisional = |scope: &'static str, span: &'static str| async move {
        let uri = format!(
            "/api/v1/ledger?scope={scope}&commodity=electricity&span={span}&from=2026-10-19&to=2026-10-22"
        );
        let rows = good(&uri).await["rows"].as_array().unwrap().clone();
        let told = rows.iter().map(|row| row["provisional"].as_bool().unwrap());
        told.collect::<Vec<bool>>()
    };
    for scope in ["point:school-1-el", "institution:school", "all"] {
        assert_eq!(
            provisional(scope, "day").await,
            [false, true, true],
            "{scope}"
        );
    }
    for scope in ["point:school-2-el", "institution:hall"] {
        assert_eq!(provisional(scope, "day").await, [false; 3], "{scope}");
    }
    // The fall is at eight o'clock.
    let hours = provisional("point:school-1-el", "hour").await;
    assert_eq!(hours.iter().position(|hour| *hour), Some(24 + 8));
    assert!(hours[24 + 8..].iter().all(|hour| *hour));
}

#[tokio::test]
async fn a_decision_stands_until_it_is_taken_back() {
    let desk = Desk::new();
    let decision = json!({"verdict": "discard", "reason": "the converter was restarted"});
    let entry = desk.enter("李四", &uri(), &decision).await;
    let expected = json!({
        "kind": "review_decided", "review": FALL_ID, "meter": "school-1-el-m",
        "quantity": "energy_import", "at": "2026-10-20T08:00:00+08:00", "verdict": "discard",
        // Unless told, all readings in question are taken out.
        "until": "2026-10-20T09:00:00+08:00",
    });
    assert_eq!(entry["event"], expected);
    assert_eq!(entry["by"], "李四");

    let again = desk
        .post("b", &uri(), &json!({"verdict": "accept", "reason": "r"}))
        .await;
    assert_eq!(refused(&again), (409, vec!["id".to_owned()]));
    assert!(again.text.contains("event 1 decided it"), "{}", again.text);

    desk.enter(
        "b",
        "/api/v1/events/1/undo",
        &json!({"reason": "too hasty"}),
    )
    .await;
    let accepted = json!({"verdict": "restart", "reason": "a new register"});
    let entry = desk.enter("b", &uri(), &accepted).await;
    assert_eq!(
        (&entry["seq"], &entry["event"]["verdict"]),
        (&json!(3), &json!("restart"))
    );
    assert_eq!(entry["event"]["until"], Value::Null);
}

#[tokio::test]
async fn decisions_that_mean_nothing_are_refused() {
    let desk = Desk::new();
    let reason = "why";
    for (id, body, status, place) in [
        (
            FALL_ID,
            json!({"verdict": "ignore", "reason": reason}),
            422,
            "verdict",
        ),
        (FALL_ID, json!({"reason": reason}), 422, "verdict"),
        (FALL_ID, json!({"verdict": "accept"}), 422, "reason"),
        (
            FALL_ID,
            json!({"verdict": "accept", "until": "2026-10-20T09:00:00+08:00", "reason": reason}),
            422,
            "until",
        ),
        // The meter's modulus is not known.
        (
            FALL_ID,
            json!({"verdict": "rollover", "reason": reason}),
            422,
            "verdict",
        ),
    ] {
        let answer = desk
            .post("a", &format!("/api/v1/reviews/{id}/decision"), &body)
            .await;
        assert_eq!(refused(&answer), (status, vec![place.to_owned()]), "{body}");
    }
    let body = json!({"verdict": "accept", "reason": reason});
    for (id, status) in [
        ("school-1-el-m~energy_import~1792454400001", 404),
        ("nobody~energy_import~1792454400000", 404),
        ("school-1-el-m~energy_import", 400),
        ("school-1-el-m~mood~1", 400),
        ("x~y", 400),
    ] {
        let answer = desk
            .post("a", &format!("/api/v1/reviews/{id}/decision"), &body)
            .await;
        assert_eq!(answer.status, status, "{id}: {}", answer.text);
        assert_eq!(answer.json()["parameter"], "id", "{id}");
    }
    assert_eq!(desk.good("/api/v1/events").await["last_seq"], 0);
}

#[tokio::test]
async fn parameters_of_the_queue_are_checked() {
    for (query, status, parameter) in [
        ("state=closed", 400, "state"),
        ("kind=miracle", 400, "kind"),
        ("point=nowhere", 404, "point"),
        ("meter=nobody", 404, "meter"),
        ("from=yesterday", 400, "from"),
        ("limit=5001", 400, "limit"),
    ] {
        let answer = crate::harness::ask(&format!("/api/v1/reviews?{query}")).await;
        assert_eq!(answer.status, status, "{query}");
        assert_eq!(answer.json()["parameter"], parameter, "{query}");
    }
    let desk = Desk::new();
    assert_eq!(
        desk.send(get("/api/v1/reviews/x/decision")).await.status,
        405
    );
}
