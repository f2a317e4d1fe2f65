//! From the journal to the ledger: readings into the store, intervals, days, months, years.
//!
//! What it promises: every reading of the journal is stored or set aside with a reason, once; the
//! intervals of a meter add up to its last confirmed register minus its first, in whole base
//! units; the ledger is a pure function of stored readings and configuration, the same bit for bit
//! in whatever order, number of copies, batches or restarts the readings came; and only the days
//! that new readings touch are computed again.
//!
//! What it never does: it talks to no meter and no InfluxDB, it changes no reading, and no polars
//! type leaves it.
//!
//! Where to start: `steward_ledger` is the kernel, pure functions on integers; [`Aggregator::step`] moves
//! everything forward by one bounded piece of work; [`run`] does so until it is told to stop.

mod carbon;
mod chunk;
mod compute;
mod ingest;
mod past;
mod plan;
mod rollup;
mod run;
mod step;
pub mod verify;

pub use carbon::DayFactors;
pub use plan::ledger_gauges;
pub use rollup::{Part, RollUpError, day_row, roll_up};
pub use run::run;
pub use step::{Aggregator, AggregatorError, READER, Step};
