//! What the classifier makes of readings, rule by rule.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use chrono::NaiveDate;
use chrono_tz::Tz;
use common::{Model, chain, deliver, limited_chain, lineage, meter, raw, service};
use steward_config::CounterLimits;
use steward_ledger::{Chain, Decided, Dirty, Link, LocalDay, Verdict};
use steward_model::{Finding, FindingKind, FindingState, IntervalQuality, Quantity};

use FindingKind::{
    ExchangeWithoutRegisters, Fall, Frozen, Glitch, Jitter, OutOfRange, Replacement, Reset, Rise,
    Rollover,
};
use FindingState::{ByRule, Decided as ByEvent, Open};

const MINUTE_MS: i64 = 60_000;

/// A step of 1, a modulus of 10,000, at most 600 an hour: 10 a minute.
const RATED: CounterLimits = CounterLimits {
    resolution: 1.0,
    modulus: Some(10_000.0),
    rise_max_per_h: Some(600.0),
};
const UNKNOWN: CounterLimits = CounterLimits {
    resolution: 0.0,
    modulus: None,
    rise_max_per_h: None,
};

fn date() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, 1).unwrap()
}

fn start_ms() -> i64 {
    LocalDay::of(Tz::Asia__Shanghai, date()).start_ms
}

fn rated(counter: CounterLimits) -> Chain {
    limited_chain(Tz::Asia__Shanghai, 1, counter, date(), None)
}

/// Readings by minute.
fn by_minute(readings: &[(i64, f64)]) -> Vec<(i64, f64)> {
    let at = |(minute, value): &(i64, f64)| (start_ms() + minute * MINUTE_MS, *value);
    readings.iter().map(at).collect()
}

fn told(model: &Model) -> Vec<(FindingKind, FindingState, i64, u64)> {
    let minute = |one: &Finding| (one.at.0 - start_ms()) / MINUTE_MS;
    let told = |one: &Finding| (one.kind, one.state, minute(one), one.held_out);
    model.findings.values().map(told).collect()
}

/// What counted, and what was found.
type Expected<'a> = (i64, &'a [(FindingKind, FindingState, i64, u64)]);

fn check(name: &str, counter: CounterLimits, readings: &[(i64, f64)], expected: Expected<'_>) {
    let mut model = Model::default();
    deliver(&mut model, &rated(counter), &by_minute(readings));
    assert_eq!((model.total(), told(&model).as_slice()), expected, "{name}");
}

#[test]
fn every_rule_by_its_table() {
    let r = RATED;
    // Name, limits, readings by minute, what counts, findings.
    type Row<'a> = (&'a str, CounterLimits, &'a [(i64, f64)], Expected<'a>);
    let rows: &[Row<'_>] = &[
        ("plain", r, &[(0, 100.0), (1, 105.0), (2, 116.0)], (16, &[])),
        // One more than the rating and the step allow; two of them make a finding.
        ("rise, alone", r, &[(0, 100.0), (1, 112.0)], (0, &[])),
        (
            "rise",
            r,
            &[(0, 100.0), (1, 140.0), (2, 141.0)],
            (0, &[(Rise, Open, 1, 2)]),
        ),
        (
            "rise, allowed with the next reading",
            r,
            &[(0, 100.0), (1, 112.0), (2, 113.0)],
            (13, &[(Glitch, ByRule, 1, 1)]),
        ),
        (
            "rise, unrated",
            UNKNOWN,
            &[(0, 100.0), (1, 112.0), (2, 113.0)],
            (13, &[]),
        ),
        (
            "spike",
            r,
            &[(0, 100.0), (1, 900.0), (2, 110.0)],
            (10, &[(Glitch, ByRule, 1, 1)]),
        ),
        (
            "jitter",
            r,
            &[(0, 100.0), (1, 99.0), (2, 101.0)],
            (1, &[(Jitter, ByRule, 1, 1)]),
        ),
        (
            "two jitters a day",
            r,
            &[(0, 100.0), (1, 99.0), (2, 101.0), (3, 100.0), (4, 102.0)],
            (2, &[(Jitter, ByRule, 1, 2)]),
        ),
        (
            "beyond jitter",
            r,
            &[(0, 100.0), (1, 98.0), (2, 99.0)],
            (0, &[(Glitch, ByRule, 1, 1), (Jitter, ByRule, 2, 1)]),
        ),
        (
            "zeros that return",
            r,
            &[(0, 100.0), (1, 0.0), (2, 0.0), (3, 0.0), (4, 101.0)],
            (1, &[(Glitch, ByRule, 1, 3)]),
        ),
        (
            "zeros that return, unrated",
            UNKNOWN,
            &[(0, 100.0), (1, 0.0), (2, 0.0), (3, 101.0)],
            (1, &[(Glitch, ByRule, 1, 2)]),
        ),
        (
            "zeros that stay",
            r,
            &[(0, 100.0), (1, 0.0), (2, 0.0)],
            (0, &[(Fall, Open, 1, 2)]),
        ),
        (
            "reset",
            r,
            &[(0, 100.0), (1, 0.0), (2, 0.0), (3, 5.0), (4, 9.0)],
            (9, &[(Reset, ByRule, 1, 0)]),
        ),
        (
            "reset, unrated",
            UNKNOWN,
            &[(0, 100.0), (1, 0.0), (2, 5.0), (3, 9.0)],
            (0, &[(Fall, Open, 1, 3)]),
        ),
        (
            "rollover",
            r,
            &[(0, 9_997.0), (1, 4.0), (2, 6.0)],
            (9, &[(Rollover, ByRule, 1, 0)]),
        ),
        ("rollover, alone", r, &[(0, 9_997.0), (1, 4.0)], (0, &[])),
        (
            "rollover, too far",
            r,
            &[(0, 9_900.0), (1, 4.0), (2, 6.0)],
            (0, &[(Fall, Open, 1, 2)]),
        ),
        (
            "rollover that returns",
            r,
            &[(0, 9_997.0), (1, 4.0), (2, 9_998.0)],
            (1, &[(Glitch, ByRule, 1, 1)]),
        ),
        (
            "fall",
            r,
            &[(0, 100.0), (1, 50.0), (2, 51.0)],
            (0, &[(Fall, Open, 1, 2)]),
        ),
        (
            "fall that returns late",
            r,
            &[(0, 100.0), (1, 50.0), (2, 51.0), (9, 140.0)],
            (40, &[(Glitch, ByRule, 1, 2)]),
        ),
        (
            "contradicted",
            r,
            &[(0, 100.0), (1, 50.0), (2, 3_000.0), (3, 7.0), (4, 9.0)],
            (0, &[(Fall, Open, 1, 4)]),
        ),
        (
            "out of range",
            r,
            &[(0, 100.0), (1, -1.0), (2, 9.1e15), (3, 103.0)],
            (3, &[(OutOfRange, ByRule, 1, 2)]),
        ),
    ];
    for (name, counter, readings, expected) in rows {
        check(name, *counter, readings, *expected);
    }
}

#[test]
fn a_person_decides_each_way() {
    let readings = by_minute(&[(0, 100.0), (1, 50.0), (2, 51.0), (3, 53.0)]);
    let rows: [(Verdict, i64, FindingKind, u64); 4] = [
        (Verdict::Accept, 3, Fall, 0),
        (Verdict::Restart, 3, Fall, 0),
        (Verdict::Rollover, 9_953, Rollover, 0),
        (
            Verdict::Discard {
                until_ms: start_ms() + 2 * MINUTE_MS,
            },
            0,
            Glitch,
            2,
        ),
    ];
    for (verdict, total, kind, held_out) in rows {
        let mut model = Model::default();
        let key = (meter("m"), Quantity::EnergyImport, readings[1].0);
        model
            .past
            .decisions
            .insert(key, Decided { verdict, event: 9 });
        deliver(&mut model, &rated(RATED), &readings);
        assert_eq!(model.total(), total, "{verdict:?}");
        assert_eq!(
            told(&model),
            [(kind, ByEvent(9), 1, held_out)],
            "{verdict:?}"
        );
    }
}

/// A break is missing, never zero.
#[test]
fn a_restart_leaves_a_hole() {
    let mut model = Model::default();
    let readings = by_minute(&[(0, 100.0), (15, 110.0), (60, 20.0), (75, 24.0)]);
    let key = (meter("m"), Quantity::EnergyImport, readings[2].0);
    let decided = Decided {
        verdict: Verdict::Restart,
        event: 3,
    };
    model.past.decisions.insert(key, decided);
    deliver(&mut model, &rated(RATED), &readings);
    let day = model.days.values().next().unwrap();
    let amounts: Vec<Option<i64>> = day.intervals[..5]
        .iter()
        .map(|one| one.map(|one| one.amount_base))
        .collect();
    assert_eq!(amounts, [Some(10), None, None, None, Some(4)]);
}

#[test]
fn a_replacement_keeps_the_register_of_both() {
    let at_ms = start_ms() + 7 * MINUTE_MS;
    let zone = Tz::Asia__Shanghai;
    for (old_last, total) in [(104.0, 4 + 5), (100.0, 2 + 5)] {
        let old = service("a", 1, RATED, start_ms(), at_ms);
        let mut new = service("b", 1, RATED, at_ms, i64::MAX);
        new.link = Link::Replaced {
            old_last,
            new_first: 7.0,
            event: 4,
        };
        let chain = chain(
            zone,
            Quantity::EnergyImport,
            vec![lineage(zone, vec![old, new])],
        );
        let mut model = Model::default();
        let of = |name: &str, minute: i64, value| {
            (meter(name), raw(start_ms() + minute * MINUTE_MS, value))
        };
        let readings = [
            of("a", 0, 100.0),
            of("a", 5, 102.0),
            of("b", 10, 9.0),
            of("b", 12, 12.0),
        ];
        model.deliver(&chain, &readings);
        // A closing register below what was read: the series goes on from what was read.
        let contradicted = old_last < 102.0;
        let expected = if contradicted { 5 } else { total };
        assert_eq!(model.total(), expected, "{old_last}");
        assert!(told(&model).contains(&(Replacement, ByEvent(4), 7, 0)));
    }
}

/// Late readings of the old meter above the register that somebody wrote down.
#[test]
fn readings_above_the_closing_register_are_held_out() {
    let at_ms = start_ms() + 60 * MINUTE_MS;
    let zone = Tz::Asia__Shanghai;
    let old = service("a", 1, RATED, start_ms(), at_ms);
    let mut new = service("b", 1, RATED, at_ms, i64::MAX);
    new.link = Link::Replaced {
        old_last: 110.0,
        new_first: 0.0,
        event: 4,
    };
    let chain = chain(
        zone,
        Quantity::EnergyImport,
        vec![lineage(zone, vec![old, new])],
    );
    let mut model = Model::default();
    let of =
        |name: &str, minute: i64, value| (meter(name), raw(start_ms() + minute * MINUTE_MS, value));
    model.deliver(&chain, &[of("a", 0, 100.0), of("b", 70, 3.0)]);
    assert_eq!(model.total(), 13);
    model.deliver(&chain, &[of("a", 10, 150.0), of("a", 20, 160.0)]);
    assert_eq!(model.total(), 13);
    assert!(told(&model).contains(&(Rise, Open, 10, 2)));
}

/// A register of coarse steps that was read twice in a moment: 125 within two seconds, where 40 are
/// allowed, and then it goes on as it did.
#[test]
fn a_coarse_step_is_no_question() {
    let rated = rated(CounterLimits {
        resolution: 1.0,
        modulus: None,
        rise_max_per_h: Some(72_000.0),
    });
    let second = |after: i64, value: f64| (start_ms() + after * 1_000, value);
    let mut model = Model::default();
    let readings = [
        second(0, 1_000.0),
        second(5, 1_000.0),
        second(7, 1_125.0),
        second(12, 1_125.0),
        second(24, 1_250.0),
    ];
    deliver(&mut model, &rated, &readings);
    assert_eq!(model.total(), 250);
    let kinds: Vec<_> = told(&model).into_iter().map(|one| (one.0, one.1)).collect();
    assert_eq!(kinds, [(Glitch, ByRule)]);
    // The same rise after which the register does not go on is one.
    let mut model = Model::default();
    let readings = [second(0, 1_000.0), second(7, 9_000.0), second(12, 9_010.0)];
    deliver(&mut model, &rated, &readings);
    assert_eq!(model.total(), 0);
    assert_eq!(told(&model)[0].1, Open);
}

/// After an exchange both devices often hang on the bus for a while.
#[test]
fn a_meter_that_speaks_after_its_service_hides_nobody() {
    let at_ms = start_ms() + 60 * MINUTE_MS;
    let zone = Tz::Asia__Shanghai;
    let of =
        |name: &str, minute: i64, value| (meter(name), raw(start_ms() + minute * MINUTE_MS, value));
    let replaced = Link::Replaced {
        old_last: 110.0,
        new_first: 0.0,
        event: 4,
    };
    for (link, expected) in [(replaced, 9), (Link::Anew, 5)] {
        let old = service("a", 1, RATED, start_ms(), at_ms);
        let mut new = service("b", 1, RATED, at_ms, i64::MAX);
        new.link = link;
        let services = vec![old, new];
        let chain = chain(zone, Quantity::EnergyImport, vec![lineage(zone, services)]);
        let mut model = Model::default();
        // The old one's only reading comes a day after its end.
        let batch = [of("b", 70, 4.0), of("b", 80, 9.0), of("a", 26 * 60, 111.0)];
        model.deliver(&chain, &batch);
        assert_eq!(model.total(), expected);
    }
}

/// The meter was silent between the change of its transformers and its exchange.
#[test]
fn a_replacement_after_a_ratio_needs_no_reading_in_between() {
    let zone = Tz::Asia__Shanghai;
    let (ratio_ms, at_ms) = (start_ms() + 60 * MINUTE_MS, start_ms() + 120 * MINUTE_MS);
    let before = service("a", 1, RATED, start_ms(), ratio_ms);
    let mut behind = service("a", 2, RATED, ratio_ms, at_ms);
    behind.link = Link::Ratio;
    let mut new = service("b", 1, RATED, at_ms, i64::MAX);
    new.link = Link::Replaced {
        old_last: 112.0,
        new_first: 0.0,
        event: 4,
    };
    let services = vec![before, behind, new];
    let chain = chain(zone, Quantity::EnergyImport, vec![lineage(zone, services)]);
    let mut model = Model::default();
    model.deliver(&chain, &[(meter("a"), raw(start_ms(), 100.0))]);
    // Half of the rise before the transformers changed, and twice the other half.
    assert_eq!(model.total(), 6 + 2 * 6);
    assert!(told(&model).contains(&(Replacement, ByEvent(4), 120, 0)));
}

/// The days up to a replacement rest on the readings before it.
#[test]
fn days_up_to_a_replacement_go_with_the_readings_before_it() {
    let zone = Tz::Asia__Shanghai;
    let at_ms = start_ms() + 30 * 60 * MINUTE_MS;
    let old = service("a", 1, RATED, start_ms(), at_ms);
    let mut new = service("b", 1, RATED, at_ms, i64::MAX);
    new.link = Link::Replaced {
        old_last: 110.0,
        new_first: 0.0,
        event: 4,
    };
    let chain = chain(
        zone,
        Quantity::EnergyImport,
        vec![lineage(zone, vec![old, new])],
    );
    let mut model = Model::default();
    let first = raw(start_ms() + MINUTE_MS, 100.0);
    model.deliver(&chain, &[(meter("a"), first)]);
    assert_eq!((model.total(), model.days.len()), (10, 2));
    // A person voids it.
    model.readings.clear();
    let mark = Dirty {
        from_ms: first.at_ms,
        to_ms: first.at_ms,
    };
    model.mark(&chain, &[(meter("a"), mark)]);
    assert_eq!((model.total(), model.days.len()), (0, 0));
}

#[test]
fn an_exchange_by_dates_alone_waits_for_a_person() {
    let zone = Tz::Asia__Shanghai;
    let next_ms = LocalDay::of(zone, date().succ_opt().unwrap()).start_ms;
    let old = lineage(zone, vec![service("a", 1, RATED, start_ms(), next_ms)]);
    let mut new = lineage(zone, vec![service("b", 1, RATED, next_ms, i64::MAX)]);
    new.follows = true;
    let chain = chain(zone, Quantity::EnergyImport, vec![old, new]);
    let mut model = Model::default();
    let late = raw(next_ms + 5 * MINUTE_MS, 5.0);
    model.deliver(
        &chain,
        &[(meter("a"), raw(start_ms(), 1.0)), (meter("b"), late)],
    );
    assert_eq!(
        told(&model),
        [(ExchangeWithoutRegisters, Open, 24 * 60 + 5, 0)]
    );
    let key = (meter("b"), Quantity::EnergyImport, late.at_ms);
    let decided = Decided {
        verdict: Verdict::Restart,
        event: 8,
    };
    let mut model = Model::default();
    model.past.decisions.insert(key, decided);
    model.deliver(&chain, &[(meter("b"), late)]);
    assert_eq!(
        told(&model),
        [(ExchangeWithoutRegisters, ByEvent(8), 24 * 60 + 5, 0)]
    );
}

#[test]
fn a_register_that_stands_still_while_power_flows_is_frozen() {
    for (power_w, step, expected) in [(500.0, 1.0, true), (1.0, 1.0, false), (500.0, 0.0, false)] {
        let counter = CounterLimits {
            resolution: step,
            ..UNKNOWN
        };
        let chain = rated(counter);
        let mut model = Model::default();
        let power = (0..=150)
            .map(|minute| start_ms() + minute * MINUTE_MS)
            .map(|at_ms| (at_ms, raw(at_ms, power_w)))
            .collect();
        model.readings.insert((meter("m"), Quantity::Power), power);
        let readings: Vec<(i64, f64)> = (0..=150).map(|minute| (minute, 700.0)).collect();
        deliver(&mut model, &chain, &by_minute(&readings));
        let found: Vec<FindingKind> = model.findings.values().map(|one| one.kind).collect();
        assert_eq!(
            found,
            if expected { vec![Frozen] } else { vec![] },
            "{power_w} {step}"
        );
    }
}

/// A run that begins with a day tells nothing of the register on which the day begins, so what it
/// finds later in the day must not be told of that one.
#[test]
fn a_frozen_morning_is_found_by_a_run_that_begins_with_the_day() {
    const DAY_MIN: i64 = 24 * 60;
    let chain = rated(CounterLimits {
        resolution: 1.0,
        ..UNKNOWN
    });
    let mut model = Model::default();
    // The register rises through the first day and stands still on the second.
    let readings: Vec<(i64, f64)> = (0..=128)
        .map(|quarter| (quarter * 15, 700.0 + quarter.min(96) as f64))
        .collect();
    deliver(&mut model, &chain, &by_minute(&readings));
    let power = (DAY_MIN..=DAY_MIN + 480)
        .map(|minute| start_ms() + minute * MINUTE_MS)
        .map(|at_ms| (at_ms, raw(at_ms, 500.0)))
        .collect();
    model.readings.insert((meter("m"), Quantity::Power), power);
    model.heads.clear();
    let noon_ms = start_ms() + (DAY_MIN + 240) * MINUTE_MS;
    let mark = Dirty {
        from_ms: noon_ms,
        to_ms: noon_ms,
    };
    model.mark(&chain, &[(meter("m"), mark)]);
    assert_eq!(told(&model), [(Frozen, Open, DAY_MIN + 15, 0)]);
}

/// A meter without a register: what flowed is the integral of its power, a gap is missing.
#[test]
fn power_is_integrated_day_by_day() {
    let mut chain = rated(UNKNOWN);
    chain.quantity = Quantity::Power;
    let mut readings: Vec<(i64, f64)> = (0..=12).map(|step| (step * 5, 1_200.0)).collect();
    // Eight hours of silence, and power that flows back.
    readings.extend([(600, 600.0), (615, 600.0), (630, -50.0)]);
    let mut model = Model::default();
    deliver(&mut model, &chain, &by_minute(&readings));
    let day = model.days.values().next().unwrap();
    let one = |index: usize| day.intervals[index].map(|one| (one.amount_base, one.quality));
    let integrated = IntervalQuality::Integrated;
    assert_eq!(one(0), Some((300, integrated)));
    assert_eq!(one(3), Some((300, integrated)));
    assert_eq!(one(4), None);
    assert_eq!(one(40), Some((150, integrated)));
    assert_eq!(one(41), Some((75, integrated)));
    assert_eq!(model.total(), 1_200 + 225);
    let mut piecemeal = Model::default();
    for reading in by_minute(&readings).into_iter().rev() {
        deliver(&mut piecemeal, &chain, &[reading]);
    }
    assert_eq!(piecemeal.ledger(), model.ledger());
}

/// Every day's integral begins at zero: what a late reading adds to one moves no other by a rest.
#[test]
fn a_late_reading_of_power_moves_its_own_day_alone() {
    let mut chain = rated(UNKNOWN);
    chain.quantity = Quantity::Power;
    let mut readings: Vec<(i64, f64)> = (0..700).map(|step| (step * 7, 333.3)).collect();
    let late = readings.remove(20);
    let mut model = Model::default();
    deliver(&mut model, &chain, &by_minute(&readings));
    let before = model.ledger().0;
    deliver(&mut model, &chain, &by_minute(&[(late.0, 900.0)]));
    let after = model.ledger().0;
    assert_ne!(before[0], after[0]);
    assert_eq!(before[1..], after[1..]);
    let mut at_once = Model::default();
    readings.push((late.0, 900.0));
    deliver(&mut at_once, &chain, &by_minute(&readings));
    assert_eq!(at_once.ledger(), model.ledger());
    // 333.3 W for a whole day, less than one watt-hour rounded away.
    let day: i64 = after[1]
        .intervals
        .iter()
        .flatten()
        .map(|one| one.amount_base)
        .sum();
    assert_eq!(day, 7_999);
}
