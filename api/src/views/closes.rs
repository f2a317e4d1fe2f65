//! Months that close.

use serde::Serialize;
use steward_report::AdjustmentEntry;
use steward_report::close::CloseView;
use utoipa::ToSchema;

/// Answer of `closes`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Closes {
    /// Every proposal to close a month and what became of it, in the order of the books.
    pub closes: Vec<CloseView>,
}

/// Answer of `adjustments`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Adjustments {
    /// Whose.
    pub institution: String,
    /// What changed in closed months after their close, with its cause.
    pub adjustments: Vec<AdjustmentEntry>,
}

/// Body of `POST closes`.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewClose {
    /// Whose month.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    pub institution: String,
    /// `yyyy-mm`
    #[schema(pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$")]
    pub month: String,
    /// Why: it stands in the books.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
    /// Why missing or differing invoices do not stand in the way; it is frozen in the checklist.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub justification: Option<String>,
    /// True to propose a revision of a month that is closed already.
    pub revise: Option<bool>,
}

/// Body of `POST closes/{proposal}/approve`.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewApproval {
    /// The content that was looked at, as the proposal shows it.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub content_sha256: String,
    /// Why: it stands in the books.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
}

/// Body of `POST closes/{proposal}/reject`.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewRejection {
    /// Why: it stands in the books.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
}
