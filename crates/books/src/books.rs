//! The file of the books: adding to it, reading it, and proving that it is whole.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use steward_model::UtcMs;

use crate::chain::{self, Hash};
use crate::error::settle;
use crate::event::{Entry, Event};
use crate::rows::{SELECT, Stored, as_limit, check_head, insert, signed, stored, unsigned, walk};
use crate::{Access, BooksError, State, rules, schema};

/// The books. Clones share one connection. A call takes as long as the disk: from async code use
/// [`crate::enter`], or a blocking thread.
#[derive(Clone, Debug)]
pub struct Books {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    dir: PathBuf,
    access: Access,
    open: Mutex<Open>,
}

/// The connection, and the fold of what it has read so far.
#[derive(Debug)]
struct Open {
    connection: Option<Connection>,
    state: Arc<State>,
    /// The hash of the last entry in `state`.
    hash: Hash,
}

/// The first event that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its number.
    pub seq: u64,
    /// In which way.
    pub what: &'static str,
}

impl From<Broken> for BooksError {
    fn from(broken: Broken) -> Self {
        Self::Damaged {
            seq: broken.seq,
            what: broken.what,
        }
    }
}

impl Books {
    /// Opens the books in the folder `dir` (see [`crate::books_dir`]). To write makes them where
    /// there are none; to read finds them empty until somebody does.
    pub fn open(dir: &Path, access: Access) -> Result<Self, BooksError> {
        let open = Open {
            connection: schema::open(dir, access)?,
            state: Arc::default(),
            hash: chain::BEGIN,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                dir: dir.to_owned(),
                access,
                open: Mutex::new(open),
            }),
        })
    }

    /// Enters an event, if the rules of the books allow it. The registry and the stored readings
    /// are not asked: [`crate::enter`] does that too. When this returns the event is on the disk.
    pub fn append(
        &self,
        by: &str,
        reason: &str,
        event: Event,
        now: UtcMs,
    ) -> Result<Entry, BooksError> {
        let events = [(String::new(), event)];
        let entries = self.append_labelled(by, reason, &events, now)?;
        entries.into_iter().next().ok_or(BooksError::Task)
    }

    /// Enters all of these events in one transaction, or none of them. Each is judged as if those
    /// before it stood already; refusals name the event by its position from 1.
    pub fn append_all(
        &self,
        by: &str,
        reason: &str,
        events: Vec<Event>,
        now: UtcMs,
    ) -> Result<Vec<Entry>, BooksError> {
        let numbered = (1..).zip(events);
        let events: Vec<(String, Event)> = numbered
            .map(|(index, event)| (format!("event {index}"), event))
            .collect();
        self.append_labelled(by, reason, &events, now)
    }

    /// As [`Self::append_all`]; refusals name the event by its label.
    pub(crate) fn append_labelled(
        &self,
        by: &str,
        reason: &str,
        events: &[(String, Event)],
        now: UtcMs,
    ) -> Result<Vec<Entry>, BooksError> {
        if self.shared.access == Access::Read {
            return Err(BooksError::ReadOnly);
        }
        let (by, reason) = (by.trim(), reason.trim());
        let mut guard = self.lock();
        let open = &mut *guard;
        let connection = open.connection.as_mut().ok_or(BooksError::ReadOnly)?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(BooksError::sqlite("begin to write"))?;
        catch_up(&transaction, &mut open.state, &mut open.hash)?;
        check_head(&transaction, open.state.seq(), &open.hash)?;
        let mut refusals = rules::signature(by, reason);
        let mut entries = Vec::with_capacity(events.len());
        let mut hash = open.hash;
        // What stands after the events so far; only made where a later event needs it.
        let mut after: Option<State> = None;
        for (seq, (label, event)) in (open.state.seq() + 1..).zip(events) {
            let state = after.as_ref().unwrap_or(&open.state);
            let judged = rules::event(state, by, event);
            let allowed = judged.is_empty();
            refusals.extend(judged.into_iter().map(|refusal| refusal.within(label)));
            let entry = Entry {
                seq,
                entered_at: now,
                by: by.to_owned(),
                reason: reason.to_owned(),
                event: event.clone(),
                undone_by: None,
            };
            if refusals.is_empty() {
                hash = insert(&transaction, &entry, &hash)?;
            }
            if allowed && events.len() > 1 {
                after
                    .get_or_insert_with(|| State::clone(&open.state))
                    .apply(&entry);
            }
            entries.push(entry);
        }
        settle(refusals)?;
        transaction
            .commit()
            .map_err(BooksError::sqlite("write an event"))?;
        match after {
            Some(after) => open.state = Arc::new(after),
            None => {
                let state = Arc::make_mut(&mut open.state);
                entries.iter().for_each(|entry| state.apply(entry));
            }
        }
        open.hash = hash;
        Ok(entries)
    }

    /// Entries after this number, ascending, at most `limit`.
    pub fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, BooksError> {
        let read = |connection: &Connection| {
            let mut statement = connection.prepare_cached(&format!(
                "{SELECT} WHERE e.seq > ?1 ORDER BY e.seq LIMIT ?2"
            ))?;
            let rows = statement.query_map(params![signed(after), as_limit(limit)], stored)?;
            rows.collect::<Result<Vec<_>, _>>()
        };
        let rows = self.read("read events", Vec::new(), read)?;
        rows.into_iter().map(Stored::into_entry).collect()
    }

    /// The entry of this number.
    pub fn entry(&self, seq: u64) -> Result<Option<Entry>, BooksError> {
        let read = |connection: &Connection| {
            connection
                .prepare_cached(&format!("{SELECT} WHERE e.seq = ?1"))?
                .query_row([signed(seq)], stored)
                .optional()
        };
        let row = self.read("read an event", None, read)?;
        row.map(Stored::into_entry).transpose()
    }

    /// The number of the last entry; 0 where there is none.
    pub fn last_seq(&self) -> Result<u64, BooksError> {
        let last = self.read("read their end", 0, |connection| {
            connection.query_row("SELECT coalesce(max(seq), 0) FROM entry", [], |row| {
                row.get(0)
            })
        })?;
        unsigned(last)
    }

    /// What stands after the last entry; [`State::seq`] says which that is. Every entry is compared
    /// with the chain when it is read: damaged books have no state.
    pub fn state(&self) -> Result<Arc<State>, BooksError> {
        let mut guard = self.open_now()?;
        let open = &mut *guard;
        if let Some(connection) = &open.connection {
            catch_up(connection, &mut open.state, &mut open.hash)?;
        }
        Ok(Arc::clone(&open.state))
    }

    /// The number and the hash (hex) of the last entry. Who writes them down elsewhere can prove
    /// later that nothing before them was changed.
    pub fn head(&self) -> Result<(u64, String), BooksError> {
        let head = self.read("read their end", None, |connection| {
            connection
                .query_row("SELECT seq, hash FROM head", [], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, Hash>(1)?))
                })
                .optional()
        })?;
        match head {
            Some((seq, hash)) => Ok((unsigned(seq)?, chain::hex(&hash))),
            None => Ok((0, chain::hex(&chain::BEGIN))),
        }
    }

    /// Reads every entry again and compares it with the chain of hashes: the first one that was
    /// changed, is missing or does not belong there.
    pub fn verify(&self) -> Result<Option<Broken>, BooksError> {
        let mut guard = self.open_now()?;
        let Some(connection) = &mut guard.connection else {
            return Ok(None);
        };
        // One view of rows and head.
        let view = connection
            .transaction()
            .map_err(BooksError::sqlite("begin to read"))?;
        let mut hash = chain::BEGIN;
        let mut last = 0;
        match walk(&view, &mut last, &mut hash, |_| {}) {
            Ok(()) => {}
            Err(BooksError::Damaged { seq, what }) => return Ok(Some(Broken { seq, what })),
            Err(error) => return Err(error),
        }
        match check_head(&view, last, &hash) {
            Ok(()) => Ok(None),
            Err(BooksError::Damaged { seq, what }) => Ok(Some(Broken { seq, what })),
            Err(error) => Err(error),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // What a panicking thread left behind is whole: its transaction was rolled back, and the
        // state is replaced after the commit alone.
        let open = self.shared.open.lock();
        open.unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, looked for again where there were no books before.
    fn open_now(&self) -> Result<MutexGuard<'_, Open>, BooksError> {
        let mut open = self.lock();
        if open.connection.is_none() {
            open.connection = schema::open(&self.shared.dir, self.shared.access)?;
        }
        Ok(open)
    }

    fn read<T>(
        &self,
        step: &'static str,
        empty: T,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, BooksError> {
        let open = self.open_now()?;
        match &open.connection {
            Some(connection) => read(connection).map_err(BooksError::sqlite(step)),
            None => Ok(empty),
        }
    }
}

/// Applies the entries that were added since, by whichever process.
fn catch_up(
    connection: &Connection,
    state: &mut Arc<State>,
    hash: &mut Hash,
) -> Result<(), BooksError> {
    let mut last = state.seq();
    let mut added = Vec::new();
    let walked = walk(connection, &mut last, hash, |entry| added.push(entry));
    if !added.is_empty() {
        let state = Arc::make_mut(state);
        added.iter().for_each(|entry| state.apply(entry));
    }
    walked
}
