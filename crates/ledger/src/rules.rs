//! The settings by which the kernel judges and fills.

use steward_config::{Calendar, Config, Weather};
use steward_model::IntervalQuality;

/// How far apart the readings around a boundary may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gaps {
    /// Up to here the interval is measured.
    pub measured_max_ms: i64,
    /// Up to here it is interpolated; beyond, the rise is spread by load shape, or evenly.
    pub interpolated_max_ms: i64,
}

impl Gaps {
    /// The quality of a boundary between readings that stand `gap_ms` apart, spread evenly.
    pub const fn quality(self, gap_ms: i64) -> IntervalQuality {
        if gap_ms <= self.measured_max_ms {
            IntervalQuality::Measured
        } else if gap_ms <= self.interpolated_max_ms {
            IntervalQuality::Interpolated
        } else {
            IntervalQuality::Estimated
        }
    }
}

/// From which days the load shape of an outage is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShapeRules {
    /// How many local days before the outage are looked at.
    pub days: u16,
    /// Fewer measured days of the same kind than this spread it evenly.
    pub days_min: u16,
    /// Days whose mean temperature differs by at most this make the shape, where weather is known.
    pub band_k: f64,
}

/// Everything beside readings, registry and books on which the kernel rests.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Gaps and qualities.
    pub gaps: Gaps,
    /// Load shapes.
    pub shape: ShapeRules,
    /// Kinds of days.
    pub calendar: &'a Calendar,
    /// Temperatures of days.
    pub weather: &'a Weather,
}

impl<'a> Rules<'a> {
    /// The rules of a configuration.
    pub fn of(config: &'a Config) -> Self {
        let settings = &config.settings.ledger;
        Self {
            gaps: Gaps {
                measured_max_ms: settings.measured_gap_max_s.saturating_mul(1_000),
                interpolated_max_ms: settings.interpolated_gap_max_s.saturating_mul(1_000),
            },
            shape: ShapeRules {
                days: settings.shape_days,
                days_min: settings.shape_days_min,
                band_k: settings.shape_band_k,
            },
            calendar: &config.calendar,
            weather: &config.weather,
        }
    }
}
