//! Yearly budgets, spread over months, and the colour of their use.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use steward_model::InstitutionId;

/// What is budgeted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BudgetMetric {
    /// Electricity in kWh.
    ElectricityKwh,
    /// Money in yuan.
    CostYuan,
    /// Carbon in tonnes of CO2.
    CarbonTco2,
}

impl BudgetMetric {
    /// The word used in CSV and JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::ElectricityKwh => "electricity_kwh",
            Self::CostYuan => "cost_yuan",
            Self::CarbonTco2 => "carbon_tco2",
        }
    }
}

/// One yearly budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// Whose.
    pub institution: InstitutionId,
    /// Year.
    pub year: i32,
    /// Of what.
    pub metric: BudgetMetric,
    /// January to December; their sum is the year's.
    pub months: [Decimal; 12],
}

impl Budget {
    /// The year's budget.
    pub fn annual(&self) -> Decimal {
        self.months.iter().copied().sum()
    }
}

/// All budgets by institution, year and metric.
#[derive(Clone, Debug, Default)]
pub struct Budgets {
    /// The budgets.
    pub all: BTreeMap<(InstitutionId, i32, BudgetMetric), Budget>,
}

/// The state of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Within the pace.
    Green,
    /// Near or above the pace.
    Amber,
    /// Far above the pace, or used up.
    Red,
}

/// Used ÷ budgeted to date, above which a budget turns amber and red.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColourThresholds {
    /// From here amber.
    pub amber: f64,
    /// From here red.
    pub red: f64,
}

impl ColourThresholds {
    /// The colour of `pace` = used ÷ budgeted to date.
    pub fn colour(&self, pace: f64) -> Colour {
        if pace >= self.red {
            Colour::Red
        } else if pace >= self.amber {
            Colour::Amber
        } else {
            Colour::Green
        }
    }
}
