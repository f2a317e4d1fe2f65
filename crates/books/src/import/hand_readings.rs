//! A table of readings by hand.

use chrono::{DateTime, NaiveDateTime, TimeZone as _};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use steward_config::Config;
use steward_model::{MeterId, Quantity, Unit, UtcMs};

use super::cells::{Cells, Column, read};
use super::{Mistake, Row};
use crate::event::HandReading;

const COLUMNS: &[Column] = &[
    column("meter", &["表计", "表号"]),
    column("quantity", &["量"]),
    column("at", &["时间", "抄表时间"]),
    column("value", &["读数", "示数"]),
    column("unit", &["单位"]),
];

const fn column(name: &'static str, aliases: &'static [&'static str]) -> Column {
    Column {
        name,
        aliases,
        required: true,
    }
}

const AT: &str = "a time as 2026-09-01 08:30, local to the building, or 2026-09-01T08:30:00+08:00";

/// Reads a table of readings by hand: `meter, quantity, at, value, unit`. A time without offset is
/// local to the meter's building. The unit is asked for because a display shows kWh where the
/// books keep Wh.
pub fn parse_hand_readings(
    table: &str,
    config: &Config,
) -> Result<Vec<Row<HandReading>>, Vec<Mistake>> {
    read(table, COLUMNS, |cells| hand_reading(cells, config))
}

fn hand_reading(cells: &mut Cells<'_>, config: &Config) -> Option<HandReading> {
    // Every cell is read before the row is given up, so that all of its mistakes are told.
    let meter = meter(cells);
    let quantity = quantity(cells);
    let at = at(cells, config, meter.as_ref());
    let value = cells.decimal("value");
    let unit = cells.text("unit", "the unit of the value, such as kWh");
    let value = in_own_unit(cells, quantity?, value?, &unit?);
    Some(HandReading {
        meter: meter?,
        quantity: quantity?,
        at: at?,
        value: value?,
    })
}

fn meter(cells: &mut Cells<'_>) -> Option<MeterId> {
    let text = cells.text("meter", "the id of a meter")?;
    let meter = MeterId::new(&text).ok();
    if meter.is_none() {
        cells.mistake("meter", &text, "the id of a meter");
    }
    meter
}

fn quantity(cells: &mut Cells<'_>) -> Option<Quantity> {
    const EXPECTED: &str = "a register such as energy_import or volume";
    let text = cells.text("quantity", EXPECTED)?;
    let quantity = text.parse().ok();
    if quantity.is_none() {
        cells.mistake("quantity", &text, EXPECTED);
    }
    quantity
}

fn at(cells: &mut Cells<'_>, config: &Config, meter: Option<&MeterId>) -> Option<UtcMs> {
    let text = cells.text("at", AT)?;
    let at = instant(&text, zone_of(config, meter));
    if at.is_none() {
        cells.mistake("at", &text, AT);
    }
    at
}

fn zone_of(config: &Config, meter: Option<&MeterId>) -> Tz {
    let registry = &config.registry;
    meter
        .and_then(|meter| registry.meters.get(meter))
        .and_then(|meter| registry.points.get(&meter.point))
        .and_then(|point| registry.zone_of(point))
        .unwrap_or(config.settings.zone)
}

/// An instant with its own offset, or a local time that exists once.
fn instant(text: &str, zone: Tz) -> Option<UtcMs> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(UtcMs(time.timestamp_millis()));
    }
    let forms = [
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M",
    ];
    let local = forms
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    let time = zone.from_local_datetime(&local).single()?;
    Some(UtcMs(time.timestamp_millis()))
}

/// The value in the quantity's unit: the nearest float to the exact product.
fn in_own_unit(
    cells: &mut Cells<'_>,
    quantity: Quantity,
    value: Decimal,
    unit: &str,
) -> Option<f64> {
    let own = Unit::parse(unit).and_then(|unit| unit.factor_to(quantity));
    let factor = match own {
        Ok(factor) => factor,
        Err(error) => {
            cells.mistake("unit", unit, format!("a unit of {quantity}: {error}"));
            return None;
        }
    };
    let product = Decimal::try_from(factor)
        .ok()
        .and_then(|factor| value.checked_mul(factor))
        .and_then(|product| product.normalize().to_string().parse().ok());
    if product.is_none() {
        cells.mistake("value", &value.to_string(), "a register below 9e15");
    }
    product
}
