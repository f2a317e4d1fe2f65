//! The frozen content of a month: what it holds, how it is composed, how it is read.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use steward_books::{ClosedPrices, DayOfPrices};
use steward_config::Config;
use steward_ledger::LocalDay;
use steward_ledger::money::Prices;
use steward_model::{Commodity, InstitutionId, LedgerRow, PointId, Shares, Span, UtcMs};
use steward_store::Source;

use super::Closes;
use crate::adjustments::{AdjustmentLine, Exact};
use crate::books::BooksView;
use crate::facts::{Facts, report_points, zone_of_point};
use crate::hash::{canonical_text, sha256};
use crate::rollup::{RollUp, Sum};
use crate::scope::{Scope, groups, zone_of};
use crate::{Month, ReportError, compose};

/// Name and version of the content's form.
const SCHEMA: &str = "steward.close/1";

/// Members of a report that say how it is issued, and not what the month was.
pub(super) const ISSUED: [&str; 4] = ["state", "close", "generated_at", "content_sha256"];

/// The frozen figures of one month of one institution. Micrograms and nano-yuan are decimal texts:
/// numbers of JSON end at 2⁵³.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CloseContent {
    /// Name and version of this form.
    pub schema: String,
    /// Whose.
    pub institution: InstitutionId,
    /// `yyyy-mm`.
    pub month: String,
    /// 1, and one more for each revision.
    pub revision: u32,
    /// The zone that decides what the month is.
    pub timezone: String,
    /// Every point of the institution, virtual ones too, and those that its totals take off.
    pub points: Vec<ClosedPoint>,
    /// The totals, one a commodity.
    pub totals: Vec<ClosedTotal>,
    /// Adjustments of earlier months that are taken in this one.
    pub adjustments: Vec<AdjustmentLine>,
    /// What differs from the revision before; empty in the first.
    pub differences: Vec<Difference>,
    /// What every interval of the month was priced by: the ledger of a closed month keeps it. A
    /// revision has those of the close before it.
    #[serde(default)]
    pub prices: Option<ClosedPrices>,
    /// The month's report, without what says how a copy is issued.
    pub report: Value,
}

/// One point of a frozen month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClosedPoint {
    /// The point.
    pub point: PointId,
    /// What it meters.
    pub commodity: Commodity,
    /// The second (UTC) at which its month begins.
    pub start_s: i64,
    /// Its figures; zero where nothing is present.
    #[serde(flatten)]
    pub exact: Exact,
    /// The amount by quality.
    pub shares: Shares,
    /// Intervals with an amount.
    pub intervals_present: u32,
    /// Intervals of the month.
    pub intervals_expected: u32,
    /// Ids of the factors used, joined by `+`.
    pub factor_set: String,
    /// Tariff versions used, joined by `+`.
    pub tariff_set: String,
    /// On what it rests by the registry: meters and ratios, or the terms of its formula.
    pub basis: String,
}

/// The total of one commodity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClosedTotal {
    /// Which.
    pub commodity: Commodity,
    /// Base units.
    pub amount_base: i64,
    /// Standard coal in micrograms.
    pub kgce_ug: Option<String>,
    /// CO2 in micrograms.
    pub co2_ug: Option<String>,
    /// Cost in nano-yuan; absent where a part has no price.
    pub cost_ncny: Option<String>,
    /// Points added.
    pub plus: Vec<PointId>,
    /// Points taken off.
    pub minus: Vec<PointId>,
}

/// What a revision changes of a point: new − old.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The point.
    pub point: PointId,
    /// What it meters.
    pub commodity: Commodity,
    /// By how much.
    #[serde(flatten)]
    pub exact: Exact,
}

/// A content, its canonical text, and the text's hash.
#[derive(Clone, Debug)]
pub struct Composed {
    /// What it says.
    pub content: CloseContent,
    /// The content in its canonical form (RFC 8785).
    pub text: String,
    /// SHA-256 of the text in hex.
    pub sha256: String,
}

impl Composed {
    fn of(content: CloseContent) -> Result<Self, ReportError> {
        let render = |error: serde_json::Error| ReportError::Render(error.into());
        let text = canonical_text(&serde_json::to_value(&content).map_err(render)?);
        Ok(Self {
            sha256: sha256(&text),
            text,
            content,
        })
    }
}

/// Reads a content as it stands in the books.
pub fn read_content(proposal: u64, text: &str) -> Result<CloseContent, ReportError> {
    serde_json::from_str(text).map_err(|error| ReportError::Content(proposal, error))
}

/// Composes the content with which a month would close now: its first one, or the next revision of
/// a closed month. Of a month that is over nothing depends on `now`.
pub async fn compose_content(
    config: &Config,
    source: &Source,
    books: &BooksView,
    institution: &InstitutionId,
    month: Month,
    now: UtcMs,
) -> Result<Composed, ReportError> {
    let closes = Closes::of(&books.state, institution)?;
    let facts = closes.facts(source, config, books, month, true).await?;
    content_of(
        config,
        institution,
        month,
        &facts,
        closes.content(month),
        now,
    )
}

/// [`compose_content`] of facts that were gathered as if the month were open.
pub(crate) fn content_of(
    config: &Config,
    institution: &InstitutionId,
    month: Month,
    facts: &Facts,
    before: Option<&CloseContent>,
    now: UtcMs,
) -> Result<Composed, ReportError> {
    let report = compose(config, institution, month, facts, now)?;
    let render = |error: serde_json::Error| ReportError::Render(error.into());
    let mut report = serde_json::to_value(&report).map_err(render)?;
    if let Some(members) = report.as_object_mut() {
        for name in ISSUED {
            members.remove(name);
        }
    }
    let scope = Scope::Institution(institution.clone());
    let rows = rows_of_month(config, &facts.rows, month);
    let points: Vec<ClosedPoint> = report_points(config, institution)
        .into_iter()
        .filter_map(|id| closed_point(config, &id, month, rows.get(&id).copied()))
        .collect();
    Composed::of(CloseContent {
        schema: SCHEMA.to_owned(),
        institution: institution.clone(),
        month: month.to_string(),
        revision: before.map_or(1, |before| before.revision.saturating_add(1)),
        timezone: zone_of(config, &scope).name().to_owned(),
        totals: totals(config, &scope, month, &facts.rows, now),
        adjustments: facts.adjustments.clone(),
        differences: before.map_or_else(Vec::new, |before| differences(before, &points)),
        prices: before.map_or_else(
            || Some(prices(config, &points, month)),
            |before| before.prices.clone(),
        ),
        points,
        report,
    })
}

/// The prices of every point and day of a month.
fn prices(config: &Config, points: &[ClosedPoint], month: Month) -> ClosedPrices {
    let of_config = Prices::of(config);
    let mut closed = ClosedPrices::default();
    let days = month.first().iter_days();
    let days = days.take_while(|date| *date < month.later(1).first());
    for (point, date) in points
        .iter()
        .flat_map(|one| days.clone().map(|date| (&one.point, date)))
    {
        let zone = zone_of_point(config, point);
        let day = of_config.day(config, point, &LocalDay::of(zone, date), zone);
        let (tariff_set, runs) = (day.tariff_set.clone(), day.runs.clone());
        closed.push(point, DayOfPrices { tariff_set, runs });
    }
    closed
}

/// The rows of one month by point.
pub(crate) fn rows_of_month<'a>(
    config: &Config,
    rows: &'a [LedgerRow],
    month: Month,
) -> BTreeMap<PointId, &'a LedgerRow> {
    let of_month = rows.iter().filter(|row| {
        let zone = zone_of_point(config, &row.point);
        row.start_s == month.start_s(zone)
    });
    of_month.map(|row| (row.point.clone(), row)).collect()
}

fn closed_point(
    config: &Config,
    id: &PointId,
    month: Month,
    row: Option<&LedgerRow>,
) -> Option<ClosedPoint> {
    let point = config.registry.points.get(id)?;
    let zone = zone_of_point(config, id);
    let start_s = month.start_s(zone);
    let length = (month.later(1).start_s(zone) - start_s) / steward_model::time::INTERVAL_S;
    Some(ClosedPoint {
        point: id.clone(),
        commodity: point.commodity,
        start_s,
        exact: row.map_or_else(Exact::default, Exact::of),
        shares: row.map_or_else(Shares::default, |row| row.shares),
        intervals_present: row.map_or(0, |row| row.intervals_present),
        intervals_expected: row.map_or_else(
            || u32::try_from(length).unwrap_or(0),
            |row| row.intervals_expected,
        ),
        factor_set: row.map_or_else(String::new, |row| row.factor_set.clone()),
        tariff_set: row.map_or_else(String::new, |row| row.tariff_set.clone()),
        basis: basis(config, id, month, zone),
    })
}

impl ClosedPoint {
    /// The row as it was; nothing where nothing was present.
    pub(crate) fn row(&self) -> Option<LedgerRow> {
        (self.intervals_present > 0).then(|| LedgerRow {
            point: self.point.clone(),
            span: Span::Month,
            start_s: self.start_s,
            amount_base: self.exact.amount_base,
            shares: self.shares,
            intervals_present: self.intervals_present,
            intervals_expected: self.intervals_expected,
            kgce_ug: self.exact.kgce_ug,
            co2_ug: self.exact.co2_ug,
            factor_set: self.factor_set.clone(),
            cost_ncny: self.exact.cost_ncny,
            tariff_set: self.tariff_set.clone(),
        })
    }
}

/// On what a point's month rests by the registry, as one text.
pub(crate) fn basis(config: &Config, id: &PointId, month: Month, zone: Tz) -> String {
    let (first, end) = (month.first(), month.later(1).first());
    let Some(point) = config.registry.points.get(id) else {
        return String::new();
    };
    let mut parts: Vec<String> = Vec::new();
    for dated in &point.formulas {
        if dated.from < end && dated.to.is_none_or(|to| first < to) {
            let terms = dated.value.terms.iter();
            let terms: Vec<String> = terms
                .map(|term| format!("{}×{}ppm", term.point, term.coefficient_ppm))
                .collect();
            parts.push(format!("{}: {}", dated.from.max(first), terms.join(" + ")));
        }
    }
    if point.formulas.is_empty() {
        for meter in config.registry.meters_of(id) {
            if meter.from < end && meter.to.is_none_or(|to| first < to) {
                let from = meter.from.max(first);
                parts.push(format!("{from}: {}×{}", meter.id, meter.ratio_on(from)));
                let changes = meter.ratio_changes.iter();
                let within = changes.filter(|(day, _)| from < *day && *day < end);
                parts.extend(within.map(|(day, ratio)| format!("{day}: {}×{ratio}", meter.id)));
            }
        }
    }
    format!("{} {}", zone.name(), parts.join("; "))
}

fn totals(
    config: &Config,
    scope: &Scope,
    month: Month,
    rows: &[LedgerRow],
    now: UtcMs,
) -> Vec<ClosedTotal> {
    let of_month = rows_of_month(config, rows, month);
    let rows: Vec<LedgerRow> = of_month.into_values().cloned().collect();
    let mut totals = Vec::new();
    for commodity in Commodity::ALL {
        let whole = groups(&config.registry, scope, commodity, None);
        let mut sums = RollUp::new(config, &whole, Span::Month, zone_of(config, scope), now);
        sums.add(&rows);
        let sum = sums.finish().0.into_iter().next().map(|cell| cell.sum);
        if let (Some(sum), Some(group)) = (sum, whole.into_iter().next()) {
            totals.push(ClosedTotal {
                commodity,
                amount_base: sum.amount_base,
                kgce_ug: sum.kgce_ug.map(|ug| ug.to_string()),
                co2_ug: sum.co2_ug.map(|ug| ug.to_string()),
                cost_ncny: Sum::cost_ncny(&sum).map(|ncny| ncny.to_string()),
                plus: group.plus,
                minus: group.minus,
            });
        }
    }
    totals
}

/// New − old of every point that differs.
fn differences(before: &CloseContent, now: &[ClosedPoint]) -> Vec<Difference> {
    let by_point = |points: &'_ [ClosedPoint]| -> BTreeMap<PointId, (Commodity, Exact)> {
        let figures = points.iter();
        figures
            .map(|point| (point.point.clone(), (point.commodity, point.exact)))
            .collect()
    };
    let (old, new) = (by_point(&before.points), by_point(now));
    let all: BTreeSet<&PointId> = old.keys().chain(new.keys()).collect();
    let differing = all.into_iter().filter_map(|id| {
        let (was, is) = (old.get(id), new.get(id));
        let exact = |one: Option<&(Commodity, Exact)>| one.map(|one| one.1).unwrap_or_default();
        let (commodity, _) = is.or(was)?;
        let exact = exact(is).minus(exact(was));
        (!exact.is_zero()).then(|| Difference {
            point: id.clone(),
            commodity: *commodity,
            exact,
        })
    });
    differing.collect()
}
