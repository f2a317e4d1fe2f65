//! The register of every meter at every instant, as a pure function of seed and first day.

use std::sync::Mutex;

use chrono::{DateTime, Days, NaiveDate};

use crate::load::{QUARTERS, Weather};
use crate::noise;
use crate::site::{SimMeter, Site};
use crate::story::Story;

const QUARTER_MS: i64 = 900_000;
const DAY_MS: i64 = 86_400_000;
/// Asia/Shanghai: eight hours ahead of UTC, without clock changes since 1991.
pub(crate) const ZONE_MS: i64 = 8 * 3_600_000;

/// A simulated site and its past.
pub struct World {
    seed: u64,
    start: NaiveDate,
    site: Site,
    story: Story,
    /// Per meter: the register at the beginning of day n; grows as days are asked for.
    days: Vec<Mutex<Vec<i64>>>,
}

impl World {
    /// A world in which meters begin to count on `start`.
    pub fn new(seed: u64, start: NaiveDate, site: Site) -> Self {
        let first = |number: usize| {
            // Meters are not new: a register is somewhere in its first years.
            let place = [u64::try_from(number).unwrap_or_default(), 77, 0];
            let used = (noise::unit(seed, place) * 3.0e7).floor();
            Mutex::new(vec![truncate(used) * 10])
        };
        let days = (0..site.meters.len()).map(first).collect();
        Self {
            seed,
            start,
            site,
            story: Story::default(),
            days,
        }
    }

    /// Lets something happen to the meters.
    #[must_use]
    pub fn with_story(mut self, story: Story) -> Self {
        self.story = story;
        self
    }

    /// What happens to the meters.
    pub fn story(&self) -> &Story {
        &self.story
    }

    /// What a meter's register shows, in base units: the world's register, unless a device was
    /// exchanged or its digits ran out.
    pub fn shown(&self, number: usize, at_ms: i64) -> i64 {
        let register = self.register(number, at_ms);
        match self.site.meters.get(number) {
            Some(meter) => {
                let at_exchange = |at_ms| self.register(number, at_ms);
                self.story.shown(&meter.id, at_ms, register, at_exchange)
            }
            None => register,
        }
    }

    /// What the world is made of.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The meters; their position is their number.
    pub fn meters(&self) -> &[SimMeter] {
        &self.site.meters
    }

    /// The instant at which the first day begins, in milliseconds.
    pub fn start_ms(&self) -> i64 {
        self.start
            .and_time(chrono::NaiveTime::MIN)
            .and_utc()
            .timestamp_millis()
            - ZONE_MS
    }

    /// The register of a meter in base units. Before the first day it stands still.
    pub fn register(&self, number: usize, at_ms: i64) -> i64 {
        let since = (at_ms - self.start_ms()).max(0);
        let day = since.div_euclid(DAY_MS);
        let within = since.rem_euclid(DAY_MS);
        let full = within.div_euclid(QUARTER_MS);
        let quarters = self.quarters(number, day);
        let whole: i64 = quarters
            .iter()
            .take(usize::try_from(full).unwrap_or(0))
            .copied()
            .sum();
        let running = usize::try_from(full)
            .ok()
            .and_then(|q| quarters.get(q))
            .copied();
        let part = running.unwrap_or(0) * within.rem_euclid(QUARTER_MS) / QUARTER_MS;
        self.day_register(number, day) + whole + part
    }

    /// The rate of a meter in base units per hour: power in W, flow in L/h.
    pub fn rate_per_hour(&self, number: usize, at_ms: i64) -> f64 {
        let since = (at_ms - self.start_ms()).max(0);
        let quarters = self.quarters(number, since.div_euclid(DAY_MS));
        let index = usize::try_from(since.rem_euclid(DAY_MS) / QUARTER_MS).unwrap_or(0);
        let drawn = quarters.get(index).copied().unwrap_or(0);
        let second = u64::try_from(at_ms.div_euclid(1_000)).unwrap_or(0);
        let place = [u64::try_from(number).unwrap_or(0), second, 5];
        approximate(drawn) * 4.0 * (0.97 + 0.06 * noise::unit(self.seed, place))
    }

    /// What a meter showed at every quarter of an hour in `from_ms..to_ms`, and at the moment of an
    /// exchange, oldest first. With `late` only what its gateway kept for later, otherwise the rest.
    pub fn readings(&self, number: usize, from_ms: i64, to_ms: i64, late: bool) -> Vec<(i64, i64)> {
        let Some(meter) = self.site.meters.get(number) else {
            return Vec::new();
        };
        let mut history = self.history(number, from_ms, to_ms);
        for at_ms in self.story.extra_instants(&meter.id) {
            if (from_ms..to_ms).contains(&at_ms)
                && let Err(place) = history.binary_search_by_key(&at_ms, |(at, _)| *at)
            {
                history.insert(place, (at_ms, self.register(number, at_ms)));
            }
        }
        history
            .into_iter()
            .filter(|(at_ms, _)| self.story.is_withheld(&meter.gateway, *at_ms) == late)
            .map(|(at_ms, register)| {
                let at_exchange = |at_ms| self.register(number, at_ms);
                (
                    at_ms,
                    self.story.shown(&meter.id, at_ms, register, at_exchange),
                )
            })
            .collect()
    }

    /// The world's registers at every quarter of an hour in `from_ms..to_ms`, oldest first.
    pub fn history(&self, number: usize, from_ms: i64, to_ms: i64) -> Vec<(i64, i64)> {
        let first = from_ms.max(self.start_ms());
        let mut at = first + (-first).rem_euclid(QUARTER_MS);
        let mut readings = Vec::new();
        while at < to_ms {
            let day = (at - self.start_ms()).div_euclid(DAY_MS);
            let day_start = self.start_ms() + day * DAY_MS;
            let mut register = self.day_register(number, day);
            for (quarter, drawn) in self.quarters(number, day).into_iter().enumerate() {
                let start = day_start + QUARTER_MS * i64::try_from(quarter).unwrap_or(0);
                if start >= at && start < to_ms {
                    readings.push((start, register));
                }
                register += drawn;
            }
            at = day_start + DAY_MS;
        }
        readings
    }

    fn quarters(&self, number: usize, day: i64) -> Vec<i64> {
        let Some(meter) = self.site.meters.get(number) else {
            return Vec::new();
        };
        let Some(date) = u64::try_from(day)
            .ok()
            .and_then(|day| self.start.checked_add_days(Days::new(day)))
        else {
            return Vec::new();
        };
        let weather = Weather::on(self.seed, date);
        let day_number = u64::try_from(day).unwrap_or(0);
        (0..QUARTERS)
            .map(|quarter| {
                // A building shares its jitter, so a parent never shows less than its children.
                let place = [meter.family, day_number, u64::from(quarter)];
                let jitter = noise::unit(self.seed, place);
                truncate(
                    meter
                        .load
                        .quarter(meter.usage, &weather, quarter, jitter)
                        .round(),
                )
            })
            .collect()
    }

    fn day_register(&self, number: usize, day: i64) -> i64 {
        let (Some(days), Ok(day)) = (self.days.get(number), usize::try_from(day)) else {
            return 0;
        };
        let mut days = days
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        while days.len() <= day {
            let known = days.len() - 1;
            let drawn: i64 = self
                .quarters(number, i64::try_from(known).unwrap_or(0))
                .iter()
                .sum();
            let last = days.last().copied().unwrap_or(0);
            days.push(last + drawn);
        }
        days.get(day).copied().unwrap_or(0)
    }
}

/// The local date of an instant in the simulated zone.
pub fn local_date(at_ms: i64) -> NaiveDate {
    DateTime::from_timestamp_millis(at_ms + ZONE_MS)
        .unwrap_or_default()
        .date_naive()
}

/// Whole numbers of the simulator stay far below 2^53, so the conversions are exact.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounded and far below 2^53"
)]
pub(crate) fn truncate(number: f64) -> i64 {
    number as i64
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
pub(crate) fn approximate(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        let start = NaiveDate::from_ymd_opt(2026, 9, 1).expect("a date");
        World::new(42, start, Site::demo())
    }

    #[test]
    fn registers_rise_and_history_agrees_with_any_instant() {
        let world = world();
        let start = world.start_ms();
        for number in 0..world.meters().len() {
            let history = world.history(number, start, start + 3 * DAY_MS);
            assert_eq!(history.len(), 288);
            assert!(history.windows(2).all(|pair| pair[0].1 <= pair[1].1));
            for &(at, register) in history.iter().step_by(37) {
                assert_eq!(
                    world.register(number, at),
                    register,
                    "meter {number} at {at}"
                );
            }
        }
    }

    #[test]
    fn a_total_is_at_least_the_sum_of_its_children() {
        let world = world();
        let (from, to) = (world.start_ms(), world.start_ms() + 2 * DAY_MS);
        let drawn = |number| world.register(number, to) - world.register(number, from);
        let mut parents = 0;
        for (number, meter) in world.meters().iter().enumerate() {
            let children: Vec<usize> = (0..world.meters().len())
                .filter(|&child| world.meters()[child].parent.as_ref() == Some(&meter.point))
                .collect();
            if !children.is_empty() {
                parents += 1;
                let below: i64 = children.into_iter().map(drawn).sum();
                assert!(drawn(number) >= below, "{} {below}", drawn(number));
            }
        }
        assert!(parents >= 10);
    }
}
