//! The site of the tests of the whole line, and what they do with it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use steward_aggregator::Aggregator;
use steward_books::{CloseVerdict, Event};
use steward_config::Config;
use steward_journal::Journal;
use steward_model::time::{day_start_s, next_period_date};
use steward_model::{MeterId, PointId, Quantity, Reading, ReadingQuality, Span, UtcMs, Value};

use crate::site::{PointSpec, aggregator, append, batch, books, journal_dir, options, until_idle};

/// 2026-12-31: every reading of the tests was received after it was made.
pub const RECEIVED: UtcMs = UtcMs(1_798_675_200_000);

pub fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Two meters in succession with a ratio, one in a zone whose clocks change, and water.
pub fn points() -> Vec<PointSpec> {
    vec![
        PointSpec {
            id: "exchanged",
            building: "east",
            commodity: "electricity",
            meters: vec![
                ("old", "acrel-dtsd1352", 40, "2026-03-26", "2026-03-29"),
                ("new", "steward-json", 1, "2026-03-29", ""),
            ],
        },
        PointSpec {
            id: "berlin",
            building: "west",
            commodity: "electricity",
            meters: vec![("west", "steward-json", 1, "2026-03-25", "")],
        },
        PointSpec {
            id: "water",
            building: "east",
            commodity: "water",
            meters: vec![("tap", "steward-json-volume", 1, "2026-03-20", "")],
        },
    ]
}

pub fn reading(meter: &str, quantity: Quantity, at_ms: i64, value: f64) -> Reading {
    Reading {
        meter: MeterId::new(meter).unwrap(),
        quantity,
        at: UtcMs(at_ms),
        value: Value::new(value).unwrap(),
        quality: ReadingQuality::Good,
    }
}

/// Enters what the rules of the books take; answers what they took. A month that is proposed is
/// approved at once.
pub fn enter(dir: &Path, events: &[Event]) -> Vec<Event> {
    let books = books(dir);
    let taken = events.iter().filter(|event| {
        let entered = books.append("Zhang", "a law", (*event).clone(), RECEIVED);
        if let (Ok(entry), Event::CloseProposed(_)) = (&entered, event) {
            let proposal = entry.seq;
            let verdict = Event::CloseApproved(CloseVerdict { proposal });
            books.append("Li", "a law", verdict, RECEIVED).unwrap();
        }
        entered.is_ok()
    });
    taken.cloned().collect()
}

/// Everything that the ledger says, as text.
pub fn dump(aggregator: &Aggregator, config: &Config) -> String {
    let mut text = String::new();
    for point in config.registry.points.values() {
        let zone = config.registry.zone_of(point).unwrap();
        let mut day = date("2026-03-01");
        while day < date("2026-06-01") {
            if let Some(stored) = aggregator.store().day(&point.id, day).unwrap() {
                writeln!(text, "{stored:?}").unwrap();
            }
            day = next_period_date(Span::Day, day);
        }
        let from_s = day_start_s(zone, date("2026-01-01"));
        let to_s = day_start_s(zone, date("2027-01-01"));
        for span in [Span::Day, Span::Month, Span::Year] {
            let rows = aggregator
                .store()
                .ledger_rows(&point.id, span, from_s, to_s);
            for row in rows.unwrap() {
                writeln!(text, "{row:?}").unwrap();
            }
        }
        let (from, to) = (UtcMs(from_s * 1_000), UtcMs(to_s * 1_000));
        for finding in aggregator.store().findings(&point.id, from, to).unwrap() {
            writeln!(text, "{finding:?}").unwrap();
        }
        for fill in aggregator.store().fills(&point.id, from, to).unwrap() {
            writeln!(text, "{fill:?}").unwrap();
        }
    }
    text
}

pub fn amount(aggregator: &Aggregator, config: &Config, point: &str, span: Span) -> i64 {
    let point = PointId::new(point).unwrap();
    let zone = config
        .registry
        .zone_of(&config.registry.points[&point])
        .unwrap();
    let from_s = day_start_s(zone, date("2026-01-01"));
    let to_s = day_start_s(zone, date("2027-01-01"));
    let rows = aggregator
        .store()
        .ledger_rows(&point, span, from_s, to_s)
        .unwrap();
    rows.iter().map(|row| row.amount_base).sum()
}

/// Everything in one batch, in order, without a stop.
pub fn in_one_go(dir: &Path, config: &Arc<Config>, readings: &[Reading]) -> Aggregator {
    let (journal, writer) = Journal::open(&journal_dir(dir), options()).unwrap();
    append(&journal, [batch(RECEIVED, readings.to_vec())]);
    writer.stop();
    let mut aggregator = aggregator(dir, config);
    until_idle(&mut aggregator);
    aggregator
}
