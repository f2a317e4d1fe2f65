//! Findings and fills: what the ledger says about its own making.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row};
use steward_model::{
    Evidence, Fill, FillRule, Finding, FindingKind, FindingState, MeterId, PointId, Quantity, UtcMs,
};

use super::days::{date_number, date_of};
use super::names::{self, Names};
use crate::{FindingFilter, FindingStates, FoundIn, StoreError};

fn failed(step: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    StoreError::sqlite(step)
}

const COLUMNS: &str = "point.name, series, at, kind, until, held_out, state, event, \
    before_at, before, first_at, first, last_at, last, after_at, after, \
    modulus, resolution, rise_max, flowed \
    FROM finding JOIN point ON point.id = finding.point";

const BY_RULE: i64 = 0;
const OPEN: i64 = 1;
const DECIDED: i64 = 2;

/// Replaces what begins in a stretch of a point. What is equal to what is there is not written.
pub(super) fn replace(
    connection: &Connection,
    names: &mut Names,
    found: &FoundIn,
) -> Result<(), StoreError> {
    let is_within = |at: UtcMs| found.from <= at && at < found.to;
    let findings_fit = |one: &Finding| one.point == found.point && is_within(one.at);
    if !found.findings.iter().all(findings_fit) {
        return Err(StoreError::Range("a finding beside its stretch"));
    }
    let first = |fill: &Fill| UtcMs(fill.from.0.saturating_add(1));
    if !found.fills.iter().all(|fill| is_within(first(fill))) {
        return Err(StoreError::Range("a fill beside its stretch"));
    }
    let mut findings = Vec::with_capacity(found.findings.len());
    for one in &found.findings {
        let series = names.series_or_new(connection, &one.meter, one.quantity)?;
        findings.push((series, one));
    }
    findings.sort_by_key(|(series, one)| (one.at, *series, kind_code(one.kind)));
    let mut fills: Vec<&Fill> = found.fills.iter().collect();
    fills.sort_by_key(|fill| (fill.from, fill.to));

    let point = names::point_or_new(connection, &found.point)?;
    let stretch = (point, found.from.0, found.to.0);
    let known = findings_between(connection, names, "at >= ?2 AND at < ?3", stretch)?;
    if !known.iter().eq(findings.iter().map(|(_, one)| *one)) {
        let delete = "DELETE FROM finding WHERE point = ?1 AND at >= ?2 AND at < ?3";
        execute(connection, delete, stretch)?;
        for (series, one) in findings {
            insert_finding(connection, point, series, one)?;
        }
    }
    let stretch = (
        point,
        found.from.0.saturating_sub(1),
        found.to.0.saturating_sub(1),
    );
    let known = fills_between(connection, "from_ms >= ?2 AND from_ms < ?3", stretch)?;
    if !known.iter().eq(fills.iter().copied()) {
        let delete = "DELETE FROM fill WHERE point = ?1 AND from_ms >= ?2 AND from_ms < ?3";
        execute(connection, delete, stretch)?;
        for fill in fills {
            insert_fill(connection, point, fill)?;
        }
    }
    Ok(())
}

fn execute(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(parameters))
        .map(drop)
        .map_err(failed("write what the ledger found"))
}

fn insert_finding(
    connection: &Connection,
    point: i64,
    series: i64,
    finding: &Finding,
) -> Result<(), StoreError> {
    let whole = |number: u64| i64::try_from(number).map_err(|_| StoreError::Range("a finding"));
    let (state, event) = match finding.state {
        FindingState::ByRule => (BY_RULE, None),
        FindingState::Open => (OPEN, None),
        FindingState::Decided(event) => (DECIDED, Some(whole(event)?)),
    };
    let evidence = &finding.evidence;
    execute(
        connection,
        "INSERT OR REPLACE INTO finding VALUES \
         (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        rusqlite::params![
            point,
            finding.at.0,
            series,
            kind_code(finding.kind),
            finding.until.0,
            whole(finding.held_out)?,
            state,
            event,
            evidence.before.map(|(at, _)| at.0),
            evidence.before.map(|(_, value)| value),
            evidence.first.0.0,
            evidence.first.1,
            evidence.last.0.0,
            evidence.last.1,
            evidence.after.map(|(at, _)| at.0),
            evidence.after.map(|(_, value)| value),
            evidence.modulus,
            evidence.resolution,
            evidence.rise_max,
            evidence.flowed,
        ],
    )
}

fn insert_fill(connection: &Connection, point: i64, fill: &Fill) -> Result<(), StoreError> {
    let (rule, days, basis, by_temperature) = match fill.rule {
        FillRule::Even { days_found } => (0, days_found, None, false),
        FillRule::Shape {
            basis_from,
            basis_to,
            days,
            by_temperature,
        } => (1, days, Some((basis_from, basis_to)), by_temperature),
    };
    execute(
        connection,
        "INSERT OR REPLACE INTO fill VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        (
            point,
            fill.from.0,
            fill.to.0,
            fill.amount_base,
            rule,
            days,
            basis.map(|(from, _)| date_number(from)),
            basis.map(|(_, to)| date_number(to)),
            by_temperature,
        ),
    )
}

fn kind_code(kind: FindingKind) -> i64 {
    let position = FindingKind::ALL.iter().position(|known| *known == kind);
    position
        .and_then(|code| i64::try_from(code).ok())
        .unwrap_or(i64::MAX)
}

fn kind_of(code: i64) -> Result<FindingKind, StoreError> {
    usize::try_from(code)
        .ok()
        .and_then(|code| FindingKind::ALL.get(code).copied())
        .ok_or_else(|| StoreError::Damaged(format!("{code} is no kind of finding")))
}

/// Reads a row of [`COLUMNS`].
fn finding(names: &Names, row: &Row<'_>) -> rusqlite::Result<Result<Finding, StoreError>> {
    let optional = |at: usize| -> rusqlite::Result<Option<(UtcMs, f64)>> {
        let (at, value): (Option<i64>, Option<f64>) = (row.get(at)?, row.get(at + 1)?);
        Ok(at.map(UtcMs).zip(value))
    };
    let evidence = Evidence {
        before: optional(8)?,
        first: (UtcMs(row.get(10)?), row.get(11)?),
        last: (UtcMs(row.get(12)?), row.get(13)?),
        after: optional(14)?,
        modulus: row.get(16)?,
        resolution: row.get(17)?,
        rise_max: row.get(18)?,
        flowed: row.get(19)?,
    };
    let (name, series): (String, i64) = (row.get(0)?, row.get(1)?);
    let (at, until) = (UtcMs(row.get(2)?), UtcMs(row.get(4)?));
    let (kind, held_out): (i64, i64) = (row.get(3)?, row.get(5)?);
    let state: (i64, Option<i64>) = (row.get(6)?, row.get(7)?);
    let of_row = || {
        let (meter, quantity) = names
            .name(series)
            .ok_or_else(|| StoreError::Damaged(format!("series {series} has no name")))?;
        Ok(Finding {
            point: point_of(&name)?,
            meter: meter.clone(),
            quantity: *quantity,
            at,
            until,
            held_out: held_out.unsigned_abs(),
            kind: kind_of(kind)?,
            state: match state {
                (BY_RULE, _) => FindingState::ByRule,
                (OPEN, _) => FindingState::Open,
                (DECIDED, Some(event)) => FindingState::Decided(event.unsigned_abs()),
                (code, _) => {
                    let text = format!("{code} is no state of a finding");
                    return Err(StoreError::Damaged(text));
                }
            },
            evidence,
        })
    };
    Ok(of_row())
}

fn point_of(name: &str) -> Result<PointId, StoreError> {
    PointId::new(name).map_err(|error| StoreError::Damaged(error.to_string()))
}

fn read<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
    each: impl FnMut(&Row<'_>) -> rusqlite::Result<Result<T, StoreError>>,
) -> Result<Vec<T>, StoreError> {
    let step = "read what the ledger found";
    let mut select = connection.prepare_cached(sql).map_err(failed(step))?;
    let rows = select.query_map(parameters, each).map_err(failed(step))?;
    rows.map(|row| row.map_err(failed(step))?).collect()
}

fn findings_between(
    connection: &Connection,
    names: &Names,
    times: &str,
    stretch: (i64, i64, i64),
) -> Result<Vec<Finding>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} WHERE finding.point = ?1 AND {times} ORDER BY at, series, kind");
    read(connection, &sql, stretch, |row| finding(names, row))
}

fn fills_between(
    connection: &Connection,
    times: &str,
    stretch: (i64, i64, i64),
) -> Result<Vec<Fill>, StoreError> {
    let sql = format!(
        "SELECT from_ms, to_ms, amount, rule, days, basis_from, basis_to, by_temperature \
         FROM fill WHERE point = ?1 AND {times} ORDER BY from_ms, to_ms"
    );
    read(connection, &sql, stretch, |row| {
        let (rule, days): (i64, u16) = (row.get(3)?, row.get(4)?);
        let basis: (Option<i64>, Option<i64>) = (row.get(5)?, row.get(6)?);
        let by_temperature = row.get(7)?;
        let (from, to, amount_base) = (UtcMs(row.get(0)?), UtcMs(row.get(1)?), row.get(2)?);
        let rule_of = || match (rule, basis) {
            (0, _) => Ok(FillRule::Even { days_found: days }),
            (1, (Some(basis_from), Some(basis_to))) => Ok(FillRule::Shape {
                basis_from: date_of(basis_from)?,
                basis_to: date_of(basis_to)?,
                days,
                by_temperature,
            }),
            _ => Err(StoreError::Damaged(format!("{rule} is no rule of a fill"))),
        };
        Ok(rule_of().map(|rule| Fill {
            from,
            to,
            amount_base,
            rule,
        }))
    })
}

/// Findings of a point of which a part lies in `[from, to)`, ascending.
pub(super) fn findings_of(
    connection: &Connection,
    names: &Names,
    point: &PointId,
    from: UtcMs,
    to: UtcMs,
) -> Result<Vec<Finding>, StoreError> {
    let Some(point) = names::point(connection, point)? else {
        return Ok(Vec::new());
    };
    let stretch = (point, from.0, to.0);
    findings_between(connection, names, "until >= ?2 AND at < ?3", stretch)
}

/// Fills of a point of which a part lies in `[from, to)`, ascending.
pub(super) fn fills_of(
    connection: &Connection,
    point: &PointId,
    from: UtcMs,
    to: UtcMs,
) -> Result<Vec<Fill>, StoreError> {
    let Some(point) = names::point(connection, point)? else {
        return Ok(Vec::new());
    };
    let stretch = (point, from.0, to.0);
    fills_between(connection, "to_ms > ?2 AND from_ms < ?3", stretch)
}

/// The findings that a filter asks for, by time.
pub(super) fn filtered(
    connection: &Connection,
    names: &Names,
    filter: &FindingFilter,
) -> Result<Vec<Finding>, StoreError> {
    let point = match &filter.point {
        None => None,
        Some(point) => match names::point(connection, point)? {
            None => return Ok(Vec::new()),
            point => point,
        },
    };
    let needs = [
        ("finding.point =", point),
        ("kind =", filter.kind.map(kind_code)),
        ("until >=", filter.from.map(|from| from.0)),
        ("at <", filter.to.map(|to| to.0)),
    ];
    // The state is spelt out, so that the index of open findings is used.
    let mut conditions = vec![match filter.states {
        FindingStates::All => "true".to_owned(),
        FindingStates::Open => format!("state = {OPEN}"),
        FindingStates::Decided => format!("state = {DECIDED}"),
        FindingStates::ByRule => format!("state = {BY_RULE}"),
    }];
    let mut values: Vec<Value> = Vec::new();
    for (condition, value) in needs {
        if let Some(value) = value {
            values.push(value.into());
            conditions.push(format!("{condition} ?{}", values.len()));
        }
    }
    if let Some(meter) = &filter.meter {
        let series: Vec<String> = names
            .of_meter(meter)
            .iter()
            .map(|(_, number)| number.to_string())
            .collect();
        conditions.push(format!("series IN ({})", series.join(", ")));
    }
    let limit = filter
        .limit
        .map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let sql = format!(
        "SELECT {COLUMNS} WHERE {} ORDER BY at, point.name, series, kind LIMIT {limit}",
        conditions.join(" AND ")
    );
    let parameters = rusqlite::params_from_iter(values);
    read(connection, &sql, parameters, |row| finding(names, row))
}

/// The finding that begins with a reading of a series: where there are two, the one that waits.
pub(super) fn one(
    connection: &Connection,
    names: &Names,
    meter: &MeterId,
    quantity: Quantity,
    at: UtcMs,
) -> Result<Option<Finding>, StoreError> {
    let Some(series) = names.series(meter, quantity) else {
        return Ok(None);
    };
    let sql = format!(
        "SELECT {COLUMNS} WHERE series = ?1 AND at = ?2 \
         ORDER BY state <> {OPEN}, state <> {DECIDED}, kind LIMIT 1"
    );
    connection
        .prepare_cached(&sql)
        .and_then(|mut select| {
            select
                .query_row((series, at.0), |row| finding(names, row))
                .optional()
        })
        .map_err(failed("read a finding"))?
        .transpose()
}

/// How many findings wait for a person, by point.
pub(super) fn open_by_point(connection: &Connection) -> Result<BTreeMap<PointId, u64>, StoreError> {
    let sql = format!(
        "SELECT point.name, count(*) FROM finding JOIN point ON point.id = finding.point \
         WHERE state = {OPEN} GROUP BY finding.point ORDER BY point.name"
    );
    let counts = read(connection, &sql, [], |row| {
        let (name, count): (String, i64) = (row.get(0)?, row.get(1)?);
        Ok(point_of(&name).map(|point| (point, count.unsigned_abs())))
    })?;
    Ok(counts.into_iter().collect())
}
