//! A proposal to close a month against the registry and the review queue.

use steward_model::time::day_start_s;
use steward_model::{Finding, UtcMs};
use steward_store::{FindingFilter, FindingStates};

use super::World;
use super::registers::or_none;
use crate::close::month_dates;
use crate::event::CloseProposal;
use crate::{BooksError, Refusal};

/// Reviews that a hint names.
const REVIEWS_SHOWN_MAX: usize = 3;

pub(super) async fn check(
    world: World<'_>,
    new: &CloseProposal,
    refusals: &mut Vec<Refusal>,
) -> Result<(), BooksError> {
    let registry = &world.config.registry;
    if !registry.institutions.contains_key(&new.institution) {
        let expected = "an institution of the registry";
        refusals.push(Refusal::new("institution", &new.institution, expected));
        return Ok(());
    }
    let Some((_, after)) = month_dates(&new.month) else {
        // Its form is judged with the other rules of the books.
        return Ok(());
    };
    let own = |zone| day_start_s(zone, after);
    let buildings = registry.buildings.values();
    let over_s = buildings
        .filter(|building| building.institution == new.institution)
        .map(|building| own(building.zone))
        .max()
        .unwrap_or_else(|| own(world.config.settings.zone));
    if world.now.seconds_floor() < over_s {
        refusals.push(
            Refusal::new("month", &new.month, "a month that is over").hint(format!(
                "it is over at {}",
                UtcMs(over_s.saturating_mul(1_000))
                    .to_datetime()
                    .to_rfc3339()
            )),
        );
    }
    let open = open_reviews(world, new, UtcMs(over_s.saturating_mul(1_000))).await?;
    if !open.is_empty() {
        let shown: Vec<String> = open
            .iter()
            .take(REVIEWS_SHOWN_MAX)
            .map(Finding::id)
            .collect();
        let more = if open.len() > shown.len() {
            ", …"
        } else {
            ""
        };
        refusals.push(
            Refusal::new("month", &new.month, "a month without open reviews").hint(format!(
                "{} to decide: {}{more}",
                open.len(),
                shown.join(", ")
            )),
        );
    }
    Ok(())
}

/// What waits for a person at the institution's points and began before the month was over: it
/// leaves amounts out until it is decided.
async fn open_reviews(
    world: World<'_>,
    new: &CloseProposal,
    before: UtcMs,
) -> Result<Vec<Finding>, BooksError> {
    let filter = FindingFilter {
        states: FindingStates::Open,
        to: Some(before),
        ..FindingFilter::default()
    };
    let registry = &world.config.registry;
    let mut open = or_none(world.store.findings(filter).await)?;
    open.retain(|one| {
        let point = registry.points.get(&one.point);
        point
            .and_then(|point| registry.institution_of(point))
            .is_some_and(|institution| institution.id == new.institution)
    });
    Ok(open)
}
