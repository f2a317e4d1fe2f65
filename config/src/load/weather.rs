//! `weather.csv`: mean outdoor temperatures of days.

use std::rc::Rc;

use super::Site;
use crate::csv_file::parse_csv;
use crate::error::Problem;
use crate::fields::Fields;
use crate::parse;
use crate::weather::Weather;

const FILE: &str = "weather.csv";

pub(super) fn collect(site: Site<'_>) -> Weather {
    let mut weather = Weather::default();
    if !site.has(FILE) {
        return weather;
    }
    let Some(text) = site.text(FILE) else {
        return weather;
    };
    let file: Rc<str> = Rc::from(FILE);
    for row in parse_csv(&file, &text, &["date", "mean_c"], site.log) {
        let fields = Fields::row("day", &row, &file, site.log);
        let date = fields.need("date", parse::date);
        let mean = fields.need("mean_c", parse::number(-60.0..=60.0));
        let (Some(date), Some(mean)) = (date, mean) else {
            continue;
        };
        if weather.mean_c.insert(date.value, mean.value).is_some() {
            let problem = Problem::new("another row has this day");
            site.log.report(&date.at, problem);
        }
    }
    weather
}
