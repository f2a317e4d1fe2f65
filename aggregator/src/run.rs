//! The loop on the aggregator's own thread.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use steward_model::AggregatorHealth;
use tokio_util::sync::CancellationToken;

use crate::step::{Aggregator, AggregatorError, Step};

/// How often the journal is asked when nothing waited.
const POLL: Duration = Duration::from_millis(100);
/// How long it waits for room on a full disk, first and at most.
const ROOM_WAIT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// Steps until told to stop; what is done is committed, so it may be stopped anywhere.
///
/// A full disk is waited out. Any other error ends the loop: the caller decides, and a new
/// aggregator goes on where the store stands.
pub fn run(
    mut aggregator: Aggregator,
    stop: &CancellationToken,
    health: &Arc<Mutex<AggregatorHealth>>,
) -> Result<(), AggregatorError> {
    let mut room_wait = ROOM_WAIT.0;
    while !stop.is_cancelled() {
        let step = aggregator.step();
        *health.lock().unwrap_or_else(PoisonError::into_inner) = aggregator.health();
        match step {
            Ok(Step::Idle) => wait(stop, POLL),
            Ok(_) => room_wait = ROOM_WAIT.0,
            Err(error) if error.is_transient() => {
                tracing::error!(%error, wait = ?room_wait, "there is no room for the store");
                wait(stop, room_wait);
                room_wait = (room_wait * 2).min(ROOM_WAIT.1);
            }
            Err(error) => return Err(error),
        }
    }
    aggregator.tell_cursor()
}

/// Waits, but not longer than until told to stop.
fn wait(stop: &CancellationToken, time: Duration) {
    const SLICE: Duration = Duration::from_millis(100);
    let mut left = time;
    while !left.is_zero() && !stop.is_cancelled() {
        let slice = left.min(SLICE);
        std::thread::sleep(slice);
        left -= slice;
    }
}
