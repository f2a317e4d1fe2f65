//! Live power and health as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;

use crate::live::{LISTENERS_MAX, Live};
use crate::params::Params;
use crate::problem::Problem;
use crate::state::App;
use crate::views::BooksSeq;

/// Health comes with the first frame and then with every fifth.
const HEALTH_EVERY: u64 = 5;

/// How long a client waits before it connects again.
const RETRY: Duration = Duration::from_secs(3);

/// Events `power` (every 2 s, data of schema `Power`), `health` (every 10 s, schema `Health`) and
/// `books` (when an event was entered, schema `BooksSeq`).
#[utoipa::path(get, path = "/api/v1/live", tag = "live",
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
    ))]
pub(crate) async fn live(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    Params::of(&uri, &[])?;
    let too_many = || {
        let detail = format!("{LISTENERS_MAX} listeners are the most");
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too-many-listeners",
            "Too many listeners",
            detail,
        )
        .retry_after(10)
    };
    let mut frames = Live::listen(&app).ok_or_else(too_many)?;
    let stop = app.live.stopped();
    let events = async_stream::stream! {
        yield Ok(Event::default().retry(RETRY));
        let mut is_first = true;
        let mut told_seq = None;
        loop {
            let frame = frames.borrow_and_update().clone();
            if let Some(frame) = frame {
                if let Some(power) = &frame.power {
                    yield Ok(Event::default().event("power").data(power));
                }
                if is_first || frame.number % HEALTH_EVERY == 0 || frame.power.is_none() {
                    yield Ok(Event::default().event("health").data(&frame.health));
                }
                if frame.books_seq.is_some() && frame.books_seq != told_seq {
                    told_seq = frame.books_seq;
                    let books = BooksSeq { seq: told_seq.unwrap_or(0) };
                    let data = serde_json::to_string(&books).unwrap_or_default();
                    yield Ok(Event::default().event("books").data(data));
                }
                is_first = false;
            }
            let changed = tokio::select! {
                () = stop.cancelled() => break,
                changed = frames.changed() => changed,
            };
            if changed.is_err() {
                break;
            }
        }
    };
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}
