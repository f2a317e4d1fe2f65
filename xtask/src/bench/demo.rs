//! The whole program: 400 days from nothing, and a start on what is there.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::page::{Section, Table};
use super::process::{Folder, Process, free_port};
use super::servers::{ours, steward};
use super::stats::{Figures, number};
use super::{http, rounds};
use crate::Place;

const DEADLINE: Duration = Duration::from_secs(240);
const PAGE_S: f64 = 15.0;
const COMPLETE_S: f64 = 60.0;
const READY_S: f64 = 2.0;
const MEMORY_MB: f64 = 150.0;
/// Starts on the same data, for each run from nothing.
const STARTS: usize = 3;

/// The part.
pub(super) fn measure(place: &Place, budget: Duration) -> Result<Section> {
    let (mut page, mut complete) = (Figures::default(), Figures::default());
    let (mut memory, mut cpu) = (Figures::default(), Figures::default());
    let (mut ready, mut idle) = (Figures::default(), Figures::default());
    rounds(5, budget, |_| {
        let folder = Folder::new("demo")?;
        let site = folder.path().join("site");
        let port = free_port()?;
        let mut command = Command::new(ours(place, "steward"));
        command.args(["demo", "--fresh", "--history-days", "400"]);
        command
            .args(["--port", &port.to_string()])
            .arg("--data")
            .arg(&site);
        let begun = Instant::now();
        let mut demo = Process::start("demo", folder.path(), &mut command)?;
        demo.wait_for("the first page", DEADLINE, |_| {
            http::get(port, "/")
                .ok()
                .filter(|text| text.contains("<html"))
        })?;
        page.push(begun.elapsed().as_secs_f64());
        demo.wait_for("the history", DEADLINE, |demo| {
            demo.log().contains("history complete").then_some(())
        })?;
        complete.push(begun.elapsed().as_secs_f64());
        memory.push(demo.memory_peak_mb().context("the demo runs")?);
        cpu.push(demo.cpu_s()?);
        demo.stop()?;
        for _ in 0..STARTS {
            let port = free_port()?;
            let begun = Instant::now();
            let mut run = steward(place, "run", &site, port)?;
            run.wait_for("readiness", DEADLINE, |_| http::get(port, "/readyz").ok())?;
            ready.push(begun.elapsed().as_secs_f64());
            idle.push(run.memory_peak_mb().context("it runs")?);
            run.stop()?;
        }
        Ok(())
    })?;
    let mut section = Section::default();
    section.tables.push(Table {
        head: vec!["the whole program", "runs", "s", "CPU s", "peak memory, MB"],
        rows: vec![
            vec![
                "`steward demo`, first page".to_owned(),
                page.count().to_string(),
                page.text(),
                "–".to_owned(),
                "–".to_owned(),
            ],
            vec![
                "`steward demo`, 400 days complete".to_owned(),
                complete.count().to_string(),
                complete.text(),
                cpu.text(),
                memory.text(),
            ],
            vec![
                "`steward run` on these data, to `/readyz`".to_owned(),
                ready.count().to_string(),
                ready.text(),
                "–".to_owned(),
                idle.text(),
            ],
        ],
    });
    section.notes.push(
        "Median (smallest–largest). From the start of the process. The demo is everything that \
         `steward run` is, with simulated meters and a broker in the same process, so its memory is an \
         upper bound. Three starts after each run."
            .to_owned(),
    );
    for (what, figures, limit, unit) in [
        ("first page", &page, PAGE_S, "s"),
        ("400 days complete", &complete, COMPLETE_S, "s"),
        ("memory while they load", &memory, MEMORY_MB, "MB"),
        ("start on existing data to `/readyz`", &ready, READY_S, "s"),
    ] {
        let got = figures.median();
        section.target(
            got <= limit,
            format!("{what} within {limit} {unit}: {} {unit}", number(got)),
        );
    }
    Ok(section)
}
