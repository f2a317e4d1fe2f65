//! The data that ships: profiles, factors, calendars and tariffs.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;

use chrono::{Datelike, Weekday};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use steward_config::{
    Band, DayKind, Factor, FactorKind, Golden, ProfileBody, RegionLevel, shipped_calendars,
    shipped_factors, shipped_profiles, shipped_tariffs,
};
use steward_model::{Commodity, Kind, Quantity};
use support::date;

#[test]
fn every_profile_has_a_counter_and_golden_vectors_for_all_it_gives() {
    let profiles = shipped_profiles(Tz::Asia__Shanghai).unwrap();
    assert!(profiles.len() >= 15);
    for (id, profile) in &profiles {
        let quantities = profile.quantities();
        let counters = quantities
            .iter()
            .filter(|quantity| quantity.kind() == Kind::Counter);
        assert!(counters.count() > 0, "{id} counts nothing");
        let proven: BTreeSet<Quantity> = profile
            .golden
            .iter()
            .flat_map(|golden| match golden {
                Golden::Registers { expect, .. } | Golden::Payload { expect, .. } => expect,
            })
            .map(|(quantity, _)| *quantity)
            .collect();
        for quantity in &quantities {
            assert!(
                proven.contains(quantity),
                "{id}: no golden vector for {quantity}"
            );
        }
        assert_eq!(
            proven.len(),
            quantities.len(),
            "{id} expects what it does not give"
        );
        if !matches!(profile.confidence, 'A' | 'B' | 'O') {
            assert!(
                !profile.caveats.is_empty(),
                "{id} is uncertain and does not say how"
            );
        }
    }
}

#[test]
fn registers_stand_where_the_sources_say() {
    let profiles = shipped_profiles(Tz::Asia__Shanghai).unwrap();
    let at = |id: &str, quantity: Quantity| {
        let ProfileBody::Modbus(body) = &profiles[id].body else {
            panic!("{id} speaks Modbus");
        };
        let found = body.registers.iter().find(|one| one.quantity == quantity);
        let spec = found.unwrap();
        (spec.function, spec.address, spec.scale * spec.factor)
    };
    let import = Quantity::EnergyImport;
    assert_eq!(at("eastron-sdm630", import), (4, 0x0048, 1_000.0));
    assert_eq!(at("eastron-sdm230", Quantity::Power), (4, 0x000C, 1.0));
    assert_eq!(at("chint-dtsu666", import), (3, 0x101E, 1_000.0));
    assert_eq!(at("chint-dtsu666", Quantity::Power), (3, 0x2012, 0.1));
    assert_eq!(at("schneider-iem3000", import), (3, 3_203, 1.0));
    assert_eq!(
        at("schneider-iem3000", Quantity::Power),
        (3, 3_059, 1_000.0)
    );
    assert_eq!(at("siemens-pac2200", import), (4, 801, 1.0));
    assert_eq!(at("acrel-dtsd1352", import), (3, 0x000A, 10.0));
}

#[test]
fn tasmota_is_read_in_the_zone_of_the_site() {
    let zone_of = |zone| {
        let profiles = shipped_profiles(zone).unwrap();
        let ProfileBody::Mqtt(body) = &profiles["tasmota-sensor"].body else {
            panic!("tasmota speaks MQTT");
        };
        body.timestamp.clone().unwrap().zone
    };
    assert_eq!(zone_of(Tz::Europe__London), Tz::Europe__London);
    assert_eq!(zone_of(Tz::Asia__Shanghai), Tz::Asia__Shanghai);
}

fn overlap(a: &Factor, b: &Factor) -> bool {
    let ends_after =
        |one: &Factor, other: &Factor| one.valid_to.is_none_or(|to| to > other.valid_from);
    ends_after(a, b) && ends_after(b, a)
}

#[test]
fn factors_of_one_series_follow_each_other_without_overlap() {
    let factors = shipped_factors().unwrap();
    for (index, a) in factors.iter().enumerate() {
        for b in &factors[index + 1..] {
            let key = |factor: &Factor| {
                (
                    factor.kind,
                    factor.commodity,
                    factor.series.clone(),
                    factor.level,
                    factor.region.clone(),
                )
            };
            assert!(key(a) != key(b) || !overlap(a, b), "{} and {}", a.id, b.id);
            assert!(
                a.id != b.id || a.kind != b.kind,
                "{} stands there twice",
                a.id
            );
        }
    }
    let zhejiang: Vec<&Factor> = factors
        .iter()
        .filter(|factor| factor.region == "浙江" && factor.series == "average")
        .collect();
    for pair in zhejiang.windows(2) {
        assert_eq!(pair[0].valid_to, Some(pair[1].valid_from), "a gap in 浙江");
    }
    assert_eq!(zhejiang.len(), 3);
    assert_eq!(zhejiang[2].valid_to, None);
}

#[test]
fn factors_carry_their_origin() {
    let factors = shipped_factors().unwrap();
    let named = |id: &str, kind| {
        let found = factors.iter().find(|one| one.id == id && one.kind == kind);
        found.unwrap_or_else(|| panic!("{id} ships"))
    };
    let grid = named("cn-grid-nation-2023", FactorKind::Co2);
    assert_eq!(grid.level, RegionLevel::Nation);
    assert_eq!(grid.value, Decimal::new(5_306, 4));
    assert_eq!(grid.data_year, Some(2023));
    assert_eq!(grid.published, Some(date("2025-12-31")));
    assert_eq!(grid.document, "MEE+NBS 公告2025年第47号");
    assert_eq!(grid.confidence, 'A');
    let petrol = named("cn-fuel-petrol", FactorKind::Co2);
    assert_eq!(petrol.ug_per_base, 2_135_323);
    assert_eq!(petrol.density_kg_per_l, Some(Decimal::new(73, 2)));
    assert_eq!(petrol.confidence, 'U');
    for kind in [FactorKind::CoalCalorific, FactorKind::CoalEquivalent] {
        let gas = named("cn-coal-natural-gas-gas-field", kind);
        assert_eq!(
            (gas.commodity, gas.ug_per_base),
            (Commodity::NaturalGas, 1_214_300)
        );
    }
    assert!(factors.iter().all(|factor| !factor.document.is_empty()));
}

#[test]
fn limits_of_counters_stand_where_they_are_known() {
    let profiles = shipped_profiles(Tz::Asia__Shanghai).unwrap();
    for (id, profile) in &profiles {
        let counters: Vec<Quantity> = profile.counters.keys().copied().collect();
        let mut given = profile.quantities();
        given.retain(|quantity| quantity.kind() == Kind::Counter);
        given.sort();
        assert_eq!(counters, given, "{id}: one entry a counter");
        for (quantity, limits) in &profile.counters {
            let is_told = limits.modulus.is_none()
                || profile.confidence == 'O'
                || profile
                    .caveats
                    .iter()
                    .any(|caveat| caveat.contains("modulus"));
            assert!(
                is_told,
                "{id}: nobody says where the modulus of {quantity} comes from"
            );
            let is_told = limits.rise_max_per_h.is_none()
                || profile
                    .caveats
                    .iter()
                    .any(|caveat| caveat.contains("rise_max_per_h"));
            assert!(
                is_told,
                "{id}: nobody says where the rating of {quantity} comes from"
            );
            // A rating would hold out every reading of a version behind transformers.
            let is_behind_cts = profile
                .caveats
                .iter()
                .any(|one| one.contains("behind CTs count"));
            assert!(!is_behind_cts || limits.rise_max_per_h.is_none(), "{id}");
        }
    }
    let of = |id: &str, quantity| {
        let limits = profiles[id].counters[&quantity];
        (limits.resolution, limits.modulus, limits.rise_max_per_h)
    };
    let import = Quantity::EnergyImport;
    assert_eq!(of("schneider-iem3000", import), (1.0, None, None));
    assert_eq!(of("acrel-dtsd1352", import), (10.0, None, Some(64_000.0)));
    assert_eq!(of("eastron-sdm230", import), (10.0, None, Some(26_500.0)));
    assert_eq!(of("siemens-pac2200", import), (0.0, None, None));
    assert_eq!(
        of("generic-volume-u32", Quantity::Volume),
        (1.0, Some(4_294_967_296.0), None)
    );
    assert_eq!(
        of("generic-heat-u32", Quantity::HeatEnergy),
        (1_000.0, Some(4_294_967_296_000.0), None)
    );
}

#[test]
fn the_calendar_knows_holidays_and_make_up_days() {
    let calendars = shipped_calendars().unwrap();
    let cn = &calendars["cn"];
    assert_eq!(cn.years, [2024, 2025, 2026]);
    let days = |year: i32, kind| {
        let arranged = cn.arranged.iter();
        let held = arranged.filter(|(date, one)| date.year() == year && one.kind == kind);
        held.count()
    };
    for (year, holidays, workdays) in [(2024, 28, 8), (2025, 28, 5), (2026, 33, 6)] {
        assert_eq!(days(year, DayKind::Holiday), holidays, "{year}");
        assert_eq!(days(year, DayKind::Workday), workdays, "{year}");
        // A day that is moved is worked on a weekend instead: the weekdays off that remain are as
        // many as the law has public holidays.
        let off = cn
            .arranged
            .iter()
            .filter(|(date, one)| {
                let is_weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
                date.year() == year && one.kind == DayKind::Holiday && !is_weekend
            })
            .count();
        assert_eq!(off - workdays, legal_days(year), "{year}");
    }
    let kind = |text: &str| cn.kind(date(text));
    assert_eq!(kind("2024-05-11"), DayKind::Workday);
    assert_eq!(kind("2025-01-26"), DayKind::Workday);
    assert_eq!(kind("2026-02-14"), DayKind::Workday);
    assert_eq!(kind("2026-02-15"), DayKind::Holiday);
    assert_eq!(kind("2026-02-23"), DayKind::Holiday);
    assert_eq!(kind("2026-02-24"), DayKind::Workday);
    assert_eq!(kind("2026-10-10"), DayKind::Workday);
    assert_eq!(kind("2026-10-11"), DayKind::Restday);
    assert!(cn.knows(date("2026-12-31")) && !cn.knows(date("2027-01-01")));
    assert!(cn.arranged.values().all(|one| !one.source.is_empty()));
}

/// Public holidays of the law: 11 days, and 13 since 2025.
fn legal_days(year: i32) -> usize {
    if year < 2025 { 11 } else { 13 }
}

#[test]
fn every_tariff_prices_every_quarter_of_every_day() {
    let tariffs = shipped_tariffs().unwrap();
    assert!(tariffs.len() >= 6);
    let mut bands = BTreeSet::new();
    for (id, tariff) in &tariffs {
        assert!(id.starts_with("example-"), "{id} looks official");
        for pair in tariff.versions.windows(2) {
            assert_eq!(pair[0].to, Some(pair[1].from), "{id}");
        }
        assert_eq!(tariff.versions.last().unwrap().to, None, "{id}");
        for version in &tariff.versions {
            assert_eq!(version.confidence, 'U', "{id}: no figure is confirmed");
            for day in version.from.iter_days().take(400) {
                for kind in [DayKind::Workday, DayKind::Restday, DayKind::Holiday] {
                    for band in version.bands(day, kind).unwrap() {
                        assert!(version.ncny_per_base(*band).unwrap() > 0, "{id}");
                        bands.insert(*band);
                    }
                }
            }
        }
    }
    assert_eq!(bands.len(), Band::ALL.len(), "a band is never shown");
    let versions = || tariffs.values().flat_map(|tariff| &tariff.versions);
    assert!(versions().any(|one| one.tiers.is_some()));
    assert!(versions().any(|one| one.demand.is_some()));
    assert!(versions().any(|one| one.fixed_cny_month > Decimal::ZERO));
    let rule = versions()
        .find_map(|one| one.power_factor.as_ref())
        .unwrap();
    let share = |factor: &str| {
        let factor: Decimal = factor.parse().unwrap();
        let row = rule.table.iter().find(|(lowest, _)| factor >= *lowest);
        row.unwrap().1.to_string()
    };
    assert_eq!(share("1"), "-0.0075");
    assert_eq!(share("0.90"), "0");
    assert_eq!(share("0.80"), "0.050");
    assert_eq!(share("0.65"), "0.15");
    assert_eq!(share("0.60"), "0.25");
    assert_eq!(share("0"), "1.45");
    let steps = &tariffs["example-zj-residential"].versions[0].tiers;
    let steps = &steps.as_ref().unwrap().steps;
    assert_eq!(steps[0].from_base, 2_760_000);
    assert_eq!(steps[1].extra.ncny_per_base, 300_000);
}
