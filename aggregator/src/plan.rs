//! The registry and the books as the aggregator needs them: what a meter may send, and which ledger
//! it makes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_books::State;
use steward_config::{Config, Institution, Profile, ProfileBody};
use steward_ledger::money::Prices;
use steward_ledger::{Chain, Lineage, formula};
use steward_model::time::period_date;
use steward_model::{Commodity, InstitutionId, MeterId, PointId, Quantity, Span};

use crate::past::BookView;

/// All meters and points.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) meters: HashMap<MeterId, MeterPlan>,
    points: Vec<PointPlan>,
    /// Which lineages a series makes, as (point, lineage): one, unless a meter serves twice.
    series: HashMap<(MeterId, Quantity), Vec<LineageKey>>,
    /// Virtual points by id, and in the order in which they are computed.
    virtuals: BTreeMap<PointId, PointPlan>,
    pub(crate) virtual_order: Vec<PointId>,
    /// The virtual points that rest on a point.
    pub(crate) dependents: BTreeMap<PointId, Vec<PointId>>,
    pub(crate) prices: Prices,
    pub(crate) view: BookView,
    /// Months that are closed: their prices stay.
    closed: HashSet<(InstitutionId, NaiveDate)>,
}

/// Point and lineage by their positions in the plan.
pub(crate) type LineageKey = (usize, usize);

/// What is known about a meter.
#[derive(Debug)]
pub(crate) struct MeterPlan {
    /// What its profile reads.
    pub(crate) quantities: Vec<Quantity>,
    /// The largest ratio that it ever had.
    pub(crate) ratio_max: u32,
}

/// What is known about a point.
#[derive(Debug)]
pub(crate) struct PointPlan {
    pub(crate) point: PointId,
    pub(crate) zone: Tz,
    pub(crate) commodity: Commodity,
    pub(crate) institution: InstitutionId,
    /// Without lineages for a virtual point.
    pub(crate) chain: Option<Chain>,
}

impl Plan {
    pub(crate) fn of(config: &Config, books: &State) -> Self {
        let registry = &config.registry;
        let view = BookView::of(books);
        let meters = registry
            .meters
            .values()
            .map(|meter| {
                let profile = config.profiles.get(&meter.profile);
                let later = meter.ratio_changes.iter().map(|(_, ratio)| *ratio);
                let plan = MeterPlan {
                    quantities: profile.map(quantities).unwrap_or_default(),
                    ratio_max: later.fold(meter.ratio, u32::max),
                };
                (meter.id.clone(), plan)
            })
            .collect();
        let mut plan = Self {
            meters,
            points: Vec::with_capacity(registry.points.len()),
            series: HashMap::new(),
            virtuals: BTreeMap::new(),
            virtual_order: formula::order(registry),
            dependents: formula::dependents(registry),
            prices: Prices::of(config),
            view,
            closed: closed_months(books),
        };
        for point in registry.points.values() {
            let (Some(zone), Some(institution)) =
                (registry.zone_of(point), registry.institution_of(point))
            else {
                continue;
            };
            let mut one = PointPlan {
                point: point.id.clone(),
                zone,
                commodity: point.commodity,
                institution: institution.id.clone(),
                chain: None,
            };
            if point.formulas.is_empty() {
                one.chain = Chain::of(config, point, &plan.view.past);
                plan.add(one);
            } else {
                plan.virtuals.insert(point.id.clone(), one);
            }
        }
        plan
    }

    fn add(&mut self, point: PointPlan) {
        let Some(chain) = &point.chain else { return };
        for (index, lineage) in chain.lineages.iter().enumerate() {
            for service in &lineage.services {
                let key = (service.meter.clone(), chain.quantity);
                let makes = self.series.entry(key).or_default();
                if makes.last() != Some(&(self.points.len(), index)) {
                    makes.push((self.points.len(), index));
                }
            }
        }
        self.points.push(point);
    }

    /// A number that changes when the same readings would give another ledger: points, zones,
    /// services, ratios, limits, gaps, shapes, formulas, factors and the rules that choose them.
    /// Prices are not among them: see [`Self::price_fingerprint`]. Never 0, at most 63 bits.
    pub(crate) fn fingerprint(config: &Config) -> u64 {
        let registry = &config.registry;
        let mut hash = Fingerprint::new();
        for point in registry.points.values() {
            hash.add(&(
                &point.id,
                point.commodity,
                point.counter,
                &point.metered_by,
                &point.formulas,
                registry.zone_of(point),
                registry
                    .institution_of(point)
                    .map(|institution| &institution.id),
            ));
        }
        for meter in registry.meters.values() {
            hash.add(&(
                &meter.id,
                &meter.point,
                meter.ratio,
                &meter.ratio_changes,
                &meter.counters,
                meter.from,
                meter.to,
                config.profiles.get(&meter.profile).map(quantities),
            ));
        }
        for institution in registry.institutions.values() {
            hash.add(&(
                &institution.id,
                &institution.province,
                &institution.region,
                &institution.factor_fallback,
            ));
        }
        let mut settings = config.settings.ledger.clone();
        // What is set aside when it comes, and how a balance is judged, change no stored figure.
        settings.future_max_s = 0;
        settings.balance_tolerance = 0.0;
        hash.add(&settings);
        hash.add(&config.calendar.arranged);
        hash.add(&config.weather);
        hash.add(&config.settings.coal_basis);
        hash.add(&config.settings.carbon);
        hash.add(&config.factors.all);
        hash.finish()
    }

    /// A number that changes when the same amounts would cost something else.
    pub(crate) fn price_fingerprint(config: &Config) -> u64 {
        let mut hash = Fingerprint::new();
        hash.add(&config.tariffs.all);
        hash.add(&config.tariffs.accounts);
        hash.add(&config.calendar.arranged);
        for point in config.registry.points.values() {
            hash.add(&(&point.id, &point.parent));
        }
        hash.finish()
    }

    /// The lineages whose ledger this series makes.
    pub(crate) fn lineages_of(&self, meter: &MeterId, quantity: Quantity) -> &[LineageKey] {
        // A map by reference to a pair would need a pair: two look-ups a mark cost nothing.
        self.series
            .get(&(meter.clone(), quantity))
            .map_or(&[], Vec::as_slice)
    }

    /// The point and lineage of a key.
    pub(crate) fn lineage(&self, key: LineageKey) -> Option<(&PointPlan, &Chain, &Lineage)> {
        let point = self.points.get(key.0)?;
        let chain = point.chain.as_ref()?;
        Some((point, chain, chain.lineages.get(key.1)?))
    }

    /// A virtual point.
    pub(crate) fn virtual_point(&self, point: &PointId) -> Option<&PointPlan> {
        self.virtuals.get(point)
    }

    /// Every point, metered and virtual.
    pub(crate) fn points(&self) -> impl Iterator<Item = &PointPlan> {
        self.points.iter().chain(self.virtuals.values())
    }

    /// Whether the month of `date` is closed for an institution.
    pub(crate) fn is_closed(&self, institution: &InstitutionId, date: NaiveDate) -> bool {
        let month = (institution.clone(), period_date(Span::Month, date));
        self.closed.contains(&month)
    }
}

impl PointPlan {
    pub(crate) fn institution<'a>(&self, config: &'a Config) -> Option<&'a Institution> {
        config.registry.institutions.get(&self.institution)
    }
}

/// Gauges that make a ledger: the power of meters that have no register. Whoever opens the working
/// store tells it, so that their readings leave marks.
pub fn ledger_gauges(config: &Config) -> Vec<(MeterId, Quantity)> {
    let plan = Plan::of(config, &State::default());
    let is_gauge = |quantity: Quantity| quantity.kind() == steward_model::Kind::Gauge;
    let series = plan.series.into_keys();
    series.filter(|(_, quantity)| is_gauge(*quantity)).collect()
}

struct Fingerprint(DefaultHasher);

impl Fingerprint {
    fn new() -> Self {
        Self(DefaultHasher::new())
    }

    fn add(&mut self, part: &dyn std::fmt::Debug) {
        format!("{part:?}").hash(&mut self.0);
    }

    fn finish(self) -> u64 {
        (self.0.finish() >> 1).max(1)
    }
}

fn closed_months(books: &State) -> HashSet<(InstitutionId, NaiveDate)> {
    let closes = books.closes().iter();
    closes
        .filter(|close| close.state == steward_books::CloseState::Closed)
        .filter_map(|close| {
            let first = NaiveDate::parse_from_str(&format!("{}-01", close.month), "%Y-%m-%d");
            Some((close.institution.clone(), first.ok()?))
        })
        .collect()
}

fn quantities(profile: &Profile) -> Vec<Quantity> {
    match &profile.body {
        ProfileBody::Modbus(body) => body.registers.iter().map(|spec| spec.quantity).collect(),
        ProfileBody::Mqtt(body) => body.quantities.iter().map(|spec| spec.quantity).collect(),
    }
}
