//! `budgets.csv`: a row an institution, year and metric, by year or by month.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rust_decimal::Decimal;
use steward_model::InstitutionId;

use super::Site;
use crate::budget::{Budget, BudgetMetric, Budgets};
use crate::csv_file::parse_csv;
use crate::error::{At, Problem};
use crate::fields::Fields;
use crate::parse;

const FILE: &str = "budgets.csv";
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const METRICS: [(&str, BudgetMetric); 3] = [
    ("electricity_kwh", BudgetMetric::ElectricityKwh),
    ("cost_yuan", BudgetMetric::CostYuan),
    ("carbon_tco2", BudgetMetric::CarbonTco2),
];

/// Reads the budgets. `known` are the ids of institutions; `None` where they could not all be read.
pub(super) fn collect(site: Site<'_>, known: Option<&BTreeSet<InstitutionId>>) -> Budgets {
    let mut budgets = Budgets::default();
    if !site.has(FILE) {
        return budgets;
    }
    let Some(text) = site.text(FILE) else {
        return budgets;
    };
    let file: Rc<str> = Rc::from(FILE);
    let mut columns = vec!["institution", "year", "metric", "annual"];
    columns.extend(MONTHS);
    let mut first: BTreeMap<(InstitutionId, i32, BudgetMetric), At> = BTreeMap::new();
    for row in parse_csv(&file, &text, &columns, site.log) {
        let fields = Fields::row("budget", &row, &file, site.log);
        let Some(budget) = read(&fields, known) else {
            continue;
        };
        let key = (budget.institution.clone(), budget.year, budget.metric);
        if let Some(other) = first.get(&key) {
            let problem = Problem::new("another row has this institution, year and metric")
                .hint(format!("the first stands at {}", other.place()));
            site.log.report(&fields.at(), problem);
            continue;
        }
        first.insert(key.clone(), fields.at());
        budgets.all.insert(key, budget);
    }
    budgets
}

fn read(fields: &Fields<'_>, known: Option<&BTreeSet<InstitutionId>>) -> Option<Budget> {
    let institution = parse::id(|text| InstitutionId::new(text).ok());
    let institution = fields.need("institution", institution);
    let year = fields.need("year", parse::integer(2000..=2199));
    let metric = fields.need("metric", parse::one_of(&METRICS));
    let institution = institution?;
    if let Some(known) = known
        && !known.contains(&institution.value)
    {
        let names = known.iter().map(InstitutionId::as_str);
        let problem = Problem::new("no institution has this id");
        let problem = problem.nearest(institution.value.as_str(), names);
        fields.log().report(&institution.at, problem);
    }
    Some(Budget {
        institution: institution.value,
        year: year?.value,
        metric: metric?.value,
        months: months(fields)?,
    })
}

/// Twelve months: as written, or an even share of the year.
fn months(fields: &Fields<'_>) -> Option<[Decimal; 12]> {
    let annual = fields.read("annual", parse::decimal_from_zero);
    let written = MONTHS.map(|month| fields.read(month, parse::decimal_from_zero));
    let count = MONTHS.iter().filter(|month| fields.has(month)).count();
    if count == 0 {
        if !fields.has("annual") {
            fields.missing("annual", Some("or write the twelve months".to_owned()));
        }
        return annual.map(|annual| spread(annual.value));
    }
    if count < MONTHS.len() {
        let text = format!("has {count} of twelve months");
        let problem = Problem::new(text).hint("write all of them, or annual alone");
        fields.log().report(&fields.at(), problem);
        return None;
    }
    let mut months = [Decimal::ZERO; 12];
    for (month, found) in months.iter_mut().zip(written) {
        *month = found?.value;
    }
    let sum: Decimal = months.iter().copied().sum();
    match annual {
        Some(annual) if annual.value != sum => {
            let text = format!("differs from the sum of the months, {sum}");
            fields.log().report(&annual.at, Problem::new(text));
            None
        }
        _ => Some(months),
    }
}

/// An even share for each month, in hundredths; December takes what rounding leaves.
fn spread(annual: Decimal) -> [Decimal; 12] {
    let share = (annual / Decimal::from(12)).trunc_with_scale(2);
    let mut months = [share; 12];
    months[11] = annual - share * Decimal::from(11);
    months
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_spread_adds_up() {
        for text in ["0", "1", "0.07", "4200000", "1000000.01", "0.001"] {
            let annual = Decimal::from_str_exact(text).expect("a decimal of the test");
            let months = spread(annual);
            assert_eq!(months.iter().copied().sum::<Decimal>(), annual);
            assert!(months.iter().all(|month| *month >= Decimal::ZERO), "{text}");
        }
    }
}
