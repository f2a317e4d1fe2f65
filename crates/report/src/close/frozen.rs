//! The closed months of an institution, as the report and the adjustments need them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use steward_books::{CloseState, State};
use steward_config::Config;
use steward_model::{InstitutionId, LedgerRow, PointId, Shares, Span, UtcMs};
use steward_store::Source;

use super::content::{CloseContent, ClosedPoint, ISSUED, read_content};
use super::view::info;
use crate::adjustments::{AdjustmentLine, Booked, ClosedFigures, Exact};
use crate::books::BooksView;
use crate::budget::{BudgetStatus, budget_statuses};
use crate::facts::{Facts, FrozenReport, month_rows, report_points, zone_of_point};
use crate::hash::content_sha256;
use crate::report::{CloseInfo, MonthState, MonthlyReport};
use crate::scope::Scope;
use crate::{Month, ReportError};

/// The closes that hold, by month.
pub(crate) struct Closes {
    institution: InstitutionId,
    months: BTreeMap<Month, Closed>,
}

struct Closed {
    close: CloseInfo,
    content: CloseContent,
}

impl Closes {
    /// The closed months of an institution. Contents that cannot be read are an error: to take such
    /// a month for open would show other figures than were closed.
    pub(crate) fn of(state: &State, institution: &InstitutionId) -> Result<Self, ReportError> {
        let mut months = BTreeMap::new();
        for close in state.closed_months(institution) {
            let month: Month = close.month.parse()?;
            let content = read_content(close.proposal, &close.content)?;
            let close = info(close);
            months.insert(month, Closed { close, content });
        }
        Ok(Self {
            institution: institution.clone(),
            months,
        })
    }

    /// The content of a closed month.
    pub(crate) fn content(&self, month: Month) -> Option<&CloseContent> {
        self.months.get(&month).map(|closed| &closed.content)
    }

    /// The frozen report of a closed month.
    pub(crate) fn frozen_report(&self, month: Month) -> Option<FrozenReport> {
        self.months.get(&month).map(|closed| FrozenReport {
            state: MonthState::Closed,
            close: closed.close.clone(),
            report: closed.content.report.clone(),
        })
    }

    /// What the law of adjustments needs.
    pub(crate) fn figures(&self) -> BTreeMap<Month, ClosedFigures> {
        let figures = self.months.iter().map(|(month, closed)| {
            let points = closed.content.points.iter();
            let frozen = closed.content.adjustments.iter();
            let figures = ClosedFigures {
                points: points
                    .map(|point| (point.point.clone(), point.exact))
                    .collect(),
                frozen: frozen
                    .filter_map(|line| {
                        let of: Month = line.month.parse().ok()?;
                        Some((of, line.point.clone(), line.exact))
                    })
                    .collect(),
            };
            (*month, figures)
        });
        figures.collect()
    }

    /// Every frozen line and the month whose content holds it.
    pub(crate) fn frozen_lines(&self) -> Vec<Booked> {
        let lines = self.months.iter().flat_map(|(month, closed)| {
            let lines = closed.content.adjustments.iter();
            lines.map(|line| (*month, line.clone()))
        });
        lines.collect()
    }

    /// The points of all closed months, and those of the institution now.
    pub(crate) fn points(&self, config: &Config) -> Vec<PointId> {
        let mut points: BTreeSet<PointId> = report_points(config, &self.institution)
            .into_iter()
            .collect();
        for closed in self.months.values() {
            let frozen = closed.content.points.iter();
            points.extend(frozen.map(|point| point.point.clone()));
        }
        points.into_iter().collect()
    }

    /// A point as it was closed.
    pub(crate) fn point(&self, month: Month, point: &PointId) -> Option<&ClosedPoint> {
        let mut points = self.content(month)?.points.iter();
        points.find(|closed| &closed.point == point)
    }

    /// The contents that froze a line about a point's month, with the line.
    fn frozen_about<'a>(
        &'a self,
        month: Month,
        point: &'a PointId,
        reopened: Option<Month>,
    ) -> impl Iterator<Item = (&'a Closed, &'a AdjustmentLine)> {
        let month = month.to_string();
        self.months
            .iter()
            .filter(move |(in_month, _)| Some(**in_month) != reopened)
            .flat_map(|(_, closed)| {
                let lines = closed.content.adjustments.iter();
                lines.map(move |line| (closed, line))
            })
            .filter(move |(_, line)| line.month == month && &line.point == point)
    }

    /// The number up to which the books are in the closed figures of a point's month, or in a line
    /// that is frozen about it.
    pub(crate) fn known_until(
        &self,
        month: Month,
        point: &PointId,
        reopened: Option<Month>,
    ) -> u64 {
        let own = self.months.get(&month).map_or(0, |one| one.close.proposal);
        let frozen = self.frozen_about(month, point, reopened);
        frozen
            .map(|(one, _)| one.close.proposal)
            .fold(own, u64::max)
    }

    /// The revision of the month, where its figures are those of the ledger and what lacks is only
    /// that months had taken lines before it was approved.
    pub(crate) fn revision_counts(
        &self,
        month: Month,
        point: &PointId,
        row: Option<&LedgerRow>,
        reopened: Option<Month>,
    ) -> Option<u64> {
        let closed = self.months.get(&month)?;
        let was = self.point(month, point).map(|one| one.exact);
        let is = row.map(Exact::of);
        let same = is
            .unwrap_or_default()
            .minus(was.unwrap_or_default())
            .is_zero();
        let proposal = closed.close.proposal;
        let mut frozen = self.frozen_about(month, point, reopened);
        let taken_before = frozen.any(|(one, _)| one.close.proposal < proposal);
        (same && closed.content.revision > 1 && taken_before).then_some(proposal)
    }

    /// The facts of a month: earlier closed months as they were closed, and what was adjusted.
    /// `reopened` takes the month itself for open, although it is closed.
    pub(crate) async fn facts(
        &self,
        source: &Source,
        config: &Config,
        books: &BooksView,
        month: Month,
        reopened: bool,
    ) -> Result<Facts, ReportError> {
        let reopened = reopened.then_some(month);
        let months = (month.earlier(12), month);
        let rows = self.rows(source, config, months, reopened).await?;
        let live = self.live(source, config, books, reopened).await?;
        let adjustments = live
            .iter()
            .filter(|(booked, _)| *booked == month)
            .map(|(_, line)| line.clone())
            .collect();
        Ok(Facts {
            rows,
            adjustments,
            booked: self.booked(config, &live, month, reopened),
            ..Facts::default()
        })
    }

    /// Month rows from the first to the last month, closed ones as they were closed.
    pub(crate) async fn rows(
        &self,
        source: &Source,
        config: &Config,
        (first, last): (Month, Month),
        reopened: Option<Month>,
    ) -> Result<Vec<LedgerRow>, ReportError> {
        if !config.registry.institutions.contains_key(&self.institution) {
            return Err(ReportError::UnknownInstitution(
                self.institution.to_string(),
            ));
        }
        let points = report_points(config, &self.institution);
        let mut rows = month_rows(source, config, &points, first, last).await?;
        rows.retain(|row| {
            let of = Month::of(zone_of_point(config, &row.point), row.start_s);
            Some(of) == reopened || !self.months.contains_key(&of)
        });
        let frozen = self.months.range(first..=last);
        for (_, closed) in frozen.filter(|(of, _)| Some(**of) != reopened) {
            rows.extend(closed.content.points.iter().filter_map(ClosedPoint::row));
        }
        Ok(rows)
    }

    /// Adjustments up to a month as rows of the months in which they stand.
    pub(crate) fn booked(
        &self,
        config: &Config,
        live: &[Booked],
        last: Month,
        reopened: Option<Month>,
    ) -> Vec<LedgerRow> {
        let frozen = self.frozen_lines();
        let frozen = frozen
            .iter()
            .filter(|(booked, _)| Some(*booked) != reopened);
        frozen
            .chain(live)
            .filter(|(booked, _)| *booked <= last)
            .map(|(booked, line)| row_of(config, *booked, line))
            .collect()
    }
}

/// The budgets of an institution's year as its reports tell them: closed months as they were closed,
/// adjustments in the months in which they stand.
pub async fn budgets(
    config: &Config,
    source: &Source,
    books: &BooksView,
    institution: &InstitutionId,
    year: i32,
    as_of: UtcMs,
) -> Result<Vec<BudgetStatus>, ReportError> {
    let (Some(first), Some(last)) = (Month::new(year, 1), Month::new(year, 12)) else {
        return Ok(Vec::new());
    };
    let closes = Closes::of(&books.state, institution)?;
    let mut rows = closes.rows(source, config, (first, last), None).await?;
    let live = closes.live(source, config, books, None).await?;
    rows.extend(closes.booked(config, &live, last, None));
    let scope = Scope::Institution(institution.clone());
    Ok(budget_statuses(config, &scope, year, &rows, as_of))
}

/// A line as a row of the month in which it stands. It moves figures and no intervals.
fn row_of(config: &Config, booked: Month, line: &AdjustmentLine) -> LedgerRow {
    LedgerRow {
        point: line.point.clone(),
        span: Span::Month,
        start_s: booked.start_s(zone_of_point(config, &line.point)),
        amount_base: line.exact.amount_base,
        shares: Shares {
            measured_base: line.exact.amount_base,
            ..Shares::default()
        },
        intervals_present: 0,
        intervals_expected: 0,
        kgce_ug: line.exact.kgce_ug,
        co2_ug: line.exact.co2_ug,
        factor_set: String::new(),
        // A line without a cost moves none; it does not make the month's cost unknown.
        cost_ncny: Some(line.exact.cost_ncny.unwrap_or(0)),
        tariff_set: String::new(),
    }
}

/// The report of a closed month: what was frozen, and how this copy is issued.
pub(crate) fn thaw(
    frozen: &FrozenReport,
    generated_at: &str,
) -> Result<MonthlyReport, ReportError> {
    let read = |error| ReportError::Content(frozen.close.proposal, error);
    let mut document = frozen.report.clone();
    if let Some(members) = document.as_object_mut() {
        let issued = [
            serde_json::to_value(frozen.state).map_err(read)?,
            serde_json::to_value(&frozen.close).map_err(read)?,
            generated_at.into(),
            Value::from(""),
        ];
        for (name, value) in ISSUED.into_iter().zip(issued) {
            members.insert(name.to_owned(), value);
        }
    }
    let mut report: MonthlyReport = serde_json::from_value(document).map_err(read)?;
    for line in &mut report.adjustments {
        line.live = false;
    }
    report.content_sha256 = content_sha256(&serde_json::to_value(&report).map_err(read)?);
    Ok(report)
}

/// The report of any proposal that was once approved, also where a later revision took its place;
/// `None` for any other number.
pub fn closed_report(
    state: &State,
    proposal: u64,
    generated_at: UtcMs,
) -> Result<Option<MonthlyReport>, ReportError> {
    let Some(close) = state.close(proposal) else {
        return Ok(None);
    };
    let state = match close.state {
        CloseState::Closed => MonthState::Closed,
        CloseState::Superseded => MonthState::Superseded,
        CloseState::Provisional | CloseState::Rejected => return Ok(None),
    };
    let content = read_content(proposal, &close.content)?;
    let frozen = FrozenReport {
        state,
        close: info(close),
        report: content.report,
    };
    thaw(&frozen, &generated_at.to_datetime().to_rfc3339()).map(Some)
}
