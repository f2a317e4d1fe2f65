//! What the bands of the tariffs took and cost.

use std::collections::BTreeMap;

use chrono::Timelike;
use rust_decimal::Decimal;
use steward_config::{Band, Config, Tariff, TariffVersion};
use steward_ledger::money::price_of_each;
use steward_model::UtcMs;
use steward_model::time::INTERVAL_S;
use steward_store::StoredDay;

use super::Frame;
use super::view::BandView;

/// Tariff version, band, and price of some intervals.
type Key = (String, Option<Band>, Option<i64>);

/// Amount and cost by tariff version and band over the intervals of the span.
pub(super) fn bands(config: &Config, frame: &Frame, days: &[StoredDay]) -> Vec<BandView> {
    let mut sums: BTreeMap<Key, i64> = BTreeMap::new();
    for stored in days {
        let version = version_of(config, &stored.tariff_set);
        let kind = config.calendar.kind(stored.day.date);
        let bands = version.and_then(|(_, version)| version.bands(stored.day.date, kind));
        let prices = price_of_each(&stored.prices).chain(std::iter::repeat(None));
        let intervals = stored.day.intervals.iter().zip(prices);
        for (index, (interval, price)) in (0_i64..).zip(intervals) {
            let start_s = stored.day.start_s + index * INTERVAL_S;
            let Some(interval) = interval.filter(|_| frame.holds(start_s)) else {
                continue;
            };
            let band = bands.and_then(|bands| bands.get(quarter(frame, start_s)).copied());
            let key = (stored.tariff_set.clone(), band, price);
            *sums.entry(key).or_default() += interval.amount_base;
        }
    }
    let per_unit = frame.commodity.base_per_unit();
    let views = sums
        .into_iter()
        .map(|((tariff, band, price), amount_base)| BandView {
            tariff,
            band: band.map_or_else(String::new, |band| band.id().to_owned()),
            band_zh: band.map_or_else(String::new, |band| band.name_zh().to_owned()),
            price_cny: price.map(|ncny| decimal(i128::from(ncny) * i128::from(per_unit))),
            amount_base,
            cost_cny: price.map(|ncny| decimal(i128::from(ncny) * i128::from(amount_base))),
        });
    views.collect()
}

fn decimal(ncny: i128) -> String {
    let exact = Decimal::try_from_i128_with_scale(ncny, 9);
    exact.map_or_else(|_| ncny.to_string(), |exact| exact.normalize().to_string())
}

fn version_of<'a>(config: &'a Config, name: &str) -> Option<(&'a Tariff, &'a TariffVersion)> {
    let mut versions = config
        .tariffs
        .all
        .values()
        .flat_map(|tariff| tariff.versions.iter().map(move |one| (tariff, one)));
    versions.find(|(tariff, version)| version.name(tariff) == name)
}

/// The quarter of an hour of local time.
fn quarter(frame: &Frame, at_s: i64) -> usize {
    let local = UtcMs(at_s * 1_000).to_datetime().with_timezone(&frame.zone);
    usize::try_from(local.hour() * 4 + local.minute() / 15).unwrap_or(0)
}
