//! What goes into the store and what comes out, beside the words of the model.

use chrono::NaiveDate;
use steward_model::{
    Fill, Finding, FindingKind, LedgerDay, LedgerRow, MeterId, PointId, PriceRun, Quantity,
    Reading, ReadingQuality, UtcMs,
};

/// One reading of a known series: when, how much, how made.
pub type SeriesReading = (UtcMs, f64, ReadingQuality);

/// Readings of the journal and how far they lead. One commit is one transaction.
#[derive(Clone, Copy, Debug)]
pub struct ReadingsCommit<'a> {
    /// What is to be stored, in the order of the journal.
    pub readings: &'a [Reading],
    /// What the aggregator sets aside.
    pub quarantine: &'a [RefusedReading],
    /// The journal's batch up to which everything is stored or quarantined after this commit.
    pub cursor: u64,
    /// The journal's running number of the last reading at or before `cursor`, items that the
    /// journal itself set aside included: received − accounted = queued.
    pub accounted: u64,
}

/// A reading that the aggregator cannot place. (`seq`, `item`) is its key, so a repeated attempt
/// does not count twice.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedReading {
    /// The journal's batch.
    pub seq: u64,
    /// Index of the reading in its batch.
    pub item: u32,
    /// Why, as a word: `unknown_meter`, `damaged`.
    pub reason: String,
    /// The reading, where it can still be read.
    pub reading: Option<Reading>,
}

/// Something that the store keeps beside its readings, for a person to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct SetAside {
    /// Why, as a word: `conflict`, `unknown_meter`, `refused_by_influx`.
    pub reason: String,
    /// When it was measured, where that is known.
    pub at: Option<UtcMs>,
    /// What it is, in words.
    pub detail: String,
}

/// What became of the readings of one commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitReport {
    /// Stored.
    pub new: u64,
    /// Copies of what was there.
    pub duplicates: u64,
    /// Same key, other value: quarantined, the first value stays.
    pub conflicts: u64,
}

/// A stretch of a series whose ledger waits to be recomputed: at most one a series and UTC day in
/// which it begins. What new readings mark lies within that day; what the books touch may be
/// longer. Gauges move no amount and leave no marks, but for [`crate::StoreOptions`]'s
/// `ledger_gauges`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirtySeries {
    /// Meter.
    pub meter: MeterId,
    /// Series.
    pub quantity: Quantity,
    /// The first new or changed reading.
    pub from: UtcMs,
    /// The last.
    pub to: UtcMs,
    /// Version of the mark: it is only cleared by whoever saw its last change.
    pub mark: u64,
}

/// The register from which a day's intervals go on: what the next day starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carry {
    /// When it was read.
    pub at_ms: UtcMs,
    /// The register in base units, ratios applied.
    pub register_base: i64,
    /// Whether a person took it.
    pub manual: bool,
}

/// A day of a point as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDay {
    /// The intervals.
    pub day: LedgerDay,
    /// What the next day starts with.
    pub carry: Option<Carry>,
    /// Micrograms of standard coal a base unit; `None` where the commodity counts none.
    pub kgce_ug_per_base: Option<i64>,
    /// Micrograms of CO2 a base unit; `None` where the commodity counts none.
    pub co2_ug_per_base: Option<i64>,
    /// Ids of the factors used, joined by `+`.
    pub factor_set: String,
    /// The price of every interval, as runs; empty where no interval has one.
    pub prices: Vec<PriceRun>,
    /// Tariff versions used, as `id@from`, joined by `+`.
    pub tariff_set: String,
}

/// What the ledger found in a stretch of a point: everything there before is replaced by this.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundIn {
    /// The point.
    pub point: PointId,
    /// The stretch, first millisecond included and last excluded.
    pub from: UtcMs,
    /// See `from`.
    pub to: UtcMs,
    /// Findings that begin in it.
    pub findings: Vec<Finding>,
    /// Fills whose first millisecond lies in it: the one after the register at which they begin.
    pub fills: Vec<Fill>,
}

/// Recomputed ledger. One update is one transaction; what did not change is not written.
#[derive(Clone, Copy, Debug, Default)]
pub struct LedgerUpdate<'a> {
    /// Days with their intervals.
    pub days: &'a [StoredDay],
    /// Rows of days, months and years. A row without a single interval removes what was there.
    pub rows: &'a [LedgerRow],
    /// Marks that are done with, as [`crate::WorkingStore::dirty`] gave them.
    pub cleared: &'a [DirtySeries],
    /// Days that no longer have a ledger.
    pub removed_days: &'a [(PointId, NaiveDate)],
    /// Findings and fills of what was recomputed.
    pub found: &'a [FoundIn],
    /// Stretches of other series that depend on what changed, to be recomputed next.
    pub touched: &'a [Touched],
}

/// A stretch of a series whose ledger must be computed again though no reading of it is new: an
/// event of the books, or an outage whose load shape changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Meter.
    pub meter: MeterId,
    /// Series.
    pub quantity: Quantity,
    /// From when.
    pub from: UtcMs,
    /// Until when, included.
    pub to: UtcMs,
}

/// Which findings are asked for. The default asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Of this point.
    pub point: Option<PointId>,
    /// Of this meter.
    pub meter: Option<MeterId>,
    /// Of this kind.
    pub kind: Option<FindingKind>,
    /// In these states.
    pub states: FindingStates,
    /// Whose last reading in question is not before this.
    pub from: Option<UtcMs>,
    /// Which begin before this.
    pub to: Option<UtcMs>,
    /// At most so many, the oldest.
    pub limit: Option<usize>,
}

/// Findings by who settled them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FindingStates {
    /// All.
    #[default]
    All,
    /// Those that wait for a person.
    Open,
    /// Those that a person has decided.
    Decided,
    /// Those of which a rule is certain.
    ByRule,
}

/// The counters of the store, read in one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCounts {
    /// Readings that were new.
    pub stored_new: u64,
    /// Copies of what was there.
    pub duplicates: u64,
    /// Set aside: conflicts and what the aggregator refused.
    pub quarantined: u64,
    /// The journal's batch up to which all is accounted for.
    pub cursor: u64,
    /// The journal's running number up to which all is accounted for.
    pub accounted: u64,
    /// Series-days whose ledger waits.
    pub dirty: u64,
}
