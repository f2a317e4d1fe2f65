//! The api over a real working store: its answers, its refusals, its contract, its socket.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod answers;
mod contract;
mod doors;
mod harness;
mod live;
mod refusals;
#[path = "../../../crates/report/tests/schema/mod.rs"]
mod schema;
mod socket;
#[path = "../../../crates/report/tests/world/mod.rs"]
mod world;
