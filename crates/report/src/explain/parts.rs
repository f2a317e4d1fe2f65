//! The parts of a figure: the shorter spans of a point's, and the points of a total's.

use chrono_tz::Tz;
use steward_config::Config;
use steward_model::time::{day_start_s, local_date, period_start_s};
use steward_model::{Commodity, LedgerRow, PointId, Span, UtcMs};
use steward_store::Source;

use super::view::{Branch, Check, Explanation};
use super::{Asked, ExplainError, Frame};
use crate::compose::rfc3339;
use crate::facts::by_zone;
use crate::numbers::{amount, yuan};
use crate::rollup::{RollUp, Sum, period_end_s};
use crate::scope::{Group, groups, points_of};

/// The relative link of a point's explanation.
pub(super) fn link(point: &str, span: Span, start_s: i64) -> String {
    let start = UtcMs(start_s.saturating_mul(1_000)).to_datetime();
    format!(
        "explain?point={point}&span={}&start={}",
        span.id(),
        start.format("%Y-%m-%dT%H:%M:%SZ")
    )
}

const fn shorter(span: Span) -> Option<Span> {
    match span {
        Span::Interval => None,
        Span::Hour => Some(Span::Interval),
        Span::Day => Some(Span::Hour),
        Span::Month => Some(Span::Day),
        Span::Year => Some(Span::Month),
    }
}

/// The shorter spans of a point's figure.
pub(super) async fn spans(
    source: &Source,
    frame: &Frame,
    point: &PointId,
    into: &mut Explanation,
) -> Result<(), ExplainError> {
    let Some(span) = shorter(frame.span) else {
        return Ok(());
    };
    let rows = source
        .ledger(
            std::slice::from_ref(point),
            span,
            frame.start_s,
            frame.end_s,
        )
        .await?;
    let sum = rows.iter().map(|row| row.amount_base).sum();
    into.spans = rows.iter().map(|row| branch_of_span(frame, row)).collect();
    if let Some(stated) = into.amount_base {
        into.checks.push(Check::new("spans", stated, sum));
    }
    Ok(())
}

/// What people call a span.
fn name_of(zone: Tz, span: Span, start_s: i64) -> String {
    let local = UtcMs(start_s * 1_000).to_datetime().with_timezone(&zone);
    let name = match span {
        Span::Interval | Span::Hour => local.format("%H:%M"),
        Span::Day => local.format("%Y-%m-%d"),
        Span::Month => local.format("%Y-%m"),
        Span::Year => local.format("%Y"),
    };
    name.to_string()
}

fn branch_of_span(frame: &Frame, row: &LedgerRow) -> Branch {
    let name = name_of(frame.zone, row.span, row.start_s);
    Branch {
        key: rfc3339(frame.zone, UtcMs(row.start_s * 1_000)),
        name_zh: name.clone(),
        name_en: name,
        sign: 1,
        amount_base: Some(row.amount_base),
        amount: Some(amount(frame.commodity, row.amount_base)),
        cost_cny: row.cost_ncny.map(|ncny| yuan(ncny.into())),
        link: link(row.point.as_str(), row.span, row.start_s),
    }
}

/// The total of a scope, and the points that make it.
pub(super) async fn total(
    config: &Config,
    source: &Source,
    frame: &Frame,
    asked: &Asked,
    now: UtcMs,
    into: &mut Explanation,
) -> Result<Option<Sum>, ExplainError> {
    let whole = groups(&config.registry, &asked.scope, frame.commodity, None);
    let rows = rows_of(config, source, frame, &whole).await?;
    let mut sums = RollUp::new(config, &whole, frame.span, frame.zone, now);
    sums.add(&rows);
    let (cells, factors) = {
        let tariffs = sums.tariffs();
        let (cells, factors) = sums.finish();
        into.tariffs = crate::used_tariffs(config, &tariffs);
        (cells, factors)
    };
    into.factors = crate::used_factors(config, &factors);
    let sum = cells.into_iter().next().map(|cell| cell.sum);
    let mut computed = 0;
    for group in &whole {
        let signed = group.plus.iter().map(|id| (id, 1));
        for (id, sign) in signed.chain(group.minus.iter().map(|id| (id, -1))) {
            let row = rows.iter().find(|row| &row.point == id);
            computed += sign * row.map_or(0, |row| row.amount_base);
            into.points
                .push(branch_of_point(config, frame, id, sign, row));
        }
    }
    if let Some(sum) = &sum {
        into.checks
            .push(Check::new("points", sum.amount_base, computed));
        spans_of_total(config, source, frame, asked, &whole, now, into).await?;
        if !into.spans.is_empty() {
            let spans = into.spans.iter().filter_map(|span| span.amount_base);
            let check = Check::new("spans", sum.amount_base, spans.sum());
            into.checks.push(check);
        }
    }
    Ok(sum)
}

/// The shorter spans of a total.
async fn spans_of_total(
    config: &Config,
    source: &Source,
    frame: &Frame,
    asked: &Asked,
    whole: &[Group],
    now: UtcMs,
    into: &mut Explanation,
) -> Result<(), ExplainError> {
    let Some(span) = shorter(frame.span) else {
        return Ok(());
    };
    let mut sums = RollUp::new(config, whole, span, frame.zone, now);
    for (zone, points) in by_zone(config, points_of(whole)) {
        let (from_s, to_s) = (frame.start_in(zone), frame.end_in(zone));
        sums.add(&source.ledger(&points, span, from_s, to_s).await?);
    }
    for cell in sums.finish().0 {
        let start = UtcMs(cell.start_s * 1_000).to_datetime();
        let name = name_of(frame.zone, span, cell.start_s);
        into.spans.push(Branch {
            key: rfc3339(frame.zone, UtcMs(cell.start_s * 1_000)),
            name_zh: name.clone(),
            name_en: name,
            sign: 1,
            amount_base: Some(cell.sum.amount_base),
            amount: Some(amount(frame.commodity, cell.sum.amount_base)),
            cost_cny: cell.sum.cost_ncny().map(yuan),
            link: format!(
                "explain?scope={}&commodity={}&span={}&start={}",
                asked.scope,
                frame.commodity.id(),
                span.id(),
                start.format("%Y-%m-%dT%H:%M:%SZ")
            ),
        });
    }
    Ok(())
}

/// The rows of a total's points: the same local span in each point's own zone.
async fn rows_of(
    config: &Config,
    source: &Source,
    frame: &Frame,
    whole: &[Group],
) -> Result<Vec<LedgerRow>, ExplainError> {
    let mut rows = Vec::new();
    for (zone, points) in by_zone(config, points_of(whole)) {
        let start_s = frame.start_in(zone);
        rows.extend(
            source
                .ledger(&points, frame.span, start_s, start_s + 1)
                .await?,
        );
    }
    Ok(rows)
}

fn branch_of_point(
    config: &Config,
    frame: &Frame,
    id: &PointId,
    sign: i64,
    row: Option<&LedgerRow>,
) -> Branch {
    let point = config.registry.points.get(id);
    let zone = crate::facts::zone_of_point(config, id);
    Branch {
        key: id.to_string(),
        name_zh: point.map_or_else(String::new, |point| point.name_zh.clone()),
        name_en: point.map_or_else(String::new, |point| point.name_en.clone()),
        sign,
        amount_base: row.map(|row| row.amount_base),
        amount: row.map(|row| amount(frame.commodity, row.amount_base)),
        cost_cny: row
            .and_then(|row| row.cost_ncny)
            .map(|ncny| yuan(ncny.into())),
        link: link(id.as_str(), frame.span, frame.start_in(zone)),
    }
}

impl Frame {
    pub(super) fn new(
        commodity: Commodity,
        zone: Tz,
        span: Span,
        start_s: i64,
    ) -> Result<Self, ExplainError> {
        let begins = period_start_s(zone, span, start_s);
        if begins != start_s {
            return Err(ExplainError::Start {
                asked: rfc3339(zone, UtcMs(start_s.saturating_mul(1_000))),
                begins: rfc3339(zone, UtcMs(begins.saturating_mul(1_000))),
                span: span.id(),
            });
        }
        Ok(Self {
            commodity,
            zone,
            span,
            start_s,
            end_s: period_end_s(zone, span, start_s),
        })
    }

    /// The start of the same local span in another zone.
    fn start_in(&self, zone: Tz) -> i64 {
        self.moved(zone, self.start_s)
    }

    /// The end of the same local span in another zone.
    fn end_in(&self, zone: Tz) -> i64 {
        self.moved(zone, self.end_s)
    }

    fn moved(&self, zone: Tz, at_s: i64) -> i64 {
        match self.span {
            Span::Interval | Span::Hour => at_s,
            Span::Day | Span::Month | Span::Year => day_start_s(zone, local_date(self.zone, at_s)),
        }
    }
}
