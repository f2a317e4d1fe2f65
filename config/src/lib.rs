//! Settings and registry: what there is.
//!
//! [`load`] reads a site's folder and answers a checked [`Config`] or every mistake at once, each
//! with file, line, key, value, what is allowed and a hint. Past this door nothing is invalid.
//!
//! What it never does: it opens no socket and no database, and it knows no events; what happened
//! stands in the books.
//!
//! What the files look like stands in `sites/example`, which shows every option, and in the shipped
//! `profiles/`, `factors/`, `calendars/` and `tariffs/`, which a site's own files of the same form add
//! to or replace.
//!
//! Where to start: [`Config`] is what the program needs; [`registry`] is what a site is made of;
//! [`profile`] is a meter model; [`factor`] decides which factor applies.

pub mod budget;
pub mod calendar;
mod csv_file;
mod error;
pub mod factor;
mod fields;
mod load;
mod near;
mod parse;
pub mod profile;
pub mod registry;
pub mod settings;
mod shipped;
pub mod tariff;
mod tree;
pub mod weather;

pub use budget::{Budget, BudgetMetric, Budgets, Colour, ColourThresholds};
pub use calendar::{Arranged, Calendar, DayKind};
pub use error::{ConfigError, ConfigErrors};
pub use factor::{Factor, FactorError, FactorKind, Factors, RegionLevel};
pub use load::calendars::shipped_calendars;
pub use load::factors::shipped_factors;
pub use load::load;
pub use load::profiles::{parse_profile, shipped_profiles};
pub use load::tariffs::shipped_tariffs;
pub use profile::{
    Golden, ModbusProfile, MqttProfile, PayloadSpec, Profile, ProfileBody, RatioSide, RegisterSpec,
    RegisterType, TimestampFormat, TimestampSpec, WordOrder,
};
pub use registry::{
    Allocation, AllocationKey, Building, CounterLimits, Dated, Extent, Formula, Gateway,
    GatewayKind, Institution, Meter, MeterAddress, ModbusTcp, Mqtt, MqttVersion, Point, PointRole,
    Registry, Subscription, Term, TlsFiles,
};
pub use settings::{
    ApiSettings, CarbonSettings, CloseSettings, CoalBasis, InfluxSettings, JournalSettings,
    LedgerSettings, Secret, Settings,
};
pub use tariff::{
    Account, Band, DemandBasis, DemandCharge, PowerFactorRule, Price, Schedule, Surcharge, Tariff,
    TariffVersion, Tariffs, TierStep, Tiers,
};
pub use weather::Weather;

/// A checked configuration. Holding one is proof that the checks passed.
#[derive(Clone, Debug)]
pub struct Config {
    /// How the program runs.
    pub settings: Settings,
    /// Institutions, buildings, points, meters, gateways.
    pub registry: Registry,
    /// Meter models by id.
    pub profiles: std::collections::BTreeMap<steward_model::ProfileId, Profile>,
    /// Emission and standard-coal factors.
    pub factors: Factors,
    /// Yearly budgets.
    pub budgets: Budgets,
    /// Which days are worked.
    pub calendar: Calendar,
    /// Tariffs and accounts.
    pub tariffs: Tariffs,
    /// Mean temperatures of days, where known.
    pub weather: Weather,
}
