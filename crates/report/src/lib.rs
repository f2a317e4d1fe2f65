//! The monthly report, composed once and rendered as JSON and CSV; and the sums that it shares
//! with the api.
//!
//! What it promises: every total comes from ledger integers and is rounded once, at the end; parts
//! add up to their whole; a figure that is not known is null with a reason, never zero. The same
//! ledger gives the same report, byte for byte, with the same hash.
//!
//! What it never does: it reads no clock, and it computes no energy: the ledger is the aggregator's.
//!
//! Where to start: [`compose`] makes a [`MonthlyReport`] of [`Facts`], which [`gather`] reads from a
//! store; [`rollup`] says which points make a total; [`budget`] judges the use of a budget.

pub mod budget;
mod compose;
mod csv;
mod facts;
mod figure;
mod hash;
pub mod names;
mod numbers;
mod report;
pub mod rollup;
pub mod scope;

pub use self::budget::{
    BudgetMonth, BudgetState, BudgetStatus, YearElapsed, budget_points, budget_status,
    budget_statuses,
};
pub use self::compose::{compose, used_factors};
pub use self::csv::to_csv;
pub use self::facts::{Facts, Month, ReportError, by_zone, gather};
pub use self::numbers::{QualityShares, amount, kg, quality, share_of, shares_of_whole};
pub use self::report::{
    BudgetLine, CommodityReport, Comparison, FactorEntry, Measure, Missing, MonthlyReport, Part,
    ReportExtent, ReportInstitution, SCHEMA, Totals, schema_json, to_json,
};
pub use self::rollup::{Cell, RollUp, Sum};
pub use self::scope::{By, Group, Scope, groups, points_of, zone_of};
