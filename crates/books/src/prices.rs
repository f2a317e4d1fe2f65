//! The prices with which a month was closed.
//!
//! A tariff that is dated back changes open months only. The ledger is computed anew at any time,
//! so what a closed month was priced by stands in the books: in the content of its close.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use serde::{Deserialize, Serialize};
use steward_model::{PointId, PriceRun};

/// What the intervals of a month cost, by point and day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedPrices {
    /// Days of prices, each once.
    pub days: Vec<DayOfPrices>,
    /// For every point that was closed: for each day of the month, which of `days` holds.
    pub points: BTreeMap<PointId, Vec<u32>>,
}

/// The prices of one day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayOfPrices {
    /// The tariff version used, as `id@from`; empty where there was none.
    pub tariff_set: String,
    /// Runs of one price, from the first interval on; empty where no interval had a price.
    pub runs: Vec<PriceRun>,
}

/// The one member of a close's content that is not the report's alone.
#[derive(Deserialize)]
struct Priced {
    #[serde(default)]
    prices: Option<ClosedPrices>,
}

impl ClosedPrices {
    /// The prices that the content of a close holds; `None` where it has none.
    pub(crate) fn in_content(content: &str) -> Option<Self> {
        let priced: Priced = serde_json::from_str(content).ok()?;
        priced.prices
    }

    /// Adds the next day of a point.
    pub fn push(&mut self, point: &PointId, day: DayOfPrices) {
        let known = self.days.iter().position(|one| *one == day);
        let index = known.unwrap_or_else(|| {
            self.days.push(day);
            self.days.len() - 1
        });
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        match self.points.get_mut(point) {
            Some(days) => days.push(index),
            None => {
                self.points.insert(point.clone(), vec![index]);
            }
        }
    }

    /// The prices of a point's day; `None` where the close says nothing about it.
    pub fn on(&self, point: &PointId, date: NaiveDate) -> Option<&DayOfPrices> {
        let index = *self.points.get(point)?.get(date.day0() as usize)?;
        self.days.get(index as usize)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn days_are_kept_once_and_found_again_in_a_content() {
        let point = |id: &str| PointId::new(id).unwrap();
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        let day = |ncny_per_base| DayOfPrices {
            tariff_set: "t@2026-01-01".to_owned(),
            runs: vec![PriceRun {
                intervals: 96,
                ncny_per_base,
            }],
        };
        let mut prices = ClosedPrices::default();
        for ncny in [Some(650_000), Some(310_000), Some(650_000)] {
            prices.push(&point("a"), day(ncny));
        }
        prices.push(&point("b"), DayOfPrices::default());
        assert_eq!(prices.days.len(), 3);
        let content = serde_json::json!({ "schema": "any", "prices": prices }).to_string();
        assert_eq!(ClosedPrices::in_content(&content), Some(prices.clone()));
        assert_eq!(
            prices.on(&point("a"), date("2026-09-02")),
            Some(&day(Some(310_000)))
        );
        assert_eq!(
            prices.on(&point("b"), date("2026-09-01")),
            Some(&DayOfPrices::default())
        );
        assert_eq!(prices.on(&point("b"), date("2026-09-02")), None);
        assert_eq!(prices.on(&point("c"), date("2026-09-01")), None);
        for without in ["{}", r#"{"prices":null}"#, "no json"] {
            assert_eq!(ClosedPrices::in_content(without), None, "{without}");
        }
    }
}
