//! `[[allocation]]`: how shared points are divided, and the formulas that this makes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use steward_model::{MeterId, PointId};

use super::dated;
use super::formulas::{Formulas, Points, millionths};
use super::points::{RawPoint, Source};
use super::references::{Ids, known};
use super::registry::{RawBuilding, RawMeter, RawRegistry};
use super::shares::{MILLION, apportioned, decimal, summed};
use crate::error::{Located, Log, Problem};
use crate::fields::Fields;
use crate::parse;
use crate::registry::{Allocation, AllocationKey, Dated, Extent, PointRole, Term};
use crate::tree::Value;

const KEYS: [(&str, AllocationKey); 3] = [
    ("share", AllocationKey::Share),
    ("floor_area", AllocationKey::FloorArea),
    ("energy_users", AllocationKey::EnergyUsers),
];

/// One allocation as written.
pub(super) struct RawAllocation {
    point: Located<PointId>,
    from: Located<NaiveDate>,
    to: Option<NaiveDate>,
    by: AllocationKey,
    receivers: Vec<Receiver>,
    rest: Located<PointId>,
}

struct Receiver {
    point: Located<PointId>,
    share_ppm: Option<i64>,
}

impl RawAllocation {
    /// The allocation as it is kept.
    pub(super) fn into_allocation(self) -> Allocation {
        let receivers = self.receivers.into_iter();
        Allocation {
            point: self.point.value,
            from: self.from.value,
            to: self.to,
            by: self.by,
            receivers: receivers
                .map(|one| (one.point.value, one.share_ppm))
                .collect(),
            rest: self.rest.value,
        }
    }

    fn span(&self) -> (NaiveDate, Option<NaiveDate>) {
        (self.from.value, self.to)
    }
}

pub(super) fn read(fields: &Fields<'_>) -> Option<RawAllocation> {
    let point_id = || parse::id(|text| PointId::new(text).ok());
    let point = fields.need("point", point_id());
    let from = fields.need("from", parse::date);
    let to = fields.read("to", parse::date);
    let by = fields.need("by", parse::one_of(&KEYS));
    let rest = fields.need("rest", point_id());
    if !fields.has("receivers") {
        fields.missing("receivers", None);
    }
    let tables = fields.tables("receivers");
    fields.finish();
    if let (Some(from), Some(to)) = (&from, &to)
        && to.value <= from.value
    {
        let problem = Problem::new(format!("must be after from, which is {}", from.value));
        fields.log().report(&to.at, problem);
        return None;
    }
    if tables.is_empty() && fields.has("receivers") {
        let problem = Problem::new("must name at least one receiver");
        fields.log().report(&fields.at_of("receivers"), problem);
    }
    let by = by?.value;
    let read = tables.iter().map(|table| receiver(table, by));
    let receivers: Vec<Receiver> = read.collect::<Option<_>>()?;
    let shares: i64 = receivers.iter().filter_map(|one| one.share_ppm).sum();
    if shares > MILLION {
        let text = format!("the shares add up to {}, more than 1", decimal(shares));
        fields
            .log()
            .report(&fields.at_of("receivers"), Problem::new(text));
    }
    Some(RawAllocation {
        point: point?,
        from: from?,
        to: to.map(|to| to.value),
        by,
        receivers,
        rest: rest?,
    })
}

fn receiver(fields: &Fields<'_>, by: AllocationKey) -> Option<Receiver> {
    let point = fields.need("point", parse::id(|text| PointId::new(text).ok()));
    let is_by_share = by == AllocationKey::Share;
    if is_by_share && !fields.has("share") {
        fields.missing("share", None);
    }
    let share = fields.read("share", share);
    fields.finish();
    match share {
        Some(share) if !is_by_share => {
            let problem = Problem::new("has no meaning here: only by = \"share\" has shares");
            fields.log().report(&share.at, problem);
            None
        }
        None if is_by_share => None,
        share => Some(Receiver {
            point: point?,
            share_ppm: share.map(|share| share.value),
        }),
    }
}

fn share(value: &Value) -> Result<i64, Problem> {
    let number = parse::decimal(value)?;
    if number <= Decimal::ZERO || number > Decimal::ONE {
        return Err(Problem::new("must be more than 0 and at most 1"));
    }
    millionths(number).ok_or_else(|| Problem::new("has more than 6 decimals"))
}

/// Judges all allocations and makes the formulas of their receivers.
pub(super) fn compile(
    log: &Log,
    raw: &RawRegistry,
    points: &Points<'_>,
    ids: &Ids<'_>,
) -> Formulas {
    let buildings: BTreeMap<&str, &RawBuilding> = raw
        .buildings
        .iter()
        .map(|one| (one.id.value.as_str(), one))
        .collect();
    let mut parts: BTreeMap<&PointId, Vec<Dated<Term>>> = BTreeMap::new();
    for allocation in &raw.allocations {
        judge(log, allocation, points, ids);
        divide(log, allocation, points, &buildings, &mut parts);
    }
    overlaps(log, &raw.allocations);
    if !raw.has_unread_allocation {
        nothing_is_left_out(log, raw);
    }
    let formulas = parts.into_iter();
    formulas
        .map(|(point, parts)| (point.clone(), summed(&parts)))
        .collect()
}

/// Every shared point is divided on all its days, and every allocated point receives something.
fn nothing_is_left_out(log: &Log, raw: &RawRegistry) {
    for point in &raw.points {
        let is_allocated = matches!(point.source, Source::Allocated);
        if is_allocated
            && !raw
                .allocations
                .iter()
                .any(|one| names(one, &point.id.value))
        {
            let problem = Problem::new("is allocated, but no [[allocation]] names it");
            log.report(&point.id.at, problem);
        }
        if point.role.value == PointRole::Shared {
            is_divided_on_all_days(log, point, raw);
        }
    }
}

fn names(allocation: &RawAllocation, point: &PointId) -> bool {
    let receivers = allocation.receivers.iter().map(|one| &one.point.value);
    receivers
        .chain([&allocation.rest.value])
        .any(|id| id == point)
}

fn judge(log: &Log, allocation: &RawAllocation, points: &Points<'_>, ids: &Ids<'_>) {
    known(log, "point", &allocation.point, &ids.points);
    let shared = points.by_id.get(&allocation.point.value).copied();
    if let Some(shared) = shared
        && shared.role.value != PointRole::Shared
    {
        let text = format!(
            "its role is \"{}\": it would count once itself and once through its receivers",
            shared.role.value.id()
        );
        let problem = Problem::new(text).hint(format!(
            "write role = \"shared\" at {}",
            shared.id.at.place()
        ));
        log.report(&allocation.point.at, problem);
    }
    let mut seen = BTreeSet::new();
    let receivers = allocation.receivers.iter().map(|one| &one.point);
    for id in receivers.chain([&allocation.rest]) {
        if !seen.insert(&id.value) {
            let problem = Problem::new("receives from this allocation twice");
            log.report(&id.at, problem);
        }
        if !known(log, "point", id, &ids.points) {
            continue;
        }
        let Some(point) = points.by_id.get(&id.value) else {
            continue;
        };
        if !matches!(point.source, Source::Allocated) {
            let problem = Problem::new("has amounts of its own").hint(
                "receivers and the rest are virtual points with allocated = true; \
                 a formula may add them to metered points",
            );
            log.report(&id.at, problem);
        }
        if let Some(shared) = shared {
            points.can_be_made_of(log, &id.at, point, shared);
        }
    }
}

/// Adds what each receiver gets, and the rest, from date to date.
fn divide<'r>(
    log: &Log,
    allocation: &'r RawAllocation,
    points: &Points<'_>,
    buildings: &BTreeMap<&str, &RawBuilding>,
    parts: &mut BTreeMap<&'r PointId, Vec<Dated<Term>>>,
) {
    let extents: Vec<&[Dated<Extent>]> = allocation
        .receivers
        .iter()
        .map(|receiver| {
            let point = points.by_id.get(&receiver.point.value);
            let building = point.and_then(|point| buildings.get(point.building.value.as_str()));
            building.map_or(&[] as &[_], |building| building.extents.as_slice())
        })
        .collect();
    let mut starts = BTreeSet::from([allocation.from.value]);
    if allocation.by != AllocationKey::Share {
        let dates = extents.iter().flat_map(|extents| extents.iter());
        let dates = dates.flat_map(|extent| [Some(extent.from), extent.to]);
        starts.extend(dates.flatten().filter(|date| {
            *date > allocation.from.value && allocation.to.is_none_or(|to| *date < to)
        }));
    }
    let starts: Vec<NaiveDate> = starts.into_iter().collect();
    for (index, from) in starts.iter().enumerate() {
        let to = starts.get(index + 1).copied().or(allocation.to);
        let Some(shares) = shares_on(log, allocation, &extents, *from) else {
            return;
        };
        let rest = MILLION - shares.iter().sum::<i64>();
        let receivers = allocation.receivers.iter().map(|one| &one.point.value);
        let all = receivers.chain([&allocation.rest.value]);
        for (point, coefficient_ppm) in all.zip(shares.into_iter().chain([rest])) {
            parts.entry(point).or_default().push(Dated {
                from: *from,
                to,
                value: Term {
                    point: allocation.point.value.clone(),
                    coefficient_ppm,
                },
            });
        }
    }
}

/// The receivers' shares of a day in millionths. `None` after a mistake, which is reported.
fn shares_on(
    log: &Log,
    allocation: &RawAllocation,
    extents: &[&[Dated<Extent>]],
    date: NaiveDate,
) -> Option<Vec<i64>> {
    let (what, weigh): (&str, fn(&Extent) -> Option<Decimal>) = match allocation.by {
        AllocationKey::Share => {
            return allocation
                .receivers
                .iter()
                .map(|one| one.share_ppm)
                .collect();
        }
        AllocationKey::FloorArea => ("floor area", |one| Decimal::from_f64(one.floor_area_m2)),
        AllocationKey::EnergyUsers => ("energy users", |one| Some(one.energy_users.into())),
    };
    let mut weights = Vec::new();
    for (receiver, extents) in allocation.receivers.iter().zip(extents) {
        let extent = extents.iter().find(|extent| extent.holds_on(date));
        match extent.and_then(|extent| weigh(&extent.value)) {
            Some(weight) => weights.push(weight),
            None => {
                let text = format!("the {what} of its building is not known on {date}");
                let problem = Problem::new(text).hint("give the building an extent for that day");
                log.report(&receiver.point.at, problem);
            }
        }
    }
    if weights.len() < extents.len() {
        return None;
    }
    let total: Decimal = weights.iter().copied().sum();
    if total.is_zero() {
        let text = format!("the {what} of all receivers is 0 on {date}");
        log.report(&allocation.point.at, Problem::new(text));
        return None;
    }
    Some(apportioned(&weights, total))
}

/// Two allocations of one point must not hold on one day.
fn overlaps(log: &Log, allocations: &[RawAllocation]) {
    let mut sorted: Vec<&RawAllocation> = allocations.iter().collect();
    sorted.sort_by_key(|one| (&one.point.value, one.from.value));
    for pair in sorted.windows(2) {
        if let [a, b] = pair
            && a.point.value == b.point.value
            && dated::overlap(a.span(), b.span())
        {
            let text = format!("another allocation divides {} on this day", b.point.value);
            let hint = format!("that one begins {} at {}", a.from.value, a.from.at.place());
            log.report(&b.from.at, Problem::new(text).hint(hint));
        }
    }
}

/// What a shared point meters reaches totals only through allocations: a day without one would
/// lose its energy from every total.
fn is_divided_on_all_days(log: &Log, point: &RawPoint, raw: &RawRegistry) {
    let mut spans: Vec<(NaiveDate, Option<NaiveDate>)> = raw
        .allocations
        .iter()
        .filter(|one| one.point.value == point.id.value)
        .map(RawAllocation::span)
        .collect();
    spans.sort_unstable();
    let Some((first, _)) = spans.first().copied() else {
        let problem = Problem::new("no [[allocation]] divides it: it would enter no total");
        log.report(&point.role.at, problem);
        return;
    };
    let owner = point.metered_by().map_or(&point.id.value, |id| &id.value);
    let meters: Vec<&RawMeter> = raw
        .meters
        .iter()
        .filter(|meter| meter.point.value == *owner)
        .collect();
    let missing = |date: NaiveDate, meter: Option<&MeterId>| {
        let text = format!("no [[allocation]] divides it on {date}");
        let mut problem = Problem::new(text);
        if let Some(meter) = meter {
            problem = problem.hint(format!("meter {meter} serves it on that day"));
        }
        log.report(&point.role.at, problem);
    };
    if let Some(meter) = meters.iter().min_by_key(|meter| meter.from.value)
        && meter.from.value < first
    {
        missing(meter.from.value, Some(&meter.id.value));
    }
    for pair in spans.windows(2) {
        if let [(_, Some(end)), (next, _)] = pair
            && end < next
        {
            missing(*end, None);
        }
    }
    if let Some((_, Some(end))) = spans.last()
        && let Some(meter) = meters
            .iter()
            .find(|meter| meter.to.is_none_or(|to| to > *end))
    {
        missing(*end, Some(&meter.id.value));
    }
}
