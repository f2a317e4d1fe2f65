//! The registers on both sides of an instant: stored readings, readings by hand and the registers
//! of replacements, those that do not count left out.

use chrono_tz::Tz;
use steward_config::{Config, CounterLimits, Meter};
use steward_model::time::day_start_s;
use steward_model::{Finding, FindingKind, MeterId, Quantity, UtcMs};
use steward_store::{FindingFilter, FindingStates, StoreError};

use super::World;
use crate::BooksError;
use crate::event::Verdict;

const HOUR_MS: i64 = 3_600_000;
/// Exchanges are dated by the day in the registry and happen at an instant within it, so readings
/// this far outside of a meter's service may still be its own.
const SLACK_MS: i64 = 24 * HOUR_MS;
/// The first stretch that is searched backwards; each next one is so many times longer.
const STRETCH_MS: i64 = 6 * HOUR_MS;
const STRETCH_GROWTH: i64 = 8;
/// Readings that are looked at in one question forwards.
const PAGE: usize = 256;

/// A register that counts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Known {
    pub(crate) at: UtcMs,
    pub(crate) value: f64,
    /// The event of the books that says so; `None` for a stored reading.
    pub(crate) event: Option<u64>,
}

impl Known {
    /// What it is, in words.
    pub(crate) fn said(&self, quantity: Quantity) -> String {
        let at = self.at.to_datetime().to_rfc3339();
        let unit = quantity.unit();
        match self.event {
            None => format!("the reading of {at} says {} {unit}", self.value),
            Some(event) => format!("event {event} says {} {unit} at {at}", self.value),
        }
    }
}

/// Whether readings that wait for a decision count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// They are held out, as the ledger does.
    HeldOut,
    /// They count: the event in question explains them.
    Counts,
}

/// A register of a meter in its service.
pub(crate) struct Registers<'a> {
    world: World<'a>,
    meter: &'a Meter,
    quantity: Quantity,
    begin: UtcMs,
    end: UtcMs,
}

impl<'a> Registers<'a> {
    /// The register `quantity` of a meter.
    pub(crate) fn of(world: World<'a>, meter: &'a Meter, quantity: Quantity) -> Self {
        let (from, to) = service(world, meter);
        Self {
            world,
            meter,
            quantity,
            begin: UtcMs(from.0.saturating_sub(SLACK_MS)),
            end: UtcMs(to.0.saturating_add(SLACK_MS)),
        }
    }

    /// What the register can show.
    pub(crate) fn limits(&self) -> CounterLimits {
        let limits = self.meter.counters.get(&self.quantity);
        limits.copied().unwrap_or_default()
    }

    /// The most that it can rise in this time, where the rating is known.
    pub(crate) fn rise_max(&self, from: UtcMs, to: UtcMs) -> Option<f64> {
        let limits = self.limits();
        let hours = UtcMs(to.0.saturating_sub(from.0)).0 as f64 / HOUR_MS as f64;
        limits
            .rise_max_per_h
            .map(|per_h| per_h * hours + limits.resolution)
    }

    /// The last register before `at`.
    pub(crate) async fn before(
        &self,
        at: UtcMs,
        waiting: Waiting,
    ) -> Result<Option<Known>, BooksError> {
        let events = self.events().into_iter().filter(|one| one.at < at);
        let event = events.max_by_key(|one| (one.at, one.event));
        let floor = event
            .as_ref()
            .map_or(self.begin, |one| one.at.max(self.begin));
        let mut to = at;
        let mut width = STRETCH_MS;
        while to > floor {
            let from = UtcMs(to.0.saturating_sub(width)).max(floor);
            let rows = self.stored(from, UtcMs(to.0 - 1), None).await?;
            if !rows.is_empty() {
                let findings = self.findings(from, to).await?;
                let counting = rows
                    .into_iter()
                    .rev()
                    .find(|one| self.counts(one.at, &findings, waiting));
                if let Some(found) = counting {
                    return Ok(Some(found));
                }
            }
            to = from;
            width = width.saturating_mul(STRETCH_GROWTH);
        }
        Ok(event)
    }

    /// The first register at `at` or after it.
    pub(crate) async fn at_or_after(
        &self,
        at: UtcMs,
        waiting: Waiting,
    ) -> Result<Option<Known>, BooksError> {
        let events = self.events().into_iter().filter(|one| one.at >= at);
        let event = events.min_by_key(|one| (one.at, one.event));
        let ceiling = event.as_ref().map_or(self.end, |one| one.at.min(self.end));
        let mut from = at.max(self.begin);
        while from < ceiling {
            let rows = self.stored(from, UtcMs(ceiling.0 - 1), Some(PAGE)).await?;
            let Some(last) = rows.last().map(|one| one.at) else {
                break;
            };
            let findings = self.findings(from, UtcMs(last.0.saturating_add(1))).await?;
            let counting = rows
                .into_iter()
                .find(|one| self.counts(one.at, &findings, waiting));
            if let Some(found) = counting {
                return Ok(Some(found));
            }
            from = UtcMs(last.0.saturating_add(1));
        }
        Ok(event)
    }

    /// What else says the register at this very instant.
    pub(crate) async fn exactly(&self, at: UtcMs) -> Result<Option<Known>, BooksError> {
        if let Some(event) = self.events().into_iter().find(|one| one.at == at) {
            return Ok(Some(event));
        }
        let rows = self.stored(at, at, None).await?;
        let findings = self.findings(at, UtcMs(at.0.saturating_add(1))).await?;
        Ok(rows
            .into_iter()
            .find(|one| self.counts(one.at, &findings, Waiting::HeldOut)))
    }

    /// Whether a fall to the reading at `at` is explained: by a rule or by a decision.
    pub(crate) async fn begins_anew(&self, at: UtcMs) -> Result<bool, BooksError> {
        let state = self.world.state;
        if let Some((_, decision)) = state.decision(&self.meter.id, self.quantity, at) {
            return Ok(!matches!(decision.verdict, Verdict::Discard { .. }));
        }
        let finding = self.finding(at).await?;
        Ok(finding.is_some_and(|one| {
            !one.is_open() && matches!(one.kind, FindingKind::Rollover | FindingKind::Reset)
        }))
    }

    /// What waits for a person since before `at` or from then on, and holds the register back.
    pub(crate) async fn waits(&self, at: UtcMs) -> Result<Option<Finding>, BooksError> {
        let filter = FindingFilter {
            meter: Some(self.meter.id.clone()),
            states: FindingStates::Open,
            to: Some(UtcMs(at.0.saturating_add(1))),
            ..FindingFilter::default()
        };
        let findings = or_none(self.world.store.findings(filter).await)?;
        let mut of_register = findings
            .into_iter()
            .filter(|one| one.quantity == self.quantity);
        Ok(of_register.find(|one| matches!(one.kind, FindingKind::Fall | FindingKind::Rise)))
    }

    async fn finding(&self, at: UtcMs) -> Result<Option<Finding>, BooksError> {
        finding(self.world, &self.meter.id, self.quantity, at).await
    }

    /// Registers that the books say: readings by hand, and both sides of replacements.
    fn events(&self) -> Vec<Known> {
        let state = self.world.state;
        let (meter, quantity) = (&self.meter.id, self.quantity);
        let known = |at, value, seq| Known {
            at,
            value,
            event: Some(seq),
        };
        let mut events: Vec<Known> = state
            .hand_readings_of(meter, quantity, UtcMs(i64::MIN), UtcMs(i64::MAX))
            .into_iter()
            .map(|(seq, one)| known(one.at, one.value, seq))
            .collect();
        let points = &self.world.config.registry.points;
        for (seq, one) in state.replacements() {
            let point = points.get(&one.point);
            let Some((old_last, new_first)) =
                point.and_then(|point| one.registers(point.counter, quantity))
            else {
                continue;
            };
            // The old register ends a millisecond before the new one begins, so that the two of a
            // device behind one address stand on their own sides of the instant.
            if one.old_meter == *meter {
                events.push(known(UtcMs(one.at.0.saturating_sub(1)), old_last, seq));
            }
            if one.new_meter == *meter {
                events.push(known(one.at, new_first, seq));
            }
        }
        events
    }

    fn counts(&self, at: UtcMs, findings: &[Finding], waiting: Waiting) -> bool {
        let state = self.world.state;
        let covers = |from: UtcMs, to: UtcMs| from <= at && at <= to;
        let voided = state.voided_of(&self.meter.id, self.quantity);
        if voided.iter().any(|(_, one)| covers(one.from, one.to)) {
            return false;
        }
        let decided = state.discards_of(&self.meter.id, self.quantity);
        if decided.iter().any(|(from, until)| covers(*from, *until)) {
            return false;
        }
        !findings.iter().any(|one| {
            // A finding of jitter stands for single readings of a whole day.
            one.held_out > 0
                && one.kind != FindingKind::Jitter
                && !(one.is_open() && waiting == Waiting::Counts)
                && covers(one.at, one.until)
        })
    }

    async fn stored(
        &self,
        from: UtcMs,
        to: UtcMs,
        limit: Option<usize>,
    ) -> Result<Vec<Known>, BooksError> {
        let (store, meter) = (self.world.store, &self.meter.id);
        let known = |at, value| Known {
            at,
            value,
            event: None,
        };
        let rows = match limit {
            None => store
                .series(meter, self.quantity, from, to)
                .await
                .map(|rows| {
                    rows.into_iter()
                        .map(|(at, value, _)| known(at, value))
                        .collect()
                }),
            Some(limit) => store
                .readings(
                    meter,
                    self.quantity,
                    from,
                    UtcMs(to.0.saturating_add(1)),
                    limit,
                )
                .await
                .map(|rows| {
                    let rows = rows.into_iter();
                    rows.map(|row| known(row.at, row.value.get())).collect()
                }),
        };
        or_none(rows)
    }

    /// Findings of the series of which a part lies in `[from, to)`.
    async fn findings(&self, from: UtcMs, to: UtcMs) -> Result<Vec<Finding>, BooksError> {
        let filter = FindingFilter {
            meter: Some(self.meter.id.clone()),
            from: Some(from),
            to: Some(to),
            ..FindingFilter::default()
        };
        let mut findings = or_none(self.world.store.findings(filter).await)?;
        findings.retain(|one| one.quantity == self.quantity);
        Ok(findings)
    }
}

/// When a meter serves, both included: by the dates of the registry, and from or to the very
/// instant where a replacement says it.
pub(crate) fn service(world: World<'_>, meter: &Meter) -> (UtcMs, UtcMs) {
    let zone = zone_of(world.config, meter);
    let start_ms = |date| UtcMs(day_start_s(zone, date).saturating_mul(1_000));
    let mut from = start_ms(meter.from);
    let mut to = meter.to.map_or(UtcMs(i64::MAX), start_ms);
    for (_, one) in world.state.replacements_of(&meter.point) {
        if one.old_meter == one.new_meter {
            continue;
        }
        if one.old_meter == meter.id {
            to = one.at;
        }
        if one.new_meter == meter.id {
            from = one.at;
        }
    }
    (from, to)
}

/// The zone of the building in which a meter is.
pub(crate) fn zone_of(config: &Config, meter: &Meter) -> Tz {
    let registry = &config.registry;
    let point = registry.points.get(&meter.point);
    point
        .and_then(|point| registry.zone_of(point))
        .unwrap_or(config.settings.zone)
}

/// The finding that begins with the reading of `at`.
pub(crate) async fn finding(
    world: World<'_>,
    meter: &MeterId,
    quantity: Quantity,
    at: UtcMs,
) -> Result<Option<Finding>, BooksError> {
    or_none(world.store.finding(meter, quantity, at).await)
}

/// Nothing, where there is no store yet.
pub(crate) fn or_none<T: Default>(answer: Result<T, StoreError>) -> Result<T, BooksError> {
    match answer {
        Ok(answer) => Ok(answer),
        Err(StoreError::Missing(_)) => Ok(T::default()),
        Err(error) => Err(error.into()),
    }
}
