//! One file an address.

pub(crate) mod adjustments;
pub(crate) mod balance;
pub(crate) mod bills;
pub(crate) mod budgets;
pub(crate) mod carbon;
pub(crate) mod closes;
mod cockpit;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod invoices;
pub(crate) mod ledger;
pub(crate) mod live;
pub(crate) mod meters;
pub(crate) mod probes;
pub(crate) mod readings;
pub(crate) mod registry;
pub(crate) mod reports;
pub(crate) mod reviews;
pub(crate) mod tariffs;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;

use crate::problem::Problem;
use crate::state::{ApiState, App};
use crate::{auth, guard};

/// The api as a service, for callers that bring their own socket or none. Whether it is open
/// without a token is decided by the address of the settings; [`crate::serve`] asks its listener.
pub fn app(state: ApiState) -> Router {
    let is_loopback = state.config.settings.api.listen.ip().is_loopback();
    router(Arc::new(App::new(state, is_loopback)))
}

pub(crate) fn router(app: Arc<App>) -> Router {
    let bounded = Router::new()
        .route("/institutions", get(registry::institutions))
        .route("/buildings", get(registry::buildings))
        .route("/points", get(registry::points))
        .route("/meters", get(meters::meters))
        .route("/readings", get(readings::readings))
        .route("/ledger", get(ledger::ledger))
        .route("/carbon", get(carbon::carbon))
        .route("/budgets", get(budgets::budgets))
        .route(
            "/reports/monthly/{institution}/{month}",
            get(reports::monthly),
        )
        .merge(of_the_books())
        .fallback(nothing)
        .layer(from_fn(guard::in_time));
    // Events have no end, so they have no time limit.
    let v1 = bounded
        .route("/live", get(live::live))
        .layer(from_fn_with_state(app.clone(), auth::admit));
    let outside = Router::new()
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz))
        .route("/metrics", get(probes::metrics))
        .route("/openapi.json", get(probes::openapi))
        .fallback(cockpit::cockpit)
        .layer(from_fn(guard::in_time));
    outside
        .nest("/api/v1", v1)
        .layer(RequestBodyLimitLayer::new(guard::BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(guard::panicked))
        // Events are left alone: the layer knows their media type.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(from_fn_with_state(app.clone(), guard::finish))
        .with_state(app)
}

/// What stands in the books, what may be written into them, and what follows from them.
fn of_the_books() -> Router<Arc<App>> {
    Router::new()
        .route("/events", get(events::events).post(events::post))
        .route("/events/{seq}/undo", post(events::undo))
        .route("/reviews", get(reviews::reviews))
        .route("/reviews/{id}/decision", post(reviews::decide))
        .route("/closes", get(closes::closes).post(closes::propose))
        .route("/closes/checklist", get(closes::checklist))
        .route("/closes/{proposal}", get(closes::one))
        .route("/closes/{proposal}/approve", post(closes::approve))
        .route("/closes/{proposal}/reject", post(closes::reject))
        .route("/adjustments", get(adjustments::adjustments))
        .route("/explain", get(explain::explain))
        .route("/balance", get(balance::balance))
        .route("/tariffs", get(tariffs::tariffs))
        .route("/tariffs/bill", get(bills::bill))
        .route("/invoices", get(invoices::invoices).post(invoices::post))
}

/// What a role that runs alone answers.
pub(crate) fn probes_router(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz_without_store))
        .route("/metrics", get(probes::metrics))
        .fallback(nothing)
        .layer(from_fn(guard::in_time))
        .layer(RequestBodyLimitLayer::new(guard::BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(from_fn_with_state(app.clone(), guard::finish))
        .with_state(app)
}

async fn nothing() -> Problem {
    Problem::of_status(StatusCode::NOT_FOUND)
}
