//! The same laws over a real journal and a real store, with restarts.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "common/dice.rs"]
mod dice;
#[path = "common/line.rs"]
mod line;
#[path = "common/site.rs"]
mod site;

use std::path::Path;
use std::sync::Arc;

use dice::Dice;
use line::{RECEIVED, date, dump, enter, in_one_go, points, reading};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use site::{aggregator, append, batch, books, journal_dir, options, until_idle};
use steward_aggregator::Aggregator;
use steward_aggregator::verify::closures;
use steward_books::{
    CloseProposal, Decision, Event, HandReading, OtherRegister, Replacement, Undone, Verdict,
    Voided, sha256_hex,
};
use steward_config::Config;
use steward_journal::{Journal, JournalReader};
use steward_model::time::day_start_s;
use steward_model::{AggregatorHealth, InstitutionId, MeterId, PointId, Quantity, Reading, UtcMs};
use steward_store::{StoreReader, store_dir};

const SERIES: [(&str, Quantity); 8] = [
    ("old", Quantity::EnergyImport),
    ("old", Quantity::Power),
    ("new", Quantity::EnergyImport),
    ("old", Quantity::EnergyExport),
    ("new", Quantity::EnergyExport),
    ("west", Quantity::EnergyImport),
    ("west", Quantity::Power),
    ("tap", Quantity::Volume),
];

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
                others: match number {
                    0..3 => Vec::new(),
                    _ => vec![OtherRegister {
                        quantity: Quantity::EnergyExport,
                        old_last: value + 500.0,
                        new_first: value - 3_000.0,
                    }],
                },
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

/// Compares two dumps; the first line that differs says more than all of both.
fn same(found: &str, expected: &str, how: &str) -> Result<(), TestCaseError> {
    let lines = found.lines().zip(expected.lines());
    let lengths = (found.lines().count(), expected.lines().count());
    for (found, expected) in lines {
        prop_assert_eq!(found, expected, "{}, lines {:?}", how, lengths);
    }
    prop_assert_eq!(lengths.0, lengths.1, "{}", how);
    Ok(())
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
        same(&dump(&pieces, &config), &text, "in pieces")?;
        let received = JournalReader::open(&journal_dir(other.path())).unwrap().counts().unwrap();
        counts_add_up(&pieces, received.received);

        pieces.rebuild().unwrap();
        until_idle(&mut pieces);
        same(&dump(&pieces, &config), &text, "rebuilt from the readings")?;
        drop(pieces);

        std::fs::remove_dir_all(store_dir(other.path())).unwrap();
        let mut replayed = aggregator(other.path(), &config);
        until_idle(&mut replayed);
        same(&dump(&replayed, &config), &text, "replayed from the journal")?;

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
        (5..=7).contains(&closures.len()),
        "one a series, one a formula"
    );
    for closure in closures {
        assert!(closure.holds(), "{closure}");
    }
}
