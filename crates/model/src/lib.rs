//! The words of Carbon Steward as types: readings, quantities, commodities, ledger rows, time.
//!
//! What it promises: no I/O, no async, no clock. A value that exists is valid: a [`Value`] is
//! finite, an id has a form that is safe in files, topics, queries and metrics.
//!
//! What it never does: it knows no settings, opens no file, and never reads the time of day.
//!
//! Where to start: [`Reading`] is what meters give, [`LedgerRow`] is what the ledger answers, and
//! [`time`] says what a day is.

mod commodity;
mod finding;
mod health;
mod id;
mod ledger;
pub mod metrics;
mod quantity;
mod reading;
pub mod time;
mod unit;

pub use commodity::{BaseUnit, Commodity};
pub use finding::{
    Evidence, Fill, FillRule, Finding, FindingKind, FindingState, parse_review_id, review_id,
};
pub use health::{
    AggregatorHealth, CollectorHealth, Health, JournalHealth, MeterHealth, MeterState,
    PublisherHealth,
};
pub use id::{BuildingId, GatewayId, InstitutionId, InvalidId, MeterId, PointId, ProfileId};
pub use ledger::{
    IntervalAmount, IntervalQuality, LedgerDay, LedgerRow, PriceRun, QualityClass, Shares, Span,
};
pub use quantity::{Kind, Quantity, UnknownQuantity};
pub use reading::{Batch, NotFinite, Reading, ReadingQuality, Value};
pub use time::UtcMs;
pub use unit::{Unit, UnitError};
