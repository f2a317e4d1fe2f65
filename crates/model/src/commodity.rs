//! What is metered, and the integer unit in which its ledger is kept.

use serde::{Deserialize, Serialize};

use crate::Quantity;

/// The integer unit of a ledger. Sums of base units are exact in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BaseUnit {
    /// Watt-hour.
    #[serde(rename = "Wh")]
    WattHour,
    /// Litre.
    #[serde(rename = "L")]
    Litre,
    /// Kilojoule.
    #[serde(rename = "kJ")]
    Kilojoule,
    /// Gram.
    #[serde(rename = "g")]
    Gram,
    /// Millilitre.
    #[serde(rename = "mL")]
    Millilitre,
    /// Volt-ampere-reactive hour.
    #[serde(rename = "varh")]
    VarHour,
}

impl BaseUnit {
    /// The unit's symbol.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::WattHour => "Wh",
            Self::Litre => "L",
            Self::Kilojoule => "kJ",
            Self::Gram => "g",
            Self::Millilitre => "mL",
            Self::VarHour => "varh",
        }
    }
}

/// An energy or water commodity 能源资源品种.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Commodity {
    /// 电 electricity, base unit Wh.
    Electricity,
    /// 水 water, base unit litre.
    Water,
    /// 天然气 natural gas, base unit litre.
    NaturalGas,
    /// 热力 heat, base unit kJ.
    Heat,
    /// 冷量 cooling, base unit kJ.
    Cooling,
    /// 蒸汽 steam, base unit gram.
    Steam,
    /// 汽油 petrol, base unit millilitre.
    Petrol,
    /// 柴油 diesel, base unit millilitre.
    Diesel,
    /// 液化石油气 LPG, base unit gram.
    Lpg,
    /// 煤 coal, base unit gram.
    Coal,
    /// 光伏发电 solar generation, base unit Wh. Generated, not bought: it never enters a total of
    /// purchased energy.
    SolarGeneration,
    /// 无功电量 reactive energy, base unit varh. It is no energy that is used: it enters no total, and
    /// says what the power factor of an account is.
    ReactiveEnergy,
}

impl Commodity {
    /// Every commodity, in the order of screens and reports.
    pub const ALL: [Self; 12] = [
        Self::Electricity,
        Self::Water,
        Self::NaturalGas,
        Self::Heat,
        Self::Cooling,
        Self::Steam,
        Self::Petrol,
        Self::Diesel,
        Self::Lpg,
        Self::Coal,
        Self::SolarGeneration,
        Self::ReactiveEnergy,
    ];

    /// The word used in files, URLs, tags and JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Electricity => "electricity",
            Self::Water => "water",
            Self::NaturalGas => "natural_gas",
            Self::Heat => "heat",
            Self::Cooling => "cooling",
            Self::Steam => "steam",
            Self::Petrol => "petrol",
            Self::Diesel => "diesel",
            Self::Lpg => "lpg",
            Self::Coal => "coal",
            Self::SolarGeneration => "solar_generation",
            Self::ReactiveEnergy => "reactive_energy",
        }
    }

    /// The commodity called `id`.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|commodity| commodity.id() == id)
    }

    /// The Chinese name.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Electricity => "电",
            Self::Water => "水",
            Self::NaturalGas => "天然气",
            Self::Heat => "热力",
            Self::Cooling => "冷量",
            Self::Steam => "蒸汽",
            Self::Petrol => "汽油",
            Self::Diesel => "柴油",
            Self::Lpg => "液化石油气",
            Self::Coal => "煤",
            Self::SolarGeneration => "光伏发电",
            Self::ReactiveEnergy => "无功电量",
        }
    }

    /// The English name.
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::Electricity => "Electricity",
            Self::Water => "Water",
            Self::NaturalGas => "Natural gas",
            Self::Heat => "Heat",
            Self::Cooling => "Cooling",
            Self::Steam => "Steam",
            Self::Petrol => "Petrol",
            Self::Diesel => "Diesel",
            Self::Lpg => "LPG",
            Self::Coal => "Coal",
            Self::SolarGeneration => "Solar generation",
            Self::ReactiveEnergy => "Reactive energy",
        }
    }

    /// The ledger's unit.
    pub const fn base_unit(self) -> BaseUnit {
        match self {
            Self::Electricity | Self::SolarGeneration => BaseUnit::WattHour,
            Self::Water | Self::NaturalGas => BaseUnit::Litre,
            Self::Heat | Self::Cooling => BaseUnit::Kilojoule,
            Self::Steam | Self::Lpg | Self::Coal => BaseUnit::Gram,
            Self::Petrol | Self::Diesel => BaseUnit::Millilitre,
            Self::ReactiveEnergy => BaseUnit::VarHour,
        }
    }

    /// The unit people read: kWh, m³, GJ, t, L, kvarh.
    pub const fn unit(self) -> &'static str {
        match self.base_unit() {
            BaseUnit::WattHour => "kWh",
            BaseUnit::Litre => "m3",
            BaseUnit::Kilojoule => "GJ",
            BaseUnit::Gram => "t",
            BaseUnit::Millilitre => "L",
            BaseUnit::VarHour => "kvarh",
        }
    }

    /// How many base units make one [`Self::unit`].
    pub const fn base_per_unit(self) -> i64 {
        match self.base_unit() {
            BaseUnit::WattHour | BaseUnit::Litre | BaseUnit::Millilitre | BaseUnit::VarHour => {
                1_000
            }
            BaseUnit::Kilojoule | BaseUnit::Gram => 1_000_000,
        }
    }

    /// The counter whose rise is this commodity's amount.
    pub const fn counter(self) -> Quantity {
        match self {
            Self::Electricity => Quantity::EnergyImport,
            Self::SolarGeneration => Quantity::EnergyExport,
            Self::Water | Self::NaturalGas => Quantity::Volume,
            Self::Heat => Quantity::HeatEnergy,
            Self::Cooling => Quantity::CoolingEnergy,
            Self::Steam | Self::Lpg | Self::Coal => Quantity::Mass,
            Self::Petrol | Self::Diesel => Quantity::FuelVolume,
            Self::ReactiveEnergy => Quantity::ReactiveImport,
        }
    }
}

impl std::fmt::Display for Commodity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}
