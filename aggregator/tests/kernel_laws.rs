//! Laws of the kernel over a store in memory.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use common::{DATES, Dice, GAPS, Model, ZONES, chain, confirmed, reference, service, total};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use steward_aggregator::ledger::{Chain, Dirty, LocalDay, Service};
use steward_aggregator::{DayFactors, Part, day_row, roll_up};
use steward_model::time::{INTERVAL_S, period_start_s};
use steward_model::{IntervalQuality, LedgerDay, LedgerRow, PointId, Span};

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: std::env::var("PROPTEST_CASES")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(1_500),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/kernel_laws.proptest-regressions",
        ))),
        ..ProptestConfig::default()
    }
}

/// A series as meters give them: in order, with outages, and with the oddities that occur.
#[derive(Clone, Debug)]
struct Case {
    zone: Tz,
    from: NaiveDate,
    to: Option<NaiveDate>,
    ratio: u32,
    readings: BTreeMap<i64, f64>,
    seed: u64,
}

#[derive(Clone, Copy, Debug)]
enum Oddity {
    None,
    Spike,
    Fall,
    Negative,
    Huge,
}

fn oddity() -> impl Strategy<Value = Oddity> {
    prop_oneof![
        30 => Just(Oddity::None),
        1 => Just(Oddity::Spike),
        1 => Just(Oddity::Fall),
        1 => Just(Oddity::Negative),
        1 => Just(Oddity::Huge),
    ]
}

/// Milliseconds to the next reading, and whether it is put on a quarter of an hour.
fn pause() -> impl Strategy<Value = (i64, bool)> {
    let ms = prop_oneof![
        6 => 60_000_i64..1_800_000,
        2 => 1_800_000_i64..10_000_000,
        1 => 10_000_000_i64..200_000_000,
        1 => 1_i64..1_000,
    ];
    (ms, prop::bool::weighted(0.4))
}

fn case() -> impl Strategy<Value = Case> {
    let step = (pause(), 0_u32..50_000, oddity());
    (
        0..ZONES.len(),
        0..DATES.len(),
        prop::option::of(1_u64..6),
        prop_oneof![Just(1_u32), 2_u32..400],
        -7_200_000_i64..86_400_000,
        prop::collection::vec(step, 1..60),
        any::<u64>(),
    )
        .prop_map(|(zone, date, days, ratio, offset_ms, steps, seed)| {
            let zone = ZONES[zone];
            let (year, month, day) = DATES[date];
            let from = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            let mut at_ms = LocalDay::of(zone, from).start_ms + offset_ms;
            let mut value = 1_000.5;
            let mut readings = BTreeMap::new();
            for ((pause_ms, on_quarter), rise, oddity) in steps {
                value += f64::from(rise) / 10.0;
                let shown = match oddity {
                    Oddity::None => value,
                    Oddity::Spike => value + 3_000.0,
                    Oddity::Fall => value - 700.0,
                    Oddity::Negative => -value,
                    Oddity::Huge => 1e16,
                };
                readings.insert(at_ms, shown);
                at_ms += pause_ms;
                if on_quarter {
                    at_ms += 900_000 - at_ms.rem_euclid(900_000);
                }
            }
            Case {
                zone,
                from,
                to: days.map(|days| from + Days::new(days)),
                ratio,
                readings,
                seed,
            }
        })
}

impl Case {
    fn service(&self) -> Service {
        service(self.zone, "m", self.ratio, self.from, self.to)
    }

    fn chain(&self) -> Chain {
        chain(self.zone, vec![self.service()])
    }

    fn all(&self) -> Vec<(i64, f64)> {
        self.readings
            .iter()
            .map(|(at, value)| (*at, *value))
            .collect()
    }

    /// Everything delivered at once, in order.
    fn at_once(&self) -> Model {
        let mut model = Model::default();
        model.deliver(&self.chain(), &self.service(), &self.all());
        model
    }
}

/// Delivers in small batches; now and then the memory of the head is lost, as by a restart.
fn deliver_in_batches(model: &mut Model, case: &Case, dice: &mut Dice, readings: &[(i64, f64)]) {
    let (chain, service) = (case.chain(), case.service());
    let mut rest = readings;
    while !rest.is_empty() {
        let (batch, later) = rest.split_at((1 + dice.below(9)).min(rest.len()));
        if dice.one_in(4) {
            model.head = None;
        }
        model.deliver(&chain, &service, batch);
        rest = later;
    }
}

fn stored(model: &Model) -> Vec<LedgerDay> {
    let point = PointId::new("p").unwrap();
    model
        .days
        .values()
        .map(|settled| LedgerDay {
            point: point.clone(),
            date: settled.day.date,
            start_s: settled.day.start_ms / 1_000,
            intervals: settled.intervals.clone(),
        })
        .collect()
}

proptest! {
    #![proptest_config(config())]

    /// Amounts, qualities and carries of every interval, against the definition.
    #[test]
    fn the_ledger_is_what_its_definition_says(case in case()) {
        let expected = reference(case.zone, &case.service(), &case.readings);
        prop_assert_eq!(case.at_once().days, expected);
    }

    #[test]
    fn intervals_add_up_to_the_register_difference(case in case()) {
        let marks = confirmed(&case.service(), &case.readings);
        let difference = match (marks.first(), marks.last()) {
            (Some(first), Some(last)) => last.register_base - first.register_base,
            _ => 0,
        };
        prop_assert_eq!(total(case.at_once().days.values()), difference);
    }

    #[test]
    fn no_amount_is_negative_and_every_day_has_its_length(case in case()) {
        for day in case.at_once().days.values() {
            let seconds = (day.day.end_ms - day.day.start_ms) / 1_000;
            prop_assert_eq!(i64::try_from(day.intervals.len()), Ok(seconds / INTERVAL_S));
            prop_assert!(day.intervals.iter().flatten().all(|one| one.amount_base >= 0));
        }
    }

    #[test]
    fn order_copies_batches_and_restarts_do_not_matter(case in case()) {
        let mut dice = Dice(case.seed);
        let mut readings = case.all();
        let copies: Vec<(i64, f64)> = readings.iter().copied().filter(|_| dice.one_in(3)).collect();
        readings.extend(copies);
        dice.shuffle(&mut readings);
        let mut model = Model::default();
        deliver_in_batches(&mut model, &case, &mut dice, &readings);
        prop_assert_eq!(model.days, case.at_once().days);
    }

    /// A gateway's backlog: some stretches come after everything else, in whatever order.
    #[test]
    fn late_readings_converge_to_what_readings_in_time_give(case in case()) {
        let mut dice = Dice(case.seed);
        let all = case.all();
        let (mut timely, mut late) = (Vec::new(), Vec::new());
        for stretch in all.chunks(1 + dice.below(10)) {
            if dice.one_in(3) { late.push(stretch) } else { timely.extend_from_slice(stretch) }
        }
        dice.shuffle(&mut late);
        let mut model = Model::default();
        deliver_in_batches(&mut model, &case, &mut dice, &timely);
        for stretch in late {
            deliver_in_batches(&mut model, &case, &mut dice, stretch);
        }
        prop_assert_eq!(model.days, case.at_once().days);
    }

    #[test]
    fn recomputing_gives_the_same(case in case()) {
        let mut dice = Dice(case.seed);
        let mut model = case.at_once();
        let before = model.days.clone();
        let times: Vec<i64> = case.readings.keys().copied().collect();
        for _ in 0..3 {
            let (a, b) = (times[dice.below(times.len())], times[dice.below(times.len())]);
            let some = Dirty { from_ms: a.min(b), to_ms: a.max(b) };
            if dice.one_in(2) {
                model.head = None;
            }
            model.settle(&case.chain(), &case.service(), &[some]);
            prop_assert_eq!(&model.days, &before);
        }
        let all = Dirty { from_ms: i64::MIN, to_ms: i64::MAX };
        let mut anew = Model { readings: case.readings.clone(), ..Model::default() };
        anew.settle(&case.chain(), &case.service(), &[all]);
        prop_assert_eq!(&anew.days, &before);
    }

    /// Readings that only continue a series, one by one as live meters give them.
    #[test]
    fn a_series_that_grows_equals_one_that_is_complete(case in case()) {
        let mut model = Model::default();
        for reading in case.all() {
            model.deliver(&case.chain(), &case.service(), &[reading]);
            let expected = reference(case.zone, &case.service(), &model.readings);
            prop_assert_eq!(&model.days, &expected);
        }
    }

    #[test]
    fn hours_add_up_to_days_days_to_months_and_months_to_years(case in case()) {
        let factors = DayFactors {
            kgce_ug_per_base: Some(122_900),
            co2_ug_per_base: Some(515_300),
            factor_set: "a+b".to_owned(),
        };
        let days = stored(&case.at_once());
        let rows: Vec<LedgerRow> = days.iter().map(|day| day_row(day, &factors)).collect();
        for (day, row) in days.iter().zip(&rows) {
            let mut hours: BTreeMap<i64, i64> = BTreeMap::new();
            for (index, interval) in (0_i64..).zip(&day.intervals) {
                let start_s = day.start_s + index * INTERVAL_S;
                let hour_s = period_start_s(case.zone, Span::Hour, start_s);
                prop_assert!(hour_s >= day.start_s, "an hour begins in its day");
                *hours.entry(hour_s).or_default() += interval.map_or(0, |one| one.amount_base);
            }
            prop_assert_eq!(hours.values().sum::<i64>(), row.amount_base);
            prop_assert_eq!(row.co2_ug, Some(row.amount_base * 515_300));
        }
        let roll = |span, rows: &[LedgerRow]| {
            let part = |row| Part { row, zone: case.zone };
            roll_up(span, &rows.iter().map(part).collect::<Vec<_>>()).unwrap()
        };
        let months = roll(Span::Month, &rows);
        let years = roll(Span::Year, &months);
        prop_assert_eq!(&years, &roll(Span::Year, &rows));
        for (span, periods) in [(Span::Month, &months), (Span::Year, &years)] {
            for period in periods {
                let within = |row: &&LedgerRow| {
                    period_start_s(case.zone, span, row.start_s) == period.start_s
                };
                let of = |f: &dyn Fn(&LedgerRow) -> i64| rows.iter().filter(within).map(f).sum::<i64>();
                prop_assert_eq!(period.shares.measured_base, of(&|row| row.shares.measured_base));
                prop_assert_eq!(period.shares.estimated_base, of(&|row| row.shares.estimated_base));
                prop_assert_eq!(period.amount_base, of(&|row| row.amount_base));
                prop_assert_eq!(period.kgce_ug, Some(of(&|row| row.kgce_ug.unwrap())));
                prop_assert_eq!(i64::from(period.intervals_present), of(&|row| row.intervals_present.into()));
                prop_assert_eq!(&period.factor_set, "a+b");
            }
            let sum: i64 = periods.iter().map(|row| row.amount_base).sum();
            prop_assert_eq!(sum, rows.iter().map(|row| row.amount_base).sum::<i64>());
        }
    }

    /// Wherever a gap is cut by a reading on the straight line or off it, its energy is the same.
    #[test]
    fn cutting_a_gap_moves_energy_and_makes_none(
        zone in 0..ZONES.len(),
        hours in 1_i64..200,
        rise in 0_i64..1_000_000_000,
        cuts in prop::collection::vec((0.0_f64..1.0, 0.0_f64..1.0), 0..8),
    ) {
        let zone = ZONES[zone];
        let from = NaiveDate::from_ymd_opt(2026, 3, 20).unwrap();
        let service = service(zone, "m", 1, from, None);
        let chain = chain(zone, vec![service.clone()]);
        let start_ms = service.from_ms + 1_234_567;
        let length_ms = hours * 3_600_000;
        let mut model = Model::default();
        model.deliver(&chain, &service, &[(start_ms, 5.0), (start_ms + length_ms, (5 + rise) as f64)]);
        prop_assert_eq!(total(model.days.values()), rise);
        for (time, part) in cuts {
            let at_ms = start_ms + (length_ms as f64 * time) as i64;
            model.deliver(&chain, &service, &[(at_ms, 5.0 + (rise as f64 * part).round())]);
            let marks = confirmed(&service, &model.readings);
            let last = marks.last().unwrap().register_base;
            prop_assert_eq!(total(model.days.values()), last - 5);
            prop_assert_eq!(last, 5 + rise);
        }
    }
}

#[test]
fn quality_follows_the_gap_around_the_boundaries() {
    let zone = Tz::UTC;
    let from = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
    let service = service(zone, "m", 1, from, None);
    let chain = chain(zone, vec![service.clone()]);
    let at = |minutes: i64| service.from_ms + minutes * 60_000;
    let mut model = Model::default();
    model.deliver(
        &chain,
        &service,
        &[
            (at(10), 0.0),
            (at(20), 10.0),
            (at(60), 50.0),
            (at(61), 51.0),
            (at(61 + 12 * 60), 771.0),
        ],
    );
    let day = model.days.values().next().unwrap();
    let one = |index: usize| day.intervals[index].map(|one| (one.amount_base, one.quality));
    assert_eq!(one(0), Some((5, IntervalQuality::Measured)));
    assert_eq!(one(1), Some((15, IntervalQuality::Interpolated)));
    assert_eq!(one(3), Some((15, IntervalQuality::Interpolated)));
    assert_eq!(one(4), Some((15, IntervalQuality::Estimated)));
    // The last reading lies one minute into its interval, which counts up to it.
    assert_eq!(one(52), Some((1, IntervalQuality::Estimated)));
    assert_eq!(one(53), None);
    assert_eq!(
        GAPS.quality(GAPS.measured_max_ms),
        IntervalQuality::Measured
    );
}

#[test]
fn a_single_reading_is_no_amount() {
    let zone = Tz::Asia__Shanghai;
    let from = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
    let service = service(zone, "m", 1, from, None);
    let mut model = Model::default();
    model.deliver(
        &chain(zone, vec![service.clone()]),
        &service,
        &[(service.from_ms + 5, 7.0)],
    );
    assert!(model.days.is_empty(), "missing is not zero");
}

/// A held-out register that comes late takes away what stood on lower ones, and gives it back once
/// the register has passed it.
#[test]
fn a_late_spike_ripples_as_far_as_it_must() {
    let zone = Tz::Asia__Shanghai;
    let from = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
    let service = service(zone, "m", 1, from, None);
    let chain = chain(zone, vec![service.clone()]);
    let hour = |hours: i64| service.from_ms + hours * 3_600_000;
    let plain: Vec<(i64, f64)> = (0..240).map(|h| (hour(h), (h * 10) as f64)).collect();
    let mut model = Model::default();
    model.deliver(&chain, &service, &plain);
    assert_eq!(model.days.len(), 10);
    model.deliver(&chain, &service, &[(hour(30) + 1, 1_205.0)]);
    assert_eq!(model.days, reference(zone, &service, &model.readings));
    assert_eq!(total(model.days.values()), 2_390);
    model.deliver(&chain, &service, &[(hour(50) + 1, 5_000.0)]);
    assert_eq!(model.days.len(), 3, "nothing after the spike is confirmed");
    assert_eq!(total(model.days.values()), 5_000);
    let more: Vec<(i64, f64)> = (240..600).map(|h| (hour(h), (h * 10) as f64)).collect();
    for reading in more {
        model.deliver(&chain, &service, &[reading]);
    }
    assert_eq!(model.days, reference(zone, &service, &model.readings));
    assert_eq!(total(model.days.values()), 5_990);
}
