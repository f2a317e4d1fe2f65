//! Readings and the energy ledger: where they are kept, how they are published, how they are read.
//!
//! Two stores stand behind one reading interface, [`Source`]. The *working store* (SQLite, one
//! writer: [`WorkingStore`]) is always there; the ledger is computed from it. *InfluxDB 2*, where
//! it is configured, receives everything through an outbox that lies in the working store, so a
//! dead InfluxDB stops nothing: [`influx::Publisher`].
//!
//! What it promises: a reading is new, an equal duplicate or a quarantined conflict, and the three
//! counters add up; readings, counters, marks, outbox and the journal's cursor move in one
//! transaction that is on the disk when [`WorkingStore::commit_readings`] returns; what is waiting
//! for InfluxDB is confirmed by InfluxDB or quarantined with a reason, never dropped.
//!
//! What the ledger found on its way (findings, fills) and the days with their registers and prices
//! are kept in the working store alone; [`Source`] says so when it reads InfluxDB.
//!
//! What it never does: it knows no meters and no journal, it computes no ledger, and it never
//! builds Flux from a text that a user typed.
//!
//! Where to start: [`WorkingStore`] for the writer, [`Source`] for readers, `working/schema.rs`
//! for the tables, `influx/judge.rs` for what an answer of InfluxDB means.

mod day;
mod error;
pub mod influx;
mod source;
mod types;
mod working;

pub use day::{DayTotals, StoredDayRef};
pub use error::StoreError;
pub use source::Source;
pub use types::{
    Carry, CommitReport, DirtySeries, FindingFilter, FindingStates, FoundIn, LedgerUpdate,
    ReadingsCommit, RefusedReading, SeriesReading, SetAside, StoreCounts, StoredDay, Touched,
};
pub use working::{Outbox, StoreOptions, StoreReader, WorkingStore, store_dir};
