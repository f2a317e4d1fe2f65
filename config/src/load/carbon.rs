//! Every amount that counts must find exactly one factor on every day: judged at load, so that no
//! figure of a report hangs on a silent choice.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use steward_model::{Commodity, InstitutionId, PointId};

use super::factors::{Draft, chosen_series, coal_kind};
use super::references::Checked;
use super::settings::CarbonPlaces;
use crate::error::{At, Log, Problem};
use crate::factor::{Factor, FactorError, FactorKind, Factors, RegionLevel};
use crate::registry::{Institution, Registry};
use crate::settings::Settings;

pub(super) struct Check<'a> {
    pub(super) log: &'a Log,
    pub(super) settings: &'a Settings,
    pub(super) places: &'a CarbonPlaces,
    pub(super) checked: &'a Checked,
    pub(super) drafts: &'a [Draft],
    pub(super) factors: &'a Factors,
}

/// Days on which a commodity is metered: from the first, to the day after the last.
#[derive(Clone, Copy)]
struct Days {
    from: NaiveDate,
    to: Option<NaiveDate>,
}

impl Days {
    /// From the earlier begin to the later end.
    fn with(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            to: self.to.zip(other.to).map(|(a, b)| a.max(b)),
        }
    }
}

type Needs<'a> = BTreeMap<(&'a InstitutionId, Commodity), Days>;

impl Check<'_> {
    pub(super) fn run(&self) {
        let needs = self.needs();
        let metered: BTreeSet<Commodity> = needs.keys().map(|(_, commodity)| *commodity).collect();
        let mut settled = BTreeSet::new();
        for kind in [FactorKind::Co2, coal_kind(self.settings)] {
            for &commodity in &metered {
                if Factors::counts(kind, commodity) && self.series_exists(kind, commodity) {
                    settled.insert((kind, commodity));
                }
            }
        }
        // Institutions of one place share their gaps: one report stands for all of them.
        let mut groups: BTreeMap<_, (FactorError, &Institution, usize)> = BTreeMap::new();
        for ((id, commodity), days) in &needs {
            let Some(institution) = self.checked.registry.institutions.get(*id) else {
                continue;
            };
            for &(kind, _) in settled.iter().filter(|(_, other)| other == commodity) {
                if let Err((date, error)) = self.covers(kind, *commodity, institution, *days) {
                    let place = (
                        &institution.province,
                        &institution.region,
                        &institution.factor_fallback,
                    );
                    groups
                        .entry((kind, *commodity, date, place))
                        .and_modify(|(_, _, others)| *others += 1)
                        .or_insert((error, institution, 0));
                }
            }
        }
        for ((kind, commodity, date, _), (error, institution, others)) in groups {
            let text = match others {
                0 => error.to_string(),
                others => format!("{error} (and {others} more institutions)"),
            };
            let hint = match &error {
                FactorError::Two { first, second, .. } => self.places_of(kind, first, second),
                FactorError::None { .. } => self.advice(kind, commodity, institution, date),
            };
            let fallback = At::file("registry.toml");
            let at = self
                .checked
                .places
                .get(&institution.id)
                .unwrap_or(&fallback);
            self.log.report(at, Problem::new(text).hint(hint));
        }
    }

    /// What has amounts where, and when.
    fn needs(&self) -> Needs<'_> {
        let registry = &self.checked.registry;
        let mut needs = Needs::new();
        for (id, days) in served(registry) {
            let Some(point) = registry.points.get(id) else {
                continue;
            };
            let Some(institution) = registry.institution_of(point) else {
                continue;
            };
            let from = self.settings.carbon.from;
            let from = from.map_or(days.from, |from| from.max(days.from));
            if days.to.is_some_and(|to| to <= from) {
                continue;
            }
            let days = Days { from, to: days.to };
            needs
                .entry((&institution.id, point.commodity))
                .and_modify(|all: &mut Days| *all = all.with(days))
                .or_insert(days);
        }
        needs
    }

    /// Whether the chosen series is there at all. What is wrong is reported at the choice.
    fn series_exists(&self, kind: FactorKind, commodity: Commodity) -> bool {
        let Some(chosen) = chosen_series(kind, commodity, self.settings) else {
            return true;
        };
        let at = match (kind, commodity) {
            (FactorKind::Co2, Commodity::Electricity) => &self.places.grid_series,
            (FactorKind::Co2, _) => &self.places.fuel_series,
            (_, Commodity::NaturalGas) => &self.places.gas_coal_series,
            _ => &self.places.electricity_equivalent_series,
        };
        let drafts = self.drafts.iter().map(|draft| &draft.factor);
        let known: BTreeSet<&str> = drafts
            .filter(|factor| factor.kind == kind && factor.commodity == commodity)
            .map(|factor| factor.series.as_str())
            .collect();
        let names = known.iter().copied().collect::<Vec<_>>().join(", ");
        match chosen {
            // Without any series of this commodity the gap is the commodity's, not the choice's.
            Some(chosen) if known.is_empty() || known.contains(chosen) => true,
            Some(chosen) => {
                let text = format!("no {} factor of {commodity} is of this series", kind.id());
                let problem = Problem::new(text).allowed(names);
                self.log.report(at, problem.nearest(chosen, known));
                false
            }
            None => {
                let text = format!("is missing: {commodity} is metered, and several series exist");
                self.log.report(at, Problem::new(text).allowed(names));
                false
            }
        }
    }

    /// Whether each of `days` has its factor. Between two days on which a factor begins or ends
    /// nothing changes, so those days stand for all.
    fn covers(
        &self,
        kind: FactorKind,
        commodity: Commodity,
        institution: &Institution,
        days: Days,
    ) -> Result<(), (NaiveDate, FactorError)> {
        let in_use = self.factors.all.iter();
        let changes = in_use
            .filter(|factor| factor.kind == kind && factor.commodity == commodity)
            .flat_map(|factor| [Some(factor.valid_from), factor.valid_to])
            .flatten()
            .filter(|date| *date > days.from && days.to.is_none_or(|to| *date < to));
        let mut dates: BTreeSet<NaiveDate> = changes.collect();
        dates.insert(days.from);
        for date in dates {
            self.factors
                .resolve(kind, commodity, institution, date)
                .map_err(|error| (date, error))?;
        }
        Ok(())
    }

    fn places_of(&self, kind: FactorKind, first: &str, second: &str) -> String {
        let places: Vec<String> = self
            .drafts
            .iter()
            .filter(|draft| draft.factor.kind == kind)
            .filter(|draft| draft.factor.id == first || draft.factor.id == second)
            .map(|draft| draft.at.place())
            .collect();
        format!(
            "end one with valid_to; they stand at {}",
            places.join(" and ")
        )
    }

    /// What would fill the gap.
    fn advice(
        &self,
        kind: FactorKind,
        commodity: Commodity,
        institution: &Institution,
        date: NaiveDate,
    ) -> String {
        let mut generous = institution.clone();
        generous.factor_fallback = vec![RegionLevel::Region, RegionLevel::Nation];
        let permitted = self.factors.resolve(kind, commodity, &generous, date);
        if let Ok(Some(wider)) = permitted {
            let level = RegionLevel::ALL
                .iter()
                .find(|(_, level)| *level == wider.level);
            let word = level.map_or("", |(word, _)| word);
            return format!(
                "factor_fallback may allow \"{word}\", which has {} ({})",
                wider.id, wider.region
            );
        }
        let later = self.factors.all.iter().filter(|factor| {
            factor.kind == kind
                && factor.commodity == commodity
                && factor.valid_from > date
                && is_for(factor, institution)
        });
        match later.min_by_key(|factor| factor.valid_from) {
            Some(later) => format!(
                "the next, {}, begins {}: add a file to factors/ for the days before, \
                 or let [carbon] from begin there",
                later.id, later.valid_from
            ),
            None => "add a file to factors/ that has one".to_owned(),
        }
    }
}

/// The days on which points can have amounts: those of their meters, or for virtual points those of
/// what they are made of.
fn served(registry: &Registry) -> BTreeMap<&PointId, Days> {
    let mut served: BTreeMap<&PointId, Days> = BTreeMap::new();
    for meter in registry.meters.values() {
        let days = Days {
            from: meter.from,
            to: meter.to,
        };
        served
            .entry(&meter.point)
            .and_modify(|all| *all = all.with(days))
            .or_insert(days);
    }
    let mut open = Vec::new();
    for (id, point) in &registry.points {
        if let Some(days) = point
            .metered_by
            .as_ref()
            .and_then(|owner| served.get(owner))
        {
            served.insert(id, *days);
        }
        if !point.formulas.is_empty() {
            open.push((id, &point.formulas));
        }
    }
    // Formulas name virtual points too: each waits until its parts are known. There are no rings.
    let mut waiting: BTreeSet<&PointId> = open.iter().map(|(id, _)| *id).collect();
    while !open.is_empty() {
        let before = open.len();
        open.retain(|(id, formulas)| {
            let terms = formulas.iter().flat_map(|one| &one.value.terms);
            if terms.clone().any(|term| waiting.contains(&term.point)) {
                return true;
            }
            let parts = terms.filter_map(|term| served.get(&term.point).copied());
            if let Some(days) = parts.reduce(Days::with) {
                let begins = formulas.iter().map(|one| one.from).min();
                let from = begins.map_or(days.from, |begins| begins.max(days.from));
                served.insert(id, Days { from, to: days.to });
            }
            waiting.remove(id);
            false
        });
        if open.len() == before {
            break;
        }
    }
    served
}

/// Whether a factor would serve the institution on its days.
fn is_for(factor: &Factor, institution: &Institution) -> bool {
    let is_allowed = factor.level == RegionLevel::Province
        || !Factors::is_regional(factor.kind, factor.commodity)
        || institution.factor_fallback.contains(&factor.level);
    is_allowed
        && match factor.level {
            RegionLevel::Province => factor.region == institution.province,
            RegionLevel::Region => factor.region == institution.region,
            RegionLevel::Nation => true,
        }
}
