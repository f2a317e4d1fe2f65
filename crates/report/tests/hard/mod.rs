//! A meter to which everything happens, its ledger by the kernel, and where both are kept.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use steward_books::{
    Access, Books, Decision, Event, HandReading, Replacement, Verdict as Said, Voided,
};
use steward_config::{Config, CounterLimits, Dated, Formula, Point, Term};
use steward_ledger::formula::virtual_day;
use steward_ledger::{
    Chain, Decided, Dirty, MemoryShelf, Past, Raw, Replaced, Rules, Verdict, settle,
};
use steward_model::time::{day_start_s, period_start_s};
use steward_model::{
    Commodity, IntervalQuality, LedgerDay, MeterId, PointId, PriceRun, Quantity, Reading,
    ReadingQuality, Span, UtcMs, Value,
};
use steward_report::{Asked, BooksView, ExplainError, Explanation, Scope, explain};
use steward_store::{
    Carry, FoundIn, LedgerUpdate, ReadingsCommit, Source, StoreOptions, StoreReader, StoredDay,
    WorkingStore,
};
use tempfile::TempDir;

use crate::world;

pub(crate) const POINT: &str = "hall-1-el";
pub(crate) const METER: &str = "hall-1-el-m";
pub(crate) const PART: &str = "hall-1-el-a";
pub(crate) const VIRTUAL: &str = "hall-1-most";
pub(crate) const STEP_MS: i64 = 600_000;
pub(crate) const ENERGY: Quantity = Quantity::EnergyImport;

pub(crate) struct Site {
    pub(crate) config: Config,
    pub(crate) books: Books,
    pub(crate) source: Source,
    pub(crate) zone: Tz,
    _dir: TempDir,
}

pub(crate) fn at(zone: Tz, day: u32, minute: i64) -> i64 {
    (day_start_s(zone, world::date(2026, 10, day)) + minute * 60) * 1_000
}

pub(crate) fn meter() -> MeterId {
    MeterId::new(METER).unwrap()
}

pub(crate) fn point(id: &str) -> PointId {
    PointId::new(id).unwrap()
}

/// What the meter says: a rollover, two outages, a glitch, an exchange, a void stretch, a fall that
/// nothing explains.
pub(crate) fn readings(zone: Tz) -> Vec<(i64, f64)> {
    let mut readings = Vec::new();
    let (mut register, mut index) = (900_000.0, 0_i64);
    let mut at_ms = at(zone, 1, -4_320) + 61_000;
    while at_ms < at(zone, 29, 0) {
        index += 1;
        let hour = (at_ms / 3_600_000) % 24;
        register += 300.0 + f64::from(u32::try_from((index * 37) % 400 + hour * 20).unwrap());
        if register >= 1_000_000.0 && at_ms < at(zone, 18, 603) {
            register -= 1_000_000.0;
        }
        if at_ms >= at(zone, 18, 603) && at_ms - STEP_MS < at(zone, 18, 603) {
            register = 12_400.0;
        }
        if at_ms >= at(zone, 25, 0) && at_ms - STEP_MS < at(zone, 25, 0) {
            register = 7_000.0;
        }
        let is_out = |from: (u32, i64), to: (u32, i64)| {
            at(zone, from.0, from.1) <= at_ms && at_ms < at(zone, to.0, to.1)
        };
        if !is_out((13, 187), (15, 301)) && !is_out((21, 100), (21, 700)) {
            let glitch = at(zone, 16, 0) <= at_ms && at_ms < at(zone, 16, 10);
            readings.push((at_ms, if glitch { 3.0 } else { register }));
        }
        at_ms += STEP_MS;
    }
    readings
}

pub(crate) fn events(zone: Tz, readings: &[(i64, f64)]) -> Vec<Event> {
    let exchanged_ms = at(zone, 18, 603);
    let last = readings
        .iter()
        .rev()
        .find(|one| one.0 < exchanged_ms)
        .unwrap();
    let fall = readings
        .iter()
        .find(|one| one.0 >= at(zone, 25, 0))
        .unwrap();
    let before = readings
        .iter()
        .rev()
        .find(|one| one.0 < at(zone, 21, 100))
        .unwrap();
    vec![
        Event::MeterReplaced(Replacement {
            point: point(POINT),
            at: UtcMs(exchanged_ms),
            old_meter: meter(),
            old_last: last.1 + 150.0,
            new_meter: meter(),
            new_first: 12_345.0,
            others: Vec::new(),
        }),
        Event::ReviewDecided(Decision {
            meter: meter(),
            quantity: ENERGY,
            at: UtcMs(fall.0),
            verdict: Said::Restart,
        }),
        Event::HandReading(HandReading {
            meter: meter(),
            quantity: ENERGY,
            at: UtcMs(at(zone, 21, 400)),
            value: before.1 + 5_000.0,
        }),
        Event::ReadingsVoided(Voided {
            meter: meter(),
            quantity: ENERGY,
            from: UtcMs(at(zone, 22, 100)),
            to: UtcMs(at(zone, 22, 220)),
        }),
    ]
}

/// What the aggregator makes of the books.
pub(crate) fn past(books: &BooksView) -> Past {
    let mut past = Past::default();
    for (event, one) in books.state.replacements() {
        past.replacements.push(Replaced {
            point: one.point.clone(),
            at_ms: one.at.0,
            old_meter: one.old_meter.clone(),
            old_last: one.old_last,
            new_meter: one.new_meter.clone(),
            new_first: one.new_first,
            others: one
                .others
                .iter()
                .map(|other| (other.quantity, other.old_last, other.new_first))
                .collect(),
            event,
        });
    }
    for (event, one) in books.state.decisions() {
        let verdict = Verdict::Restart;
        let key = (one.meter.clone(), one.quantity, one.at.0);
        past.decisions.insert(key, Decided { verdict, event });
    }
    past
}

pub(crate) fn configured(zone: Tz) -> Config {
    let mut config = world::config();
    config.settings.ledger.shape_days_min = 2;
    for building in config.registry.buildings.values_mut() {
        building.zone = zone;
    }
    let meter = config.registry.meters.get_mut(&meter()).unwrap();
    meter.ratio_changes = vec![(world::date(2026, 10, 20), 100)];
    meter.counters.insert(
        ENERGY,
        CounterLimits {
            resolution: 10.0,
            modulus: Some(1_000_000.0),
            rise_max_per_h: Some(12_000.0),
        },
    );
    let term = |id: &str, coefficient_ppm| Term {
        point: point(id),
        coefficient_ppm,
    };
    let made = Point {
        id: point(VIRTUAL),
        parent: None,
        role: steward_config::PointRole::Aside,
        formulas: vec![Dated {
            from: world::date(2026, 1, 1),
            to: None,
            value: Formula {
                text: format!("{POINT} - 0.333333 * {PART}"),
                terms: vec![term(POINT, 1_000_000), term(PART, -333_333)],
            },
        }],
        ..config.registry.points[&point(POINT)].clone()
    };
    config.registry.points.insert(made.id.clone(), made);
    config
}

/// The days of the meter's point by the kernel, and what it found.
pub(crate) fn settled(
    config: &Config,
    zone: Tz,
    books: &BooksView,
) -> (Vec<StoredDay>, Vec<FoundIn>) {
    let mut raws: BTreeMap<i64, Raw> = BTreeMap::new();
    for (at_ms, value) in readings(zone) {
        if !(at(zone, 22, 100)..=at(zone, 22, 220)).contains(&at_ms) {
            let manual = false;
            raws.insert(
                at_ms,
                Raw {
                    at_ms,
                    value,
                    manual,
                },
            );
        }
    }
    for (_, one) in books.state.hand_readings() {
        let (at_ms, value, manual) = (one.at.0, one.value, true);
        raws.insert(
            at_ms,
            Raw {
                at_ms,
                value,
                manual,
            },
        );
    }
    let mut shelf = MemoryShelf::default();
    shelf
        .series
        .insert((meter(), ENERGY), raws.into_values().collect());
    let registered = &config.registry.points[&point(POINT)];
    let past = past(books);
    let chain = Chain::of(config, registered, &past).unwrap();
    days_of(config, &shelf, &chain, &past)
}

pub(crate) fn days_of(
    config: &Config,
    shelf: &MemoryShelf,
    chain: &Chain,
    past: &Past,
) -> (Vec<StoredDay>, Vec<FoundIn>) {
    let all = Dirty {
        from_ms: i64::MIN,
        to_ms: i64::MAX,
    };
    let (mut days, mut found) = (Vec::new(), Vec::new());
    for lineage in &chain.lineages {
        let rules = Rules::of(config);
        let settled = settle(shelf, chain, lineage, &rules, past, None, &[all]).unwrap();
        days.extend(settled.days.into_iter().map(|one| {
            stored(
                POINT,
                LedgerDay {
                    point: point(POINT),
                    date: one.day.date,
                    start_s: one.day.start_ms / 1_000,
                    intervals: one.intervals,
                },
                Some(Carry {
                    at_ms: UtcMs(one.carry.at_ms),
                    register_base: one.carry.register_base,
                    manual: one.carry.manual,
                }),
            )
        }));
        found.extend(settled.found.into_iter().map(|one| FoundIn {
            point: point(POINT),
            from: UtcMs(one.from_ms),
            to: UtcMs(one.to_ms),
            findings: one.findings,
            fills: one.fills,
        }));
    }
    (days, found)
}

pub(crate) fn stored(id: &str, day: LedgerDay, carry: Option<Carry>) -> StoredDay {
    StoredDay {
        prices: vec![PriceRun {
            intervals: u16::try_from(day.intervals.len()).unwrap(),
            ncny_per_base: Some(700_000),
        }],
        day: LedgerDay {
            point: point(id),
            ..day
        },
        carry,
        kgce_ug_per_base: None,
        co2_ug_per_base: None,
        factor_set: String::new(),
        tariff_set: "el@2025-01-01".to_owned(),
    }
}

impl Site {
    pub(crate) fn new(zone: Tz) -> Self {
        let config = configured(zone);
        let dir = tempfile::tempdir().unwrap();
        let store_dir = dir.path().join("store");
        let options = StoreOptions {
            publish: false,
            outbox_bytes_max: 0,
            clock: || world::NOW,
            ledger_gauges: Vec::new(),
        };
        let mut store = WorkingStore::open(&store_dir, options).unwrap();
        let books = Books::open(&dir.path().join("books"), Access::Write).unwrap();
        let meant = readings(zone);
        for event in events(zone, &meant) {
            books
                .append("engineer", "as it was", event, world::NOW)
                .unwrap();
        }
        let readings: Vec<Reading> = meant
            .iter()
            .map(|(at_ms, value)| Reading {
                meter: meter(),
                quantity: ENERGY,
                at: UtcMs(*at_ms),
                value: Value::new(*value).unwrap(),
                quality: ReadingQuality::Good,
            })
            .collect();
        store
            .commit_readings(ReadingsCommit {
                readings: &readings,
                quarantine: &[],
                cursor: 1,
                accounted: readings.len() as u64,
            })
            .unwrap();
        let (mut days, found) = settled(&config, zone, &BooksView::read(&books).unwrap());
        let formula = &config.registry.points[&point(VIRTUAL)].formulas[0].value;
        let mut made = Vec::new();
        for one in &days {
            // The part: a fifth of the point, and unknown on two mornings.
            let mut part = one.day.clone();
            for (index, interval) in part.intervals.iter_mut().enumerate() {
                let unknown = one.day.date == world::date(2026, 10, 7) && index < 20;
                *interval = interval.filter(|_| !unknown).map(|mut interval| {
                    interval.amount_base /= 5;
                    interval.quality = IntervalQuality::Measured;
                    interval
                });
            }
            let intervals = virtual_day(formula, part.intervals.len(), |id| {
                let of_part = id.as_str() == PART;
                let day = if of_part { &part } else { &one.day };
                Some(day.intervals.as_slice())
            });
            let whole = LedgerDay {
                intervals,
                ..one.day.clone()
            };
            made.push(stored(VIRTUAL, whole, None));
            made.push(stored(PART, part, None));
        }
        days.extend(made);
        days.sort_by_key(|one| (one.day.point.clone(), one.day.date));
        let rows: Vec<_> = [Span::Day, Span::Month, Span::Year]
            .into_iter()
            .flat_map(|span| world::rows(&config, &days, span))
            .collect();
        store
            .write_ledger(LedgerUpdate {
                days: &days,
                rows: &rows,
                found: &found,
                ..LedgerUpdate::default()
            })
            .unwrap();
        Self {
            config,
            books,
            source: Source::Working(StoreReader::open(&store_dir)),
            zone,
            _dir: dir,
        }
    }

    pub(crate) async fn ask(
        &self,
        scope: Scope,
        span: Span,
        at_ms: i64,
    ) -> Result<Explanation, ExplainError> {
        let asked = Asked {
            scope,
            commodity: Some(Commodity::Electricity),
            span,
            start_s: period_start_s(self.zone, span, at_ms / 1_000),
        };
        let books = BooksView::read(&self.books).unwrap();
        explain(&self.config, &self.source, &books, &asked, world::NOW).await
    }

    pub(crate) async fn point(&self, id: &str, span: Span, at_ms: i64) -> Explanation {
        self.ask(Scope::Point(point(id)), span, at_ms)
            .await
            .unwrap()
    }
}
