//! Confirmed registers, in the order of their times, become the intervals of local days.
//!
//! An interval is the difference of the registers at its two boundaries. At the two ends of a
//! meter's series the register stands still: the interval of the first reading counts from that
//! reading on, the interval of the last one up to it. So the sum of all intervals is the last
//! confirmed register minus the first, exactly, at every moment, and the interval that is still
//! running already shows what was measured.

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_model::time::{INTERVAL_S, day_start_s, local_date, next_period_date};
use steward_model::{IntervalAmount, IntervalQuality, Span};

use super::boundary::register_at;
use super::register::Confirmed;

/// Length of an interval in milliseconds.
const INTERVAL_MS: i64 = INTERVAL_S * 1_000;

/// How far apart the readings around a boundary may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gaps {
    /// Up to here the interval is measured.
    pub measured_max_ms: i64,
    /// Up to here it is interpolated; beyond, estimated.
    pub interpolated_max_ms: i64,
}

impl Gaps {
    /// The quality of an interval whose wider boundary gap is `gap_ms`.
    pub const fn quality(self, gap_ms: i64) -> IntervalQuality {
        if gap_ms <= self.measured_max_ms {
            IntervalQuality::Measured
        } else if gap_ms <= self.interpolated_max_ms {
            IntervalQuality::Interpolated
        } else {
            IntervalQuality::Estimated
        }
    }
}

/// A local day and where it begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalDay {
    /// The local date.
    pub date: NaiveDate,
    /// First millisecond.
    pub start_ms: i64,
    /// First millisecond of the next day.
    pub end_ms: i64,
}

impl LocalDay {
    /// The day called `date`.
    pub fn of(zone: Tz, date: NaiveDate) -> Self {
        Self {
            date,
            start_ms: day_start_s(zone, date) * 1_000,
            end_ms: day_start_s(zone, next_period_date(Span::Day, date)) * 1_000,
        }
    }

    /// The day that contains `at_ms`.
    pub fn at(zone: Tz, at_ms: i64) -> Self {
        Self::of(zone, local_date(zone, at_ms.div_euclid(1_000)))
    }

    /// The day after. Dates that a zone skipped, as Samoa did when it crossed the date line, have
    /// no length and are no days.
    pub fn next(self, zone: Tz) -> Self {
        let mut day = self;
        loop {
            day = Self::of(zone, next_period_date(Span::Day, day.date));
            if day.end_ms > day.start_ms || day.date == NaiveDate::MAX {
                return day;
            }
        }
    }

    /// How many intervals it has: 96, or 92 and 100 where clocks change.
    pub fn intervals(self) -> usize {
        let count = (self.end_ms - self.start_ms + INTERVAL_MS - 1) / INTERVAL_MS;
        usize::try_from(count).expect("a day ends after it begins")
    }

    /// Boundary `index` of the day, from 0 (its start) to [`Self::intervals`] (its end).
    fn boundary_ms(self, index: usize) -> i64 {
        let index = i64::try_from(index).expect("a day has some hundred intervals at most");
        (self.start_ms + index * INTERVAL_MS).min(self.end_ms)
    }
}

/// A day as the kernel leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledDay {
    /// Which.
    pub day: LocalDay,
    /// The last confirmed register up to the end of the day, the end included: what the next day
    /// starts with, so that it can be computed again alone.
    pub carry: Confirmed,
    /// One entry an interval; at least one is present.
    pub intervals: Vec<Option<IntervalAmount>>,
}

/// The register where an interval begins to be known, at its boundary or at the first reading of
/// the series, and how far apart the readings around that moment stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edge {
    at_ms: i64,
    register_base: i64,
    gap_ms: i64,
}

/// The day that is being filled.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OpenDay {
    day: LocalDay,
    /// Intervals that are complete.
    intervals: Vec<Option<IntervalAmount>>,
    /// Where the next interval begins; `None` while no reading followed it.
    edge: Option<Edge>,
}

/// The state of one meter's series after its latest confirmed reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayFold {
    zone: Tz,
    gaps: Gaps,
    last: Option<Confirmed>,
    open: Option<OpenDay>,
}

impl DayFold {
    /// A series of which nothing is known.
    pub const fn new(zone: Tz, gaps: Gaps) -> Self {
        Self {
            zone,
            gaps,
            last: None,
            open: None,
        }
    }

    /// A series at the start of `day`; `carry` is the last confirmed reading up to that moment.
    pub fn resume(zone: Tz, gaps: Gaps, day: LocalDay, carry: Option<Confirmed>) -> Self {
        let mut fold = Self::new(zone, gaps);
        if let Some(carry) = carry {
            debug_assert!(carry.at_ms <= day.start_ms);
            let mut open = OpenDay::new(day);
            open.edge = (carry.at_ms == day.start_ms).then_some(Edge::on(carry));
            fold.last = Some(carry);
            fold.open = Some(open);
        }
        fold
    }

    /// The last confirmed reading.
    pub const fn last(&self) -> Option<Confirmed> {
        self.last
    }

    /// The day that is being filled.
    pub fn open_day(&self) -> Option<LocalDay> {
        self.open.as_ref().map(|open| open.day)
    }

    /// Takes the next confirmed reading and puts the days that it completes into `done`.
    pub fn push(&mut self, next: Confirmed, done: &mut Vec<SettledDay>) {
        match (self.last, self.open.as_mut()) {
            (Some(last), Some(open)) => {
                debug_assert!(last.at_ms < next.at_ms && last.register_base <= next.register_base);
                while open.next_boundary_ms() <= next.at_ms {
                    open.cross(last, next, self.gaps);
                    if open.is_complete() {
                        let on_end = next.at_ms == open.day.end_ms;
                        let following = open.following(self.zone);
                        let complete = std::mem::replace(open, following);
                        done.push(complete.settled(if on_end { next } else { last }));
                    }
                }
            }
            _ => self.open = Some(OpenDay::first(LocalDay::at(self.zone, next.at_ms), next)),
        }
        self.last = Some(next);
    }

    /// The day in progress as it stands now; `None` while nothing of it is known.
    pub fn running(&self) -> Option<SettledDay> {
        let (last, open) = (self.last?, self.open.as_ref()?);
        let mut open = open.clone();
        if let Some(edge) = open.edge
            && last.at_ms > edge.at_ms
        {
            open.intervals.push(Some(IntervalAmount {
                amount_base: last.register_base - edge.register_base,
                quality: self.gaps.quality(edge.gap_ms),
            }));
        }
        open.intervals
            .iter()
            .any(Option::is_some)
            .then(|| open.settled(last))
    }
}

impl Edge {
    /// Where a reading stands.
    const fn on(reading: Confirmed) -> Self {
        Self {
            at_ms: reading.at_ms,
            register_base: reading.register_base,
            gap_ms: 0,
        }
    }
}

impl OpenDay {
    const fn new(day: LocalDay) -> Self {
        Self {
            day,
            intervals: Vec::new(),
            edge: None,
        }
    }

    /// The day of a series' first reading: what was before it is missing.
    fn first(day: LocalDay, reading: Confirmed) -> Self {
        let index = (reading.at_ms - day.start_ms).div_euclid(INTERVAL_MS);
        let missing = usize::try_from(index).expect("the reading lies in its day");
        Self {
            intervals: vec![None; missing],
            edge: Some(Edge::on(reading)),
            ..Self::new(day)
        }
    }

    /// The next boundary whose register is not known yet.
    fn next_boundary_ms(&self) -> i64 {
        let index = self.intervals.len() + usize::from(self.edge.is_some());
        self.day.boundary_ms(index)
    }

    /// Crosses the next boundary, which lies after `before` and not after `after`.
    fn cross(&mut self, before: Confirmed, after: Confirmed, gaps: Gaps) {
        let boundary_ms = self.next_boundary_ms();
        let edge = Edge {
            at_ms: boundary_ms,
            register_base: register_at(before, after, boundary_ms),
            gap_ms: if boundary_ms == after.at_ms {
                0
            } else {
                after.at_ms - before.at_ms
            },
        };
        if let Some(start) = self.edge.replace(edge) {
            self.intervals.push(Some(IntervalAmount {
                amount_base: edge.register_base - start.register_base,
                quality: gaps.quality(start.gap_ms.max(edge.gap_ms)),
            }));
        }
    }

    fn is_complete(&self) -> bool {
        self.intervals.len() == self.day.intervals()
    }

    /// The day after this complete one; it begins at the register at which this one ends.
    fn following(&self, zone: Tz) -> Self {
        Self {
            intervals: Vec::with_capacity(96),
            edge: self.edge,
            ..Self::new(self.day.next(zone))
        }
    }

    fn settled(mut self, carry: Confirmed) -> SettledDay {
        self.intervals.resize(self.day.intervals(), None);
        SettledDay {
            day: self.day,
            carry,
            intervals: self.intervals,
        }
    }
}
