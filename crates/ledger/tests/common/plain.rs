//! The ledger by its definition: one plain walk over all readings that may look ahead as far as it
//! likes, and then every interval by itself. It shares no state machine, page, head or mark with
//! the kernel.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::NaiveDate;
use steward_ledger::register::register_base;
use steward_ledger::{Chain, LimitsBase, Lineage, Link, LocalDay, Past, Raw, Verdict};
use steward_model::{FillRule, FindingKind, FindingState, IntervalAmount};

use super::plain_days::Weight;
use super::{GAPS, Model, fits, rises_at_most};

/// A register in the frame of the lineage's first reading.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    pub at_ms: i64,
    pub total: i64,
    pub manual: bool,
    pub exact: bool,
    pub gap_ms: Option<i64>,
}

/// The weights of a gap, where it has some, and the rule.
pub type Shape = (Option<Rc<Vec<Weight>>>, FillRule);

/// Kind, first, last, held out, state.
pub type Note = (FindingKind, i64, i64, u64, FindingState);

#[derive(Default)]
pub struct Plain {
    /// Unbroken runs of marks.
    pub runs: Vec<Vec<Mark>>,
    pub shapes: RefCell<BTreeMap<(i64, i64), Shape>>,
    pub notes: Vec<Note>,
    pub fills: Vec<(i64, i64, i64, FillRule)>,
    pub days: BTreeMap<NaiveDate, Vec<Option<IntervalAmount>>>,
}

#[derive(Clone, Copy)]
struct Last {
    at_ms: i64,
    own: i64,
    service: usize,
    manual: bool,
}

struct Walk<'a> {
    lineage: &'a Lineage,
    chain: &'a Chain,
    past: &'a Past,
    offset: i64,
    last: Option<Last>,
    out: Plain,
    jitter: Vec<i64>,
    range: Vec<i64>,
    begins: bool,
}

pub fn plain(model: &Model, chain: &Chain) -> Plain {
    let mut all = Plain::default();
    for lineage in &chain.lineages {
        let mut walk = Walk {
            lineage,
            chain,
            past: &model.past,
            offset: 0,
            last: None,
            out: Plain::default(),
            jitter: Vec::new(),
            range: Vec::new(),
            begins: lineage.follows,
        };
        walk.all(model);
        let found = walk.out;
        all.runs.extend(found.runs);
        all.notes.extend(found.notes);
    }
    all.notes.sort_by_key(|note| (note.1, note.2));
    all.make_days(chain);
    all
}

impl Walk<'_> {
    fn own(&self, raw: Raw, service: usize) -> Option<i64> {
        register_base(raw.value, self.lineage.services[service].ratio).ok()
    }

    fn note(&mut self, kind: FindingKind, from: i64, to: i64, count: usize, state: FindingState) {
        self.out.notes.push((kind, from, to, count as u64, state));
    }

    fn all(&mut self, model: &Model) {
        let services = &self.lineage.services;
        let mut at = 0;
        while at < services.len() {
            // Ratios of one meter are one stretch of readings.
            let mut to = at + 1;
            while to < services.len() && services[to].link == Link::Ratio {
                to += 1;
            }
            // An opening register stands for a reading at its instant.
            let opens = matches!(services[at].link, Link::Replaced { .. });
            let from_ms = services[at].from_ms + i64::from(opens);
            let last_ms = services
                .get(to)
                .map_or(self.lineage.to_ms, |next| next.from_ms - 1);
            let key = (services[at].meter.clone(), self.chain.quantity);
            let readings: Vec<Raw> = model.readings.get(&key).map_or_else(Vec::new, |series| {
                series
                    .range(from_ms..=last_ms)
                    .map(|(_, raw)| *raw)
                    .collect()
            });
            let closing = services.get(to).map(|next| (next.from_ms, next.link));
            self.stretch(&readings, closing);
            if let Some((at_ms, link)) = closing {
                self.exchange(at_ms, link, to);
            }
            at = to;
        }
        self.end_range();
        let mut by_day: BTreeMap<NaiveDate, Vec<i64>> = BTreeMap::new();
        for at_ms in std::mem::take(&mut self.jitter) {
            let date = LocalDay::at(self.chain.zone, at_ms).date;
            by_day.entry(date).or_default().push(at_ms);
        }
        for of_day in by_day.into_values() {
            let (first, last) = (of_day[0], *of_day.last().unwrap());
            let rule = FindingState::ByRule;
            self.note(FindingKind::Jitter, first, last, of_day.len(), rule);
        }
    }

    fn end_range(&mut self) {
        let range = std::mem::take(&mut self.range);
        if let (Some(first), Some(last)) = (range.first(), range.last()) {
            let rule = FindingState::ByRule;
            self.note(FindingKind::OutOfRange, *first, *last, range.len(), rule);
        }
    }

    /// One register goes on where another stopped.
    fn exchange(&mut self, at_ms: i64, link: Link, next: usize) {
        self.end_range();
        let Link::Replaced {
            old_last,
            new_first,
            event,
        } = link
        else {
            self.last = None;
            self.begins = true;
            return;
        };
        let by_hand = |value| Raw {
            at_ms,
            value,
            manual: true,
        };
        let state = FindingState::Decided(event);
        self.note(FindingKind::Replacement, at_ms, at_ms, 0, state);
        let opening = self.own(by_hand(new_first), next).unwrap_or(0).max(0);
        if self.last.is_some() {
            let gap_ms = self.cross(by_hand(old_last), next - 1, None);
            let last = self.last.unwrap();
            let closing = self
                .own(by_hand(old_last), last.service)
                .unwrap_or(last.own);
            let closing = closing.max(last.own);
            self.mark(at_ms, closing, true, true, gap_ms);
            self.offset += closing - opening;
        } else {
            self.out.runs.push(Vec::new());
            self.mark(at_ms, opening, true, true, None);
        }
        self.begins = false;
        self.last = Some(Last {
            at_ms,
            own: opening,
            service: next,
            manual: true,
        });
    }

    fn mark(&mut self, at_ms: i64, own: i64, manual: bool, exact: bool, gap_ms: Option<i64>) {
        let total = self.offset + own;
        let mark = Mark {
            at_ms,
            total,
            manual,
            exact,
            gap_ms,
        };
        self.out.runs.last_mut().unwrap().push(mark);
    }

    fn cross(&mut self, raw: Raw, target: usize, gap_ms: Option<i64>) -> Option<i64> {
        let start = self.last?.at_ms;
        let mut gap = None;
        while let Some(last) = self.last.filter(|last| last.service < target) {
            // What is known of how far apart the readings of a run stand holds here too.
            gap = gap_ms.or(Some(raw.at_ms - start));
            let new = last.service + 1;
            let at_ms = self.lineage.services[new].from_ms;
            let (old_ratio, new_ratio) = (
                i128::from(self.lineage.services[last.service].ratio),
                i128::from(self.lineage.services[new].ratio),
            );
            let rise = self
                .own(raw, last.service)
                .unwrap_or(last.own)
                .max(last.own)
                - last.own;
            let part = i128::from(rise) * i128::from(at_ms - last.at_ms)
                / i128::from(raw.at_ms - last.at_ms);
            let own = last.own + part as i64;
            let next = self.own(raw, new).unwrap_or(last.own);
            let doubled = 2 * i128::from(own) * new_ratio + old_ratio;
            let opening = if at_ms == raw.at_ms {
                next
            } else {
                (doubled.div_euclid(2 * old_ratio) as i64).min(next)
            };
            let manual = last.manual || raw.manual;
            self.mark(at_ms, own, manual, at_ms == raw.at_ms, gap);
            self.offset += own - opening;
            self.last = Some(Last {
                at_ms,
                own: opening,
                service: new,
                manual,
            });
        }
        gap
    }

    fn confirm(&mut self, raw: Raw, gap_ms: Option<i64>, decided: Option<u64>) {
        if self.begins {
            self.begins = false;
            let state = decided.map_or(FindingState::Open, FindingState::Decided);
            let kind = FindingKind::ExchangeWithoutRegisters;
            self.note(kind, raw.at_ms, raw.at_ms, 0, state);
        }
        self.end_range();
        let service = self.lineage.service_at(raw.at_ms);
        let crossed = self.cross(raw, service, gap_ms);
        let lowest = self.last.map(|last| last.own);
        let own = self.own(raw, service).unwrap();
        if lowest.is_none() {
            self.out.runs.push(Vec::new());
        }
        let own = own.max(lowest.unwrap_or(own));
        self.mark(raw.at_ms, own, raw.manual, true, crossed.or(gap_ms));
        self.last = Some(Last {
            at_ms: raw.at_ms,
            own,
            service,
            manual: raw.manual,
        });
    }

    fn stretch(&mut self, readings: &[Raw], closing: Option<(i64, Link)>) {
        let mut index = 0;
        while index < readings.len() {
            index = self.step(readings, index, closing);
        }
    }

    fn decision(&self, at_ms: i64) -> Option<(Verdict, u64)> {
        let service = &self.lineage.services[self.lineage.service_at(at_ms)];
        let key = (service.meter.clone(), self.chain.quantity, at_ms);
        let decided = self.past.decisions.get(&key)?;
        Some((decided.verdict, decided.event))
    }

    /// The limits and register of a reading in the frame of the last one; `None` out of range.
    fn seen(&self, raw: Raw) -> Option<(LimitsBase, i64)> {
        let serving = || self.lineage.service_at(raw.at_ms);
        let frame = self.last.map_or_else(serving, |last| last.service);
        let own = self.own(raw, frame).filter(|own| *own >= 0)?;
        Some((self.lineage.services[frame].limits, own))
    }

    /// Whether a register is above the one at which a replacement says the meter stopped.
    fn over(&self, last: Last, own: i64, at_ms: i64, closing: Option<(i64, Link)>) -> bool {
        let Some((end_ms, Link::Replaced { old_last, .. })) = closing else {
            return false;
        };
        let limits = self.lineage.services[last.service].limits;
        // Only in the service that ends there.
        let of_last = self.lineage.services.get(last.service + 1);
        if self.lineage.service_at(at_ms) != last.service
            || of_last.is_none_or(|next| next.from_ms != end_ms)
        {
            return false;
        }
        let ratio = self.lineage.services[last.service].ratio;
        let stop = register_base(old_last, ratio).unwrap();
        let wraps = limits.modulus_base.zip(limits.rise_max_base_per_h);
        let wraps = wraps.is_some_and(|(modulus, rate)| {
            let most = i128::from(rate) * i128::from(end_ms - at_ms) / 3_600_000
                + i128::from(limits.resolution_base);
            i128::from(stop + modulus - own) <= most
        });
        last.own <= stop && own - stop > limits.resolution_base && !wraps
    }

    /// Judges one reading, or a whole run of readings that left the course; answers the next one.
    fn step(&mut self, readings: &[Raw], index: usize, closing: Option<(i64, Link)>) -> usize {
        let raw = readings[index];
        let Some((limits, own)) = self.seen(raw) else {
            self.range.push(raw.at_ms);
            return index + 1;
        };
        if let Some((verdict, event)) = self.decision(raw.at_ms)
            && let Some(next) = self.decided(readings, index, (verdict, event), closing)
        {
            return next;
        }
        let Some(last) = self.last else {
            self.confirm(raw, None, None);
            return index + 1;
        };
        let passed_ms = raw.at_ms - last.at_ms;
        let over = self.over(last, own, raw.at_ms, closing);
        if own >= last.own && rises_at_most(&limits, own - last.own, passed_ms) && !over {
            self.confirm(raw, None, None);
            return index + 1;
        }
        if own < last.own && last.own - own <= limits.resolution_base {
            self.jitter.push(raw.at_ms);
            return index + 1;
        }
        let high = !rises_at_most(&limits, own - last.own, passed_ms);
        self.run(readings, index, over && !high, closing)
    }

    fn decided(
        &mut self,
        readings: &[Raw],
        index: usize,
        (verdict, event): (Verdict, u64),
        closing: Option<(i64, Link)>,
    ) -> Option<usize> {
        let raw = readings[index];
        let (limits, own) = self.seen(raw)?;
        let state = FindingState::Decided(event);
        if verdict == Verdict::Rollover && limits.modulus_base.is_none() {
            return None;
        }
        if let Verdict::Discard { until_ms } = verdict {
            let count = readings[index..]
                .iter()
                .filter(|one| one.at_ms <= until_ms)
                .count();
            let until = readings[index + count.max(1) - 1].at_ms;
            self.note(FindingKind::Glitch, raw.at_ms, until, count.max(1), state);
            return Some(index + count.max(1));
        }
        let Some(last) = self.last else {
            self.confirm(raw, None, Some(event));
            return Some(index + 1);
        };
        let high = !rises_at_most(&limits, own - last.own, raw.at_ms - last.at_ms)
            || self.over(last, own, raw.at_ms, closing);
        let kind = match verdict {
            Verdict::Rollover => Some(FindingKind::Rollover),
            _ if own < last.own => Some(FindingKind::Fall),
            _ if high => Some(FindingKind::Rise),
            Verdict::Accept => None,
            _ => Some(FindingKind::Reset),
        };
        if let Some(kind) = kind {
            self.note(kind, raw.at_ms, raw.at_ms, 0, state);
        }
        match verdict {
            Verdict::Rollover => {
                let modulus = limits.modulus_base.unwrap();
                self.offset += modulus;
                self.last = Some(Last {
                    own: last.own - modulus,
                    ..last
                });
                if own < last.own - modulus {
                    self.last = None;
                }
            }
            Verdict::Accept if own >= last.own => {}
            _ => self.last = None,
        }
        self.confirm(raw, None, Some(event));
        Some(index + 1)
    }

    /// A run from `first` on: looks at what follows until something explains it.
    fn run(
        &mut self,
        readings: &[Raw],
        first: usize,
        over: bool,
        closing: Option<(i64, Link)>,
    ) -> usize {
        let last = self.last.unwrap();
        let (limits, opened) = self.seen(readings[first]).unwrap();
        let rises = opened >= last.own;
        // Registers of the run so far, by their readings.
        let mut members = vec![(first, opened)];
        let mut garbled = false;
        let mut held = Vec::new();
        for index in first + 1..readings.len() {
            let raw = readings[index];
            let Some((_, own)) = self.seen(raw) else {
                held.push(raw.at_ms);
                continue;
            };
            if let Some((verdict, event)) = self.decision(raw.at_ms)
                && !(verdict == Verdict::Rollover && limits.modulus_base.is_none())
            {
                self.range.append(&mut held);
                let kind = if rises {
                    FindingKind::Rise
                } else {
                    FindingKind::Fall
                };
                self.note_run(readings, &members, kind, FindingState::Decided(event));
                return index;
            }
            let on_course = fits(&limits, last.own, own, raw.at_ms - last.at_ms)
                && !self.over(last, own, raw.at_ms, closing);
            let soon =
                rises && members.len() == 1 && raw.at_ms - last.at_ms <= GAPS.measured_max_ms;
            let next = match on_course && soon {
                true => Next::Returned,
                false => self.next(&limits, readings, &members, garbled, raw, own, on_course),
            };
            match next {
                Next::Returned => {
                    self.range.append(&mut held);
                    let rule = FindingState::ByRule;
                    self.note_run(readings, &members, FindingKind::Glitch, rule);
                    return index;
                }
                Next::Explained(delta, kind) => {
                    self.range.append(&mut held);
                    self.follow(readings, &members, delta, kind);
                    return index;
                }
                Next::Extended => {
                    let highest = members.iter().map(|one| one.1).max().unwrap();
                    let own = if garbled { own } else { own.max(highest) };
                    members.push((index, own));
                }
                Next::Contradicted => {
                    garbled = true;
                    members.push((index, own));
                }
            }
        }
        self.range.append(&mut held);
        let mut open = members.len() > 1;
        let mut kind = if rises {
            FindingKind::Rise
        } else {
            FindingKind::Fall
        };
        let mut state = FindingState::Open;
        if let Some((at_ms, Link::Replaced { old_last, .. })) = closing {
            open = true;
            let raw = Raw {
                at_ms,
                value: old_last,
                manual: true,
            };
            if let Some(own) = self.own(raw, last.service).filter(|_| !over) {
                let on_course = fits(&limits, last.own, own, at_ms - last.at_ms);
                match self.next(&limits, readings, &members, garbled, raw, own, on_course) {
                    Next::Returned => {
                        (kind, state) = (FindingKind::Glitch, FindingState::ByRule);
                    }
                    Next::Explained(delta, kind) => {
                        self.follow(readings, &members, delta, kind);
                        return readings.len();
                    }
                    Next::Extended | Next::Contradicted => {}
                }
            }
        }
        if open {
            self.note_run(readings, &members, kind, state);
        }
        readings.len()
    }

    fn note_run(
        &mut self,
        readings: &[Raw],
        members: &[(usize, i64)],
        kind: FindingKind,
        state: FindingState,
    ) {
        let at = |member: &(usize, i64)| readings[member.0].at_ms;
        let (first, last) = (at(&members[0]), at(members.last().unwrap()));
        self.note(kind, first, last, members.len(), state);
    }

    #[allow(clippy::too_many_arguments)]
    fn next(
        &self,
        limits: &LimitsBase,
        readings: &[Raw],
        members: &[(usize, i64)],
        garbled: bool,
        raw: Raw,
        own: i64,
        on_course: bool,
    ) -> Next {
        let last = self.last.unwrap();
        let (first_index, first) = members[0];
        let (before_index, before) = *members.last().unwrap();
        let extends = fits(
            limits,
            before,
            own,
            raw.at_ms - readings[before_index].at_ms,
        );
        let rises = first >= last.own;
        let rated = limits.rise_max_base_per_h.is_some();
        let zeros = !rises && !garbled && before <= limits.resolution_base;
        let has_course = !garbled && (rises || members.len() > 1) && rated && !zeros;
        if on_course && !(extends && has_course) {
            return Next::Returned;
        }
        if !extends {
            return Next::Contradicted;
        }
        let began_at_zero = first <= limits.resolution_base;
        let rose = own > first + limits.resolution_base;
        if !rated || garbled || rises || (began_at_zero && !rose) {
            return Next::Extended;
        }
        let passed_ms = readings[first_index].at_ms - last.at_ms;
        let most = i128::from(limits.rise_max_base_per_h.unwrap()) * i128::from(passed_ms)
            / 3_600_000
            + i128::from(limits.resolution_base);
        if let Some(modulus) = limits.modulus_base.filter(|modulus| last.own <= *modulus) {
            let rise = i128::from(first + modulus - last.own);
            if 0 < rise && rise <= most {
                return Next::Explained(-modulus, FindingKind::Rollover);
            }
        }
        if began_at_zero {
            return Next::Explained(first - last.own, FindingKind::Reset);
        }
        Next::Extended
    }

    /// The run's readings count after all.
    fn follow(
        &mut self,
        readings: &[Raw],
        members: &[(usize, i64)],
        delta: i64,
        kind: FindingKind,
    ) {
        let at = |member: &(usize, i64)| readings[member.0];
        let (first, last) = (at(&members[0]), at(members.last().unwrap()));
        self.note(kind, first.at_ms, last.at_ms, 0, FindingState::ByRule);
        self.offset -= delta;
        let before = self.last.unwrap();
        self.last = Some(Last {
            own: before.own + delta,
            ..before
        });
        self.confirm(first, None, None);
        if members.len() > 1 {
            let gaps = members
                .windows(2)
                .map(|pair| at(&pair[1]).at_ms - at(&pair[0]).at_ms);
            let widest = gaps.max();
            self.confirm(last, widest, None);
        }
    }
}

enum Next {
    Returned,
    Explained(i64, FindingKind),
    Extended,
    Contradicted,
}
