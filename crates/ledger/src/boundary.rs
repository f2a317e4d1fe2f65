//! The register between two readings.
//!
//! The register is interpolated, not the energy: an interval is the difference of two boundary
//! registers, so intervals telescope and their sum is exact whatever the rounding.

use crate::register::Confirmed;

/// The register at `at_ms`, between two confirmed readings (both ends included), rounded down.
///
/// Exact where a reading stands, and never falling: rounding down keeps the order of times.
pub fn register_at(before: Confirmed, after: Confirmed, at_ms: i64) -> i64 {
    debug_assert!(before.at_ms <= at_ms && at_ms <= after.at_ms);
    if at_ms >= after.at_ms {
        return after.register_base;
    }
    let rise = after.register_base - before.register_base;
    let passed_ms = at_ms - before.at_ms;
    let whole_ms = after.at_ms - before.at_ms;
    let part = match rise.checked_mul(passed_ms) {
        Some(product) => product.div_euclid(whole_ms),
        // 9e15 base units over years of milliseconds pass 64 bits; the quotient never does.
        None => {
            let wide = (i128::from(rise) * i128::from(passed_ms)).div_euclid(i128::from(whole_ms));
            i64::try_from(wide).expect("a part of the rise is at most the rise")
        }
    };
    before.register_base + part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at_ms: i64, register_base: i64) -> Confirmed {
        Confirmed {
            at_ms,
            register_base,
            manual: false,
        }
    }

    #[test]
    fn the_register_is_exact_on_readings_and_rounded_down_between() {
        let (before, after) = (at(1_000, 10), at(4_000, 20));
        assert_eq!(register_at(before, after, 1_000), 10);
        assert_eq!(register_at(before, after, 2_000), 13);
        assert_eq!(register_at(before, after, 3_999), 19);
        assert_eq!(register_at(before, after, 4_000), 20);
    }

    #[test]
    fn the_widest_registers_and_gaps_fit() {
        let century_ms = 100 * 366 * 86_400_000;
        let (before, after) = (at(0, 0), at(century_ms, 9_000_000_000_000_000));
        assert_eq!(
            register_at(before, after, century_ms / 2),
            4_500_000_000_000_000
        );
    }
}
