//! Bills, invoices and balances over a small world in a working store.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod world;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use steward_books::{Entry, Event, Invoice, Replacement, State};
use steward_config::tariff::QUARTERS;
use steward_config::{
    Account, Band, Config, DayKind, DemandBasis, DemandCharge, PointRole, Price, Schedule,
};
use steward_model::{
    Commodity, Evidence, Finding, FindingKind, FindingState, MeterId, PointId, Quantity, Span,
    UtcMs,
};
use steward_report::balance::{BalanceVerdict, balance};
use steward_report::bill::{bill, month_bill};
use steward_report::invoice::{Compared, compare};
use steward_store::{
    Carry, FoundIn, LedgerUpdate, Source, StoreOptions, StoreReader, StoredDay, WorkingStore,
};
use tempfile::TempDir;
use world::{NOW, date};

/// One price at all times: 0.65 CNY/kWh.
const PRICE: i64 = 650_000;

struct Site {
    config: Config,
    source: Source,
    state: State,
    _dir: TempDir,
}

/// The world with a tariff for its electricity, what `change` makes of its days, and `findings`.
fn site(change: impl Fn(&mut Vec<StoredDay>), findings: Vec<Finding>) -> Site {
    let mut config = world::config();
    let account = electricity(&config).id.clone();
    let account = config.tariffs.accounts.get_mut(&account).unwrap();
    account.demand = DemandBasis::MaximumDemand;
    let tariff = account.tariffs[0].value.clone();
    let version = &mut config.tariffs.all.get_mut(&tariff).unwrap().versions[0];
    version.schedules = vec![Schedule {
        months: (1..=12).collect(),
        days: vec![DayKind::Workday, DayKind::Restday, DayKind::Holiday],
        bands: [Band::Flat; QUARTERS],
    }];
    let price = Price {
        cny: Decimal::new(65, 2),
        ncny_per_base: PRICE,
    };
    version.energy = BTreeMap::from([(Band::Flat, price)]);
    version.demand = Some(DemandCharge {
        cny_per_kw_month: Some(Decimal::from(40)),
        cny_per_kva_month: None,
        window_min: 15,
    });
    let mut days = world::days(&config);
    change(&mut days);
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        publish: false,
        outbox_bytes_max: 1,
        clock: || NOW,
        ledger_gauges: Vec::new(),
    };
    let mut store = WorkingStore::open(dir.path(), options).unwrap();
    let mut rows = Vec::new();
    let known = |day: &&StoredDay| config.registry.points.contains_key(&day.day.point);
    let registered: Vec<StoredDay> = days.iter().filter(known).cloned().collect();
    for span in [Span::Day, Span::Month] {
        rows.extend(world::rows(&config, &registered, span));
    }
    let found: Vec<FoundIn> = findings
        .into_iter()
        .map(|finding| FoundIn {
            point: finding.point.clone(),
            from: UtcMs(0),
            to: UtcMs(i64::MAX),
            findings: vec![finding],
            fills: Vec::new(),
        })
        .collect();
    let update = LedgerUpdate {
        days: &days,
        rows: &rows,
        found: &found,
        ..LedgerUpdate::default()
    };
    store.write_ledger(update).unwrap();
    Site {
        config,
        source: Source::Working(StoreReader::open(dir.path())),
        state: State::default(),
        _dir: dir,
    }
}

fn plain() -> Site {
    site(|_| {}, Vec::new())
}

fn electricity(config: &Config) -> &Account {
    let mut accounts = config.tariffs.accounts.values();
    accounts
        .find(|account| account.commodity == steward_model::Commodity::Electricity)
        .unwrap()
}

fn id(text: &str) -> PointId {
    PointId::new(text).unwrap()
}

fn cny(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

/// October as the ledger and the tariff have it: 31 × 96 × 10,000 Wh and 96 × (1 + … + 31) Wh are
/// 29,807.616 kWh, × 0.65 = 19,374.9504; the last day has 10,031 Wh an interval, 40.124 kW, × 40 =
/// 1,604.96.
const KWH: &str = "29807.616";
const SUM: &str = "20979.91";

fn invoice(config: &Config, amount: &str, cost: &str) -> Invoice {
    Invoice {
        account: electricity(config).id.clone(),
        number: "2026-10".to_owned(),
        from: date(2026, 10, 1),
        to: date(2026, 11, 1),
        amount: cny(amount),
        cost_cny: cny(cost),
        demand_kw: None,
        power_factor: None,
    }
}

async fn compared(site: &Site, invoice: &Invoice) -> Compared {
    compare(&site.config, &site.source, &site.state, invoice)
        .await
        .unwrap()
        .unwrap()
}

fn kinds(compared: &Compared) -> Vec<&str> {
    compared
        .reasons
        .iter()
        .map(|reason| reason.kind.as_str())
        .collect()
}

#[tokio::test]
async fn a_bill_is_gathered_from_intervals() {
    let site = plain();
    let account = electricity(&site.config);
    let month = "2026-10".parse().unwrap();
    let bill = month_bill(&site.config, &site.source, &site.state, account, month)
        .await
        .unwrap();
    let sums: Vec<(&str, Option<Decimal>)> = bill
        .lines
        .iter()
        .map(|line| (line.kind.as_str(), line.sum_cny))
        .collect();
    assert_eq!(
        sums,
        [
            ("energy", Some(cny("19374.95"))),
            ("demand", Some(cny("1604.96")))
        ]
    );
    assert_eq!(bill.lines[0].quantity, Some(cny(KWH)));
    assert_eq!(bill.total_cny, Some(cny(SUM)));
    assert_eq!(bill.interval_cost_cny, Some(cny("19374.9504")));
    assert_eq!(bill.demand_kw, Some(cny("40.124")));
    assert_eq!(
        (bill.intervals_present, bill.intervals_expected),
        (2_976, 2_976)
    );
    // Decimals are texts, so that no reader makes them binary.
    let json = serde_json::to_value(&bill).unwrap();
    assert_eq!(json["total_cny"], SUM);
    assert_eq!(json["lines"][0]["from"], "2026-10-01");
}

#[tokio::test]
async fn a_bill_takes_the_power_factor_of_its_invoice() {
    let mut site = plain();
    let account = electricity(&site.config).clone();
    let with = |power_factor, from| Entry {
        seq: 1,
        entered_at: NOW,
        by: "a".to_owned(),
        reason: "b".to_owned(),
        event: Event::InvoiceEntered(Invoice {
            from,
            power_factor,
            ..invoice(&site.config, KWH, SUM)
        }),
        undone_by: None,
    };
    let same = State::of(&[with(Some(cny("0.93")), date(2026, 10, 1))]);
    let other = State::of(&[with(Some(cny("0.93")), date(2026, 10, 2))]);
    let period = (date(2026, 10, 1), date(2026, 11, 1));
    for (state, expected) in [(same, Some(cny("0.93"))), (other, None)] {
        site.state = state;
        let bill = bill(&site.config, &site.source, &site.state, &account, period)
            .await
            .unwrap();
        assert_eq!(bill.power_factor, expected);
    }
}

/// A site whose meters count reactive energy too: a part of the active energy in every interval.
fn reactive(drawn_percent: i64, delivered_percent: i64, without_days: u32) -> Site {
    let beside = |suffix: &str, percent: i64, days: &mut Vec<StoredDay>| {
        let points = electricity(&world::config()).points.clone();
        let mut added = Vec::new();
        for day in days.iter().filter(|day| points.contains(&day.day.point)) {
            if day.day.date >= date(2026, 10, 1) && day.day.date < date(2026, 10, 1 + without_days)
            {
                continue;
            }
            let mut one = day.clone();
            one.day.point = id(&format!("{}-{suffix}", day.day.point));
            for interval in one.day.intervals.iter_mut().flatten() {
                interval.amount_base = interval.amount_base * percent / 100;
            }
            added.push(one);
        }
        days.extend(added);
    };
    let change = |days: &mut Vec<StoredDay>| {
        let (mut drawn, mut delivered) = (days.clone(), days.clone());
        beside("in", drawn_percent, &mut drawn);
        beside("out", delivered_percent, &mut delivered);
        for mut more in [drawn, delivered] {
            more.retain(|day| !days.iter().any(|one| one.day.point == day.day.point));
            days.extend(more);
        }
    };
    let mut site = site(change, Vec::new());
    for owner in electricity(&site.config).points.clone() {
        for (suffix, counter) in [
            ("in", Quantity::ReactiveImport),
            ("out", Quantity::ReactiveExport),
        ] {
            let mut point = site.config.registry.points[&owner].clone();
            point.id = id(&format!("{owner}-{suffix}"));
            point.commodity = Commodity::ReactiveEnergy;
            point.counter = counter;
            point.metered_by = Some(owner.clone());
            point.parent = None;
            point.role = PointRole::Aside;
            site.config.registry.points.insert(point.id.clone(), point);
        }
    }
    site
}

#[tokio::test]
async fn a_bill_without_an_invoice_takes_the_measured_power_factor() {
    let period = (date(2026, 10, 1), date(2026, 11, 1));
    // P ÷ √(P² + Q²): 1 ÷ √1.25, 1 ÷ √1.5625; the last one knows too few intervals.
    for (drawn, delivered, without, expected) in [
        (50, 0, 0, Some("0.89")),
        (50, 25, 0, Some("0.80")),
        (50, 25, 2, None),
    ] {
        let site = reactive(drawn, delivered, without);
        let account = electricity(&site.config).clone();
        let bill = bill(&site.config, &site.source, &site.state, &account, period)
            .await
            .unwrap();
        assert_eq!(bill.power_factor, expected.map(cny), "{drawn} {delivered}");
        assert_eq!(bill.measured_power_factor, bill.power_factor);
        assert_eq!(bill.reactive_kvarh.is_some(), expected.is_some());
        assert_eq!(bill.amount, 29_807.616);
    }
}

#[tokio::test]
async fn an_invoice_with_another_power_factor_says_so() {
    let site = reactive(50, 0, 0);
    let mut stated = invoice(&site.config, KWH, SUM);
    for (power_factor, differs) in [("0.89", false), ("0.93", true)] {
        stated.power_factor = Some(cny(power_factor));
        let found = compared(&site, &stated).await;
        assert_eq!(kinds(&found).contains(&"power_factor"), differs);
    }
}

#[tokio::test]
async fn an_invoice_that_agrees_is_within() {
    let site = plain();
    let compared = compared(&site, &invoice(&site.config, KWH, SUM)).await;
    assert_eq!(compared.ledger_amount, Some(29_807.616));
    assert_eq!(
        (compared.difference, compared.difference_share),
        (Some(0.0), Some(0.0))
    );
    assert_eq!(
        (compared.bill_cny, compared.difference_cny),
        (Some(cny(SUM)), Some(cny("0")))
    );
    assert_eq!(
        (compared.within, compared.cost_within),
        (Some(true), Some(true))
    );
    assert_eq!((compared.closure_base, compared.coverage), (0, Some(1.0)));
    // Eight intervals of 5 October are estimated, and the children of the meter leave a tenth.
    assert_eq!(kinds(&compared), ["closure", "estimated", "residual"]);
}

#[tokio::test]
async fn amount_and_sum_are_judged_apart() {
    let mut site = plain();
    site.config.settings.close.invoice_tolerance = 0.01;
    // 1 % of 29,807.616 is 298.07616.
    for (amount, cost, amount_within, cost_within) in [
        ("30108.70", SUM, true, true),
        ("30109.00", SUM, false, true),
        (KWH, "21191", true, true),
        (KWH, "21192", true, false),
    ] {
        let found = compared(&site, &invoice(&site.config, amount, cost)).await;
        assert_eq!(found.amount_within, Some(amount_within), "{amount}");
        assert_eq!(found.cost_within, Some(cost_within), "{cost}");
        assert_eq!(found.within, Some(amount_within && cost_within));
        assert_eq!(kinds(&found).contains(&"price"), !cost_within);
    }
    let found = compared(&site, &invoice(&site.config, "30000", SUM)).await;
    // 29,807.616 − 30,000 = −192.384, ÷ 30,000 = −0.0064128.
    assert_eq!(
        (found.difference, found.difference_share),
        (Some(-192.384), Some(-0.006413))
    );
    let mut unknown = invoice(&site.config, KWH, SUM);
    unknown.account = "nobody".to_owned();
    let found = compare(&site.config, &site.source, &site.state, &unknown).await;
    assert_eq!(found.unwrap(), None);
}

#[tokio::test]
async fn what_is_missing_is_said_and_not_taken_for_nothing() {
    let is_gone =
        |day: &StoredDay| day.day.point == id("hall-1-el") && day.day.date == date(2026, 10, 20);
    let site = site(|days| days.retain(|day| !is_gone(day)), Vec::new());
    let found = compared(&site, &invoice(&site.config, KWH, SUM)).await;
    // 96 of 2,976 intervals of 10,020 Wh.
    assert_eq!(found.difference, Some(-961.92));
    assert_eq!(found.coverage, Some(0.9677));
    assert!(kinds(&found).contains(&"coverage"));
    let text = &found
        .reasons
        .iter()
        .find(|one| one.kind == "coverage")
        .unwrap()
        .text_en;
    assert!(
        text.starts_with("96 of 2976 intervals are missing"),
        "{text}"
    );
    // Nothing at all: no verdict, and no bill of a fixed charge.
    let mut before = invoice(&site.config, KWH, SUM);
    (before.from, before.to) = (date(2025, 3, 1), date(2025, 4, 1));
    let found = compared(&site, &before).await;
    assert_eq!(
        (found.ledger_amount, found.bill_cny, found.within),
        (None, None, None)
    );
    assert!(kinds(&found).contains(&"nothing_measured"));
}

#[tokio::test]
async fn registers_reviews_and_events_explain() {
    let at = UtcMs(1_791_000_000_000); // 3 October 2026
    let finding = Finding {
        point: id("hall-1-el"),
        meter: MeterId::new("hall-1-el-m").unwrap(),
        quantity: Quantity::EnergyImport,
        at,
        until: at,
        held_out: 1,
        kind: FindingKind::Fall,
        state: FindingState::Open,
        evidence: Evidence {
            before: None,
            first: (at, 1.0),
            last: (at, 1.0),
            after: None,
            modulus: None,
            resolution: None,
            rise_max: None,
            flowed: None,
        },
    };
    let carries = |days: &mut Vec<StoredDay>| {
        for day in days
            .iter_mut()
            .filter(|day| day.day.point == id("hall-1-el"))
        {
            let end_ms = (day.day.start_s + 86_400) * 1_000;
            day.carry = Some(Carry {
                at_ms: UtcMs(end_ms),
                register_base: end_ms / 1_000_000,
                manual: false,
            });
        }
    };
    let review = finding.id();
    let mut site = site(carries, vec![finding]);
    site.state = State::of(&[Entry {
        seq: 1,
        entered_at: NOW,
        by: "a".to_owned(),
        reason: "b".to_owned(),
        event: Event::MeterReplaced(Replacement {
            point: id("hall-1-el"),
            at,
            old_meter: MeterId::new("hall-1-el-m").unwrap(),
            old_last: 1.0,
            new_meter: MeterId::new("hall-1-el-m").unwrap(),
            new_first: 0.0,
            others: Vec::new(),
        }),
        undone_by: None,
    }]);
    let found = compared(&site, &invoice(&site.config, KWH, SUM)).await;
    assert_eq!(found.open_reviews, [review]);
    assert_eq!(
        kinds(&found),
        ["closure", "estimated", "reviews", "events", "residual"]
    );
    let registers = &found.registers[0];
    // Midnight of 1 October and of 1 November in Shanghai.
    assert_eq!(registers.before.unwrap().at_ms, 1_790_784_000_000);
    assert_eq!(registers.before.unwrap().register, 1_790.784);
    assert_eq!(registers.last.at_ms, 1_793_462_400_000);
    // In September neither the finding nor the event had happened.
    let mut earlier = invoice(&site.config, KWH, SUM);
    (earlier.from, earlier.to) = (date(2026, 9, 1), date(2026, 10, 1));
    let found = compared(&site, &earlier).await;
    assert!(found.open_reviews.is_empty());
    assert!(!kinds(&found).contains(&"events"));
}

#[tokio::test]
async fn a_balance_is_parent_minus_children() {
    let mut site = plain();
    let period = (date(2026, 10, 1), date(2026, 11, 1));
    let ask = async |site: &Site, name: &str, span| {
        let point = &site.config.registry.points[&id(name)];
        balance(&site.config, &site.source, point, span, period, NOW)
            .await
            .unwrap()
    };
    let month = ask(&site, "hall-1-el", Span::Month).await;
    assert_eq!(month.periods.len(), 1);
    let october = &month.periods[0];
    let children: Vec<(&str, Option<f64>)> = october
        .children
        .iter()
        .map(|one| (one.point.as_str(), one.amount))
        .collect();
    // 31 × 96 × 4,000 + 96 × 496 and so on.
    assert_eq!(
        children,
        [
            ("hall-1-el-a", Some(11_951.616)),
            ("hall-1-el-b", Some(8_975.616)),
            ("hall-2-el", Some(5_999.616)),
        ]
    );
    assert_eq!(october.residual_base, Some(29_807_616 - 26_926_848));
    assert_eq!(
        (october.residual, october.residual_share),
        (Some(2_880.768), Some(0.0966))
    );
    assert_eq!(october.verdict, BalanceVerdict::Exceeded);
    let point = site
        .config
        .registry
        .points
        .get_mut(&id("hall-1-el"))
        .unwrap();
    point.balance_tolerance = Some(0.1);
    let month = ask(&site, "hall-1-el", Span::Month).await;
    assert_eq!(
        (month.tolerance, month.periods[0].verdict),
        (0.1, BalanceVerdict::Ok)
    );
    // Days of one month add up to it.
    let days = ask(&site, "hall-1-el", Span::Day).await;
    assert_eq!(days.periods.len(), 31);
    let sum: i64 = days
        .periods
        .iter()
        .filter_map(|day| day.residual_base)
        .sum();
    assert_eq!(Some(sum), october.residual_base);
    assert_eq!(days.periods[30].to, date(2026, 11, 1));
    // A point without children has nothing to balance.
    let alone = ask(&site, "school-1-el", Span::Month).await;
    assert_eq!(alone.periods[0].verdict, BalanceVerdict::Unknown);
    assert_eq!(
        (alone.periods[0].residual, alone.periods[0].children_amount),
        (None, None)
    );
}

#[tokio::test]
async fn a_balance_with_a_missing_child_is_not_judged() {
    let is_gone =
        |day: &StoredDay| day.day.point == id("hall-1-el-a") && day.day.date == date(2026, 10, 20);
    let mut site = site(|days| days.retain(|day| !is_gone(day)), Vec::new());
    let point = site
        .config
        .registry
        .points
        .get_mut(&id("hall-1-el"))
        .unwrap();
    point.balance_tolerance = Some(0.9);
    let point = point.clone();
    let period = (date(2026, 10, 19), date(2026, 10, 22));
    let days = balance(&site.config, &site.source, &point, Span::Day, period, NOW)
        .await
        .unwrap();
    let verdicts: Vec<BalanceVerdict> = days.periods.iter().map(|day| day.verdict).collect();
    assert_eq!(
        verdicts,
        [
            BalanceVerdict::Ok,
            BalanceVerdict::Unknown,
            BalanceVerdict::Ok
        ]
    );
    let missing = &days.periods[1];
    assert_eq!((missing.residual, missing.children_amount), (None, None));
    let child = missing
        .children
        .iter()
        .find(|one| one.point == "hall-1-el-a")
        .unwrap();
    assert_eq!((child.amount, child.intervals_missing), (None, 96));
    // The running day lacks what has not happened yet, and is judged all the same.
    let today = (date(2026, 11, 3), date(2026, 11, 4));
    let today = balance(&site.config, &site.source, &point, Span::Day, today, NOW)
        .await
        .unwrap();
    assert_eq!(today.periods[0].verdict, BalanceVerdict::Ok);
}
