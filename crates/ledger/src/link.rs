//! From one service to the next: replacements, ratios, and the integral of a gauge.

use steward_model::{FindingKind, FindingState, Quantity};

use crate::boundary::register_at;
use crate::chain::{Lineage, Link};
use crate::classify::{Confirmer, How, Sink};
use crate::evidence::About;
use crate::limits::LimitsBase;
use crate::past::Verdict;
use crate::register::{Confirmed, Raw, base_units};
use crate::run::{Outcome, Read};

/// The largest value of a gauge, ratio applied: a gigawatt, a million cubic metres an hour.
const GAUGE_MAX: f64 = 1e9;

/// The register at which a replacement says that a meter stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closing {
    at_ms: i64,
    pub(crate) register_base: i64,
    limits: LimitsBase,
}

impl Closing {
    /// Where the service `index` is followed by one with registers.
    pub(crate) fn of(lineage: &Lineage, index: usize) -> Option<Self> {
        let next = lineage.services.get(index + 1)?;
        let service = lineage.services.get(index)?;
        let Link::Replaced { old_last, .. } = next.link else {
            return None;
        };
        Some(Self {
            at_ms: next.from_ms,
            register_base: base_units(old_last * f64::from(service.ratio)).ok()?,
            limits: service.limits,
        })
    }

    /// Whether a register after `last` contradicts it: the meter would have to fall to stop there,
    /// and cannot pass its modulus in time.
    pub(crate) fn refutes(&self, last: Confirmed, base: i64, at_ms: i64) -> bool {
        let limits = &self.limits;
        let wraps = |modulus: i64| {
            let rise = i128::from(self.register_base) + i128::from(modulus) - i128::from(base);
            limits
                .rise_max_base(self.at_ms - at_ms)
                .is_some_and(|rise_max| rise <= rise_max)
        };
        last.register_base <= self.register_base
            && base - self.register_base > limits.resolution_base
            && !limits.modulus_base.is_some_and(wraps)
    }
}

impl Confirmer<'_> {
    /// The readings of the next service follow.
    pub(crate) fn switch<S: Sink>(&mut self, sink: &mut S) {
        let Some(next) = self.next_service() else {
            return;
        };
        match next.link {
            Link::Ratio => self.state.service += 1,
            Link::Anew => {
                if let Some(run) = self.state.run.take().filter(|run| run.is_open()) {
                    sink.found(self.of_run(&run, FindingState::Open, None));
                }
                self.end_held_out(sink);
                self.state.service += 1;
                self.state.fresh = !self.chain.is_integrated();
                self.break_off(sink);
            }
            Link::Replaced {
                old_last,
                new_first,
                event,
            } => {
                let at = |value| Raw {
                    at_ms: next.from_ms,
                    value,
                    manual: true,
                };
                self.replace(at(old_last), at(new_first), event, sink);
            }
        }
    }

    /// The register stops at `closing` and another goes on from `opening`. The word of the books
    /// stands, unless a confirmed register is higher: then the series goes on from that one.
    fn replace<S: Sink>(&mut self, closing: Raw, opening: Raw, event: u64, sink: &mut S) {
        self.close_run(closing, sink);
        self.end_held_out(sink);
        self.end_groups(closing, sink);
        let state = FindingState::Decided(event);
        let about = About::reading(opening, 0);
        let Some(last) = self.state.last else {
            self.state.service += 1;
            self.state.frame = self.state.service;
            sink.found(self.finding(FindingKind::Replacement, state, &about));
            // The event says what an exchange without registers would ask.
            if std::mem::take(&mut self.state.fresh) {
                sink.broken();
            }
            return self.confirm(opening, How::READ, Some(event), sink);
        };
        let how = self.cross_ratios(closing, How::READ, sink);
        let register = |raw: Raw, frame: usize, lowest: i64| Confirmed {
            at_ms: raw.at_ms,
            register_base: self.base_in(raw, frame).unwrap_or(lowest).max(lowest),
            manual: true,
        };
        let lowest = self.state.last.unwrap_or(last).register_base;
        let closing = register(closing, self.state.frame, lowest);
        let opening = register(opening, self.state.service + 1, 0);
        self.state.last = Some(closing);
        sink.found(self.finding(FindingKind::Replacement, state, &about));
        self.state.service += 1;
        self.state.frame = self.state.service;
        self.state.last = Some(opening);
        sink.linked(closing, how, opening);
    }

    /// The closing register is the last that a pending run can be measured by.
    fn close_run<S: Sink>(&mut self, closing: Raw, sink: &mut S) {
        let (Some(mut run), Some(last)) = (self.state.run.take(), self.state.last) else {
            return;
        };
        let before = run;
        let frame = self.state.frame;
        let limits = self.lineage.services[frame].limits;
        let outcome = match self.base_in(closing, frame) {
            Some(base) if !run.over_closing => {
                let passed_ms = closing.at_ms - last.at_ms;
                let relation = limits.relation(last.register_base, base, passed_ms);
                let read = Read { raw: closing, base };
                run.next(last, read, relation.is_plausible(), &limits)
            }
            _ => Outcome::Pending,
        };
        match outcome {
            Outcome::Pending => {
                sink.found(self.of_run(&before, FindingState::Open, Some(closing)));
            }
            Outcome::Returned => {
                sink.found(self.of_run(&before, FindingState::ByRule, Some(closing)));
            }
            Outcome::Rollover { delta_base } => {
                self.follow(&before, closing, FindingKind::Rollover, delta_base, sink);
            }
            Outcome::Reset { delta_base } => {
                self.follow(&before, closing, FindingKind::Reset, delta_base, sink);
            }
        }
    }

    /// The register of a reading in the frame of a service.
    fn base_in(&self, raw: Raw, frame: usize) -> Option<i64> {
        let service = self.lineage.services.get(frame)?;
        base_units(raw.value * f64::from(service.ratio)).ok()
    }

    /// Brings the last confirmed register into the frame of the service of `raw`: where a ratio
    /// changed between the two, the raw register at that instant lies on the line between them,
    /// and what flowed before it is multiplied by the ratio of then.
    pub(crate) fn cross_ratios<S: Sink>(&mut self, raw: Raw, mut how: How, sink: &mut S) -> How {
        // A replacement closes the service that it ends, at the instant at which the next begins.
        let target = self
            .lineage
            .service_at(raw.at_ms)
            .clamp(self.state.frame, self.state.service);
        let Some(start) = self.state.last else {
            self.state.frame = target;
            return how;
        };
        while self.state.frame < target {
            let frame = self.state.frame;
            let (Some(last), Some(old), Some(new)) = (
                self.state.last,
                self.lineage.services.get(frame),
                self.lineage.services.get(frame + 1),
            ) else {
                break;
            };
            let lowest = last.register_base;
            let next = Confirmed {
                at_ms: raw.at_ms,
                register_base: self.base_in(raw, frame).unwrap_or(lowest).max(lowest),
                manual: raw.manual,
            };
            let gap_ms = how.gap_ms.or(Some(raw.at_ms - start.at_ms));
            let closing = Confirmed {
                at_ms: new.from_ms,
                register_base: register_at(last, next, new.from_ms),
                manual: last.manual || raw.manual,
            };
            let next_base = self.base_in(raw, frame + 1).unwrap_or(lowest);
            let on_reading = new.from_ms == raw.at_ms;
            let opening_base = if on_reading {
                next_base
            } else {
                scaled(closing.register_base, new.ratio, old.ratio).min(next_base)
            };
            let between = How {
                settled: false,
                exact: on_reading && how.exact,
                gap_ms,
            };
            sink.confirmed(closing, between);
            sink.rebased(opening_base - closing.register_base);
            self.state.last = Some(Confirmed {
                register_base: opening_base,
                ..closing
            });
            self.state.frame += 1;
            how.gap_ms = gap_ms;
        }
        how
    }

    /// A gauge between two readings is taken as the line between them; where they stand further
    /// apart than an interpolation may span, what flowed is missing.
    pub(crate) fn integrate<S: Sink>(&mut self, raw: Raw, sink: &mut S) {
        if let Some(decided) = self.decision(raw.at_ms)
            && let Verdict::Discard { until_ms } = decided.verdict
        {
            return self.discard(raw, until_ms, decided.event);
        }
        let Some(service) = self.lineage.services.get(self.state.service) else {
            return;
        };
        let value = raw.value * f64::from(service.ratio);
        if value.is_nan() || value.abs() > GAUGE_MAX {
            return self.hold_out_of_range(raw);
        }
        let value = value.max(0.0);
        let before = self.state.gauge.replace(value);
        let Some(last) = self.state.last else {
            return self.confirm_integral(raw, 0, sink);
        };
        let passed_ms = raw.at_ms - last.at_ms;
        // The reading at which a day's carry stands.
        if passed_ms == 0 {
            return;
        }
        match before.filter(|_| passed_ms <= self.gaps.interpolated_max_ms) {
            Some(before) => {
                let mean = f64::midpoint(before, value);
                let rise = mean * passed_ms as f64 / milli_ms(self.chain.quantity);
                let rise = base_units(rise).unwrap_or(0);
                self.confirm_integral(raw, last.register_base + rise, sink);
            }
            None => {
                sink.broken();
                self.confirm_integral(raw, last.register_base, sink);
            }
        }
    }

    fn confirm_integral<S: Sink>(&mut self, raw: Raw, register_base: i64, sink: &mut S) {
        self.state.frame = self.state.service;
        self.end_range(Some(raw), sink);
        let reading = Confirmed {
            at_ms: raw.at_ms,
            register_base,
            manual: raw.manual,
        };
        self.state.last = Some(reading);
        sink.confirmed(reading, How::READ);
    }
}

/// How many milliseconds of one unit of the gauge make a thousandth of a base unit.
const fn milli_ms(gauge: Quantity) -> f64 {
    match gauge {
        // A kilojoule is a million watt-milliseconds.
        Quantity::ThermalPower => 1e3,
        // W to Wh, and L/h to L.
        _ => 3.6e3,
    }
}

/// A register behind other transformers, half up.
fn scaled(register_base: i64, new: u32, old: u32) -> i64 {
    let (new, old) = (i128::from(new), i128::from(old.max(1)));
    let half_up = (2 * i128::from(register_base) * new + old).div_euclid(2 * old);
    i64::try_from(half_up).unwrap_or(register_base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_register_keeps_its_raw_value_behind_other_transformers() {
        assert_eq!(scaled(1_000, 60, 40), 1_500);
        assert_eq!(scaled(1_001, 1, 2), 501);
        assert_eq!(scaled(-3, 1, 2), -1);
    }

    #[test]
    fn an_hour_of_a_kilowatt_is_a_kilowatt_hour() {
        let hour_ms = 3_600_000.0;
        assert_eq!(1_000.0 * hour_ms / milli_ms(Quantity::Power), 1_000_000.0);
        assert_eq!(
            1_000.0 * hour_ms / milli_ms(Quantity::ThermalPower),
            3_600_000.0
        );
    }
}
