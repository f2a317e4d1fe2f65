//! What counters can show and how fast they can rise: in profiles, and in the rows of meters.

use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use steward_model::{Kind, Quantity};

use crate::error::{At, Located, Log, Problem};
use crate::fields::Fields;
use crate::parse;
use crate::registry::CounterLimits;
use crate::tree::Value;

/// The three keys as written, in the unit that is written beside them.
pub(super) struct Written {
    resolution: Option<Located<Decimal>>,
    modulus: Option<Located<Decimal>>,
    rise_max_per_h: Option<Located<Decimal>>,
}

impl Written {
    pub(super) fn read(fields: &Fields<'_>) -> Self {
        Self {
            resolution: fields.read("resolution", parse::decimal_from_zero),
            modulus: fields.read("modulus", above_zero),
            rise_max_per_h: fields.read("rise_max_per_h", above_zero),
        }
    }

    fn places(&self) -> impl Iterator<Item = &At> {
        [&self.resolution, &self.modulus, &self.rise_max_per_h]
            .into_iter()
            .flatten()
            .map(|one| &one.at)
    }

    /// Reports that what is written means nothing here.
    pub(super) fn have_no_meaning(&self, log: &Log, why: &str) {
        for at in self.places() {
            log.report(at, Problem::new(format!("has no meaning: {why}")));
        }
    }

    /// What is written, laid over what is known already. `factor` leads from the written unit to
    /// that of the quantity.
    pub(super) fn over(&self, log: &Log, known: CounterLimits, factor: f64) -> CounterLimits {
        let amount = |one: &Option<Located<Decimal>>| {
            let written = one.as_ref()?.value;
            Some(in_quantity(written, factor))
        };
        let limits = CounterLimits {
            resolution: amount(&self.resolution).unwrap_or(known.resolution),
            modulus: amount(&self.modulus).or(known.modulus),
            rise_max_per_h: amount(&self.rise_max_per_h).or(known.rise_max_per_h),
        };
        let place = self.modulus.as_ref().or(self.resolution.as_ref());
        if let (Some(modulus), Some(place)) = (limits.modulus, place)
            && modulus <= limits.resolution
        {
            let text = format!(
                "the register begins again at {}, but its smallest step is {}",
                modulus / factor,
                limits.resolution / factor
            );
            let problem = Problem::new(text).hint("modulus must be greater than resolution");
            log.report(&place.at, problem);
        }
        if let Some(rise_max) = &self.rise_max_per_h
            && limits.resolution <= 0.0
        {
            let text = "needs a resolution: one step of the register would look like a jump";
            let problem = Problem::new(text).hint("write the smallest step that the meter shows");
            log.report(&rise_max.at, problem);
        }
        limits
    }
}

/// The limits of one quantity of a profile; `None` for a gauge. `step` is the smallest step of an
/// integer register, in the written unit.
pub(super) fn of_quantity(
    fields: &Fields<'_>,
    named: Option<(Quantity, f64)>,
    step: Option<f64>,
) -> Option<(Quantity, CounterLimits)> {
    let written = Written::read(fields);
    let (quantity, factor) = named?;
    if quantity.kind() != Kind::Counter {
        written.have_no_meaning(fields.log(), &format!("{quantity} is no counter"));
        return None;
    }
    let step = step.and_then(Decimal::from_f64);
    let known = CounterLimits {
        resolution: step.map_or(0.0, |step| in_quantity(step.abs(), factor)),
        ..CounterLimits::default()
    };
    Some((quantity, written.over(fields.log(), known, factor)))
}

/// By decimals, so that 4294967.296 m3 are 4294967296 L.
fn in_quantity(written: Decimal, factor: f64) -> f64 {
    let exact = Decimal::from_f64(factor).and_then(|factor| written.checked_mul(factor));
    exact
        .and_then(|amount| amount.to_f64())
        .unwrap_or_else(|| written.to_f64().unwrap_or(0.0) * factor)
}

fn above_zero(value: &Value) -> Result<Decimal, Problem> {
    parse::decimal_from_zero(value).and_then(|number| {
        if number.is_zero() {
            Err(Problem::new("must be more than 0").hint("leave it out where it is not known"))
        } else {
            Ok(number)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrap_in_cubic_metres_is_whole_litres() {
        let wrap = Decimal::new(4_294_967_296, 3);
        assert_eq!(in_quantity(wrap, 1_000.0), 4_294_967_296.0);
        assert_eq!(in_quantity(Decimal::new(1, 2), 3_600_000.0), 36_000.0);
        assert_eq!(in_quantity(Decimal::new(5, 1), 3.6), 1.8);
    }
}
