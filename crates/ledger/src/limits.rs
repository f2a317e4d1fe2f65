//! What a register can show and how fast it can rise, in base units.
//!
//! Every bound comes from the meter: its resolution, its modulus, its rating. Where one is unknown,
//! the rules that need it do not apply.

use steward_config::CounterLimits;

const HOUR_MS: i128 = 3_600_000;

/// The limits of a service's register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitsBase {
    /// The smallest step that it shows; 0 where unknown.
    pub resolution_base: i64,
    /// Where it begins again at zero.
    pub modulus_base: Option<i64>,
    /// The most that it can rise in an hour.
    pub rise_max_base_per_h: Option<i64>,
}

/// Where a register stands to an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// Not below it, and not further above than the rating allows.
    Up,
    /// Below it by no more than the resolution.
    Jitter,
    /// Below it.
    Down,
    /// Above it beyond the rating.
    High,
}

impl Relation {
    /// Whether the register can have gone there in its course.
    pub(crate) const fn is_plausible(self) -> bool {
        matches!(self, Self::Up | Self::Jitter)
    }
}

impl LimitsBase {
    /// Limits before ratios, times the ratio; what is no whole number is rounded so that it allows
    /// more.
    pub fn of(limits: CounterLimits, ratio: u32) -> Self {
        let base = |value: f64| {
            let product = (value * f64::from(ratio)).ceil();
            (product > 0.0 && product <= 9e15).then_some(product as i64)
        };
        Self {
            resolution_base: base(limits.resolution).unwrap_or(0),
            modulus_base: limits.modulus.and_then(base),
            rise_max_base_per_h: limits.rise_max_per_h.and_then(base),
        }
    }

    /// Whether a rise within `passed_ms` is one that the rating allows.
    pub(crate) fn allows(&self, rise_base: i64, passed_ms: i64) -> bool {
        match self.rise_max_base_per_h {
            None => true,
            Some(rise_max) => {
                rise_base <= self.resolution_base
                    || i128::from(rise_base - self.resolution_base) * HOUR_MS
                        <= i128::from(rise_max) * i128::from(passed_ms)
            }
        }
    }

    /// The most that the rating allows within `passed_ms`.
    pub(crate) fn rise_max_base(&self, passed_ms: i64) -> Option<i128> {
        let rise_max = self.rise_max_base_per_h?;
        let flowed = i128::from(rise_max) * i128::from(passed_ms) / HOUR_MS;
        Some(flowed + i128::from(self.resolution_base))
    }

    /// How a register `passed_ms` later stands to an earlier one.
    pub(crate) fn relation(&self, from_base: i64, to_base: i64, passed_ms: i64) -> Relation {
        let rise = to_base - from_base;
        if rise < -self.resolution_base {
            Relation::Down
        } else if rise < 0 {
            Relation::Jitter
        } else if self.allows(rise, passed_ms) {
            Relation::Up
        } else {
            Relation::High
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATED: LimitsBase = LimitsBase {
        resolution_base: 100,
        modulus_base: Some(1_000_000),
        rise_max_base_per_h: Some(6_000),
    };

    #[test]
    fn registers_stand_to_each_other_by_resolution_and_rating() {
        let minute = 60_000;
        for (to, expected) in [
            (5_000, Relation::Up),
            (5_200, Relation::Up),
            (5_201, Relation::High),
            (4_999, Relation::Jitter),
            (4_900, Relation::Jitter),
            (4_899, Relation::Down),
        ] {
            assert_eq!(RATED.relation(5_000, to, minute), expected, "{to}");
        }
        let unknown = LimitsBase::default();
        assert_eq!(unknown.relation(5_000, 9_000_000, 1), Relation::Up);
        assert_eq!(unknown.relation(5_000, 4_999, minute), Relation::Down);
    }

    #[test]
    fn limits_are_multiplied_and_rounded_up() {
        let limits = CounterLimits {
            resolution: 0.1,
            modulus: Some(1e8),
            rise_max_per_h: Some(57_000.5),
        };
        assert_eq!(
            LimitsBase::of(limits, 3),
            LimitsBase {
                resolution_base: 1,
                modulus_base: Some(300_000_000),
                rise_max_base_per_h: Some(171_002),
            }
        );
        assert_eq!(
            LimitsBase::of(CounterLimits::default(), 3),
            LimitsBase::default()
        );
    }
}
