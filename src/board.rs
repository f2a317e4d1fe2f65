//! The board on which roles pin what they know of themselves, and the status files that carry it
//! from one process to another when roles run apart.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, RwLock};

use steward_model::metrics::Sample;
use steward_model::{
    AggregatorHealth, CollectorHealth, Health, JournalHealth, PublisherHealth, UtcMs,
};

type Ask<T> = Box<dyn Fn() -> T + Send + Sync>;

/// Where roles say how they are. Each fills its own places once.
#[derive(Default)]
pub(crate) struct Board {
    pub(crate) collector: OnceLock<Ask<CollectorHealth>>,
    pub(crate) journal: OnceLock<Ask<JournalHealth>>,
    pub(crate) aggregator: OnceLock<Ask<AggregatorHealth>>,
    pub(crate) publisher: OnceLock<Ask<PublisherHealth>>,
    samples: RwLock<Vec<Ask<Vec<Sample>>>>,
    /// What other processes of the same data folder wrote.
    elsewhere: RwLock<Health>,
}

impl Board {
    /// Adds a source of metrics.
    pub(crate) fn add_samples(&self, ask: impl Fn() -> Vec<Sample> + Send + Sync + 'static) {
        let mut samples = self
            .samples
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        samples.push(Box::new(ask));
    }

    /// Everything that roles of this process say, and of other processes what they wrote last.
    pub(crate) fn health(&self) -> Health {
        let elsewhere = self
            .elsewhere
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        let own = self.own_health();
        Health {
            at: own.at,
            collector: own.collector.or(elsewhere.collector),
            journal: own.journal.or(elsewhere.journal),
            aggregator: own.aggregator.or(elsewhere.aggregator),
            publisher: own.publisher.or(elsewhere.publisher),
        }
    }

    /// All metrics of this process.
    pub(crate) fn samples(&self) -> Vec<Sample> {
        let sources = self
            .samples
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        sources.iter().flat_map(|ask| ask()).collect()
    }

    fn own_health(&self) -> Health {
        Health {
            at: now(),
            collector: self.collector.get().map(|ask| ask()),
            journal: self.journal.get().map(|ask| ask()),
            aggregator: self.aggregator.get().map(|ask| ask()),
            publisher: self.publisher.get().map(|ask| ask()),
        }
    }

    /// Writes this process's part and reads the others': one file a role, whole or not at all.
    pub(crate) fn exchange(&self, data_dir: &Path, role: &str) -> std::io::Result<()> {
        let folder = data_dir.join("status");
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{role}.json"));
        let fresh = folder.join(format!("{role}.json.new"));
        std::fs::write(&fresh, serde_json::to_vec(&self.own_health())?)?;
        std::fs::rename(fresh, &path)?;
        let mut elsewhere = Health::default();
        for file in status_files(&folder, &path)? {
            // A file that is being replaced or of another version is read at the next turn.
            let Ok(text) = std::fs::read(&file) else {
                continue;
            };
            let Ok(other) = serde_json::from_slice::<Health>(&text) else {
                continue;
            };
            elsewhere = Health {
                at: elsewhere.at.max(other.at),
                collector: elsewhere.collector.or(other.collector),
                journal: elsewhere.journal.or(other.journal),
                aggregator: elsewhere.aggregator.or(other.aggregator),
                publisher: elsewhere.publisher.or(other.publisher),
            };
        }
        *self
            .elsewhere
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = elsewhere;
        Ok(())
    }
}

fn status_files(folder: &Path, own: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
            && path != own
        {
            files.push(path);
        }
    }
    Ok(files)
}

/// The clock of the process.
pub(crate) fn now() -> UtcMs {
    UtcMs::from_datetime(chrono::Utc::now())
}

/// A board that many hold.
pub(crate) type SharedBoard = Arc<Board>;
