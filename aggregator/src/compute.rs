//! Marks of new readings become days, rows of days, months and years, in one transaction a chunk.

use std::collections::{BTreeMap, HashMap, HashSet};

use steward_config::Config;
use steward_ledger::{Dirty, Head, LocalDay, Rules, settle};
use steward_model::time::local_date;
use steward_model::{Commodity, InstitutionId, Span};
use steward_store::{DirtySeries, LedgerUpdate, WorkingStore};

use crate::chunk::Chunk;
use crate::past::BookShelf;
use crate::plan::{LineageKey, Plan, PointPlan};
use crate::step::AggregatorError;

/// Marks looked at in one chunk.
const MARKS_MAX: usize = 50_000;
/// Days after which a chunk is written. A day takes about 2 KB here, so a chunk takes some 8 MB;
/// one series is never divided, because its days and its marks must move together.
const CHUNK_DAYS: usize = 4_000;

/// Of whom it was told that a factor is missing: once is enough.
pub(crate) type Warned = HashSet<(InstitutionId, Commodity)>;

/// Where series can be continued, by lineage.
pub(crate) type Heads = HashMap<LineageKey, Head>;

/// What a chunk did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Computed {
    /// Point-days written or removed.
    pub(crate) days: usize,
    /// Marks that are left, up to [`MARKS_MAX`].
    pub(crate) waiting: u64,
}

/// Computes the ledger of as many dirty lineages as make a chunk; `None` when nothing is dirty.
///
/// A failure leaves the marks where they are, and heads that were taken out are only missed: they
/// save work and nothing else.
pub(crate) fn chunk(
    config: &Config,
    plan: &Plan,
    store: &mut WorkingStore,
    heads: &mut Heads,
    warned: &mut Warned,
) -> Result<Option<Computed>, AggregatorError> {
    let mut marks = store.dirty(MARKS_MAX)?;
    if marks.is_empty() {
        return Ok(None);
    }
    let found = marks.len();
    whole_series(&mut marks, found == MARKS_MAX);
    let (work, mut cleared) = by_lineage(plan, marks);
    let rules = Rules::of(config);
    let mut chunk = Chunk::new(config, plan, warned);
    let mut new_heads = Vec::new();
    for (key, (dirty, marks)) in work {
        if chunk.size() >= CHUNK_DAYS {
            break;
        }
        let Some((point, chain, lineage)) = plan.lineage(key) else {
            continue;
        };
        let shelf = BookShelf {
            store,
            view: &plan.view,
        };
        let past = &plan.view.past;
        let head = heads.remove(&key);
        let settled = settle(&shelf, chain, lineage, &rules, past, head, &dirty)?;
        chunk.find_dependent_fills(store, &rules, point, chain, lineage, &settled)?;
        new_heads.extend(settled.head.clone().map(|head| (key, head)));
        chunk.take(point, settled);
        cleared.extend(marks);
    }
    chunk.add_virtual_days(store)?;
    chunk.add_periods(store)?;
    store.write_ledger(LedgerUpdate {
        days: &chunk.days,
        rows: &chunk.rows,
        cleared: &cleared,
        removed_days: &chunk.removed,
        found: &chunk.found,
        touched: &chunk.touched,
    })?;
    heads.extend(new_heads);
    Ok(Some(Computed {
        days: chunk.size(),
        waiting: (found.saturating_sub(cleared.len()) + chunk.touched.len()) as u64,
    }))
}

/// Gives the days of a point the prices of today's tariffs, those of closed months the prices with
/// which they were closed. Amounts stay as they are; answers how many days changed.
pub(crate) fn reprice(
    config: &Config,
    plan: &Plan,
    store: &mut WorkingStore,
    warned: &mut Warned,
    point: &PointPlan,
) -> Result<usize, AggregatorError> {
    let mut chunk = Chunk::new(config, plan, warned);
    for row in store.ledger_rows(&point.point, Span::Day, i64::MIN, i64::MAX)? {
        let date = local_date(point.zone, row.start_s);
        let Some(mut day) = store.day(&point.point, date)? else {
            continue;
        };
        let prices = plan.prices(config, point, &LocalDay::of(point.zone, date));
        if (&day.prices, &day.tariff_set) == (&prices.runs, &prices.tariff_set) {
            continue;
        }
        let mut row = row;
        row.cost_ncny = steward_ledger::money::cost(&day.day.intervals, &prices.runs);
        row.tariff_set.clone_from(&prices.tariff_set);
        day.prices.clone_from(&prices.runs);
        day.tariff_set.clone_from(&prices.tariff_set);
        chunk.touch(point, date);
        chunk.days.push(day);
        chunk.rows.push(row);
    }
    let changed = chunk.size();
    if changed > 0 {
        chunk.add_periods(store)?;
        store.write_ledger(LedgerUpdate {
            days: &chunk.days,
            rows: &chunk.rows,
            ..LedgerUpdate::default()
        })?;
    }
    Ok(changed)
}

/// Where the list of marks was cut, the last series may be incomplete: it waits for the next
/// chunk, because a run goes to the end of its series and would have to be repeated.
fn whole_series(marks: &mut Vec<DirtySeries>, was_cut: bool) {
    if !was_cut {
        return;
    }
    let Some(last) = marks.last().cloned() else {
        return;
    };
    let is_last = |mark: &DirtySeries| mark.meter == last.meter && mark.quantity == last.quantity;
    let whole = marks.partition_point(|mark| !is_last(mark));
    if whole > 0 {
        marks.truncate(whole);
    }
}

type Work = BTreeMap<LineageKey, (Vec<Dirty>, Vec<DirtySeries>)>;

/// Marks by the lineage that they concern, and those that concern none. A mark of a series that
/// makes several lineages is cleared with the first of them; all are settled in one chunk then.
fn by_lineage(plan: &Plan, marks: Vec<DirtySeries>) -> (Work, Vec<DirtySeries>) {
    let mut work = Work::new();
    let mut without = Vec::new();
    for mark in marks {
        let dirty = Dirty {
            from_ms: mark.from.0,
            to_ms: mark.to.0,
        };
        let lineages = plan.lineages_of(&mark.meter, mark.quantity);
        for key in lineages {
            work.entry(*key).or_default().0.push(dirty);
        }
        match lineages.last() {
            Some(last) => work.entry(*last).or_default().1.push(mark),
            None => without.push(mark),
        }
    }
    (work, without)
}
