//! The ledger becomes durable: days, rows and the marks they settle, in one transaction.

use rusqlite::Connection;
use steward_model::{IntervalAmount, LedgerRow, Span};

use super::days::{self, date_number};
use super::enqueue::{KeyChange, enqueue_key};
use super::query::{self, span_code};
use super::{WorkingStore, begin, codec, findings, marks, names};
use crate::day::{HOUR_INTERVALS, HOUR_S, expand};
use crate::{LedgerUpdate, StoreError, StoredDay};

impl WorkingStore {
    /// Writes what was recomputed, clears the marks that led to it, and lets what changed wait for
    /// InfluxDB. What is equal to what is there costs one look.
    pub fn write_ledger(&mut self, update: LedgerUpdate<'_>) -> Result<(), StoreError> {
        self.in_turn(|store| store.write_ledger_in_turn(update))
    }

    fn write_ledger_in_turn(&mut self, update: LedgerUpdate<'_>) -> Result<(), StoreError> {
        let transaction = begin(&mut self.connection)?;
        let now_ms = self.options.publish.then(|| (self.options.clock)().0);
        for stored in update.days {
            write_day(&transaction, stored, now_ms)?;
        }
        for row in update.rows {
            write_row(&transaction, row, now_ms)?;
        }
        for (point, date) in update.removed_days {
            if let Some(old) = days::day(&transaction, point, *date)? {
                remove_day(&transaction, &old, now_ms)?;
            }
        }
        for found in update.found {
            findings::replace(&transaction, &mut self.names, found)?;
        }
        marks::clear(&transaction, &self.names, update.cleared)?;
        // After what is cleared: a mark that is made here must stay.
        marks::put_touched(&transaction, &mut self.names, update.touched)?;
        transaction
            .commit()
            .map_err(StoreError::sqlite("commit the ledger"))
    }
}

fn write_day(
    connection: &Connection,
    stored: &StoredDay,
    now_ms: Option<i64>,
) -> Result<(), StoreError> {
    if !stored.view().prices_fit() {
        return Err(StoreError::Range("prices that are not one an interval"));
    }
    let old = days::day(connection, &stored.day.point, stored.day.date)?;
    if old.as_ref() == Some(stored) {
        return Ok(());
    }
    let point = names::point_or_new(connection, &stored.day.point)?;
    let date = date_number(stored.day.date);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO day VALUES \
             (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )
        .and_then(|mut insert| {
            insert.execute((
                point,
                date,
                stored.day.start_s,
                stored.carry.map(|carry| carry.at_ms.0),
                stored.carry.map(|carry| carry.register_base),
                stored.carry.is_some_and(|carry| carry.manual),
                stored.kgce_ug_per_base,
                stored.co2_ug_per_base,
                &stored.factor_set,
                codec::encode_intervals(&stored.day.intervals),
                codec::encode_prices(&stored.prices),
                &stored.tariff_set,
            ))
        })
        .map_err(StoreError::sqlite("write a day"))?;
    if let Some(now_ms) = now_ms
        && let Some(change) = change_of_day(old.as_ref(), stored)
    {
        enqueue_key(connection, point, Span::Interval, date, change, now_ms)?;
    }
    Ok(())
}

/// Which hours of a day InfluxDB has to learn of. A field that is not sent stays there as it was,
/// so hours that lose one are erased first.
fn change_of_day(old: Option<&StoredDay>, new: &StoredDay) -> Option<KeyChange> {
    let none = Vec::new();
    let before: &[Option<IntervalAmount>] = old.map_or(&none, |old| &old.day.intervals);
    let after = &new.day.intervals;
    let same_figures = old.is_some_and(|old| {
        old.day.start_s == new.day.start_s
            && old.kgce_ug_per_base == new.kgce_ug_per_base
            && old.co2_ug_per_base == new.co2_ug_per_base
            && old.factor_set == new.factor_set
            && old.tariff_set == new.tariff_set
    });
    let loses_figure = old.is_some_and(|old| {
        (old.kgce_ug_per_base.is_some() && new.kgce_ug_per_base.is_none())
            || (old.co2_ug_per_base.is_some() && new.co2_ug_per_base.is_none())
            || (!old.factor_set.is_empty() && new.factor_set.is_empty())
            || (!old.tariff_set.is_empty() && new.tariff_set.is_empty())
    });
    let had_prices = old.is_some_and(|old| !old.prices.is_empty());
    let prices_before = expand(old.map_or(&[], |old| &old.prices), before.len());
    let prices_after = expand(&new.prices, after.len());
    let mut change: Option<KeyChange> = None;
    for index in 0..before.len().max(after.len()) {
        let was = before.get(index).copied().flatten();
        let is = after.get(index).copied().flatten();
        let price = prices_after.get(index).copied().flatten();
        let same_price = prices_before.get(index).copied().flatten() == price;
        if was == is && ((same_figures && same_price) || is.is_none()) {
            continue;
        }
        let hour = index / HOUR_INTERVALS;
        let change = change.get_or_insert(KeyChange::at(hour));
        change.last = hour;
        if is.is_none() || loses_figure || (had_prices && price.is_none()) {
            change.erase_also(hour_of(old.unwrap_or(new), hour));
        }
    }
    change
}

/// The seconds of an hour of a stored day.
fn hour_of(stored: &StoredDay, hour: usize) -> (i64, i64) {
    let start = |hour| stored.day.start_s + i64::try_from(hour).unwrap_or(0) * HOUR_S;
    (start(hour), start(hour + 1))
}

fn write_row(
    connection: &Connection,
    row: &LedgerRow,
    now_ms: Option<i64>,
) -> Result<(), StoreError> {
    if matches!(row.span, Span::Interval | Span::Hour) {
        return Err(StoreError::Range("a row whose span is kept in days"));
    }
    if row.shares.total() != row.amount_base {
        return Err(StoreError::Range("a row whose shares are not its amount"));
    }
    let old = query::ledger_of(
        connection,
        &row.point,
        row.span,
        row.start_s,
        row.start_s + 1,
    )?;
    if row.intervals_present == 0 {
        return match old.first() {
            None => Ok(()),
            Some(old) => remove_row(connection, old, now_ms),
        };
    }
    let old = old.first();
    if old == Some(row) {
        return Ok(());
    }
    let point = names::point_or_new(connection, &row.point)?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO ledger VALUES \
             (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )
        .and_then(|mut insert| {
            insert.execute((
                point,
                span_code(row.span),
                row.start_s,
                row.shares.measured_base,
                row.shares.interpolated_base,
                row.shares.estimated_base,
                row.shares.manual_base,
                row.intervals_present,
                row.intervals_expected,
                row.kgce_ug,
                row.co2_ug,
                &row.factor_set,
                row.cost_ncny,
                &row.tariff_set,
            ))
        })
        .map_err(StoreError::sqlite("write a ledger row"))?;
    let Some(now_ms) = now_ms else { return Ok(()) };
    let mut change = KeyChange::at(0);
    if old.is_some_and(|old| loses_figure(old, row)) {
        change.erase_also((row.start_s, row.start_s + 1));
    }
    enqueue_key(connection, point, row.span, row.start_s, change, now_ms)
}

fn loses_figure(old: &LedgerRow, new: &LedgerRow) -> bool {
    (old.kgce_ug.is_some() && new.kgce_ug.is_none())
        || (old.co2_ug.is_some() && new.co2_ug.is_none())
        || (old.cost_ncny.is_some() && new.cost_ncny.is_none())
        || (!old.factor_set.is_empty() && new.factor_set.is_empty())
        || (!old.tariff_set.is_empty() && new.tariff_set.is_empty())
}

fn remove_row(
    connection: &Connection,
    row: &LedgerRow,
    now_ms: Option<i64>,
) -> Result<(), StoreError> {
    let point = names::point_or_new(connection, &row.point)?;
    connection
        .prepare_cached("DELETE FROM ledger WHERE point = ?1 AND span = ?2 AND start_s = ?3")
        .and_then(|mut delete| delete.execute((point, span_code(row.span), row.start_s)))
        .map_err(StoreError::sqlite("remove a ledger row"))?;
    let Some(now_ms) = now_ms else { return Ok(()) };
    let mut change = KeyChange::at(0);
    change.erase_also((row.start_s, row.start_s + 1));
    enqueue_key(connection, point, row.span, row.start_s, change, now_ms)
}

fn remove_day(
    connection: &Connection,
    old: &StoredDay,
    now_ms: Option<i64>,
) -> Result<(), StoreError> {
    let point = names::point_or_new(connection, &old.day.point)?;
    let date = date_number(old.day.date);
    connection
        .prepare_cached("DELETE FROM day WHERE point = ?1 AND date = ?2")
        .and_then(|mut delete| delete.execute((point, date)))
        .map_err(StoreError::sqlite("remove a day"))?;
    let start_s = old.day.start_s;
    for row in query::ledger_of(connection, &old.day.point, Span::Day, start_s, start_s + 1)? {
        remove_row(connection, &row, now_ms)?;
    }
    let Some(now_ms) = now_ms else { return Ok(()) };
    let mut change = KeyChange::at(0);
    change.last = old.day.intervals.len().div_ceil(HOUR_INTERVALS);
    change.erase_also((start_s, hour_of(old, change.last).1));
    enqueue_key(connection, point, Span::Interval, date, change, now_ms)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use chrono::NaiveDate;
    use steward_model::{IntervalQuality, LedgerDay, PointId, PriceRun};

    use super::*;

    fn day(amounts: &[Option<i64>], factor_set: &str) -> StoredDay {
        let interval = |amount: &Option<i64>| {
            amount.map(|amount_base| IntervalAmount {
                amount_base,
                quality: IntervalQuality::Measured,
            })
        };
        StoredDay {
            day: LedgerDay {
                point: PointId::new("p").unwrap(),
                date: NaiveDate::default(),
                start_s: 0,
                intervals: amounts.iter().map(interval).collect(),
            },
            carry: None,
            kgce_ug_per_base: Some(1),
            co2_ug_per_base: None,
            factor_set: factor_set.to_owned(),
            prices: Vec::new(),
            tariff_set: String::new(),
        }
    }

    #[test]
    fn only_changed_hours_wait_for_influxdb() {
        let change = |old: Option<&StoredDay>, new: &StoredDay| {
            change_of_day(old, new).map(|c| (c.first, c.last, c.erase))
        };
        let old = day(&[Some(1), Some(2), None, Some(4)], "a");
        assert_eq!(change(Some(&old), &old), None);
        let mut carried = old.clone();
        carried.carry = Some(crate::Carry {
            at_ms: steward_model::UtcMs(0),
            register_base: 7,
            manual: false,
        });
        assert_eq!(change(Some(&old), &carried), None);
        let grown = day(&[Some(1), Some(2), Some(3), Some(4)], "a");
        assert_eq!(change(Some(&old), &grown), Some((0, 0, None)));
        let shrunk = day(&[Some(1), None, None, Some(5)], "a");
        assert_eq!(change(Some(&old), &shrunk), Some((0, 0, Some((0, 3_600)))));
        let mut longer = old.day.intervals.clone();
        longer.extend([None, None, None, None, longer[0]]);
        let mut second_day = old.clone();
        second_day.day.intervals = longer;
        assert_eq!(change(Some(&old), &second_day), Some((2, 2, None)));
        let other_factors = day(&[Some(1), Some(2), None, Some(4)], "b");
        assert_eq!(change(Some(&old), &other_factors), Some((0, 0, None)));
        assert_eq!(change(None, &old), Some((0, 0, None)));
    }

    #[test]
    fn hours_that_lose_a_figure_are_erased_first() {
        let change = |old: &StoredDay, new: &StoredDay| {
            change_of_day(Some(old), new).map(|c| (c.first, c.last, c.erase))
        };
        let bare = day(&[Some(1); 12], "a");
        let run = |intervals, ncny_per_base| PriceRun {
            intervals,
            ncny_per_base,
        };
        let priced = |prices: Vec<PriceRun>| StoredDay {
            prices,
            tariff_set: "t@2026-01-01".to_owned(),
            ..bare.clone()
        };
        let whole = priced(vec![run(12, Some(5))]);
        assert_eq!(change(&bare, &whole), Some((0, 2, None)));
        assert_eq!(change(&whole, &bare), Some((0, 2, Some((0, 10_800)))));
        let dearer = priced(vec![run(5, Some(5)), run(1, Some(6)), run(6, Some(5))]);
        assert_eq!(change(&whole, &dearer), Some((1, 1, None)));
        let open = priced(vec![run(8, Some(5)), run(4, None)]);
        assert_eq!(change(&whole, &open), Some((2, 2, Some((7_200, 10_800)))));
        // Another way to write the same prices changes nothing that is sent.
        let split = priced(vec![run(6, Some(5)), run(6, Some(5))]);
        assert_eq!(change(&whole, &split), None);
        let mut no_coal = whole.clone();
        no_coal.kgce_ug_per_base = None;
        assert_eq!(change(&whole, &no_coal), Some((0, 2, Some((0, 10_800)))));
    }
}
