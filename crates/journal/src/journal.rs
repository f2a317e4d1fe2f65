//! The writer's handle: options, appending, receipts.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use steward_model::JournalHealth;
use steward_model::metrics::Sample;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::append::Packed;
use crate::group::Request;
use crate::status::Status;
use crate::writer::Writer;
use crate::{AppendError, Entry, JournalError};

/// How the journal is kept.
#[derive(Clone, Debug)]
pub struct JournalOptions {
    /// The bound in bytes of pages in use. The write-ahead log (some 4 MB, at most what a reader's
    /// open transaction pins) and the ballast come on top.
    pub bytes_max: u64,
    /// How long batches stay after every reader has passed them, counted back from the newest
    /// batch. Near the bound the window shrinks first.
    pub replay_window: Duration,
    /// The longest that an entry waits for company.
    pub group_wait: Duration,
    /// The most entries in one commit.
    pub group_entries_max: usize,
    /// The most entries that wait for the writer; beyond, `append` waits.
    pub channel_entries_max: usize,
    /// A file that is removed to get out of a full disk, and rebuilt afterwards. Zero for none.
    pub ballast_bytes: u64,
}

impl JournalOptions {
    /// The usual options around a bound and a replay window. The ballast takes a sixteenth of the
    /// bound, at most 64 MiB.
    pub fn new(bytes_max: u64, replay_window: Duration) -> Self {
        Self {
            bytes_max,
            replay_window,
            group_wait: Duration::from_millis(20),
            group_entries_max: 256,
            channel_entries_max: 1024,
            ballast_bytes: (bytes_max / 16).min(64 << 20),
        }
    }
}

/// The writer's handle. Cheap to clone. The writer ends when the last one is dropped.
#[derive(Clone)]
pub struct Journal {
    sender: mpsc::Sender<Request>,
    status: Arc<Status>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("health", &self.status.health())
            .finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens the journal in `dir`, making it where there is none and salvaging what a broken one
    /// still holds, and starts its writer.
    ///
    /// Blocks for the disk; a salvage reads the whole journal.
    pub fn open(dir: &Path, options: JournalOptions) -> Result<(Self, WriterThread), JournalError> {
        let (sender, receiver) = mpsc::channel(options.channel_entries_max.max(1));
        let status = Arc::new(Status::new(dir.to_owned(), options.bytes_max));
        let writer = Writer::open(dir, options, Arc::clone(&status))?;
        let stop = Arc::new(Notify::new());
        let stop_signal = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(receiver, &stop_signal))
            .map_err(|source| JournalError::File {
                what: "start a thread for",
                path: dir.to_owned(),
                source,
            })?;
        Ok((Self { sender, status }, WriterThread { thread, stop }))
    }

    /// Gives an entry to the writer; waits while the channel is full. The entry is durable when
    /// the receipt resolves, not before.
    pub async fn append(&self, entry: Entry) -> Result<Receipt, AppendError> {
        let (request, receipt) = self.request(entry);
        self.sender
            .send(request)
            .await
            .map_err(|_| self.status.end())?;
        Ok(receipt)
    }

    /// As [`Self::append`], for threads outside of any async runtime; inside of one it panics.
    pub fn append_blocking(&self, entry: Entry) -> Result<Receipt, AppendError> {
        let (request, receipt) = self.request(entry);
        self.sender
            .blocking_send(request)
            .map_err(|_| self.status.end())?;
        Ok(receipt)
    }

    fn request(&self, entry: Entry) -> (Request, Receipt) {
        let (answer, receiver) = oneshot::channel();
        let request = Request {
            entry: Packed::new(entry),
            answer,
        };
        let receipt = Receipt {
            receiver,
            status: Arc::clone(&self.status),
        };
        (request, receipt)
    }

    /// How the journal is.
    pub fn health(&self) -> JournalHealth {
        self.status.health()
    }

    /// Its metrics.
    pub fn samples(&self) -> Vec<Sample> {
        self.status.samples()
    }

    /// Resolves when the disk has failed, with what it said. Nothing is acknowledged any more; the
    /// process has to end, and its next start salvages.
    pub async fn broken(&self) -> Arc<str> {
        let mut receiver = self.status.broken.subscribe();
        loop {
            if let Some(reason) = receiver.borrow_and_update().clone() {
                return reason;
            }
            if receiver.changed().await.is_err() {
                return Arc::from("the writer is gone");
            }
        }
    }
}

/// The writer's thread.
#[derive(Debug)]
pub struct WriterThread {
    thread: JoinHandle<()>,
    stop: Arc<Notify>,
}

impl WriterThread {
    /// Commits what was accepted so far, empties the write-ahead log and ends the writer. Later
    /// appends are refused.
    pub fn stop(self) {
        self.stop.notify_one();
        self.join();
    }

    /// Waits until the writer has ended: after a stop, or when the last handle was dropped.
    pub fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("the journal's writer panicked; nothing was acknowledged after it");
        }
    }
}

/// The promise of an answer. Resolves only after the commit returned; dropping it changes nothing.
#[must_use = "an entry counts as received only when its receipt has resolved"]
pub struct Receipt {
    receiver: oneshot::Receiver<Result<u64, AppendError>>,
    status: Arc<Status>,
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receipt").finish_non_exhaustive()
    }
}

impl Receipt {
    /// Waits outside of any async runtime; inside of one it panics.
    pub fn wait_blocking(self) -> Result<u64, AppendError> {
        match self.receiver.blocking_recv() {
            Ok(answer) => answer,
            Err(_) => Err(self.status.end()),
        }
    }
}

impl Future for Receipt {
    /// The row's number; for an entry without readings, the number of the last row.
    type Output = Result<u64, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver)
            .poll(context)
            .map(|answer| answer.unwrap_or_else(|_| Err(self.status.end())))
    }
}
