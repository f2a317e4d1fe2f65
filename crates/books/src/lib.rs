//! The books 台账: what happened, append-only.
//!
//! What they promise: an event that [`Books::append`] returned is on the disk, numbered without
//! holes, and never changed or removed; several processes may write at the same time; a chain of
//! SHA-256 shows what was tampered with or lost ([`Books::verify`]). A mistake is taken back by
//! another event, and both stay. A refused event writes nothing and gets every reason at once.
//!
//! What they never do: they compute no energy and compose no report, and they change no reading.
//! The ledger reads them.
//!
//! Where to start: [`Event`] is what can happen, [`State`] what stands now, `rules` says what
//! the books refuse by themselves, [`check`] what they refuse by the registry and the stored
//! readings, [`enter`] does all of it.

mod books;
mod chain;
mod check;
mod close;
mod enter;
mod error;
mod event;
mod facts;
mod import;
mod prices;
mod rows;
mod rules;
mod schema;
mod state;

pub use books::{Books, Broken};
pub use chain::sha256_hex;
pub use check::check;
pub use close::{Close, CloseState, MonthState, month_dates};
pub use enter::{enter, enter_all};
pub use error::{BooksError, Refusal};
pub use event::{
    CloseProposal, CloseVerdict, Decision, Entry, Event, HandReading, Invoice, OtherRegister,
    Replacement, Undone, Verdict, Voided,
};
pub use import::{
    Mistake, Row, import_hand_readings, import_invoices, parse_hand_readings, parse_invoices,
};
pub use prices::{ClosedPrices, DayOfPrices};
pub use schema::{Access, books_dir};
pub use state::State;
