//! How the program runs: `steward.toml`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::budget::ColourThresholds;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// All settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The site's id, part of topics and of the report's header.
    pub site: String,
    /// The site's Chinese name.
    pub name_zh: String,
    /// The site's English name.
    pub name_en: String,
    /// Where journal, store and status live.
    pub data_dir: PathBuf,
    /// The zone of buildings that name none.
    pub zone: Tz,
    /// The journal.
    pub journal: JournalSettings,
    /// The ledger.
    pub ledger: LedgerSettings,
    /// The api.
    pub api: ApiSettings,
    /// Publishing to InfluxDB 2, where configured.
    pub influx: Option<InfluxSettings>,
    /// Which convention turns electricity into standard coal.
    pub coal_basis: CoalBasis,
    /// Which published series are in use.
    pub carbon: CarbonSettings,
    /// When a budget turns amber and red.
    pub budget_colours: ColourThresholds,
    /// What a month needs before it may close.
    pub close: CloseSettings,
}

/// `[journal]`
#[derive(Clone, Debug)]
pub struct JournalSettings {
    /// The bound in bytes; when it is reached nothing more is acknowledged.
    pub bytes_max: u64,
    /// How long stored batches stay for a replay.
    pub replay_window: Duration,
}

/// `[ledger]`
#[derive(Clone, Debug)]
pub struct LedgerSettings {
    /// Readings at most this far apart make `measured` intervals.
    pub measured_gap_max_s: i64,
    /// Readings at most this far apart make `interpolated` intervals; beyond, `estimated`.
    pub interpolated_gap_max_s: i64,
    /// A reading further ahead of our clock than this is set aside.
    pub future_max_s: i64,
    /// How many days before an outage are looked at for the point's load shape.
    pub shape_days: u16,
    /// Fewer measured days of the same kind than this spread an outage evenly.
    pub shape_days_min: u16,
    /// Days whose mean temperature differs by at most this make the shape, where weather is known.
    pub shape_band_k: f64,
    /// The part of a parent's amount by which its children may differ.
    pub balance_tolerance: f64,
}

/// `[close]`: the limits of the closing checklist.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CloseSettings {
    /// Least share of intervals that must be present.
    pub coverage_min: f64,
    /// Most of the energy that may be estimated.
    pub estimated_share_max: f64,
    /// Whether every account needs a compared invoice.
    pub invoices_required: bool,
    /// Whether a budget of the year must be present.
    pub budget_required: bool,
    /// Most by which an invoice may differ from the ledger before it blocks.
    pub invoice_tolerance: f64,
}

/// `[api]`
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// Where to listen. Loopback unless told otherwise.
    pub listen: SocketAddr,
    /// SHA-256 digests (hex) of bearer tokens, from `tokens_file`: one `name digest` a line.
    pub tokens_sha256: Vec<(String, String)>,
    /// True only in `demo`: no token is asked on a loopback address.
    pub open_on_loopback: bool,
    /// Whether the api reads the working store or InfluxDB.
    pub read_from_influx: bool,
}

/// `[influx]`
#[derive(Clone, Debug)]
pub struct InfluxSettings {
    /// Base URL.
    pub url: String,
    /// Organisation.
    pub org: String,
    /// Token, from a file or the environment.
    pub token: Secret,
    /// Bucket of readings.
    pub bucket_readings: String,
    /// Bucket of the ledger.
    pub bucket_ledger: String,
    /// Retention of readings; zero keeps for ever.
    pub retention_readings: Duration,
    /// Retention of the ledger; zero keeps for ever.
    pub retention_ledger: Duration,
    /// Lines in one write.
    pub batch_lines_max: usize,
    /// Bytes that may wait in the outbox before readings wait in the store alone.
    pub outbox_bytes_max: u64,
}

/// `[carbon]`: which series of factors are in use, and from when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarbonSettings {
    /// No standard coal and no CO2 is asked for before this day.
    pub from: Option<NaiveDate>,
    /// Series of the grid's CO2 factors.
    pub grid_series: String,
    /// Series of the CO2 factors of fuels and heat.
    pub fuel_series: String,
    /// Series of the standard coal of natural gas.
    pub gas_coal_series: Option<String>,
    /// Series of the equivalent value 等价值 of electricity.
    pub electricity_equivalent_series: Option<String>,
}

/// The convention by which electricity becomes standard coal. The two are never mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoalBasis {
    /// 当量值, calorific value.
    Calorific,
    /// 等价值, equivalent value.
    Equivalent,
}
