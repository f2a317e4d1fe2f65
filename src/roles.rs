//! Wiring: which roles run, what they hand to each other, and how they stop.
//!
//! This is the only place where the parts meet. A role that ends ends the process: a service
//! manager starts it again, and what was acknowledged is on disk.

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use steward_aggregator::Aggregator;
use steward_api::{ApiState, ServeOptions};
use steward_books::{Access, Books, books_dir};
use steward_collector::CollectorState;
use steward_config::{Config, InfluxSettings};
use steward_journal::{Journal, JournalOptions, JournalReader, WriterThread};
use steward_model::AggregatorHealth;
use steward_store::influx::{InfluxReader, Publisher, TagBook, Tuning};
use steward_store::{Outbox, Source, StoreOptions, StoreReader, WorkingStore};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::board::{Board, SharedBoard, now};

/// How often status files are written and read.
const EXCHANGE: Duration = Duration::from_secs(2);

/// Which roles run in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Roles {
    /// Writes the journal, with or without a collector yet.
    pub(crate) journal: bool,
    pub(crate) collector: bool,
    pub(crate) aggregator: bool,
    pub(crate) api: bool,
    /// The status file's name.
    pub(crate) name: &'static str,
}

impl Roles {
    pub(crate) const ALL: Self = Self {
        journal: true,
        collector: true,
        aggregator: true,
        api: true,
        name: "steward",
    };
    /// Like all, but meters are asked only when [`System::start_collector`] is called.
    #[cfg(feature = "demo")]
    pub(crate) const DEMO: Self = Self {
        collector: false,
        ..Self::ALL
    };
    pub(crate) const COLLECTOR: Self = Self {
        journal: true,
        collector: true,
        aggregator: false,
        api: false,
        name: "collector",
    };
    pub(crate) const AGGREGATOR: Self = Self {
        journal: false,
        collector: false,
        aggregator: true,
        api: false,
        name: "aggregator",
    };
    pub(crate) const API: Self = Self {
        journal: false,
        collector: false,
        aggregator: false,
        api: true,
        name: "api",
    };
}

/// The folder of the journal.
pub(crate) fn journal_dir(config: &Config) -> PathBuf {
    config.settings.data_dir.join("journal")
}

/// The folder of the working store.
pub(crate) fn store_dir(config: &Config) -> PathBuf {
    steward_store::store_dir(&config.settings.data_dir)
}

/// Running roles.
pub(crate) struct System {
    config: Arc<Config>,
    board: SharedBoard,
    stop: CancellationToken,
    roles: JoinSet<anyhow::Result<()>>,
    journal: Option<Journal>,
    writer: Option<WriterThread>,
    /// Held for as long as the aggregator may write.
    store_lock: Option<File>,
    address: Option<SocketAddr>,
}

impl System {
    /// Starts the roles. Sockets are bound last, when everything behind them is open.
    pub(crate) async fn start(
        config: Arc<Config>,
        roles: Roles,
        listen: Option<SocketAddr>,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        // A start that fails half way stops what it has begun; the process would wait for it.
        let begun = stop.clone().drop_guard();
        let data_dir = &config.settings.data_dir;
        std::fs::create_dir_all(data_dir)
            .with_context(|| format!("cannot make {}", data_dir.display()))?;
        let mut system = Self {
            config,
            board: Arc::new(Board::default()),
            stop,
            roles: JoinSet::new(),
            journal: None,
            writer: None,
            store_lock: None,
            address: None,
        };
        if roles.journal {
            system.open_journal()?;
        }
        if roles.aggregator {
            system.start_aggregator()?;
            system.start_publisher()?;
        }
        if roles.collector {
            system.start_collector();
        }
        // A role alone still answers for itself: health and metrics, where asked to listen.
        if roles.api || listen.is_some() {
            system.start_api(listen, !roles.api).await?;
        }
        system.start_exchange(roles.name);
        begun.disarm();
        Ok(system)
    }

    /// Where the api listens.
    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        self.address.context("this process runs no api")
    }

    /// The journal's handle, where the collector runs.
    pub(crate) fn journal(&self) -> Option<Journal> {
        self.journal.clone()
    }

    /// The board.
    pub(crate) fn board(&self) -> SharedBoard {
        Arc::clone(&self.board)
    }

    /// Waits for the stop or for the first role that ends, then stops the others.
    pub(crate) async fn wait(mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        while let Some(ended) = self.roles.join_next().await {
            let ended = ended.context("a role panicked").and_then(|result| result);
            if let Err(error) = ended {
                // A failed disk ends other roles too; it is the cause that decides the exit code.
                if outcome.is_ok() || is_disk_failure(&error) {
                    outcome = Err(error);
                }
            }
            self.stop.cancel();
        }
        drop(self.journal);
        if let Some(writer) = self.writer {
            // Commits what is in its channel, so every receipt that was promised is kept.
            tokio::task::spawn_blocking(move || writer.stop()).await?;
        }
        outcome
    }

    fn open_journal(&mut self) -> anyhow::Result<()> {
        let settings = &self.config.settings.journal;
        let options = JournalOptions::new(settings.bytes_max, settings.replay_window);
        let (journal, writer) = Journal::open(&journal_dir(&self.config), options)?;
        let (health, samples) = (journal.clone(), journal.clone());
        // The places of the board are filled once, here.
        let _ = self.board.journal.set(Box::new(move || health.health()));
        self.board.add_samples(move || samples.samples());
        let (broken, stop) = (journal.clone(), self.stop.clone());
        self.roles.spawn(async move {
            tokio::select! {
                why = broken.broken() => {
                    Err(anyhow::Error::new(DiskFailed).context(why.to_string()))
                }
                () = stop.cancelled() => Ok(()),
            }
        });
        self.journal = Some(journal);
        self.writer = Some(writer);
        Ok(())
    }

    /// Begins to read meters.
    pub(crate) fn start_collector(&mut self) {
        let Some(journal) = self.journal.clone() else {
            return;
        };
        let state = Arc::new(CollectorState::new(&self.config, Arc::new(now)));
        let (health, samples) = (Arc::clone(&state), Arc::clone(&state));
        let _ = self.board.collector.set(Box::new(move || health.health()));
        self.board.add_samples(move || samples.samples());
        let (config, stop) = (Arc::clone(&self.config), self.stop.clone());
        self.roles.spawn(async move {
            steward_collector::run(config, journal, Arc::new(now), stop, state)
                .await
                .context("the collector ended")
        });
    }

    fn start_aggregator(&mut self) -> anyhow::Result<()> {
        self.store_lock = Some(lock_store(&self.config)?);
        let store = open_store(&self.config)?;
        let config = Arc::clone(&self.config);
        let (stop, dir) = (self.stop.clone(), journal_dir(&self.config));
        let health = Arc::new(Mutex::new(AggregatorHealth::default()));
        let (told, sampled) = (Arc::clone(&health), Arc::clone(&health));
        let read = |health: &Mutex<AggregatorHealth>| {
            health
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        };
        let _ = self.board.aggregator.set(Box::new(move || read(&told)));
        self.board
            .add_samples(move || crate::samples::aggregator(&read(&sampled)));
        self.roles.spawn_blocking(move || {
            // The journal may be made a moment later, by the collector of another process.
            let Some(reader) = wait_for_journal(&dir, &stop)? else {
                return Ok(());
            };
            let books = Books::open(&books_dir(&config.settings.data_dir), Access::Write)?;
            let aggregator = Aggregator::new(config, reader, store, books)?;
            steward_aggregator::run(aggregator, &stop, &health).context("the aggregator ended")
        });
        Ok(())
    }

    fn start_publisher(&mut self) -> anyhow::Result<()> {
        let Some(influx) = self.config.settings.influx.clone() else {
            return Ok(());
        };
        let outbox = Outbox::open(&store_dir(&self.config))?;
        let tags = TagBook::new(&self.config);
        let publisher = Publisher::new(outbox, &influx, tags, now, Tuning::default())?;
        let state = publisher.state();
        let (told, sampled) = (state.clone(), state);
        let _ = self.board.publisher.set(Box::new(move || told.health()));
        self.board.add_samples(move || sampled.samples());
        let stop = self.stop.clone();
        // It asks its database between two requests, so it has a thread of its own.
        let runtime = tokio::runtime::Handle::current();
        self.roles.spawn_blocking(move || {
            runtime.block_on(publisher.run(stop));
            Ok(())
        });
        Ok(())
    }

    async fn start_api(
        &mut self,
        listen: Option<SocketAddr>,
        probes_only: bool,
    ) -> anyhow::Result<()> {
        let listen = listen.unwrap_or(self.config.settings.api.listen);
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}"))?;
        self.address = Some(listener.local_addr()?);
        let (health, samples) = (self.board(), self.board());
        let state = ApiState {
            config: Arc::clone(&self.config),
            source: source(&self.config)?,
            books: Books::open(&books_dir(&self.config.settings.data_dir), Access::Write)?,
            health: Arc::new(move || health.health()),
            samples: Arc::new(move || samples.samples()),
            clock: now,
        };
        let stop = self.stop.clone();
        self.roles.spawn(async move {
            let options = ServeOptions {
                probes_only,
                ..ServeOptions::default()
            };
            steward_api::serve_with(listener, state, stop, options)
                .await
                .context("the api ended")
        });
        Ok(())
    }

    fn start_exchange(&mut self, role: &'static str) {
        let (board, stop) = (self.board(), self.stop.clone());
        let data_dir = self.config.settings.data_dir.clone();
        self.roles.spawn(async move {
            let mut ticks = tokio::time::interval(EXCHANGE);
            loop {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = stop.cancelled() => return Ok(()),
                }
                let (board, data_dir) = (Arc::clone(&board), data_dir.clone());
                let exchanged =
                    tokio::task::spawn_blocking(move || board.exchange(&data_dir, role)).await?;
                if let Err(error) = exchanged {
                    tracing::warn!(%error, "the status file cannot be written");
                }
            }
        });
    }
}

/// The disk of the journal failed: the process ends with 74 and trusts nothing it has in memory.
#[derive(Debug, thiserror::Error)]
#[error("the journal's disk failed; nothing more is acknowledged")]
pub(crate) struct DiskFailed;

/// Takes the right to write the working store, which goes with the process. Two aggregators would
/// each take the readings of the journal for its own.
pub(crate) fn lock_store(config: &Config) -> anyhow::Result<File> {
    let data_dir = &config.settings.data_dir;
    let path = data_dir.join("store.lock");
    let file = std::fs::create_dir_all(data_dir)
        .and_then(|()| File::create(&path))
        .with_context(|| format!("cannot make {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => anyhow::bail!(
            "another process writes the working store in {}: stop it, or give this one its own \
             data folder",
            store_dir(config).display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// Whether the journal's disk is what ended it.
pub(crate) fn is_disk_failure(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<DiskFailed>())
}

/// Opens the working store to write.
pub(crate) fn open_store(config: &Config) -> anyhow::Result<WorkingStore> {
    let influx = config.settings.influx.as_ref();
    let options = StoreOptions {
        publish: influx.is_some(),
        outbox_bytes_max: influx.map_or(0, |influx| influx.outbox_bytes_max),
        clock: now,
        ledger_gauges: steward_aggregator::ledger_gauges(config),
    };
    Ok(WorkingStore::open(&store_dir(config), options)?)
}

/// The store that the api reads.
pub(crate) fn source(config: &Config) -> anyhow::Result<Source> {
    let influx: Option<&InfluxSettings> = config.settings.influx.as_ref();
    match influx.filter(|_| config.settings.api.read_from_influx) {
        Some(influx) => Ok(Source::Influx(InfluxReader::new(influx)?)),
        None => Ok(Source::Working(StoreReader::open(&store_dir(config)))),
    }
}

fn wait_for_journal(
    dir: &std::path::Path,
    stop: &CancellationToken,
) -> anyhow::Result<Option<JournalReader>> {
    let mut told = false;
    while !stop.is_cancelled() {
        match JournalReader::open(dir) {
            Ok(reader) => return Ok(Some(reader)),
            Err(steward_journal::JournalError::Missing(_)) => {
                if !told {
                    tracing::info!(dir = %dir.display(), "waiting for the collector's journal");
                    told = true;
                }
                std::thread::sleep(Duration::from_millis(200));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}
