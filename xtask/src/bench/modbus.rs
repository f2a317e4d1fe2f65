//! Two hundred meters on Modbus TCP, once a second, beside Telegraf.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::mqtt::{COMMITTED, audit};
use super::page::{Section, Table};
use super::process::{Folder, Process, free_port};
use super::servers::{BUCKET, Influx, ours, steward, telegraf};
use super::site::{self, REGISTERS};
use super::stats::{Figures, number};
use super::{http, rounds};
use crate::Place;

const METERS: &str = "200";
/// What a meter takes to answer.
const LATENCY_MS: &str = "20";
/// After the first readings are durable, so that the start is not in the figures.
const WARM_UP: Duration = Duration::from_secs(2);
const WINDOW: Duration = Duration::from_secs(10);
const DEADLINE: Duration = Duration::from_secs(30);

/// The simulated meters. Dropping them ends them.
struct Meters {
    process: Process,
    input: std::process::ChildStdin,
    ports: Vec<u64>,
    windows: usize,
    folder: Folder,
}

impl Meters {
    fn start(place: &Place) -> Result<Self> {
        let folder = Folder::new("meters")?;
        let mut command = Command::new(ours(place, "examples/offer"));
        command
            .args(["modbus", METERS, LATENCY_MS])
            .stdin(Stdio::piped());
        let mut process = Process::start_with_input("meters", folder.path(), &mut command)?;
        let input = process.take_input()?;
        let ports = process.wait_for("its ports", DEADLINE, |process| {
            site::line(&process.log(), "ports").ok()
        })?;
        let ports = ports["ports"].as_array().context("a list of ports")?;
        let ports = ports.iter().filter_map(Value::as_u64).collect();
        Ok(Self {
            process,
            input,
            ports,
            windows: 0,
            folder,
        })
    }

    /// Closes the window and answers what the meters saw in it.
    fn window(&mut self) -> Result<Value> {
        writeln!(self.input, "next")?;
        self.windows += 1;
        let wanted = self.windows;
        self.process.wait_for("the window", DEADLINE, |process| {
            let log = process.log();
            let told = log.lines().filter(|line| line.contains("\"on_time\""));
            let told: Vec<&str> = told.collect();
            (told.len() == wanted).then(|| serde_json::from_str(told[wanted - 1]).ok())?
        })
    }
}

#[derive(Default)]
struct Runs {
    on_time: Figures,
    p99_ms: Figures,
    requests: Figures,
    cpu: Figures,
    memory_mb: Figures,
}

impl Runs {
    /// What happens in one window, as the meters and the kernel saw it.
    fn watch(&mut self, meters: &mut Meters, poller: &Process) -> Result<()> {
        std::thread::sleep(WARM_UP);
        meters.window()?;
        let cpu_before = poller.cpu_s()?;
        std::thread::sleep(WINDOW);
        let seen = meters.window()?;
        let cpu_s = poller.cpu_s()? - cpu_before;
        let figure = |key: &str| seen[key].as_f64().context("the meters tell every figure");
        let (seconds, polls) = (figure("seconds")?, figure("polls")?);
        let due = (meters.ports.len() as f64 * seconds).max(polls);
        self.on_time.push(figure("on_time")? / due * 100.0);
        self.p99_ms.push(figure("deviation_ms_p99")?);
        self.requests.push(figure("requests")? / polls);
        self.cpu.push(cpu_s / seconds * 100.0);
        self.memory_mb
            .push(poller.memory_peak_mb().context("the poller runs")?);
        Ok(())
    }

    fn row(&self, name: &str) -> Vec<String> {
        let mut row = vec![name.to_owned(), self.on_time.count().to_string()];
        let figures = [
            &self.on_time,
            &self.p99_ms,
            &self.requests,
            &self.cpu,
            &self.memory_mb,
        ];
        row.extend(figures.map(Figures::text));
        row
    }
}

/// The part.
pub(super) fn measure(place: &Place, budget: Duration) -> Result<Section> {
    let (mut own, mut other) = (Runs::default(), Runs::default());
    rounds(5, budget, |_| {
        collector(place, &mut own)?;
        peer(place, &mut other)
    })?;
    let mut section = Section::default();
    section.tables.push(Table {
        head: vec![
            "200 meters, every second",
            "runs",
            "polls on time, %",
            "99 % of polls off by, ms",
            "requests per poll",
            "CPU, % of a core",
            "peak memory, MB",
        ],
        rows: vec![
            own.row("`steward collector`, to its journal"),
            other.row("Telegraf, `max_insert` over the whole map, to InfluxDB"),
        ],
    });
    section.notes.push(format!(
        "Median (smallest–largest) of windows of {} s. Every meter has a TCP port of its own, shows the \
         registers of an Eastron SDM630 (11 quantities) and answers after {LATENCY_MS} ms. A poll is on \
         time when it begins within 100 ms of one second after the poll before it, as the meter saw it; \
         polls that never came are not on time. CPU is the poller's alone. Both sides' values were \
         compared with what the registers show, exactly. Telegraf runs one plugin instance a meter, which \
         is how its documentation wants it.",
        WINDOW.as_secs()
    ));
    let share = own.on_time.median();
    section.target(
        share >= 99.0,
        format!("99 % of polls on time: {} %", number(share)),
    );
    Ok(section)
}

fn collector(place: &Place, runs: &mut Runs) -> Result<()> {
    let mut meters = Meters::start(place)?;
    let folder = Folder::new("collector")?;
    site::write_modbus(&folder, &meters.ports)?;
    let port = free_port()?;
    let mut collector = steward(place, "collector", folder.path(), port)?;
    collector.wait_for("first readings", DEADLINE, |_| {
        http::metric(port, COMMITTED)
            .ok()
            .filter(|readings| *readings > 0.0)
    })?;
    runs.watch(&mut meters, &collector)?;
    collector.stop()?;
    let audit = audit(place, &folder)?;
    for (quantity, _, value, factor) in REGISTERS {
        let found = &audit["quantities"][quantity];
        let count = found["count"].as_f64().context("every quantity was read")?;
        ensure!(
            found["sum"].as_f64() == Some(count * value * factor),
            "{quantity}: {found}"
        );
    }
    Ok(())
}

fn peer(place: &Place, runs: &mut Runs) -> Result<()> {
    let mut meters = Meters::start(place)?;
    let influx = Influx::start(place)?;
    influx.set_up()?;
    let config = site::telegraf_modbus(influx.port, &meters.ports);
    let mut process = telegraf(place, &meters.folder, &config)?;
    process.wait_for("first readings", DEADLINE, |_| {
        influx.points().ok().filter(|points| *points > 0.0)
    })?;
    runs.watch(&mut meters, &process)?;
    process.stop()?;
    let contents = influx.contents(BUCKET, "reading")?;
    for (quantity, _, value, _) in REGISTERS {
        let (count, sum) = contents.get(quantity).copied().unwrap_or_default();
        ensure!(
            count > 0.0 && sum == count * value,
            "{quantity}: {count} values, sum {sum}"
        );
    }
    Ok(())
}
