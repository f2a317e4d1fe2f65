//! Explains a figure: everything on which it rests, one level down, with links to the next.
//!
//! What it promises: an explanation computes the figure again from its parts and says whether they
//! add up, in integers. It opens the same readings with the same rules as the ledger's kernel.
//!
//! What it never does: it changes nothing, and where something is not kept (InfluxDB has no
//! findings) it says so instead of leaving it out.

mod formula;
mod found;
mod metering;
mod money;
mod parts;
mod readings;
mod registers;
mod trace;
mod view;

use chrono_tz::Tz;
use steward_config::{Config, Point};
use steward_model::time::{local_date, next_period_date};
use steward_model::{Commodity, Finding, LedgerRow, PointId, Span, UtcMs};
use steward_store::{FindingFilter, FindingStates, Source, StoreError};

pub use self::found::kind_zh;
pub use self::view::{
    AllocationView, BandView, BoundaryView, Branch, Check, CloseNote, DecisionView, Explanation,
    FillView, FindingView, FormulaView, MeteringView, Note, ReadingCounts, ReadingView, RunView,
    ServiceView, StepView, TermView,
};
use crate::books::BooksView;
use crate::cause::rests_on;
use crate::close::{Closes, month_state};
use crate::compose::rfc3339;
use crate::numbers::{amount, kg, quality, yuan};
use crate::rollup::Sum;
use crate::scope::{Scope, zone_of};
use crate::{Exact, Month, ReportError};

/// Which figure is to be explained.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Of what.
    pub scope: Scope,
    /// Of which commodity; a point has its own.
    pub commodity: Option<Commodity>,
    /// Over which span.
    pub span: Span,
    /// The second at which it begins.
    pub start_s: i64,
}

/// Why there is no explanation.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The registry does not know it.
    #[error("there is no `{0}`")]
    UnknownScope(String),
    /// A total is of one commodity.
    #[error("name the commodity of the total")]
    NeedsCommodity,
    /// The start lies within a span.
    #[error("no {span} begins at {asked}: the one that contains it begins at {begins}")]
    Start {
        /// What was asked.
        asked: String,
        /// What would be right.
        begins: String,
        /// The span.
        span: &'static str,
    },
    /// The closed months cannot be read.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The store does not answer.
    #[error("the store does not answer")]
    Store(#[from] StoreError),
}

/// The span that is explained.
#[derive(Clone, Copy, Debug)]
struct Frame {
    commodity: Commodity,
    zone: Tz,
    span: Span,
    start_s: i64,
    end_s: i64,
}

impl Frame {
    /// Whether what begins at `at_s` belongs to the span.
    const fn holds(&self, at_s: i64) -> bool {
        self.start_s <= at_s && at_s < self.end_s
    }
}

/// Explains a figure as at `now`.
pub async fn explain(
    config: &Config,
    source: &Source,
    books: &BooksView,
    asked: &Asked,
    now: UtcMs,
) -> Result<Explanation, ExplainError> {
    let registry = &config.registry;
    let unknown = || ExplainError::UnknownScope(asked.scope.to_string());
    let named = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
    let mut point: Option<&Point> = None;
    let (name_zh, name_en) = match &asked.scope {
        Scope::All => named(&config.settings.name_zh, &config.settings.name_en),
        Scope::Institution(id) => {
            let found = registry.institutions.get(id).ok_or_else(unknown)?;
            named(&found.name_zh, &found.name_en)
        }
        Scope::Building(id) => {
            let found = registry.buildings.get(id).ok_or_else(unknown)?;
            named(&found.name_zh, &found.name_en)
        }
        Scope::Point(id) => {
            let found = registry.points.get(id).ok_or_else(unknown)?;
            point = Some(found);
            named(&found.name_zh, &found.name_en)
        }
    };
    let commodity = point.map(|point| point.commodity).or(asked.commodity);
    let commodity = commodity.ok_or(ExplainError::NeedsCommodity)?;
    let zone = zone_of(config, &asked.scope);
    let frame = Frame::new(commodity, zone, asked.span, asked.start_s)?;
    let mut into = Explanation {
        scope: asked.scope.to_string(),
        name_zh,
        name_en,
        commodity: commodity.id().to_owned(),
        span: frame.span.id().to_owned(),
        start: rfc3339(zone, UtcMs(frame.start_s * 1_000)),
        end: rfc3339(zone, UtcMs(frame.end_s * 1_000)),
        timezone: zone.name().to_owned(),
        role: point.map(|point| point.role.id().to_owned()),
        base_unit: commodity.base_unit().symbol().to_owned(),
        unit: commodity.unit().to_owned(),
        ..Explanation::default()
    };
    match point {
        Some(point) => explain_point(config, source, books, &frame, point, now, &mut into).await?,
        None => {
            let sum = parts::total(config, source, &frame, asked, now, &mut into).await?;
            figures(&frame, sum.as_ref(), &mut into);
            total_reviews(config, source, books, &frame, &mut into).await?;
        }
    }
    Ok(into)
}

fn figures(frame: &Frame, sum: Option<&Sum>, into: &mut Explanation) {
    let Some(sum) = sum else { return };
    into.amount_base = Some(sum.amount_base);
    into.amount = Some(amount(frame.commodity, sum.amount_base));
    into.kgce = sum.kgce_ug.map(kg);
    into.co2_kg = sum.co2_ug.map(kg);
    into.cost_cny = sum.cost_ncny().map(yuan);
    into.quality = quality(&sum.shares);
    into.intervals_present = sum.intervals_present;
    // The running quarter has an amount already, and has not ended.
    into.intervals_expected = sum.intervals_expected.max(sum.intervals_present);
}

async fn explain_point(
    config: &Config,
    source: &Source,
    books: &BooksView,
    frame: &Frame,
    point: &Point,
    now: UtcMs,
    into: &mut Explanation,
) -> Result<(), ExplainError> {
    let whole = crate::groups(
        &config.registry,
        &Scope::Point(point.id.clone()),
        point.commodity,
        None,
    );
    let ids = [point.id.clone()];
    let rows = source
        .ledger(&ids, frame.span, frame.start_s, frame.start_s + 1)
        .await?;
    let mut sums = crate::RollUp::new(config, &whole, frame.span, frame.zone, now);
    sums.add(&rows);
    let sum = sums.finish().0.into_iter().next().map(|cell| cell.sum);
    figures(frame, sum.as_ref(), into);
    if let Some(row) = rows.first() {
        let names = |set: &str| set.split('+').map(str::to_owned).collect::<Vec<_>>();
        into.factors = crate::used_factors(config, &names(&row.factor_set));
        into.tariffs = crate::used_tariffs(config, &names(&row.tariff_set));
    }
    parts::spans(source, frame, &point.id, into).await?;
    close_note(config, source, books, frame, point, rows.first(), into).await?;
    let kept = beside_ledger(config, source, books, frame, point, now, into).await;
    match kept {
        Err(ExplainError::Store(StoreError::NotPublished(_))) => {
            into.notes.push(Note {
                text_zh: "此处读取 InfluxDB：读数、审核与补数明细只在工作库中".to_owned(),
                text_en: "This program reads from InfluxDB: registers, reviews and fills are kept \
                          only in the working store"
                    .to_owned(),
            });
            Ok(())
        }
        other => other,
    }
}

/// What only the working store knows.
async fn beside_ledger(
    config: &Config,
    source: &Source,
    books: &BooksView,
    frame: &Frame,
    point: &Point,
    now: UtcMs,
    into: &mut Explanation,
) -> Result<(), ExplainError> {
    let points = rests_on(config, &point.id).0;
    let open = open_reviews(source, frame).await?;
    let open = open.iter().filter(|one| points.contains(&one.point));
    into.reviews = open
        .map(|one| found::finding(frame.zone, books, one))
        .collect();
    into.provisional = !into.reviews.is_empty();
    let first = local_date(frame.zone, frame.start_s);
    let end = next_period_date(Span::Day, local_date(frame.zone, frame.end_s - 1));
    let days = source.days(&point.id, first, end).await?;
    into.bands = money::bands(config, frame, &days);
    if !point.formulas.is_empty() {
        return formula::formulas(config, source, frame, point, into).await;
    }
    let (from, to) = (UtcMs(frame.start_s * 1_000), UtcMs(frame.end_s * 1_000));
    let filter = FindingFilter {
        point: Some(point.id.clone()),
        from: Some(from),
        to: Some(to),
        ..FindingFilter::default()
    };
    let findings: Vec<Finding> = source.findings(filter).await?;
    let views = findings
        .iter()
        .map(|one| found::finding(frame.zone, books, one));
    into.findings = views.collect();
    let fills = source.fills(&point.id, from, to).await?;
    into.fills = fills
        .iter()
        .map(|one| found::fill(frame.zone, one))
        .collect();
    if frame.span == Span::Year {
        into.notes.push(Note {
            text_zh: "年度不逐条展开读数，请打开各月".to_owned(),
            text_en: "The readings of a year are not opened here; open its months".to_owned(),
        });
        return Ok(());
    }
    metering::metering(config, source, books, frame, point, now, into).await
}

/// Open findings that begin before the end of the span: what follows one is provisional.
async fn open_reviews(source: &Source, frame: &Frame) -> Result<Vec<Finding>, StoreError> {
    let filter = FindingFilter {
        states: FindingStates::Open,
        to: Some(UtcMs(frame.end_s * 1_000)),
        ..FindingFilter::default()
    };
    source.findings(filter).await
}

async fn total_reviews(
    config: &Config,
    source: &Source,
    books: &BooksView,
    frame: &Frame,
    into: &mut Explanation,
) -> Result<(), ExplainError> {
    let open = match open_reviews(source, frame).await {
        Err(StoreError::NotPublished(_)) => return Ok(()),
        open => open?,
    };
    let keys = into.points.iter().map(|branch| branch.key.clone());
    let points: std::collections::BTreeSet<PointId> = keys
        .filter_map(|key| PointId::new(&key).ok())
        .flat_map(|id| rests_on(config, &id).0)
        .collect();
    into.reviews = open
        .iter()
        .filter(|one| points.contains(&one.point))
        .map(|one| found::finding(frame.zone, books, one))
        .collect();
    into.provisional = !into.reviews.is_empty();
    Ok(())
}

/// Where the month of the span stands, and what was closed and adjusted of the point.
async fn close_note(
    config: &Config,
    source: &Source,
    books: &BooksView,
    frame: &Frame,
    point: &Point,
    row: Option<&LedgerRow>,
    into: &mut Explanation,
) -> Result<(), ExplainError> {
    let institution = config.registry.institution_of(point);
    let Some(institution) = institution.filter(|_| frame.span != Span::Year) else {
        return Ok(());
    };
    let month = Month::of(frame.zone, frame.start_s);
    let (state, close) = month_state(&books.state, &institution.id, month);
    let closes = Closes::of(&books.state, &institution.id)?;
    let mut note = CloseNote {
        month: month.to_string(),
        state,
        close,
        closed_base: None,
        adjustments: Vec::new(),
        ledger_base: None,
    };
    if let Some(closed) = closes.point(month, &point.id) {
        let live = closes.live(source, config, books, None).await?;
        let frozen = closes.frozen_lines();
        let lines = frozen.iter().map(|line| (line, false));
        let lines = lines.chain(live.iter().map(|line| (line, true)));
        let mine =
            lines.filter(|((_, line), _)| line.point == point.id && line.month == note.month);
        let mine: Vec<_> = mine.collect();
        let adjusted = mine
            .iter()
            .fold(closed.exact, |sum, ((_, line), _)| sum.plus(line.exact));
        note.adjustments = mine
            .iter()
            .map(|((booked, line), live)| line.entry(config, *booked, *live))
            .collect();
        note.closed_base = Some(closed.exact.amount_base);
        if let Some(row) = row.filter(|_| frame.span == Span::Month) {
            let ledger = Exact::of(row).amount_base;
            note.ledger_base = Some(ledger);
            into.checks
                .push(Check::new("closed", ledger, adjusted.amount_base));
        }
    }
    into.close = Some(note);
    Ok(())
}
