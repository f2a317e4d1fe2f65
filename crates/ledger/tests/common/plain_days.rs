//! Every interval of the plain walk by itself, by its definition.

use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::{Days, NaiveDate, Timelike};
use steward_config::DayKind;
use steward_ledger::{Chain, LocalDay, SettledDay};
use steward_model::{FillRule, IntervalAmount, IntervalQuality, UtcMs};

use super::plain::{Mark, Note, Plain, Shape};
use super::{GAPS, Model, SHAPE, rules};

impl Plain {
    /// Every interval by itself, day by day, because a day's shape rests on days before it.
    pub fn make_days(&mut self, chain: &Chain) {
        let zone = chain.zone;
        let marks = || self.runs.iter().flatten();
        let (Some(first), Some(last)) = (
            marks().map(|mark| mark.at_ms).min(),
            marks().map(|mark| mark.at_ms).max(),
        ) else {
            return;
        };
        let mut date = LocalDay::at(zone, first).date;
        while date <= LocalDay::at(zone, last).date {
            let day = LocalDay::of(zone, date);
            let mut intervals = Vec::new();
            let mut from_ms = day.start_ms;
            while from_ms < day.end_ms {
                let to_ms = (from_ms + 900_000).min(day.end_ms);
                let mut interval: Option<IntervalAmount> = None;
                for run in &self.runs {
                    if let Some(part) = self.part(chain, run, from_ms, to_ms) {
                        interval = Some(interval.map_or(part, |one| IntervalAmount {
                            amount_base: one.amount_base + part.amount_base,
                            quality: one.quality.worse(part.quality),
                        }));
                    } else if let (Some(one), Some(first)) = (&mut interval, run.first())
                        && from_ms < first.at_ms
                        && first.at_ms < to_ms
                    {
                        // A run that only begins here has no amount yet, but its reading counts.
                        one.quality = one.quality.worse(on_reading(first));
                    }
                }
                intervals.push(interval);
                from_ms = to_ms;
            }
            if intervals.iter().any(Option::is_some) {
                self.days.insert(date, intervals);
            }
            date = date.succ_opt().unwrap();
        }
        let mut fills = Vec::new();
        for pair in self.runs.iter().flat_map(|run| run.windows(2)) {
            let gap = pair[1].gap_ms.unwrap_or(pair[1].at_ms - pair[0].at_ms);
            if gap > GAPS.interpolated_max_ms && pair[0].at_ms < pair[1].at_ms {
                let rise = pair[1].total - pair[0].total;
                let (_, rule) = self.shape(chain, pair[0], pair[1]);
                fills.push((pair[0].at_ms, pair[1].at_ms, rise, rule));
            }
        }
        self.fills = fills;
    }

    fn part(
        &self,
        chain: &Chain,
        run: &[Mark],
        from_ms: i64,
        to_ms: i64,
    ) -> Option<IntervalAmount> {
        let (first, last) = (run.first()?, run.last()?);
        if to_ms.min(last.at_ms) <= from_ms.max(first.at_ms) {
            return None;
        }
        let (from_base, from_quality) = self.register(chain, run, from_ms.max(first.at_ms), false);
        let (to_base, to_quality) = self.register(chain, run, to_ms.min(last.at_ms), true);
        Some(IntervalAmount {
            amount_base: to_base - from_base,
            quality: from_quality.worse(to_quality),
        })
    }

    /// The register at a time within a run, and how it is known.
    fn register(
        &self,
        chain: &Chain,
        run: &[Mark],
        at_ms: i64,
        _is_end: bool,
    ) -> (i64, IntervalQuality) {
        let index = run.partition_point(|mark| mark.at_ms < at_ms);
        let after = run[index];
        let is_last_of_run = index + 1 == run.len();
        if after.at_ms == at_ms && (after.exact || index == 0 || is_last_of_run) {
            return (after.total, on_reading(&after));
        }
        let before = run[index - 1];
        let gap_ms = after.gap_ms.unwrap_or(after.at_ms - before.at_ms);
        let rise = i128::from(after.total - before.total);
        let mut quality = GAPS.quality(gap_ms);
        let mut part = rise * i128::from(at_ms - before.at_ms)
            / i128::from((after.at_ms - before.at_ms).max(1));
        if gap_ms > GAPS.interpolated_max_ms
            && let (Some(weights), _) = self.shape(chain, before, after)
        {
            let passed: i128 = weights.iter().map(|one| one.until(at_ms)).sum();
            let whole: i128 = weights.iter().map(|one| one.until(after.at_ms)).sum();
            part = rise * passed / whole;
            quality = IntervalQuality::Shaped;
        }
        if after.at_ms == at_ms {
            part = rise;
        }
        if before.manual || after.manual {
            quality = IntervalQuality::Manual;
        }
        (before.total + i64::try_from(part).unwrap(), quality)
    }

    /// The weights of the quarters from one mark to another; looked up once, for speed alone.
    fn shape(&self, chain: &Chain, before: Mark, after: Mark) -> Shape {
        let key = (before.at_ms, after.at_ms);
        if let Some(known) = self.shapes.borrow().get(&key) {
            return known.clone();
        }
        let (weights, rule) = self.find_shape(chain, before, after);
        let shape = (weights.map(Rc::new), rule);
        self.shapes.borrow_mut().insert(key, shape.clone());
        shape
    }

    fn find_shape(
        &self,
        chain: &Chain,
        before: Mark,
        after: Mark,
    ) -> (Option<Vec<Weight>>, FillRule) {
        let (zone, rules) = (chain.zone, rules());
        let works = |date| rules.calendar.kind(date) == DayKind::Workday;
        let quarter = |at_ms: i64| {
            let time = UtcMs(at_ms).to_datetime().with_timezone(&zone);
            time.num_seconds_from_midnight() / 900
        };
        let first = LocalDay::at(zone, before.at_ms).date;
        let basis_from = first - Days::new(SHAPE.days.into());
        let mut basis: Vec<(NaiveDate, BTreeMap<u32, i64>)> = Vec::new();
        for (date, intervals) in self.days.range(basis_from..first) {
            let day = LocalDay::of(zone, *date);
            let measured: BTreeMap<u32, i64> = (0_i64..)
                .zip(intervals)
                .filter_map(|(index, one)| Some((index, (*one)?)))
                .filter(|(_, one)| one.quality == IntervalQuality::Measured)
                .map(|(index, one)| (quarter(day.start_ms + index * 900_000), one.amount_base))
                .collect();
            let count = intervals.iter().flatten();
            let count = count
                .filter(|one| one.quality == IntervalQuality::Measured)
                .count();
            if count > 0 && 2 * count >= intervals.len() {
                basis.push((*date, measured));
            }
        }
        let (mut fewest, mut complete, mut by_temperature) = (usize::MAX, true, false);
        let mut weights = Vec::new();
        let mut day = LocalDay::at(zone, before.at_ms);
        while day.start_ms < after.at_ms {
            let alike: Vec<_> = basis
                .iter()
                .filter(|one| works(one.0) == works(day.date))
                .collect();
            let mut chosen = alike.clone();
            if let Some(mean) = rules.weather.mean_on(day.date) {
                chosen.retain(|one| {
                    let of_day = rules.weather.mean_on(one.0);
                    of_day.is_some_and(|of_day| (of_day - mean).abs() <= SHAPE.band_k)
                });
                if chosen.len() >= SHAPE.days_min.into() {
                    by_temperature = true;
                } else {
                    chosen = alike;
                }
            }
            fewest = fewest.min(chosen.len());
            complete &= chosen.len() >= SHAPE.days_min.into();
            let mut means = [None; 96];
            for (of_quarter, mean) in means.iter_mut().enumerate() {
                let of_quarter = of_quarter as u32;
                let amounts: Vec<i64> = chosen
                    .iter()
                    .filter_map(|one| one.1.get(&of_quarter).copied())
                    .collect();
                let sum: i128 = amounts.iter().map(|one| i128::from(*one)).sum();
                *mean = (!amounts.is_empty()).then(|| sum * 1_000 / amounts.len() as i128);
            }
            complete &= means.iter().all(Option::is_some);
            let mut from_ms = day.start_ms;
            while from_ms < day.end_ms {
                let to_ms = (from_ms + 900_000).min(day.end_ms);
                let of_quarter = quarter(from_ms) as usize;
                weights.push(Weight {
                    from_ms: from_ms.max(before.at_ms),
                    to_ms: to_ms.min(after.at_ms),
                    weight: means[of_quarter].unwrap_or(0),
                    heaviest: means.iter().flatten().copied().max().unwrap_or(0),
                });
                from_ms = to_ms;
            }
            day = day.next(zone);
        }
        let days = u16::try_from(fewest).unwrap();
        // Heavy weights are all divided by the same, so that products stay within bounds.
        let heaviest = weights.iter().map(|one| one.heaviest).max().unwrap_or(0);
        for one in &mut weights {
            one.weight /= heaviest / i128::from(i32::MAX) + 1;
        }
        let whole: i128 = weights.iter().map(|one| one.until(after.at_ms)).sum();
        if !complete || whole == 0 {
            return (None, FillRule::Even { days_found: days });
        }
        let rule = FillRule::Shape {
            basis_from,
            basis_to: first,
            days,
            by_temperature,
        };
        (Some(weights), rule)
    }
}

pub struct Weight {
    from_ms: i64,
    to_ms: i64,
    weight: i128,
    heaviest: i128,
}

impl Weight {
    fn until(&self, at_ms: i64) -> i128 {
        self.weight * i128::from((at_ms.min(self.to_ms) - self.from_ms).max(0))
    }
}

/// What a model holds, in the words of the walk.
pub fn notes(model: &Model) -> Vec<Note> {
    let mut notes: Vec<Note> = model
        .findings
        .values()
        .map(|one| (one.kind, one.at.0, one.until.0, one.held_out, one.state))
        .collect();
    notes.sort_by_key(|note| (note.1, note.2));
    notes
}

pub fn fills(model: &Model) -> Vec<(i64, i64, i64, FillRule)> {
    model
        .fills
        .values()
        .map(|one| (one.from.0, one.to.0, one.amount_base, one.rule.clone()))
        .collect()
}

pub fn intervals(model: &Model) -> BTreeMap<NaiveDate, Vec<Option<IntervalAmount>>> {
    let of_day = |(date, day): (&NaiveDate, &SettledDay)| (*date, day.intervals.clone());
    model.days.iter().map(of_day).collect()
}

/// What the runs of the walk add up to.
pub fn rises(plain: &Plain) -> i64 {
    let ends = |run: &Vec<Mark>| Some(run.last()?.total - run.first()?.total);
    plain.runs.iter().filter_map(ends).sum()
}

fn on_reading(mark: &Mark) -> IntervalQuality {
    match mark.manual {
        true => IntervalQuality::Manual,
        false => IntervalQuality::Measured,
    }
}
