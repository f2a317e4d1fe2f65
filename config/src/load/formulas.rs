//! Formulas of virtual points: `a + b - 0.25 * c`, and what they say of other points.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use steward_model::{BuildingId, PointId};

use super::allocations;
use super::points::{RawPoint, Source};
use super::references::Ids;
use super::registry::RawRegistry;
use crate::error::{At, Log, Problem};
use crate::registry::{Dated, Formula, Term};
use crate::tree::Value;

const MILLION: i64 = 1_000_000;
/// The greatest coefficient. Nobody multiplies an amount by more.
const COEFFICIENT_MAX: i64 = 1_000_000;
pub(super) const FORM: &str = "ids and `0.25 * id`, with ` + ` and ` - ` between them";

/// The formulas of every virtual point.
pub(super) type Formulas = BTreeMap<PointId, Vec<Dated<Formula>>>;

/// Points by id with the zones of their days: what formulas are judged by.
pub(super) struct Points<'r> {
    pub(super) by_id: BTreeMap<&'r PointId, &'r RawPoint>,
    zones: BTreeMap<&'r BuildingId, Tz>,
}

impl<'r> Points<'r> {
    pub(super) fn of(raw: &'r RawRegistry) -> Self {
        let points = raw.points.iter().map(|point| (&point.id.value, point));
        let zones = raw.buildings.iter().map(|one| (&one.id.value, one.zone));
        Self {
            by_id: points.collect(),
            zones: zones.collect(),
        }
    }

    fn zone(&self, point: &RawPoint) -> Option<Tz> {
        self.zones.get(&point.building.value).copied()
    }

    /// Reports, at `at`, why `made` cannot be made of `part`.
    pub(super) fn can_be_made_of(&self, log: &Log, at: &At, made: &RawPoint, part: &RawPoint) {
        let (of, from) = (made.commodity.value, part.commodity.value);
        if of.base_unit() != from.base_unit() {
            let text = format!(
                "{} is {from} in {}, but {} is {of} in {}",
                part.id.value,
                from.unit(),
                made.id.value,
                of.unit()
            );
            log.report(
                at,
                Problem::new(text).hint("amounts of two units do not add up"),
            );
        }
        if let (Some(zone), Some(other)) = (self.zone(made), self.zone(part))
            && zone != other
        {
            let text = format!(
                "the days of {} are those of {other}, the days of {} those of {zone}",
                part.id.value, made.id.value
            );
            log.report(at, Problem::new(text));
        }
    }
}

/// Reads a formula.
pub(super) fn parse(value: &Value) -> Result<Formula, Problem> {
    let text = crate::parse::text(value)?;
    let unfinished = || Problem::new("is not finished").allowed(FORM);
    let mut words = text.split_whitespace().peekable();
    let mut terms: Vec<Term> = Vec::new();
    let mut sign = match words.next_if(|word| matches!(*word, "+" | "-")) {
        Some("-") => -1,
        _ => 1,
    };
    loop {
        let word = words.next().ok_or_else(unfinished)?;
        let (millionths, name) = match words.next_if_eq(&"*") {
            Some(_) => (coefficient(word)?, words.next().ok_or_else(unfinished)?),
            None => (MILLION, word),
        };
        let point = PointId::new(name)
            .map_err(|_| Problem::new(format!("`{name}` is no id of a point")).allowed(FORM))?;
        if terms.iter().any(|term| term.point == point) {
            return Err(Problem::new(format!("{point} stands in it twice")));
        }
        terms.push(Term {
            point,
            coefficient_ppm: sign * millionths,
        });
        sign = match words.next() {
            None => return Ok(Formula { text, terms }),
            Some("+") => 1,
            Some("-") => -1,
            Some(word) => {
                let text = format!("`{word}` stands where + or - is expected");
                return Err(Problem::new(text).allowed(FORM));
            }
        };
    }
}

fn coefficient(word: &str) -> Result<i64, Problem> {
    let number = Decimal::from_str_exact(word)
        .map_err(|_| Problem::new(format!("`{word}` is no coefficient")).allowed(FORM))?;
    if number.is_zero() {
        return Err(Problem::new(format!(
            "the coefficient {word} takes no part"
        )));
    }
    if number.is_sign_negative() || number > Decimal::from(COEFFICIENT_MAX) {
        let text = format!("the coefficient {word} is not between 0 and {COEFFICIENT_MAX}");
        return Err(Problem::new(text).hint("write ` - ` before the term to take it off"));
    }
    millionths(number)
        .ok_or_else(|| Problem::new(format!("the coefficient {word} has more than 6 decimals")))
}

/// A part as whole millionths; `None` where it has more than six decimals.
pub(super) fn millionths(number: Decimal) -> Option<i64> {
    let millionths = number.checked_mul(Decimal::from(MILLION))?;
    millionths.is_integer().then(|| millionths.to_i64())?
}

/// Judges all formulas, those included that allocations make.
pub(super) fn check(log: &Log, raw: &RawRegistry, ids: &Ids<'_>) -> Formulas {
    let points = Points::of(raw);
    let mut formulas = allocations::compile(log, raw, &points, ids);
    for point in &raw.points {
        let Source::Formulas(written) = &point.source else {
            continue;
        };
        for formula in written {
            for term in &formula.value.value.terms {
                judge(log, &formula.at, point, &term.point, &points, ids);
            }
        }
        let values = written.iter().map(|one| one.value.clone()).collect();
        formulas.insert(point.id.value.clone(), values);
    }
    rings(log, &formulas, &points);
    formulas
}

fn judge(log: &Log, at: &At, made: &RawPoint, part: &PointId, points: &Points<'_>, ids: &Ids<'_>) {
    if !ids.points.contains(part) {
        let names = ids.points.iter().map(|known| known.as_str());
        let text = match at.is_from_environment() {
            true => "names no point".to_owned(),
            false => format!("no point is called {part}"),
        };
        log.report(at, Problem::new(text).nearest(part.as_str(), names));
    } else if let Some(part) = points.by_id.get(part) {
        points.can_be_made_of(log, at, made, part);
    }
}

/// Reports each ring of formulas once, at its smallest id. Formulas of different dates count as one:
/// a point never depends on itself, not even by way of another year.
fn rings(log: &Log, formulas: &Formulas, points: &Points<'_>) {
    let mut open: BTreeMap<&PointId, BTreeSet<&PointId>> = formulas
        .iter()
        .map(|(id, dated)| {
            let terms = dated.iter().flat_map(|one| &one.value.terms);
            (id, terms.map(|term| &term.point).collect())
        })
        .collect();
    loop {
        // What rests on metered points alone is no part of a ring.
        loop {
            let ids: BTreeSet<&PointId> = open.keys().copied().collect();
            open.retain(|_, parts| parts.iter().any(|part| ids.contains(part)));
            if open.len() == ids.len() {
                break;
            }
        }
        let Some(first) = open.keys().next().copied() else {
            return;
        };
        let mut way = vec![first];
        let ring = loop {
            let last = way.last().and_then(|id| open.get(id));
            let next = last.and_then(|parts| parts.iter().find(|part| open.contains_key(*part)));
            let Some(next) = next else {
                return;
            };
            if let Some(start) = way.iter().position(|id| id == next) {
                break way.split_off(start);
            }
            way.push(next);
        };
        report_ring(log, &ring, points);
        open.retain(|id, _| !ring.contains(id));
    }
}

fn report_ring(log: &Log, ring: &[&PointId], points: &Points<'_>) {
    let smallest = ring.iter().enumerate().min_by_key(|(_, id)| **id);
    let Some((start, first)) = smallest else {
        return;
    };
    let mut names: Vec<&str> = ring.iter().map(|id| id.as_str()).collect();
    names.rotate_left(start);
    names.push(first.as_str());
    let Some(point) = points.by_id.get(*first) else {
        return;
    };
    let at = match &point.source {
        Source::Formulas(written) => written.first().map_or(&point.id.at, |one| &one.at),
        _ => &point.id.at,
    };
    let text = format!("the formulas go round in a ring: {}", names.join(" → "));
    log.report(at, Problem::new(text));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn terms(text: &str) -> Option<Vec<(String, i64)>> {
        let formula = parse(&Value::Text(text.to_owned())).ok()?;
        let terms = formula.terms.into_iter();
        Some(
            terms
                .map(|term| (term.point.to_string(), term.coefficient_ppm))
                .collect(),
        )
    }

    #[test]
    fn signs_stand_alone_because_ids_contain_hyphens() {
        let expected = [("a-1", 1_000_000), ("b", 1_000_000), ("c-2", -250_000)];
        let expected = expected.map(|(id, ppm)| (id.to_owned(), ppm)).to_vec();
        assert_eq!(terms("a-1 + b - 0.25 * c-2"), Some(expected));
        assert_eq!(terms("- a"), Some(vec![("a".to_owned(), -1_000_000)]));
        assert_eq!(
            terms("2 * 0.25"),
            Some(vec![("0.25".to_owned(), 2_000_000)])
        );
        assert_eq!(terms("0.000001 * a"), Some(vec![("a".to_owned(), 1)]));
    }

    #[test]
    fn what_is_no_formula_is_refused() {
        for wrong in [
            "",
            "+",
            "a +",
            "a b",
            "a * 2",
            "2 *",
            "a + a",
            "0 * a",
            "0.0000001 * a",
            "-1 * a",
            "1000001 * a",
            "a / b",
            "a + + b",
            "A",
        ] {
            assert_eq!(terms(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn millionths_are_exact() {
        assert_eq!(millionths(Decimal::new(333_333, 6)), Some(333_333));
        assert_eq!(millionths(Decimal::new(3_333_333, 7)), None);
    }
}
