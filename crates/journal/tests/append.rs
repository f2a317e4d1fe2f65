//! Appending, receipts, reading beside the writer.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{batch, batches, item, open, options, put, read_all};
use steward_journal::{
    AppendError, Entry, Journal, JournalError, JournalReader, QuarantineFilter, Reason, Stored,
};

#[test]
fn what_is_acknowledged_is_read_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("data/journal");
    let (journal, writer) = open(&dir);
    let given = [batch(0, 3), batch(3, 1), batch(4, 10)];
    for (index, batch) in given.iter().enumerate() {
        assert_eq!(put(&journal, Entry::Batch(batch.clone())), index as u64 + 1);
    }
    let mut reader = JournalReader::open(&dir).unwrap();
    let stored = read_all(&mut reader, 0);
    assert_eq!(batches(&stored), given);
    let firsts: Vec<u64> = stored
        .iter()
        .map(|entry| match entry {
            Stored::Batch(batch) => batch.first_reading,
            Stored::Gap(gap) => panic!("{gap:?}"),
        })
        .collect();
    assert_eq!(firsts, [1, 4, 5]);
    assert_eq!(reader.readings_through(2).unwrap(), 4);
    assert_eq!(journal.health().received_total, 14);
    writer.stop();

    // Numbers go on where they were, and everything is still there.
    let (journal, writer) = open(&dir);
    assert_eq!(put(&journal, Entry::Batch(batch(14, 2))), 4);
    assert_eq!(read_all(&mut reader, 3).len(), 1);
    assert_eq!(
        JournalReader::open(&dir)
            .unwrap()
            .counts()
            .unwrap()
            .received,
        16
    );
    drop(journal);
    writer.join();
}

#[test]
fn a_batch_and_what_was_set_aside_with_it_come_together() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = open(dir.path());
    let mixed = Entry::Mixed {
        batch: Some(batch(0, 2)),
        quarantine: vec![item("{a"), item("{b")],
    };
    assert_eq!(put(&journal, mixed), 1);
    assert_eq!(put(&journal, Entry::Quarantine(item("{c"))), 1);
    // Without readings there is nothing to write, and nothing to count.
    assert_eq!(put(&journal, Entry::Batch(batch(9, 0))), 1);
    let mut reader = JournalReader::open(dir.path()).unwrap();
    let counts = reader.counts().unwrap();
    assert_eq!((counts.received, counts.readings, counts.items), (5, 2, 3));
    assert_eq!(counts.quarantined_open, 3);
    let rows = reader.quarantine(&QuarantineFilter::default()).unwrap();
    let payloads: Vec<_> = rows.iter().map(|row| row.item.payload.clone()).collect();
    assert_eq!(payloads, [b"{a", b"{b", b"{c"]);
    assert!(
        rows.iter()
            .all(|row| row.intact
                && row.item == item(std::str::from_utf8(&row.item.payload).unwrap()))
    );
    let filtered = |filter| reader.quarantine(&filter).unwrap().len();
    let mut filtered = filtered;
    let other = QuarantineFilter {
        reason: Some(Reason::Future),
        ..Default::default()
    };
    assert_eq!(filtered(other), 0);
    let same = QuarantineFilter {
        reason: Some(Reason::NotJson),
        gateway: Some(item("").gateway),
        source: Some("meter-9".to_owned()),
        after_id: 1,
        ..Default::default()
    };
    assert_eq!(filtered(same), 2);
    assert!(journal.samples().iter().any(|sample| {
        sample.labels == [("reason", "not_json".to_owned())] && sample.value == 3.0
    }));
    writer.stop();
}

#[test]
fn a_replay_marks_the_item_and_appends_in_one_go() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = open(dir.path());
    put(&journal, Entry::Batch(batch(0, 4)));
    put(&journal, Entry::Quarantine(item("21.5")));
    put(&journal, Entry::Quarantine(item("lost cause")));
    let mut other_process = JournalReader::open(dir.path()).unwrap();
    assert_eq!(
        other_process.replay(1, Entry::Batch(batch(4, 1))).unwrap(),
        2
    );
    // The writer goes on above what another process appended.
    assert_eq!(put(&journal, Entry::Batch(batch(5, 1))), 3);
    assert!(matches!(
        other_process.replay(1, Entry::Batch(batch(6, 1))),
        Err(JournalError::NotReplayable { id: 1, .. })
    ));
    assert!(matches!(
        other_process.replay(7, Entry::Batch(batch(6, 1))),
        Err(JournalError::NoSuchItem(7))
    ));
    other_process.discard(2).unwrap();
    let counts = other_process.counts().unwrap();
    assert_eq!((counts.readings, counts.items), (6, 2));
    assert_eq!(
        (counts.quarantined_open, counts.replayed, counts.discarded),
        (0, 1, 1)
    );
    let closed = QuarantineFilter {
        closed_too: true,
        ..Default::default()
    };
    let rows = other_process.quarantine(&closed).unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows[1].item.payload.is_empty() && rows[1].intact);
    assert!(
        other_process
            .quarantine(&QuarantineFilter::default())
            .unwrap()
            .is_empty()
    );
    assert_eq!(batches(&read_all(&mut other_process, 0)).len(), 3);
    writer.stop();
}

#[test]
fn a_reader_follows_the_writer() {
    const BATCHES: u32 = 3_000;
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = open(dir.path());
    let mut reader = JournalReader::open(dir.path()).unwrap();
    let follow = std::thread::spawn(move || {
        let (mut seq, mut next) = (0, 0_u32);
        while next < BATCHES * 2 {
            assert!(reader.wait_for_more(seq, Duration::from_secs(60)).unwrap());
            for stored in reader.read_after(seq, 100).unwrap() {
                assert_eq!(stored.seq(), seq + 1);
                let Stored::Batch(found) = stored else {
                    panic!("{stored:?}")
                };
                assert_eq!(found.batch, batch(next, 2));
                seq = found.seq;
                next += 2;
            }
            reader.move_cursor("aggregator", seq).unwrap();
        }
        assert_eq!(
            reader.cursor("aggregator").unwrap(),
            Some(u64::from(BATCHES))
        );
        assert!(!reader.wait_for_more(seq, Duration::ZERO).unwrap());
    });
    let receipts: Vec<_> = (0..BATCHES)
        .map(|number| {
            journal
                .append_blocking(Entry::Batch(batch(number * 2, 2)))
                .unwrap()
        })
        .collect();
    for (number, receipt) in receipts.into_iter().enumerate() {
        assert_eq!(receipt.wait_blocking(), Ok(number as u64 + 1));
    }
    follow.join().unwrap();
    let metric = |name: &str| {
        let samples = journal.samples();
        samples
            .iter()
            .find(|sample| sample.metric.name == name)
            .unwrap()
            .value
    };
    // Groups were formed: far fewer syncs than entries.
    assert!(metric("steward_journal_commits_total") * 10.0 < f64::from(BATCHES));
    assert_eq!(metric("steward_journal_entries_total"), f64::from(BATCHES));
    writer.stop();
}

#[test]
fn stopping_commits_what_was_accepted_and_refuses_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = open(dir.path());
    let receipts: Vec<_> = (0..500)
        .map(|number| {
            journal
                .append_blocking(Entry::Batch(batch(number, 1)))
                .unwrap()
        })
        .collect();
    writer.stop();
    for receipt in receipts {
        receipt.wait_blocking().unwrap();
    }
    let refused = journal.append_blocking(Entry::Batch(batch(500, 1)));
    assert_eq!(refused.unwrap_err(), AppendError::Closed);
    let mut reader = JournalReader::open(dir.path()).unwrap();
    assert_eq!(batches(&read_all(&mut reader, 0)).len(), 500);
    assert_eq!(
        std::fs::metadata(dir.path().join("journal.db-wal")).map_or(0, |f| f.len()),
        0
    );
}

#[tokio::test]
async fn receipts_are_futures() {
    let dir = tempfile::tempdir().unwrap();
    let options = steward_journal::JournalOptions {
        channel_entries_max: 2,
        ..options()
    };
    let (journal, writer) = Journal::open(dir.path(), options).unwrap();
    // More at once than the channel holds: appending waits for room.
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let journal = journal.clone();
            tokio::spawn(async move {
                journal
                    .append(Entry::Batch(batch(number, 1)))
                    .await
                    .unwrap()
                    .await
            })
        })
        .collect();
    let mut seqs = Vec::new();
    for task in tasks {
        seqs.push(task.await.unwrap().unwrap());
    }
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=50).collect::<Vec<_>>());
    writer.stop();
}

#[test]
fn a_journal_has_one_writer_and_readers_wait_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("journal");
    assert!(matches!(
        JournalReader::open(&dir),
        Err(JournalError::Missing(_))
    ));
    let (journal, writer) = open(&dir);
    assert!(matches!(
        Journal::open(&dir, options()),
        Err(JournalError::InUse(_))
    ));
    drop(journal);
    writer.join();
    let (_, writer) = open(&dir);
    writer.join();
}
