//! The arithmetic of allocations: millionths, and the formulas that they make by date.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::registry::{Dated, Formula, Term};

pub(super) const MILLION: i64 = 1_000_000;

/// Millionths as people write them.
pub(super) fn decimal(ppm: i64) -> Decimal {
    Decimal::new(ppm, 6).normalize()
}

/// Whole millionths whose sum is one: what rounding down leaves goes to the largest remainders.
pub(super) fn apportioned(weights: &[Decimal], total: Decimal) -> Vec<i64> {
    let exact: Vec<Decimal> = weights
        .iter()
        .map(|weight| weight * Decimal::from(MILLION) / total)
        .collect();
    let mut shares: Vec<i64> = exact
        .iter()
        .map(|share| share.floor().to_i64().unwrap_or(0))
        .collect();
    let mut by_remainder: Vec<usize> = (0..exact.len()).collect();
    by_remainder.sort_by_key(|index| {
        let remainder = exact.get(*index).map(Decimal::fract);
        (std::cmp::Reverse(remainder), *index)
    });
    let left = MILLION - shares.iter().sum::<i64>();
    for index in by_remainder
        .into_iter()
        .take(usize::try_from(left).unwrap_or(0))
    {
        if let Some(share) = shares.get_mut(index) {
            *share += 1;
        }
    }
    shares
}

/// Terms of several allocations as formulas that follow each other by date.
pub(super) fn summed(parts: &[Dated<Term>]) -> Vec<Dated<Formula>> {
    let mut dates: BTreeSet<NaiveDate> = parts.iter().map(|part| part.from).collect();
    dates.extend(parts.iter().filter_map(|part| part.to));
    let dates: Vec<NaiveDate> = dates.into_iter().collect();
    let mut formulas: Vec<Dated<Formula>> = Vec::new();
    for (index, from) in dates.iter().enumerate() {
        let held = parts.iter().filter(|part| part.holds_on(*from));
        let terms: Vec<Term> = held.map(|part| part.value.clone()).collect();
        if terms.is_empty() {
            continue;
        }
        let to = dates.get(index + 1).copied();
        match formulas.last_mut() {
            Some(last) if last.to == Some(*from) && last.value.terms == terms => last.to = to,
            _ => formulas.push(Dated {
                from: *from,
                to,
                value: Formula {
                    text: text(&terms),
                    terms,
                },
            }),
        }
    }
    formulas
}

fn text(terms: &[Term]) -> String {
    let terms: Vec<String> = terms
        .iter()
        .map(|term| format!("{} * {}", decimal(term.coefficient_ppm), term.point))
        .collect();
    terms.join(" + ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use steward_model::PointId;

    use super::*;

    #[test]
    fn shares_of_areas_add_up_to_one() {
        let shares = |weights: &[i64]| {
            let weights: Vec<Decimal> = weights.iter().map(|one| Decimal::from(*one)).collect();
            let total = weights.iter().copied().sum();
            apportioned(&weights, total)
        };
        assert_eq!(shares(&[1, 1, 1]), [333_334, 333_333, 333_333]);
        assert_eq!(shares(&[2, 1]), [666_667, 333_333]);
        assert_eq!(shares(&[21_000, 31_000]), [403_846, 596_154]);
        assert_eq!(shares(&[0, 5]), [0, 1_000_000]);
        for count in 1..60 {
            let weights: Vec<i64> = (1..=count).map(|one| one * one + 7).collect();
            assert_eq!(shares(&weights).iter().sum::<i64>(), MILLION, "{count}");
        }
    }

    #[test]
    fn terms_of_two_allocations_make_formulas_by_date() {
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        let part = |from: &str, to: Option<&str>, point: &str, coefficient_ppm| Dated {
            from: date(from),
            to: to.map(date),
            value: Term {
                point: PointId::new(point).unwrap(),
                coefficient_ppm,
            },
        };
        let formulas = summed(&[
            part("2025-01-01", Some("2026-01-01"), "a", 400_000),
            part("2026-01-01", None, "a", 400_000),
            part("2025-07-01", Some("2025-08-01"), "b", 1),
        ]);
        let told: Vec<(NaiveDate, Option<NaiveDate>, &str)> = formulas
            .iter()
            .map(|one| (one.from, one.to, one.value.text.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (date("2025-01-01"), Some(date("2025-07-01")), "0.4 * a"),
                (
                    date("2025-07-01"),
                    Some(date("2025-08-01")),
                    "0.4 * a + 0.000001 * b"
                ),
                (date("2025-08-01"), None, "0.4 * a"),
            ]
        );
    }
}
