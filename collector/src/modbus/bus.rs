//! One gateway: one connection, one queue of meters by the time at which they are due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use steward_model::UtcMs;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::link::{Dial, LinkError};
use super::meter::{MeterTask, Outcome};
use crate::Clock;
use crate::backoff::Backoff;

/// What the bus tells.
#[derive(Debug)]
pub(crate) enum Report {
    /// The connection stands.
    Connected,
    /// The gateway cannot be reached, or hung up.
    Unreachable(LinkError),
    /// A meter was polled.
    Polled(Box<Polled>),
}

/// One poll.
#[derive(Debug)]
pub(crate) struct Polled {
    /// Which meter, as an index into the bus's list.
    pub(crate) meter: usize,
    /// When it ended.
    pub(crate) at: UtcMs,
    /// How long it took.
    pub(crate) took: Duration,
    /// Polls of this meter that fell due and were passed over before this one.
    pub(crate) missed: u64,
    /// What came of it.
    pub(crate) outcome: Outcome,
}

pub(crate) struct Bus<D: Dial> {
    pub(crate) dial: D,
    pub(crate) meters: Vec<MeterTask>,
    /// Added to every wall-clock multiple, so that gateways do not all begin at once.
    pub(crate) spread_seed: u64,
    pub(crate) clock: Clock,
    pub(crate) reports: mpsc::Sender<Report>,
    pub(crate) stop: CancellationToken,
}

/// Nobody listens any more, or the stop signal came.
struct Stopped;

impl<D: Dial> Bus<D> {
    /// Polls until stopped. Every meter is polled once at the start, then at wall-clock multiples of
    /// its interval, so that readings lie close to the boundaries of the ledger's intervals.
    pub(crate) async fn run(mut self) {
        let stop = self.stop.clone();
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            _ = self.work() => {}
        }
    }

    async fn work(&mut self) -> Result<std::convert::Infallible, Stopped> {
        let start = Instant::now();
        let mut queue: BinaryHeap<Reverse<(Instant, usize)>> = (0..self.meters.len())
            .map(|i| Reverse((start, i)))
            .collect();
        let mut link: Option<D::Link> = None;
        let mut backoff = Backoff::connection();
        loop {
            let Some(Reverse((due, index))) = queue.pop() else {
                std::future::pending::<()>().await;
                continue;
            };
            tokio::time::sleep_until(due).await;
            if !self.meters[index].in_service((self.clock)()) {
                queue.push(Reverse((self.next_due(index), index)));
                continue;
            }
            let begun = Instant::now();
            let late = begun.saturating_duration_since(due);
            let Some(outcome) = self.poll(index, &mut link, &mut backoff).await? else {
                queue.push(Reverse((due, index)));
                continue;
            };
            let next = self.schedule(index, &outcome);
            queue.push(Reverse((next, index)));
            let report = Polled {
                meter: index,
                at: (self.clock)(),
                took: begun.elapsed(),
                missed: whole_intervals(late, self.meters[index].interval),
                outcome,
            };
            self.report(Report::Polled(Box::new(report))).await?;
        }
    }

    /// One poll, or nothing where the gateway cannot be reached.
    async fn poll(
        &mut self,
        index: usize,
        link: &mut Option<D::Link>,
        backoff: &mut Backoff,
    ) -> Result<Option<Outcome>, Stopped> {
        loop {
            let reused = link.is_some();
            let mut open = match link.take() {
                Some(open) => open,
                None => match self.connect(backoff).await? {
                    Some(open) => open,
                    None => return Ok(None),
                },
            };
            let outcome = self.meters[index].poll(&mut open, &self.clock).await;
            if !outcome.broken {
                backoff.reset();
                *link = Some(open);
            } else if reused && outcome.hung_up() {
                // Gateways close what was idle for long: that is no fault of the meter.
                continue;
            }
            return Ok(Some(outcome));
        }
    }

    /// A connection, or nothing after having waited.
    async fn connect(&self, backoff: &mut Backoff) -> Result<Option<D::Link>, Stopped> {
        match self.dial.dial().await {
            Ok(link) => {
                self.report(Report::Connected).await?;
                Ok(Some(link))
            }
            Err(error) => {
                self.report(Report::Unreachable(error)).await?;
                tokio::time::sleep(backoff.fail()).await;
                Ok(None)
            }
        }
    }

    /// A full channel stops the bus: then polls are missed, and counted, until there is room.
    async fn report(&self, report: Report) -> Result<(), Stopped> {
        self.reports.send(report).await.map_err(|_| Stopped)
    }

    fn schedule(&mut self, index: usize, outcome: &Outcome) -> Instant {
        let meter = &mut self.meters[index];
        if outcome.readings.is_empty() {
            Instant::now() + meter.backoff.fail()
        } else {
            meter.backoff.reset();
            self.next_due(index)
        }
    }

    fn next_due(&self, index: usize) -> Instant {
        let interval = self.meters[index].interval;
        Instant::now() + until_next((self.clock)(), interval, self.spread_seed)
    }
}

fn whole_intervals(late: Duration, interval: Duration) -> u64 {
    let interval = interval.as_millis().max(1);
    u64::try_from(late.as_millis() / interval).unwrap_or(u64::MAX)
}

/// Time until the next wall-clock multiple of `interval`, moved by the gateway's own spread of at
/// most two seconds and a tenth of the interval. A multiple that has all but come is passed over:
/// clocks and timers differ by milliseconds.
fn until_next(now: UtcMs, interval: Duration, spread_seed: u64) -> Duration {
    let interval_ms = i64::try_from(interval.as_millis())
        .unwrap_or(i64::MAX)
        .max(1);
    let spread_max = (interval_ms / 10).clamp(1, 2_000);
    let spread = i64::try_from(spread_seed % spread_max.unsigned_abs()).unwrap_or(0);
    let mut wait = interval_ms - (now.0 - spread).rem_euclid(interval_ms);
    if wait < (interval_ms / 10).min(100) {
        wait += interval_ms;
    }
    Duration::from_millis(wait.unsigned_abs())
}

/// A number that is the same for a gateway on every start (FNV-1a).
pub(crate) fn spread_seed(gateway: &str) -> u64 {
    gateway.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
