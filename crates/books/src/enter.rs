//! The way into the books: everything that can be wrong is found, then the event is entered.

use steward_config::Config;
use steward_model::UtcMs;
use steward_store::StoreReader;

use crate::error::settle;
use crate::event::{Entry, Event};
use crate::{Books, BooksError, State, check, rules};

/// Checks an event by form, books, registry and stored readings, and enters it. Every reason to
/// refuse it is told at once.
///
/// What stands in the books is judged again inside the transaction, so a process that enters
/// something between the check and the append changes nothing about the rules.
pub async fn enter(
    config: &Config,
    books: &Books,
    store: &StoreReader,
    by: &str,
    reason: &str,
    event: Event,
    now: UtcMs,
) -> Result<Entry, BooksError> {
    let events = vec![(String::new(), event)];
    let entries = enter_all(config, books, store, by, reason, events, now).await?;
    entries.into_iter().next().ok_or(BooksError::Task)
}

/// As [`enter`], for all of these events or none of them. Refusals name an event by its label, such
/// as `line 3`. Each is judged as if those before it stood already.
pub async fn enter_all(
    config: &Config,
    books: &Books,
    store: &StoreReader,
    by: &str,
    reason: &str,
    events: Vec<(String, Event)>,
    now: UtcMs,
) -> Result<Vec<Entry>, BooksError> {
    let (by, reason) = (by.trim(), reason.trim());
    let asked = books.clone();
    let state = blocking(move || asked.state()).await?;
    let mut refusals = rules::signature(by, reason);
    let mut after: Option<State> = None;
    for (seq, (label, event)) in (state.seq() + 1..).zip(&events) {
        let standing = after.as_ref().unwrap_or(&state);
        let mut judged = rules::event(standing, by, event);
        judged.extend(check::outside(config, standing, store, event, now).await?);
        if judged.is_empty() && events.len() > 1 {
            let entry = Entry {
                seq,
                entered_at: now,
                by: by.to_owned(),
                reason: reason.to_owned(),
                event: event.clone(),
                undone_by: None,
            };
            after
                .get_or_insert_with(|| State::clone(&state))
                .apply(&entry);
        }
        refusals.extend(judged.into_iter().map(|refusal| refusal.within(label)));
    }
    settle(refusals)?;
    // Ours alone from here, so that the append need not copy what it shares with us.
    drop((state, after));
    let (books, by, reason) = (books.clone(), by.to_owned(), reason.to_owned());
    blocking(move || books.append_labelled(&by, &reason, &events, now)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BooksError> + Send + 'static,
) -> Result<T, BooksError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| BooksError::Task)?
}
