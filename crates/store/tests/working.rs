//! The working store: what goes in, what is counted, what comes out, and what a crash leaves.

#![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_wrap)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use steward_model::{Quantity, Reading, ReadingQuality, Span, UtcMs};
use steward_store::{
    Carry, CommitReport, LedgerUpdate, ReadingsCommit, RefusedReading, StoreError, StoreReader,
    WorkingStore,
};
use support::{DAY_START_S, commit, date, day, meter, open, options, point, reading, total};

const POWER: Quantity = Quantity::Frequency;
const ENERGY: Quantity = Quantity::EnergyImport;
const ALL: (UtcMs, UtcMs) = (UtcMs(i64::MIN), UtcMs(i64::MAX));

/// Everything in the table, as bits.
fn table(store: &WorkingStore) -> BTreeMap<(usize, Quantity, i64), (u64, ReadingQuality)> {
    let mut all = BTreeMap::new();
    for number in 0..8 {
        for quantity in [POWER, ENERGY] {
            for (at, value, quality) in store
                .series(&meter(number), quantity, ALL.0, ALL.1)
                .unwrap()
            {
                all.insert((number, quantity, at.0), (value.to_bits(), quality));
            }
        }
    }
    all
}

fn readings() -> impl Strategy<Value = Vec<Reading>> {
    let one = (0_usize..4, any::<bool>(), -50_i64..50, any::<bool>()).prop_map(
        |(number, is_energy, hour, is_good)| {
            let quantity = if is_energy { ENERGY } else { POWER };
            // The value follows from the key: there are no conflicts.
            let mut one = reading(number, quantity, hour * 3_600_000, hour as f64 * 0.25);
            if !is_good {
                one.quality = ReadingQuality::ReceiveTime;
            }
            one
        },
    );
    proptest::collection::vec(one, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_copies_and_batches_do_not_matter(
        readings in readings(), seed in any::<u64>(), batch in 1_usize..50,
    ) {
        let folders = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut plain = open(folders.0.path(), false);
        commit(&mut plain, &readings);
        let mut random = StdRng::seed_from_u64(seed);
        let mut mixed: Vec<Reading> = readings.clone();
        mixed.extend(readings.iter().filter(|_| random.random_bool(0.5)).cloned());
        mixed.shuffle(&mut random);
        let mut other = open(folders.1.path(), false);
        let mut sum = CommitReport::default();
        for some in mixed.chunks(batch) {
            let report = commit(&mut other, some);
            prop_assert_eq!(
                report.new + report.duplicates + report.conflicts, some.len() as u64
            );
            sum.new += report.new;
            sum.duplicates += report.duplicates;
        }
        prop_assert_eq!(table(&plain), table(&other));
        let counts = other.counts().unwrap();
        prop_assert_eq!((counts.stored_new, counts.duplicates), (sum.new, sum.duplicates));
        prop_assert_eq!(counts.quarantined, 0);
        prop_assert_eq!(counts.accounted, mixed.len() as u64);
        let marks = |store: &WorkingStore| {
            let marks = store.dirty(usize::MAX).unwrap();
            marks.into_iter().map(|m| (m.meter, m.quantity, m.from, m.to)).collect::<BTreeSet<_>>()
        };
        // Marks may be wider where a better copy came later, never narrower, and say the same days.
        prop_assert_eq!(marks(&plain).len(), marks(&other).len());
    }
}

#[test]
fn a_hundred_thousand_readings_with_copies_disorder_and_conflicts_add_up() {
    let mut random = StdRng::seed_from_u64(9);
    let keys: i64 = 20_000;
    let mut sent = Vec::new();
    let mut conflicting = BTreeSet::new();
    for key in 0..keys {
        let number = usize::try_from(key % 8).unwrap();
        let good = reading(number, ENERGY, key * 1_000, key as f64);
        for _ in 0..random.random_range(1..=5) {
            sent.push(good.clone());
        }
        if random.random_bool(0.01) {
            let mut bad = good;
            bad.value = steward_model::Value::new(key as f64 + 0.5).unwrap();
            conflicting.insert((number, ENERGY, key * 1_000));
            sent.push(bad);
        }
    }
    // Disorder within a window, as gateways that catch up make it.
    for window in sent.chunks_mut(10_000) {
        window.shuffle(&mut random);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    for some in sent.chunks(7_001) {
        commit(&mut store, some);
    }
    let counts = store.counts().unwrap();
    assert_eq!(counts.stored_new, keys.unsigned_abs());
    assert_eq!(counts.accounted, sent.len() as u64);
    assert_eq!(
        counts.stored_new + counts.duplicates + counts.quarantined,
        counts.accounted
    );
    assert!(counts.quarantined >= conflicting.len() as u64);
    let table = table(&store);
    assert_eq!(table.len() as i64, keys);
    for ((number, quantity, at), (bits, _)) in &table {
        let value = f64::from_bits(*bits);
        let right = *at as f64 / 1_000.0;
        // Whichever of two values came first stays; the other is quarantined.
        let is_conflicting = conflicting.contains(&(*number, *quantity, *at));
        assert!(
            value == right || (is_conflicting && value == right + 0.5),
            "{number} {at} {value}"
        );
    }
}

#[test]
fn the_first_of_two_values_stays_and_each_other_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    let at = |value| reading(0, ENERGY, 5, value);
    let report = commit(&mut store, &[at(1.0), at(2.0), at(1.0), at(2.0), at(3.0)]);
    assert_eq!(
        report,
        CommitReport {
            new: 1,
            duplicates: 1,
            conflicts: 3
        }
    );
    assert_eq!(
        store.series(&meter(0), ENERGY, ALL.0, ALL.1).unwrap()[0].1,
        1.0
    );
    assert_eq!(store.counts().unwrap().quarantined, 3);
}

#[test]
fn a_refused_reading_counts_once_however_often_it_is_tried() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    let refused = [0, 1].map(|item| RefusedReading {
        seq: 3,
        item,
        reason: "unknown_meter".to_owned(),
        reading: (item == 0).then(|| reading(0, ENERGY, 0, 1.0)),
    });
    for _ in 0..2 {
        let commit = ReadingsCommit {
            readings: &[],
            quarantine: &refused,
            cursor: 3,
            accounted: 2,
        };
        store.commit_readings(commit).unwrap();
    }
    assert_eq!(store.counts().unwrap().quarantined, 2);
}

#[test]
fn a_commit_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), true);
    commit(&mut store, &[reading(0, ENERGY, 0, 1.0)]);
    let before = (store.counts().unwrap(), table(&store));
    // The cursor would go back: the transaction is dropped after its readings went in.
    let backwards = ReadingsCommit {
        readings: &[reading(5, POWER, 0, 1.0), reading(0, ENERGY, 7, 2.0)],
        quarantine: &[],
        cursor: 0,
        accounted: 9,
    };
    assert!(matches!(
        store.commit_readings(backwards),
        Err(StoreError::Backwards { .. })
    ));
    assert_eq!((store.counts().unwrap(), table(&store)), before);
    // The name that the failed commit made is free again and is made anew.
    let report = commit(
        &mut store,
        &[reading(6, POWER, 0, 1.0), reading(5, POWER, 0, 4.0)],
    );
    assert_eq!(report.new, 2);
    drop(store);
    let store = open(folder.path(), true);
    assert_eq!(
        store.series(&meter(5), POWER, ALL.0, ALL.1).unwrap()[0].1,
        4.0
    );
    assert_eq!(store.cursor().unwrap(), 2);
}

#[test]
fn a_copy_of_the_files_at_any_commit_has_cursor_and_data_in_step() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    for step in 0..30_i64 {
        commit(&mut store, &[reading(0, ENERGY, step, step as f64)]);
        // What a killed process leaves: the file and its log as they are now.
        let copy = tempfile::tempdir().unwrap();
        for name in ["store.db", "store.db-wal"] {
            std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
        }
        if step % 3 == 1 {
            // And with a torn tail: the last commit is gone as a whole, with its cursor.
            let log = copy.path().join("store.db-wal");
            let bytes = std::fs::read(&log).unwrap();
            std::fs::write(&log, &bytes[..bytes.len() - 100]).unwrap();
        }
        let image = open(copy.path(), false);
        let cursor = image.cursor().unwrap();
        let expected = if step % 3 == 1 { step } else { step + 1 };
        assert_eq!(cursor, expected.unsigned_abs());
        assert_eq!(table(&image).len() as u64, cursor);
        assert_eq!(image.counts().unwrap().accounted, cursor);
    }
}

#[test]
fn neighbours_are_strictly_before_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    let all: Vec<Reading> = [10, 20, 30]
        .map(|at| reading(0, ENERGY, at, at as f64))
        .to_vec();
    commit(&mut store, &all);
    let before = |at| {
        store
            .reading_before(&meter(0), ENERGY, UtcMs(at))
            .unwrap()
            .map(|r| r.0.0)
    };
    let after = |at| {
        store
            .reading_after(&meter(0), ENERGY, UtcMs(at))
            .unwrap()
            .map(|r| r.0.0)
    };
    assert_eq!(
        [before(10), before(11), before(99)],
        [None, Some(10), Some(30)]
    );
    assert_eq!(
        [after(30), after(29), after(-9)],
        [None, Some(30), Some(10)]
    );
    assert_eq!(
        store.reading_before(&meter(1), ENERGY, UtcMs(50)).unwrap(),
        None
    );
    let above = |meter_number, to, value| {
        let found = store.first_above(&meter(meter_number), ENERGY, UtcMs(to), value);
        found.unwrap().map(|at| at.0)
    };
    assert_eq!(
        [above(0, 99, 10.0), above(0, 20, 10.0), above(1, 99, 1.0)],
        [Some(20), None, None]
    );
}

#[test]
fn a_mark_is_cleared_only_by_who_saw_its_last_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    let day_ms = 86_400_000;
    commit(
        &mut store,
        &[reading(0, ENERGY, 5, 1.0), reading(0, ENERGY, day_ms, 2.0)],
    );
    commit(&mut store, &[reading(0, POWER, 5, 1.0)]);
    let seen = store.dirty(10).unwrap();
    assert_eq!(seen.len(), 2, "a gauge leaves no mark: {seen:?}");
    commit(&mut store, &[reading(0, ENERGY, 9, 1.5)]);
    let update = LedgerUpdate {
        cleared: &seen,
        ..LedgerUpdate::default()
    };
    store.write_ledger(update).unwrap();
    let left = store.dirty(10).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].from, left[0].to), (UtcMs(5), UtcMs(9)));
    assert_eq!(store.counts().unwrap().dirty, 1);
    store
        .write_ledger(LedgerUpdate {
            cleared: &left,
            ..LedgerUpdate::default()
        })
        .unwrap();
    assert_eq!(store.dirty(10).unwrap(), []);
    store.rebuild().unwrap();
    assert_eq!(store.dirty(10).unwrap().len(), 2);
}

#[tokio::test]
async fn days_open_into_intervals_and_hours_that_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    let mut amounts: Vec<Option<i64>> = (0..96).map(Some).collect();
    amounts[5] = None;
    amounts[8..12].fill(None);
    let mut stored = day(0, date(2026, 10, 1), DAY_START_S, &amounts);
    stored.carry = Some(Carry {
        at_ms: UtcMs(7),
        register_base: -3,
        manual: true,
    });
    let rows = [Span::Day, Span::Month, Span::Year].map(|span| total(&stored, span, DAY_START_S));
    let update = LedgerUpdate {
        days: std::slice::from_ref(&stored),
        rows: &rows,
        ..LedgerUpdate::default()
    };
    store.write_ledger(update).unwrap();
    assert_eq!(
        store.day(&point(0), date(2026, 10, 1)).unwrap(),
        Some(stored.clone())
    );
    let day_rows = store
        .day_rows(&point(0), DAY_START_S, DAY_START_S + 1)
        .unwrap();
    assert_eq!(day_rows, [rows[0].clone()]);

    let reader = StoreReader::open(folder.path());
    let ask = async |span, from, to| reader.ledger(&[point(0)], span, from, to).await.unwrap();
    let end_s = DAY_START_S + 86_400;
    let intervals = ask(Span::Interval, DAY_START_S, end_s).await;
    let hours = ask(Span::Hour, DAY_START_S, end_s).await;
    assert_eq!(
        (intervals.len(), hours.len()),
        (91, 23),
        "what is missing has no row"
    );
    for rows in [&intervals, &hours] {
        assert_eq!(
            rows.iter().map(|row| row.amount_base).sum::<i64>(),
            day_rows[0].amount_base
        );
        let co2: i64 = rows.iter().filter_map(|row| row.co2_ug).sum();
        assert_eq!(Some(co2), day_rows[0].co2_ug);
    }
    let second_hour = &hours[1];
    assert_eq!(
        (
            second_hour.intervals_present,
            second_hour.intervals_expected
        ),
        (3, 4)
    );
    assert_eq!(second_hour.start_s, DAY_START_S + 3_600);
    assert_eq!(
        ask(Span::Interval, DAY_START_S + 900, DAY_START_S + 1_801)
            .await
            .len(),
        2
    );
    assert_eq!(
        ask(Span::Month, DAY_START_S, end_s).await,
        [rows[1].clone()]
    );

    let removed = LedgerUpdate {
        removed_days: &[(point(0), date(2026, 10, 1))],
        rows: &[steward_model::LedgerRow {
            intervals_present: 0,
            ..rows[1].clone()
        }],
        ..LedgerUpdate::default()
    };
    store.write_ledger(removed).unwrap();
    for span in [Span::Interval, Span::Hour, Span::Day, Span::Month] {
        assert_eq!(ask(span, DAY_START_S, end_s).await, [], "{span:?}");
    }
    assert_eq!(ask(Span::Year, DAY_START_S, end_s).await.len(), 1);
}

#[test]
fn a_row_whose_shares_are_not_its_amount_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    let stored = day(0, date(2026, 10, 1), DAY_START_S, &[Some(1)]);
    let mut row = total(&stored, Span::Day, DAY_START_S);
    row.amount_base += 1;
    let update = LedgerUpdate {
        rows: &[row],
        ..LedgerUpdate::default()
    };
    assert!(matches!(
        store.write_ledger(update),
        Err(StoreError::Range(_))
    ));
}

#[tokio::test]
async fn readers_see_whole_commits_while_the_writer_works() {
    let folder = tempfile::tempdir().unwrap();
    let reader = StoreReader::open(folder.path());
    assert!(matches!(reader.counts().await, Err(StoreError::Missing(_))));
    let mut store = open(folder.path(), false);
    let writer = tokio::task::spawn_blocking(move || {
        for step in 0..60_i64 {
            let pair = [0, 1].map(|number| reading(number, ENERGY, step, step as f64));
            commit(&mut store, &pair);
        }
    });
    let mut seen = 0;
    while seen < 60 {
        let latest = reader.latest(&[meter(1), meter(0)]).await.unwrap();
        if let [one, zero] = latest.as_slice() {
            assert_eq!(
                (one.meter.clone(), zero.meter.clone()),
                (meter(1), meter(0))
            );
            assert_eq!(one.at, zero.at, "a commit is seen as a whole");
            let next = one.at.0 + 1;
            assert!(next >= seen);
            seen = next;
        }
        let counts = reader.counts().await.unwrap();
        assert_eq!(counts.stored_new, counts.accounted);
    }
    writer.await.unwrap();
    assert_eq!(reader.count_readings().await.unwrap(), 120);
    let some = reader
        .readings(&meter(0), ENERGY, UtcMs(10), UtcMs(50), 7)
        .await
        .unwrap();
    assert_eq!(
        some.iter().map(|r| r.at.0).collect::<Vec<_>>(),
        (10..17).collect::<Vec<_>>()
    );
    let none = reader
        .readings(&meter(0), ENERGY, UtcMs(50), UtcMs(50), 7)
        .await
        .unwrap();
    assert_eq!(none, []);
}

#[test]
fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), false));
    let file = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    file.execute_batch("PRAGMA user_version=99").unwrap();
    drop(file);
    let error = WorkingStore::open(folder.path(), options(false)).unwrap_err();
    assert!(
        matches!(error, StoreError::Format { found: 99, .. }),
        "{error}"
    );
}

#[test]
fn the_log_is_folded_in_and_short_after_a_quiet_moment() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    let many: Vec<Reading> = (0..5_000)
        .map(|at| reading(0, ENERGY, at, at as f64))
        .collect();
    commit(&mut store, &many);
    let log = || {
        std::fs::metadata(folder.path().join("store.db-wal"))
            .unwrap()
            .len()
    };
    assert!(log() > 100_000);
    assert!(store.checkpoint().unwrap());
    assert_eq!(log(), 0);
}
