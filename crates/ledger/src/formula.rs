//! Virtual points: sums of other points' intervals with coefficients.
//!
//! A coefficient is a whole number of millionths, so a term is exact up to one rounding. Each term
//! rounds by itself and telescopes within the day: with `S` the sum of the point's present
//! intervals so far, the term has given `⌊S × |c| ÷ 10⁶⌋` so far, with the sign of `c`, and an
//! interval gets what that grew by. From this follow the laws that the tests hold:
//!
//! - A whole coefficient rounds nothing: a sum or difference of points is exact, every interval.
//! - A day's term differs from the true product by less than one base unit, however many intervals
//!   it has, and a positive coefficient never turns a rising register into a negative amount.
//! - A shared point is conserved exactly: [`formula_on`] gives the point of the rest what is left,
//!   `shared − s₁·shared − s₂·shared − …`, so every part rounds alike for its receiver and for the
//!   rest, and receivers and rest add up to the shared point in every interval. (Rounded by itself,
//!   a rest of `1 − Σ s` would lose up to one base unit a receiver and day.)
//!
//! The amount of a difference may be below zero: it is shown as it is, as a residual is.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use steward_config::{Formula, Point, Registry, Term};
use steward_model::{IntervalAmount, IntervalQuality, PointId};

/// Millionths in one.
const ONE_PPM: i64 = 1_000_000;

/// What the point is made of on `date`; `None` for a metered point, and where no formula holds.
///
/// The rest of an allocation is what its receivers leave, term by term, so that nothing is lost.
pub fn formula_on<'a>(
    registry: &'a Registry,
    point: &'a Point,
    date: NaiveDate,
) -> Option<Cow<'a, Formula>> {
    let written = dated_formula(point, date)?;
    let mut formula = Cow::Borrowed(written);
    for allocation in &registry.allocations {
        let holds = allocation.from <= date && allocation.to.is_none_or(|to| date < to);
        if !holds || allocation.rest != point.id {
            continue;
        }
        let terms = &mut formula.to_mut().terms;
        terms.retain(|term| term.point != allocation.point);
        terms.push(Term {
            point: allocation.point.clone(),
            coefficient_ppm: ONE_PPM,
        });
        let receivers = allocation.receivers.iter();
        let shares = receivers
            .filter_map(|(receiver, _)| dated_formula(registry.points.get(receiver)?, date))
            .flat_map(|formula| &formula.terms)
            .filter(|term| term.point == allocation.point);
        terms.extend(shares.map(|term| Term {
            point: term.point.clone(),
            coefficient_ppm: -term.coefficient_ppm,
        }));
    }
    Some(formula)
}

fn dated_formula(point: &Point, date: NaiveDate) -> Option<&Formula> {
    let dated = point.formulas.iter().find(|dated| dated.holds_on(date))?;
    Some(&dated.value)
}

/// The virtual points, each after those of which it is made, whenever it is; equal ones by id.
///
/// The loader refuses cycles. Points of one, were there any, come last, so that none is lost.
pub fn order(registry: &Registry) -> Vec<PointId> {
    let mut waiting: BTreeMap<&PointId, BTreeSet<&PointId>> = registry
        .points
        .values()
        .filter(|point| is_virtual(point))
        .map(|point| (&point.id, BTreeSet::new()))
        .collect();
    let virtual_points: BTreeSet<&PointId> = waiting.keys().copied().collect();
    for (id, inputs) in &mut waiting {
        let made_of = registry.points.get(*id).into_iter().flat_map(inputs_of);
        inputs.extend(made_of.filter(|input| virtual_points.contains(input)));
    }
    let mut users: BTreeMap<&PointId, Vec<&PointId>> = BTreeMap::new();
    for (id, inputs) in &waiting {
        for input in inputs {
            users.entry(input).or_default().push(id);
        }
    }
    let mut ready: BTreeSet<&PointId> = waiting
        .iter()
        .filter(|(_, inputs)| inputs.is_empty())
        .map(|(id, _)| *id)
        .collect();
    let mut order: Vec<PointId> = Vec::with_capacity(waiting.len());
    while let Some(id) = ready.pop_first() {
        waiting.remove(id);
        order.push(id.clone());
        for user in users.get(id).into_iter().flatten() {
            if let Some(inputs) = waiting.get_mut(user) {
                inputs.remove(id);
                if inputs.is_empty() {
                    ready.insert(user);
                }
            }
        }
    }
    order.extend(waiting.into_keys().cloned());
    order
}

/// By point, the virtual points that rest on it directly or through others, in the order in which
/// they are to be computed. Points on which nothing rests have no entry.
pub fn dependents(registry: &Registry) -> BTreeMap<PointId, Vec<PointId>> {
    let mut below: BTreeMap<PointId, BTreeSet<PointId>> = BTreeMap::new();
    let order = order(registry);
    for id in &order {
        // Everything on which this point rests; what its virtual inputs rest on is known already.
        let direct: Vec<&PointId> = registry
            .points
            .get(id)
            .into_iter()
            .flat_map(inputs_of)
            .collect();
        let mut all: BTreeSet<PointId> = direct.iter().copied().cloned().collect();
        for input in direct {
            all.extend(below.get(input).into_iter().flatten().cloned());
        }
        below.insert(id.clone(), all);
    }
    let mut above: BTreeMap<PointId, Vec<PointId>> = BTreeMap::new();
    for id in &order {
        for input in below.get(id).into_iter().flatten() {
            above.entry(input.clone()).or_default().push(id.clone());
        }
    }
    above
}

/// A day of a virtual point of `count` intervals: one amount an interval, as bad as the worst of
/// its inputs, and missing where an input with a coefficient is missing.
///
/// `input` gives a point's intervals of the same day; where it gives none or too few, they are
/// missing. Points of one formula share a zone, so that their intervals begin together.
pub fn virtual_day<'a>(
    formula: &Formula,
    count: usize,
    input: impl Fn(&PointId) -> Option<&'a [Option<IntervalAmount>]>,
) -> Vec<Option<IntervalAmount>> {
    let mut terms: Vec<RunningTerm<'a>> = formula
        .terms
        .iter()
        .filter(|term| term.coefficient_ppm != 0)
        .map(|term| RunningTerm {
            coefficient_ppm: term.coefficient_ppm,
            intervals: input(&term.point).unwrap_or(&[]),
            sum_base: 0,
            given_base: 0,
        })
        .collect();
    (0..count)
        .map(|index| interval(&mut terms, index))
        .collect()
}

fn interval(terms: &mut [RunningTerm<'_>], index: usize) -> Option<IntervalAmount> {
    let mut quality = IntervalQuality::Measured;
    // All are looked at before the first one moves: an interval that is missing moves none.
    for term in &*terms {
        quality = quality.worse(term.at(index)?.quality);
    }
    let mut amount_base: i128 = 0;
    for term in terms {
        amount_base += term.take(index);
    }
    Some(IntervalAmount {
        amount_base: i64::try_from(amount_base).ok()?,
        quality,
    })
}

/// A term on its way through a day.
struct RunningTerm<'a> {
    coefficient_ppm: i64,
    intervals: &'a [Option<IntervalAmount>],
    /// What the point had in the intervals so far that were not missing.
    sum_base: i128,
    /// What the term has given for it.
    given_base: i128,
}

impl RunningTerm<'_> {
    fn at(&self, index: usize) -> Option<IntervalAmount> {
        self.intervals.get(index).copied().flatten()
    }

    fn take(&mut self, index: usize) -> i128 {
        let amount_base = self.at(index).map_or(0, |one| i128::from(one.amount_base));
        self.sum_base += amount_base;
        let magnitude = i128::from(self.coefficient_ppm.unsigned_abs());
        let rounded = (self.sum_base * magnitude).div_euclid(ONE_PPM.into());
        let given = rounded * i128::from(self.coefficient_ppm.signum());
        let grown = given - self.given_base;
        self.given_base = given;
        grown
    }
}

fn is_virtual(point: &Point) -> bool {
    !point.formulas.is_empty()
}

fn inputs_of(point: &Point) -> impl Iterator<Item = &PointId> {
    point
        .formulas
        .iter()
        .flat_map(|dated| &dated.value.terms)
        .map(|term| &term.point)
}
