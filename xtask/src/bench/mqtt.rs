//! From the broker to what survives a power cut, beside Telegraf.

use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::page::{Section, Table};
use super::process::{Folder, Process, free_port};
use super::servers::{BUCKET, Contents, Influx, Mosquitto, ours, steward, telegraf};
use super::site::{self, QUANTITIES, Tuning};
use super::stats::{Figures, number};
use super::{http, rounds};
use crate::Place;
use crate::run::output;

/// Readings in a message.
pub(super) const READINGS: f64 = 10.0;
/// What has to be kept up with, in readings a second.
const WANTED_PER_S: f64 = 50_000.0;
/// A little more than that is offered, so that keeping up shows as reaching it.
const OFFERED_PER_S: u64 = 5_100;
const OFFERED_S: u64 = 21;
/// Messages that wait in the broker when the maximum is measured.
const QUEUED: u64 = 100_000;
const DEADLINE: Duration = Duration::from_secs(90);
/// Longer than this no single run of Telegraf is watched; what is durable by then counts.
const WATCHED_MAX: Duration = Duration::from_secs(25);
const TELEGRAF_RATIO: f64 = 5.0;

/// The collector's count of what is committed.
pub(super) const COMMITTED: &str = "steward_journal_received_total";

/// What one run gave.
struct Run {
    /// Messages a second.
    rate: f64,
    /// Between the last message's acknowledgement by the broker and its own commit.
    lag_ms: f64,
    /// Processor seconds for a million readings.
    cpu_s: f64,
    memory_mb: f64,
    /// Processor time of the broker meanwhile, in per cent of a core.
    broker: f64,
}

#[derive(Default)]
struct Runs {
    rate: Figures,
    readings: Figures,
    lag_ms: Figures,
    cpu_s: Figures,
    memory_mb: Figures,
    broker: Figures,
}

impl Runs {
    fn push(&mut self, run: &Run) {
        self.rate.push(run.rate);
        self.readings.push(run.rate * READINGS);
        self.lag_ms.push(run.lag_ms);
        self.cpu_s.push(run.cpu_s);
        self.memory_mb.push(run.memory_mb);
        self.broker.push(run.broker);
    }

    fn row(&self, name: &str) -> Vec<String> {
        vec![
            name.to_owned(),
            self.rate.count().to_string(),
            self.rate.text(),
            self.readings.text(),
            self.lag_ms.text(),
            self.cpu_s.text(),
            self.memory_mb.text(),
            self.broker.text(),
        ]
    }
}

/// Everything that the part measures.
#[derive(Default)]
struct All {
    sustained: Runs,
    sustained_telegraf: Runs,
    queued: Runs,
    telegraf: Runs,
    tuned: Runs,
    ratio: Figures,
}

/// The part.
pub(super) fn measure(place: &Place, budget: Duration) -> Result<Section> {
    let mut all = All::default();
    let share = |percent: u32| budget * percent / 100;
    println!("    offered {OFFERED_PER_S} messages/s for {OFFERED_S} s: ours, Telegraf tuned");
    rounds(3, share(45), |_| {
        all.sustained.push(&sustained(place)?);
        all.sustained_telegraf.push(&sustained_telegraf(place)?);
        Ok(())
    })?;
    // The three take turns, so that what disturbs the machine disturbs them alike.
    println!("    {QUEUED} messages wait in the broker: ours, Telegraf, Telegraf tuned");
    rounds(5, share(45), |_| {
        let own = queued(place)?;
        let peer = queued_telegraf(place, &Tuning::DEFAULT)?;
        let best = queued_telegraf(place, &Tuning::TUNED)?;
        all.ratio.push(own.rate / best.rate.max(peer.rate));
        all.queued.push(&own);
        all.telegraf.push(&peer);
        all.tuned.push(&best);
        Ok(())
    })?;
    Ok(section(&all))
}

fn section(all: &All) -> Section {
    let mut section = Section::default();
    let head = vec![
        "runs",
        "messages/s",
        "readings/s",
        "last durable after the last offer, ms",
        "CPU s per million readings",
        "peak memory, MB",
        "CPU of mosquitto, % of a core",
    ];
    let title = |title: &'static str| [vec![title], head.clone()].concat();
    section.tables.push(Table {
        head: title("offered 5,100 messages/s for 21 s"),
        rows: vec![
            all.sustained.row("`steward collector`"),
            all.sustained_telegraf.row(Tuning::TUNED.name),
        ],
    });
    section.tables.push(Table {
        head: title("from a queue in the broker"),
        rows: vec![
            all.queued.row("`steward collector`"),
            all.telegraf.row(Tuning::DEFAULT.name),
            all.tuned.row(Tuning::TUNED.name),
        ],
    });
    section.notes.push(format!(
        "Median (smallest–largest); three runs of the steady load, which takes more than 30 s for both \
         sides. Messages of ten readings of {} meters, QoS 1, about 210 bytes. mosquitto has \
         `max_inflight_messages 1000`. A queue is {QUEUED} messages \
         that wait in the broker before the reader starts; the time runs from the first durable message \
         that is seen. Durable is: committed in our journal with a sync; answered by InfluxDB 2.7, which \
         syncs its log, for Telegraf. Telegraf has `max_undelivered_messages` {} and batches of {}; tuned \
         {}, {} and a flush interval of {}. CPU is the reader's alone, without broker and InfluxDB. Counts \
         and sums of every quantity of what arrived were compared with what was sent, exactly, in every \
         run that came to the end of its queue.",
        site::METERS,
        Tuning::DEFAULT.undelivered,
        Tuning::DEFAULT.batch_size,
        Tuning::TUNED.undelivered,
        Tuning::TUNED.batch_size,
        Tuning::TUNED.flush,
    ));
    let rate = all.sustained.readings.median();
    section.target(
        rate >= WANTED_PER_S,
        format!(
            "{} readings/s from mosquitto to committed, sustained: {}",
            number(WANTED_PER_S),
            number(rate)
        ),
    );
    section.target(
        all.ratio.median() >= TELEGRAF_RATIO,
        format!(
            "{TELEGRAF_RATIO} times what the faster Telegraf makes durable from a queue: {} times",
            all.ratio.text()
        ),
    );
    section
}

/// Starts the load.
pub(super) fn offer(
    place: &Place,
    folder: &Folder,
    port: u16,
    messages: u64,
    rate_per_s: u64,
) -> Result<Process> {
    // An hour ago: no message is of the future, whatever its number.
    let start_ms = now_ms()? - 3_600_000.0;
    let mut command = Command::new(ours(place, "examples/offer"));
    command.args(["mqtt".to_owned(), port.to_string(), messages.to_string()]);
    command.args([rate_per_s.to_string(), format!("{start_ms:.0}")]);
    Process::start("offer", folder.path(), &mut command)
}

fn now_ms() -> Result<f64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() * 1_000.0)
}

fn sustained(place: &Place) -> Result<Run> {
    let folder = Folder::new("collector")?;
    let mut broker = Mosquitto::start()?;
    site::write_mqtt(&folder, broker.port)?;
    let port = free_port()?;
    let mut collector = broker.subscriber(|| steward(place, "collector", folder.path(), port))?;
    let committed = || Ok(http::metric(port, COMMITTED)? / READINGS);
    let (run, sent) = offered(place, &folder, &broker, &mut collector, committed)?;
    collector.stop()?;
    sent.check_journal(place, &folder)?;
    Ok(run)
}

fn sustained_telegraf(place: &Place) -> Result<Run> {
    let folder = Folder::new("telegraf")?;
    let mut broker = Mosquitto::start()?;
    let influx = Influx::start(place)?;
    influx.set_up()?;
    let config = site::telegraf_mqtt(&Tuning::TUNED, influx.port, broker.port);
    let mut process = broker.subscriber(|| telegraf(place, &folder, &config))?;
    let (run, sent) = offered(place, &folder, &broker, &mut process, || influx.points())?;
    process.stop()?;
    sent.check_influx(&influx.contents(BUCKET, "reading")?)?;
    Ok(run)
}

/// Offers messages at a steady rate until all are durable by `count`.
fn offered(
    place: &Place,
    folder: &Folder,
    broker: &Mosquitto,
    reader: &mut Process,
    mut count: impl FnMut() -> Result<f64>,
) -> Result<(Run, Sent)> {
    let (cpu_before, broker_before) = (reader.cpu_s()?, broker.cpu_s()?);
    let messages = OFFERED_PER_S * OFFERED_S;
    let mut load = offer(place, folder, broker.port, messages, OFFERED_PER_S)?;
    let total = messages as f64;
    reader.wait_for("the last message to be durable", DEADLINE, |_| {
        count().ok().filter(|durable| *durable >= total)
    })?;
    let ended_ms = now_ms()?;
    load.wait_success(DEADLINE)?;
    let sent = Sent::of(&load)?;
    let seconds = (ended_ms - sent.begun_ms) / 1_000.0;
    let run = Run {
        rate: total / seconds,
        lag_ms: (ended_ms - sent.ended_ms).max(0.0),
        cpu_s: (reader.cpu_s()? - cpu_before) / (total * READINGS) * 1e6,
        memory_mb: reader.memory_peak_mb().context("the reader runs")?,
        broker: (broker.cpu_s()? - broker_before) / seconds * 100.0,
    };
    Ok((run, sent))
}

/// Fills the broker's queue for a subscriber that was there and is away.
fn fill(place: &Place, folder: &Folder, broker: &Mosquitto) -> Result<Sent> {
    let mut load = offer(place, folder, broker.port, QUEUED, 0)?;
    load.wait_success(DEADLINE)?;
    Sent::of(&load)
}

fn queued(place: &Place) -> Result<Run> {
    let folder = Folder::new("collector")?;
    let mut broker = Mosquitto::start()?;
    site::write_mqtt(&folder, broker.port)?;
    let port = free_port()?;
    let start = || steward(place, "collector", folder.path(), port);
    broker.subscriber(start)?.stop()?;
    let sent = fill(place, &folder, &broker)?;
    let mut collector = start()?;
    let committed = || Ok(http::metric(port, COMMITTED)? / READINGS);
    let (run, _) = watch(&mut collector, &broker, committed)?;
    collector.stop()?;
    sent.check_journal(place, &folder)?;
    Ok(run)
}

fn queued_telegraf(place: &Place, tuning: &Tuning) -> Result<Run> {
    let folder = Folder::new("telegraf")?;
    let mut broker = Mosquitto::start()?;
    let influx = Influx::start(place)?;
    influx.set_up()?;
    let config = site::telegraf_mqtt(tuning, influx.port, broker.port);
    let start = || telegraf(place, &folder, &config);
    broker.subscriber(start)?.stop()?;
    let sent = fill(place, &folder, &broker)?;
    let mut process = start()?;
    let (run, durable) = watch(&mut process, &broker, || influx.points())?;
    process.stop()?;
    if durable >= sent.messages {
        sent.check_influx(&influx.contents(BUCKET, "reading")?)?;
    }
    Ok(run)
}

/// What happens from the first durable message that is seen to the last, or to the deadline; and how
/// many were durable then. Starting does not count.
fn watch(
    reader: &mut Process,
    broker: &Mosquitto,
    mut count: impl FnMut() -> Result<f64>,
) -> Result<(Run, f64)> {
    let mut first: Option<(Instant, f64, f64)> = None;
    let (seconds, counted, durable, broker_s) =
        reader.wait_for("the end of the queue", DEADLINE, |_| {
            let durable = count().ok().filter(|durable| *durable > 0.0)?;
            let (now, broker_s) = (Instant::now(), broker.cpu_s().ok()?);
            let (since, before, broker_before) = *first.get_or_insert((now, durable, broker_s));
            let elapsed = now - since;
            let is_over = durable >= QUEUED as f64 || elapsed > WATCHED_MAX;
            let seconds = elapsed.as_secs_f64();
            is_over.then_some((seconds, durable - before, durable, broker_s - broker_before))
        })?;
    let run = Run {
        rate: counted / seconds,
        lag_ms: f64::NAN,
        cpu_s: reader.cpu_s()? / (durable * READINGS) * 1e6,
        memory_mb: reader.memory_peak_mb().context("the reader runs")?,
        broker: broker_s / seconds * 100.0,
    };
    Ok((run, durable))
}

/// What the load says it sent.
pub(super) struct Sent {
    pub(super) messages: f64,
    begun_ms: f64,
    ended_ms: f64,
    sums: Value,
}

impl Sent {
    pub(super) fn of(load: &Process) -> Result<Self> {
        let log = load.log();
        let (begun, ended) = (site::line(&log, "begun_ms")?, site::line(&log, "sums")?);
        let number = |value: &Value, key: &str| value[key].as_f64().context("a number");
        let messages = number(&ended, "messages")?;
        ensure!(
            number(&ended, "acknowledged")? == messages,
            "the broker kept them all"
        );
        Ok(Self {
            messages,
            begun_ms: number(&begun, "begun_ms")?,
            ended_ms: number(&ended, "ended_ms")?,
            sums: ended["sums"].clone(),
        })
    }

    fn sum(&self, quantity: &str) -> Result<f64> {
        self.sums[quantity]
            .as_f64()
            .context("the load sums every quantity")
    }

    fn check_journal(&self, place: &Place, site: &Folder) -> Result<()> {
        let audit = audit(place, site)?;
        ensure!(
            audit["batches"].as_f64() == Some(self.messages),
            "batches: {audit}"
        );
        ensure!(audit["set_aside"] == 0 && audit["damaged"] == 0, "{audit}");
        for (quantity, factor) in QUANTITIES {
            let found = &audit["quantities"][quantity];
            let sum = self.sum(quantity)? * factor;
            ensure!(
                found["count"].as_f64() == Some(self.messages),
                "{quantity}: {found}"
            );
            ensure!(
                found["sum"].as_f64() == Some(sum),
                "{quantity}: {found}, sent {sum}"
            );
        }
        Ok(())
    }

    fn check_influx(&self, contents: &Contents) -> Result<()> {
        for (quantity, _) in QUANTITIES {
            let found = contents.get(quantity).copied().unwrap_or_default();
            let sent = (self.messages, self.sum(quantity)?);
            ensure!(found == sent, "{quantity}: {found:?} stored, {sent:?} sent");
        }
        Ok(())
    }
}

/// What the journal of a site holds.
pub(super) fn audit(place: &Place, site: &Folder) -> Result<Value> {
    let mut command = Command::new(ours(place, "examples/audit"));
    let text = output(command.arg(site::journal(site.path())))?;
    site::line(&text, "batches")
}
