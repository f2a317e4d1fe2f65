//! Readings of one series, as the meter gave them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use steward_model::time::local_date;
use steward_model::{MeterId, UtcMs};

use crate::params::{Params, missing};
use crate::problem::Problem;
use crate::range::{ROWS_MAX, Range};
use crate::state::{App, rfc3339};
use crate::views::{ReadingRow, Readings};

const PARAMETERS: &[&str] = &["meter", "quantity", "from", "to", "limit"];

/// Rows of an answer where no `limit` is given.
const LIMIT_USUAL: usize = 10_000;

/// Readings of a meter and quantity, as the register shows them.
#[utoipa::path(get, path = "/api/v1/readings", tag = "energy",
    params(
        ("meter" = String, Query, description = "Which meter"),
        ("quantity" = String, Query, description = "What was measured, such as `energy_import` or `power`"),
        ("from" = Option<String>, Query, description = "First instant: RFC 3339, or a local date; a day before `to` unless told"),
        ("to" = Option<String>, Query, description = "First instant after: RFC 3339, or a local date; now unless told. At most 366 days after `from`"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 50000, description = "The most rows; 10000 unless told"),
    ),
    responses((status = 200, body = Readings)))]
pub(crate) async fn readings(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Readings>, Problem> {
    let params = Params::of(&uri, PARAMETERS)?;
    let config = app.config();
    let id: MeterId = params.id("meter")?.ok_or_else(|| missing("meter"))?;
    let registered = config.registry.meters.get(&id);
    let meter = registered.ok_or_else(|| Problem::unknown("meter", "meter", id.as_str()))?;
    let quantity = params.quantity()?;
    let point = config.registry.points.get(&meter.point);
    let zone = point
        .and_then(|point| config.registry.zone_of(point))
        .unwrap_or(config.settings.zone);
    let range = Range::of_readings(&params, zone, app.now())?;
    let rows_max = u32::try_from(ROWS_MAX).unwrap_or(u32::MAX);
    let limit = params.number("limit", 1, rows_max)?;
    let limit = limit
        .and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(LIMIT_USUAL);
    let source = &app.state.source;
    // One more than asked for tells whether there is more.
    let mut found = source
        .readings(&id, quantity, range.from, range.to, limit + 1)
        .await?;
    let is_more = found.len() > limit;
    found.truncate(limit);
    let next = found
        .last()
        .filter(|_| is_more)
        .map(|last| UtcMs(last.at.0 + 1));
    Ok(Json(Readings {
        meter: id.to_string(),
        quantity: quantity.id().to_owned(),
        unit: quantity.unit().to_owned(),
        ratio: meter.ratio_on(local_date(zone, (range.to.0 - 1).div_euclid(1_000))),
        timezone: zone.name().to_owned(),
        rows: found
            .iter()
            .map(|reading| ReadingRow {
                at: rfc3339(zone, reading.at),
                value: reading.value.get(),
                quality: reading.quality.into(),
            })
            .collect(),
        next_from: next.map(|at| rfc3339(zone, at)),
    }))
}
