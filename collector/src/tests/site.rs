//! Configurations made by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::NaiveDate;
use steward_config::{
    ApiSettings, Building, CarbonSettings, CloseSettings, CoalBasis, ColourThresholds, Config,
    Gateway, GatewayKind, JournalSettings, LedgerSettings, Meter, MeterAddress, ModbusTcp, Mqtt,
    MqttVersion, Point, PointRole, Registry, Settings, Subscription, shipped_profiles,
};
use steward_model::{Commodity, GatewayId, InstitutionId, MeterId, PointId, ProfileId};

pub(crate) const ZONE: chrono_tz::Tz = chrono_tz::Tz::Asia__Shanghai;

fn settings() -> Settings {
    Settings {
        site: "test".into(),
        name_zh: "测试".into(),
        name_en: "Test".into(),
        data_dir: "data".into(),
        zone: ZONE,
        journal: JournalSettings {
            bytes_max: 64 << 20,
            replay_window: Duration::from_secs(3_600),
        },
        ledger: LedgerSettings {
            measured_gap_max_s: 900,
            interpolated_gap_max_s: 3_600,
            future_max_s: 300,
            shape_days: 28,
            shape_days_min: 3,
            shape_band_k: 3.0,
            balance_tolerance: 0.05,
        },
        api: ApiSettings {
            listen: ([127, 0, 0, 1], 0).into(),
            tokens_sha256: Vec::new(),
            open_on_loopback: false,
            read_from_influx: false,
        },
        influx: None,
        coal_basis: CoalBasis::Calorific,
        carbon: CarbonSettings {
            from: None,
            grid_series: String::new(),
            fuel_series: String::new(),
            gas_coal_series: None,
            electricity_equivalent_series: None,
        },
        budget_colours: ColourThresholds {
            amber: 0.9,
            red: 1.0,
        },
        close: CloseSettings {
            coverage_min: 0.98,
            estimated_share_max: 0.05,
            invoices_required: false,
            budget_required: false,
            invoice_tolerance: 0.02,
        },
    }
}

/// A site with one building, the shipped profiles, one gateway `g`, and no meters.
pub(crate) fn site(kind: GatewayKind) -> Config {
    let building: steward_model::BuildingId = "b".parse().unwrap();
    let institution: InstitutionId = "i".parse().unwrap();
    let point: PointId = "p".parse().unwrap();
    let gateway: GatewayId = "g".parse().unwrap();
    let mut registry = Registry::default();
    registry.buildings.insert(
        building.clone(),
        Building {
            id: building.clone(),
            institution,
            name_zh: "楼".into(),
            name_en: "House".into(),
            zone: ZONE,
            extents: Vec::new(),
        },
    );
    registry.points.insert(
        point.clone(),
        Point {
            id: point,
            building,
            name_zh: "点".into(),
            name_en: "Point".into(),
            commodity: Commodity::Electricity,
            subitem: None,
            parent: None,
            counter: Commodity::Electricity.counter(),
            metered_by: None,
            formulas: Vec::new(),
            role: PointRole::Counted,
            balance_tolerance: None,
        },
    );
    registry
        .gateways
        .insert(gateway.clone(), Gateway { id: gateway, kind });
    Config {
        settings: settings(),
        registry,
        profiles: shipped_profiles(ZONE).unwrap(),
        factors: steward_config::Factors::default(),
        budgets: steward_config::Budgets {
            all: BTreeMap::new(),
        },
        calendar: steward_config::Calendar::default(),
        tariffs: steward_config::Tariffs::default(),
        weather: steward_config::Weather::default(),
    }
}

/// Adds a meter to gateway `g`.
pub(crate) fn add_meter(
    config: &mut Config,
    id: &str,
    profile: &str,
    address: MeterAddress,
    interval: Duration,
) -> MeterId {
    let id: MeterId = id.parse().unwrap();
    let meter = Meter {
        id: id.clone(),
        point: "p".parse().unwrap(),
        gateway: "g".parse().unwrap(),
        profile: ProfileId::new(profile).unwrap(),
        address,
        ratio: 1,
        ratio_changes: Vec::new(),
        counters: BTreeMap::new(),
        from: NaiveDate::from_ymd_opt(2020, 1, 1).unwrap(),
        to: None,
        interval,
    };
    config.registry.meters.insert(id.clone(), meter);
    id
}

/// A Modbus gateway on loopback.
#[allow(dead_code)]
pub(crate) fn modbus(port: u16, timeout: Duration) -> GatewayKind {
    GatewayKind::ModbusTcp(ModbusTcp {
        host: "127.0.0.1".into(),
        port,
        timeout,
        gap_registers_max: 100,
    })
}

/// A broker on loopback, with our own topics.
pub(crate) fn mqtt(port: u16, version: MqttVersion) -> Mqtt {
    Mqtt {
        host: "127.0.0.1".into(),
        port,
        version,
        client_id: "steward-test".into(),
        credentials: None,
        tls: None,
        packet_bytes_max: 65_536,
        inflight_max: 1_000,
        session_expiry: Duration::from_secs(3_600),
        subscriptions: vec![Subscription {
            pattern: "steward/v1/{site}/{gateway}/{meter}/telemetry".into(),
            device_pointer: None,
        }],
    }
}
