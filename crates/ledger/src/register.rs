//! Readings of a counter become registers in base units.

/// The largest register: 9 × 10¹⁵ base units. Below it every integer is exact as an `f64`, so the
/// register is what the meter showed and not a neighbour of it.
pub const REGISTER_BASE_MAX: i64 = 9_000_000_000_000_000;

/// Why a value is no register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the register is beyond ±9e15 base units")]
pub struct RegisterError;

/// One reading as the shelf gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Raw {
    /// When, in milliseconds.
    pub at_ms: i64,
    /// What it showed, in the unit of the quantity, before ratios.
    pub value: f64,
    /// Whether a person read it.
    pub manual: bool,
}

/// A register that counts, and when it was read.
///
/// For a series that is integrated from power the register holds thousandths of base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Confirmed {
    /// When, in milliseconds.
    pub at_ms: i64,
    /// The register in base units, ratio applied.
    pub register_base: i64,
    /// Whether a person read it.
    pub manual: bool,
}

/// The register in base units: `value` × `ratio`, half away from zero.
pub fn register_base(value: f64, ratio: u32) -> Result<i64, RegisterError> {
    base_units(value * f64::from(ratio))
}

/// `product` as a whole number of base units, half away from zero.
pub(crate) fn base_units(product: f64) -> Result<i64, RegisterError> {
    // The bound lies below 2^53, so the whole part and the rest of it are exact. NaN fails the
    // comparison. `f64::round` would be a call of the C library for every reading.
    if product.abs() <= REGISTER_BASE_MAX as f64 {
        let whole = product as i64;
        let rest = product - whole as f64;
        Ok(whole + i64::from(rest >= 0.5) - i64::from(rest <= -0.5))
    } else {
        Err(RegisterError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_half_away_from_zero_after_the_ratio() {
        assert_eq!(register_base(0.5, 1), Ok(1));
        assert_eq!(register_base(-0.5, 1), Ok(-1));
        assert_eq!(register_base(2.5, 1), Ok(3));
        assert_eq!(register_base(0.499_999_999_999_999_94, 1), Ok(0));
        assert_eq!(register_base(1_234.567, 40), Ok(49_383));
        assert_eq!(register_base(9e15, 1), Ok(REGISTER_BASE_MAX));
        assert_eq!(register_base(-9e15, 1), Ok(-REGISTER_BASE_MAX));
        assert_eq!(register_base(9e15 + 2.0, 1), Err(RegisterError));
        assert_eq!(register_base(1e300, u32::MAX), Err(RegisterError));
        assert_eq!(register_base(f64::NAN, 1), Err(RegisterError));
    }
}
