//! A tariff that is dated back changes open months only, whatever is computed again later.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "common/site.rs"]
mod site;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use site::{PointSpec, aggregator, append, batch, books, journal_dir, options, until_idle};
use steward_aggregator::Aggregator;
use steward_books::{
    CloseProposal, CloseVerdict, ClosedPrices, DayOfPrices, Event, HandReading, sha256_hex,
};
use steward_config::Config;
use steward_journal::Journal;
use steward_ledger::LocalDay;
use steward_ledger::money::Prices;
use steward_model::time::day_start_s;
use steward_model::{
    InstitutionId, LedgerRow, MeterId, PointId, Quantity, Reading, ReadingQuality, Span, UtcMs,
    Value,
};

const RECEIVED: UtcMs = UtcMs(1_798_675_200_000);
/// A kilowatt-hour an hour.
const HOURS: i64 = 24 * 61;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn point() -> PointId {
    PointId::new("exchanged").unwrap()
}

/// One point, metered in March and April, under a tariff of the site.
fn site_with(dir: &Path, versions: &[(&str, &str)]) -> Arc<Config> {
    let mut tariff = String::from(
        "name_zh = \"价\"\nname_en = \"Price\"\ncommodity = \"electricity\"\nunit = \"CNY/kWh\"\n",
    );
    for (from, price) in versions {
        tariff.push_str(&format!(
            "[[version]]\nfrom = {from}\nsource = \"a decision\"\nconfidence = \"A\"\nprice = {price}\n"
        ));
    }
    // The file that is called as a shipped tariff takes its place.
    std::fs::create_dir_all(dir.join("tariffs")).unwrap();
    std::fs::write(dir.join("tariffs/example-zj-tou-1-10kv.toml"), tariff).unwrap();
    let points = [PointSpec {
        id: "exchanged",
        building: "east",
        commodity: "electricity",
        meters: vec![("m", "steward-json", 1, "2026-03-01", "")],
    }];
    site::site(dir, &points)
}

fn fill(dir: &Path) {
    let start_ms = day_start_s(chrono_tz::Asia::Shanghai, date("2026-03-01")) * 1_000;
    let readings: Vec<Reading> = (0..=HOURS)
        // Twelve hours of the tenth are late.
        .filter(|hour| !(216..228).contains(hour))
        .map(|hour| Reading {
            meter: MeterId::new("m").unwrap(),
            quantity: Quantity::EnergyImport,
            at: UtcMs(start_ms + hour * 3_600_000),
            value: Value::new(hour as f64 * 1_000.0).unwrap(),
            quality: ReadingQuality::Good,
        })
        .collect();
    let (journal, writer) = Journal::open(&journal_dir(dir), options()).unwrap();
    append(&journal, [batch(RECEIVED, readings)]);
    writer.stop();
}

/// Closes March with the prices of `config`, as the report does.
fn close_march(dir: &Path, config: &Config) {
    let mut prices = ClosedPrices::default();
    let of_config = Prices::of(config);
    let zone = chrono_tz::Asia::Shanghai;
    for day in date("2026-03-01").iter_days().take(31) {
        let day = of_config.day(config, &point(), &LocalDay::of(zone, day), zone);
        let (tariff_set, runs) = (day.tariff_set.clone(), day.runs.clone());
        prices.push(&point(), DayOfPrices { tariff_set, runs });
    }
    let runs = prices
        .days
        .iter()
        .map(|day| {
            let runs: Vec<String> = day
                .runs
                .iter()
                .map(|run| json(run.intervals, run.ncny_per_base))
                .collect();
            format!(
                "{{\"tariff_set\":\"{}\",\"runs\":[{}]}}",
                day.tariff_set,
                runs.join(",")
            )
        })
        .collect::<Vec<_>>()
        .join(",");
    let content = format!(
        "{{\"prices\":{{\"days\":[{runs}],\"points\":{{\"exchanged\":{:?}}}}}}}",
        prices.points[&point()]
    );
    let books = books(dir);
    let proposal = Event::CloseProposed(CloseProposal {
        institution: InstitutionId::new("i").unwrap(),
        month: "2026-03".to_owned(),
        revision: 1,
        content_sha256: sha256_hex(&content),
        content,
        checklist: "[]".to_owned(),
    });
    let entry = books.append("Zhang", "March", proposal, RECEIVED).unwrap();
    let verdict = Event::CloseApproved(CloseVerdict {
        proposal: entry.seq,
    });
    books.append("Li", "March", verdict, RECEIVED).unwrap();
}

fn json(intervals: u16, ncny_per_base: Option<i64>) -> String {
    let price = ncny_per_base.map_or("null".to_owned(), |price| price.to_string());
    format!("{{\"intervals\":{intervals},\"ncny_per_base\":{price}}}")
}

fn months(aggregator: &Aggregator) -> Vec<LedgerRow> {
    let rows = aggregator
        .store()
        .ledger_rows(&point(), Span::Month, 0, RECEIVED.seconds_floor());
    rows.unwrap()
}

fn year_cost_ncny(aggregator: &Aggregator) -> Option<i64> {
    let rows = aggregator
        .store()
        .ledger_rows(&point(), Span::Year, 0, RECEIVED.seconds_floor());
    rows.unwrap()[0].cost_ncny
}

fn run(dir: &Path, config: &Arc<Config>) -> Aggregator {
    let mut aggregator = aggregator(dir, config);
    until_idle(&mut aggregator);
    aggregator
}

/// 31 days of 24 kWh and 30 of them, in nano-yuan a fen.
fn cost_ncny(march_fen: i64, april_fen: i64) -> (i64, i64) {
    let fen_ncny = 10_000_000;
    (744 * march_fen * fen_ncny, 720 * april_fen * fen_ncny)
}

#[test]
fn a_back_dated_tariff_prices_open_months_anew_and_leaves_closed_ones() {
    let dir = tempfile::tempdir().unwrap();
    let config = site_with(dir.path(), &[("2026-01-01", "0.50")]);
    fill(dir.path());
    let before = months(&run(dir.path(), &config));
    let (march, april) = cost_ncny(50, 50);
    assert_eq!(before[0].cost_ncny, Some(march));
    assert_eq!(before[1].cost_ncny, Some(april));

    close_march(dir.path(), &config);
    // Dated back to February: March would cost 0.80 as well.
    let later = site_with(
        dir.path(),
        &[("2026-01-01", "0.50"), ("2026-02-01", "0.80")],
    );
    let aggregator = run(dir.path(), &later);
    let after = months(&aggregator);
    let (march, april) = cost_ncny(50, 80);
    assert_eq!(after[0], before[0], "March is closed");
    assert_eq!(after[1].cost_ncny, Some(april));
    assert_eq!(after[1].tariff_set, "example-zj-tou-1-10kv@2026-02-01");
    assert_eq!(after[1].amount_base, before[1].amount_base);
    assert_eq!(year_cost_ncny(&aggregator), Some(march + april));
    drop(aggregator);

    // What comes late into March is priced as March was.
    let books = books(dir.path());
    let late = Event::HandReading(HandReading {
        meter: MeterId::new("m").unwrap(),
        quantity: Quantity::EnergyImport,
        at: UtcMs((day_start_s(chrono_tz::Asia::Shanghai, date("2026-03-10")) + 3_600) * 1_000),
        value: 216_900.0,
    });
    books
        .append("Zhang", "the note of the tenth", late, RECEIVED)
        .unwrap();
    let mut aggregator = run(dir.path(), &later);
    let with_late = months(&aggregator);
    assert_eq!(with_late[0].cost_ncny, Some(march));
    assert_ne!(with_late[0].shares, before[0].shares);

    // A ledger that is made anew knows it from the books, and not from what was stored.
    aggregator.rebuild().unwrap();
    until_idle(&mut aggregator);
    assert_eq!(months(&aggregator), with_late);
    drop(aggregator);
    std::fs::remove_dir_all(steward_store::store_dir(dir.path())).unwrap();
    let replayed = run(dir.path(), &later);
    assert_eq!(months(&replayed), with_late);
    assert_eq!(year_cost_ncny(&replayed), Some(march + april));
}

#[test]
fn a_close_that_was_approved_while_new_tariffs_were_loaded_gets_its_own_prices_back() {
    let dir = tempfile::tempdir().unwrap();
    let config = site_with(dir.path(), &[("2026-01-01", "0.50")]);
    fill(dir.path());
    drop(run(dir.path(), &config));
    let later = site_with(dir.path(), &[("2026-01-01", "0.80")]);
    let mut aggregator = run(dir.path(), &later);
    let (_, april) = cost_ncny(80, 80);
    assert_eq!(months(&aggregator)[0].cost_ncny, Some(cost_ncny(80, 80).0));
    // The api had loaded only the tariffs of before.
    close_march(dir.path(), &config);
    let begun = Instant::now();
    while months(&aggregator)[0].cost_ncny != Some(cost_ncny(50, 80).0) {
        assert!(begun.elapsed() < Duration::from_secs(60), "not priced back");
        aggregator.step().unwrap();
    }
    until_idle(&mut aggregator);
    assert_eq!(months(&aggregator)[1].cost_ncny, Some(april));
    drop(aggregator);
    let again = run(dir.path(), &later);
    assert_eq!(months(&again)[0].cost_ncny, Some(cost_ncny(50, 80).0));
}
