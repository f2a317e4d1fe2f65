//! Laws of the kernel against a known truth: what really flowed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

mod common;

use chrono::{Days, NaiveDate};
use common::{
    Dice, Model, ZONES, chain, deliver, lineages, meter, raw, rules, service, simple_chain,
};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use steward_config::CounterLimits;
use steward_ledger::{Chain, Link, LocalDay, Past, Raw, settle_slice};
use steward_model::{MeterId, Quantity};

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: std::env::var("PROPTEST_CASES")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(1_500),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/truth_laws.proptest-regressions",
        ))),
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    }
}

/// What really flowed, and what a meter showed of it.
#[derive(Clone, Debug)]
struct Truth {
    chain: Chain,
    readings: Vec<(MeterId, Raw)>,
    /// Base units from the first reading to the last.
    flowed_base: i64,
    /// Whether everything that flowed can be known from the readings and the books.
    knowable: bool,
}

#[derive(Clone, Copy, Debug)]
enum Mishap {
    None,
    Outage,
    Zeros(usize),
    Spike,
    Jitter,
    Reset,
    Negative,
}

fn mishap() -> impl Strategy<Value = Mishap> {
    prop_oneof![
        30 => Just(Mishap::None),
        2 => Just(Mishap::Outage),
        1 => (1_usize..4).prop_map(Mishap::Zeros),
        1 => Just(Mishap::Spike),
        2 => Just(Mishap::Jitter),
        1 => Just(Mishap::Reset),
        1 => Just(Mishap::Negative),
    ]
}

/// A rated meter with a modulus that is passed now and then, an exchange with registers, and a
/// change of transformers, each with the mishaps of the line.
fn truth() -> impl Strategy<Value = Truth> {
    let steps = prop::collection::vec((0_i64..=90, mishap()), 30..200);
    let start = prop_oneof![97_000_i64..100_000, 0_i64..20_000];
    let exchanges = (prop::option::of(20_i64..100), prop::option::of(1_u64..4));
    (0..ZONES.len(), 1_u32..100, exchanges, steps, start).prop_map(
        |(zone, ratio, (replaced_at, ratio_day), steps, start)| {
            let counter = CounterLimits {
                resolution: 1.0,
                modulus: Some(100_000.0),
                rise_max_per_h: Some(400.0),
            };
            let from = NaiveDate::from_ymd_opt(2026, 3, 27).unwrap();
            let zone = ZONES[zone];
            let day_ms = |day| LocalDay::of(zone, from + Days::new(day)).start_ms;
            let first_ms = day_ms(0);
            let mut services = vec![service("m0", ratio, counter, first_ms, i64::MAX)];
            let mut truth = Truth {
                chain: chain(zone, Quantity::EnergyImport, Vec::new()),
                readings: Vec::new(),
                flowed_base: 0,
                knowable: true,
            };
            let (mut register, mut at_ms, mut now) = (start, first_ms, ratio);
            let mut name = "m0";
            let ratio_ms = ratio_day.map(day_ms);
            let mut silent = 0;
            for (index, (rise, mishap)) in (0_i64..).zip(steps) {
                if ratio_ms == Some(at_ms) {
                    now = ratio + 7;
                    let mut next = service(name, now, counter, at_ms, i64::MAX);
                    next.link = Link::Ratio;
                    services.last_mut().unwrap().to_ms = at_ms;
                    services.push(next);
                }
                if replaced_at == Some(index) {
                    // Between two readings: five minutes later.
                    let begin_ms = at_ms - 5 * 60_000;
                    name = "m1";
                    let mut next = service(name, now, counter, begin_ms, i64::MAX);
                    next.link = Link::Replaced {
                        old_last: register as f64,
                        new_first: 250.0,
                        event: 7,
                    };
                    if services.last().unwrap().from_ms < begin_ms {
                        services.last_mut().unwrap().to_ms = begin_ms;
                        services.push(next);
                        register = 250;
                    } else {
                        name = "m0";
                    }
                }
                // The first reading is taken as it is: nothing before it contradicts it.
                let mishap = if index == 0 { Mishap::None } else { mishap };
                // Within reach of its modulus a register that is set to zero looks like one that
                // passed it.
                let mishap = match mishap {
                    Mishap::Reset if register > 60_000 => Mishap::None,
                    mishap => mishap,
                };
                if let Mishap::Reset = mishap {
                    // What flows until the register is seen again is not known.
                    truth.knowable = false;
                    register = 0;
                }
                register += rise;
                truth.flowed_base += rise * i64::from(now);
                register %= 100_000;
                let shown = match mishap {
                    Mishap::Zeros(count) => {
                        silent = count;
                        Some(0.0)
                    }
                    Mishap::Outage => None,
                    Mishap::Spike => Some(register as f64 + 40_000.0),
                    Mishap::Jitter if register > 0 => Some(register as f64 - 1.0),
                    Mishap::Negative => Some(-3.0),
                    _ if silent > 0 => {
                        silent -= 1;
                        Some(0.0)
                    }
                    _ => Some(register as f64),
                };
                if let Some(shown) = shown {
                    truth.readings.push((meter(name), raw(at_ms, shown)));
                }
                // The first, and the last, are what they are; and what is shown at once is plain.
                at_ms += 15 * 60_000;
            }
            truth.chain.lineages = lineages(zone, services);
            truth
        },
    )
}

proptest! {
    #![proptest_config(config())]

    /// No input makes an invented amount: whatever the line did, the ledger has no more than what
    /// flowed.
    #[test]
    fn nothing_is_invented(truth in truth()) {
        let mut model = Model::default();
        model.deliver(&truth.chain, &truth.readings);
        // A step of the register may be told by either side of it.
        let slack = truth.chain.lineages[0].services.len() as i64 * 110;
        prop_assert!(model.total() <= truth.flowed_base + slack);
        prop_assert!(model.total() >= 0);
    }
}

/// A plain year of quarters: what an uninterrupted meter gives.
#[derive(Clone, Debug)]
struct Uninterrupted {
    rises: Vec<i64>,
    zone: usize,
    start: i64,
}

fn uninterrupted() -> impl Strategy<Value = Uninterrupted> {
    (
        prop::collection::vec(3_i64..=90, 20..300),
        0..ZONES.len(),
        0_i64..100_000,
    )
        .prop_map(|(rises, zone, start)| Uninterrupted { rises, zone, start })
}

proptest! {
    #![proptest_config(config())]

    /// Rollovers, a replacement with registers, an exchange of transformers, glitches, jitter and
    /// outages: the total is that of a meter to which none of it happened.
    #[test]
    fn what_happens_to_a_meter_keeps_the_total_of_one_to_which_nothing_happens(
        plain in uninterrupted(),
        seed in any::<u64>(),
        ratio in 1_u32..100,
    ) {
        let mut dice = Dice(seed);
        let zone = ZONES[plain.zone];
        let from = NaiveDate::from_ymd_opt(2026, 3, 27).unwrap();
        let counter = CounterLimits {
            resolution: 1.0,
            modulus: Some(100_000.0),
            rise_max_per_h: Some(400.0),
        };
        let first_ms = LocalDay::of(zone, from).start_ms;
        let ratio_ms = LocalDay::of(zone, from + Days::new(1)).start_ms;
        let replaced = 10 + dice.below(plain.rises.len());
        let mut services = vec![service("m0", ratio, counter, first_ms, i64::MAX)];
        let (mut register, mut now, mut name) = (plain.start, ratio, "m0");
        let mut readings = vec![(meter(name), raw(first_ms, register as f64))];
        let mut expected = 0;
        // A spike at the very moment of a rollover is for a person to tell.
        let mut plain_since = 0;
        let follow = |services: &mut Vec<steward_ledger::Service>, name, now, at_ms, link| {
            let mut next = service(name, now, counter, at_ms, i64::MAX);
            next.link = link;
            services.last_mut().unwrap().to_ms = at_ms;
            services.push(next);
        };
        // The quiet end lets everything that is pending be seen.
        let quiet = [30_i64; 3];
        let length = plain.rises.len();
        for (index, rise) in plain.rises.iter().chain(&quiet).enumerate() {
            let at_ms = first_ms + (index as i64 + 1) * 900_000;
            register += rise;
            plain_since = if register >= 100_000 { 0 } else { plain_since + 1 };
            register %= 100_000;
            expected += rise * i64::from(now);
            if at_ms == ratio_ms {
                now += 3;
                follow(&mut services, name, now, at_ms, Link::Ratio);
            } else if index == replaced && plain_since > 3 {
                let link = Link::Replaced {
                    old_last: register as f64,
                    new_first: 77.0,
                    event: 1,
                };
                name = "m1";
                register = 77;
                follow(&mut services, name, now, at_ms, link);
            }
            let is_plain = index >= length || at_ms == ratio_ms;
            let shown = match dice.below(if is_plain { 1 } else { 20 }) {
                1 => None,
                2 if plain_since > 12 && register < 99_000 => Some(register as f64 + 30_000.0),
                3 if register > 1 => Some(register as f64 - 1.0),
                4 => Some(-5.0),
                _ => Some(register as f64),
            };
            if let Some(shown) = shown {
                readings.push((meter(name), raw(at_ms, shown)));
            }
        }
        // A register that stands at zero at the very end may still return.
        prop_assume!(plain_since > 3);
        let chain = chain(zone, Quantity::EnergyImport, lineages(zone, services));
        let mut model = Model::default();
        model.deliver(&chain, &readings);
        prop_assert_eq!(model.total(), expected);
        let is_open = |one: &&steward_model::Finding| one.is_open();
        prop_assert_eq!(model.findings.values().find(is_open), None);
    }

    /// The whole slice at once is what the store settles.
    #[test]
    fn a_slice_settles_as_a_store_does(plain in uninterrupted(), ratio in 1_u32..50) {
        let from = NaiveDate::from_ymd_opt(2026, 3, 27).unwrap();
        let chain = simple_chain(ZONES[plain.zone], ratio, from, None);
        let mut value = plain.start as f64;
        let readings: Vec<Raw> = (0_i64..).zip(&plain.rises).map(|(index, rise)| {
            value += *rise as f64;
            raw(chain.lineages[0].from_ms + index * 400_000, value)
        }).collect();
        let batch: Vec<(i64, f64)> = readings.iter().map(|one| (one.at_ms, one.value)).collect();
        let mut model = Model::default();
        deliver(&mut model, &chain, &batch);
        let settled =
            settle_slice(&chain, &chain.lineages[0], &rules(), &Past::default(), &readings);
        prop_assert_eq!(settled.days, model.ledger().0);
    }
}
