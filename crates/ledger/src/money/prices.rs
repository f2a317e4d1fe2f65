//! The price of every interval of a day.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{Datelike, NaiveDate, Timelike};
use chrono_tz::Tz;
use steward_config::tariff::QUARTERS;
use steward_config::{Account, Band, Config, Point, Tariff, TariffVersion};
use steward_model::time::INTERVAL_S;
use steward_model::{IntervalAmount, PointId, PriceRun, UtcMs};

use crate::LocalDay;

/// A day without a change of clocks.
const PLAIN_DAY_MS: i64 = 86_400_000;

/// The prices of one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayPrices {
    /// Runs of one price, from the first interval on; empty where no interval has a price. They
    /// hold energy price and surcharges.
    pub runs: Vec<PriceRun>,
    /// The tariff version used, as `id@from`; empty where there is none.
    pub tariff_set: String,
}

/// Which prices hold for which point when. It is made once for a configuration: thousands of points
/// share the days of a few tariffs, so a day is a look-up and no computation.
#[derive(Clone, Debug)]
pub struct Prices {
    /// The accounts of a point, by id.
    accounts: HashMap<PointId, Arc<[String]>>,
    /// A plain day of every schedule, by tariff, version and schedule.
    plain: BTreeMap<String, Vec<Vec<Arc<DayPrices>>>>,
    unpriced: Arc<DayPrices>,
}

impl Prices {
    /// The prices of a configuration.
    ///
    /// A point belongs to the accounts that list it; else to those of the nearest point above it
    /// that is listed, if it meters the same commodity by the counter of what is bought: feed-in
    /// behind a grid meter has no purchase price.
    pub fn of(config: &Config) -> Self {
        let mut listed: BTreeMap<&PointId, Vec<String>> = BTreeMap::new();
        for account in config.tariffs.accounts.values() {
            for point in &account.points {
                listed.entry(point).or_default().push(account.id.clone());
            }
        }
        let listed: BTreeMap<&PointId, Arc<[String]>> = listed
            .into_iter()
            .map(|(point, accounts)| (point, accounts.into()))
            .collect();
        let accounts = config
            .registry
            .points
            .values()
            .filter_map(|point| {
                let accounts = accounts_above(config, &listed, point)?;
                Some((point.id.clone(), accounts))
            })
            .collect();
        let plain = config
            .tariffs
            .all
            .iter()
            .map(|(id, tariff)| (id.clone(), plain_days(tariff)))
            .collect();
        Self {
            accounts,
            plain,
            unpriced: Arc::default(),
        }
    }

    /// The account of a point on a date: the first that has a tariff then.
    pub fn account<'a>(
        &self,
        config: &'a Config,
        point: &PointId,
        date: NaiveDate,
    ) -> Option<&'a Account> {
        self.accounts
            .get(point)?
            .iter()
            .filter_map(|id| config.tariffs.accounts.get(id))
            .find(|account| account.tariff_on(&config.tariffs, date).is_some())
    }

    /// The prices of a point's day, by the local clock at the start of every interval. `config` is
    /// the one of which these prices were made, `zone` that of the point's building.
    pub fn day(
        &self,
        config: &Config,
        point: &PointId,
        day: &LocalDay,
        zone: Tz,
    ) -> Arc<DayPrices> {
        self.find(config, point, day, zone)
            .unwrap_or_else(|| Arc::clone(&self.unpriced))
    }

    fn find(
        &self,
        config: &Config,
        point: &PointId,
        day: &LocalDay,
        zone: Tz,
    ) -> Option<Arc<DayPrices>> {
        let account = self.account(config, point, day.date)?;
        let tariff = account.tariff_on(&config.tariffs, day.date)?;
        let version = tariff.on(day.date)?;
        let version_index = tariff
            .versions
            .iter()
            .position(|one| std::ptr::eq(one, version))?;
        let kind = config.calendar.kind(day.date);
        let schedule_index = version
            .schedules
            .iter()
            .position(|one| one.months.contains(&day.date.month()) && one.days.contains(&kind))?;
        if day.end_ms - day.start_ms == PLAIN_DAY_MS {
            let plain = self.plain.get(&tariff.id)?.get(version_index)?;
            return plain.get(schedule_index).map(Arc::clone);
        }
        let bands = &version.schedules.get(schedule_index)?.bands;
        let prices = (0..day.intervals()).map(|index| {
            let start_s = i64::try_from(index).map_or(day.start_ms / 1_000, |index| {
                day.start_ms / 1_000 + index * INTERVAL_S
            });
            band_at(bands, zone, start_s)
        });
        Some(Arc::new(day_prices(tariff, version, prices)))
    }
}

/// What a day's intervals cost in nano-yuan by its runs of prices. `None` where an interval that is
/// present has no price, or where the sum is beyond what 64 bits hold.
pub fn cost(intervals: &[Option<IntervalAmount>], runs: &[PriceRun]) -> Option<i64> {
    let mut rest = intervals;
    let mut sum: i128 = 0;
    for run in runs {
        let (now, later) = rest.split_at(usize::from(run.intervals).min(rest.len()));
        rest = later;
        match run.ncny_per_base {
            Some(price) => {
                let amounts = now.iter().flatten();
                let amount: i128 = amounts.map(|one| i128::from(one.amount_base)).sum();
                sum = sum.checked_add(amount.checked_mul(i128::from(price))?)?;
            }
            None if now.iter().any(Option::is_some) => return None,
            None => {}
        }
    }
    if rest.iter().any(Option::is_some) {
        return None;
    }
    i64::try_from(sum).ok()
}

/// The price of one interval after the other, as the runs say; it ends where they end.
pub fn price_of_each(runs: &[PriceRun]) -> impl Iterator<Item = Option<i64>> {
    runs.iter()
        .flat_map(|run| std::iter::repeat_n(run.ncny_per_base, usize::from(run.intervals)))
}

/// The quarter of an hour of local time in which `at_s` lies, 0 to 95.
pub(super) fn quarter_at(zone: Tz, at_s: i64) -> usize {
    let local = UtcMs(at_s.saturating_mul(1_000))
        .to_datetime()
        .with_timezone(&zone);
    let quarter = local.hour() * 4 + local.minute() / 15;
    usize::try_from(quarter).map_or(0, |quarter| quarter.min(QUARTERS - 1))
}

fn band_at(bands: &[Band; QUARTERS], zone: Tz, at_s: i64) -> Band {
    bands[quarter_at(zone, at_s)]
}

fn accounts_above(
    config: &Config,
    listed: &BTreeMap<&PointId, Arc<[String]>>,
    point: &Point,
) -> Option<Arc<[String]>> {
    if let Some(accounts) = listed.get(&point.id) {
        return Some(Arc::clone(accounts));
    }
    if point.counter != point.commodity.counter() {
        return None;
    }
    let mut above = point;
    // A chain of parents is no longer than there are points, even if it were a circle.
    for _ in 0..config.registry.points.len() {
        above = config.registry.points.get(above.parent.as_ref()?)?;
        if let Some(accounts) = listed.get(&above.id) {
            let same = above.commodity == point.commodity;
            return same.then(|| Arc::clone(accounts));
        }
    }
    None
}

fn plain_days(tariff: &Tariff) -> Vec<Vec<Arc<DayPrices>>> {
    let of_version = |version: &TariffVersion| {
        let of_schedule = |schedule: &steward_config::Schedule| {
            Arc::new(day_prices(tariff, version, schedule.bands.into_iter()))
        };
        version.schedules.iter().map(of_schedule).collect()
    };
    tariff.versions.iter().map(of_version).collect()
}

fn day_prices(
    tariff: &Tariff,
    version: &TariffVersion,
    bands: impl Iterator<Item = Band>,
) -> DayPrices {
    let mut runs: Vec<PriceRun> = Vec::new();
    for band in bands {
        let ncny_per_base = version.ncny_per_base(band);
        match runs.last_mut() {
            Some(run) if run.ncny_per_base == ncny_per_base => run.intervals += 1,
            _ => runs.push(PriceRun {
                intervals: 1,
                ncny_per_base,
            }),
        }
    }
    if runs.iter().all(|run| run.ncny_per_base.is_none()) {
        return DayPrices::default();
    }
    DayPrices {
        runs,
        tariff_set: version.name(tariff),
    }
}
