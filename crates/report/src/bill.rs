//! The bill of an account, gathered from the ledger's intervals.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use steward_books::State;
use steward_config::{Account, Config};
use steward_ledger::money::{self, BillInput, BillLine, PowerFactor, Taken};
use steward_model::time::{day_start_s, local_date};
use steward_model::{LedgerRow, Shares, Span, UtcMs};
use steward_store::Source;
use utoipa::ToSchema;

use crate::balance::expected;
use crate::facts::zone_of_point;
use crate::reactive::{Measured, measured};
use crate::{Month, ReportError};

/// What an account has to pay for a period by the ledger and its tariffs. Sums are decimal texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AccountBill {
    /// The account's id.
    pub account: String,
    /// What is sold.
    pub commodity: String,
    /// Unit of the amounts.
    pub unit: String,
    /// First local day.
    pub from: NaiveDate,
    /// First day after.
    pub to: NaiveDate,
    /// Line by line.
    pub lines: Vec<AccountBillLine>,
    /// What was taken, priced or not.
    pub amount: f64,
    /// What was taken by band, those without a price left out.
    pub by_band: Vec<BandAmount>,
    /// Energy and surcharges of all intervals, as the ledger's rows have them; null where
    /// something has no price.
    #[schema(value_type = Option<String>)]
    pub interval_cost_cny: Option<Decimal>,
    /// Maximum demand of the period in kW, for electricity.
    #[schema(value_type = Option<String>)]
    pub demand_kw: Option<Decimal>,
    /// When the window of the maximum demand begins, in seconds (UTC).
    pub demand_at_s: Option<i64>,
    /// The power factor that was used: that of the invoice of these days where it states one, else
    /// the measured one.
    #[schema(value_type = Option<String>)]
    pub power_factor: Option<Decimal>,
    /// The power factor by the reactive energy that the account's meters count; null where they
    /// count none.
    #[schema(value_type = Option<String>)]
    pub measured_power_factor: Option<Decimal>,
    /// Reactive energy in kvarh, drawn and delivered, on which the measured power factor rests.
    pub reactive_kvarh: Option<f64>,
    /// Sum of the lines that are known.
    #[schema(value_type = String)]
    pub known_cny: Decimal,
    /// The total; null where a line is not known or nothing was measured.
    #[schema(value_type = Option<String>)]
    pub total_cny: Option<Decimal>,
    /// Intervals of all its points with an amount.
    pub intervals_present: u64,
    /// Intervals that its points are served.
    pub intervals_expected: u64,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AccountBillLine {
    /// `energy`, `unpriced`, `surcharge`, `tier`, `demand`, `capacity`, `power_factor` or `fixed`
    pub kind: String,
    /// `sharp`, `peak`, `flat`, `valley` or `deep_valley`, for energy.
    pub band: Option<String>,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// First local day.
    pub from: NaiveDate,
    /// First day after.
    pub to: NaiveDate,
    /// The tariff version, as `id@from`; empty where there is none.
    pub tariff: String,
    /// How much, in `unit`.
    #[schema(value_type = Option<String>)]
    pub quantity: Option<Decimal>,
    /// Of the quantity: kWh, m3, GJ; kW, kVA; CNY; month.
    pub unit: String,
    /// CNY a unit; for the power factor the share by which the bill changes.
    #[schema(value_type = Option<String>)]
    pub price: Option<Decimal>,
    /// For a price a month: how many days are charged.
    pub days: Option<i64>,
    /// For a price a month: how many days the month has.
    pub days_of_month: Option<i64>,
    /// CNY, rounded to 0.01; null where it is not known.
    #[schema(value_type = Option<String>)]
    pub sum_cny: Option<Decimal>,
    /// Why there is no sum: `price`, `demand`, `power_factor`, `base`, `year_before` or `range`.
    pub unknown: Option<String>,
    /// The same in Chinese.
    pub unknown_zh: Option<String>,
    /// The same in English.
    pub unknown_en: Option<String>,
}

/// What was taken in a band.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BandAmount {
    /// `sharp`, `peak`, `flat`, `valley` or `deep_valley`
    pub band: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// In the unit of the bill.
    pub amount: f64,
}

/// A bill beside the rows of which it is made.
pub(crate) struct Gathered {
    pub(crate) bill: money::Bill,
    pub(crate) measured: Option<Measured>,
    /// The amount by quality.
    pub(crate) shares: Shares,
    pub(crate) intervals_present: u64,
    pub(crate) intervals_expected: u64,
}

/// The bill of an account over the local dates `from` to before `to`. The power factor is that of
/// the account's invoice of exactly these dates, where it states one, else the measured one.
pub async fn bill(
    config: &Config,
    source: &Source,
    state: &State,
    account: &Account,
    (from, to): (NaiveDate, NaiveDate),
) -> Result<AccountBill, ReportError> {
    let invoices = state.invoices_of(&account.id).into_iter();
    let power_factor = invoices
        .filter(|(_, invoice)| (invoice.from, invoice.to) == (from, to))
        .find_map(|(_, invoice)| invoice.power_factor);
    let gathered = gather(config, source, account, (from, to), power_factor).await?;
    Ok(view(account, &gathered))
}

/// The bill of a month.
pub async fn month_bill(
    config: &Config,
    source: &Source,
    state: &State,
    account: &Account,
    month: Month,
) -> Result<AccountBill, ReportError> {
    let period = (month.first(), month.later(1).first());
    bill(config, source, state, account, period).await
}

/// The zone of an account's days: that of its first point.
pub(crate) fn zone_of_account(config: &Config, account: &Account) -> Tz {
    let first = account.points.first();
    first.map_or(config.settings.zone, |point| zone_of_point(config, point))
}

pub(crate) async fn gather(
    config: &Config,
    source: &Source,
    account: &Account,
    (from, to): (NaiveDate, NaiveDate),
    power_factor: Option<Decimal>,
) -> Result<Gathered, ReportError> {
    let zone = zone_of_account(config, account);
    let (from_s, to_s) = (day_start_s(zone, from), day_start_s(zone, to));
    let rows = source
        .ledger(&account.points, Span::Interval, from_s, to_s)
        .await?;
    let (intervals, shares) = sum(&rows);
    let measured = measured(config, source, account, &rows, (from_s, to_s)).await?;
    let year_before_base = year_before(config, source, account, from, zone).await?;
    let input = BillInput {
        account,
        from,
        to,
        zone,
        intervals: &intervals,
        power_factor: match (power_factor, measured) {
            (Some(invoiced), _) => PowerFactor::Is(invoiced),
            (None, Some(measured)) => measured.power_factor(),
            (None, None) => PowerFactor::Unknown,
        },
        year_before_base,
    };
    let whole = UtcMs(i64::MAX);
    let points = account.points.iter();
    let served = points.map(|point| expected(config, point, (from, to), whole));
    Ok(Gathered {
        bill: money::bill(config, &input),
        measured,
        shares,
        intervals_present: rows.len() as u64,
        intervals_expected: served.sum(),
    })
}

/// Rows of intervals of several points as what the account took, ascending.
fn sum(rows: &[LedgerRow]) -> (Vec<Taken>, Shares) {
    let mut by_start: BTreeMap<i64, i64> = BTreeMap::new();
    let mut shares = Shares::default();
    for row in rows {
        *by_start.entry(row.start_s).or_default() += row.amount_base;
        shares.measured_base += row.shares.measured_base;
        shares.interpolated_base += row.shares.interpolated_base;
        shares.estimated_base += row.shares.estimated_base;
        shares.manual_base += row.shares.manual_base;
    }
    let taken = by_start
        .into_iter()
        .map(|(start_s, amount_base)| Taken {
            start_s,
            amount_base,
        })
        .collect();
    (taken, shares)
}

/// What the account took in the year before `from`. `None` where the ledger has nothing of a time
/// in which it was an account, and where no tariff of it asks.
async fn year_before(
    config: &Config,
    source: &Source,
    account: &Account,
    from: NaiveDate,
    zone: Tz,
) -> Result<Option<i64>, ReportError> {
    let counts_years = account.tariffs.iter().any(|dated| {
        let tariff = config.tariffs.all.get(&dated.value);
        tariff.is_some_and(|tariff| {
            let mut tiers = tariff.versions.iter().filter_map(|one| one.tiers.as_ref());
            tiers.any(|tiers| tiers.yearly)
        })
    });
    let Some(first) = NaiveDate::from_ymd_opt(from.year(), 1, 1).filter(|_| counts_years) else {
        return Ok(None);
    };
    let (from_s, to_s) = (day_start_s(zone, first), day_start_s(zone, from));
    let rows = source
        .ledger(&account.points, Span::Day, from_s, to_s)
        .await?;
    let is_before = |row: &&LedgerRow| local_date(zone, row.start_s) < from;
    let sum_base: i64 = rows
        .iter()
        .filter(is_before)
        .map(|row| row.amount_base)
        .sum();
    let was_account = account.tariffs.iter().any(|dated| dated.from < from);
    Ok((!rows.is_empty() || !was_account).then_some(sum_base))
}

pub(crate) fn view(account: &Account, gathered: &Gathered) -> AccountBill {
    let bill = &gathered.bill;
    let amount = |base: i128| base as f64 / account.commodity.base_per_unit() as f64;
    AccountBill {
        account: account.id.clone(),
        commodity: account.commodity.id().to_owned(),
        unit: account.commodity.unit().to_owned(),
        from: bill.from,
        to: bill.to,
        lines: bill.lines.iter().map(line).collect(),
        amount: amount(bill.amount_base),
        by_band: bill
            .by_band
            .iter()
            .map(|(band, base)| BandAmount {
                band: band.id().to_owned(),
                name_zh: band.name_zh().to_owned(),
                name_en: band.name_en().to_owned(),
                amount: amount(*base),
            })
            .collect(),
        interval_cost_cny: bill.interval_cost_ncny.and_then(cny),
        demand_kw: bill.demand.map(|demand| demand.kw.normalize()),
        demand_at_s: bill.demand.map(|demand| demand.start_s),
        power_factor: bill.power_factor,
        measured_power_factor: gathered.measured.and_then(Measured::value),
        reactive_kvarh: gathered.measured.map(|one| one.reactive as f64 / 1_000.0),
        known_cny: bill.known_cny,
        total_cny: bill.total_cny,
        intervals_present: gathered.intervals_present,
        intervals_expected: gathered.intervals_expected.max(gathered.intervals_present),
    }
}

fn line(line: &BillLine) -> AccountBillLine {
    let band = match line.kind {
        money::LineKind::Energy(band) => Some(band.id().to_owned()),
        _ => None,
    };
    AccountBillLine {
        kind: line.kind.id().to_owned(),
        band,
        name_zh: line.name_zh.clone(),
        name_en: line.name_en.clone(),
        from: line.from,
        to: line.to,
        tariff: line.tariff.clone(),
        quantity: line.quantity.map(|quantity| quantity.normalize()),
        unit: line.unit.to_owned(),
        price: line.price.map(|price| price.normalize()),
        days: line.days.map(|(days, _)| days),
        days_of_month: line.days.map(|(_, month)| month),
        sum_cny: line.sum_cny,
        unknown: line.unknown.map(|unknown| unknown.id().to_owned()),
        unknown_zh: line.unknown.map(|unknown| unknown.text_zh().to_owned()),
        unknown_en: line.unknown.map(|unknown| unknown.text_en().to_owned()),
    }
}

/// Nano-yuan as yuan with all their decimals.
fn cny(ncny: i128) -> Option<Decimal> {
    let cny = Decimal::try_from_i128_with_scale(ncny, 9).ok()?;
    Some(cny.normalize())
}
