//! Damage costs what it touches, is counted to the reading, and never hides what follows.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs::OpenOptions;
use std::path::Path;

use common::{
    ROWS, batch, batches, crash_image, find, flip, item, journal, missing, open, put, read_all,
};
use rand::{RngExt as _, SeedableRng as _};
use steward_journal::{
    AppendError, Entry, GapCause, Journal, JournalError, JournalReader, Stored, WriterThread,
};

#[test]
fn a_flip_in_a_record_costs_that_record_only() {
    let seed: u64 = rand::random();
    println!("SEED {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path());
    let path = dir.path().join("journal.db");
    let clean = std::fs::read(&path).unwrap();
    for _ in 0..200 {
        std::fs::write(&path, &clean).unwrap();
        // Any bit of the payload of some row, found in the file by its bytes.
        let row = random.random_range(0..ROWS);
        let batch_hit = batch(row * 3, 3);
        let payload = steward_journal::encode(batch_hit.received_at, &batch_hit.readings);
        let (byte, bit) = (
            random.random_range(0..payload.len()),
            random.random_range(0..8),
        );
        for place in find(&clean, &payload) {
            flip(&path, place + byte, bit);
        }
        let mut reader = JournalReader::open(dir.path()).unwrap();
        let stored = read_all(&mut reader, 0);
        assert_eq!(stored.len(), ROWS as usize);
        for (index, entry) in stored.iter().enumerate() {
            match entry {
                Stored::Batch(found) => {
                    assert_ne!(index, row as usize);
                    assert_eq!(found.batch, batch(u32::try_from(index).unwrap() * 3, 3));
                }
                Stored::Gap(gap) => {
                    assert_eq!(gap.seq, u64::from(row) + 1);
                    assert_eq!(gap.first_reading, u64::from(row) * 3 + 1);
                    assert_eq!((gap.readings, gap.cause), (3, GapCause::Damaged));
                }
            }
        }
        assert_eq!(missing(&stored), 3);
        // Read once more: counted once.
        read_all(&mut reader, 0);
        assert_eq!(reader.counts().unwrap().damaged, 3);
    }
}

/// Reads everything, with the restarts that a service manager would make: a reader that meets a
/// broken structure asks for a salvage, which the writer's next start does.
fn read_with_restarts(
    folder: &Path,
    journal: &mut Option<(Journal, WriterThread)>,
) -> (Vec<Stored>, bool) {
    let mut salvaged = false;
    loop {
        let mut reader = JournalReader::open(folder).unwrap();
        let mut all = Vec::new();
        let mut seq = 0;
        let damaged = loop {
            match reader.read_after(seq, 500) {
                Ok(page) if page.is_empty() => break false,
                Ok(page) => {
                    seq = page.last().map_or(seq, Stored::seq);
                    all.extend(page);
                }
                Err(JournalError::Damaged) => break true,
                Err(error) => panic!("{error}"),
            }
        };
        if !damaged {
            return (all, salvaged);
        }
        assert!(!salvaged, "a salvaged journal is whole");
        salvaged = true;
        let (handle, writer) = journal.take().unwrap();
        drop(handle);
        writer.join();
        *journal = Some(open(folder));
    }
}

#[test]
fn any_flip_anywhere_costs_at_most_a_page_and_adds_up() {
    let seed: u64 = rand::random();
    println!("SEED {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let origin = dir.path().join("origin");
    journal(&origin);
    let mut salvages = 0;
    for round in 0..300 {
        let copy = dir.path().join(format!("copy-{round}"));
        crash_image(&origin, &copy);
        let path = copy.join("journal.db");
        let length = usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap();
        // Every third flip goes where it hurts: header, schema, and the heads of pages.
        let byte = match round % 3 {
            0 => random.random_range(0..4_096),
            1 => random.random_range(0..length / 4_096) * 4_096 + random.random_range(0..64),
            _ => random.random_range(0..length),
        };
        let bit = random.random_range(0..8);
        flip(&path, byte, bit);
        let mut running = Some(open(&copy));
        let (stored, salvaged) = read_with_restarts(&copy, &mut running);
        salvages +=
            u32::from(salvaged || dir.path().join(format!("copy-{round}.broken-1")).exists());
        let hit = format!("round {round}: byte {byte} bit {bit}");
        let good: u64 = batches(&stored)
            .iter()
            .map(|batch| batch.readings.len() as u64)
            .sum();
        assert_eq!(good + missing(&stored), u64::from(ROWS) * 3, "{hit}");
        assert!(
            missing(&stored) <= 150,
            "{hit}: {} readings lost",
            missing(&stored)
        );
        for entry in &stored {
            if let Stored::Batch(found) = entry {
                let first = u32::try_from(found.seq - 1).unwrap() * 3;
                assert_eq!(found.batch, batch(first, 3), "{hit}");
            }
        }
        let (journal, writer) = running.unwrap();
        match journal
            .append_blocking(Entry::Batch(batch(9_000, 2)))
            .unwrap()
            .wait_blocking()
        {
            Ok(seq) => {
                assert!(seq > u64::from(ROWS), "{hit}: number {seq} came back");
                writer.stop();
            }
            Err(AppendError::Broken) => {
                drop(journal);
                writer.join();
                let (journal, writer) = open(&copy);
                assert!(
                    put(&journal, Entry::Batch(batch(9_000, 2))) > u64::from(ROWS),
                    "{hit}"
                );
                writer.stop();
            }
            Err(error) => panic!("{hit}: {error}"),
        }
        std::fs::remove_dir_all(&copy).unwrap();
    }
    println!("{salvages} salvages in 300 rounds");
    assert!(salvages > 0);
}

#[test]
fn a_lost_tail_of_the_log_is_announced_and_its_numbers_do_not_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let live = dir.path().join("live");
    let (journal, writer) = open(&live);
    for row in 0..20 {
        let entry = Entry::Mixed {
            batch: Some(batch(row * 3, 3)),
            quarantine: vec![item("{")],
        };
        assert_eq!(put(&journal, entry), u64::from(row) + 1);
    }
    // Cut the log at every frame and some bytes beside it: an image of what a flip leaves, too.
    let wal = std::fs::metadata(live.join("journal.db-wal"))
        .unwrap()
        .len();
    let mut lost_at_some_cut = 0;
    for cut in (0..wal).step_by(4_120 * 7 + 11) {
        let copy = dir.path().join(format!("cut-{cut}"));
        crash_image(&live, &copy);
        let file = OpenOptions::new()
            .write(true)
            .open(copy.join("journal.db-wal"))
            .unwrap();
        file.set_len(cut).unwrap();
        let (journal, writer) = open(&copy);
        let lost = journal
            .samples()
            .iter()
            .find(|sample| sample.metric.name == "steward_journal_lost")
            .unwrap()
            .value;
        let mut reader = JournalReader::open(&copy).unwrap();
        // Counted at once, before anything new comes.
        let stored = read_all(&mut reader, 0);
        let counts = reader.counts().unwrap();
        assert_eq!((counts.readings, counts.items), (60, 20));
        assert_eq!(stored.iter().map(Stored::readings).sum::<u64>(), 60);
        assert_eq!(missing(&stored), counts.damaged);
        #[expect(clippy::cast_precision_loss)]
        let told = (counts.damaged + counts.items_lost) as f64;
        assert_eq!(lost, told);
        assert_eq!(counts.quarantined_open + counts.items_lost, 20);
        lost_at_some_cut += counts.damaged;
        // A reader whose cursor stood at the end misses nothing that comes now.
        assert_eq!(put(&journal, Entry::Batch(batch(100, 1))), 21);
        let after = read_all(&mut reader, 20);
        assert_eq!(batches(&after), [batch(100, 1)]);
        assert_eq!(missing(&after), 0);
        writer.stop();
    }
    assert!(lost_at_some_cut > 0);
    writer.stop();
}

#[test]
fn a_cursor_beyond_the_journal_pushes_its_numbers_up() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = open(dir.path());
    put(&journal, Entry::Batch(batch(0, 1)));
    let mut reader = JournalReader::open(dir.path()).unwrap();
    reader.move_cursor("aggregator", 150).unwrap();
    assert_eq!(put(&journal, Entry::Batch(batch(1, 1))), 151);
    let stored = read_all(&mut reader, 150);
    assert_eq!(batches(&stored), [batch(1, 1)]);
    assert_eq!(missing(&stored), 0);
    writer.stop();
}
