//! Maximum demand and power factor.

use rust_decimal::Decimal;
use steward_model::time::INTERVAL_S;

use super::bill::Taken;

/// The highest mean power of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxDemand {
    /// In kW.
    pub kw: Decimal,
    /// The second at which the window begins.
    pub start_s: i64,
}

/// The maximum demand of intervals of Wh in ascending order, over windows of `window_min` minutes
/// that begin with an interval; the first of equal ones. A window counts only where none of its
/// intervals is missing. `None` where there is no such window, and where the window is no whole
/// number of intervals: 15 minutes, the window of Chinese two-part tariffs, is one.
///
/// `kW = Wh × 60 ÷ minutes ÷ 1000`; for 15 minutes four times the kWh of the interval. A window
/// that slides by the minute, as some meters' own registers do, can find a higher one.
pub fn max_demand(intervals: &[Taken], window_min: u32) -> Option<MaxDemand> {
    let window_s = i64::from(window_min) * 60;
    if window_s == 0 || window_s % INTERVAL_S != 0 {
        return None;
    }
    let length = usize::try_from(window_s / INTERVAL_S).ok()?;
    let mut best: Option<(i128, i64)> = None;
    for window in intervals.windows(length) {
        let (first, last) = (window.first()?, window.last()?);
        if last.start_s - first.start_s != window_s - INTERVAL_S {
            continue;
        }
        let sum_base: i128 = window.iter().map(|one| i128::from(one.amount_base)).sum();
        if best.is_none_or(|(most, _)| sum_base > most) {
            best = Some((sum_base, first.start_s));
        }
    }
    let (sum_base, start_s) = best?;
    // In thousandths of Wh an hour, so that one division is left.
    let wh = Decimal::try_from_i128_with_scale(sum_base.checked_mul(60)?, 3).ok()?;
    Some(MaxDemand {
        kw: wh.checked_div(Decimal::from(window_min))?,
        start_s,
    })
}

/// The power factor `P ÷ √(P² + Q²)` of a period's active and reactive energy in one unit, rounded
/// to 0.01, halves up, as power-factor tables have it. `None` where no active energy was drawn.
///
/// It is the largest `n ÷ 100` with `(2n − 1)² × (P² + Q²) ≤ (200 P)²`: integers, no root.
pub fn power_factor(active: i64, reactive: i64) -> Option<Decimal> {
    if active <= 0 {
        return None;
    }
    let (active, reactive) = (i128::from(active), i128::from(reactive));
    let square = active.checked_mul(active)?;
    let apparent = square.checked_add(reactive.checked_mul(reactive)?)?;
    let limit = square.checked_mul(40_000)?;
    // 199² × apparent is the largest product below.
    apparent.checked_mul(199 * 199)?;
    let holds = |n: &i64| {
        let odd = i128::from(2 * n - 1);
        odd * odd * apparent <= limit
    };
    let hundredths = (1..=100).rev().find(holds).unwrap_or(0);
    Some(Decimal::new(hundredths, 2))
}
