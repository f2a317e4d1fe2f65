//! Laws of the kernel over a store in memory.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

mod common;

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use common::{
    DATES, Dice, Model, ZONES, chain, deliver, lineages, meter, plain, plain_days, raw, rules,
    service, simple_chain, total,
};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use steward_config::CounterLimits;
use steward_ledger::{
    Chain, Confirmer, Decided, Dirty, Link, LocalDay, Past, Raw, Step, Total, Verdict, trace,
};
use steward_model::time::{INTERVAL_S, period_start_s};
use steward_model::{MeterId, Quantity, Span};

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: std::env::var("PROPTEST_CASES")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(1_500),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/kernel_laws.proptest-regressions",
        ))),
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    }
}

const HOUR_MS: i64 = 3_600_000;

/// A point's meters and readings as they occur: in order, with outages, oddities, exchanges of
/// meters and transformers, and decisions of persons.
#[derive(Clone, Debug)]
struct Case {
    chain: Chain,
    past: Past,
    readings: Vec<(MeterId, Raw)>,
    seed: u64,
}

#[derive(Clone, Copy, Debug)]
enum Oddity {
    None,
    Spike,
    Fall,
    Jitter,
    Zero,
    Negative,
    Huge,
    /// The register is set to zero and counts on.
    Reset,
    ByHand,
    /// The meter before and the meter after speak too, out of their service.
    Strays,
}

fn oddity() -> impl Strategy<Value = Oddity> {
    prop_oneof![
        36 => Just(Oddity::None),
        1 => Just(Oddity::Spike),
        1 => Just(Oddity::Fall),
        2 => Just(Oddity::Jitter),
        2 => Just(Oddity::Zero),
        1 => Just(Oddity::Negative),
        1 => Just(Oddity::Huge),
        1 => Just(Oddity::Reset),
        1 => Just(Oddity::ByHand),
        4 => Just(Oddity::Strays),
    ]
}

/// How a service follows another, and when, in quarters of an hour after the first day begins.
#[derive(Clone, Copy, Debug)]
enum Exchange {
    Ratio { day: u64, ratio: u32 },
    Replaced { hours: i64, slip: f64, same: bool },
    Anew { day: u64 },
    AnewWithin { hours: i64 },
}

fn exchange() -> impl Strategy<Value = Exchange> {
    prop_oneof![
        3 => (1_u64..6, 1_u32..80).prop_map(|(day, ratio)| Exchange::Ratio { day, ratio }),
        3 => (1_i64..140, prop_oneof![4 => Just(0.0), 1 => -500.0..500.0_f64], any::<bool>())
            .prop_map(|(hours, slip, same)| Exchange::Replaced { hours, slip, same }),
        1 => (1_u64..6).prop_map(|day| Exchange::Anew { day }),
        1 => (1_i64..140).prop_map(|hours| Exchange::AnewWithin { hours }),
    ]
}

fn counter() -> impl Strategy<Value = CounterLimits> {
    (
        prop_oneof![Just(0.0), Just(1.0), Just(10.0)],
        prop::option::of(Just(10_000.0)),
        prop::option::weighted(0.7, Just(3_000.0)),
    )
        .prop_map(|(resolution, modulus, rise_max_per_h)| CounterLimits {
            resolution,
            modulus,
            rise_max_per_h,
        })
}

/// Milliseconds to the next reading, and whether it is put on a quarter of an hour.
fn pause() -> impl Strategy<Value = (i64, bool)> {
    let ms = prop_oneof![
        8 => 60_000_i64..1_800_000,
        2 => 1_800_000_i64..10_000_000,
        1 => 10_000_000_i64..200_000_000,
        1 => 1_i64..1_000,
    ];
    (ms, prop::bool::weighted(0.4))
}

type Steps = Vec<((i64, bool), f64, Oddity)>;

/// What the registry and the books say of a case.
struct Ground {
    zone: Tz,
    from: NaiveDate,
    ratio: u32,
    counter: CounterLimits,
    exchanges: Vec<Exchange>,
}

fn case() -> impl Strategy<Value = Case> {
    // Rises are parts of what the rating allows; some are beyond it.
    let rise = prop_oneof![8 => 0.0..0.9_f64, 2 => Just(0.0), 1 => 0.9..4.0_f64];
    let ground = (
        0..ZONES.len(),
        0..DATES.len(),
        prop_oneof![Just(1_u32), 2_u32..400],
        counter(),
        prop::collection::vec(exchange(), 0..3),
    );
    let steps = prop::collection::vec((pause(), rise, oddity()), 1..70);
    let decisions = prop::collection::vec((0_usize..70, 0_u8..4, 0_i64..20 * HOUR_MS), 0..3);
    (
        ground,
        -2 * HOUR_MS..24 * HOUR_MS,
        steps,
        decisions,
        any::<u64>(),
    )
        .prop_map(
            |((zone, date, ratio, counter, exchanges), offset_ms, steps, decisions, seed)| {
                let (year, month, day) = DATES[date];
                let ground = Ground {
                    zone: ZONES[zone],
                    from: NaiveDate::from_ymd_opt(year, month, day).unwrap(),
                    ratio,
                    counter,
                    exchanges,
                };
                build(&ground, offset_ms, &steps, &decisions, seed)
            },
        )
}

/// The exchanges that fit, by time.
fn instants(ground: &Ground) -> Vec<(i64, Exchange)> {
    let start_ms = |day| LocalDay::of(ground.zone, ground.from + Days::new(day)).start_ms;
    let first_ms = start_ms(0);
    let mut found: Vec<(i64, Exchange)> = ground
        .exchanges
        .iter()
        .map(|exchange| match *exchange {
            Exchange::Ratio { day, .. } | Exchange::Anew { day } => (start_ms(day), *exchange),
            Exchange::Replaced { hours, .. } => (first_ms + hours * HOUR_MS, *exchange),
            // Never where a day begins: there a lineage would end.
            Exchange::AnewWithin { hours } => (first_ms + hours * HOUR_MS + 1_234, *exchange),
        })
        .filter(|(at_ms, _)| *at_ms > first_ms)
        .collect();
    found.sort_by_key(|one| one.0);
    found.dedup_by_key(|one| one.0);
    found
}

fn build(
    ground: &Ground,
    offset_ms: i64,
    steps: &Steps,
    decisions: &[(usize, u8, i64)],
    seed: u64,
) -> Case {
    let first_ms = LocalDay::of(ground.zone, ground.from).start_ms;
    let mut exchanges = instants(ground).into_iter().peekable();
    let (mut name, mut ratio) = (0, ground.ratio);
    let mut services = vec![service("m0", ratio, ground.counter, first_ms, i64::MAX)];
    let mut value = 9_000.5;
    let mut at_ms = first_ms + offset_ms;
    let mut readings = Vec::new();
    let step = ground.counter.resolution.max(0.3);
    for ((pause_ms, on_quarter), rise, oddity) in steps {
        while let Some((begin_ms, exchange)) = exchanges.next_if(|one| one.0 <= at_ms) {
            let link = match exchange {
                Exchange::Ratio { ratio: new, .. } => {
                    ratio = new;
                    Link::Ratio
                }
                Exchange::Replaced { slip, same, .. } => {
                    name += i32::from(!same);
                    let old_last = (value + slip).max(0.0);
                    value = 17.25;
                    Link::Replaced {
                        old_last,
                        new_first: value,
                        event: 1_000,
                    }
                }
                Exchange::Anew { .. } | Exchange::AnewWithin { .. } => {
                    name += 1;
                    value = 40.0;
                    Link::Anew
                }
            };
            let mut next = service(
                &format!("m{name}"),
                ratio,
                ground.counter,
                begin_ms,
                i64::MAX,
            );
            next.link = link;
            services.last_mut().unwrap().to_ms = begin_ms;
            services.push(next);
        }
        value += rise * 3_000.0 * (*pause_ms as f64) / HOUR_MS as f64;
        if let Some(modulus) = ground.counter.modulus {
            value %= modulus;
        }
        value = (value * 10.0).floor() / 10.0;
        let shown = match oddity {
            Oddity::None | Oddity::ByHand | Oddity::Strays => value,
            Oddity::Spike => value + 3_000.0,
            Oddity::Fall => (value - 700.0).abs(),
            Oddity::Jitter => (value - step).max(0.0),
            Oddity::Zero => 0.0,
            Oddity::Negative => -1.0 - value,
            Oddity::Huge => 1e16,
            Oddity::Reset => {
                value = 0.0;
                0.0
            }
        };
        let manual = matches!(oddity, Oddity::ByHand);
        let reading = Raw {
            at_ms,
            value: shown,
            manual,
        };
        readings.push((meter(&format!("m{name}")), reading));
        if matches!(oddity, Oddity::Strays) {
            for (other, later_ms) in [(name - 1, 1), (name + 1, 2)] {
                let stray = raw(at_ms + later_ms, value + 900.0);
                readings.push((meter(&format!("m{other}")), stray));
            }
        }
        at_ms += pause_ms;
        if *on_quarter {
            at_ms += 900_000 - at_ms.rem_euclid(900_000);
        }
    }
    let mut past = Past::default();
    for (index, verdict, length_ms) in decisions {
        if let Some((meter, raw)) = readings.get(*index) {
            let verdict = match verdict {
                0 => Verdict::Accept,
                1 => Verdict::Rollover,
                2 => Verdict::Restart,
                _ => Verdict::Discard {
                    until_ms: raw.at_ms + length_ms,
                },
            };
            let key = (meter.clone(), Quantity::EnergyImport, raw.at_ms);
            past.decisions.insert(
                key,
                Decided {
                    verdict,
                    event: *index as u64,
                },
            );
        }
    }
    let chain = chain(
        ground.zone,
        Quantity::EnergyImport,
        lineages(ground.zone, services),
    );
    Case {
        chain,
        past,
        readings,
        seed,
    }
}

impl Case {
    /// Everything delivered at once, in order.
    fn at_once(&self) -> Model {
        let mut model = Model::with(&self.past);
        model.deliver(&self.chain, &self.readings);
        model
    }
}

/// Delivers in small batches; now and then the memory of the heads is lost, as by a restart.
fn deliver_in_batches(
    model: &mut Model,
    case: &Case,
    dice: &mut Dice,
    readings: &[(MeterId, Raw)],
) {
    let mut rest = readings;
    while !rest.is_empty() {
        let (batch, later) = rest.split_at((1 + dice.below(9)).min(rest.len()));
        if dice.one_in(4) {
            model.heads.clear();
        }
        model.deliver(&case.chain, batch);
        rest = later;
    }
}

proptest! {
    #![proptest_config(config())]

    /// Amounts, qualities, findings and fills, against the definition.
    #[test]
    fn the_ledger_is_what_its_definition_says(case in case()) {
        let model = case.at_once();
        let expected = plain::plain(&model, &case.chain);
        prop_assert_eq!(plain_days::notes(&model), expected.notes.clone());
        prop_assert_eq!(plain_days::intervals(&model), expected.days.clone());
        prop_assert_eq!(plain_days::fills(&model), expected.fills.clone());
        prop_assert_eq!(model.total(), plain_days::rises(&expected));
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
        let mut readings = case.readings.clone();
        let copies: Vec<_> = readings.iter().filter(|_| dice.one_in(3)).cloned().collect();
        readings.extend(copies);
        dice.shuffle(&mut readings);
        let mut model = Model::with(&case.past);
        deliver_in_batches(&mut model, &case, &mut dice, &readings);
        prop_assert_eq!(model.ledger(), case.at_once().ledger());
    }

    /// A gateway's backlog: some stretches come after everything else, in whatever order.
    #[test]
    fn late_readings_converge_to_what_readings_in_time_give(case in case()) {
        let mut dice = Dice(case.seed);
        let (mut timely, mut late) = (Vec::new(), Vec::new());
        for stretch in case.readings.chunks(1 + dice.below(10)) {
            if dice.one_in(3) { late.push(stretch) } else { timely.extend_from_slice(stretch) }
        }
        dice.shuffle(&mut late);
        let mut model = Model::with(&case.past);
        deliver_in_batches(&mut model, &case, &mut dice, &timely);
        for stretch in late {
            deliver_in_batches(&mut model, &case, &mut dice, stretch);
        }
        prop_assert_eq!(model.ledger(), case.at_once().ledger());
    }

    /// A decision entered, or taken back, later than the readings it concerns.
    #[test]
    fn decisions_entered_late_give_what_they_give_in_time(case in case()) {
        let expected = case.at_once().ledger();
        let undecided = Case { past: Past::default(), ..case.clone() };
        let mut model = undecided.at_once();
        let before = model.ledger();
        let marks: Vec<(MeterId, Dirty)> = case.past.decisions.keys()
            .map(|(meter, _, at_ms)| (meter.clone(), Dirty { from_ms: *at_ms, to_ms: *at_ms }))
            .collect();
        model.heads.clear();
        model.past = case.past.clone();
        model.mark(&case.chain, &marks);
        prop_assert_eq!(model.ledger(), expected);
        model.heads.clear();
        model.past = Past::default();
        model.mark(&case.chain, &marks);
        prop_assert_eq!(model.ledger(), before);
    }

    #[test]
    fn recomputing_gives_the_same(case in case()) {
        let mut dice = Dice(case.seed);
        let mut model = case.at_once();
        let before = model.ledger();
        let times: Vec<i64> = case.readings.iter().map(|one| one.1.at_ms).collect();
        for _ in 0..3 {
            let (a, b) = (times[dice.below(times.len())], times[dice.below(times.len())]);
            let some = Dirty { from_ms: a.min(b), to_ms: a.max(b) };
            if dice.one_in(2) {
                model.heads.clear();
            }
            for index in 0..case.chain.lineages.len() {
                model.settle(&case.chain, index, &[some]);
            }
            prop_assert_eq!(&model.ledger(), &before);
        }
        let all = Dirty { from_ms: i64::MIN, to_ms: i64::MAX };
        let mut anew = Model { readings: model.readings.clone(), ..Model::with(&case.past) };
        for index in 0..case.chain.lineages.len() {
            anew.settle(&case.chain, index, &[all]);
        }
        prop_assert_eq!(&anew.ledger(), &before);
    }

    /// Readings that only continue a series, one by one as live meters give them.
    #[test]
    fn a_series_that_grows_equals_one_that_is_complete(case in case()) {
        let mut model = Model::with(&case.past);
        for (index, reading) in case.readings.iter().enumerate() {
            model.deliver(&case.chain, std::slice::from_ref(reading));
            let so_far = Case { readings: case.readings[..=index].to_vec(), ..case.clone() };
            prop_assert_eq!(model.ledger(), so_far.at_once().ledger());
        }
    }

    /// Readings that a person voids after they counted.
    #[test]
    fn voided_readings_leave_no_trace(case in case()) {
        let mut dice = Dice(case.seed);
        let mut model = case.at_once();
        let (from, to) = (dice.below(case.readings.len()), dice.below(case.readings.len()));
        let voided = &case.readings[from.min(to)..=from.max(to)];
        let marks: Vec<(MeterId, Dirty)> = voided.iter()
            .map(|(meter, raw)| {
                (meter.clone(), Dirty { from_ms: raw.at_ms, to_ms: raw.at_ms })
            })
            .collect();
        for (meter, raw) in voided {
            let key = (meter.clone(), case.chain.quantity);
            model.readings.get_mut(&key).unwrap().remove(&raw.at_ms);
        }
        if dice.one_in(2) {
            model.heads.clear();
        }
        model.mark(&case.chain, &marks);
        let kept: Vec<_> = case.readings.iter()
            .filter(|one| !voided.contains(one))
            .cloned()
            .collect();
        let without = Case { readings: kept, ..case.clone() };
        let mut expected = without.at_once();
        // What the books say is told of a point even where no reading is left.
        expected.mark(&case.chain, &marks);
        prop_assert_eq!(model.ledger(), expected.ledger());
    }

    /// The steps that a proof walks, and those of an explanation, add up to the intervals.
    #[test]
    fn the_steps_of_the_register_add_up_to_the_intervals(case in case()) {
        let model = case.at_once();
        let mut sum = 0;
        for lineage in &case.chain.lineages {
            let mut total = Total::default();
            let gaps = rules().gaps;
            let mut confirmer = Confirmer::new(&case.chain, lineage, gaps, &case.past, None);
            for (meter, raw) in &case.readings {
                let serving = lineage.services.get(lineage.service_at(raw.at_ms)).unwrap();
                let within = lineage.from_ms <= raw.at_ms && raw.at_ms <= lineage.to_ms;
                if within && serving.meter == *meter {
                    confirmer.read(*raw, &mut total);
                }
            }
            confirmer.end(&mut total);
            sum += total.base;
            let to = LocalDay::of(case.chain.zone, lineage.from + Days::new(4_000)).date;
            let Ok(steps) = trace(
                &Model { readings: model.readings.clone(), ..Model::default() },
                &case.chain, lineage, &rules(), &case.past, lineage.from, to,
            );
            prop_assert_eq!(steps.total_base(), total.base);
        }
        prop_assert_eq!(sum, i128::from(model.total()));
    }

    /// The registers that an explanation shows at boundaries are those of the intervals.
    #[test]
    fn explained_boundaries_are_those_of_the_intervals(case in case()) {
        let model = case.at_once();
        for lineage in &case.chain.lineages {
            for day in model.days.values().filter(|day| lineage.serves(day.day.date)) {
                let next = day.day.next(case.chain.zone).date;
                let Ok(traced) = trace(
                    &model, &case.chain, lineage, &rules(), &case.past, day.day.date, next,
                );
                let rebased = traced.steps.iter().any(|step| !matches!(step, Step::Confirmed(_)));
                if rebased {
                    continue;
                }
                let at: BTreeMap<i64, i64> =
                    traced.boundaries.iter().map(|one| (one.at_ms, one.register_base)).collect();
                for (index, interval) in (0_i64..).zip(&day.intervals) {
                    let from_ms = day.day.start_ms + index * 900_000;
                    let ends = at.get(&from_ms).zip(at.get(&(from_ms + 900_000)));
                    if let (Some(interval), Some((from, to))) = (interval, ends) {
                        prop_assert_eq!(interval.amount_base, to - from);
                    }
                }
            }
        }
    }

    #[test]
    fn hours_add_up_to_days_and_days_to_months(case in case()) {
        let zone = case.chain.zone;
        let model = case.at_once();
        let mut months: BTreeMap<i64, i64> = BTreeMap::new();
        for day in model.days.values() {
            let mut hours: BTreeMap<i64, i64> = BTreeMap::new();
            for (index, interval) in (0_i64..).zip(&day.intervals) {
                let start_s = day.day.start_ms / 1_000 + index * INTERVAL_S;
                let hour_s = period_start_s(zone, Span::Hour, start_s);
                prop_assert!(hour_s >= day.day.start_ms / 1_000, "an hour begins in its day");
                *hours.entry(hour_s).or_default() += interval.map_or(0, |one| one.amount_base);
            }
            prop_assert_eq!(hours.values().sum::<i64>(), total([day]));
            let month_s = period_start_s(zone, Span::Month, day.day.start_ms / 1_000);
            *months.entry(month_s).or_default() += total([day]);
        }
        prop_assert_eq!(months.values().sum::<i64>(), model.total());
    }

    /// Wherever a gap is cut by a reading on the straight line or off it, its energy is the same.
    #[test]
    fn cutting_a_gap_moves_energy_and_makes_none(
        zone in 0..ZONES.len(),
        hours in 1_i64..200,
        rise in 0_i64..1_000_000_000,
        cuts in prop::collection::vec((0.0_f64..1.0, 0.0_f64..1.0), 0..8),
    ) {
        let from = NaiveDate::from_ymd_opt(2026, 3, 20).unwrap();
        let chain = simple_chain(ZONES[zone], 1, from, None);
        let start_ms = chain.lineages[0].from_ms + 1_234_567;
        let length_ms = hours * HOUR_MS;
        let mut model = Model::default();
        let ends = [(start_ms, 5.0), (start_ms + length_ms, (5 + rise) as f64)];
        deliver(&mut model, &chain, &ends);
        prop_assert_eq!(model.total(), rise);
        for (time, part) in cuts {
            let at_ms = start_ms + (length_ms as f64 * time) as i64;
            deliver(&mut model, &chain, &[(at_ms, 5.0 + (rise as f64 * part).round())]);
            let expected = plain::plain(&model, &chain);
            prop_assert_eq!(model.total(), plain_days::rises(&expected));
            prop_assert!(model.total() <= rise);
        }
    }
}
