//! A local day and its intervals.

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_model::Span;
use steward_model::time::{INTERVAL_S, day_start_s, local_date, next_period_date};

/// Length of an interval in milliseconds.
pub(crate) const INTERVAL_MS: i64 = INTERVAL_S * 1_000;

/// A local day and where it begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalDay {
    /// The local date.
    pub date: NaiveDate,
    /// First millisecond.
    pub start_ms: i64,
    /// First millisecond of the next day.
    pub end_ms: i64,
}

impl LocalDay {
    /// The day called `date`.
    pub fn of(zone: Tz, date: NaiveDate) -> Self {
        Self {
            date,
            start_ms: day_start_s(zone, date) * 1_000,
            end_ms: day_start_s(zone, next_period_date(Span::Day, date)) * 1_000,
        }
    }

    /// The day that contains `at_ms`.
    pub fn at(zone: Tz, at_ms: i64) -> Self {
        Self::of(zone, local_date(zone, at_ms.div_euclid(1_000)))
    }

    /// The day after. Dates that a zone skipped, as Samoa did when it crossed the date line, have
    /// no length and are no days.
    pub fn next(self, zone: Tz) -> Self {
        let mut day = self;
        loop {
            day = Self::of(zone, next_period_date(Span::Day, day.date));
            if day.end_ms > day.start_ms || day.date == NaiveDate::MAX {
                return day;
            }
        }
    }

    /// How many intervals it has: 96, or 92 and 100 where clocks change.
    pub fn intervals(self) -> usize {
        let count = (self.end_ms - self.start_ms + INTERVAL_MS - 1) / INTERVAL_MS;
        usize::try_from(count).expect("a day ends after it begins")
    }

    /// Boundary `index` of the day, from 0 (its start) to [`Self::intervals`] (its end).
    pub(crate) fn boundary_ms(self, index: usize) -> i64 {
        let index = i64::try_from(index).expect("a day has some hundred intervals at most");
        (self.start_ms + index * INTERVAL_MS).min(self.end_ms)
    }
}
