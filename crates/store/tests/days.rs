//! Stored days: prices, costs and totals, and many days in one go.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use proptest::prelude::*;
use steward_model::{IntervalAmount, IntervalQuality, LedgerRow, PriceRun, Span, UtcMs};
use steward_store::{Carry, LedgerUpdate, StoreError, StoreReader, StoredDay, WorkingStore};
use support::{DAY_START_S, date, day, open, point, total};

fn write(store: &mut WorkingStore, days: &[StoredDay]) -> Result<(), StoreError> {
    store.write_ledger(LedgerUpdate {
        days,
        ..LedgerUpdate::default()
    })
}

fn run(intervals: u16, ncny_per_base: Option<i64>) -> PriceRun {
    PriceRun {
        intervals,
        ncny_per_base,
    }
}

fn intervals() -> impl Strategy<Value = Vec<Option<IntervalAmount>>> {
    let one = (
        -9_i64..90_000,
        proptest::sample::select(&IntervalQuality::ALL[..]),
    )
        .prop_map(|(amount_base, quality)| IntervalAmount {
            amount_base,
            quality,
        });
    (0_usize..3).prop_flat_map(move |length| {
        proptest::collection::vec(
            proptest::option::weighted(0.9, one.clone()),
            [92, 96, 100][length],
        )
    })
}

fn prices() -> impl Strategy<Value = Vec<PriceRun>> {
    let price = proptest::option::weighted(0.9, -5_000_000_i64..2_000_000_000);
    proptest::collection::vec((1_u16..40, price), 0..8).prop_map(|runs| {
        runs.into_iter()
            .map(|(length, price)| run(length, price))
            .collect()
    })
}

/// Cuts or lengthens the last run so that there is one price an interval.
fn fit(mut prices: Vec<PriceRun>, intervals: usize) -> Vec<PriceRun> {
    let mut left = u16::try_from(intervals).unwrap();
    for price in &mut prices {
        price.intervals = price.intervals.min(left);
        left -= price.intervals;
    }
    prices.retain(|price| price.intervals > 0);
    if let Some(last) = prices.last_mut() {
        last.intervals += left;
    }
    prices
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A day comes back as it was written, and its totals, its intervals, its hours and the sum
    /// made in the plainest way agree.
    #[test]
    fn totals_and_rows_agree(
        intervals in intervals(),
        prices in prices(),
        manual in any::<bool>(),
        number in 0_usize..8,
    ) {
        let mut stored = day(number, date(2026, 10, 1), DAY_START_S, &[]);
        stored.prices = fit(prices, intervals.len());
        stored.day.intervals = intervals;
        stored.carry = Some(Carry { at_ms: UtcMs(-7), register_base: 1 << 60, manual });
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path(), false);
        write(&mut store, std::slice::from_ref(&stored)).unwrap();
        let (from, to) = (date(2026, 10, 1), date(2026, 10, 2));
        let mut seen = Vec::new();
        store.for_each_day(&[point(number)], from, to, |day| {
            seen.push((day.to_stored(), day.totals()));
        }).unwrap();
        let (read, totals) = seen.pop().unwrap();
        prop_assert_eq!(&read, &stored);
        prop_assert!(seen.is_empty());
        prop_assert_eq!(store.day(&point(number), from).unwrap(), Some(stored.clone()));

        let expected: LedgerRow = total(&stored, Span::Day, DAY_START_S);
        prop_assert_eq!(totals.shares, expected.shares);
        prop_assert_eq!(totals.intervals_present, expected.intervals_present);
        prop_assert_eq!(totals.cost_ncny, expected.cost_ncny.map(i128::from));
        prop_assert_eq!(totals.kgce_ug, expected.kgce_ug.map(i128::from));
        prop_assert_eq!(totals.co2_ug, expected.co2_ug.map(i128::from));
        for span in [Span::Interval, Span::Hour] {
            let rows = store
                .ledger_rows(&point(number), span, DAY_START_S, DAY_START_S + 90_000)
                .unwrap();
            let costs: Option<Vec<i64>> = rows.iter().map(|row| row.cost_ncny).collect();
            let cost = costs.filter(|costs| !costs.is_empty()).map(|costs| costs.iter().sum());
            prop_assert_eq!(cost, expected.cost_ncny, "{:?}", span);
            let manual: i64 = rows.iter().map(|row| row.shares.manual_base).sum();
            prop_assert_eq!(manual, expected.shares.manual_base);
        }
    }
}

#[test]
fn prices_that_are_not_one_an_interval_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    for lengths in [vec![95], vec![97], vec![48, 49], vec![u16::MAX, 97]] {
        let mut stored = day(0, date(2026, 10, 1), DAY_START_S, &[Some(1); 96]);
        stored.prices = lengths
            .into_iter()
            .map(|length| run(length, Some(1)))
            .collect();
        let refused = write(&mut store, std::slice::from_ref(&stored));
        assert!(matches!(refused, Err(StoreError::Range(_))), "{refused:?}");
    }
    assert_eq!(store.day(&point(0), date(2026, 10, 1)).unwrap(), None);
}

#[test]
fn a_cost_that_does_not_fit_is_an_error_and_not_another_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    let mut stored = day(7, date(2026, 10, 1), DAY_START_S, &[Some(1 << 40); 96]);
    stored.prices = vec![run(96, Some(1 << 22))];
    write(&mut store, std::slice::from_ref(&stored)).unwrap();
    let rows = |span| store.ledger_rows(&point(7), span, DAY_START_S, DAY_START_S + 900);
    // 2^62 fits an interval; four of them do not fit an hour.
    assert_eq!(rows(Span::Interval).unwrap()[0].cost_ncny, Some(1 << 62));
    assert!(matches!(rows(Span::Hour), Err(StoreError::Range("a cost"))));
    assert_eq!(stored.view().totals().cost_ncny, Some(96 << 62));
}

#[tokio::test]
async fn many_days_are_shown_point_by_point_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), false);
    let mut days = Vec::new();
    for number in [4, 1] {
        for later in 0..5_i64 {
            let date = date(2026, 9, 29) + chrono::Days::new(later.unsigned_abs());
            let amount = i64::try_from(number).unwrap() * 10 + later;
            let start_s = DAY_START_S + (later - 2) * 86_400;
            days.push(day(number, date, start_s, &[Some(amount); 96]));
        }
    }
    write(&mut store, &days).unwrap();
    let reader = StoreReader::open(folder.path());
    let points = [point(4), point(6), point(1)];
    let seen = reader
        .fold_days(
            &points,
            date(2026, 9, 30),
            date(2026, 10, 3),
            Vec::new(),
            |seen, day| seen.push((day.point.clone(), day.date, day.totals().shares.total())),
        )
        .await
        .unwrap();
    let expected: Vec<_> = days
        .iter()
        .filter(|stored| (date(2026, 9, 30)..date(2026, 10, 3)).contains(&stored.day.date))
        .map(|stored| {
            let total = total(stored, Span::Day, 0).amount_base;
            (stored.day.point.clone(), stored.day.date, total)
        })
        .collect();
    assert_eq!(seen, expected);
    assert_eq!(
        reader.day(&point(1), date(2026, 10, 3)).await.unwrap(),
        Some(days[9].clone())
    );
    let some = reader
        .days(&point(1), date(2026, 10, 2), date(2027, 1, 1))
        .await
        .unwrap();
    assert_eq!(some, days[8..]);
    assert_eq!(
        reader.day(&point(1), date(2026, 10, 4)).await.unwrap(),
        None
    );
}
