//! Registers that stand still while power flows.
//!
//! Only a day with eight intervals of nothing in a row is looked at, and of it only that stretch.
//! The power is compared with the register's own step, so a load that is too small to move the
//! register is no finding; where the resolution is unknown there is none either.

use chrono::NaiveDate;
use steward_model::{Finding, FindingKind, FindingState, Quantity};

use crate::chain::Service;
use crate::day::LocalDay;
use crate::evidence::{About, finding};
use crate::folding::Ground;
use crate::interval::SettledDay;
use crate::past::{Past, Verdict};
use crate::register::Raw;
use crate::shelf::Shelf;

/// Two hours.
const INTERVALS_MIN: usize = 8;
/// So many steps of the register must have been missed.
const STEPS_MIN: f64 = 4.0;

/// What is known of the day in progress, so that it is looked at once an interval and not once a
/// reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Frozen {
    running: Option<(NaiveDate, usize, Vec<Finding>)>,
}

impl Frozen {
    /// The stretches of a complete day.
    pub(crate) fn day<S: Shelf>(
        &mut self,
        ground: Ground<'_, S>,
        past: &Past,
        settled: &SettledDay,
    ) -> Result<Vec<Finding>, S::Error> {
        self.running = None;
        stretches(ground, past, settled, settled.intervals.len())
    }

    /// The stretches of the day in progress, of which only complete intervals count.
    pub(crate) fn running<S: Shelf>(
        &mut self,
        ground: Ground<'_, S>,
        past: &Past,
        settled: &SettledDay,
        scanned_to_ms: i64,
    ) -> Result<Vec<Finding>, S::Error> {
        let day = settled.day;
        let complete = (0..settled.intervals.len())
            .take_while(|index| day.boundary_ms(index + 1) <= scanned_to_ms)
            .count();
        if let Some((date, known, found)) = &self.running
            && (*date, *known) == (day.date, complete)
        {
            return Ok(found.clone());
        }
        let found = stretches(ground, past, settled, complete)?;
        self.running = Some((day.date, complete, found.clone()));
        Ok(found)
    }
}

fn stretches<S: Shelf>(
    ground: Ground<'_, S>,
    past: &Past,
    settled: &SettledDay,
    complete: usize,
) -> Result<Vec<Finding>, S::Error> {
    let mut found = Vec::new();
    let Some(gauge) = gauge_beside(ground.chain.quantity) else {
        return Ok(found);
    };
    let mut from = 0;
    for index in 0..=complete {
        let still = index < complete
            && settled.intervals[index].is_some_and(|interval| interval.amount_base == 0);
        if !still {
            if index - from >= INTERVALS_MIN {
                found.extend(stretch(ground, past, settled.day, gauge, from, index)?);
            }
            from = index + 1;
        }
    }
    Ok(found)
}

/// The gauge that tells what flows through a counter in its own direction. A meter that counts both
/// directions tells the other one with a sign, so only drawn energy and volumes are compared.
pub const fn gauge_beside(counter: Quantity) -> Option<Quantity> {
    match counter {
        Quantity::EnergyImport => Some(Quantity::Power),
        Quantity::Volume => Some(Quantity::Flow),
        _ => None,
    }
}

fn stretch<S: Shelf>(
    ground: Ground<'_, S>,
    past: &Past,
    day: LocalDay,
    gauge: Quantity,
    from: usize,
    to: usize,
) -> Result<Option<Finding>, S::Error> {
    let Ground {
        shelf,
        chain,
        lineage,
        rules,
    } = ground;
    let from_ms = day.boundary_ms(from);
    let index = lineage.service_at(from_ms);
    let service = &lineage.services[index];
    let to_ms = day.boundary_ms(to).min(lineage.last_ms(index));
    if service.counter.resolution <= 0.0 {
        return Ok(None);
    }
    let power = shelf.readings(&service.meter, gauge, from_ms, to_ms)?;
    let flowed = flowed(&power, rules.gaps.interpolated_max_ms);
    if flowed <= STEPS_MIN * service.counter.resolution {
        return Ok(None);
    }
    // What is found about a register on which the day begins belongs to the day before.
    let registers = shelf.readings(&service.meter, chain.quantity, from_ms + 1, to_ms)?;
    let (Some(first), Some(last)) = (registers.first(), registers.last()) else {
        return Ok(None);
    };
    let state = accepted(past, service, chain.quantity, first.at_ms);
    let about = About {
        first: *first,
        last: *last,
        held_out: 0,
        after: None,
    };
    let mut finding = finding(chain, lineage, None, FindingKind::Frozen, state, &about);
    finding.evidence.flowed = Some(flowed);
    Ok(Some(finding))
}

fn accepted(past: &Past, service: &Service, quantity: Quantity, at_ms: i64) -> FindingState {
    match past
        .decisions
        .get(&(service.meter.clone(), quantity, at_ms))
    {
        Some(decided) if !matches!(decided.verdict, Verdict::Discard { .. }) => {
            FindingState::Decided(decided.event)
        }
        _ => FindingState::Open,
    }
}

/// What flowed by the gauge, in the unit of the counter before ratios. What is drawn is positive;
/// the other direction and gaps count nothing.
fn flowed(power: &[Raw], gap_max_ms: i64) -> f64 {
    power
        .iter()
        .zip(power.iter().skip(1))
        .map(|(a, b)| {
            let passed_ms = b.at_ms - a.at_ms;
            if passed_ms > gap_max_ms {
                return 0.0;
            }
            let mean = f64::midpoint(a.value.max(0.0), b.value.max(0.0));
            mean * passed_ms as f64 / 3_600_000.0
        })
        .sum()
}
