//! `steward.toml`.

use std::net::SocketAddr;
use std::time::Duration;

use chrono_tz::Tz;

use super::{Site, secrets};
use crate::budget::ColourThresholds;
use crate::error::{At, Located, Problem};
use crate::fields::Fields;
use crate::parse;
use crate::settings::{
    ApiSettings, CarbonSettings, CloseSettings, CoalBasis, InfluxSettings, JournalSettings,
    LedgerSettings, Settings,
};
use crate::tree::{Document, Value};

/// The calendar of a site that names none.
const CALENDAR: &str = "cn";
const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 86_400;
/// Below this the journal cannot hold one transaction beside its write-ahead log.
const JOURNAL_BYTES_MIN: i64 = 16 << 20;
const JOURNAL_BYTES: u64 = 4 << 30;
const OUTBOX_BYTES_MIN: i64 = 1 << 20;
const OUTBOX_BYTES: u64 = 1 << 30;
/// InfluxDB's own advice for one write.
const BATCH_LINES: usize = 5_000;

/// What the rest of the site needs from the settings, wrong or not.
pub(super) struct Basics {
    pub(super) site: String,
    pub(super) zone: Tz,
    /// Which calendar says what days are worked.
    pub(super) calendar: Located<String>,
    /// Where `[carbon]` chooses series.
    pub(super) carbon: Option<CarbonPlaces>,
}

/// The places of the choices in `[carbon]`.
pub(super) struct CarbonPlaces {
    pub(super) grid_series: At,
    pub(super) fuel_series: At,
    pub(super) gas_coal_series: At,
    pub(super) electricity_equivalent_series: At,
}

impl Default for Basics {
    fn default() -> Self {
        Self {
            site: "site".to_owned(),
            zone: Tz::Asia__Shanghai,
            calendar: Located {
                value: CALENDAR.to_owned(),
                at: At::file("steward.toml"),
            },
            carbon: None,
        }
    }
}

pub(super) fn read(site: Site<'_>, document: &Document) -> (Basics, Option<Settings>) {
    let top = Fields::document(document, site.log);
    let about = top.table("site");
    let id = about.need(
        "id",
        parse::id(|text| steward_model::GatewayId::new(text).ok()),
    );
    let name_zh = about.need("name_zh", parse::text);
    let name_en = about.need("name_en", parse::text);
    let data_dir = about.or("data_dir", "data".to_owned(), parse::text);
    let default = Basics::default();
    let zone = about.or("zone", default.zone, parse::zone);
    let calendar = about.read("calendar", parse::text);
    let calendar = calendar.unwrap_or_else(|| Located {
        value: CALENDAR.to_owned(),
        at: about.at_of("calendar"),
    });
    about.finish();

    let influx_table = top.table_if_any("influx");
    let api = api(site, &top.table("api"), influx_table.is_some());
    let influx = influx_table.as_ref().map(|table| influx(site, table));
    let carbon_table = top.table("carbon");
    let carbon_places = CarbonPlaces {
        grid_series: carbon_table.at_of("grid_series"),
        fuel_series: carbon_table.at_of("fuel_series"),
        gas_coal_series: carbon_table.at_of("gas_coal_series"),
        electricity_equivalent_series: carbon_table.at_of("electricity_equivalent_series"),
    };
    let carbon = carbon(&carbon_table);
    let journal = journal(&top.table("journal"));
    let ledger = ledger(site, &top.table("ledger"));
    let budget_colours = colours(site, &top.table("budget"));
    let close = close(&top.table("close"));
    top.finish();

    let basics = Basics {
        site: id.as_ref().map_or(default.site, |id| id.value.to_string()),
        zone,
        calendar,
        carbon: Some(carbon_places),
    };
    let settings = (|| {
        let (coal_basis, carbon) = carbon?;
        Some(Settings {
            site: basics.site.clone(),
            name_zh: name_zh?.value,
            name_en: name_en?.value,
            data_dir: site.path(&data_dir),
            zone,
            journal,
            ledger,
            api: api?,
            influx: match influx {
                Some(influx) => Some(influx?),
                None => None,
            },
            coal_basis,
            carbon,
            budget_colours,
            close,
        })
    })();
    (basics, settings.filter(|_| id.is_some()))
}

fn journal(fields: &Fields<'_>) -> JournalSettings {
    let bytes_max = parse::integer(JOURNAL_BYTES_MIN..=i64::MAX);
    let replay_window_h = fields.or("replay_window_h", 72, parse::integer(0..=8_760));
    let journal = JournalSettings {
        bytes_max: fields.or("bytes_max", JOURNAL_BYTES, bytes_max),
        replay_window: Duration::from_secs(replay_window_h * HOUR_S),
    };
    fields.finish();
    journal
}

fn ledger(site: Site<'_>, fields: &Fields<'_>) -> LedgerSettings {
    let gap = || parse::integer(1..=2_678_400);
    let ledger = LedgerSettings {
        measured_gap_max_s: fields.or("measured_gap_max_s", 1_800, gap()),
        interpolated_gap_max_s: fields.or("interpolated_gap_max_s", 7_200, gap()),
        future_max_s: fields.or("future_max_s", 300, parse::integer(0..=86_400)),
        shape_days: fields.or("shape_days", 28, parse::integer(1..=366)),
        shape_days_min: fields.or("shape_days_min", 3, parse::integer(1..=366)),
        shape_band_k: fields.or("shape_band_k", 3.0, parse::number(0.0..=50.0)),
        balance_tolerance: fields.or("balance_tolerance", 0.05, part()),
    };
    if ledger.shape_days_min > ledger.shape_days {
        let text = format!(
            "must not be above shape_days, which is {}",
            ledger.shape_days
        );
        let at = fields.at_of("shape_days_min");
        site.log.report(&at, Problem::new(text));
    }
    if ledger.interpolated_gap_max_s < ledger.measured_gap_max_s {
        let text = format!(
            "must not be below measured_gap_max_s, which is {}",
            ledger.measured_gap_max_s
        );
        let at = fields.at_of("interpolated_gap_max_s");
        site.log.report(&at, Problem::new(text));
    }
    fields.finish();
    ledger
}

fn socket(value: &Value) -> Result<SocketAddr, Problem> {
    parse::text(value)?.parse().map_err(|_| {
        Problem::new("is no address with a port").allowed("texts such as 127.0.0.1:8080")
    })
}

fn api(site: Site<'_>, fields: &Fields<'_>, has_influx: bool) -> Option<ApiSettings> {
    let listen = match fields.has("listen") {
        true => fields.read("listen", socket)?.value,
        false => SocketAddr::from(([127, 0, 0, 1], 8080)),
    };
    let words = [("store", false), ("influx", true)];
    let read_from = fields.read("read_from", parse::one_of(&words));
    let api = ApiSettings {
        listen,
        tokens_sha256: secrets::token_digests(site, fields),
        open_on_loopback: fields.or("open_on_loopback", false, parse::boolean),
        read_from_influx: read_from.as_ref().is_some_and(|word| word.value),
    };
    if let Some(word) = read_from.filter(|word| word.value && !has_influx) {
        let problem = Problem::new("needs the table [influx]");
        site.log.report(&word.at, problem);
    }
    if !listen.ip().is_loopback() {
        if api.open_on_loopback {
            let problem = Problem::new("is for loopback addresses only")
                .hint(format!("listen is {listen}: name a tokens_file"));
            site.log.report(&fields.at_of("open_on_loopback"), problem);
        } else if !fields.has("tokens_file") {
            let hint = "an address that others reach needs tokens".to_owned();
            fields.missing("tokens_file", Some(hint));
        }
    }
    fields.finish();
    Some(api)
}

fn influx(site: Site<'_>, fields: &Fields<'_>) -> Option<InfluxSettings> {
    let url = fields.need("url", url);
    let org = fields.need("org", parse::text);
    let token = secrets::secret(site, fields, "token", "token_file");
    if !fields.has("token") && !fields.has("token_file") {
        let hint = "or name a token_file".to_owned();
        fields.missing("token", Some(hint));
    }
    let bucket = |key, default: &str| fields.or(key, default.to_owned(), parse::text);
    let days = |key| {
        let days: u64 = fields.or(key, 0, parse::integer(0..=36_500));
        Duration::from_secs(days * DAY_S)
    };
    let batch_lines = parse::integer(1..=50_000);
    let outbox_bytes = parse::integer(OUTBOX_BYTES_MIN..=i64::MAX);
    let bucket_readings = bucket("bucket_readings", "readings");
    let bucket_ledger = bucket("bucket_ledger", "ledger");
    let retention_readings = days("retention_readings_days");
    let retention_ledger = days("retention_ledger_days");
    let batch_lines_max = fields.or("batch_lines_max", BATCH_LINES, batch_lines);
    let outbox_bytes_max = fields.or("outbox_bytes_max", OUTBOX_BYTES, outbox_bytes);
    if bucket_readings == bucket_ledger {
        let problem = Problem::new("must differ from bucket_readings");
        site.log.report(&fields.at_of("bucket_ledger"), problem);
    }
    fields.finish();
    Some(InfluxSettings {
        url: url?.value,
        org: org?.value,
        token: token?,
        bucket_readings,
        bucket_ledger,
        retention_readings,
        retention_ledger,
        batch_lines_max,
        outbox_bytes_max,
    })
}

/// A base URL without a trailing slash.
fn url(value: &Value) -> Result<String, Problem> {
    let text = parse::text(value)?;
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    let problem = Problem::new("is no base URL").allowed("texts such as http://127.0.0.1:8086");
    match rest {
        Some(rest) if rest.contains(['@', '?', '#', ' ']) => {
            Err(problem.hint("names, passwords and queries do not belong here"))
        }
        Some(rest) if !rest.is_empty() => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err(problem),
    }
}

fn carbon(fields: &Fields<'_>) -> Option<(CoalBasis, CarbonSettings)> {
    let words = [
        ("calorific", CoalBasis::Calorific),
        ("equivalent", CoalBasis::Equivalent),
    ];
    let basis = fields.read("coal_basis", parse::one_of(&words));
    if !fields.has("coal_basis") {
        let hint =
            "\"calorific\" 当量值 or \"equivalent\" 等价值; the two are never mixed".to_owned();
        fields.missing("coal_basis", Some(hint));
    }
    let optional = |key| fields.read(key, parse::text).map(|found| found.value);
    let carbon = CarbonSettings {
        from: fields.read("from", parse::date).map(|found| found.value),
        grid_series: fields.or("grid_series", "average".to_owned(), parse::text),
        fuel_series: fields.or("fuel_series", "guide-default".to_owned(), parse::text),
        gas_coal_series: optional("gas_coal_series"),
        electricity_equivalent_series: optional("electricity_equivalent_series"),
    };
    fields.finish();
    Some((basis?.value, carbon))
}

/// A part of a whole.
fn part() -> impl Fn(&Value) -> Result<f64, Problem> {
    parse::number(0.0..=1.0)
}

fn close(fields: &Fields<'_>) -> CloseSettings {
    let close = CloseSettings {
        coverage_min: fields.or("coverage_min", 0.98, part()),
        estimated_share_max: fields.or("estimated_share_max", 0.05, part()),
        invoices_required: fields.or("invoices_required", true, parse::boolean),
        budget_required: fields.or("budget_required", true, parse::boolean),
        invoice_tolerance: fields.or("invoice_tolerance", 0.02, part()),
    };
    fields.finish();
    close
}

fn colours(site: Site<'_>, fields: &Fields<'_>) -> ColourThresholds {
    let colours = ColourThresholds {
        amber: fields.or("amber", 0.95, parse::number(0.0..=10.0)),
        red: fields.or("red", 1.05, parse::number(0.0..=10.0)),
    };
    if colours.red < colours.amber {
        let text = format!("must not be below amber, which is {}", colours.amber);
        site.log.report(&fields.at_of("red"), Problem::new(text));
    }
    fields.finish();
    colours
}
