//! What the writer tells about itself, readable from any thread.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use steward_model::JournalHealth;
use steward_model::metrics::{Metric, Sample};
use tokio::sync::watch;

use crate::schema::{self, Totals, unsigned};
use crate::{AppendError, Reason};

/// The share of the bound at which the journal raises its alarm.
pub const ALARM_SHARE: f64 = 0.7;

const USED: Metric = Metric::gauge(
    "steward_journal_used_bytes",
    "Bytes in use, without free pages.",
);
const MAX: Metric = Metric::gauge("steward_journal_max_bytes", "The bound in bytes.");
const WAL: Metric = Metric::gauge("steward_journal_wal_bytes", "Size of the write-ahead log.");
const ALARM: Metric = Metric::gauge("steward_journal_alarm", "1 from 70 % of the bound on.");
const FULL: Metric = Metric::gauge("steward_journal_full", "1 while nothing is acknowledged.");
const RECEIVED: Metric = Metric::counter(
    "steward_journal_received_total",
    "Readings and quarantined items received since the journal was made.",
);
const QUARANTINED: Metric = Metric::counter(
    "steward_journal_quarantined_total",
    "Items set aside since the start of the process, by reason.",
);
const COMMITS: Metric = Metric::counter("steward_journal_commits_total", "Commits.");
const ENTRIES: Metric = Metric::counter("steward_journal_entries_total", "Entries acknowledged.");
const REFUSED: Metric = Metric::counter(
    "steward_journal_refused_total",
    "Entries refused for want of room.",
);
const COMMIT_SECONDS: Metric = Metric::counter(
    "steward_journal_commit_seconds_total",
    "Time spent in commits.",
);
const RECLAIMED: Metric = Metric::counter(
    "steward_journal_reclaimed_total",
    "Batches removed to make room.",
);
const LOST: Metric = Metric::gauge(
    "steward_journal_lost",
    "Readings and items that the head mark knew and the journal did not have at this start.",
);

/// Shared between the writer's thread and its handles.
pub(crate) struct Status {
    dir: PathBuf,
    bytes_max: u64,
    pub(crate) used_bytes: AtomicU64,
    pub(crate) full: AtomicBool,
    received: AtomicU64,
    items: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) entries: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) commit_us: AtomicU64,
    pub(crate) reclaimed: AtomicU64,
    pub(crate) lost: AtomicU64,
    reasons: Vec<AtomicU64>,
    /// Why the writer broke down, once it did.
    pub(crate) broken: watch::Sender<Option<Arc<str>>>,
}

impl Status {
    pub(crate) fn new(dir: PathBuf, bytes_max: u64) -> Self {
        Self {
            dir,
            bytes_max,
            used_bytes: AtomicU64::default(),
            full: AtomicBool::default(),
            received: AtomicU64::default(),
            items: AtomicU64::default(),
            commits: AtomicU64::default(),
            entries: AtomicU64::default(),
            refused: AtomicU64::default(),
            commit_us: AtomicU64::default(),
            reclaimed: AtomicU64::default(),
            lost: AtomicU64::default(),
            reasons: Reason::ALL.iter().map(|_| AtomicU64::default()).collect(),
            broken: watch::Sender::new(None),
        }
    }

    /// Takes over what is committed.
    pub(crate) fn committed(&self, totals: &Totals, used_bytes: u64) {
        self.received
            .store(unsigned(totals.readings + totals.items), Relaxed);
        self.items.store(unsigned(totals.items), Relaxed);
        let before = self.used_bytes.swap(used_bytes, Relaxed);
        if !self.is_alarm(before) && self.is_alarm(used_bytes) {
            tracing::warn!(
                used_bytes,
                bytes_max = self.bytes_max,
                "the journal is 70 % full: its reader is behind or stands still"
            );
        }
    }

    pub(crate) fn count(&self, reason: Reason) {
        if let Some(count) = self.reasons.get(reason as usize) {
            count.fetch_add(1, Relaxed);
        }
    }

    fn is_alarm(&self, used_bytes: u64) -> bool {
        used_bytes / 7 >= self.bytes_max / 10
    }

    /// Why nothing is accepted any more.
    pub(crate) fn end(&self) -> AppendError {
        if self.broken.borrow().is_some() {
            AppendError::Broken
        } else {
            AppendError::Closed
        }
    }

    pub(crate) fn wal_bytes(&self) -> u64 {
        std::fs::metadata(schema::wal(&self.dir)).map_or(0, |file| file.len())
    }

    pub(crate) fn health(&self) -> JournalHealth {
        JournalHealth {
            used_bytes: self.used_bytes.load(Relaxed),
            bytes_max: self.bytes_max,
            full: self.full.load(Relaxed),
            received_total: self.received.load(Relaxed),
            quarantined_total: self.items.load(Relaxed),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a metric is a float; 2^53 is never reached"
    )]
    pub(crate) fn samples(&self) -> Vec<Sample> {
        let read = |number: &AtomicU64| number.load(Relaxed) as f64;
        let flag = |set: bool| if set { 1.0 } else { 0.0 };
        let mut samples = vec![
            USED.sample(read(&self.used_bytes)),
            MAX.sample(self.bytes_max as f64),
            WAL.sample(self.wal_bytes() as f64),
            ALARM.sample(flag(self.is_alarm(self.used_bytes.load(Relaxed)))),
            FULL.sample(flag(self.full.load(Relaxed))),
            RECEIVED.sample(read(&self.received)),
            COMMITS.sample(read(&self.commits)),
            ENTRIES.sample(read(&self.entries)),
            REFUSED.sample(read(&self.refused)),
            COMMIT_SECONDS.sample(read(&self.commit_us) / 1e6),
            RECLAIMED.sample(read(&self.reclaimed)),
            LOST.sample(read(&self.lost)),
        ];
        for (reason, count) in Reason::ALL.iter().zip(&self.reasons) {
            samples.push(QUARANTINED.labelled("reason", reason.id(), read(count)));
        }
        samples
    }
}
