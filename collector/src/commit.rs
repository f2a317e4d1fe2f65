//! From a source through the journal to whoever waits for the receipt, in order.

use std::collections::VecDeque;

use steward_journal::{AppendError, Entry, Journal, Receipt};
use tokio::sync::mpsc;

use crate::CollectorError;

/// How many entries may wait for their receipts: enough for several group commits.
pub(crate) const WAITING_MAX: usize = 2_048;

/// Takes items until the source closes. `decode` turns an item into an entry and a token, or into
/// nothing; `settle` gets the token back with the journal's verdict, in the order of the items, and
/// never before the commit returned. A full journal holds the source up; nothing is dropped here.
pub(crate) async fn commit_in_order<D, T>(
    journal: &Journal,
    mut source: mpsc::Receiver<D>,
    mut decode: impl FnMut(D) -> Option<(Entry, T)>,
    mut settle: impl FnMut(T, Result<u64, AppendError>),
) -> Result<(), CollectorError> {
    let mut waiting: VecDeque<(Receipt, T)> = VecDeque::new();
    let mut open = true;
    while open || !waiting.is_empty() {
        tokio::select! {
            biased;
            verdict = first(&mut waiting), if !waiting.is_empty() => {
                if let Some((_, token)) = waiting.pop_front() {
                    settle(token, verdict);
                }
                if matches!(verdict, Err(AppendError::Broken | AppendError::Closed)) {
                    // Nobody is acknowledged any more; what waits has no better verdict to come.
                    return Err(CollectorError::Append(verdict.err().unwrap_or(AppendError::Broken)));
                }
            }
            item = source.recv(), if open && waiting.len() < WAITING_MAX => match item {
                Some(item) => {
                    if let Some((entry, token)) = decode(item) {
                        let receipt = journal.append(entry).await?;
                        waiting.push_back((receipt, token));
                    }
                }
                None => open = false,
            },
        }
    }
    Ok(())
}

async fn first<T>(waiting: &mut VecDeque<(Receipt, T)>) -> Result<u64, AppendError> {
    match waiting.front_mut() {
        Some((receipt, _)) => receipt.await,
        None => std::future::pending().await,
    }
}
