//! The books as the api reads and writes them.
//!
//! What they amount to is folded once and kept until another event stands in them. Writes of this
//! process wait for each other, so that what one of them was checked against is still true when it
//! is entered.

use std::sync::{Arc, Mutex, PoisonError};

use steward_books::{Books, BooksError, Entry, Event, enter, enter_all};
use steward_report::BooksView;
use steward_store::{Source, StoreReader};
use tokio::sync::MutexGuard;

use crate::auth::Who;
use crate::problem::Problem;
use crate::state::App;

/// The last fold of the books, and who writes.
#[derive(Default)]
pub(crate) struct Desk {
    folded: Mutex<Option<(u64, Arc<BooksView>)>>,
    writing: tokio::sync::Mutex<()>,
}

impl App {
    /// The books as they stand now.
    pub(crate) async fn books(&self) -> Result<Arc<BooksView>, Problem> {
        let seq = self.books_seq().await?;
        let folded = &self.desk.folded;
        let kept = folded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((_, view)) = kept.filter(|(kept_seq, _)| *kept_seq == seq) {
            return Ok(view);
        }
        let view = Arc::new(BooksView::load(&self.state.books).await?);
        // Events may have come since the number was read; then the next request folds once more.
        *folded.lock().unwrap_or_else(PoisonError::into_inner) = Some((seq, view.clone()));
        Ok(view)
    }

    /// The number of the last event.
    pub(crate) async fn books_seq(&self) -> Result<u64, BooksError> {
        self.with_books(Books::last_seq).await
    }

    /// Asks the books on a thread that may wait for the disk.
    pub(crate) async fn with_books<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Books) -> Result<T, BooksError> + Send + 'static,
    ) -> Result<T, BooksError> {
        let books = self.state.books.clone();
        tokio::task::spawn_blocking(move || ask(&books))
            .await
            .map_err(|_| BooksError::Task)?
    }

    /// The right to write: whoever holds it is alone.
    pub(crate) async fn writing(&self) -> MutexGuard<'_, ()> {
        self.desk.writing.lock().await
    }

    /// Checks an event against configuration, books and readings, and enters it.
    pub(crate) async fn enter(
        &self,
        who: &Who,
        reason: &str,
        event: Event,
    ) -> Result<Entry, Problem> {
        let store = self.store()?;
        let books = &self.state.books;
        Ok(enter(
            self.config(),
            books,
            store,
            &who.0,
            reason,
            event,
            self.now(),
        )
        .await?)
    }

    /// Checks all of these and enters all of them or none; a refusal names an event by its label.
    pub(crate) async fn enter_all(
        &self,
        who: &Who,
        reason: &str,
        events: Vec<(String, Event)>,
    ) -> Result<Vec<Entry>, Problem> {
        let store = self.store()?;
        let books = &self.state.books;
        let now = self.now();
        Ok(enter_all(self.config(), books, store, &who.0, reason, events, now).await?)
    }

    /// The working store, against which an event is checked.
    pub(crate) fn store(&self) -> Result<&StoreReader, Problem> {
        match &self.state.source {
            Source::Working(reader) => Ok(reader),
            Source::Influx(_) => Err(Problem::not_here(
                "the readings that an event is checked against",
            )),
        }
    }
}
