//! History on its way into the journal: what gateways kept while nobody asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use steward_config::{Config, Profile, ProfileBody};
use steward_journal::{Entry, Journal};
use steward_model::{Batch, Quantity, Reading, ReadingQuality, UtcMs, Value};
use steward_simulator::{SimMeter, Way, World, modbus, mqtt};

const DAY_MS: i64 = 86_400_000;

/// Which part of the history is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// What came in time.
    InTime,
    /// What a gateway kept through its outage.
    Backlog,
}

/// Sends the readings of `from_ms..to_ms` in order of days, one batch a meter and day, and waits
/// for each day's receipts. Calls `sent` with the instant up to which everything is in the journal.
pub(super) fn send(
    world: &World,
    config: &Config,
    journal: &Journal,
    part: Part,
    (from_ms, to_ms): (i64, i64),
    readings_sent: &Arc<AtomicU64>,
    mut sent: impl FnMut(i64) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut from = from_ms;
    while from < to_ms {
        let until = next_day(world, from).min(to_ms);
        let mut receipts = Vec::new();
        let mut count = 0;
        for number in 0..world.meters().len() {
            let batch = day(world, config, part, number, from, until)?;
            if batch.readings.is_empty() {
                continue;
            }
            count += u64::try_from(batch.readings.len()).unwrap_or(0);
            receipts.push(journal.append_blocking(Entry::Batch(batch))?);
        }
        for receipt in receipts {
            receipt
                .wait_blocking()
                .context("the journal refused a batch of history")?;
        }
        readings_sent.fetch_add(count, Ordering::Relaxed);
        sent(until)?;
        from = until;
    }
    Ok(())
}

fn next_day(world: &World, at_ms: i64) -> i64 {
    let start = world.start_ms();
    start + ((at_ms - start).div_euclid(DAY_MS) + 1) * DAY_MS
}

fn day(
    world: &World,
    config: &Config,
    part: Part,
    number: usize,
    from: i64,
    until: i64,
) -> anyhow::Result<Batch> {
    let meter = world.meters().get(number).context("meters are counted")?;
    let quantity = meter.commodity.counter();
    let profile = config
        .profiles
        .get(meter.profile)
        .context("profiles were checked")?;
    let reading = |quantity: Quantity, at: i64, register: i64| {
        Ok(Reading {
            meter: meter.id.clone(),
            quantity,
            at: UtcMs(at),
            value: Value::new(shown(meter, profile, quantity, register))?,
            quality: ReadingQuality::Good,
        })
    };
    let registers = world.readings(number, from, until, part == Part::Backlog);
    let mut readings = registers
        .iter()
        .map(|(at, register)| reading(quantity, *at, *register))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if meter.counts_reactive() {
        for (at, register) in registers {
            let varh = meter.reactive_varh(register);
            readings.push(reading(Quantity::ReactiveImport, at, varh)?);
        }
    }
    Ok(Batch {
        received_at: UtcMs(until),
        gateway: meter.gateway.clone(),
        gateway_boot: None,
        gateway_seq: None,
        readings,
    })
}

/// What a reader of the meter gets where a register stands at `register` base units.
pub(super) fn shown(meter: &SimMeter, profile: &Profile, quantity: Quantity, register: i64) -> f64 {
    match (&meter.way, &profile.body) {
        (Way::Modbus { .. }, ProfileBody::Modbus(body)) => body
            .registers
            .iter()
            .find(|spec| spec.quantity == quantity)
            .map_or_else(
                || whole(register),
                |spec| modbus::shown(spec, whole(register)),
            ),
        _ => whole(mqtt::shown(register)),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "registers of the demo are far below 2^53"
)]
fn whole(register: i64) -> f64 {
    register as f64
}
