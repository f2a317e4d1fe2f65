//! The ledger: amounts by time, and by what they are made of.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use chrono_tz::Tz;
use steward_config::Config;
use steward_model::time::{day_start_s, local_date, next_period_date};
use steward_model::{Commodity, PointId, Span};
use steward_report::rollup::period_end_s;
use steward_report::scope::REST;
use steward_report::{
    By, Cell, Group, RollUp, Scope, amount, by_zone, groups, kg, names, points_of, quality, zone_of,
};

use crate::overlay::Overlay;
use crate::params::Params;
use crate::problem::Problem;
use crate::range::{ROWS_MAX, Range};
use crate::state::{App, rfc3339_s};
use crate::views::{Key, Ledger, LedgerRow, cny};

const PARAMETERS: &[&str] = &["scope", "commodity", "span", "from", "to", "by"];

/// Ledger rows that are read at once: a bound on memory, whatever is asked.
const SLICE_ROWS_MAX: i64 = 50_000;

/// Amounts of one commodity. A total takes the points that no other point of the scope meters too.
#[utoipa::path(get, path = "/api/v1/ledger", tag = "energy",
    params(
        ("scope" = Option<String>, Query, description = "`all` (unless told), `institution:ID`, `building:ID` or `point:ID`"),
        ("commodity" = String, Query, description = "`electricity`, `water`, `natural_gas`, `heat`, `solar_generation`, …"),
        ("span" = Option<String>, Query, description = "`interval` (15 minutes), `hour`, `day` (unless told), `month` or `year`"),
        ("from" = Option<String>, Query, description = "Rows start here or later: RFC 3339, or a local date"),
        ("to" = Option<String>, Query, description = "Rows start before: RFC 3339, or a local date. At most 366 days after `from` for intervals and hours, ten years for days"),
        ("by" = Option<String>, Query, description = "`institution`, `building`, `point` or `subitem`: one row a key; of a point its children and the `rest`"),
    ),
    responses((status = 200, body = Ledger)))]
pub(crate) async fn ledger(State(app): State<Arc<App>>, uri: Uri) -> Result<Json<Ledger>, Problem> {
    let params = Params::of(&uri, PARAMETERS)?;
    let config = app.config();
    let scope = params.scope(config)?;
    let commodity = params.commodity()?;
    let span = params.span()?;
    let by = params.by(&scope)?;
    let zone = zone_of(config, &scope);
    let range = Range::of_ledger(&params, zone, span, app.now())?;
    let groups = groups(&config.registry, &scope, commodity, by);
    let (cells, _) = roll_up(&app, &groups, span, zone, range).await?;
    let overlay = Overlay::of(&app, &groups).await?;
    let row = |cell: &Cell| LedgerRow {
        start: rfc3339_s(zone, cell.start_s),
        key: groups.get(cell.group).and_then(|group| group.key.clone()),
        amount: amount(commodity, cell.sum.amount_base),
        amount_base: cell.sum.amount_base,
        quality: quality(&cell.sum.shares),
        coverage: cell.sum.coverage(),
        kgce: cell.sum.kgce_ug.map(kg),
        co2_kg: cell.sum.co2_ug.map(kg),
        cost_cny: cell.sum.cost_ncny().and_then(cny),
        provisional: overlay
            .as_ref()
            .map(|overlay| overlay.covers(cell.group, period_end_s(zone, span, cell.start_s))),
    };
    Ok(Json(Ledger {
        scope: scope.to_string(),
        commodity: commodity.id().to_owned(),
        span: span.id().to_owned(),
        by: by.map(|by| by.id().to_owned()),
        unit: commodity.unit().to_owned(),
        base_unit: commodity.base_unit().symbol().to_owned(),
        timezone: zone.name().to_owned(),
        from: rfc3339_s(zone, range.first_s()),
        to: rfc3339_s(zone, range.end_s()),
        keys: keys(config, &groups, by),
        rows: cells.iter().map(row).collect(),
    }))
}

/// Reads and adds up, slice by slice, so that memory holds the answer and one slice.
pub(crate) async fn roll_up(
    app: &App,
    groups: &[Group],
    span: Span,
    zone: Tz,
    range: Range,
) -> Result<(Vec<Cell>, Vec<String>), Problem> {
    let period_s = span_s(span);
    let periods = (range.end_s() - range.first_s()) / period_s + 1;
    let rows_max = periods.saturating_mul(i64::try_from(groups.len()).unwrap_or(i64::MAX));
    if rows_max > i64::try_from(ROWS_MAX).unwrap_or(i64::MAX) {
        let detail = format!("the answer could have {rows_max} rows; {ROWS_MAX} is the most");
        return Err(Problem::parameter("from", detail)
            .hint("ask for a shorter range, a longer span, a narrower scope or no `by`"));
    }
    let mut sums = RollUp::new(app.config(), groups, span, zone, app.now());
    for (points_zone, points) in by_zone(app.config(), points_of(groups)) {
        let count = i64::try_from(points.len()).unwrap_or(i64::MAX).max(1);
        let slice_s = (SLICE_ROWS_MAX / count).max(1) * period_s;
        let mut from_s = elsewhere(range.first_s(), span, zone, points_zone);
        let to_s = elsewhere(range.end_s(), span, zone, points_zone);
        while from_s < to_s {
            let next_s = (from_s + slice_s).min(to_s);
            sums.add(&read(app, &points, span, from_s, next_s).await?);
            from_s = next_s;
        }
    }
    Ok(sums.finish())
}

async fn read(
    app: &App,
    points: &[PointId],
    span: Span,
    from_s: i64,
    to_s: i64,
) -> Result<Vec<steward_model::LedgerRow>, Problem> {
    Ok(app.state.source.ledger(points, span, from_s, to_s).await?)
}

/// The least length of a period.
const fn span_s(span: Span) -> i64 {
    match span {
        Span::Interval => 900,
        Span::Hour => 3_600,
        // A day on which clocks are set forward.
        Span::Day => 82_800,
        Span::Month => 28 * 86_400 - 3_600,
        Span::Year => 365 * 86_400,
    }
}

/// An edge of a range in another zone: for days and longer, where the same local date begins.
fn elsewhere(at_s: i64, span: Span, zone: Tz, other: Tz) -> i64 {
    if zone == other || matches!(span, Span::Interval | Span::Hour) {
        return at_s;
    }
    let date = local_date(zone, at_s);
    let is_start = day_start_s(zone, date) == at_s;
    day_start_s(
        other,
        if is_start {
            date
        } else {
            next_period_date(Span::Day, date)
        },
    )
}

fn keys(config: &Config, groups: &[Group], by: Option<By>) -> Vec<Key> {
    let Some(by) = by else {
        return Vec::new();
    };
    let registry = &config.registry;
    let named = |key: &str| {
        let pair = match by {
            By::Institution => registry
                .institutions
                .get(key)
                .map(|it| (&it.name_zh, &it.name_en)),
            By::Building => registry
                .buildings
                .get(key)
                .map(|it| (&it.name_zh, &it.name_en)),
            By::Point if key != REST => registry
                .points
                .get(key)
                .map(|it| (&it.name_zh, &it.name_en)),
            By::Point | By::Subitem => None,
        };
        pair.map_or_else(|| names::subitem(key), |(zh, en)| (zh.clone(), en.clone()))
    };
    let keys = groups.iter().filter_map(|group| group.key.clone());
    keys.map(|key| {
        let (name_zh, name_en) = named(&key);
        Key {
            key,
            name_zh,
            name_en,
        }
    })
    .collect()
}

/// The groups of a scope's totals, one commodity after another.
pub(crate) fn totals(config: &Config, scope: &Scope) -> Vec<(Commodity, Group)> {
    Commodity::ALL
        .into_iter()
        .flat_map(|commodity| {
            let groups = groups(&config.registry, scope, commodity, None);
            groups.into_iter().map(move |group| (commodity, group))
        })
        .filter(|(_, group)| !group.plus.is_empty())
        .collect()
}
