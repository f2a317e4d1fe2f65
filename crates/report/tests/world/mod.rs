//! A small world for the tests of the report and the api: a site of two institutions and its
//! ledger, computed by a rule that is easy to check by hand.

#![allow(
    dead_code,
    reason = "the tests of two crates share this file, each its part"
)]

use std::collections::BTreeMap;
use std::path::Path;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use steward_config::{
    Account, Band, CoalBasis, Config, Dated, DemandBasis, FactorKind, Price, Tariff, TariffVersion,
};
use steward_model::time::{INTERVAL_S, day_start_s, local_date, next_period_date, period_start_s};
use steward_model::{
    Commodity, InstitutionId, IntervalAmount, IntervalQuality, LedgerDay, LedgerRow, PointId,
    PriceRun, Shares, Span, UtcMs,
};
use steward_store::StoredDay;

/// The token whose digest stands in the site's `tokens`.
pub(crate) const TOKEN: &str = "test-token-0123456789abcdefghij";

/// 2026-11-03T10:00:00+08:00, the world's present.
pub(crate) const NOW: UtcMs = UtcMs(1_793_671_200_000);

/// Base units an interval, beside the day of the month, and the first day of the ledger.
const POINTS: &[(&str, i64, (i32, u32, u32))] = &[
    ("hall-1-el", 10_000, (2025, 9, 15)),
    ("hall-1-el-a", 4_000, (2025, 9, 15)),
    ("hall-1-el-b", 3_000, (2025, 9, 15)),
    ("hall-2-el", 2_000, (2025, 9, 15)),
    ("hall-1-gas", 1_500, (2025, 9, 15)),
    ("hall-1-water", 400, (2025, 9, 15)),
    ("hall-2-pv", 1_000, (2025, 9, 15)),
    ("school-1-el", 5_000, (2026, 10, 1)),
    ("school-2-el", 1_000, (2026, 10, 1)),
];

/// What the town hall pays: tariff, commodity, nano-yuan a base unit, name of the version. The
/// school has no tariff.
const TARIFFS: &[(&str, Commodity, i64, &str)] = &[
    ("el", Commodity::Electricity, 700_000, "el@2025-01-01"),
    ("gas", Commodity::NaturalGas, 3_900_000, "gas@2025-01-01"),
    ("water", Commodity::Water, 4_500_000, "water@2025-01-01"),
];

pub(crate) fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

/// The site in `site/`, and `hall-2-el` behind the main meter of `hall-1`: one connection to the
/// grid for two buildings, which the sums must bear whatever the files allow.
pub(crate) fn config() -> Config {
    let mut config = load();
    let behind = config.registry.points.get_mut("hall-2-el").unwrap();
    behind.parent = Some(PointId::new("hall-1-el").unwrap());
    for (id, commodity, ncny_per_base, _) in TARIFFS {
        let tariff = tariff(id, *commodity, *ncny_per_base);
        config.tariffs.all.insert(tariff.id.clone(), tariff);
        let account = account(&config, id, *commodity);
        config.tariffs.accounts.insert(account.id.clone(), account);
    }
    config
}

/// A tariff of one band from 2025 on.
fn tariff(id: &str, commodity: Commodity, ncny_per_base: i64) -> Tariff {
    let price = Price {
        cny: Decimal::new(ncny_per_base * commodity.base_per_unit(), 9),
        ncny_per_base,
    };
    let version = TariffVersion {
        from: date(2025, 1, 1),
        to: None,
        source: "tests".to_owned(),
        confidence: 'U',
        schedules: Vec::new(),
        energy: BTreeMap::from([(Band::Flat, price)]),
        surcharges: Vec::new(),
        tiers: None,
        demand: None,
        power_factor: None,
        fixed_cny_month: Decimal::ZERO,
    };
    Tariff {
        id: id.to_owned(),
        name_zh: format!("{}价", commodity.name_zh()),
        name_en: format!("{} price", commodity.name_en()),
        commodity,
        versions: vec![version],
    }
}

/// The account of the town hall for a commodity: the points that no other point meters.
fn account(config: &Config, tariff: &str, commodity: Commodity) -> Account {
    let roots = config.registry.points.values().filter(|point| {
        point.commodity == commodity
            && point.parent.is_none()
            && point.building.as_str().starts_with("hall")
    });
    Account {
        id: format!("hall-{tariff}"),
        institution: InstitutionId::new("hall").unwrap(),
        number: format!("1000-{tariff}"),
        supplier: "供应公司".to_owned(),
        commodity,
        points: roots.map(|point| point.id.clone()).collect(),
        tariffs: vec![Dated {
            from: date(2025, 1, 1),
            to: None,
            value: tariff.to_owned(),
        }],
        demand: DemandBasis::None,
    }
}

fn load() -> Config {
    // The crates of both users stand in the workspace, at different depths.
    let from = Path::new(env!("CARGO_MANIFEST_DIR"));
    let site = Path::new("crates/report/tests/site");
    let dir = from
        .ancestors()
        .map(|above| above.join(site))
        .find(|dir| dir.exists())
        .unwrap();
    match steward_config::load(&dir, &|_| None) {
        Ok(config) => config,
        Err(errors) => panic!("{errors}"),
    }
}

/// The days up to now: one amount an interval, plus the day of the month.
///
/// On 5 October 2026 ten intervals of `hall-1-el` come from an outage; on 10 October 2026
/// `school-1-el` has no data at all.
pub(crate) fn days(config: &Config) -> Vec<StoredDay> {
    let mut days = Vec::new();
    for (name, base, (year, month, day)) in POINTS {
        let point = PointId::new(name).unwrap();
        let zone = config
            .registry
            .zone_of(&config.registry.points[&point])
            .unwrap();
        let mut date_of = date(*year, *month, *day);
        while day_start_s(zone, date_of) < NOW.seconds_floor() {
            if !(*name == "school-1-el" && date_of == date(2026, 10, 10)) {
                days.push(stored(config, &point, *base, zone, date_of));
            }
            date_of = next_period_date(Span::Day, date_of);
        }
    }
    days
}

fn stored(
    config: &Config,
    point: &PointId,
    base: i64,
    zone: chrono_tz::Tz,
    on: NaiveDate,
) -> StoredDay {
    let registered = &config.registry.points[point];
    let institution = config.registry.institution_of(registered).unwrap();
    let start_s = day_start_s(zone, on);
    let length = (day_start_s(zone, next_period_date(Span::Day, on)) - start_s) / INTERVAL_S;
    let of_month = i64::from(chrono::Datelike::day(&on));
    let has_outage = point.as_str() == "hall-1-el" && on == date(2026, 10, 5);
    let intervals = (0..length).map(|index| {
        let quality = match index {
            40..48 if has_outage => IntervalQuality::Estimated,
            48..50 if has_outage => IntervalQuality::Interpolated,
            _ => IntervalQuality::Measured,
        };
        let is_over = start_s + (index + 1) * INTERVAL_S <= NOW.seconds_floor();
        is_over.then_some(IntervalAmount {
            amount_base: base + of_month,
            quality,
        })
    });
    let coal = match config.settings.coal_basis {
        CoalBasis::Calorific => FactorKind::CoalCalorific,
        CoalBasis::Equivalent => FactorKind::CoalEquivalent,
    };
    let resolve = |kind| {
        config
            .factors
            .resolve(kind, registered.commodity, institution, on)
    };
    // The site counts no carbon before 2026, as its settings say.
    let factors = [resolve(coal), resolve(FactorKind::Co2)].map(|found| found.ok().flatten());
    let tariff = TARIFFS.iter().find(|(_, commodity, ..)| {
        *commodity == registered.commodity && institution.id.as_str() == "hall"
    });
    let ids: Vec<&str> = factors
        .iter()
        .flatten()
        .map(|factor| factor.id.as_str())
        .collect();
    StoredDay {
        day: LedgerDay {
            point: point.clone(),
            date: on,
            start_s,
            intervals: intervals.collect(),
        },
        carry: None,
        kgce_ug_per_base: factors[0].map(|factor| factor.ug_per_base),
        co2_ug_per_base: factors[1].map(|factor| factor.ug_per_base),
        factor_set: ids.join("+"),
        prices: tariff.map_or_else(Vec::new, |(_, _, ncny_per_base, _)| {
            vec![PriceRun {
                intervals: u16::try_from(length).unwrap(),
                ncny_per_base: Some(*ncny_per_base),
            }]
        }),
        tariff_set: tariff.map_or_else(String::new, |(.., set)| (*set).to_owned()),
    }
}

/// Rows of a span, day or longer, by addition of days.
pub(crate) fn rows(config: &Config, days: &[StoredDay], span: Span) -> Vec<LedgerRow> {
    let mut rows: Vec<LedgerRow> = Vec::new();
    for stored in days {
        let point = &stored.day.point;
        let zone = config
            .registry
            .zone_of(&config.registry.points[point])
            .unwrap();
        let start_s = period_start_s(zone, span, stored.day.start_s);
        let mut shares = Shares::default();
        stored
            .day
            .intervals
            .iter()
            .flatten()
            .for_each(|interval| shares.add(*interval));
        let present = stored.day.intervals.iter().flatten().count();
        let same = rows
            .last_mut()
            .filter(|row| &row.point == point && row.start_s == start_s);
        let row = match same {
            Some(row) => row,
            None => {
                let end = day_start_s(zone, next_period_date(span, local_date(zone, start_s)));
                rows.push(LedgerRow {
                    point: point.clone(),
                    span,
                    start_s,
                    amount_base: 0,
                    shares: Shares::default(),
                    intervals_present: 0,
                    intervals_expected: u32::try_from((end - start_s) / INTERVAL_S).unwrap(),
                    kgce_ug: stored.kgce_ug_per_base.map(|_| 0),
                    co2_ug: stored.co2_ug_per_base.map(|_| 0),
                    factor_set: stored.factor_set.clone(),
                    cost_ncny: stored.prices.first().map(|_| 0),
                    tariff_set: stored.tariff_set.clone(),
                });
                rows.last_mut().unwrap()
            }
        };
        row.amount_base += shares.total();
        row.shares.measured_base += shares.measured_base;
        row.shares.interpolated_base += shares.interpolated_base;
        row.shares.estimated_base += shares.estimated_base;
        row.shares.manual_base += shares.manual_base;
        row.intervals_present += u32::try_from(present).unwrap();
        let times = |ug: Option<i64>| ug.map(|ug| ug * shares.total());
        row.kgce_ug = row
            .kgce_ug
            .zip(times(stored.kgce_ug_per_base))
            .map(|(a, b)| a + b);
        let price = stored.prices.first().and_then(|run| run.ncny_per_base);
        row.cost_ncny = row.cost_ncny.zip(times(price)).map(|(a, b)| a + b);
        row.co2_ug = row
            .co2_ug
            .zip(times(stored.co2_ug_per_base))
            .map(|(a, b)| a + b);
    }
    rows
}
