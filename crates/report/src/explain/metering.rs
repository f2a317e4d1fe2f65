//! The meters of a point and their readings around a span.

use std::collections::BTreeMap;

use chrono::Days;
use steward_books::State;
use steward_config::{Config, Point, RatioSide};
use steward_ledger::{Chain, Confirmed, Confirmer, Lineage, Link, Raw, Rules, Service};
use steward_model::time::local_date;
use steward_model::{Fill, FindingKind, PointId, UtcMs};
use steward_store::{Source, StoreError, StoredDay};

use super::found::kind_zh;
use super::readings::{past_of, stretch};
use super::registers::Registers;
use super::trace::{Step, StepKind, Trace};
use super::view::{Check, Explanation, MeteringView, ServiceView, StepView};
use super::{ExplainError, Frame};
use crate::books::BooksView;
use crate::compose::rfc3339;

/// How far back a stored day is looked for that says where the register goes on.
const CARRY_DAYS_MAX: i64 = 40;
/// How far after the span a reading is looked for, step by step.
const AHEAD_MS: [i64; 4] = [
    3 * HOUR_MS,
    24 * HOUR_MS,
    8 * 24 * HOUR_MS,
    64 * 24 * HOUR_MS,
];
const HOUR_MS: i64 = 3_600_000;

/// What was read of a lineage.
pub(super) struct Read {
    pub(super) trace: Trace,
    /// Every reading that was offered, by its time: meter, ratio, value.
    pub(super) raws: BTreeMap<i64, (Raw, usize)>,
    pub(super) voided: Vec<i64>,
}

/// Opens the registers of the span.
pub(super) async fn metering(
    config: &Config,
    source: &Source,
    books: &BooksView,
    frame: &Frame,
    point: &Point,
    now: UtcMs,
    into: &mut Explanation,
) -> Result<(), ExplainError> {
    let past = past_of(&books.state);
    let Some(chain) = Chain::of(config, point, &past) else {
        return Ok(());
    };
    let (from_ms, to_ms) = (frame.start_s * 1_000, frame.end_s * 1_000);
    let mut view = MeteringView {
        quantity: chain.quantity.id().to_owned(),
        unit: chain.quantity.unit().to_owned(),
        integrated: chain.is_integrated(),
        metered_by: point.metered_by.as_ref().map(PointId::to_string),
        ..MeteringView::default()
    };
    let days = days_around(source, frame, &point.id).await?;
    let back_ms = CARRY_DAYS_MAX * 24 * HOUR_MS;
    let fills = source
        .fills(&point.id, UtcMs(from_ms - back_ms), UtcMs(to_ms))
        .await?;
    let mut computed = 0;
    let served = |one: &&Lineage| one.from_ms < to_ms && one.to_ms > from_ms;
    for lineage in chain.lineages.iter().filter(served) {
        let services = lineage.services.iter();
        let within = services.filter(|one| one.from_ms < to_ms && one.to_ms > from_ms);
        view.chain
            .extend(within.map(|one| service_view(config, frame, one)));
        let gaps = Rules::of(config).gaps;
        let carry = carry_of(&days, frame, lineage, &fills);
        let confirmer = Confirmer::new(&chain, lineage, gaps, &past, carry);
        let asked = Lookup {
            source,
            state: &books.state,
            chain: &chain,
            lineage,
            frame,
            now,
        };
        let read = asked.read(confirmer, carry).await?;
        let registers = Registers {
            frame,
            chain: &chain,
            lineage,
            read: &read,
            fills: &fills,
            days: &days,
            config,
        };
        for run in &read.trace.runs {
            if let Some(one) = registers.run(run) {
                computed += one.amount_base;
                view.runs.push(one);
            }
        }
        view.steps.extend(registers.steps());
        registers.count(&mut view.readings);
    }
    if let Some(stated) = into.amount_base {
        into.checks.push(Check::new("registers", stated, computed));
    }
    into.metering = Some(view);
    Ok(())
}

/// The stored days of the span and those before it in which its registers may begin.
async fn days_around(
    source: &Source,
    frame: &Frame,
    point: &PointId,
) -> Result<Vec<StoredDay>, StoreError> {
    let first = local_date(frame.zone, frame.start_s);
    let from = first
        .checked_sub_days(Days::new(CARRY_DAYS_MAX.unsigned_abs()))
        .unwrap_or(first);
    let end = local_date(frame.zone, frame.end_s)
        .checked_add_days(Days::new(1))
        .unwrap_or(first);
    source.days(point, from, end).await
}

/// What a stored day before the span leaves to its lineage: the last one that does not stand at the
/// edge of an outage, as the register at such an edge rests on the readings before it too.
fn carry_of(
    days: &[StoredDay],
    frame: &Frame,
    lineage: &Lineage,
    fills: &[Fill],
) -> Option<Confirmed> {
    let first = local_date(frame.zone, frame.start_s);
    let before = days.iter().rev().filter(|one| one.day.date < first);
    let mut carries = before.map_while(|stored| stored.carry).map_while(|carry| {
        let within = lineage.from_ms <= carry.at_ms.0 && carry.at_ms.0 <= lineage.to_ms;
        within.then_some(Confirmed {
            at_ms: carry.at_ms.0,
            register_base: carry.register_base,
            manual: carry.manual,
        })
    });
    let is_edge = |at_ms: i64| {
        let mut fills = fills.iter();
        fills.any(|fill| fill.from.0 <= at_ms && at_ms <= fill.to.0)
    };
    carries.find(|carry| !is_edge(carry.at_ms))
}

/// Reads a lineage's readings around the span.
struct Lookup<'a> {
    source: &'a Source,
    state: &'a State,
    chain: &'a Chain,
    lineage: &'a Lineage,
    frame: &'a Frame,
    now: UtcMs,
}

impl Lookup<'_> {
    /// From the carry, or a while before the span, up to the first register that counts after it.
    async fn read(
        &self,
        mut confirmer: Confirmer<'_>,
        carry: Option<Confirmed>,
    ) -> Result<Read, StoreError> {
        let (from_ms, end_ms) = (self.frame.start_s * 1_000, self.frame.end_s * 1_000);
        let back_ms = CARRY_DAYS_MAX * 24 * HOUR_MS;
        let mut read = Read {
            trace: Trace::from(carry),
            raws: BTreeMap::new(),
            voided: Vec::new(),
        };
        let mut next_ms = carry.map_or_else(
            || self.lineage.from_ms.max(from_ms - back_ms),
            // A gauge is read again for its value.
            |carry| carry.at_ms + i64::from(!self.chain.is_integrated()),
        );
        for ahead_ms in AHEAD_MS {
            let until_ms = (end_ms + ahead_ms).min(self.lineage.to_ms).min(self.now.0);
            if next_ms <= until_ms {
                self.feed(&mut confirmer, &mut read, (next_ms, until_ms))
                    .await?;
                next_ms = until_ms + 1;
            }
            if until_ms == self.lineage.to_ms {
                confirmer.end(&mut read.trace);
            }
            let reached = read
                .trace
                .last()
                .is_some_and(|one| one.reading.at_ms >= end_ms);
            if reached || until_ms < end_ms + ahead_ms {
                break;
            }
        }
        Ok(read)
    }

    async fn feed(
        &self,
        confirmer: &mut Confirmer<'_>,
        read: &mut Read,
        (from_ms, to_ms): (i64, i64),
    ) -> Result<(), StoreError> {
        let quantity = self.chain.quantity;
        for (index, service) in self.lineage.services.iter().enumerate() {
            let next = self.lineage.services.get(index + 1);
            let last_ms = next.map_or(self.lineage.to_ms, |next| next.from_ms - 1);
            let part = (from_ms.max(service.from_ms), to_ms.min(last_ms));
            if part.0 > part.1 {
                continue;
            }
            let found = stretch(self.source, self.state, &service.meter, quantity, part).await?;
            for raw in found.raws {
                confirmer.read(raw, &mut read.trace);
                read.raws.insert(raw.at_ms, (raw, index));
            }
            read.voided.extend(found.voided);
        }
        Ok(())
    }
}

pub(super) fn step_view(frame: &Frame, step: &Step) -> StepView {
    let (kind, zh, en) = match step.kind {
        StepKind::Found(kind) => (kind.id(), kind_zh(kind), kind.id()),
        StepKind::Replacement => (
            FindingKind::Replacement.id(),
            "换表，底度衔接",
            "the meter was replaced, both registers known",
        ),
        StepKind::Ratio => ("ratio", "变比变更", "the ratio changed"),
        StepKind::Restart => (
            "restart",
            "序列中断，中间用量未知",
            "the series broke: what flowed in between is unknown",
        ),
    };
    let moved_zh = step
        .delta_base
        .map_or_else(String::new, |delta| format!("，此前读数折算 {delta:+}"));
    let moved_en = step.delta_base.map_or_else(String::new, |delta| {
        format!("; registers before it move by {delta:+}")
    });
    StepView {
        at: rfc3339(frame.zone, UtcMs(step.at_ms)),
        kind: kind.to_owned(),
        rebased_base: step.delta_base,
        text_zh: format!("{zh}{moved_zh}"),
        text_en: format!("{en}{moved_en}"),
    }
}

fn service_view(config: &Config, frame: &Frame, service: &Service) -> ServiceView {
    let meter = config.registry.meters.get(&service.meter);
    let profile = meter.and_then(|meter| config.profiles.get(&meter.profile));
    let (link, event, old_last, new_first) = match service.link {
        Link::Anew => ("anew", None, None, None),
        Link::Replaced {
            old_last,
            new_first,
            event,
        } => ("replaced", Some(event), Some(old_last), Some(new_first)),
        Link::Ratio => ("ratio", None, None, None),
    };
    ServiceView {
        meter: service.meter.to_string(),
        profile: meter.map_or_else(String::new, |meter| meter.profile.to_string()),
        side: match profile.map(|profile| profile.side) {
            Some(RatioSide::Secondary) => "secondary",
            _ => "primary",
        }
        .to_owned(),
        ratio: service.ratio,
        from: rfc3339(frame.zone, UtcMs(service.from_ms)),
        to: (service.to_ms != i64::MAX).then(|| rfc3339(frame.zone, UtcMs(service.to_ms))),
        link: link.to_owned(),
        event,
        old_last,
        new_first,
        resolution: service.counter.resolution,
        modulus: service.counter.modulus,
        rise_max_per_h: service.counter.rise_max_per_h,
    }
}
