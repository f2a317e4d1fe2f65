//! Closes as the api shows them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use steward_books::{Close, CloseState, State};
use steward_model::InstitutionId;
use utoipa::ToSchema;

use crate::Month;
use crate::report::{CloseInfo, MonthState};

/// A proposal to close a month, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CloseView {
    /// Its number in the books.
    pub proposal: u64,
    /// Whose month.
    pub institution: String,
    /// `yyyy-mm`.
    #[schema(pattern = r"^\d{4}-\d{2}$")]
    pub month: String,
    /// 1, and one more for each revision.
    pub revision: u32,
    /// `provisional`, `closed`, `superseded` or `rejected`.
    pub state: String,
    /// SHA-256 of the frozen content.
    pub content_sha256: String,
    /// The maker.
    pub proposed_by: String,
    /// When.
    #[schema(format = DateTime)]
    pub proposed_at: String,
    /// Why, in the maker's words.
    pub reason: String,
    /// The checker.
    pub decided_by: Option<String>,
    /// When the checker decided.
    #[schema(format = DateTime)]
    pub decided_at: Option<String>,
}

/// A proposal with what it froze.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CloseDetail {
    /// The proposal.
    pub close: CloseView,
    /// The frozen content; null where it cannot be read.
    #[schema(value_type = Object)]
    pub content: Value,
    /// The checklist as it stood.
    #[schema(value_type = Object)]
    pub checklist: Value,
}

fn view(close: &Close) -> CloseView {
    let text = |at: steward_model::UtcMs| at.to_datetime().to_rfc3339();
    CloseView {
        proposal: close.proposal,
        institution: close.institution.to_string(),
        month: close.month.clone(),
        revision: close.revision,
        state: close.state.id().to_owned(),
        content_sha256: close.content_sha256.clone(),
        proposed_by: close.proposed_by.clone(),
        proposed_at: text(close.proposed_at),
        reason: close.reason.clone(),
        decided_by: close.decided_by.clone(),
        decided_at: close.decided_at.map(text),
    }
}

/// What a report says of a close.
pub(super) fn info(close: &Close) -> CloseInfo {
    CloseInfo {
        proposal: close.proposal,
        revision: close.revision,
        content_sha256: close.content_sha256.clone(),
        proposed_by: close.proposed_by.clone(),
        approved_by: close.decided_by.clone(),
        closed_at: close.closed_at.map(|at| at.to_datetime().to_rfc3339()),
    }
}

/// Every proposal of one institution or of all, the latest first.
pub fn close_views(state: &State, institution: Option<&InstitutionId>) -> Vec<CloseView> {
    let closes = state.closes().iter().rev();
    let asked = closes.filter(|close| institution.is_none_or(|id| &close.institution == id));
    asked.map(view).collect()
}

/// The proposal of this number with its content and checklist.
pub fn close_view(state: &State, proposal: u64) -> Option<CloseDetail> {
    let close = state.close(proposal)?;
    Some(CloseDetail {
        close: view(close),
        content: serde_json::from_str(&close.content).unwrap_or(Value::Null),
        checklist: serde_json::from_str(&close.checklist).unwrap_or(Value::Null),
    })
}

/// Where a month stands, and the close that closed it or is proposed to.
pub fn month_state(
    state: &State,
    institution: &InstitutionId,
    month: Month,
) -> (MonthState, Option<CloseInfo>) {
    let closes = state.closes_of(institution, &month.to_string());
    let latest = |wanted: CloseState| closes.iter().rev().find(|close| close.state == wanted);
    if let Some(close) = latest(CloseState::Closed) {
        return (MonthState::Closed, Some(info(close)));
    }
    match latest(CloseState::Provisional) {
        Some(close) => (MonthState::Provisional, Some(info(close))),
        None => (MonthState::Open, None),
    }
}
