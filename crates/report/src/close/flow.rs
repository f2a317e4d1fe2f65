//! Maker and checker: a month is proposed by one person and approved by another.

use steward_books::{
    Books, BooksError, Close, CloseProposal, CloseState, CloseVerdict, Entry, Event,
};
use steward_config::Config;
use steward_model::{InstitutionId, UtcMs};
use steward_store::Source;

use super::checklist::{Checklist, checklist};
use super::content::{CloseContent, Composed, compose_content, read_content};
use crate::books::BooksView;
use crate::{Month, ReportError};

/// Why a month is not closed.
#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    /// The figures cannot be composed.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The checklist is not done.
    #[error("{} of {} cannot close: {}", .0.month, .0.institution, .0.reasons_en())]
    NotReady(Box<Checklist>),
    /// The figures are no longer those that were proposed.
    #[error(
        "the figures have changed since the proposal: its content is {proposed}, and now it would \
         be {current}; look at what changed and propose again"
    )]
    Changed {
        /// Hash of the proposal.
        proposed: String,
        /// Hash of what would be proposed now.
        current: String,
    },
    /// A revision would say what the month says already.
    #[error(
        "{month} of {institution} is closed with these very figures: there is nothing to revise"
    )]
    NothingChanged {
        /// Whose.
        institution: String,
        /// Which month.
        month: String,
    },
    /// There is no such proposal.
    #[error("there is no proposal {0} to close a month")]
    UnknownProposal(u64),
    /// The proposal was decided already.
    #[error("proposal {proposal} is {}, by `{by}`", state.id())]
    Decided {
        /// Its number.
        proposal: u64,
        /// What became of it.
        state: CloseState,
        /// Who decided.
        by: String,
    },
    /// The books refuse, or do not answer.
    #[error(transparent)]
    Books(#[from] BooksError),
}

/// Proposes to close a month, or to revise a closed one. The whole checklist must be done; words of
/// justification let invoices that are missing or differ pass, and stay with the proposal.
#[expect(
    clippy::too_many_arguments,
    reason = "who, what and why are all needed"
)]
pub async fn propose(
    config: &Config,
    source: &Source,
    books: &Books,
    institution: &InstitutionId,
    month: Month,
    by: &str,
    reason: &str,
    justification: Option<&str>,
    now: UtcMs,
) -> Result<Entry, CloseError> {
    let view = BooksView::load(books).await?;
    let list = checklist(
        config,
        source,
        &view,
        institution,
        month,
        justification,
        now,
    )
    .await?;
    if !list.ready {
        return Err(CloseError::NotReady(Box::new(list)));
    }
    let composed = compose_content(config, source, &view, institution, month, now).await?;
    if let Some(closed) = view.state.closed(institution, &month.to_string()) {
        let before = read_content(closed.proposal, &closed.content)?;
        // Both as they are read: a text does not tell 2 from 2.0.
        if says_the_same(&before, read_content(closed.proposal, &composed.text)?) {
            return Err(CloseError::NothingChanged {
                institution: institution.to_string(),
                month: month.to_string(),
            });
        }
    }
    let render = |error: serde_json::Error| ReportError::Render(error.into());
    let proposal = CloseProposal {
        institution: institution.clone(),
        month: month.to_string(),
        revision: composed.content.revision,
        content_sha256: composed.sha256,
        content: composed.text,
        checklist: serde_json::to_string(&list).map_err(render)?,
    };
    append(books, by, reason, Event::CloseProposed(proposal), now).await
}

fn says_the_same(before: &CloseContent, mut now: CloseContent) -> bool {
    now.revision = before.revision;
    now.differences.clone_from(&before.differences);
    &now == before
}

/// Approves a proposal, if the checklist is still done and the ledger still gives the bytes that
/// were proposed. The books refuse its maker.
pub async fn approve(
    config: &Config,
    source: &Source,
    books: &Books,
    proposal: u64,
    by: &str,
    reason: &str,
    now: UtcMs,
) -> Result<Entry, CloseError> {
    let view = BooksView::load(books).await?;
    let close = waiting(&view, proposal)?;
    let month: Month = close.month.parse()?;
    let current = compose_content(config, source, &view, &close.institution, month, now).await?;
    check_unchanged(close, &current)?;
    let proposed: Option<Checklist> = serde_json::from_str(&close.checklist).ok();
    let justification = proposed.as_ref().and_then(Checklist::justification);
    let institution = &close.institution;
    let list = checklist(
        config,
        source,
        &view,
        institution,
        month,
        justification,
        now,
    )
    .await?;
    if !list.ready {
        return Err(CloseError::NotReady(Box::new(list)));
    }
    let verdict = Event::CloseApproved(CloseVerdict { proposal });
    append(books, by, reason, verdict, now).await
}

fn check_unchanged(close: &Close, current: &Composed) -> Result<(), CloseError> {
    if close.content_sha256 == current.sha256 {
        return Ok(());
    }
    Err(CloseError::Changed {
        proposed: close.content_sha256.clone(),
        current: current.sha256.clone(),
    })
}

/// Turns a proposal down.
pub async fn reject(
    books: &Books,
    proposal: u64,
    by: &str,
    reason: &str,
    now: UtcMs,
) -> Result<Entry, CloseError> {
    let view = BooksView::load(books).await?;
    waiting(&view, proposal)?;
    let verdict = Event::CloseRejected(CloseVerdict { proposal });
    append(books, by, reason, verdict, now).await
}

fn waiting(view: &BooksView, proposal: u64) -> Result<&Close, CloseError> {
    let close = view.state.close(proposal);
    let close = close.ok_or(CloseError::UnknownProposal(proposal))?;
    if close.state == CloseState::Provisional {
        return Ok(close);
    }
    Err(CloseError::Decided {
        proposal,
        state: close.state,
        by: close.decided_by.clone().unwrap_or_default(),
    })
}

/// Enters an event on a blocking thread: it is on the disk when this returns.
async fn append(
    books: &Books,
    by: &str,
    reason: &str,
    event: Event,
    now: UtcMs,
) -> Result<Entry, CloseError> {
    let (books, by, reason) = (books.clone(), by.to_owned(), reason.to_owned());
    let entered = tokio::task::spawn_blocking(move || books.append(&by, &reason, event, now));
    Ok(entered.await.map_err(|_| BooksError::Task)??)
}
