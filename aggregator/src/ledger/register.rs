//! Readings of a counter become registers in base units, and falling ones are held out.

/// The largest register: 9 × 10¹⁵ base units. Below it every integer is exact as an `f64`, so the
/// register is what the meter showed and not a neighbour of it.
pub const REGISTER_BASE_MAX: i64 = 9_000_000_000_000_000;

/// Why a value is no register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the register is beyond ±9e15 base units")]
pub struct RegisterError;

/// A register that counts, and when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Confirmed {
    /// When, in milliseconds.
    pub at_ms: i64,
    /// The register in base units, ratio applied.
    pub register_base: i64,
}

/// Why a reading does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldOut {
    /// Below the last confirmed register.
    Falling,
    /// Below zero: a counter starts at zero.
    Negative,
    /// Beyond [`REGISTER_BASE_MAX`].
    OutOfRange,
}

/// The register in base units: `value` × `ratio`, half away from zero.
pub fn register_base(value: f64, ratio: u32) -> Result<i64, RegisterError> {
    let product = (value * f64::from(ratio)).round();
    if product.abs() <= REGISTER_BASE_MAX as f64 {
        // Exact: the bound lies below 2^53. NaN fails the comparison.
        Ok(product as i64)
    } else {
        Err(RegisterError)
    }
}

/// Decides whether a reading counts after the `last` one that did.
///
/// What falls is held out and the last confirmed register stays, so no interval is ever negative.
/// Readings are judged in the order of their times, therefore the answer does not depend on the
/// order of their arrival.
pub fn confirm(
    last: Option<Confirmed>,
    at_ms: i64,
    value: f64,
    ratio: u32,
) -> Result<Confirmed, HeldOut> {
    let register_base = register_base(value, ratio).map_err(|_| HeldOut::OutOfRange)?;
    if register_base < 0 {
        return Err(HeldOut::Negative);
    }
    if last.is_some_and(|last| register_base < last.register_base) {
        return Err(HeldOut::Falling);
    }
    Ok(Confirmed {
        at_ms,
        register_base,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_half_away_from_zero_after_the_ratio() {
        assert_eq!(register_base(0.5, 1), Ok(1));
        assert_eq!(register_base(-0.5, 1), Ok(-1));
        assert_eq!(register_base(2.5, 1), Ok(3));
        assert_eq!(register_base(1_234.567, 40), Ok(49_383));
        assert_eq!(register_base(9e15, 1), Ok(REGISTER_BASE_MAX));
        assert_eq!(register_base(9e15 + 2.0, 1), Err(RegisterError));
        assert_eq!(register_base(1e300, u32::MAX), Err(RegisterError));
        assert_eq!(register_base(f64::NAN, 1), Err(RegisterError));
    }

    #[test]
    fn what_falls_is_held_out() {
        let last = Some(Confirmed {
            at_ms: 0,
            register_base: 100,
        });
        assert_eq!(confirm(last, 1, 99.0, 1), Err(HeldOut::Falling));
        assert_eq!(confirm(last, 1, -1.0, 1), Err(HeldOut::Negative));
        assert_eq!(confirm(None, 1, 1e16, 1), Err(HeldOut::OutOfRange));
        let same = Confirmed {
            at_ms: 1,
            register_base: 100,
        };
        assert_eq!(confirm(last, 1, 100.0, 1), Ok(same));
    }
}
