//! The books as a report reads them.

use std::sync::Arc;

use steward_books::{Books, BooksError, Entry, State};

/// Entries of one question to the books.
const PAGE_ENTRIES: usize = 1_000;

/// The books as read at one moment: the entries in their order, and what they amount to.
#[derive(Clone, Debug, Default)]
pub struct BooksView {
    /// Every entry, also those that were taken back.
    pub entries: Vec<Entry>,
    /// What stands.
    pub state: Arc<State>,
}

impl BooksView {
    /// The view of these entries.
    pub fn of(entries: Vec<Entry>) -> Self {
        let state = Arc::new(State::of(&entries));
        Self { entries, state }
    }

    /// Where there are no books: every month is open.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads all of the books. It takes as long as the disk: from async code use [`Self::load`].
    pub fn read(books: &Books) -> Result<Self, BooksError> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let after = entries.last().map_or(0, |entry| entry.seq);
            let page = books.entries(after, PAGE_ENTRIES)?;
            let is_last = page.len() < PAGE_ENTRIES;
            entries.extend(page);
            if is_last {
                return Ok(Self::of(entries));
            }
        }
    }

    /// [`Self::read`] on a blocking thread.
    pub async fn load(books: &Books) -> Result<Self, BooksError> {
        let books = books.clone();
        let read = tokio::task::spawn_blocking(move || Self::read(&books));
        read.await.map_err(|_| BooksError::Task)?
    }
}
