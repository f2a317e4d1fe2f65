//! The ledger's kernel beside DuckDB, Python polars and pandas.
//!
//! All read the same Parquet file of one-minute readings, in order of arrival. First a plain file,
//! without anything odd, on which every engine's quarters must be equal row by row. Then a file with
//! rollovers, outages, blips and copies: the peers do the plain roll-up of it (and are wrong where it
//! is odd), ours does the whole work: classification, load shapes, standard coal, CO2 and cost.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::page::{Section, Table};
use super::process::Folder;
use super::rounds;
use super::servers::ours;
use super::stats::{Figures, number};
use crate::Place;
use crate::run::output;

const METERS: u32 = 500;
const DAYS: u32 = 31;
const PLAIN_METERS: u32 = 40;
const PEERS: [(&str, &str); 3] = [
    ("duckdb", "DuckDB"),
    ("polars", "Python polars"),
    ("pandas", "pandas"),
];
const MEMORY_MB: f64 = 1_024.0;
const LATE_SHARE: f64 = 0.05;
const MONTHS_S: f64 = 20.0;

/// What one run of an engine said.
struct Said {
    seconds: f64,
    peak_mb: f64,
}

#[derive(Default)]
struct Engine {
    seconds: Figures,
    peak_mb: Figures,
}

impl Engine {
    fn push(&mut self, said: &Said) {
        self.seconds.push(said.seconds);
        self.peak_mb.push(said.peak_mb);
    }
}

/// The part.
pub(super) fn measure(place: &Place, budget: Duration) -> Result<Section> {
    let folder = Folder::new("ledger-peers")?;
    let odd = folder.path().join("odd.parquet");
    let rows = agree(place, &folder)?;
    make(place, &odd, METERS, "odd")?;
    let mut own = Engine::default();
    let mut peers: [Engine; 3] = Default::default();
    rounds(5, budget, |round| {
        own.push(&run_ours(place, &odd, None)?);
        for ((name, _), engine) in PEERS.iter().zip(&mut peers) {
            // The slow ones need no five runs to be seen as slow.
            if *name == "duckdb" || round < 2 {
                engine.push(&run_peer(place, name, &odd, None)?);
            }
        }
        Ok(())
    })?;
    let mut section = Section::default();
    let mut table = vec![line("Carbon Steward, everything", &own)];
    for ((_, title), engine) in PEERS.iter().zip(&peers) {
        table.push(line(&format!("{title}, plain roll-up"), engine));
    }
    section.tables.push(Table {
        head: vec!["22.3 million readings", "runs", "s", "peak memory, MB"],
        rows: table,
    });
    section.notes.push(format!(
        "{METERS} meters × {DAYS} days × 1 minute from one Parquet file to quarters, hours, days and the \
         month. Median (smallest–largest). On a file without oddities the {rows} quarters of all four \
         engines were equal, row by row."
    ));
    let duckdb = &peers[0];
    section.target(
        own.seconds.median() <= duckdb.seconds.median(),
        format!(
            "not slower than DuckDB's plain roll-up in the same run: {} s against {} s",
            number(own.seconds.median()),
            number(duckdb.seconds.median())
        ),
    );
    section.target(
        own.peak_mb.max() <= MEMORY_MB,
        format!("at most 1 GiB: {} MB", number(own.peak_mb.max())),
    );
    late(place, &odd, &mut section)?;
    linear(place, &folder, &mut section)?;
    months(place, &mut section)?;
    Ok(section)
}

fn line(title: &str, engine: &Engine) -> Vec<String> {
    vec![
        title.to_owned(),
        engine.seconds.count().to_string(),
        engine.seconds.text(),
        engine.peak_mb.text(),
    ]
}

/// Every engine's quarters of a plain file, compared; answers how many there are.
fn agree(place: &Place, folder: &Folder) -> Result<usize> {
    let plain = folder.path().join("plain.parquet");
    make(place, &plain, PLAIN_METERS, "plain")?;
    let out = folder.path().join("ours.csv");
    run_ours(place, &plain, Some(&out))?;
    let own = std::fs::read_to_string(&out)?;
    for (name, title) in PEERS {
        let out = folder.path().join(format!("{name}.csv"));
        run_peer(place, name, &plain, Some(&out))?;
        let theirs = std::fs::read_to_string(&out)?;
        let differs = own.lines().zip(theirs.lines()).position(|(a, b)| a != b);
        ensure!(
            differs.is_none() && own.lines().count() == theirs.lines().count(),
            "{title} and ours differ at line {differs:?}"
        );
    }
    Ok(own.lines().count() - 1)
}

/// One part in a hundred comes late: a gateway's backlog after days.
fn late(place: &Place, odd: &Path, section: &mut Section) -> Result<()> {
    let mut command = Command::new(ours(place, "examples/bulk"));
    let text = output(command.arg("late").arg(odd))?;
    let (whole, late) = (figure(&text, "whole")?, figure(&text, "late")?);
    section.target(
        late <= whole * LATE_SHARE,
        format!(
            "1 % late readings in at most 5 % of the kernel's time for all: {:.2} % ({} s of {} s)",
            late / whole * 100.0,
            number(late),
            number(whole)
        ),
    );
    Ok(())
}

/// A quarter, a half and all of the meters: the time of a reading stays what it is.
fn linear(place: &Place, folder: &Folder, section: &mut Section) -> Result<()> {
    let mut rows = Vec::new();
    for meters in [METERS / 4, METERS / 2, METERS] {
        let file = folder.path().join(format!("{meters}.parquet"));
        make(place, &file, meters, "odd")?;
        let said = run_ours(place, &file, None)?;
        let readings = f64::from(meters * DAYS * 1_440);
        rows.push(vec![
            meters.to_string(),
            number(said.seconds),
            number(said.seconds * 1e9 / readings),
        ]);
    }
    section.tables.push(Table {
        head: vec!["meters", "s", "ns a reading"],
        rows,
    });
    Ok(())
}

/// A year of a thousand points from stored intervals to months with cost and carbon.
fn months(place: &Place, section: &mut Section) -> Result<()> {
    let mut command = Command::new(ours(place, "examples/months"));
    let text = output(command.arg("1000"))?;
    let (seconds, peak_mb) = (figure(&text, "seconds")?, figure(&text, "peak_mb")?);
    section.target(
        seconds <= MONTHS_S,
        format!(
            "1,000 points × a year of stored intervals (35 million) to months with cost and carbon in \
             {MONTHS_S} s: {} s, {} MB",
            number(seconds),
            number(peak_mb)
        ),
    );
    Ok(())
}

fn make(place: &Place, file: &Path, meters: u32, kind: &str) -> Result<()> {
    let mut command = peer(place)?;
    let sizes = [meters.to_string(), DAYS.to_string(), kind.to_owned()];
    output(command.arg("make").arg(file).args(sizes))?;
    Ok(())
}

fn peer(place: &Place) -> Result<Command> {
    let python = place.cache.peers_python().map_err(anyhow::Error::msg)?;
    let mut command = Command::new(python);
    command.arg(place.repo.join("xtask/tools/ledger_peers.py"));
    Ok(command)
}

fn run_peer(place: &Place, name: &str, file: &Path, out: Option<&Path>) -> Result<Said> {
    let mut command = peer(place)?;
    said(&output(command.arg(name).arg(file).args(out))?)
}

fn run_ours(place: &Place, file: &Path, out: Option<&Path>) -> Result<Said> {
    let mut command = Command::new(ours(place, "examples/bulk"));
    said(&output(command.arg("run").arg(file).args(out))?)
}

fn said(text: &str) -> Result<Said> {
    Ok(Said {
        seconds: figure(text, "seconds")?,
        peak_mb: figure(text, "peak_mb")?,
    })
}

/// The number behind a word.
fn figure(text: &str, word: &str) -> Result<f64> {
    let mut words = text.split_whitespace();
    let found = words.find(|found| *found == word).and(words.next());
    let number = found.with_context(|| format!("no {word} in\n{text}"))?;
    number.parse().with_context(|| format!("{word} {number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_stands_behind_its_word() {
        let text = "seconds 1.25 peak_mb 300 total_wh 7\n";
        assert!(figure(text, "seconds").is_ok_and(|number| number == 1.25));
        assert!(figure(text, "peak_mb").is_ok_and(|number| number == 300.0));
        assert!(figure(text, "none").is_err());
    }
}
