//! From exact integers to the numbers that people read. The only place that rounds.

use serde::{Deserialize, Serialize};
use steward_model::{Commodity, Shares};
use utoipa::ToSchema;

/// Shares are told in ten-thousandths: finer than any decision, and they add up to one exactly.
const SHARE_STEPS: i128 = 10_000;

/// How an amount is known: parts of one, which add up to one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QualityShares {
    /// Share from readings close to both ends of their intervals.
    pub measured: f64,
    /// Share from readings further apart than an interval.
    pub interpolated: f64,
    /// Share from outages, of which only the sum is known.
    pub estimated: f64,
    /// Share from readings that a person took.
    pub manual: f64,
}

/// The amount in the commodity's unit. A base unit is a decimal fraction of it, so nothing is lost.
pub fn amount(commodity: Commodity, base: i64) -> f64 {
    base as f64 / commodity.base_per_unit() as f64
}

/// Micrograms as kilograms, rounded to the gram, halves away from zero.
pub fn kg(micrograms: i128) -> f64 {
    const UG_PER_G: i128 = 1_000_000;
    let half = if micrograms < 0 {
        -UG_PER_G / 2
    } else {
        UG_PER_G / 2
    };
    ((micrograms + half) / UG_PER_G) as f64 / 1_000.0
}

/// Nano-yuan as yuan, rounded to the fen, halves away from zero.
pub fn yuan(nano: i128) -> f64 {
    const NANO_PER_FEN: i128 = 10_000_000;
    let half = if nano < 0 {
        -NANO_PER_FEN / 2
    } else {
        NANO_PER_FEN / 2
    };
    ((nano + half) / NANO_PER_FEN) as f64 / 100.0
}

/// `part` of `whole` in ten-thousandths; `None` where the whole is not above zero.
pub fn share_of(part: i128, whole: i128) -> Option<f64> {
    (whole > 0).then(|| {
        let half = if part < 0 { -whole / 2 } else { whole / 2 };
        ((part * SHARE_STEPS + half) / whole) as f64 / SHARE_STEPS as f64
    })
}

/// The shares of `parts` in their sum by largest remainder, so that they add up to one exactly.
/// `None` where a part is negative or the sum is zero: such shares mean nothing.
pub fn shares_of_whole(parts: &[i128]) -> Option<Vec<f64>> {
    let whole: i128 = parts.iter().sum();
    if whole <= 0 || parts.iter().any(|part| *part < 0) {
        return None;
    }
    let mut steps: Vec<i128> = parts
        .iter()
        .map(|part| part * SHARE_STEPS / whole)
        .collect();
    let missing = SHARE_STEPS - steps.iter().sum::<i128>();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    // Equal remainders go to the earlier part, so the answer depends on nothing else.
    order.sort_by_key(|&index| (-(parts[index] * SHARE_STEPS % whole), index));
    for &index in order.iter().take(usize::try_from(missing).unwrap_or(0)) {
        steps[index] += 1;
    }
    let share = |step: i128| step as f64 / SHARE_STEPS as f64;
    Some(steps.into_iter().map(share).collect())
}

/// The quality of an amount; `None` where the amount is zero or a residual is negative.
pub fn quality(shares: &Shares) -> Option<QualityShares> {
    let parts = [
        i128::from(shares.measured_base),
        i128::from(shares.interpolated_base),
        i128::from(shares.estimated_base),
        i128::from(shares.manual_base),
    ];
    match shares_of_whole(&parts)?.as_slice() {
        &[measured, interpolated, estimated, manual] => Some(QualityShares {
            measured,
            interpolated,
            estimated,
            manual,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_one_exactly() {
        let shares = shares_of_whole(&[1, 1, 1]).unwrap();
        assert_eq!(shares, [0.3334, 0.3333, 0.3333]);
        assert_eq!(shares_of_whole(&[0, 0]), None);
        assert_eq!(shares_of_whole(&[3, -1]), None);
        assert_eq!(share_of(-1, 4), Some(-0.25));
        assert_eq!(share_of(1, 0), None);
    }

    #[test]
    fn kilograms_are_rounded_to_the_gram_once() {
        assert_eq!(kg(1_499_999), 0.001);
        assert_eq!(kg(1_500_000), 0.002);
        assert_eq!(kg(-1_500_000), -0.002);
        assert_eq!(kg(530_600_000_000), 530.6);
        assert_eq!(amount(Commodity::Heat, 1_234_567), 1.234567);
    }

    #[test]
    fn yuan_are_rounded_to_the_fen_once() {
        assert_eq!(yuan(4_999_999), 0.0);
        assert_eq!(yuan(5_000_000), 0.01);
        assert_eq!(yuan(-5_000_000), -0.01);
        assert_eq!(yuan(645_300_000_000), 645.3);
    }
}
