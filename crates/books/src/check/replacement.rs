//! A replacement against the registry and both meters' registers.

use chrono::{Days, NaiveDate};
use steward_config::{Meter, Point};
use steward_model::time::{day_start_s, local_date};
use steward_model::{MeterId, Quantity, UtcMs};

use super::World;
use super::registers::{Known, Registers, Waiting};
use crate::event::Replacement;
use crate::{BooksError, Refusal};

pub(super) async fn check(
    world: World<'_>,
    new: &Replacement,
    refusals: &mut Vec<Refusal>,
) -> Result<(), BooksError> {
    world.not_ahead("at", new.at, refusals);
    let registry = &world.config.registry;
    let Some(point) = registry.points.get(&new.point) else {
        refusals.push(Refusal::new("point", &new.point, "a point of the registry"));
        return Ok(());
    };
    if let Some(owner) = &point.metered_by {
        let expected = format!("`{owner}`, whose meters it reads");
        refusals.push(
            Refusal::new("point", &new.point, expected)
                .hint("enter it once, for the point that has the meters"),
        );
        return Ok(());
    }
    if !point.formulas.is_empty() {
        let expected = "a point with meters of its own";
        refusals.push(Refusal::new("point", &new.point, expected).hint("this one is virtual"));
        return Ok(());
    }
    let meters = registry.meters_of(&point.id);
    let old = meter_of(point, &meters, "old_meter", &new.old_meter, refusals);
    let next = meter_of(point, &meters, "new_meter", &new.new_meter, refusals);
    let (Some(old), Some(next)) = (old, next) else {
        return Ok(());
    };
    follows(&meters, old, next, refusals);
    let zone = registry
        .zone_of(point)
        .unwrap_or(world.config.settings.zone);
    let date = local_date(zone, new.at.seconds_floor());
    in_service(date, old, next, refusals);
    if new.at.0 == day_start_s(zone, old.from).saturating_mul(1_000) {
        refusals.push(
            Refusal::new("at", new.at.0, "an instant after the old meter's first one")
                .hint("a meter that never counted needs no replacement"),
        );
    }
    let main = Exchanged {
        at: new.at,
        quantity: point.counter,
        old_last: new.old_last,
        new_first: new.new_first,
    };
    main.check(world, old, next, refusals).await?;
    for (index, other) in new.others.iter().enumerate() {
        let mut of_other = Vec::new();
        let one = Exchanged {
            at: new.at,
            quantity: other.quantity,
            old_last: other.old_last,
            new_first: other.new_first,
        };
        if is_read(world, point, other.quantity, &mut of_other) {
            one.check(world, old, next, &mut of_other).await?;
        }
        let place = format!("others[{index}].");
        refusals.extend(of_other.into_iter().map(|one| one.under(&place)));
    }
    Ok(())
}

/// Whether a point reads this register of the meters beside their own point.
fn is_read(
    world: World<'_>,
    owner: &Point,
    quantity: Quantity,
    refusals: &mut Vec<Refusal>,
) -> bool {
    let points = world.config.registry.points.values();
    let riders: Vec<Quantity> = points
        .filter(|point| point.metered_by.as_ref() == Some(&owner.id))
        .map(|point| point.counter)
        .collect();
    if riders.contains(&quantity) {
        return true;
    }
    let expected = match riders.as_slice() {
        [] => format!("nothing: `{}` alone reads these meters", owner.id),
        riders => {
            let words: Vec<&str> = riders.iter().map(|one| one.id()).collect();
            format!("one of {}, which other points read", words.join(", "))
        }
    };
    refusals.push(Refusal::new("quantity", quantity, expected));
    false
}

/// One register of an exchange.
struct Exchanged {
    at: UtcMs,
    quantity: Quantity,
    old_last: f64,
    new_first: f64,
}

impl Exchanged {
    async fn check(
        &self,
        world: World<'_>,
        old: &Meter,
        next: &Meter,
        refusals: &mut Vec<Refusal>,
    ) -> Result<(), BooksError> {
        for (place, meter) in [("old_meter", old), ("new_meter", next)] {
            if !meter.counters.contains_key(&self.quantity) {
                let expected = format!("a meter with the register {}", self.quantity);
                refusals.push(Refusal::new(place, &meter.id, expected).hint(
                    "a meter without register needs no replacement: its dates in the registry suffice",
                ));
            }
        }
        old_register(world, self, old, refusals).await?;
        new_register(world, self, next, refusals).await
    }
}

fn meter_of<'a>(
    point: &Point,
    meters: &[&'a Meter],
    place: &str,
    id: &MeterId,
    refusals: &mut Vec<Refusal>,
) -> Option<&'a Meter> {
    let found = meters.iter().find(|meter| meter.id == *id).copied();
    if found.is_none() {
        let ids: Vec<&str> = meters.iter().map(|meter| meter.id.as_str()).collect();
        let hint = if ids.is_empty() {
            format!("`{}` has no meters", point.id)
        } else {
            format!("the registry has: {}", ids.join(", "))
        };
        let expected = format!("a meter of the point `{}`", point.id);
        refusals.push(Refusal::new(place, id, expected).hint(hint));
    }
    found
}

/// The meter that comes is the one that leaves, or the next of the point.
fn follows(meters: &[&Meter], old: &Meter, next: &Meter, refusals: &mut Vec<Refusal>) {
    let place = |meter: &Meter| meters.iter().position(|one| one.id == meter.id);
    if old.id == next.id || place(next) == place(old).map(|index| index + 1) {
        return;
    }
    let following = place(old).and_then(|index| meters.get(index + 1));
    let expected = match following {
        Some(following) => format!("`{}`, the next meter of the point", following.id),
        None => format!("`{}`, the last meter of the point", old.id),
    };
    refusals.push(
        Refusal::new("new_meter", &next.id, expected)
            .hint("two meters at once, or in another order, cannot serve a point"),
    );
}

/// Dates of service are days and an exchange is an instant: it lies on the old meter's last day, on
/// the new one's first, or on the day before that.
fn in_service(date: NaiveDate, old: &Meter, next: &Meter, refusals: &mut Vec<Refusal>) {
    let mut refuse = |expected: String, hint: &str| {
        refusals.push(Refusal::new("at", date, expected).hint(hint));
    };
    if date < old.from {
        refuse(
            format!("a day from {} on", old.from),
            "the old meter begins there",
        );
    }
    if let Some(to) = old.to
        && date > to
    {
        refuse(format!("{to} at the latest"), "the old meter ends there");
    }
    let eve = next
        .from
        .checked_sub_days(Days::new(1))
        .unwrap_or(next.from);
    if date < eve {
        refuse(
            format!("{eve} at the earliest"),
            "the new meter begins on the day after; correct its date in the registry",
        );
    }
    if let Some(to) = next.to
        && date >= to
    {
        refuse(format!("a day before {to}"), "the new meter ends there");
    }
}

async fn old_register(
    world: World<'_>,
    new: &Exchanged,
    meter: &Meter,
    refusals: &mut Vec<Refusal>,
) -> Result<(), BooksError> {
    let quantity = new.quantity;
    let registers = Registers::of(world, meter, quantity);
    if let Some(finding) = registers.waits(new.at).await?
        && finding.at < new.at
    {
        let expected = format!("at most {}", finding.at.0);
        refusals.push(Refusal::new("at", new.at.0, expected).hint(format!(
            "the register left its course there already: review {}",
            finding.id()
        )));
    }
    beyond_modulus(&registers, "old_last", new.old_last, refusals);
    let Some(last) = registers.before(new.at, Waiting::HeldOut).await? else {
        return Ok(());
    };
    if new.old_last < last.value {
        refusals.push(below("old_last", new.old_last, &last, quantity));
    } else if let Some(rise_max) = registers.rise_max(last.at, new.at)
        && new.old_last - last.value > rise_max
    {
        let most = last.value + rise_max;
        refusals.push(too_far(
            "old_last",
            new.old_last,
            "at most",
            most,
            &last,
            quantity,
        ));
    }
    Ok(())
}

async fn new_register(
    world: World<'_>,
    new: &Exchanged,
    meter: &Meter,
    refusals: &mut Vec<Refusal>,
) -> Result<(), BooksError> {
    let quantity = new.quantity;
    let registers = Registers::of(world, meter, quantity);
    beyond_modulus(&registers, "new_first", new.new_first, refusals);
    // Readings that wait for a decision count here: a replacement may be what explains them.
    let Some(first) = registers.at_or_after(new.at, Waiting::Counts).await? else {
        return Ok(());
    };
    if new.new_first > first.value {
        let unit = quantity.unit();
        refusals.push(
            Refusal::new(
                "new_first",
                new.new_first,
                format!("at most {} {unit}", first.value),
            )
            .hint(first.said(quantity)),
        );
    } else if let Some(rise_max) = registers.rise_max(new.at, first.at)
        && first.value - new.new_first > rise_max
    {
        let least = first.value - rise_max;
        refusals.push(too_far(
            "new_first",
            new.new_first,
            "at least",
            least,
            &first,
            quantity,
        ));
    }
    Ok(())
}

pub(super) fn below(place: &str, value: f64, last: &Known, quantity: Quantity) -> Refusal {
    let unit = quantity.unit();
    Refusal::new(place, value, format!("at least {} {unit}", last.value)).hint(last.said(quantity))
}

fn too_far(
    place: &str,
    value: f64,
    side: &str,
    bound: f64,
    known: &Known,
    quantity: Quantity,
) -> Refusal {
    let unit = quantity.unit();
    Refusal::new(
        place,
        value,
        format!("{side} {bound} {unit} by the meter's rating"),
    )
    .hint(format!(
        "{}; is the value in {unit}, before ratios?",
        known.said(quantity)
    ))
}

pub(super) fn beyond_modulus(
    registers: &Registers<'_>,
    place: &str,
    value: f64,
    refusals: &mut Vec<Refusal>,
) {
    if let Some(modulus) = registers.limits().modulus
        && value >= modulus
    {
        refusals.push(
            Refusal::new(place, value, format!("less than {modulus}"))
                .hint("the register begins again at zero there"),
        );
    }
}
