//! Months with cost and carbon out of the stored days.
//!
//! `cargo run --release -p steward-store --example months [points]`
//!
//! A year of 96 priced intervals a day at every point, then the months of all of them by energy,
//! cost, coal and CO2: every interval is read and priced, no stored month is looked at.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use chrono::{Datelike as _, Days, NaiveDate};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use steward_model::{IntervalAmount, IntervalQuality, LedgerDay, PointId, PriceRun, UtcMs};
use steward_store::{LedgerUpdate, StoreOptions, StoredDay, WorkingStore, store_dir};

const DAYS: u64 = 365;
const CHUNK_DAYS: usize = 4_000;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let points: usize = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(300);
    let folder = tempfile::tempdir()?;
    let options = StoreOptions {
        publish: false,
        outbox_bytes_max: 0,
        clock: || UtcMs(0),
        ledger_gauges: Vec::new(),
    };
    let mut store = WorkingStore::open(&store_dir(folder.path()), options)?;
    let points = (0..points)
        .map(|number| PointId::new(format!("point-{number}")))
        .collect::<Result<Vec<_>, _>>()?;
    let from = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap_or_default();
    let start = Instant::now();
    let mut days = Vec::new();
    let mut random = StdRng::seed_from_u64(7);
    for point in &points {
        for later in 0..DAYS {
            days.push(day(point, from + Days::new(later), &mut random));
            if days.len() == CHUNK_DAYS {
                write(&mut store, &mut days)?;
            }
        }
    }
    write(&mut store, &mut days)?;
    store.checkpoint()?;
    println!("written in {:?}", start.elapsed());

    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..ROUNDS {
        let mut months: BTreeMap<(usize, u32), (i64, i128, i128)> = BTreeMap::new();
        let mut intervals = 0_usize;
        let start = Instant::now();
        for (number, point) in points.iter().enumerate() {
            let to = from + Days::new(DAYS);
            store.for_each_day(std::slice::from_ref(point), from, to, |day| {
                let totals = day.totals();
                let month = months.entry((number, day.date.month())).or_default();
                month.0 += totals.shares.total();
                month.1 += totals.cost_ncny.unwrap_or(0);
                month.2 += totals.co2_ug.unwrap_or(0);
                intervals += day.intervals.len();
            })?;
        }
        times.push(start.elapsed());
        if intervals != points.len() * 96 * DAYS as usize {
            return Err("days are missing".into());
        }
    }
    let intervals = points.len() * 96 * DAYS as usize;
    times.sort_unstable();
    let median = times
        .get(ROUNDS / 2)
        .copied()
        .unwrap_or_default()
        .as_secs_f64();
    let rate = intervals as f64 / median / 1e6;
    println!("{intervals} intervals, the median of {ROUNDS}: {rate:.0} M intervals/s");
    println!("seconds {median:.3} peak_mb {}", peak_mb());
    Ok(())
}

/// The most memory that this process had, in MB.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1_024
}

fn day(point: &PointId, date: NaiveDate, random: &mut StdRng) -> StoredDay {
    let interval = |_| {
        Some(IntervalAmount {
            amount_base: random.random_range(0..60_000),
            quality: IntervalQuality::Measured,
        })
    };
    let prices = [(32, 312_345_000), (16, 867_890_000), (48, 612_345_000)];
    StoredDay {
        day: LedgerDay {
            point: point.clone(),
            date,
            start_s: 0,
            intervals: (0..96).map(interval).collect(),
        },
        carry: None,
        kgce_ug_per_base: Some(122_900),
        co2_ug_per_base: Some(515_300),
        factor_set: "grid@2026".to_owned(),
        prices: prices
            .map(|(intervals, price)| PriceRun {
                intervals,
                ncny_per_base: Some(price),
            })
            .to_vec(),
        tariff_set: "tou@2026-01-01".to_owned(),
    }
}

fn write(store: &mut WorkingStore, days: &mut Vec<StoredDay>) -> Result<(), Box<dyn Error>> {
    store.write_ledger(LedgerUpdate {
        days,
        ..LedgerUpdate::default()
    })?;
    days.clear();
    Ok(())
}
