//! Dated tariffs 电价水价气价: prices by time of use, and the charges of a month's bill.
//!
//! Energy prices are integers of nano-yuan per base unit (Wh, litre, kJ): a price of up to six
//! decimals in CNY per kWh, m³ or MJ is exact. What belongs to a month and not to an interval
//! (tiers, demand, power factor, fixed charges) is decimal and computed once, on the bill.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use steward_model::{Commodity, InstitutionId, PointId};

use crate::calendar::DayKind;

/// Quarters of an hour in a day without clock change.
pub const QUARTERS: usize = 96;

/// The bands of a time-of-use tariff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Band {
    /// 尖峰, critical peak.
    Sharp,
    /// 高峰, peak.
    Peak,
    /// 平段, flat. The only band of a tariff without time of use.
    Flat,
    /// 低谷, valley.
    Valley,
    /// 深谷, deep valley.
    DeepValley,
}

impl Band {
    /// Every band, dearest first.
    pub const ALL: [Self; 5] = [
        Self::Sharp,
        Self::Peak,
        Self::Flat,
        Self::Valley,
        Self::DeepValley,
    ];

    /// The word used in files and JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Sharp => "sharp",
            Self::Peak => "peak",
            Self::Flat => "flat",
            Self::Valley => "valley",
            Self::DeepValley => "deep_valley",
        }
    }

    /// The Chinese name.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Sharp => "尖",
            Self::Peak => "峰",
            Self::Flat => "平",
            Self::Valley => "谷",
            Self::DeepValley => "深谷",
        }
    }

    /// The English name.
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::Sharp => "critical peak",
            Self::Peak => "peak",
            Self::Flat => "flat",
            Self::Valley => "valley",
            Self::DeepValley => "deep valley",
        }
    }
}

/// A tariff and its dated versions, oldest first, without overlap.
#[derive(Clone, Debug, PartialEq)]
pub struct Tariff {
    /// Id: the file's name.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// What is sold.
    pub commodity: Commodity,
    /// Versions.
    pub versions: Vec<TariffVersion>,
}

/// What holds from one date to another.
#[derive(Clone, Debug, PartialEq)]
pub struct TariffVersion {
    /// First day.
    pub from: NaiveDate,
    /// First day after; `None` is open.
    pub to: Option<NaiveDate>,
    /// The document that sets it.
    pub source: String,
    /// A, B, C, D or U as in the factor files.
    pub confidence: char,
    /// The bands of a day, by season and kind of day. Checked: every month and kind of day is
    /// covered once, and every schedule covers the whole day.
    pub schedules: Vec<Schedule>,
    /// The energy price of every band that a schedule names, surcharges not included.
    pub energy: BTreeMap<Band, Price>,
    /// Added to every unit: funds and surcharges 政府性基金及附加.
    pub surcharges: Vec<Surcharge>,
    /// Progressive steps on the month's or the year's amount.
    pub tiers: Option<Tiers>,
    /// Demand or capacity charge of two-part tariffs 两部制.
    pub demand: Option<DemandCharge>,
    /// Power-factor adjustment 力调.
    pub power_factor: Option<PowerFactorRule>,
    /// A fixed charge a month in CNY.
    pub fixed_cny_month: Decimal,
}

/// A price of energy or matter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// CNY per unit that people read: kWh, m³, GJ, t, L.
    pub cny: Decimal,
    /// Nano-yuan per base unit: exact.
    pub ncny_per_base: i64,
}

/// A surcharge per unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Surcharge {
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// How much.
    pub price: Price,
}

/// Which band holds when.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Months 1 to 12.
    pub months: Vec<u32>,
    /// Kinds of day.
    pub days: Vec<DayKind>,
    /// The band of every quarter of an hour of local time, 00:00 first.
    pub bands: [Band; QUARTERS],
}

/// Progressive steps 阶梯.
#[derive(Clone, Debug, PartialEq)]
pub struct Tiers {
    /// Whether steps count the year's amount; the month's otherwise.
    pub yearly: bool,
    /// Steps in rising order: the amount in base units from which `extra` is added.
    pub steps: Vec<TierStep>,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TierStep {
    /// From this amount on, in base units.
    pub from_base: i64,
    /// What a unit costs more than in the first step.
    pub extra: Price,
}

/// The charge for power of a two-part tariff. The account says which of the two it pays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DemandCharge {
    /// CNY per kW of the month's maximum demand.
    pub cny_per_kw_month: Option<Decimal>,
    /// CNY per kVA of transformer capacity.
    pub cny_per_kva_month: Option<Decimal>,
    /// Length of the demand window in minutes: 15 in China.
    pub window_min: u32,
}

/// 功率因数调整电费: the bill changes by a share that depends on the month's power factor.
#[derive(Clone, Debug, PartialEq)]
pub struct PowerFactorRule {
    /// The standard, such as 0.90.
    pub standard: Decimal,
    /// (lowest power factor of the row, share by which the bill changes: −0.0075 is a reward), from
    /// the highest power factor down.
    pub table: Vec<(Decimal, Decimal)>,
}

/// What the account pays for power.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DemandBasis {
    /// Nothing: a one-part tariff.
    None,
    /// The month's maximum demand.
    MaximumDemand,
    /// Transformer capacity in kVA.
    Capacity(Decimal),
}

/// An account 户号 with a supplier: what an invoice is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Id.
    pub id: String,
    /// Whose.
    pub institution: InstitutionId,
    /// The supplier's number for it.
    pub number: String,
    /// Supplier.
    pub supplier: String,
    /// What is sold.
    pub commodity: Commodity,
    /// The points that the supplier's meters are: their sum is what is invoiced. Everything below
    /// them has the same prices.
    pub points: Vec<PointId>,
    /// Which tariff, by date; without overlap.
    pub tariffs: Vec<crate::registry::Dated<String>>,
    /// What it pays for power.
    pub demand: DemandBasis,
}

/// Tariffs and accounts.
#[derive(Clone, Debug, Default)]
pub struct Tariffs {
    /// Tariffs by id.
    pub all: BTreeMap<String, Tariff>,
    /// Accounts by id.
    pub accounts: BTreeMap<String, Account>,
}

impl Tariff {
    /// The version of `date`.
    pub fn on(&self, date: NaiveDate) -> Option<&TariffVersion> {
        self.versions
            .iter()
            .find(|version| version.from <= date && version.to.is_none_or(|to| date < to))
    }
}

impl TariffVersion {
    /// The band of every quarter of an hour of a day.
    pub fn bands(&self, date: NaiveDate, kind: DayKind) -> Option<&[Band; QUARTERS]> {
        self.schedules
            .iter()
            .find(|one| one.months.contains(&date.month()) && one.days.contains(&kind))
            .map(|one| &one.bands)
    }

    /// Energy price and surcharges of a band in nano-yuan per base unit.
    pub fn ncny_per_base(&self, band: Band) -> Option<i64> {
        let energy = self.energy.get(&band)?.ncny_per_base;
        let surcharges: i64 = self
            .surcharges
            .iter()
            .map(|one| one.price.ncny_per_base)
            .sum();
        Some(energy + surcharges)
    }

    /// How this version is named in `tariff_set`: `id@from`.
    pub fn name(&self, tariff: &Tariff) -> String {
        format!("{}@{}", tariff.id, self.from)
    }
}

impl Account {
    /// The tariff of `date`.
    pub fn tariff_on<'a>(&self, tariffs: &'a Tariffs, date: NaiveDate) -> Option<&'a Tariff> {
        let dated = self.tariffs.iter().find(|dated| dated.holds_on(date))?;
        tariffs.all.get(&dated.value)
    }
}
