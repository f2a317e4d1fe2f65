//! `factors/*.toml`: published values with their origin.

use std::collections::BTreeMap;
use std::rc::Rc;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use steward_model::{BaseUnit, Commodity};

use super::Site;
use crate::error::{At, ConfigErrors, Log, Problem};
use crate::factor::{Factor, FactorKind, Factors, NATION, RegionLevel};
use crate::fields::Fields;
use crate::parse;
use crate::settings::{CoalBasis, Settings};
use crate::shipped;
use crate::tree::{Document, parse_toml};

/// A factor and the place where it is written.
pub(crate) struct Draft {
    pub(crate) factor: Factor,
    pub(crate) at: At,
}

/// What a written kind stands for: fuels have one standard-coal value under both conventions.
const KINDS: [(&str, &[FactorKind]); 4] = [
    ("co2", &[FactorKind::Co2]),
    ("coal_calorific", &[FactorKind::CoalCalorific]),
    ("coal_equivalent", &[FactorKind::CoalEquivalent]),
    (
        "coal",
        &[FactorKind::CoalCalorific, FactorKind::CoalEquivalent],
    ),
];

/// The shipped factors, all series.
pub(crate) fn shipped(log: &Log) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (name, text) in shipped::FACTORS {
        let file: Rc<str> = Rc::from(format!("(shipped) factors/{name}.toml"));
        if let Some(document) = parse_toml(file, text, None, log) {
            drafts.extend(read(&document, log));
        }
    }
    drafts
}

/// Every shipped factor of every series, those included that no site uses.
pub fn shipped_factors() -> Result<Vec<Factor>, ConfigErrors> {
    let log = Log::default();
    let drafts = shipped(&log);
    log.settle(Some(drafts.into_iter().map(|draft| draft.factor).collect()))
}

/// Shipped factors and those of the site, which replace shipped ones of the same id.
pub(super) fn collect(site: Site<'_>) -> Vec<Draft> {
    let mut own: Vec<Draft> = Vec::new();
    for file in site.toml_files("factors") {
        if let Some(document) = site.toml(&file, None) {
            own.extend(read(&document, site.log));
        }
    }
    let mut first: BTreeMap<(&str, FactorKind), &At> = BTreeMap::new();
    for draft in &own {
        let key = (draft.factor.id.as_str(), draft.factor.kind);
        if let Some(other) = first.get(&key) {
            let problem = Problem::new("another factor has this id")
                .hint(format!("the first stands at {}", other.place()));
            site.log.report(&draft.at, problem);
        } else {
            first.insert(key, &draft.at);
        }
    }
    let mut all = shipped(site.log);
    all.retain(|shipped| own.iter().all(|one| one.factor.id != shipped.factor.id));
    all.extend(own);
    all
}

/// The factors of the series that the settings choose.
pub(super) fn in_use(drafts: &[Draft], settings: &Settings) -> Factors {
    let all = drafts
        .iter()
        .map(|draft| &draft.factor)
        .filter(|factor| {
            chosen_series(factor.kind, factor.commodity, settings)
                .is_none_or(|chosen| chosen == Some(factor.series.as_str()))
        })
        .cloned();
    Factors { all: all.collect() }
}

/// The series that the settings choose for a kind and a commodity. The outer `None`: there is
/// nothing to choose, one series alone is published. The inner: a choice is needed and missing.
pub(super) fn chosen_series(
    kind: FactorKind,
    commodity: Commodity,
    settings: &Settings,
) -> Option<Option<&str>> {
    let carbon = &settings.carbon;
    match (kind, commodity) {
        (FactorKind::Co2, Commodity::Electricity) => Some(Some(&carbon.grid_series)),
        (FactorKind::Co2, _) => Some(Some(&carbon.fuel_series)),
        (FactorKind::CoalEquivalent, Commodity::Electricity) => {
            Some(carbon.electricity_equivalent_series.as_deref())
        }
        (_, Commodity::NaturalGas) => Some(carbon.gas_coal_series.as_deref()),
        _ => None,
    }
}

/// The kind of standard coal that a site uses.
pub(super) fn coal_kind(settings: &Settings) -> FactorKind {
    match settings.coal_basis {
        CoalBasis::Calorific => FactorKind::CoalCalorific,
        CoalBasis::Equivalent => FactorKind::CoalEquivalent,
    }
}

fn read(document: &Document, log: &Log) -> Vec<Draft> {
    let top = Fields::document(document, log);
    let drafts = top.tables("factor").iter().flat_map(read_factor).collect();
    top.finish();
    drafts
}

fn read_factor(fields: &Fields<'_>) -> Vec<Draft> {
    let commodities = super::points::sold();
    let id = fields.need(
        "id",
        parse::id(|text| {
            steward_model::ProfileId::new(text)
                .ok()
                .map(|_| text.to_owned())
        }),
    );
    let commodity = fields.need("commodity", parse::one_of(&commodities));
    let kinds = fields.need("kind", parse::one_of(&KINDS));
    let series = fields.need("series", parse::text);
    let level = fields.need("level", parse::one_of(&RegionLevel::ALL));
    let region = fields.need("region", parse::text);
    let value = fields.need("value", parse::decimal_from_zero);
    let unit = fields.need("unit", parse::text);
    let density = fields.read("density_kg_per_l", parse::decimal_from_zero);
    let data_year = fields.read("data_year", parse::integer(1990..=2200));
    let document = fields.need("document", parse::text);
    let published = fields.read("published", parse::date);
    let valid_from = fields.need("valid_from", parse::date);
    let valid_to = fields.read("valid_to", parse::date);
    let confidence = fields.need("confidence", parse::one_of(&super::profiles::CONFIDENCE));
    fields.finish();
    if let (Some(from), Some(to)) = (&valid_from, &valid_to)
        && to.value <= from.value
    {
        let problem = Problem::new(format!("must be after valid_from, which is {}", from.value));
        fields.log().report(&to.at, problem);
    }
    if let (Some(level), Some(region)) = (&level, &region)
        && (level.value == RegionLevel::Nation) != (region.value == NATION)
    {
        let problem = Problem::new("does not agree with level").hint(format!(
            "the level nation has the region {NATION}, no other level has"
        ));
        fields.log().report(&region.at, problem);
    }
    let factor = (|| {
        let (id, kinds, commodity, value, unit) = (id?, kinds?, commodity?, value?, unit?);
        let density = density.map(|density| density.value);
        let is_co2 = kinds.value.contains(&FactorKind::Co2);
        let per_base = ug_per_base(commodity.value, is_co2, value.value, &unit.value, density);
        let ug_per_base = match per_base {
            Ok(number) => number,
            Err(wrong) => {
                let at = if wrong.in_unit { &unit.at } else { &value.at };
                fields.log().report(at, wrong.problem);
                return None;
            }
        };
        let factor = Factor {
            id: id.value,
            commodity: commodity.value,
            kind: FactorKind::Co2,
            series: series?.value,
            region: region?.value,
            level: level?.value,
            value: value.value,
            unit: unit.value,
            density_kg_per_l: density,
            ug_per_base,
            data_year: data_year.map(|year| year.value),
            document: document?.value,
            published: published.map(|date| date.value),
            valid_from: valid_from?.value,
            valid_to: valid_to.map(|date| date.value),
            confidence: confidence?.value,
        };
        Some((factor, kinds.value, id.at))
    })();
    let Some((factor, kinds, at)) = factor else {
        return Vec::new();
    };
    kinds
        .iter()
        .map(|kind| Draft {
            factor: Factor {
                kind: *kind,
                ..factor.clone()
            },
            at: at.clone(),
        })
        .collect()
}

struct Wrong {
    in_unit: bool,
    problem: Problem,
}

/// Micrograms of CO2 or standard coal per base unit, exactly.
fn ug_per_base(
    commodity: Commodity,
    is_co2: bool,
    value: Decimal,
    unit: &str,
    density_kg_per_l: Option<Decimal>,
) -> Result<i64, Wrong> {
    let what = if is_co2 { "CO2" } else { "ce" };
    let amounts = amounts_in_base(commodity.base_unit());
    let wrong_unit = |text: String| Wrong {
        in_unit: true,
        problem: Problem::new(text).allowed(format!(
            "g, kg or t, then {what}/, then one of {}",
            amounts
                .iter()
                .map(|(name, _)| *name)
                .collect::<Vec<_>>()
                .join(", ")
        )),
    };
    let parts = unit.split_once(&format!("{what}/"));
    let (mass, per) = parts.ok_or_else(|| wrong_unit("is no unit of such a factor".into()))?;
    let mass_ug: i64 = match mass {
        "g" => 1_000_000,
        "kg" => 1_000_000_000,
        "t" => 1_000_000_000_000,
        _ => return Err(wrong_unit("does not begin with a mass".into())),
    };
    let amount = amounts.iter().find(|(name, _)| *name == per);
    let (_, base) = amount.ok_or_else(|| {
        wrong_unit(format!(
            "does not fit {commodity}, whose base unit is {}",
            commodity.base_unit().symbol()
        ))
    })?;
    let is_per_mass_of_liquid = commodity.base_unit() == BaseUnit::Millilitre && per != "L";
    let density = match (is_per_mass_of_liquid, density_kg_per_l) {
        (true, Some(density)) => density,
        (false, None) => Decimal::ONE,
        (true, None) => {
            return Err(wrong_unit(format!(
                "is per mass, but {commodity} is metered by volume: density_kg_per_l is missing"
            )));
        }
        (false, Some(_)) => {
            return Err(wrong_unit("needs no density_kg_per_l".into()));
        }
    };
    let wrong_value = || Wrong {
        in_unit: false,
        problem: Problem::new(format!(
            "is no whole number of micrograms per {}",
            commodity.base_unit().symbol()
        ))
        .hint("the ledger is exact: write the published value with fewer digits"),
    };
    value
        .checked_mul(Decimal::from(mass_ug))
        .and_then(|ug| ug.checked_mul(density))
        .and_then(|ug| ug.checked_div(Decimal::from(*base)))
        .filter(|ug| ug.is_integer())
        .and_then(|ug| ug.to_i64())
        .ok_or_else(wrong_value)
}

/// Amounts that factors are published for, in base units. A mass of liquid fuel counts as the
/// millilitres of as many litres, which the density makes right.
fn amounts_in_base(base: BaseUnit) -> &'static [(&'static str, i64)] {
    match base {
        BaseUnit::WattHour => &[("kWh", 1_000), ("MWh", 1_000_000)],
        BaseUnit::Litre => &[("m3", 1_000), ("10^4m3", 10_000_000), ("t", 1_000)],
        BaseUnit::Kilojoule => &[("MJ", 1_000), ("GJ", 1_000_000), ("kWh", 3_600)],
        BaseUnit::Gram => &[("kg", 1_000), ("t", 1_000_000)],
        BaseUnit::Millilitre => &[("L", 1_000), ("kg", 1_000), ("t", 1_000_000)],
        BaseUnit::VarHour => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per_base(
        commodity: Commodity,
        value: &str,
        unit: &str,
        density: Option<&str>,
    ) -> Option<i64> {
        let decimal = |text: &str| Decimal::from_str_exact(text).expect("a decimal of the test");
        let is_co2 = unit.contains("CO2");
        ug_per_base(
            commodity,
            is_co2,
            decimal(value),
            unit,
            density.map(decimal),
        )
        .ok()
    }

    #[test]
    fn published_values_become_whole_micrograms() {
        use Commodity::{Diesel, Electricity, Heat, Lpg, NaturalGas, Petrol};
        assert_eq!(
            per_base(Electricity, "0.4974", "kgCO2/kWh", None),
            Some(497_400)
        );
        assert_eq!(
            per_base(Electricity, "302.4", "gce/kWh", None),
            Some(302_400)
        );
        assert_eq!(
            per_base(NaturalGas, "2.1622", "kgCO2/m3", None),
            Some(2_162_200)
        );
        assert_eq!(
            per_base(NaturalGas, "21.62", "tCO2/10^4m3", None),
            Some(2_162_000)
        );
        assert_eq!(per_base(Heat, "0.11", "tCO2/GJ", None), Some(110_000));
        assert_eq!(per_base(Heat, "0.03412", "kgce/MJ", None), Some(34_120));
        assert_eq!(per_base(Lpg, "1.7143", "kgce/kg", None), Some(1_714_300));
        assert_eq!(
            per_base(Petrol, "2.9251", "kgCO2/kg", Some("0.73")),
            Some(2_135_323)
        );
        assert_eq!(
            per_base(Diesel, "3.15", "tCO2/t", Some("0.85")),
            Some(2_677_500)
        );
    }

    #[test]
    fn what_is_not_exact_or_does_not_fit_is_refused() {
        use Commodity::{Electricity, Heat, Petrol};
        assert_eq!(
            per_base(Electricity, "0.49741234567", "kgCO2/kWh", None),
            None
        );
        assert_eq!(per_base(Electricity, "0.4974", "kgCO2/m3", None), None);
        assert_eq!(per_base(Electricity, "0.4974", "kgCO2e/kWh", None), None);
        assert_eq!(per_base(Heat, "0.1", "kgCO2/kWh", None), None);
        assert_eq!(per_base(Petrol, "2.9251", "kgCO2/kg", None), None);
    }
}
