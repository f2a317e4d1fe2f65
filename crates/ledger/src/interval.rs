//! Confirmed registers, in the order of their times, become the intervals of local days.
//!
//! An interval is the difference of the registers at its two boundaries. At the two ends of what is
//! known the register stands still: the interval of the first reading counts from that reading on,
//! the interval of the last one up to it. So the sum of all intervals is the last confirmed
//! register minus the first of every unbroken run, exactly, at every moment, and the interval that
//! is still running already shows what was measured.

use chrono_tz::Tz;
use steward_model::{IntervalAmount, IntervalQuality};

use crate::boundary::register_at;
use crate::classify::How;
use crate::day::{INTERVAL_MS, LocalDay};
use crate::register::Confirmed;
use crate::rules::Gaps;
use crate::shape::Walk;

/// Thousandths of a base unit in which integrals are held.
const MILLI: i64 = 1_000;

/// A day as the kernel leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledDay {
    /// Which.
    pub day: LocalDay,
    /// The last register up to the end of the day, the end included, in which no later reading had
    /// a say: from here the next day can be computed again alone. For an integrated series only
    /// its time tells something.
    pub carry: Confirmed,
    /// One entry an interval.
    pub intervals: Vec<Option<IntervalAmount>>,
}

impl SettledDay {
    /// Whether anything of it is known.
    pub fn is_present(&self) -> bool {
        self.intervals.iter().any(Option::is_some)
    }
}

/// The register where an interval begins to be known, at its boundary or at the first reading of
/// a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edge {
    at_ms: i64,
    register_base: i64,
    quality: IntervalQuality,
}

/// The day that is being filled.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OpenDay {
    day: LocalDay,
    /// Intervals that are complete.
    intervals: Vec<Option<IntervalAmount>>,
    /// Where the next interval begins; `None` while no reading followed it.
    edge: Option<Edge>,
    /// The integral at the first edge of the day: each day's integral begins at zero, so that a
    /// late reading moves no other day by a rest.
    zero: Option<i64>,
}

/// The state of a series after its latest confirmed register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayFold {
    zone: Tz,
    gaps: Gaps,
    integrated: bool,
    carry: Option<Confirmed>,
    last: Option<Confirmed>,
    broken: bool,
    open: Option<OpenDay>,
    /// The next boundary of the open day whose register is not known.
    boundary_ms: i64,
}

/// The stretch between two confirmed registers.
struct Stretch<'a> {
    before: Confirmed,
    after: Confirmed,
    quality: IntervalQuality,
    /// On a reading the register is as good as the reading.
    exact: Option<IntervalQuality>,
    walk: Option<&'a mut Walk>,
}

impl Stretch<'_> {
    fn edge(&mut self, at_ms: i64) -> Edge {
        let on_end = at_ms >= self.after.at_ms;
        let register_base = match &mut self.walk {
            Some(walk) if !on_end => self.before.register_base + walk.part(at_ms),
            _ => register_at(self.before, self.after, at_ms),
        };
        Edge {
            at_ms,
            register_base,
            quality: self.exact.filter(|_| on_end).unwrap_or(self.quality),
        }
    }
}

impl DayFold {
    /// A series of which nothing is known.
    pub const fn new(zone: Tz, gaps: Gaps, integrated: bool) -> Self {
        Self {
            zone,
            gaps,
            integrated,
            carry: None,
            last: None,
            broken: false,
            open: None,
            boundary_ms: i64::MAX,
        }
    }

    /// A series at the start of `day`; `carry` is what the day before it leaves.
    pub fn resume(mut self, day: LocalDay, carry: Confirmed) -> Self {
        debug_assert!(carry.at_ms <= day.start_ms);
        let mut open = OpenDay::new(day);
        if carry.at_ms == day.start_ms {
            let quality = self.on_reading(carry);
            open.begin(Edge::on(carry, quality));
        }
        self.boundary_ms = open.next_boundary_ms();
        self.carry = Some(carry);
        self.last = Some(carry);
        self.open = Some(open);
        self
    }

    /// The last confirmed register, in the frame of what follows.
    pub const fn last(&self) -> Option<Confirmed> {
        self.last
    }

    /// The day that is being filled.
    pub fn open_day(&self) -> Option<LocalDay> {
        self.open.as_ref().map(|open| open.day)
    }

    /// Whether a gap before `next` is one that is spread by load shape. A register that follows a
    /// break or nothing at all has no gap before it.
    pub(crate) fn gap_before(&self, next: Confirmed, how: How) -> Option<(Confirmed, Confirmed)> {
        let last = self.last.filter(|_| !self.broken && !self.integrated)?;
        let gap_ms = how.gap_ms.unwrap_or(next.at_ms - last.at_ms);
        (gap_ms > self.gaps.interpolated_max_ms && next.at_ms > last.at_ms).then_some((last, next))
    }

    /// Takes the next confirmed register and puts the days that it completes into `done`. A gap is
    /// spread by `walk`, or evenly.
    pub fn push(
        &mut self,
        next: Confirmed,
        how: How,
        walk: Option<&mut Walk>,
        done: &mut Vec<SettledDay>,
    ) {
        if next.at_ms >= self.boundary_ms || self.broken || self.open.is_none() {
            self.advance(next, how, walk, done);
        }
        self.last = Some(next);
        if how.settled {
            self.carry = Some(next);
        }
    }

    /// The registers so far lie `delta_base` higher in the frame of what follows.
    pub fn rebase(&mut self, delta_base: i64) {
        if let Some(last) = &mut self.last {
            last.register_base += delta_base;
        }
        if let Some(open) = &mut self.open {
            open.rebase(delta_base);
        }
    }

    /// What lies between the last register and the next is not known.
    pub const fn break_off(&mut self) {
        self.broken = self.last.is_some();
    }

    /// Another register goes on at the instant of the last one, which no reading comes between.
    pub fn link(&mut self, opening: Confirmed, done: &mut [SettledDay]) {
        let Some(closing) = self.last else {
            return;
        };
        self.rebase(opening.register_base - closing.register_base);
        self.last = Some(opening);
        self.carry = Some(opening);
        if let Some(day) = done.last_mut()
            && day.carry.at_ms == opening.at_ms
        {
            day.carry = opening;
        }
    }

    /// The day in progress as it stands now; `None` while nothing of it is known.
    pub fn running(&self) -> Option<SettledDay> {
        let (last, carry, open) = (self.last?, self.carry?, self.open.as_ref()?);
        let mut open = open.clone();
        if let Some(interval) = self.partial(&open, last) {
            open.intervals.push(Some(interval));
        }
        let settled = self.settled(open, carry);
        settled.is_present().then_some(settled)
    }

    /// The interval of the last register as far as it is known.
    fn partial(&self, open: &OpenDay, last: Confirmed) -> Option<IntervalAmount> {
        let edge = open.edge.filter(|edge| edge.at_ms < last.at_ms)?;
        let quality = self.on_reading(last);
        Some(open.amount(edge, Edge::on(last, quality), self.integrated))
    }

    fn advance(
        &mut self,
        next: Confirmed,
        how: How,
        walk: Option<&mut Walk>,
        done: &mut Vec<SettledDay>,
    ) {
        let exact = how.exact.then(|| self.on_reading(next));
        let (Some(last), Some(_)) = (self.last, &self.open) else {
            let quality = exact.unwrap_or(IntervalQuality::Measured);
            let open = OpenDay::first(LocalDay::at(self.zone, next.at_ms), next, quality);
            self.boundary_ms = open.next_boundary_ms();
            self.open = Some(open);
            self.broken = false;
            return;
        };
        if std::mem::take(&mut self.broken) {
            return self.restart(last, next, how, done);
        }
        let gap_ms = how.gap_ms.unwrap_or(next.at_ms - last.at_ms);
        let quality = if self.integrated {
            IntervalQuality::Integrated
        } else if last.manual || next.manual {
            IntervalQuality::Manual
        } else if walk.is_some() {
            IntervalQuality::Shaped
        } else {
            self.gaps.quality(gap_ms)
        };
        let mut stretch = Stretch {
            before: last,
            after: next,
            quality,
            exact,
            walk,
        };
        while next.at_ms >= self.boundary_ms {
            let edge = stretch.edge(self.boundary_ms);
            let integrated = self.integrated;
            if let Some(open) = &mut self.open {
                open.cross(edge, integrated);
            }
            self.turn(next, how, done);
        }
    }

    /// Goes on to the next boundary, into the next day where this one is complete.
    fn turn(&mut self, next: Confirmed, how: How, done: &mut Vec<SettledDay>) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        if open.intervals.len() == open.day.intervals() {
            let on_end = next.at_ms == open.day.end_ms && how.settled;
            let following = open.following(self.zone);
            let carry = if on_end { Some(next) } else { self.carry };
            if let Some(carry) = carry {
                done.push(self.settled(open, carry));
            }
            open = following;
        }
        self.boundary_ms = open.next_boundary_ms();
        self.open = Some(open);
    }

    /// A register that begins another run: what lies between is missing.
    fn restart(&mut self, last: Confirmed, next: Confirmed, how: How, done: &mut Vec<SettledDay>) {
        let begin = Edge::on(next, self.on_reading(next));
        let mut known = self.open.as_ref().and_then(|open| self.partial(open, last));
        if next.at_ms < self.boundary_ms {
            return self.restart_within(last, begin, known);
        }
        while let Some(open) = &mut self.open {
            let passed_ms = next.at_ms.min(open.day.end_ms) - open.day.start_ms;
            let passed = usize::try_from(passed_ms / INTERVAL_MS).unwrap_or(0);
            let index = if next.at_ms >= open.day.end_ms {
                open.day.intervals()
            } else {
                passed
            };
            if open.edge.take().is_some() {
                open.intervals.push(known.take());
            }
            open.intervals.resize(index, None);
            if next.at_ms < open.day.end_ms {
                break;
            }
            self.turn(next, how, done);
        }
        if let Some(open) = &mut self.open {
            open.begin(begin);
            self.boundary_ms = open.next_boundary_ms();
        }
    }

    /// The interval of the last register holds the next one too: what is known of both.
    fn restart_within(&mut self, last: Confirmed, begin: Edge, known: Option<IntervalAmount>) {
        let Some(open) = &mut self.open else {
            return;
        };
        match (open.edge, known) {
            (Some(edge), Some(known)) => {
                open.rebase(begin.register_base - last.register_base);
                open.edge = open.edge.map(|moved| Edge {
                    at_ms: edge.at_ms,
                    quality: known.quality.worse(begin.quality),
                    ..moved
                });
            }
            (Some(_), None) => open.edge = Some(begin),
            (None, _) => {}
        }
    }

    const fn on_reading(&self, reading: Confirmed) -> IntervalQuality {
        if self.integrated {
            IntervalQuality::Integrated
        } else if reading.manual {
            IntervalQuality::Manual
        } else {
            IntervalQuality::Measured
        }
    }

    fn settled(&self, mut open: OpenDay, mut carry: Confirmed) -> SettledDay {
        open.intervals.resize(open.day.intervals(), None);
        if self.integrated {
            carry.register_base = 0;
        }
        SettledDay {
            day: open.day,
            carry,
            intervals: open.intervals,
        }
    }
}

impl Edge {
    /// Where a reading stands.
    const fn on(reading: Confirmed, quality: IntervalQuality) -> Self {
        Self {
            at_ms: reading.at_ms,
            register_base: reading.register_base,
            quality,
        }
    }
}

impl OpenDay {
    const fn new(day: LocalDay) -> Self {
        Self {
            day,
            intervals: Vec::new(),
            edge: None,
            zero: None,
        }
    }

    /// The day of a series' first reading: what was before it is missing.
    fn first(day: LocalDay, reading: Confirmed, quality: IntervalQuality) -> Self {
        let index = (reading.at_ms - day.start_ms).div_euclid(INTERVAL_MS);
        let missing = usize::try_from(index).expect("the reading lies in its day");
        let mut open = Self {
            intervals: vec![None; missing],
            ..Self::new(day)
        };
        open.begin(Edge::on(reading, quality));
        open
    }

    fn begin(&mut self, edge: Edge) {
        self.edge = Some(edge);
        self.zero = self.zero.or(Some(edge.register_base));
    }

    /// The next boundary whose register is not known yet.
    fn next_boundary_ms(&self) -> i64 {
        let index = self.intervals.len() + usize::from(self.edge.is_some());
        self.day.boundary_ms(index)
    }

    /// Crosses the next boundary.
    fn cross(&mut self, edge: Edge, integrated: bool) {
        let start = self.edge;
        self.begin(edge);
        if let Some(start) = start {
            let amount = self.amount(start, edge, integrated);
            self.intervals.push(Some(amount));
        }
    }

    fn amount(&self, start: Edge, end: Edge, integrated: bool) -> IntervalAmount {
        let zero = self.zero.unwrap_or(start.register_base);
        let amount_base = if integrated {
            (end.register_base - zero).div_euclid(MILLI)
                - (start.register_base - zero).div_euclid(MILLI)
        } else {
            end.register_base - start.register_base
        };
        IntervalAmount {
            amount_base,
            quality: start.quality.worse(end.quality),
        }
    }

    fn rebase(&mut self, delta_base: i64) {
        if let Some(edge) = &mut self.edge {
            edge.register_base += delta_base;
        }
        if let Some(zero) = &mut self.zero {
            *zero += delta_base;
        }
    }

    /// The day after this complete one; it begins at the register at which this one ends.
    fn following(&self, zone: Tz) -> Self {
        let mut open = Self {
            intervals: Vec::with_capacity(96),
            ..Self::new(self.day.next(zone))
        };
        if let Some(edge) = self.edge {
            open.begin(edge);
        }
        open
    }
}
