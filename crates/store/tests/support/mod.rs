//! What the tests of this crate share: a small site, readings, and two InfluxDBs: one that follows
//! a script and the real one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unreachable_pub,
    reason = "every test file uses its part of this"
)]

pub mod influxd;
pub mod scripted;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_config::{
    Building, InfluxSettings, Institution, Meter, MeterAddress, Point, PointRole, Registry, Secret,
};
use steward_model::{
    BuildingId, Commodity, GatewayId, InstitutionId, IntervalAmount, IntervalQuality, LedgerDay,
    LedgerRow, MeterId, PointId, PriceRun, ProfileId, Quantity, Reading, ReadingQuality, Shares,
    Span, UtcMs, Value,
};
use steward_store::influx::{TagBook, Tuning};
use steward_store::{ReadingsCommit, StoreOptions, StoredDay, WorkingStore};

pub const TOKEN: &str = "a-token-of-the-tests";

/// 2026-10-01T00:00:00+08:00.
pub const DAY_START_S: i64 = 1_790_784_000;

pub fn meter(number: usize) -> MeterId {
    MeterId::new(format!("meter-{number}")).unwrap()
}

pub fn point(number: usize) -> PointId {
    PointId::new(format!("point-{number}")).unwrap()
}

pub fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

/// One institution, two buildings, eight points with a meter each.
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    let institution = InstitutionId::new("xzzx").unwrap();
    registry.institutions.insert(
        institution.clone(),
        Institution {
            id: institution.clone(),
            name_zh: "行政中心".to_owned(),
            name_en: "Centre".to_owned(),
            province: "浙江".to_owned(),
            region: "华东".to_owned(),
            factor_fallback: Vec::new(),
            budget_pilot: true,
            extents: Vec::new(),
        },
    );
    for number in 0..2 {
        let id = BuildingId::new(format!("building-{number}")).unwrap();
        registry.buildings.insert(
            id.clone(),
            Building {
                id,
                institution: institution.clone(),
                name_zh: "楼".to_owned(),
                name_en: "Building".to_owned(),
                zone: Tz::Asia__Shanghai,
                extents: Vec::new(),
            },
        );
    }
    for number in 0..8 {
        registry.points.insert(
            point(number),
            Point {
                id: point(number),
                building: BuildingId::new(format!("building-{}", number % 2)).unwrap(),
                name_zh: "点".to_owned(),
                name_en: "Point".to_owned(),
                commodity: if number == 7 {
                    Commodity::Water
                } else {
                    Commodity::Electricity
                },
                subitem: (number % 3 == 0).then(|| "01A00".to_owned()),
                parent: (number == 3).then(|| point(0)),
                counter: if number == 7 {
                    Quantity::Volume
                } else {
                    Quantity::EnergyImport
                },
                metered_by: None,
                formulas: Vec::new(),
                role: if number == 6 {
                    PointRole::Deducted
                } else {
                    PointRole::Counted
                },
                balance_tolerance: None,
            },
        );
        registry.meters.insert(
            meter(number),
            Meter {
                id: meter(number),
                point: point(number),
                gateway: GatewayId::new("gw").unwrap(),
                profile: ProfileId::new("p").unwrap(),
                address: MeterAddress::Modbus { unit_id: 1 },
                ratio: 1,
                ratio_changes: Vec::new(),
                counters: BTreeMap::new(),
                from: date(2020, 1, 1),
                to: None,
                interval: Duration::from_secs(60),
            },
        );
    }
    registry
}

pub fn tags() -> TagBook {
    TagBook::of_registry(&registry())
}

pub fn reading(meter_number: usize, quantity: Quantity, at_ms: i64, value: f64) -> Reading {
    Reading {
        meter: meter(meter_number),
        quantity,
        at: UtcMs(at_ms),
        value: Value::new(value).unwrap(),
        quality: ReadingQuality::Good,
    }
}

pub fn clock() -> UtcMs {
    UtcMs(DAY_START_S * 1_000 + 86_400_000)
}

pub fn options(publish: bool) -> StoreOptions {
    StoreOptions {
        publish,
        outbox_bytes_max: 64 << 20,
        clock,
        ledger_gauges: vec![(meter(6), Quantity::Power)],
    }
}

pub fn open(dir: &Path, publish: bool) -> WorkingStore {
    WorkingStore::open(dir, options(publish)).unwrap()
}

/// Commits and moves cursor and running number on by what was given.
pub fn commit(store: &mut WorkingStore, readings: &[Reading]) -> steward_store::CommitReport {
    let counts = store.counts().unwrap();
    store
        .commit_readings(ReadingsCommit {
            readings,
            quarantine: &[],
            cursor: counts.cursor + 1,
            accounted: counts.accounted + readings.len() as u64,
        })
        .unwrap()
}

pub fn settings(url: &str) -> InfluxSettings {
    InfluxSettings {
        url: url.to_owned(),
        org: "steward tests".to_owned(),
        token: Secret::new(TOKEN),
        bucket_readings: "readings".to_owned(),
        bucket_ledger: "ledger".to_owned(),
        retention_readings: Duration::ZERO,
        retention_ledger: Duration::ZERO,
        batch_lines_max: 5_000,
        outbox_bytes_max: 64 << 20,
    }
}

/// Waits that let a script of many failures pass in a moment.
pub fn fast() -> Tuning {
    Tuning {
        in_flight_max: 2,
        poll: Duration::from_millis(2),
        wait_min: Duration::from_millis(1),
        wait_max: Duration::from_millis(4),
        misconfigured_wait: Duration::from_millis(2),
        connect_timeout: Duration::from_secs(5),
        request_timeout: Duration::from_secs(20),
    }
}

/// A day of `point` from `start_s`: interval `i` has `amounts[i]`.
pub fn day(
    point_number: usize,
    date: NaiveDate,
    start_s: i64,
    amounts: &[Option<i64>],
) -> StoredDay {
    let quality = |index: usize| IntervalQuality::ALL[index % IntervalQuality::ALL.len()];
    let interval = |(index, amount): (usize, &Option<i64>)| {
        amount.map(|amount_base| IntervalAmount {
            amount_base,
            quality: quality(index),
        })
    };
    let is_water = point_number == 7;
    StoredDay {
        day: LedgerDay {
            point: point(point_number),
            date,
            start_s,
            intervals: amounts.iter().enumerate().map(interval).collect(),
        },
        carry: None,
        kgce_ug_per_base: (!is_water).then_some(122_900),
        co2_ug_per_base: (!is_water).then_some(515_300),
        factor_set: if is_water {
            String::new()
        } else {
            "grid-a+coal \"b\"".to_owned()
        },
        prices: prices(point_number, amounts.len()),
        tariff_set: if is_water {
            String::new()
        } else {
            "tou \"b\"@2026-01-01".to_owned()
        },
    }
}

/// Two prices of point 0, whose costs are more than a float holds; for point 3 none before the
/// ninth interval; none at all for water.
fn prices(point_number: usize, intervals: usize) -> Vec<PriceRun> {
    let intervals = u16::try_from(intervals).unwrap();
    let first = intervals.min(8);
    let run = |intervals, ncny_per_base| PriceRun {
        intervals,
        ncny_per_base,
    };
    match point_number {
        7 => Vec::new(),
        3 => vec![run(first, None), run(intervals - first, Some(612_345_678))],
        _ => vec![
            run(first, Some(312_345)),
            run(intervals - first, Some(3_141_592_653)),
        ],
    }
}

/// The cost of a day, added up interval by interval.
fn cost_ncny(stored: &StoredDay) -> Option<i64> {
    let mut prices = stored
        .prices
        .iter()
        .flat_map(|run| vec![run.ncny_per_base; usize::from(run.intervals)]);
    let mut cost = None;
    for interval in &stored.day.intervals {
        let price = prices.next().flatten();
        if let Some(interval) = interval {
            cost = Some(cost.unwrap_or(0) + interval.amount_base * price?);
        }
    }
    cost
}

/// The row of `span` that sums a day, as the aggregator would make it.
pub fn total(stored: &StoredDay, span: Span, start_s: i64) -> LedgerRow {
    let mut shares = Shares::default();
    let present = stored.day.intervals.iter().flatten();
    present.clone().for_each(|interval| shares.add(*interval));
    LedgerRow {
        point: stored.day.point.clone(),
        span,
        start_s,
        amount_base: shares.total(),
        shares,
        intervals_present: u32::try_from(present.count()).unwrap(),
        intervals_expected: u32::try_from(stored.day.intervals.len()).unwrap(),
        kgce_ug: stored.kgce_ug_per_base.map(|ug| ug * shares.total()),
        co2_ug: stored.co2_ug_per_base.map(|ug| ug * shares.total()),
        factor_set: stored.factor_set.clone(),
        cost_ncny: cost_ncny(stored),
        tariff_set: stored.tariff_set.clone(),
    }
}
