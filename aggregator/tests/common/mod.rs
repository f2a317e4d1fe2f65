//! What the laws share: a store in memory, and the definition of the ledger as a reference.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::convert::Infallible;

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_aggregator::ledger::register::confirm;
use steward_aggregator::ledger::{
    Chain, Confirmed, Dirty, Gaps, Head, LocalDay, Service, SettledDay, Shelf, settle,
};
use steward_model::{IntervalAmount, MeterId, PointId, Quantity};

/// Zones whose days are odd: clocks that change by an hour or by half of one, at midnight, offsets
/// of 45 minutes, and one that lost a whole day.
pub const ZONES: [Tz; 9] = [
    Tz::Asia__Shanghai,
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::Africa__Cairo,
    Tz::Asia__Kathmandu,
    Tz::Australia__Lord_Howe,
    Tz::America__Sao_Paulo,
    Tz::Pacific__Apia,
    Tz::UTC,
];

/// Days near which those clocks change, and plain ones.
pub const DATES: [(i32, u32, u32); 9] = [
    (2026, 3, 27),
    (2026, 10, 23),
    (2026, 10, 31),
    (2026, 3, 7),
    (2026, 4, 22),
    (2026, 4, 3),
    (2018, 2, 16),
    (2011, 12, 28),
    (2025, 12, 30),
];

pub const GAPS: Gaps = Gaps {
    measured_max_ms: 1_800_000,
    interpolated_max_ms: 6 * 3_600_000,
};

pub fn chain(zone: Tz, services: Vec<Service>) -> Chain {
    Chain {
        point: PointId::new("p").unwrap(),
        zone,
        quantity: Quantity::EnergyImport,
        services,
    }
}

pub fn service(
    zone: Tz,
    name: &str,
    ratio: u32,
    from: NaiveDate,
    to: Option<NaiveDate>,
) -> Service {
    Service {
        meter: MeterId::new(name).unwrap(),
        ratio,
        from,
        to,
        from_ms: LocalDay::of(zone, from).start_ms,
        to_ms: to.map_or(i64::MAX, |to| LocalDay::of(zone, to).start_ms),
    }
}

/// A store in memory. Readings are those of one series.
#[derive(Clone, Default)]
pub struct Model {
    pub readings: BTreeMap<i64, f64>,
    pub days: BTreeMap<NaiveDate, SettledDay>,
    pub head: Option<Head>,
}

impl Shelf for Model {
    type Error = Infallible;

    fn readings(
        &self,
        _: &MeterId,
        _: Quantity,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<(i64, f64)>, Infallible> {
        let range = self.readings.range(from_ms..=to_ms);
        Ok(range.map(|(at, value)| (*at, *value)).collect())
    }

    fn reading_before(&self, _: &MeterId, _: Quantity, at: i64) -> Result<Option<i64>, Infallible> {
        Ok(self.readings.range(..at).next_back().map(|(at, _)| *at))
    }

    fn reading_after(&self, _: &MeterId, _: Quantity, at: i64) -> Result<Option<i64>, Infallible> {
        Ok(self.readings.range(at + 1..).next().map(|(at, _)| *at))
    }

    fn carry(&self, _: &PointId, date: NaiveDate) -> Result<Option<Confirmed>, Infallible> {
        Ok(self.days.get(&date).map(|day| day.carry))
    }
}

impl Model {
    /// Takes a batch as the store does: the first value of a key stays, marks by UTC day.
    pub fn deliver(&mut self, chain: &Chain, service: &Service, batch: &[(i64, f64)]) {
        let mut marks: BTreeMap<i64, Dirty> = BTreeMap::new();
        for &(at_ms, value) in batch {
            if self.readings.contains_key(&at_ms) {
                continue;
            }
            self.readings.insert(at_ms, value);
            let mark = marks.entry(at_ms.div_euclid(86_400_000)).or_insert(Dirty {
                from_ms: at_ms,
                to_ms: at_ms,
            });
            mark.from_ms = mark.from_ms.min(at_ms);
            mark.to_ms = mark.to_ms.max(at_ms);
        }
        let dirty: Vec<Dirty> = marks.into_values().collect();
        self.settle(chain, service, &dirty);
    }

    pub fn settle(&mut self, chain: &Chain, service: &Service, dirty: &[Dirty]) {
        let head = self.head.take();
        let Ok(settled) = settle(self, chain, service, GAPS, head, dirty);
        for day in settled.days {
            assert!(service.serves(day.day.date), "a day of another meter");
            self.days.insert(day.day.date, day);
        }
        for date in settled.removed {
            assert!(self.days.remove(&date).is_some(), "{date} was not stored");
        }
        self.head = settled.head;
    }
}

/// The readings of a service that count, in order.
pub fn confirmed(service: &Service, readings: &BTreeMap<i64, f64>) -> Vec<Confirmed> {
    let mut out: Vec<Confirmed> = Vec::new();
    for (&at_ms, &value) in readings.range(service.from_ms..=service.to_ms) {
        if let Ok(next) = confirm(out.last().copied(), at_ms, value, service.ratio) {
            out.push(next);
        }
    }
    out
}

/// The ledger by its definition, boundary by boundary, without any memory of what was before.
pub fn reference(
    zone: Tz,
    service: &Service,
    readings: &BTreeMap<i64, f64>,
) -> BTreeMap<NaiveDate, SettledDay> {
    let marks = confirmed(service, readings);
    let mut days = BTreeMap::new();
    let (Some(first), Some(last)) = (marks.first(), marks.last()) else {
        return days;
    };
    let mut date = LocalDay::at(zone, first.at_ms).date;
    while date <= LocalDay::at(zone, last.at_ms).date {
        let day = LocalDay::of(zone, date);
        let mut intervals = Vec::new();
        let mut from_ms = day.start_ms;
        while from_ms < day.end_ms {
            let to_ms = (from_ms + 900_000).min(day.end_ms);
            intervals.push(interval(&marks, from_ms, to_ms));
            from_ms = to_ms;
        }
        if intervals.iter().any(Option::is_some) {
            let last = marks.iter().rev().find(|mark| mark.at_ms <= day.end_ms);
            days.insert(
                date,
                SettledDay {
                    day,
                    carry: *last.unwrap(),
                    intervals,
                },
            );
        }
        date = date.succ_opt().unwrap();
    }
    days
}

fn interval(marks: &[Confirmed], from_ms: i64, to_ms: i64) -> Option<IntervalAmount> {
    let (first, last) = (marks.first()?, marks.last()?);
    if to_ms.min(last.at_ms) <= from_ms.max(first.at_ms) {
        return None;
    }
    let (from_base, from_gap) = register(marks, from_ms.max(first.at_ms));
    let (to_base, to_gap) = register(marks, to_ms.min(last.at_ms));
    Some(IntervalAmount {
        amount_base: to_base - from_base,
        quality: GAPS.quality(from_gap.max(to_gap)),
    })
}

/// The register at a time between the first and the last reading, and the gap around it.
fn register(marks: &[Confirmed], at_ms: i64) -> (i64, i64) {
    let index = marks.partition_point(|mark| mark.at_ms < at_ms);
    let after = marks[index];
    if after.at_ms == at_ms {
        return (after.register_base, 0);
    }
    let before = marks[index - 1];
    let gap_ms = after.at_ms - before.at_ms;
    let rise = i128::from(after.register_base - before.register_base);
    let part = rise * i128::from(at_ms - before.at_ms) / i128::from(gap_ms);
    (before.register_base + i64::try_from(part).unwrap(), gap_ms)
}

pub fn total<'a>(days: impl IntoIterator<Item = &'a SettledDay>) -> i64 {
    days.into_iter()
        .flat_map(|day| day.intervals.iter().flatten())
        .map(|interval| interval.amount_base)
        .sum()
}

/// Throws that a seed decides, so that a failing case is repeated exactly.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `sides`.
    pub fn below(&mut self, sides: usize) -> usize {
        // The finaliser of splitmix64, by its published constants.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(sides).unwrap()).unwrap()
    }

    /// One throw in `sides`.
    pub fn one_in(&mut self, sides: usize) -> bool {
        self.below(sides) == 0
    }

    /// The items in any order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.below(index + 1));
        }
    }
}
