//! Composes the report. Pure: the same facts give the same report.

use steward_config::{BudgetMetric, CoalBasis, Config, Dated, Extent, Factor, FactorKind};
use steward_model::time::{next_period_date, period_date};
use steward_model::{Commodity, InstitutionId, LedgerRow, Shares, Span, UtcMs};

use chrono_tz::Tz;

use crate::budget::budget_statuses;
use crate::figure::{Figure, Months};
use crate::hash::content_sha256;
use crate::names;
use crate::numbers::{amount, kg, quality, share_of, shares_of_whole};
use crate::report::{
    BudgetLine, CommodityReport, Comparison, FactorEntry, Measure, Missing, MonthlyReport, Part,
    ReportExtent, ReportInstitution, SCHEMA, Totals,
};
use crate::rollup::{RollUp, Sum};
use crate::scope::{By, Group, REST, Scope, groups, zone_of};
use crate::{Facts, Month, ReportError};

/// A month of which less was metered is no base: half a month of a new meter is not a rise of 100 %.
const COMPARED_COVERAGE_MIN: f64 = 0.95;

/// Month starts of different zones are at most a day and two hours apart.
const ZONES_APART_MAX_S: i64 = 26 * 3_600;

/// Composes the report of an institution's month. `generated_at` says when this copy is made; of a
/// month that is over, nothing else depends on it.
pub fn compose(
    config: &Config,
    institution: &InstitutionId,
    month: Month,
    facts: &Facts,
    generated_at: UtcMs,
) -> Result<MonthlyReport, ReportError> {
    let unknown = || ReportError::UnknownInstitution(institution.to_string());
    let registered = config
        .registry
        .institutions
        .get(institution)
        .ok_or_else(unknown)?;
    let scope = Scope::Institution(institution.clone());
    let zone = zone_of(config, &scope);
    let (from_s, to_s) = (month.start_s(zone), month.later(1).start_s(zone));
    let now_s = generated_at.seconds_floor();
    if now_s < from_s {
        return Err(ReportError::NotBegun(month));
    }
    let composer = Composer {
        config,
        scope,
        zone,
        month,
        month_over: now_s >= to_s,
        now: generated_at,
        as_of: UtcMs(generated_at.0.min(to_s.saturating_mul(1_000))),
        rows: &facts.rows,
        extent: extent(&registered.extents, month),
    };
    let (commodities, totals, factors) = composer.commodities();
    let instant = |at_s: i64| {
        UtcMs(at_s.saturating_mul(1_000))
            .to_datetime()
            .with_timezone(&zone)
            .to_rfc3339()
    };
    let mut report = MonthlyReport {
        schema: SCHEMA.to_owned(),
        institution: ReportInstitution {
            id: registered.id.to_string(),
            name_zh: registered.name_zh.clone(),
            name_en: registered.name_en.clone(),
            province: registered.province.clone(),
            region: registered.region.clone(),
        },
        month: month.to_string(),
        timezone: zone.name().to_owned(),
        from: instant(from_s),
        to: instant(to_s),
        month_over: composer.month_over,
        coal_basis: match config.settings.coal_basis {
            CoalBasis::Calorific => "calorific".to_owned(),
            CoalBasis::Equivalent => "equivalent".to_owned(),
        },
        extent: composer.extent.clone(),
        totals,
        commodities,
        budgets: composer.budgets(),
        factors,
        generated_at: instant(now_s),
        content_sha256: String::new(),
    };
    let render = |error: serde_json::Error| ReportError::Render(error.into());
    report.content_sha256 = content_sha256(&serde_json::to_value(&report).map_err(render)?);
    Ok(report)
}

struct Composer<'a> {
    config: &'a Config,
    scope: Scope,
    zone: Tz,
    month: Month,
    month_over: bool,
    now: UtcMs,
    /// Now, or the end of the month once it is over: what budgets are judged at.
    as_of: UtcMs,
    rows: &'a [LedgerRow],
    extent: ReportExtent,
}

impl Composer<'_> {
    /// The sums of groups in one month, and the factors that they used.
    fn sums(&self, groups: &[Group], month: Month) -> (Vec<Option<Sum>>, Vec<String>) {
        let start_s = month.start_s(self.zone);
        let near = |row: &&LedgerRow| (row.start_s - start_s).abs() <= ZONES_APART_MAX_S;
        let rows: Vec<LedgerRow> = self.rows.iter().filter(near).cloned().collect();
        let mut roll_up = RollUp::new(self.config, groups, Span::Month, self.zone, self.now);
        roll_up.add(&rows);
        let (cells, factors) = roll_up.finish();
        let mut sums = vec![None; groups.len()];
        for cell in cells {
            if let Some(sum) = sums.get_mut(cell.group) {
                *sum = Some(cell.sum);
            }
        }
        (sums, factors)
    }

    fn commodities(&self) -> (Vec<CommodityReport>, Totals, Vec<FactorEntry>) {
        let mut commodities = Vec::new();
        let mut factor_ids: Vec<String> = Vec::new();
        let mut total = Months::default();
        let mut total_shares = [0_i128; 3];
        for commodity in Commodity::ALL {
            let whole = groups(&self.config.registry, &self.scope, commodity, None);
            if whole.iter().all(|group| group.plus.is_empty()) {
                continue;
            }
            let (this, factors) = self.sums(&whole, self.month);
            let one = |sums: Vec<Option<Sum>>| sums.into_iter().next().flatten();
            let months = Months {
                this: one(this),
                last: one(self.sums(&whole, self.month.earlier(1)).0),
                last_year: one(self.sums(&whole, self.month.earlier(12)).0),
            };
            if commodity != Commodity::SolarGeneration {
                total.add(&months);
                add_weighted(&mut total_shares, months.this.as_ref());
            }
            factor_ids.extend(factors.iter().cloned());
            commodities.push(self.commodity(commodity, &months, factors));
        }
        let factors = used_factors(self.config, &factor_ids);
        (commodities, self.totals(&total, total_shares), factors)
    }

    fn totals(&self, total: &Months, shares: [i128; 3]) -> Totals {
        let shares = Shares {
            // Micrograms to grams: shares need no more, and grams fit.
            measured_base: i64::try_from(shares[0] / 1_000_000).unwrap_or(i64::MAX),
            interpolated_base: i64::try_from(shares[1] / 1_000_000).unwrap_or(i64::MAX),
            estimated_base: i64::try_from(shares[2] / 1_000_000).unwrap_or(i64::MAX),
        };
        Totals {
            kgce: self.measure(Figure::Kgce, total),
            co2_kg: self.measure(Figure::Co2, total),
            quality: quality(&shares),
            coverage: total.this.as_ref().and_then(Sum::coverage),
        }
    }

    fn commodity(
        &self,
        commodity: Commodity,
        months: &Months,
        factor_ids: Vec<String>,
    ) -> CommodityReport {
        let this = months.this.as_ref();
        CommodityReport {
            commodity: commodity.id().to_owned(),
            name_zh: commodity.name_zh().to_owned(),
            name_en: commodity.name_en().to_owned(),
            bought: commodity != Commodity::SolarGeneration,
            base_unit: commodity.base_unit().symbol().to_owned(),
            amount_base: this.map(|sum| sum.amount_base),
            amount: self.measure(Figure::Amount(commodity), months),
            kgce: self.measure(Figure::Kgce, months),
            co2_kg: self.measure(Figure::Co2, months),
            quality: this.and_then(|sum| quality(&sum.shares)),
            coverage: this.and_then(Sum::coverage),
            factor_ids,
            buildings: self.parts(commodity, By::Building),
            subitems: self.subitems(commodity),
        }
    }

    /// Nothing where no sub-item is metered: a rest alone explains nothing.
    fn subitems(&self, commodity: Commodity) -> Vec<Part> {
        let parts = self.parts(commodity, By::Subitem);
        if parts.iter().all(|part| part.key == REST) {
            Vec::new()
        } else {
            parts
        }
    }

    fn parts(&self, commodity: Commodity, by: By) -> Vec<Part> {
        let groups = groups(&self.config.registry, &self.scope, commodity, Some(by));
        let (sums, _) = self.sums(&groups, self.month);
        let amounts: Vec<i128> = sums
            .iter()
            .flatten()
            .map(|sum| i128::from(sum.amount_base))
            .collect();
        let mut shares = shares_of_whole(&amounts).unwrap_or_default().into_iter();
        let named = groups.iter().zip(&sums);
        named
            .map(|(group, sum)| {
                let key = group.key.clone().unwrap_or_default();
                let (name_zh, name_en) = self.name_of(by, &key);
                let sum = sum.as_ref();
                Part {
                    key,
                    name_zh,
                    name_en,
                    amount_base: sum.map(|sum| sum.amount_base),
                    amount: sum.map(|sum| amount(commodity, sum.amount_base)),
                    share: sum.and_then(|_| shares.next()),
                    kgce: sum.and_then(|sum| sum.kgce_ug).map(kg),
                    co2_kg: sum.and_then(|sum| sum.co2_ug).map(kg),
                    quality: sum.and_then(|sum| quality(&sum.shares)),
                    coverage: sum.and_then(Sum::coverage),
                    missing: sum.is_none().then_some(Missing::NoData),
                }
            })
            .collect()
    }

    fn name_of(&self, by: By, key: &str) -> (String, String) {
        if by != By::Building {
            return names::subitem(key);
        }
        let building = self.config.registry.buildings.get(key);
        building.map_or_else(
            || (key.to_owned(), key.to_owned()),
            |building| (building.name_zh.clone(), building.name_en.clone()),
        )
    }

    fn measure(&self, figure: Figure, months: &Months) -> Measure {
        let raw = months.this.as_ref().and_then(|sum| figure.raw(sum));
        let missing = match (&months.this, raw) {
            (None, _) => Some(Missing::NoData),
            (Some(_), None) => Some(Missing::NotCounted),
            _ => self.extent.missing,
        };
        Measure {
            unit: figure.unit().to_owned(),
            value: raw.map(|raw| figure.number(raw)),
            per_m2: raw.and_then(|raw| figure.by(raw, self.extent.floor_area_m2)),
            per_person: raw.and_then(|raw| figure.by(raw, self.extent.energy_users)),
            against_last_month: self.compare(figure, raw, self.month.earlier(1), &months.last),
            against_last_year: self.compare(figure, raw, self.month.earlier(12), &months.last_year),
            missing,
        }
    }

    fn compare(
        &self,
        figure: Figure,
        raw: Option<i128>,
        month: Month,
        sum: &Option<Sum>,
    ) -> Comparison {
        let other = sum.as_ref().and_then(|sum| figure.raw(sum));
        let coverage = sum.as_ref().and_then(Sum::coverage);
        let incomplete = coverage.is_some_and(|coverage| coverage < COMPARED_COVERAGE_MIN);
        let change = raw
            .zip(other)
            .filter(|_| self.month_over && !incomplete)
            .map(|(raw, other)| raw - other);
        let change_share = change
            .zip(other)
            .and_then(|(change, other)| share_of(change, other));
        let missing = match (sum, other, raw) {
            (None, _, _) => Some(Missing::NoData),
            (Some(_), None, _) => Some(Missing::NotCounted),
            (_, _, None) => Some(Missing::NoData),
            _ if !self.month_over => Some(Missing::MonthNotOver),
            _ if incomplete => Some(Missing::BaseIncomplete),
            _ if change_share.is_none() => Some(Missing::ZeroBase),
            _ => None,
        };
        Comparison {
            month: month.to_string(),
            value: other.map(|other| figure.number(other)),
            change: change.map(|change| figure.number(change)),
            change_share,
            coverage,
            missing,
        }
    }

    fn budgets(&self) -> Vec<BudgetLine> {
        let year = self.month.year();
        let index = usize::try_from(self.month.number() - 1).unwrap_or(0);
        budget_statuses(self.config, &self.scope, year, self.rows, self.as_of)
            .into_iter()
            .filter_map(|year| {
                let month = year.months.get(index).cloned()?;
                // Energy has a price only where a tariff says so.
                let is_cost = year.metric == BudgetMetric::CostYuan.id();
                let reason = if is_cost {
                    Missing::NoTariff
                } else {
                    Missing::NoData
                };
                let missing = month.used.is_none().then_some(reason);
                Some(BudgetLine {
                    month,
                    year,
                    missing,
                })
            })
            .collect()
    }
}

/// The configured factors with these ids, of the kinds that figures are made with: an id may name
/// both conventions of standard coal.
pub fn used_factors(config: &Config, ids: &[String]) -> Vec<FactorEntry> {
    let other = match config.settings.coal_basis {
        CoalBasis::Calorific => FactorKind::CoalEquivalent,
        CoalBasis::Equivalent => FactorKind::CoalCalorific,
    };
    let used = |factor: &&Factor| factor.kind != other && ids.contains(&factor.id);
    config
        .factors
        .all
        .iter()
        .filter(used)
        .map(FactorEntry::new)
        .collect()
}

/// Adds a commodity's quality shares, weighted by its standard coal.
fn add_weighted(into: &mut [i128; 3], sum: Option<&Sum>) {
    let Some((sum, kgce_ug)) = sum.and_then(|sum| sum.kgce_ug.map(|kgce_ug| (sum, kgce_ug))) else {
        return;
    };
    let amount = i128::from(sum.amount_base);
    if amount <= 0 {
        return;
    }
    let parts = [
        sum.shares.measured_base,
        sum.shares.interpolated_base,
        sum.shares.estimated_base,
    ];
    for (into, part) in into.iter_mut().zip(parts) {
        *into += kgce_ug * i128::from(part) / amount;
    }
}

/// The extent of a month: the mean over its days; nothing where a day has none.
fn extent(extents: &[Dated<Extent>], month: Month) -> ReportExtent {
    let (mut days, mut area, mut users) = (0_u32, 0.0, 0_u64);
    let mut day = period_date(Span::Month, month.first());
    let end = next_period_date(Span::Month, day);
    while day < end {
        let Some(extent) = extents.iter().find(|extent| extent.holds_on(day)) else {
            return ReportExtent {
                floor_area_m2: None,
                energy_users: None,
                missing: Some(Missing::NoExtent),
            };
        };
        days += 1;
        area += extent.value.floor_area_m2;
        users += u64::from(extent.value.energy_users);
        day = next_period_date(Span::Day, day);
    }
    let mean = |sum: f64| (sum / f64::from(days) * 100.0).round() / 100.0;
    ReportExtent {
        floor_area_m2: Some(mean(area)),
        energy_users: Some(mean(users as f64)),
        missing: None,
    }
}
