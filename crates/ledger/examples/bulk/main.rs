//! The kernel at its full speed: one Parquet file of readings to quarters, hours, days and months
//! with standard coal, CO2 and cost.
//!
//! `cargo run --release -p steward-ledger --example bulk -- run FILE [OUT.csv]` prints seconds and
//! peak memory, and writes the quarters when asked; `late FILE` settles everything, then one part in
//! a hundred that comes late. The file has the columns meter (dictionary), at (ms) and value (Wh).
#![allow(clippy::unwrap_used, clippy::panic)]

mod order;
mod parquet;
mod site;

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use order::in_order;
use site::Site;
use steward_ledger::money::price_of_each;
use steward_ledger::{Dirty, MemoryShelf, Past, Raw, SettledDay, settle, settle_slice};
use steward_model::{MeterId, Quantity};

use crate::parquet::Parted;

const THREADS: usize = 2;
/// One part in a hundred of 500 meters × 31 days: a gateway of 25 meters, a bit more than six days.
const LATE_METERS: usize = 25;
const LATE_DAYS: std::ops::Range<i64> = 12..18;

/// What a row of the ledger holds: base units, nano-yuan, micrograms, micrograms.
#[derive(Clone, Copy, Default)]
struct Row {
    amount_base: i64,
    cost_ncny: i64,
    kgce_ug: i64,
    co2_ug: i64,
}

impl Row {
    fn add(&mut self, other: Self) {
        self.amount_base += other.amount_base;
        self.cost_ncny += other.cost_ncny;
        self.kgce_ug += other.kgce_ug;
        self.co2_ug += other.co2_ug;
    }
}

/// The ledger of one meter.
#[derive(Default)]
struct Ledger {
    days: Vec<SettledDay>,
    findings: usize,
    fills: usize,
    quarters: Vec<Row>,
    hours: Vec<Row>,
    by_day: Vec<Row>,
    month: Row,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (what, file) = (arguments[0].as_str(), Path::new(&arguments[1]));
    let site = Site::new();
    match what {
        "run" => run(&site, file, arguments.get(2).map(Path::new)),
        "late" => late(&site, file),
        other => panic!("{other}: run or late"),
    }
}

fn run(site: &Site, file: &Path, out: Option<&Path>) {
    let begun = Instant::now();
    let parted = parquet::read(file, THREADS);
    let read_s = begun.elapsed().as_secs_f64();
    let ledgers = each_meter(&parted, |meter, readings| ledger(site, meter, readings));
    let seconds = begun.elapsed().as_secs_f64();
    let mut sum = Row::default();
    let (mut findings, mut fills, mut quarters, mut hours) = (0, 0, 0, 0);
    for ledger in &ledgers {
        sum.add(ledger.month);
        findings += ledger.findings;
        fills += ledger.fills;
        quarters += ledger.quarters.len();
        hours += ledger.hours.len();
        // The sums of every span are the same integers.
        let whole: i64 = ledger.by_day.iter().map(|row| row.amount_base).sum();
        assert_eq!(whole, ledger.month.amount_base);
    }
    println!(
        "seconds {seconds:.3} read_s {read_s:.3} peak_mb {} total_wh {} readings {} quarters \
         {quarters} hours {hours} findings {findings} fills {fills} cny {:.2} co2_kg {:.1} kgce {:.1}",
        peak_mb(),
        sum.amount_base,
        parted.readings,
        sum.cost_ncny as f64 / 1e9,
        sum.co2_ug as f64 / 1e9,
        sum.kgce_ug as f64 / 1e9,
    );
    if let Some(out) = out {
        write(&parted, &ledgers, out);
    }
}

/// Does something with the readings of every meter, in order of time and each once.
fn each_meter<T: Send>(parted: &Parted, make: impl Fn(&str, &[Raw]) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let mut made: Vec<(usize, T)> = std::thread::scope(|scope| {
        let work = || {
            let (mut counts, mut raws, mut made) = (Vec::new(), Vec::new(), Vec::new());
            loop {
                let meter = next.fetch_add(1, Ordering::Relaxed);
                let Some(name) = parted.names.get(meter) else {
                    return made;
                };
                in_order(parted, meter, &mut counts, &mut raws);
                made.push((meter, make(name, &raws)));
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let done = threads.into_iter().map(|thread| thread.join().unwrap());
        done.flatten().collect()
    });
    made.sort_by_key(|(meter, _)| *meter);
    made.into_iter().map(|(_, made)| made).collect()
}

fn ledger(site: &Site, meter: &str, readings: &[Raw]) -> Ledger {
    let (chain, rules, past) = (site.chain(meter), site.rules(), Past::default());
    let settled = settle_slice(chain, &chain.lineages[0], &rules, &past, readings);
    let found = &settled.found;
    let mut ledger = Ledger {
        findings: found.iter().map(|found| found.findings.len()).sum(),
        fills: found.iter().map(|found| found.fills.len()).sum(),
        ..Ledger::default()
    };
    for day in &settled.days {
        add(site, &mut ledger, day);
    }
    ledger.days = settled.days;
    ledger
}

fn add(site: &Site, ledger: &mut Ledger, day: &SettledDay) {
    let (kgce_ug, co2_ug) = site.factors(day.day.date);
    let prices = site.prices(&day.day);
    let (mut whole, mut hour) = (Row::default(), Row::default());
    let intervals = day.intervals.iter().zip(price_of_each(&prices.runs));
    for (index, (interval, price)) in intervals.enumerate() {
        if let Some(interval) = interval {
            let amount_base = interval.amount_base;
            let row = Row {
                amount_base,
                cost_ncny: amount_base * price.unwrap_or(0),
                kgce_ug: amount_base * kgce_ug,
                co2_ug: amount_base * co2_ug,
            };
            ledger.quarters.push(row);
            hour.add(row);
        }
        if index % 4 == 3 {
            ledger.hours.push(hour);
            whole.add(std::mem::take(&mut hour));
        }
    }
    whole.add(hour);
    ledger.by_day.push(whole);
    ledger.month.add(whole);
}

/// Settles all but a gateway's backlog, then the backlog.
fn late(site: &Site, file: &Path) {
    let parted = parquet::read(file, THREADS);
    let stretch = Dirty {
        from_ms: site::START_MS + LATE_DAYS.start * 86_400_000,
        to_ms: site::START_MS + LATE_DAYS.end * 86_400_000 + 4 * 3_600_000,
    };
    let begun = Instant::now();
    let whole = each_meter(&parted, |meter, readings| ledger(site, meter, readings));
    let whole_s = begun.elapsed().as_secs_f64();
    let (mut late_s, mut readings_late) = (0.0, 0);
    let (rules, past) = (site.rules(), Past::default());
    let (mut counts, mut raws) = (Vec::new(), Vec::new());
    for (number, name) in parted.names.iter().enumerate().take(LATE_METERS) {
        in_order(&parted, number, &mut counts, &mut raws);
        let is_late = |raw: &Raw| (stretch.from_ms..=stretch.to_ms).contains(&raw.at_ms);
        let in_time: Vec<Raw> = raws.iter().copied().filter(|raw| !is_late(raw)).collect();
        readings_late += raws.len() - in_time.len();
        let chain = site.chain(name);
        let lineage = &chain.lineages[0];
        let mut shelf = MemoryShelf::default();
        for day in settle_slice(chain, lineage, &rules, &past, &in_time).days {
            let key = (chain.point.clone(), day.day.date);
            shelf.carries.insert(key.clone(), day.carry);
            shelf.days.insert(key, day.intervals);
        }
        let series = (MeterId::new(name).unwrap(), Quantity::EnergyImport);
        shelf.series.insert(series, raws.clone());
        let begun = Instant::now();
        let Ok(settled) = settle(&shelf, chain, lineage, &rules, &past, None, &[stretch]);
        let mut again = Ledger::default();
        for day in &settled.days {
            add(site, &mut again, day);
        }
        late_s += begun.elapsed().as_secs_f64();
        // What came late gives the amounts that it would have given in time.
        for day in &settled.days {
            let days = &whole[number].days;
            let same = days
                .iter()
                .find(|one| one.day.date == day.day.date)
                .unwrap();
            assert_eq!(same.intervals, day.intervals, "{name} {}", day.day.date);
        }
    }
    // The whole ran on two threads and the late part on one.
    println!(
        "whole {:.4} late {late_s:.4} readings_late {readings_late} of {}",
        whole_s * THREADS as f64,
        parted.readings
    );
}

fn write(parted: &Parted, ledgers: &[Ledger], out: &Path) {
    let mut order: Vec<usize> = (0..ledgers.len()).collect();
    order.sort_by_key(|index| &parted.names[*index]);
    let mut file = std::io::BufWriter::new(std::fs::File::create(out).unwrap());
    writeln!(file, "meter,start,wh").unwrap();
    for index in order {
        for day in &ledgers[index].days {
            let mut start_ms = day.day.start_ms;
            for interval in &day.intervals {
                if let Some(interval) = interval {
                    let wh = interval.amount_base;
                    writeln!(file, "{},{start_ms},{wh}", parted.names[index]).unwrap();
                }
                start_ms += 900_000;
            }
        }
    }
}

/// The most memory that this process had, in MB.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1_024
}
