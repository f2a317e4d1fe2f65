//! The review queue: findings, and what a person decides about them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use chrono_tz::Tz;
use steward_books::{Decision, Entry, Event, Refusal, Verdict};
use steward_model::time::local_date;
use steward_model::{Finding, FindingKind, FindingState, UtcMs, parse_review_id};
use steward_store::{FindingFilter, FindingStates};

use super::events::{entry_view, verdict_view};
use crate::auth::Who;
use crate::body::{Fields, object};
use crate::params::Params;
use crate::problem::Problem;
use crate::range::edge;
use crate::state::{App, rfc3339, zone_of_point};
use crate::views::{
    Decided, EventEntry, Evidence, FindingWord, NewDecision, Register, Review, ReviewState,
    ReviewStateAsked, Reviews, VerdictWord,
};

const PARAMETERS: &[&str] = &["state", "point", "meter", "kind", "from", "to", "limit"];

/// Reviews of an answer where no `limit` is given.
const LIMIT_USUAL: u32 = 500;

/// The most reviews of an answer.
const LIMIT_MAX: u32 = 5_000;

const STATES: [&str; 4] = ["open", "decided", "rule", "all"];

/// What the ledger found in registers that is not plain counting 复核队列.
#[utoipa::path(get, path = "/api/v1/reviews", tag = "books",
    params(
        ("state" = inline(Option<ReviewStateAsked>), Query, description = "`open` unless told"),
        ("point" = Option<String>, Query, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "Only this point's"),
        ("meter" = Option<String>, Query, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "Only this meter's"),
        ("kind" = inline(Option<FindingWord>), Query, description = "Only findings of this kind"),
        ("from" = Option<String>, Query, description = "Findings that end here or later: RFC 3339, or a local date"),
        ("to" = Option<String>, Query, description = "Findings that begin before: RFC 3339, or a local date"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 5000, description = "The most findings; 500 unless told"),
    ),
    responses((status = 200, body = Reviews)))]
pub(crate) async fn reviews(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Reviews>, Problem> {
    let params = Params::of(&uri, PARAMETERS)?;
    let config = app.config();
    let states = params.word("state", &STATES, states_of)?;
    let kinds = FindingKind::ALL.map(FindingKind::id);
    let zone = config.settings.zone;
    let limit = params.number("limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT_USUAL);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let filter = FindingFilter {
        point: params.point(config)?,
        meter: params.meter(config)?,
        states: states.unwrap_or(FindingStates::Open),
        kind: params.word("kind", &kinds, FindingKind::from_id)?,
        from: edge(&params, "from", zone)?,
        to: edge(&params, "to", zone)?,
        // One more than asked for tells whether there is more.
        limit: Some(limit + 1),
    };
    let source = &app.state.source;
    let mut found = source.findings(filter).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let open_total = source.open_findings().await?.values().sum();
    let books = app.books().await?;
    let entries: HashMap<u64, &Entry> = books
        .entries
        .iter()
        .map(|entry| (entry.seq, entry))
        .collect();
    let view = |finding: &Finding| {
        let event = match finding.state {
            FindingState::Decided(event) => entries.get(&event).copied(),
            _ => None,
        };
        review_view(&app, finding, event)
    };
    Ok(Json(Reviews {
        open_total,
        reviews: found.iter().map(view).collect(),
        more,
    }))
}

fn states_of(text: &str) -> Option<FindingStates> {
    match text {
        "open" => Some(FindingStates::Open),
        "decided" => Some(FindingStates::Decided),
        "rule" => Some(FindingStates::ByRule),
        "all" => Some(FindingStates::All),
        _ => None,
    }
}

/// Decides what a finding means. Just what it touches is computed again.
#[utoipa::path(post, path = "/api/v1/reviews/{id}/decision", tag = "books", operation_id = "decide_review",
    params(("id" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}~[a-z0-9_]+~[0-9]{1,15}$", description = "Id of the review: `meter~quantity~milliseconds`")),
    request_body = NewDecision,
    responses((status = 201, body = EventEntry)))]
pub(crate) async fn decide(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<EventEntry>), Problem> {
    Params::of(&uri, &[])?;
    let shown: String = id.chars().take(128).collect();
    let (meter, quantity, at) = parse_review_id(&id).ok_or_else(|| {
        Problem::parameter("id", format!("`{shown}` is no id of a review"))
            .hint("an id is `meter~quantity~milliseconds`, as GET /api/v1/reviews shows it")
    })?;
    let members = object(&headers, &body)?;
    let mut fields = Fields::of(&members);
    let words = VerdictWord::ALL.map(VerdictWord::id);
    let word = fields.word("verdict", &words, |text| {
        VerdictWord::ALL.into_iter().find(|word| word.id() == text)
    });
    let until = fields.optional("until", Fields::time);
    let reason = fields.reason();
    let (word, reason) = fields.finish(word.zip(reason))?;
    let _alone = app.writing().await;
    let finding = app.state.source.finding(&meter, quantity, at).await?;
    let finding =
        finding.ok_or_else(|| Problem::unknown_in_books("id", "review", &shown, "reviews"))?;
    if let Some(event) = decided_by(&app, &finding).await? {
        let refusal = Refusal::new("id", &shown, "a review that nobody has decided")
            .hint(format!("event {event} decided it; take that back first"));
        return Err(Problem::conflict(refusal));
    }
    let verdict = verdict_of(word, until, finding.until)?;
    let event = Event::ReviewDecided(Decision {
        meter,
        quantity,
        at,
        verdict,
    });
    let entry = app.enter(&who, &reason, event).await?;
    Ok((StatusCode::CREATED, Json(entry_view(app.config(), &entry))))
}

/// The event that decided it. The ledger may not have seen the last ones of the books yet.
async fn decided_by(app: &App, finding: &Finding) -> Result<Option<u64>, Problem> {
    let books = app.books().await?;
    let decided = books.entries.iter().rev().find(|entry| {
        let Event::ReviewDecided(decision) = &entry.event else {
            return false;
        };
        entry.undone_by.is_none()
            && decision.meter == finding.meter
            && decision.quantity == finding.quantity
            && decision.at == finding.at
    });
    Ok(decided.map(|entry| entry.seq))
}

fn verdict_of(word: VerdictWord, until: Option<UtcMs>, last: UtcMs) -> Result<Verdict, Problem> {
    if let (Some(until), false) = (until, word == VerdictWord::Discard) {
        let until = until.to_datetime().to_rfc3339();
        let refusal = Refusal::new("until", until, "no such member")
            .hint("only `discard` takes out readings up to an instant");
        return Err(Problem::refused(vec![refusal]));
    }
    Ok(match word {
        VerdictWord::Accept => Verdict::Accept,
        VerdictWord::Rollover => Verdict::Rollover,
        VerdictWord::Restart => Verdict::Restart,
        VerdictWord::Discard => Verdict::Discard {
            until: until.unwrap_or(last),
        },
    })
}

/// What a person may decide. Amounts beside a frozen register stay, so there is nothing to discard.
fn verdicts(finding: &Finding) -> Vec<VerdictWord> {
    match finding.kind {
        FindingKind::Frozen => vec![VerdictWord::Accept],
        FindingKind::OutOfRange => vec![VerdictWord::Discard],
        FindingKind::ExchangeWithoutRegisters => vec![VerdictWord::Accept, VerdictWord::Restart],
        _ => VerdictWord::ALL
            .into_iter()
            .filter(|word| *word != VerdictWord::Rollover || finding.evidence.modulus.is_some())
            .collect(),
    }
}

fn review_view(app: &App, finding: &Finding, event: Option<&Entry>) -> Review {
    let config = app.config();
    let registry = &config.registry;
    let point = registry.points.get(&finding.point);
    let zone = zone_of_point(config, &finding.point);
    let date = local_date(zone, finding.at.seconds_floor());
    let meter = registry.meters.get(&finding.meter);
    let owner = point.and_then(|point| registry.institution_of(point));
    Review {
        id: finding.id(),
        state: match finding.state {
            FindingState::ByRule => ReviewState::Rule,
            FindingState::Open => ReviewState::Open,
            FindingState::Decided(_) => ReviewState::Decided,
        },
        kind: finding.kind.into(),
        point: finding.point.to_string(),
        point_name_zh: point.map(|point| point.name_zh.clone()).unwrap_or_default(),
        point_name_en: point.map(|point| point.name_en.clone()).unwrap_or_default(),
        institution: owner.map(|owner| owner.id.to_string()),
        meter: finding.meter.to_string(),
        quantity: finding.quantity.id().to_owned(),
        unit: finding.quantity.unit().to_owned(),
        ratio: meter.map_or(1, |meter| meter.ratio_on(date)),
        at: rfc3339(zone, finding.at),
        until: rfc3339(zone, finding.until),
        held_out: finding.held_out,
        evidence: evidence(zone, finding),
        verdicts: verdicts(finding),
        decision: event.and_then(|entry| decision(app, zone, entry)),
    }
}

fn evidence(zone: Tz, finding: &Finding) -> Evidence {
    let register = |(at, value): (UtcMs, f64)| Register {
        at: rfc3339(zone, at),
        value,
    };
    let evidence = &finding.evidence;
    Evidence {
        before: evidence.before.map(register),
        first: register(evidence.first),
        last: register(evidence.last),
        after: evidence.after.map(register),
        modulus: evidence.modulus,
        resolution: evidence.resolution,
        rise_max: evidence.rise_max,
        flowed: evidence.flowed,
    }
}

fn decision(app: &App, zone: Tz, entry: &Entry) -> Option<Decided> {
    // A finding may also be explained by another event, such as a replacement.
    let Event::ReviewDecided(decision) = &entry.event else {
        return None;
    };
    let (verdict, until) = verdict_view(decision.verdict);
    Some(Decided {
        event: entry.seq,
        verdict,
        until: until.map(|until| rfc3339(zone, until)),
        by: entry.by.clone(),
        reason: entry.reason.clone(),
        entered_at: rfc3339(app.config().settings.zone, entry.entered_at),
    })
}
