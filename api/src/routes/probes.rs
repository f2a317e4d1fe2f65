//! Whether the process lives, whether it can work, what it counts, and its contract. No token.

use std::sync::Arc;
use std::sync::LazyLock;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono_tz::Tz;
use steward_model::{Health as Known, MeterState, UtcMs, metrics as exposition};

use crate::problem::Problem;
use crate::state::{App, rfc3339};
use crate::views::{Aggregator, Alive, Health, Journal, MeterCounts, Publisher, Ready};

/// The store must answer a small question within this time to count as ready.
const STORE_TIME_MAX: Duration = Duration::from_secs(2);

/// Alive.
#[utoipa::path(get, path = "/healthz", tag = "probes", security(()),
    responses((status = 200, body = Alive)))]
pub(crate) async fn healthz() -> Json<Alive> {
    Json(Alive {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// Ready: the store answers and the journal has room.
#[utoipa::path(get, path = "/readyz", tag = "probes", security(()),
    responses((status = 200, body = Ready), (status = 503, body = Ready)))]
pub(crate) async fn readyz(State(app): State<Arc<App>>) -> Response {
    let mut reasons = journal_reasons(&app);
    let first = app.config().registry.meters.keys().next().cloned();
    let meters: Vec<_> = first.into_iter().collect();
    match tokio::time::timeout(STORE_TIME_MAX, app.state.source.latest(&meters)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the store is not ready"
            );
            reasons.push("the store does not answer".to_owned());
        }
        Err(_) => reasons.push(format!(
            "the store does not answer within {} s",
            STORE_TIME_MAX.as_secs()
        )),
    }
    answer(reasons)
}

/// Ready, for a role that runs alone: the journal has room.
pub(crate) async fn readyz_without_store(State(app): State<Arc<App>>) -> Response {
    answer(journal_reasons(&app))
}

fn journal_reasons(app: &App) -> Vec<String> {
    let journal = (app.state.health)().journal;
    let full = journal.is_some_and(|journal| journal.full);
    full.then(|| "the journal is full: readings are not acknowledged".to_owned())
        .into_iter()
        .collect()
}

fn answer(reasons: Vec<String>) -> Response {
    let ready = reasons.is_empty();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Ready { ready, reasons })).into_response()
}

/// Counters and gauges in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "probes", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    (
        [(header::CONTENT_TYPE, kind)],
        exposition::render(&app.samples()),
    )
        .into_response()
}

/// This contract.
#[utoipa::path(get, path = "/openapi.json", tag = "probes", security(()),
    responses((status = 200, body = Object)))]
pub(crate) async fn openapi() -> Result<Response, Problem> {
    static TEXT: LazyLock<Option<String>> = LazyLock::new(|| crate::openapi_json().ok());
    let text = TEXT.as_deref().ok_or_else(Problem::internal)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// The health of the roles as listeners see it.
pub(crate) fn health_view(health: &Known, zone: Tz, now: UtcMs, store_answers: bool) -> Health {
    let meters = health.collector.as_ref().map(|collector| {
        let mut counts = MeterCounts::default();
        for meter in collector.meters.values() {
            match meter.state {
                MeterState::Waiting => counts.waiting += 1,
                MeterState::Online => counts.online += 1,
                MeterState::BackedOff => counts.backed_off += 1,
                MeterState::Silent => counts.silent += 1,
            }
        }
        counts
    });
    Health {
        at: rfc3339(zone, now),
        store_answers,
        meters,
        journal: health.journal.as_ref().map(|journal| Journal {
            used_bytes: journal.used_bytes,
            bytes_max: journal.bytes_max,
            full: journal.full,
            received_total: journal.received_total,
            quarantined_total: journal.quarantined_total,
        }),
        aggregator: health.aggregator.as_ref().map(|aggregator| Aggregator {
            stored_total: aggregator.stored_total,
            queued: aggregator.queued,
            dirty_days: aggregator.dirty_days,
            moved_at: aggregator.moved_at.map(|at| rfc3339(zone, at)),
        }),
        publisher: health.publisher.as_ref().map(|publisher| Publisher {
            published_total: publisher.published_total,
            quarantined_total: publisher.quarantined_total,
            queued: publisher.queued,
            lag_s: publisher.lag_s,
            trouble: publisher.trouble.clone(),
        }),
    }
}
