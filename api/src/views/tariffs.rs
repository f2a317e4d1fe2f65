//! Tariffs and accounts, as they are configured.

use serde::Serialize;
use utoipa::ToSchema;

/// Answer of `tariffs`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tariffs {
    /// By id.
    pub tariffs: Vec<Tariff>,
    /// By id.
    pub accounts: Vec<Account>,
}

/// A tariff and its dated versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tariff {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// What is sold.
    pub commodity: String,
    /// Prices are per this unit.
    pub unit: String,
    /// Oldest first, without overlap.
    pub versions: Vec<TariffVersion>,
}

/// What holds from one date to another. Prices and shares are decimal texts.
#[derive(Debug, Serialize, ToSchema)]
pub struct TariffVersion {
    /// First day.
    #[schema(format = Date)]
    pub from: String,
    /// First day after; null is open.
    #[schema(format = Date)]
    pub to: Option<String>,
    /// The document that sets it.
    pub source: String,
    /// A (official text) to D (derived), U (unverified).
    pub confidence: String,
    /// Which band holds when.
    pub schedules: Vec<Schedule>,
    /// The energy price of every band, surcharges not included, dearest band first.
    pub energy: Vec<BandPrice>,
    /// Added to every unit.
    pub surcharges: Vec<Surcharge>,
    /// Progressive steps 阶梯.
    pub tiers: Option<Tiers>,
    /// Charge for power of a two-part tariff 两部制.
    pub demand: Option<Demand>,
    /// Power-factor adjustment 力调.
    pub power_factor: Option<PowerFactor>,
    /// A fixed charge a month.
    pub fixed_cny_month: String,
}

/// Which band holds when, in the months and on the kinds of day named.
#[derive(Debug, Serialize, ToSchema)]
pub struct Schedule {
    /// 1 to 12.
    pub months: Vec<u32>,
    /// `workday`, `restday`, `holiday`
    pub days: Vec<String>,
    /// The whole day, in its order.
    pub runs: Vec<BandRun>,
}

/// A band from one local time to another.
#[derive(Debug, Serialize, ToSchema)]
pub struct BandRun {
    /// `hh:mm`
    pub from: String,
    /// `hh:mm`, at most `24:00`
    pub to: String,
    /// `sharp`, `peak`, `flat`, `valley` or `deep_valley`
    pub band: String,
}

/// The price of a band.
#[derive(Debug, Serialize, ToSchema)]
pub struct BandPrice {
    /// `sharp`, `peak`, `flat`, `valley` or `deep_valley`
    pub band: String,
    /// 尖, 峰, 平, 谷 or 深谷
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Per unit.
    pub cny: String,
    /// The same with all surcharges: what an interval costs.
    pub cny_with_surcharges: String,
}

/// A surcharge per unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct Surcharge {
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Per unit.
    pub cny: String,
}

/// Progressive steps.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tiers {
    /// Whether steps count the year's amount; the month's otherwise.
    pub yearly: bool,
    /// In rising order.
    pub steps: Vec<TierStep>,
}

/// One step.
#[derive(Debug, Serialize, ToSchema)]
pub struct TierStep {
    /// From this amount on, in the tariff's unit.
    pub from: f64,
    /// What a unit costs more than in the first step.
    pub extra_cny: String,
}

/// The charge for power. The account says which of the two it pays.
#[derive(Debug, Serialize, ToSchema)]
pub struct Demand {
    /// Per kW of the month's maximum demand.
    pub cny_per_kw_month: Option<String>,
    /// Per kVA of transformer capacity.
    pub cny_per_kva_month: Option<String>,
    /// Length of the demand window.
    pub window_min: u32,
}

/// Power-factor adjustment.
#[derive(Debug, Serialize, ToSchema)]
pub struct PowerFactor {
    /// The standard.
    pub standard: String,
    /// From the highest power factor down.
    pub table: Vec<PowerFactorStep>,
}

/// One row of the table.
#[derive(Debug, Serialize, ToSchema)]
pub struct PowerFactorStep {
    /// Lowest power factor of the row.
    pub from: String,
    /// Share by which the bill changes; below zero is a reward.
    pub change: String,
}

/// An account 户号 with a supplier.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    /// Id.
    pub id: String,
    /// Whose.
    pub institution: String,
    /// The supplier's number for it.
    pub number: String,
    /// Supplier.
    pub supplier: String,
    /// What is sold.
    pub commodity: String,
    /// The points that the supplier's meters are.
    pub points: Vec<String>,
    /// Which tariff, by date.
    pub tariffs: Vec<AccountTariff>,
    /// What it pays for power: `none`, `maximum_demand` or `capacity`.
    pub demand: String,
    /// Transformer capacity, where it pays for that.
    pub capacity_kva: Option<String>,
}

/// A tariff of an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountTariff {
    /// Id of the tariff.
    pub tariff: String,
    /// First day.
    #[schema(format = Date)]
    pub from: String,
    /// First day after; null is open.
    #[schema(format = Date)]
    pub to: Option<String>,
}
