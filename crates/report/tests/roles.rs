//! Which points make a total, whatever their roles: by an independent definition, and part by part.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod world;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use steward_config::{Point, PointRole, Registry};
use steward_model::{BuildingId, Commodity, InstitutionId, PointId, Span};
use steward_report::{By, Facts, Group, Month, Scope, compose, deducted, groups, points_of};

const BUILDINGS: [&str; 4] = ["hall-1", "hall-2", "school-1", "school-2"];
const ROLES: [PointRole; 4] = [
    PointRole::Counted,
    PointRole::Deducted,
    PointRole::Shared,
    PointRole::Aside,
];

static MODEL: LazyLock<Registry> = LazyLock::new(|| world::config().registry);

/// Building, role, parent (an earlier point), sub-item, amount.
type Drawn = (usize, usize, Option<prop::sample::Index>, Option<u8>, i64);

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let role = prop_oneof![6 => Just(0_usize), 1 => Just(1), 1 => Just(2), 1 => Just(3)];
    let parent = proptest::option::weighted(0.7, any::<prop::sample::Index>());
    let subitem = proptest::option::of(0..3_u8);
    prop::collection::vec(
        (0..4_usize, role, parent, subitem, -1_000..100_000_i64),
        1..14,
    )
}

fn id(index: usize) -> PointId {
    PointId::new(format!("p{index:02}")).unwrap()
}

fn registry(drawn: &[Drawn]) -> (Registry, BTreeMap<PointId, i64>) {
    let mut registry = MODEL.clone();
    let model = registry.points.values().next().unwrap().clone();
    registry.points.clear();
    let mut amounts = BTreeMap::new();
    for (index, (building, role, parent, subitem, amount)) in drawn.iter().enumerate() {
        let parent = parent
            .filter(|_| index > 0)
            .map(|parent| id(parent.index(index)));
        let role = ROLES[*role];
        let point = Point {
            id: id(index),
            building: BuildingId::new(BUILDINGS[*building]).unwrap(),
            commodity: Commodity::Electricity,
            subitem: subitem.map(|code| format!("01{}00", char::from(b'A' + code))),
            parent,
            role,
            ..model.clone()
        };
        amounts.insert(point.id.clone(), *amount);
        registry.points.insert(point.id.clone(), point);
    }
    (registry, amounts)
}

fn sum(group: &Group, amounts: &BTreeMap<PointId, i64>) -> i64 {
    let of = |ids: &[PointId]| ids.iter().map(|id| amounts[id]).sum::<i64>();
    of(&group.plus) - of(&group.minus)
}

/// The point above, analyses left out: they are no place in the books.
fn above<'a>(registry: &'a Registry, point: &'a Point) -> Option<&'a Point> {
    let parent = registry.points.get(point.parent.as_ref()?)?;
    if parent.role == PointRole::Aside {
        above(registry, parent)
    } else {
        Some(parent)
    }
}

/// Below an analysis that hangs on nothing there is nothing that counts either.
fn hangs_on_analysis(registry: &Registry, point: &Point) -> bool {
    point.parent.as_ref().is_some_and(|parent| {
        let parent = &registry.points[parent];
        let is_root = parent.parent.is_none() && parent.role == PointRole::Aside;
        is_root || hangs_on_analysis(registry, parent)
    })
}

fn counts(registry: &Registry, point: &Point) -> bool {
    point.role == PointRole::Counted
        && !hangs_on_analysis(registry, point)
        && above(registry, point).is_none_or(|above| counts(registry, above))
}

/// What each point meters that no point below it meters too, over the points that count in the
/// scope.
fn expected(registry: &Registry, scope: &Scope, amounts: &BTreeMap<PointId, i64>) -> i64 {
    let inside = |point: &&Point| counts(registry, point) && scope.holds(registry, point);
    let own = registry.points.values().filter(inside).map(|point| {
        let below = registry.points.values().filter(|child| {
            let is_child = above(registry, child).is_some_and(|above| above.id == point.id);
            child.role != PointRole::Aside && is_child
        });
        amounts[&point.id] - below.map(|child| amounts[&child.id]).sum::<i64>()
    });
    own.sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn totals_are_what_counts_and_parts_add_up(drawn in drawn()) {
        let (registry, amounts) = registry(&drawn);
        let electricity = Commodity::Electricity;
        let mut scopes = vec![Scope::All];
        for building in BUILDINGS {
            scopes.push(Scope::Building(BuildingId::new(building).unwrap()));
        }
        for institution in ["hall", "school"] {
            scopes.push(Scope::Institution(InstitutionId::new(institution).unwrap()));
        }
        for scope in scopes {
            let whole = groups(&registry, &scope, electricity, None);
            let total = sum(&whole[0], &amounts);
            prop_assert_eq!(total, expected(&registry, &scope, &amounts), "{}", scope);
            for by in By::ALL {
                let parts = groups(&registry, &scope, electricity, Some(by));
                let parts: i64 = parts.iter().map(|part| sum(part, &amounts)).sum();
                prop_assert_eq!(parts, total, "{} by {}", &scope, by.id());
            }
            for id in deducted(&registry, &scope, electricity) {
                prop_assert!(!whole[0].plus.contains(&id));
            }
        }
        for point in registry.points.keys() {
            let scope = Scope::Point(point.clone());
            for by in [By::Point, By::Subitem] {
                let parts = groups(&registry, &scope, electricity, Some(by));
                let parts: i64 = parts.iter().map(|part| sum(part, &amounts)).sum();
                prop_assert_eq!(parts, amounts[point], "{} by {}", &scope, by.id());
            }
        }
    }
}

#[test]
fn what_is_rented_out_is_shown_and_taken_off() {
    let mut config = world::config();
    let rented = PointId::new("hall-1-el-b").unwrap();
    config.registry.points.get_mut(&rented).unwrap().role = PointRole::Deducted;
    let rows = world::rows(&config, &world::days(&config), Span::Month);
    let facts = Facts {
        rows,
        ..Facts::default()
    };
    let hall = InstitutionId::new("hall").unwrap();
    let month = Month::new(2026, 10).unwrap();
    let report = compose(&config, &hall, month, &facts, world::NOW).unwrap();
    let electricity = &report.commodities[0];
    let whole = 31 * 96 * 10_000 + 96 * 496;
    let rent = 31 * 96 * 3_000 + 96 * 496;
    assert_eq!(electricity.amount_base, Some(whole - rent));
    assert_eq!(electricity.deducted.len(), 1);
    let part = &electricity.deducted[0];
    assert_eq!(
        (part.key.as_str(), part.amount_base),
        ("hall-1-el-b", Some(rent))
    );
    assert_eq!(part.share, None);
    for parts in [&electricity.buildings, &electricity.subitems] {
        let sum: i64 = parts.iter().filter_map(|part| part.amount_base).sum();
        assert_eq!(Some(sum), electricity.amount_base);
    }
    // A single point is what it meters; what is rented out behind it is a part of its own.
    let scope = Scope::Point(PointId::new("hall-1-el").unwrap());
    let parts = groups(
        &config.registry,
        &scope,
        Commodity::Electricity,
        Some(By::Subitem),
    );
    let keys: Vec<&str> = parts
        .iter()
        .filter_map(|part| part.key.as_deref())
        .collect();
    assert_eq!(keys, ["01A00", "deducted", "rest"]);
    assert_eq!(points_of(&parts[1..2]), [rented]);
}
