//! The bands of a tariff's days: `bands = { peak = "08:00-11:00,17:00-22:00", flat = "rest" }`.

use std::collections::BTreeSet;

use crate::calendar::DayKind;
use crate::error::{At, Located, Problem};
use crate::fields::Fields;
use crate::parse;
use crate::tariff::{Band, QUARTERS, Schedule};
use crate::tree::Value;

const KINDS: [(&str, DayKind); 3] = [
    ("workday", DayKind::Workday),
    ("restday", DayKind::Restday),
    ("holiday", DayKind::Holiday),
];
const REST: &str = "rest";
const TIMES: &str = "times on quarters of an hour such as 08:00-11:00,22:00-06:00, or rest";

/// Reads `schedules`. Every month and kind of day must be covered once; the bands that are named
/// are answered with their places. `None` after a mistake.
pub(super) fn read(version: &Fields<'_>) -> Option<(Vec<Schedule>, Vec<Located<Band>>)> {
    let tables = version.tables("schedules");
    let mut schedules = Vec::new();
    let mut named = Vec::new();
    let mut covered: [[Option<At>; 3]; 12] = Default::default();
    for table in &tables {
        if let Some(schedule) = read_one(table, &mut named) {
            cover(table, &schedule, &mut covered);
            schedules.push(schedule);
        }
    }
    if schedules.len() < tables.len() {
        return None;
    }
    let holes: Vec<String> = holes(&covered);
    if let Some(first) = holes.first() {
        let text = match holes.len() {
            1 => format!("no schedule is for {first}"),
            count => format!("no schedule is for {first}, and {} more such", count - 1),
        };
        let at = version.at_of("schedules");
        version.log().report(&at, Problem::new(text));
        return None;
    }
    Some((schedules, named))
}

fn read_one(fields: &Fields<'_>, named: &mut Vec<Located<Band>>) -> Option<Schedule> {
    let months = parse::list(parse::integer(1..=12));
    let months = fields.or("months", (1..=12).collect(), months);
    let all = KINDS.map(|(_, kind)| kind).to_vec();
    let days = fields.or("days", all, parse::list(parse::one_of(&KINDS)));
    if !fields.has("bands") {
        fields.missing("bands", Some("such as { flat = \"rest\" }".to_owned()));
    }
    let bands = fields.table_if_any("bands");
    fields.finish();
    let bands = bands_of_day(&bands?, named)?;
    Some(Schedule {
        months,
        days,
        bands,
    })
}

fn kind_index(kind: DayKind) -> usize {
    KINDS
        .iter()
        .position(|(_, known)| *known == kind)
        .unwrap_or(0)
}

fn cover(fields: &Fields<'_>, schedule: &Schedule, covered: &mut [[Option<At>; 3]; 12]) {
    let mut is_told = false;
    for (index, cells) in covered.iter_mut().enumerate() {
        let times = |month: &u32| usize::try_from(*month).is_ok_and(|month| month == index + 1);
        for month in schedule.months.iter().filter(|month| times(month)) {
            for kind in &schedule.days {
                let Some(cell) = cells.get_mut(kind_index(*kind)) else {
                    continue;
                };
                if let Some(other) = cell.as_ref().filter(|_| !is_told) {
                    let text = format!("{} of month {month} has a schedule already", kind.id());
                    let hint = format!("the first stands at {}", other.place());
                    let problem = Problem::new(text).hint(hint);
                    fields.log().report(&fields.at(), problem);
                    is_told = true;
                }
                *cell = Some(fields.at());
            }
        }
    }
}

fn holes(covered: &[[Option<At>; 3]; 12]) -> Vec<String> {
    let mut holes = Vec::new();
    for (index, cells) in covered.iter().enumerate() {
        for (cell, (word, _)) in cells.iter().zip(KINDS) {
            if cell.is_none() {
                holes.push(format!("{word} of month {}", index + 1));
            }
        }
    }
    holes
}

/// The band of every quarter of a day.
fn bands_of_day(fields: &Fields<'_>, named: &mut Vec<Located<Band>>) -> Option<[Band; QUARTERS]> {
    let log = fields.log();
    let mut day: [Option<Band>; QUARTERS] = [None; QUARTERS];
    let mut rest: Option<Band> = None;
    let mut is_right = true;
    for (key, at, item) in fields.pairs() {
        let band = match band(key) {
            Ok(band) => band,
            Err(problem) => {
                log.report(&at, problem);
                is_right = false;
                continue;
            }
        };
        let problem = match quarters(&item.value) {
            Ok(When::Rest) => rest
                .replace(band)
                .map(|other| Problem::new(format!("{} is the rest already", other.id()))),
            Ok(When::Quarters(quarters)) => {
                let mut problem = None;
                for quarter in quarters {
                    match day.get_mut(quarter) {
                        Some(slot @ None) => *slot = Some(band),
                        Some(Some(other)) if problem.is_none() => {
                            let text = format!("{} is {} already", clock(quarter), other.id());
                            problem = Some(Problem::new(text));
                        }
                        _ => {}
                    }
                }
                problem
            }
            Err(problem) => Some(problem),
        };
        if let Some(problem) = problem {
            log.report(&at, problem);
            is_right = false;
        }
        named.push(Located { value: band, at });
    }
    if !is_right {
        return None;
    }
    let hole = day.iter().position(Option::is_none);
    match (hole, rest) {
        (Some(hole), None) => {
            let text = format!("the day has a hole: {} has no band", clock(hole));
            let problem = Problem::new(text).hint("write flat = \"rest\"");
            log.report(&fields.at(), problem);
            None
        }
        (_, rest) => {
            let flat = rest.unwrap_or(Band::Flat);
            Some(day.map(|band| band.unwrap_or(flat)))
        }
    }
}

/// The band called `name`.
pub(super) fn band(name: &str) -> Result<Band, Problem> {
    let names = || Band::ALL.iter().map(|band| band.id());
    let found = Band::ALL.iter().find(|band| band.id() == name);
    found.copied().ok_or_else(|| {
        Problem::new("is no band")
            .allowed(names().collect::<Vec<_>>().join(", "))
            .nearest(name, names())
    })
}

enum When {
    Rest,
    Quarters(BTreeSet<usize>),
}

/// Reads `08:00-11:00,22:00-06:00` or `rest`. A span that ends before it begins goes over midnight.
fn quarters(value: &Value) -> Result<When, Problem> {
    let text = parse::text(value)?;
    if text == REST {
        return Ok(When::Rest);
    }
    let wrong = |what: String| Problem::new(what).allowed(TIMES);
    let mut quarters = BTreeSet::new();
    for span in text.split(',') {
        let span = span.trim();
        let (from, to) = span
            .split_once('-')
            .ok_or_else(|| wrong(format!("`{span}` is no span of time")))?;
        let of = |time: &str| {
            quarter(time.trim()).ok_or_else(|| wrong(format!("`{time}` is no quarter of an hour")))
        };
        let (from, to) = (of(from)?, of(to)?);
        if from == to {
            return Err(wrong(format!("`{span}` has no length")));
        }
        let length = (to + QUARTERS - from) % QUARTERS;
        // 00:00-24:00 is the whole day.
        let length = if length == 0 { QUARTERS } else { length };
        for quarter in (from..from + length).map(|quarter| quarter % QUARTERS) {
            if !quarters.insert(quarter) {
                let text = format!("{} stands in it twice", clock(quarter));
                return Err(Problem::new(text));
            }
        }
    }
    Ok(When::Quarters(quarters))
}

/// `08:15` as quarters since midnight, to 24:00.
fn quarter(time: &str) -> Option<usize> {
    let (hour, minute) = time.split_once(':')?;
    let is_clock = hour.len() == 2 && minute.len() == 2;
    let hour = hour.parse::<usize>().ok().filter(|_| is_clock)?;
    let minute = minute.parse::<usize>().ok()?;
    let quarter = hour * 4 + minute / 15;
    (minute < 60 && minute.is_multiple_of(15) && quarter <= QUARTERS).then_some(quarter)
}

fn clock(quarter: usize) -> String {
    format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> Option<usize> {
        match quarters(&Value::Text(text.to_owned())) {
            Ok(When::Quarters(quarters)) => Some(quarters.len()),
            Ok(When::Rest) => Some(0),
            Err(_) => None,
        }
    }

    #[test]
    fn spans_lie_on_quarters_and_may_cross_midnight() {
        assert_eq!(count("08:00-11:00,17:15-22:00"), Some(12 + 19));
        assert_eq!(count("22:00-06:00"), Some(32));
        assert_eq!(count("00:00-24:00"), Some(96));
        assert_eq!(count("22:00-24:00, 00:00-08:00"), Some(40));
        assert_eq!(count("rest"), Some(0));
        for wrong in [
            "08:00",
            "8:00-9:00",
            "08:10-09:00",
            "08:00-08:00",
            "08:00-25:00",
            "24:15-01:00",
            "08:00-11:00,10:00-12:00",
            "",
            "08:00-11:00,",
            "08-09",
        ] {
            assert_eq!(count(wrong), None, "{wrong}");
        }
    }
}
