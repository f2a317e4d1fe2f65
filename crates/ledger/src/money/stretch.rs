//! A bill's period, cut where its terms change.

use std::collections::BTreeMap;

use chrono::{Datelike, Months, NaiveDate};
use chrono_tz::Tz;
use steward_config::tariff::QUARTERS;
use steward_config::{Account, Band, Config, Tariff, TariffVersion};
use steward_model::time::local_date;

use super::bill::Taken;
use super::prices::quarter_at;

/// A month of the bill, counted from its first day: from the 20th to the 20th is one month. A
/// period that is no whole number of months ends with a part of one.
#[derive(Clone, Debug)]
pub(super) struct Cycle {
    pub(super) from: NaiveDate,
    /// First day after what is billed.
    pub(super) to: NaiveDate,
    /// Days of the whole month.
    pub(super) days_whole: i64,
    /// The intervals that lie in it.
    pub(super) intervals: Vec<Taken>,
}

/// Days of one cycle with the same terms.
#[derive(Clone, Debug)]
pub(super) struct Stretch<'a> {
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
    /// Index of its cycle.
    pub(super) cycle: usize,
    /// Tariff and version; `None` where none holds.
    pub(super) terms: Option<(&'a Tariff, &'a TariffVersion)>,
    /// Base units by band.
    pub(super) by_band: BTreeMap<Band, i128>,
    /// Base units in intervals without a price, where there are any.
    pub(super) unpriced_base: Option<i128>,
}

impl Stretch<'_> {
    pub(super) fn days(&self) -> i64 {
        (self.to - self.from).num_days()
    }

    pub(super) fn priced_base(&self) -> i128 {
        self.by_band.values().sum()
    }

    pub(super) fn amount_base(&self) -> i128 {
        self.priced_base() + self.unpriced_base.unwrap_or(0)
    }
}

/// The period in cycles and stretches, with the intervals where they belong.
pub(super) struct Cut<'a> {
    pub(super) cycles: Vec<Cycle>,
    pub(super) stretches: Vec<Stretch<'a>>,
}

/// What a date has, looked up once for its intervals.
struct Dated<'a> {
    stretch: usize,
    bands: Option<&'a [Band; QUARTERS]>,
}

impl<'a> Cut<'a> {
    pub(super) fn of(
        config: &'a Config,
        account: &Account,
        (from, to): (NaiveDate, NaiveDate),
        zone: Tz,
        intervals: &[Taken],
    ) -> Self {
        let mut cut = Self {
            cycles: cycles(from, to),
            stretches: Vec::new(),
        };
        let mut dates: Vec<Dated<'a>> = Vec::new();
        for cycle in 0..cut.cycles.len() {
            let (from, to) = (cut.cycles[cycle].from, cut.cycles[cycle].to);
            for date in from.iter_days().take_while(|date| *date < to) {
                dates.push(cut.add_date(config, account, date, cycle));
            }
        }
        for one in intervals {
            let date = local_date(zone, one.start_s);
            let index = usize::try_from((date - from).num_days()).ok();
            if let Some(dated) = index.and_then(|index| dates.get(index)) {
                let band = dated
                    .bands
                    .map(|bands| bands[quarter_at(zone, one.start_s)]);
                cut.add_interval(dated.stretch, band, *one);
            }
        }
        cut
    }

    fn add_date(
        &mut self,
        config: &'a Config,
        account: &Account,
        date: NaiveDate,
        cycle: usize,
    ) -> Dated<'a> {
        let terms = account
            .tariff_on(&config.tariffs, date)
            .and_then(|tariff| Some((tariff, tariff.on(date)?)));
        let goes_on = self.stretches.last().is_some_and(|last| {
            last.cycle == cycle
                && same_terms(last.terms, terms)
                && !(date.ordinal() == 1 && counts_years(terms))
        });
        match self.stretches.last_mut() {
            Some(last) if goes_on => last.to = next(date),
            _ => self.stretches.push(Stretch {
                from: date,
                to: next(date),
                cycle,
                terms,
                by_band: BTreeMap::new(),
                unpriced_base: None,
            }),
        }
        Dated {
            stretch: self.stretches.len() - 1,
            bands: terms.and_then(|(_, version)| version.bands(date, config.calendar.kind(date))),
        }
    }

    fn add_interval(&mut self, stretch: usize, band: Option<Band>, one: Taken) {
        let Some(stretch) = self.stretches.get_mut(stretch) else {
            return;
        };
        let version = stretch.terms.map(|(_, version)| version);
        let priced = band
            .filter(|band| version.is_some_and(|version| version.ncny_per_base(*band).is_some()));
        let amount = match priced {
            Some(band) => stretch.by_band.entry(band).or_default(),
            None => stretch.unpriced_base.get_or_insert(0),
        };
        *amount += i128::from(one.amount_base);
        if let Some(cycle) = self.cycles.get_mut(stretch.cycle) {
            cycle.intervals.push(one);
        }
    }
}

fn cycles(from: NaiveDate, to: NaiveDate) -> Vec<Cycle> {
    let start_of = |count: u32| from.checked_add_months(Months::new(count));
    let mut cycles = Vec::new();
    for count in 0.. {
        // From the first day and not from the last cycle: the 31st stays the 31st where it can.
        let (Some(start), Some(end)) = (start_of(count), start_of(count + 1)) else {
            break;
        };
        if start >= to {
            break;
        }
        cycles.push(Cycle {
            from: start,
            to: end.min(to),
            days_whole: (end - start).num_days(),
            intervals: Vec::new(),
        });
    }
    cycles
}

fn same_terms(
    one: Option<(&Tariff, &TariffVersion)>,
    other: Option<(&Tariff, &TariffVersion)>,
) -> bool {
    match (one, other) {
        (Some((one, version)), Some((other, other_version))) => {
            one.id == other.id && version.from == other_version.from
        }
        (None, None) => true,
        _ => false,
    }
}

fn counts_years(terms: Option<(&Tariff, &TariffVersion)>) -> bool {
    terms
        .and_then(|(_, version)| version.tiers.as_ref())
        .is_some_and(|tiers| tiers.yearly)
}

fn next(date: NaiveDate) -> NaiveDate {
    date.succ_opt().unwrap_or(NaiveDate::MAX)
}
