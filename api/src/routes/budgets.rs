//! Budgets and how far they are used.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use chrono::Datelike;
use steward_model::Span;
use steward_model::time::local_date;
use steward_report::{Month, Scope, budget_points, budget_statuses, by_zone, zone_of};

use crate::params::Params;
use crate::problem::Problem;
use crate::state::{App, rfc3339};
use crate::views::Budgets;

const PARAMETERS: &[&str] = &["year", "institution"];

/// Budgets of a year: used, left, pace and colour.
#[utoipa::path(get, path = "/api/v1/budgets", tag = "budget",
    params(
        ("year" = Option<u32>, Query, minimum = 1970, maximum = 9998, description = "The running year unless told"),
        ("institution" = Option<String>, Query, description = "Only this institution's"),
    ),
    responses((status = 200, body = Budgets)))]
pub(crate) async fn budgets(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Budgets>, Problem> {
    let params = Params::of(&uri, PARAMETERS)?;
    let config = app.config();
    let scope = params
        .institution(config)?
        .map_or(Scope::All, Scope::Institution);
    let zone = zone_of(config, &scope);
    let now = app.now();
    let asked = params
        .number("year", 1970, 9998)?
        .and_then(|year| i32::try_from(year).ok());
    let year = asked.unwrap_or_else(|| local_date(zone, now.seconds_floor()).year());
    let edges = Month::new(year, 1).zip(Month::new(year + 1, 1));
    let (first, after) = edges.ok_or_else(|| Problem::parameter("year", "this is no year"))?;
    let mut rows = Vec::new();
    for (zone, points) in by_zone(config, budget_points(&config.registry, &scope)) {
        let (from_s, to_s) = (first.start_s(zone), after.start_s(zone));
        rows.extend(
            app.state
                .source
                .ledger(&points, Span::Month, from_s, to_s)
                .await?,
        );
    }
    Ok(Json(Budgets {
        year,
        as_of: rfc3339(zone, now),
        budgets: budget_statuses(config, &scope, year, &rows, now),
    }))
}
