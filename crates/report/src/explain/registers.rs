//! The registers of a lineage at the ends of a span, and what is between them.

use steward_config::Config;
use steward_ledger::boundary::register_at;
use steward_ledger::{Chain, Confirmed, Lineage, LocalDay, Rules};
use steward_model::time::INTERVAL_S;
use steward_model::{Fill, FillRule, UtcMs};
use steward_store::StoredDay;

use super::Frame;
use super::metering::{Read, step_view};
use super::trace::{Knot, Run};
use super::view::{BoundaryView, ReadingCounts, ReadingView, RunView, StepView};
use crate::compose::rfc3339;

/// What is told of a lineage that was read.
pub(super) struct Registers<'a> {
    pub(super) frame: &'a Frame,
    pub(super) chain: &'a Chain,
    pub(super) lineage: &'a Lineage,
    pub(super) read: &'a Read,
    pub(super) fills: &'a [Fill],
    pub(super) days: &'a [StoredDay],
    pub(super) config: &'a Config,
}

/// A register at an instant and how it is known.
struct Known {
    unrolled: i64,
    method: &'static str,
}

impl Registers<'_> {
    fn bounds_ms(&self) -> (i64, i64) {
        (self.frame.start_s * 1_000, self.frame.end_s * 1_000)
    }

    /// The part of a run that lies within the span.
    pub(super) fn run(&self, run: &Run) -> Option<RunView> {
        let (from_ms, to_ms) = self.bounds_ms();
        let (first, last) = (run.knots.first()?, run.knots.last()?);
        if last.reading.at_ms <= from_ms || first.reading.at_ms >= to_ms {
            return None;
        }
        let at = |at_ms: i64| at_ms.clamp(first.reading.at_ms, last.reading.at_ms);
        let (start_ms, end_ms) = (at(from_ms), at(to_ms));
        let (start, end) = (self.known(run, start_ms)?, self.known(run, end_ms)?);
        let amount_base = self.amount(run, start_ms, end_ms)?;
        let moved = end.unrolled - start.unrolled;
        let start = self.boundary(run, start_ms, &start);
        let end = self.boundary(run, end_ms, &end);
        Some(RunView {
            rebased_base: (end.register_base - start.register_base) - moved,
            amount_base,
            start,
            end,
        })
    }

    /// What flowed between two instants of a run.
    fn amount(&self, run: &Run, from_ms: i64, to_ms: i64) -> Option<i64> {
        let register = |at_ms: i64| Some(self.known(run, at_ms)?.unrolled);
        if !self.chain.is_integrated() {
            return Some(register(to_ms)? - register(from_ms)?);
        }
        // Thousandths are rounded from the beginning of what is known of each day.
        let (mut sum, mut at_ms) = (0, from_ms);
        while at_ms < to_ms {
            let day = LocalDay::at(self.frame.zone, at_ms);
            let end_ms = to_ms.min(day.end_ms);
            let zero = self.first_of(day)?;
            let base = |register: i64| (register - zero).div_euclid(1_000);
            sum += base(register(end_ms)?) - base(register(at_ms)?);
            at_ms = end_ms;
        }
        Some(sum)
    }

    /// The first register that is known of a day.
    fn first_of(&self, day: LocalDay) -> Option<i64> {
        let runs = &self.read.trace.runs;
        let covers = |run: &&Run| match (run.knots.first(), run.knots.last()) {
            (Some(first), Some(last)) => {
                first.reading.at_ms <= day.start_ms && day.start_ms <= last.reading.at_ms
            }
            _ => false,
        };
        if let Some(run) = runs.iter().find(covers) {
            return Some(self.known(run, day.start_ms)?.unrolled);
        }
        let mut knots = runs.iter().flat_map(|run| &run.knots);
        let first = knots.find(|knot| knot.reading.at_ms >= day.start_ms)?;
        Some(first.unrolled)
    }

    fn known(&self, run: &Run, at_ms: i64) -> Option<Known> {
        let (before, after) = run.around(at_ms);
        let (before, after) = match (before, after) {
            (Some(on), after) if on.reading.at_ms == at_ms => {
                let (from_ms, to_ms) = self.bounds_ms();
                let inside = from_ms < at_ms && at_ms < to_ms;
                let method = match after {
                    _ if !inside => "exact",
                    Some(_) => "first",
                    None => "last",
                };
                return Some(Known {
                    unrolled: on.unrolled,
                    method,
                });
            }
            (before, after) => (before?, after?),
        };
        let gap_ms = after
            .gap_ms
            .unwrap_or(after.reading.at_ms - before.reading.at_ms);
        let linear = register_at(unrolled(before), unrolled(after), at_ms);
        let known = |unrolled, method| Some(Known { unrolled, method });
        if self.chain.is_integrated() {
            return known(linear, "integrated");
        }
        let interpolated_max_ms = Rules::of(self.config).gaps.interpolated_max_ms;
        if gap_ms <= interpolated_max_ms {
            return known(linear, "linear");
        }
        let mut fills = self.fills.iter();
        let fill = fills.find(|one| one.from.0 <= at_ms && at_ms <= one.to.0);
        match fill.map(|fill| &fill.rule) {
            Some(FillRule::Shape { .. }) => known(self.shaped(run, before, at_ms)?, "shape"),
            _ => known(linear, "even"),
        }
    }

    /// Within an outage that was filled by load shape: the register before it, and what the ledger
    /// has spread since.
    fn shaped(&self, run: &Run, before: Knot, at_ms: i64) -> Option<i64> {
        let interval_ms = INTERVAL_S * 1_000;
        let from_ms = before.reading.at_ms.div_euclid(interval_ms) * interval_ms;
        let first = run.knots.first()?;
        let register = if first.reading.at_ms >= from_ms {
            // The series begins within that interval.
            first.unrolled
        } else {
            self.known(run, from_ms)?.unrolled
        };
        let spread = self.stored(from_ms / 1_000, at_ms / 1_000)?;
        Some(register + spread)
    }

    /// The sum of the stored intervals between two boundaries; `None` where one is missing.
    fn stored(&self, from_s: i64, to_s: i64) -> Option<i64> {
        let mut sum = 0;
        let mut expected = (to_s - from_s) / INTERVAL_S;
        for stored in self.days {
            for (index, interval) in (0_i64..).zip(&stored.day.intervals) {
                let start_s = stored.day.start_s + index * INTERVAL_S;
                if from_s <= start_s && start_s < to_s {
                    sum += (*interval)?.amount_base;
                    expected -= 1;
                }
            }
        }
        (expected == 0).then_some(sum)
    }

    fn boundary(&self, run: &Run, at_ms: i64, known: &Known) -> BoundaryView {
        let (before, after) = run.around(at_ms);
        let on_reading = before.is_some_and(|knot| knot.reading.at_ms == at_ms);
        let after = after.filter(|_| !on_reading);
        // In the frame of the register that counted last.
        let frame = before.or(after);
        let shift = frame.map_or(0, |knot| knot.reading.register_base - knot.unrolled);
        let (text_zh, text_en) = method_text(known.method);
        BoundaryView {
            at: rfc3339(self.frame.zone, UtcMs(at_ms)),
            register_base: known.unrolled + shift,
            method: known.method.to_owned(),
            text_zh: text_zh.to_owned(),
            text_en: text_en.to_owned(),
            before: before.map(|knot| self.reading(knot)),
            after: after.map(|knot| self.reading(knot)),
        }
    }

    fn reading(&self, knot: Knot) -> ReadingView {
        let at_ms = knot.reading.at_ms;
        let raw = self.read.raws.get(&at_ms).filter(|_| knot.is_reading);
        let index = raw.map_or_else(|| self.lineage.service_at(at_ms), |(_, index)| *index);
        let service = self.lineage.services.get(index);
        ReadingView {
            at: rfc3339(self.frame.zone, UtcMs(at_ms)),
            meter: service.map_or_else(String::new, |one| one.meter.to_string()),
            value: raw.map(|(raw, _)| raw.value),
            ratio: service.map_or(1, |one| one.ratio),
            register_base: knot.reading.register_base,
            manual: knot.reading.manual,
        }
    }

    pub(super) fn steps(&self) -> Vec<StepView> {
        let (from_ms, to_ms) = self.bounds_ms();
        let steps = self.read.trace.steps.iter();
        let within = steps.filter(|step| from_ms < step.at_ms && step.at_ms <= to_ms);
        within.map(|step| step_view(self.frame, step)).collect()
    }

    pub(super) fn count(&self, into: &mut ReadingCounts) {
        let (from_ms, to_ms) = self.bounds_ms();
        let voided = self.read.voided.iter();
        let voided = voided.filter(|at| (from_ms..to_ms).contains(*at)).count();
        let total = self.read.raws.range(from_ms..to_ms).count();
        let knots = self.read.trace.runs.iter().flat_map(|run| &run.knots);
        let counted: Vec<&Knot> = knots
            .filter(|knot| {
                let at_ms = &knot.reading.at_ms;
                (from_ms..to_ms).contains(at_ms)
                    && knot.is_reading
                    && self.read.raws.contains_key(at_ms)
            })
            .collect();
        let by_hand = counted.iter().filter(|knot| knot.reading.manual).count();
        into.total += (total + voided) as u64;
        into.voided += voided as u64;
        into.counted += counted.len() as u64;
        into.held_out += total.saturating_sub(counted.len()) as u64;
        into.by_hand += by_hand as u64;
    }
}

/// A knot in the frame in which its run began.
const fn unrolled(knot: Knot) -> Confirmed {
    Confirmed {
        register_base: knot.unrolled,
        ..knot.reading
    }
}

const fn method_text(method: &str) -> (&'static str, &'static str) {
    match method.as_bytes() {
        b"exact" => ("边界上有读数", "A reading stands on the boundary"),
        b"linear" => ("前后读数间线性内插", "Interpolated between two readings"),
        b"even" => ("缺数段内平均分摊", "Spread evenly over an outage"),
        b"shape" => (
            "缺数段内按本点负荷曲线分摊",
            "Spread over an outage by the point's own load",
        ),
        b"integrated" => ("由功率积分", "Integrated from power"),
        b"first" => ("该段读数的起点", "The first reading of the run"),
        _ => ("该段读数的终点", "The last reading of the run"),
    }
}
