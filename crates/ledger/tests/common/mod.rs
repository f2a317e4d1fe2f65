//! What the laws share: a store in memory, throws of dice, and ground to stand on.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

pub mod plain;
pub mod plain_days;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::OnceLock;

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use steward_config::{Calendar, CounterLimits, Weather};
use steward_ledger::{
    Chain, Confirmed, Dirty, Gaps, Head, LimitsBase, Lineage, Link, LocalDay, Past, Raw, Rules,
    Service, SettledDay, ShapeRules, Shelf, resting_on, settle,
};
use steward_model::{Fill, Finding, IntervalAmount, IntervalQuality, MeterId, PointId, Quantity};

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

/// Few days make a shape, so that short cases have some.
pub const SHAPE: ShapeRules = ShapeRules {
    days: 4,
    days_min: 1,
    band_k: 4.0,
};

/// Weekends, and temperatures of some days.
pub fn rules() -> Rules<'static> {
    static GROUND: OnceLock<(Calendar, Weather)> = OnceLock::new();
    let (calendar, weather) = GROUND.get_or_init(|| {
        let mut weather = Weather::default();
        for (year, month, day) in DATES {
            let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            for after in [0_u64, 1, 2, 4, 5, 7, 8] {
                let mean = 20.0 + (after * 3 % 7) as f64;
                weather.mean_c.insert(date + Days::new(after), mean);
            }
        }
        (Calendar::default(), weather)
    });
    Rules {
        gaps: GAPS,
        shape: SHAPE,
        calendar,
        weather,
    }
}

pub fn meter(name: &str) -> MeterId {
    MeterId::new(name).unwrap()
}

pub fn point() -> PointId {
    PointId::new("p").unwrap()
}

/// A service that follows nothing.
pub fn service(
    name: &str,
    ratio: u32,
    counter: CounterLimits,
    from_ms: i64,
    to_ms: i64,
) -> Service {
    Service {
        meter: meter(name),
        ratio,
        counter,
        limits: LimitsBase::of(counter, ratio),
        from_ms,
        to_ms,
        link: Link::Anew,
    }
}

pub fn lineage(zone: Tz, services: Vec<Service>) -> Lineage {
    let (from_ms, to_ms) = (services[0].from_ms, services.last().unwrap().to_ms);
    Lineage {
        services,
        from: LocalDay::at(zone, from_ms).date,
        to: (to_ms != i64::MAX).then(|| LocalDay::at(zone, to_ms).date),
        from_ms,
        to_ms,
        follows: false,
    }
}

pub fn chain(zone: Tz, quantity: Quantity, lineages: Vec<Lineage>) -> Chain {
    Chain {
        point: point(),
        zone,
        quantity,
        lineages,
    }
}

/// A chain of one meter without limits.
pub fn simple_chain(zone: Tz, ratio: u32, from: NaiveDate, to: Option<NaiveDate>) -> Chain {
    limited_chain(zone, ratio, CounterLimits::default(), from, to)
}

pub fn limited_chain(
    zone: Tz,
    ratio: u32,
    counter: CounterLimits,
    from: NaiveDate,
    to: Option<NaiveDate>,
) -> Chain {
    let start_ms = |date| LocalDay::of(zone, date).start_ms;
    let service = service(
        "m",
        ratio,
        counter,
        start_ms(from),
        to.map_or(i64::MAX, start_ms),
    );
    chain(
        zone,
        Quantity::EnergyImport,
        vec![lineage(zone, vec![service])],
    )
}

pub fn raw(at_ms: i64, value: f64) -> Raw {
    Raw {
        at_ms,
        value,
        manual: false,
    }
}

/// Readings and the ledger of one point in memory.
#[derive(Clone, Default)]
pub struct Model {
    pub readings: BTreeMap<(MeterId, Quantity), BTreeMap<i64, Raw>>,
    pub past: Past,
    pub days: BTreeMap<NaiveDate, SettledDay>,
    pub findings: BTreeMap<(i64, MeterId), Finding>,
    pub fills: BTreeMap<i64, Fill>,
    pub heads: BTreeMap<usize, Head>,
    pub knows_exchanges: bool,
}

impl Shelf for Model {
    type Error = Infallible;

    fn readings(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<Raw>, Infallible> {
        let series = self.readings.get(&(meter.clone(), quantity));
        Ok(series.map_or_else(Vec::new, |series| {
            series.range(from_ms..=to_ms).map(|(_, raw)| *raw).collect()
        }))
    }

    fn reading_before(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at_ms: i64,
    ) -> Result<Option<i64>, Infallible> {
        let series = self.readings.get(&(meter.clone(), quantity));
        Ok(series.and_then(|series| Some(*series.range(..at_ms).next_back()?.0)))
    }

    fn reading_after(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        at_ms: i64,
    ) -> Result<Option<i64>, Infallible> {
        let series = self.readings.get(&(meter.clone(), quantity));
        Ok(series.and_then(|series| Some(*series.range(at_ms + 1..).next()?.0)))
    }

    fn carry(&self, _: &PointId, date: NaiveDate) -> Result<Option<Confirmed>, Infallible> {
        Ok(self.days.get(&date).map(|day| day.carry))
    }

    fn day(
        &self,
        _: &PointId,
        date: NaiveDate,
    ) -> Result<Option<Vec<Option<IntervalAmount>>>, Infallible> {
        Ok(self.days.get(&date).map(|day| day.intervals.clone()))
    }
}

/// What a load shape may rest on.
fn measured(day: Option<&SettledDay>) -> Vec<Option<IntervalAmount>> {
    let is_measured = |one: &IntervalAmount| one.quality == IntervalQuality::Measured;
    day.map_or_else(Vec::new, |day| {
        let intervals = day.intervals.iter();
        intervals.map(|one| one.filter(is_measured)).collect()
    })
}

/// Exchanges stand in the books and may have no reading beside them: they leave marks of their own.
fn exchanges(chain: &Chain) -> Vec<(MeterId, Dirty)> {
    let services = chain.lineages.iter().flat_map(|one| &one.services);
    services
        .filter(|one| matches!(one.link, Link::Replaced { .. }))
        .map(|one| {
            let at = Dirty {
                from_ms: one.from_ms,
                to_ms: one.from_ms,
            };
            (one.meter.clone(), at)
        })
        .collect()
}

impl Model {
    pub fn with(past: &Past) -> Self {
        Self {
            past: past.clone(),
            ..Self::default()
        }
    }

    /// Puts a reading where it belongs; the first value of a key stays.
    fn store(&mut self, chain: &Chain, meter: &MeterId, raw: Raw) -> bool {
        let series = self
            .readings
            .entry((meter.clone(), chain.quantity))
            .or_default();
        let is_new = !series.contains_key(&raw.at_ms);
        series.entry(raw.at_ms).or_insert(raw);
        is_new
    }

    /// Takes a batch as the store does: marks by meter and UTC day.
    pub fn deliver(&mut self, chain: &Chain, batch: &[(MeterId, Raw)]) {
        let mut marks: BTreeMap<(MeterId, i64), Dirty> = BTreeMap::new();
        for (meter, raw) in batch {
            if self.store(chain, meter, *raw) {
                let at_ms = raw.at_ms;
                let key = (meter.clone(), at_ms.div_euclid(86_400_000));
                let mark = marks.entry(key).or_insert(Dirty {
                    from_ms: at_ms,
                    to_ms: at_ms,
                });
                mark.from_ms = mark.from_ms.min(at_ms);
                mark.to_ms = mark.to_ms.max(at_ms);
            }
        }
        let mut marks: Vec<(MeterId, Dirty)> = marks
            .into_iter()
            .map(|((meter, _), dirty)| (meter, dirty))
            .collect();
        if !std::mem::replace(&mut self.knows_exchanges, true) {
            marks.extend(exchanges(chain));
        }
        self.mark(chain, &marks);
    }

    /// Settles what is marked, and then the outages whose load shape that changed.
    pub fn mark(&mut self, chain: &Chain, marks: &[(MeterId, Dirty)]) {
        let mut dirty: BTreeMap<usize, Vec<Dirty>> = BTreeMap::new();
        for (meter, range) in marks {
            for (index, part) in chain.touched(meter, range.from_ms, range.to_ms) {
                dirty.entry(index).or_default().push(part);
            }
        }
        for round in 0.. {
            assert!(
                round < 3,
                "a shape rests on measured intervals, which no shape makes"
            );
            let mut changed: BTreeSet<NaiveDate> = BTreeSet::new();
            for (index, ranges) in std::mem::take(&mut dirty) {
                changed.extend(self.settle(chain, index, &ranges));
            }
            let changed: Vec<NaiveDate> = changed.into_iter().collect();
            let fills: Vec<Fill> = self.fills.values().cloned().collect();
            let again = resting_on(&rules(), chain.zone, &changed, &fills);
            for (index, lineage) in chain.lineages.iter().enumerate() {
                let within =
                    |one: &&Dirty| lineage.from_ms < one.from_ms && one.from_ms <= lineage.to_ms;
                let of_lineage: Vec<Dirty> = again.iter().filter(within).copied().collect();
                if !of_lineage.is_empty() {
                    dirty.insert(index, of_lineage);
                }
            }
            if dirty.is_empty() {
                break;
            }
        }
    }

    /// Settles a lineage and answers the days whose measured intervals changed.
    pub fn settle(&mut self, chain: &Chain, index: usize, dirty: &[Dirty]) -> Vec<NaiveDate> {
        let lineage = &chain.lineages[index];
        let head = self.heads.remove(&index);
        let Ok(settled) = settle(self, chain, lineage, &rules(), &self.past, head, dirty);
        let mut changed = Vec::new();
        for day in settled.days {
            assert!(lineage.serves(day.day.date), "a day of another lineage");
            assert!(day.is_present(), "a day without an interval");
            let date = day.day.date;
            let before = measured(self.days.get(&date));
            if before != measured(Some(&day)) {
                changed.push(date);
            }
            self.days.insert(date, day);
        }
        for date in settled.removed {
            assert!(self.days.remove(&date).is_some(), "{date} was not stored");
            changed.push(date);
        }
        for found in settled.found {
            let within = |at_ms: i64| found.from_ms <= at_ms && at_ms < found.to_ms;
            self.findings.retain(|(at_ms, _), _| !within(*at_ms));
            self.fills.retain(|at_ms, _| !within(*at_ms + 1));
            for finding in found.findings {
                let key = (finding.at.0, finding.meter.clone());
                assert!(
                    self.findings.insert(key, finding).is_none(),
                    "two findings on one"
                );
            }
            self.fills
                .extend(found.fills.into_iter().map(|fill| (fill.from.0, fill)));
        }
        if let Some(head) = settled.head {
            self.heads.insert(index, head);
        }
        changed
    }

    /// What must not depend on how the readings came.
    pub fn ledger(&self) -> (Vec<SettledDay>, Vec<Finding>, Vec<Fill>) {
        (
            self.days.values().cloned().collect(),
            self.findings.values().cloned().collect(),
            self.fills.values().cloned().collect(),
        )
    }

    pub fn total(&self) -> i64 {
        total(self.days.values())
    }
}

/// Takes readings of the meter `m`.
pub fn deliver(model: &mut Model, chain: &Chain, batch: &[(i64, f64)]) {
    let batch: Vec<(MeterId, Raw)> = batch
        .iter()
        .map(|(at_ms, value)| (meter("m"), raw(*at_ms, *value)))
        .collect();
    model.deliver(chain, &batch);
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

/// Cuts services where a new one begins with a day.
pub fn lineages(zone: Tz, services: Vec<Service>) -> Vec<Lineage> {
    let mut found: Vec<Lineage> = Vec::new();
    let mut together: Vec<Service> = Vec::new();
    for service in services {
        let begins_day = LocalDay::at(zone, service.from_ms).start_ms == service.from_ms;
        if service.link == Link::Anew && begins_day && !together.is_empty() {
            found.push(lineage(zone, std::mem::take(&mut together)));
        }
        together.push(service);
    }
    found.push(lineage(zone, together));
    for later in found.iter_mut().skip(1) {
        later.follows = true;
    }
    found
}

pub fn rises_at_most(limits: &LimitsBase, rise: i64, passed_ms: i64) -> bool {
    limits.rise_max_base_per_h.is_none_or(|rate| {
        let allowed = i128::from(rate) * i128::from(passed_ms);
        rise <= limits.resolution_base
            || i128::from(rise - limits.resolution_base) * 3_600_000 <= allowed
    })
}

pub fn fits(limits: &LimitsBase, from: i64, to: i64, passed_ms: i64) -> bool {
    to >= from - limits.resolution_base && rises_at_most(limits, to - from, passed_ms)
}
