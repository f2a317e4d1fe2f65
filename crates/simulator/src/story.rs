//! What happens to the meters of the demo: a replacement, a rollover, an outage whose backlog comes
//! late, and an exchange that nobody entered in the books.
//!
//! The world's registers go on through all of it; a story says only what the meters show of them,
//! and what their gateways keep for later. So what the ledger must find is known.

use chrono::{Datelike, Days, Months, NaiveDate, NaiveTime};
use steward_model::{GatewayId, MeterId};

use crate::site::{Site, id};
use crate::world::ZONE_MS;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// History that a story needs before its first month ends.
const DAYS_BEFORE: i64 = 35;

/// A device that was exchanged behind the same address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Which meter.
    pub meter: MeterId,
    /// When.
    pub at_ms: i64,
    /// What the new device showed first, in base units.
    pub first_base: i64,
}

/// A gateway without its uplink: what it read comes later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Which gateway.
    pub gateway: GatewayId,
    /// From when.
    pub from_ms: i64,
    /// Until when.
    pub to_ms: i64,
}

/// Everything that happens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// Exchanged, and entered in the books.
    pub replaced: Option<Exchange>,
    /// Exchanged, and nobody wrote it down: a question for the review queue.
    pub forgotten: Option<Exchange>,
    /// Two days around the end of a month.
    pub outage: Option<Outage>,
    /// A register with few digits, and where it begins again at zero, in base units.
    pub short_register: Option<(MeterId, i64)>,
    /// The month that is closed before the backlog comes.
    pub closed_month: Option<NaiveDate>,
}

impl Story {
    /// The story of a site whose history goes from `start` to `today`. Where the history is too
    /// short for a closed month nothing happens but the rollover.
    pub fn demo(site: &Site, start: NaiveDate, today: NaiveDate) -> Self {
        let mut story = Self {
            short_register: Some((meter(site, "m-zrzyj-main-light"), 100_000_000)),
            ..Self::default()
        };
        let this_month = today.with_day(1).unwrap_or(today);
        let (Some(last_month), Some(month)) = (
            this_month.checked_sub_months(Months::new(1)),
            this_month.checked_sub_months(Months::new(2)),
        ) else {
            return story;
        };
        if (month - start).num_days() < DAYS_BEFORE {
            return story;
        }
        let end_ms = local_ms(last_month, 0);
        story.closed_month = Some(month);
        story.outage = Some(Outage {
            gateway: id(GatewayId::new("dtu-tsg")),
            from_ms: end_ms - 18 * HOUR_MS,
            to_ms: end_ms + 30 * HOUR_MS,
        });
        story.replaced = Some(Exchange {
            meter: meter(site, "m-xzzx-2-hvac"),
            at_ms: local_ms(month, 0) + 11 * DAY_MS + 10 * HOUR_MS + HOUR_MS / 2,
            first_base: 12_000,
        });
        let three_days_ago = today.checked_sub_days(Days::new(3)).unwrap_or(today);
        story.forgotten = Some(Exchange {
            meter: meter(site, "m-tyzx-main-water"),
            at_ms: local_ms(three_days_ago, 14),
            first_base: 1_520_000,
        });
        story
    }

    /// What a meter shows where its world's register is `register`. `at_exchange` answers the
    /// world's register at another instant.
    pub fn shown(
        &self,
        meter: &MeterId,
        at_ms: i64,
        register: i64,
        at_exchange: impl Fn(i64) -> i64,
    ) -> i64 {
        for exchange in [&self.replaced, &self.forgotten].into_iter().flatten() {
            if &exchange.meter == meter && at_ms >= exchange.at_ms {
                return exchange.first_base + register - at_exchange(exchange.at_ms);
            }
        }
        match &self.short_register {
            Some((short, modulus)) if short == meter => register.rem_euclid(*modulus),
            _ => register,
        }
    }

    /// Whether a gateway keeps what it reads at `at_ms` for later.
    pub fn is_withheld(&self, gateway: &GatewayId, at_ms: i64) -> bool {
        self.outage.as_ref().is_some_and(|outage| {
            &outage.gateway == gateway && (outage.from_ms..outage.to_ms).contains(&at_ms)
        })
    }

    /// Instants that fall within a quarter of an hour of history and should be read too: a meter is
    /// read when it is exchanged.
    pub fn extra_instants(&self, meter: &MeterId) -> Vec<i64> {
        [&self.replaced, &self.forgotten]
            .into_iter()
            .flatten()
            .filter(|exchange| &exchange.meter == meter)
            .map(|exchange| exchange.at_ms)
            .collect()
    }
}

fn meter(site: &Site, name: &str) -> MeterId {
    let found = site.meters.iter().find(|meter| meter.id.as_str() == name);
    found.map_or_else(|| id(MeterId::new(name)), |meter| meter.id.clone())
}

fn local_ms(date: NaiveDate, hour: i64) -> i64 {
    date.and_time(NaiveTime::MIN).and_utc().timestamp_millis() - ZONE_MS + hour * HOUR_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).expect("a date")
    }

    #[test]
    fn the_meters_of_the_story_exist() {
        let site = Site::demo();
        let story = Story::demo(&site, date(2025, 10, 1), date(2026, 11, 22));
        let known = |name: &MeterId| site.meters.iter().any(|meter| &meter.id == name);
        assert!(known(&story.replaced.expect("a replacement").meter));
        assert!(known(&story.forgotten.expect("an exchange").meter));
        assert!(known(&story.short_register.expect("a short register").0));
        let outage = story.outage.expect("an outage");
        assert!(
            site.meters
                .iter()
                .any(|meter| meter.gateway == outage.gateway)
        );
        assert_eq!(outage.to_ms - outage.from_ms, 48 * HOUR_MS);
        assert_eq!(story.closed_month, Some(date(2026, 9, 1)));
    }

    #[test]
    fn a_short_history_has_no_closed_month() {
        let story = Story::demo(&Site::demo(), date(2026, 10, 20), date(2026, 11, 22));
        assert_eq!(story.closed_month, None);
        assert!(story.outage.is_none() && story.replaced.is_none());
        assert!(story.short_register.is_some());
    }

    #[test]
    fn an_exchanged_meter_counts_on_from_its_first_register() {
        let site = Site::demo();
        let story = Story::demo(&site, date(2025, 10, 1), date(2026, 11, 22));
        let replaced = story.replaced.clone().expect("a replacement");
        let world_register = |at_ms: i64| at_ms / 1_000;
        let shown = |at_ms: i64| {
            story.shown(
                &replaced.meter,
                at_ms,
                world_register(at_ms),
                world_register,
            )
        };
        assert_eq!(
            shown(replaced.at_ms - 1_000),
            world_register(replaced.at_ms - 1_000)
        );
        assert_eq!(shown(replaced.at_ms), replaced.first_base);
        assert_eq!(shown(replaced.at_ms + 7_000), replaced.first_base + 7);
    }
}
