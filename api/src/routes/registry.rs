//! What there is: institutions, buildings, points.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use steward_config::{Dated, Formula, Point as Registered};
use steward_model::PointId;
use steward_model::time::local_date;
use steward_report::{Scope, zone_of};

use crate::params::Params;
use crate::problem::Problem;
use crate::state::{App, zone_of_point};
use crate::views::{
    Building, Buildings, DatedFormula, Institution, Institutions, Point, Points, Site,
};

/// The institutions of the site 公共机构.
#[utoipa::path(get, path = "/api/v1/institutions", tag = "registry",
    responses((status = 200, body = Institutions)))]
pub(crate) async fn institutions(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Institutions>, Problem> {
    Params::of(&uri, &[])?;
    let config = app.config();
    let mut buildings: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for building in config.registry.buildings.values() {
        buildings
            .entry(building.institution.as_str())
            .or_default()
            .push(building.id.to_string());
    }
    let institutions = config.registry.institutions.values().map(|institution| {
        let zone = zone_of(config, &Scope::Institution(institution.id.clone()));
        let extent = app.extent_today(&institution.extents, zone);
        Institution {
            id: institution.id.to_string(),
            name_zh: institution.name_zh.clone(),
            name_en: institution.name_en.clone(),
            province: institution.province.clone(),
            region: institution.region.clone(),
            budget_pilot: institution.budget_pilot,
            floor_area_m2: extent.map(|extent| extent.floor_area_m2),
            energy_users: extent.map(|extent| extent.energy_users),
            timezone: zone.name().to_owned(),
            buildings: buildings
                .remove(institution.id.as_str())
                .unwrap_or_default(),
        }
    });
    let institutions = institutions.collect();
    let settings = &config.settings;
    let site = Site {
        id: settings.site.clone(),
        name_zh: settings.name_zh.clone(),
        name_en: settings.name_en.clone(),
        timezone: settings.zone.name().to_owned(),
    };
    Ok(Json(Institutions { site, institutions }))
}

/// Buildings, of one institution or all.
#[utoipa::path(get, path = "/api/v1/buildings", tag = "registry",
    params(("institution" = Option<String>, Query, description = "Only this institution's")),
    responses((status = 200, body = Buildings)))]
pub(crate) async fn buildings(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Buildings>, Problem> {
    let params = Params::of(&uri, &["institution"])?;
    let config = app.config();
    let institution = params.institution(config)?;
    let mut points: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for point in config.registry.points.values() {
        points
            .entry(point.building.as_str())
            .or_default()
            .push(point.id.to_string());
    }
    let asked = config.registry.buildings.values().filter(|building| {
        institution
            .as_ref()
            .is_none_or(|id| &building.institution == id)
    });
    let buildings = asked.map(|building| {
        let extent = app.extent_today(&building.extents, building.zone);
        Building {
            id: building.id.to_string(),
            name_zh: building.name_zh.clone(),
            name_en: building.name_en.clone(),
            institution: building.institution.to_string(),
            timezone: building.zone.name().to_owned(),
            floor_area_m2: extent.map(|extent| extent.floor_area_m2),
            energy_users: extent.map(|extent| extent.energy_users),
            points: points.remove(building.id.as_str()).unwrap_or_default(),
        }
    });
    Ok(Json(Buildings {
        buildings: buildings.collect(),
    }))
}

/// Points 计量点, of an institution, a building or all.
#[utoipa::path(get, path = "/api/v1/points", tag = "registry",
    params(
        ("institution" = Option<String>, Query, description = "Only this institution's"),
        ("building" = Option<String>, Query, description = "Only this building's"),
    ),
    responses((status = 200, body = Points)))]
pub(crate) async fn points(State(app): State<Arc<App>>, uri: Uri) -> Result<Json<Points>, Problem> {
    let params = Params::of(&uri, &["institution", "building"])?;
    let config = app.config();
    let (institution, building) = (params.institution(config)?, params.building(config)?);
    let mut meters: BTreeMap<&PointId, Vec<_>> = BTreeMap::new();
    for meter in config.registry.meters.values() {
        meters
            .entry(&meter.point)
            .or_default()
            .push((meter.from, meter.id.to_string()));
    }
    let mut points = Vec::new();
    for point in config.registry.points.values() {
        let owner = config
            .registry
            .institution_of(point)
            .map(|institution| &institution.id);
        let is_asked = institution.as_ref().is_none_or(|id| owner == Some(id))
            && building.as_ref().is_none_or(|id| &point.building == id);
        if !is_asked {
            continue;
        }
        let mut served = meters.remove(&point.id).unwrap_or_default();
        served.sort();
        points.push(Point {
            id: point.id.to_string(),
            name_zh: point.name_zh.clone(),
            name_en: point.name_en.clone(),
            building: point.building.to_string(),
            institution: owner.map(ToString::to_string).unwrap_or_default(),
            commodity: point.commodity.id().to_owned(),
            unit: point.commodity.unit().to_owned(),
            base_unit: point.commodity.base_unit().symbol().to_owned(),
            subitem: point.subitem.clone(),
            parent: point.parent.as_ref().map(ToString::to_string),
            role: point.role.id().to_owned(),
            counter: point.counter.id().to_owned(),
            metered_by: point.metered_by.as_ref().map(ToString::to_string),
            formula: formula_today(&app, point),
            formulas: point.formulas.iter().map(formula_view).collect(),
            meters: served.into_iter().map(|(_, id)| id).collect(),
        });
    }
    Ok(Json(Points { points }))
}

/// What a virtual point is made of today; the last formula where none holds today.
fn formula_today(app: &App, point: &Registered) -> Option<String> {
    let zone = zone_of_point(app.config(), &point.id);
    let today = local_date(zone, app.now().seconds_floor());
    let formulas = &point.formulas;
    let formula = formulas.iter().find(|formula| formula.holds_on(today));
    let formula = formula.or(formulas.last())?;
    Some(formula.value.text.clone())
}

fn formula_view(dated: &Dated<Formula>) -> DatedFormula {
    DatedFormula {
        from: dated.from.to_string(),
        to: dated.to.map(|date| date.to_string()),
        text: dated.value.text.clone(),
    }
}
