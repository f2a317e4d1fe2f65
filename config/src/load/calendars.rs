//! `calendars/*.toml`: what the notices of the years arrange.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::{Site, named};
use crate::calendar::{Arranged, Calendar, DayKind};
use crate::error::{ConfigErrors, Located, Log, Problem};
use crate::fields::Fields;
use crate::parse;
use crate::shipped;
use crate::tree::Document;

const FOLDER: &str = "calendars";
/// The longest holiday of a notice has nine days; a longer one is a slip of the finger.
const HOLIDAY_DAYS_MAX: i64 = 31;

/// Every shipped calendar.
pub fn shipped_calendars() -> Result<BTreeMap<String, Calendar>, ConfigErrors> {
    let log = Log::default();
    let calendars = named::shipped(FOLDER, shipped::CALENDARS, read, &log);
    log.settle(Some(calendars))
}

/// The calendar that the settings choose.
pub(super) fn collect(site: Site<'_>, chosen: &Located<String>) -> Calendar {
    let mut all = named::collect(site, FOLDER, shipped::CALENDARS, read);
    if let Some(calendar) = all.remove(&chosen.value) {
        return calendar;
    }
    if !site.log.has_unread() {
        let names = all.keys().map(String::as_str);
        let problem = Problem::new("no calendar has this name")
            .allowed(names.clone().collect::<Vec<_>>().join(", "))
            .nearest(&chosen.value, names);
        site.log.report(&chosen.at, problem);
    }
    Calendar::default()
}

fn read(id: &str, document: &Document, log: &Log) -> Option<Calendar> {
    let top = Fields::document(document, log);
    top.need("name_zh", parse::text);
    top.need("name_en", parse::text);
    let mut calendar = Calendar {
        id: id.to_owned(),
        ..Calendar::default()
    };
    for table in top.tables("year") {
        read_year(&table, &mut calendar);
    }
    top.finish();
    Some(calendar)
}

fn read_year(fields: &Fields<'_>, calendar: &mut Calendar) {
    let year = fields.need("year", parse::integer(1990..=2199));
    let source = fields.need("source", parse::text);
    fields.need("confidence", parse::one_of(&super::profiles::CONFIDENCE));
    let holidays = fields.tables("holidays");
    fields.finish();
    let (Some(year), Some(source)) = (year, source) else {
        return;
    };
    if calendar.years.contains(&year.value) {
        let problem = Problem::new("the notice of this year stands here twice");
        fields.log().report(&year.at, problem);
        return;
    }
    calendar.years.push(year.value);
    for table in holidays {
        let notice = Notice {
            year: year.value,
            source: &source.value,
        };
        read_holiday(&table, notice, calendar);
    }
}

#[derive(Clone, Copy)]
struct Notice<'a> {
    year: i32,
    source: &'a str,
}

fn read_holiday(fields: &Fields<'_>, notice: Notice<'_>, calendar: &mut Calendar) {
    let name = fields.need("name", parse::text);
    let from = fields.need("from", parse::date);
    let days = fields.or("days", 1, parse::integer::<u64>(1..=HOLIDAY_DAYS_MAX));
    let workdays = fields.read("workdays", parse::list(parse::date));
    fields.finish();
    let (Some(name), Some(from)) = (name, from) else {
        return;
    };
    let mut arrange = |date: NaiveDate, kind, name: String, at: &_| {
        // A notice may begin in the last days of the year before.
        let is_of_year =
            date.year() == notice.year || (date.year() + 1 == notice.year && date.month() == 12);
        let problem = if !is_of_year {
            Problem::new(format!("{date} is no day of {}", notice.year))
        } else if let Some(other) = calendar.arranged.get(&date) {
            Problem::new(format!("{date} is arranged already: {}", other.name))
        } else {
            let source = notice.source.to_owned();
            let arranged = Arranged { kind, name, source };
            calendar.arranged.insert(date, arranged);
            return;
        };
        fields.log().report(at, problem);
    };
    for day in 0..days {
        if let Some(date) = from.value.checked_add_days(Days::new(day)) {
            arrange(date, DayKind::Holiday, name.value.clone(), &from.at);
        }
    }
    let Some(workdays) = workdays else {
        return;
    };
    for date in workdays.value {
        if matches!(date.weekday(), Weekday::Sat | Weekday::Sun) {
            let name = format!("{}调休", name.value);
            arrange(date, DayKind::Workday, name, &workdays.at);
        } else {
            let problem = Problem::new(format!("{date} is a {}", date.format("%A")))
                .hint("only a Saturday or a Sunday can be worked instead of another day");
            fields.log().report(&workdays.at, problem);
        }
    }
}
