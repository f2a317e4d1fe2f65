//! Who is let in.

use axum::http::header;

use crate::contract::{addresses, committed};
use crate::harness::{closed, get, send};
use crate::world::TOKEN;

#[tokio::test]
async fn without_a_token_nothing_is_told() {
    let router = steward_api::app(closed());
    let contract = committed();
    let addresses = addresses(&contract);
    assert!(addresses.len() >= 27, "{}", addresses.len());
    // The clock of this world stands still: more would be told to wait.
    for (index, (method, uri, _)) in addresses.into_iter().enumerate() {
        let tokens = [None, Some("Bearer wrong"), Some("Basic dXNlcjpwYXNz")];
        let token = tokens[index % 3];
        let mut request = get(&uri);
        *request.method_mut() = method.to_uppercase().parse().unwrap();
        if let Some(token) = token {
            request
                .headers_mut()
                .insert(header::AUTHORIZATION, token.parse().unwrap());
        }
        let answer = send(router.clone(), request).await;
        assert_eq!(answer.status, 401, "{method} {uri} {token:?}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        assert_eq!(answer.json()["type"], "urn:steward:problem:unauthorized");
    }
}

#[tokio::test]
async fn a_token_opens() {
    let mut request = get("/api/v1/institutions");
    let value = format!("Bearer {TOKEN}").parse().unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, value);
    let answer = send(steward_api::app(closed()), request).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_flood_is_told_to_wait() {
    let router = steward_api::app(closed());
    let mut last = None;
    // The clock of this world stands still, so the burst is all there is.
    for _ in 0..=200 {
        last = Some(send(router.clone(), get("/api/v1/institutions")).await);
    }
    let last = last.unwrap();
    assert_eq!(last.status, 429);
    assert_eq!(last.headers["retry-after"], "1");
}

#[tokio::test]
async fn a_page_of_another_site_is_not_let_in() {
    let mut request = get("/api/v1/institutions");
    request
        .headers_mut()
        .insert(header::HOST, "evil.example".parse().unwrap());
    let answer = send(steward_api::app(crate::harness::state()), request).await;
    assert_eq!(answer.status, 401);
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}
