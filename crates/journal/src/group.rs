//! When a group is committed.
//!
//! An entry that comes alone is committed at once: nobody gains from
//! its waiting. While entries come in company the group stays open until none has come for a
//! moment, at most `group_wait`, at most `group_entries_max`. Senders with a bounded number of
//! messages in flight (brokers) fall silent as soon as they wait for us, so the lull ends the wait
//! long before `group_wait`; a steady stream has no lull and fills its groups, which costs few
//! syncs. What comes during a commit forms the next group by itself.

use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};

use crate::append::Packed;
use crate::{AppendError, JournalOptions};

/// How long a group in company waits for one more entry.
const LULL: Duration = Duration::from_millis(1);
/// A group closes when its entries take so many bytes.
const GROUP_BYTES_MAX: usize = 8 << 20;
/// How long an idle writer waits before it looks after room, ballast and log.
pub(crate) const TICK: Duration = Duration::from_secs(1);

/// An entry on its way to the disk, and who waits for it.
pub(crate) struct Request {
    pub(crate) entry: Packed,
    pub(crate) answer: oneshot::Sender<Result<u64, AppendError>>,
}

/// What came.
pub(crate) enum Gathered {
    /// Something to commit.
    Group,
    /// Nothing for a while.
    Idle,
    /// Nothing more will come.
    Closed,
}

/// Fills `group` as the module's page says.
pub(crate) async fn gather(
    receiver: &mut mpsc::Receiver<Request>,
    stop: &Notify,
    group: &mut Vec<Request>,
    in_company: bool,
    options: &JournalOptions,
) -> Gathered {
    let first = tokio::select! {
        biased;
        () = stop.notified() => {
            // What was accepted is still delivered; then the channel answers that it is closed.
            receiver.close();
            receiver.recv().await
        }
        first = tokio::time::timeout(TICK, receiver.recv()) => match first {
            Ok(first) => first,
            Err(_) => return Gathered::Idle,
        },
    };
    let Some(first) = first else {
        return Gathered::Closed;
    };
    let mut bytes = first.entry.bytes();
    group.push(first);
    let deadline = tokio::time::Instant::now() + options.group_wait;
    while group.len() < options.group_entries_max && bytes < GROUP_BYTES_MAX {
        let next = match receiver.try_recv() {
            Ok(next) => Some(next),
            Err(_) if !in_company && group.len() == 1 => None,
            Err(_) => {
                let until = deadline.min(tokio::time::Instant::now() + LULL);
                tokio::time::timeout_at(until, receiver.recv())
                    .await
                    .ok()
                    .flatten()
            }
        };
        let Some(next) = next else { break };
        bytes += next.entry.bytes();
        group.push(next);
    }
    Gathered::Group
}
