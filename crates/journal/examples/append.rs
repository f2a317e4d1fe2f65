//! How fast the journal takes batches of ten readings, beside the time of a bare sync.
//!
//! `cargo run --release -p steward-journal --example append [FOLDER]`
#![allow(clippy::print_stdout, clippy::cast_precision_loss)]

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use steward_journal::{Entry, Journal, JournalOptions, JournalReader, Receipt};
use steward_model::{Batch, GatewayId, MeterId, Quantity, Reading, ReadingQuality, UtcMs, Value};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const RATE_PER_S: u32 = 5_000;
const SECONDS: u32 = 10;
const IN_FLIGHT: usize = 1_000;

fn batch(number: u32) -> Outcome<Batch> {
    let at = UtcMs(1_790_000_000_000 + i64::from(number));
    let meter = MeterId::new(format!("xzzx-{}-main", number % 500))?;
    let readings = Quantity::ALL
        .iter()
        .take(10)
        .zip(0_u32..)
        .map(|(&quantity, index)| {
            Ok(Reading {
                meter: meter.clone(),
                quantity,
                at,
                value: Value::new(f64::from(number) + f64::from(index) / 10.0)?,
                quality: ReadingQuality::Good,
            })
        })
        .collect::<Outcome<Vec<_>>>()?;
    Ok(Batch {
        received_at: at,
        gateway: GatewayId::new("broker-1")?,
        gateway_boot: None,
        gateway_seq: None,
        readings,
    })
}

/// CPU time of this process so far, from the kernel's account in ticks of 10 ms.
fn cpu() -> Outcome<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Ok(Duration::from_millis(ticks * 10))
}

fn quantile(sorted: &[Duration], share: f64) -> Duration {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let index = ((sorted.len() as f64 - 1.0) * share) as usize;
    sorted.get(index).copied().unwrap_or_default()
}

/// The disk alone: 4 KiB appended and synced, 300 times.
fn bare_sync(dir: &Path) -> Outcome<()> {
    let mut file = std::fs::File::create(dir.join("sync"))?;
    let mut times = Vec::new();
    for _ in 0..300 {
        let started = Instant::now();
        file.write_all(&[7; 4_096])?;
        file.sync_all()?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    let (median, p99) = (quantile(&times, 0.5), quantile(&times, 0.99));
    println!("bare sync          median {median:?}, p99 {p99:?}");
    Ok(())
}

struct Run {
    name: &'static str,
    batches: u32,
    /// `None`: as fast as it goes.
    rate_per_s: Option<u32>,
}

fn run(dir: &Path, run: &Run) -> Outcome<()> {
    let (journal, writer) = Journal::open(dir, JournalOptions::new(4 << 30, Duration::ZERO))?;
    let batches = (0..run.batches).map(batch).collect::<Outcome<Vec<_>>>()?;
    let mut times = Vec::with_capacity(batches.len());
    let (cpu_before, started) = (cpu()?, Instant::now());
    std::thread::scope(|scope| -> Outcome<()> {
        let (sender, receiver) = std::sync::mpsc::sync_channel::<(Instant, Receipt)>(IN_FLIGHT);
        let waiter = scope.spawn(move || {
            let mut times = Vec::new();
            for (sent, receipt) in receiver {
                if receipt.wait_blocking().is_ok() {
                    times.push(sent.elapsed());
                }
            }
            times
        });
        for (number, batch) in (0_u32..).zip(batches) {
            if let Some(rate) = run.rate_per_s {
                let due = started + Duration::from_secs(1) * number / rate;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            let sent = Instant::now();
            sender.send((sent, journal.append_blocking(Entry::Batch(batch))?))?;
        }
        drop(sender);
        times = waiter.join().map_err(|_| "the waiter panicked")?;
        Ok(())
    })?;
    let (elapsed, cpu) = (started.elapsed(), cpu()? - cpu_before);
    times.sort_unstable();
    let sample = |name: &str| {
        let samples = journal.samples();
        samples
            .iter()
            .find(|sample| sample.metric.name == name)
            .map_or(0.0, |s| s.value)
    };
    println!(
        "{:<18} {:.0} batches/s, {:.0} readings/s; {} of {} acknowledged; CPU {:.0} % of a core, \
         {:.2} s a million readings; {:.0} entries a commit; append to ack median {:?}, p99 {:?}",
        run.name,
        f64::from(run.batches) / elapsed.as_secs_f64(),
        f64::from(run.batches) * 10.0 / elapsed.as_secs_f64(),
        times.len(),
        run.batches,
        cpu.as_secs_f64() / elapsed.as_secs_f64() * 100.0,
        cpu.as_secs_f64() / f64::from(run.batches) * 1e5,
        sample("steward_journal_entries_total") / sample("steward_journal_commits_total"),
        quantile(&times, 0.5),
        quantile(&times, 0.99),
    );
    writer.stop();
    Ok(())
}

fn read(dir: &Path) -> Outcome<()> {
    let mut reader = JournalReader::open(dir)?;
    let started = Instant::now();
    let (mut seq, mut readings) = (0, 0);
    loop {
        let page = reader.read_after(seq, 20_000)?;
        let Some(last) = page.last() else { break };
        seq = last.seq();
        readings += page
            .iter()
            .map(steward_journal::Stored::readings)
            .sum::<u64>();
    }
    let elapsed = started.elapsed();
    println!(
        "reading            {:.0} readings/s, {:.1} bytes a reading on disk",
        readings as f64 / elapsed.as_secs_f64(),
        std::fs::metadata(dir.join("journal.db"))?.len() as f64 / readings as f64,
    );
    Ok(())
}

fn main() -> Outcome<()> {
    let folder = std::env::args()
        .nth(1)
        .map_or_else(std::env::temp_dir, Into::into);
    let dir = folder.join(format!("steward-journal-append-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let outcome = bare_sync(&dir)
        .and_then(|()| {
            let batches = RATE_PER_S * SECONDS;
            let journal = dir.join("steady");
            run(
                &journal,
                &Run {
                    name: "steady 5,000/s",
                    batches,
                    rate_per_s: Some(RATE_PER_S),
                },
            )
        })
        .and_then(|()| {
            let journal = dir.join("maximum");
            run(
                &journal,
                &Run {
                    name: "maximum",
                    batches: 200_000,
                    rate_per_s: None,
                },
            )
        })
        .and_then(|()| read(&dir.join("maximum")));
    std::fs::remove_dir_all(&dir)?;
    outcome
}
