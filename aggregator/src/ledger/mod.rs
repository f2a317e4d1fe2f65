//! The ledger's kernel: readings of counters become the intervals of local days.
//!
//! Pure integer functions without frames, files or clocks. The same readings give the same days in
//! whatever order, number of copies or batches they arrived:
//! [`register`] makes base units and decides which readings count, [`boundary`] knows the register
//! between two of them, [`interval`] folds them into days, [`chain`] says which meter serves a
//! point when, and [`settle`] finds and recomputes just the days that new readings touch.

pub mod boundary;
pub mod chain;
pub mod interval;
pub mod register;
pub mod settle;

pub use chain::{Chain, Service};
pub use interval::{Gaps, LocalDay, SettledDay};
pub use register::{Confirmed, HeldOut, RegisterError};
pub use settle::{Dirty, Head, Settlement, Shelf, settle};
