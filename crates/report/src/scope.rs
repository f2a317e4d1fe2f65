//! Which points make a total, and how a total is taken apart.
//!
//! A total takes the points that no other point of the scope meters too; what a foreign point
//! meters behind one of them is subtracted. So the buildings of an institution add up to the
//! institution, exactly, even where one building hangs on another one's main meter.
//!
//! What is rented out, and what is shared, is subtracted where it lies behind a point of a total.
//! A shared point comes back through the points to which it is allocated: they are virtual, and
//! they count like any other. An analysis beside the books moves nothing.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use steward_config::{Config, Point, PointRole, Registry};
use steward_model::{BuildingId, Commodity, InstitutionId, PointId};

/// Of what a total is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole site.
    All,
    /// One institution.
    Institution(InstitutionId),
    /// One building.
    Building(BuildingId),
    /// One point.
    Point(PointId),
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Institution(id) => write!(f, "institution:{id}"),
            Self::Building(id) => write!(f, "building:{id}"),
            Self::Point(id) => write!(f, "point:{id}"),
        }
    }
}

/// Into what a total is taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Institutions.
    Institution,
    /// Buildings.
    Building,
    /// The points of the total; of one point, its children and the rest.
    Point,
    /// Sub-item codes 分项 and the rest.
    Subitem,
}

impl By {
    /// Every way.
    pub const ALL: [Self; 4] = [
        Self::Institution,
        Self::Building,
        Self::Point,
        Self::Subitem,
    ];

    /// The word used in URLs.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Institution => "institution",
            Self::Building => "building",
            Self::Point => "point",
            Self::Subitem => "subitem",
        }
    }

    /// The way called `id`.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.id() == id)
    }
}

/// The key of what a parent meters and its children do not.
pub const REST: &str = "rest";

/// The key of what is rented out and metered separately.
pub const DEDUCTED: &str = "deducted";

/// A signed set of points whose sum is one figure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Institution, building, point or sub-item code, or [`REST`]; `None` for the total itself.
    pub key: Option<String>,
    /// Added.
    pub plus: Vec<PointId>,
    /// Subtracted.
    pub minus: Vec<PointId>,
}

impl Scope {
    /// Whether a point lies within.
    pub fn holds(&self, registry: &Registry, point: &Point) -> bool {
        match self {
            Self::All => true,
            Self::Institution(id) => registry
                .building_of(point)
                .is_some_and(|building| &building.institution == id),
            Self::Building(id) => &point.building == id,
            Self::Point(id) => &point.id == id,
        }
    }
}

/// The figures into which `scope` is taken apart for one commodity: one group without a key, or
/// one a key, in the order of keys with [`REST`] last.
pub fn groups(
    registry: &Registry,
    scope: &Scope,
    commodity: Commodity,
    by: Option<By>,
) -> Vec<Group> {
    let tree = Tree::new(registry, commodity);
    let total = tree.net(|point| scope.holds(registry, point));
    let named: BTreeMap<String, Group> = match (by, scope) {
        (None, Scope::Point(id)) => return tree.single(id),
        (None, _) => return vec![total],
        (Some(By::Institution), _) => tree.split(scope, |point| {
            registry
                .building_of(point)
                .map(|building| building.institution.to_string())
        }),
        (Some(By::Building), _) => tree.split(scope, |point| Some(point.building.to_string())),
        (Some(By::Point), Scope::Point(id)) => {
            tree.explain_point(id, |child| Some(child.id.to_string()))
        }
        (Some(By::Subitem), Scope::Point(id)) => tree.explain_point(id, |child| {
            let is_rented = child.role == PointRole::Deducted;
            is_rented
                .then(|| DEDUCTED.to_owned())
                .or_else(|| child.subitem.clone())
        }),
        (Some(By::Point), _) => tree.by_root(&total),
        (Some(By::Subitem), _) => tree.by_subitem(&total),
    };
    let mut groups: Vec<Group> = named
        .into_iter()
        .map(|(key, group)| Group {
            key: Some(key),
            ..group
        })
        .collect();
    groups.sort_by_key(|group| group.key.as_deref() == Some(REST));
    groups
}

/// The points that are rented out behind the points of `scope`, for one commodity: metered, and in
/// none of its totals. One that lies behind another one of them is a part of it.
pub fn deducted(registry: &Registry, scope: &Scope, commodity: Commodity) -> Vec<PointId> {
    let tree = Tree::new(registry, commodity);
    let is_inside = |point: &Point| scope.holds(registry, point);
    let off = tree.points.iter().filter(|point| {
        point.role == PointRole::Deducted
            && tree
                .parent(point)
                .is_some_and(|parent| tree.is_carried(parent, &is_inside))
    });
    off.map(|point| point.id.clone()).collect()
}

/// The points that a set of groups reads, each once.
pub fn points_of(groups: &[Group]) -> Vec<PointId> {
    let mut points: Vec<PointId> = groups
        .iter()
        .flat_map(|group| group.plus.iter().chain(&group.minus).cloned())
        .collect();
    points.sort();
    points.dedup();
    points
}

/// The zone in which a scope's days and months are: that of its buildings where they agree, else
/// the site's.
pub fn zone_of(config: &Config, scope: &Scope) -> Tz {
    let registry = &config.registry;
    let building_of_point = match scope {
        Scope::Point(id) => registry.points.get(id).map(|point| &point.building),
        _ => None,
    };
    let mut zones = registry.buildings.values().filter(|building| match scope {
        Scope::All => true,
        Scope::Institution(id) => &building.institution == id,
        Scope::Building(id) => &building.id == id,
        Scope::Point(_) => Some(&building.id) == building_of_point,
    });
    let first = zones.next().map(|building| building.zone);
    match first {
        Some(zone) if zones.all(|building| building.zone == zone) => zone,
        _ => config.settings.zone,
    }
}

/// The points of one commodity and who meters whom.
struct Tree<'a> {
    registry: &'a Registry,
    points: Vec<&'a Point>,
    children: BTreeMap<&'a PointId, Vec<&'a Point>>,
}

impl<'a> Tree<'a> {
    fn new(registry: &'a Registry, commodity: Commodity) -> Self {
        let of_commodity = |point: &&Point| point.commodity == commodity;
        let points: Vec<&Point> = registry.points.values().filter(of_commodity).collect();
        let mut children: BTreeMap<&PointId, Vec<&Point>> = BTreeMap::new();
        for point in &points {
            if let Some(parent) = &point.parent {
                children.entry(parent).or_default().push(point);
            }
        }
        Self {
            registry,
            points,
            children,
        }
    }

    fn parent(&self, point: &Point) -> Option<&'a Point> {
        let parent = point.parent.as_ref()?;
        self.registry
            .points
            .get(parent)
            .filter(|parent| parent.commodity == point.commodity)
    }

    /// Whether what a point meters is a part of totals at all: nothing behind a rented or a shared
    /// point is, and an analysis is what the point above it is.
    fn is_counted(&self, point: &Point) -> bool {
        let above = self.parent(point);
        match point.role {
            PointRole::Deducted | PointRole::Shared => false,
            PointRole::Aside => above.is_some_and(|above| self.is_counted(above)),
            PointRole::Counted => above.is_none_or(|above| self.is_counted(above)),
        }
    }

    /// The point itself, or the one above for an analysis: where it stands in the books.
    fn booked(&self, point: &'a Point) -> Option<&'a Point> {
        let mut point = point;
        while point.role == PointRole::Aside {
            point = self.parent(point)?;
        }
        Some(point)
    }

    /// Whether what a point meters is a part of the total of what is `inside`.
    fn is_carried(&self, point: &'a Point, inside: &impl Fn(&Point) -> bool) -> bool {
        self.is_counted(point) && self.booked(point).is_some_and(inside)
    }

    fn net(&self, inside: impl Fn(&Point) -> bool) -> Group {
        let mut group = Group::default();
        for &point in &self.points {
            let above = self.parent(point);
            let parent_inside = above.is_some_and(|above| self.is_carried(above, &inside));
            match (self.is_carried(point, &inside), parent_inside) {
                (true, false) => group.plus.push(point.id.clone()),
                (false, true) => group.minus.push(point.id.clone()),
                _ => {}
            }
        }
        group
    }

    /// The total of the scope by a key that every point has: a point counts where its parent does
    /// not, and is taken off where only its parent does.
    fn split(
        &self,
        scope: &Scope,
        key_of: impl Fn(&Point) -> Option<String>,
    ) -> BTreeMap<String, Group> {
        let is_inside = |point: &Point| scope.holds(self.registry, point);
        let held_key = |point: &'a Point| {
            let is_carried = self.is_carried(point, &is_inside);
            self.booked(point).filter(|_| is_carried).and_then(&key_of)
        };
        let mut named: BTreeMap<String, Group> = BTreeMap::new();
        for &point in &self.points {
            let own = held_key(point);
            let above = self.parent(point).and_then(held_key);
            if own == above {
                continue;
            }
            if let Some(key) = own {
                named.entry(key).or_default().plus.push(point.id.clone());
            }
            if let Some(key) = above {
                named.entry(key).or_default().minus.push(point.id.clone());
            }
        }
        named
    }

    fn single(&self, id: &PointId) -> Vec<Group> {
        if self.points.iter().any(|point| &point.id == id) {
            vec![Group {
                key: None,
                plus: vec![id.clone()],
                minus: Vec::new(),
            }]
        } else {
            Vec::new()
        }
    }

    /// A point's children by key, and the rest of it. An analysis is no part of it; what is rented
    /// out is one of its own.
    fn explain_point(
        &self,
        id: &PointId,
        key_of: impl Fn(&Point) -> Option<String>,
    ) -> BTreeMap<String, Group> {
        let mut named: BTreeMap<String, Group> = BTreeMap::new();
        if self.single(id).is_empty() {
            return named;
        }
        let mut rest = Group {
            plus: vec![id.clone()],
            ..Group::default()
        };
        for child in self.children.get(id).into_iter().flatten() {
            if let Some(key) = key_of(child).filter(|_| child.role != PointRole::Aside) {
                named.entry(key).or_default().plus.push(child.id.clone());
                rest.minus.push(child.id.clone());
            }
        }
        named.insert(REST.to_owned(), rest);
        named
    }

    /// Each point of the total by itself, without what foreign points meter behind it.
    fn by_root(&self, total: &Group) -> BTreeMap<String, Group> {
        let mut named: BTreeMap<String, Group> = BTreeMap::new();
        for id in &total.plus {
            named
                .entry(id.to_string())
                .or_default()
                .plus
                .push(id.clone());
        }
        for id in &total.minus {
            let mut above = self
                .registry
                .points
                .get(id)
                .and_then(|point| self.parent(point));
            while let Some(point) = above {
                if let Some(group) = named.get_mut(point.id.as_str()) {
                    group.minus.push(id.clone());
                    break;
                }
                above = self.parent(point);
            }
        }
        named
    }

    /// Sub-items: of each point of the total its coded children and the rest. A point without
    /// coded children counts whole, under its own code where it has one. What the total leaves out
    /// is left out of the sub-item that meters it too.
    fn by_subitem(&self, total: &Group) -> BTreeMap<String, Group> {
        let mut named: BTreeMap<String, Group> = BTreeMap::new();
        // Under which key a point's amount stands.
        let mut places: BTreeMap<PointId, String> = BTreeMap::new();
        for id in &total.plus {
            let is_left_out = |child: &Point| total.minus.contains(&child.id);
            let mut explained = self.explain_point(id, |child| {
                child.subitem.clone().filter(|_| !is_left_out(child))
            });
            let own = self
                .registry
                .points
                .get(id)
                .and_then(|point| point.subitem.clone());
            if let (1, Some(own), Some(whole)) =
                (explained.len(), own, explained.get(REST).cloned())
            {
                explained = BTreeMap::from([(own, whole)]);
            }
            for (key, group) in explained {
                let points = group.plus.iter().map(|point| (point.clone(), key.clone()));
                places.extend(points);
                let entry = named.entry(key).or_default();
                entry.plus.extend(group.plus);
                entry.minus.extend(group.minus);
            }
        }
        for id in &total.minus {
            let mut above = self
                .registry
                .points
                .get(id)
                .and_then(|point| self.parent(point));
            let mut place = None;
            while let Some(point) = above.filter(|_| place.is_none()) {
                place = places.get(&point.id);
                above = self.parent(point);
            }
            let key = place.map_or_else(|| REST.to_owned(), String::clone);
            named.entry(key).or_default().minus.push(id.clone());
        }
        named
    }
}
