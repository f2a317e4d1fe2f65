//! The publisher: outbox → InfluxDB, in order, for ever.
//!
//! The next batch is read, written as lines and compressed while earlier ones are on their way;
//! batches are settled in the order in which they were built. When an answer is no plain yes, no
//! new request starts until that batch is settled, so a struggling InfluxDB sees one probe at a
//! time. What is in memory: [`Tuning::in_flight_max`] batches and one more.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use steward_config::InfluxSettings;
use steward_model::UtcMs;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::backoff::{Backoff, with_jitter};
use super::batch::Batch;
use super::client::{InfluxClient, Timeouts};
use super::feed::Feed;
use super::judge::{Answer, Verdict, judge};
use super::send::{no_answer, send};
use super::state::PublisherState;
use super::{InfluxError, PublishReport, TagBook, Tuning};
use crate::StoreError;
use crate::working::Outbox;

/// Lines that may be in quarantine before the publisher stops and calls a person.
const QUARANTINE_LINES_MAX: u64 = 100_000;

/// Sends what waits in the outbox.
#[derive(Debug)]
pub struct Publisher {
    /// Away while a blocking thread works on it.
    feed: Option<Feed>,
    client: InfluxClient,
    tuning: Tuning,
    state: Arc<PublisherState>,
    ready: Option<Batch>,
    flights: VecDeque<Flight>,
}

#[derive(Debug)]
struct Flight {
    batch: Batch,
    answer: JoinHandle<Answer>,
}

/// The publisher was told to stop; what was not confirmed still waits in the outbox.
#[derive(Debug)]
struct Stopped;

impl Publisher {
    /// A publisher for `outbox`.
    pub fn new(
        outbox: Outbox,
        settings: &InfluxSettings,
        tags: TagBook,
        clock: fn() -> UtcMs,
        tuning: Tuning,
    ) -> Result<Self, InfluxError> {
        let timeouts = Timeouts {
            connect: tuning.connect_timeout,
            total: tuning.request_timeout,
        };
        Ok(Self {
            client: InfluxClient::new(settings, timeouts)?,
            feed: Some(Feed::new(outbox, settings, Arc::new(tags), clock)?),
            tuning,
            state: Arc::default(),
            ready: None,
            flights: VecDeque::new(),
        })
    }

    /// What it tells about itself, for health and metrics.
    pub fn state(&self) -> Arc<PublisherState> {
        Arc::clone(&self.state)
    }

    /// Publishes until `stop`. Trouble is told by [`PublisherState::health`] and never ends it.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.step(&stop).await {
                Ok(true) => {}
                Ok(false) => pause(self.tuning.poll, &stop).await,
                Err(Stopped) => break,
            }
        }
        for flight in self.flights.drain(..) {
            flight.answer.abort();
        }
    }

    /// Publishes until nothing waits.
    pub async fn drain(&mut self, stop: &CancellationToken) -> PublishReport {
        while !stop.is_cancelled() && matches!(self.step(stop).await, Ok(true)) {}
        let mut report = PublishReport::default();
        self.state.update(|state| {
            report = PublishReport {
                lines: state.lines,
                quarantined: state.waiting.refused_readings + state.waiting.refused_ledger,
                expired: state.expired,
            };
        });
        report
    }

    /// Starts or settles one batch; false when nothing waits.
    async fn step(&mut self, stop: &CancellationToken) -> Result<bool, Stopped> {
        if self.ready.is_none() {
            self.ready = self.prepare(stop).await?;
        }
        if let Some(batch) = self.ready.take_if(|batch| {
            self.flights.len() < self.tuning.in_flight_max.max(1)
                && self
                    .flights
                    .iter()
                    .all(|flight| flight.batch.may_fly_with(batch))
        }) {
            let answer = tokio::spawn(send(self.client.clone(), batch.parcel(&(0..batch.len()))));
            self.flights.push_back(Flight { batch, answer });
            return Ok(true);
        }
        let Some(Flight { batch, answer }) = self.flights.pop_front() else {
            self.with_feed(stop, |feed| {
                feed.rewind();
                Ok(())
            })
            .await?;
            self.refresh(stop).await?;
            // What was marked again behind the lanes' back is found now, if there is any.
            self.ready = self.prepare(stop).await?;
            return Ok(self.ready.is_some());
        };
        let answer = tokio::select! {
            () = stop.cancelled() => return Err(Stopped),
            answer = answer => answer.unwrap_or_else(|error| no_answer(error.to_string())),
        };
        self.settle(batch, answer, stop).await?;
        Ok(true)
    }

    async fn prepare(&mut self, stop: &CancellationToken) -> Result<Option<Batch>, Stopped> {
        self.with_feed(stop, Feed::next_batch).await
    }

    /// Brings a batch to its end: every line stored or quarantined.
    async fn settle(
        &mut self,
        mut batch: Batch,
        first: Answer,
        stop: &CancellationToken,
    ) -> Result<(), Stopped> {
        let lines = batch.len();
        // The next part is last: order is kept, and a half is halved before the other is sent.
        let mut parts: Vec<Range<usize>> = Vec::from([Range {
            start: 0,
            end: lines,
        }]);
        let mut answer = Some(first);
        let mut attempt = 0;
        while let Some(part) = parts.pop() {
            let judged = match answer.take() {
                Some(answer) => answer,
                None => {
                    let sending = send(self.client.clone(), batch.parcel(&part));
                    tokio::select! {
                        () = stop.cancelled() => return Err(Stopped),
                        answer = sending => answer,
                    }
                }
            };
            match judge(&judged) {
                Verdict::Stored => {
                    attempt = 0;
                    // A delete is needed once, before the first line is there again.
                    batch.erase.clear();
                    self.stored(part.len());
                }
                Verdict::Halve { reason, dropped } => {
                    attempt = 0;
                    batch.erase.clear();
                    self.state.update(|state| state.halved += 1);
                    if part.len() == 1 || dropped == Some(part.len()) {
                        tracing::error!(lines = part.len(), reason, "InfluxDB refuses lines.");
                        batch.refuse(&part, &reason);
                    } else if !part.is_empty() {
                        let middle = part.start + part.len() / 2;
                        parts.push(middle..part.end);
                        parts.push(part.start..middle);
                    }
                }
                Verdict::Wait { at_least, reason } => {
                    self.state.update(|state| state.waited += 1);
                    let backoff = Backoff::new(self.tuning.wait_min, self.tuning.wait_max);
                    let wait = with_jitter(backoff.base(attempt).max(at_least));
                    attempt = attempt.saturating_add(1);
                    self.trouble(reason, wait, stop).await?;
                    parts.push(part);
                }
                Verdict::Misconfigured(reason) => {
                    self.state.update(|state| state.misconfigured += 1);
                    self.trouble(reason, self.tuning.misconfigured_wait, stop)
                        .await?;
                    parts.push(part);
                }
            }
        }
        self.confirm(batch, stop).await
    }

    fn stored(&self, lines: usize) {
        self.state.update(|state| {
            state.stored += 1;
            state.lines += lines as u64;
            state.trouble = None;
        });
    }

    /// Waits because of trouble and tells it.
    async fn trouble(
        &mut self,
        reason: String,
        wait: Duration,
        stop: &CancellationToken,
    ) -> Result<(), Stopped> {
        let mut is_new = false;
        self.state.update(|state| {
            is_new = state.trouble.is_none();
            state.trouble = Some(reason.clone());
        });
        if is_new {
            tracing::warn!(
                reason,
                "InfluxDB does not take what is published; all of it is kept."
            );
        }
        self.refresh(stop).await?;
        pause(wait, stop).await;
        if stop.is_cancelled() {
            Err(Stopped)
        } else {
            Ok(())
        }
    }

    /// Takes what is settled out of the outbox.
    async fn confirm(&mut self, batch: Batch, stop: &CancellationToken) -> Result<(), Stopped> {
        let (expired, bytes) = (batch.expired, batch.gzipped.len() as u64);
        self.state.update(|state| {
            state.expired += expired;
            state.bytes += bytes;
        });
        self.wait_for_room_in_quarantine(batch.refused.len() as u64, stop)
            .await?;
        let batch = Arc::new(batch);
        self.with_feed(stop, move |feed| {
            let now_ms = feed.now().0;
            feed.outbox
                .settle(&batch.done, &batch.refused, batch.expired_new, now_ms)
        })
        .await?;
        self.refresh_sometimes(stop).await
    }

    /// A quarantine that grows without end is no quarantine: from here a person has to look.
    async fn wait_for_room_in_quarantine(
        &mut self,
        more: u64,
        stop: &CancellationToken,
    ) -> Result<(), Stopped> {
        if more == 0 {
            return Ok(());
        }
        loop {
            let waiting = self.with_feed(stop, |feed| feed.outbox.waiting()).await?;
            if waiting.refused_readings + waiting.refused_ledger + more <= QUARANTINE_LINES_MAX {
                return Ok(());
            }
            let reason = format!(
                "{QUARANTINE_LINES_MAX} lines are in quarantine: see what InfluxDB refuses, mend it \
                 and empty the quarantine"
            );
            self.trouble(reason, self.tuning.misconfigured_wait, stop)
                .await?;
        }
    }

    async fn refresh_sometimes(&mut self, stop: &CancellationToken) -> Result<(), Stopped> {
        // Counting what waits costs a moment; batches come by the dozen.
        let mut due = false;
        self.state.update(|state| due = state.stored % 16 == 0);
        if due {
            self.refresh(stop).await
        } else {
            Ok(())
        }
    }

    /// Counts what waits.
    async fn refresh(&mut self, stop: &CancellationToken) -> Result<(), Stopped> {
        let (waiting, now) = self
            .with_feed(stop, |feed| Ok((feed.outbox.waiting()?, feed.now())))
            .await?;
        self.state.update(|state| {
            state.waiting = waiting;
            let age_ms = waiting
                .oldest_at_ms
                .map_or(0, |oldest| now.0.saturating_sub(oldest));
            state.lag_s = u64::try_from(age_ms / 1_000).unwrap_or(0);
        });
        Ok(())
    }

    /// Works on the working store on a blocking thread; until that succeeds there is nothing else
    /// to do, so trouble with the file is waited out.
    async fn with_feed<T: Send + 'static>(
        &mut self,
        stop: &CancellationToken,
        work: impl Fn(&mut Feed) -> Result<T, StoreError> + Send + Sync + 'static,
    ) -> Result<T, Stopped> {
        let work = Arc::new(work);
        loop {
            // The feed is lost only with a panic on the blocking thread; then there is nothing
            // left to publish from.
            let mut feed = self.feed.take().ok_or(Stopped)?;
            let task = Arc::clone(&work);
            let done = tokio::task::spawn_blocking(move || {
                let result = task(&mut feed);
                (feed, result)
            })
            .await;
            let Ok((feed, result)) = done else {
                let reason = "the publisher's own thread failed; start the program again";
                self.state
                    .update(|state| state.trouble = Some(reason.to_owned()));
                tracing::error!("{reason}");
                return Err(Stopped);
            };
            self.feed = Some(feed);
            match result {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    tracing::error!(%error, "The publisher cannot use the working store.");
                    self.state
                        .update(|state| state.trouble = Some(error.to_string()));
                    pause(self.tuning.misconfigured_wait, stop).await;
                    if stop.is_cancelled() {
                        return Err(Stopped);
                    }
                }
            }
        }
    }
}

/// Waits, or less when told to stop.
async fn pause(wait: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(wait) => {}
    }
}

/// Publishes everything that the store in `dir` holds, whether it was published before or not, and
/// returns when InfluxDB has it. It may run beside the program that writes the store.
pub async fn publish_all(
    dir: &Path,
    settings: &InfluxSettings,
    tags: TagBook,
    clock: fn() -> UtcMs,
    stop: &CancellationToken,
) -> Result<PublishReport, StoreError> {
    let mut outbox = Outbox::open(dir)?;
    let outbox = tokio::task::spawn_blocking(move || outbox.mark_all(clock()).map(|()| outbox))
        .await
        .map_err(|_| StoreError::Task)??;
    let mut publisher = Publisher::new(outbox, settings, tags, clock, Tuning::default())?;
    Ok(publisher.drain(stop).await)
}
