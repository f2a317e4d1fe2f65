//! A configuration with one institution, made in code, for the tests of money and formulas.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use chrono::NaiveDate;
use chrono_tz::Tz;
use proptest::test_runner::{Config as ProptestConfig, FileFailurePersistence};
use rust_decimal::Decimal;
use steward_config::tariff::QUARTERS;
use steward_config::{
    Account, Allocation, AllocationKey, Band, Building, Calendar, Config, Dated, DayKind,
    DemandBasis, Formula, Point, PointRole, Price, Registry, Schedule, Surcharge, Tariff,
    TariffVersion, Tariffs, Term,
};
use steward_ledger::LocalDay;
use steward_ledger::money::{Bill, BillInput, BillLine, LineKind, PowerFactor, Taken, bill};
use steward_model::time::INTERVAL_S;
use steward_model::{
    BuildingId, Commodity, InstitutionId, IntervalAmount, IntervalQuality, PointId,
};

pub(crate) const SHANGHAI: Tz = Tz::Asia__Shanghai;
pub(crate) const BERLIN: Tz = Tz::Europe__Berlin;

/// Settings of laws: `cases` unless the environment says otherwise, seeds of failures kept.
pub(crate) fn laws(cases: u32, seeds: &'static str) -> ProptestConfig {
    ProptestConfig {
        cases: std::env::var("PROPTEST_CASES")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(cases),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(seeds))),
        ..ProptestConfig::default()
    }
}

pub(crate) fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

pub(crate) fn cny(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

pub(crate) fn id(text: &str) -> PointId {
    PointId::new(text).unwrap()
}

/// A price of electricity, water or gas: CNY per thousand base units.
pub(crate) fn price(text: &str) -> Price {
    let cny = cny(text);
    let ncny = (cny * Decimal::from(1_000_000)).normalize();
    assert_eq!(ncny.scale(), 0, "{text} has more than six decimals");
    Price {
        cny,
        ncny_per_base: i64::try_from(ncny.mantissa()).unwrap(),
    }
}

/// Bands by the number of quarters for which each holds.
pub(crate) fn bands(runs: &[(Band, usize)]) -> [Band; QUARTERS] {
    let all: Vec<Band> = runs
        .iter()
        .flat_map(|(band, quarters)| std::iter::repeat_n(*band, *quarters))
        .collect();
    all.try_into().unwrap()
}

/// Workdays: 0–8 valley, 8–10 peak, 10–12 sharp, 12–18 flat, 18–22 peak, 22–24 flat. Other days:
/// 0–8 valley, else flat.
pub(crate) fn schedules() -> Vec<Schedule> {
    use Band::{Flat, Peak, Sharp, Valley};
    let work = [
        (Valley, 32),
        (Peak, 8),
        (Sharp, 8),
        (Flat, 24),
        (Peak, 16),
        (Flat, 8),
    ];
    let rest = [(Valley, 32), (Flat, 64)];
    let months: Vec<u32> = (1..=12).collect();
    vec![
        Schedule {
            months: months.clone(),
            days: vec![DayKind::Workday],
            bands: bands(&work),
        },
        Schedule {
            months,
            days: vec![DayKind::Restday, DayKind::Holiday],
            bands: bands(&rest),
        },
    ]
}

/// Sharp 1.20, peak 1.00, flat 0.60, valley 0.30, and a fund of 0.03 CNY/kWh.
pub(crate) fn time_of_use(from: NaiveDate) -> TariffVersion {
    TariffVersion {
        from,
        to: None,
        source: "test".to_owned(),
        confidence: 'A',
        schedules: schedules(),
        energy: BTreeMap::from([
            (Band::Sharp, price("1.2")),
            (Band::Peak, price("1")),
            (Band::Flat, price("0.6")),
            (Band::Valley, price("0.3")),
        ]),
        surcharges: vec![Surcharge {
            name_zh: "基金".to_owned(),
            name_en: "Fund".to_owned(),
            price: price("0.03"),
        }],
        tiers: None,
        demand: None,
        power_factor: None,
        fixed_cny_month: Decimal::ZERO,
    }
}

/// One price at all times and nothing else.
pub(crate) fn flat(from: NaiveDate, cny: &str) -> TariffVersion {
    TariffVersion {
        schedules: vec![Schedule {
            months: (1..=12).collect(),
            days: vec![DayKind::Workday, DayKind::Restday, DayKind::Holiday],
            bands: [Band::Flat; QUARTERS],
        }],
        energy: BTreeMap::from([(Band::Flat, price(cny))]),
        surcharges: Vec::new(),
        ..time_of_use(from)
    }
}

pub(crate) fn tariff(id: &str, versions: Vec<TariffVersion>) -> Tariff {
    Tariff {
        id: id.to_owned(),
        name_zh: "测试".to_owned(),
        name_en: "Test".to_owned(),
        commodity: Commodity::Electricity,
        versions,
    }
}

pub(crate) fn account(points: &[&str], tariff: &str) -> Account {
    Account {
        id: "main".to_owned(),
        institution: InstitutionId::new("hall").unwrap(),
        number: "3301".to_owned(),
        supplier: "Grid".to_owned(),
        commodity: Commodity::Electricity,
        points: points.iter().map(|point| id(point)).collect(),
        tariffs: vec![Dated {
            from: date(2020, 1, 1),
            to: None,
            value: tariff.to_owned(),
        }],
        demand: DemandBasis::None,
    }
}

pub(crate) fn point(name: &str, parent: Option<&str>, commodity: Commodity) -> Point {
    Point {
        id: id(name),
        building: BuildingId::new("b").unwrap(),
        name_zh: name.to_owned(),
        name_en: name.to_owned(),
        commodity,
        subitem: None,
        parent: parent.map(id),
        counter: commodity.counter(),
        metered_by: None,
        formulas: Vec::new(),
        role: PointRole::Counted,
        balance_tolerance: None,
    }
}

/// Terms of (point, millionths) as a formula that always holds.
pub(crate) fn formula(terms: &[(&str, i64)]) -> Formula {
    let term = |(point, coefficient_ppm): &(&str, i64)| Term {
        point: id(point),
        coefficient_ppm: *coefficient_ppm,
    };
    Formula {
        text: "test".to_owned(),
        terms: terms.iter().map(term).collect(),
    }
}

pub(crate) fn virtual_point(name: &str, terms: &[(&str, i64)]) -> Point {
    Point {
        formulas: vec![Dated {
            from: date(2020, 1, 1),
            to: None,
            value: formula(terms),
        }],
        ..point(name, None, Commodity::Electricity)
    }
}

/// `shared` is divided among `receivers` by these millionths; `rest` has the remaining ones.
pub(crate) fn allocated(receivers: &[(&str, i64)]) -> Registry {
    let whole: i64 = receivers.iter().map(|(_, share)| share).sum();
    let mut points = vec![point("shared", None, Commodity::Electricity)];
    for (name, share) in receivers {
        points.push(virtual_point(name, &[("shared", *share)]));
    }
    points.push(virtual_point("rest", &[("shared", 1_000_000 - whole)]));
    let mut registry = registry(points);
    registry.allocations.push(Allocation {
        point: id("shared"),
        from: date(2020, 1, 1),
        to: None,
        by: AllocationKey::Share,
        receivers: receivers
            .iter()
            .map(|(name, share)| (id(name), Some(*share)))
            .collect(),
        rest: id("rest"),
    });
    registry
}

pub(crate) fn registry(points: Vec<Point>) -> Registry {
    let building = Building {
        id: BuildingId::new("b").unwrap(),
        institution: InstitutionId::new("hall").unwrap(),
        name_zh: "楼".to_owned(),
        name_en: "Building".to_owned(),
        zone: SHANGHAI,
        extents: Vec::new(),
    };
    Registry {
        buildings: BTreeMap::from([(building.id.clone(), building)]),
        points: points
            .into_iter()
            .map(|point| (point.id.clone(), point))
            .collect(),
        ..Registry::default()
    }
}

/// Settings of the report's test site; registry, tariffs and calendar of the caller.
pub(crate) fn config(points: Vec<Point>, tariffs: Vec<Tariff>, accounts: Vec<Account>) -> Config {
    static LOADED: OnceLock<Config> = OnceLock::new();
    let loaded = LOADED.get_or_init(|| {
        let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../report/tests/site");
        match steward_config::load(&site, &|_| None) {
            Ok(config) => config,
            Err(errors) => panic!("{errors}"),
        }
    });
    Config {
        registry: registry(points),
        tariffs: Tariffs {
            all: tariffs
                .into_iter()
                .map(|one| (one.id.clone(), one))
                .collect(),
            accounts: accounts
                .into_iter()
                .map(|one| (one.id.clone(), one))
                .collect(),
        },
        calendar: Calendar::default(),
        ..loaded.clone()
    }
}

/// One electricity point `p` with one account and one tariff.
pub(crate) fn simple(versions: Vec<TariffVersion>) -> Config {
    config(
        vec![point("p", None, Commodity::Electricity)],
        vec![tariff("t", versions)],
        vec![account(&["p"], "t")],
    )
}

pub(crate) fn measured(amount_base: i64) -> Option<IntervalAmount> {
    Some(IntervalAmount {
        amount_base,
        quality: IntervalQuality::Measured,
    })
}

/// The intervals of the days from `from` to before `to`, each with the amount that `amount` gives.
pub(crate) fn taken(
    zone: Tz,
    (from, to): (NaiveDate, NaiveDate),
    amount: impl Fn(i64) -> i64,
) -> Vec<Taken> {
    let first = LocalDay::of(zone, from).start_ms / 1_000;
    let last = LocalDay::of(zone, to).start_ms / 1_000;
    (first..last)
        .step_by(usize::try_from(INTERVAL_S).unwrap())
        .map(|start_s| Taken {
            start_s,
            amount_base: amount(start_s),
        })
        .collect()
}

/// A bill to be asked for: the account `main` of a configuration.
pub(crate) struct Asked<'a> {
    pub(crate) config: &'a Config,
    pub(crate) zone: Tz,
    pub(crate) period: (NaiveDate, NaiveDate),
    pub(crate) power_factor: PowerFactor,
    pub(crate) year_before_base: Option<i64>,
}

pub(crate) fn asked(config: &Config, from: NaiveDate, to: NaiveDate) -> Asked<'_> {
    Asked {
        config,
        zone: SHANGHAI,
        period: (from, to),
        power_factor: PowerFactor::Unknown,
        year_before_base: None,
    }
}

impl Asked<'_> {
    pub(crate) fn bill(&self, intervals: &[Taken]) -> Bill {
        let input = BillInput {
            account: &self.config.tariffs.accounts["main"],
            from: self.period.0,
            to: self.period.1,
            zone: self.zone,
            intervals,
            power_factor: self.power_factor,
            year_before_base: self.year_before_base,
        };
        bill(self.config, &input)
    }
}

/// What the lines are about, and their sums.
pub(crate) fn sums(bill: &Bill) -> Vec<(LineKind, Option<String>)> {
    let sum = |line: &BillLine| (line.kind, line.sum_cny.map(|sum| sum.to_string()));
    bill.lines.iter().map(sum).collect()
}

pub(crate) fn known(kind: LineKind, sum: &str) -> (LineKind, Option<String>) {
    (kind, Some(sum.to_owned()))
}
