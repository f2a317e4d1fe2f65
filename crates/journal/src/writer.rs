//! The writer's thread: group commit, room, checkpoints, and what to do when the disk fails.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{Notify, mpsc};

use crate::append;
use crate::error::{Trouble, damaged, judge};
use crate::files::{self, Ballast};
use crate::group::{Gathered, Request, TICK, gather};
use crate::head::HeadFile;
use crate::reclaim;
use crate::schema::{self, Totals, used_bytes};
use crate::status::Status;
use crate::{AppendError, JournalError, JournalOptions, start};

/// The write-ahead log is carried over after about so many pages. A small log loses little to a
/// flip in it, and its pages stay in memory.
const CHECKPOINT_PAGES: u64 = 1_000;
/// How often an idle journal empties its write-ahead log.
const TRUNCATE_EVERY: Duration = Duration::from_secs(30);
/// A write-ahead log of this size is emptied at the next chance, idle or not.
const WAL_BYTES_MAX: u64 = 32 << 20;
/// From this share of the bound on, passed rows go without regard to the replay window.
const PRESSURE: (u64, u64) = (4, 5);
/// Rows in one step of making room.
const SLICE_ROWS: usize = 4_096;

/// Why a group was not committed.
enum Failure {
    /// The group would go beyond the bound.
    Bound,
    /// SQLite failed.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// The disk failed and it is said; the thread ends.
struct Broken;

pub(crate) struct Writer {
    dir: PathBuf,
    options: JournalOptions,
    status: Arc<Status>,
    connection: Connection,
    head: HeadFile,
    ballast: Ballast,
    runtime: tokio::runtime::Runtime,
    totals: Totals,
    /// The newest `received_at`, from which the replay window counts back.
    newest: i64,
    /// Bytes of the last group that found no room.
    refused_bytes: u64,
    /// Pages written since the last checkpoint, estimated.
    pages: u64,
    last_tick: Instant,
    last_truncate: Instant,
    entries_at_tick: u64,
    /// Held as long as the writer lives.
    _lock: File,
}

impl Writer {
    pub(crate) fn open(
        dir: &Path,
        options: JournalOptions,
        status: Arc<Status>,
    ) -> Result<Self, JournalError> {
        let (connection, totals, lost, lock) = start::open(dir)?;
        let page_size: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        // The bound is kept by our own account before each commit. SQLite's is the net below it,
        // with some room for deleting and for replays.
        let pages = schema::signed(options.bytes_max) / page_size.max(1) + 256;
        connection.pragma_update(None, "max_page_count", pages)?;
        connection.set_prepared_statement_cache_capacity(32);
        let newest = connection.query_row(
            "SELECT coalesce((SELECT received_at FROM batch ORDER BY seq DESC LIMIT 1), ?)",
            [i64::MIN],
            |row| row.get(0),
        )?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(files::failed("start the timer of", dir))?;
        let head = HeadFile::open(dir)?;
        head.write((&totals).into());
        status.lost.store(lost, Relaxed);
        status.committed(&totals, used_bytes(&connection)?);
        let ballast = Ballast::new(dir, options.ballast_bytes);
        ballast.take_on();
        let now = Instant::now();
        Ok(Self {
            dir: dir.to_owned(),
            options,
            status,
            connection,
            head,
            ballast,
            runtime,
            totals,
            newest,
            refused_bytes: 0,
            pages: 0,
            last_tick: now,
            last_truncate: now,
            entries_at_tick: 0,
            _lock: lock,
        })
    }

    /// Works until the channel is closed and empty, or the disk fails.
    pub(crate) fn run(mut self, mut receiver: mpsc::Receiver<Request>, stop: &Notify) {
        let mut group = Vec::new();
        let mut in_company = false;
        loop {
            let gather = gather(&mut receiver, stop, &mut group, in_company, &self.options);
            let outcome = match self.runtime.block_on(gather) {
                Gathered::Closed => break,
                Gathered::Idle => Ok(()),
                Gathered::Group => {
                    in_company = group.len() > 1;
                    self.commit(&mut group)
                }
            };
            if outcome.and_then(|()| self.look_after()).is_err() {
                receiver.close();
                while let Ok(request) = receiver.try_recv() {
                    // Whoever no longer waits needs no answer.
                    let _ = request.answer.send(Err(AppendError::Broken));
                }
                return;
            }
        }
        if let Err(error) = self.checkpoint("TRUNCATE") {
            let _ = self.check(error);
        }
    }

    /// Commits a group and answers everyone in it.
    fn commit(&mut self, group: &mut Vec<Request>) -> Result<(), Broken> {
        let answer = loop {
            let started = Instant::now();
            match self.try_commit(group) {
                Ok(seqs) => {
                    let us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
                    self.status.commit_us.fetch_add(us, Relaxed);
                    self.committed(group, seqs);
                    break None;
                }
                Err(Failure::Bound) => {
                    if !self.make_room()? {
                        break Some(AppendError::Full);
                    }
                }
                Err(Failure::Sqlite(error)) => match judge(&error) {
                    Trouble::Busy => tracing::warn!("the journal waits for another process"),
                    Trouble::Full if self.ballast.drop_it() || self.make_room()? => {}
                    Trouble::Full => break Some(AppendError::Full),
                    Trouble::Broken => {
                        let broken = self.break_down(&error);
                        for request in group.drain(..) {
                            let _ = request.answer.send(Err(AppendError::Broken));
                        }
                        return Err(broken);
                    }
                },
            }
        };
        if let Some(refusal) = answer {
            self.refuse(group, refusal);
        }
        Ok(())
    }

    fn try_commit(&mut self, group: &[Request]) -> Result<Vec<u64>, Failure> {
        let pressed = self.is_pressed();
        let tx = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut totals = Totals::read(&tx)?.unwrap_or(self.totals);
        // Room is made in the same transaction, twice as fast as it is taken: no sync of its own,
        // and the file keeps its size.
        let floor = reclaim::floor(&tx)?;
        let cutoff = cutoff(&self.options, self.newest, pressed);
        let rows_max = 2 * group.len() + 64;
        let gone = reclaim::slice(&tx, &mut totals, floor, cutoff, rows_max)?;
        let mut seqs = Vec::with_capacity(group.len());
        let mut pages = 6 + gone / 8;
        for request in group {
            seqs.push(append::append(&tx, &mut totals, &request.entry)?);
            pages += request.entry.bytes() as u64 / 4_096 + 1;
        }
        totals.write(&tx)?;
        let used = used_bytes(&tx)?;
        if used > self.options.bytes_max {
            return Err(Failure::Bound);
        }
        tx.commit()?;
        self.head.write((&totals).into());
        self.totals = totals;
        self.pages += pages;
        self.status.reclaimed.fetch_add(gone, Relaxed);
        self.status.committed(&totals, used);
        Ok(seqs)
    }

    /// Answers a committed group.
    fn committed(&mut self, group: &mut Vec<Request>, seqs: Vec<u64>) {
        self.status.commits.fetch_add(1, Relaxed);
        self.status.entries.fetch_add(group.len() as u64, Relaxed);
        self.set_full(false);
        for (request, seq) in group.drain(..).zip(seqs) {
            if let Some(batch) = &request.entry.batch {
                self.newest = self.newest.max(batch.received_at);
            }
            for item in &request.entry.items {
                self.status.count(item.reason);
            }
            let _ = request.answer.send(Ok(seq));
        }
    }

    fn refuse(&mut self, group: &mut Vec<Request>, refusal: AppendError) {
        self.refused_bytes = group
            .iter()
            .map(|request| request.entry.bytes() as u64)
            .sum();
        self.status.refused.fetch_add(group.len() as u64, Relaxed);
        self.set_full(true);
        for request in group.drain(..) {
            let _ = request.answer.send(Err(refusal));
        }
    }

    fn set_full(&self, full: bool) {
        if self.status.full.swap(full, Relaxed) != full {
            if full {
                tracing::error!("the journal is full: nothing is acknowledged until there is room");
            } else {
                tracing::info!("the journal has room again");
            }
        }
    }

    fn is_pressed(&self) -> bool {
        let (share, of) = PRESSURE;
        self.status.used_bytes.load(Relaxed) / share >= self.options.bytes_max / of
    }

    /// Removes passed rows without regard to the window, to well below the bound. True where any
    /// went.
    fn make_room(&mut self) -> Result<bool, Broken> {
        let mut any = false;
        while self.reclaim_slice(true)? > 0 {
            any = true;
            if !self.is_pressed() {
                break;
            }
        }
        Ok(any)
    }

    /// One step of making room in a transaction of its own. Answers how many rows went.
    fn reclaim_slice(&mut self, pressed: bool) -> Result<u64, Broken> {
        match self.try_reclaim(pressed) {
            Ok(gone) => Ok(gone),
            Err(error) => self.check(error).map(|()| 0),
        }
    }

    fn try_reclaim(&mut self, pressed: bool) -> Result<u64, rusqlite::Error> {
        let cutoff = cutoff(&self.options, self.newest, pressed);
        let tx = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut totals = Totals::read(&tx)?.unwrap_or(self.totals);
        let floor = reclaim::floor(&tx)?;
        let gone = reclaim::slice(&tx, &mut totals, floor, cutoff, SLICE_ROWS)?;
        let used = used_bytes(&tx)?;
        if gone > 0 {
            totals.write(&tx)?;
            tx.commit()?;
            self.pages += 6 + gone / 8;
            self.status.reclaimed.fetch_add(gone, Relaxed);
        }
        self.totals = totals;
        self.status.committed(&totals, used);
        Ok(gone)
    }

    /// What is done beside the commits: checkpoints, room, ballast, the state `full`.
    fn look_after(&mut self) -> Result<(), Broken> {
        if self.pages >= CHECKPOINT_PAGES
            && let Err(error) = self.checkpoint("PASSIVE")
        {
            self.check(error)?;
        }
        if self.last_tick.elapsed() < TICK {
            return Ok(());
        }
        self.last_tick = Instant::now();
        if let Some(reason) = files::is_broken(&self.dir) {
            return Err(self.break_down(&damaged(&reason)));
        }
        self.reclaim_slice(self.is_pressed())?;
        if self.status.full.load(Relaxed) {
            self.probe()?;
        } else {
            self.ballast.take_on();
        }
        let entries = self.status.entries.load(Relaxed);
        let idle = std::mem::replace(&mut self.entries_at_tick, entries) == entries;
        let wal_bytes = self.status.wal_bytes();
        let due = idle && wal_bytes > 0 && self.last_truncate.elapsed() >= TRUNCATE_EVERY;
        if due || wal_bytes > WAL_BYTES_MAX {
            self.last_truncate = Instant::now();
            if let Err(error) = self.checkpoint("TRUNCATE") {
                self.check(error)?;
            }
        }
        Ok(())
    }

    /// While full: room for what was refused, and a small write that succeeds, end the state even
    /// when nobody appends.
    fn probe(&mut self) -> Result<(), Broken> {
        let used = self.status.used_bytes.load(Relaxed);
        let wanted = used + self.refused_bytes + self.refused_bytes / 4 + (8 << 12);
        if wanted > self.options.bytes_max {
            return Ok(());
        }
        let totals = self.totals;
        let write = |connection: &mut Connection| {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            Totals::read(&tx)?.unwrap_or(totals).write(&tx)?;
            tx.commit()
        };
        match write(&mut self.connection) {
            Ok(()) => self.set_full(false),
            Err(error) => self.check(error)?,
        }
        Ok(())
    }

    /// Carries the write-ahead log over. Its syncs are judged like any other: SQLite's automatic
    /// checkpoint would hide a failed one, and a second try after it lies.
    fn checkpoint(&mut self, mode: &str) -> Result<(), rusqlite::Error> {
        self.pages = 0;
        // Readers in the way are not waited for; the next checkpoint takes what remains.
        self.connection.busy_timeout(Duration::ZERO)?;
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        let outcome = self.connection.query_row(&sql, [], |_| Ok(()));
        self.connection.busy_timeout(schema::BUSY_WAIT)?;
        outcome
    }

    /// Lets what passes by itself pass, and breaks down at the rest.
    fn check(&self, error: rusqlite::Error) -> Result<(), Broken> {
        match judge(&error) {
            Trouble::Full | Trouble::Busy => Ok(()),
            Trouble::Broken => Err(self.break_down(&error)),
        }
    }

    fn break_down(&self, error: &rusqlite::Error) -> Broken {
        let reason = error.to_string();
        tracing::error!(%error, "the journal's disk failed: nothing more is acknowledged");
        files::mark_broken(&self.dir, &reason);
        self.status.broken.send_replace(Some(Arc::from(reason)));
        Broken
    }
}

fn cutoff(options: &JournalOptions, newest: i64, pressed: bool) -> i64 {
    if pressed {
        return i64::MAX;
    }
    let window = i64::try_from(options.replay_window.as_millis()).unwrap_or(i64::MAX);
    newest.saturating_sub(window)
}
