//! Why a closed month is no longer what it was.

use std::collections::BTreeSet;

use steward_books::{Event, Verdict};
use steward_config::Config;
use steward_model::{LedgerRow, MeterId, PointId};

use crate::Month;
use crate::adjustments::{AdjustmentCause, CauseKind, Exact};
use crate::books::BooksView;
use crate::close::{ClosedPoint, basis};
use crate::facts::zone_of_point;

/// What changed, and what is known of it.
pub(crate) struct Changed<'a> {
    pub(crate) month: Month,
    pub(crate) point: &'a PointId,
    pub(crate) exact: Exact,
    /// The ledger now.
    pub(crate) row: Option<&'a LedgerRow>,
    /// The point as it was closed.
    pub(crate) closed: Option<&'a ClosedPoint>,
    /// What was entered up to this number is in the closed figures or in a frozen line.
    pub(crate) since: u64,
    /// The revision whose figures count what later months had taken.
    pub(crate) revision: Option<u64>,
}

/// The cause: a revision; other factors or prices where nothing else changed; events; another
/// registration; other factors or prices; and what remains are late readings.
pub(crate) fn cause(config: &Config, books: &BooksView, changed: &Changed<'_>) -> AdjustmentCause {
    if let Some(proposal) = changed.revision {
        return named(CauseKind::Revision, vec![proposal]);
    }
    let sets = |of: fn(&LedgerRow) -> &str, was: fn(&ClosedPoint) -> &str| {
        changed.row.map_or("", of) != changed.closed.map_or("", was)
    };
    let other_factors = sets(|row| &row.factor_set, |point| &point.factor_set);
    let other_tariffs = sets(|row| &row.tariff_set, |point| &point.tariff_set);
    let by_value = if other_factors {
        Some(CauseKind::Factors)
    } else {
        other_tariffs.then_some(CauseKind::Tariffs)
    };
    if let Some(kind) = by_value.filter(|_| changed.exact.amount_base == 0) {
        return named(kind, Vec::new());
    }
    let events = events(config, books, changed);
    if !events.is_empty() {
        return named(CauseKind::Events, events);
    }
    let zone = zone_of_point(config, changed.point);
    let is_otherwise = changed
        .closed
        .is_none_or(|closed| closed.basis != basis(config, changed.point, changed.month, zone));
    let kind = match by_value {
        _ if is_otherwise => CauseKind::Registry,
        Some(kind) => kind,
        None => CauseKind::LateReadings,
    };
    named(kind, Vec::new())
}

fn named(kind: CauseKind, events: Vec<u64>) -> AdjustmentCause {
    let numbers: Vec<String> = events.iter().map(u64::to_string).collect();
    let numbers = numbers.join(", ");
    let (text_zh, text_en) = match kind {
        CauseKind::Events => (
            format!("关账后的台账事项 {numbers}"),
            format!("Events {numbers} of the books, entered after the close"),
        ),
        CauseKind::Revision => (
            format!("该月已重新关账（{numbers}），冲回原调整"),
            format!("Revision {numbers} of the month counts it already"),
        ),
        CauseKind::Factors => (
            "排放或折标因子变更".to_owned(),
            "Other factors apply to the month".to_owned(),
        ),
        CauseKind::Tariffs => (
            "价格变更".to_owned(),
            "Other prices apply to the month".to_owned(),
        ),
        CauseKind::Registry => (
            "表计、变比或公式的登记变更".to_owned(),
            "Meters, ratios or the formula are registered otherwise".to_owned(),
        ),
        CauseKind::LateReadings => (
            "关账后补传的读数".to_owned(),
            "Readings that came after the close".to_owned(),
        ),
    };
    AdjustmentCause {
        kind,
        events,
        text_zh,
        text_en,
    }
}

/// The points and meters on which a point rests.
pub(crate) fn rests_on(config: &Config, point: &PointId) -> (BTreeSet<PointId>, BTreeSet<MeterId>) {
    let (mut points, mut meters) = (BTreeSet::new(), BTreeSet::new());
    let mut waiting = vec![point.clone()];
    while let Some(id) = waiting.pop() {
        if !points.insert(id.clone()) {
            continue;
        }
        let Some(point) = config.registry.points.get(&id) else {
            continue;
        };
        waiting.extend(point.metered_by.clone());
        let terms = point.formulas.iter().flat_map(|dated| &dated.value.terms);
        waiting.extend(terms.map(|term| term.point.clone()));
        let own = config.registry.meters_of(&id).into_iter();
        meters.extend(own.map(|meter| meter.id.clone()));
    }
    (points, meters)
}

/// The numbers of later events that name what the point rests on: those that reach into the month
/// or the days around it; all of them where none does, as an outage may be long.
fn events(config: &Config, books: &BooksView, changed: &Changed<'_>) -> Vec<u64> {
    /// A reading may move what lies between it and the readings beside it.
    const AROUND_MS: i64 = 3 * 86_400_000;
    let (points, meters) = rests_on(config, changed.point);
    let zone = zone_of_point(config, changed.point);
    let from_ms = changed.month.start_s(zone) * 1_000 - AROUND_MS;
    let to_ms = changed.month.later(1).start_s(zone) * 1_000 + AROUND_MS;
    let mut all = Vec::new();
    let mut near = Vec::new();
    let later = books.entries.iter();
    for entry in later.filter(|entry| entry.seq > changed.since) {
        let event = match &entry.event {
            Event::Undone(undone) => {
                let mut earlier = books.entries.iter();
                earlier
                    .find(|entry| entry.seq == undone.seq)
                    .map_or(&entry.event, |undone| &undone.event)
            }
            event => event,
        };
        if let Some((first_ms, last_ms)) = reach(event, &points, &meters) {
            all.push(entry.seq);
            if first_ms < to_ms && last_ms >= from_ms {
                near.push(entry.seq);
            }
        }
    }
    if near.is_empty() { all } else { near }
}

/// The stretch of readings that an event is about; `None` where it is about other meters.
fn reach(
    event: &Event,
    points: &BTreeSet<PointId>,
    meters: &BTreeSet<MeterId>,
) -> Option<(i64, i64)> {
    let (is_named, first, last) = match event {
        Event::MeterReplaced(one) => (points.contains(&one.point), one.at, one.at),
        Event::ReviewDecided(one) => {
            let last = match one.verdict {
                Verdict::Discard { until } => until,
                // What is accepted counts from there on.
                Verdict::Accept | Verdict::Rollover | Verdict::Restart => {
                    steward_model::UtcMs(i64::MAX)
                }
            };
            (meters.contains(&one.meter), one.at, last)
        }
        Event::HandReading(one) => (meters.contains(&one.meter), one.at, one.at),
        Event::ReadingsVoided(one) => (meters.contains(&one.meter), one.from, one.to),
        Event::InvoiceEntered(_)
        | Event::CloseProposed(_)
        | Event::CloseApproved(_)
        | Event::CloseRejected(_)
        | Event::Undone(_) => return None,
    };
    is_named.then_some((first.0, last.0))
}
