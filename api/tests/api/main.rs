//! The api over a real working store: its answers, its refusals, its contract, its socket.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod answers;
mod books;
mod closes;
mod contract;
mod doors;
mod harness;
mod invoices;
mod live;
mod refusals;
mod reviews;
#[path = "../../../crates/report/tests/schema/mod.rs"]
mod schema;
mod socket;
#[path = "../../../crates/report/tests/world/mod.rs"]
mod world;
