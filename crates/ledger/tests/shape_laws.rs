//! Laws of load shapes: outages after days that were measured.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

mod common;

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use common::{DATES, Dice, Model, ZONES, deliver, plain, plain_days, simple_chain, total};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use steward_ledger::LocalDay;
use steward_model::{FillRule, IntervalQuality};

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: std::env::var("PROPTEST_CASES")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(1_500),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/shape_laws.proptest-regressions",
        ))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    /// Quarters of any load for some days, an outage, and days after it; a part of the readings
    /// comes late, so that the shape changes after the outage was spread.
    #[test]
    fn an_outage_is_spread_by_the_measured_days_before_it(
        zone in 0..ZONES.len(),
        date in 0..DATES.len(),
        days in 2_i64..6,
        outage in (0_i64..200, 25_i64..250),
        seed in any::<u64>(),
    ) {
        let mut dice = Dice(seed);
        let (year, month, day) = DATES[date];
        let from = NaiveDate::from_ymd_opt(year, month, day).unwrap();
        let chain = simple_chain(ZONES[zone], 1, from, None);
        let first_ms = chain.lineages[0].from_ms;
        let silent = days * 96 - 90 + outage.0..days * 96 - 90 + outage.0 + outage.1;
        let mut register = 1_000.0;
        let (mut timely, mut late) = (Vec::new(), Vec::new());
        let late_from = dice.below(96 * 4) as i64;
        for quarter in 0..silent.end + 40 {
            register += dice.below(60) as f64 + if quarter % 96 > 40 { 100.0 } else { 0.0 };
            if !silent.contains(&quarter) {
                let reading = (first_ms + quarter * 900_000, register);
                let is_late = (late_from..late_from + 50).contains(&quarter);
                if is_late { late.push(reading) } else { timely.push(reading) }
            }
        }
        let mut model = Model::default();
        deliver(&mut model, &chain, &timely);
        deliver(&mut model, &chain, &late);
        let mut at_once = Model::default();
        timely.extend(late);
        deliver(&mut at_once, &chain, &timely);
        prop_assert_eq!(model.ledger(), at_once.ledger());
        let expected = plain::plain(&model, &chain);
        prop_assert_eq!(plain_days::fills(&model), expected.fills.clone());
        prop_assert_eq!(plain_days::intervals(&model), expected.days);
    }
}

/// A week of office days, and an outage over a Friday and a Saturday: each day by its own kind.
#[test]
fn a_saturday_is_not_spread_like_a_friday() {
    let from = NaiveDate::from_ymd_opt(2024, 7, 5).unwrap();
    let zone = Tz::Asia__Shanghai;
    let chain = simple_chain(zone, 1, from, None);
    let start_ms = |day: u64| LocalDay::of(zone, from + Days::new(day)).start_ms;
    let mut register = 0.0;
    let mut readings = Vec::new();
    // From Friday the 5th: the outage is Thursday 18:00 to Sunday noon a week later.
    let outage = start_ms(6) + 18 * 3_600_000..start_ms(9) + 12 * 3_600_000;
    for quarter in 0..12 * 96_i64 {
        let at_ms = start_ms(0) + quarter * 900_000;
        let (day, of_day) = (quarter / 96 % 7, quarter % 96);
        if !outage.contains(&at_ms) {
            readings.push((at_ms, register));
        }
        let rests = day == 1 || day == 2;
        register += match of_day {
            _ if rests => 10.0,
            32..72 => 100.0,
            _ => 20.0,
        };
    }
    let mut model = Model::default();
    deliver(&mut model, &chain, &readings);
    let date = |day: u64| from + Days::new(day);
    let hour = |day: u64, hour: usize| {
        let intervals = &model.days[&date(day)].intervals[hour * 4..hour * 4 + 4];
        intervals
            .iter()
            .map(|one| one.unwrap().amount_base)
            .sum::<i64>()
    };
    // Four days before Thursday: Sunday, Monday, Tuesday, Wednesday.
    assert_eq!((hour(7, 3), hour(7, 12)), (80, 400));
    assert_eq!((hour(8, 3), hour(8, 12)), (40, 40));
    assert_eq!(
        model.days[&date(7)].intervals[5].unwrap().quality,
        IntervalQuality::Shaped
    );
    let fill = model.fills.values().next().unwrap();
    let FillRule::Shape {
        days,
        by_temperature,
        basis_from,
        ..
    } = fill.rule.clone()
    else {
        panic!("{fill:?}");
    };
    assert_eq!((days, by_temperature, basis_from), (1, false, date(2)));
    let last = readings.last().unwrap().1;
    assert_eq!(total(model.days.values()), last as i64);
}
