//! The registry and the books as the aggregator needs them: what a meter may send, and which ledger
//! it makes.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_books::{CloseState, ClosedPrices, State, month_dates};
use steward_config::{Config, Institution, Profile, ProfileBody};
use steward_ledger::money::{DayPrices, Prices};
use steward_ledger::{Chain, Lineage, LocalDay, formula, gauge_beside};
use steward_model::time::period_date;
use steward_model::{Commodity, InstitutionId, MeterId, PointId, Quantity, Span};

use crate::past::BookView;

/// All meters and points.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) meters: HashMap<MeterId, MeterPlan>,
    points: Vec<PointPlan>,
    /// Which lineages a series makes or judges, as (point, lineage): one, unless a meter serves twice.
    series: HashMap<(MeterId, Quantity), Vec<LineageKey>>,
    /// Virtual points by id, and in the order in which they are computed.
    virtuals: BTreeMap<PointId, PointPlan>,
    pub(crate) virtual_order: Vec<PointId>,
    /// The virtual points that rest on a point.
    pub(crate) dependents: BTreeMap<PointId, Vec<PointId>>,
    pub(crate) prices: Prices,
    pub(crate) view: BookView,
    /// Months that are closed, with the prices that stay.
    closed: BTreeMap<(InstitutionId, NaiveDate), Arc<ClosedPrices>>,
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
                // A gauge that comes late may show that a register stood still while power flowed.
                let judge = gauge_beside(chain.quantity);
                let judge = judge.filter(|_| service.counter.resolution > 0.0);
                for quantity in judge.into_iter().chain([chain.quantity]) {
                    let key = (service.meter.clone(), quantity);
                    let makes = self.series.entry(key).or_default();
                    if makes.last() != Some(&(self.points.len(), index)) {
                        makes.push((self.points.len(), index));
                    }
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
    pub(crate) fn price_fingerprint(&self, config: &Config) -> u64 {
        let mut hash = Fingerprint::new();
        hash.add(&self.closed);
        hash.add(&config.tariffs.all);
        hash.add(&config.tariffs.accounts);
        hash.add(&config.calendar.arranged);
        for point in config.registry.points.values() {
            hash.add(&(&point.id, &point.parent));
        }
        hash.finish()
    }

    /// The lineages whose ledger this series makes or judges.
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

    /// The prices of a point's day: those with which its month was closed, else today's tariffs.
    pub(crate) fn prices(&self, config: &Config, point: &PointPlan, day: &LocalDay) -> DayPrices {
        let month = (
            point.institution.clone(),
            period_date(Span::Month, day.date),
        );
        let closed = self.closed.get(&month);
        if let Some(kept) = closed.and_then(|prices| prices.on(&point.point, day.date)) {
            return DayPrices {
                runs: kept.runs.clone(),
                tariff_set: kept.tariff_set.clone(),
            };
        }
        let today = self.prices.day(config, &point.point, day, point.zone);
        Arc::unwrap_or_clone(today)
    }

    /// The points of an institution.
    pub(crate) fn points_of(&self, institution: &InstitutionId) -> Vec<PointId> {
        let of_institution = self.points().filter(|one| &one.institution == institution);
        of_institution.map(|one| one.point.clone()).collect()
    }
}

impl PointPlan {
    pub(crate) fn institution<'a>(&self, config: &'a Config) -> Option<&'a Institution> {
        config.registry.institutions.get(&self.institution)
    }
}

/// Gauges that count in a ledger: the power of meters that have no register, and the power beside a
/// register by which it may be found frozen. Whoever opens the working store tells it, so that their
/// readings leave marks.
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

fn closed_months(books: &State) -> BTreeMap<(InstitutionId, NaiveDate), Arc<ClosedPrices>> {
    let closes = books.closes().iter();
    closes
        .filter(|close| close.state == CloseState::Closed)
        .filter_map(|close| {
            let (first, _) = month_dates(&close.month)?;
            let prices = close.prices.clone()?;
            Some(((close.institution.clone(), first), prices))
        })
        .collect()
}

fn quantities(profile: &Profile) -> Vec<Quantity> {
    match &profile.body {
        ProfileBody::Modbus(body) => body.registers.iter().map(|spec| spec.quantity).collect(),
        ProfileBody::Mqtt(body) => body.quantities.iter().map(|spec| spec.quantity).collect(),
    }
}
