//! Invoices against the ledger, over the invoice's own local dates.
//!
//! Two verdicts are kept apart: whether the *amount* agrees, and whether the *sum to pay* is what
//! the tariff makes of the ledger's own intervals. What can explain a difference is said with its
//! figures: what is missing, what is estimated, what waits for a person, what the children of the
//! point do not account for, what happened to its meters.

mod reasons;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use serde::{Deserialize, Serialize};
use steward_books::{Invoice, State};
use steward_config::{Account, Config};
use steward_model::time::{day_start_s, local_date};
use steward_model::{PointId, Span, UtcMs};
use steward_store::{FindingFilter, FindingStates, Source, StoreError, StoredDay};
use utoipa::ToSchema;

use crate::ReportError;
use crate::balance::{BalancePeriod, balance_over};
use crate::bill::{Gathered, gather, zone_of_account};
use crate::cause::rests_on;
use crate::facts::{by_zone, zone_of_point};
use crate::numbers::{QualityShares, quality, share_of};

/// An invoice and what the ledger says to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Compared {
    /// The account's id.
    pub account: String,
    /// The supplier's number of the invoice.
    pub number: String,
    /// First local day.
    pub from: NaiveDate,
    /// First day after.
    pub to: NaiveDate,
    /// Unit of the amounts.
    pub unit: String,
    /// What the ledger has; null where nothing was measured.
    pub ledger_amount: Option<f64>,
    /// Ledger − invoice.
    pub difference: Option<f64>,
    /// The same as a part of what is invoiced; null where nothing is invoiced.
    pub difference_share: Option<f64>,
    /// What the tariff makes of the ledger's intervals, as a decimal text; null where a line of the
    /// bill is not known.
    #[schema(value_type = Option<String>)]
    pub bill_cny: Option<Decimal>,
    /// Bill − invoice, as a decimal text.
    #[schema(value_type = Option<String>)]
    pub difference_cny: Option<Decimal>,
    /// The same as a part of what is invoiced.
    pub difference_cny_share: Option<f64>,
    /// Maximum demand by the ledger in kW, for electricity.
    #[schema(value_type = Option<String>)]
    pub demand_kw: Option<Decimal>,
    /// The part by which amount and sum may differ.
    pub tolerance: f64,
    /// Whether the amount is within the tolerance; null where nothing was measured.
    pub amount_within: Option<bool>,
    /// Whether the sum is within the tolerance; null where the bill is not known.
    pub cost_within: Option<bool>,
    /// The verdict: the amount is within the tolerance, and so is the sum where it is known; null
    /// where nothing was measured.
    pub within: Option<bool>,
    /// Sum of the intervals − sum of the days, in base units. The ledger telescopes: it is 0.
    pub closure_base: i64,
    /// The registers on which the amount rests.
    pub registers: Vec<InvoiceRegisters>,
    /// Intervals of the account's points with an amount ÷ intervals that they are served.
    pub coverage: Option<f64>,
    /// How the amount is known.
    pub quality: Option<QualityShares>,
    /// Balances of those points of the account that have children.
    pub balances: Vec<PointBalance>,
    /// Reviews that wait for a person, begun before the period's end: what follows them is
    /// provisional. Empty where the store has none to tell.
    pub open_reviews: Vec<String>,
    /// What explains a difference, or what stands in the way of saying so.
    pub reasons: Vec<InvoiceReason>,
}

/// The last confirmed registers of a point up to the two ends of a period, ratios applied, each
/// continued over replacements and rollovers as the ledger continues it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceRegisters {
    /// The point.
    pub point: String,
    /// Up to the beginning of the first day; null where none was confirmed the day before.
    pub before: Option<ConfirmedRegister>,
    /// Up to the end of the last day that has a ledger.
    pub last: ConfirmedRegister,
}

/// A register.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConfirmedRegister {
    /// When it was read, in milliseconds (UTC).
    pub at_ms: i64,
    /// What it showed, in the unit of the amounts.
    pub register: f64,
    /// Whether a person read it.
    pub manual: bool,
}

/// The balance of a point over the period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PointBalance {
    /// The point.
    pub point: String,
    /// Its balance.
    pub balance: BalancePeriod,
}

/// A reason in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceReason {
    /// `closure`, `nothing_measured`, `coverage`, `estimated`, `reviews`, `events`, `residual`,
    /// `demand`, `power_factor`, `bill` or `price`
    pub kind: String,
    /// In Chinese.
    pub text_zh: String,
    /// In English.
    pub text_en: String,
}

/// Compares an invoice with the ledger. `None` where its account is no longer configured.
pub async fn compare(
    config: &Config,
    source: &Source,
    state: &State,
    invoice: &Invoice,
) -> Result<Option<Compared>, ReportError> {
    let Some(account) = config.tariffs.accounts.get(&invoice.account) else {
        return Ok(None);
    };
    let period = (invoice.from, invoice.to);
    let gathered = gather(config, source, account, period, invoice.power_factor).await?;
    let days_base = sum_of_days(config, source, account, period).await?;
    let mut compared = figures(config, account, invoice, &gathered);
    compared.closure_base =
        i64::try_from(gathered.bill.amount_base - days_base).unwrap_or(i64::MAX);
    compared.registers = registers(config, source, account, period).await?;
    compared.balances = balances(config, source, account, period).await?;
    compared.open_reviews = open_reviews(config, source, account, invoice.to).await?;
    compared.reasons = reasons::reasons(config, state, account, invoice, &gathered, &compared);
    Ok(Some(compared))
}

/// The figures that need the invoice and the bill alone.
fn figures(config: &Config, account: &Account, invoice: &Invoice, gathered: &Gathered) -> Compared {
    let bill = &gathered.bill;
    let tolerance = config.settings.close.invoice_tolerance;
    let scale = account.commodity.base_per_unit().ilog10();
    let ledger = (gathered.intervals_present > 0)
        .then(|| Decimal::try_from_i128_with_scale(bill.amount_base, scale).ok())
        .flatten();
    let difference = ledger.and_then(|ledger| ledger.checked_sub(invoice.amount));
    let bill_cny = bill.total_cny;
    let difference_cny = bill_cny.and_then(|bill| bill.checked_sub(invoice.cost_cny));
    let amount_within = difference.map(|one| is_within(one, invoice.amount, tolerance));
    let cost_within = difference_cny.map(|one| is_within(one, invoice.cost_cny, tolerance));
    let expected = gathered.intervals_expected.max(gathered.intervals_present);
    Compared {
        account: account.id.clone(),
        number: invoice.number.clone(),
        from: invoice.from,
        to: invoice.to,
        unit: account.commodity.unit().to_owned(),
        ledger_amount: ledger.and_then(|one| one.to_f64()),
        difference: difference.and_then(|one| one.to_f64()),
        difference_share: difference.and_then(|one| share(one, invoice.amount)),
        bill_cny,
        difference_cny,
        difference_cny_share: difference_cny.and_then(|one| share(one, invoice.cost_cny)),
        demand_kw: bill.demand.map(|demand| demand.kw.normalize()),
        tolerance,
        amount_within,
        cost_within,
        within: amount_within.map(|amount| amount && cost_within.unwrap_or(true)),
        closure_base: 0,
        registers: Vec::new(),
        coverage: share_of(gathered.intervals_present.into(), expected.into()),
        quality: quality(&gathered.shares),
        balances: Vec::new(),
        open_reviews: Vec::new(),
        reasons: Vec::new(),
    }
}

/// Whether a difference is at most a part of what is invoiced.
fn is_within(difference: Decimal, invoiced: Decimal, tolerance: f64) -> bool {
    let allowed = Decimal::from_f64(tolerance).and_then(|one| one.checked_mul(invoiced.abs()));
    difference.is_zero() || allowed.is_some_and(|allowed| difference.abs() <= allowed)
}

/// A difference as a part of what is invoiced, to six decimals.
fn share(difference: Decimal, invoiced: Decimal) -> Option<f64> {
    let share = difference.checked_div(invoiced.abs())?;
    share.round_dp(6).to_f64()
}

/// The days' rows of the same dates: another road to the same sum.
async fn sum_of_days(
    config: &Config,
    source: &Source,
    account: &Account,
    (from, to): (NaiveDate, NaiveDate),
) -> Result<i128, ReportError> {
    let zone = zone_of_account(config, account);
    let (from_s, to_s) = (day_start_s(zone, from), day_start_s(zone, to));
    let rows = source
        .ledger(&account.points, Span::Day, from_s, to_s)
        .await?;
    Ok(rows.iter().map(|row| i128::from(row.amount_base)).sum())
}

async fn registers(
    config: &Config,
    source: &Source,
    account: &Account,
    (from, to): (NaiveDate, NaiveDate),
) -> Result<Vec<InvoiceRegisters>, ReportError> {
    let mut pairs = Vec::new();
    let eve = from.pred_opt().unwrap_or(from);
    for point in account.points.iter().filter(|id| is_counted(config, id)) {
        let days = match source.days(point, eve, to).await {
            // InfluxDB has the amounts and not the registers.
            Err(StoreError::NotPublished(_)) => return Ok(Vec::new()),
            days => days?,
        };
        let of_day = |day: &StoredDay| {
            day.carry.map(|carry| ConfirmedRegister {
                at_ms: carry.at_ms.0,
                register: crate::amount(account.commodity, carry.register_base),
                manual: carry.manual,
            })
        };
        let before = days.iter().find(|day| day.day.date == eve).and_then(of_day);
        let within = days.iter().filter(|day| day.day.date >= from);
        if let Some(last) = within.filter_map(of_day).next_back() {
            pairs.push(InvoiceRegisters {
                point: point.to_string(),
                before,
                last,
            });
        }
    }
    Ok(pairs)
}

/// Whether a point has registers: virtual ones have none, and what is integrated from power has
/// none that a meter ever showed.
fn is_counted(config: &Config, id: &PointId) -> bool {
    let Some(point) = config.registry.points.get(id) else {
        return false;
    };
    config.registry.meters_of(id).iter().any(|meter| {
        let profile = config.profiles.get(&meter.profile);
        profile.is_some_and(|profile| profile.quantities().contains(&point.counter))
    })
}

async fn balances(
    config: &Config,
    source: &Source,
    account: &Account,
    period: (NaiveDate, NaiveDate),
) -> Result<Vec<PointBalance>, ReportError> {
    let mut balances = Vec::new();
    // All of an invoice's days are over.
    let over = UtcMs(i64::MAX);
    for id in &account.points {
        let Some(point) = config.registry.points.get(id) else {
            continue;
        };
        let balance = balance_over(config, source, point, period, over).await?;
        if !balance.children.is_empty() {
            balances.push(PointBalance {
                point: id.to_string(),
                balance,
            });
        }
    }
    Ok(balances)
}

async fn open_reviews(
    config: &Config,
    source: &Source,
    account: &Account,
    to: NaiveDate,
) -> Result<Vec<String>, ReportError> {
    let mut open = Vec::new();
    let mut points: Vec<PointId> = Vec::new();
    for id in &account.points {
        points.extend(rests_on(config, id).0);
    }
    points.sort();
    points.dedup();
    for (zone, points) in by_zone(config, points) {
        for point in points {
            let filter = FindingFilter {
                point: Some(point),
                states: FindingStates::Open,
                to: Some(UtcMs(day_start_s(zone, to) * 1_000)),
                ..FindingFilter::default()
            };
            match source.findings(filter).await {
                Err(StoreError::NotPublished(_)) => return Ok(Vec::new()),
                findings => open.extend(findings?.iter().map(steward_model::Finding::id)),
            }
        }
    }
    Ok(open)
}

/// The numbers of the books' events that touch the meters of an account within its dates.
fn events(config: &Config, state: &State, account: &Account, invoice: &Invoice) -> Vec<u64> {
    let mut numbers: Vec<u64> = Vec::new();
    for id in &account.points {
        let (points, meters) = rests_on(config, id);
        let zone = zone_of_point(config, id);
        let is_within = |at: UtcMs| {
            let date = local_date(zone, at.seconds_floor());
            invoice.from <= date && date < invoice.to
        };
        let replaced = state.replacements().into_iter();
        numbers.extend(
            replaced
                .filter(|(_, one)| points.contains(&one.point) && is_within(one.at))
                .map(|(seq, _)| seq),
        );
        let decided = state.decisions().into_iter();
        numbers.extend(
            decided
                .filter(|(_, one)| meters.contains(&one.meter) && is_within(one.at))
                .map(|(seq, _)| seq),
        );
        let by_hand = state.hand_readings().into_iter();
        numbers.extend(
            by_hand
                .filter(|(_, one)| meters.contains(&one.meter) && is_within(one.at))
                .map(|(seq, _)| seq),
        );
        let voided = state.voided().into_iter();
        numbers.extend(
            voided
                .filter(|(_, one)| meters.contains(&one.meter))
                .filter(|(_, one)| is_within(one.from) || is_within(one.to))
                .map(|(seq, _)| seq),
        );
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
