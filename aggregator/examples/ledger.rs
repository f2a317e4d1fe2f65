//! Measures the way from journal to ledger: `cargo run --release -p steward-aggregator --example
//! ledger -- [POINTS] [DAYS]`, by default 60 points and 400 days of 96 readings.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../tests/common/site.rs"]
mod site;

use std::time::{Duration, Instant};

use site::{PointSpec, aggregator, append, batch, journal_dir, options};
use steward_aggregator::{Aggregator, Step};
use steward_journal::Journal;
use steward_model::{MeterId, Quantity, Reading, ReadingQuality, UtcMs, Value};

/// 2025-01-01 in Shanghai.
const START_MS: i64 = 1_735_660_800_000;
const QUARTER_MS: i64 = 900_000;

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|text| text.parse::<i64>().unwrap());
    let (points, days) = (
        arguments.next().unwrap_or(60),
        arguments.next().unwrap_or(400),
    );
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<&'static str> = (0..points).map(|n| &*format!("p{n}").leak()).collect();
    let specs: Vec<PointSpec> = names
        .iter()
        .map(|name| PointSpec {
            id: name,
            building: "east",
            commodity: "electricity",
            meters: vec![(name, "steward-json", 1, "2025-01-01", "")],
        })
        .collect();
    let config = site::site(dir.path(), &specs);
    let meters: Vec<MeterId> = names
        .iter()
        .map(|name| MeterId::new(name).unwrap())
        .collect();

    let start = Instant::now();
    let (journal, writer) = Journal::open(&journal_dir(dir.path()), options()).unwrap();
    append(
        &journal,
        (0..days).flat_map(|day| {
            let meters = &meters;
            (0_i64..).zip(meters).map(move |(n, meter)| {
                let quarters = day * 96..(day + 1) * 96;
                let readings = quarters.map(|quarter| reading(meter, n, quarter));
                batch(
                    UtcMs(START_MS + (day + 1) * 96 * QUARTER_MS),
                    readings.collect(),
                )
            })
        }),
    );
    println!("journal written in {:.2?}", start.elapsed());

    let mut running = aggregator(dir.path(), &config);
    let (ingest, ledger) = drain(&mut running);
    let readings = points * days * 96;
    let rate = |time: Duration| readings as f64 / time.as_secs_f64();
    println!(
        "ingest  {readings} readings in {ingest:.2?}: {:.0}/s",
        rate(ingest)
    );
    println!(
        "ledger  {} point-days in {ledger:.2?}: {:.0} readings/s",
        points * days,
        rate(ledger)
    );
    println!(
        "whole   {:.2?}, peak memory {} MB",
        ingest + ledger,
        peak_mb()
    );

    // Live: one reading a meter, a pass each.
    let now = days * 96;
    let live = Instant::now();
    for quarter in now..now + 20 {
        let readings = (0_i64..)
            .zip(&meters)
            .map(|(n, meter)| reading(meter, n, quarter));
        append(
            &journal,
            [batch(
                UtcMs(START_MS + (quarter + 1) * QUARTER_MS),
                readings.collect(),
            )],
        );
        drain(&mut running);
    }
    println!(
        "live    a reading of each meter to its ledger in {:.2?}",
        live.elapsed() / 20
    );

    // Late: one reading in a hundred points-days.
    let late: Vec<Reading> = (0_i64..)
        .zip(&meters)
        .flat_map(|(n, meter)| (0..days).step_by(100).map(move |day| (n, meter, day)))
        .map(|(n, meter, day)| Reading {
            at: UtcMs(START_MS + day * 96 * QUARTER_MS + 100_000),
            ..reading(meter, n, day * 96)
        })
        .collect();
    let count = late.len();
    append(&journal, [batch(UtcMs(START_MS + now * QUARTER_MS), late)]);
    let (_, late) = drain(&mut running);
    println!("late    {count} readings, each on another point-day, in {late:.2?}");

    let start = Instant::now();
    running.rebuild().unwrap();
    let marked = start.elapsed();
    let (_, ledger) = drain(&mut running);
    println!("rebuild {marked:.2?} to mark, {ledger:.2?} to compute");
    writer.stop();
}

fn reading(meter: &MeterId, n: i64, quarter: i64) -> Reading {
    Reading {
        meter: meter.clone(),
        quantity: Quantity::EnergyImport,
        at: UtcMs(START_MS + quarter * QUARTER_MS + n * 1_000),
        value: Value::new((quarter * (1_000 + n) + quarter % 7) as f64).unwrap(),
        quality: ReadingQuality::Good,
    }
}

/// Steps until nothing is left; answers the time of ingest and of the ledger.
fn drain(aggregator: &mut Aggregator) -> (Duration, Duration) {
    let (mut ingest, mut ledger) = (Duration::ZERO, Duration::ZERO);
    loop {
        let start = Instant::now();
        match aggregator.step().unwrap() {
            Step::Ingested(_) => ingest += start.elapsed(),
            Step::Computed(_) => ledger += start.elapsed(),
            Step::Idle => return (ingest, ledger),
        }
    }
}

/// The most memory that this process has had.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kb = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kb.unwrap_or(0) / 1_024
}
