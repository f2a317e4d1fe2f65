//! Meters, how they answer and what they said last.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use steward_config::{CounterLimits, GatewayKind, Meter as Registered};
use steward_model::{MeterId, Quantity, Reading};

use crate::params::Params;
use crate::problem::Problem;
use crate::state::{App, rfc3339};
use crate::views::{Latest, Limits, Meter, Meters, RatioChange};

const PARAMETERS: &[&str] = &["institution", "building", "point"];

/// Meters 表计 with their state and last readings.
#[utoipa::path(get, path = "/api/v1/meters", tag = "registry",
    params(
        ("institution" = Option<String>, Query, description = "Only this institution's"),
        ("building" = Option<String>, Query, description = "Only this building's"),
        ("point" = Option<String>, Query, description = "Only those that serve or served this point"),
    ),
    responses((status = 200, body = Meters)))]
pub(crate) async fn meters(State(app): State<Arc<App>>, uri: Uri) -> Result<Json<Meters>, Problem> {
    let params = Params::of(&uri, PARAMETERS)?;
    let config = app.config();
    let registry = &config.registry;
    let institution = params.institution(config)?;
    let building = params.building(config)?;
    let point = params.point(config)?;
    let is_asked = |meter: &&Registered| {
        let served = registry.points.get(&meter.point);
        let owner = served.and_then(|point| registry.institution_of(point));
        point.as_ref().is_none_or(|id| &meter.point == id)
            && building
                .as_ref()
                .is_none_or(|id| served.map(|point| &point.building) == Some(id))
            && institution
                .as_ref()
                .is_none_or(|id| owner.map(|owner| &owner.id) == Some(id))
    };
    let asked: Vec<&Registered> = registry.meters.values().filter(is_asked).collect();
    let ids: Vec<MeterId> = asked.iter().map(|meter| meter.id.clone()).collect();
    let mut latest: HashMap<MeterId, Vec<Reading>> = HashMap::new();
    for reading in app.state.source.latest(&ids).await? {
        latest
            .entry(reading.meter.clone())
            .or_default()
            .push(reading);
    }
    let collector = (app.state.health)().collector;
    let view = |meter: &Registered| {
        let health = collector
            .as_ref()
            .and_then(|collector| collector.meters.get(&meter.id));
        let served = registry.points.get(&meter.point);
        let zone = served
            .and_then(|point| registry.zone_of(point))
            .unwrap_or(config.settings.zone);
        let protocol = match registry
            .gateways
            .get(&meter.gateway)
            .map(|gateway| &gateway.kind)
        {
            Some(GatewayKind::ModbusTcp(_)) => "modbus_tcp",
            Some(GatewayKind::Mqtt(_)) => "mqtt",
            None => "",
        };
        Meter {
            id: meter.id.to_string(),
            point: meter.point.to_string(),
            gateway: meter.gateway.to_string(),
            profile: meter.profile.to_string(),
            protocol: protocol.to_owned(),
            interval_s: meter.interval.as_secs_f64(),
            from: meter.from.to_string(),
            to: meter.to.map(|date| date.to_string()),
            ratio: meter.ratio,
            ratio_changes: ratio_changes(meter),
            limits: limits(meter),
            state: health.map(|health| health.state.into()),
            last_seen: health
                .and_then(|health| health.last_seen)
                .map(|at| rfc3339(zone, at)),
            errors_total: health.map(|health| health.errors_total),
            last_error: health.and_then(|health| health.last_error.clone()),
            latest: latest
                .get(&meter.id)
                .into_iter()
                .flatten()
                .map(|reading| Latest {
                    quantity: reading.quantity.id().to_owned(),
                    unit: reading.quantity.unit().to_owned(),
                    value: reading.value.get(),
                    at: rfc3339(zone, reading.at),
                    quality: reading.quality.into(),
                })
                .collect(),
        }
    };
    Ok(Json(Meters {
        meters: asked.into_iter().map(view).collect(),
    }))
}

fn ratio_changes(meter: &Registered) -> Vec<RatioChange> {
    let change = |(from, ratio): &(chrono::NaiveDate, u32)| RatioChange {
        from: from.to_string(),
        ratio: *ratio,
    };
    meter.ratio_changes.iter().map(change).collect()
}

fn limits(meter: &Registered) -> Vec<Limits> {
    let view = |(quantity, limits): (&Quantity, &CounterLimits)| Limits {
        quantity: quantity.id().to_owned(),
        unit: quantity.unit().to_owned(),
        resolution: limits.resolution,
        modulus: limits.modulus,
        rise_max_per_h: limits.rise_max_per_h,
    };
    meter.counters.iter().map(view).collect()
}
