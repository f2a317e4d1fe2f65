//! The prices of days, and what their intervals cost.
#![allow(clippy::unwrap_used, clippy::panic)]

mod money_world;

use chrono::{DateTime, NaiveDate, Timelike};
use chrono_tz::Tz;
use money_world::*;
use proptest::prelude::*;
use steward_config::{Arranged, Band, Config, DayKind, Point, TariffVersion};
use steward_ledger::LocalDay;
use steward_ledger::money::{DayPrices, Prices, cost, price_of_each};
use steward_model::{Commodity, IntervalAmount, PriceRun, Quantity};

fn day(config: &Config, point: &str, date: NaiveDate, zone: Tz) -> DayPrices {
    let prices = Prices::of(config);
    let day = LocalDay::of(zone, date);
    (*prices.day(config, &id(point), &day, zone)).clone()
}

fn runs(prices: &DayPrices) -> Vec<(u16, Option<i64>)> {
    prices
        .runs
        .iter()
        .map(|run| (run.intervals, run.ncny_per_base))
        .collect()
}

#[test]
fn a_workday_has_the_prices_of_its_bands_with_surcharges() {
    let config = simple(vec![time_of_use(date(2026, 1, 1))]);
    // 3 November 2026 is a Tuesday. 1 CNY/kWh = 1,000,000 nano-yuan per Wh; the fund adds 30,000.
    let tuesday = day(&config, "p", date(2026, 11, 3), SHANGHAI);
    assert_eq!(
        runs(&tuesday),
        [
            (32, Some(330_000)),
            (8, Some(1_030_000)),
            (8, Some(1_230_000)),
            (24, Some(630_000)),
            (16, Some(1_030_000)),
            (8, Some(630_000)),
        ]
    );
    assert_eq!(tuesday.tariff_set, "t@2026-01-01");
    let sunday = day(&config, "p", date(2026, 11, 1), SHANGHAI);
    assert_eq!(runs(&sunday), [(32, Some(330_000)), (64, Some(630_000))]);
}

#[test]
fn the_calendar_makes_a_saturday_a_workday() {
    let mut config = simple(vec![time_of_use(date(2026, 1, 1))]);
    let saturday = date(2026, 11, 7);
    let rest = day(&config, "p", saturday, SHANGHAI);
    let arranged = Arranged {
        kind: DayKind::Workday,
        name: "调休".to_owned(),
        source: "test".to_owned(),
    };
    config.calendar.arranged.insert(saturday, arranged);
    let work = day(&config, "p", saturday, SHANGHAI);
    assert_eq!((rest.runs.len(), work.runs.len()), (2, 6));
}

#[test]
fn days_of_changing_clocks_go_by_the_clock() {
    let config = simple(vec![flat_but_valley_at_night(date(2026, 1, 1))]);
    // 02:00–03:00 does not exist on 29 March: 28 of 32 quarters before 08:00 are left. It comes
    // twice on 25 October: 36.
    let spring = day(&config, "p", date(2026, 3, 29), BERLIN);
    assert_eq!(runs(&spring), [(28, Some(330_000)), (64, Some(630_000))]);
    let autumn = day(&config, "p", date(2026, 10, 25), BERLIN);
    assert_eq!(runs(&autumn), [(36, Some(330_000)), (64, Some(630_000))]);
    // Midnight itself does not exist: the day begins at 01:00.
    let cairo = day(&config, "p", date(2026, 4, 24), Tz::Africa__Cairo);
    assert_eq!(runs(&cairo), [(28, Some(330_000)), (64, Some(630_000))]);
}

/// The bands of a rest day on every day.
fn flat_but_valley_at_night(from: NaiveDate) -> TariffVersion {
    let mut version = time_of_use(from);
    version.schedules.remove(0);
    version.schedules[0].days = vec![DayKind::Workday, DayKind::Restday, DayKind::Holiday];
    version
}

#[test]
fn points_below_an_account_have_its_prices_unless_they_are_something_else() {
    let feed_in = Point {
        counter: Quantity::EnergyExport,
        ..point("feed-in", Some("p"), Commodity::Electricity)
    };
    let points = vec![
        point("p", None, Commodity::Electricity),
        point("floor", Some("p"), Commodity::Electricity),
        point("room", Some("floor"), Commodity::Electricity),
        point("solar", Some("p"), Commodity::SolarGeneration),
        point("alone", None, Commodity::Electricity),
        feed_in,
        Point {
            parent: Some(id("floor")),
            ..virtual_point("sum", &[("room", 1_000_000)])
        },
        point("tenant", Some("floor"), Commodity::Electricity),
        point("shop", Some("tenant"), Commodity::Electricity),
    ];
    let mut other = account(&["tenant"], "dear");
    other.id = "tenant".to_owned();
    let config = config(
        points,
        vec![
            tariff("t", vec![flat(date(2026, 1, 1), "0.5")]),
            tariff("dear", vec![flat(date(2026, 1, 1), "0.9")]),
        ],
        vec![account(&["p"], "t"), other],
    );
    let set = |point: &str| day(&config, point, date(2026, 5, 5), SHANGHAI).tariff_set;
    for point in ["p", "floor", "room", "sum"] {
        assert_eq!(set(point), "t@2026-01-01", "{point}");
    }
    for point in ["tenant", "shop"] {
        assert_eq!(set(point), "dear@2026-01-01", "{point}");
    }
    for point in ["solar", "feed-in", "alone", "unheard-of"] {
        assert_eq!(
            day(&config, point, date(2026, 5, 5), SHANGHAI),
            DayPrices::default()
        );
    }
}

#[test]
fn no_version_no_price() {
    let mut version = flat(date(2026, 1, 1), "0.5");
    version.to = Some(date(2026, 2, 1));
    let config = simple(vec![version]);
    for (day_of, priced) in [
        (date(2025, 12, 31), false),
        (date(2026, 1, 1), true),
        (date(2026, 1, 31), true),
        (date(2026, 2, 1), false),
    ] {
        let prices = day(&config, "p", day_of, SHANGHAI);
        assert_eq!(!prices.runs.is_empty(), priced, "{day_of}");
        assert_eq!(!prices.tariff_set.is_empty(), priced, "{day_of}");
        let found = cost(&[measured(10), None], &prices.runs);
        assert_eq!(found, priced.then_some(10 * 500_000), "{day_of}");
    }
}

#[test]
fn an_account_that_ends_hands_over_to_the_next() {
    let mut old = account(&["p"], "t");
    old.tariffs[0].to = Some(date(2026, 7, 1));
    let mut new = account(&["p"], "u");
    new.id = "next".to_owned();
    new.tariffs[0].from = date(2026, 7, 1);
    let config = config(
        vec![point("p", None, Commodity::Electricity)],
        vec![
            tariff("t", vec![flat(date(2026, 1, 1), "0.5")]),
            tariff("u", vec![flat(date(2026, 1, 1), "0.6")]),
        ],
        vec![old, new],
    );
    let set = |date| day(&config, "p", date, SHANGHAI).tariff_set;
    assert_eq!(set(date(2026, 6, 30)), "t@2026-01-01");
    assert_eq!(set(date(2026, 7, 1)), "u@2026-01-01");
}

#[test]
fn a_cost_beyond_64_bits_is_not_known() {
    let runs = [PriceRun {
        intervals: 96,
        ncny_per_base: Some(2),
    }];
    assert_eq!(cost(&[measured(i64::MAX)], &runs), None);
    assert_eq!(cost(&[measured(i64::MAX / 2)], &runs), Some(i64::MAX - 1));
    // Runs that end early leave what follows without a price; what is missing needs none.
    let short = [PriceRun {
        intervals: 1,
        ncny_per_base: Some(2),
    }];
    assert_eq!(cost(&[measured(1), measured(1)], &short), None);
    assert_eq!(cost(&[measured(1), None], &short), Some(2));
    assert_eq!(cost(&[None, None], &[]), Some(0));
}

fn some_runs() -> impl Strategy<Value = Vec<PriceRun>> {
    let run = (0_u16..30, prop::option::weighted(0.9, -10..3_000_000_i64));
    prop::collection::vec(
        run.prop_map(|(intervals, ncny_per_base)| PriceRun {
            intervals,
            ncny_per_base,
        }),
        0..8,
    )
}

fn some_intervals() -> impl Strategy<Value = Vec<Option<IntervalAmount>>> {
    prop::collection::vec(
        prop::option::weighted(0.8, -1_000..1_000_000_i64)
            .prop_map(|amount| amount.and_then(measured)),
        0..101,
    )
}

proptest! {
    #![proptest_config(laws(2000, "tests/money_prices.proptest-regressions"))]

    #[test]
    fn a_day_costs_what_its_intervals_cost(runs in some_runs(), intervals in some_intervals()) {
        let prices = price_of_each(&runs).chain(std::iter::repeat(None));
        let each: Option<i64> = intervals
            .iter()
            .zip(prices)
            .filter_map(|(interval, price)| {
                interval.map(|one| price.map(|price| one.amount_base * price))
            })
            .sum();
        prop_assert_eq!(cost(&intervals, &runs), each);
    }

    #[test]
    fn every_interval_has_the_price_of_its_clock(
        zone in prop::sample::select(vec![
            SHANGHAI, BERLIN, Tz::Africa__Cairo, Tz::Asia__Kathmandu,
            Tz::Australia__Lord_Howe, Tz::America__St_Johns, Tz::Pacific__Apia,
        ]),
        offset in 0_u64..800,
    ) {
        let config = simple(vec![time_of_use(date(2025, 1, 1))]);
        let today = date(2025, 1, 1) + chrono::Days::new(offset);
        let local_day = LocalDay::of(zone, today);
        let prices = Prices::of(&config).day(&config, &id("p"), &local_day, zone);
        let each: Vec<Option<i64>> = price_of_each(&prices.runs).collect();
        prop_assert_eq!(each.len(), local_day.intervals());
        let version = &config.tariffs.all["t"].versions[0];
        let bands = version.bands(today, config.calendar.kind(today)).unwrap();
        for (index, price) in each.into_iter().enumerate() {
            let at = local_day.start_ms + i64::try_from(index).unwrap() * 900_000;
            let clock = DateTime::from_timestamp_millis(at).unwrap().with_timezone(&zone);
            let quarter = (clock.num_seconds_from_midnight() / 900) as usize;
            prop_assert_eq!(price, version.ncny_per_base(bands[quarter]));
        }
    }

    #[test]
    fn a_back_dated_tariff_changes_only_its_dates(offset in 0_u64..365, start in 0_u64..365) {
        let first = date(2026, 1, 1);
        let from = first + chrono::Days::new(start);
        let before = simple(vec![time_of_use(first)]);
        let mut old = time_of_use(first);
        old.to = Some(from);
        let mut new = time_of_use(from);
        new.energy.insert(Band::Flat, price("0.65"));
        let versions = if start == 0 { vec![new] } else { vec![old, new] };
        let after = simple(versions);
        let today = first + chrono::Days::new(offset);
        let (old_day, new_day) = (
            day(&before, "p", today, SHANGHAI),
            day(&after, "p", today, SHANGHAI),
        );
        if today < from {
            prop_assert_eq!(old_day, new_day);
        } else {
            // Every day has flat hours.
            prop_assert_ne!(old_day.runs, new_day.runs);
        }
    }
}
