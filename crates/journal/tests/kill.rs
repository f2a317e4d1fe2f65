//! `kill -9` of the process that appends: what it acknowledged is there, and no number repeats.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{batch, batches, item, open, read_all};
use rand::{RngExt as _, SeedableRng as _};
use steward_journal::{Entry, JournalReader, Receipt, Stored};

const FOLDER: &str = "STEWARD_TEST_JOURNAL_FOLDER";
const FIRST: &str = "STEWARD_TEST_JOURNAL_FIRST";
const KILLS: usize = 25;
/// Readings in a batch of the child.
const READINGS: u32 = 4;

/// The child: appends until it is killed, and says which batches were acknowledged under which
/// number. Without its folder this test has nothing to do.
#[test]
fn child_appends_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let mut first: u32 = std::env::var(FIRST).unwrap().parse().unwrap();
    let (journal, _writer) = open(Path::new(&folder));
    let mut out = std::io::stdout().lock();
    let mut waiting: VecDeque<(u32, Receipt)> = VecDeque::new();
    loop {
        while waiting.len() < 40 {
            let batch = batch(first, READINGS);
            let entry = if first.is_multiple_of(5) {
                Entry::Mixed {
                    batch: Some(batch),
                    quarantine: vec![item("{")],
                }
            } else {
                Entry::Batch(batch)
            };
            waiting.push_back((first, journal.append_blocking(entry).unwrap()));
            first += READINGS;
        }
        let (number, receipt) = waiting.pop_front().unwrap();
        let seq = receipt.wait_blocking().unwrap();
        writeln!(out, "acknowledged {number} {seq}").unwrap();
    }
}

/// Lets a child append and kills it after about `lines` acknowledgements. Answers what it said.
fn run_and_kill(folder: &Path, first: u32, lines: usize) -> Vec<(u32, u64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "child_appends_until_it_is_killed",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let mut killed = false;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some((_, numbers)) = line.split_once("acknowledged ") else {
            continue;
        };
        // The last line may have been cut by the kill.
        let mut numbers = numbers.split(' ');
        let (Some(number), Some(seq)) = (numbers.next(), numbers.next()) else {
            continue;
        };
        said.push((number.parse().unwrap(), seq.parse().unwrap()));
        if said.len() >= lines && !killed {
            // SIGKILL; the pipe still holds what was said before.
            child.kill().unwrap();
            killed = true;
        }
    }
    child.wait().unwrap();
    assert!(
        killed,
        "the child ended by itself after {} lines",
        said.len()
    );
    said
}

#[test]
fn a_kill_loses_nothing_that_was_acknowledged() {
    let seed: u64 = rand::random();
    println!("SEED {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("journal");
    let mut acknowledged: BTreeMap<u64, u32> = BTreeMap::new();
    let mut first = 0;
    for _ in 0..KILLS {
        let said = run_and_kill(&folder, first, random.random_range(1..400));
        for (number, seq) in said {
            assert_eq!(
                acknowledged.insert(seq, number),
                None,
                "row {seq} was given twice"
            );
        }
        // Beyond all that the child can have begun.
        first += 1_000_000;
    }
    let (journal, writer) = open(&folder);
    let mut reader = JournalReader::open(&folder).unwrap();
    let stored = read_all(&mut reader, 0);
    let mut values = BTreeSet::new();
    for (expected_seq, entry) in (1..).zip(&stored) {
        let Stored::Batch(row) = entry else {
            panic!("{entry:?}")
        };
        assert_eq!(row.seq, expected_seq);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let number = row.batch.readings[0].value.get() as u32;
        assert_eq!(row.batch, batch(number, READINGS));
        assert!(values.insert(number), "batch {number} is there twice");
        if let Some(told) = acknowledged.remove(&row.seq) {
            assert_eq!(told, number, "row {} holds something else", row.seq);
        }
    }
    assert_eq!(acknowledged, BTreeMap::new(), "acknowledged and not there");
    let counts = reader.counts().unwrap();
    assert_eq!(
        counts.readings,
        batches(&stored).len() as u64 * u64::from(READINGS)
    );
    assert_eq!(counts.quarantined_open, counts.items);
    assert_eq!(journal.health().received_total, counts.received);
    writer.stop();
}
