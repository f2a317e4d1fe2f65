//! Explanations of a meter to which everything happens: each computes its figure again.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod hard;
mod world;

use chrono_tz::Tz;
use hard::{POINT, Site, VIRTUAL, at, days_of, meter, point};
use steward_ledger::{Chain, MemoryShelf, Past, Raw};
use steward_model::time::{day_start_s, next_period_date};
use steward_model::{FindingKind, Quantity, Reading, ReadingQuality, Span, UtcMs, Value};
use steward_report::{Asked, BooksView, ExplainError, Explanation, Scope, explain};
use steward_store::{
    LedgerUpdate, ReadingsCommit, Source, StoreOptions, StoreReader, WorkingStore,
};

/// Every check closes, and those that are named are there.
fn closes(explanation: &Explanation, wanted: &[&str]) {
    let about = format!(
        "{} {} {}",
        explanation.scope, explanation.span, explanation.start
    );
    for check in &explanation.checks {
        assert_eq!(
            check.difference_base, 0,
            "{about}: {check:?} {explanation:#?}"
        );
    }
    for of in wanted {
        assert!(
            explanation.checks.iter().any(|check| check.of == *of),
            "{about}: no {of}"
        );
    }
}

async fn every_day_closes(zone: Tz) {
    let site = Site::new(zone);
    let mut date = world::date(2026, 9, 29);
    while date < world::date(2026, 10, 29) {
        let at_ms = day_start_s(zone, date) * 1_000;
        let day = site.point(POINT, Span::Day, at_ms).await;
        closes(&day, &["registers", "spans"]);
        assert!(day.amount_base.unwrap() > 0);
        let made = site.point(VIRTUAL, Span::Day, at_ms).await;
        closes(&made, &["terms", "spans"]);
        date = next_period_date(Span::Day, date);
    }
    let month = site.point(POINT, Span::Month, at(zone, 1, 0)).await;
    closes(&month, &["registers", "spans"]);
    closes(
        &site.point(VIRTUAL, Span::Month, at(zone, 1, 0)).await,
        &["terms", "spans"],
    );
    closes(
        &site.point(VIRTUAL, Span::Year, at(zone, 1, 0)).await,
        &["terms", "spans"],
    );
    closes(
        &site.point(POINT, Span::Year, at(zone, 1, 0)).await,
        &["spans"],
    );
}

#[tokio::test]
async fn every_day_of_a_hard_month_closes() {
    every_day_closes(Tz::Asia__Shanghai).await;
}

#[tokio::test]
async fn every_day_closes_where_clocks_change() {
    every_day_closes(Tz::Europe__Berlin).await;
}

#[tokio::test]
async fn intervals_and_hours_close_where_things_happen() {
    let zone = Tz::Asia__Shanghai;
    let site = Site::new(zone);
    for day in [13, 14, 15, 16, 18, 20, 21, 22, 25] {
        for minute in (0..1_440).step_by(105) {
            let interval = site
                .point(POINT, Span::Interval, at(zone, day, minute))
                .await;
            // Nothing is stated where nothing is known.
            let wanted: &[&str] = if interval.amount_base.is_some() {
                &["registers"]
            } else {
                &[]
            };
            closes(&interval, wanted);
            closes(
                &site
                    .point(VIRTUAL, Span::Interval, at(zone, day, minute))
                    .await,
                &[],
            );
        }
        for hour in 0..24 {
            closes(
                &site
                    .point(POINT, Span::Hour, at(zone, day, hour * 60))
                    .await,
                &["spans"],
            );
        }
    }
}

#[tokio::test]
async fn a_month_tells_everything_that_happened() {
    let zone = Tz::Asia__Shanghai;
    let site = Site::new(zone);
    let month = site.point(POINT, Span::Month, at(zone, 1, 0)).await;
    let metering = month.metering.as_ref().unwrap();
    let kinds: Vec<&str> = metering
        .steps
        .iter()
        .map(|step| step.kind.as_str())
        .collect();
    for kind in ["rollover", "replacement", "ratio", "restart"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let rollover = metering
        .steps
        .iter()
        .find(|step| step.kind == "rollover")
        .unwrap();
    assert_eq!(rollover.rebased_base, Some(-80_000_000));
    let links: Vec<&str> = metering.chain.iter().map(|one| one.link.as_str()).collect();
    assert_eq!(links, ["anew", "replaced", "ratio"]);
    assert_eq!(metering.chain[2].ratio, 100);
    assert_eq!(metering.runs.len(), 2);
    let counts = metering.readings;
    assert_eq!(
        counts.total,
        counts.counted + counts.held_out + counts.voided
    );
    assert_eq!((counts.by_hand, counts.voided), (1, 12));
    assert!(counts.held_out >= 1, "{counts:?}");
    let rules: Vec<&str> = month.fills.iter().map(|fill| fill.rule.as_str()).collect();
    assert!(rules.contains(&"shape"), "{rules:?}");
    let glitch = FindingKind::Glitch.id();
    assert!(
        month.findings.iter().any(|one| one.kind == glitch),
        "{:?}",
        month.findings
    );
    let decided = month
        .findings
        .iter()
        .find_map(|one| one.decision.as_ref())
        .unwrap();
    assert_eq!(decided.by, "engineer");
    assert!(!month.provisional);
    // Bands say where the money went.
    let cost: f64 = month
        .bands
        .iter()
        .map(|one| one.cost_cny.as_ref().unwrap().parse::<f64>().unwrap())
        .sum();
    assert!(
        (cost - month.cost_cny.unwrap()).abs() < 0.01,
        "{cost} {:?}",
        month.cost_cny
    );

    let inside = site.point(POINT, Span::Interval, at(zone, 14, 600)).await;
    let run = &inside.metering.as_ref().unwrap().runs[0];
    assert_eq!(
        (run.start.method.as_str(), run.end.method.as_str()),
        ("shape", "shape")
    );
    let near = site.point(POINT, Span::Interval, at(zone, 5, 600)).await;
    let run = &near.metering.as_ref().unwrap().runs[0];
    assert_eq!(run.start.method, "linear");
    let before = run.start.before.as_ref().unwrap();
    assert_eq!(before.register_base, (before.value.unwrap() * 80.0) as i64);

    let made = site.point(VIRTUAL, Span::Day, at(zone, 5, 0)).await;
    let terms = &made.formulas[0].terms;
    assert_eq!(
        (terms.len(), terms[1].coefficient.as_str()),
        (2, "-0.333333")
    );
    assert!(terms[1].amount_base < 0);
    assert!(
        terms[0]
            .link
            .starts_with("explain?point=hall-1-el&span=day&start=2026-10-04T16:00:00Z")
    );
}

#[tokio::test]
async fn a_power_that_is_integrated_closes_too() {
    let zone = Tz::Asia__Shanghai;
    let mut config = world::config();
    let profile = config.registry.meters[&meter()].profile.clone();
    if let steward_config::ProfileBody::Modbus(body) =
        &mut config.profiles.get_mut(&profile).unwrap().body
    {
        body.registers.retain(|one| one.quantity == Quantity::Power);
    }
    let registered = config.registry.points[&point(POINT)].clone();
    let chain = Chain::of(&config, &registered, &Past::default()).unwrap();
    assert!(chain.is_integrated());
    let raws: Vec<Raw> = (0..400)
        .map(|index| Raw {
            at_ms: at(zone, 5, 0) + 31_000 + i64::from(index) * 300_000,
            value: 37.3 + f64::from(index % 17),
            manual: false,
        })
        .collect();
    let readings: Vec<Reading> = raws
        .iter()
        .map(|raw| Reading {
            meter: meter(),
            quantity: Quantity::Power,
            at: UtcMs(raw.at_ms),
            value: Value::new(raw.value).unwrap(),
            quality: ReadingQuality::Good,
        })
        .collect();
    let mut shelf = MemoryShelf::default();
    shelf.series.insert((meter(), Quantity::Power), raws);
    let (days, _) = days_of(&config, &shelf, &chain, &Past::default());
    let rows: Vec<_> = [Span::Day, Span::Month]
        .into_iter()
        .flat_map(|span| world::rows(&config, &days, span))
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        publish: false,
        outbox_bytes_max: 0,
        clock: || world::NOW,
        ledger_gauges: vec![(meter(), Quantity::Power)],
    };
    let mut store = WorkingStore::open(dir.path(), options).unwrap();
    store
        .commit_readings(ReadingsCommit {
            readings: &readings,
            quarantine: &[],
            cursor: 1,
            accounted: 400,
        })
        .unwrap();
    store
        .write_ledger(LedgerUpdate {
            days: &days,
            rows: &rows,
            ..LedgerUpdate::default()
        })
        .unwrap();
    let source = Source::Working(StoreReader::open(dir.path()));
    let hours = (0..33).map(|hour| (Span::Hour, at(zone, 5, hour * 60)));
    let days = [(Span::Day, at(zone, 5, 0)), (Span::Day, at(zone, 6, 0))];
    for (span, at_ms) in hours.chain(days) {
        let asked = Asked {
            scope: Scope::Point(point(POINT)),
            commodity: None,
            span,
            start_s: at_ms / 1_000,
        };
        let said = explain(&config, &source, &BooksView::empty(), &asked, world::NOW)
            .await
            .unwrap();
        closes(&said, &["registers"]);
        let metering = said.metering.unwrap();
        assert!(metering.integrated && metering.quantity == "power");
    }
}

#[tokio::test]
async fn totals_open_into_points_and_wrong_questions_are_refused() {
    let zone = Tz::Asia__Shanghai;
    let site = Site::new(zone);
    let hall = Scope::Institution(steward_model::InstitutionId::new("hall").unwrap());
    let total = site
        .ask(hall.clone(), Span::Month, at(zone, 1, 0))
        .await
        .unwrap();
    closes(&total, &["points", "spans"]);
    assert!(
        total.spans[0]
            .link
            .contains("scope=institution:hall&commodity=electricity&span=day")
    );
    let keys: Vec<&str> = total.points.iter().map(|one| one.key.as_str()).collect();
    // The virtual point stands beside the books; the rest is behind the main meter.
    assert_eq!(keys, [POINT]);
    let books = BooksView::empty();
    let asked = |scope: Scope, commodity, start_s| Asked {
        scope,
        commodity,
        span: Span::Day,
        start_s,
    };
    let start_s = at(zone, 1, 0) / 1_000;
    let none = asked(hall, None, start_s);
    let refused = explain(&site.config, &site.source, &books, &none, world::NOW).await;
    assert!(matches!(refused, Err(ExplainError::NeedsCommodity)));
    let within = asked(Scope::Point(point(POINT)), None, start_s + 60);
    let refused = explain(&site.config, &site.source, &books, &within, world::NOW).await;
    let said = refused.unwrap_err().to_string();
    assert!(
        said.contains("begins at 2026-10-01T00:00:00+08:00"),
        "{said}"
    );
    let stranger = asked(Scope::Point(point("nobody")), None, start_s);
    let refused = explain(&site.config, &site.source, &books, &stranger, world::NOW).await;
    assert!(matches!(refused, Err(ExplainError::UnknownScope(_))));
}
