//! Where a figure comes from.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use steward_report::explain::{Asked, ExplainError, Explanation, explain as explained};
use steward_report::{Scope, zone_of};

use crate::params::{Params, missing};
use crate::problem::Problem;
use crate::range::edge;
use crate::state::App;

const PARAMETERS: &[&str] = &["point", "scope", "commodity", "span", "start"];

/// Where a figure of the ledger comes from 溯源: registers, readings, fills, chain of meters, ratio,
/// tariff, factors, adjustments; for a total the tree down to them.
#[utoipa::path(get, path = "/api/v1/explain", tag = "energy",
    params(
        ("point" = Option<String>, Query, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "Which point; short for `scope=point:ID`"),
        ("scope" = Option<String>, Query, pattern = "^(all|(institution|building|point):[a-z0-9][a-z0-9._-]{0,63})$", description = "`all`, `institution:ID`, `building:ID` or `point:ID`, where no `point` is given"),
        ("commodity" = Option<String>, Query, description = "Needed unless the scope is a point"),
        ("span" = Option<String>, Query, description = "`interval` (15 minutes), `hour`, `day` (unless told), `month` or `year`"),
        ("start" = String, Query, description = "The first instant of the period: RFC 3339, or a local date"),
    ),
    responses((status = 200, body = Explanation)))]
pub(crate) async fn explain(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Explanation>, Problem> {
    let params = Params::of(&uri, PARAMETERS)?;
    let config = app.config();
    let scope = match (params.point(config)?, params.get("scope")) {
        (Some(_), Some(_)) => {
            let detail = "`point` and `scope` are given, and each is enough";
            return Err(Problem::parameter("scope", detail));
        }
        (Some(point), None) => Scope::Point(point),
        (None, Some(_)) => params.scope(config)?,
        (None, None) => return Err(missing("point").hint("or give a `scope`")),
    };
    let commodity = params.commodity_if_any()?;
    let span = params.span()?;
    let zone = zone_of(config, &scope);
    let start = edge(&params, "start", zone)?.ok_or_else(|| missing("start"))?;
    if start.0.rem_euclid(1_000) != 0 {
        return Err(Problem::parameter(
            "start",
            "no period begins within a second",
        ));
    }
    let asked = Asked {
        scope,
        commodity,
        span,
        start_s: start.seconds_floor(),
    };
    let books = app.books().await?;
    let found = explained(config, &app.state.source, &books, &asked, app.now()).await;
    found.map(Json).map_err(|error| match error {
        ExplainError::Start { begins, .. } => {
            let detail = format!("no period of the span `{}` begins there", span.id());
            Problem::parameter("start", detail).allow([begins])
        }
        ExplainError::NeedsCommodity => {
            missing("commodity").hint("a scope of several points needs one")
        }
        ExplainError::UnknownScope(scope) => Problem::unknown("scope", "point", &scope),
        ExplainError::Report(report) => report.into(),
        ExplainError::Store(store) => store.into(),
    })
}
