//! The data that ships: profiles and factors.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;

use chrono_tz::Tz;
use rust_decimal::Decimal;
use steward_config::{
    Factor, FactorKind, Golden, ProfileBody, RegionLevel, shipped_factors, shipped_profiles,
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
