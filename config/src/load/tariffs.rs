//! `tariffs/*.toml`: dated prices.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use steward_model::{BaseUnit, Commodity};

use super::{Site, dated, named, schedules};
use crate::calendar::DayKind;
use crate::error::{ConfigErrors, Located, Log, Problem};
use crate::fields::Fields;
use crate::parse;
use crate::registry::Dated;
use crate::shipped;
use crate::tariff::{
    Band, DemandCharge, PowerFactorRule, Price, QUARTERS, Schedule, Surcharge, Tariff,
    TariffVersion, TierStep, Tiers,
};
use crate::tree::{Document, Value};

const FOLDER: &str = "tariffs";
const NANO: i64 = 1_000_000_000;

/// Every shipped tariff.
pub fn shipped_tariffs() -> Result<BTreeMap<String, Tariff>, ConfigErrors> {
    let log = Log::default();
    let tariffs = named::shipped(FOLDER, shipped::TARIFFS, read, &log);
    log.settle(Some(tariffs))
}

/// Shipped tariffs and those of the site.
pub(super) fn collect(site: Site<'_>) -> BTreeMap<String, Tariff> {
    named::collect(site, FOLDER, shipped::TARIFFS, read)
}

/// The unit in which a file tells its prices.
#[derive(Clone, Copy)]
struct PerUnit {
    commodity: Commodity,
    /// Base units in the unit that is written.
    base: i64,
}

fn read(id: &str, document: &Document, log: &Log) -> Option<Tariff> {
    let top = Fields::document(document, log);
    let commodities = super::points::sold();
    let name_zh = top.need("name_zh", parse::text);
    let name_en = top.need("name_en", parse::text);
    // Without its commodity and unit nobody can say what a price is.
    let commodity = top.need("commodity", parse::one_of(&commodities))?.value;
    let base = top.need("unit", unit(commodity))?.value;
    let per = PerUnit { commodity, base };
    let tables = top.tables("version");
    if !top.has("version") {
        let hint = "a tariff has [[version]] tables".to_owned();
        top.missing("version", Some(hint));
    }
    top.finish();
    let read = tables.iter().filter_map(|table| version(table, per));
    let versions: Vec<_> = read.collect();
    let is_whole = versions.len() == tables.len() && !versions.is_empty();
    let versions = dated::in_order(log, versions, "version");
    dated::without_holes(log, &versions, "version");
    let dated = versions.into_iter().map(|one| TariffVersion {
        to: one.value.to,
        ..one.value.value
    });
    is_whole.then_some(())?;
    Some(Tariff {
        id: id.to_owned(),
        name_zh: name_zh?.value,
        name_en: name_en?.value,
        commodity,
        versions: dated.collect(),
    })
}

/// Units in which a commodity is sold, with their base units.
fn units(base: BaseUnit) -> &'static [(&'static str, i64)] {
    match base {
        BaseUnit::WattHour => &[("CNY/kWh", 1_000), ("CNY/MWh", 1_000_000)],
        BaseUnit::Litre => &[("CNY/m3", 1_000)],
        BaseUnit::Kilojoule => &[("CNY/GJ", 1_000_000), ("CNY/MJ", 1_000), ("CNY/kWh", 3_600)],
        BaseUnit::Gram => &[("CNY/t", 1_000_000), ("CNY/kg", 1_000)],
        BaseUnit::Millilitre => &[("CNY/L", 1_000)],
        // It is charged by the power factor, never by the kvarh.
        BaseUnit::VarHour => &[],
    }
}

fn unit(commodity: Commodity) -> impl Fn(&Value) -> Result<i64, Problem> {
    move |value| parse::one_of(units(commodity.base_unit()))(value)
}

impl PerUnit {
    /// A price, exactly: a whole number of nano-yuan per base unit.
    fn price(self, value: &Value) -> Result<Price, Problem> {
        let written = parse::decimal_from_zero(value)?;
        let base = Decimal::from(self.base);
        let ncny_per_base = written
            .checked_mul(Decimal::from(NANO))
            .and_then(|ncny| ncny.checked_div(base))
            .filter(Decimal::is_integer)
            .and_then(|ncny| ncny.to_i64())
            .ok_or_else(|| {
                let symbol = self.commodity.base_unit().symbol();
                Problem::new(format!("is no whole number of nano-yuan per {symbol}"))
                    .hint("the ledger is exact: write the price with fewer decimals")
            })?;
        let per_unit = Decimal::from(self.commodity.base_per_unit());
        let cny = (written * per_unit / base).normalize();
        Ok(Price { cny, ncny_per_base })
    }

    /// An amount in base units.
    fn amount(self, value: &Value) -> Result<i64, Problem> {
        let base = parse::decimal(value)?.checked_mul(Decimal::from(self.base));
        base.filter(|base| base.is_integer() && *base > Decimal::ZERO)
            .and_then(|base| base.to_i64())
            .ok_or_else(|| {
                let symbol = self.commodity.base_unit().symbol();
                Problem::new(format!("must be more than 0, in whole {symbol}"))
            })
    }
}

fn version(fields: &Fields<'_>, per: PerUnit) -> Option<Located<Dated<TariffVersion>>> {
    let from = fields.need("from", parse::date);
    let to = fields.read("to", parse::date).map(|to| to.value);
    let source = fields.need("source", parse::text);
    let confidence = fields.need("confidence", parse::one_of(&super::profiles::CONFIDENCE));
    let bands = energy(fields, per);
    let surcharges = surcharges(fields, per);
    let tiers = fields.table_if_any("tiers").map(|table| tiers(&table, per));
    let demand = fields.table_if_any("demand").map(|table| demand(&table));
    let power_factor = fields.table_if_any("power_factor");
    let power_factor = power_factor.map(|table| rule(&table));
    let fixed_cny_month = fields.or("fixed_cny_month", Decimal::ZERO, parse::decimal_from_zero);
    fields.finish();
    let (from, (schedules, energy)) = (from?, bands?);
    Some(Located {
        at: from.at,
        value: Dated {
            from: from.value,
            to,
            value: TariffVersion {
                from: from.value,
                to,
                source: source?.value,
                confidence: confidence?.value,
                schedules,
                energy,
                surcharges: surcharges?,
                tiers: whole(tiers)?,
                demand: whole(demand)?,
                power_factor: whole(power_factor)?,
                fixed_cny_month,
            },
        },
    })
}

/// What is absent is right, what is there and wrong is not.
fn whole<T>(part: Option<Option<T>>) -> Option<Option<T>> {
    match part {
        Some(part) => part.map(Some),
        None => Some(None),
    }
}

type Energy = (Vec<Schedule>, BTreeMap<Band, Price>);

/// `price`, or `energy` by bands and their `schedules`.
fn energy(fields: &Fields<'_>, per: PerUnit) -> Option<Energy> {
    let single = fields.read("price", |value| per.price(value));
    let table = fields.table_if_any("energy");
    let has_price = fields.has("price");
    if has_price || !fields.has("energy") {
        for key in ["energy", "schedules"] {
            if has_price && fields.has(key) {
                let problem = Problem::new("has no meaning beside price, which always holds");
                fields.log().report(&fields.at_of(key), problem);
                return None;
            }
        }
        if !has_price {
            let hint = "or energy = { peak = …, flat = … } and schedules".to_owned();
            fields.missing("price", Some(hint));
        }
        return Some(always(single?.value));
    }
    if !fields.has("schedules") {
        let hint = "they say when each band of energy holds".to_owned();
        fields.missing("schedules", Some(hint));
        return None;
    }
    let mut prices: BTreeMap<Band, Price> = BTreeMap::new();
    let mut is_right = true;
    let table = table?;
    let schedules = schedules::read(fields);
    for (key, at, item) in table.pairs() {
        let read = schedules::band(key).and_then(|band| Ok((band, per.price(&item.value)?)));
        let problem = match read {
            Ok((band, price)) => {
                prices.insert(band, price);
                let named = schedules.as_ref().map(|(_, named)| named);
                let is_used =
                    named.is_none_or(|named| named.iter().any(|other| other.value == band));
                (!is_used).then(|| Problem::new("no schedule names this band"))
            }
            Err(problem) => Some(problem),
        };
        if let Some(problem) = problem {
            fields.log().report(&at, problem);
            is_right = false;
        }
    }
    let (schedules, named) = schedules?;
    if is_right {
        for band in named {
            if !prices.contains_key(&band.value) {
                let problem = Problem::new("has no price in energy");
                fields.log().report(&band.at, problem);
                is_right = false;
            }
        }
    }
    is_right.then_some((schedules, prices))
}

/// One price at all times.
fn always(price: Price) -> Energy {
    let schedule = Schedule {
        months: (1..=12).collect(),
        days: vec![DayKind::Workday, DayKind::Restday, DayKind::Holiday],
        bands: [Band::Flat; QUARTERS],
    };
    (vec![schedule], BTreeMap::from([(Band::Flat, price)]))
}

fn surcharges(fields: &Fields<'_>, per: PerUnit) -> Option<Vec<Surcharge>> {
    let tables = fields.tables("surcharges");
    let read = tables.iter().map(|table| {
        let name_zh = table.need("name_zh", parse::text);
        let name_en = table.need("name_en", parse::text);
        let price = table.need("price", |value| per.price(value));
        table.finish();
        Some(Surcharge {
            name_zh: name_zh?.value,
            name_en: name_en?.value,
            price: price?.value,
        })
    });
    // All are read before the first wrong one is answered, so that each mistake is told.
    let read: Vec<Option<Surcharge>> = read.collect();
    read.into_iter().collect()
}

fn tiers(fields: &Fields<'_>, per: PerUnit) -> Option<Tiers> {
    let words = [("month", false), ("year", true)];
    let yearly = fields.need("per", parse::one_of(&words));
    let tables = fields.tables("steps");
    if tables.is_empty() {
        fields.missing(
            "steps",
            Some("such as [{ from = 2760, extra = 0.05 }]".to_owned()),
        );
    }
    fields.finish();
    let mut steps: Vec<TierStep> = Vec::new();
    for table in &tables {
        let from = table.need("from", |value| per.amount(value));
        let extra = table.need("extra", |value| per.price(value));
        table.finish();
        let (Some(from), Some(extra)) = (from, extra) else {
            continue;
        };
        if steps
            .last()
            .is_some_and(|last| last.from_base >= from.value)
        {
            let problem = Problem::new("must be greater than that of the step before");
            fields.log().report(&from.at, problem);
        }
        steps.push(TierStep {
            from_base: from.value,
            extra: extra.value,
        });
    }
    let is_whole = steps.len() == tables.len() && !steps.is_empty();
    let yearly = yearly?.value;
    is_whole.then_some(Tiers { yearly, steps })
}

fn demand(fields: &Fields<'_>) -> Option<DemandCharge> {
    let price = |key| fields.read(key, parse::decimal_from_zero);
    let per_kw = price("cny_per_kw_month");
    let per_kva = price("cny_per_kva_month");
    let has_any = fields.has("cny_per_kw_month") || fields.has("cny_per_kva_month");
    let window = fields.read("window_min", parse::integer(15..=60));
    fields.finish();
    if !has_any {
        let hint = "or cny_per_kva_month, or both".to_owned();
        fields.missing("cny_per_kw_month", Some(hint));
        return None;
    }
    if let Some(window) = window.as_ref().filter(|window| window.value % 15 != 0) {
        let problem = Problem::new("is no whole number of intervals").allowed("15, 30, 45, 60");
        fields.log().report(&window.at, problem);
    }
    Some(DemandCharge {
        cny_per_kw_month: per_kw.map(|price| price.value),
        cny_per_kva_month: per_kva.map(|price| price.value),
        window_min: window.map_or(15, |window| window.value),
    })
}

fn part(value: &Value) -> Result<Decimal, Problem> {
    let part = parse::decimal_from_zero(value)?;
    if part > Decimal::ONE {
        return Err(Problem::new("must be 0 to 1"));
    }
    Ok(part)
}

fn rule(fields: &Fields<'_>) -> Option<PowerFactorRule> {
    let standard = fields.need("standard", part);
    let table = fields.need("table", |value| {
        let rows = parse::list(parse::list(parse::decimal))(value)?;
        let rows = rows.into_iter().map(|row| match row.as_slice() {
            [factor, share] => Ok((*factor, *share)),
            _ => Err(Problem::new("must have rows of two numbers")
                .hint("[lowest power factor, part by which the bill changes]")),
        });
        let rows = rows.collect::<Result<Vec<_>, Problem>>()?;
        let is_falling = rows.windows(2).all(|pair| match pair {
            [(higher, _), (lower, _)] => higher > lower,
            _ => true,
        });
        let is_part = rows
            .iter()
            .all(|(factor, _)| *factor >= Decimal::ZERO && *factor <= Decimal::ONE);
        if !is_falling || !is_part {
            return Err(Problem::new(
                "must fall from the highest power factor, at most 1, to the lowest",
            ));
        }
        match rows.last() {
            Some((factor, _)) if factor.is_zero() => Ok(rows),
            _ => Err(Problem::new("must end with a row of power factor 0")
                .hint("a lower power factor would have no row")),
        }
    });
    fields.finish();
    Some(PowerFactorRule {
        standard: standard?.value,
        table: table?.value,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn price(commodity: Commodity, unit: &str, written: &str) -> Option<(String, i64)> {
        let base = units(commodity.base_unit());
        let (_, base) = base.iter().find(|(name, _)| *name == unit).unwrap();
        let per = PerUnit {
            commodity,
            base: *base,
        };
        let price = per.price(&Value::Float(written.to_owned())).ok()?;
        Some((price.cny.to_string(), price.ncny_per_base))
    }

    #[test]
    fn prices_are_whole_nano_yuan_and_told_per_the_unit_people_read() {
        use Commodity::{Electricity, Heat, Water};
        let told = |text: &str, ncny| Some((text.to_owned(), ncny));
        assert_eq!(
            price(Electricity, "CNY/kWh", "0.123456"),
            told("0.123456", 123_456)
        );
        assert_eq!(price(Electricity, "CNY/kWh", "0.1234567"), None);
        assert_eq!(
            price(Electricity, "CNY/MWh", "412.5"),
            told("0.4125", 412_500)
        );
        assert_eq!(price(Water, "CNY/m3", "4.35"), told("4.35", 4_350_000));
        assert_eq!(price(Heat, "CNY/GJ", "47.125"), told("47.125", 47_125));
        assert_eq!(price(Heat, "CNY/GJ", "47.1255"), None);
        assert_eq!(price(Heat, "CNY/kWh", "0.18"), told("50", 50_000));
        assert_eq!(price(Heat, "CNY/kWh", "0.19"), None);
    }
}
