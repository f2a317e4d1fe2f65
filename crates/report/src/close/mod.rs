//! Months that close: open → provisional → closed → superseded.
//!
//! A proposal carries the frozen figures of the month as canonical JSON and their hash; another
//! person approves it while the ledger still gives the same bytes. From then on the month's figures
//! come from that content and never change. What changes in the ledger afterwards becomes
//! adjustments of later months, or a revision with a list of its differences.
//!
//! Where to start: [`checklist`] says what a month needs, [`compose_content`] freezes it,
//! [`propose`] and [`approve`] are maker and checker.

mod checklist;
mod content;
mod flow;
mod frozen;
mod invoices;
mod view;

pub use self::checklist::{Checklist, ChecklistItem, checklist};
pub(crate) use self::content::basis;
pub use self::content::{
    CloseContent, ClosedPoint, ClosedTotal, Composed, Difference, compose_content, read_content,
};
pub use self::flow::{CloseError, approve, propose, reject};
pub(crate) use self::frozen::{Closes, thaw};
pub use self::frozen::{budgets, closed_report};
pub use self::view::{CloseDetail, CloseView, close_view, close_views, month_state};
