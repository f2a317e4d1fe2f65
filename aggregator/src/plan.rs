//! The registry as the aggregator needs it: what a meter may send, and which ledger it makes.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use steward_config::{Config, Institution, Profile, ProfileBody};
use steward_model::{Commodity, InstitutionId, MeterId, Quantity};

use crate::ledger::{Chain, Gaps, Service};

/// All meters and points.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) meters: HashMap<MeterId, MeterPlan>,
    points: Vec<PointPlan>,
    pub(crate) gaps: Gaps,
}

/// What is known about a meter.
#[derive(Debug)]
pub(crate) struct MeterPlan {
    /// What its profile reads.
    pub(crate) quantities: Vec<Quantity>,
    pub(crate) ratio: u32,
    /// Index of its point and of its service there; `None` where it never serves.
    service: Option<(usize, usize)>,
}

/// What is known about a point.
#[derive(Debug)]
pub(crate) struct PointPlan {
    pub(crate) chain: Chain,
    pub(crate) commodity: Commodity,
    pub(crate) institution: InstitutionId,
}

impl Plan {
    pub(crate) fn of(config: &Config) -> Self {
        let registry = &config.registry;
        let mut meters: HashMap<MeterId, MeterPlan> = registry
            .meters
            .values()
            .map(|meter| {
                let profile = config.profiles.get(&meter.profile);
                let plan = MeterPlan {
                    quantities: profile.map(quantities).unwrap_or_default(),
                    ratio: meter.ratio,
                    service: None,
                };
                (meter.id.clone(), plan)
            })
            .collect();
        let mut points = Vec::with_capacity(registry.points.len());
        for point in registry.points.values() {
            let (Some(chain), Some(institution)) =
                (Chain::of(registry, point), registry.institution_of(point))
            else {
                continue;
            };
            for (index, service) in chain.services.iter().enumerate() {
                if let Some(meter) = meters.get_mut(&service.meter) {
                    meter.service = Some((points.len(), index));
                }
            }
            points.push(PointPlan {
                chain,
                commodity: point.commodity,
                institution: institution.id.clone(),
            });
        }
        let settings = &config.settings.ledger;
        Self {
            meters,
            points,
            gaps: Gaps {
                measured_max_ms: settings.measured_gap_max_s.saturating_mul(1_000),
                interpolated_max_ms: settings.interpolated_gap_max_s.saturating_mul(1_000),
            },
        }
    }

    /// A number that changes when the same readings would give another ledger: points, zones,
    /// services, ratios, gaps, factors and the rules that choose them. Never 0, at most 63 bits.
    pub(crate) fn fingerprint(&self, config: &Config) -> u64 {
        let mut hasher = DefaultHasher::new();
        let mut hash = |part: &dyn std::fmt::Debug| format!("{part:?}").hash(&mut hasher);
        for point in &self.points {
            hash(&(&point.chain, point.commodity, &point.institution));
        }
        for institution in config.registry.institutions.values() {
            hash(&(
                &institution.id,
                &institution.province,
                &institution.region,
                &institution.factor_fallback,
            ));
        }
        hash(&self.gaps);
        hash(&config.settings.coal_basis);
        hash(&config.settings.carbon);
        hash(&config.factors.all);
        (hasher.finish() >> 1).max(1)
    }

    /// The point and service whose ledger this series makes; `None` for one that makes none.
    pub(crate) fn ledger_of(
        &self,
        meter: &MeterId,
        quantity: Quantity,
    ) -> Option<(&PointPlan, &Service)> {
        let (point, service) = self.meters.get(meter)?.service?;
        let point = self.points.get(point)?;
        let service = point.chain.services.get(service)?;
        (point.chain.quantity == quantity).then_some((point, service))
    }
}

impl PointPlan {
    pub(crate) fn institution<'a>(&self, config: &'a Config) -> Option<&'a Institution> {
        config.registry.institutions.get(&self.institution)
    }
}

fn quantities(profile: &Profile) -> Vec<Quantity> {
    match &profile.body {
        ProfileBody::Modbus(body) => body.registers.iter().map(|spec| spec.quantity).collect(),
        ProfileBody::Mqtt(body) => body.quantities.iter().map(|spec| spec.quantity).collect(),
    }
}
