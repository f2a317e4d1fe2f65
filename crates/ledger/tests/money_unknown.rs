//! What a bill says where its terms change, end, or leave something open.
#![allow(clippy::unwrap_used, clippy::panic)]

mod money_world;

use money_world::*;
use rust_decimal::Decimal;
use steward_config::{Band, PowerFactorRule, TariffVersion, TierStep, Tiers};
use steward_ledger::money::{LineKind, PowerFactor, Unknown};

fn tiers(yearly: bool) -> Option<Tiers> {
    Some(Tiers {
        yearly,
        steps: vec![TierStep {
            from_base: 1_000_000,
            extra: price("0.1"),
        }],
    })
}

/// Half as much again, whatever the power factor.
fn half_more() -> Option<PowerFactorRule> {
    Some(PowerFactorRule {
        standard: cny("0.90"),
        table: vec![(Decimal::ZERO, cny("0.5"))],
    })
}

#[test]
fn a_band_without_a_price_leaves_its_energy_and_what_is_taken_on_it_open() {
    let mut version = time_of_use(date(2026, 1, 1));
    version.energy.remove(&Band::Valley);
    version.power_factor = half_more();
    let config = simple(vec![version]);
    let period = (date(2026, 11, 1), date(2026, 11, 2));
    let bill = Asked {
        power_factor: PowerFactor::Is(cny("0.9")),
        ..asked(&config, period.0, period.1)
    }
    .bill(&taken(SHANGHAI, period, |_| 1_000));
    // A Sunday: 32 quarters of valley have no price; 64 kWh × 0.60 and × 0.03 have one.
    assert_eq!(
        sums(&bill),
        [
            (LineKind::Unpriced, None),
            known(LineKind::Energy(Band::Flat), "38.40"),
            known(LineKind::Surcharge, "1.92"),
            (LineKind::PowerFactor, None),
        ]
    );
    assert_eq!(bill.lines[0].quantity, Some(cny("32")));
    assert_eq!(bill.lines[3].unknown, Some(Unknown::Base));
    assert_eq!((bill.interval_cost_ncny, bill.total_cny), (None, None));
}

#[test]
fn monthly_tiers_begin_again_and_are_adjusted_by_power_factor() {
    let version = TariffVersion {
        tiers: tiers(false),
        power_factor: half_more(),
        ..flat(date(2026, 1, 1), "0.5")
    };
    let config = simple(vec![version]);
    // 48 kWh a day: 31 days of October are 1,488, 488 of them above the step; November has 1,440.
    let period = (date(2026, 10, 1), date(2026, 12, 1));
    let bill = Asked {
        power_factor: PowerFactor::Is(cny("0.9")),
        ..asked(&config, period.0, period.1)
    }
    .bill(&taken(SHANGHAI, period, |_| 500));
    assert_eq!(
        sums(&bill),
        [
            known(LineKind::Energy(Band::Flat), "744.00"),
            known(LineKind::Tier(2), "48.80"),
            // (744 + 48.80) × 0.5.
            known(LineKind::PowerFactor, "396.40"),
            known(LineKind::Energy(Band::Flat), "720.00"),
            known(LineKind::Tier(2), "44.00"),
            known(LineKind::PowerFactor, "382.00"),
        ]
    );
}

#[test]
fn yearly_tiers_that_begin_within_a_year_need_to_know_what_was_before() {
    let mut old = flat(date(2026, 1, 1), "0.5");
    old.to = Some(date(2027, 1, 10));
    let new = TariffVersion {
        tiers: tiers(true),
        ..flat(date(2027, 1, 10), "0.5")
    };
    let config = simple(vec![old, new]);
    let period = (date(2026, 12, 20), date(2027, 1, 20));
    let bill = Asked {
        year_before_base: Some(0),
        ..asked(&config, period.0, period.1)
    }
    .bill(&taken(SHANGHAI, period, |_| 1_000));
    // The days of the new year before the tiers began are not counted apart.
    let last = bill.lines.last().unwrap();
    assert_eq!(
        (last.kind, last.sum_cny, last.unknown),
        (LineKind::Tier(2), None, Some(Unknown::YearBefore))
    );
    assert_eq!(bill.total_cny, None);
}

#[test]
fn days_without_a_tariff_leave_the_bill_open_even_if_nothing_was_taken() {
    let mut version = flat(date(2026, 1, 1), "0.5");
    version.to = Some(date(2026, 11, 30));
    let config = simple(vec![version]);
    let measured = (date(2026, 11, 1), date(2026, 11, 30));
    let bill = asked(&config, date(2026, 11, 1), date(2026, 12, 1)).bill(&taken(
        SHANGHAI,
        measured,
        |_| 1_000,
    ));
    let last = bill.lines.last().unwrap();
    assert_eq!(
        (last.kind, last.quantity),
        (LineKind::Unpriced, Some(cny("0.000")))
    );
    // Everything that was taken has a price; the last day's charges are not known.
    assert_eq!(bill.interval_cost_ncny, Some(29 * 96 * 1_000 * 500_000));
    assert_eq!(bill.total_cny, None);
}
