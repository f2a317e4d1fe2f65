//! The example site is documentation and test input at once.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use rust_decimal::Decimal;
use steward_config::{
    BudgetMetric, FactorKind, GatewayKind, MeterAddress, MqttVersion, RegionLevel, load,
};
use steward_model::{Commodity, InstitutionId, MeterId};
use support::{date, example, no_environment, temporary_example};

#[test]
fn the_example_loads() {
    let config = load(&example(), &no_environment).unwrap();
    assert_eq!(config.settings.site, "example");
    assert_eq!(config.settings.data_dir, example().join("data"));
    assert_eq!(config.settings.journal.bytes_max, 4 << 30);
    assert!(config.settings.api.listen.ip().is_loopback());
    assert!(config.settings.influx.is_none());
    let registry = &config.registry;
    assert_eq!(
        [
            registry.institutions.len(),
            registry.buildings.len(),
            registry.points.len(),
            registry.meters.len(),
            registry.gateways.len(),
        ],
        [2, 2, 8, 9, 2]
    );
    let meter = &registry.meters[&MeterId::new("xzzx-1-el-m1").unwrap()];
    assert_eq!(meter.ratio, 80);
    assert_eq!(meter.address, MeterAddress::Modbus { unit_id: 1 });
    let gas = &registry.meters[&MeterId::new("xzzx-1-gas-m1").unwrap()];
    assert_eq!(gas.interval, Duration::from_secs(60));
    let device = "canteen-gas".to_owned();
    assert_eq!(gas.address, MeterAddress::Mqtt { device });
    let xzzx = &registry.institutions[&InstitutionId::new("xzzx").unwrap()];
    assert_eq!(xzzx.extents[0].to, Some(date("2026-01-01")));
}

#[test]
fn defaults_of_a_broker_follow_the_site_and_tls() {
    let config = load(&example(), &no_environment).unwrap();
    let broker = &config.registry.gateways["broker"];
    let GatewayKind::Mqtt(mqtt) = &broker.kind else {
        panic!("the broker of the example speaks MQTT");
    };
    assert_eq!((mqtt.host.as_str(), mqtt.port), ("127.0.0.1", 1883));
    assert_eq!(mqtt.version, MqttVersion::V5);
    assert_eq!(mqtt.client_id, "steward-example-broker");
    assert_eq!(mqtt.subscriptions[0].filter(), "steward/v1/+/+/+/telemetry");
    let environment = |name: &str| (name == "MQTT_HOST").then(|| "broker.example".to_owned());
    let config = load(&example(), &environment).unwrap();
    let GatewayKind::Mqtt(mqtt) = &config.registry.gateways["broker"].kind else {
        panic!("the broker of the example speaks MQTT");
    };
    assert_eq!(mqtt.host, "broker.example");
}

/// Takes the `#` from every option that stands in a comment.
fn uncommented(text: &str) -> String {
    let is_option = |line: &&str| {
        let mut chars = line.chars();
        chars.next() == Some('#')
            && chars
                .next()
                .is_some_and(|second| second == '[' || second.is_ascii_lowercase())
    };
    text.lines()
        .map(|line| if is_option(&line) { &line[1..] } else { line })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn every_option_that_stands_in_a_comment_is_one() {
    let site = temporary_example();
    for file in ["steward.toml", "registry.d/mqtt.toml"] {
        let path = site.path().join(file);
        let text = uncommented(&std::fs::read_to_string(&path).unwrap());
        std::fs::write(&path, text).unwrap();
    }
    for file in ["ca.pem", "client.pem", "client.key"] {
        std::fs::write(site.path().join(file), "PEM").unwrap();
    }
    let digest = "ab".repeat(32);
    std::fs::write(site.path().join("tokens"), format!("grafana {digest}\n")).unwrap();
    let environment = |name: &str| Some(format!("secret-of-{name}"));
    let mut changed = load(site.path(), &environment).unwrap();

    let influx = changed.settings.influx.take().unwrap();
    assert_eq!(influx.token.expose(), "secret-of-INFLUX_TOKEN");
    assert_eq!(influx.batch_lines_max, 5_000);
    let tokens = std::mem::take(&mut changed.settings.api.tokens_sha256);
    assert_eq!(tokens, [("grafana".to_owned(), digest)]);
    let GatewayKind::Mqtt(mqtt) = &changed.registry.gateways["broker"].kind else {
        panic!("the broker of the example speaks MQTT");
    };
    assert_eq!(mqtt.credentials.as_ref().unwrap().0, "steward");
    assert!(mqtt.tls.as_ref().unwrap().client.is_some());

    // What stands in the comments as defaults are the defaults.
    changed.settings.carbon.from = None;
    changed.settings.carbon.electricity_equivalent_series = None;
    let plain = temporary_example();
    let mut plain = load(plain.path(), &no_environment).unwrap().settings;
    plain.data_dir = changed.settings.data_dir.clone();
    assert_eq!(format!("{plain:?}"), format!("{:?}", changed.settings));
}

#[test]
fn budgets_are_read_by_year_and_by_month() {
    let config = load(&example(), &no_environment).unwrap();
    let budget = |id: &str, metric| {
        let key = (InstitutionId::new(id).unwrap(), 2026, metric);
        config.budgets.all[&key].clone()
    };
    let even = budget("xzzx", BudgetMetric::ElectricityKwh);
    assert_eq!(even.annual(), Decimal::from(4_200_000));
    assert_eq!(even.months[0], Decimal::from(350_000));
    let planned = budget("xzzx", BudgetMetric::CarbonTco2);
    assert_eq!(planned.annual(), Decimal::from(2_140));
    assert_eq!(planned.months[6], Decimal::from(240));
    let library = budget("library", BudgetMetric::ElectricityKwh);
    assert_eq!(library.annual(), Decimal::from(825_000));
}

#[test]
fn the_factor_of_a_day_is_the_one_in_force() {
    let config = load(&example(), &no_environment).unwrap();
    let xzzx = &config.registry.institutions["xzzx"];
    let on = |kind, commodity, day: &str| {
        let found = config.factors.resolve(kind, commodity, xzzx, date(day));
        found
            .unwrap()
            .map(|factor| (factor.id.as_str(), factor.ug_per_base))
    };
    let co2 = |day| on(FactorKind::Co2, Commodity::Electricity, day);
    assert_eq!(
        co2("2023-06-01"),
        Some(("example-grid-before-2024", 542_200))
    );
    assert_eq!(
        co2("2024-04-11"),
        Some(("example-grid-before-2024", 542_200))
    );
    assert_eq!(co2("2024-04-12"), Some(("cn-grid-zhejiang-2021", 542_200)));
    assert_eq!(co2("2024-12-20"), Some(("cn-grid-zhejiang-2022", 515_300)));
    assert_eq!(co2("2025-12-31"), Some(("cn-grid-zhejiang-2023", 497_400)));
    let coal = |commodity| on(FactorKind::CoalCalorific, commodity, "2026-01-01");
    assert_eq!(
        coal(Commodity::NaturalGas),
        Some(("cn-coal-natural-gas-gas-field", 1_214_300))
    );
    assert_eq!(coal(Commodity::Heat), Some(("cn-coal-heat", 34_120)));
    assert_eq!(coal(Commodity::Water), None);
}

#[test]
fn a_grid_factor_falls_back_only_where_that_is_allowed() {
    let config = load(&example(), &no_environment).unwrap();
    let mut institution = config.registry.institutions["xzzx"].clone();
    // A province without a factor for this day.
    institution.province = "山东".to_owned();
    let day = date("2026-06-01");
    let resolve = |institution: &_| {
        config
            .factors
            .resolve(FactorKind::Co2, Commodity::Electricity, institution, day)
            .map(|factor| factor.unwrap().id.clone())
    };
    assert!(resolve(&institution).is_err());
    institution.factor_fallback = vec![RegionLevel::Nation];
    assert_eq!(resolve(&institution).unwrap(), "cn-grid-nation-2023");
    institution.factor_fallback = vec![RegionLevel::Region, RegionLevel::Nation];
    assert_eq!(resolve(&institution).unwrap(), "cn-grid-east-2023");
}

/// Readings of 2012 from another country: no shipped factor fits, so the site says its own.
#[test]
fn a_site_elsewhere_brings_its_own_factors() {
    let site = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let path = site.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "steward.toml",
        "site = { id = \"uk\", name_zh = \"英\", name_en = \"UK\", zone = \"Europe/London\" }\n\
         carbon = { coal_basis = \"calorific\" }\n",
    );
    write(
        "registry.toml",
        r#"
        institution = [{ id = "uk", name_zh = "英", name_en = "UK", province = "GB", region = "GB" }]
        building = [{ id = "house", institution = "uk", name_zh = "楼", name_en = "House" }]
        gateway = [{ id = "broker", kind = "mqtt", host = "::1", subscriptions = [{ pattern = "{meter}" }] }]
        point = [{ id = "el", building = "house", name_zh = "电", name_en = "El", commodity = "electricity" }]
        meter = [{ id = "m", point = "el", gateway = "broker", profile = "steward-json", from = 2012-06-01 }]
        "#,
    );
    assert!(load(site.path(), &no_environment).is_err());
    let factor = |id: &str, kind: &str, value: &str, unit: &str| {
        format!(
            "[[factor]]\nid = \"{id}\"\ncommodity = \"electricity\"\nkind = \"{kind}\"\n\
             series = \"average\"\nlevel = \"province\"\nregion = \"GB\"\nvalue = {value}\n\
             unit = \"{unit}\"\ndocument = \"of the test\"\nvalid_from = 2012-01-01\n\
             confidence = \"U\"\n"
        )
    };
    let co2 = factor("gb-co2", "co2", "0.5", "kgCO2/kWh");
    let coal = factor("gb-coal", "coal_calorific", "0.1229", "kgce/kWh");
    write("factors/gb.toml", &format!("{co2}\n{coal}"));
    let config = load(site.path(), &no_environment).unwrap();
    let institution = &config.registry.institutions["uk"];
    let found = config.factors.resolve(
        FactorKind::Co2,
        Commodity::Electricity,
        institution,
        date("2013-01-01"),
    );
    assert_eq!(found.unwrap().unwrap().id, "gb-co2");
    assert_eq!(
        config.registry.buildings["house"].zone.name(),
        "Europe/London"
    );
}
