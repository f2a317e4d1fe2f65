//! Invoices: as their suppliers wrote them, and what the ledger says to them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use steward_books::{Entry, Event, Invoice, Refusal, import_invoices};
use steward_report::invoice::compare;

use super::events::{entry_view, invoice_text};
use crate::auth::Who;
use crate::body::{Fields, JSON, TEXT_CHARS_MAX, media_type, object, wrong_media_type};
use crate::params::Params;
use crate::problem::Problem;
use crate::state::{App, rfc3339};
use crate::views::{InvoiceEntry, Invoices, InvoicesEntered, NewInvoices};

const PARAMETERS: &[&str] = &["account", "institution", "before", "limit"];

/// Invoices of an answer where no `limit` is given. Each is compared with a month of intervals.
const LIMIT_USUAL: u32 = 24;

/// The most invoices of an answer.
const LIMIT_MAX: u32 = 120;

/// The most invoices that are entered at once.
const INVOICES_MAX: usize = 1_000;

const CSV: &str = "text/csv";

/// Why invoices of a file are entered where nobody says more.
const REASON_OF_FILES: &str = "from a CSV file";

/// Invoices 账单, each compared with the ledger over its own dates, the newest first.
#[utoipa::path(get, path = "/api/v1/invoices", tag = "money",
    params(
        ("account" = Option<String>, Query, max_length = 128, description = "Only this account's"),
        ("institution" = Option<String>, Query, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "Only this institution's"),
        ("before" = Option<i64>, Query, minimum = 1, description = "Invoices with a smaller number in the books; the newest unless told"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 120, description = "The most invoices; 24 unless told"),
    ),
    responses((status = 200, body = Invoices)))]
pub(crate) async fn invoices(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Invoices>, Problem> {
    let params = Params::of(&uri, PARAMETERS)?;
    let config = app.config();
    let account = params.account(config)?;
    let institution = params.institution(config)?;
    let before = params.seq("before")?;
    let limit = params.number("limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT_USUAL);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let books = app.books().await?;
    let is_asked = |invoice: &Invoice| {
        let configured = config.tariffs.accounts.get(&invoice.account);
        account.is_none_or(|account| account.id == invoice.account)
            && institution.as_ref().is_none_or(|institution| {
                configured.is_some_and(|account| &account.institution == institution)
            })
    };
    let standing = books.entries.iter().rev().filter_map(|entry| {
        let Event::InvoiceEntered(invoice) = &entry.event else {
            return None;
        };
        let is_shown = entry.undone_by.is_none()
            && before.is_none_or(|before| entry.seq < before)
            && is_asked(invoice);
        is_shown.then_some((entry, invoice))
    });
    // One more than asked for tells whether there is more.
    let mut asked: Vec<_> = standing.take(limit.saturating_add(1)).collect();
    let more = asked.len() > limit;
    asked.truncate(limit);
    let mut shown = Vec::with_capacity(asked.len());
    for (entry, invoice) in asked {
        let comparison = compare(config, &app.state.source, &books.state, invoice).await?;
        shown.push(InvoiceEntry {
            event: entry.seq,
            entered_at: rfc3339(config.settings.zone, entry.entered_at),
            by: entry.by.clone(),
            reason: entry.reason.clone(),
            invoice: invoice_text(invoice),
            comparison,
        });
    }
    Ok(Json(Invoices {
        next_before: shown.last().filter(|_| more).map(|last| last.event),
        invoices: shown,
    }))
}

/// Enters invoices: all of them, or none where one is refused.
#[utoipa::path(post, path = "/api/v1/invoices", tag = "money", operation_id = "enter_invoices",
    params(("reason" = Option<String>, Query, max_length = 128, description = "For a CSV file: why it is entered; JSON has a member for it")),
    request_body(
        description = "As JSON, or as CSV in UTF-8 whose first line is `account,number,from,to,amount,cost_cny,demand_kw,power_factor`, the last two if needed",
        content((NewInvoices = "application/json"), (String = "text/csv")),
    ),
    responses((status = 201, body = InvoicesEntered)))]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<InvoicesEntered>), Problem> {
    let params = Params::of(&uri, &["reason"])?;
    let entries = match media_type(&headers).as_str() {
        JSON => {
            if params.get("reason").is_some() {
                let detail = "`reason` stands in a JSON body, not in the query";
                return Err(Problem::parameter("reason", detail));
            }
            let (reason, invoices) = of_json(&headers, &body)?;
            let _alone = app.writing().await;
            app.enter_all(&who, &reason, invoices).await?
        }
        CSV => {
            let reason = params.get("reason").map(str::trim);
            let reason = reason.filter(|reason| !reason.is_empty());
            import(&app, &who, reason.unwrap_or(REASON_OF_FILES), &body).await?
        }
        _ => return Err(wrong_media_type(&[JSON, CSV])),
    };
    let events = entries.iter().map(|entry| entry_view(app.config(), entry));
    let entered = InvoicesEntered {
        events: events.collect(),
    };
    Ok((StatusCode::CREATED, Json(entered)))
}

async fn import(app: &App, who: &Who, reason: &str, body: &Bytes) -> Result<Vec<Entry>, Problem> {
    let table = std::str::from_utf8(body).map_err(|_| {
        let refusal = Refusal::new("body", "bytes that are no text", "CSV in UTF-8");
        Problem::refused(vec![refusal.hint("save the sheet as `CSV UTF-8`")])
    })?;
    let lines = table.lines().count();
    if lines > INVOICES_MAX + 1 {
        let expected = format!("at most {INVOICES_MAX} lines below the first");
        let refusal = Refusal::new("body", format!("{lines} lines"), expected);
        return Err(Problem::refused(vec![
            refusal.hint("send the file in parts"),
        ]));
    }
    let _alone = app.writing().await;
    let (books, store, now) = (&app.state.books, app.store()?, app.now());
    Ok(import_invoices(app.config(), books, store, &who.0, reason, table, now).await?)
}

fn of_json(headers: &HeaderMap, body: &Bytes) -> Result<(String, Vec<(String, Event)>), Problem> {
    let members = object(headers, body)?;
    let mut fields = Fields::of(&members);
    let reason = fields.reason();
    let invoices = fields.list("invoices", INVOICES_MAX, invoice);
    let (reason, invoices) = fields.finish(reason.zip(invoices))?;
    let labelled = (0..).zip(invoices).map(|(index, invoice): (usize, _)| {
        let label = format!("invoices[{index}]");
        (label, Event::InvoiceEntered(invoice))
    });
    Ok((reason, labelled.collect()))
}

fn invoice(fields: &mut Fields<'_>) -> Option<Invoice> {
    let account = fields.text("account", TEXT_CHARS_MAX);
    let number = fields.text("number", TEXT_CHARS_MAX);
    let (from, to) = (fields.date("from"), fields.date("to"));
    let (amount, cost_cny) = (fields.decimal("amount"), fields.decimal("cost_cny"));
    let demand_kw = fields.optional("demand_kw", Fields::decimal);
    let power_factor = fields.optional("power_factor", Fields::decimal);
    Some(Invoice {
        account: account?,
        number: number?,
        from: from?,
        to: to?,
        amount: amount?,
        cost_cny: cost_cny?,
        demand_kw,
        power_factor,
    })
}
