//! The same laws over a real journal and a real store, with restarts.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "common/dice.rs"]
mod dice;
#[path = "common/site.rs"]
mod site;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use chrono::NaiveDate;
use dice::Dice;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use site::{PointSpec, aggregator, append, batch, books, journal_dir, options, until_idle};
use steward_aggregator::Aggregator;
use steward_aggregator::verify::closures;
use steward_books::{
    CloseProposal, CloseVerdict, Decision, Event, HandReading, Replacement, Undone, Verdict,
    Voided, sha256_hex,
};
use steward_config::Config;
use steward_journal::{Journal, JournalReader};
use steward_model::time::{day_start_s, next_period_date};
use steward_model::{
    AggregatorHealth, InstitutionId, MeterId, PointId, Quantity, Reading, ReadingQuality, Span,
    UtcMs, Value,
};
use steward_store::{StoreReader, store_dir};

/// 2026-12-31: every reading of the tests was received after it was made.
const RECEIVED: UtcMs = UtcMs(1_798_675_200_000);

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Two meters in succession with a ratio, one in a zone whose clocks change, and water.
fn points() -> Vec<PointSpec> {
    vec![
        PointSpec {
            id: "exchanged",
            building: "east",
            commodity: "electricity",
            meters: vec![
                ("old", "acrel-dtsd1352", 40, "2026-03-26", "2026-03-29"),
                ("new", "steward-json", 1, "2026-03-29", ""),
            ],
        },
        PointSpec {
            id: "berlin",
            building: "west",
            commodity: "electricity",
            meters: vec![("west", "steward-json", 1, "2026-03-25", "")],
        },
        PointSpec {
            id: "water",
            building: "east",
            commodity: "water",
            meters: vec![("tap", "steward-json-volume", 1, "2026-03-20", "")],
        },
    ]
}

const SERIES: [(&str, Quantity); 6] = [
    ("old", Quantity::EnergyImport),
    ("old", Quantity::Power),
    ("new", Quantity::EnergyImport),
    ("west", Quantity::EnergyImport),
    ("west", Quantity::Power),
    ("tap", Quantity::Volume),
];

fn reading(meter: &str, quantity: Quantity, at_ms: i64, value: f64) -> Reading {
    Reading {
        meter: MeterId::new(meter).unwrap(),
        quantity,
        at: UtcMs(at_ms),
        value: Value::new(value).unwrap(),
        quality: ReadingQuality::Good,
    }
}

/// Readings of all series over nine days around the change of Berlin's clocks and of a month.
fn readings() -> impl Strategy<Value = Vec<Reading>> {
    let step = (60_000_i64..40_000_000, 0_u32..90_000, 0_u32..25);
    let series = prop::collection::vec(step, 5..40);
    prop::collection::vec(series, SERIES.len()).prop_map(|all| {
        let start_ms = day_start_s(chrono_tz::Asia::Shanghai, date("2026-03-25")) * 1_000;
        let mut readings = Vec::new();
        for ((meter, quantity), steps) in SERIES.into_iter().zip(all) {
            let (mut at_ms, mut value) = (start_ms, 5_000.0);
            for (pause_ms, rise, oddity) in steps {
                // Power comes often enough to tell that a register stands still.
                let often = if quantity == Quantity::Power { 6 } else { 1 };
                at_ms += pause_ms / often;
                let stands_still = quantity != Quantity::Power && (2..9).contains(&oddity);
                value += f64::from(if stands_still { 0 } else { rise }) / 10.0;
                let shown = match oddity {
                    0 => value - 3_000.0,
                    1 => value + 9_000.0,
                    _ => value,
                };
                readings.push(reading(meter, quantity, at_ms, shown));
            }
        }
        // What the aggregator sets aside, each with its reason.
        readings.push(reading("nobody", Quantity::Power, start_ms, 1.0));
        readings.push(reading("tap", Quantity::EnergyImport, start_ms, 1.0));
        readings.push(reading("tap", Quantity::Volume, 86_400_000, 1.0));
        readings.push(reading("tap", Quantity::Volume, RECEIVED.0 + 400_000, 1.0));
        readings.push(reading("old", Quantity::EnergyImport, start_ms, 1e15));
        readings
    })
}

/// What people enter, wherever it leads: the ledger is the same whenever it is entered.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let start_ms = day_start_s(chrono_tz::Asia::Shanghai, date("2026-03-25")) * 1_000;
    let one = (
        0_u8..11,
        0_usize..SERIES.len(),
        0_i64..800_000_000,
        4_000.0..9_000.0_f64,
        0_u64..6,
    );
    let event = one.prop_map(move |(kind, series, after_ms, value, number)| {
        let (meter, quantity) = SERIES[series];
        let (meter, at) = (MeterId::new(meter).unwrap(), UtcMs(start_ms + after_ms));
        let value = value.round();
        match kind {
            0 | 1 => Event::MeterReplaced(Replacement {
                point: PointId::new("exchanged").unwrap(),
                // The books take one from the eve of the new meter's first day to that day.
                at: UtcMs(start_ms + 3 * 86_400_000 + after_ms % 86_400_000),
                old_meter: MeterId::new("old").unwrap(),
                old_last: value,
                new_meter: MeterId::new("new").unwrap(),
                new_first: value - 1_000.0,
            }),
            2 | 3 => Event::HandReading(HandReading {
                meter,
                quantity,
                at,
                value,
            }),
            4 => Event::ReadingsVoided(Voided {
                meter,
                quantity,
                from: at,
                to: UtcMs(at.0 + 90_000_000),
            }),
            5 => Event::Undone(Undone { seq: number + 1 }),
            6 => close_of_march(number),
            _ => Event::ReviewDecided(Decision {
                meter,
                quantity,
                at,
                verdict: match number {
                    0 => Verdict::Accept,
                    1 => Verdict::Rollover,
                    2 | 3 => Verdict::Restart,
                    _ => Verdict::Discard {
                        until: UtcMs(at.0 + 50_000_000),
                    },
                },
            }),
        }
    });
    prop::collection::vec(event, 0..6)
}

/// March with a price that no tariff has.
fn close_of_march(ncny_per_base: u64) -> Event {
    let content = format!(
        "{{\"prices\":{{\"days\":[{{\"tariff_set\":\"of the close\",\"runs\":\
         [{{\"intervals\":96,\"ncny_per_base\":{ncny_per_base}}}]}}],\
         \"points\":{{\"exchanged\":{:?}}}}}}}",
        [0; 31]
    );
    Event::CloseProposed(CloseProposal {
        institution: InstitutionId::new("i").unwrap(),
        month: "2026-03".to_owned(),
        revision: 1,
        content_sha256: sha256_hex(&content),
        content,
        checklist: "[]".to_owned(),
    })
}

/// Decisions are about readings that exist: their instants are moved to the next one.
fn about_readings(events: Vec<Event>, readings: &[Reading]) -> Vec<Event> {
    let mut events = events;
    for event in &mut events {
        if let Event::ReviewDecided(decision) = event {
            let of_series = readings.iter().filter(|reading| {
                reading.meter == decision.meter && reading.quantity == decision.quantity
            });
            let next = of_series
                .map(|reading| reading.at)
                .find(|at| *at >= decision.at);
            decision.at = next.unwrap_or(decision.at);
        }
    }
    events
}

/// Enters what the rules of the books take; answers what they took. A month that is proposed is
/// approved at once.
fn enter(dir: &Path, events: &[Event]) -> Vec<Event> {
    let books = books(dir);
    let taken = events.iter().filter(|event| {
        let entered = books.append("Zhang", "a law", (*event).clone(), RECEIVED);
        if let (Ok(entry), Event::CloseProposed(_)) = (&entered, event) {
            let proposal = entry.seq;
            let verdict = Event::CloseApproved(CloseVerdict { proposal });
            books.append("Li", "a law", verdict, RECEIVED).unwrap();
        }
        entered.is_ok()
    });
    taken.cloned().collect()
}

/// Everything that the ledger says, as text.
fn dump(aggregator: &Aggregator, config: &Config) -> String {
    let mut text = String::new();
    for point in config.registry.points.values() {
        let zone = config.registry.zone_of(point).unwrap();
        let mut day = date("2026-03-01");
        while day < date("2026-06-01") {
            if let Some(stored) = aggregator.store().day(&point.id, day).unwrap() {
                writeln!(text, "{stored:?}").unwrap();
            }
            day = next_period_date(Span::Day, day);
        }
        let from_s = day_start_s(zone, date("2026-01-01"));
        let to_s = day_start_s(zone, date("2027-01-01"));
        for span in [Span::Day, Span::Month, Span::Year] {
            let rows = aggregator
                .store()
                .ledger_rows(&point.id, span, from_s, to_s);
            for row in rows.unwrap() {
                writeln!(text, "{row:?}").unwrap();
            }
        }
        let (from, to) = (UtcMs(from_s * 1_000), UtcMs(to_s * 1_000));
        for finding in aggregator.store().findings(&point.id, from, to).unwrap() {
            writeln!(text, "{finding:?}").unwrap();
        }
        for fill in aggregator.store().fills(&point.id, from, to).unwrap() {
            writeln!(text, "{fill:?}").unwrap();
        }
    }
    text
}

fn amount(aggregator: &Aggregator, config: &Config, point: &str, span: Span) -> i64 {
    let point = PointId::new(point).unwrap();
    let zone = config
        .registry
        .zone_of(&config.registry.points[&point])
        .unwrap();
    let from_s = day_start_s(zone, date("2026-01-01"));
    let to_s = day_start_s(zone, date("2027-01-01"));
    let rows = aggregator
        .store()
        .ledger_rows(&point, span, from_s, to_s)
        .unwrap();
    rows.iter().map(|row| row.amount_base).sum()
}

/// Everything in one batch, in order, without a stop.
fn in_one_go(dir: &Path, config: &Arc<Config>, readings: &[Reading]) -> Aggregator {
    let (journal, writer) = Journal::open(&journal_dir(dir), options()).unwrap();
    append(&journal, [batch(RECEIVED, readings.to_vec())]);
    writer.stop();
    let mut aggregator = aggregator(dir, config);
    until_idle(&mut aggregator);
    aggregator
}

/// Any order, copies, batches of any size, and restarts of everything at any step.
fn in_pieces(
    dir: &Path,
    config: &Arc<Config>,
    readings: &[Reading],
    events: &[Event],
    dice: &mut Dice,
) -> Aggregator {
    let mut events = events.iter();
    let mut pieces = readings.to_vec();
    pieces.extend(readings.iter().filter(|_| dice.one_in(4)).cloned());
    if dice.one_in(2) {
        dice.shuffle(&mut pieces);
    } else {
        pieces.sort_by_key(|reading| reading.at);
    }
    let (mut journal, mut writer) = Journal::open(&journal_dir(dir), options()).unwrap();
    let mut running = aggregator(dir, config);
    let mut rest = pieces.as_slice();
    while !rest.is_empty() {
        let (part, later) = rest.split_at((1 + dice.below(60)).min(rest.len()));
        let batches = part.chunks(1 + dice.below(10));
        append(&journal, batches.map(|part| batch(RECEIVED, part.to_vec())));
        if dice.one_in(3)
            && let Some(event) = events.next()
        {
            assert_eq!(enter(dir, std::slice::from_ref(event)).len(), 1);
        }
        for _ in 0..dice.below(4) {
            running.step().unwrap();
        }
        if dice.one_in(4) {
            drop(running);
            running = aggregator(dir, config);
        }
        if dice.one_in(8) {
            writer.stop();
            (journal, writer) = Journal::open(&journal_dir(dir), options()).unwrap();
        }
        rest = later;
    }
    writer.stop();
    until_idle(&mut running);
    for event in events {
        assert_eq!(enter(dir, std::slice::from_ref(event)).len(), 1);
        if dice.one_in(2) {
            until_idle(&mut running);
        }
    }
    // A start looks at the books at once.
    drop(running);
    let mut running = aggregator(dir, config);
    until_idle(&mut running);
    running
}

/// stored + duplicates + quarantined = received, and the health says the same as the store.
fn counts_add_up(aggregator: &Aggregator, received: u64) {
    let counts = aggregator.store().counts().unwrap();
    let AggregatorHealth {
        stored_total,
        duplicates_total,
        quarantined_total,
        queued,
        dirty_days,
        ..
    } = aggregator.health();
    assert_eq!(
        counts.stored_new + counts.duplicates + counts.quarantined,
        received
    );
    assert_eq!(stored_total, counts.stored_new + counts.duplicates);
    assert_eq!(duplicates_total, counts.duplicates);
    assert_eq!(quarantined_total, counts.quarantined);
    assert_eq!((queued, dirty_days), (0, 0));
}

fn config_of_proptest() -> ProptestConfig {
    ProptestConfig {
        // Each case writes several databases with real syncs.
        cases: std::env::var("PROPTEST_CASES")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(48),
        max_shrink_iters: 200,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/whole_line.proptest-regressions",
        ))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config_of_proptest())]

    #[test]
    fn pieces_restarts_rebuild_and_replay_give_the_same_ledger(
        readings in readings(),
        events in events(),
        seed in any::<u64>(),
    ) {
        let mut dice = Dice(seed);
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let config = site::site(one.path(), &points());
        let events = enter(one.path(), &about_readings(events, &readings));
        let expected = in_one_go(one.path(), &config, &readings);
        let text = dump(&expected, &config);
        counts_add_up(&expected, readings.len() as u64);
        prop_assert_eq!(expected.health().quarantined_total, 5);

        let mut pieces = in_pieces(other.path(), &config, &readings, &events, &mut dice);
        prop_assert_eq!(&dump(&pieces, &config), &text);
        let received = JournalReader::open(&journal_dir(other.path())).unwrap().counts().unwrap();
        counts_add_up(&pieces, received.received);

        pieces.rebuild().unwrap();
        until_idle(&mut pieces);
        prop_assert_eq!(&dump(&pieces, &config), &text, "rebuilt from the readings");
        drop(pieces);

        std::fs::remove_dir_all(store_dir(other.path())).unwrap();
        let mut replayed = aggregator(other.path(), &config);
        until_idle(&mut replayed);
        prop_assert_eq!(&dump(&replayed, &config), &text, "replayed from the journal");

        proof_holds(one.path(), &config);
        proof_holds(other.path(), &config);
    }
}

/// What `steward verify` proves, over the same stores.
fn proof_holds(dir: &Path, config: &Config) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let reader = StoreReader::open(&store_dir(dir));
    let state = books(dir).state().unwrap();
    let closures = runtime.block_on(closures(config, &state, &reader)).unwrap();
    assert!(
        (4..=5).contains(&closures.len()),
        "one a series, one a formula"
    );
    for closure in closures {
        assert!(closure.holds(), "{closure}");
    }
}

#[test]
fn a_reading_that_stands_in_the_books_alone_is_known_whenever_it_was_entered() {
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = site::site(before.path(), &points());
    let day_ms = day_start_s(chrono_tz::Asia::Shanghai, date("2026-03-26")) * 1_000;
    // The new meter never answered since it came.
    let readings = [
        reading("old", Quantity::EnergyImport, day_ms, 100.0),
        reading("new", Quantity::EnergyImport, day_ms, 7.0),
    ];
    let note = [Event::HandReading(HandReading {
        meter: MeterId::new("new").unwrap(),
        quantity: Quantity::EnergyImport,
        at: UtcMs(day_ms + 4 * 86_400_000),
        value: 6_241.0,
    })];
    enter(before.path(), &note);
    let known = dump(&in_one_go(before.path(), &config, &readings), &config);
    assert!(known.contains("ExchangeWithoutRegisters"), "{known}");
    let mut later = in_one_go(after.path(), &config, &readings);
    enter(after.path(), &note);
    drop(later);
    later = aggregator(after.path(), &config);
    until_idle(&mut later);
    assert_eq!(dump(&later, &config), known);
    later.rebuild().unwrap();
    until_idle(&mut later);
    assert_eq!(dump(&later, &config), known, "made anew");
}

#[test]
fn power_that_comes_late_shows_that_a_register_stood_still() {
    let (at_once, late) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = site::site(at_once.path(), &points());
    let day_ms = day_start_s(chrono_tz::Asia::Shanghai, date("2026-03-26")) * 1_000;
    let quarter = |index: i64| day_ms + index * 900_000;
    let stuck: Vec<Reading> = (0..150)
        .map(|index| reading("old", Quantity::EnergyImport, quarter(index), 100_000.0))
        .collect();
    let power: Vec<Reading> = (0..150)
        .map(|index| reading("old", Quantity::Power, quarter(index), 5_000.0))
        .collect();
    let all: Vec<Reading> = stuck.iter().chain(&power).cloned().collect();
    let known = dump(&in_one_go(at_once.path(), &config, &all), &config);
    assert_eq!(known.matches("Frozen").count(), 2, "one a day: {known}");
    let without = in_one_go(late.path(), &config, &stuck);
    assert!(!dump(&without, &config).contains("Frozen"));
    drop(without);
    let with = in_one_go(late.path(), &config, &power);
    assert_eq!(dump(&with, &config), known);
}

#[test]
fn a_day_belongs_to_one_meter_and_shows_its_factor() {
    let dir = tempfile::tempdir().unwrap();
    let config = site::site(dir.path(), &points());
    let midnight_ms = day_start_s(chrono_tz::Asia::Shanghai, date("2026-03-29")) * 1_000;
    let hour = |hours: i64| midnight_ms + hours * 3_600_000;
    let readings = [
        reading("old", Quantity::EnergyImport, hour(-2), 100.0),
        reading("old", Quantity::EnergyImport, hour(0), 110.0),
        // After its service: kept as a reading, no ledger.
        reading("old", Quantity::EnergyImport, hour(1), 500.0),
        // Before its service.
        reading("new", Quantity::EnergyImport, hour(-1), 1.0),
        reading("new", Quantity::EnergyImport, hour(0), 7.0),
        reading("new", Quantity::EnergyImport, hour(2), 1_007.0),
    ];
    let aggregator = in_one_go(dir.path(), &config, &readings);
    let point = PointId::new("exchanged").unwrap();
    let day = |text| aggregator.store().day(&point, date(text)).unwrap().unwrap();
    let (before, after) = (day("2026-03-28"), day("2026-03-29"));
    let sum = |day: &steward_store::StoredDay| {
        let amounts = day.day.intervals.iter().flatten();
        amounts.map(|one| one.amount_base).sum::<i64>()
    };
    assert_eq!(sum(&before), 10 * 40);
    assert_eq!(sum(&after), 1_000);
    assert_eq!(after.carry.unwrap().register_base, 1_007);
    let rows = aggregator
        .store()
        .ledger_rows(&point, Span::Year, 0, RECEIVED.seconds_floor())
        .unwrap();
    assert_eq!(rows.len(), 1);
    let year = &rows[0];
    assert_eq!(year.amount_base, 1_400);
    assert_eq!(year.intervals_expected, 365 * 96);
    assert_eq!(year.co2_ug, after.co2_ug_per_base.map(|ug| ug * 1_400));
    assert!(year.co2_ug.unwrap() > 0 && year.kgce_ug.unwrap() > 0);
    assert!(!year.factor_set.is_empty());
    assert_eq!(aggregator.store().counts().unwrap().stored_new, 6);
}

#[test]
fn the_loop_stops_when_told_and_reports_its_health() {
    let dir = tempfile::tempdir().unwrap();
    let config = site::site(dir.path(), &points());
    let (journal, writer) = Journal::open(&journal_dir(dir.path()), options()).unwrap();
    let start_ms = day_start_s(chrono_tz::Asia::Shanghai, date("2026-04-01")) * 1_000;
    let water = [
        reading("tap", Quantity::Volume, start_ms, 5.0),
        reading("tap", Quantity::Volume, start_ms + 60_000, 9.0),
    ];
    append(&journal, [batch(RECEIVED, water.to_vec())]);
    let aggregator_thread = aggregator(dir.path(), &config);
    let stop = tokio_util::sync::CancellationToken::new();
    let health = Arc::new(Mutex::new(AggregatorHealth::default()));
    let thread = std::thread::spawn({
        let (stop, health) = (stop.clone(), Arc::clone(&health));
        move || steward_aggregator::run(aggregator_thread, &stop, &health)
    });
    loop {
        let seen = health.lock().unwrap().clone();
        if seen.stored_total == 2 && seen.dirty_days == 0 {
            break;
        }
        std::thread::yield_now();
    }
    stop.cancel();
    thread.join().unwrap().unwrap();
    writer.stop();
    let again = aggregator(dir.path(), &config);
    assert_eq!(amount(&again, &config, "water", Span::Day), 4);
    let point = PointId::new("water").unwrap();
    let rows = again
        .store()
        .ledger_rows(&point, Span::Month, 0, RECEIVED.seconds_floor());
    assert_eq!(rows.unwrap()[0].co2_ug, None, "water counts no CO2");
}
