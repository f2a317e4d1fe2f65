//! Journals that cannot be trusted: what holds is carried over, and the old folder stays.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use common::{ROWS, batch, batches, find, item, journal, missing, open, put, read_all};
use steward_journal::{AppendError, Entry, JournalError, JournalReader};

#[test]
fn a_missing_or_ruined_database_costs_its_rows_and_nothing_else() {
    type Ruin = fn(&Path);
    let ruins: [(&str, Ruin); 3] = [
        ("missing", |path| std::fs::remove_file(path).unwrap()),
        ("empty", |path| std::fs::write(path, b"").unwrap()),
        ("foreign", |path| {
            std::fs::write(path, vec![0x55; 16_384]).unwrap()
        }),
    ];
    for (name, ruin) in ruins {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("journal");
        journal(&folder);
        ruin(&folder.join("journal.db"));
        let (journal, writer) = open(&folder);
        assert_eq!(
            put(&journal, Entry::Batch(batch(7, 2))),
            u64::from(ROWS) + 1,
            "{name}"
        );
        let mut reader = JournalReader::open(&folder).unwrap();
        let stored = read_all(&mut reader, 0);
        assert_eq!(missing(&stored), u64::from(ROWS) * 3, "{name}");
        assert_eq!(batches(&stored), [batch(7, 2)], "{name}");
        writer.stop();
    }
}

#[test]
fn broken_pages_cost_the_rows_on_them() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("journal");
    journal(&folder);
    let path = folder.join("journal.db");
    let clean = std::fs::read(&path).unwrap();
    let one = batch(200 * 3, 3);
    let payload = steward_journal::encode(one.received_at, &one.readings);
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    for place in find(&clean, &payload) {
        let page = place / 4_096;
        file.write_all_at(&[0xff; 4_096], page as u64 * 4_096)
            .unwrap();
    }
    let (journal, writer) = open(&folder);
    let mut reader = JournalReader::open(&folder).unwrap();
    // Nothing is skipped while a salvage can bring it back.
    assert!(matches!(
        reader.read_after(0, usize::MAX),
        Err(JournalError::Damaged)
    ));
    // The writer sees within its round that a salvage is asked for, and ends.
    writer.join();
    drop(journal);
    let (journal, writer) = open(&folder);
    let stored = read_all(&mut reader, 0);
    let gone = missing(&stored);
    assert!((3..=300).contains(&gone), "{gone} readings");
    assert_eq!(
        batches(&stored).len() as u64 * 3 + gone,
        u64::from(ROWS) * 3
    );
    assert_eq!(
        put(&journal, Entry::Batch(batch(7, 2))),
        u64::from(ROWS) + 1
    );
    assert!(dir.path().join("journal.broken-1/journal.db").exists());
    writer.stop();
}

#[test]
fn without_its_tree_every_row_is_found_in_the_pages() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("journal");
    journal(&folder);
    // Header, schema and the first bytes of the first page: SQLite sees no database here.
    let file = OpenOptions::new()
        .write(true)
        .open(folder.join("journal.db"))
        .unwrap();
    file.write_all_at(&[0; 4_096], 0).unwrap();
    let (_, writer) = open(&folder);
    let stored = read_all(&mut JournalReader::open(&folder).unwrap(), 0);
    assert_eq!(missing(&stored), 0);
    assert_eq!(batches(&stored).len(), ROWS as usize);
    writer.join();
}

#[test]
fn after_a_failed_disk_everything_good_is_carried_over() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("journal");
    let (journal, writer) = open(&folder);
    for row in 0..50 {
        let entry = Entry::Mixed {
            batch: Some(batch(row, 1)),
            quarantine: vec![item("{")],
        };
        put(&journal, entry);
    }
    let mut reader = JournalReader::open(&folder).unwrap();
    reader.replay(3, Entry::Batch(batch(50, 1))).unwrap();
    reader.discard(4).unwrap();
    reader.move_cursor("aggregator", 7).unwrap();
    let before = read_all(&mut reader, 0);
    let counts = reader.counts().unwrap();
    let items = steward_journal::QuarantineFilter {
        closed_too: true,
        ..Default::default()
    };
    let rows = reader.quarantine(&items).unwrap();
    writer.stop();
    drop(journal);
    std::fs::write(folder.join("broken"), "disk I/O error").unwrap();

    let (journal, writer) = open(&folder);
    // The reader that was open follows to the new file.
    assert_eq!(read_all(&mut reader, 0), before);
    assert_eq!(reader.counts().unwrap(), counts);
    assert_eq!(reader.quarantine(&items).unwrap(), rows);
    assert_eq!(reader.cursor("aggregator").unwrap(), Some(7));
    assert!(!folder.join("broken").exists());
    assert_eq!(put(&journal, Entry::Batch(batch(51, 1))), 52);
    writer.stop();
}

#[test]
fn a_failed_disk_stops_the_writer_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("journal");
    journal(&folder);
    let (journal, writer) = open(&folder);
    let mut reader = JournalReader::open(&folder).unwrap();
    reader.move_cursor("aggregator", 1).unwrap();
    let path = folder.join("journal.db");
    let length = std::fs::metadata(&path).unwrap().len();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&vec![0x55; usize::try_from(length).unwrap()], 0)
        .unwrap();
    // The reader's commit makes the writer read its pages again.
    reader.move_cursor("aggregator", 2).unwrap();
    let outcome = journal
        .append_blocking(Entry::Batch(batch(0, 1)))
        .unwrap()
        .wait_blocking();
    assert_eq!(outcome, Err(AppendError::Broken));
    writer.join();
    let refused = journal.append_blocking(Entry::Batch(batch(1, 1)));
    assert_eq!(refused.unwrap_err(), AppendError::Broken);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    assert!(!runtime.block_on(journal.broken()).is_empty());
    assert!(folder.join("broken").exists());
    drop(journal);

    let (journal, writer) = open(&folder);
    assert!(put(&journal, Entry::Batch(batch(2, 1))) > u64::from(ROWS));
    let mut reader = JournalReader::open(&folder).unwrap();
    let stored = read_all(&mut reader, 0);
    assert_eq!(missing(&stored) + 1, reader.counts().unwrap().readings);
    writer.stop();
}

#[test]
fn a_salvage_that_was_interrupted_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("journal");
    journal(&folder);
    // Ended between the two renames: the old folder is away, the new one not yet in place.
    std::fs::rename(&folder, dir.path().join("journal.salvaged")).unwrap();
    std::fs::create_dir(dir.path().join("journal.broken-1")).unwrap();
    // And one that was ended while it copied is begun anew.
    std::fs::create_dir(dir.path().join("journal.salvaging")).unwrap();
    let (journal, writer) = open(&folder);
    assert_eq!(
        put(&journal, Entry::Batch(batch(0, 1))),
        u64::from(ROWS) + 1
    );
    let stored = read_all(&mut JournalReader::open(&folder).unwrap(), 0);
    assert_eq!(missing(&stored), 0);
    writer.stop();
}
