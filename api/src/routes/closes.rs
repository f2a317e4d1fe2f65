//! Months that close: proposed by one person, approved by another.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use steward_books::{Close, CloseState, Entry, Refusal};
use steward_model::InstitutionId;
use steward_report::Month;
use steward_report::close::{self, Checklist, CloseDetail, CloseError};

use super::events::entry_view;
use crate::auth::Who;
use crate::body::{Fields, REASON_CHARS_MAX, object};
use crate::params::{Params, missing, seq};
use crate::problem::Problem;
use crate::state::App;
use crate::views::{Closes, EventEntry, NewApproval, NewClose, NewRejection};

type Entered = (StatusCode, Json<EventEntry>);

/// Proposals to close a month 关账, and what became of them.
#[utoipa::path(get, path = "/api/v1/closes", tag = "books",
    params(("institution" = Option<String>, Query, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "Only this institution's")),
    responses((status = 200, body = Closes)))]
pub(crate) async fn closes(State(app): State<Arc<App>>, uri: Uri) -> Result<Json<Closes>, Problem> {
    let params = Params::of(&uri, &["institution"])?;
    let institution = params.institution(app.config())?;
    let books = app.books().await?;
    Ok(Json(Closes {
        closes: close::close_views(&books.state, institution.as_ref()),
    }))
}

/// One proposal with its frozen content and checklist.
#[utoipa::path(get, path = "/api/v1/closes/{proposal}", tag = "books", operation_id = "close",
    params(("proposal" = i64, Path, minimum = 1, description = "Number of the proposal in the books")),
    responses((status = 200, body = CloseDetail)))]
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Path(proposal): Path<String>,
    uri: Uri,
) -> Result<Json<CloseDetail>, Problem> {
    Params::of(&uri, &[])?;
    let proposal = seq("proposal", &proposal)?;
    let books = app.books().await?;
    let detail = close::close_view(&books.state, proposal);
    detail.map(Json).ok_or_else(|| unknown(proposal))
}

/// What a month needs before it may close 关账检查, and what of it is there.
#[utoipa::path(get, path = "/api/v1/closes/checklist", tag = "books",
    params(
        ("institution" = String, Query, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "Whose month"),
        ("month" = String, Query, pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$", description = "`yyyy-mm` in local time"),
    ),
    responses((status = 200, body = Checklist)))]
pub(crate) async fn checklist(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Checklist>, Problem> {
    let params = Params::of(&uri, &["institution", "month"])?;
    let config = app.config();
    let institution = params.institution(config)?;
    let institution = institution.ok_or_else(|| missing("institution"))?;
    let month = params.month()?.ok_or_else(|| missing("month"))?;
    let books = app.books().await?;
    let (source, now) = (&app.state.source, app.now());
    let checklist =
        close::checklist(config, source, &books, &institution, month, None, now).await?;
    Ok(Json(checklist))
}

/// Proposes to close a month, or a revision of a closed one. Its figures are frozen in the books.
#[utoipa::path(post, path = "/api/v1/closes", tag = "books", operation_id = "propose_close",
    request_body = NewClose,
    responses((status = 201, body = EventEntry)))]
pub(crate) async fn propose(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Entered, Problem> {
    Params::of(&uri, &[])?;
    let members = object(&headers, &body)?;
    let mut fields = Fields::of(&members);
    let institution = fields.id::<InstitutionId>("institution");
    let month = fields.month("month");
    let reason = fields.reason();
    let justification = fields.optional("justification", |fields, name| {
        fields.text(name, REASON_CHARS_MAX)
    });
    let revise = fields.optional("revise", Fields::flag).unwrap_or(false);
    let made = institution.zip(month).zip(reason);
    let ((institution, month), reason) = fields.finish(made)?;
    let config = app.config();
    if !config.registry.institutions.contains_key(&institution) {
        return Err(Problem::unknown(
            "institution",
            "institution",
            institution.as_str(),
        ));
    }
    let _alone = app.writing().await;
    may_propose(&app, &institution, month, revise).await?;
    let entry = close::propose(
        config,
        &app.state.source,
        &app.state.books,
        &institution,
        month,
        &who.0,
        &reason,
        justification.as_deref(),
        app.now(),
    )
    .await
    .map_err(problem)?;
    Ok(entered(&app, &entry))
}

/// Whether the month's state allows a proposal.
async fn may_propose(
    app: &App,
    institution: &InstitutionId,
    month: Month,
    revise: bool,
) -> Result<(), Problem> {
    let books = app.books().await?;
    let text = month.to_string();
    if let Some(waiting) = books.state.pending(institution, &text) {
        let refusal = Refusal::new("month", &text, "a month without a proposal that waits").hint(
            format!("approve or reject proposal {} first", waiting.proposal),
        );
        return Err(Problem::conflict(refusal));
    }
    if let (Some(closed), false) = (books.state.closed(institution, &text), revise) {
        let hint = format!(
            "it was closed by proposal {}; send `\"revise\": true` to propose a revision",
            closed.proposal
        );
        let refusal = Refusal::new("month", &text, "a month that is not closed").hint(hint);
        return Err(Problem::conflict(refusal));
    }
    Ok(())
}

/// Approves a proposal that somebody else made: the month is closed.
#[utoipa::path(post, path = "/api/v1/closes/{proposal}/approve", tag = "books", operation_id = "approve_close",
    params(("proposal" = i64, Path, minimum = 1, description = "Number of the proposal in the books")),
    request_body = NewApproval,
    responses((status = 201, body = EventEntry)))]
pub(crate) async fn approve(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(proposal): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Entered, Problem> {
    Params::of(&uri, &[])?;
    let proposal = seq("proposal", &proposal)?;
    let members = object(&headers, &body)?;
    let mut fields = Fields::of(&members);
    let sha256 = fields.sha256("content_sha256");
    let reason = fields.reason();
    let (sha256, reason) = fields.finish(sha256.zip(reason))?;
    let _alone = app.writing().await;
    let books = app.books().await?;
    let waiting = waiting(books.state.close(proposal), proposal)?;
    if waiting.content_sha256 != sha256 {
        let expected = format!("{}, the hash of the proposal", waiting.content_sha256);
        let refusal = Refusal::new("content_sha256", &sha256, expected)
            .hint("look at the proposal again before it is approved");
        return Err(Problem::conflict(refusal));
    }
    if *waiting.proposed_by == *who.0 {
        let refusal = Refusal::new("by", &who.0, "another person than the one who proposed it")
            .hint("maker and checker are told apart by the names of their tokens");
        return Err(Problem::conflict(refusal));
    }
    let (source, books) = (&app.state.source, &app.state.books);
    let now = app.now();
    let entry = close::approve(app.config(), source, books, proposal, &who.0, &reason, now)
        .await
        .map_err(problem)?;
    Ok(entered(&app, &entry))
}

/// Turns a proposal down. The maker may do that too.
#[utoipa::path(post, path = "/api/v1/closes/{proposal}/reject", tag = "books", operation_id = "reject_close",
    params(("proposal" = i64, Path, minimum = 1, description = "Number of the proposal in the books")),
    request_body = NewRejection,
    responses((status = 201, body = EventEntry)))]
pub(crate) async fn reject(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(proposal): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Entered, Problem> {
    Params::of(&uri, &[])?;
    let proposal = seq("proposal", &proposal)?;
    let members = object(&headers, &body)?;
    let mut fields = Fields::of(&members);
    let reason = fields.reason();
    let reason = fields.finish(reason)?;
    let _alone = app.writing().await;
    let view = app.books().await?;
    waiting(view.state.close(proposal), proposal)?;
    let (books, now) = (&app.state.books, app.now());
    let entry = close::reject(books, proposal, &who.0, &reason, now)
        .await
        .map_err(problem)?;
    Ok(entered(&app, &entry))
}

fn entered(app: &App, entry: &Entry) -> Entered {
    (StatusCode::CREATED, Json(entry_view(app.config(), entry)))
}

fn unknown(proposal: u64) -> Problem {
    Problem::unknown_in_books("proposal", "proposal", &proposal.to_string(), "closes")
}

/// A proposal that nobody has decided.
fn waiting(close: Option<&Close>, proposal: u64) -> Result<&Close, Problem> {
    let close = close.ok_or_else(|| unknown(proposal))?;
    if close.state == CloseState::Provisional {
        Ok(close)
    } else {
        Err(decided(proposal, close.state))
    }
}

fn decided(proposal: u64, state: CloseState) -> Problem {
    let refusal = Refusal::new("proposal", proposal, "a proposal that nobody has decided")
        .hint(format!("it is {}", state.id()));
    Problem::conflict(refusal)
}

/// Why a month did not close.
fn problem(error: CloseError) -> Problem {
    match error {
        CloseError::Report(report) => report.into(),
        CloseError::Books(books) => books.into(),
        CloseError::UnknownProposal(proposal) => unknown(proposal),
        CloseError::Decided {
            proposal, state, ..
        } => decided(proposal, state),
        CloseError::NotReady(checklist) => not_ready(&checklist),
        CloseError::Changed { proposed, current } => {
            let expected = format!("{current}, the hash of the ledger as it is now");
            let refusal = Refusal::new("content_sha256", proposed, expected)
                .hint("the ledger changed since; reject the proposal and propose the month again");
            Problem::conflict(refusal)
        }
        CloseError::NothingChanged { month, .. } => {
            let refusal = Refusal::new("month", month, "a month whose figures changed")
                .hint("a revision would say what the close says already");
            Problem::conflict(refusal)
        }
    }
}

/// 422: every item of the checklist that stands in the way.
fn not_ready(checklist: &Checklist) -> Problem {
    let refusals = checklist.blockers().map(|item| {
        let value = item.value.as_deref().filter(|value| !value.is_empty());
        let value = value.unwrap_or("nothing");
        let expected = item.limit.as_deref().unwrap_or("what the checklist says");
        Refusal::new(format!("checklist.{}", item.id), value, expected).hint(&item.text_en)
    });
    Problem::refused(refusals.collect())
}
