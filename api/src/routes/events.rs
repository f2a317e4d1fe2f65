//! The books: what happened, what a person enters, and what is taken back.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use chrono_tz::Tz;
use serde_json::{Map, Value};
use steward_books::{
    Entry, Event, HandReading, Invoice, OtherRegister, Refusal, Replacement, Undone, Verdict,
    Voided,
};
use steward_config::Config;
use steward_model::{MeterId, Quantity, review_id};

use crate::auth::Who;
use crate::body::{Fields, object};
use crate::params::{Params, seq as seq_of};
use crate::problem::Problem;
use crate::state::{App, rfc3339, zone_of_meter, zone_of_point};
use crate::views::{
    EventEntry, EventKind, EventView, Events, InvoiceText, NewEvent, NewUndo, OtherRegisterView,
    QuantityWord, VerdictWord,
};

const PARAMETERS: &[&str] = &["before", "limit", "kind"];

/// Events of an answer where no `limit` is given.
const LIMIT_USUAL: u32 = 100;

/// The most events of an answer.
const LIMIT_MAX: u32 = 1_000;

/// The kinds that have no address of their own.
const KINDS_ENTERED: [&str; 3] = ["meter_replaced", "hand_reading", "readings_voided"];

/// What happened 台账, the newest first.
#[utoipa::path(get, path = "/api/v1/events", tag = "books",
    params(
        ("before" = Option<i64>, Query, minimum = 1, description = "Events with a smaller number; the newest unless told"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "The most events; 100 unless told"),
        ("kind" = inline(Option<EventKind>), Query, description = "Only events of this kind"),
    ),
    responses((status = 200, body = Events)))]
pub(crate) async fn events(State(app): State<Arc<App>>, uri: Uri) -> Result<Json<Events>, Problem> {
    let params = Params::of(&uri, PARAMETERS)?;
    let before = params.seq("before")?;
    let limit = params.number("limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT_USUAL);
    let kinds = EventKind::ALL.map(EventKind::id);
    let kind = params.word("kind", &kinds, |text| {
        kinds.into_iter().find(|kind| *kind == text)
    })?;
    let books = app.books().await?;
    let last_seq = books.entries.last().map_or(0, |entry| entry.seq);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut asked = books.entries.iter().rev().filter(|entry| {
        before.is_none_or(|before| entry.seq < before)
            && kind.is_none_or(|kind| entry.event.kind() == kind)
    });
    let shown: Vec<&Entry> = asked.by_ref().take(limit).collect();
    let next_before = asked.next().and(shown.last()).map(|last| last.seq);
    Ok(Json(Events {
        events: shown
            .into_iter()
            .map(|entry| entry_view(app.config(), entry))
            .collect(),
        next_before,
        last_seq,
    }))
}

/// Enters a replacement of a meter, a reading by hand, or readings that do not count.
#[utoipa::path(post, path = "/api/v1/events", tag = "books", operation_id = "enter_event",
    request_body = NewEvent,
    responses((status = 201, body = EventEntry)))]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<EventEntry>), Problem> {
    Params::of(&uri, &[])?;
    let members = object(&headers, &body)?;
    let (reason, event) = read_event(&members)?;
    let _alone = app.writing().await;
    let entry = app.enter(&who, &reason, event).await;
    let entry = entry.map_err(|problem| problem.within("event", &["by", "reason"]))?;
    Ok((StatusCode::CREATED, Json(entry_view(app.config(), &entry))))
}

/// Takes an event back. Both stay in the books.
#[utoipa::path(post, path = "/api/v1/events/{seq}/undo", tag = "books", operation_id = "undo_event",
    params(("seq" = i64, Path, minimum = 1, description = "Number of the event")),
    request_body = NewUndo,
    responses((status = 201, body = EventEntry)))]
pub(crate) async fn undo(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(seq): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<EventEntry>), Problem> {
    Params::of(&uri, &[])?;
    let seq = seq_of("seq", &seq)?;
    let members = object(&headers, &body)?;
    let mut fields = Fields::of(&members);
    let reason = fields.reason();
    let reason = fields.finish(reason)?;
    let _alone = app.writing().await;
    let books = app.books().await?;
    let entry = books.entries.iter().find(|entry| entry.seq == seq);
    let entry = entry
        .ok_or_else(|| Problem::unknown_in_books("seq", "event", &seq.to_string(), "events"))?;
    if let Some(by) = entry.undone_by {
        let refusal = Refusal::new("seq", seq, "an event that still counts")
            .hint(format!("event {by} has taken it back already"));
        return Err(Problem::conflict(refusal));
    }
    let entry = app
        .enter(&who, &reason, Event::Undone(Undone { seq }))
        .await?;
    Ok((StatusCode::CREATED, Json(entry_view(app.config(), &entry))))
}

fn read_event(members: &Map<String, Value>) -> Result<(String, Event), Problem> {
    let mut fields = Fields::of(members);
    let reason = fields.reason();
    let event = fields.nested("event", |event| {
        let kind = event.word("kind", &KINDS_ENTERED, |text| {
            KINDS_ENTERED.into_iter().find(|kind| *kind == text)
        })?;
        match kind {
            "meter_replaced" => replacement(event).map(Event::MeterReplaced),
            "hand_reading" => hand_reading(event).map(Event::HandReading),
            _ => voided(event).map(Event::ReadingsVoided),
        }
    });
    fields.finish(reason.zip(event))
}

fn replacement(fields: &mut Fields<'_>) -> Option<Replacement> {
    // Everything is read before anything is missed, so that all of it is refused at once.
    let (point, at) = (fields.id("point"), fields.time("at"));
    let (old_meter, old_last) = (fields.id("old_meter"), fields.number("old_last"));
    let (new_meter, new_first) = (fields.id("new_meter"), fields.number("new_first"));
    let others = fields.optional("others", |fields, name| {
        fields.list(name, Quantity::ALL.len(), other_register)
    });
    Some(Replacement {
        point: point?,
        at: at?,
        old_meter: old_meter?,
        old_last: old_last?,
        new_meter: new_meter?,
        new_first: new_first?,
        others: others.unwrap_or_default(),
    })
}

fn other_register(fields: &mut Fields<'_>) -> Option<OtherRegister> {
    let words: Vec<&str> = Quantity::ALL.iter().map(|quantity| quantity.id()).collect();
    let quantity = fields.word("quantity", &words, |text| text.parse().ok());
    let (old_last, new_first) = (fields.number("old_last"), fields.number("new_first"));
    Some(OtherRegister {
        quantity: quantity?,
        old_last: old_last?,
        new_first: new_first?,
    })
}

fn series(fields: &mut Fields<'_>) -> (Option<MeterId>, Option<Quantity>) {
    let words: Vec<&str> = Quantity::ALL.iter().map(|quantity| quantity.id()).collect();
    let meter = fields.id("meter");
    let quantity = fields.word("quantity", &words, |text| text.parse().ok());
    (meter, quantity)
}

fn hand_reading(fields: &mut Fields<'_>) -> Option<HandReading> {
    let (meter, quantity) = series(fields);
    let (at, value) = (fields.time("at"), fields.number("value"));
    Some(HandReading {
        meter: meter?,
        quantity: quantity?,
        at: at?,
        value: value?,
    })
}

fn voided(fields: &mut Fields<'_>) -> Option<Voided> {
    let (meter, quantity) = series(fields);
    let (from, to) = (fields.time("from"), fields.time("to"));
    Some(Voided {
        meter: meter?,
        quantity: quantity?,
        from: from?,
        to: to?,
    })
}

/// An event as people see it.
pub(crate) fn entry_view(config: &Config, entry: &Entry) -> EventEntry {
    EventEntry {
        seq: entry.seq,
        entered_at: rfc3339(config.settings.zone, entry.entered_at),
        by: entry.by.clone(),
        reason: entry.reason.clone(),
        event: event_view(config, &entry.event),
        undone_by: entry.undone_by,
    }
}

fn event_view(config: &Config, event: &Event) -> EventView {
    let of_meter = |meter: &MeterId| -> Tz { zone_of_meter(config, meter) };
    match event {
        Event::MeterReplaced(it) => EventView::MeterReplaced {
            point: it.point.to_string(),
            at: rfc3339(zone_of_point(config, &it.point), it.at),
            old_meter: it.old_meter.to_string(),
            old_last: it.old_last,
            new_meter: it.new_meter.to_string(),
            new_first: it.new_first,
            others: it
                .others
                .iter()
                .map(|other| OtherRegisterView {
                    quantity: QuantityWord(other.quantity.id().to_owned()),
                    old_last: other.old_last,
                    new_first: other.new_first,
                })
                .collect(),
            unit: config
                .registry
                .points
                .get(&it.point)
                .map(|point| point.counter.unit().to_owned()),
        },
        Event::ReviewDecided(it) => {
            let (verdict, until) = verdict_view(it.verdict);
            let zone = of_meter(&it.meter);
            EventView::ReviewDecided {
                review: review_id(&it.meter, it.quantity, it.at),
                meter: it.meter.to_string(),
                quantity: it.quantity.id().to_owned(),
                at: rfc3339(zone, it.at),
                verdict,
                until: until.map(|until| rfc3339(zone, until)),
            }
        }
        Event::HandReading(it) => EventView::HandReading {
            meter: it.meter.to_string(),
            quantity: it.quantity.id().to_owned(),
            unit: it.quantity.unit().to_owned(),
            at: rfc3339(of_meter(&it.meter), it.at),
            value: it.value,
        },
        Event::ReadingsVoided(it) => EventView::ReadingsVoided {
            meter: it.meter.to_string(),
            quantity: it.quantity.id().to_owned(),
            from: rfc3339(of_meter(&it.meter), it.from),
            to: rfc3339(of_meter(&it.meter), it.to),
        },
        Event::InvoiceEntered(it) => EventView::InvoiceEntered {
            invoice: invoice_text(it),
        },
        Event::CloseProposed(it) => EventView::CloseProposed {
            institution: it.institution.to_string(),
            month: it.month.clone(),
            revision: it.revision,
            content_sha256: it.content_sha256.clone(),
        },
        Event::CloseApproved(it) => EventView::CloseApproved {
            proposal: it.proposal,
        },
        Event::CloseRejected(it) => EventView::CloseRejected {
            proposal: it.proposal,
        },
        Event::Undone(it) => EventView::Undone { seq: it.seq },
    }
}

/// A verdict, and the last reading that it discards.
pub(crate) fn verdict_view(verdict: Verdict) -> (VerdictWord, Option<steward_model::UtcMs>) {
    match verdict {
        Verdict::Accept => (VerdictWord::Accept, None),
        Verdict::Rollover => (VerdictWord::Rollover, None),
        Verdict::Restart => (VerdictWord::Restart, None),
        Verdict::Discard { until } => (VerdictWord::Discard, Some(until)),
    }
}

/// An invoice with its numbers as they were written.
pub(crate) fn invoice_text(invoice: &Invoice) -> InvoiceText {
    InvoiceText {
        account: invoice.account.clone(),
        number: invoice.number.clone(),
        from: invoice.from.to_string(),
        to: invoice.to.to_string(),
        amount: invoice.amount.to_string(),
        cost_cny: invoice.cost_cny.to_string(),
        demand_kw: invoice.demand_kw.map(|number| number.to_string()),
        power_factor: invoice.power_factor.map(|number| number.to_string()),
    }
}
