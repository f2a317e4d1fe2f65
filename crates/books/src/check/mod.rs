//! What the books refuse by the registry and by the readings that are stored.

mod close;
mod decision;
mod invoice;
mod registers;
mod replacement;
mod series;

use steward_config::Config;
use steward_model::UtcMs;
use steward_store::StoreReader;

use crate::error::settle;
use crate::event::Event;
use crate::{BooksError, Refusal, State};

/// What an event is compared with.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) config: &'a Config,
    pub(crate) state: &'a State,
    pub(crate) store: &'a StoreReader,
    pub(crate) now: UtcMs,
}

/// Checks an event against registry, books and stored readings, without entering it. A store that
/// is not there yet has no readings. Who enters it and why, and what [`crate::Books::append`]
/// judges, is not part of it: [`crate::enter`] does all.
pub async fn check(
    config: &Config,
    state: &State,
    store: &StoreReader,
    event: &Event,
    now: UtcMs,
) -> Result<(), BooksError> {
    settle(outside(config, state, store, event, now).await?)
}

/// The refusals of [`check`].
pub(crate) async fn outside(
    config: &Config,
    state: &State,
    store: &StoreReader,
    event: &Event,
    now: UtcMs,
) -> Result<Vec<Refusal>, BooksError> {
    let world = World {
        config,
        state,
        store,
        now,
    };
    let mut refusals = Vec::new();
    match event {
        Event::MeterReplaced(one) => replacement::check(world, one, &mut refusals).await?,
        Event::ReviewDecided(one) => decision::check(world, one, &mut refusals).await?,
        Event::HandReading(one) => series::hand_reading(world, one, &mut refusals).await?,
        Event::ReadingsVoided(one) => series::voided(world, one, &mut refusals),
        Event::InvoiceEntered(one) => invoice::check(world, one, &mut refusals),
        Event::CloseProposed(one) => close::check(world, one, &mut refusals).await?,
        Event::CloseApproved(_) | Event::CloseRejected(_) | Event::Undone(_) => {}
    }
    Ok(refusals)
}

impl World<'_> {
    /// Refuses an instant that is yet to come.
    pub(crate) fn not_ahead(&self, place: &str, at: UtcMs, refusals: &mut Vec<Refusal>) {
        if at > self.now {
            refusals.push(
                Refusal::new(
                    place,
                    at.to_datetime().to_rfc3339(),
                    format!("at most now, {}", self.now.to_datetime().to_rfc3339()),
                )
                .hint("the books say what happened, not what will"),
            );
        }
    }
}
