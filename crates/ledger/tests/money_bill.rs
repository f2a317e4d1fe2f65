//! Bills, worked by hand; and their laws.
#![allow(clippy::unwrap_used, clippy::panic)]

mod money_world;

use chrono::NaiveDate;
use chrono_tz::Tz;
use money_world::*;
use proptest::prelude::*;
use rust_decimal::Decimal;
use steward_config::{
    Band, Config, DemandBasis, DemandCharge, PowerFactorRule, TariffVersion, TierStep, Tiers,
};
use steward_ledger::LocalDay;
use steward_ledger::money::{
    LineKind, PowerFactor, Prices, Taken, Unknown, cost, max_demand, power_factor,
};
use steward_model::{Commodity, IntervalAmount, IntervalQuality};

fn two_part(from: NaiveDate) -> TariffVersion {
    TariffVersion {
        demand: Some(DemandCharge {
            cny_per_kw_month: Some(cny("40")),
            cny_per_kva_month: Some(cny("24")),
            window_min: 15,
        }),
        power_factor: Some(PowerFactorRule {
            standard: cny("0.90"),
            table: vec![
                (cny("0.95"), cny("-0.0075")),
                (cny("0.90"), Decimal::ZERO),
                (cny("0.65"), cny("0.15")),
            ],
        }),
        fixed_cny_month: cny("10"),
        ..time_of_use(from)
    }
}

const NOVEMBER: (i32, u32) = (2026, 11);

fn november(config: &Config) -> Asked<'_> {
    let (year, month) = NOVEMBER;
    asked(config, date(year, month, 1), date(year, month + 1, 1))
}

/// 25 kWh every quarter of an hour, that is 100 kW; and once, at 03:00 of the 5th, 30 kWh.
fn november_taken() -> Vec<Taken> {
    let peak = LocalDay::of(SHANGHAI, date(2026, 11, 5)).start_ms / 1_000 + 3 * 3_600;
    let period = (date(2026, 11, 1), date(2026, 12, 1));
    taken(
        SHANGHAI,
        period,
        |at| if at == peak { 30_000 } else { 25_000 },
    )
}

#[test]
fn a_two_part_bill_is_that_of_a_pocket_calculator() {
    let mut config = simple(vec![two_part(date(2026, 1, 1))]);
    config.tariffs.accounts.get_mut("main").unwrap().demand = DemandBasis::MaximumDemand;
    let bill = Asked {
        power_factor: PowerFactor::Is(cny("0.95")),
        ..november(&config)
    }
    .bill(&november_taken());
    // November 2026 has 21 workdays and 9 other days.
    // sharp:  21 × 8 × 25 kWh = 4,200 × 1.20 = 5,040.00
    // peak:   21 × 24 × 25 = 12,600 × 1.00 = 12,600.00
    // flat:   21 × 32 × 25 + 9 × 64 × 25 = 31,200 × 0.60 = 18,720.00
    // valley: 30 × 32 × 25 + 5 = 24,005 × 0.30 = 7,201.50
    // fund:   72,005 × 0.03 = 2,160.15
    // demand: 30 kWh × 4 = 120 kW × 40 = 4,800.00
    // power factor 0.95: (5,040 + 12,600 + 18,720 + 7,201.50 + 4,800) × −0.0075 = −362.711…
    assert_eq!(
        sums(&bill),
        [
            known(LineKind::Energy(Band::Sharp), "5040.00"),
            known(LineKind::Energy(Band::Peak), "12600.00"),
            known(LineKind::Energy(Band::Flat), "18720.00"),
            known(LineKind::Energy(Band::Valley), "7201.50"),
            known(LineKind::Surcharge, "2160.15"),
            known(LineKind::Demand, "4800.00"),
            known(LineKind::PowerFactor, "-362.71"),
            known(LineKind::Fixed, "10.00"),
        ]
    );
    assert_eq!(bill.total_cny, Some(cny("50168.94")));
    assert_eq!(bill.amount_base, 72_005_000);
    // 43,561.50 + 2,160.15, in nano-yuan and before any rounding.
    assert_eq!(bill.interval_cost_ncny, Some(45_721_650_000_000));
    let demand = bill.demand.unwrap();
    assert_eq!(demand.kw, cny("120"));
    assert_eq!(demand.start_s, november_taken()[4 * 96 + 12].start_s);
    assert_eq!(
        (bill.intervals_present, bill.intervals_expected),
        (2_880, 2_880)
    );
    let line = &bill.lines[3];
    assert_eq!(
        (line.name_zh.as_str(), line.name_en.as_str()),
        ("电费（谷）", "Electricity, valley")
    );
    assert_eq!((line.quantity, line.unit), (Some(cny("24005")), "kWh"));
    assert_eq!(
        (line.price, line.tariff.as_str()),
        (Some(cny("0.3")), "t@2026-01-01")
    );
}

#[test]
fn a_bill_without_power_factor_has_no_total_but_says_why() {
    let mut config = simple(vec![two_part(date(2026, 1, 1))]);
    config.tariffs.accounts.get_mut("main").unwrap().demand = DemandBasis::Capacity(cny("315"));
    let unknown = november(&config).bill(&november_taken());
    let line = unknown
        .lines
        .iter()
        .find(|line| line.kind == LineKind::PowerFactor)
        .unwrap();
    assert_eq!(
        (line.sum_cny, line.unknown),
        (None, Some(Unknown::PowerFactor))
    );
    assert_eq!(unknown.total_cny, None);
    // 43,561.50 + 2,160.15 + 315 kVA × 24 + 10.
    assert_eq!(unknown.known_cny, cny("53291.65"));
    // 0.64 is below the last row of the table: no row says what it costs.
    for (active, reactive, sum) in [
        // 0.9 of √(0.9² + 0.43589²) is 0.90 after rounding: nothing is added.
        (900_000, 435_890, Some("0.00")),
        // Equal parts are 0.7071, 0.71: (43,561.50 + 7,560) × 0.15 = 7,668.225.
        (1, 1, Some("7668.23")),
        (64, 77, None),
    ] {
        let bill = Asked {
            power_factor: PowerFactor::Of { active, reactive },
            ..november(&config)
        }
        .bill(&november_taken());
        let line = bill
            .lines
            .iter()
            .find(|line| line.kind == LineKind::PowerFactor)
            .unwrap();
        assert_eq!(line.sum_cny, sum.map(cny), "{active} {reactive}");
    }
}

#[test]
fn tiers_count_what_lies_within_their_steps() {
    let tiers = |yearly| {
        Some(Tiers {
            yearly,
            steps: vec![
                TierStep {
                    from_base: 2_760_000,
                    extra: price("0.05"),
                },
                TierStep {
                    from_base: 4_800_000,
                    extra: price("0.3"),
                },
            ],
        })
    };
    // 1 kWh an interval: 30 × 96 = 2,880 kWh in November.
    let period = (date(2026, 11, 1), date(2026, 12, 1));
    let intervals = taken(SHANGHAI, period, |_| 1_000);
    let lines = |yearly, before| {
        let version = TariffVersion {
            tiers: tiers(yearly),
            ..flat(date(2026, 1, 1), "0.5")
        };
        let config = simple(vec![version]);
        let bill = Asked {
            year_before_base: before,
            ..november(&config)
        }
        .bill(&intervals);
        (sums(&bill), bill.total_cny)
    };
    let energy = known(LineKind::Energy(Band::Flat), "1440.00");
    // By the month: 120 kWh above 2,760 × 0.05.
    let (month, total) = lines(false, None);
    assert_eq!(month, [energy.clone(), known(LineKind::Tier(2), "6.00")]);
    assert_eq!(total, Some(cny("1446.00")));
    // By the year, from 2,700 to 5,580: 2,040 × 0.05 and 780 × 0.30.
    let (year, total) = lines(true, Some(2_700_000));
    assert_eq!(
        year,
        [
            energy.clone(),
            known(LineKind::Tier(2), "102.00"),
            known(LineKind::Tier(3), "234.00"),
        ]
    );
    assert_eq!(total, Some(cny("1776.00")));
    let (unknown, total) = lines(true, None);
    assert_eq!(unknown, [energy, (LineKind::Tier(2), None)]);
    assert_eq!(total, None);
}

#[test]
fn yearly_tiers_begin_again_with_the_year() {
    let version = TariffVersion {
        tiers: Some(Tiers {
            yearly: true,
            steps: vec![TierStep {
                from_base: 1_000_000,
                extra: price("0.1"),
            }],
        }),
        ..flat(date(2026, 1, 1), "0.5")
    };
    let config = simple(vec![version]);
    // 20 December to 20 January, 96 kWh a day: 12 days above the step, then 1,824 of the new year,
    // of which 824 are above: 1,152 × 0.1 and 824 × 0.1.
    let period = (date(2026, 12, 20), date(2027, 1, 20));
    let bill = Asked {
        year_before_base: Some(30_000_000),
        ..asked(&config, period.0, period.1)
    }
    .bill(&taken(SHANGHAI, period, |_| 1_000));
    assert_eq!(
        sums(&bill),
        [
            known(LineKind::Energy(Band::Flat), "576.00"),
            known(LineKind::Tier(2), "115.20"),
            known(LineKind::Energy(Band::Flat), "912.00"),
            known(LineKind::Tier(2), "82.40"),
        ]
    );
}

#[test]
fn a_change_within_the_month_splits_lines_and_monthly_prices() {
    let mut old = two_part(date(2026, 1, 1));
    old.to = Some(date(2026, 11, 11));
    old.power_factor = None;
    let mut new = old.clone();
    (new.from, new.to) = (date(2026, 11, 11), None);
    new.demand = Some(DemandCharge {
        cny_per_kw_month: None,
        cny_per_kva_month: Some(cny("30")),
        window_min: 15,
    });
    let mut config = simple(vec![old, new]);
    config.tariffs.accounts.get_mut("main").unwrap().demand = DemandBasis::Capacity(cny("315"));
    let bill = november(&config).bill(&november_taken());
    let of = |kind: LineKind| -> Vec<(NaiveDate, NaiveDate, Option<Decimal>)> {
        let lines = bill.lines.iter().filter(|line| line.kind == kind);
        lines
            .map(|line| (line.from, line.to, line.sum_cny))
            .collect()
    };
    let (first, middle, end) = (date(2026, 11, 1), date(2026, 11, 11), date(2026, 12, 1));
    // 315 × 24 × 10 ÷ 30 and 315 × 30 × 20 ÷ 30; 10 CNY × 10 ÷ 30 and × 20 ÷ 30.
    assert_eq!(
        of(LineKind::Capacity),
        [
            (first, middle, Some(cny("2520.00"))),
            (middle, end, Some(cny("6300.00")))
        ]
    );
    assert_eq!(
        of(LineKind::Fixed),
        [
            (first, middle, Some(cny("3.33"))),
            (middle, end, Some(cny("6.67")))
        ]
    );
    assert_eq!(of(LineKind::Surcharge).len(), 2);
    let total: Decimal = bill.lines.iter().filter_map(|line| line.sum_cny).sum();
    assert_eq!(bill.total_cny, Some(total));
    // An account that pays for demand where the version has no price for it has no total.
    config.tariffs.accounts.get_mut("main").unwrap().demand = DemandBasis::MaximumDemand;
    let bill = november(&config).bill(&november_taken());
    let demand: Vec<_> = bill
        .lines
        .iter()
        .filter(|line| line.kind == LineKind::Demand)
        .map(|line| (line.sum_cny, line.unknown))
        .collect();
    // 120 kW × 40 × 10 ÷ 30.
    assert_eq!(
        demand,
        [(Some(cny("1600.00")), None), (None, Some(Unknown::Price))]
    );
    assert_eq!(bill.total_cny, None);
}

#[test]
fn a_period_is_billed_by_its_own_months() {
    let mut version = flat(date(2026, 1, 1), "0.5");
    version.fixed_cny_month = cny("31");
    let config = simple(vec![version]);
    for (from, to, fixed) in [
        (date(2026, 1, 20), date(2026, 2, 20), vec!["31.00"]),
        (date(2026, 1, 20), date(2026, 2, 5), vec!["16.00"]),
        (date(2026, 1, 31), date(2026, 3, 31), vec!["31.00", "31.00"]),
        // The second month, from 28 February to 31 March, has 31 days; three are billed.
        (date(2026, 1, 31), date(2026, 3, 3), vec!["31.00", "3.00"]),
    ] {
        let bill = asked(&config, from, to).bill(&taken(SHANGHAI, (from, to), |_| 1));
        let sums: Vec<String> = bill
            .lines
            .iter()
            .filter(|line| line.kind == LineKind::Fixed)
            .map(|line| line.sum_cny.unwrap().to_string())
            .collect();
        assert_eq!(sums, fixed, "{from} {to}");
    }
}

#[test]
fn what_has_no_price_is_shown_without_one() {
    let mut version = flat(date(2026, 1, 1), "0.5");
    version.to = Some(date(2026, 11, 30));
    let config = simple(vec![version]);
    let period = (date(2026, 11, 1), date(2026, 12, 1));
    let bill = november(&config).bill(&taken(SHANGHAI, period, |_| 1_000));
    assert_eq!(
        sums(&bill),
        [
            known(LineKind::Energy(Band::Flat), "1392.00"),
            (LineKind::Unpriced, None)
        ]
    );
    let last = bill.lines.last().unwrap();
    assert_eq!((last.quantity, last.price), (Some(cny("96.000")), None));
    assert_eq!(
        (last.from, last.unknown),
        (date(2026, 11, 30), Some(Unknown::Price))
    );
    assert_eq!((bill.total_cny, bill.known_cny), (None, cny("1392.00")));
    assert_eq!(bill.interval_cost_ncny, None);
    assert_eq!(bill.amount_base, 2_880_000);
}

#[test]
fn nothing_measured_is_no_bill_of_nothing() {
    let mut version = flat(date(2026, 1, 1), "0.5");
    version.fixed_cny_month = cny("10");
    let config = simple(vec![version]);
    let bill = november(&config).bill(&[]);
    assert_eq!(bill.total_cny, None);
    assert_eq!(
        (bill.intervals_present, bill.intervals_expected),
        (0, 2_880)
    );
    let empty = asked(&config, date(2026, 11, 2), date(2026, 11, 1)).bill(&[]);
    assert_eq!((empty.lines, empty.intervals_expected), (Vec::new(), 0));
}

#[test]
fn lines_round_halves_away_from_zero() {
    let config = simple(vec![flat(date(2026, 1, 1), "0.1")]);
    let start_s = LocalDay::of(SHANGHAI, date(2026, 11, 1)).start_ms / 1_000;
    // 0.1 CNY/kWh: 50 Wh are 0.005 CNY.
    for (amount_base, sum) in [(50, "0.01"), (49, "0.00"), (-50, "-0.01"), (150, "0.02")] {
        let bill = november(&config).bill(&[Taken {
            start_s,
            amount_base,
        }]);
        assert_eq!(bill.lines[0].sum_cny, Some(cny(sum)), "{amount_base}");
    }
}

#[test]
fn heat_is_billed_by_the_gigajoule() {
    let mut config = simple(vec![flat(date(2026, 1, 1), "0.5")]);
    let account = config.tariffs.accounts.get_mut("main").unwrap();
    account.commodity = Commodity::Heat;
    let version = &mut config.tariffs.all.get_mut("t").unwrap().versions[0];
    // 60.5 CNY/GJ = 60,500 nano-yuan per kJ.
    let price = steward_config::Price {
        cny: cny("60.5"),
        ncny_per_base: 60_500,
    };
    version.energy.insert(Band::Flat, price);
    let period = (date(2026, 11, 1), date(2026, 12, 1));
    let bill = november(&config).bill(&taken(SHANGHAI, period, |_| 100_000));
    // 2,880 × 0.1 GJ = 288 × 60.5.
    let line = &bill.lines[0];
    assert_eq!((line.quantity, line.unit), (Some(cny("288")), "GJ"));
    assert_eq!((line.sum_cny, bill.demand), (Some(cny("17424.00")), None));
    assert_eq!(line.name_zh, "热力费");
}

#[test]
fn demand_needs_complete_windows() {
    let at = |index: i64, amount_base: i64| Taken {
        start_s: index * 900,
        amount_base,
    };
    let intervals = [at(0, 100), at(1, 400), at(3, 900), at(4, 200), at(5, 300)];
    let kw = |window_min| max_demand(&intervals, window_min).map(|most| (most.kw, most.start_s));
    // 900 Wh in 15 minutes are 3.6 kW; 900 + 200 in 30 are 2.2; 900 + 200 + 300 in 45 are 1.8666…
    assert_eq!(kw(15), Some((cny("3.6"), 2_700)));
    assert_eq!(kw(30), Some((cny("2.2"), 2_700)));
    assert_eq!(kw(45).map(|(kw, _)| kw.round_dp(4)), Some(cny("1.8667")));
    assert_eq!((kw(60), kw(10), kw(0)), (None, None, None));
    // Of equal ones the first is told.
    let twice = [at(0, 5), at(1, 9), at(2, 9)];
    assert_eq!(max_demand(&twice, 15).map(|most| most.start_s), Some(900));
}

#[test]
fn power_factors_are_those_of_the_table_books() {
    for (active, reactive, expected) in [
        (1, 0, Some("1.00")),
        (3, 4, Some("0.60")),
        (4, -3, Some("0.80")),
        // 0.94499… and 0.94501…
        (94_499, 32_710, Some("0.94")),
        (94_501, 32_704, Some("0.95")),
        (9_000_000_000_000_000, 4_358_898_943_540_674, Some("0.90")),
        (0, 5, None),
    ] {
        let found = power_factor(active, reactive);
        assert_eq!(found, expected.map(cny), "{active} {reactive}");
    }
}

fn some_version() -> impl Strategy<Value = TariffVersion> {
    let band = prop::sample::select(Band::ALL.to_vec());
    let prices = prop::collection::vec(0_i64..2_000_000, 5);
    (prop::collection::vec(band, 96), prices, 0_i64..50_000).prop_map(|(bands, prices, fund)| {
        let mut version = time_of_use(date(2026, 1, 1));
        version.schedules[0].bands = bands.try_into().unwrap();
        for (band, ncny) in Band::ALL.into_iter().zip(prices) {
            version
                .energy
                .insert(band, price(&Decimal::new(ncny, 6).to_string()));
        }
        version.surcharges[0].price = price(&Decimal::new(fund, 6).to_string());
        version
    })
}

proptest! {
    #![proptest_config(laws(300, "tests/money_bill.proptest-regressions"))]

    #[test]
    fn a_bill_is_what_the_ledger_costs(
        old in some_version(),
        new in some_version(),
        change in 0_u64..20,
        zone in prop::sample::select(vec![SHANGHAI, BERLIN, Tz::Australia__Lord_Howe]),
        seed in prop::collection::vec(prop::option::weighted(0.9, 0_i64..90_000), 7..97),
    ) {
        let first = date(2026, 10, 20);
        let end = date(2026, 11, 9);
        let middle = first + chrono::Days::new(change);
        let (mut old, mut new) = (old, new);
        old.to = Some(middle);
        new.from = middle;
        let config = simple(vec![old, new]);
        let prices = Prices::of(&config);
        let mut intervals: Vec<Taken> = Vec::new();
        let mut ledger_ncny: i128 = 0;
        let mut count = 0;
        for today in first.iter_days().take_while(|today| *today < end) {
            let local_day = LocalDay::of(zone, today);
            let start_s = local_day.start_ms / 1_000;
            let mut day: Vec<Option<IntervalAmount>> = Vec::new();
            for index in 0..local_day.intervals() {
                let amount = seed[count % seed.len()];
                count += 1;
                day.push(amount.map(|amount_base| IntervalAmount {
                    amount_base,
                    quality: IntervalQuality::Measured,
                }));
                if let Some(amount_base) = amount {
                    let start_s = start_s + 900 * i64::try_from(index).unwrap();
                    intervals.push(Taken { start_s, amount_base });
                }
            }
            let day_prices = prices.day(&config, &id("p"), &local_day, zone);
            ledger_ncny += i128::from(cost(&day, &day_prices.runs).unwrap());
        }
        let bill = Asked { zone, ..asked(&config, first, end) }.bill(&intervals);
        prop_assert_eq!(bill.interval_cost_ncny, Some(ledger_ncny));
        prop_assert_eq!(bill.intervals_present, intervals.len() as u64);
        let amount: i128 = intervals.iter().map(|one| i128::from(one.amount_base)).sum();
        prop_assert_eq!(bill.amount_base, amount);
        prop_assert_eq!(bill.by_band.iter().map(|(_, amount)| amount).sum::<i128>(), amount);
        // Each line is off by half a cent at most, and the total is the sum of the lines.
        if !intervals.is_empty() {
            let exact = Decimal::from_i128_with_scale(ledger_ncny, 9);
            let lines = Decimal::from(bill.lines.len());
            let total = bill.total_cny.unwrap();
            prop_assert!((total - exact).abs() <= lines * cny("0.005"));
            prop_assert_eq!(total, bill.lines.iter().filter_map(|line| line.sum_cny).sum::<Decimal>());
        }
    }

    #[test]
    fn the_power_factor_is_the_quotient_rounded(active in 1_i64..2_000_000, reactive in 0_i64..2_000_000) {
        let (p, q) = (active as f64, reactive as f64);
        let exact = p / (p * p + q * q).sqrt();
        let found: f64 = power_factor(active, reactive).unwrap().to_string().parse().unwrap();
        prop_assert!((found - exact).abs() <= 0.005 + 1e-9, "{found} {exact}");
    }
}
