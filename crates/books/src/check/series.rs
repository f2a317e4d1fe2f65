//! Readings by hand and voided stretches against the registry and the stored readings.

use steward_config::{Config, Meter, ProfileBody};
use steward_model::{Quantity, UtcMs};

use super::World;
use super::registers::{Known, Registers, Waiting, service};
use super::replacement::{below, beyond_modulus};
use crate::event::{HandReading, Voided};
use crate::{BooksError, Refusal};

pub(super) async fn hand_reading(
    world: World<'_>,
    new: &HandReading,
    refusals: &mut Vec<Refusal>,
) -> Result<(), BooksError> {
    world.not_ahead("at", new.at, refusals);
    let Some(meter) = meter(world.config, &new.meter, refusals) else {
        return Ok(());
    };
    if !meter.counters.contains_key(&new.quantity) {
        let registers: Vec<&str> = meter.counters.keys().map(|one| one.id()).collect();
        let hint = match registers.is_empty() {
            true => "it has none".to_owned(),
            false => format!("it has: {}", registers.join(", ")),
        };
        let expected = format!("a register of `{}`", meter.id);
        refusals.push(Refusal::new("quantity", new.quantity, expected).hint(hint));
        return Ok(());
    }
    in_service(world, meter, new.at, refusals);
    let registers = Registers::of(world, meter, new.quantity);
    beyond_modulus(&registers, "value", new.value, refusals);
    if let Some(stored) = registers.exactly(new.at).await? {
        let expected = "an instant at which nothing else says the register";
        let way = match stored.event {
            None => "void it first if it is wrong",
            Some(_) => "undo it first if it is wrong",
        };
        refusals.push(
            Refusal::new("at", new.at.0, expected)
                .hint(format!("{}: {way}", stored.said(new.quantity))),
        );
        return Ok(());
    }
    let previous = registers.before(new.at, Waiting::HeldOut).await?;
    let mut outside: Vec<Refusal> = Vec::new();
    if let Some(previous) = previous.filter(|one| new.value < one.value) {
        outside.push(below("value", new.value, &previous, new.quantity));
    }
    let after = UtcMs(new.at.0.saturating_add(1));
    if let Some(next) = registers.at_or_after(after, Waiting::HeldOut).await?
        && new.value > next.value
        && !explained(&registers, &next).await?
    {
        let unit = new.quantity.unit();
        outside.push(
            Refusal::new("value", new.value, format!("at most {} {unit}", next.value))
                .hint(next.said(new.quantity)),
        );
    }
    if !outside.is_empty()
        && let Some(finding) = registers.waits(new.at).await?
    {
        let hint = format!("; decide review {} first", finding.id());
        outside.iter_mut().for_each(|one| one.hint.push_str(&hint));
    }
    refusals.append(&mut outside);
    Ok(())
}

/// Whether the register may be lower at `next` than before it.
async fn explained(registers: &Registers<'_>, next: &Known) -> Result<bool, BooksError> {
    match next.event {
        Some(_) => Ok(false),
        None => registers.begins_anew(next.at).await,
    }
}

pub(super) fn voided(world: World<'_>, new: &Voided, refusals: &mut Vec<Refusal>) {
    world.not_ahead("to", new.to, refusals);
    let Some(meter) = meter(world.config, &new.meter, refusals) else {
        return;
    };
    if !meter.counters.contains_key(&new.quantity) && !gives(world.config, meter, new.quantity) {
        let expected = format!("a series of `{}` that makes a ledger", meter.id);
        refusals.push(Refusal::new("quantity", new.quantity, expected));
    }
}

/// The meter called `id`.
pub(super) fn meter<'a>(
    config: &'a Config,
    id: &steward_model::MeterId,
    refusals: &mut Vec<Refusal>,
) -> Option<&'a Meter> {
    let found = config.registry.meters.get(id);
    if found.is_none() {
        refusals.push(Refusal::new("meter", id, "a meter of the registry"));
    }
    found
}

/// Whether the meter's model gives this quantity.
fn gives(config: &Config, meter: &Meter, quantity: Quantity) -> bool {
    let profile = config.profiles.get(&meter.profile);
    profile.is_some_and(|profile| match &profile.body {
        ProfileBody::Modbus(body) => body.registers.iter().any(|one| one.quantity == quantity),
        ProfileBody::Mqtt(body) => body.quantities.iter().any(|one| one.quantity == quantity),
    })
}

fn in_service(world: World<'_>, meter: &Meter, at: UtcMs, refusals: &mut Vec<Refusal>) {
    let (from, to) = service(world, meter);
    if from <= at && at <= to {
        return;
    }
    let said = |at: UtcMs| at.to_datetime().to_rfc3339();
    let expected = match to {
        UtcMs(i64::MAX) => format!("an instant from {} on", said(from)),
        to => format!("an instant from {} to {}", said(from), said(to)),
    };
    refusals.push(
        Refusal::new("at", said(at), expected)
            .hint(format!("that is the service of `{}`", meter.id)),
    );
}
