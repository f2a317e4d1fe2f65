//! Sums of ledger rows over points and time.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_config::{Config, Dated, Formula};
use steward_model::time::{INTERVAL_S, day_start_s, local_date, next_period_date};
use steward_model::{LedgerRow, PointId, Shares, Span, UtcMs};

use crate::scope::Group;

/// A sum of ledger rows. Integers all the way, so order does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Base units.
    pub amount_base: i64,
    /// The amount by quality.
    pub shares: Shares,
    /// Intervals with an amount, over all points.
    pub intervals_present: u64,
    /// Intervals that have ended, over all points in service.
    pub intervals_expected: u64,
    /// Standard coal in micrograms; `None` where nothing in the sum counts any.
    pub kgce_ug: Option<i128>,
    /// CO2 in micrograms; `None` where nothing in the sum counts any.
    pub co2_ug: Option<i128>,
    /// Nano-yuan of what has a price. It is the cost only where everything has one:
    /// [`Self::cost_ncny`].
    pub priced_ncny: i128,
    /// Rows of which at least one interval has no price.
    pub unpriced_rows: u64,
}

impl Sum {
    /// Adds another sum.
    pub fn add(&mut self, other: &Self) {
        self.add_signed(other, 1);
    }

    fn add_signed(&mut self, other: &Self, sign: i64) {
        self.amount_base += sign * other.amount_base;
        self.shares.measured_base += sign * other.shares.measured_base;
        self.shares.interpolated_base += sign * other.shares.interpolated_base;
        self.shares.estimated_base += sign * other.shares.estimated_base;
        self.shares.manual_base += sign * other.shares.manual_base;
        self.intervals_present += other.intervals_present;
        self.intervals_expected += other.intervals_expected;
        add_optional(&mut self.kgce_ug, other.kgce_ug, sign);
        add_optional(&mut self.co2_ug, other.co2_ug, sign);
        self.priced_ncny += i128::from(sign) * other.priced_ncny;
        self.unpriced_rows += other.unpriced_rows;
    }

    /// The cost in nano-yuan; `None` where a part of the sum has no price: a part of the cost is
    /// not the cost.
    pub fn cost_ncny(&self) -> Option<i128> {
        (self.unpriced_rows == 0).then_some(self.priced_ncny)
    }

    /// Intervals present ÷ intervals that have ended; `None` before the first has ended.
    pub fn coverage(&self) -> Option<f64> {
        // The clock that asks may lag behind the one that measured.
        let expected = self.intervals_expected.max(self.intervals_present);
        crate::share_of(self.intervals_present.into(), expected.into())
    }
}

fn add_optional(into: &mut Option<i128>, other: Option<i128>, sign: i64) {
    if let Some(other) = other {
        *into = Some(into.unwrap_or(0) + i128::from(sign) * other);
    }
}

/// One figure of a roll-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The second at which the period begins, in the roll-up's zone.
    pub start_s: i64,
    /// Index of the group.
    pub group: usize,
    /// The figure.
    pub sum: Sum,
}

/// Adds rows up as they come. Periods of points in other zones are put beside the periods of
/// the same local date.
pub struct RollUp<'a> {
    span: Span,
    zone: Tz,
    now_s: i64,
    groups: &'a [Group],
    members: HashMap<PointId, Member>,
    cells: HashMap<(i64, usize), (Sum, bool)>,
    seen: HashSet<(i64, usize)>,
    factor_sets: BTreeSet<String>,
    tariff_sets: BTreeSet<String>,
}

/// A point as the groups see it.
struct Member {
    index: usize,
    zone: Tz,
    /// (group, sign)
    places: Vec<(usize, i64)>,
    /// Seconds between which a meter served the point, or all that it is made of.
    services: Vec<(i64, i64)>,
}

impl<'a> RollUp<'a> {
    /// Starts with nothing. `now` decides which intervals have ended.
    pub fn new(config: &Config, groups: &'a [Group], span: Span, zone: Tz, now: UtcMs) -> Self {
        let mut members: HashMap<PointId, Member> = HashMap::new();
        for (group_index, group) in groups.iter().enumerate() {
            let signed = group
                .plus
                .iter()
                .map(|id| (id, 1))
                .chain(group.minus.iter().map(|id| (id, -1)));
            for (id, sign) in signed {
                let index = members.len();
                members
                    .entry(id.clone())
                    .or_insert_with(|| Member::new(config, id, index))
                    .places
                    .push((group_index, sign));
            }
        }
        Self {
            span,
            zone,
            now_s: now.seconds_floor(),
            groups,
            members,
            cells: HashMap::new(),
            seen: HashSet::new(),
            factor_sets: BTreeSet::new(),
            tariff_sets: BTreeSet::new(),
        }
    }

    /// Adds rows of the roll-up's span. Rows of points that no group names are left out.
    pub fn add(&mut self, rows: &[LedgerRow]) {
        for row in rows {
            let Some(member) = self.members.get(&row.point) else {
                continue;
            };
            let start_s = self.label(row.start_s, member.zone);
            let ended = ((self.now_s - row.start_s) / INTERVAL_S).max(0);
            let sum = Sum {
                amount_base: row.amount_base,
                shares: row.shares,
                intervals_present: row.intervals_present.into(),
                intervals_expected: u64::from(row.intervals_expected).min(ended.unsigned_abs()),
                kgce_ug: row.kgce_ug.map(i128::from),
                co2_ug: row.co2_ug.map(i128::from),
                priced_ncny: row.cost_ncny.map_or(0, i128::from),
                unpriced_rows: u64::from(row.cost_ncny.is_none()),
            };
            for &(group, sign) in &member.places {
                let (into, has_plus) = self.cells.entry((start_s, group)).or_default();
                into.add_signed(&sum, sign);
                *has_plus |= sign > 0;
            }
            self.seen.insert((start_s, member.index));
            if !row.factor_set.is_empty() && !self.factor_sets.contains(&row.factor_set) {
                self.factor_sets.insert(row.factor_set.clone());
            }
            if !row.tariff_set.is_empty() && !self.tariff_sets.contains(&row.tariff_set) {
                self.tariff_sets.insert(row.tariff_set.clone());
            }
        }
    }

    /// The tariff versions that the rows so far used, as `id@from`.
    pub fn tariffs(&self) -> Vec<String> {
        let mut named: BTreeSet<&str> = BTreeSet::new();
        for set in &self.tariff_sets {
            named.extend(set.split('+'));
        }
        named.into_iter().map(str::to_owned).collect()
    }

    /// The figures by time and group. A group of which nothing is added has no figure there.
    pub fn finish(mut self) -> (Vec<Cell>, Vec<String>) {
        self.count_absent();
        let mut cells: Vec<Cell> = self
            .cells
            .into_iter()
            .filter(|(_, (_, has_plus))| *has_plus)
            .map(|((start_s, group), (sum, _))| Cell {
                start_s,
                group,
                sum,
            })
            .collect();
        cells.sort_by_key(|cell| (cell.start_s, cell.group));
        let mut factors: BTreeSet<&str> = BTreeSet::new();
        for set in &self.factor_sets {
            factors.extend(set.split('+'));
        }
        (cells, factors.into_iter().map(str::to_owned).collect())
    }

    /// A point in service without a row is expected all the same.
    fn count_absent(&mut self) {
        for (&(start_s, group), (sum, _)) in &mut self.cells {
            let Some(group) = self.groups.get(group) else {
                continue;
            };
            let end_s = period_end_s(self.zone, self.span, start_s).min(self.now_s);
            for id in group.plus.iter().chain(&group.minus) {
                let Some(member) = self.members.get(id) else {
                    continue;
                };
                if self.seen.contains(&(start_s, member.index)) {
                    continue;
                }
                for &(from_s, to_s) in &member.services {
                    let served_s = end_s.min(to_s) - start_s.max(from_s);
                    sum.intervals_expected += (served_s / INTERVAL_S).max(0).unsigned_abs();
                }
            }
        }
    }

    fn label(&self, start_s: i64, zone: Tz) -> i64 {
        if zone == self.zone || matches!(self.span, Span::Interval | Span::Hour) {
            start_s
        } else {
            day_start_s(self.zone, local_date(zone, start_s))
        }
    }
}

impl Member {
    fn new(config: &Config, id: &PointId, index: usize) -> Self {
        let zone = config
            .registry
            .points
            .get(id)
            .and_then(|point| config.registry.zone_of(point))
            .unwrap_or(config.settings.zone);
        Self {
            index,
            zone,
            places: Vec::new(),
            services: services(config, id, zone),
        }
    }
}

/// Seconds between which a point is expected to have a ledger: a metered one while a meter serves
/// it, a virtual one while a formula holds and all of its terms are served.
pub(crate) fn services(config: &Config, id: &PointId, zone: Tz) -> Vec<(i64, i64)> {
    let Some(point) = config.registry.points.get(id) else {
        return Vec::new();
    };
    let span = |from: NaiveDate, to: Option<NaiveDate>| {
        let to_s = to.map_or(i64::MAX, |date| day_start_s(zone, date));
        (day_start_s(zone, from), to_s)
    };
    if point.formulas.is_empty() {
        let meters = config.registry.meters_of(id).into_iter();
        return meters.map(|meter| span(meter.from, meter.to)).collect();
    }
    let of_formula = |dated: &Dated<Formula>| {
        let (mut from_s, mut to_s) = span(dated.from, dated.to);
        for term in &dated.value.terms {
            // Cycles are refused when the configuration is loaded.
            let served = services(config, &term.point, zone);
            from_s = from_s.max(served.iter().map(|one| one.0).min().unwrap_or(i64::MAX));
            to_s = to_s.min(served.iter().map(|one| one.1).max().unwrap_or(i64::MIN));
        }
        (from_s < to_s).then_some((from_s, to_s))
    };
    point.formulas.iter().filter_map(of_formula).collect()
}

/// The second at which the period of `span` that begins at `start_s` ends.
pub fn period_end_s(zone: Tz, span: Span, start_s: i64) -> i64 {
    match span {
        Span::Interval => start_s + INTERVAL_S,
        Span::Hour => start_s + 3_600,
        Span::Day | Span::Month | Span::Year => {
            day_start_s(zone, next_period_date(span, local_date(zone, start_s)))
        }
    }
}
