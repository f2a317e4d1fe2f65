//! The ledger's kernel: readings of counters become the intervals of local days.
//!
//! Pure integer functions without frames, files or clocks. The same readings, registry and books
//! give the same days, findings and fills in whatever order, number of copies or batches they
//! arrived:
//! [`chain`] says which meter serves a point when, [`register`] makes base units, [`classify`]
//! decides which readings count, [`boundary`] knows the register between two of them, [`shape`]
//! spreads what rose over an outage, [`interval`] folds registers into days, [`settle`] finds and
//! recomputes just the days that new readings touch, and [`trace`] shows every step.
//!
//! [`formula`] makes the days of virtual points, and [`money`] prices days and makes bills.

mod aside;
pub mod boundary;
pub mod chain;
pub mod classify;
mod completed;
pub mod day;
mod decide;
mod ending;
mod evidence;
mod folding;
pub mod formula;
mod frozen;
pub mod interval;
pub mod limits;
mod link;
pub mod money;
mod pages;
pub mod past;
pub mod register;
pub mod rules;
mod run;
pub mod settle;
pub mod shape;
pub mod shelf;
pub mod trace;

pub use chain::{Chain, Lineage, Link, Service};
pub use classify::{Confirmer, How, Sink};
pub use day::LocalDay;
pub use frozen::gauge_beside;
pub use interval::SettledDay;
pub use limits::LimitsBase;
pub use past::{Decided, Past, Replaced, Verdict};
pub use register::{Confirmed, Raw, RegisterError};
pub use rules::{Gaps, Rules, ShapeRules};
pub use settle::{Dirty, Found, Head, Settlement, settle, settle_slice};
pub use shape::resting_on;
pub use shelf::{MemoryShelf, Shelf};
pub use trace::{Boundary, Step, Total, Trace, trace};
