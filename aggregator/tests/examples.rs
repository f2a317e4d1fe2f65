//! Single stories over a real journal and a real store.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "common/line.rs"]
mod line;
#[path = "common/site.rs"]
mod site;

use std::sync::{Arc, Mutex};

use line::{RECEIVED, amount, date, dump, enter, in_one_go, points, reading};
use site::{aggregator, append, batch, journal_dir, options, until_idle};
use steward_books::{Event, HandReading, OtherRegister, Replacement};
use steward_journal::Journal;
use steward_model::time::day_start_s;
use steward_model::{AggregatorHealth, MeterId, PointId, Quantity, Reading, Span, UtcMs};

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
fn the_other_registers_of_an_exchange_carry_a_feed_in_on() {
    let day_ms = day_start_s(chrono_tz::Asia::Shanghai, date("2026-03-28")) * 1_000;
    let hour = |hours: i64| day_ms + hours * 3_600_000;
    let export = Quantity::EnergyExport;
    let readings = [
        reading("old", export, hour(8), 100.0),
        reading("old", export, hour(9), 110.0),
        reading("new", export, hour(11), 8.0),
    ];
    let stated = OtherRegister {
        quantity: export,
        old_last: 115.0,
        new_first: 3.0,
    };
    // Forty times what the old register shows, once what the new one does.
    for (others, expected, asks) in [
        (vec![stated], 15 * 40 + 5, false),
        (Vec::new(), 10 * 40, true),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let config = site::site(dir.path(), &points());
        let exchange = Event::MeterReplaced(Replacement {
            point: PointId::new("exchanged").unwrap(),
            at: UtcMs(hour(10)),
            old_meter: MeterId::new("old").unwrap(),
            old_last: 1_000.0,
            new_meter: MeterId::new("new").unwrap(),
            new_first: 0.0,
            others,
        });
        assert_eq!(enter(dir.path(), &[exchange]).len(), 1);
        let aggregator = in_one_go(dir.path(), &config, &readings);
        assert_eq!(amount(&aggregator, &config, "back", Span::Day), expected);
        let text = dump(&aggregator, &config);
        assert_eq!(text.contains("ExchangeWithoutRegisters"), asks);
    }
}

#[test]
fn a_replacement_entered_late_is_felt_by_all_readings_above_its_closing_register() {
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = site::site(before.path(), &points());
    let day_ms = day_start_s(chrono_tz::Asia::Shanghai, date("2026-03-26")) * 1_000;
    let readings: Vec<Reading> = (0..60)
        .map(|hour| {
            // From the second morning on it shows more than it will be said to have ended at.
            let shown = 100.0 + f64::from(hour) * if hour < 30 { 1.0 } else { 2.0 };
            let at_ms = day_ms + i64::from(hour) * 3_600_000;
            reading("old", Quantity::EnergyImport, at_ms, shown)
        })
        .collect();
    let exchange = [Event::MeterReplaced(Replacement {
        point: PointId::new("exchanged").unwrap(),
        at: UtcMs(day_ms + 61 * 3_600_000),
        old_meter: MeterId::new("old").unwrap(),
        old_last: 130.0,
        new_meter: MeterId::new("new").unwrap(),
        new_first: 0.0,
        others: Vec::new(),
    })];
    enter(before.path(), &exchange);
    let known = dump(&in_one_go(before.path(), &config, &readings), &config);
    let later = in_one_go(after.path(), &config, &readings);
    assert_ne!(dump(&later, &config), known);
    enter(after.path(), &exchange);
    drop(later);
    let mut later = aggregator(after.path(), &config);
    until_idle(&mut later);
    assert_eq!(dump(&later, &config), known);
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
