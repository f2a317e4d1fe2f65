//! The report over a small world: its figures, its laws, its two forms and its schema.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod schema;
mod world;

use serde_json::Value;
use steward_config::Config;
use steward_model::{InstitutionId, Span, UtcMs};
use steward_report::{
    Facts, Missing, Month, MonthlyReport, ReportError, compose, schema_json, to_csv, to_json,
};

fn facts(config: &Config) -> Facts {
    Facts {
        rows: world::rows(config, &world::days(config), Span::Month),
        ..Facts::default()
    }
}

fn report_at(institution: &str, month: &str, now: UtcMs) -> Result<MonthlyReport, ReportError> {
    let config = world::config();
    let institution = InstitutionId::new(institution).unwrap();
    compose(
        &config,
        &institution,
        month.parse::<Month>().unwrap(),
        &facts(&config),
        now,
    )
}

fn report(institution: &str, month: &str) -> MonthlyReport {
    report_at(institution, month, world::NOW).unwrap()
}

#[test]
fn json_and_csv_are_as_reviewed() {
    let report = report("hall", "2026-10");
    insta::assert_snapshot!("hall-2026-10.json", to_json(&report).unwrap());
    insta::assert_snapshot!(
        "hall-2026-10.csv",
        to_csv(&report).unwrap().replace("\r\n", "\n")
    );
}

#[test]
fn figures_are_those_of_a_pocket_calculator() {
    let report = report("hall", "2026-10");
    let electricity = &report.commodities[0];
    // 31 days of 96 intervals of 10,000 Wh, and the day of the month 96 times: 1 + … + 31 = 496.
    let wh = 31 * 96 * 10_000 + 96 * 496;
    assert_eq!(electricity.amount_base, Some(wh));
    assert_eq!(electricity.amount.value, Some(29_807.616));
    // Calorific value 0.1229 kgce/kWh.
    assert_eq!(electricity.kgce.value, Some(3_663.356));
    // Ten of 2,976 intervals of 5 October: eight estimated, two interpolated.
    let quality = electricity.quality.unwrap();
    assert_eq!(
        quality.estimated,
        (8.0_f64 * 10_005.0 / wh as f64 * 1e4).round() / 1e4
    );
    // 15 days of 20,000 m² and 16 of 23,100 m².
    assert_eq!(report.extent.floor_area_m2, Some(21_600.0));
    assert_eq!(electricity.amount.per_m2, Some(1.379982));
    // September has 30 days of 96 × 10,000 Wh and 96 × 465 Wh.
    let september = (30 * 96 * 10_000 + 96 * 465) as f64 / 1_000.0;
    assert_eq!(electricity.amount.against_last_month.value, Some(september));
    assert_eq!(electricity.amount.against_last_year.change, Some(0.0));
}

#[test]
fn parts_add_up_to_the_whole_and_shares_to_one() {
    for commodity in &report("hall", "2026-10").commodities {
        // Only electricity has sub-items here.
        assert_eq!(
            commodity.subitems.is_empty(),
            commodity.commodity != "electricity"
        );
        let both = [&commodity.buildings, &commodity.subitems];
        for parts in both.into_iter().filter(|parts| !parts.is_empty()) {
            let sum: i64 = parts.iter().filter_map(|part| part.amount_base).sum();
            assert_eq!(Some(sum), commodity.amount_base, "{}", commodity.commodity);
            let shares: f64 = parts.iter().filter_map(|part| part.share).sum();
            assert!(
                (shares - 1.0).abs() < 1e-9,
                "{}: {shares}",
                commodity.commodity
            );
        }
    }
}

#[test]
fn a_building_behind_another_ones_meter_counts_once() {
    let electricity = report("hall", "2026-10").commodities.remove(0);
    let base = |key: &str| {
        let part = electricity
            .buildings
            .iter()
            .find(|part| part.key == key)
            .unwrap();
        part.amount_base.unwrap()
    };
    assert_eq!(base("hall-2"), 31 * 96 * 2_000 + 96 * 496);
    assert_eq!(
        base("hall-1"),
        electricity.amount_base.unwrap() - base("hall-2")
    );
}

#[test]
fn what_is_not_known_is_null_with_a_reason() {
    let school = report("school", "2026-10");
    let electricity = &school.commodities[0];
    assert_eq!(
        electricity.amount.against_last_month.missing,
        Some(Missing::NoData)
    );
    assert_eq!(electricity.amount.against_last_month.change_share, None);
    // 10 October is missing at one of two points.
    let expected: f64 = 2.0 * 31.0 * 96.0;
    assert_eq!(
        electricity.coverage,
        Some(((expected - 96.0) / expected * 1e4).round() / 1e4)
    );

    let before = report("school", "2026-09");
    assert_eq!(before.commodities[0].amount.value, None);
    assert_eq!(before.commodities[0].amount.missing, Some(Missing::NoData));
    assert_eq!(before.extent.missing, Some(Missing::NoExtent));

    let running = report("hall", "2026-11");
    assert!(!running.month_over);
    let compared = &running.totals.kgce.against_last_month;
    assert_eq!(
        (compared.change, compared.missing),
        (None, Some(Missing::MonthNotOver))
    );
    assert!(compared.value.is_some());

    let water = report("hall", "2026-10")
        .commodities
        .into_iter()
        .find(|it| it.commodity == "water")
        .unwrap();
    assert_eq!(
        (water.kgce.value, water.kgce.missing),
        (None, Some(Missing::NotCounted))
    );
}

#[test]
fn points_in_two_zones_share_the_local_month() {
    let electricity = report("school", "2026-10").commodities.remove(0);
    let one = 31 * 96 * 5_000 + 96 * 496 - 96 * 5_010;
    let two = 31 * 96 * 1_000 + 96 * 496;
    assert_eq!(electricity.amount_base, Some(one + two));
}

#[test]
fn solar_generation_enters_no_total() {
    let report = report("hall", "2026-10");
    let solar = report
        .commodities
        .iter()
        .find(|it| it.commodity == "solar_generation")
        .unwrap();
    assert!(!solar.bought && solar.amount_base.is_some());
    let kgce: f64 = report
        .commodities
        .iter()
        .filter_map(|it| it.kgce.value)
        .sum();
    assert!((report.totals.kgce.value.unwrap() - kgce).abs() < 0.002);
}

#[test]
fn the_hash_is_of_the_content_and_of_nothing_else() {
    let now = report("hall", "2026-10");
    let later = report_at("hall", "2026-10", UtcMs(world::NOW.0 + 86_400_000)).unwrap();
    assert_ne!(now.generated_at, later.generated_at);
    assert_eq!(now.content_sha256, later.content_sha256);
    assert_ne!(now.content_sha256, report("hall", "2026-09").content_sha256);
}

#[test]
fn a_month_to_come_and_a_stranger_have_no_report() {
    let to_come = report_at("hall", "2026-12", world::NOW);
    assert!(matches!(to_come, Err(ReportError::NotBegun(_))));
    let stranger = report_at("nobody", "2026-10", world::NOW);
    assert!(matches!(stranger, Err(ReportError::UnknownInstitution(_))));
}

#[test]
fn csv_has_a_bom_one_width_and_no_formulas() {
    let text = to_csv(&report("school", "2026-10")).unwrap();
    let body = text.strip_prefix('\u{feff}').unwrap();
    assert!(body.contains("\r\n") && !body.replace("\r\n", "").contains('\n'));
    let mut reader = csv::ReaderBuilder::new().from_reader(body.as_bytes());
    let mut records = 0;
    for record in reader.records() {
        // A record of another width is an error of the reader.
        for cell in &record.unwrap() {
            let is_number = cell.parse::<f64>().is_ok();
            assert!(
                is_number || !cell.starts_with(['=', '+', '-', '@', '＝']),
                "{cell}"
            );
        }
        records += 1;
    }
    assert!(records > 5);
    assert!(body.contains("'@教学楼") && body.contains("'=第一中学"));
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let committed = include_str!("../schema/monthly-report.schema.json");
    let current = schema_json().unwrap();
    assert!(
        committed == current,
        "the form of the report changed; if that is meant, run\n  \
         cargo run -p steward-report --example schema > crates/report/schema/monthly-report.schema.json"
    );
}

#[test]
fn reports_have_the_form_that_the_schema_says() {
    let schema: Value =
        serde_json::from_str(include_str!("../schema/monthly-report.schema.json")).unwrap();
    for (institution, month) in [
        ("hall", "2026-10"),
        ("hall", "2026-11"),
        ("school", "2026-09"),
    ] {
        let document = serde_json::to_value(report(institution, month)).unwrap();
        assert_eq!(
            schema::differences(&schema, &schema, &document),
            Vec::<String>::new()
        );
    }
    // The checker sees what is wrong.
    let mut wrong = serde_json::to_value(report("hall", "2026-10")).unwrap();
    wrong["commodities"][0]["amount"]["value"] = "much".into();
    wrong.as_object_mut().unwrap().remove("month");
    assert_eq!(schema::differences(&schema, &schema, &wrong).len(), 2);
}
