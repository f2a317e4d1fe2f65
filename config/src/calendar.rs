//! Which days are worked: weekends, public holidays, and the make-up days 调休 that replace them.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, Weekday};

/// The kind of a day, for load shapes and tariffs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DayKind {
    /// 工作日, make-up days included.
    Workday,
    /// 休息日: a weekend, or a day off beside a holiday.
    Restday,
    /// 法定节假日: a public holiday in the arrangement of the year.
    Holiday,
}

impl DayKind {
    /// The word used in files and JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Workday => "workday",
            Self::Restday => "restday",
            Self::Holiday => "holiday",
        }
    }
}

/// What a year's notice arranges for a date that its weekday does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arranged {
    /// The kind.
    pub kind: DayKind,
    /// Why: 春节, 国庆节, 调休.
    pub name: String,
    /// The notice.
    pub source: String,
}

/// A calendar: weekends, and what the notices of the years arrange beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Id: the file's name, `cn`.
    pub id: String,
    /// Dates that differ from their weekday.
    pub arranged: BTreeMap<NaiveDate, Arranged>,
    /// Years for which a notice is on file; of others only weekends are known.
    pub years: Vec<i32>,
}

impl Calendar {
    /// The kind of `date`.
    pub fn kind(&self, date: NaiveDate) -> DayKind {
        match self.arranged.get(&date) {
            Some(arranged) => arranged.kind,
            None if matches!(date.weekday(), Weekday::Sat | Weekday::Sun) => DayKind::Restday,
            None => DayKind::Workday,
        }
    }

    /// Whether a notice for the year of `date` is on file.
    pub fn knows(&self, date: NaiveDate) -> bool {
        self.years.contains(&date.year())
    }
}
