//! What the books refuse by themselves.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use steward_books::{
    Access, Books, CloseProposal, CloseState, Event, Invoice, MonthState, Replacement, Verdict,
};
use support::{
    append, approval, assert_refused, date, decision, hand_reading, hour, institution, invoice,
    proposal, rejection, replacement, undone, voided,
};
use tempfile::TempDir;

fn books() -> (TempDir, Books) {
    let dir = tempfile::tempdir().unwrap();
    let books = Books::open(dir.path(), Access::Write).unwrap();
    (dir, books)
}

fn invoiced(number: &str, from: &str, to: &str) -> Event {
    Event::InvoiceEntered(invoice(number, from, to))
}

#[test]
fn by_and_reason_are_asked_for() {
    let (_dir, books) = books();
    let event = || hand_reading(hour(1.0), 1.0);
    let long = "长".repeat(501);
    let now = support::NOW;
    assert_refused(
        books.append("  ", &long, event(), now),
        &[("by", "1 to 100"), ("reason", "1 to 500")],
    );
    assert_refused(
        books.append(&"x".repeat(101), "a\tb", event(), now),
        &[("by", "1 to 100")],
    );
    assert_refused(
        books.append("wa\nng", "why", event(), now),
        &[("by", "control")],
    );
    books.append("王", &long[..3 * 500], event(), now).unwrap();
}

#[test]
fn a_point_has_one_meter_at_a_time() {
    let (_dir, books) = books();
    let enter = |hours, old, new| {
        let event = replacement(hour(hours), (old, 5.0), (new, 1.0));
        append(&books, "wang", event)
    };
    enter(10.0, "m1", "m2").unwrap();
    enter(30.0, "m3", "m4").unwrap();
    // Between the two, and the device behind an address more than once.
    enter(20.0, "m2", "m3").unwrap();
    enter(21.0, "m3", "m3").unwrap();
    enter(22.0, "m3", "m3").unwrap();
    for (hours, old, new, why) in [
        (10.0, "m2", "m3", "event 1 stands at this instant"),
        (11.0, "m1", "m5", "`m1` has left already"),
        (9.0, "m1", "m5", "`m1` has left already"),
        (40.0, "m4", "m1", "`m1` has left and cannot come again"),
        (9.0, "m0", "m2", "`m2` stands there before it comes"),
        (5.0, "m0", "m4", "`m4` stands there before it comes"),
        (11.0, "m1", "m1", "`m1` has left already"),
        (9.0, "m2", "m2", "`m2` stands there before it comes"),
    ] {
        let refused = support::refusals(enter(hours, old, new));
        assert!(
            refused
                .iter()
                .any(|one| one.place == "at" && one.hint.contains(why)),
            "{hours} {old} {new}: {refused:?}"
        );
    }
    assert_eq!(books.last_seq().unwrap(), 5);
    // What others rest on stays; the latest may be taken back, then the one before it.
    assert_refused(
        append(&books, "wang", undone(4)),
        &[("seq", "event 2 rests on it")],
    );
    append(&books, "wang", undone(2)).unwrap();
    append(&books, "wang", undone(5)).unwrap();
    append(&books, "wang", undone(4)).unwrap();
    let standing: Vec<u64> = books
        .state()
        .unwrap()
        .replacements()
        .iter()
        .map(|one| one.0)
        .collect();
    assert_eq!(standing, [1, 3]);
    // Another point is another matter.
    let Event::MeterReplaced(one) = replacement(hour(10.0), ("m1", 1.0), ("m2", 1.0)) else {
        panic!("a replacement");
    };
    let elsewhere = Replacement {
        point: support::point("q"),
        ..one
    };
    append(&books, "wang", Event::MeterReplaced(elsewhere)).unwrap();
}

#[test]
fn registers_and_instants_have_a_form() {
    let (_dir, books) = books();
    for (old, new) in [
        (f64::NAN, f64::INFINITY),
        (-1.0, f64::NEG_INFINITY),
        (1e16, -0.5),
    ] {
        assert_refused(
            append(
                &books,
                "wang",
                replacement(hour(1.0), ("m1", old), ("m2", new)),
            ),
            &[
                ("old_last", "from 0 to 9e15"),
                ("new_first", "from 0 to 9e15"),
            ],
        );
    }
    // Seconds instead of milliseconds.
    let seconds = steward_model::UtcMs(1_741_536_000);
    assert_refused(
        append(&books, "wang", hand_reading(seconds, 1.0)),
        &[("at", "milliseconds since 1970")],
    );
    let Event::HandReading(mut power) = hand_reading(hour(1.0), 1.0) else {
        panic!("a reading by hand");
    };
    power.quantity = steward_model::Quantity::Power;
    assert_refused(
        append(&books, "wang", Event::HandReading(power)),
        &[("quantity", "a register: energy_import, ")],
    );
    assert_refused(
        append(&books, "wang", voided(hour(2.0), hour(1.0))),
        &[("from", "at most `to`")],
    );
    let early = Verdict::Discard { until: hour(1.0) };
    assert_refused(
        append(&books, "wang", decision(hour(2.0), early)),
        &[("verdict.until", "not before the first one")],
    );
}

#[test]
fn the_later_decision_holds_until_it_is_taken_back() {
    let (_dir, books) = books();
    append(&books, "wang", decision(hour(1.0), Verdict::Restart)).unwrap();
    append(&books, "wang", decision(hour(2.0), Verdict::Accept)).unwrap();
    append(&books, "li", decision(hour(1.0), Verdict::Rollover)).unwrap();
    let holding = |books: &Books| -> Vec<(u64, Verdict)> {
        let state = books.state().unwrap();
        let all = state.decisions().into_iter();
        all.map(|(seq, one)| (seq, one.verdict)).collect()
    };
    assert_eq!(
        holding(&books),
        [(3, Verdict::Rollover), (2, Verdict::Accept)]
    );
    assert_refused(
        append(&books, "wang", decision(hour(1.0), Verdict::Rollover)),
        &[("verdict", "event 3 says the same already")],
    );
    append(&books, "wang", undone(3)).unwrap();
    assert_eq!(
        holding(&books),
        [(1, Verdict::Restart), (2, Verdict::Accept)]
    );
    // So do the stretches that are discarded.
    let discards = |books: &Books| {
        let state = books.state().unwrap();
        state.discards_of(&support::meter("m1"), support::ENERGY)
    };
    let until = |hours| Verdict::Discard { until: hour(hours) };
    append(&books, "wang", decision(hour(1.0), until(1.5))).unwrap();
    append(&books, "wang", decision(hour(2.0), until(2.5))).unwrap();
    append(&books, "wang", decision(hour(1.0), until(1.75))).unwrap();
    assert_eq!(
        discards(&books),
        [(hour(1.0), hour(1.75)), (hour(2.0), hour(2.5))]
    );
    append(&books, "wang", decision(hour(1.0), Verdict::Accept)).unwrap();
    assert_eq!(discards(&books), [(hour(2.0), hour(2.5))]);
}

#[test]
fn what_stands_already_is_not_entered_again() {
    let (_dir, books) = books();
    append(&books, "wang", hand_reading(hour(1.0), 1.0)).unwrap();
    assert_refused(
        append(&books, "wang", hand_reading(hour(1.0), 2.0)),
        &[("at", "event 1 says 1")],
    );
    append(&books, "wang", voided(hour(1.0), hour(5.0))).unwrap();
    assert_refused(
        append(&books, "wang", voided(hour(2.0), hour(5.0))),
        &[("from", "event 2 voids all of it")],
    );
    append(&books, "wang", voided(hour(2.0), hour(6.0))).unwrap();
}

#[test]
fn an_account_has_one_invoice_a_number_and_a_day() {
    let (_dir, books) = books();
    append(&books, "wang", invoiced("1", "2025-01-01", "2025-02-01")).unwrap();
    append(&books, "wang", invoiced("3", "2025-03-01", "2025-04-01")).unwrap();
    assert_refused(
        append(&books, "wang", invoiced("1", "2025-02-01", "2025-03-01")),
        &[("number", "it is event 1")],
    );
    assert_refused(
        append(&books, "wang", invoiced("2", "2025-01-31", "2025-03-02")),
        &[
            (
                "from",
                "invoice `1` (event 1) covers 2025-01-01 until before 2025-02-01",
            ),
            ("from", "invoice `3` (event 2)"),
        ],
    );
    append(&books, "wang", invoiced("2", "2025-02-01", "2025-03-01")).unwrap();
    // Another account, whose id begins with the same letters.
    let mut other = invoice("1", "2025-01-01", "2025-02-01");
    other.account = "grid-2".to_owned();
    append(&books, "wang", Event::InvoiceEntered(other)).unwrap();
    append(&books, "wang", undone(1)).unwrap();
    append(&books, "wang", invoiced("1", "2025-01-01", "2025-02-01")).unwrap();
}

#[test]
fn an_invoice_is_plausible() {
    let (_dir, books) = books();
    let good = || invoice("1", "2025-01-01", "2025-02-01");
    let decimal = |text: &str| text.parse().unwrap();
    let wrong = Invoice {
        number: " 1".to_owned(),
        to: date("2025-01-01"),
        amount: decimal("-1"),
        cost_cny: decimal("1000000000001"),
        demand_kw: Some(decimal("-0.1")),
        power_factor: Some(decimal("93")),
        ..good()
    };
    assert_refused(
        append(&books, "wang", Event::InvoiceEntered(wrong)),
        &[
            ("number", "without white space"),
            ("to", "a day after 2025-01-01"),
            ("amount", "from 0 to"),
            ("cost_cny", "from 0 to"),
            ("demand_kw", "from 0 to"),
            ("power_factor", "0.93, not 93 %"),
        ],
    );
    let fine = Invoice {
        amount: decimal("0.1234567"),
        to: date("2026-03-01"),
        ..good()
    };
    assert_refused(
        append(&books, "wang", Event::InvoiceEntered(fine)),
        &[("to", "is the year right?"), ("amount", "6 digits")],
    );
    let zero = Invoice {
        amount: decimal("-0"),
        cost_cny: decimal("12.3400000"),
        ..good()
    };
    append(&books, "wang", Event::InvoiceEntered(zero)).unwrap();
}

#[test]
fn a_month_closes_by_two_persons() {
    let (_dir, books) = books();
    let month = |books: &Books| {
        books
            .state()
            .unwrap()
            .month_state(&institution(), "2025-03")
    };
    assert_eq!(month(&books), MonthState::Open);
    assert_refused(
        append(&books, "wang", proposal("2025-03", 2)),
        &[("revision", "the month is not closed yet")],
    );
    append(&books, "Wang", proposal("2025-03", 1)).unwrap();
    assert_eq!(month(&books), MonthState::Provisional);
    assert_refused(
        append(&books, "li", proposal("2025-03", 1)),
        &[("month", "proposal 1 waits")],
    );
    for maker in ["Wang", " wang "] {
        assert_refused(
            append(&books, maker, approval(1)),
            &[("by", "`Wang` proposed it")],
        );
    }
    assert_refused(
        append(&books, "li", approval(9)),
        &[("proposal", "number of a proposal")],
    );
    append(&books, "li", rejection(1)).unwrap();
    assert_eq!(month(&books), MonthState::Open);
    assert_refused(
        append(&books, "li", approval(1)),
        &[("proposal", "rejected, by `li`")],
    );

    append(&books, "wang", proposal("2025-03", 1)).unwrap();
    append(&books, "li", approval(3)).unwrap();
    assert_eq!(month(&books), MonthState::Closed);
    assert_refused(
        append(&books, "zhao", approval(3)),
        &[("proposal", "closed, by `li`")],
    );
    assert_refused(
        append(&books, "zhao", rejection(3)),
        &[("proposal", "closed, by `li`")],
    );

    // A revision changes nothing before it is approved.
    assert_refused(
        append(&books, "wang", proposal("2025-03", 1)),
        &[("revision", "revision 1 is closed")],
    );
    append(&books, "wang", proposal("2025-03", 2)).unwrap();
    let state = books.state().unwrap();
    assert_eq!(month(&books), MonthState::Closed);
    assert_eq!(
        state
            .closed(&institution(), "2025-03")
            .map(|one| one.proposal),
        Some(3)
    );
    assert_eq!(
        state
            .pending(&institution(), "2025-03")
            .map(|one| one.proposal),
        Some(5)
    );
    append(&books, "li", approval(5)).unwrap();
    let state = books.state().unwrap();
    let states: Vec<_> = state
        .closes()
        .iter()
        .map(|one| (one.proposal, one.state))
        .collect();
    assert_eq!(
        states,
        [
            (1, CloseState::Rejected),
            (3, CloseState::Superseded),
            (5, CloseState::Closed)
        ]
    );
    let closed = state.closed(&institution(), "2025-03").unwrap();
    assert_eq!(
        (closed.proposed_by.as_str(), closed.decided_by.as_deref()),
        ("wang", Some("li"))
    );
    assert_eq!(
        (closed.verdict, closed.closed_at),
        (Some(6), Some(support::NOW))
    );
    assert_eq!(state.closed_months(&institution()), [closed]);
}

#[test]
fn closes_are_taken_back_only_before_they_are_decided() {
    let (_dir, books) = books();
    append(&books, "wang", proposal("2025-03", 1)).unwrap();
    append(&books, "wang", undone(1)).unwrap();
    assert_refused(
        append(&books, "li", approval(1)),
        &[("proposal", "event 2 took it back")],
    );
    append(&books, "wang", proposal("2025-03", 1)).unwrap();
    append(&books, "li", rejection(3)).unwrap();
    assert_refused(
        append(&books, "wang", undone(3)),
        &[("seq", "it is rejected")],
    );
    // A rejection by mistake: the proposal waits again, unless another one followed.
    append(&books, "li", undone(4)).unwrap();
    append(&books, "li", rejection(3)).unwrap();
    append(&books, "wang", proposal("2025-03", 1)).unwrap();
    assert_refused(
        append(&books, "li", undone(6)),
        &[("seq", "proposal 7 followed")],
    );
    append(&books, "li", approval(7)).unwrap();
    assert_refused(
        append(&books, "li", undone(8)),
        &[("seq", "propose a revision")],
    );
    assert_refused(append(&books, "li", undone(7)), &[("seq", "it is closed")]);
}

#[test]
fn a_proposal_has_the_hash_of_its_content() {
    let (_dir, books) = books();
    let wrong = CloseProposal {
        institution: institution(),
        month: "2025-3".to_owned(),
        revision: 1,
        content_sha256: steward_books::sha256_hex("{} "),
        content: "{}".to_owned(),
        checklist: "no JSON".to_owned(),
    };
    assert_refused(
        append(&books, "wang", Event::CloseProposed(wrong)),
        &[
            ("month", "as `2026-09`"),
            ("checklist", "a JSON document"),
            // sha256 of `{}`.
            (
                "content_sha256",
                "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            ),
        ],
    );
}

#[test]
fn an_undoing_names_an_event_that_stands() {
    let (_dir, books) = books();
    append(&books, "wang", hand_reading(hour(1.0), 1.0)).unwrap();
    append(&books, "wang", undone(1)).unwrap();
    for (seq, why) in [
        (1, "event 2 took it back"),
        (2, "enter the first event again"),
        (3, "the last one is 2"),
        (0, "the last one is 2"),
        (u64::MAX, "the last one is 2"),
    ] {
        assert_refused(append(&books, "wang", undone(seq)), &[("seq", why)]);
    }
}
