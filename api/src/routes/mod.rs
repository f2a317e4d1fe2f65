//! One file an address.

pub(crate) mod budgets;
pub(crate) mod carbon;
mod cockpit;
pub(crate) mod ledger;
pub(crate) mod live;
pub(crate) mod meters;
pub(crate) mod probes;
pub(crate) mod readings;
pub(crate) mod registry;
pub(crate) mod reports;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
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
