//! A stored day opened into rows: intervals, and hours as sums of four intervals.

use steward_model::{IntervalAmount, LedgerRow, PointId, Shares, Span, time::INTERVAL_S};

use crate::{StoreError, StoredDay};

/// Intervals of an hour. Hours are counted from the start of the local day; zones in use shift
/// their clocks by whole hours.
pub(crate) const HOUR_INTERVALS: usize = 4;
/// Seconds of an hour.
pub(crate) const HOUR_S: i64 = 3_600;

/// The rows of `span` ([`Span::Interval`] or [`Span::Hour`]) of a day. What is missing has no row.
pub(crate) fn rows_of(stored: &StoredDay, span: Span) -> Result<Vec<LedgerRow>, StoreError> {
    let width = match span {
        Span::Interval => 1,
        Span::Hour => HOUR_INTERVALS,
        Span::Day | Span::Month | Span::Year => {
            return Err(StoreError::Range("a span that is not within a day"));
        }
    };
    let mut rows = Vec::with_capacity(stored.day.intervals.len() / width);
    for (index, intervals) in stored.day.intervals.chunks(width).enumerate() {
        let start = i64::try_from(index * width).unwrap_or(i64::MAX);
        let start_s = stored.day.start_s + start * INTERVAL_S;
        if let Some(row) = row_of(stored, &stored.day.point, span, start_s, intervals)? {
            rows.push(row);
        }
    }
    Ok(rows)
}

fn row_of(
    stored: &StoredDay,
    point: &PointId,
    span: Span,
    start_s: i64,
    intervals: &[Option<IntervalAmount>],
) -> Result<Option<LedgerRow>, StoreError> {
    let mut shares = Shares::default();
    let mut intervals_present = 0;
    for interval in intervals.iter().flatten() {
        shares.add(*interval);
        intervals_present += 1;
    }
    if intervals_present == 0 {
        return Ok(None);
    }
    let amount_base = shares.total();
    let product = |ug_per_base: Option<i64>| match ug_per_base {
        None => Ok(None),
        Some(ug) => amount_base
            .checked_mul(ug)
            .map(Some)
            .ok_or(StoreError::Range("an amount of coal or CO2")),
    };
    Ok(Some(LedgerRow {
        point: point.clone(),
        span,
        start_s,
        amount_base,
        shares,
        intervals_present,
        intervals_expected: u32::try_from(intervals.len()).unwrap_or(u32::MAX),
        kgce_ug: product(stored.kgce_ug_per_base)?,
        co2_ug: product(stored.co2_ug_per_base)?,
        factor_set: stored.factor_set.clone(),
    }))
}
