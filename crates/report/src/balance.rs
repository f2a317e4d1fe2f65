//! Balance: what a point meters against what its children meter.
//!
//! The residual is parent − children. It is always shown; the tolerance only says when somebody
//! should look. A residual is judged where nothing is missing: a child without its intervals would
//! be found in it as a loss.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use steward_config::{Config, Point};
use steward_model::time::{INTERVAL_S, day_start_s, local_date, next_period_date, period_date};
use steward_model::{LedgerRow, PointId, Span, UtcMs};
use steward_store::Source;
use utoipa::ToSchema;

use crate::ReportError;
use crate::facts::{by_zone, zone_of_point};
use crate::numbers::{amount, share_of};
use crate::rollup::services;
use crate::scope::{By, REST, Scope, groups, points_of};

/// Intervals that ended less than this before now may still be on their way.
const LATE_S: i64 = 2 * INTERVAL_S;

/// The balance of a point, period by period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Balance {
    /// The point.
    pub point: String,
    /// What is metered.
    pub commodity: String,
    /// Unit of the amounts.
    pub unit: String,
    /// `day` or `month`
    pub span: String,
    /// The part of the point's amount by which its children may differ.
    pub tolerance: f64,
    /// The periods in which the point has an amount, or a child has one.
    pub periods: Vec<BalancePeriod>,
}

/// The balance of one period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BalancePeriod {
    /// First local day.
    pub from: NaiveDate,
    /// First day after.
    pub to: NaiveDate,
    /// What the point meters; null where nothing is known.
    pub amount: Option<f64>,
    /// What each child meters.
    pub children: Vec<BalanceChild>,
    /// What the children meter together; null where the point has none.
    pub children_amount: Option<f64>,
    /// Point − children; null where a part of it is not known at all.
    pub residual: Option<f64>,
    /// The same in base units.
    pub residual_base: Option<i64>,
    /// Residual ÷ point, where the point has an amount above zero.
    pub residual_share: Option<f64>,
    /// Whether somebody should look.
    pub verdict: BalanceVerdict,
}

/// A child's part in a balance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BalanceChild {
    /// The child.
    pub point: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// What it meters; null where nothing is known.
    pub amount: Option<f64>,
    /// Intervals of its service that are missing.
    pub intervals_missing: u64,
}

/// What a balance says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BalanceVerdict {
    /// Within the tolerance.
    Ok,
    /// Beyond the tolerance.
    Exceeded,
    /// Something is missing, or there are no children.
    Unknown,
}

/// Some points over some days: base units and what is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Part {
    amount_base: Option<i64>,
    intervals_present: u64,
    intervals_missing: u64,
}

/// The balance of `point` for every day or month of the local dates `from` to before `to`; longer
/// and shorter spans are taken as months and days. `now` says what cannot be there yet.
pub async fn balance(
    config: &Config,
    source: &Source,
    point: &Point,
    span: Span,
    (from, to): (NaiveDate, NaiveDate),
    now: UtcMs,
) -> Result<Balance, ReportError> {
    let span = match span {
        Span::Month | Span::Year => Span::Month,
        Span::Interval | Span::Hour | Span::Day => Span::Day,
    };
    let from = period_date(span, from);
    let children = children(config, point);
    let rows = rows(config, source, point, &children, span, (from, to)).await?;
    let mut periods: BTreeMap<NaiveDate, Vec<&LedgerRow>> = BTreeMap::new();
    for row in &rows {
        let date = local_date(zone_of_point(config, &row.point), row.start_s);
        periods.entry(date).or_default().push(row);
    }
    let asked = Asked {
        config,
        point,
        children: &children,
        now,
    };
    let periods = periods
        .into_iter()
        .map(|(from, rows)| asked.period((from, next_period_date(span, from)), &rows));
    Ok(Balance {
        point: point.id.to_string(),
        commodity: point.commodity.id().to_owned(),
        unit: point.commodity.unit().to_owned(),
        span: span.id().to_owned(),
        tolerance: tolerance(config, point),
        periods: periods.collect(),
    })
}

/// The balance of `point` over the local dates `from` to before `to` as one period.
pub async fn balance_over(
    config: &Config,
    source: &Source,
    point: &Point,
    period: (NaiveDate, NaiveDate),
    now: UtcMs,
) -> Result<BalancePeriod, ReportError> {
    let children = children(config, point);
    let rows = rows(config, source, point, &children, Span::Day, period).await?;
    let asked = Asked {
        config,
        point,
        children: &children,
        now,
    };
    Ok(asked.period(period, &rows.iter().collect::<Vec<_>>()))
}

/// The points that are taken off a point to find its residual.
fn children(config: &Config, point: &Point) -> Vec<PointId> {
    let scope = Scope::Point(point.id.clone());
    let mut parts = groups(&config.registry, &scope, point.commodity, Some(By::Point));
    parts.retain(|group| group.key.as_deref() == Some(REST));
    for rest in &mut parts {
        rest.plus.clear();
    }
    points_of(&parts)
}

async fn rows(
    config: &Config,
    source: &Source,
    point: &Point,
    children: &[PointId],
    span: Span,
    (from, to): (NaiveDate, NaiveDate),
) -> Result<Vec<LedgerRow>, ReportError> {
    let mut all = children.to_vec();
    all.push(point.id.clone());
    let mut rows = Vec::new();
    for (zone, points) in by_zone(config, all) {
        let (from_s, to_s) = (day_start_s(zone, from), day_start_s(zone, to));
        rows.extend(source.ledger(&points, span, from_s, to_s).await?);
    }
    Ok(rows)
}

fn tolerance(config: &Config, point: &Point) -> f64 {
    let usual = config.settings.ledger.balance_tolerance;
    point.balance_tolerance.unwrap_or(usual)
}

struct Asked<'a> {
    config: &'a Config,
    point: &'a Point,
    children: &'a [PointId],
    now: UtcMs,
}

impl Asked<'_> {
    fn period(&self, (from, to): (NaiveDate, NaiveDate), rows: &[&LedgerRow]) -> BalancePeriod {
        let commodity = self.point.commodity;
        let own = self.part(&self.point.id, (from, to), rows);
        let parts: Vec<(&PointId, Part)> = self
            .children
            .iter()
            .map(|id| (id, self.part(id, (from, to), rows)))
            .filter(|(_, part)| part.amount_base.is_some() || part.intervals_missing > 0)
            .collect();
        let sum_base: Option<i64> = parts.iter().map(|(_, part)| part.amount_base).sum();
        let sum_base = sum_base.filter(|_| !parts.is_empty());
        let residual_base = own.amount_base.zip(sum_base).map(|(own, sum)| own - sum);
        let is_whole =
            own.intervals_missing == 0 && parts.iter().all(|(_, part)| part.intervals_missing == 0);
        let verdict = match (own.amount_base, residual_base) {
            (Some(own), Some(residual)) if is_whole => self.judge(own, residual),
            _ => BalanceVerdict::Unknown,
        };
        let residual_share = own.amount_base.zip(residual_base);
        BalancePeriod {
            from,
            to,
            amount: own.amount_base.map(|base| amount(commodity, base)),
            children: parts
                .iter()
                .map(|(id, part)| self.child(id, *part))
                .collect(),
            children_amount: sum_base.map(|base| amount(commodity, base)),
            residual: residual_base.map(|base| amount(commodity, base)),
            residual_base,
            residual_share: residual_share
                .and_then(|(own, residual)| share_of(residual.into(), own.into())),
            verdict,
        }
    }

    fn judge(&self, own_base: i64, residual_base: i64) -> BalanceVerdict {
        let allowed = tolerance(self.config, self.point) * own_base.abs() as f64;
        if residual_base.abs() as f64 <= allowed {
            BalanceVerdict::Ok
        } else {
            BalanceVerdict::Exceeded
        }
    }

    fn part(&self, id: &PointId, (from, to): (NaiveDate, NaiveDate), rows: &[&LedgerRow]) -> Part {
        let mut part = Part::default();
        for row in rows.iter().filter(|row| &row.point == id) {
            *part.amount_base.get_or_insert(0) += row.amount_base;
            part.intervals_present += u64::from(row.intervals_present);
        }
        let expected = expected(self.config, id, (from, to), self.now);
        part.intervals_missing = expected.saturating_sub(part.intervals_present);
        part
    }

    fn child(&self, id: &PointId, part: Part) -> BalanceChild {
        let point = self.config.registry.points.get(id);
        let named = |name: fn(&Point) -> &str| point.map_or(id.as_str(), name).to_owned();
        BalanceChild {
            point: id.to_string(),
            name_zh: named(|point| &point.name_zh),
            name_en: named(|point| &point.name_en),
            amount: part
                .amount_base
                .map(|base| amount(self.point.commodity, base)),
            intervals_missing: part.intervals_missing,
        }
    }
}

/// The intervals that a point is served in the local dates `from` to before `to`, up to a little
/// before `now`.
pub(crate) fn expected(
    config: &Config,
    id: &PointId,
    (from, to): (NaiveDate, NaiveDate),
    now: UtcMs,
) -> u64 {
    let zone = zone_of_point(config, id);
    let from_s = day_start_s(zone, from);
    let to_s = day_start_s(zone, to).min(now.seconds_floor() - LATE_S);
    let served = services(config, id, zone).into_iter();
    served
        .map(|(first_s, last_s)| {
            let seconds = to_s.min(last_s) - from_s.max(first_s);
            (seconds / INTERVAL_S).max(0).unsigned_abs()
        })
        .sum()
}
