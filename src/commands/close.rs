//! `steward close` and `steward invoice`: months that close, and what suppliers asked for.

use std::process::ExitCode;

use anyhow::Context as _;
use steward_books::{Access, BooksError};
use steward_model::InstitutionId;
use steward_report::close::{self, CloseError};
use steward_report::{BooksView, Month};

use super::books::{Desk, told};
use crate::board::now;
use crate::cli::books::{CloseAction, CloseArgs, InvoiceAction, InvoiceArgs};
use crate::commands::print;
use crate::roles::source;

/// `steward close`
pub(crate) async fn close(args: CloseArgs) -> anyhow::Result<ExitCode> {
    match args.action {
        CloseAction::List(site) => {
            let desk = Desk::open(&site, Access::Read)?;
            for close in desk.books.state()?.closes() {
                print(&format!(
                    "{:>5} {} {} revision {} {:?} proposed by {} decided by {} sha256 {}\n",
                    close.proposal,
                    close.institution,
                    close.month,
                    close.revision,
                    close.state,
                    close.proposed_by,
                    close.decided_by.as_deref().unwrap_or("–"),
                    close.content_sha256,
                ))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        CloseAction::Check(month) => {
            let desk = Desk::open(&month.site, Access::Read)?;
            let source = source(&desk.config)?;
            let view = BooksView::read(&desk.books)?;
            let institution = InstitutionId::new(&month.institution)?;
            let of: Month = month.month.parse()?;
            let list =
                close::checklist(&desk.config, &source, &view, &institution, of, None, now())
                    .await?;
            print(&checklist(&list))?;
            Ok(if list.ready {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        CloseAction::Propose {
            month,
            signature,
            justification,
        } => {
            let desk = Desk::open(&month.site, Access::Write)?;
            let institution = InstitutionId::new(&month.institution)?;
            let of: Month = month.month.parse()?;
            let source = source(&desk.config)?;
            let proposed = close::propose(
                &desk.config,
                &source,
                &desk.books,
                &institution,
                of,
                &signature.by,
                &signature.reason,
                justification.as_deref(),
                now(),
            );
            settled(proposed.await)
        }
        CloseAction::Approve {
            site,
            signature,
            proposal,
        } => {
            let desk = Desk::open(&site, Access::Write)?;
            let source = source(&desk.config)?;
            let (by, reason) = (&signature.by, &signature.reason);
            settled(
                close::approve(
                    &desk.config,
                    &source,
                    &desk.books,
                    proposal,
                    by,
                    reason,
                    now(),
                )
                .await,
            )
        }
        CloseAction::Reject {
            site,
            signature,
            proposal,
        } => {
            let desk = Desk::open(&site, Access::Write)?;
            let (by, reason) = (&signature.by, &signature.reason);
            settled(close::reject(&desk.books, proposal, by, reason, now()).await)
        }
        CloseAction::Adjustments { site, institution } => {
            let desk = Desk::open(&site, Access::Read)?;
            let source = source(&desk.config)?;
            let view = BooksView::read(&desk.books)?;
            let institution = InstitutionId::new(&institution)?;
            let lines =
                steward_report::adjustments(&desk.config, &source, &view, &institution).await?;
            print(&serde_json::to_string_pretty(&lines)?)?;
            print("\n")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn settled(done: Result<steward_books::Entry, CloseError>) -> anyhow::Result<ExitCode> {
    match done {
        Ok(entry) => told(Ok(entry)),
        Err(CloseError::Books(error @ BooksError::Refused(_))) => told(Err(error)),
        Err(CloseError::NotReady(list)) => {
            eprintln!(
                "未满足关账条件 the month is not ready:\n{}",
                checklist(&list)
            );
            Ok(ExitCode::from(65))
        }
        Err(error) => Err(error.into()),
    }
}

fn checklist(list: &close::Checklist) -> String {
    let mut text = String::new();
    for item in &list.items {
        let mark = match (item.ok, item.blocking) {
            (true, _) => "✓",
            (false, true) => "✗",
            (false, false) => "!",
        };
        let value = item.value.as_deref().unwrap_or("–");
        let limit = item.limit.as_deref().unwrap_or("–");
        text.push_str(&format!(
            "{mark} {} / {} ({value}, limit {limit})\n",
            item.text_zh, item.text_en
        ));
    }
    text
}

/// `steward invoice`
pub(crate) async fn invoice(args: InvoiceArgs) -> anyhow::Result<ExitCode> {
    match args.action {
        InvoiceAction::List(site) => {
            let desk = Desk::open(&site, Access::Read)?;
            let source = source(&desk.config)?;
            let state = desk.books.state()?;
            for (seq, invoice) in state.invoices() {
                let compared =
                    steward_report::invoice::compare(&desk.config, &source, &state, invoice)
                        .await?;
                print(&format!("{seq:>5} {}\n", serde_json::to_string(&compared)?))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        InvoiceAction::Import {
            site,
            signature,
            file,
        } => {
            let desk = Desk::open(&site, Access::Write)?;
            let table = std::fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let entered = steward_books::import_invoices(
                &desk.config,
                &desk.books,
                &desk.store,
                &signature.by,
                &signature.reason,
                &table,
                now(),
            );
            match entered.await {
                Ok(entries) => {
                    println!("已导入 imported {} invoices", entries.len());
                    Ok(ExitCode::SUCCESS)
                }
                Err(error) => told(Err(error)),
            }
        }
    }
}
