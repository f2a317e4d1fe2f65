//! One figure of a sum, and the three months in which it is told.

use steward_model::Commodity;

use crate::numbers::{amount, kg, yuan};
use crate::report::Missing;
use crate::rollup::Sum;

/// Which figure of a sum is told.
#[derive(Clone, Copy)]
pub(crate) enum Figure {
    Amount(Commodity),
    Kgce,
    Co2,
    Cost,
}

impl Figure {
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Amount(commodity) => commodity.unit(),
            Self::Kgce => "kgce",
            Self::Co2 => "kgCO2",
            Self::Cost => "CNY",
        }
    }

    pub(crate) fn raw(self, sum: &Sum) -> Option<i128> {
        match self {
            Self::Amount(_) => Some(sum.amount_base.into()),
            Self::Kgce => sum.kgce_ug,
            Self::Co2 => sum.co2_ug,
            Self::Cost => sum.cost_ncny(),
        }
    }

    pub(crate) fn number(self, raw: i128) -> f64 {
        match self {
            Self::Amount(commodity) => amount(commodity, i64::try_from(raw).unwrap_or(i64::MAX)),
            Self::Kgce | Self::Co2 => kg(raw),
            Self::Cost => yuan(raw),
        }
    }

    /// Why the figure of a sum that exists is not known.
    pub(crate) const fn unknown(self) -> Missing {
        match self {
            Self::Cost => Missing::NoTariff,
            _ => Missing::NotCounted,
        }
    }

    /// The figure by an extent, rounded to six decimals.
    pub(crate) fn by(self, raw: i128, extent: Option<f64>) -> Option<f64> {
        let extent = extent.filter(|extent| *extent > 0.0)?;
        let whole = match self {
            Self::Amount(commodity) => raw as f64 / commodity.base_per_unit() as f64,
            Self::Kgce | Self::Co2 | Self::Cost => raw as f64 / 1e9,
        };
        Some((whole / extent * 1e6).round() / 1e6)
    }
}

/// This month, the month before, the same month a year before.
#[derive(Clone, Default)]
pub(crate) struct Months {
    pub(crate) this: Option<Sum>,
    pub(crate) last: Option<Sum>,
    pub(crate) last_year: Option<Sum>,
}

impl Months {
    pub(crate) fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.this, &other.this),
            (&mut self.last, &other.last),
            (&mut self.last_year, &other.last_year),
        ];
        for (into, from) in pairs {
            if let Some(from) = from {
                into.get_or_insert_default().add(from);
            }
        }
    }
}
