//! The file: what is appended stays, in order, whoever writes beside.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rusqlite::Connection;
use steward_books::{Access, Books, BooksError, Broken, Event, State};
use support::{NOW, append, assert_refused, hand_reading, hour, invoice, undone};

fn writer(dir: &Path) -> Books {
    Books::open(dir, Access::Write).unwrap()
}

#[test]
fn what_is_entered_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let books = writer(dir.path());
    let first = books
        .append(
            " wang ",
            " read on site\n",
            hand_reading(hour(1.0), 0.1 + 0.2),
            NOW,
        )
        .unwrap();
    assert_eq!((first.seq, first.by.as_str()), (1, "wang"));
    assert_eq!(first.reason, "read on site");
    let bill = Event::InvoiceEntered(invoice("1", "2025-01-01", "2025-02-01"));
    append(&books, "li", bill).unwrap();
    append(&books, "li", undone(1)).unwrap();

    let again = writer(dir.path());
    let entries = again.entries(0, 10).unwrap();
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[0].event, first.event);
    assert_eq!(entries[0].undone_by, Some(3));
    assert_eq!(entries[1].undone_by, None);
    assert_eq!(again.entries(1, 1).unwrap(), entries[1..2]);
    assert_eq!(again.entry(2).unwrap().as_ref(), Some(&entries[1]));
    assert_eq!(again.entry(4).unwrap(), None);
    assert_eq!(again.entry(u64::MAX).unwrap(), None);
    assert_eq!(again.last_seq().unwrap(), 3);
    assert_eq!(*again.state().unwrap(), State::of(&entries));
    assert_eq!(again.state().unwrap().seq(), 3);
    assert_eq!(again.head().unwrap(), books.head().unwrap());
    assert_eq!(again.verify().unwrap(), None);
}

#[test]
fn books_that_are_not_there_are_empty_until_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("books");
    let reader = Books::open(&folder, Access::Read).unwrap();
    assert_eq!(reader.last_seq().unwrap(), 0);
    assert_eq!(reader.entries(0, 10).unwrap(), []);
    assert_eq!(reader.entry(1).unwrap(), None);
    assert_eq!(*reader.state().unwrap(), State::default());
    assert_eq!(reader.head().unwrap(), (0, "0".repeat(64)));
    assert_eq!(reader.verify().unwrap(), None);
    assert!(!folder.exists(), "a reader makes nothing");

    append(&writer(&folder), "wang", hand_reading(hour(1.0), 1.0)).unwrap();
    assert_eq!(reader.last_seq().unwrap(), 1);
    assert_eq!(reader.state().unwrap().hand_readings().len(), 1);
    let refused = append(&reader, "wang", hand_reading(hour(2.0), 1.0));
    assert!(matches!(refused, Err(BooksError::ReadOnly)), "{refused:?}");
}

#[test]
fn a_refused_event_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let books = writer(dir.path());
    append(&books, "wang", hand_reading(hour(1.0), 1.0)).unwrap();
    let before = (books.head().unwrap(), books.entries(0, 10).unwrap());
    assert_refused(
        books.append("", " ", hand_reading(hour(1.0), f64::NAN), NOW),
        &[
            ("by", "say who"),
            ("reason", "say why"),
            ("value", "NaN: expected a register from 0 to 9e15"),
            ("at", "event 1 says 1 at this instant"),
        ],
    );
    // The third one is wrong, so the first two do not enter either.
    let events = [1.5, 2.5, -1.0].map(|value| hand_reading(hour(value + 4.0), value));
    assert_refused(
        books.append_all("wang", "three", events.to_vec(), NOW),
        &[("event 3: value", "register from 0")],
    );
    // Each is judged as if those before it stood.
    let events = vec![hand_reading(hour(3.0), 1.0), hand_reading(hour(3.0), 2.0)];
    assert_refused(
        books.append_all("wang", "two", events, NOW),
        &[("event 2: at", "event 2 says 1")],
    );
    assert_eq!(
        before,
        (books.head().unwrap(), books.entries(0, 10).unwrap())
    );
    assert_eq!(books.state().unwrap().seq(), 1);

    let events = vec![hand_reading(hour(3.0), 1.0), hand_reading(hour(4.0), 2.0)];
    let entries = books.append_all("wang", "two", events, NOW).unwrap();
    assert_eq!(
        entries.iter().map(|one| one.seq).collect::<Vec<_>>(),
        [2, 3]
    );
    assert_eq!(books.entries(1, 10).unwrap(), entries);
    assert_eq!(
        *books.state().unwrap(),
        State::of(&books.entries(0, 10).unwrap())
    );
}

#[test]
fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    append(&writer(dir.path()), "wang", hand_reading(hour(1.0), 1.0)).unwrap();
    let raw = Connection::open(dir.path().join("books.db")).unwrap();
    raw.execute_batch("PRAGMA user_version=2").unwrap();
    for access in [Access::Write, Access::Read] {
        let opened = Books::open(dir.path(), access);
        assert!(
            matches!(opened, Err(BooksError::Format { found: 2, known: 1 })),
            "{opened:?}"
        );
    }
}

#[test]
fn threads_with_connections_of_their_own_number_without_holes() {
    let dir = tempfile::tempdir().unwrap();
    // They also race for making the file.
    let mut numbers: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4_u32)
            .map(|thread| {
                let dir = dir.path();
                scope.spawn(move || {
                    let books = writer(dir);
                    let event = |step| hand_reading(hour(f64::from(100 * thread + step)), 1.0);
                    let entries = (0..25).map(|step| append(&books, "wang", event(step)).unwrap());
                    entries.map(|entry| entry.seq).collect::<Vec<_>>()
                })
            })
            .collect();
        let done = threads.into_iter();
        done.flat_map(|thread| thread.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=100).collect::<Vec<u64>>());
    let books = writer(dir.path());
    assert_eq!(books.verify().unwrap(), None);
    assert_eq!(books.state().unwrap().hand_readings().len(), 100);
}

#[test]
fn two_connections_cannot_enter_what_excludes_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (writer(dir.path()), writer(dir.path()));
    assert_eq!(
        (one.state().unwrap().seq(), other.state().unwrap().seq()),
        (0, 0)
    );
    append(&one, "wang", hand_reading(hour(1.0), 1.0)).unwrap();
    // The other one's fold is behind; the transaction catches up before it judges.
    assert_refused(
        append(&other, "li", hand_reading(hour(1.0), 2.0)),
        &[("at", "event 1 says 1")],
    );
    append(&other, "li", undone(1)).unwrap();
    assert_refused(
        append(&one, "wang", undone(1)),
        &[("seq", "event 2 took it back")],
    );
}

/// Runs in processes that other tests start: appends until it is killed or done, and says the
/// number of every event that was entered.
#[test]
#[ignore = "other tests start it in a process of its own"]
fn appends_in_a_process_of_its_own() {
    let dir = std::env::var("BOOKS_TEST_DIR").unwrap();
    let first: u32 = std::env::var("BOOKS_TEST_FIRST").unwrap().parse().unwrap();
    let count: u32 = std::env::var("BOOKS_TEST_COUNT").unwrap().parse().unwrap();
    let books = writer(Path::new(&dir));
    let mut out = std::io::stdout();
    for step in first..first + count {
        let event = hand_reading(hour(f64::from(step) / 60.0), 1.0);
        let entry = append(&books, "wang", event).unwrap();
        writeln!(out, "\nentered {}", entry.seq).unwrap();
        out.flush().unwrap();
    }
}

fn process(dir: &Path, first: u32, count: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "appends_in_a_process_of_its_own",
            "--ignored",
            "--nocapture",
        ])
        .env("BOOKS_TEST_DIR", dir)
        .env("BOOKS_TEST_FIRST", first.to_string())
        .env("BOOKS_TEST_COUNT", count.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The numbers that a process says, as it says them.
fn said(child: &mut Child) -> impl Iterator<Item = u64> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.filter_map(|line| line.unwrap().strip_prefix("entered ")?.parse().ok())
}

#[test]
fn two_processes_number_without_holes() {
    let dir = tempfile::tempdir().unwrap();
    let mut children = [process(dir.path(), 0, 40), process(dir.path(), 1_000, 40)];
    let mut numbers: Vec<u64> = children.iter_mut().flat_map(said).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=80).collect::<Vec<u64>>());
    assert_eq!(writer(dir.path()).verify().unwrap(), None);
}

#[test]
fn a_killed_process_loses_nothing_that_it_was_told_is_entered() {
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for round in 0..4_u32 {
        let mut child = process(dir.path(), round * 10_000, 10_000);
        let mut numbers = said(&mut child);
        for _ in 0..5 + round * 3 {
            last = numbers.next().unwrap();
        }
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
        // What it still said after we looked away.
        last = numbers.last().unwrap_or(last);
        let books = writer(dir.path());
        assert_eq!(books.verify().unwrap(), None);
        let entered = books.last_seq().unwrap();
        // The last one may be entered though nobody was told.
        assert!(
            entered == last || entered == last + 1,
            "{entered}, told {last}"
        );
        last = entered;
    }
}

/// Books with four events, opened with the triggers taken away.
fn tampered(change: &str) -> (tempfile::TempDir, Result<Option<Broken>, BooksError>) {
    let dir = tempfile::tempdir().unwrap();
    let books = writer(dir.path());
    for step in 1..=3 {
        append(&books, "wang", hand_reading(hour(f64::from(step)), 1.0)).unwrap();
    }
    append(&books, "wang", undone(2)).unwrap();
    drop(books);
    let raw = Connection::open(dir.path().join("books.db")).unwrap();
    raw.execute_batch("DROP TRIGGER entry_is_not_changed; DROP TRIGGER entry_is_not_removed;")
        .unwrap();
    raw.execute_batch(change).unwrap();
    drop(raw);
    let verified = writer(dir.path()).verify();
    (dir, verified)
}

#[test]
fn whatever_is_changed_or_lost_is_seen() {
    let changes = [
        (
            "UPDATE entry SET event = replace(event, '1.0', '2.0') WHERE seq = 2",
            2,
        ),
        ("UPDATE entry SET by = 'li' WHERE seq = 1", 1),
        ("UPDATE entry SET reason = 'another' WHERE seq = 3", 3),
        (
            "UPDATE entry SET entered_at = entered_at + 1 WHERE seq = 2",
            2,
        ),
        ("UPDATE entry SET kind = 'readings_voided' WHERE seq = 1", 1),
        ("UPDATE entry SET undoes = 3 WHERE seq = 4", 4),
        ("UPDATE entry SET undoes = NULL WHERE seq = 4", 4),
        ("UPDATE entry SET hash = zeroblob(32) WHERE seq = 2", 2),
        ("UPDATE entry SET hash = x'00' WHERE seq = 2", 2),
        ("DELETE FROM entry WHERE seq = 2", 2),
        ("DELETE FROM entry WHERE seq = 4", 4),
        ("DELETE FROM entry", 1),
        ("DELETE FROM head", 4),
        ("UPDATE head SET hash = zeroblob(32)", 4),
        ("UPDATE head SET seq = 3", 4),
        ("UPDATE head SET seq = 9", 5),
        ("UPDATE entry SET seq = 9 WHERE seq = 4", 4),
        // An event that was put behind by hand.
        (
            "INSERT INTO entry SELECT 5, entered_at, by, reason, kind, event, NULL, hash \
             FROM entry WHERE seq = 3",
            5,
        ),
    ];
    for (change, seq) in changes {
        let (dir, verified) = tampered(change);
        assert_eq!(
            verified.unwrap().map(|broken| broken.seq),
            Some(seq),
            "{change}"
        );
        // Nothing is written behind what is broken.
        let books = writer(dir.path());
        let refused = append(&books, "wang", hand_reading(hour(9.0), 1.0));
        assert!(
            matches!(refused, Err(BooksError::Damaged { .. })),
            "{change}: {refused:?}"
        );
    }
    let (dir, verified) = tampered("SELECT 1");
    assert_eq!(verified.unwrap(), None);
    assert_eq!(writer(dir.path()).state().unwrap().seq(), 4);
}

#[test]
fn damaged_books_have_no_state_and_still_show_what_they_hold() {
    let (dir, _) = tampered("UPDATE entry SET by = 'li' WHERE seq = 3");
    let books = writer(dir.path());
    let state = books.state();
    assert!(
        matches!(state, Err(BooksError::Damaged { seq: 3, .. })),
        "{state:?}"
    );
    assert_eq!(books.entries(0, 10).unwrap().len(), 4);
}

#[test]
fn the_file_itself_refuses_changes() {
    let dir = tempfile::tempdir().unwrap();
    let books = writer(dir.path());
    append(&books, "wang", hand_reading(hour(1.0), 1.0)).unwrap();
    let raw = Connection::open(dir.path().join("books.db")).unwrap();
    for change in ["UPDATE entry SET by = 'li'", "DELETE FROM entry"] {
        let error = raw.execute_batch(change).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    let mode: String = raw
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    assert_eq!(books.verify().unwrap(), None);
}
