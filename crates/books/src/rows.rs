//! Rows of the file: written along the chain of hashes, and read along it.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use steward_model::UtcMs;

use crate::BooksError;
use crate::chain::{self, Hash};
use crate::event::{Entry, Event};

pub(crate) const SELECT: &str = "SELECT e.seq, e.entered_at, e.by, e.reason, e.kind, e.event, e.undoes, \
     e.hash, u.seq FROM entry AS e LEFT JOIN entry AS u ON u.undoes = e.seq";

/// A row as it lies in the file.
pub(crate) struct Stored {
    seq: i64,
    entered_at: i64,
    by: String,
    reason: String,
    kind: String,
    event: String,
    undoes: Option<i64>,
    hash: Vec<u8>,
    undone_by: Option<i64>,
}

/// Walks the entries after `last` along the chain, up to the first that does not fit.
pub(crate) fn walk(
    connection: &Connection,
    last: &mut u64,
    hash: &mut Hash,
    mut each: impl FnMut(Entry),
) -> Result<(), BooksError> {
    let failed = || BooksError::sqlite("read events");
    let mut statement = connection
        .prepare_cached(&format!("{SELECT} WHERE e.seq > ?1 ORDER BY e.seq"))
        .map_err(failed())?;
    let mut rows = statement.query([signed(*last)]).map_err(failed())?;
    while let Some(row) = rows.next().map_err(failed())? {
        let expected = *last + 1;
        let damaged = |what| BooksError::Damaged {
            seq: expected,
            what,
        };
        // A cell of another type than the table allows was not written by this program.
        let row = stored(row).map_err(|_| damaged("its row cannot be read"))?;
        if row.seq != signed(expected) {
            return Err(damaged("it is missing"));
        }
        let next = row.hash_after(hash, expected);
        if row.hash != next {
            return Err(damaged("its hash does not follow from its content"));
        }
        let entry = row.into_entry()?;
        *hash = next;
        *last = expected;
        each(entry);
    }
    Ok(())
}

/// Compares the end of the chain with what was noted about it.
pub(crate) fn check_head(
    connection: &Connection,
    last: u64,
    hash: &Hash,
) -> Result<(), BooksError> {
    let head = connection
        .query_row("SELECT seq, hash FROM head", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })
        .optional()
        .map_err(BooksError::sqlite("read their end"))?;
    let damaged = |seq, what| Err(BooksError::Damaged { seq, what });
    match head {
        Some((seq, noted)) if seq == signed(last) && noted == hash => Ok(()),
        Some((seq, _)) if seq > signed(last) => damaged(last + 1, "it is missing"),
        Some(_) => damaged(last, "the noted end of the chain is another"),
        None => damaged(last, "the noted end of the chain is missing"),
    }
}

pub(crate) fn insert(
    transaction: &Transaction<'_>,
    entry: &Entry,
    before: &Hash,
) -> Result<Hash, BooksError> {
    let failed = || BooksError::sqlite("write an event");
    let event = serde_json::to_string(&entry.event)?;
    let hash = chain::Row {
        seq: entry.seq,
        entered_at: entry.entered_at.0,
        by: &entry.by,
        reason: &entry.reason,
        event: &event,
    }
    .hash(before);
    transaction
        .prepare_cached(
            "INSERT INTO entry (seq, entered_at, by, reason, kind, event, undoes, hash) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                signed(entry.seq),
                entry.entered_at.0,
                entry.by,
                entry.reason,
                entry.event.kind(),
                event,
                undoes(&entry.event).map(signed),
                hash.as_slice(),
            ])
        })
        .map_err(failed())?;
    transaction
        .prepare_cached("UPDATE head SET seq = ?1, hash = ?2")
        .and_then(|mut statement| statement.execute(params![signed(entry.seq), hash.as_slice()]))
        .map_err(failed())?;
    Ok(hash)
}

const fn undoes(event: &Event) -> Option<u64> {
    match event {
        Event::Undone(undone) => Some(undone.seq),
        _ => None,
    }
}

pub(crate) fn stored(row: &rusqlite::Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        seq: row.get(0)?,
        entered_at: row.get(1)?,
        by: row.get(2)?,
        reason: row.get(3)?,
        kind: row.get(4)?,
        event: row.get(5)?,
        undoes: row.get(6)?,
        hash: row.get(7)?,
        undone_by: row.get(8)?,
    })
}

impl Stored {
    fn hash_after(&self, before: &Hash, seq: u64) -> Hash {
        chain::Row {
            seq,
            entered_at: self.entered_at,
            by: &self.by,
            reason: &self.reason,
            event: &self.event,
        }
        .hash(before)
    }

    pub(crate) fn into_entry(self) -> Result<Entry, BooksError> {
        let seq = unsigned(self.seq)?;
        let damaged = |what| BooksError::Damaged { seq, what };
        let event: Event =
            serde_json::from_str(&self.event).map_err(|_| damaged("its event cannot be read"))?;
        if event.kind() != self.kind || undoes(&event).map(signed) != self.undoes {
            return Err(damaged("its columns do not follow from its event"));
        }
        Ok(Entry {
            seq,
            entered_at: UtcMs(self.entered_at),
            by: self.by,
            reason: self.reason,
            event,
            undone_by: self.undone_by.map(unsigned).transpose()?,
        })
    }
}

/// Numbers of entries as SQLite keeps them. Those beyond its range name no entry.
pub(crate) fn signed(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(seq: i64) -> Result<u64, BooksError> {
    u64::try_from(seq).map_err(|_| BooksError::Damaged {
        seq: 0,
        what: "an event has a negative number",
    })
}

pub(crate) fn as_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
