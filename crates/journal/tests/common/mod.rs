//! What the tests of the journal share.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    missing_docs,
    unreachable_pub
)]

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use steward_journal::{
    Entry, Journal, JournalOptions, JournalReader, Quarantined, Reason, Stored, WriterThread,
};
use steward_model::{Batch, GatewayId, MeterId, Quantity, Reading, ReadingQuality, UtcMs, Value};

pub const NOON: i64 = 1_790_000_000_000;
pub const DAY: Duration = Duration::from_secs(86_400);

/// Plain options for tests: no ballast.
pub fn options() -> JournalOptions {
    JournalOptions {
        ballast_bytes: 0,
        ..JournalOptions::new(64 << 20, 7 * DAY)
    }
}

pub fn open(dir: &Path) -> (Journal, WriterThread) {
    Journal::open(dir, options()).unwrap()
}

/// A batch whose readings carry `first`, `first + 1`, … as values.
pub fn batch_at(received_at: i64, first: u32, readings: u32) -> Batch {
    Batch {
        received_at: UtcMs(received_at),
        gateway: GatewayId::new("gateway-1").unwrap(),
        gateway_boot: Some(1),
        gateway_seq: first.is_multiple_of(2).then_some(i64::from(first)),
        readings: (first..first + readings)
            .map(|number| Reading {
                meter: MeterId::new(format!("meter-{}", number % 3)).unwrap(),
                quantity: Quantity::EnergyImport,
                at: UtcMs(received_at + i64::from(number)),
                value: Value::new(f64::from(number)).unwrap(),
                quality: ReadingQuality::Good,
            })
            .collect(),
    }
}

pub fn batch(first: u32, readings: u32) -> Batch {
    batch_at(NOON, first, readings)
}

pub fn item(text: &str) -> Quarantined {
    Quarantined {
        received_at: UtcMs(NOON),
        gateway: GatewayId::new("gateway-1").unwrap(),
        source: "site/meter-9".to_owned(),
        reason: Reason::NotJson,
        detail: "expected value at line 1".to_owned(),
        payload: text.as_bytes().to_vec(),
    }
}

/// Appends and waits.
pub fn put(journal: &Journal, entry: Entry) -> u64 {
    journal
        .append_blocking(entry)
        .unwrap()
        .wait_blocking()
        .unwrap()
}

/// Everything after `seq`.
pub fn read_all(reader: &mut JournalReader, mut seq: u64) -> Vec<Stored> {
    let mut all = Vec::new();
    loop {
        let page = reader.read_after(seq, 500).unwrap();
        let Some(last) = page.last() else { return all };
        seq = last.seq();
        all.extend(page);
    }
}

/// The batches among `stored`.
pub fn batches(stored: &[Stored]) -> Vec<Batch> {
    stored
        .iter()
        .filter_map(|entry| match entry {
            Stored::Batch(stored) => Some(stored.batch.clone()),
            Stored::Gap(_) => None,
        })
        .collect()
}

/// The missing readings among `stored`.
pub fn missing(stored: &[Stored]) -> u64 {
    stored
        .iter()
        .filter(|entry| matches!(entry, Stored::Gap(_)))
        .map(Stored::readings)
        .sum()
}

/// Copies a folder's files, as a crash at this moment would leave them.
pub fn crash_image(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        // The index in shared memory does not survive; SQLite makes it anew.
        if name != "journal.db-shm" {
            std::fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}

pub const ROWS: u32 = 400;

/// A stopped journal of 400 rows of three readings.
pub fn journal(dir: &Path) {
    let (journal, writer) = open(dir);
    let receipts: Vec<_> = (0..ROWS)
        .map(|row| {
            journal
                .append_blocking(Entry::Batch(batch(row * 3, 3)))
                .unwrap()
        })
        .collect();
    for receipt in receipts {
        receipt.wait_blocking().unwrap();
    }
    writer.stop();
}

/// Every place of some bytes: a page also holds left-overs of what was moved.
pub fn find(haystack: &[u8], needle: &[u8]) -> Vec<usize> {
    let windows = haystack.windows(needle.len()).enumerate();
    let places: Vec<usize> = windows
        .filter(|(_, window)| *window == needle)
        .map(|(place, _)| place)
        .collect();
    assert!(!places.is_empty());
    places
}

/// Flips one bit of a file.
pub fn flip(path: &Path, byte: usize, bit: u32) {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut one = [0];
    file.read_exact_at(&mut one, byte as u64).unwrap();
    file.write_all_at(&[one[0] ^ (1 << bit)], byte as u64)
        .unwrap();
}
