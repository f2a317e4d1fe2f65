//! Which factors apply to a point on a day, as whole micrograms per base unit.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use steward_config::{CoalBasis, Config, FactorError, FactorKind, Institution};
use steward_model::Commodity;

/// The largest figure of a day in micrograms: a year of such days still fits 64 bits. It is 25,000
/// million tonnes a day, so only garbage is beyond it.
const DAY_UG_MAX: i64 = i64::MAX / 366;

/// The factors of one day. `None` where the commodity counts none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayFactors {
    /// Standard coal in micrograms per base unit.
    pub kgce_ug_per_base: Option<i64>,
    /// CO2 in micrograms per base unit.
    pub co2_ug_per_base: Option<i64>,
    /// Ids of the factors, joined by `+`; empty where none applies.
    pub factor_set: String,
}

impl DayFactors {
    /// The factors of `commodity` at `institution` on `date`.
    ///
    /// `steward check` refuses a configuration in which a factor is missing. Where a day lies
    /// outside all validities nevertheless, its figure is absent, never guessed, and the error is
    /// answered beside it.
    pub fn of(
        config: &Config,
        commodity: Commodity,
        institution: &Institution,
        date: NaiveDate,
    ) -> (Self, Option<FactorError>) {
        let mut trouble = None;
        let mut ids = BTreeSet::new();
        let mut resolve = |kind| match config.factors.resolve(kind, commodity, institution, date) {
            Ok(Some(factor)) => {
                ids.insert(factor.id.as_str());
                Some(factor.ug_per_base)
            }
            Ok(None) => None,
            Err(error) => {
                trouble = Some(error);
                None
            }
        };
        let kgce_ug_per_base = resolve(coal_kind(config.settings.coal_basis, commodity));
        let co2_ug_per_base = resolve(FactorKind::Co2);
        let factors = Self {
            kgce_ug_per_base,
            co2_ug_per_base,
            factor_set: join(&ids),
        };
        (factors, trouble)
    }
}

/// The convention concerns electricity alone; a fuel's standard coal is its calorific value.
const fn coal_kind(basis: CoalBasis, commodity: Commodity) -> FactorKind {
    match (basis, commodity) {
        (CoalBasis::Equivalent, Commodity::Electricity) => FactorKind::CoalEquivalent,
        _ => FactorKind::CoalCalorific,
    }
}

/// The figure of a day: exact, or absent where it would not fit.
pub(crate) fn day_ug(amount_base: i64, ug_per_base: Option<i64>) -> Option<i64> {
    amount_base
        .checked_mul(ug_per_base?)
        .filter(|ug| ug.abs() <= DAY_UG_MAX)
}

/// Factor ids as one text.
pub(crate) fn join(ids: &BTreeSet<&str>) -> String {
    ids.iter().copied().collect::<Vec<_>>().join("+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_exact_or_absent() {
        assert_eq!(day_ug(1_234, Some(515_300)), Some(635_880_200));
        assert_eq!(day_ug(1_234, None), None);
        assert_eq!(day_ug(9_000_000_000_000_000, Some(515_300)), None);
    }

    #[test]
    fn the_convention_concerns_electricity_alone() {
        let kind = |commodity| coal_kind(CoalBasis::Equivalent, commodity);
        assert_eq!(kind(Commodity::Electricity), FactorKind::CoalEquivalent);
        assert_eq!(kind(Commodity::NaturalGas), FactorKind::CoalCalorific);
    }
}
