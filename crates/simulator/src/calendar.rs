//! Working days of the simulated world: weekends, public holidays and make-up days (调休).
//!
//! Years outside the table know weekends and fixed-date holidays only. The simulator needs a
//! plausible week, not a legal calendar; the legal one is dated data of the site.

use chrono::{Datelike, NaiveDate, Weekday};

/// First and last day of a holiday as (year, month, day, days).
const HOLIDAYS: &[(i32, u32, u32, u32)] = &[
    (2025, 1, 1, 1),
    (2025, 1, 28, 8),
    (2025, 4, 4, 3),
    (2025, 5, 1, 5),
    (2025, 5, 31, 3),
    (2025, 10, 1, 8),
    (2026, 1, 1, 3),
    (2026, 2, 15, 9),
    (2026, 4, 4, 3),
    (2026, 5, 1, 5),
    (2026, 6, 19, 3),
    (2026, 9, 25, 3),
    (2026, 10, 1, 7),
];

/// Weekend days on which offices work.
const MAKE_UP_DAYS: &[(i32, u32, u32)] = &[
    (2025, 1, 26),
    (2025, 2, 8),
    (2025, 4, 27),
    (2025, 9, 28),
    (2025, 10, 11),
    (2026, 1, 4),
    (2026, 2, 14),
    (2026, 2, 28),
    (2026, 5, 9),
    (2026, 9, 20),
    (2026, 10, 10),
];

/// What a day is to an office.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKind {
    /// Offices work.
    Workday,
    /// Saturday or Sunday.
    Weekend,
    /// A public holiday.
    Holiday,
}

/// The kind of a day.
pub fn day_kind(date: NaiveDate) -> DayKind {
    let key = (date.year(), date.month(), date.day());
    if MAKE_UP_DAYS.contains(&key) {
        return DayKind::Workday;
    }
    let within = |&(y, m, d, days): &(i32, u32, u32, u32)| {
        NaiveDate::from_ymd_opt(y, m, d)
            .is_some_and(|from| (0..i64::from(days)).contains(&(date - from).num_days()))
    };
    let fixed = matches!((date.month(), date.day()), (1, 1) | (5, 1) | (10, 1..=3));
    if fixed || HOLIDAYS.iter().any(within) {
        DayKind::Holiday
    } else if matches!(date.weekday(), Weekday::Sat | Weekday::Sun) {
        DayKind::Weekend
    } else {
        DayKind::Workday
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn make_up_days_work_and_holidays_rest() {
        let kind = |y, m, d| day_kind(NaiveDate::from_ymd_opt(y, m, d).expect("a date"));
        assert_eq!(kind(2026, 10, 5), DayKind::Holiday);
        assert_eq!(kind(2026, 10, 10), DayKind::Workday);
        assert_eq!(kind(2026, 10, 11), DayKind::Weekend);
        assert_eq!(kind(2026, 10, 12), DayKind::Workday);
        assert_eq!(kind(2030, 1, 1), DayKind::Holiday);
    }
}
