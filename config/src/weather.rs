//! Mean outdoor temperatures of days, where a site knows them: `weather.csv`.

use std::collections::BTreeMap;

use chrono::NaiveDate;

/// Daily means in °C.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weather {
    /// By local date.
    pub mean_c: BTreeMap<NaiveDate, f64>,
}

impl Weather {
    /// The mean of `date`.
    pub fn mean_on(&self, date: NaiveDate) -> Option<f64> {
        self.mean_c.get(&date).copied()
    }
}
