//! What is provisional: from an open finding on, a point's amounts may change by what a person
//! decides. Nothing of it is stored; it is laid over figures when they are read.

use std::collections::{BTreeMap, BTreeSet};

use steward_config::Registry;
use steward_model::{PointId, UtcMs};
use steward_report::Group;
use steward_store::{FindingFilter, FindingStates, Source};

use crate::problem::Problem;
use crate::state::App;

/// Open findings that are looked at: a bound on memory. The oldest come first, and they decide.
const FINDINGS_MAX: usize = 10_000;

/// From when on the figures of each group are provisional.
pub(crate) struct Overlay {
    from: Vec<Option<UtcMs>>,
}

impl Overlay {
    /// The overlay of some groups; `None` where findings are not kept.
    pub(crate) async fn of(app: &App, groups: &[Group]) -> Result<Option<Self>, Problem> {
        let Source::Working(store) = &app.state.source else {
            return Ok(None);
        };
        let filter = FindingFilter {
            states: FindingStates::Open,
            limit: Some(FINDINGS_MAX),
            ..FindingFilter::default()
        };
        let mut first_open: BTreeMap<PointId, UtcMs> = BTreeMap::new();
        for finding in store.findings(filter).await? {
            let at = first_open.entry(finding.point).or_insert(finding.at);
            *at = finding.at.min(*at);
        }
        let registry = &app.config().registry;
        let from = groups.iter().map(|group| {
            let points = group.plus.iter().chain(&group.minus);
            let read = read_by(registry, points);
            read.iter()
                .filter_map(|point| first_open.get(*point).copied())
                .min()
        });
        Ok(Some(Self {
            from: from.collect(),
        }))
    }

    /// Whether the figure of a group that ends at `end_s` is provisional.
    pub(crate) fn covers(&self, group: usize, end_s: i64) -> bool {
        let from = self.from.get(group).copied().flatten();
        from.is_some_and(|from| from.0 < end_s.saturating_mul(1_000))
    }
}

/// The points, and all that virtual ones among them are made of. The loader refuses cycles, and a
/// point is looked at once.
fn read_by<'a>(
    registry: &'a Registry,
    points: impl Iterator<Item = &'a PointId>,
) -> BTreeSet<&'a PointId> {
    let mut read = BTreeSet::new();
    let mut waiting: Vec<&PointId> = points.collect();
    while let Some(id) = waiting.pop() {
        if !read.insert(id) {
            continue;
        }
        let formulas = registry.points.get(id).map(|point| &point.formulas);
        let terms = formulas
            .into_iter()
            .flatten()
            .flat_map(|formula| &formula.value.terms);
        waiting.extend(terms.map(|term| &term.point));
    }
    read
}
