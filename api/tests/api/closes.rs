//! Months that close: maker and checker, revisions, and what stands in the way.

use serde_json::{Value, json};

use crate::harness::{Desk, get, refused};

const CLOSES: &str = "/api/v1/closes";

/// October of the hall, whose invoices have not come.
fn october() -> Value {
    json!({
        "institution": "hall", "month": "2026-10", "reason": "十月关账",
        "justification": "账单下月十日才到",
    })
}

/// What stands in the way of a close.
fn blockers(checklist: &Value) -> Vec<&str> {
    let items = checklist["items"].as_array().unwrap().iter();
    let blocking = items.filter(|item| item["blocking"] == true && item["ok"] == false);
    blocking.map(|item| item["id"].as_str().unwrap()).collect()
}

/// Proposes October of the hall and answers the proposal's number and hash.
async fn proposed(desk: &Desk) -> (u64, String) {
    let entry = desk.enter("maker", CLOSES, &october()).await;
    assert_eq!(entry["event"]["kind"], "close_proposed");
    assert_eq!(entry["event"]["revision"], 1);
    let sha256 = entry["event"]["content_sha256"]
        .as_str()
        .unwrap()
        .to_owned();
    (entry["seq"].as_u64().unwrap(), sha256)
}

#[tokio::test]
async fn a_month_closes_by_two_people() {
    let desk = Desk::new();
    let list = "/api/v1/closes/checklist?institution=hall&month=2026-10";
    let checklist = desk.good(list).await;
    assert_eq!(blockers(&checklist), ["invoices"], "{checklist:#}");
    let (proposal, sha256) = proposed(&desk).await;

    let detail = desk.good(&format!("{CLOSES}/{proposal}")).await;
    assert_eq!(detail["close"]["content_sha256"], sha256.as_str());
    assert_eq!(detail["close"]["proposed_by"], "maker");
    assert_eq!(detail["content"]["institution"], "hall");
    assert_eq!(detail["checklist"]["ready"], true);
    let report = desk.good("/api/v1/reports/monthly/hall/2026-10").await;
    assert_eq!(report["state"], "provisional");

    let uri = format!("{CLOSES}/{proposal}/approve");
    let approval = |sha256: &str| json!({"content_sha256": sha256, "reason": "checked"});
    // Not by the maker, and not what nobody looked at.
    let own = desk.post("maker", &uri, &approval(&sha256)).await;
    assert_eq!(refused(&own), (409, vec!["by".to_owned()]));
    let stale = desk.post("checker", &uri, &approval(&"0".repeat(64))).await;
    assert_eq!(refused(&stale), (409, vec!["content_sha256".to_owned()]));
    let entry = desk.enter("checker", &uri, &approval(&sha256)).await;
    assert_eq!(
        entry["event"],
        json!({"kind": "close_approved", "proposal": proposal})
    );

    let again = desk.post("another", &uri, &approval(&sha256)).await;
    assert_eq!(refused(&again), (409, vec!["proposal".to_owned()]));
    let report = desk.good("/api/v1/reports/monthly/hall/2026-10").await;
    assert_eq!(report["state"], "closed");
    let closes = desk.good("/api/v1/closes?institution=hall").await;
    assert_eq!(closes["closes"][0]["state"], "closed");
    assert_eq!(
        desk.good("/api/v1/closes?institution=school").await,
        json!({"closes": []})
    );
    let adjustments = desk.good("/api/v1/adjustments?institution=hall").await;
    assert_eq!(
        adjustments,
        json!({"institution": "hall", "adjustments": []})
    );

    // A closed month is only ever revised, on purpose and for a reason.
    let (status, places) = refused(&desk.post("maker", CLOSES, &october()).await);
    assert_eq!((status, places), (409, vec!["month".to_owned()]));
    let mut revision = october();
    revision["revise"] = json!(true);
    let unchanged = desk.post("maker", CLOSES, &revision).await;
    assert_eq!(refused(&unchanged).0, 409, "{}", unchanged.text);
}

#[tokio::test]
async fn a_proposal_waits_for_one_answer() {
    let desk = Desk::new();
    let (proposal, _) = proposed(&desk).await;
    let (status, places) = refused(&desk.post("maker", CLOSES, &october()).await);
    assert_eq!((status, places), (409, vec!["month".to_owned()]));
    let uri = format!("{CLOSES}/{proposal}/reject");
    let entry = desk
        .enter("maker", &uri, &json!({"reason": "the wrong month"}))
        .await;
    assert_eq!(
        entry["event"],
        json!({"kind": "close_rejected", "proposal": proposal})
    );
    let again = desk.post("checker", &uri, &json!({"reason": "r"})).await;
    assert_eq!(refused(&again), (409, vec!["proposal".to_owned()]));
    let report = desk.good("/api/v1/reports/monthly/hall/2026-10").await;
    assert_eq!(report["state"], "open");
    proposed(&desk).await;
}

#[tokio::test]
async fn what_stands_in_the_way_is_named() {
    let desk = Desk::new();
    let mut sent = october();
    sent["justification"] = Value::Null;
    let answer = desk.post("maker", CLOSES, &sent).await;
    assert_eq!(
        refused(&answer),
        (422, vec!["checklist.invoices".to_owned()])
    );
    // The school's register fell, and nobody has decided what that means.
    let mut sent = october();
    sent["institution"] = json!("school");
    let answer = desk.post("maker", CLOSES, &sent).await;
    let (status, places) = refused(&answer);
    assert_eq!(status, 422, "{}", answer.text);
    assert!(
        places.contains(&"checklist.reviews".to_owned()),
        "{}",
        answer.text
    );
    // November is not over.
    let mut sent = october();
    sent["month"] = json!("2026-11");
    let answer = desk.post("maker", CLOSES, &sent).await;
    let (status, places) = refused(&answer);
    assert_eq!(status, 422, "{}", answer.text);
    assert!(
        places.contains(&"checklist.month_over".to_owned()),
        "{}",
        answer.text
    );
    assert_eq!(desk.good("/api/v1/events").await["last_seq"], 0);
}

#[tokio::test]
async fn unknown_things_are_not_found() {
    let desk = Desk::new();
    let mut sent = october();
    sent["institution"] = json!("nobody");
    assert_eq!(desk.post("maker", CLOSES, &sent).await.status, 404);
    let approval = json!({"content_sha256": "0".repeat(64), "reason": "r"});
    for (uri, body) in [
        ("/api/v1/closes/7/approve", approval),
        ("/api/v1/closes/7/reject", json!({"reason": "r"})),
    ] {
        assert_eq!(desk.post("checker", uri, &body).await.status, 404, "{uri}");
    }
    for (uri, status, parameter) in [
        ("/api/v1/closes/7", 404, "proposal"),
        ("/api/v1/closes/x", 400, "proposal"),
        ("/api/v1/closes?institution=nobody", 404, "institution"),
        ("/api/v1/closes/checklist?month=2026-10", 400, "institution"),
        ("/api/v1/closes/checklist?institution=hall", 400, "month"),
        (
            "/api/v1/closes/checklist?institution=hall&month=2026-13",
            400,
            "month",
        ),
        ("/api/v1/adjustments", 400, "institution"),
        ("/api/v1/adjustments?institution=nobody", 404, "institution"),
        ("/api/v1/explain?point=hall-1-el", 400, "start"),
        ("/api/v1/explain?start=2026-10-01", 400, "point"),
        (
            "/api/v1/explain?point=hall-1-el&scope=all&start=2026-10-01",
            400,
            "scope",
        ),
        (
            "/api/v1/explain?scope=institution:hall&start=2026-10-01",
            400,
            "commodity",
        ),
        (
            "/api/v1/explain?point=hall-1-el&span=month&start=2026-10-02",
            400,
            "start",
        ),
        (
            "/api/v1/explain?point=nowhere&start=2026-10-02",
            404,
            "point",
        ),
    ] {
        let answer = desk.send(get(uri)).await;
        assert_eq!(answer.status, status, "{uri}: {}", answer.text);
        assert_eq!(answer.json()["parameter"], parameter, "{uri}");
    }
}
