//! What a report is made of, and how it is read.

use chrono::{Datelike, Months, NaiveDate};
use chrono_tz::Tz;
use steward_config::Config;
use steward_model::time::day_start_s;
use steward_model::{Commodity, InstitutionId, LedgerRow, PointId, Span};
use steward_store::{Source, StoreError};

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

/// The ledger's month rows that a report needs: thirteen months, this one last.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Rows of span month.
    pub rows: Vec<LedgerRow>,
}

/// Reads the facts of an institution's month.
pub async fn gather(
    source: &Source,
    config: &Config,
    institution: &InstitutionId,
    month: Month,
) -> Result<Facts, ReportError> {
    if !config.registry.institutions.contains_key(institution) {
        return Err(ReportError::UnknownInstitution(institution.to_string()));
    }
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
    points.sort();
    points.dedup();
    let mut rows = Vec::new();
    for (zone, points) in by_zone(config, points) {
        let (from_s, to_s) = (
            month.earlier(12).start_s(zone),
            month.later(1).start_s(zone),
        );
        rows.extend(source.ledger(&points, Span::Month, from_s, to_s).await?);
    }
    Ok(Facts { rows })
}

/// Points by the zone of their building.
pub fn by_zone(config: &Config, points: Vec<PointId>) -> Vec<(Tz, Vec<PointId>)> {
    let mut zones: Vec<(Tz, Vec<PointId>)> = Vec::new();
    for id in points {
        let point = config.registry.points.get(&id);
        let zone = point
            .and_then(|point| config.registry.zone_of(point))
            .unwrap_or(config.settings.zone);
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
