//! Dated factors, and the explicit rule which of them applies.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use steward_model::Commodity;

use crate::registry::Institution;

/// What a factor turns an amount into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FactorKind {
    /// CO2, location-based: average grid factors and fuel factors.
    Co2,
    /// Standard coal, calorific value 当量值.
    CoalCalorific,
    /// Standard coal, equivalent value 等价值.
    CoalEquivalent,
}

/// How far a factor reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RegionLevel {
    /// 省
    Province,
    /// 区域电网
    Region,
    /// 全国
    Nation,
}

/// The region of factors for the whole nation.
pub const NATION: &str = "全国";

/// One factor with its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    /// Unique id, such as `cn-grid-zhejiang-2023`.
    pub id: String,
    /// What of.
    pub commodity: Commodity,
    /// Into what.
    pub kind: FactorKind,
    /// Series as published: `average`, `fossil`, `calorific`, … Only one series of a kind is loaded for use.
    pub series: String,
    /// Region as written: 浙江, 华东, 全国.
    pub region: String,
    /// Its level.
    pub level: RegionLevel,
    /// Value in `unit`.
    pub value: Decimal,
    /// `kgCO2/kWh`, `kgce/m3`, …
    pub unit: String,
    /// Density by which a value per mass became one per volume, where that was needed.
    pub density_kg_per_l: Option<Decimal>,
    /// Micrograms per base unit: exact.
    pub ug_per_base: i64,
    /// The year the data describe.
    pub data_year: Option<i32>,
    /// Document that publishes it.
    pub document: String,
    /// Date of publication.
    pub published: Option<NaiveDate>,
    /// First day on which it applies.
    pub valid_from: NaiveDate,
    /// First day on which it no longer applies.
    pub valid_to: Option<NaiveDate>,
    /// A, B, C, D or U.
    pub confidence: char,
}

/// Why no factor is chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactorError {
    /// Nothing fits.
    #[error(
        "no {} factor for {commodity} of institution `{institution}` on {date}: \
         none for its province, and none that it may fall back to", kind.id()
    )]
    None {
        /// Kind.
        kind: FactorKind,
        /// Commodity.
        commodity: Commodity,
        /// Institution.
        institution: String,
        /// Day.
        date: NaiveDate,
    },
    /// Two fit.
    #[error("two {} factors for {commodity} fit on {date}: `{first}` and `{second}`", kind.id())]
    Two {
        /// Kind.
        kind: FactorKind,
        /// Commodity.
        commodity: Commodity,
        /// Day.
        date: NaiveDate,
        /// One.
        first: String,
        /// The other.
        second: String,
    },
}

/// All factors in use.
#[derive(Clone, Debug, Default)]
pub struct Factors {
    /// The factors.
    pub all: Vec<Factor>,
}

impl FactorKind {
    /// The word used in messages.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Co2 => "CO2",
            Self::CoalCalorific => "standard-coal (calorific)",
            Self::CoalEquivalent => "standard-coal (equivalent)",
        }
    }
}

impl RegionLevel {
    /// Every level by the word that files use.
    pub const ALL: [(&'static str, Self); 3] = [
        ("province", Self::Province),
        ("region", Self::Region),
        ("nation", Self::Nation),
    ];
}

impl Factors {
    /// Whether a commodity counts for this kind at all: electricity, gas, heat and fuels do, water
    /// counts neither, solar generation is not bought, cooling has no factor of its own and reactive
    /// energy does no work.
    pub fn counts(_kind: FactorKind, commodity: Commodity) -> bool {
        !matches!(
            commodity,
            Commodity::Water
                | Commodity::SolarGeneration
                | Commodity::Cooling
                | Commodity::ReactiveEnergy
        )
    }

    /// Whether wider levels need the institution's permission. Grid factors differ from province
    /// to province, so a wider one is another number; all other values are published for the nation.
    pub fn is_regional(kind: FactorKind, commodity: Commodity) -> bool {
        kind == FactorKind::Co2 && commodity == Commodity::Electricity
    }

    /// The factor that applies: the institution's province first, then, for regional factors, the
    /// levels that the institution allows, in its order, and for all others region and nation.
    /// `Ok(None)` where the commodity does not count.
    pub fn resolve(
        &self,
        kind: FactorKind,
        commodity: Commodity,
        institution: &Institution,
        date: NaiveDate,
    ) -> Result<Option<&Factor>, FactorError> {
        if !Self::counts(kind, commodity) {
            return Ok(None);
        }
        let wider: &[RegionLevel] = if Self::is_regional(kind, commodity) {
            &institution.factor_fallback
        } else {
            &[RegionLevel::Region, RegionLevel::Nation]
        };
        for &level in std::iter::once(&RegionLevel::Province).chain(wider) {
            let region = match level {
                RegionLevel::Province => institution.province.as_str(),
                RegionLevel::Region => institution.region.as_str(),
                RegionLevel::Nation => NATION,
            };
            let mut fitting = self.all.iter().filter(|factor| {
                factor.kind == kind
                    && factor.commodity == commodity
                    && factor.level == level
                    && factor.region == region
                    && factor.valid_from <= date
                    && factor.valid_to.is_none_or(|to| date < to)
            });
            match (fitting.next(), fitting.next()) {
                (None, _) => {}
                (Some(factor), None) => return Ok(Some(factor)),
                (Some(first), Some(second)) => {
                    return Err(FactorError::Two {
                        kind,
                        commodity,
                        date,
                        first: first.id.clone(),
                        second: second.id.clone(),
                    });
                }
            }
        }
        Err(FactorError::None {
            kind,
            commodity,
            institution: institution.id.to_string(),
            date,
        })
    }
}
