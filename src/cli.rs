//! The command line as typed. Nothing here opens a file or a socket.

pub(crate) mod books;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use self::books::{BooksArgs, CloseArgs, ExplainArgs, InvoiceArgs, ReviewArgs, TariffArgs};

/// 双碳管家 Carbon Steward: meters of public buildings in, energy ledger and carbon reports out.
#[derive(Debug, Parser)]
#[command(name = "steward", version, about, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Write log lines as JSON.
    #[arg(long, global = true)]
    pub(crate) log_json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Try it: simulated meters, an embedded broker, 400 days of history, the cockpit.
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// Run all roles in one process.
    Run(RoleArgs),
    /// Run the collector alone: meters to journal.
    Collector(RoleArgs),
    /// Run the aggregator alone: journal to ledger, and to InfluxDB where configured.
    Aggregator(RoleArgs),
    /// Run the api and the cockpit alone.
    Api(RoleArgs),
    /// Check a site's folder and report every mistake at once.
    Check(SiteArgs),
    /// Write the monthly report of an institution to standard output.
    Report(ReportArgs),
    /// Prove that nothing was lost and that every point's ledger closes.
    Verify(SiteArgs),
    /// Why a figure is what it is: registers, readings, fills, factors, prices, parts.
    Explain(ExplainArgs),
    /// What happened: replacements, readings by hand, mistakes taken back.
    Books(BooksArgs),
    /// The review queue: what no rule explains.
    Review(ReviewArgs),
    /// Months that close, and their adjustments.
    Close(CloseArgs),
    /// Invoices beside the ledger.
    Invoice(InvoiceArgs),
    /// Tariffs, and what they make of a month.
    Tariff(TariffArgs),
    /// What was set aside: list it, or replay it after profile or registry were mended.
    Quarantine(QuarantineArgs),
    /// InfluxDB 2: set it up, or publish everything again.
    Influx(InfluxArgs),
    /// The working store.
    Store(StoreArgs),
    /// Make a bearer token for the api: prints the token once, and the line for `tokens_file`.
    Token(TokenArgs),
}

/// A site's folder.
#[derive(Debug, Args)]
pub(crate) struct SiteArgs {
    /// The site's folder: steward.toml, registry.toml, …
    #[arg(long, value_name = "DIR", alias = "data")]
    pub(crate) config: PathBuf,
}

/// How to run roles.
#[derive(Debug, Args)]
pub(crate) struct RoleArgs {
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    /// Listen here instead of where `api.listen` says.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
}

/// How to run the demo.
#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Port of the cockpit on 127.0.0.1.
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,
    /// Where the demo keeps its site and its data.
    #[arg(long, value_name = "DIR", default_value = "data/demo")]
    pub(crate) data: PathBuf,
    /// Days of history before the first start.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=1_500))]
    pub(crate) history_days: u32,
    /// Forget what an earlier demo left in the folder.
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Publish to this InfluxDB 2 too; its token stands in STEWARD_INFLUX_TOKEN.
    #[arg(long, value_name = "URL")]
    pub(crate) influx: Option<String>,
}

/// Which report.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    /// Institution id.
    #[arg(long)]
    pub(crate) institution: String,
    /// Month, such as 2026-10.
    #[arg(long)]
    pub(crate) month: String,
    /// Format.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub(crate) format: Format,
}

/// Formats of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// JSON with a schema.
    Json,
    /// CSV for a spreadsheet.
    Csv,
}

/// Quarantine commands.
#[derive(Debug, Args)]
pub(crate) struct QuarantineArgs {
    #[command(subcommand)]
    pub(crate) action: QuarantineAction,
}

/// What to do with the quarantine.
#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineAction {
    /// List what is set aside, with reason and place.
    List(SiteArgs),
    /// Decode again with today's profiles and registry; what is good now moves on.
    Replay(SiteArgs),
}

/// InfluxDB commands.
#[derive(Debug, Args)]
pub(crate) struct InfluxArgs {
    #[command(subcommand)]
    pub(crate) action: InfluxAction,
}

/// What to do with InfluxDB.
#[derive(Debug, Subcommand)]
pub(crate) enum InfluxAction {
    /// Make organisation, buckets and retention.
    Setup(SiteArgs),
    /// Publish again from the working store.
    Publish {
        #[command(flatten)]
        site: SiteArgs,
        /// Everything, from the first reading.
        #[arg(long, required = true)]
        all: bool,
    },
}

/// Store commands.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    pub(crate) action: StoreAction,
}

/// What to do with the store.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreAction {
    /// Recompute the ledger from the readings.
    Rebuild(SiteArgs),
}

/// Whose token.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// Who will use it, such as `grafana`.
    #[arg(long)]
    pub(crate) name: String,
}
