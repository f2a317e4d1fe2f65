//! What a virtual point is made of, term by term.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use steward_config::{AllocationKey, Config, Dated, Formula, Point, Term};
use steward_ledger::formula::virtual_day;
use steward_model::time::{INTERVAL_S, local_date, next_period_date};
use steward_model::{IntervalAmount, PointId, Span};
use steward_store::{Source, StoredDay};

use super::parts::link;
use super::view::{AllocationView, Check, Explanation, FormulaView, TermView};
use super::{ExplainError, Frame};

/// The formulas of the span with what each term gives.
pub(super) async fn formulas(
    config: &Config,
    source: &Source,
    frame: &Frame,
    point: &Point,
    into: &mut Explanation,
) -> Result<(), ExplainError> {
    let first = local_date(frame.zone, frame.start_s);
    let end = next_period_date(Span::Day, local_date(frame.zone, frame.end_s - 1));
    let own = source.days(&point.id, first, end).await?;
    let mut computed = 0;
    for dated in &point.formulas {
        if dated.from >= end || dated.to.is_some_and(|to| to <= first) {
            continue;
        }
        let days: Vec<&StoredDay> = own
            .iter()
            .filter(|stored| dated.holds_on(stored.day.date))
            .collect();
        let mut terms = Vec::new();
        for term in &dated.value.terms {
            let input = source.days(&term.point, first, end).await?;
            let amount_base = given(frame, term, &days, &input);
            computed += amount_base;
            terms.push(view_of(config, frame, term, amount_base));
        }
        into.formulas.push(view(config, point, dated, terms));
    }
    if let Some(stated) = into.amount_base {
        into.checks.push(Check::new("terms", stated, computed));
    }
    Ok(())
}

/// What a term gives to the intervals of the span in which the point is known: by the kernel's own
/// rounding, which runs through the day.
fn given(frame: &Frame, term: &Term, own: &[&StoredDay], input: &[StoredDay]) -> i64 {
    let by_date: BTreeMap<_, _> = input
        .iter()
        .map(|stored| (stored.day.date, &stored.day.intervals))
        .collect();
    let alone = Formula {
        text: String::new(),
        terms: vec![term.clone()],
    };
    let mut sum = 0;
    for stored in own {
        let known = &stored.day.intervals;
        let Some(input) = by_date.get(&stored.day.date) else {
            continue;
        };
        // An interval that is missing moves no term.
        let masked: Vec<Option<IntervalAmount>> = known
            .iter()
            .enumerate()
            .map(|(index, own)| own.and(input.get(index).copied().flatten()))
            .collect();
        let amounts = virtual_day(&alone, known.len(), |_: &PointId| Some(masked.as_slice()));
        for (index, amount) in (0_i64..).zip(amounts) {
            let start_s = stored.day.start_s + index * INTERVAL_S;
            if let Some(amount) = amount.filter(|_| frame.holds(start_s)) {
                sum += amount.amount_base;
            }
        }
    }
    sum
}

fn view_of(config: &Config, frame: &Frame, term: &Term, amount_base: i64) -> TermView {
    let point = config.registry.points.get(&term.point);
    TermView {
        point: term.point.to_string(),
        name_zh: point.map_or_else(String::new, |point| point.name_zh.clone()),
        name_en: point.map_or_else(String::new, |point| point.name_en.clone()),
        coefficient: Decimal::new(term.coefficient_ppm, 6)
            .normalize()
            .to_string(),
        amount_base,
        link: link(term.point.as_str(), frame.span, frame.start_s),
    }
}

fn view(
    config: &Config,
    point: &Point,
    dated: &Dated<Formula>,
    terms: Vec<TermView>,
) -> FormulaView {
    let mut allocations = config.registry.allocations.iter();
    let allocation = allocations.find(|one| {
        let names = one.rest == point.id || one.receivers.iter().any(|(id, _)| id == &point.id);
        names && one.from <= dated.from && one.to.is_none_or(|to| dated.from < to)
    });
    FormulaView {
        text: dated.value.text.clone(),
        from: dated.from.to_string(),
        to: dated.to.map(|date| date.to_string()),
        allocation: allocation.map(|one| AllocationView {
            point: one.point.to_string(),
            by: match one.by {
                AllocationKey::Share => "share",
                AllocationKey::FloorArea => "floor_area",
                AllocationKey::EnergyUsers => "energy_users",
            }
            .to_owned(),
            receivers: one.receivers.iter().map(|(id, _)| id.to_string()).collect(),
            rest: one.rest.to_string(),
        }),
        terms,
    }
}
