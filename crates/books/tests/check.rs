//! What the books refuse by the registry and the stored readings; replacements are beside it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use steward_books::{BooksError, Event, HandReading, Invoice, Verdict, Voided};
use steward_model::{FindingKind, FindingState, Quantity, UtcMs};
use steward_store::StoreReader;
use support::{
    DAY_MS, HOUR_MS, NOW, Site, approval, assert_refused, at_ten, decision, exchanged, finding,
    hand_reading, hour, institution, invoice, meter, proposal, replacement, undone,
};

#[tokio::test]
async fn a_reading_by_hand_lies_between_its_neighbours() {
    let mut site = exchanged();
    let enter =
        async |site: &Site, hours, value| site.enter(hand_reading(hour(hours), value)).await;
    assert_refused(
        enter(&site, 8.5, 899.0).await,
        &[("value", "at least 900 Wh")],
    );
    assert_refused(
        enter(&site, 8.5, 1_000.5).await,
        &[("value", "at most 1000 Wh")],
    );
    enter(&site, 8.5, 950.0).await.unwrap();
    // Readings by hand bind each other.
    assert_refused(
        enter(&site, 8.75, 949.0).await,
        &[("value", "event 1 says 950 Wh at")],
    );
    assert_refused(
        enter(&site, 9.0, 1_000.0).await,
        &[("at", "void it first if it is wrong")],
    );
    assert_refused(
        enter(&site, 9.1, 1_000_000.0).await,
        &[("value", "less than 1000000")],
    );
    // Where a rule or a person says that the register began anew, the next one may be lower.
    site.store("m1", &[(hour(9.5), 3.0)]);
    assert_refused(
        enter(&site, 9.2, 1_005.0).await,
        &[("value", "at most 3 Wh")],
    );
    let at = (hour(9.5), hour(9.5));
    let mut open = finding(FindingKind::Fall, FindingState::Open, at, (1_000.0, 3.0));
    open.held_out = 0;
    site.find(vec![open]);
    assert_refused(
        enter(&site, 9.6, 2.0).await,
        &[("value", "; decide review m1~energy_import~")],
    );
    site.enter(decision(hour(9.5), Verdict::Restart))
        .await
        .unwrap();
    enter(&site, 9.2, 1_005.0).await.unwrap();
    site.find(vec![finding(
        FindingKind::Reset,
        FindingState::ByRule,
        at,
        (1_000.0, 3.0),
    )]);
    let decided = site.books.last_seq().unwrap() - 1;
    site.books
        .append("wang", "the rule knows", undone(decided), NOW)
        .unwrap();
}

#[tokio::test]
async fn a_reading_by_hand_is_of_a_register_in_service() {
    let site = Site::new();
    let read = |id: &str, quantity, at| {
        Event::HandReading(HandReading {
            meter: meter(id),
            quantity,
            at,
            value: 1.0,
        })
    };
    let energy = Quantity::EnergyImport;
    assert_refused(
        site.enter(read("nobody", energy, hour(1.0))).await,
        &[("meter", "a meter of the registry")],
    );
    assert_refused(
        site.enter(read("m1", Quantity::Volume, hour(1.0))).await,
        &[("quantity", "it has: energy_import")],
    );
    assert_refused(
        site.enter(read("w", energy, hour(1.0))).await,
        &[("quantity", "it has none")],
    );
    assert_refused(
        site.enter(read("m1", energy, hour(24.5))).await,
        &[(
            "at",
            "from 2024-12-31T16:00:00+00:00 to 2025-03-10T16:00:00+00:00",
        )],
    );
    assert_refused(
        site.enter(read("m3", energy, hour(1.0))).await,
        &[("at", "from 2025-04-09T16:00:00+00:00 on")],
    );
    assert_refused(
        site.enter(read("m3", energy, UtcMs(NOW.0 + 1))).await,
        &[("at", "at most now")],
    );
    site.enter(read("m3", energy, NOW)).await.unwrap();
    // What closes the last interval counts. A replacement says the instant better than dates do.
    site.enter(read("m1", energy, hour(24.0))).await.unwrap();
    site.books.append("wang", "again", undone(2), NOW).unwrap();
    site.enter(at_ten(1.0, 1.0)).await.unwrap();
    assert_refused(
        site.enter(read("m1", energy, hour(10.1))).await,
        &[("at", "to 2025-03-10T02:00:00+00:00")],
    );
    assert_refused(
        site.enter(read("m2", energy, hour(9.9))).await,
        &[(
            "at",
            "from 2025-03-10T02:00:00+00:00 to 2025-04-09T16:00:00+00:00",
        )],
    );
    site.enter(read("m2", energy, hour(10.1))).await.unwrap();
}

#[tokio::test]
async fn only_readings_that_make_a_ledger_are_voided() {
    let site = Site::new();
    let void = |id: &str, quantity, to| {
        Event::ReadingsVoided(Voided {
            meter: meter(id),
            quantity,
            from: hour(0.0),
            to,
        })
    };
    let (energy, power) = (Quantity::EnergyImport, Quantity::Power);
    assert_refused(
        site.enter(void("nobody", energy, hour(1.0))).await,
        &[("meter", "registry")],
    );
    assert_refused(
        site.enter(void("m1", Quantity::Volume, hour(1.0))).await,
        &[("quantity", "a series of `m1`")],
    );
    assert_refused(
        site.enter(void("m1", energy, UtcMs(NOW.0 + 1))).await,
        &[("to", "at most now")],
    );
    site.enter(void("m1", energy, hour(1.0))).await.unwrap();
    // The model of the meter without register gives its power.
    site.enter(void("w", power, hour(1.0))).await.unwrap();
}

#[tokio::test]
async fn a_decision_decides_a_finding() {
    let mut site = Site::new();
    let one =
        |hours, kind, fall| finding(kind, FindingState::Open, (hour(hours), hour(hours)), fall);
    site.find(vec![
        one(1.0, FindingKind::Fall, (999_000.0, 500.0)),
        one(2.0, FindingKind::Rise, (1_000.0, 900_000.0)),
        one(3.0, FindingKind::Frozen, (1_000.0, 1_000.0)),
        one(4.0, FindingKind::OutOfRange, (1_000.0, -7.0)),
        one(5.0, FindingKind::ExchangeWithoutRegisters, (1_000.0, 0.0)),
    ]);
    let discard = Verdict::Discard { until: hour(5.0) };
    for (hours, verdict, said) in [
        (
            1.5,
            Verdict::Accept,
            "at which a finding of the series begins",
        ),
        (2.0, Verdict::Rollover, "it went from 1000 to 900000"),
        (3.0, discard, "void its readings"),
        (3.0, Verdict::Restart, "void its readings"),
        (4.0, Verdict::Accept, "no register shows -7"),
        (5.0, discard, "enter the replacement"),
        (5.0, Verdict::Rollover, "enter the replacement"),
        (
            1.0,
            Verdict::Discard {
                until: UtcMs(NOW.0 + 1),
            },
            "at most now",
        ),
    ] {
        let refused = support::refusals(site.enter(decision(hour(hours), verdict)).await);
        assert_eq!(refused.len(), 1, "{hours} {verdict:?}: {refused:?}");
        assert!(
            refused[0].to_string().contains(said),
            "{hours} {verdict:?}: {refused:?}"
        );
    }
    let entry = |hours, verdict| site.enter(decision(hour(hours), verdict));
    entry(1.0, Verdict::Rollover).await.unwrap();
    entry(2.0, Verdict::Accept).await.unwrap();
    entry(3.0, Verdict::Accept).await.unwrap();
    entry(4.0, discard).await.unwrap();
    entry(5.0, Verdict::Restart).await.unwrap();

    let counters = |site: &mut Site, modulus| {
        let one = site.config.registry.meters.get_mut(&meter("m1")).unwrap();
        let limits = one.counters.get_mut(&Quantity::EnergyImport).unwrap();
        limits.modulus = modulus;
    };
    site.books.append("wang", "again", undone(1), NOW).unwrap();
    counters(&mut site, None);
    assert_refused(
        site.enter(decision(hour(1.0), Verdict::Rollover)).await,
        &[("verdict", "a meter whose modulus is known")],
    );
    counters(&mut site, Some(900_000.0));
    assert_refused(
        site.enter(decision(hour(1.0), Verdict::Rollover)).await,
        &[("verdict", "the modulus is 900000")],
    );
}

#[tokio::test]
async fn an_invoice_is_of_an_account_and_of_days_that_are_over() {
    let site = Site::new();
    let unknown = Invoice {
        account: "gird".to_owned(),
        ..invoice("1", "2025-01-01", "2025-02-01")
    };
    assert_refused(
        site.enter(Event::InvoiceEntered(unknown)).await,
        &[("account", "the registry has: grid, water")],
    );
    // It is midnight of 1 June: May is over, the first of June may be invoiced until its end.
    let until = |to: &str| Event::InvoiceEntered(invoice(to, "2025-05-01", to));
    assert_refused(
        site.enter(until("2025-06-03")).await,
        &[("to", "2025-06-02 at the latest")],
    );
    let water = Invoice {
        account: "water".to_owned(),
        demand_kw: Some("1".parse().unwrap()),
        power_factor: Some("0.9".parse().unwrap()),
        ..invoice("1", "2025-01-01", "2025-02-01")
    };
    assert_refused(
        site.enter(Event::InvoiceEntered(water)).await,
        &[
            ("demand_kw", "no value for water"),
            ("power_factor", "no value for water"),
        ],
    );
    site.enter(until("2025-06-01")).await.unwrap();
}

#[tokio::test]
async fn a_month_closes_when_it_is_over_and_nothing_waits() {
    let mut site = Site::new();
    assert_refused(
        site.enter(proposal("2025-06", 1)).await,
        &[("month", "it is over at 2025-06-30T16:00:00+00:00")],
    );
    let Event::CloseProposed(mut elsewhere) = proposal("2025-05", 1) else {
        panic!("a proposal");
    };
    elsewhere.institution = steward_model::InstitutionId::new("nobody").unwrap();
    assert_refused(
        site.enter(Event::CloseProposed(elsewhere)).await,
        &[("institution", "an institution of the registry")],
    );
    let held = (hour(1.0), hour(2.0));
    site.find(vec![finding(
        FindingKind::Fall,
        FindingState::Open,
        held,
        (2.0, 1.0),
    )]);
    assert_refused(
        site.enter(proposal("2025-03", 1)).await,
        &[("month", "1 to decide: m1~energy_import~1741539600000")],
    );
    // What waits since March leaves out April too; February was before it.
    assert_refused(
        site.enter(proposal("2025-04", 1)).await,
        &[("month", "1 to decide")],
    );
    site.enter(proposal("2025-02", 1)).await.unwrap();
    site.find(Vec::new());
    // May ended this very millisecond.
    site.enter(proposal("2025-05", 1)).await.unwrap();
    assert_refused(
        site.enter_by("WANG", approval(2)).await,
        &[("by", "another person than the maker")],
    );
    site.enter_by("li", approval(2)).await.unwrap();
    let state = site.books.state().unwrap();
    assert!(state.closed(&institution(), "2025-05").is_some());
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let site = exchanged();
    let wrong = steward_books::enter(
        &site.config,
        &site.books,
        &site.reader,
        "",
        "why",
        replacement(hour(10.0), ("m1", f64::NAN), ("m2", 60.0)),
        UtcMs(DAY_MS + 9 * HOUR_MS),
    );
    assert_refused(
        wrong.await,
        &[
            ("by", "say who"),
            ("old_last", "from 0 to 9e15"),
            ("at", "at most now"),
            ("new_first", "at most 50 Wh"),
        ],
    );
    assert_eq!(site.books.last_seq().unwrap(), 0);
}

#[tokio::test]
async fn a_store_that_is_not_there_yet_has_no_readings() {
    let mut site = Site::new();
    let nothing = tempfile::tempdir().unwrap();
    site.reader = StoreReader::open(nothing.path());
    site.enter(at_ten(1_000.0, 50.0)).await.unwrap();
    site.enter(hand_reading(hour(1.0), 5.0)).await.unwrap();
    assert_refused(
        site.enter(decision(hour(1.0), Verdict::Accept)).await,
        &[("at", "a finding of the series")],
    );
    // One that is there and cannot be read is another matter.
    std::fs::write(
        nothing.path().join("store.db"),
        "no database, but long enough",
    )
    .unwrap();
    let failed = site.enter(hand_reading(hour(2.0), 5.0)).await;
    assert!(matches!(failed, Err(BooksError::Store(_))), "{failed:?}");
}
