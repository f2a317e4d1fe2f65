//! Standard coal and CO2, over all commodities, with the factors behind them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use steward_model::Commodity;
use steward_report::{Cell, Group, Sum, amount, kg, used_factors, zone_of};

use super::ledger::{roll_up, totals};
use crate::params::Params;
use crate::problem::Problem;
use crate::range::Range;
use crate::state::{App, rfc3339_s};
use crate::views::{Carbon, CarbonPart, CarbonRow};

const PARAMETERS: &[&str] = &["scope", "span", "from", "to"];

/// Standard coal and location-based CO2 by time, and what each commodity brings.
#[utoipa::path(get, path = "/api/v1/carbon", tag = "energy",
    params(
        ("scope" = Option<String>, Query, description = "`all` (unless told), `institution:ID`, `building:ID` or `point:ID`"),
        ("span" = Option<String>, Query, description = "`interval` (15 minutes), `hour`, `day` (unless told), `month` or `year`"),
        ("from" = Option<String>, Query, description = "Rows start here or later: RFC 3339, or a local date"),
        ("to" = Option<String>, Query, description = "Rows start before: RFC 3339, or a local date"),
    ),
    responses((status = 200, body = Carbon)))]
pub(crate) async fn carbon(State(app): State<Arc<App>>, uri: Uri) -> Result<Json<Carbon>, Problem> {
    let params = Params::of(&uri, PARAMETERS)?;
    let config = app.config();
    let scope = params.scope(config)?;
    let span = params.span()?;
    let zone = zone_of(config, &scope);
    let range = Range::of_ledger(&params, zone, span, app.now())?;
    let (commodities, groups): (Vec<Commodity>, Vec<Group>) =
        totals(config, &scope).into_iter().unzip();
    let (cells, factor_ids) = roll_up(&app, &groups, span, zone, range).await?;
    let rows = cells
        .chunk_by(|a, b| a.start_s == b.start_s)
        .map(|cells| row(zone, &commodities, cells));
    let rows = rows.collect();
    Ok(Json(Carbon {
        scope: scope.to_string(),
        span: span.id().to_owned(),
        timezone: zone.name().to_owned(),
        from: rfc3339_s(zone, range.first_s()),
        to: rfc3339_s(zone, range.end_s()),
        rows,
        factors: used_factors(config, &factor_ids),
    }))
}

/// The row of one period; `cells` are its commodities.
fn row(zone: chrono_tz::Tz, commodities: &[Commodity], cells: &[Cell]) -> CarbonRow {
    let mut counted = Sum::default();
    let mut by_commodity = Vec::new();
    for cell in cells {
        let Some(&commodity) = commodities.get(cell.group) else {
            continue;
        };
        let sum = &cell.sum;
        if sum.kgce_ug.is_some() || sum.co2_ug.is_some() {
            // Amounts of different commodities have no sum.
            counted.add(&Sum {
                amount_base: 0,
                ..sum.clone()
            });
        }
        by_commodity.push(CarbonPart {
            commodity: commodity.id().to_owned(),
            amount: amount(commodity, sum.amount_base),
            amount_base: sum.amount_base,
            unit: commodity.unit().to_owned(),
            kgce: sum.kgce_ug.map(kg),
            co2_kg: sum.co2_ug.map(kg),
        });
    }
    CarbonRow {
        start: rfc3339_s(zone, cells.first().map_or(0, |cell| cell.start_s)),
        kgce: counted.kgce_ug.map(kg),
        co2_kg: counted.co2_ug.map(kg),
        coverage: counted.coverage(),
        by_commodity,
    }
}
