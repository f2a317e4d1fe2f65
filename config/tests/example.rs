//! The example site is documentation and test input at once.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use rust_decimal::Decimal;
use steward_config::{
    AllocationKey, Band, BudgetMetric, DayKind, DemandBasis, FactorKind, GatewayKind, MeterAddress,
    MqttVersion, PointRole, RegionLevel, load,
};
use steward_model::{Commodity, InstitutionId, MeterId, PointId, Quantity};
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
        [2, 2, 19, 13, 2]
    );
    let meter = &registry.meters[&MeterId::new("xzzx-1-el-m1").unwrap()];
    assert_eq!(meter.ratio, 80);
    assert_eq!(meter.address, MeterAddress::Modbus { unit_id: 1 });
    assert_eq!(meter.ratio_changes, [(date("2025-09-01"), 120)]);
    assert_eq!(meter.ratio_on(date("2025-08-31")), 80);
    assert_eq!(meter.ratio_on(date("2025-09-01")), 120);
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

#[test]
fn a_row_overrides_what_the_profile_knows_of_its_counters() {
    let config = load(&example(), &no_environment).unwrap();
    let limits = |meter: &str, quantity| {
        let limits = config.registry.meters[meter].counters[&quantity];
        (limits.resolution, limits.modulus, limits.rise_max_per_h)
    };
    let import = Quantity::EnergyImport;
    let written = (10.0, Some(1_000_000_000.0), Some(4_800.0));
    assert_eq!(limits("xzzx-1-el-m1", import), written);
    // The other direction has the same digits and the same rating.
    assert_eq!(limits("xzzx-1-el-m1", Quantity::EnergyExport), written);
    assert_eq!(limits("xzzx-1-el-b-m1", import), (1.0, None, None));
    assert_eq!(
        limits("xzzx-1-el-shop-m1", import),
        (10.0, None, Some(26_500.0))
    );
    assert_eq!(
        limits("xzzx-1-gas-m1", Quantity::Volume),
        (1.0, Some(100_000_000.0), Some(25_000.0))
    );
    assert_eq!(
        limits("xzzx-1-water-m1", Quantity::Volume),
        (1.0, Some(4_294_967_296.0), Some(30_000.0))
    );
    assert!(
        config.registry.meters["library-pump-m1"]
            .counters
            .is_empty()
    );
}

#[test]
fn points_say_what_they_read_and_what_they_are_in_totals() {
    let config = load(&example(), &no_environment).unwrap();
    let points = &config.registry.points;
    let feed_in = &points["xzzx-1-feed-in"];
    assert_eq!(feed_in.counter, Quantity::EnergyExport);
    assert_eq!(feed_in.metered_by, Some(PointId::new("xzzx-1-el").unwrap()));
    let meters = config.registry.meters_of(&feed_in.id);
    assert_eq!(meters[0].id.as_str(), "xzzx-1-el-m1");
    assert_eq!(points["xzzx-1-el"].counter, Quantity::EnergyImport);
    assert_eq!(points["xzzx-1-el"].balance_tolerance, Some(0.03));
    assert_eq!(points["xzzx-1-el-a"].balance_tolerance, None);
    assert_eq!(points["xzzx-1-el-shop"].role, PointRole::Deducted);
    assert_eq!(points["xzzx-plant"].role, PointRole::Shared);
    assert_eq!(points["xzzx-1-el"].role, PointRole::Counted);
}

#[test]
fn formulas_are_terms_by_date() {
    let config = load(&example(), &no_environment).unwrap();
    let used = &config.registry.points["xzzx-1-use"].formulas;
    assert_eq!(used.len(), 2);
    assert_eq!(used[0].to, Some(date("2024-06-01")));
    let terms: Vec<(&str, i64)> = used[1]
        .value
        .terms
        .iter()
        .map(|term| (term.point.as_str(), term.coefficient_ppm))
        .collect();
    assert_eq!(
        terms,
        [
            ("xzzx-1-el", 1_000_000),
            ("xzzx-1-el-shop", -1_000_000),
            ("xzzx-1-plant", 1_000_000),
            ("xzzx-1-pv-self", 1_000_000),
        ]
    );
    let own = &config.registry.points["xzzx-1-pv-self"].formulas[0];
    assert_eq!((own.from, own.to), (date("1990-01-01"), None));
}

#[test]
fn an_allocation_divides_all_of_a_shared_point_on_every_day() {
    let site = temporary_example();
    let path = site.path().join("registry.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    // The library grows: from that day on the areas divide otherwise.
    let grown = text.replace(
        "extents = [{ from = 2024-01-01, floor_area_m2 = 18000.5, energy_users = 160 }]",
        "extents = [{ from = 2024-01-01, floor_area_m2 = 18000.5, energy_users = 160 }, \
         { from = 2026-03-01, floor_area_m2 = 21000, energy_users = 160 }]",
    );
    assert_ne!(grown, text);
    std::fs::write(&path, grown).unwrap();
    let config = load(site.path(), &no_environment).unwrap();
    let on = |point: &str, day: &str| {
        let formulas = &config.registry.points[point].formulas;
        let mut held = formulas.iter().filter(|one| one.holds_on(date(day)));
        let formula = held.next().unwrap();
        assert!(held.next().is_none());
        assert_eq!(formula.value.terms[0].point.as_str(), "xzzx-plant");
        formula.value.terms[0].coefficient_ppm
    };
    for (day, shares) in [
        ("2024-12-31", [550_000, 400_000, 50_000]),
        ("2025-01-01", [538_455, 461_545, 0]),
        ("2026-02-28", [538_455, 461_545, 0]),
        ("2026-03-01", [500_000, 500_000, 0]),
    ] {
        let points = ["xzzx-1-plant", "library-plant", "xzzx-plant-rest"];
        let found = points.map(|point| on(point, day));
        assert_eq!(found, shares, "{day}");
        assert_eq!(found.iter().sum::<i64>(), 1_000_000, "{day}");
    }
    let formulas = &config.registry.points["library-plant"].formulas;
    assert_eq!(formulas[0].value.text, "0.4 * xzzx-plant");
    assert_eq!(formulas.len(), 3);
    let allocations = &config.registry.allocations;
    assert_eq!(allocations[0].by, AllocationKey::Share);
    assert_eq!(allocations[0].receivers[1].1, Some(400_000));
    assert_eq!(allocations[1].receivers[1].1, None);
}

#[test]
fn accounts_find_the_tariff_of_a_day() {
    let config = load(&example(), &no_environment).unwrap();
    let tariffs = &config.tariffs;
    let on = |account: &str, day: &str| {
        let tariff = tariffs.accounts[account].tariff_on(tariffs, date(day))?;
        let version = tariff.on(date(day))?;
        let kind = config.calendar.kind(date(day));
        let bands = version.bands(date(day), kind)?;
        Some((
            version.name(tariff),
            bands[0],
            bands[41],
            version.ncny_per_base(bands[41])?,
        ))
    };
    let name = |text: &str| text.to_owned();
    // A Thursday in July: 10:15 is critical peak. 1.18 and the surcharges 0.027194 a kWh.
    assert_eq!(
        on("xzzx-grid", "2026-07-02"),
        Some((
            name("example-zj-two-part-1-10kv@2023-01-01"),
            Band::Valley,
            Band::Sharp,
            1_207_194
        ))
    );
    // A holiday: the same hour is deep valley.
    assert_eq!(
        on("xzzx-grid", "2026-10-02"),
        Some((
            name("example-zj-two-part-1-10kv@2023-01-01"),
            Band::Valley,
            Band::DeepValley,
            147_194
        ))
    );
    // A Saturday that is worked.
    assert_eq!(
        on("library-grid", "2026-10-10"),
        Some((
            name("library-2026@2026-01-01"),
            Band::Valley,
            Band::Peak,
            1_007_194
        ))
    );
    assert_eq!(
        on("library-grid", "2025-12-31").unwrap().0,
        "example-zj-tou-1-10kv@2025-01-01"
    );
    assert_eq!(on("library-grid", "2023-12-31"), None);
    assert_eq!(
        on("xzzx-water", "2026-01-01").unwrap().3,
        5_100_000,
        "3.10, 1.80 and 0.20 a m3 are 0.0051 a litre"
    );
    assert_eq!(
        tariffs.accounts["xzzx-grid"].demand,
        DemandBasis::Capacity(Decimal::from(1_250))
    );
}

#[test]
fn calendar_and_weather_are_those_of_the_site() {
    let site = temporary_example();
    let config = load(site.path(), &no_environment).unwrap();
    assert_eq!(config.calendar.id, "cn");
    assert_eq!(config.weather.mean_on(date("2026-07-02")), Some(29.1));
    assert_eq!(config.weather.mean_on(date("2026-07-04")), None);
    let path = site.path().join("steward.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("#calendar = \"cn\"", "calendar = \"example\"");
    std::fs::write(&path, text).unwrap();
    let calendar = load(site.path(), &no_environment).unwrap().calendar;
    assert_eq!(
        (calendar.id.as_str(), calendar.years.as_slice()),
        ("example", &[2027][..])
    );
    assert_eq!(calendar.kind(date("2027-02-12")), DayKind::Holiday);
    assert_eq!(calendar.kind(date("2027-02-13")), DayKind::Restday);
    assert_eq!(calendar.kind(date("2027-02-14")), DayKind::Workday);
    assert_eq!(calendar.arranged[&date("2027-02-14")].name, "春节调休");
}

/// What is made of metered points needs factors as they do.
#[test]
fn a_virtual_point_needs_a_factor_where_it_is() {
    let site = temporary_example();
    let path = site.path().join("registry.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = format!(
        "{text}\n[[institution]]\nid = \"far\"\nname_zh = \"远\"\nname_en = \"Far\"\n\
         province = \"西藏\"\nregion = \"西南\"\n[[building]]\nid = \"far\"\n\
         institution = \"far\"\nname_zh = \"远\"\nname_en = \"Far\"\n[[virtual_point]]\n\
         id = \"far-el\"\nbuilding = \"far\"\ncommodity = \"electricity\"\nname_zh = \"远\"\n\
         name_en = \"Far\"\nformula = \"0.5 * xzzx-1-use\"\n"
    );
    std::fs::write(&path, text).unwrap();
    let errors = load(site.path(), &no_environment).unwrap_err();
    assert_eq!(errors.errors.len(), 1, "{errors}");
    assert_eq!(errors.errors[0].key, "institution[far].id");
    assert!(
        errors.errors[0].problem.contains("on 2023-06-01"),
        "{errors}"
    );
}
