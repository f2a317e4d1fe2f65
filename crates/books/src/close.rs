//! Months that close, and what became of every proposal.

use std::sync::Arc;

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};
use steward_model::{InstitutionId, UtcMs};
use utoipa::ToSchema;

use crate::prices::ClosedPrices;

/// What became of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CloseState {
    /// It waits for the checker.
    Provisional,
    /// It was approved and holds.
    Closed,
    /// It was approved, and a later revision holds.
    Superseded,
    /// It was turned down.
    Rejected,
}

impl CloseState {
    /// The word used in URLs and JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Provisional => "provisional",
            Self::Closed => "closed",
            Self::Superseded => "superseded",
            Self::Rejected => "rejected",
        }
    }
}

/// Where a month of an institution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MonthState {
    /// Nobody proposed to close it.
    Open,
    /// A first proposal waits for the checker.
    Provisional,
    /// It is closed. A proposed revision changes nothing before it is approved.
    Closed,
}

impl MonthState {
    /// The word used in URLs and JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Provisional => "provisional",
            Self::Closed => "closed",
        }
    }
}

/// A proposal to close a month, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Close {
    /// Whose month.
    #[schema(value_type = String)]
    pub institution: InstitutionId,
    /// `yyyy-mm`.
    pub month: String,
    /// 1, and one more for each revision of a closed month.
    pub revision: u32,
    /// What became of it.
    pub state: CloseState,
    /// Its number in the books.
    pub proposal: u64,
    /// The maker.
    pub proposed_by: String,
    /// When it was proposed.
    #[schema(value_type = i64)]
    pub proposed_at: UtcMs,
    /// Why, in the maker's words.
    pub reason: String,
    /// The number of the verdict in the books.
    pub verdict: Option<u64>,
    /// The checker.
    pub decided_by: Option<String>,
    /// When it was approved or turned down.
    #[schema(value_type = Option<i64>)]
    pub decided_at: Option<UtcMs>,
    /// When the month was closed by it; `None` where it was not approved.
    #[schema(value_type = Option<i64>)]
    pub closed_at: Option<UtcMs>,
    /// SHA-256 (hex) of `content`.
    pub content_sha256: String,
    /// The frozen figures, as canonical JSON.
    pub content: String,
    /// The checklist as it stood, as JSON.
    pub checklist: String,
    /// The prices in `content`, read once; `None` where it has none.
    #[serde(skip)]
    pub prices: Option<Arc<ClosedPrices>>,
}

/// The first day of a month written `yyyy-mm`, and the first day after it; `None` for any other
/// text.
pub fn month_dates(month: &str) -> Option<(NaiveDate, NaiveDate)> {
    let (year, number) = month.split_once('-')?;
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(year, 4) || !digits(number, 2) {
        return None;
    }
    let first = NaiveDate::from_ymd_opt(year.parse().ok()?, number.parse().ok()?, 1)?;
    Some((first, first.checked_add_months(Months::new(1))?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_month_has_one_form() {
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(
            month_dates("2026-12"),
            Some((date("2026-12-01"), date("2027-01-01")))
        );
        for bad in [
            "2026-13",
            "2026-00",
            "2026-1",
            "26-01",
            "2026/01",
            "2026-01-01",
            "",
            "+026-01",
        ] {
            assert_eq!(month_dates(bad), None, "{bad}");
        }
    }
}
