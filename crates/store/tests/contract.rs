//! One suite over both stores: the same writes, the same answers. And the real InfluxDB where the
//! scripted one must agree with it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_wrap)]

mod support;

use std::time::Duration;

use chrono::Utc;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use steward_config::InfluxSettings;
use steward_model::{LedgerRow, PriceRun, Quantity, Reading, ReadingQuality, Span, UtcMs, Value};
use steward_store::influx::{self, InfluxError, InfluxReader, Publisher, publish_all};
use steward_store::{FindingFilter, LedgerUpdate, Source, StoreError, StoreReader, WorkingStore};
use support::influxd::Influxd;
use support::scripted::CERTAIN;
use support::{commit, date, day, fast, meter, open, point, reading, tags, total};
use tokio_util::sync::CancellationToken;

const ENERGY: Quantity = Quantity::EnergyImport;
const POWER: Quantity = Quantity::Frequency;
const DAY_S: i64 = 86_400;

fn now() -> UtcMs {
    UtcMs::from_datetime(Utc::now())
}

fn settings_of(server: &Influxd) -> InfluxSettings {
    support::settings(&server.url())
}

async fn publish(store: &WorkingStore, settings: &InfluxSettings) -> Publisher {
    let outbox = store.outbox().unwrap();
    let mut publisher = Publisher::new(outbox, settings, tags(), now, fast()).unwrap();
    let stop = CancellationToken::new();
    tokio::time::timeout(CERTAIN, publisher.drain(&stop))
        .await
        .unwrap();
    publisher
}

/// What both stores are given, and what they must answer.
struct World {
    readings: Vec<Reading>,
    rows: Vec<LedgerRow>,
}

const READINGS_START_MS: i64 = 1_790_000_000_123;

fn write(store: &mut WorkingStore) -> World {
    let mut random = StdRng::seed_from_u64(3);
    let mut readings = Vec::new();
    for number in 0..3 {
        for quantity in [ENERGY, POWER] {
            for step in 0..200 {
                let at = READINGS_START_MS + step * 60_000 + i64::from(random.random_range(0..9));
                let value = match step {
                    0 => 1e-300,
                    1 => -0.1,
                    2 => 9_007_199_254_740_991.0,
                    3 => 1.5e22,
                    _ => random.random_range(0.0..1e9),
                };
                let mut one = reading(number, quantity, at, value);
                if step % 7 == 0 {
                    one.quality = ReadingQuality::ReceiveTime;
                }
                readings.push(one);
            }
        }
    }
    commit(store, &readings);
    let mut rows = Vec::new();
    for (number, first) in [
        (0, date(2026, 9, 30)),
        (3, date(2026, 9, 30)),
        (7, date(2026, 10, 1)),
    ] {
        for days in 0..3_u64 {
            let date = first + chrono::Days::new(days);
            let start_s = date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp() - 8 * 3_600;
            let mut amounts: Vec<Option<i64>> = (0..96)
                .map(|_| Some(random.random_range(-5..90_000)))
                .collect();
            amounts[usize::try_from(days).unwrap()..8].fill(None);
            // The largest whole number that a float holds with all its neighbours.
            amounts[20] = (number == 7).then_some((1 << 53) - 96 * 90_000);
            let stored = day(number, date, start_s, &amounts);
            let day_row = total(&stored, Span::Day, start_s);
            let month_row = total(&stored, Span::Month, start_s);
            let update = LedgerUpdate {
                days: std::slice::from_ref(&stored),
                rows: &[day_row.clone(), month_row.clone()],
                ..LedgerUpdate::default()
            };
            store.write_ledger(update).unwrap();
            rows.extend([day_row, month_row]);
        }
    }
    rows.sort_by_key(|row| (row.start_s, row.point.clone()));
    let cost_max = rows.iter().filter_map(|row| row.cost_ncny).max().unwrap();
    assert!(cost_max > 1 << 53, "a cost is more than a float holds");
    assert!(rows.iter().any(|row| row.cost_ncny.is_none()));
    World { readings, rows }
}

/// The suite: every answer is compared with what was written.
async fn contract(source: &Source, world: &World) {
    readings_contract(source, world).await;
    ledger_contract(source, world).await;
}

async fn readings_contract(source: &Source, world: &World) {
    let all = (UtcMs(0), UtcMs(i64::MAX));
    for number in 0..4 {
        for quantity in [ENERGY, POWER] {
            let mut expected: Vec<Reading> = world.readings.clone();
            expected.retain(|one| one.meter == meter(number) && one.quantity == quantity);
            let ask = async |from, to, limit| {
                source
                    .readings(&meter(number), quantity, from, to, limit)
                    .await
                    .unwrap()
            };
            assert_eq!(ask(all.0, all.1, usize::MAX).await, expected);
            assert_eq!(
                ask(all.0, all.1, 5).await,
                expected[..expected.len().min(5)]
            );
            assert_eq!(ask(all.0, all.1, 0).await, []);
            if let (Some(from), Some(to)) = (expected.get(3), expected.get(9)) {
                assert_eq!(
                    ask(from.at, to.at, 99).await,
                    expected[3..9],
                    "to is exclusive"
                );
                assert_eq!(ask(to.at, from.at, 99).await, []);
                assert_eq!(ask(UtcMs(from.at.0 + 1), to.at, 99).await, expected[4..9]);
            }
        }
    }
    let latest = source
        .latest(&[meter(2), meter(5), meter(0)])
        .await
        .unwrap();
    let expected: Vec<Reading> = [(2, ENERGY), (2, POWER), (0, ENERGY), (0, POWER)]
        .into_iter()
        .map(|(number, quantity)| {
            let mut series = world.readings.iter();
            series
                .rfind(|one| one.meter == meter(number) && one.quantity == quantity)
                .cloned()
                .unwrap()
        })
        .collect();
    assert_eq!(latest, expected);
    assert_eq!(source.latest(&[]).await.unwrap(), []);
}

async fn ledger_contract(source: &Source, world: &World) {
    let points = [point(7), point(0), point(3), point(6)];
    let start_s = world.rows[0].start_s;
    let end_s = start_s + 9 * DAY_S;
    for span in [Span::Day, Span::Month] {
        let ask = async |points, from, to| source.ledger(points, span, from, to).await.unwrap();
        let of = |rows: &[LedgerRow]| -> Vec<LedgerRow> {
            rows.iter()
                .filter(|row| row.span == span)
                .cloned()
                .collect()
        };
        assert_eq!(
            ask(&points, start_s, end_s).await,
            of(&world.rows),
            "{span:?}"
        );
        let second_day: Vec<LedgerRow> = of(&world.rows)
            .into_iter()
            .filter(|row| row.start_s == start_s + DAY_S)
            .collect();
        assert_eq!(
            ask(&points, start_s + DAY_S, start_s + 2 * DAY_S).await,
            second_day
        );
        assert_eq!(ask(&points, start_s + 1, start_s + DAY_S).await, []);
        assert_eq!(ask(&points, end_s, start_s).await, []);
        assert_eq!(ask(&[], start_s, end_s).await, []);
        assert_eq!(ask(&[point(6)], start_s, end_s).await, []);
    }
    // Intervals and hours sum to the days, in energy, coal and CO2, exactly.
    for span in [Span::Interval, Span::Hour] {
        for day in world.rows.iter().filter(|row| row.span == Span::Day) {
            let points = [day.point.clone()];
            let end_s = day.start_s + DAY_S;
            let rows = source
                .ledger(&points, span, day.start_s, end_s)
                .await
                .unwrap();
            let sum = |of: fn(&LedgerRow) -> i64| rows.iter().map(of).sum::<i64>();
            assert_eq!(sum(|row| row.amount_base), day.amount_base);
            assert_eq!(
                sum(|row| row.shares.estimated_base),
                day.shares.estimated_base
            );
            assert_eq!(sum(|row| row.co2_ug.unwrap_or(0)), day.co2_ug.unwrap_or(0));
            assert_eq!(
                sum(|row| row.kgce_ug.unwrap_or(0)),
                day.kgce_ug.unwrap_or(0)
            );
            assert_eq!(sum(|row| row.shares.manual_base), day.shares.manual_base);
            // A cost is known where that of every part is.
            let costs: Option<Vec<i64>> = rows.iter().map(|row| row.cost_ncny).collect();
            assert_eq!(costs.map(|costs| costs.iter().sum()), day.cost_ncny);
            assert!(rows.iter().all(|row| row.tariff_set == day.tariff_set));
            assert_eq!(
                sum(|row| i64::from(row.intervals_present)),
                i64::from(day.intervals_present)
            );
            assert!(rows.iter().all(|row| row.factor_set == day.factor_set));
            assert!(rows.is_sorted_by_key(|row| row.start_s));
        }
    }
}

#[tokio::test]
async fn the_working_store_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    let world = write(&mut store);
    contract(&Source::Working(StoreReader::open(folder.path())), &world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn influxdb_keeps_the_contract() {
    let server = Influxd::start().await;
    let settings = settings_of(&server);
    let report = influx::setup(&settings).await.unwrap();
    assert!(
        report.password.is_some() && !report.changes.is_empty(),
        "{report:?}"
    );
    let again = influx::setup(&settings).await.unwrap();
    assert!(
        again.changes.is_empty() && again.password.is_none(),
        "{again:?}"
    );

    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), true);
    let world = write(&mut store);
    let publisher = publish(&store, &settings).await;
    let health = publisher.state().health();
    assert_eq!(
        (health.queued, health.quarantined_total, health.trouble),
        (0, 0, None)
    );
    let source = Source::Influx(InfluxReader::new(&settings).unwrap());
    contract(&source, &world).await;
    let findings = source.findings(FindingFilter::default()).await;
    assert!(matches!(findings, Err(StoreError::NotPublished(_))));
    let days = source.day(&point(0), date(2026, 10, 1)).await.unwrap_err();
    assert!(days.to_string().contains("beside the aggregator"), "{days}");
    // Sent again as a whole, by another publisher: the same points.
    let stop = CancellationToken::new();
    let report = publish_all(folder.path(), &settings, tags(), now, &stop)
        .await
        .unwrap();
    assert!(report.lines > 1_200, "{report:?}");
    contract(&source, &world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn intervals_that_are_gone_are_gone_in_influxdb() {
    let server = Influxd::start().await;
    let settings = settings_of(&server);
    influx::setup(&settings).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), true);
    let start_s = support::DAY_START_S;
    let working = Source::Working(StoreReader::open(folder.path()));
    let published = Source::Influx(InfluxReader::new(&settings).unwrap());
    let mut amounts = vec![Some(5); 96];
    for step in 0..5 {
        if step == 1 {
            amounts[4..9].fill(None);
        }
        let mut stored = day(0, date(2026, 10, 1), start_s, &amounts);
        if step == 2 {
            // An hour without a price has no cost, and no day that holds it.
            stored.prices[1].intervals -= 4;
            stored.prices.push(PriceRun {
                intervals: 4,
                ncny_per_base: None,
            });
        }
        if step == 3 {
            (stored.prices, stored.kgce_ug_per_base) = (Vec::new(), None);
            (stored.tariff_set, stored.factor_set) = (String::new(), String::new());
        }
        let row = total(&stored, Span::Day, start_s);
        let update = LedgerUpdate {
            days: std::slice::from_ref(&stored),
            rows: &[row],
            ..LedgerUpdate::default()
        };
        let removed = LedgerUpdate {
            removed_days: &[(point(0), date(2026, 10, 1))],
            ..LedgerUpdate::default()
        };
        store
            .write_ledger(if step < 4 { update } else { removed })
            .unwrap();
        publish(&store, &settings).await;
        for span in [Span::Interval, Span::Hour, Span::Day] {
            let end_s = start_s + DAY_S;
            let expected = working
                .ledger(&[point(0)], span, start_s, end_s)
                .await
                .unwrap();
            let found = published
                .ledger(&[point(0)], span, start_s, end_s)
                .await
                .unwrap();
            assert_eq!(found, expected, "step {step}, {span:?}");
            assert_eq!(found.is_empty(), step == 4);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_influxdb_that_comes_back_has_everything_once() {
    let mut server = Influxd::start().await;
    let settings = InfluxSettings {
        batch_lines_max: 100,
        ..settings_of(&server)
    };
    influx::setup(&settings).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), true);
    let outbox = store.outbox().unwrap();
    let publisher = Publisher::new(outbox, &settings, tags(), now, fast()).unwrap();
    let state = publisher.state();
    let stop = CancellationToken::new();
    let running = tokio::spawn(publisher.run(stop.clone()));
    let base_ms = now().0 - 7_200_000;
    let mut count = 0;
    for round in 0..4 {
        for _ in 0..10 {
            let readings: Vec<Reading> = (count..count + 300)
                .map(|step| reading(0, ENERGY, base_ms + step, step as f64))
                .collect();
            commit(&mut store, &readings);
            count += 300;
        }
        if round < 3 {
            // In the middle of writes, or before the first of a round.
            server.kill();
            if round == 1 {
                let down = async {
                    while state.health().trouble.is_none() {
                        tokio::task::yield_now().await;
                    }
                };
                tokio::time::timeout(CERTAIN, down).await.unwrap();
            }
            server.start_again().await;
        }
    }
    let published = async {
        while state.health().queued > 0 || state.health().published_total < count.unsigned_abs() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(CERTAIN, published).await.unwrap();
    stop.cancel();
    running.await.unwrap();
    let reader = InfluxReader::new(&settings).unwrap();
    let all = reader
        .readings(&meter(0), ENERGY, UtcMs(0), UtcMs(i64::MAX), usize::MAX)
        .await
        .unwrap();
    assert_eq!(all.len() as i64, count);
    let in_order = all.iter().enumerate().all(|(step, one)| {
        one.at.0 == base_ms + step as i64 && one.value == Value::new(step as f64).unwrap()
    });
    assert!(in_order);
    assert_eq!(state.health().quarantined_total, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_server_refuses_as_the_script_does() {
    let server = Influxd::start().await;
    let mut on_server = settings_of(&server);
    on_server.retention_readings = Duration::from_secs(30 * 86_400);
    influx::setup(&on_server).await.unwrap();

    // 422: the server keeps thirty days, our settings say for ever; the rest is stored.
    let settings = settings_of(&server);
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), true);
    let old_ms = now().0 - 60 * 86_400_000;
    let readings: Vec<Reading> = (0..40)
        .map(|step| {
            let at = if step % 8 == 3 {
                old_ms
            } else {
                now().0 - 1_000_000
            };
            reading(0, ENERGY, at + step, step as f64)
        })
        .collect();
    commit(&mut store, &readings);
    let publisher = publish(&store, &settings).await;
    let health = publisher.state().health();
    assert_eq!((health.published_total, health.quarantined_total), (35, 5));
    let refused = store.outbox().unwrap().refused_lines(99).unwrap();
    assert!(
        refused
            .iter()
            .all(|(_, _, reason)| reason.contains("(422)")),
        "{refused:?}"
    );
    let reader = InfluxReader::new(&settings).unwrap();
    let all = (UtcMs(0), UtcMs(i64::MAX));
    let found = reader
        .readings(&meter(0), ENERGY, all.0, all.1, 99)
        .await
        .unwrap();
    assert_eq!(found.len(), 35);

    // 401 and 404: nothing is dropped, and the sentence says what to mend.
    commit(&mut store, &[reading(0, ENERGY, now().0, 99.0)]);
    for (wrong, word) in [
        (
            InfluxSettings {
                token: steward_config::Secret::new("wrong"),
                ..settings.clone()
            },
            "token",
        ),
        (
            InfluxSettings {
                bucket_readings: "nowhere".to_owned(),
                ..settings.clone()
            },
            "bucket",
        ),
        (
            InfluxSettings {
                org: "nobody".to_owned(),
                ..settings.clone()
            },
            "organisation",
        ),
    ] {
        let outbox = store.outbox().unwrap();
        let blocked = Publisher::new(outbox, &wrong, tags(), now, fast()).unwrap();
        let state = blocked.state();
        let stop = CancellationToken::new();
        let running = tokio::spawn(blocked.run(stop.clone()));
        let told = async {
            while state.health().trouble.is_none() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(CERTAIN, told).await.unwrap();
        let trouble = state.health().trouble.unwrap();
        assert!(trouble.contains(word), "{trouble}");
        stop.cancel();
        running.await.unwrap();
    }
    let published = publish(&store, &settings).await.state().health();
    assert_eq!((published.published_total, published.queued), (36, 0));

    // Retention is changed where it differs.
    let report = influx::setup(&settings).await.unwrap();
    assert!(report.changes[0].contains("retention"), "{report:?}");
    assert!(influx::setup(&settings).await.unwrap().changes.is_empty());

    // A query that is refused is an error, not an empty answer.
    let wrong = InfluxSettings {
        token: steward_config::Secret::new("wrong"),
        ..settings
    };
    let refused = InfluxReader::new(&wrong)
        .unwrap()
        .latest(&[meter(0)])
        .await
        .unwrap_err();
    assert!(format!("{refused:?}").contains("401"), "{refused:?}");
}

#[tokio::test]
async fn setup_speaks_http_only_and_says_what_to_do() {
    let settings = support::settings("https://127.0.0.1:1");
    let error = influx::setup(&settings).await.unwrap_err();
    assert!(matches!(error, InfluxError::SetupNeedsHttp));
    assert!(error.to_string().contains("http URL"), "{error}");
    for (url, word) in [
        ("influx", "parsed"),
        ("ftp://x", "http"),
        ("http://a:b@c", "password"),
    ] {
        let error = influx::setup(&support::settings(url))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(word) && !error.contains("a:b"), "{error}");
    }
}
