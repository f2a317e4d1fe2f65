//! How far a yearly budget is used, and its colour.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;
use chrono_tz::Tz;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use steward_config::{Budget, BudgetMetric, Colour, ColourThresholds, Config, Registry};
use steward_model::time::{day_start_s, local_date, next_period_date};
use steward_model::{Commodity, LedgerRow, PointId, Span, UtcMs};
use utoipa::ToSchema;

use crate::rollup::RollUp;
use crate::scope::{By, Scope, groups, points_of, zone_of};

/// The colour of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetState {
    /// Within the pace.
    Green,
    /// Near or above the pace.
    Amber,
    /// Far above the pace, or used up.
    Red,
}

impl BudgetState {
    /// The word used in JSON and CSV.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Amber => "amber",
            Self::Red => "red",
        }
    }
}

impl From<Colour> for BudgetState {
    fn from(colour: Colour) -> Self {
        match colour {
            Colour::Green => Self::Green,
            Colour::Amber => Self::Amber,
            Colour::Red => Self::Red,
        }
    }
}

/// One month of a budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BudgetMonth {
    /// `yyyy-mm`.
    #[schema(pattern = r"^\d{4}-\d{2}$")]
    pub month: String,
    /// Budgeted.
    #[schema(value_type = String)]
    pub budget: Decimal,
    /// Used; null where the ledger has nothing.
    #[schema(value_type = Option<String>)]
    pub used: Option<Decimal>,
}

/// How far a budget is used. Amounts are decimal strings in `unit`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BudgetStatus {
    /// Whose.
    pub institution: String,
    /// `electricity_kwh`, `cost_yuan` or `carbon_tco2`.
    pub metric: String,
    /// `kWh`, `CNY` or `tCO2`.
    pub unit: String,
    /// The year's budget.
    #[schema(value_type = String)]
    pub annual: Decimal,
    /// Used in the year so far; null where the ledger has nothing.
    #[schema(value_type = Option<String>)]
    pub used: Option<Decimal>,
    /// Annual − used.
    #[schema(value_type = Option<String>)]
    pub left: Option<Decimal>,
    /// Used ÷ annual.
    pub used_share: Option<f64>,
    /// The part of the year that is over.
    pub year_share: f64,
    /// Budgeted for what is over of the year.
    #[schema(value_type = String)]
    pub budgeted_to_date: Decimal,
    /// Used ÷ budgeted to date: above one is faster than planned.
    pub pace: Option<f64>,
    /// By the thresholds of the site; null where nothing is known.
    pub colour: Option<BudgetState>,
    /// January to December.
    pub months: Vec<BudgetMonth>,
}

/// How much of a year is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct YearElapsed {
    /// Whole months.
    pub months: usize,
    /// Part of the month after them.
    pub month_share: Decimal,
    /// Part of the year.
    pub year_share: f64,
}

impl YearElapsed {
    /// What is over of the local `year` at `as_of`.
    pub fn at(zone: Tz, year: i32, as_of: UtcMs) -> Self {
        let now_s = as_of.seconds_floor();
        let share = |from: i64, to: i64| {
            let part = Decimal::from((now_s - from).clamp(0, to - from));
            part.checked_div(Decimal::from(to - from))
                .unwrap_or_default()
        };
        let start_of = |year: i32, month: u32| {
            chrono::NaiveDate::from_ymd_opt(year, month, 1)
                .map_or(i64::MAX, |date| day_start_s(zone, date))
        };
        let (from_s, to_s) = (start_of(year, 1), start_of(year + 1, 1));
        let year_share = share(from_s, to_s).round_dp(4).to_f64().unwrap_or(0.0);
        if now_s >= to_s {
            return Self {
                months: 12,
                month_share: Decimal::ZERO,
                year_share,
            };
        }
        if now_s < from_s {
            return Self {
                months: 0,
                month_share: Decimal::ZERO,
                year_share,
            };
        }
        let month = local_date(zone, now_s).month();
        let month_from_s = start_of(year, month);
        let first = local_date(zone, month_from_s);
        let month_to_s = day_start_s(zone, next_period_date(Span::Month, first));
        Self {
            months: usize::try_from(month - 1).unwrap_or(0),
            month_share: share(month_from_s, month_to_s),
            year_share,
        }
    }
}

/// The unit of a budget's amounts.
pub const fn unit(metric: BudgetMetric) -> &'static str {
    match metric {
        BudgetMetric::ElectricityKwh => "kWh",
        BudgetMetric::CostYuan => "CNY",
        BudgetMetric::CarbonTco2 => "tCO2",
    }
}

/// Judges a budget by what was `used` in each month of its year.
pub fn budget_status(
    budget: &Budget,
    used: &[Option<Decimal>; 12],
    elapsed: YearElapsed,
    thresholds: &ColourThresholds,
) -> BudgetStatus {
    let annual = budget.annual();
    let known = used.iter().flatten().copied().reduce(|a, b| a + b);
    let whole: Decimal = budget.months.iter().take(elapsed.months).copied().sum();
    let running = budget
        .months
        .get(elapsed.months)
        .copied()
        .unwrap_or_default();
    let to_date = (whole + running * elapsed.month_share).round_dp(6);
    let ratio = |of: Decimal| {
        let ratio = known?.checked_div(of)?.round_dp(4);
        ratio.to_f64()
    };
    let pace = ratio(to_date);
    let used_up = known.is_some_and(|known| known > annual);
    let colour = if used_up {
        Some(Colour::Red)
    } else {
        pace.map(|pace| thresholds.colour(pace))
    };
    let months = budget
        .months
        .iter()
        .zip(used)
        .zip(1..)
        .map(|((budgeted, used), month)| BudgetMonth {
            month: format!("{:04}-{month:02}", budget.year),
            budget: budgeted.normalize(),
            used: used.map(|used| used.normalize()),
        })
        .collect();
    BudgetStatus {
        institution: budget.institution.to_string(),
        metric: budget.metric.id().to_owned(),
        unit: unit(budget.metric).to_owned(),
        annual: annual.normalize(),
        used: known.map(|known| known.normalize()),
        left: known.map(|known| (annual - known).normalize()),
        used_share: ratio(annual),
        year_share: elapsed.year_share,
        budgeted_to_date: to_date.normalize(),
        pace,
        colour: colour.map(BudgetState::from),
        months,
    }
}

/// The points whose month rows [`budget_statuses`] needs.
pub fn budget_points(registry: &Registry, scope: &Scope) -> Vec<PointId> {
    let groups: Vec<_> = Commodity::ALL
        .into_iter()
        .flat_map(|commodity| groups(registry, scope, commodity, None))
        .collect();
    points_of(&groups)
}

/// The budgets of `year` in `scope` (the site or an institution), judged by the month rows of the
/// year. Rows that begin after `as_of` are left out.
pub fn budget_statuses(
    config: &Config,
    scope: &Scope,
    year: i32,
    rows: &[LedgerRow],
    as_of: UtcMs,
) -> Vec<BudgetStatus> {
    let used = used_by_month(config, scope, year, rows, as_of);
    let asked = |budget: &&Budget| match scope {
        Scope::Institution(id) => &budget.institution == id,
        _ => true,
    };
    let budgets = config
        .budgets
        .all
        .values()
        .filter(|budget| budget.year == year);
    budgets
        .filter(asked)
        .map(|budget| {
            let zone = zone_of(config, &Scope::Institution(budget.institution.clone()));
            let key = (budget.institution.to_string(), budget.metric);
            let none = Used::default();
            let used = used.get(&key).unwrap_or(&none);
            let mut status = budget_status(
                budget,
                &used.months,
                YearElapsed::at(zone, year, as_of),
                &config.settings.budget_colours,
            );
            if used.is_partial {
                (status.used, status.left, status.used_share) = (None, None, None);
                (status.pace, status.colour) = (None, None);
            }
            status
        })
        .collect()
}

fn round(value: Decimal, decimals: u32) -> Decimal {
    value.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
}

/// What was used in the months of a year.
#[derive(Default)]
struct Used {
    months: [Option<Decimal>; 12],
    /// Some month is known in part only, so the year is not known.
    is_partial: bool,
}

type UsedByMonth = BTreeMap<(String, BudgetMetric), Used>;

fn used_by_month(
    config: &Config,
    scope: &Scope,
    year: i32,
    rows: &[LedgerRow],
    as_of: UtcMs,
) -> UsedByMonth {
    let zone = zone_of(config, scope);
    let mut used = UsedByMonth::new();
    let mut unpriced: BTreeSet<(String, usize)> = BTreeSet::new();
    for commodity in Commodity::ALL {
        let groups = groups(&config.registry, scope, commodity, Some(By::Institution));
        let mut sums = RollUp::new(config, &groups, Span::Month, zone, as_of);
        sums.add(rows);
        for cell in sums.finish().0 {
            let date = local_date(zone, cell.start_s);
            let month = usize::try_from(date.month0()).unwrap_or(0);
            let institution = groups.get(cell.group).and_then(|group| group.key.clone());
            let (Some(institution), true) = (institution, date.year() == year) else {
                continue;
            };
            if cell.start_s >= as_of.seconds_floor() {
                continue;
            }
            let mut add = |metric, amount: Decimal| {
                let months = used.entry((institution.clone(), metric)).or_default();
                if let Some(month) = months.months.get_mut(month) {
                    *month = Some(month.unwrap_or_default() + amount);
                }
            };
            if commodity == Commodity::Electricity {
                let kwh = Decimal::from_i128_with_scale(cell.sum.amount_base.into(), 3);
                add(BudgetMetric::ElectricityKwh, kwh);
            }
            // One commodity without a price makes the whole month's cost unknown.
            match cell.sum.cost_ncny() {
                _ if commodity == Commodity::SolarGeneration => {}
                Some(ncny) => add(
                    BudgetMetric::CostYuan,
                    Decimal::from_i128_with_scale(ncny, 9),
                ),
                None => {
                    unpriced.insert((institution.clone(), month));
                }
            }
            if let Some(ug) = cell.sum.co2_ug {
                // A tonne is 1e12 micrograms.
                add(
                    BudgetMetric::CarbonTco2,
                    Decimal::from_i128_with_scale(ug, 12),
                );
            }
        }
    }
    for (institution, month) in unpriced {
        let costs = used
            .entry((institution, BudgetMetric::CostYuan))
            .or_default();
        costs.is_partial = true;
        if let Some(month) = costs.months.get_mut(month) {
            *month = None;
        }
    }
    // Rounded once, after the sum over commodities: carbon to grams, money to fen.
    for ((_, metric), months) in &mut used {
        let decimals = match metric {
            BudgetMetric::CostYuan => 2,
            BudgetMetric::ElectricityKwh | BudgetMetric::CarbonTco2 => 6,
        };
        for month in &mut months.months {
            *month = month.map(|month| round(month, decimals));
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;
    use steward_model::InstitutionId;

    fn budget() -> Budget {
        Budget {
            institution: InstitutionId::new("a").unwrap(),
            year: 2026,
            metric: BudgetMetric::ElectricityKwh,
            months: [Decimal::from(100); 12],
        }
    }

    fn status(used: &[i64], at: &str) -> BudgetStatus {
        let mut months = [None; 12];
        for (month, used) in months.iter_mut().zip(used) {
            *month = Some(Decimal::from(*used));
        }
        let at = chrono::DateTime::parse_from_rfc3339(at).unwrap();
        let elapsed = YearElapsed::at(Tz::Asia__Shanghai, 2026, UtcMs(at.timestamp_millis()));
        let thresholds = ColourThresholds {
            amber: 0.95,
            red: 1.1,
        };
        budget_status(&budget(), &months, elapsed, &thresholds)
    }

    #[test]
    fn the_pace_compares_with_what_was_budgeted_to_date() {
        // Half of April is over: 350 of 1,200 are budgeted to date.
        let half_april = "2026-04-16T00:00:00+08:00";
        let green = status(&[100, 100, 100, 20], half_april);
        assert_eq!(green.budgeted_to_date, Decimal::from(350));
        assert_eq!(
            (green.pace, green.colour),
            (Some(0.9143), Some(BudgetState::Green))
        );
        assert_eq!(green.left, Some(Decimal::from(880)));
        let amber = status(&[100, 100, 100, 50], half_april);
        assert_eq!(
            (amber.pace, amber.colour),
            (Some(1.0), Some(BudgetState::Amber))
        );
        let red = status(&[100, 100, 150, 50], half_april);
        assert_eq!(
            (red.pace, red.colour),
            (Some(1.1429), Some(BudgetState::Red))
        );
    }

    #[test]
    fn nothing_known_has_no_colour_and_used_up_is_red() {
        let none = status(&[], "2026-04-16T00:00:00+08:00");
        assert_eq!((none.used, none.pace, none.colour), (None, None, None));
        let before = status(&[], "2025-12-31T00:00:00+08:00");
        assert_eq!(
            (before.year_share, before.budgeted_to_date),
            (0.0, Decimal::ZERO)
        );
        let over = status(&[101; 12], "2027-02-01T00:00:00+08:00");
        assert_eq!(
            (over.pace, over.colour),
            (Some(1.01), Some(BudgetState::Red))
        );
        assert_eq!(over.year_share, 1.0);
    }
}
