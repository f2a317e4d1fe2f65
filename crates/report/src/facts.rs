//! What a report is made of, and how it is read.

use chrono::{Datelike, Months, NaiveDate};
use chrono_tz::Tz;
use steward_config::Config;
use steward_model::time::{day_start_s, local_date};
use steward_model::{Commodity, InstitutionId, LedgerRow, PointId, Span};
use steward_store::{Source, StoreError};

use crate::adjustments::AdjustmentLine;
use crate::books::BooksView;
use crate::close::Closes;
use crate::report::{CloseInfo, MonthState};
use crate::scope::{Scope, groups, points_of};

/// A month of local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(NaiveDate);

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The text is no month.
    #[error("`{0}` is no month: write yyyy-mm, such as 2026-10")]
    NotAMonth(String),
    /// The registry does not know the institution.
    #[error("there is no institution `{0}`")]
    UnknownInstitution(String),
    /// Nothing can have happened yet.
    #[error("{0} has not begun")]
    NotBegun(Month),
    /// The store does not answer.
    #[error("the store does not answer")]
    Store(#[from] StoreError),
    /// A frozen content that this program cannot have written.
    #[error("the content of close {0} in the books cannot be read")]
    Content(u64, #[source] serde_json::Error),
    /// The report cannot be written as text.
    #[error("the report cannot be rendered")]
    Render(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Month {
    /// The month of a year, 1 to 12.
    pub fn new(year: i32, month: u32) -> Option<Self> {
        // Years of four digits, so that the text sorts and leads back.
        (1970..=9999)
            .contains(&year)
            .then(|| NaiveDate::from_ymd_opt(year, month, 1).map(Self))
            .flatten()
    }

    /// The month of the local date at the second `at_s`.
    pub fn of(zone: Tz, at_s: i64) -> Self {
        let date = local_date(zone, at_s);
        Self(date.with_day(1).unwrap_or(date))
    }

    /// The first day.
    pub fn first(self) -> NaiveDate {
        self.0
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// The number of the month, 1 to 12.
    pub fn number(self) -> u32 {
        self.0.month()
    }

    /// The month `count` months later.
    pub fn later(self, count: u32) -> Self {
        Self(
            self.0
                .checked_add_months(Months::new(count))
                .unwrap_or(self.0),
        )
    }

    /// The month `count` months before.
    pub fn earlier(self, count: u32) -> Self {
        Self(
            self.0
                .checked_sub_months(Months::new(count))
                .unwrap_or(self.0),
        )
    }

    /// The second at which it begins in `zone`.
    pub fn start_s(self, zone: Tz) -> i64 {
        day_start_s(zone, self.0)
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.number())
    }
}

impl std::str::FromStr for Month {
    type Err = ReportError;
    fn from_str(text: &str) -> Result<Self, ReportError> {
        let error = || ReportError::NotAMonth(text.chars().take(16).collect());
        let (year, month) = text.split_once('-').ok_or_else(error)?;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if year.len() != 4 || month.len() != 2 || !digits(year) || !digits(month) {
            return Err(error());
        }
        let (year, month) = (year.parse(), month.parse());
        let (Ok(year), Ok(month)) = (year, month) else {
            return Err(error());
        };
        Self::new(year, month).ok_or_else(error)
    }
}

/// What a report is made of.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Rows of span month: thirteen months, this one last; closed months as they were closed.
    pub rows: Vec<LedgerRow>,
    /// Where the month stands.
    pub standing: Standing,
    /// What changed in closed months and is shown on this one.
    pub adjustments: Vec<AdjustmentLine>,
    /// All adjustments as rows of the months in which they are booked: budgets count them.
    pub booked: Vec<LedgerRow>,
}

/// Where a month stands, with what its report needs of it.
#[derive(Clone, Debug, Default)]
pub enum Standing {
    /// Open.
    #[default]
    Open,
    /// A close is proposed.
    Provisional(CloseInfo),
    /// Closed.
    Closed(Box<FrozenReport>),
}

/// The report as it was frozen, and the close that froze it.
#[derive(Clone, Debug)]
pub struct FrozenReport {
    /// Closed, or superseded where a later revision took its place.
    pub state: MonthState,
    /// The close.
    pub close: CloseInfo,
    /// The report's members that are content.
    pub report: serde_json::Value,
}

/// Reads the facts of an institution's month.
pub async fn gather(
    source: &Source,
    config: &Config,
    books: &BooksView,
    institution: &InstitutionId,
    month: Month,
) -> Result<Facts, ReportError> {
    if !config.registry.institutions.contains_key(institution) {
        return Err(ReportError::UnknownInstitution(institution.to_string()));
    }
    let closes = Closes::of(&books.state, institution)?;
    if let Some(frozen) = closes.frozen_report(month) {
        return Ok(Facts {
            standing: Standing::Closed(Box::new(frozen)),
            ..Facts::default()
        });
    }
    let mut facts = closes.facts(source, config, books, month, false).await?;
    if let (MonthState::Provisional, Some(close)) =
        crate::close::month_state(&books.state, institution, month)
    {
        facts.standing = Standing::Provisional(close);
    }
    Ok(facts)
}

/// The points of an institution's report: its own, virtual ones too, and those of others that its
/// totals take off.
pub(crate) fn report_points(config: &Config, institution: &InstitutionId) -> Vec<PointId> {
    let scope = Scope::Institution(institution.clone());
    let mut points: Vec<PointId> = Vec::new();
    for commodity in Commodity::ALL {
        let total = groups(&config.registry, &scope, commodity, None);
        let subitems = groups(
            &config.registry,
            &scope,
            commodity,
            Some(crate::By::Subitem),
        );
        let buildings = groups(
            &config.registry,
            &scope,
            commodity,
            Some(crate::By::Building),
        );
        points.extend(points_of(&total));
        points.extend(points_of(&subitems));
        points.extend(points_of(&buildings));
    }
    let own = config.registry.points.values();
    let own = own.filter(|point| scope.holds(&config.registry, point));
    points.extend(own.map(|point| point.id.clone()));
    points.sort();
    points.dedup();
    points
}

/// The ledger's month rows of points, from the first month to the last one, both included.
pub(crate) async fn month_rows(
    source: &Source,
    config: &Config,
    points: &[PointId],
    first: Month,
    last: Month,
) -> Result<Vec<LedgerRow>, ReportError> {
    let mut rows = Vec::new();
    for (zone, points) in by_zone(config, points.to_vec()) {
        let (from_s, to_s) = (first.start_s(zone), last.later(1).start_s(zone));
        rows.extend(source.ledger(&points, Span::Month, from_s, to_s).await?);
    }
    Ok(rows)
}

/// The zone of a point's days.
pub(crate) fn zone_of_point(config: &Config, id: &PointId) -> Tz {
    let point = config.registry.points.get(id);
    point
        .and_then(|point| config.registry.zone_of(point))
        .unwrap_or(config.settings.zone)
}

/// Points by the zone of their building.
pub fn by_zone(config: &Config, points: Vec<PointId>) -> Vec<(Tz, Vec<PointId>)> {
    let mut zones: Vec<(Tz, Vec<PointId>)> = Vec::new();
    for id in points {
        let zone = zone_of_point(config, &id);
        match zones.iter_mut().find(|(known, _)| *known == zone) {
            Some((_, points)) => points.push(id),
            None => zones.push((zone, vec![id])),
        }
    }
    zones
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_have_one_form() {
        let month: Month = "2026-01".parse().unwrap();
        assert_eq!(month.earlier(1).to_string(), "2025-12");
        assert_eq!(month.later(12).to_string(), "2027-01");
        for bad in [
            "2026-13",
            "2026-00",
            "2026-1",
            "26-01",
            "2026",
            "2026-01-01",
            "+026-01",
            "0001-01",
        ] {
            assert!(bad.parse::<Month>().is_err(), "{bad}");
        }
    }
}
