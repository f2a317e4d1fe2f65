//! What the api answers, field for field. Every field is always there; what is not known is null.

mod books;
mod closes;
mod invoices;
mod live;
mod reviews;
mod tariffs;

use rust_decimal::Decimal;
use serde::Serialize;
use steward_model::{MeterState, ReadingQuality};
use steward_report::{BudgetStatus, FactorEntry, QualityShares};
use utoipa::ToSchema;

pub use books::{
    EventEntry, EventKind, EventView, Events, InvoiceText, NewEvent, NewEventKind, NewUndo,
    OtherRegisterView, QuantityWord, VerdictWord,
};
pub use closes::{Adjustments, Closes, NewApproval, NewClose, NewRejection};
pub use invoices::{InvoiceEntry, Invoices, InvoicesEntered, NewInvoice, NewInvoices};
pub use live::{
    Aggregator, Alive, BooksSeq, Health, InstitutionPower, Journal, MeterCounts, PointPower, Power,
    Publisher, Ready,
};
pub use reviews::{
    Decided, Evidence, FindingWord, NewDecision, Register, Review, ReviewState, ReviewStateAsked,
    Reviews,
};
pub use tariffs::{
    Account, AccountTariff, BandPrice, BandRun, Demand, PowerFactor, PowerFactorStep, Schedule,
    Surcharge, Tariff, TariffVersion, Tariffs, TierStep, Tiers,
};

/// Nano-yuan as yuan: exact, without zeros at the end; `None` beyond 28 digits.
pub(crate) fn cny(ncny: i128) -> Option<String> {
    let yuan = Decimal::try_from_i128_with_scale(ncny, 9).ok()?;
    Some(yuan.normalize().to_string())
}

/// The site.
#[derive(Debug, Serialize, ToSchema)]
pub struct Site {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// The zone of buildings that name none.
    pub timezone: String,
}

/// Answer of `institutions`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Institutions {
    /// The site they belong to.
    pub site: Site,
    /// By id.
    pub institutions: Vec<Institution>,
}

/// An institution 公共机构.
#[derive(Debug, Serialize, ToSchema)]
pub struct Institution {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Province.
    pub province: String,
    /// Grid region.
    pub region: String,
    /// Pilot of energy and carbon budgets.
    pub budget_pilot: bool,
    /// 建筑面积 today.
    pub floor_area_m2: Option<f64>,
    /// 用能人数 today.
    pub energy_users: Option<u32>,
    /// The zone of its days and months.
    pub timezone: String,
    /// Ids of its buildings.
    pub buildings: Vec<String>,
}

/// Answer of `buildings`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Buildings {
    /// By id.
    pub buildings: Vec<Building>,
}

/// A building.
#[derive(Debug, Serialize, ToSchema)]
pub struct Building {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Whose it is.
    pub institution: String,
    /// The zone of its days and months.
    pub timezone: String,
    /// 建筑面积 today.
    pub floor_area_m2: Option<f64>,
    /// 用能人数 today.
    pub energy_users: Option<u32>,
    /// Ids of its points.
    pub points: Vec<String>,
}

/// Answer of `points`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Points {
    /// By id.
    pub points: Vec<Point>,
}

/// A point 计量点.
#[derive(Debug, Serialize, ToSchema)]
pub struct Point {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Where it is.
    pub building: String,
    /// Whose it is.
    pub institution: String,
    /// What is metered.
    pub commodity: String,
    /// The unit of its amounts.
    pub unit: String,
    /// The integer unit of its ledger.
    pub base_unit: String,
    /// Sub-item code 分项.
    pub subitem: Option<String>,
    /// The point that meters this one too.
    pub parent: Option<String>,
    /// What it is in totals: `counted`, `deducted`, `shared` or `aside`.
    pub role: String,
    /// The counter that makes its ledger.
    pub counter: String,
    /// The point on whose meters it stands, where it has none of its own.
    pub metered_by: Option<String>,
    /// What a virtual point is made of today, or last; null for a metered point.
    #[serde(rename = "virtual")]
    pub formula: Option<String>,
    /// What a virtual point is made of, by date.
    pub formulas: Vec<DatedFormula>,
    /// Ids of its meters in the order of their service.
    pub meters: Vec<String>,
}

/// What a virtual point is made of from one date to another.
#[derive(Debug, Serialize, ToSchema)]
pub struct DatedFormula {
    /// First day.
    #[schema(format = Date)]
    pub from: String,
    /// First day after; null is open.
    #[schema(format = Date)]
    pub to: Option<String>,
    /// The formula.
    pub text: String,
}

/// Answer of `meters`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Meters {
    /// By id.
    pub meters: Vec<Meter>,
}

/// A meter 表计 and how it answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Meter {
    /// Id.
    pub id: String,
    /// Which point it serves.
    pub point: String,
    /// How it is reached.
    pub gateway: String,
    /// Its model.
    pub profile: String,
    /// `modbus_tcp` or `mqtt`.
    pub protocol: String,
    /// How often it is asked, or expected to speak.
    pub interval_s: f64,
    /// First local day of service.
    #[schema(format = Date)]
    pub from: String,
    /// First day after its service; null is open.
    #[schema(format = Date)]
    pub to: Option<String>,
    /// Product of the CT and PT ratios at the start of service; 1 where registers contain them.
    pub ratio: u32,
    /// Later ratios, in the order of time.
    pub ratio_changes: Vec<RatioChange>,
    /// What its counters can show and how fast they can rise.
    pub limits: Vec<Limits>,
    /// How it answers; null where the collector runs elsewhere.
    pub state: Option<State>,
    /// When the last good reading was received.
    #[schema(format = DateTime)]
    pub last_seen: Option<String>,
    /// Failed polls and refused messages since the collector's start.
    pub errors_total: Option<u64>,
    /// The last failure in words.
    pub last_error: Option<String>,
    /// The last reading of every quantity.
    pub latest: Vec<Latest>,
}

/// A ratio from a day on.
#[derive(Debug, Serialize, ToSchema)]
pub struct RatioChange {
    /// First local day.
    #[schema(format = Date)]
    pub from: String,
    /// Product of the CT and PT ratios.
    pub ratio: u32,
}

/// What a counter can show, in the unit of its quantity, before ratios.
#[derive(Debug, Serialize, ToSchema)]
pub struct Limits {
    /// Which counter.
    pub quantity: String,
    /// Unit of the numbers.
    pub unit: String,
    /// The smallest step that it shows; 0 where unknown.
    pub resolution: f64,
    /// Where it begins again at zero; null where it never does, or it is unknown.
    pub modulus: Option<f64>,
    /// The most that it can rise in an hour by the meter's rating, where that is known.
    pub rise_max_per_h: Option<f64>,
}

/// How a meter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MeterState)]
pub enum State {
    /// Not heard of since the start of the collector.
    Waiting,
    /// Its last poll or message was good.
    Online,
    /// Its last polls failed; it is asked less often.
    BackedOff,
    /// Silent for longer than three of its intervals.
    Silent,
}

impl From<MeterState> for State {
    fn from(state: MeterState) -> Self {
        match state {
            MeterState::Waiting => Self::Waiting,
            MeterState::Online => Self::Online,
            MeterState::BackedOff => Self::BackedOff,
            MeterState::Silent => Self::Silent,
        }
    }
}

/// The last reading of a quantity.
#[derive(Debug, Serialize, ToSchema)]
pub struct Latest {
    /// What was measured.
    pub quantity: String,
    /// Unit of the value.
    pub unit: String,
    /// As the register shows it: CT and PT ratios are not applied.
    pub value: f64,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// How it was made.
    pub quality: Quality,
}

/// How a reading was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReadingQuality)]
pub enum Quality {
    /// Value and time come from the meter.
    Good,
    /// The meter gave no sane time; it is when we received it.
    ReceiveTime,
    /// Read by a person.
    Manual,
}

impl From<ReadingQuality> for Quality {
    fn from(quality: ReadingQuality) -> Self {
        match quality {
            ReadingQuality::Good => Self::Good,
            ReadingQuality::ReceiveTime => Self::ReceiveTime,
            ReadingQuality::Manual => Self::Manual,
        }
    }
}

/// Answer of `readings`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readings {
    /// Which meter.
    pub meter: String,
    /// What was measured.
    pub quantity: String,
    /// Unit of the values.
    pub unit: String,
    /// Product of the CT and PT ratios by which values are multiplied to become amounts, at the end
    /// of what was asked for.
    pub ratio: u32,
    /// The zone of the times.
    pub timezone: String,
    /// In the order of time.
    pub rows: Vec<ReadingRow>,
    /// Where to go on, as `from`, when there is more than `limit`.
    #[schema(format = DateTime)]
    pub next_from: Option<String>,
}

/// One reading.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadingRow {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// As the register shows it.
    pub value: f64,
    /// How it was made.
    pub quality: Quality,
}

/// Answer of `ledger`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ledger {
    /// As asked.
    pub scope: String,
    /// As asked.
    pub commodity: String,
    /// As asked.
    pub span: String,
    /// As asked.
    pub by: Option<String>,
    /// Unit of `amount`.
    pub unit: String,
    /// Unit of `amount_base`.
    pub base_unit: String,
    /// The zone that decides what a day is.
    pub timezone: String,
    /// First instant that was asked for.
    #[schema(format = DateTime)]
    pub from: String,
    /// First instant that was no longer asked for.
    #[schema(format = DateTime)]
    pub to: String,
    /// The keys that rows can have, in their order, with names; empty without `by`.
    pub keys: Vec<Key>,
    /// By start and key. A period without a row has no data: it is not zero.
    pub rows: Vec<LedgerRow>,
}

/// A key of ledger rows.
#[derive(Debug, Serialize, ToSchema)]
pub struct Key {
    /// Institution, building, point, sub-item code, or `rest`.
    pub key: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
}

/// One figure of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerRow {
    /// The period's first instant.
    #[schema(format = DateTime)]
    pub start: String,
    /// Where `by` is given.
    pub key: Option<String>,
    /// In `unit`.
    pub amount: f64,
    /// Exact, in `base_unit`.
    pub amount_base: i64,
    /// How the amount is known; null where it is zero or a residual is negative.
    pub quality: Option<QualityShares>,
    /// Intervals present ÷ intervals that have ended.
    pub coverage: Option<f64>,
    /// Standard coal; null where none counts.
    pub kgce: Option<f64>,
    /// CO2, location-based; null where none counts.
    pub co2_kg: Option<f64>,
    /// What it costs by the tariff's energy prices, exact, as decimal text; null where a part of it
    /// has no price. Charges of a month's bill are not in it.
    pub cost_cny: Option<String>,
    /// Whether a finding that waits for a person stands behind it; null where findings are not kept.
    pub provisional: Option<bool>,
}

/// Periods of a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BalanceSpan {
    /// Local days.
    Day,
    /// Local months.
    Month,
}

/// Answer of `carbon`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Carbon {
    /// As asked.
    pub scope: String,
    /// As asked.
    pub span: String,
    /// The zone that decides what a day is.
    pub timezone: String,
    /// First instant that was asked for.
    #[schema(format = DateTime)]
    pub from: String,
    /// First instant that was no longer asked for.
    #[schema(format = DateTime)]
    pub to: String,
    /// By start.
    pub rows: Vec<CarbonRow>,
    /// Every factor that a row used, with its origin.
    pub factors: Vec<FactorEntry>,
}

/// Standard coal and CO2 of one period.
#[derive(Debug, Serialize, ToSchema)]
pub struct CarbonRow {
    /// The period's first instant.
    #[schema(format = DateTime)]
    pub start: String,
    /// Over all commodities that count.
    pub kgce: Option<f64>,
    /// Over all commodities that count.
    pub co2_kg: Option<f64>,
    /// Intervals present ÷ intervals that have ended, over all commodities that count.
    pub coverage: Option<f64>,
    /// The commodities that were metered.
    pub by_commodity: Vec<CarbonPart>,
}

/// What one commodity brings.
#[derive(Debug, Serialize, ToSchema)]
pub struct CarbonPart {
    /// Which.
    pub commodity: String,
    /// In `unit`.
    pub amount: f64,
    /// Exact, in the commodity's base unit.
    pub amount_base: i64,
    /// Unit of `amount`.
    pub unit: String,
    /// Null where none counts.
    pub kgce: Option<f64>,
    /// Null where none counts.
    pub co2_kg: Option<f64>,
}

/// Answer of `budgets`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Budgets {
    /// Which year.
    pub year: i32,
    /// Used is what the ledger knows at this instant.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// By institution and metric.
    pub budgets: Vec<BudgetStatus>,
}

#[cfg(test)]
mod tests {
    use super::cny;

    #[test]
    fn nano_yuan_become_yuan_exactly() {
        for (ncny, yuan) in [
            (0, "0"),
            (1, "0.000000001"),
            (1_230_000_000, "1.23"),
            (-500_000_000, "-0.5"),
            (70_000_000_000, "70"),
        ] {
            assert_eq!(cny(ncny).as_deref(), Some(yuan));
        }
        assert_eq!(cny(i128::MAX), None);
    }
}
