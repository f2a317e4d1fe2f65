//! The publisher against an InfluxDB that follows a script: whatever happens on the way, every line
//! is stored once or quarantined.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use steward_config::InfluxSettings;
use steward_model::{Quantity, Reading, ReadingQuality, Span};
use steward_store::influx::{Publisher, Tuning};
use steward_store::{LedgerUpdate, Outbox, StoreOptions, WorkingStore};
use support::scripted::{Act, CERTAIN, Rules, ScriptedInflux};
use support::{DAY_START_S, clock, commit, date, day, fast, open, options, reading, tags, total};
use tokio_util::sync::CancellationToken;

const ENERGY: Quantity = Quantity::EnergyImport;

fn publisher(store: &WorkingStore, settings: &InfluxSettings, tuning: Tuning) -> Publisher {
    let outbox = store.outbox().unwrap();
    Publisher::new(outbox, settings, tags(), clock, tuning).unwrap()
}

fn settings(influx: &ScriptedInflux, batch_lines_max: usize) -> InfluxSettings {
    InfluxSettings {
        batch_lines_max,
        ..support::settings(&influx.url())
    }
}

async fn drain(publisher: &mut Publisher) {
    let stop = CancellationToken::new();
    tokio::time::timeout(CERTAIN, publisher.drain(&stop))
        .await
        .expect("the publisher comes to an end");
}

/// A script of up to thirty failures and successes.
fn script(random: &mut StdRng) -> Vec<Act> {
    let mut hangs = 0;
    (0..random.random_range(0..30))
        .map(|_| match random.random_range(0..16) {
            0 => Act::StoreThenReset,
            1 => Act::Reset,
            2 => Act::StoreThen500,
            3 => Act::Refuse(429, Some(0)),
            4 => Act::Refuse(503, None),
            5 => Act::Refuse([401, 403, 404][random.random_range(0..3)], None),
            6 => Act::StoreThenHalfBody,
            7 => Act::Refuse([500, 502, 504][random.random_range(0..3)], None),
            8 if hangs == 0 => {
                hangs += 1;
                [Act::Hang, Act::StoreThenHang][random.random_range(0..2)]
            }
            _ => Act::Serve,
        })
        .collect()
}

/// Readings of which some are refused by the rules: the whole write for 13.5, the line for 17.5.
fn random_readings(random: &mut StdRng) -> Vec<Reading> {
    let poisonous = random.random_range(0..6);
    (0..random.random_range(1..160_i64))
        .map(|step| {
            let value = match random.random_range(0..100) {
                roll if roll < poisonous => 13.5,
                roll if roll < 2 * poisonous => 17.5,
                _ => step as f64,
            };
            reading(random.random_range(0..8), ENERGY, step * 1_000, value)
        })
        .collect()
}

/// Answers what the server was asked to do.
async fn one_script(seed: u64) -> Vec<Act> {
    let mut random = StdRng::seed_from_u64(seed);
    let rules = Rules {
        lines_max: if random.random_bool(0.3) {
            7
        } else {
            usize::MAX
        },
        ..Rules::default()
    };
    let influx = ScriptedInflux::start(script(&mut random), rules).await;
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), true);
    let readings = random_readings(&mut random);
    let mut keys = BTreeSet::new();
    for some in readings.chunks(random.random_range(1..60)) {
        commit(&mut store, some);
    }
    for one in &readings {
        let is_poison = one.value.get() == 13.5 || one.value.get() == 17.5;
        keys.insert((one.meter.clone(), one.at, is_poison));
    }
    let stored = day(
        0,
        date(2026, 10, 1),
        DAY_START_S,
        &[Some(1), None, Some(3), Some(4), Some(5)],
    );
    let row = total(&stored, Span::Day, DAY_START_S);
    let update = LedgerUpdate {
        days: std::slice::from_ref(&stored),
        rows: std::slice::from_ref(&row),
        ..LedgerUpdate::default()
    };
    store.write_ledger(update).unwrap();
    let tuning = Tuning {
        in_flight_max: random.random_range(1..4),
        request_timeout: Duration::from_millis(400),
        ..fast()
    };
    let settings = settings(&influx, random.random_range(3..40));
    let mut publisher = publisher(&store, &settings, tuning);
    let state = publisher.state();
    drain(&mut publisher).await;

    let poison = keys.iter().filter(|key| key.2).count();
    let outbox = Outbox::open(folder.path()).unwrap();
    let refused = outbox.refused_lines(usize::MAX).unwrap();
    assert_eq!(
        refused.len(),
        poison,
        "quarantined, seed {seed}: {refused:?}"
    );
    for (_, line, reason) in &refused {
        let (fits, status) = if line.contains("value=13.5 ") {
            (true, "(400)")
        } else {
            (line.contains("value=17.5 "), "(422)")
        };
        // A refused line beside a malformed one may be told as either, never as something else.
        let known = reason.contains(status) || reason.contains("(400)");
        assert!(fits && known, "seed {seed}: {line} {reason}");
    }
    let health = state.health();
    assert_eq!(health.queued, 0, "seed {seed}");
    assert_eq!(health.trouble, None, "seed {seed}");
    assert_eq!(health.quarantined_total, poison as u64, "seed {seed}");
    // Two ledger keys; every reading is published or quarantined.
    assert_eq!(
        health.published_total,
        (keys.len() - poison + 2) as u64,
        "seed {seed}"
    );
    let kept = influx.kept.lock().unwrap();
    let of = |bucket: &str| kept.points.keys().filter(|key| key.0 == bucket).count();
    assert_eq!(
        of("readings"),
        keys.len() - poison,
        "stored once each, seed {seed}"
    );
    // Four intervals, two hours, one day.
    assert_eq!(of("ledger"), 7, "seed {seed}");
    kept.requests.iter().map(|request| request.act).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_is_stored_once_or_quarantined_whatever_the_script() {
    let first: u64 = std::env::var("SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    println!("SEED={first}");
    let mut running = tokio::task::JoinSet::new();
    let mut acts = Vec::new();
    for seed in first..first + 240 {
        if running.len() >= 6 {
            acts.extend(running.join_next().await.unwrap().unwrap());
        }
        running.spawn(one_script(seed));
    }
    while let Some(done) = running.join_next().await {
        acts.extend(done.unwrap());
    }
    // The suite has met what it is there for.
    for act in [
        Act::Serve,
        Act::StoreThenReset,
        Act::Reset,
        Act::StoreThen500,
        Act::Refuse(429, Some(0)),
        Act::Refuse(401, None),
        Act::StoreThenHalfBody,
        Act::Hang,
        Act::StoreThenHang,
    ] {
        assert!(acts.contains(&act), "{act:?} never happened");
    }
}

#[tokio::test]
async fn a_retry_sends_the_same_bytes_not_before_it_may() {
    let script = [Act::Refuse(503, Some(1)), Act::StoreThenReset, Act::Serve];
    let influx = ScriptedInflux::start(script, Rules::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), true);
    let readings: Vec<Reading> = (0..50)
        .map(|at| reading(0, ENERGY, at, at as f64))
        .collect();
    commit(&mut store, &readings);
    drain(&mut publisher(&store, &settings(&influx, 5_000), fast())).await;
    let kept = influx.kept.lock().unwrap();
    assert_eq!(kept.requests.len(), 3);
    assert!(
        kept.requests
            .iter()
            .all(|request| request.body == kept.requests[0].body)
    );
    let waited = kept.requests[1].at - kept.requests[0].at;
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
    assert!(kept.requests[0].path.contains("precision=ms"));
    assert_eq!(kept.points.len(), 50);
}

#[tokio::test]
async fn order_is_kept_and_one_probe_is_made_at_a_time() {
    let script = [
        Act::Serve,
        Act::Refuse(503, None),
        Act::Refuse(503, None),
        Act::Serve,
    ];
    let influx = ScriptedInflux::start(script, Rules::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), true);
    for at in 0..100 {
        commit(&mut store, &[reading(0, ENERGY, at, at as f64)]);
    }
    let tuning = Tuning {
        in_flight_max: 1,
        ..fast()
    };
    drain(&mut publisher(&store, &settings(&influx, 7), tuning)).await;
    let kept = influx.kept.lock().unwrap();
    let times: Vec<i64> = kept
        .order
        .iter()
        .map(|key| key.rsplit_once(' ').unwrap().1.parse().unwrap())
        .collect();
    assert_eq!(times, (0..100).collect::<Vec<_>>());
    assert!(kept.requests.iter().all(|request| request.lines.len() <= 7));
}

#[tokio::test]
async fn a_restart_in_the_middle_loses_nothing() {
    let script = [Act::Serve, Act::Serve, Act::StoreThenHang];
    let influx = ScriptedInflux::start(script, Rules::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), true);
    let readings: Vec<Reading> = (0..90)
        .map(|at| reading(0, ENERGY, at, at as f64))
        .collect();
    commit(&mut store, &readings);
    let first = publisher(&store, &settings(&influx, 10), fast());
    let stop = CancellationToken::new();
    let running = tokio::spawn(first.run(stop.clone()));
    // The third write is on its way and will never be answered.
    let hanging = async {
        while influx.kept.lock().unwrap().requests.len() < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(CERTAIN, hanging).await.unwrap();
    stop.cancel();
    tokio::time::timeout(CERTAIN, running)
        .await
        .unwrap()
        .unwrap();
    let mut second = publisher(&store, &settings(&influx, 10), fast());
    let state = second.state();
    drain(&mut second).await;
    assert_eq!(influx.kept.lock().unwrap().points.len(), 90);
    assert_eq!(state.health().published_total, 90);
}

#[tokio::test]
async fn a_wrong_token_is_told_and_nothing_is_dropped() {
    let influx = ScriptedInflux::start(vec![Act::Refuse(401, None); 4], Rules::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), true);
    commit(&mut store, &[reading(0, ENERGY, 1, 1.0)]);
    let slow = Tuning {
        misconfigured_wait: Duration::from_secs(3_600),
        ..fast()
    };
    let blocked = publisher(&store, &settings(&influx, 10), slow);
    let state = blocked.state();
    let stop = CancellationToken::new();
    let running = tokio::spawn(blocked.run(stop.clone()));
    let told = async {
        while state.health().trouble.is_none() || state.health().queued == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(CERTAIN, told).await.unwrap();
    let trouble = state.health().trouble.unwrap();
    assert!(
        trouble.contains("token") && !trouble.contains(support::TOKEN),
        "{trouble}"
    );
    assert_eq!(state.health().queued, 1);
    stop.cancel();
    running.await.unwrap();
    drain(&mut publisher(&store, &settings(&influx, 10), fast())).await;
    assert_eq!(influx.kept.lock().unwrap().points.len(), 1);
}

#[tokio::test]
async fn a_full_outbox_collapses_to_days_that_are_published_from_the_store() {
    let influx = ScriptedInflux::start([], Rules::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let bounded = StoreOptions {
        outbox_bytes_max: 2_000,
        ..options(true)
    };
    let mut store = WorkingStore::open(folder.path(), bounded).unwrap();
    let mut readings = Vec::new();
    for step in 0..400_i64 {
        let number = usize::try_from(step % 3).unwrap();
        readings.push(reading(number, ENERGY, step * 600_000, step as f64));
    }
    for some in readings.chunks(10) {
        commit(&mut store, some);
    }
    let file = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    let one = |sql| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert!(one("SELECT sum(length(payload)) FROM outbox_reading") <= 2_000);
    assert!(one("SELECT count(*) FROM backlog") > 0);
    let mut publisher = publisher(&store, &settings(&influx, 16), fast());
    let state = publisher.state();
    drain(&mut publisher).await;
    assert_eq!(influx.kept.lock().unwrap().points.len(), 400);
    let health = state.health();
    assert_eq!(
        (health.published_total, health.queued, health.lag_s),
        (400, 0, 0)
    );
    assert_eq!(one("SELECT value FROM meta WHERE key = 'outbox_bytes'"), 0);

    // Everything once more, as `publish --all` does; what is published is never more than stored.
    store.outbox().unwrap().mark_all(clock()).unwrap();
    let before = influx.kept.lock().unwrap().requests.len();
    drain(&mut publisher).await;
    assert!(influx.kept.lock().unwrap().requests.len() > before);
    assert_eq!(state.health().published_total, 400);
}

#[tokio::test]
async fn unknown_meters_and_expired_readings_are_told_apart_and_not_sent() {
    let influx = ScriptedInflux::start([], Rules::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), true);
    let now_ms = clock().0;
    let readings = [
        reading(77, ENERGY, now_ms, 1.0),
        reading(1, ENERGY, now_ms - 40 * 86_400_000, 1.0),
        reading(1, ENERGY, now_ms, 1.0),
    ];
    commit(&mut store, &readings);
    let mut settings = settings(&influx, 10);
    settings.retention_readings = Duration::from_secs(30 * 86_400);
    let report = publisher(&store, &settings, fast())
        .drain(&CancellationToken::new())
        .await;
    assert_eq!(
        (report.lines, report.quarantined, report.expired),
        (1, 1, 1)
    );
    let refused = store.outbox().unwrap().refused_lines(9).unwrap();
    assert_eq!(refused[0].2, "unknown_meter");
    assert!(refused[0].1.contains("meter=meter-77"));
}

#[tokio::test]
async fn a_changed_day_sends_its_hours_and_erases_what_is_gone() {
    let influx = ScriptedInflux::start([], Rules::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), true);
    let mut write = |amounts: &[Option<i64>]| {
        let stored = day(0, date(2026, 10, 1), DAY_START_S, amounts);
        let update = LedgerUpdate {
            days: std::slice::from_ref(&stored),
            ..LedgerUpdate::default()
        };
        store.write_ledger(update).unwrap();
    };
    write(&[Some(1); 12]);
    let mut changed = [Some(1); 12];
    changed[4] = Some(9);
    write(&changed);
    let mut publisher = publisher(&open(folder.path(), true), &settings(&influx, 99), fast());
    drain(&mut publisher).await;
    assert_eq!(
        influx.kept.lock().unwrap().requests[0].lines.len(),
        15,
        "one key, sent once"
    );
    changed[5] = Some(8);
    write(&changed);
    drain(&mut publisher).await;
    {
        let kept = influx.kept.lock().unwrap();
        let lines = &kept.requests.last().unwrap().lines;
        assert_eq!(lines.len(), 5, "an hour and its intervals: {lines:?}");
        assert!(
            lines[1].starts_with(
                "energy,building=building-0,commodity=electricity,institution=xzzx,point=point-0,\
             span=interval,subitem=01A00 amount=0.008,amount_base=8,measured=0,interpolated=0,\
             estimated=0,manual=8,intervals_present=1,intervals_expected=1,kgce=0.0009832,\
             co2_kg=0.0041224,cost=0.00249876,cost_ncny=2498760i,\
             factor_set=\"grid-a+coal \\\"b\\\"\",tariff_set=\"tou \\\"b\\\"@2026-01-01\" "
            ),
            "{}",
            lines[1]
        );
        assert_eq!(kept.deletes.len(), 0);
    }
    changed[5] = None;
    write(&changed);
    drain(&mut publisher).await;
    let kept = influx.kept.lock().unwrap();
    assert_eq!(
        kept.deletes.len(),
        2,
        "intervals and hours: {:?}",
        kept.deletes
    );
    assert!(
        kept.deletes[0].contains(r#"span=\"interval\""#),
        "{}",
        kept.deletes[0]
    );
    assert_eq!(kept.requests.last().unwrap().lines.len(), 4);
}

#[tokio::test]
async fn lines_tell_which_points_make_no_total() {
    let influx = ScriptedInflux::start([], Rules::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), true);
    let days = [3, 6].map(|number| day(number, date(2026, 10, 1), DAY_START_S, &[Some(8); 4]));
    let rows = days
        .each_ref()
        .map(|day| total(day, Span::Day, DAY_START_S));
    let update = LedgerUpdate {
        rows: &rows,
        ..LedgerUpdate::default()
    };
    store.write_ledger(update).unwrap();
    drain(&mut publisher(&store, &settings(&influx, 99), fast())).await;
    let kept = influx.kept.lock().unwrap();
    let series: Vec<&str> = kept
        .points
        .keys()
        .map(|(_, key)| key.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        series,
        [
            "energy,building=building-0,commodity=electricity,institution=xzzx,point=point-6,\
             role=deducted,span=day,subitem=01A00",
            "energy,building=building-1,commodity=electricity,institution=xzzx,parent=point-0,\
             point=point-3,span=day,subitem=01A00",
        ]
    );
    // No price, no cost: the field is not there.
    assert!(!kept.requests[0].lines[0].contains("cost"), "{kept:?}");
}

#[tokio::test]
async fn a_better_copy_of_a_reading_is_published_after_it() {
    let influx = ScriptedInflux::start([], Rules::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), true);
    let mut poor = reading(0, ENERGY, 5, 1.0);
    poor.quality = ReadingQuality::ReceiveTime;
    commit(&mut store, &[poor]);
    commit(&mut store, &[reading(0, ENERGY, 5, 1.0)]);
    let mut publisher = publisher(&store, &settings(&influx, 1), fast());
    drain(&mut publisher).await;
    let kept = influx.kept.lock().unwrap();
    assert_eq!(kept.requests.len(), 2);
    assert_eq!(
        kept.points.values().collect::<Vec<_>>(),
        ["quality=0,value=1"]
    );
    assert_eq!(
        publisher.state().health().published_total,
        1,
        "one reading, sent twice"
    );
}

#[test]
fn secrets_are_in_no_debug_text() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), true);
    let publisher = publisher(&store, &support::settings("http://127.0.0.1:1"), fast());
    assert!(!format!("{publisher:?}").contains(support::TOKEN));
}
