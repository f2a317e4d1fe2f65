//! Journal-sized commits into a new working store, and a long series out of it again.
//!
//! `cargo run --release -p steward-store --example load [readings] [--publish]`
//!
//! 600 series, a reading a minute, in commits of 20,000; then a tenth of it late, shuffled and
//! doubled; then one series of 2.3 million readings, read as a whole.

use std::error::Error;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use steward_model::{MeterId, Quantity, Reading, ReadingQuality, UtcMs, Value};
use steward_store::{ReadingsCommit, StoreOptions, WorkingStore, store_dir};

const SERIES: usize = 600;
const COMMIT: usize = 20_000;
const START_MS: i64 = 1_790_000_000_000;
const LONG: i64 = 2_300_000;

fn now() -> UtcMs {
    UtcMs(START_MS)
}

fn main() -> Result<(), Box<dyn Error>> {
    let total: usize = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(2_000_000);
    let publish = std::env::args().any(|argument| argument == "--publish");
    let folder = tempfile::tempdir()?;
    let dir = store_dir(folder.path());
    let options = StoreOptions {
        publish,
        outbox_bytes_max: 64 << 20,
        clock: now,
        ledger_gauges: Vec::new(),
    };
    let mut store = WorkingStore::open(&dir, options)?;
    let meters = (0..SERIES / 2)
        .map(|number| MeterId::new(format!("meter-{number}")))
        .collect::<Result<Vec<_>, _>>()?;
    let minutes = i64::try_from(total / SERIES)?;
    let reading = |series: usize, minute: i64| -> Result<Reading, Box<dyn Error>> {
        let quantity = [Quantity::EnergyImport, Quantity::Frequency][series % 2];
        let (rise, phase) = (minute as f64 * 37.5, series as f64 * 0.1);
        Ok(Reading {
            meter: meters[series / 2].clone(),
            quantity,
            at: UtcMs(START_MS + minute * 60_000 + i64::try_from(series)?),
            value: Value::new(rise + phase)?,
            quality: ReadingQuality::Good,
        })
    };

    let mut in_order = Vec::with_capacity(total);
    for minute in 0..minutes {
        for series in 0..SERIES {
            in_order.push(reading(series, minute)?);
        }
    }
    let mut cursor = 0;
    commit_all(&mut store, &in_order, &mut cursor, "in order")?;

    let mut random = StdRng::seed_from_u64(7);
    let mut late = Vec::new();
    for _ in 0..total / 20 {
        let minute = random.random_range(-20_000..0);
        late.push(reading(random.random_range(0..SERIES), minute)?);
    }
    late.extend_from_slice(&in_order[..total / 20]);
    late.shuffle(&mut random);
    commit_all(
        &mut store,
        &late,
        &mut cursor,
        "late, shuffled, half of it copies",
    )?;

    let long = MeterId::new("long")?;
    let mut series = Vec::with_capacity(usize::try_from(LONG)?);
    for second in 0..LONG {
        series.push(Reading {
            meter: long.clone(),
            quantity: Quantity::EnergyImport,
            at: UtcMs(START_MS + second * 1_000),
            value: Value::new(second as f64 * 0.25)?,
            quality: ReadingQuality::Good,
        });
    }
    commit_all(&mut store, &series, &mut cursor, "one series")?;
    let start = Instant::now();
    let read = store.series(
        &long,
        Quantity::EnergyImport,
        UtcMs(i64::MIN),
        UtcMs(i64::MAX),
    )?;
    println!(
        "{} readings of one series read in {:?}",
        read.len(),
        start.elapsed()
    );
    let start = Instant::now();
    let marks = store.dirty(usize::MAX)?;
    println!("{} marks read in {:?}", marks.len(), start.elapsed());
    drop((in_order, late, series, read, marks));
    for name in ["store.db", "store.db-wal"] {
        let bytes = std::fs::metadata(dir.join(name)).map_or(0, |data| data.len());
        println!("{name}: {:.1} MB", bytes as f64 / 1e6);
    }
    println!("{:?}", store.counts()?);
    Ok(())
}

fn commit_all(
    store: &mut WorkingStore,
    readings: &[Reading],
    cursor: &mut u64,
    what: &str,
) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    for some in readings.chunks(COMMIT) {
        *cursor += 1;
        store.commit_readings(ReadingsCommit {
            readings: some,
            quarantine: &[],
            cursor: *cursor,
            accounted: *cursor,
        })?;
    }
    let elapsed = start.elapsed();
    let rate = readings.len() as f64 / elapsed.as_secs_f64();
    println!(
        "{} readings {what}: {elapsed:?}, {rate:.0}/s",
        readings.len()
    );
    Ok(())
}
