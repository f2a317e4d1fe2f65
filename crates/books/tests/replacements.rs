//! A replacement against the registry and both meters' registers.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use steward_books::{Event, HandReading, OtherRegister, Replacement, Verdict};
use steward_model::{FindingKind, FindingState, Quantity, UtcMs};
use support::{
    NOW, Site, assert_refused, at_ten, date, decision, exchanged, finding, hand_reading, hour,
    meter, point, replacement, undone, voided,
};

#[tokio::test]
async fn a_replacement_that_fits_is_entered() {
    let site = exchanged();
    let entry = site.enter(at_ten(1_000.0, 50.0)).await.unwrap();
    assert_eq!((entry.seq, entry.by.as_str()), (1, "wang"));
    assert_eq!(site.books.state().unwrap().replacements().len(), 1);
}

#[tokio::test]
async fn registers_of_a_replacement_lie_between_the_stored_ones() {
    let site = exchanged();
    assert_refused(
        site.enter(at_ten(999.9, 50.1)).await,
        &[
            (
                "old_last",
                "at least 1000 Wh (hint: the reading of 2025-03-10T01:00:00+00:00",
            ),
            ("new_first", "at most 50 Wh"),
        ],
    );
    // 50 kW for an hour and the resolution are possible, more is a slip of the unit.
    site.enter(at_ten(51_010.0, 0.0)).await.unwrap();
    site.books.append("wang", "again", undone(1), NOW).unwrap();
    assert_refused(
        site.enter(at_ten(51_010.5, 0.0)).await,
        &[("old_last", "at most 51010 Wh by the meter's rating")],
    );
    assert_refused(
        site.enter(at_ten(1_000_000.0, 1_000_001.0)).await,
        &[
            ("old_last", "less than 1000000"),
            ("old_last", "by the meter's rating"),
            ("new_first", "less than 1000000"),
            ("new_first", "at most 50 Wh"),
        ],
    );
}

#[tokio::test]
async fn a_first_register_far_below_the_readings_invents_energy() {
    let mut site = exchanged();
    site.store("m2", &[(UtcMs(hour(10.0).0 + 1), 80_000.0)]);
    assert_refused(
        site.enter(at_ten(1_000.0, 0.0)).await,
        &[("new_first", "at least 79989")],
    );
    site.enter(at_ten(1_000.0, 80_000.0)).await.unwrap();
}

fn with_others(others: &[(Quantity, f64, f64)]) -> Event {
    let Event::MeterReplaced(mut one) = at_ten(1_000.0, 50.0) else {
        panic!("a replacement")
    };
    let others = others.iter();
    one.others = others
        .map(|(quantity, old_last, new_first)| OtherRegister {
            quantity: *quantity,
            old_last: *old_last,
            new_first: *new_first,
        })
        .collect();
    Event::MeterReplaced(one)
}

#[tokio::test]
async fn other_registers_that_points_read_are_judged_like_the_first() {
    let export = Quantity::EnergyExport;
    let mut site = exchanged();
    site.store_of("m1", export, &[(hour(9.0), 700.0)]);
    site.store_of("m2", export, &[(hour(11.0), 5.0)]);
    assert_refused(
        site.enter(with_others(&[(export, 699.0, 6.0)])).await,
        &[
            ("others[0].old_last", "at least 700 Wh"),
            ("others[0].new_first", "at most 5 Wh"),
        ],
    );
    assert_refused(
        site.enter(with_others(&[
            (export, 700.0, 5.0),
            (export, 700.0, 5.0),
            (Quantity::EnergyImport, 1.0, -1.0),
        ]))
        .await,
        &[
            ("others[1].quantity", "each register once"),
            ("others[2].new_first", "from 0 to 9e15"),
            (
                "others[2].quantity",
                "one of energy_export, which other points read",
            ),
        ],
    );
    site.enter(with_others(&[(export, 700.0, 5.0)]))
        .await
        .unwrap();
    // From then on the register is known: nothing before the exchange may exceed it.
    let read = |hours, value| {
        Event::HandReading(HandReading {
            meter: meter("m1"),
            quantity: export,
            at: hour(hours),
            value,
        })
    };
    assert_refused(
        site.enter(read(9.5, 701.0)).await,
        &[("value", "at most 700")],
    );
}

#[tokio::test]
async fn what_does_not_count_does_not_bind() {
    let mut site = exchanged();
    site.store(
        "m1",
        &[
            (hour(9.5), 7_000.0),
            (hour(9.6), 8_000.0),
            (hour(9.7), 9_000.0),
        ],
    );
    assert_refused(
        site.enter(at_ten(1_000.0, 50.0)).await,
        &[("old_last", "at least 9000")],
    );
    site.enter(voided(hour(9.7), hour(9.8))).await.unwrap();
    assert_refused(
        site.enter(at_ten(1_000.0, 50.0)).await,
        &[("old_last", "at least 8000")],
    );
    site.find(vec![
        finding(
            FindingKind::Glitch,
            FindingState::ByRule,
            (hour(9.6), hour(9.6)),
            (1_000.0, 8_000.0),
        ),
        finding(
            FindingKind::Fall,
            FindingState::Decided(9),
            (hour(9.5), hour(9.5)),
            (1_000.0, 7_000.0),
        ),
    ]);
    site.enter(decision(hour(9.5), Verdict::Discard { until: hour(9.5) }))
        .await
        .unwrap();
    site.enter(at_ten(1_000.0, 50.0)).await.unwrap();
}

#[tokio::test]
async fn a_replacement_is_dated_within_both_services() {
    let site = Site::new();
    let on = |text: &str, old: &str, new: &str| {
        let at = UtcMs(
            date(text)
                .and_hms_opt(2, 0, 0)
                .unwrap()
                .and_utc()
                .timestamp_millis(),
        );
        replacement(at, (old, 1.0), (new, 1.0))
    };
    for (day, old, new, said) in [
        ("2024-12-31", "m1", "m1", "a day from 2025-01-01 on"),
        ("2025-03-12", "m1", "m2", "2025-03-11 at the latest"),
        ("2025-03-09", "m1", "m2", "2025-03-10 at the earliest"),
        ("2025-03-11", "m1", "m1", "a day before 2025-03-11"),
        ("2025-04-10", "m2", "m2", "a day before 2025-04-10"),
    ] {
        let refused = support::refusals(site.enter(on(day, old, new)).await);
        assert!(
            refused
                .iter()
                .any(|one| one.place == "at" && one.to_string().contains(said)),
            "{day} {old} {new}: {refused:?}"
        );
    }
    assert_refused(
        site.enter(on("2025-06-02", "m3", "m3")).await,
        &[("at", "at most now, 2025-05-31T16:00:00+00:00")],
    );
    // Its very first instant leaves the old meter no time at all.
    let first = UtcMs(1_735_660_800_000);
    assert_refused(
        site.enter(replacement(first, ("m1", 1.0), ("m1", 1.0)))
            .await,
        &[("at", "after the old meter's first one")],
    );
    // The day before the registry's dates, and the day itself.
    site.enter(on("2025-03-10", "m1", "m2")).await.unwrap();
    site.enter(on("2025-04-10", "m2", "m3")).await.unwrap();
    site.enter(on("2025-05-01", "m3", "m3")).await.unwrap();
}

#[tokio::test]
async fn a_replacement_names_meters_of_its_point() {
    let site = Site::new();
    let at = hour(10.0);
    assert_refused(
        site.enter(replacement(at, ("m1", 1.0), ("nobody", 1.0)))
            .await,
        &[("new_meter", "the registry has: m1, m2, m3")],
    );
    assert_refused(
        site.enter(replacement(at, ("xzzx-1-water-m1", 1.0), ("m2", 1.0)))
            .await,
        &[("old_meter", "a meter of the point `p`")],
    );
    let refused = support::refusals(site.enter(replacement(at, ("m1", 1.0), ("m3", 1.0))).await);
    assert!(
        refused[0]
            .to_string()
            .contains("new_meter = m3: expected `m2`"),
        "{refused:?}"
    );
    let refused = support::refusals(site.enter(replacement(at, ("m2", 1.0), ("m1", 1.0))).await);
    assert!(
        refused[0]
            .to_string()
            .contains("new_meter = m1: expected `m3`"),
        "{refused:?}"
    );
    let Event::MeterReplaced(one) = at_ten(1.0, 1.0) else {
        panic!("a replacement");
    };
    let of = |id: &str| {
        let point = point(id);
        Event::MeterReplaced(Replacement {
            point,
            ..one.clone()
        })
    };
    assert_refused(
        site.enter(of("nowhere")).await,
        &[("point", "a point of the registry")],
    );
    assert_refused(
        site.enter(of("reads-p")).await,
        &[("point", "`p`, whose meters it reads")],
    );
    assert_refused(
        site.enter(of("sum")).await,
        &[("point", "this one is virtual")],
    );
}

#[tokio::test]
async fn a_replacement_may_explain_what_waits_for_a_decision() {
    let mut site = Site::new();
    site.store(
        "m1",
        &[(hour(-9.0), 5_000.0), (hour(-7.0), 3.0), (hour(-6.0), 13.0)],
    );
    site.find(vec![finding(
        FindingKind::Fall,
        FindingState::Open,
        (hour(-7.0), hour(-6.0)),
        (5_000.0, 3.0),
    )]);
    let device = |hours, old, new| replacement(hour(hours), ("m1", old), ("m1", new));
    // After the fall is too late; the first register is bound by the readings that wait.
    assert_refused(
        site.enter(device(-6.5, 5_100.0, 2.0)).await,
        &[(
            "at",
            "the register left its course there already: review m1~energy_import~",
        )],
    );
    assert_refused(
        site.enter(device(-8.0, 5_100.0, 4.0)).await,
        &[("new_first", "at most 3 Wh")],
    );
    site.enter(device(-8.0, 5_100.0, 2.0)).await.unwrap();
    // From now on the two sides of the instant are two registers.
    assert_refused(
        site.enter(hand_reading(hour(-8.5), 5_101.0)).await,
        &[("value", "at most 5100 Wh (hint: event 1 says")],
    );
    assert_refused(
        site.enter(hand_reading(hour(-7.5), 1.0)).await,
        &[("value", "at least 2 Wh (hint: event 1 says 2 Wh")],
    );
    site.enter(hand_reading(hour(-8.5), 5_050.0)).await.unwrap();
}
