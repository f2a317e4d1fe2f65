//! How fast the publisher is beside a bare sender of the same lines.
//!
//! `cargo run --release -p steward-store --example publish URL [readings] [rounds] [side]`
//!
//! `URL` is a new InfluxDB without a user, which this sets up with a token of its own. Rounds
//! alternate: the bare sender posts ready-made, compressed batches of 5,000 lines, two at a time,
//! and does nothing else; the publisher reads the outbox, writes lines, compresses, posts, settles.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use flate2::{Compression, write::GzEncoder};
use steward_config::{
    Building, InfluxSettings, Meter, MeterAddress, Point, PointRole, Registry, Secret,
};
use steward_model::{
    BuildingId, Commodity, GatewayId, InstitutionId, MeterId, PointId, ProfileId, Quantity,
    Reading, ReadingQuality, UtcMs, Value,
};
use steward_store::influx::{Publisher, TagBook, Tuning, setup};
use steward_store::{ReadingsCommit, StoreOptions, WorkingStore, store_dir};
use tokio_util::sync::CancellationToken;

const METERS: usize = 300;
const START_MS: i64 = 1_790_000_000_000;
const TOKEN: &str = "a-token-of-the-example";

fn now() -> UtcMs {
    UtcMs(START_MS)
}

type AnyError = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments
        .next()
        .ok_or("the first argument is the URL of InfluxDB")?;
    let total: usize = arguments.next().map_or(Ok(600_000), |text| text.parse())?;
    let rounds: usize = arguments.next().map_or(Ok(3), |text| text.parse())?;
    // `bare` or `publisher`: only this side.
    let side = arguments.next().unwrap_or_default();
    for round in 0..rounds {
        let buckets = [format!("bare-{round}"), format!("publisher-{round}")];
        for bucket in buckets.into_iter().filter(|name| name.starts_with(&side)) {
            let settings = InfluxSettings {
                url: url.clone(),
                org: "bench".to_owned(),
                token: Secret::new(TOKEN),
                bucket_readings: bucket.clone(),
                bucket_ledger: "ledger".to_owned(),
                retention_readings: Duration::ZERO,
                retention_ledger: Duration::ZERO,
                batch_lines_max: 5_000,
                outbox_bytes_max: 1 << 30,
            };
            setup(&settings).await?;
            let (elapsed, lines) = if bucket.starts_with("bare") {
                bare(&settings, total).await?
            } else {
                published(&settings, total).await?
            };
            let rate = lines as f64 / elapsed.as_secs_f64();
            println!("{bucket}: {lines} lines in {elapsed:?}, {rate:.0} lines/s");
        }
    }
    Ok(())
}

fn value(number: usize, minute: i64) -> f64 {
    minute as f64 * 37.5 + number as f64
}

async fn published(settings: &InfluxSettings, total: usize) -> Result<(Duration, u64), AnyError> {
    let folder = tempfile::tempdir()?;
    let options = StoreOptions {
        publish: true,
        outbox_bytes_max: settings.outbox_bytes_max,
        clock: now,
        ledger_gauges: Vec::new(),
    };
    let mut store = WorkingStore::open(&store_dir(folder.path()), options)?;
    let registry = registry()?;
    let meters: Vec<MeterId> = registry.meters.keys().cloned().collect();
    let minutes = i64::try_from(total / METERS)?;
    let mut readings = Vec::new();
    for minute in 0..minutes {
        for (number, meter) in meters.iter().enumerate() {
            readings.push(Reading {
                meter: meter.clone(),
                quantity: Quantity::EnergyImport,
                at: UtcMs(START_MS + minute * 60_000),
                value: Value::new(value(number, minute))?,
                quality: ReadingQuality::Good,
            });
        }
    }
    for (cursor, some) in readings.chunks(20_000).enumerate() {
        store.commit_readings(ReadingsCommit {
            readings: some,
            quarantine: &[],
            cursor: cursor as u64 + 1,
            accounted: cursor as u64 + 1,
        })?;
    }
    drop(readings);
    let tags = TagBook::of_registry(&registry);
    let mut publisher = Publisher::new(store.outbox()?, settings, tags, now, Tuning::default())?;
    let start = Instant::now();
    let report = publisher.drain(&CancellationToken::new()).await;
    Ok((start.elapsed(), report.lines))
}

async fn bare(settings: &InfluxSettings, total: usize) -> Result<(Duration, u64), AnyError> {
    let registry = registry()?;
    let minutes = i64::try_from(total / METERS)?;
    let mut lines = Vec::new();
    for minute in 0..minutes {
        for (number, meter) in registry.meters.keys().enumerate() {
            lines.push(format!(
                "reading,building=building-0,institution=institution-0,meter={meter},\
                 quantity=energy_import quality=0,value={} {}\n",
                value(number, minute),
                START_MS + minute * 60_000
            ));
        }
    }
    let mut batches = Vec::new();
    // The order of the store: by series within a commit.
    for commit in lines.chunks_mut(20_000) {
        commit.sort();
        for batch in commit.chunks(settings.batch_lines_max) {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(batch.concat().as_bytes())?;
            batches.push(bytes::Bytes::from(encoder.finish()?));
        }
    }
    let lines = lines.len() as u64;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let url = format!(
        "{}/api/v2/write?org={}&bucket={}&precision=ms",
        settings.url, settings.org, settings.bucket_readings
    );
    let start = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for batch in batches {
        if running.len() >= 2 {
            running.join_next().await.ok_or("no request runs")???;
        }
        let request = http
            .post(&url)
            .header("Authorization", format!("Token {TOKEN}"))
            .header("Content-Encoding", "gzip")
            .body(batch);
        running.spawn(async move { request.send().await?.error_for_status().map(drop) });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok((start.elapsed(), lines))
}

fn registry() -> Result<Registry, AnyError> {
    let mut registry = Registry::default();
    let building = BuildingId::new("building-0")?;
    registry.buildings.insert(
        building.clone(),
        Building {
            id: building.clone(),
            institution: InstitutionId::new("institution-0")?,
            name_zh: "楼".to_owned(),
            name_en: "Building".to_owned(),
            zone: Tz::Asia__Shanghai,
            extents: Vec::new(),
        },
    );
    for number in 0..METERS {
        let point = PointId::new(format!("point-{number}"))?;
        registry.points.insert(
            point.clone(),
            Point {
                id: point.clone(),
                building: building.clone(),
                name_zh: "点".to_owned(),
                name_en: "Point".to_owned(),
                commodity: Commodity::Electricity,
                subitem: None,
                parent: None,
                counter: Quantity::EnergyImport,
                metered_by: None,
                formulas: Vec::new(),
                role: PointRole::Counted,
                balance_tolerance: None,
            },
        );
        let id = MeterId::new(format!("meter-{number}"))?;
        registry.meters.insert(
            id.clone(),
            Meter {
                id,
                point,
                gateway: GatewayId::new("gateway")?,
                profile: ProfileId::new("profile")?,
                address: MeterAddress::Modbus { unit_id: 1 },
                ratio: 1,
                ratio_changes: Vec::new(),
                counters: BTreeMap::new(),
                from: chrono::NaiveDate::default(),
                to: None,
                interval: Duration::from_secs(60),
            },
        );
    }
    Ok(registry)
}
