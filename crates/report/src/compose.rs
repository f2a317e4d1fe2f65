//! Composes the report. Pure: the same facts give the same report.

use steward_config::{BudgetMetric, CoalBasis, Config, Dated, Extent, Factor, FactorKind};
use steward_model::time::{next_period_date, period_date};
use steward_model::{Commodity, InstitutionId, LedgerRow, Shares, Span, UtcMs};

use chrono_tz::Tz;

use crate::budget::budget_statuses;
use crate::close::thaw;
use crate::facts::Standing;
use crate::figure::{Figure, Months};
use crate::hash::content_sha256;
use crate::names;
use crate::numbers::{amount, kg, quality, share_of, shares_of_whole, yuan};
use crate::report::{
    BudgetLine, CommodityReport, Comparison, FactorEntry, Measure, Missing, MonthState,
    MonthlyReport, Part, ReportExtent, ReportInstitution, SCHEMA, Totals, used_tariffs,
};
use crate::rollup::{RollUp, Sum};
use crate::scope::{By, Group, REST, Scope, deducted, groups, zone_of};
use crate::{Facts, Month, ReportError};

/// A month of which less was metered is no base: half a month of a new meter is not a rise of 100 %.
const COMPARED_COVERAGE_MIN: f64 = 0.95;

/// Month starts of different zones are at most a day and two hours apart.
const ZONES_APART_MAX_S: i64 = 26 * 3_600;

/// Composes the report of an institution's month. `generated_at` says when this copy is made; of a
/// month that is over, nothing else depends on it. The report of a closed month is the frozen one.
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
    let instant = |at_s: i64| rfc3339(zone, UtcMs(at_s.saturating_mul(1_000)));
    if let Standing::Closed(frozen) = &facts.standing {
        return thaw(frozen, &instant(now_s));
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
        booked: &facts.booked,
        extent: extent(&registered.extents, month),
    };
    let (commodities, totals) = composer.commodities();
    let used = |ids: fn(&CommodityReport) -> &[String]| -> Vec<String> {
        commodities.iter().flat_map(ids).cloned().collect()
    };
    let factors = used_factors(config, &used(|one| &one.factor_ids));
    let tariffs = used_tariffs(config, &used(|one| &one.tariff_ids));
    let (state, close) = match &facts.standing {
        Standing::Provisional(close) => (MonthState::Provisional, Some(close.clone())),
        _ => (MonthState::Open, None),
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
        state,
        close,
        coal_basis: match config.settings.coal_basis {
            CoalBasis::Calorific => "calorific".to_owned(),
            CoalBasis::Equivalent => "equivalent".to_owned(),
        },
        extent: composer.extent.clone(),
        totals,
        commodities,
        budgets: composer.budgets(),
        factors,
        tariffs,
        adjustments: facts
            .adjustments
            .iter()
            .map(|line| line.entry(config, month, true))
            .collect(),
        generated_at: instant(now_s),
        content_sha256: String::new(),
    };
    let render = |error: serde_json::Error| ReportError::Render(error.into());
    report.content_sha256 = content_sha256(&serde_json::to_value(&report).map_err(render)?);
    Ok(report)
}

/// An instant as text in a zone.
pub(crate) fn rfc3339(zone: Tz, at: UtcMs) -> String {
    at.to_datetime().with_timezone(&zone).to_rfc3339()
}

/// Ids of the factors and tariff versions that a sum used.
#[derive(Default)]
struct Used {
    factors: Vec<String>,
    tariffs: Vec<String>,
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
    /// Adjustments as rows of the months in which they are booked.
    booked: &'a [LedgerRow],
    extent: ReportExtent,
}

impl Composer<'_> {
    /// The sums of groups in one month, and what they used.
    fn sums(&self, groups: &[Group], month: Month) -> (Vec<Option<Sum>>, Used) {
        let start_s = month.start_s(self.zone);
        let near = |row: &&LedgerRow| (row.start_s - start_s).abs() <= ZONES_APART_MAX_S;
        let rows: Vec<LedgerRow> = self.rows.iter().filter(near).cloned().collect();
        let mut roll_up = RollUp::new(self.config, groups, Span::Month, self.zone, self.now);
        roll_up.add(&rows);
        let tariffs = roll_up.tariffs();
        let (cells, factors) = roll_up.finish();
        let mut sums = vec![None; groups.len()];
        for cell in cells {
            if let Some(sum) = sums.get_mut(cell.group) {
                *sum = Some(cell.sum);
            }
        }
        (sums, Used { factors, tariffs })
    }

    fn commodities(&self) -> (Vec<CommodityReport>, Totals) {
        let mut commodities = Vec::new();
        let mut total = Months::default();
        let mut total_shares = [0_i128; 4];
        for commodity in Commodity::ALL {
            let whole = groups(&self.config.registry, &self.scope, commodity, None);
            if whole.iter().all(|group| group.plus.is_empty()) {
                continue;
            }
            let (this, used) = self.sums(&whole, self.month);
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
            commodities.push(self.commodity(commodity, &months, used));
        }
        (commodities, self.totals(&total, total_shares))
    }

    fn totals(&self, total: &Months, shares: [i128; 4]) -> Totals {
        // Micrograms to grams: shares need no more, and grams fit.
        let grams = shares.map(|ug| i64::try_from(ug / 1_000_000).unwrap_or(i64::MAX));
        let shares = Shares {
            measured_base: grams[0],
            interpolated_base: grams[1],
            estimated_base: grams[2],
            manual_base: grams[3],
        };
        Totals {
            kgce: self.measure(Figure::Kgce, total),
            co2_kg: self.measure(Figure::Co2, total),
            cost: self.measure(Figure::Cost, total),
            quality: quality(&shares),
            coverage: total.this.as_ref().and_then(Sum::coverage),
        }
    }

    fn commodity(&self, commodity: Commodity, months: &Months, used: Used) -> CommodityReport {
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
            cost: self.measure(Figure::Cost, months),
            quality: this.and_then(|sum| quality(&sum.shares)),
            coverage: this.and_then(Sum::coverage),
            factor_ids: used.factors,
            tariff_ids: used.tariffs,
            buildings: self.parts(commodity, By::Building),
            subitems: self.subitems(commodity),
            deducted: self.deducted(commodity),
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
        self.parts_of(commodity, &groups, |key| self.name_of(by, key))
    }

    /// What is rented out. Each has the whole amount of its own, and no share in what it is not in.
    fn deducted(&self, commodity: Commodity) -> Vec<Part> {
        let registry = &self.config.registry;
        let points = deducted(registry, &self.scope, commodity).into_iter();
        let groups: Vec<Group> = points
            .map(|id| Group {
                key: Some(id.to_string()),
                plus: vec![id],
                minus: Vec::new(),
            })
            .collect();
        let mut parts = self.parts_of(commodity, &groups, |key| {
            let point = registry.points.get(key);
            point.map_or_else(
                || (key.to_owned(), key.to_owned()),
                |point| (point.name_zh.clone(), point.name_en.clone()),
            )
        });
        for part in &mut parts {
            part.share = None;
        }
        parts
    }

    fn parts_of(
        &self,
        commodity: Commodity,
        groups: &[Group],
        name_of: impl Fn(&str) -> (String, String),
    ) -> Vec<Part> {
        let (sums, _) = self.sums(groups, self.month);
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
                let (name_zh, name_en) = name_of(&key);
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
                    cost_cny: sum.and_then(Sum::cost_ncny).map(yuan),
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
            (Some(_), None) => Some(figure.unknown()),
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
            (Some(_), None, _) => Some(figure.unknown()),
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
        let rows = [self.rows, self.booked].concat();
        budget_statuses(self.config, &self.scope, year, &rows, self.as_of)
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
fn add_weighted(into: &mut [i128; 4], sum: Option<&Sum>) {
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
        sum.shares.manual_base,
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
