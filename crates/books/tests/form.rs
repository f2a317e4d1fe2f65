//! The form of events on the disk. It never changes: old books are read for ever.

#![allow(clippy::unwrap_used)]

mod support;

use steward_books::{Event, Invoice, Verdict};
use support::{
    approval, decision, hand_reading, hour, invoice, proposal, rejection, replacement, undone,
    voided,
};

#[test]
fn every_event_has_the_form_that_it_always_had() {
    let bill = Invoice {
        demand_kw: Some("410.5".parse().unwrap()),
        power_factor: Some("0.93".parse().unwrap()),
        ..invoice("2025-02/1", "2025-02-01", "2025-03-01")
    };
    let forms = [
        (
            replacement(hour(10.0), ("m1", 123_456.5), ("m2", 0.1)),
            r#"{"kind":"meter_replaced","point":"p","at":1741572000000,"old_meter":"m1","old_last":123456.5,"new_meter":"m2","new_first":0.1}"#,
        ),
        (
            decision(hour(0.0), Verdict::Accept),
            r#"{"kind":"review_decided","meter":"m1","quantity":"energy_import","at":1741536000000,"verdict":{"verdict":"accept"}}"#,
        ),
        (
            decision(hour(0.0), Verdict::Rollover),
            r#"{"kind":"review_decided","meter":"m1","quantity":"energy_import","at":1741536000000,"verdict":{"verdict":"rollover"}}"#,
        ),
        (
            decision(hour(0.0), Verdict::Restart),
            r#"{"kind":"review_decided","meter":"m1","quantity":"energy_import","at":1741536000000,"verdict":{"verdict":"restart"}}"#,
        ),
        (
            decision(hour(0.0), Verdict::Discard { until: hour(1.0) }),
            r#"{"kind":"review_decided","meter":"m1","quantity":"energy_import","at":1741536000000,"verdict":{"verdict":"discard","until":1741539600000}}"#,
        ),
        (
            hand_reading(hour(1.0), 8_999_999_999_999_999.0),
            r#"{"kind":"hand_reading","meter":"m1","quantity":"energy_import","at":1741539600000,"value":8999999999999999.0}"#,
        ),
        (
            voided(hour(0.0), hour(1.0)),
            r#"{"kind":"readings_voided","meter":"m1","quantity":"energy_import","from":1741536000000,"to":1741539600000}"#,
        ),
        (
            Event::InvoiceEntered(invoice("票 1", "2025-01-01", "2025-02-01")),
            r#"{"kind":"invoice_entered","account":"grid","number":"票 1","from":"2025-01-01","to":"2025-02-01","amount":"1234.5","cost_cny":"876.54","demand_kw":null,"power_factor":null}"#,
        ),
        (
            Event::InvoiceEntered(bill),
            r#"{"kind":"invoice_entered","account":"grid","number":"2025-02/1","from":"2025-02-01","to":"2025-03-01","amount":"1234.5","cost_cny":"876.54","demand_kw":"410.5","power_factor":"0.93"}"#,
        ),
        (
            proposal("2025-03", 1),
            r#"{"kind":"close_proposed","institution":"xzzx","month":"2025-03","revision":1,"content_sha256":"341e416a4b25995366d8e0ad4af035f2a4ebd4673b40cc2ad970722089717c25","content":"{\"month\":\"2025-03\",\"revision\":1}","checklist":"[]"}"#,
        ),
        (approval(7), r#"{"kind":"close_approved","proposal":7}"#),
        (rejection(7), r#"{"kind":"close_rejected","proposal":7}"#),
        (undone(7), r#"{"kind":"undone","seq":7}"#),
    ];
    let kinds: std::collections::BTreeSet<_> =
        forms.iter().map(|(event, _)| event.kind()).collect();
    assert_eq!(kinds.len(), 9, "each kind is here");
    for (event, form) in forms {
        assert_eq!(serde_json::to_string(&event).unwrap(), form);
        assert_eq!(serde_json::from_str::<Event>(form).unwrap(), event);
        let kind = form.split('"').nth(3);
        assert_eq!(kind, Some(event.kind()));
    }
}

#[test]
fn registers_are_read_as_they_were_written() {
    // Values whose shortest form a quick parser reads one step off.
    for value in [
        0.1 + 0.2,
        1.0 / 3.0,
        2.225_073_858_507_201_4e-308,
        123_456_789.123_456_78,
    ] {
        let text = serde_json::to_string(&hand_reading(hour(0.0), value)).unwrap();
        let read: Event = serde_json::from_str(&text).unwrap();
        assert_eq!(read, hand_reading(hour(0.0), value), "{text}");
    }
}
