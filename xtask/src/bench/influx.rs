//! From the outbox into InfluxDB, beside a sender that does nothing but send the same lines.

use std::io::Write as _;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::http::Kept;
use super::page::{Section, Table};
use super::process::{Folder, Process};
use super::rounds;
use super::servers::{BUCKET, Contents, Influx, ORG, TOKEN, ours};
use super::stats::{Figures, number};
use crate::Place;

/// As many lines as the store's example publishes: meters times minutes.
const METERS: u32 = 300;
const MINUTES: u32 = 2_000;
const START_MS: u64 = 1_790_000_000_000;
const BATCH_LINES: usize = 5_000;
/// The store reads its outbox in commits of this many readings, sorted by series.
const COMMIT: usize = 20_000;
/// Requests under way at the same time, on both sides.
const SENDERS: usize = 2;
const DEADLINE: Duration = Duration::from_secs(120);
const RATIO: f64 = 0.9;

/// The part.
pub(super) fn measure(place: &Place, budget: Duration) -> Result<Section> {
    let texts = batches();
    let ready: Vec<Vec<u8>> = texts
        .iter()
        .map(|text| compress(text))
        .collect::<Result<_>>()?;
    let (ready, texts) = (
        |index: usize| Ok(ready.get(index).cloned()),
        |index: usize| texts.get(index).map(|text| compress(text)).transpose(),
    );
    let mut rates: [Figures; 3] = Default::default();
    let mut stores: [Figures; 3] = Default::default();
    let (mut ratios, mut of_limit) = (Figures::default(), Figures::default());
    rounds(5, budget, |_| {
        let runs = [bare(place, ready)?, bare(place, texts)?, published(place)?];
        for (run, (rate, store)) in runs.iter().zip(rates.iter_mut().zip(&mut stores)) {
            ensure!(
                run.contents == runs[0].contents,
                "stored {:?} and {:?}",
                runs[0].contents,
                run.contents
            );
            rate.push(run.rate);
            store.push(run.influx_cpu_s);
        }
        of_limit.push(runs[2].rate / runs[0].rate);
        ratios.push(runs[2].rate / runs[1].rate);
        Ok(())
    })?;
    let names = [
        "InfluxDB's limit: batches compressed before the clock starts",
        "bare sender: compresses and sends",
        "publisher, from the outbox",
    ];
    let rows = names.iter().zip(rates.iter().zip(&stores));
    let rows = rows.map(|(name, (rate, cpu))| {
        vec![
            (*name).to_owned(),
            rate.count().to_string(),
            rate.text(),
            cpu.text(),
        ]
    });
    let mut section = Section::default();
    section.tables.push(Table {
        head: vec![
            "into InfluxDB 2.7",
            "runs",
            "lines/s",
            "InfluxDB's CPU s per million lines",
        ],
        rows: rows.collect(),
    });
    section.notes.push(format!(
        "Median (smallest–largest). {} lines, the same on all sides (counts and sums compared), batches \
         of {BATCH_LINES}, gzip, {SENDERS} requests at a time, a fresh InfluxDB each. The bare sender has \
         its lines as text in memory and does nothing but compress and send them; the publisher reads the \
         outbox, writes the lines, compresses, sends and settles, {} of InfluxDB's limit.",
        number(f64::from(METERS * MINUTES)),
        of_limit.text(),
    ));
    section.target(
        ratios.median() >= RATIO,
        format!(
            "{} % of the bare sender's lines/s: {} times",
            number(RATIO * 100.0),
            ratios.text()
        ),
    );
    Ok(section)
}

/// What one run gave.
struct Run {
    rate: f64,
    /// InfluxDB's own processor seconds for a million lines.
    influx_cpu_s: f64,
    contents: Contents,
}

/// The lines that the publisher writes for the store's example, in its order.
fn batches() -> Vec<String> {
    let meters = meters();
    let mut batches = Vec::new();
    let mut texts = Vec::new();
    for minute in 0..MINUTES {
        for (number, meter) in (0_u32..).zip(&meters) {
            let value = f64::from(minute) * 37.5 + f64::from(number);
            let at = START_MS + u64::from(minute) * 60_000;
            texts.push(format!(
                "reading,building=building-0,institution=institution-0,meter={meter},\
                 quantity=energy_import quality=0,value={value} {at}\n"
            ));
        }
    }
    for commit in texts.chunks_mut(COMMIT) {
        commit.sort();
        batches.extend(commit.chunks(BATCH_LINES).map(<[String]>::concat));
    }
    batches
}

/// As hard as the publisher compresses.
fn compress(text: &str) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?)
}

/// The example's meters in the order of a registry, by name; their places there give their values.
fn meters() -> Vec<String> {
    let mut meters: Vec<String> = (0..METERS)
        .map(|number| format!("meter-{number}"))
        .collect();
    meters.sort();
    meters
}

/// Sends what `batch` answers for 0, 1, … until there is none.
fn bare(
    place: &Place,
    batch: impl Fn(usize) -> Result<Option<Vec<u8>>> + Copy + Send,
) -> Result<Run> {
    let influx = Influx::start(place)?;
    influx.set_up()?;
    let path = format!("/api/v2/write?org={ORG}&bucket={BUCKET}&precision=ms");
    let headers = format!("Authorization: Token {TOKEN}\r\nContent-Encoding: gzip\r\n");
    let (path, headers) = (path.as_str(), headers.as_str());
    let next = &AtomicUsize::new(0);
    let port = influx.port;
    let cpu_before = influx.cpu_s()?;
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let send = move || -> Result<()> {
            let mut connection = Kept::open(port)?;
            while let Some(batch) = batch(next.fetch_add(1, Ordering::Relaxed))? {
                connection.post(path, headers, &batch)?;
            }
            Ok(())
        };
        let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(send)).collect();
        senders.into_iter().try_for_each(|sender| {
            sender
                .join()
                .map_err(|_| anyhow::anyhow!("a sender panicked"))?
        })
    })?;
    let lines = f64::from(METERS * MINUTES);
    Ok(Run {
        rate: lines / begun.elapsed().as_secs_f64(),
        influx_cpu_s: (influx.cpu_s()? - cpu_before) / lines * 1e6,
        contents: influx.contents(BUCKET, "reading")?,
    })
}

fn published(place: &Place) -> Result<Run> {
    let influx = Influx::start(place)?;
    let folder = Folder::new("publish")?;
    let mut command = Command::new(ours(place, "examples/publish"));
    command.arg(format!("http://127.0.0.1:{}", influx.port));
    command.args([
        (METERS * MINUTES).to_string(),
        "1".to_owned(),
        "publisher".to_owned(),
    ]);
    let cpu_before = influx.cpu_s()?;
    let mut process = Process::start("publish", folder.path(), &mut command)?;
    process.wait_success(DEADLINE)?;
    let cpu_s = (influx.cpu_s()? - cpu_before) / f64::from(METERS * MINUTES) * 1e6;
    // `publisher-0: 600000 lines in 3.2s, 187500 lines/s`
    let log = process.log();
    let line = log.lines().find(|line| line.starts_with("publisher-0:"));
    let rate = line
        .and_then(|line| {
            line.rsplit(", ")
                .next()?
                .strip_suffix(" lines/s")?
                .parse()
                .ok()
        })
        .with_context(|| format!("the example tells no rate:\n{log}"))?;
    Ok(Run {
        rate,
        influx_cpu_s: cpu_s,
        contents: influx.contents("publisher-0", "reading")?,
    })
}
