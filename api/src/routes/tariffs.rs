//! Tariffs and accounts, as they are configured.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use steward_config::tariff::QUARTERS;
use steward_config::{
    Account as Configured, Band, DemandBasis, Schedule as Scheduled, Tariff as Dated,
    TariffVersion as Version,
};

use crate::params::Params;
use crate::problem::Problem;
use crate::state::App;
use crate::views::{
    Account, AccountTariff, BandPrice, BandRun, Demand, PowerFactor, PowerFactorStep, Schedule,
    Surcharge, Tariff, TariffVersion, Tariffs, TierStep, Tiers, cny,
};

/// Dated tariffs 电价水价气价 and the accounts 户号 that pay by them.
#[utoipa::path(get, path = "/api/v1/tariffs", tag = "money",
    responses((status = 200, body = Tariffs)))]
pub(crate) async fn tariffs(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Tariffs>, Problem> {
    Params::of(&uri, &[])?;
    let tariffs = &app.config().tariffs;
    Ok(Json(Tariffs {
        tariffs: tariffs.all.values().map(tariff).collect(),
        accounts: tariffs.accounts.values().map(account).collect(),
    }))
}

fn tariff(tariff: &Dated) -> Tariff {
    let per_unit = tariff.commodity.base_per_unit();
    Tariff {
        id: tariff.id.clone(),
        name_zh: tariff.name_zh.clone(),
        name_en: tariff.name_en.clone(),
        commodity: tariff.commodity.id().to_owned(),
        unit: tariff.commodity.unit().to_owned(),
        versions: tariff
            .versions
            .iter()
            .map(|one| version(one, per_unit))
            .collect(),
    }
}

fn version(version: &Version, per_unit: i64) -> TariffVersion {
    let tiers = version.tiers.as_ref().map(|tiers| Tiers {
        yearly: tiers.yearly,
        steps: tiers
            .steps
            .iter()
            .map(|step| TierStep {
                from: step.from_base as f64 / per_unit as f64,
                extra_cny: step.extra.cny.to_string(),
            })
            .collect(),
    });
    let demand = version.demand.as_ref().map(|demand| Demand {
        cny_per_kw_month: demand.cny_per_kw_month.map(|price| price.to_string()),
        cny_per_kva_month: demand.cny_per_kva_month.map(|price| price.to_string()),
        window_min: demand.window_min,
    });
    let power_factor = version.power_factor.as_ref().map(|rule| PowerFactor {
        standard: rule.standard.to_string(),
        table: rule
            .table
            .iter()
            .map(|(from, change)| PowerFactorStep {
                from: from.to_string(),
                change: change.to_string(),
            })
            .collect(),
    });
    let surcharges = version.surcharges.iter().map(|surcharge| Surcharge {
        name_zh: surcharge.name_zh.clone(),
        name_en: surcharge.name_en.clone(),
        cny: surcharge.price.cny.to_string(),
    });
    TariffVersion {
        from: version.from.to_string(),
        to: version.to.map(|date| date.to_string()),
        source: version.source.clone(),
        confidence: version.confidence.to_string(),
        schedules: version.schedules.iter().map(schedule).collect(),
        energy: energy(version, per_unit),
        surcharges: surcharges.collect(),
        tiers,
        demand,
        power_factor,
        fixed_cny_month: version.fixed_cny_month.to_string(),
    }
}

fn energy(version: &Version, per_unit: i64) -> Vec<BandPrice> {
    let with_surcharges = |band: Band| {
        let ncny = version.ncny_per_base(band)?;
        cny(i128::from(ncny) * i128::from(per_unit))
    };
    let priced = Band::ALL.into_iter().filter_map(|band| {
        let price = version.energy.get(&band)?;
        Some(BandPrice {
            band: band.id().to_owned(),
            name_zh: band.name_zh().to_owned(),
            name_en: band.name_en().to_owned(),
            cny: price.cny.to_string(),
            cny_with_surcharges: with_surcharges(band)?,
        })
    });
    priced.collect()
}

fn schedule(schedule: &Scheduled) -> Schedule {
    let mut runs: Vec<BandRun> = Vec::new();
    let mut quarter = 0;
    for run in schedule.bands.chunk_by(|a, b| a == b) {
        let end = quarter + run.len();
        runs.push(BandRun {
            from: clock(quarter),
            to: clock(end),
            band: run.first().copied().map_or("", Band::id).to_owned(),
        });
        quarter = end;
    }
    debug_assert_eq!(quarter, QUARTERS);
    Schedule {
        months: schedule.months.clone(),
        days: schedule
            .days
            .iter()
            .map(|kind| kind.id().to_owned())
            .collect(),
        runs,
    }
}

/// The local time at which a quarter of the day begins.
fn clock(quarter: usize) -> String {
    format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15)
}

fn account(account: &Configured) -> Account {
    let (demand, capacity) = match account.demand {
        DemandBasis::None => ("none", None),
        DemandBasis::MaximumDemand => ("maximum_demand", None),
        DemandBasis::Capacity(kva) => ("capacity", Some(kva.to_string())),
    };
    Account {
        id: account.id.clone(),
        institution: account.institution.to_string(),
        number: account.number.clone(),
        supplier: account.supplier.clone(),
        commodity: account.commodity.id().to_owned(),
        points: account.points.iter().map(ToString::to_string).collect(),
        tariffs: account
            .tariffs
            .iter()
            .map(|dated| AccountTariff {
                tariff: dated.value.clone(),
                from: dated.from.to_string(),
                to: dated.to.map(|date| date.to_string()),
            })
            .collect(),
        demand: demand.to_owned(),
        capacity_kva: capacity,
    }
}

#[cfg(test)]
mod tests {
    use steward_config::DayKind;

    use super::*;

    #[test]
    fn the_bands_of_a_day_are_told_as_runs() {
        let mut bands = [Band::Flat; QUARTERS];
        bands[..32].fill(Band::Valley);
        bands[34..40].fill(Band::Sharp);
        let told = schedule(&Scheduled {
            months: vec![7, 8],
            days: vec![DayKind::Workday],
            bands,
        });
        let runs: Vec<(&str, &str, &str)> = told
            .runs
            .iter()
            .map(|run| (run.from.as_str(), run.to.as_str(), run.band.as_str()))
            .collect();
        let expected = [
            ("00:00", "08:00", "valley"),
            ("08:00", "08:30", "flat"),
            ("08:30", "10:00", "sharp"),
            ("10:00", "24:00", "flat"),
        ];
        assert_eq!(runs, expected);
        assert_eq!(told.days, ["workday"]);
    }
}
