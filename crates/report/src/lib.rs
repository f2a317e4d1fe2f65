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
//! store and the books; [`scope`] says which points make a total; [`budget`] judges the use of a
//! budget; [`close`] freezes a month, and [`adjustments`] is what changed since; [`explain`] opens
//! any figure.

mod adjustments;
pub mod balance;
pub mod bill;
mod books;
pub mod budget;
mod cause;
pub mod close;
mod compose;
mod csv;
pub mod explain;
mod facts;
mod figure;
mod hash;
pub mod invoice;
pub mod names;
mod numbers;
mod reactive;
mod report;
pub mod rollup;
pub mod scope;

pub use self::adjustments::{
    AdjustmentCause, AdjustmentEntry, AdjustmentLine, CauseKind, ClosedFigures, Exact, adjustments,
    booking_month, outstanding,
};
pub use self::books::BooksView;
pub use self::budget::{
    BudgetMonth, BudgetState, BudgetStatus, YearElapsed, budget_points, budget_status,
    budget_statuses,
};
pub use self::compose::{compose, used_factors};
pub use self::csv::to_csv;
pub use self::explain::{Asked, ExplainError, Explanation, explain};
pub use self::facts::{Facts, FrozenReport, Month, ReportError, Standing, by_zone, gather};
pub use self::numbers::{QualityShares, amount, kg, quality, share_of, shares_of_whole, yuan};
pub use self::report::{
    BudgetLine, CloseInfo, CommodityReport, Comparison, FactorEntry, Measure, Missing, MonthState,
    MonthlyReport, Part, ReportExtent, ReportInstitution, SCHEMA, TariffEntry, Totals, schema_json,
    to_json, used_tariffs,
};
pub use self::rollup::{Cell, RollUp, Sum};
pub use self::scope::{By, Group, Scope, deducted, groups, points_of, zone_of};
