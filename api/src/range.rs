//! From when to when. `from` belongs to the range, `to` no longer does.

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use steward_model::time::{
    INTERVAL_S, day_start_s, local_date, next_period_date, period_date, period_start_s,
};
use steward_model::{Span, UtcMs};

use crate::params::Params;
use crate::problem::Problem;

/// The most rows of one answer.
pub(crate) const ROWS_MAX: usize = 50_000;

/// The longest range of readings, intervals and hours.
pub(crate) const FINE_DAYS_MAX: i64 = 366;

const DAY_S: i64 = 86_400;

/// Half-open, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: UtcMs,
    pub(crate) to: UtcMs,
}

impl Range {
    /// The first whole second within.
    pub(crate) fn first_s(self) -> i64 {
        -(-self.from.0).div_euclid(1_000)
    }

    /// The first whole second after.
    pub(crate) fn end_s(self) -> i64 {
        -(-self.to.0).div_euclid(1_000)
    }

    /// The range of a ledger question. Without `to` it ends with the running period, without `from`
    /// it is as long as people usually look at.
    pub(crate) fn of_ledger(
        params: &Params,
        zone: Tz,
        span: Span,
        now: UtcMs,
    ) -> Result<Self, Problem> {
        let to = edge(params, "to", zone)?;
        let to = to.unwrap_or_else(|| UtcMs(next_start_s(zone, span, now.seconds_floor()) * 1_000));
        let from = edge(params, "from", zone)?;
        let from = from
            .unwrap_or_else(|| UtcMs(usual_start_s(zone, span, to.seconds_floor() - 1) * 1_000));
        let days_max = match span {
            Span::Interval | Span::Hour => FINE_DAYS_MAX,
            // Daily rows of ten years, and months and years without practical bound.
            Span::Day => 3_660,
            Span::Month | Span::Year => 36_600,
        };
        checked(from, to, days_max)
    }

    /// The range of a question for readings: the last day where nothing is said.
    pub(crate) fn of_readings(params: &Params, zone: Tz, now: UtcMs) -> Result<Self, Problem> {
        let to = edge(params, "to", zone)?.unwrap_or(UtcMs(now.0 + 1));
        let from = edge(params, "from", zone)?.unwrap_or(UtcMs(to.0 - DAY_S * 1_000));
        checked(from, to, FINE_DAYS_MAX)
    }
}

fn checked(from: UtcMs, to: UtcMs, days_max: i64) -> Result<Range, Problem> {
    if from >= to {
        return Err(Problem::parameter("from", "`from` must be before `to`")
            .hint("`from` belongs to the range, `to` no longer does"));
    }
    if to.0 - from.0 > days_max * DAY_S * 1_000 {
        let detail =
            format!("the range is longer than {days_max} days, the most for this question");
        return Err(
            Problem::parameter("to", detail).hint("ask for a shorter range or a longer span")
        );
    }
    Ok(Range { from, to })
}

/// An instant, or a local date, which stands for its first instant.
pub(crate) fn edge(params: &Params, name: &str, zone: Tz) -> Result<Option<UtcMs>, Problem> {
    let Some(text) = params.get(name) else {
        return Ok(None);
    };
    // Years of four digits: beyond them times do not fit into what stores and browsers can hold.
    let sane = |at: &UtcMs| (0..=253_402_300_799_999).contains(&at.0);
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let date = date.map(|date| UtcMs(day_start_s(zone, date).saturating_mul(1_000)));
    // A `+` that was not percent-encoded arrives as a space.
    let instant = || DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok();
    let at = date.or_else(|| instant().map(|time| UtcMs(time.timestamp_millis())));
    at.filter(sane).map(Some).ok_or_else(|| {
        Problem::parameter(
            name,
            format!("`{text}` is neither a date nor an RFC 3339 time"),
        )
        .allow(["2026-10-01", "2026-10-01T00:00:00+08:00"])
    })
}

/// The second at which the period after the one that contains `at_s` begins.
fn next_start_s(zone: Tz, span: Span, at_s: i64) -> i64 {
    match span {
        Span::Interval => period_start_s(zone, span, at_s) + INTERVAL_S,
        Span::Hour => period_start_s(zone, span, at_s) + 3_600,
        _ => day_start_s(zone, next_period_date(span, local_date(zone, at_s))),
    }
}

/// Where a look back usually begins, whose last second is `last_s`: a day of intervals, a week of
/// hours, 31 days, 13 months (so that the month of the year before is there), ten years.
fn usual_start_s(zone: Tz, span: Span, last_s: i64) -> i64 {
    let last = local_date(zone, last_s);
    let days_back = |days: u64| {
        last.checked_sub_days(chrono::Days::new(days))
            .unwrap_or(last)
    };
    let months_back = |months: u32| {
        let first = period_date(span, last);
        first
            .checked_sub_months(chrono::Months::new(months))
            .unwrap_or(first)
    };
    let date = match span {
        Span::Interval => last,
        Span::Hour => days_back(6),
        Span::Day => days_back(30),
        Span::Month => months_back(12),
        Span::Year => months_back(108),
    };
    day_start_s(zone, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: Tz = Tz::Asia__Shanghai;

    fn ledger(query: &str, span: Span) -> Result<(String, String), Problem> {
        let uri = format!("/?{query}").parse().unwrap();
        let params = Params::of(&uri, &["from", "to"]).unwrap();
        let now = UtcMs(
            DateTime::parse_from_rfc3339("2026-11-22T14:07:00+08:00")
                .unwrap()
                .timestamp_millis(),
        );
        let range = Range::of_ledger(&params, ZONE, span, now)?;
        let text = |s| crate::state::rfc3339_s(ZONE, s);
        Ok((text(range.first_s()), text(range.end_s())))
    }

    #[test]
    fn without_edges_people_see_what_they_usually_look_at() {
        let cases = [
            (
                Span::Interval,
                "2026-11-22T00:00:00+08:00",
                "2026-11-22T14:15:00+08:00",
            ),
            (
                Span::Hour,
                "2026-11-16T00:00:00+08:00",
                "2026-11-22T15:00:00+08:00",
            ),
            (
                Span::Day,
                "2026-10-23T00:00:00+08:00",
                "2026-11-23T00:00:00+08:00",
            ),
            (
                Span::Month,
                "2025-11-01T00:00:00+08:00",
                "2026-12-01T00:00:00+08:00",
            ),
            (
                Span::Year,
                "2017-01-01T00:00:00+08:00",
                "2027-01-01T00:00:00+08:00",
            ),
        ];
        for (span, from, to) in cases {
            assert_eq!(ledger("", span).unwrap(), (from.to_owned(), to.to_owned()));
        }
    }

    #[test]
    fn edges_are_dates_or_instants_and_bounded() {
        let day = ledger("from=2026-10-01&to=2026-10-01T16:00:00Z", Span::Day).unwrap();
        assert_eq!(day.0, "2026-10-01T00:00:00+08:00");
        assert_eq!(day.1, "2026-10-02T00:00:00+08:00");
        // A plus sign that nobody encoded.
        assert!(ledger("from=2026-10-01T00:00:00+08:00", Span::Day).is_ok());
        for bad in [
            "from=yesterday",
            "from=2026-13-01",
            "to=2026-10-01&from=2026-10-01",
            "from=0001-01-01",
        ] {
            assert!(ledger(bad, Span::Day).is_err(), "{bad}");
        }
        assert!(ledger("from=2024-01-01&to=2026-01-01", Span::Hour).is_err());
        assert!(ledger("from=2024-01-01&to=2026-01-01", Span::Day).is_ok());
    }
}
