//! From the journal to the working store, and on to the ledger.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::page::{Section, Table};
use super::process::{Folder, Process};
use super::rounds;
use super::servers::ours;
use super::stats::{Figures, number};
use crate::Place;

const POINTS: u32 = 60;
const DAYS: u32 = 400;
const READINGS: u32 = POINTS * DAYS * 96;
const DEADLINE: Duration = Duration::from_secs(180);
const INGEST_PER_S: f64 = 100_000.0;
const WHOLE_S: f64 = 20.0;

/// The part.
pub(super) fn measure(place: &Place, budget: Duration) -> Result<Section> {
    let (mut ingest, mut ledger) = (Figures::default(), Figures::default());
    let (mut whole, mut cpu, mut memory) =
        (Figures::default(), Figures::default(), Figures::default());
    rounds(5, budget, |_| {
        let folder = Folder::new("ledger")?;
        let mut command = Command::new(ours(place, "examples/ledger"));
        command.args([POINTS.to_string(), DAYS.to_string()]);
        let mut process = Process::start("ledger", folder.path(), &mut command)?;
        let mut written = 0.0;
        let (log, cpu_s, memory_mb) = process.wait_for("the ledger", DEADLINE, |process| {
            let log = process.log();
            // Writing the journal is the load and not the measurement.
            if written == 0.0 && log.contains("journal written") {
                written = process.cpu_s().ok()?;
            }
            let is_over = log.lines().any(|line| line.starts_with("whole"));
            is_over.then(|| Some((log, process.cpu_s().ok()?, process.memory_peak_mb()?)))?
        })?;
        // The example goes on to other figures.
        process.kill();
        let (into_store, into_ledger) = (seconds(&log, "ingest")?, seconds(&log, "ledger")?);
        ingest.push(f64::from(READINGS) / into_store);
        ledger.push(into_ledger);
        whole.push(into_store + into_ledger);
        cpu.push((cpu_s - written) / f64::from(READINGS) * 1e6);
        memory.push(memory_mb);
        Ok(())
    })?;
    let mut section = Section::default();
    section.tables.push(Table {
        head: vec![
            "2.3 million readings",
            "runs",
            "journal to store, readings/s",
            "store to ledger, s",
            "both, s",
            "CPU s per million readings",
            "peak memory, MB",
        ],
        rows: vec![vec![
            format!("{POINTS} points, {DAYS} days of quarters"),
            whole.count().to_string(),
            ingest.text(),
            ledger.text(),
            whole.text(),
            cpu.text(),
            memory.text(),
        ]],
    });
    section.notes.push(
        "Median (smallest–largest). The example `ledger` of the aggregator: a journal written as a \
         collector writes it, then the aggregator's own steps until nothing is left. Its memory includes \
         the writing of the journal; its tests compare the ledger with an independent one."
            .to_owned(),
    );
    let rate = ingest.median();
    section.target(
        rate >= INGEST_PER_S,
        format!(
            "{} readings/s from journal to store: {}",
            number(INGEST_PER_S),
            number(rate)
        ),
    );
    let took = whole.median();
    section.target(
        took <= WHOLE_S,
        format!(
            "the ledger of 2.3 million readings in {WHOLE_S} s: {} s",
            number(took)
        ),
    );
    Ok(section)
}

/// The duration in the example's line that begins with a word: `ingest 2304000 readings in 9.87s: …`
fn seconds(log: &str, word: &str) -> Result<f64> {
    let line = log.lines().find(|line| line.starts_with(word));
    let line = line.with_context(|| format!("no line `{word}` in\n{log}"))?;
    let (_, rest) = line
        .split_once(" in ")
        .context("the line tells a duration")?;
    let text = rest.split(':').next().unwrap_or_default().trim();
    duration_s(text).with_context(|| format!("no duration: {text}"))
}

/// Reads what `Duration`'s own text is.
fn duration_s(text: &str) -> Option<f64> {
    let units = [("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9), ("s", 1.0)];
    units.into_iter().find_map(|(unit, factor)| {
        let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(number * factor)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_back() {
        for duration in [Duration::from_millis(9_870), Duration::from_micros(1_500)] {
            let read = duration_s(&format!("{duration:.2?}")).expect("a duration");
            assert!((read - duration.as_secs_f64()).abs() < 1e-6);
        }
        let log = "journal written in 1s\ningest  10 readings in 2.50s: 4/s\n";
        assert_eq!(seconds(log, "ingest").expect("a line"), 2.5);
    }
}
