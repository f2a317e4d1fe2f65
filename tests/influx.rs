//! A real InfluxDB goes away under load and comes back: nothing is lost, nothing old covers
//! anything new, memory stays bounded, and whoever asks the api notices nothing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod fleet;
mod oracle;
mod support;

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use fleet::{Fleet, Publish, Sender, TOKEN_VARIABLE};
use oracle::{Found, Key, Oracle, ask};
use steward_model::{Quantity, Span};
use steward_store::StoreReader;
use support::{Influx, LONG, Mosquitto, SHORT, Steward, path_of, wait_until};

const METERS: usize = 20;
/// Steps of a quarter of an hour before InfluxDB goes away, and while it is away: ten readings a
/// meter and step.
const STEPS_BEFORE: usize = 100;
const STEPS_AWAY: usize = 560;
const STEP_MS: i64 = 900_000;
/// Rounds of one message a meter, a second apart, while the publisher catches up.
const ROUNDS_BACK: usize = 200;
/// What has to wait for InfluxDB at the least.
const WAITING_MIN: f64 = 100_000.0;
const MEMORY_BYTES_MAX: u64 = 256 << 20;

/// Ledger rows by point, span, start and field.
type Ledger = BTreeMap<(String, &'static str, i64, &'static str), f64>;

struct Bench {
    fleet: Fleet,
    folder: tempfile::TempDir,
    influx: Influx,
    steward: Steward,
    sender: Sender,
    oracle: Oracle,
    sent: usize,
    broker_port: u16,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_influx_is_away() {
    let broker = Mosquitto::start().await;
    let mut bench = Bench::start(&broker).await;
    let bulk_end = STEPS_BEFORE + STEPS_AWAY;

    bench.steps(0..STEPS_BEFORE).await;
    bench.published().await;
    let before = bench.count_in_influx().await;
    assert_eq!(before, METERS * STEPS_BEFORE * 10);

    bench.influx.stop().await;
    bench.steps(STEPS_BEFORE..bulk_end).await;
    bench.waits(WAITING_MIN).await;
    bench.api_answers_meanwhile().await;

    bench.influx.start_again().await;
    // The load goes on, so that rows of the ledger change again while older versions are on their way.
    bench.rounds(0..ROUNDS_BACK / 2).await;
    let at_kill = wait_until("the publisher to go on", LONG, async || {
        let count = bench.count_in_influx().await;
        (count > before).then_some(count)
    })
    .await;
    bench.influx.kill();
    println!(
        "killed with {at_kill} readings in InfluxDB, {} sent",
        bench.sent * 10
    );
    bench.influx.start_again().await;
    bench.rounds(ROUNDS_BACK / 2..ROUNDS_BACK).await;
    bench.published().await;

    let memory = bench.steward.process().memory_peak_bytes();
    println!("memory at most {} MiB", memory >> 20);
    assert!(memory < MEMORY_BYTES_MAX, "{memory} bytes");
    let quarantine = "SELECT count(*) FROM publish_quarantine";
    assert_eq!(ask(&bench.data(), quarantine), 0);
    let verdict = bench.oracle.judge(&Found::read(&bench.data()));
    verdict.expect_clean();
    bench.expect_equal("readings", "ledger").await;

    // A new InfluxDB is filled from the working store alone.
    assert!(bench.steward.stop().await.success());
    bench.write_site("readings-again", "ledger-again");
    let output = bench.command(&["influx", "setup"], &[]).await;
    assert!(output.contains("readings-again"), "{output}");
    let output = bench.command(&["influx", "publish"], &["--all"]).await;
    assert!(output.contains(" 0 set aside"), "{output}");
    bench.expect_equal("readings-again", "ledger-again").await;
    let output = bench.command(&["verify"], &[]).await;
    assert!(output.contains("closure error 0 base units"), "{output}");
}

impl Bench {
    async fn start(broker: &Mosquitto) -> Self {
        let bulk = i64::try_from(STEPS_BEFORE + STEPS_AWAY).unwrap();
        let now_ms = Utc::now().timestamp_millis();
        let live_ms = now_ms - i64::try_from(ROUNDS_BACK).unwrap() * 1_000;
        let start_ms = (live_ms / STEP_MS - bulk) * STEP_MS;
        let fleet = Fleet::new(METERS, start_ms);
        let folder = tempfile::tempdir().unwrap();
        let influx = Influx::start().await;
        let steward = Steward::prepare(&["run", "--config", path_of(&folder)])
            .with_env(TOKEN_VARIABLE, influx.token());
        let mut bench = Self {
            broker_port: broker.port(),
            fleet,
            folder,
            influx,
            steward,
            sender: Sender::start(broker.port()),
            oracle: Oracle::default(),
            sent: 0,
        };
        bench.write_site("readings", "ledger");
        let made = bench.command(&["influx", "setup"], &[]).await;
        assert!(
            made.contains("readings") && made.contains("ledger"),
            "{made}"
        );
        let again = bench.command(&["influx", "setup"], &[]).await;
        assert!(again.contains("everything was there"), "{again}");
        bench.steward.start_again().await;
        bench
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn write_site(&self, bucket_readings: &str, bucket_ledger: &str) {
        let url = self.influx.url();
        let publish = Publish {
            url: &url,
            bucket_readings,
            bucket_ledger,
        };
        self.fleet
            .write_site(self.folder.path(), self.broker_port, Some(publish));
        // An account for all points, so that every row has a cost.
        let points = self.fleet.points();
        let points: Vec<String> = points.iter().map(|id| format!("\"{id}\"")).collect();
        let account = format!(
            "[[account]]\nid = \"grid\"\ninstitution = \"office\"\nnumber = \"1\"\n\
             supplier = \"供电公司\"\ncommodity = \"electricity\"\n\
             tariff = \"example-zj-tou-1-10kv\"\npoints = [{}]\n",
            points.join(", ")
        );
        let more = self.folder.path().join("registry.d");
        std::fs::create_dir_all(&more).unwrap();
        std::fs::write(more.join("account.toml"), account).unwrap();
    }

    /// The output of a command on the site's folder that has to succeed.
    async fn command(&self, words: &[&str], more: &[&str]) -> String {
        let config = ["--config", path_of(&self.folder)];
        let arguments = [words, &config, more].concat();
        let environment = [(TOKEN_VARIABLE, self.influx.token())];
        let finished = Steward::once_with_env(&arguments, &environment).await;
        finished.expect_success()
    }

    async fn send(&mut self, meter: usize, at_ms: i64) {
        let message = self.fleet.message(meter, at_ms, self.sent / METERS);
        self.oracle.attempt(&message.readings);
        self.sender.send(&message).await;
        self.oracle.acknowledge(&message.readings);
        self.sent += 1;
    }

    /// Every meter speaks at these quarters of an hour.
    async fn steps(&mut self, steps: std::ops::Range<usize>) {
        for step in steps {
            for meter in 0..METERS {
                let at_ms = self.fleet.start_ms + i64::try_from(step).unwrap() * STEP_MS;
                self.send(meter, at_ms).await;
            }
        }
        self.taken_over().await;
    }

    /// Every meter speaks at these seconds of the last minutes.
    async fn rounds(&mut self, rounds: std::ops::Range<usize>) {
        let bulk = i64::try_from(STEPS_BEFORE + STEPS_AWAY).unwrap();
        for round in rounds {
            for meter in 0..METERS {
                let second = i64::try_from(round + 1).unwrap();
                let at_ms = self.fleet.start_ms + bulk * STEP_MS + second * 1_000;
                self.send(meter, at_ms).await;
            }
        }
        self.taken_over().await;
    }

    /// Waits until everything sent is in the working store.
    async fn taken_over(&self) {
        self.sender.settled().await;
        let data = self.data();
        let wanted = i64::try_from(self.oracle.attempted()).unwrap();
        wait_until("the store to hold everything", LONG, async || {
            (ask(&data, "SELECT count(*) FROM reading") == wanted).then_some(())
        })
        .await;
    }

    /// Waits until nothing waits for InfluxDB any more, by the queues and by what is told of them.
    async fn published(&self) {
        let data = self.data();
        let waiting = "SELECT (SELECT count(*) FROM dirty) + (SELECT count(*) FROM backlog) \
             + (SELECT count(*) FROM outbox_reading) + (SELECT count(*) FROM outbox_ledger)";
        wait_until("every queue to be empty", LONG, async || {
            (ask(&data, waiting) == 0).then_some(())
        })
        .await;
        wait_until("lag and trouble to be over", SHORT, async || {
            let mut sum = 0.0;
            for gauge in ["lag_seconds", "waiting_rows", "trouble"] {
                let name = format!("steward_publisher_{gauge}");
                sum += self.steward.metric(&name).await.unwrap();
            }
            (sum == 0.0).then_some(())
        })
        .await;
    }

    /// Waits until so many readings wait, and the trouble is told.
    async fn waits(&self, least: f64) {
        wait_until("the outbox to fill", LONG, async || {
            let readings = "steward_publisher_waiting_rows{family=\"readings\"}";
            let waiting = self.steward.metric(readings).await.unwrap();
            let trouble = self.steward.metric("steward_publisher_trouble").await;
            (waiting >= least && trouble == Some(1.0)).then_some(())
        })
        .await;
    }

    /// A reading of this moment is in the api although InfluxDB is away, and so is the ledger.
    async fn api_answers_meanwhile(&mut self) {
        let now_ms = Utc::now().timestamp_millis();
        self.send(0, now_ms).await;
        self.taken_over().await;
        let path = format!("/api/v1/readings?meter={}&quantity=power", Fleet::meter(0));
        wait_until("the newest reading in the api", SHORT, async || {
            let answer = self.steward.json(&path).await;
            let rows = answer["rows"].as_array().unwrap();
            let last = DateTime::parse_from_rfc3339(rows.last()?["at"].as_str()?).unwrap();
            (last.timestamp_millis() == now_ms).then_some(())
        })
        .await;
        let from = DateTime::from_timestamp_millis(self.fleet.start_ms).unwrap();
        let from = from.to_rfc3339_opts(SecondsFormat::Secs, true);
        let path = format!("/api/v1/ledger?commodity=electricity&span=day&from={from}");
        let ledger = self.steward.json(&path).await;
        assert!(ledger["rows"].as_array().unwrap().len() >= 6, "{ledger}");
        let ready = self.steward.get("/readyz").await.status();
        assert!(ready.is_success(), "{ready}: a dead InfluxDB stops nothing");
    }

    async fn count_in_influx(&self) -> usize {
        let flux = "from(bucket: \"readings\") |> range(start: 0, stop: 2100-01-01T00:00:00Z)
            |> filter(fn: (r) => r._measurement == \"reading\" and r._field == \"value\")
            |> group() |> count()";
        let rows = self.influx.query(flux).await;
        rows.first().map_or(0, |row| row["_value"].parse().unwrap())
    }

    /// InfluxDB and the working store hold the same readings and the same ledger.
    async fn expect_equal(&self, bucket_readings: &str, bucket_ledger: &str) {
        let stored: BTreeMap<Key, f64> = Found::read(&self.data()).stored.into_iter().collect();
        let published = self.readings_in(bucket_readings).await;
        assert_eq!(stored.len(), self.oracle.attempted());
        expect_same(bucket_readings, &stored, &published);
        let stored = self.stored_ledger().await;
        let published = self.ledger_in(bucket_ledger).await;
        // Every quarter of an hour has every field: all of its energy counts and has a price.
        let quarters = METERS * (STEPS_BEFORE + STEPS_AWAY - 1);
        assert!(
            stored.len() > quarters * FIELDS.len(),
            "{} ledger fields",
            stored.len()
        );
        expect_same(bucket_ledger, &stored, &published);
    }

    async fn readings_in(&self, bucket: &str) -> BTreeMap<Key, f64> {
        let mut readings = BTreeMap::new();
        for number in 0..METERS {
            let meter = Fleet::meter(number);
            let flux = format!(
                "from(bucket: \"{bucket}\") |> range(start: 0, stop: 2100-01-01T00:00:00Z)
                 |> filter(fn: (r) => r._measurement == \"reading\" and r.meter == \"{meter}\")
                 |> filter(fn: (r) => r._field == \"value\")
                 |> keep(columns: [\"_time\", \"_value\", \"quantity\"])"
            );
            for row in self.influx.query(&flux).await {
                let at = DateTime::parse_from_rfc3339(&row["_time"]).unwrap();
                let quantity: Quantity = row["quantity"].parse().unwrap();
                let key = (meter.clone(), quantity, at.timestamp_millis());
                let doubled = readings.insert(key, row["_value"].parse().unwrap());
                assert_eq!(doubled, None, "twice in InfluxDB: {row:?}");
            }
        }
        readings
    }

    async fn ledger_in(&self, bucket: &str) -> Ledger {
        let mut ledger = Ledger::new();
        for span in Span::ALL {
            let fields = FIELDS.map(|(field, _)| format!("r._field == \"{field}\""));
            let flux = format!(
                "from(bucket: \"{bucket}\") |> range(start: 0, stop: 2100-01-01T00:00:00Z)
                 |> filter(fn: (r) => r._measurement == \"energy\" and r.span == \"{}\")
                 |> filter(fn: (r) => {})
                 |> keep(columns: [\"_time\", \"_value\", \"_field\", \"point\"])",
                span.id(),
                fields.join(" or ")
            );
            for row in self.influx.query(&flux).await {
                let start = DateTime::parse_from_rfc3339(&row["_time"]).unwrap();
                let (field, _) = FIELDS
                    .iter()
                    .find(|(field, _)| *field == row["_field"])
                    .unwrap();
                let key = (row["point"].clone(), span.id(), start.timestamp(), *field);
                let doubled = ledger.insert(key, row["_value"].parse().unwrap());
                assert_eq!(doubled, None, "twice in InfluxDB: {row:?}");
            }
        }
        ledger
    }

    async fn stored_ledger(&self) -> Ledger {
        let store = StoreReader::open(&self.data().join("store"));
        let mut ledger = Ledger::new();
        for span in Span::ALL {
            let points = self.fleet.points();
            let rows = store.ledger(&points, span, 0, 4_000_000_000).await.unwrap();
            for row in rows {
                for (field, value) in FIELDS {
                    let Some(value) = value(&row) else { continue };
                    let key = (row.point.to_string(), span.id(), row.start_s, field);
                    ledger.insert(key, value);
                }
            }
        }
        ledger
    }
}

type Value = fn(&steward_model::LedgerRow) -> Option<f64>;

/// The published fields that are numbers, and where they come from.
const FIELDS: [(&str, Value); 11] = [
    ("amount_base", |row| whole(row.amount_base)),
    ("measured", |row| whole(row.shares.measured_base)),
    ("interpolated", |row| whole(row.shares.interpolated_base)),
    ("estimated", |row| whole(row.shares.estimated_base)),
    ("manual", |row| whole(row.shares.manual_base)),
    ("intervals_present", |row| {
        Some(f64::from(row.intervals_present))
    }),
    ("intervals_expected", |row| {
        Some(f64::from(row.intervals_expected))
    }),
    ("kgce", |row| billionths(row.kgce_ug)),
    ("co2_kg", |row| billionths(row.co2_ug)),
    ("cost", |row| billionths(row.cost_ncny)),
    ("cost_ncny", |row| row.cost_ncny.and_then(whole)),
];

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn whole(number: i64) -> Option<f64> {
    Some(number as f64)
}

/// Kilograms of micrograms, and yuan of nano-yuan.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn billionths(number: Option<i64>) -> Option<f64> {
    number.map(|number| number as f64 / 1e9)
}

/// Both hold the same keys with the same values; the first differences are shown otherwise.
fn expect_same<K: Ord + std::fmt::Debug>(
    what: &str,
    stored: &BTreeMap<K, f64>,
    published: &BTreeMap<K, f64>,
) {
    let missing: Vec<_> = stored
        .iter()
        .filter(|(key, value)| {
            published.get(*key).map(|known| known.to_bits()) != Some(value.to_bits())
        })
        .map(|(key, value)| (key, value, published.get(key)))
        .collect();
    let invented: Vec<_> = published
        .keys()
        .filter(|key| !stored.contains_key(*key))
        .collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "{what}: {} of {} are missing or differ, such as {:?}; {} are invented, such as {:?}",
        missing.len(),
        stored.len(),
        missing.first(),
        invented.len(),
        invented.first(),
    );
    println!("{what}: {} equal", stored.len());
}
