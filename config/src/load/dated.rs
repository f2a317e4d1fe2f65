//! Values that follow each other by date.

use chrono::NaiveDate;

use crate::error::{Located, Log, Problem};
use crate::registry::Dated;

/// The first day that files may name: what is written without a date holds from here on.
pub(super) fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(1990, 1, 1).unwrap_or(NaiveDate::MIN)
}

/// Sorts entries by date and ends each at the next one's begin where it names no end. Overlaps, and
/// ends before the begin, are reported.
pub(super) fn in_order<T>(
    log: &Log,
    mut found: Vec<Located<Dated<T>>>,
    what: &str,
) -> Vec<Located<Dated<T>>> {
    for one in &found {
        if one.value.to.is_some_and(|to| to <= one.value.from) {
            log.report(
                &one.at,
                Problem::new("holds on no day: its `to` is not after `from`"),
            );
        }
    }
    found.sort_by_key(|one| one.value.from);
    let starts: Vec<NaiveDate> = found.iter().map(|one| one.value.from).collect();
    for (one, next) in found.iter_mut().zip(starts.iter().skip(1)) {
        let end = *one.value.to.get_or_insert(*next);
        if end > *next || one.value.from == *next {
            let problem = Problem::new(format!("overlaps the {what} from {next}"));
            log.report(&one.at, problem);
        }
    }
    found
}

/// Whether two spans of days have a day in common.
pub(super) fn overlap(
    a: (NaiveDate, Option<NaiveDate>),
    b: (NaiveDate, Option<NaiveDate>),
) -> bool {
    let end = |to: Option<NaiveDate>| to.unwrap_or(NaiveDate::MAX);
    a.0 < end(b.1) && b.0 < end(a.1)
}

/// Reports days between two entries on which none holds.
pub(super) fn without_holes<T>(log: &Log, ordered: &[Located<Dated<T>>], what: &str) {
    for pair in ordered.windows(2) {
        if let [a, b] = pair
            && let Some(end) = a.value.to
            && end < b.value.from
        {
            let text = format!("no {what} holds from {end} until {}", b.value.from);
            log.report(&b.at, Problem::new(text));
        }
    }
}
