//! What an instant, a day and a month are.
//!
//! Inside the program time is UTC: milliseconds for readings, seconds for ledger starts. A zone
//! enters only here and at the edges. A day is from local midnight to the next local midnight and
//! has 92, 96 or 100 intervals where clocks change.

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::Span;

/// Length of a ledger interval in seconds.
pub const INTERVAL_S: i64 = 900;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct UtcMs(pub i64);

impl UtcMs {
    /// The instant of a chrono time.
    pub fn from_datetime(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_millis())
    }

    /// The chrono time; instants that chrono cannot express become the nearest it can.
    pub fn to_datetime(self) -> DateTime<Utc> {
        let fallback = if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        };
        DateTime::from_timestamp_millis(self.0).unwrap_or(fallback)
    }

    /// Whole seconds, rounded down.
    pub const fn seconds_floor(self) -> i64 {
        self.0.div_euclid(1_000)
    }
}

/// The second at which the local `date` begins. Where clocks skip midnight, its first instant.
pub fn day_start_s(zone: Tz, date: NaiveDate) -> i64 {
    let midnight = NaiveDateTime::new(date, NaiveTime::MIN);
    // Gaps are at most a few hours; the first quarter of an hour that exists begins the day.
    for quarter in 0..=96 {
        let local = midnight + chrono::TimeDelta::minutes(15 * quarter);
        if let Some(time) = zone.from_local_datetime(&local).earliest() {
            return time.timestamp();
        }
    }
    midnight.and_utc().timestamp()
}

/// The local date at the second `at_s`.
pub fn local_date(zone: Tz, at_s: i64) -> NaiveDate {
    UtcMs(at_s.saturating_mul(1_000))
        .to_datetime()
        .with_timezone(&zone)
        .date_naive()
}

/// The first date of the period of `span` that contains `date`. Hours and intervals answer `date`.
pub fn period_date(span: Span, date: NaiveDate) -> NaiveDate {
    match span {
        Span::Interval | Span::Hour | Span::Day => date,
        Span::Month => date.with_day(1).unwrap_or(date),
        Span::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1).unwrap_or(date),
    }
}

/// The first date of the period after the one of `span` (day, month or year) that contains `date`.
pub fn next_period_date(span: Span, date: NaiveDate) -> NaiveDate {
    let start = period_date(span, date);
    let next = match span {
        Span::Interval | Span::Hour | Span::Day => start.checked_add_days(Days::new(1)),
        Span::Month => start.checked_add_months(Months::new(1)),
        Span::Year => start.checked_add_months(Months::new(12)),
    };
    next.unwrap_or(NaiveDate::MAX)
}

/// The second at which the period of `span` that contains `at_s` begins.
pub fn period_start_s(zone: Tz, span: Span, at_s: i64) -> i64 {
    match span {
        // Every zone in use is offset by whole quarters of an hour, so quarters agree with UTC.
        Span::Interval => at_s.div_euclid(INTERVAL_S) * INTERVAL_S,
        Span::Hour => {
            let time = UtcMs(at_s.saturating_mul(1_000))
                .to_datetime()
                .with_timezone(&zone);
            let past = i64::from(chrono::Timelike::minute(&time)) * 60
                + i64::from(chrono::Timelike::second(&time));
            at_s - past
        }
        Span::Day | Span::Month | Span::Year => {
            day_start_s(zone, period_date(span, local_date(zone, at_s)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).expect("a date of the test")
    }

    #[test]
    fn a_day_has_92_96_or_100_intervals() {
        let length = |zone: Tz, d: NaiveDate| {
            (day_start_s(zone, next_period_date(Span::Day, d)) - day_start_s(zone, d)) / INTERVAL_S
        };
        assert_eq!(length(Tz::Asia__Shanghai, date(2026, 10, 1)), 96);
        assert_eq!(length(Tz::Europe__Berlin, date(2026, 3, 29)), 92);
        assert_eq!(length(Tz::Europe__Berlin, date(2026, 10, 25)), 100);
        // Midnight itself does not exist here: the day begins at one o'clock.
        assert_eq!(length(Tz::Africa__Cairo, date(2026, 4, 24)), 92);
    }

    #[test]
    fn periods_begin_at_local_midnight() {
        let shanghai = Tz::Asia__Shanghai;
        let at = 1_790_000_000; // 2026-09-21T14:13:20Z, 22:13:20 local
        let text = |s: i64| UtcMs(s * 1_000).to_datetime().to_rfc3339();
        assert_eq!(
            text(period_start_s(shanghai, Span::Interval, at)),
            "2026-09-21T14:00:00+00:00"
        );
        assert_eq!(
            text(period_start_s(shanghai, Span::Hour, at)),
            "2026-09-21T14:00:00+00:00"
        );
        assert_eq!(
            text(period_start_s(shanghai, Span::Day, at)),
            "2026-09-20T16:00:00+00:00"
        );
        assert_eq!(
            text(period_start_s(shanghai, Span::Month, at)),
            "2026-08-31T16:00:00+00:00"
        );
        assert_eq!(
            text(period_start_s(shanghai, Span::Year, at)),
            "2025-12-31T16:00:00+00:00"
        );
    }
}
