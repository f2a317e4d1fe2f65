//! The api: what the ledger knows, as JSON over HTTP, live as server-sent events, and the cockpit.
//!
//! What it promises: every parameter is checked and every refusal names what is allowed; a total
//! here is the total of the report; what is not known is null; a slow, greedy or silent client costs
//! a bounded amount of memory and time; without a token nothing under `/api/v1` answers, except to
//! this very machine where the settings say so.
//!
//! What it never does: it opens no journal, and it writes nothing but events of the books, in the
//! name of whoever sent them. Health of the other roles comes to it as a plain value, so no request
//! can block the reading of meters.
//!
//! Where to start: [`app`] is the router, [`serve`] puts it on a socket, `routes/` has one file an
//! address, `views.rs` says what is answered, `openapi.rs` makes the contract of it.

mod auth;
mod body;
mod books;
mod guard;
mod live;
mod openapi;
mod overlay;
mod params;
mod problem;
mod range;
mod routes;
mod serve;
mod state;
pub mod views;

pub use openapi::{document, openapi_json};
pub use problem::Problem;
pub use routes::app;
pub use serve::{ServeOptions, serve, serve_with};
pub use state::ApiState;
