//! The bound: full, and full no longer; what is reclaimed and what never is.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::path::Path;
use std::time::Duration;

use common::{DAY, NOON, batch, batch_at, batches, item, missing, options, put, read_all};
use steward_journal::{
    AppendError, Entry, GapCause, Journal, JournalOptions, JournalReader, Stored, WriterThread,
};

const DAY_MS: i64 = 86_400_000;

fn open_tiny(dir: &Path) -> (Journal, WriterThread) {
    let options = JournalOptions {
        bytes_max: 256 << 10,
        ..options()
    };
    Journal::open(dir, options).unwrap()
}

fn try_put(journal: &Journal, first: u32) -> Result<u64, AppendError> {
    journal
        .append_blocking(Entry::Batch(batch(first, 20)))
        .unwrap()
        .wait_blocking()
}

/// Appends until there is no room. Answers how many batches went in.
fn fill(journal: &Journal, first: &mut u32) -> u64 {
    let mut count = 0;
    loop {
        match try_put(journal, *first) {
            Ok(_) => {
                *first += 20;
                count += 1;
            }
            Err(AppendError::Full) => return count,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_full_journal_stops_acknowledging_and_goes_on_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = open_tiny(dir.path());
    let mut reader = JournalReader::open(dir.path()).unwrap();
    reader.move_cursor("aggregator", 0).unwrap();
    let (mut first, mut next, mut seq) = (0, 0, 0);
    for cycle in 0..10 {
        let count = fill(&journal, &mut first);
        assert!(count > 50, "cycle {cycle}: {count}");
        let health = journal.health();
        assert!(health.full);
        assert!(health.used_bytes <= health.bytes_max);
        // Nothing that was acknowledged and not passed has gone, and what was refused is not there.
        for batch_found in batches(&read_all(&mut reader, seq)) {
            assert_eq!(batch_found, batch(next, 20));
            next += 20;
        }
        assert_eq!(next, first);
        seq = reader.counts().unwrap().last_seq;
        reader.move_cursor("aggregator", seq).unwrap();
        assert_eq!(try_put(&journal, first), Ok(seq + 1));
        first += 20;
        assert!(!journal.health().full);
    }
    writer.stop();
}

#[test]
fn the_state_ends_even_when_nobody_appends() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = open_tiny(dir.path());
    fill(&journal, &mut 0);
    assert!(journal.health().full);
    let mut reader = JournalReader::open(dir.path()).unwrap();
    let last = reader.counts().unwrap().last_seq;
    reader.move_cursor("aggregator", last).unwrap();
    // The writer looks after itself once a second; the test's own limit ends a failure.
    while journal.health().full {
        std::thread::yield_now();
    }
    assert!(journal.health().used_bytes < 256 << 10);
    writer.stop();
}

#[test]
fn quarantine_counts_against_the_bound() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = open_tiny(dir.path());
    let large = "x".repeat(60 << 10);
    let outcomes: Vec<_> = (0..6)
        .map(|_| {
            let entry = Entry::Quarantine(item(&large));
            journal.append_blocking(entry).unwrap().wait_blocking()
        })
        .collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
    assert_eq!(outcomes.last(), Some(&Err(AppendError::Full)));
    // Only a person empties it.
    let mut reader = JournalReader::open(dir.path()).unwrap();
    reader.discard(1).unwrap();
    put(&journal, Entry::Quarantine(item(&large)));
    writer.stop();
}

#[test]
fn without_a_reader_nothing_is_reclaimed() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = open_tiny(dir.path());
    for day in 0..40 {
        put(&journal, Entry::Batch(batch_at(NOON + day * DAY_MS, 0, 5)));
    }
    fill(&journal, &mut 0);
    let mut reader = JournalReader::open(dir.path()).unwrap();
    assert_eq!(missing(&read_all(&mut reader, 0)), 0);
    assert_eq!(reader.counts().unwrap().reclaimed_seq, 0);
    writer.stop();
}

#[test]
fn rows_go_when_every_reader_passed_them_and_they_are_old() {
    let dir = tempfile::tempdir().unwrap();
    let options = JournalOptions {
        replay_window: 3 * DAY,
        ..options()
    };
    let (journal, writer) = Journal::open(dir.path(), options).unwrap();
    for day in 0..30 {
        put(&journal, Entry::Batch(batch_at(NOON + day * DAY_MS, 0, 5)));
    }
    let mut reader = JournalReader::open(dir.path()).unwrap();
    reader.move_cursor("fast", 30).unwrap();
    reader.move_cursor("slow", 10).unwrap();
    put(&journal, Entry::Batch(batch_at(NOON + 30 * DAY_MS, 0, 5)));
    // The slower one decides; the row at its cursor stays, so that it finds its number again.
    assert_eq!(reader.counts().unwrap().reclaimed_seq, 9);
    reader.remove_cursor("slow").unwrap();
    put(&journal, Entry::Batch(batch_at(NOON + 31 * DAY_MS, 0, 5)));
    // Row n was received on day n - 1; the newest then was day 30, so day 27 is kept.
    assert_eq!(reader.counts().unwrap().reclaimed_seq, 27);
    let stored = read_all(&mut reader, 0);
    let Some(Stored::Gap(gap)) = stored.first() else {
        panic!("{stored:?}")
    };
    assert_eq!((gap.seq, gap.first_reading, gap.readings), (27, 1, 27 * 5));
    assert_eq!(gap.cause, GapCause::Reclaimed);
    assert_eq!(batches(&stored).len(), 5);
    // Reclaimed is not damaged.
    assert_eq!(reader.counts().unwrap().damaged, 0);
    assert_eq!(reader.readings_through(27).unwrap(), 135);
    writer.stop();
}

#[test]
fn near_the_bound_the_window_shrinks_and_unsent_rows_stay() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = open_tiny(dir.path());
    let mut reader = JournalReader::open(dir.path()).unwrap();
    let mut seq = 0;
    for number in 0..3_000_u32 {
        put(&journal, Entry::Batch(batch(number * 20, 20)));
        // The reader stays a hundred rows behind. All rows are young: only pressure takes them.
        if number >= 100 && number % 10 == 0 {
            let page = reader.read_after(seq, 200).unwrap();
            assert!(
                page.iter().all(|entry| matches!(entry, Stored::Batch(_))),
                "{page:?}"
            );
            seq = page.last().unwrap().seq();
            reader.move_cursor("aggregator", seq).unwrap();
        }
    }
    let rest = read_all(&mut reader, seq);
    assert_eq!(missing(&rest), 0);
    assert_eq!(rest.last().unwrap().seq(), 3_000);
    let health = journal.health();
    assert!(!health.full && health.used_bytes <= health.bytes_max);
    // The file keeps its size, too.
    let file = std::fs::metadata(dir.path().join("journal.db")).unwrap();
    assert!(file.len() <= 512 << 10, "{}", file.len());
    writer.stop();
}

#[test]
fn a_lowered_bound_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = Journal::open(dir.path(), options()).unwrap();
    let receipts: Vec<_> = (0..2_000)
        .map(|number| {
            journal
                .append_blocking(Entry::Batch(batch(number * 20, 20)))
                .unwrap()
        })
        .collect();
    drop(receipts);
    writer.stop();
    let (journal, writer) = open_tiny(dir.path());
    assert_eq!(try_put(&journal, 0), Err(AppendError::Full));
    let mut reader = JournalReader::open(dir.path()).unwrap();
    assert_eq!(batches(&read_all(&mut reader, 0)).len(), 2_000);
    reader.move_cursor("aggregator", 2_000).unwrap();
    assert_eq!(try_put(&journal, 0), Ok(2_001));
    assert!(reader.wait_for_more(2_000, Duration::ZERO).unwrap());
    writer.stop();
}
