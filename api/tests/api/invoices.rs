//! Invoices: entered as JSON or as a table, all or none, and compared with the ledger.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::harness::{Answer, Desk, get, refused};

async fn csv(desk: &Desk, query: &str, table: &str) -> Answer {
    let request = Request::post(format!("/api/v1/invoices{query}"))
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, "text/csv; charset=utf-8");
    desk.send(request.body(Body::from(table.to_owned())).unwrap())
        .await
}

fn invoice(number: &str) -> Value {
    json!({
        "account": "grid", "number": number, "from": "2026-10-01", "to": "2026-11-01",
        "amount": "29760.00", "cost_cny": "20842.00",
    })
}

async fn last_seq(desk: &Desk) -> Value {
    desk.good("/api/v1/events").await["last_seq"].clone()
}

#[tokio::test]
async fn a_table_is_entered_whole_or_not_at_all() {
    let desk = Desk::with_tariffs();
    let table = "\u{feff}account,number,from,to,amount,cost_cny,demand_kw\r\n\
                 grid,1,2026-08-01,2026-09-01,100,70.10,\r\n\
                 3301,2,2026-09-01,2026-10-01,200,140,61.5\r\n";
    let answer = csv(&desk, "?reason=September", table).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let events = answer.json()["events"].clone();
    assert_eq!(events.as_array().unwrap().len(), 2);
    // Named by the supplier's number, it is the same account.
    let expected = json!({
        "account": "grid", "number": "2", "from": "2026-09-01", "to": "2026-10-01",
        "amount": "200", "cost_cny": "140", "demand_kw": "61.5", "power_factor": null,
    });
    assert_eq!(
        events[1]["event"],
        json!({"kind": "invoice_entered", "invoice": expected})
    );
    assert_eq!(
        (&events[1]["reason"], &events[1]["by"]),
        (&json!("September"), &json!("demo"))
    );

    let table = "account,number,from,to,amount,cost_cny\n\
                 grid,3,2026-10-01,2026-11-01,1,1\n\
                 grid,4,2026-10-32,2026-11-01,1,\n\
                 nobody,5,2026-10-01,2026-11-01,1,1\n";
    let (status, places) = refused(&csv(&desk, "", table).await);
    assert_eq!(
        (status, places),
        (
            422,
            vec!["line 3: from".to_owned(), "line 3: cost_cny".to_owned()]
        )
    );
    let table = table
        .replace("2026-10-32", "2026-10-01")
        .replace(",1,\n", ",1,1\n");
    let (status, places) = refused(&csv(&desk, "", &table).await);
    assert_eq!(status, 422);
    assert!(places.contains(&"line 4: account".to_owned()), "{places:?}");
    assert_eq!(last_seq(&desk).await, 2);
}

#[tokio::test]
async fn invoices_as_json_are_entered_whole_or_not_at_all() {
    let desk = Desk::with_tariffs();
    let uri = "/api/v1/invoices";
    let mut wrong = invoice("2");
    wrong["amount"] = json!(100);
    wrong["power_factor"] = json!("1e0");
    let body = json!({"reason": "October", "invoices": [invoice("1"), wrong]});
    let (status, places) = refused(&desk.post("a", uri, &body).await);
    let expected = ["invoices[1].amount", "invoices[1].power_factor"].map(str::to_owned);
    assert_eq!((status, places), (422, expected.to_vec()));
    // The same invoice twice, in one body and then in two.
    let body = json!({"reason": "October", "invoices": [invoice("1"), invoice("1")]});
    assert_eq!(refused(&desk.post("a", uri, &body).await).0, 422);
    assert_eq!(last_seq(&desk).await, 0);
    let body = json!({"reason": "October", "invoices": [invoice("1")]});
    desk.enter("a", uri, &body).await;
    assert_eq!(refused(&desk.post("a", uri, &body).await).0, 422);
    assert_eq!(last_seq(&desk).await, 1);
    let empty = json!({"reason": "October", "invoices": []});
    assert_eq!(
        refused(&desk.post("a", uri, &empty).await),
        (422, vec!["invoices".to_owned()])
    );
}

#[tokio::test]
async fn invoices_are_listed_with_what_the_ledger_says() {
    let desk = Desk::with_tariffs();
    for number in ["1", "2", "3"] {
        let mut invoice = invoice(number);
        // June, July, August.
        let month = number.parse::<u32>().unwrap();
        invoice["from"] = json!(format!("2026-0{}-01", month + 5));
        invoice["to"] = json!(format!("2026-0{}-01", month + 6));
        let body = json!({"reason": "r", "invoices": [invoice]});
        desk.enter("a", "/api/v1/invoices", &body).await;
    }
    desk.enter(
        "a",
        "/api/v1/events/2/undo",
        &json!({"reason": "sent twice"}),
    )
    .await;
    let numbers = |answer: &Value| -> Vec<String> {
        let invoices = answer["invoices"].as_array().unwrap().iter();
        invoices
            .map(|one| one["invoice"]["number"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = desk.good("/api/v1/invoices").await;
    assert_eq!(numbers(&all), ["3", "1"]);
    // August: 31 days of 96 intervals of 10 kWh and the day's number in Wh.
    let august = &all["invoices"][0];
    assert_eq!(
        (&august["event"], &august["by"], &august["reason"]),
        (&json!(3), &json!("a"), &json!("r"))
    );
    let ledger = f64::from(96 * (31 * 10_000 + 496)) / 1_000.0;
    assert_eq!(august["comparison"]["ledger_amount"], ledger);
    let first = desk.good("/api/v1/invoices?limit=1").await;
    assert_eq!(
        (numbers(&first), &first["next_before"]),
        (vec!["3".to_owned()], &json!(3))
    );
    let second = desk.good("/api/v1/invoices?limit=1&before=3").await;
    assert_eq!(
        (numbers(&second), &second["next_before"]),
        (vec!["1".to_owned()], &Value::Null)
    );
    assert_eq!(
        numbers(&desk.good("/api/v1/invoices?institution=hall").await).len(),
        2
    );
    assert!(numbers(&desk.good("/api/v1/invoices?institution=school").await).is_empty());
    assert_eq!(
        numbers(&desk.good("/api/v1/invoices?account=grid").await).len(),
        2
    );
    let answer = desk.send(get("/api/v1/invoices?account=nobody")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["parameter"].clone()),
        (404, json!("account"))
    );
}

#[tokio::test]
async fn bodies_of_other_forms_are_refused() {
    let desk = Desk::with_tariffs();
    let ask = |kind: &'static str, uri: &'static str, body: &'static [u8]| {
        let request = Request::post(uri)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, kind);
        desk.send(request.body(Body::from(body)).unwrap())
    };
    let answer = ask("text/plain", "/api/v1/invoices", b"account").await;
    assert_eq!(answer.status, 415);
    assert_eq!(
        answer.json()["allowed"],
        json!(["application/json", "text/csv"])
    );
    let answer = ask("text/csv", "/api/v1/invoices", b"account,\xff").await;
    assert_eq!(refused(&answer), (422, vec!["body".to_owned()]));
    let answer = ask("application/json", "/api/v1/invoices?reason=x", b"{}").await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["parameter"].clone()),
        (400, json!("reason"))
    );
    let many = format!("account\n{}", "grid\n".repeat(1_001));
    let (status, places) = refused(&csv(&desk, "", &many).await);
    assert_eq!((status, places), (422, vec!["body".to_owned()]));
    assert_eq!(last_seq(&desk).await, 0);
}
