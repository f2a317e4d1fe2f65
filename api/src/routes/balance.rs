//! What a point meters against what its children meter.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use steward_model::Span;
use steward_model::time::local_date;
use steward_report::balance::{Balance, balance as of_point};

use crate::params::{Params, missing};
use crate::problem::Problem;
use crate::range::{FINE_DAYS_MAX, Range};
use crate::state::{App, zone_of_point};
use crate::views::BalanceSpan;

const PARAMETERS: &[&str] = &["point", "span", "from", "to"];

/// The balance of a point and its children 平衡: the residual, and whether somebody should look.
#[utoipa::path(get, path = "/api/v1/balance", tag = "energy",
    params(
        ("point" = String, Query, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "Which point"),
        ("span" = inline(Option<BalanceSpan>), Query, description = "`day` unless told"),
        ("from" = Option<String>, Query, description = "Periods from this one on: RFC 3339, or a local date"),
        ("to" = Option<String>, Query, description = "Periods before this one: RFC 3339, or a local date. At most 366 days after `from` for days"),
    ),
    responses((status = 200, body = Balance)))]
pub(crate) async fn balance(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Balance>, Problem> {
    let params = Params::of(&uri, PARAMETERS)?;
    let config = app.config();
    let id = params.point(config)?.ok_or_else(|| missing("point"))?;
    let point = config.registry.points.get(&id);
    let point = point.ok_or_else(|| Problem::unknown("point", "point", id.as_str()))?;
    let span = params.word("span", &["day", "month"], |text| {
        Span::from_id(text).filter(|span| matches!(span, Span::Day | Span::Month))
    })?;
    let span = span.unwrap_or(Span::Day);
    let (zone, now) = (zone_of_point(config, &id), app.now());
    let range = Range::of_ledger(&params, zone, span, now)?;
    let from = local_date(zone, range.first_s());
    let last = local_date(zone, range.end_s() - 1);
    let to = last.succ_opt().unwrap_or(last);
    if span == Span::Day && (to - from).num_days() > FINE_DAYS_MAX {
        let detail = format!("the range is longer than {FINE_DAYS_MAX} days");
        return Err(Problem::parameter("to", detail).hint("ask for `span=month`"));
    }
    let found = of_point(config, &app.state.source, point, span, (from, to), now).await?;
    Ok(Json(found))
}
