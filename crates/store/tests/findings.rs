//! What the ledger found: replaced stretch by stretch, asked for by point, meter, time and state;
//! and the marks by which books and other series have it computed again.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use steward_model::{
    Evidence, Fill, FillRule, Finding, FindingKind, FindingState, Quantity, UtcMs,
};
use steward_store::{
    FindingFilter, FindingStates, FoundIn, LedgerUpdate, Source, StoreError, StoreReader, Touched,
    WorkingStore,
};
use support::{commit, date, meter, open, options, point, reading};

const ENERGY: Quantity = Quantity::EnergyImport;
const DAY_MS: i64 = 86_400_000;
const ALL: (UtcMs, UtcMs) = (UtcMs(i64::MIN), UtcMs(i64::MAX));

fn finding(number: usize, at: i64, kind: FindingKind, state: FindingState) -> Finding {
    Finding {
        point: point(number),
        meter: meter(number),
        quantity: ENERGY,
        at: UtcMs(at),
        until: UtcMs(at + 50),
        held_out: 3,
        kind,
        state,
        evidence: Evidence {
            before: (at % 2 == 0).then_some((UtcMs(at - 5), 0.1 + 0.2)),
            first: (UtcMs(at), 1e-300),
            last: (UtcMs(at + 50), 9_007_199_254_740_993.0),
            after: (at % 3 == 0).then_some((UtcMs(at + 60), -0.1)),
            modulus: Some(1e6),
            resolution: None,
            rise_max: (at % 5 == 0).then_some(0.3),
            flowed: None,
        },
    }
}

fn fill(from: i64, to: i64) -> Fill {
    Fill {
        from: UtcMs(from),
        to: UtcMs(to),
        amount_base: from - to,
        rule: if from % 2 == 0 {
            FillRule::Even { days_found: 2 }
        } else {
            FillRule::Shape {
                basis_from: date(1969, 12, 30),
                basis_to: date(2026, 2, 1),
                days: 7,
                by_temperature: from % 3 == 0,
            }
        },
    }
}

fn found(number: usize, from: i64, to: i64) -> FoundIn {
    FoundIn {
        point: point(number),
        from: UtcMs(from),
        to: UtcMs(to),
        findings: Vec::new(),
        fills: Vec::new(),
    }
}

fn write(store: &mut WorkingStore, found: &[FoundIn]) -> Result<(), StoreError> {
    store.write_ledger(LedgerUpdate {
        found,
        ..LedgerUpdate::default()
    })
}

fn states() -> impl Strategy<Value = FindingState> {
    prop_oneof![
        Just(FindingState::ByRule),
        Just(FindingState::Open),
        (1_u64..99).prop_map(FindingState::Decided),
    ]
}

/// Stretches of three points with what begins in them.
fn stretches() -> impl Strategy<Value = Vec<FoundIn>> {
    let inner = (
        proptest::collection::btree_map(0_i64..40, (0..10_usize, states()), 0..6),
        proptest::collection::btree_set(0_i64..40, 0..6),
    );
    let one = (0_usize..3, 0_i64..30, 1_i64..40, inner).prop_map(
        |(number, from, length, (findings, fills))| {
            let to = from + length;
            let mut one = found(number, from, to);
            one.findings = findings
                .into_iter()
                .filter(|(at, _)| (from..to).contains(at))
                .map(|(at, (kind, state))| finding(number, at, FindingKind::ALL[kind], state))
                .collect();
            one.fills = fills
                .into_iter()
                .filter(|at| (from..to).contains(&(at + 1)))
                .map(|at| fill(at, at + 7))
                .collect();
            one
        },
    );
    proptest::collection::vec(one, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The table says what a map says in which every stretch replaces what began in it.
    #[test]
    fn a_stretch_replaces_what_begins_in_it(stretches in stretches()) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path(), false);
        let mut findings: BTreeMap<(usize, i64), Finding> = BTreeMap::new();
        let mut fills: BTreeMap<(usize, i64), Fill> = BTreeMap::new();
        for one in &stretches {
            write(&mut store, std::slice::from_ref(one)).unwrap();
            let number = (0..3).find(|number| point(*number) == one.point).unwrap();
            let stays =
                |of: usize, at: i64| of != number || at < one.from.0 || one.to.0 <= at;
            findings.retain(|key, _| stays(key.0, key.1));
            // A fill begins in the millisecond after its first register.
            fills.retain(|key, _| stays(key.0, key.1 + 1));
            findings.extend(one.findings.iter().map(|f| ((number, f.at.0), f.clone())));
            fills.extend(one.fills.iter().map(|f| ((number, f.from.0), f.clone())));
        }
        // What is written again is the same, and so is what a second connection sees.
        write(&mut store, &stretches[stretches.len() - 1..]).unwrap();
        for number in 0..3 {
            let of = |key: &(usize, i64)| key.0 == number;
            let expected: Vec<Finding> =
                findings.iter().filter(|(key, _)| of(key)).map(|(_, f)| f.clone()).collect();
            prop_assert_eq!(store.findings(&point(number), ALL.0, ALL.1).unwrap(), expected);
            let expected: Vec<Fill> =
                fills.iter().filter(|(key, _)| of(key)).map(|(_, f)| f.clone()).collect();
            prop_assert_eq!(store.fills(&point(number), ALL.0, ALL.1).unwrap(), expected);
        }
    }
}

#[test]
fn what_begins_beside_its_stretch_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    let open_at = |number, at| finding(number, at, FindingKind::Fall, FindingState::Open);
    for wrong in [open_at(0, 20), open_at(0, 9), open_at(1, 15)] {
        let mut one = found(0, 10, 20);
        one.findings = vec![open_at(0, 10), wrong];
        assert!(matches!(
            write(&mut store, &[one]),
            Err(StoreError::Range(_))
        ));
    }
    let mut one = found(0, 10, 20);
    one.fills = vec![fill(20, 30)];
    assert!(matches!(
        write(&mut store, &[one]),
        Err(StoreError::Range(_))
    ));
    assert_eq!(store.findings(&point(0), ALL.0, ALL.1).unwrap(), []);
    assert_eq!(store.fills(&point(0), ALL.0, ALL.1).unwrap(), []);
}

#[tokio::test]
async fn findings_are_asked_for_by_point_meter_kind_state_and_time() {
    use FindingKind::{Fall, Frozen, Glitch, Reset};
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    let all = [
        finding(0, 100, Glitch, FindingState::ByRule),
        finding(1, 100, Fall, FindingState::Open),
        finding(0, 300, Fall, FindingState::Open),
        finding(0, 500, Reset, FindingState::Decided(7)),
        finding(0, 500, Frozen, FindingState::Open),
    ];
    let found_in = [0, 1].map(|number| FoundIn {
        findings: all
            .iter()
            .filter(|f| f.point == point(number))
            .cloned()
            .collect(),
        fills: vec![fill(200, 260), fill(400, 460)],
        ..found(number, 0, 1_000)
    });
    write(&mut store, &found_in).unwrap();
    let source = Source::Working(StoreReader::open(folder.path()));
    let ask = async |filter| source.findings(filter).await.unwrap();
    let none = FindingFilter::default;
    assert_eq!(ask(none()).await, all);
    let limited = FindingFilter {
        limit: Some(2),
        ..none()
    };
    assert_eq!(ask(limited).await, all[..2]);
    let of_point = FindingFilter {
        point: Some(point(1)),
        ..none()
    };
    assert_eq!(ask(of_point).await, all[1..2]);
    let of_meter = FindingFilter {
        meter: Some(meter(0)),
        kind: Some(Fall),
        ..none()
    };
    assert_eq!(ask(of_meter).await, all[2..3]);
    for (states, expected) in [
        (FindingStates::Open, vec![&all[1], &all[2], &all[4]]),
        (FindingStates::Decided, vec![&all[3]]),
        (FindingStates::ByRule, vec![&all[0]]),
    ] {
        let found = ask(FindingFilter { states, ..none() }).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{states:?}");
    }
    // Of 100..=150 and 300..=350 a part lies in [150, 301), of 500..=550 none.
    let between = |from, to| FindingFilter {
        from: Some(UtcMs(from)),
        to: Some(UtcMs(to)),
        ..none()
    };
    assert_eq!(ask(between(150, 301)).await, all[..3]);
    assert_eq!(ask(between(151, 300)).await, []);
    for unknown in [
        FindingFilter {
            point: Some(point(5)),
            ..none()
        },
        FindingFilter {
            meter: Some(meter(5)),
            ..none()
        },
    ] {
        assert_eq!(ask(unknown).await, []);
    }

    let at = async |number, at| {
        source
            .finding(&meter(number), ENERGY, UtcMs(at))
            .await
            .unwrap()
    };
    assert_eq!(at(0, 100).await, Some(all[0].clone()));
    assert_eq!(at(1, 100).await, Some(all[1].clone()));
    assert_eq!(
        at(0, 500).await,
        Some(all[4].clone()),
        "what waits comes first"
    );
    assert_eq!(at(0, 101).await, None);
    assert_eq!(at(5, 100).await, None);
    let counts = source.open_findings().await.unwrap();
    assert_eq!(counts, BTreeMap::from([(point(0), 2), (point(1), 1)]));

    let fills = async |from, to| {
        let fills = source
            .fills(&point(0), UtcMs(from), UtcMs(to))
            .await
            .unwrap();
        fills.iter().map(|fill| fill.from.0).collect::<Vec<_>>()
    };
    assert_eq!(fills(0, 1_000).await, [200, 400]);
    assert_eq!(fills(259, 400).await, [200]);
    assert_eq!(fills(260, 401).await, [400]);
    assert_eq!(fills(460, 1_000).await, Vec::<i64>::new());
}

fn touched(number: usize, from: i64, to: i64) -> Touched {
    Touched {
        meter: meter(number),
        quantity: ENERGY,
        from: UtcMs(from),
        to: UtcMs(to),
    }
}

#[tokio::test]
async fn what_the_books_touch_is_marked_in_one_step_with_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    commit(&mut store, &[reading(0, ENERGY, 5, 1.0)]);
    assert_eq!(store.books_seq().unwrap(), 0);
    // A stretch over days is one mark; a meter of which nothing is stored is marked too.
    let all = [
        touched(0, 2, 3 * DAY_MS),
        touched(4, -DAY_MS, i64::MAX),
        touched(5, 9, 8),
    ];
    store.touch(&all, 12).unwrap();
    assert_eq!(store.books_seq().unwrap(), 12);
    let reader = StoreReader::open(folder.path());
    assert_eq!(reader.books_seq().await.unwrap(), 12);
    let marks = store.dirty(9).unwrap();
    let seen: Vec<_> = marks
        .iter()
        .map(|mark| (mark.meter.clone(), mark.from.0, mark.to.0))
        .collect();
    assert_eq!(
        seen,
        [(meter(0), 2, 3 * DAY_MS), (meter(4), -DAY_MS, i64::MAX),]
    );
    // The number that a refused write made for a series is free again.
    let too_far = LedgerUpdate {
        touched: &[touched(7, 0, 1)],
        cleared: &[steward_store::DirtySeries {
            mark: u64::MAX,
            ..marks[0].clone()
        }],
        ..LedgerUpdate::default()
    };
    assert!(store.write_ledger(too_far).is_err());
    assert!(store.touch(&[touched(7, 0, 1)], u64::MAX).is_err());
    assert_eq!(store.books_seq().unwrap(), 12);
    commit(&mut store, &[reading(6, ENERGY, 5, 1.0)]);
    store.rebuild().unwrap();
    assert_eq!(
        store.books_seq().unwrap(),
        0,
        "the books are looked through again"
    );
    let marked: Vec<_> = store
        .dirty(9)
        .unwrap()
        .into_iter()
        .map(|mark| mark.meter)
        .collect();
    assert_eq!(marked, [meter(0), meter(6)]);
}

#[test]
fn a_mark_that_an_update_makes_stays_though_the_update_clears_its_day() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    commit(&mut store, &[reading(0, ENERGY, 5, 1.0)]);
    let marks = store.dirty(9).unwrap();
    let update = LedgerUpdate {
        cleared: &marks,
        touched: &[touched(0, 5, 5), touched(1, 7, 9)],
        ..LedgerUpdate::default()
    };
    store.write_ledger(update).unwrap();
    let left = store.dirty(9).unwrap();
    assert_eq!(left.len(), 2);
    assert!(
        left.iter().all(|mark| mark.mark > marks[0].mark),
        "{left:?}"
    );
    // The old mark no longer clears it, the new one does.
    for (cleared, expected) in [(&marks, 2), (&left, 0)] {
        let update = LedgerUpdate {
            cleared,
            ..LedgerUpdate::default()
        };
        store.write_ledger(update).unwrap();
        assert_eq!(store.dirty(9).unwrap().len(), expected);
    }
}

#[test]
fn a_gauge_that_stands_in_for_a_counter_is_marked_as_one() {
    let folder = tempfile::tempdir().unwrap();
    // The options of these tests name the power of meter 6.
    let mut store = open(folder.path(), false);
    let power = |number, at| reading(number, Quantity::Power, at, 1.0);
    commit(&mut store, &[power(6, 5), power(6, DAY_MS), power(5, 5)]);
    let marked = |store: &WorkingStore| {
        let marks = store.dirty(9).unwrap();
        marks
            .into_iter()
            .map(|mark| (mark.meter, mark.quantity, mark.from.0))
            .collect::<Vec<_>>()
    };
    let expected = [
        (meter(6), Quantity::Power, 5),
        (meter(6), Quantity::Power, DAY_MS),
    ];
    assert_eq!(marked(&store), expected);
    let mut one = found(6, 0, 9);
    one.findings = vec![finding(6, 3, FindingKind::Rise, FindingState::Open)];
    one.fills = vec![fill(3, 4)];
    write(&mut store, &[one]).unwrap();
    store.rebuild().unwrap();
    assert_eq!(
        marked(&store),
        [
            (meter(6), Quantity::Power, 0),
            (meter(6), Quantity::Power, DAY_MS),
        ]
    );
    assert_eq!(store.findings(&point(6), ALL.0, ALL.1).unwrap(), []);
    assert_eq!(store.fills(&point(6), ALL.0, ALL.1).unwrap(), []);
    drop(store);
    let mut plain = options(false);
    plain.ledger_gauges = Vec::new();
    let mut store = WorkingStore::open(folder.path(), plain).unwrap();
    store.rebuild().unwrap();
    assert_eq!(marked(&store), []);
}
