//! The equation of the crate's page, at every step of random histories.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{batch, item, options, put};
use proptest::prelude::*;
use steward_journal::{
    Entry, Journal, JournalError, JournalReader, QuarantineFilter, Stored, WriterThread,
};

#[derive(Clone, Debug)]
enum Step {
    Batch(u32),
    Items(usize),
    Mixed(u32, usize),
    Read(usize),
    Replay(u32),
    Discard,
    /// Damages the row that is so many rows before the end.
    Damage(u64),
    /// Removes it.
    Remove(u64),
    Reopen,
    /// As after a failed disk.
    Salvage,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_u32..9).prop_map(Step::Batch),
        2 => (1_usize..3).prop_map(Step::Items),
        3 => (0_u32..5, 0_usize..3).prop_map(|(readings, items)| Step::Mixed(readings, items)),
        4 => (1_usize..20).prop_map(Step::Read),
        2 => (0_u32..4).prop_map(Step::Replay),
        1 => Just(Step::Discard),
        2 => (0_u64..6).prop_map(Step::Damage),
        1 => (0_u64..6).prop_map(Step::Remove),
        1 => Just(Step::Reopen),
        1 => Just(Step::Salvage),
    ]
}

/// A reader that keeps its own books, as the aggregator does.
#[derive(Default)]
struct Books {
    cursor: u64,
    stored: u64,
    damaged: u64,
    /// Entries given, by the test's own count.
    given: u64,
}

fn check(reader: &mut JournalReader, books: &Books) {
    let counts = reader.counts().unwrap();
    let through = reader.readings_through(books.cursor).unwrap();
    assert_eq!(
        through,
        books.stored + books.damaged,
        "what the reader passed"
    );
    let queued = counts.readings - through;
    let set_aside =
        counts.quarantined_open + counts.replayed + counts.discarded + counts.items_lost;
    assert_eq!(
        counts.received,
        books.stored + books.damaged + queued + set_aside
    );
    assert_eq!(counts.received, books.given);
}

fn first_open(reader: &mut JournalReader) -> Option<u64> {
    let filter = QuarantineFilter {
        limit: 1,
        ..Default::default()
    };
    reader
        .quarantine(&filter)
        .unwrap()
        .first()
        .map(|row| row.id)
}

/// Reads a page. False where the journal has to be salvaged first.
fn read(reader: &mut JournalReader, books: &mut Books, readings_max: usize) -> bool {
    let page = match reader.read_after(books.cursor, readings_max) {
        Ok(page) => page,
        Err(JournalError::Damaged) => return false,
        Err(error) => panic!("{error}"),
    };
    for entry in page {
        books.cursor = entry.seq();
        match entry {
            Stored::Batch(batch) => books.stored += batch.batch.readings.len() as u64,
            Stored::Gap(gap) => books.damaged += gap.readings,
        }
    }
    true
}

/// Runs one statement on the row that is `back` rows before the end and not yet passed: rows that
/// were passed are safe in the store.
fn tamper(dir: &std::path::Path, books: &Books, back: u64, sql: &str) {
    let connection = rusqlite::Connection::open(dir.join("journal.db")).unwrap();
    let last: i64 = connection
        .query_row("SELECT coalesce(max(seq), 0) FROM batch", [], |row| {
            row.get(0)
        })
        .unwrap();
    let row = last - i64::try_from(back).unwrap();
    if row > i64::try_from(books.cursor).unwrap() {
        connection.execute(sql, [row]).unwrap();
    }
}

fn open(dir: &std::path::Path) -> (Journal, WriterThread) {
    Journal::open(dir, options()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn received_is_stored_queued_and_set_aside(steps in proptest::collection::vec(step(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("journal");
        let (mut journal, mut writer) = open(&dir);
        let mut reader = JournalReader::open(&dir).unwrap();
        let mut books = Books::default();
        for step in steps {
            match step {
                Step::Batch(readings) => {
                    put(&journal, Entry::Batch(batch(0, readings)));
                    books.given += u64::from(readings);
                }
                Step::Items(items) => {
                    for _ in 0..items {
                        put(&journal, Entry::Quarantine(item("{")));
                    }
                    books.given += items as u64;
                }
                Step::Mixed(readings, items) => {
                    let entry = Entry::Mixed {
                        batch: Some(batch(0, readings)),
                        quarantine: vec![item("{"); items],
                    };
                    put(&journal, entry);
                    books.given += u64::from(readings) + items as u64;
                }
                Step::Read(readings) => {
                    if !read(&mut reader, &mut books, readings) {
                        writer.stop();
                        drop(journal);
                        (journal, writer) = open(&dir);
                    }
                    reader.move_cursor("aggregator", books.cursor).unwrap();
                }
                Step::Replay(readings) => if let Some(id) = first_open(&mut reader) {
                    reader.replay(id, Entry::Batch(batch(0, readings))).unwrap();
                    books.given += u64::from(readings);
                },
                Step::Discard => if let Some(id) = first_open(&mut reader) {
                    reader.discard(id).unwrap();
                },
                Step::Damage(back) => tamper(
                    &dir, &books, back,
                    "UPDATE batch SET payload = zeroblob(length(payload)) WHERE seq = ?",
                ),
                Step::Remove(back) => {
                    tamper(&dir, &books, back, "DELETE FROM batch WHERE seq = ?");
                }
                Step::Reopen | Step::Salvage => {
                    writer.stop();
                    drop(journal);
                    if matches!(step, Step::Salvage) {
                        std::fs::write(dir.join("broken"), "disk I/O error").unwrap();
                    }
                    (journal, writer) = open(&dir);
                    if matches!(step, Step::Reopen) {
                        reader = JournalReader::open(&dir).unwrap();
                    }
                }
            }
            check(&mut reader, &books);
        }
        // In the end everything is taken over or counted.
        while {
            let before = books.cursor;
            let salvage = !read(&mut reader, &mut books, 7);
            if salvage {
                writer.stop();
                drop(journal);
                (journal, writer) = open(&dir);
            }
            salvage || books.cursor > before
        } {}
        check(&mut reader, &books);
        let counts = reader.counts().unwrap();
        prop_assert_eq!(counts.readings, books.stored + books.damaged);
        prop_assert_eq!(counts.damaged, books.damaged);
        writer.stop();
    }
}
