//! What is missing after `kill -9` in mid-stream, told by sequence numbers.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::mqtt::{COMMITTED, Sent, audit, offer};
use super::page::{Section, Table};
use super::process::{Folder, Process, free_port};
use super::servers::{BUCKET, Influx, Mosquitto, steward, telegraf};
use super::site::{self, Tuning};
use super::stats::Figures;
use super::{http, rounds};
use crate::Place;

const OFFERED_PER_S: u64 = 4_000;
const OFFERED_S: u64 = 8;
/// The stream is cut here, each time with an immediate new start.
const KILLS: [Duration; 3] = [
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(6),
];
const DEADLINE: Duration = Duration::from_secs(90);
/// When nothing has come for so long after the end of the load, nothing more will.
const QUIET: Duration = Duration::from_secs(3);
/// The same for Telegraf: longer than its longest flush interval here.
const QUIET_TELEGRAF: Duration = Duration::from_secs(12);

/// What one stream gave.
struct Run {
    lost: f64,
    repeated: f64,
}

#[derive(Default)]
struct Runs {
    lost: Figures,
    repeated: Figures,
}

impl Runs {
    fn push(&mut self, run: &Run) {
        self.lost.push(run.lost);
        self.repeated.push(run.repeated);
    }

    fn row(&self, name: &str) -> Vec<String> {
        vec![
            name.to_owned(),
            self.lost.count().to_string(),
            self.lost.text(),
            self.repeated.text(),
        ]
    }
}

/// The part.
pub(super) fn measure(place: &Place, budget: Duration) -> Result<Section> {
    let mut own = Runs::default();
    let peers = [Tuning::TUNED, Tuning::SHIPPED];
    let mut others = [Runs::default(), Runs::default()];
    rounds(3, budget, |_| {
        own.push(&ours(place)?);
        for (tuning, runs) in peers.iter().zip(&mut others) {
            runs.push(&theirs(place, tuning)?);
        }
        Ok(())
    })?;
    let mut section = Section::default();
    let mut rows = vec![own.row("`steward collector`")];
    rows.extend(
        peers
            .iter()
            .zip(&others)
            .map(|(tuning, runs)| runs.row(tuning.name)),
    );
    section.tables.push(Table {
        head: vec![
            "after three `kill -9`",
            "runs",
            "messages lost",
            "delivered twice",
        ],
        rows,
    });
    section.notes.push(format!(
        "{OFFERED_PER_S} messages/s for {OFFERED_S} s; the reader is killed after 2, 4 and 6 s and \
         started again at once; mosquitto and InfluxDB live on. Lost is what was acknowledged to the \
         publisher and stands neither in our journal nor in Telegraf's InfluxDB. What comes twice is \
         recognised by our store; in InfluxDB it overwrites itself."
    ));
    let lost = own.lost.max();
    section.target(
        lost == 0.0,
        format!("no message lost after `kill -9`: {lost} lost"),
    );
    Ok(section)
}

/// Runs the stream against a reader that is killed again and again; answers the last of them.
fn stream(
    place: &Place,
    folder: &Folder,
    broker: &mut Mosquitto,
    mut start: impl FnMut() -> Result<Process>,
) -> Result<(Process, Sent)> {
    let mut reader = broker.subscriber(&mut start)?;
    let port = broker.port;
    let mut load = offer(
        place,
        folder,
        port,
        OFFERED_PER_S * OFFERED_S,
        OFFERED_PER_S,
    )?;
    let begun = Instant::now();
    for kill in KILLS {
        std::thread::sleep(kill.saturating_sub(begun.elapsed()));
        reader.kill();
        reader = start()?;
    }
    load.wait_success(DEADLINE)?;
    Ok((reader, Sent::of(&load)?))
}

/// Waits until a count is what was hoped for, or no longer changes.
fn settle(hoped: f64, quiet: Duration, mut count: impl FnMut() -> Result<f64>) -> Result<()> {
    let begun = Instant::now();
    let (mut last, mut since) = (f64::NAN, Instant::now());
    while begun.elapsed() < DEADLINE && since.elapsed() < quiet {
        let now = count()?;
        if now >= hoped {
            break;
        }
        if now != last {
            (last, since) = (now, Instant::now());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn ours(place: &Place) -> Result<Run> {
    let folder = Folder::new("collector")?;
    let mut broker = Mosquitto::start()?;
    site::write_mqtt(&folder, broker.port)?;
    let port = free_port()?;
    let start = || steward(place, "collector", folder.path(), port);
    let (mut collector, sent) = stream(place, &folder, &mut broker, start)?;
    let readings = || {
        collector.wait_for("its metrics", DEADLINE, |_| {
            http::metric(port, COMMITTED).ok()
        })
    };
    // What came twice counts twice here, so the count alone does not say that nothing is missing.
    settle(f64::INFINITY, QUIET, readings)?;
    collector.stop()?;
    let audit = audit(place, &folder)?;
    let batches = audit["batches"].as_f64().context("the audit counts")?;
    Ok(Run {
        lost: sent.messages - batches,
        repeated: audit["repeated"].as_f64().context("the audit counts")?,
    })
}

fn theirs(place: &Place, tuning: &Tuning) -> Result<Run> {
    let folder = Folder::new("telegraf")?;
    let mut broker = Mosquitto::start()?;
    let influx = Influx::start(place)?;
    influx.set_up()?;
    let config = site::telegraf_mqtt(tuning, influx.port, broker.port);
    let start = || telegraf(place, &folder, &config);
    let (mut reader, sent) = stream(place, &folder, &mut broker, start)?;
    let stored = || {
        let contents = influx.contents(BUCKET, "reading")?;
        Ok(contents.get("energy_import").map_or(0.0, |found| found.0))
    };
    settle(sent.messages, QUIET_TELEGRAF, stored)?;
    let stored = stored()?;
    reader.stop()?;
    Ok(Run {
        lost: sent.messages - stored,
        repeated: f64::NAN,
    })
}
