//! The form of an event: what is wrong with it whatever stands in the books.

use rust_decimal::Decimal;
use steward_model::{Kind, Quantity, UtcMs};

use crate::close::month_dates;
use crate::event::{
    CloseProposal, Decision, Event, HandReading, Invoice, Replacement, Verdict, Voided,
};
use crate::{Refusal, sha256_hex};

/// No register shows more: beyond it neighbouring whole numbers are no longer apart.
const REGISTER_MAX: f64 = 9e15;
/// The longest number of an invoice.
const NUMBER_CHARS_MAX: usize = 64;
/// No supplier invoices a longer time at once; a longer one is a mistyped year.
const INVOICE_DAYS_MAX: i64 = 400;
/// Digits after the point that amounts and sums may have.
const SCALE_MAX: u32 = 6;
/// The most of a unit, or of CNY, that an invoice may have.
const INVOICE_MAX: i64 = 1_000_000_000_000;
/// The largest frozen month. That of a thousand points is far below it.
const CONTENT_BYTES_MAX: usize = 16 << 20;

/// Everything that is wrong with the form of `event`.
pub(super) fn of(event: &Event) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    match event {
        Event::MeterReplaced(one) => replacement(one, &mut refusals),
        Event::ReviewDecided(one) => decision(one, &mut refusals),
        Event::HandReading(one) => hand_reading(one, &mut refusals),
        Event::ReadingsVoided(one) => voided(one, &mut refusals),
        Event::InvoiceEntered(one) => invoice(one, &mut refusals),
        Event::CloseProposed(one) => proposal(one, &mut refusals),
        Event::CloseApproved(_) | Event::CloseRejected(_) | Event::Undone(_) => {}
    }
    refusals
}

/// The word of a verdict.
pub(super) const fn verdict_id(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accept => "accept",
        Verdict::Rollover => "rollover",
        Verdict::Restart => "restart",
        Verdict::Discard { .. } => "discard",
    }
}

fn register(place: &str, value: f64, refusals: &mut Vec<Refusal>) {
    if !(0.0..=REGISTER_MAX).contains(&value) {
        refusals.push(
            Refusal::new(place, value, "a register from 0 to 9e15")
                .hint("what the display shows, in the unit of the quantity, before ratios"),
        );
    }
}

fn instant(place: &str, at: UtcMs, refusals: &mut Vec<Refusal>) {
    // 2000-01-01 to 2100-01-01: outside, seconds were taken for milliseconds or the reverse.
    if !(946_684_800_000..4_102_444_800_000).contains(&at.0) {
        refusals.push(
            Refusal::new(place, at.0, "an instant between the years 2000 and 2100")
                .hint("milliseconds since 1970-01-01 UTC"),
        );
    }
}

fn replacement(one: &Replacement, refusals: &mut Vec<Refusal>) {
    instant("at", one.at, refusals);
    register("old_last", one.old_last, refusals);
    register("new_first", one.new_first, refusals);
    for (index, other) in one.others.iter().enumerate() {
        let mut of_other = Vec::new();
        register("old_last", other.old_last, &mut of_other);
        register("new_first", other.new_first, &mut of_other);
        counter(other.quantity, &mut of_other);
        let mut before = one.others.iter().take(index);
        if before.any(|earlier| earlier.quantity == other.quantity) {
            let expected = "each register once";
            of_other.push(Refusal::new("quantity", other.quantity, expected));
        }
        let place = format!("others[{index}].");
        refusals.extend(of_other.into_iter().map(|one| one.under(&place)));
    }
}

fn decision(one: &Decision, refusals: &mut Vec<Refusal>) {
    instant("at", one.at, refusals);
    if let Verdict::Discard { until } = one.verdict
        && until < one.at
    {
        refusals.push(
            Refusal::new("verdict.until", until.0, format!("at least {}", one.at.0))
                .hint("the last wrong reading is not before the first one"),
        );
    }
}

fn hand_reading(one: &HandReading, refusals: &mut Vec<Refusal>) {
    instant("at", one.at, refusals);
    register("value", one.value, refusals);
    counter(one.quantity, refusals);
}

fn counter(quantity: Quantity, refusals: &mut Vec<Refusal>) {
    if quantity.kind() != Kind::Counter {
        let counters: Vec<&str> = Quantity::ALL
            .iter()
            .filter(|one| one.kind() == Kind::Counter)
            .map(|one| one.id())
            .collect();
        refusals.push(Refusal::new(
            "quantity",
            quantity,
            format!("a register: {}", counters.join(", ")),
        ));
    }
}

fn voided(one: &Voided, refusals: &mut Vec<Refusal>) {
    instant("from", one.from, refusals);
    instant("to", one.to, refusals);
    if one.from > one.to {
        refusals.push(Refusal::new(
            "from",
            one.from.0,
            format!("at most `to`, {}", one.to.0),
        ));
    }
    // A meter without register is integrated from its power, so that can be wrong too.
    if one.quantity != Quantity::Power {
        counter(one.quantity, refusals);
    }
}

fn invoice(one: &Invoice, refusals: &mut Vec<Refusal>) {
    let chars = one.number.chars().count();
    if one.number.trim() != one.number
        || !(1..=NUMBER_CHARS_MAX).contains(&chars)
        || one.number.chars().any(char::is_control)
    {
        refusals.push(Refusal::new(
            "number",
            &one.number,
            format!("1 to {NUMBER_CHARS_MAX} characters without white space around them"),
        ));
    }
    let days = (one.to - one.from).num_days();
    if days < 1 {
        refusals.push(
            Refusal::new("to", one.to, format!("a day after {}", one.from))
                .hint("`to` is the first day that is not invoiced any more"),
        );
    } else if days > INVOICE_DAYS_MAX {
        refusals.push(
            Refusal::new(
                "to",
                one.to,
                format!("at most {INVOICE_DAYS_MAX} days after {}", one.from),
            )
            .hint("is the year right?"),
        );
    }
    let sign = "enter no credit notes: undo the wrong invoice and enter the right one";
    decimal(
        "amount",
        one.amount,
        Decimal::from(INVOICE_MAX),
        sign,
        refusals,
    );
    decimal(
        "cost_cny",
        one.cost_cny,
        Decimal::from(INVOICE_MAX),
        sign,
        refusals,
    );
    if let Some(demand) = one.demand_kw {
        decimal(
            "demand_kw",
            demand,
            Decimal::from(INVOICE_MAX),
            "",
            refusals,
        );
    }
    if let Some(factor) = one.power_factor {
        let hint = "0.93, not 93 %";
        decimal("power_factor", factor, Decimal::ONE, hint, refusals);
    }
}

fn decimal(place: &str, value: Decimal, max: Decimal, hint: &str, refusals: &mut Vec<Refusal>) {
    if value.is_sign_negative() && !value.is_zero() || value > max {
        refusals.push(Refusal::new(place, value, format!("a number from 0 to {max}")).hint(hint));
    } else if value.normalize().scale() > SCALE_MAX {
        let expected = format!("at most {SCALE_MAX} digits after the point");
        refusals.push(Refusal::new(place, value, expected));
    }
}

fn proposal(one: &CloseProposal, refusals: &mut Vec<Refusal>) {
    if month_dates(&one.month).is_none() {
        refusals.push(Refusal::new("month", &one.month, "a month as `2026-09`"));
    }
    for (place, text) in [("content", &one.content), ("checklist", &one.checklist)] {
        if text.len() > CONTENT_BYTES_MAX {
            let expected = format!("at most {CONTENT_BYTES_MAX} bytes");
            let bytes = format!("{} bytes", text.len());
            refusals.push(Refusal::new(place, bytes, expected));
        } else if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
            refusals.push(Refusal::new(place, text, "a JSON document"));
        }
    }
    let hash = sha256_hex(&one.content);
    if one.content_sha256 != hash {
        refusals.push(
            Refusal::new("content_sha256", &one.content_sha256, hash)
                .hint("SHA-256 of the bytes of `content`, in lower-case hex"),
        );
    }
}
