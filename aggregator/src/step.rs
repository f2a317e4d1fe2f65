//! The aggregator's work in bounded steps: readings first, then the days they touch.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use steward_books::{Books, BooksError, Entry, Event};
use steward_config::Config;
use steward_journal::{JournalError, JournalReader, Stored};
use steward_model::{AggregatorHealth, Kind, MeterId, PointId, Reading, UtcMs};
use steward_store::{ReadingsCommit, StoreError, Touched, WorkingStore};

use crate::compute::{self, Computed, Heads, Warned};
use crate::ingest::{self, Page};
use crate::past::{self, BookShelf};
use crate::plan::Plan;
use crate::rollup::RollUpError;

/// The name under which the journal knows how far the aggregator has read.
pub const READER: &str = "aggregator";

/// Readings of one page. Each page is one commit with one sync: large enough that the sync does
/// not count, small enough that memory and the time of a step stay small.
const PAGE_READINGS_MAX: usize = 20_000;
/// Under load the ledger runs at least this often, so that dashboards live.
const LEDGER_EVERY: Duration = Duration::from_secs(2);
/// Pages after which the journal learns that it may make room. Each time costs it a sync.
const PAGES_PER_CURSOR: u32 = 16;
/// A cursor that moved is told to the journal after this time, even when pages are small.
const CURSOR_EVERY: Duration = Duration::from_secs(5);
/// How often the books are looked at.
const BOOKS_EVERY: Duration = Duration::from_millis(500);

/// Why the aggregator cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum AggregatorError {
    /// The books cannot be read.
    #[error("the aggregator cannot read the books")]
    Books(#[from] BooksError),
    /// The journal cannot be read.
    #[error("the aggregator cannot read the journal")]
    Journal(#[from] JournalError),
    /// The store cannot be written or read.
    #[error("the aggregator cannot use the working store")]
    Store(#[from] StoreError),
    /// Periods could not be added up.
    #[error("the aggregator cannot add up periods")]
    RollUp(#[from] RollUpError),
}

impl AggregatorError {
    /// Whether the same step may succeed later by itself.
    pub const fn is_transient(&self) -> bool {
        // A damaged journal is salvaged by its writer; the reader then follows to the new file.
        matches!(
            self,
            Self::Store(StoreError::Full) | Self::Journal(JournalError::Damaged)
        )
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many readings left the journal.
    Ingested(u64),
    /// So many point-days were computed.
    Computed(usize),
    /// There was nothing to do.
    Idle,
}

/// Journal → store → ledger, on one thread.
pub struct Aggregator {
    config: Arc<Config>,
    plan: Plan,
    reader: JournalReader,
    store: WorkingStore,
    clock: fn() -> UtcMs,
    books: Books,
    heads: Heads,
    warned: Warned,
    health: AggregatorHealth,
    /// Where the store stands in the journal, and the running number of the last reading there.
    cursor: u64,
    accounted: u64,
    /// True from the moment when the ledger is due until it has caught up.
    ledger_due: bool,
    ledger_at: Instant,
    /// What the journal was told, and how long ago.
    told_cursor: u64,
    told_at: Instant,
    pages_since_told: u32,
    /// The last entry of the books that the ledger knows, and when they were looked at.
    books_seq: u64,
    books_at: Instant,
    /// Points whose days may still have the prices of earlier tariffs.
    to_reprice: Vec<PointId>,
}

impl std::fmt::Debug for Aggregator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aggregator")
            .field("cursor", &self.cursor)
            .field("health", &self.health)
            .finish_non_exhaustive()
    }
}

impl Aggregator {
    /// Goes on where the store stands. Where registry or factors would give the stored readings
    /// another ledger, it is computed anew; where tariffs changed, open months are priced anew; and
    /// what came into the books since is taken over.
    pub fn new(
        config: Arc<Config>,
        mut reader: JournalReader,
        mut store: WorkingStore,
        books: Books,
    ) -> Result<Self, AggregatorError> {
        let counts = store.counts()?;
        // A kill between the store's commit and this leaves the journal's cursor behind.
        reader.move_cursor(READER, counts.cursor)?;
        let state = books.state()?;
        let plan = Plan::of(&config, &state);
        let to_reprice = settle_fingerprints(&config, &plan, &mut store, &books, state.seq())?;
        let counts = store.counts()?;
        let books_seq = store.books_seq()?;
        let mut aggregator = Self {
            config,
            plan,
            reader,
            store,
            books,
            clock: || UtcMs::from_datetime(Utc::now()),
            heads: Heads::new(),
            warned: Warned::new(),
            health: AggregatorHealth {
                stored_total: counts.stored_new + counts.duplicates,
                duplicates_total: counts.duplicates,
                quarantined_total: counts.quarantined,
                queued: 0,
                dirty_days: counts.dirty,
                moved_at: None,
            },
            cursor: counts.cursor,
            accounted: counts.accounted,
            ledger_due: false,
            ledger_at: Instant::now(),
            told_cursor: counts.cursor,
            told_at: Instant::now(),
            pages_since_told: 0,
            books_seq,
            books_at: Instant::now(),
            to_reprice,
        };
        aggregator.follow_books()?;
        Ok(aggregator)
    }

    /// Replaces the clock that dates [`AggregatorHealth::moved_at`]. Nothing else reads it.
    #[must_use]
    pub fn with_clock(mut self, clock: fn() -> UtcMs) -> Self {
        self.clock = clock;
        self
    }

    /// One bounded piece of work. While readings wait they go first, but at least every two
    /// seconds the ledger catches up with what is stored.
    pub fn step(&mut self) -> Result<Step, AggregatorError> {
        if self.books_at.elapsed() >= BOOKS_EVERY {
            self.follow_books()?;
        }
        self.ledger_due |= self.ledger_at.elapsed() >= LEDGER_EVERY;
        if self.ledger_due
            && let Some(days) = self.compute()?
        {
            return Ok(Step::Computed(days));
        }
        let ingested = self.ingest()?;
        if ingested > 0 {
            return Ok(Step::Ingested(ingested));
        }
        if let Some(days) = self.compute()? {
            return Ok(Step::Computed(days));
        }
        if let Some(days) = self.reprice()? {
            return Ok(Step::Computed(days));
        }
        if self.told_cursor != self.cursor && self.told_at.elapsed() >= CURSOR_EVERY {
            self.tell_cursor()?;
        }
        Ok(Step::Idle)
    }

    /// How it stands. Cheap: nothing is counted anew.
    pub fn health(&self) -> AggregatorHealth {
        self.health.clone()
    }

    /// The store, for questions between steps.
    pub const fn store(&self) -> &WorkingStore {
        &self.store
    }

    /// Drops the ledger; the following steps compute it anew from the stored readings.
    pub fn rebuild(&mut self) -> Result<(), AggregatorError> {
        self.heads.clear();
        self.store.rebuild()?;
        let touched = all_moved(&self.config, &self.books.entries(0, usize::MAX)?)?;
        self.store.touch(&touched, self.books_seq)?;
        self.health.dirty_days = self.store.counts()?.dirty;
        self.ledger_due = true;
        Ok(())
    }

    /// Tells the journal how far it may make room. Called by [`crate::run`] before it ends.
    pub fn tell_cursor(&mut self) -> Result<(), AggregatorError> {
        self.reader.move_cursor(READER, self.cursor)?;
        self.told_cursor = self.cursor;
        self.told_at = Instant::now();
        self.pages_since_told = 0;
        Ok(())
    }

    /// One page of the journal; answers how many readings left it.
    fn ingest(&mut self) -> Result<u64, AggregatorError> {
        let entries = self.reader.read_after(self.cursor, PAGE_READINGS_MAX)?;
        if entries.is_empty() {
            self.health.queued = 0;
            return Ok(0);
        }
        let count = entries.iter().map(Stored::readings).sum();
        let pages = ingest::sort(
            &self.config,
            &self.plan,
            entries,
            self.cursor,
            self.accounted,
        );
        for page in pages {
            self.commit(&page)?;
        }
        self.health.queued = self
            .reader
            .counts()?
            .readings
            .saturating_sub(self.accounted);
        self.pages_since_told += 1;
        if self.pages_since_told >= PAGES_PER_CURSOR {
            self.tell_cursor()?;
        }
        Ok(count)
    }

    fn commit(&mut self, page: &Page) -> Result<(), AggregatorError> {
        let report = self.store.commit_readings(ReadingsCommit {
            readings: &page.readings,
            quarantine: &page.refused,
            cursor: page.cursor,
            accounted: page.accounted,
        })?;
        self.cursor = page.cursor;
        self.accounted = page.accounted;
        self.health.stored_total += report.new + report.duplicates;
        self.health.duplicates_total += report.duplicates;
        self.health.quarantined_total += report.conflicts + page.refused.len() as u64;
        self.health.moved_at = Some((self.clock)());
        if report.new > 0 {
            // At most so many; the next look at the marks knows it exactly.
            self.health.dirty_days += touched_days(&page.readings);
        }
        Ok(())
    }

    /// Takes over what came into the books: the plan is made anew, and what the events move waits to
    /// be computed. Marks and the books' number move in one transaction, so a kill repeats it.
    fn follow_books(&mut self) -> Result<(), AggregatorError> {
        self.books_at = Instant::now();
        if self.books.last_seq()? == self.books_seq {
            return Ok(());
        }
        let state = self.books.state()?;
        let plan = Plan::of(&self.config, &state);
        let entries = self.books.entries(0, usize::MAX)?;
        let known = self.books_seq;
        let fresh = entries.iter().filter(move |entry| entry.seq > known);
        let shelf = BookShelf {
            store: &self.store,
            view: &plan.view,
        };
        let first_above =
            |meter: &MeterId, quantity, to, value| shelf.first_above(meter, quantity, to, value);
        let mut touched = Vec::new();
        for entry in fresh.clone() {
            let moved = past::moved(&self.config, &entries, entry, &first_above)?;
            touched.extend(moved);
        }
        self.store.touch(&touched, state.seq())?;
        self.books_seq = state.seq();
        // Lineages may be others now, so no head stands for what it stood for.
        self.heads.clear();
        self.plan = plan;
        // A month keeps the prices with which it was proposed, whatever tariffs came since.
        for entry in fresh {
            if let Event::CloseApproved(verdict) = &entry.event
                && let Some(close) = state.close(verdict.proposal)
            {
                self.to_reprice
                    .extend(self.plan.points_of(&close.institution));
            }
        }
        if !touched.is_empty() {
            self.ledger_due = true;
            self.health.dirty_days = self.store.counts()?.dirty;
        }
        Ok(())
    }

    /// Prices the days of one point anew; `None` when none waits.
    fn reprice(&mut self) -> Result<Option<usize>, AggregatorError> {
        let Some(id) = self.to_reprice.pop() else {
            return Ok(None);
        };
        let (plan, store) = (&self.plan, &mut self.store);
        let mut days = 0;
        if let Some(point) = plan.points().find(|point| point.point == id) {
            days = compute::reprice(&self.config, plan, store, &mut self.warned, point)?;
        }
        if self.to_reprice.is_empty() {
            let fingerprint = self.plan.price_fingerprint(&self.config);
            self.store.set_price_fingerprint(fingerprint)?;
        }
        Ok(Some(days))
    }

    /// One chunk of the ledger; `None` when nothing waits.
    fn compute(&mut self) -> Result<Option<usize>, AggregatorError> {
        let computed = compute::chunk(
            &self.config,
            &self.plan,
            &mut self.store,
            &mut self.heads,
            &mut self.warned,
        )?;
        match computed {
            Some(Computed { days, waiting }) => {
                self.health.dirty_days = waiting;
                Ok(Some(days))
            }
            None => {
                self.health.dirty_days = 0;
                self.ledger_due = false;
                self.ledger_at = Instant::now();
                Ok(None)
            }
        }
    }
}

/// Compares what the ledger was computed by with what there is now. Drops the ledger where amounts
/// would differ; answers the points to be priced anew where only prices do.
fn settle_fingerprints(
    config: &Config,
    plan: &Plan,
    store: &mut WorkingStore,
    books: &Books,
    books_seq: u64,
) -> Result<Vec<PointId>, AggregatorError> {
    let (amounts, prices) = (Plan::fingerprint(config), plan.price_fingerprint(config));
    let (amounts_before, prices_before) = (store.plan_fingerprint()?, store.price_fingerprint()?);
    let books_were_replaced = store.books_seq()? > books_seq;
    if amounts_before != amounts || books_were_replaced {
        if amounts_before != 0 {
            tracing::info!("registry, factors or books changed: the ledger is computed anew");
            store.rebuild()?;
        }
        let touched = all_moved(config, &books.entries(0, usize::MAX)?)?;
        store.touch(&touched, books_seq)?;
        store.set_plan_fingerprint(amounts)?;
        store.set_price_fingerprint(prices)?;
        return Ok(Vec::new());
    }
    if prices_before == prices {
        return Ok(Vec::new());
    }
    tracing::info!("tariffs or closes changed: days that now cost something else are priced anew");
    Ok(plan.points().map(|point| point.point.clone()).collect())
}

/// What all events together move. Where the ledger begins anew the stored readings mark themselves,
/// but a reading by hand stands in the books alone.
fn all_moved(config: &Config, entries: &[Entry]) -> Result<Vec<Touched>, StoreError> {
    let mut touched = Vec::new();
    for entry in entries {
        touched.extend(past::moved(config, entries, entry, &|_, _, _, _| Ok(None))?);
    }
    Ok(touched)
}

/// Series-days of counters in a page.
fn touched_days(readings: &[Reading]) -> u64 {
    const DAY_MS: i64 = 86_400_000;
    let days: HashSet<(&MeterId, i64)> = readings
        .iter()
        .filter(|reading| reading.quantity.kind() == Kind::Counter)
        .map(|reading| (&reading.meter, reading.at.0.div_euclid(DAY_MS)))
        .collect();
    days.len() as u64
}
