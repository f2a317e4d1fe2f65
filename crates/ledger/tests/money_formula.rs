//! Laws of virtual points.
#![allow(clippy::unwrap_used, clippy::panic)]

mod money_world;

use std::collections::BTreeMap;

use money_world::*;
use proptest::prelude::*;
use steward_config::{Dated, Registry};
use steward_ledger::formula::{dependents, formula_on, order, virtual_day};
use steward_model::{Commodity, IntervalAmount, IntervalQuality, PointId};

type Day = Vec<Option<IntervalAmount>>;
type Days = BTreeMap<PointId, Day>;

/// Every virtual point of a registry from the days of its metered ones.
fn compute(registry: &Registry, mut days: Days, count: usize) -> Days {
    for id in order(registry) {
        let formula = formula_on(registry, &registry.points[&id], date(2026, 5, 5)).unwrap();
        let made = virtual_day(&formula, count, |input| days.get(input).map(Vec::as_slice));
        days.insert(id, made);
    }
    days
}

fn amounts(day: &Day) -> Vec<Option<i64>> {
    day.iter()
        .map(|one| one.map(|one| one.amount_base))
        .collect()
}

fn total(day: &Day) -> i64 {
    day.iter().flatten().map(|one| one.amount_base).sum()
}

#[test]
fn a_share_is_rounded_once_over_the_day() {
    // 0.3 of 1, 2, 3, 4, 5 so far: 0.3, 0.6, 0.9, 1.2, 1.5 → 0, 0, 0, 1, 1.
    let ones: Day = vec![measured(1); 5];
    let made = virtual_day(&formula(&[("a", 300_000)]), 5, |_| Some(&ones));
    assert_eq!(amounts(&made), [0, 0, 0, 1, 0].map(Some));
}

#[test]
fn an_interval_is_missing_where_an_input_is_and_as_bad_as_the_worst() {
    let with = |quality| {
        Some(IntervalAmount {
            amount_base: 10,
            quality,
        })
    };
    let a = vec![
        with(IntervalQuality::Measured),
        with(IntervalQuality::Interpolated),
        None,
        measured(7),
    ];
    let b = vec![with(IntervalQuality::Shaped), measured(4), measured(4)];
    let find = |point: &PointId| match point.as_str() {
        "a" => Some(a.as_slice()),
        "b" => Some(b.as_slice()),
        _ => None,
    };
    let made = virtual_day(&formula(&[("a", 1_000_000), ("b", -1_000_000)]), 4, find);
    let interval = |amount_base, quality| {
        Some(IntervalAmount {
            amount_base,
            quality,
        })
    };
    let expected = [
        interval(0, IntervalQuality::Shaped),
        interval(6, IntervalQuality::Interpolated),
        None,
        None,
    ];
    assert_eq!(made, expected);
    // A point that takes no part is not missed.
    let made = virtual_day(&formula(&[("b", 2_000_000), ("nobody", 0)]), 1, find);
    assert_eq!(amounts(&made), [Some(20)]);
}

#[test]
fn what_rests_on_what_comes_later() {
    let registry = registry(vec![
        point("m", None, Commodity::Electricity),
        virtual_point("a", &[("c", 1_000_000)]),
        virtual_point("b", &[("m", 500_000)]),
        virtual_point("c", &[("b", 1_000_000), ("m", 1_000_000)]),
        virtual_point("d", &[("b", 1_000_000)]),
    ]);
    let names = |ids: &[PointId]| ids.iter().map(PointId::to_string).collect::<Vec<_>>();
    assert_eq!(names(&order(&registry)), ["b", "c", "a", "d"]);
    let above = dependents(&registry);
    assert_eq!(names(&above[&id("m")]), ["b", "c", "a", "d"]);
    assert_eq!(names(&above[&id("b")]), ["c", "a", "d"]);
    assert_eq!(names(&above[&id("c")]), ["a"]);
    assert_eq!(above.get(&id("a")), None);
}

#[test]
fn a_circle_loses_no_point() {
    let registry = registry(vec![
        virtual_point("a", &[("b", 1_000_000)]),
        virtual_point("b", &[("a", 1_000_000)]),
        virtual_point("c", &[("m", 1_000_000)]),
    ]);
    assert_eq!(order(&registry), [id("c"), id("a"), id("b")]);
}

#[test]
fn formulas_and_allocations_hold_on_their_dates() {
    let mut registry = allocated(&[("x", 250_000)]);
    let rest = &registry.points[&id("rest")];
    let terms = |registry: &Registry, day| {
        let formula = formula_on(registry, &registry.points[&id("rest")], day)?;
        Some(
            formula
                .terms
                .iter()
                .map(|term| term.coefficient_ppm)
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(formula_on(&registry, rest, date(2019, 12, 31)), None);
    assert_eq!(
        terms(&registry, date(2026, 1, 1)),
        Some(vec![1_000_000, -250_000])
    );
    // From May on the receiver has another share; the allocation goes on.
    let x = registry.points.get_mut("x").unwrap();
    x.formulas[0].to = Some(date(2026, 5, 1));
    x.formulas.push(Dated {
        from: date(2026, 5, 1),
        to: None,
        value: formula(&[("shared", 400_000)]),
    });
    assert_eq!(
        terms(&registry, date(2026, 4, 30)),
        Some(vec![1_000_000, -250_000])
    );
    assert_eq!(
        terms(&registry, date(2026, 5, 1)),
        Some(vec![1_000_000, -400_000])
    );
    // Where the allocation does not hold, the formula is as written.
    registry.allocations[0].to = Some(date(2026, 6, 1));
    assert_eq!(terms(&registry, date(2026, 6, 1)), Some(vec![750_000]));
}

/// Intervals of a day; a few are as good as many for the laws, and quicker.
const COUNT: usize = 24;

fn some_day() -> impl Strategy<Value = Day> {
    let amount = prop::option::weighted(0.9, 0..50_000_i64);
    prop::collection::vec(amount.prop_map(|amount| amount.and_then(measured)), COUNT)
}

fn some_shares() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(1_i64..1_000_000, 1..7).prop_flat_map(|weights| {
        let whole: i64 = weights.iter().sum();
        // What is handed out: all, or a part.
        (
            Just(weights),
            prop_oneof![Just(1_000_000_i64), 0..1_000_000_i64],
        )
            .prop_map(move |(weights, out)| {
                let mut shares: Vec<i64> =
                    weights.iter().map(|weight| weight * out / whole).collect();
                if out == 1_000_000 {
                    let given: i64 = shares.iter().sum();
                    shares[0] += out - given;
                }
                shares
            })
    })
}

proptest! {
    #![proptest_config(laws(2000, "tests/money_formula.proptest-regressions"))]

    #[test]
    fn shared_energy_is_neither_lost_nor_made(day in some_day(), shares in some_shares()) {
        let names: Vec<String> = (0..shares.len()).map(|index| format!("r{index}")).collect();
        let receivers: Vec<(&str, i64)> =
            names.iter().map(String::as_str).zip(shares.iter().copied()).collect();
        let registry = allocated(&receivers);
        let days = compute(&registry, Days::from([(id("shared"), day.clone())]), COUNT);
        // A receiver without a share takes no part: it has nothing where the shared point is
        // missing too.
        let parts: Vec<&Day> = names
            .iter()
            .zip(&shares)
            .filter(|(_, share)| **share != 0)
            .map(|(name, _)| &days[&id(name)])
            .chain([&days[&id("rest")]])
            .collect();
        for (index, shared) in day.iter().enumerate() {
            let amounts = parts.iter().map(|day| day[index].map(|one| one.amount_base));
            let parts: Option<i64> = amounts.sum();
            prop_assert_eq!(parts, shared.map(|one| one.amount_base), "interval {}", index);
        }
        // No receiver is ever given less than nothing, and the rest of a day is none either.
        for name in &names {
            let made = &days[&id(name)];
            prop_assert!(made.iter().flatten().all(|one| one.amount_base >= 0));
        }
        prop_assert!(total(&days[&id("rest")]) >= 0);
    }

    #[test]
    fn a_day_of_a_term_is_the_product_rounded_down(
        day in some_day(),
        coefficient in 1_i64..3_000_000,
        splits in prop::collection::vec(0..COUNT, 0..4),
    ) {
        let made = virtual_day(&formula(&[("a", coefficient)]), COUNT, |_| Some(&day));
        let mut ends = splits;
        ends.push(COUNT);
        // At every moment of the day, not only at its end.
        for end in ends {
            let so_far: i128 = day[..end].iter().flatten().map(|one| i128::from(one.amount_base)).sum();
            let given: i128 = made[..end].iter().flatten().map(|one| i128::from(one.amount_base)).sum();
            prop_assert_eq!(given, so_far * i128::from(coefficient) / 1_000_000);
        }
    }

    #[test]
    fn whole_coefficients_are_linear_exactly(
        a in some_day(),
        b in some_day(),
        x in -3_i64..4,
        y in -3_i64..4,
    ) {
        let find = |point: &PointId| match point.as_str() {
            "a" => Some(a.as_slice()),
            _ => Some(b.as_slice()),
        };
        let terms = [("a", x * 1_000_000), ("b", y * 1_000_000)];
        let made = virtual_day(&formula(&terms), COUNT, find);
        for index in 0..COUNT {
            let part = |day: &Day, factor: i64| match (factor, day[index]) {
                (0, _) => Some(0),
                (_, one) => one.map(|one| one.amount_base * factor),
            };
            let expected = part(&a, x).zip(part(&b, y)).map(|(a, b)| a + b);
            prop_assert_eq!(made[index].map(|one| one.amount_base), expected);
        }
    }

    #[test]
    fn a_formula_over_formulas_is_the_formula_written_out(a in some_day(), b in some_day()) {
        let registry = registry(vec![
            point("a", None, Commodity::Electricity),
            point("b", None, Commodity::Electricity),
            virtual_point("z-sum", &[("a", 1_000_000), ("b", 1_000_000)]),
            virtual_point("difference", &[("z-sum", 1_000_000), ("b", -1_000_000)]),
        ]);
        let days = compute(&registry, Days::from([(id("a"), a.clone()), (id("b"), b.clone())]), COUNT);
        for index in 0..COUNT {
            let both = a[index].zip(b[index]).map(|(a, _)| a.amount_base);
            prop_assert_eq!(days[&id("difference")][index].map(|one| one.amount_base), both);
        }
    }
}
