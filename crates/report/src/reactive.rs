//! The power factor of an account, by the reactive energy that its meters count.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;
use steward_config::{Account, Config};
use steward_ledger::money::PowerFactor;
use steward_model::{Commodity, LedgerRow, PointId, Quantity, Span};
use steward_store::Source;

use crate::ReportError;

/// Active and reactive energy of an account over the same intervals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Measured {
    /// Wh.
    active: i64,
    /// varh, drawn and delivered: both burden the grid, so their sum is judged.
    pub(crate) reactive: i64,
}

impl Measured {
    /// The power factor, rounded to 0.01; `None` where no active energy was drawn.
    pub(crate) fn value(self) -> Option<Decimal> {
        self.power_factor().value()
    }

    /// As a bill takes it.
    pub(crate) const fn power_factor(self) -> PowerFactor {
        PowerFactor::Of {
            active: self.active,
            reactive: self.reactive,
        }
    }
}

/// What was measured of an account between two instants; `rows` are the intervals of its points
/// there. `None` where a point has no meter of reactive energy, or where the intervals in which both
/// are known are fewer than the closing rules ask of any figure.
pub(crate) async fn measured(
    config: &Config,
    source: &Source,
    account: &Account,
    rows: &[LedgerRow],
    (from_s, to_s): (i64, i64),
) -> Result<Option<Measured>, ReportError> {
    if account.commodity != Commodity::Electricity || rows.is_empty() {
        return Ok(None);
    }
    let registry = &config.registry;
    let mut beside: BTreeMap<&PointId, Vec<&PointId>> = BTreeMap::new();
    let mut draws = 0;
    for point in registry.points.values() {
        if point.commodity != Commodity::ReactiveEnergy {
            continue;
        }
        let owner = point.metered_by.as_ref();
        if let Some(owner) = owner.and_then(|owner| account.points.iter().find(|one| *one == owner))
        {
            draws += usize::from(point.counter == Quantity::ReactiveImport);
            beside.entry(owner).or_default().push(&point.id);
        }
    }
    if draws < account.points.len() {
        return Ok(None);
    }
    let wanted: Vec<PointId> = beside.values().flatten().map(|id| (*id).clone()).collect();
    let reactive = source.ledger(&wanted, Span::Interval, from_s, to_s).await?;
    let reactive: HashMap<(&PointId, i64), i64> = reactive
        .iter()
        .map(|row| ((&row.point, row.start_s), row.amount_base))
        .collect();
    let mut measured = Measured::default();
    let mut known = 0_usize;
    for row in rows {
        let registers = beside.get(&row.point).into_iter().flatten();
        let amounts: Option<Vec<i64>> = registers
            .map(|id| reactive.get(&(*id, row.start_s)).copied())
            .collect();
        if let Some(amounts) = amounts {
            measured.active += row.amount_base;
            measured.reactive += amounts.iter().sum::<i64>();
            known += 1;
        }
    }
    let share = known as f64 / rows.len() as f64;
    Ok((share >= config.settings.close.coverage_min).then_some(measured))
}
