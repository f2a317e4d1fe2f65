//! Invoices, compared with the ledger.

use serde::Serialize;
use utoipa::ToSchema;

use super::books::{EventEntry, InvoiceText};

/// Answer of `invoices`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invoices {
    /// The newest first.
    pub invoices: Vec<InvoiceEntry>,
    /// Where to go on, as `before`, when there may be more.
    pub next_before: Option<u64>,
}

/// An invoice and what the ledger says to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvoiceEntry {
    /// Its number in the books.
    pub event: u64,
    /// When it was entered.
    #[schema(format = DateTime)]
    pub entered_at: String,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// As its supplier wrote it.
    pub invoice: InvoiceText,
    /// The ledger over the invoice's own dates; null where the account is no longer configured.
    pub comparison: Option<steward_report::invoice::Compared>,
}

/// Answer of `POST invoices`.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvoicesEntered {
    /// One event an invoice, in the order in which they were sent.
    pub events: Vec<EventEntry>,
}

/// Body of `POST invoices`: all of them are entered, or none.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewInvoices {
    /// Why: it stands in the books.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
    /// The invoices.
    #[schema(min_items = 1, max_items = 1000)]
    pub invoices: Vec<NewInvoice>,
}

/// An invoice as its supplier wrote it. Numbers are decimal texts, so that they stay exact.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewInvoice {
    /// The account's id.
    #[schema(min_length = 1, max_length = 128, pattern = r"\S")]
    pub account: String,
    /// The supplier's number of the invoice; with the account its key.
    #[schema(min_length = 1, max_length = 128, pattern = r"\S")]
    pub number: String,
    /// First day, local.
    #[schema(format = Date)]
    pub from: String,
    /// First day after.
    #[schema(format = Date)]
    pub to: String,
    /// In the commodity's unit: kWh, m3, GJ, …
    #[schema(pattern = r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$")]
    pub amount: String,
    /// The sum to pay.
    #[schema(pattern = r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$")]
    pub cost_cny: String,
    /// Maximum demand, where it is invoiced.
    #[schema(pattern = r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$")]
    pub demand_kw: Option<String>,
    /// Power factor, where it is invoiced.
    #[schema(pattern = r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$")]
    pub power_factor: Option<String>,
}
