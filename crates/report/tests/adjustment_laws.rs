//! The law of adjustments over random histories: closed + Σ adjustments = ledger, exactly.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use steward_model::PointId;
use steward_report::{ClosedFigures, Exact, Month, booking_month, outstanding};

const MONTHS: u32 = 6;
const POINTS: usize = 3;

/// What may happen.
#[derive(Clone, Debug)]
enum Act {
    /// The ledger of a point's month becomes this; `None` removes it.
    Ledger(u32, usize, Option<Exact>),
    /// A month closes, or a closed one is revised.
    Close(u32),
}

fn month(index: u32) -> Month {
    Month::new(2026, 1).unwrap().later(index)
}

fn point(index: usize) -> PointId {
    PointId::new(format!("p{index}")).unwrap()
}

fn exact() -> impl Strategy<Value = Exact> {
    let figure = || proptest::option::of(-1_000_000_000_000_i64..1_000_000_000_000);
    (-9_000_000_i64..9_000_000, figure(), figure(), figure()).prop_map(
        |(amount_base, kgce_ug, co2_ug, cost_ncny)| Exact {
            amount_base,
            kgce_ug,
            co2_ug,
            cost_ncny,
        },
    )
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..MONTHS, 0..POINTS, proptest::option::weighted(0.9, exact()))
            .prop_map(|(month, point, exact)| Act::Ledger(month, point, exact)),
        2 => (0..MONTHS).prop_map(Act::Close),
    ]
}

type Ledger = BTreeMap<(Month, PointId), Exact>;
type Closed = BTreeMap<Month, ClosedFigures>;

fn close(closed: &mut Closed, ledger: &Ledger, month: Month) {
    let reopened = closed.contains_key(&month).then_some(month);
    let lines = outstanding(closed, ledger, reopened);
    let frozen = lines
        .into_iter()
        .filter(|((of, _), _)| Some(*of) != reopened)
        .filter(|((of, _), _)| booking_month(closed, *of, reopened) == month)
        .map(|((of, point), exact)| (of, point, exact))
        .collect();
    let points = ledger
        .iter()
        .filter(|((of, _), _)| *of == month)
        .map(|((_, point), exact)| (point.clone(), *exact))
        .collect();
    closed.insert(month, ClosedFigures { points, frozen });
}

/// Figures that are absent and figures that are zero say the same in a sum.
fn plain(exact: Exact) -> [i64; 4] {
    [
        exact.amount_base,
        exact.kgce_ug.unwrap_or(0),
        exact.co2_ug.unwrap_or(0),
        exact.cost_ncny.unwrap_or(0),
    ]
}

fn holds(closed: &Closed, ledger: &Ledger) -> Result<(), TestCaseError> {
    let live = outstanding(closed, ledger, None);
    for (&month, figures) in closed {
        for index in 0..POINTS {
            let point = point(index);
            let own = figures.points.get(&point).copied().unwrap_or_default();
            let frozen = closed.values().flat_map(|one| &one.frozen);
            let frozen = frozen.filter(|(of, id, _)| *of == month && *id == point);
            let sum = frozen.fold(own, |sum, (.., exact)| sum.plus(*exact));
            let key = (month, point);
            let sum = sum.plus(live.get(&key).copied().unwrap_or_default());
            let now = ledger.get(&key).copied().unwrap_or_default();
            prop_assert_eq!(plain(sum), plain(now), "{}", month);
        }
    }
    for (month, _) in live.keys() {
        let booked = booking_month(closed, *month, None);
        prop_assert!(booked > *month && !closed.contains_key(&booked));
    }
    Ok(())
}

/// A month that closes, for the first time or again, takes every line that stands on it.
fn takes_all(closed: &Closed, ledger: &Ledger, month: Month) -> Result<(), TestCaseError> {
    for (of, _) in outstanding(closed, ledger, None).keys() {
        prop_assert!(booking_month(closed, *of, Some(month)) != month, "{}", of);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn closed_and_adjustments_are_the_ledger(acts in prop::collection::vec(act(), 1..40)) {
        let (mut closed, mut ledger) = (Closed::new(), Ledger::new());
        for act in acts {
            match act {
                Act::Ledger(of, index, Some(exact)) => {
                    ledger.insert((month(of), point(index)), exact);
                }
                Act::Ledger(of, index, None) => {
                    ledger.remove(&(month(of), point(index)));
                }
                Act::Close(of) => {
                    close(&mut closed, &ledger, month(of));
                    takes_all(&closed, &ledger, month(of))?;
                }
            }
            holds(&closed, &ledger)?;
        }
    }

    /// What was closed and not touched since needs no adjustment.
    #[test]
    fn nothing_changed_is_nothing_adjusted(
        figures in prop::collection::vec((0..MONTHS, 0..POINTS, exact()), 1..20),
    ) {
        let mut ledger = Ledger::new();
        for (of, index, exact) in figures {
            ledger.insert((month(of), point(index)), exact);
        }
        let mut closed = Closed::new();
        for of in 0..MONTHS {
            close(&mut closed, &ledger, month(of));
        }
        prop_assert!(outstanding(&closed, &ledger, None).is_empty());
        prop_assert!(closed.values().all(|one| one.frozen.is_empty()));
    }
}
