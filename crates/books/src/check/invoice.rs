//! An invoice against the accounts.

use steward_model::Commodity;
use steward_model::time::local_date;

use super::World;
use crate::Refusal;
use crate::event::Invoice;

/// Ids that a hint shows.
const IDS_SHOWN_MAX: usize = 8;

pub(super) fn check(world: World<'_>, new: &Invoice, refusals: &mut Vec<Refusal>) {
    let accounts = &world.config.tariffs.accounts;
    let Some(account) = accounts.get(&new.account) else {
        let ids: Vec<&str> = accounts
            .keys()
            .take(IDS_SHOWN_MAX)
            .map(String::as_str)
            .collect();
        let hint = match (ids.is_empty(), accounts.len() > ids.len()) {
            (true, _) => "the registry has no accounts".to_owned(),
            (false, false) => format!("the registry has: {}", ids.join(", ")),
            (false, true) => format!("the registry has: {}, …", ids.join(", ")),
        };
        refusals.push(Refusal::new("account", &new.account, "the id of an account").hint(hint));
        return;
    };
    let registry = &world.config.registry;
    let zones = account.points.iter().filter_map(|id| {
        let point = registry.points.get(id)?;
        registry.zone_of(point)
    });
    let today = zones
        .map(|zone| local_date(zone, world.now.seconds_floor()))
        .max()
        .unwrap_or_else(|| local_date(world.config.settings.zone, world.now.seconds_floor()));
    let tomorrow = today.succ_opt().unwrap_or(today);
    if new.to > tomorrow {
        refusals.push(
            Refusal::new("to", new.to, format!("{tomorrow} at the latest"))
                .hint("an invoice is about days that are over"),
        );
    }
    if account.commodity != Commodity::Electricity {
        let only = format!("no value for {}", account.commodity);
        let values = [
            ("demand_kw", new.demand_kw),
            ("power_factor", new.power_factor),
        ];
        for (place, value) in values {
            if let Some(value) = value {
                refusals.push(
                    Refusal::new(place, value, only.clone())
                        .hint("demand and power factor are electricity's"),
                );
            }
        }
    }
}
