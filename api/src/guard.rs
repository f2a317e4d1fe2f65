//! What surrounds every request: time, shape of errors, headers.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::{PROBLEM_JSON, Problem};
use crate::state::App;

/// The longest time for an answer. Events are not bound by it.
pub(crate) const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// The largest body.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Headers of every answer. The cockpit loads nothing from elsewhere and is framed by nobody.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        header::CONTENT_SECURITY_POLICY,
        // Charts set styles on their elements, so inline styles are allowed; scripts are not.
        HeaderValue::from_static(
            "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; \
             object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// Ends what takes too long.
pub(crate) async fn in_time(request: Request, next: Next) -> Response {
    let is_read = request.method().is_safe();
    match tokio::time::timeout(ANSWER_TIME_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let slow = Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too-slow",
                "The answer took too long",
                format!("there was no answer within {} s", ANSWER_TIME_MAX.as_secs()),
            );
            // What the disk has begun to write may yet be written.
            let hint = if is_read {
                "ask for a shorter range or a longer span"
            } else {
                "look at GET /api/v1/events before it is sent again: it may have been entered"
            };
            slow.hint(hint).retry_after(10).into_response()
        }
    }
}

/// Counts, gives every wordless error words, and sets the headers.
pub(crate) async fn finish(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        let kind = response.headers().get(header::CONTENT_TYPE);
        let is_told = kind.is_some_and(|kind| kind == PROBLEM_JSON || kind == "application/json");
        if !is_told {
            response = with_allow(Problem::of_status(status), &response);
        }
    }
    app.count(status.as_u16());
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, value);
    }
    if !response.headers().contains_key(header::CACHE_CONTROL) {
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// The problem, with the methods that the address takes where the router named them.
fn with_allow(problem: Problem, wordless: &Response) -> Response {
    let allow = wordless.headers().get(header::ALLOW).cloned();
    let mut response = problem.into_response();
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// A panic is a defect: it is logged whole and told in one sentence.
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    tracing::error!(panic = text, "a request of the api met a defect");
    Problem::internal().into_response()
}
