//! Commands around the ledger and the books, as typed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::SiteArgs;

/// Which figure.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    /// `point:ID`, `building:ID`, `institution:ID` or `all`.
    #[arg(long)]
    pub(crate) scope: String,
    /// Commodity; needed unless the scope is a point.
    #[arg(long)]
    pub(crate) commodity: Option<String>,
    /// `interval`, `hour`, `day`, `month` or `year`.
    #[arg(long, default_value = "month")]
    pub(crate) span: String,
    /// Where the span begins: `2026-10`, `2026-10-03`, or RFC 3339.
    #[arg(long)]
    pub(crate) start: String,
    /// The whole explanation as JSON instead of a page of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Who writes into the books, and why.
#[derive(Debug, Args)]
pub(crate) struct Signature {
    /// Your name; the books keep it.
    #[arg(long)]
    pub(crate) by: String,
    /// Why, in words.
    #[arg(long)]
    pub(crate) reason: String,
}

/// Book commands.
#[derive(Debug, Args)]
pub(crate) struct BooksArgs {
    #[command(subcommand)]
    pub(crate) action: BooksAction,
}

/// What to do with the books.
#[derive(Debug, Subcommand)]
pub(crate) enum BooksAction {
    /// List events, oldest first.
    List {
        #[command(flatten)]
        site: SiteArgs,
        /// Only events after this number.
        #[arg(long, default_value_t = 0)]
        after: u64,
    },
    /// A meter was replaced: its last register and the first of the new one, in kWh, m³ or GJ.
    Replace {
        #[command(flatten)]
        site: SiteArgs,
        #[command(flatten)]
        signature: Signature,
        /// The point.
        #[arg(long)]
        point: String,
        /// When, RFC 3339.
        #[arg(long)]
        at: String,
        /// The meter that leaves.
        #[arg(long)]
        old_meter: String,
        /// Its last register.
        #[arg(long)]
        old_last: f64,
        /// The meter that comes; the old one's id where the device behind an address was exchanged.
        #[arg(long)]
        new_meter: String,
        /// Its first register.
        #[arg(long)]
        new_first: f64,
        /// Another register that a point reads, such as energy_export=1204.5,0; may be repeated.
        #[arg(long, value_name = "QUANTITY=LAST,FIRST")]
        other: Vec<String>,
    },
    /// A register that a person read, in kWh, m³ or GJ.
    Reading {
        #[command(flatten)]
        site: SiteArgs,
        #[command(flatten)]
        signature: Signature,
        /// The meter.
        #[arg(long)]
        meter: String,
        /// When, RFC 3339.
        #[arg(long)]
        at: String,
        /// What it showed.
        #[arg(long)]
        value: f64,
    },
    /// Readings of a meter's counter that shall not count, from one instant to another.
    Void {
        #[command(flatten)]
        site: SiteArgs,
        #[command(flatten)]
        signature: Signature,
        /// The meter.
        #[arg(long)]
        meter: String,
        /// First instant, RFC 3339, included.
        #[arg(long)]
        from: String,
        /// Last instant, RFC 3339, included.
        #[arg(long)]
        to: String,
    },
    /// Take back an event that was a mistake; both stay in the books.
    Undo {
        #[command(flatten)]
        site: SiteArgs,
        #[command(flatten)]
        signature: Signature,
        /// Its number.
        seq: u64,
    },
    /// Check that no event was lost or changed.
    Verify(SiteArgs),
}

/// Review commands.
#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    #[command(subcommand)]
    pub(crate) action: ReviewAction,
}

/// What to do with the review queue.
#[derive(Debug, Subcommand)]
pub(crate) enum ReviewAction {
    /// List what waits for a person.
    List {
        #[command(flatten)]
        site: SiteArgs,
        /// Also what rules and people have settled.
        #[arg(long)]
        all: bool,
    },
    /// Decide what a finding means.
    Decide {
        #[command(flatten)]
        site: SiteArgs,
        #[command(flatten)]
        signature: Signature,
        /// Its id, as the list prints it.
        id: String,
        /// The verdict.
        #[arg(value_enum)]
        verdict: VerdictWord,
        /// For `discard`: the last wrong reading, RFC 3339; the last in question unless told.
        #[arg(long)]
        until: Option<String>,
    },
}

/// Verdicts as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerdictWord {
    /// The reading is right.
    Accept,
    /// The register passed its modulus.
    Rollover,
    /// The register counts on from here; what flowed in between is unknown.
    Restart,
    /// The readings are wrong.
    Discard,
}

/// Closing commands.
#[derive(Debug, Args)]
pub(crate) struct CloseArgs {
    #[command(subcommand)]
    pub(crate) action: CloseAction,
}

/// Whose month.
#[derive(Debug, Args)]
pub(crate) struct MonthArgs {
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    /// Institution id.
    #[arg(long)]
    pub(crate) institution: String,
    /// Month, such as 2026-10.
    #[arg(long)]
    pub(crate) month: String,
}

/// What to do with a month.
#[derive(Debug, Subcommand)]
pub(crate) enum CloseAction {
    /// Proposals, closed months and their hashes.
    List(SiteArgs),
    /// The closing checklist of a month.
    Check(MonthArgs),
    /// Propose a month for closing, or a closed one for revision.
    Propose {
        #[command(flatten)]
        month: MonthArgs,
        #[command(flatten)]
        signature: Signature,
        /// Why a missing or differing invoice may pass.
        #[arg(long)]
        justification: Option<String>,
    },
    /// Approve a proposal; not the person who made it.
    Approve {
        #[command(flatten)]
        site: SiteArgs,
        #[command(flatten)]
        signature: Signature,
        /// The proposal's number in the books.
        proposal: u64,
    },
    /// Turn a proposal down.
    Reject {
        #[command(flatten)]
        site: SiteArgs,
        #[command(flatten)]
        signature: Signature,
        /// The proposal's number in the books.
        proposal: u64,
    },
    /// Adjustments of closed months: frozen and live.
    Adjustments {
        #[command(flatten)]
        site: SiteArgs,
        /// Institution id.
        #[arg(long)]
        institution: String,
    },
}

/// Invoice commands.
#[derive(Debug, Args)]
pub(crate) struct InvoiceArgs {
    #[command(subcommand)]
    pub(crate) action: InvoiceAction,
}

/// What to do with invoices.
#[derive(Debug, Subcommand)]
pub(crate) enum InvoiceAction {
    /// List invoices beside what the ledger says of the same dates.
    List(SiteArgs),
    /// Enter all invoices of a CSV file, or none where a line is wrong.
    Import {
        #[command(flatten)]
        site: SiteArgs,
        #[command(flatten)]
        signature: Signature,
        /// The file.
        file: PathBuf,
    },
}

/// Tariff commands.
#[derive(Debug, Args)]
pub(crate) struct TariffArgs {
    #[command(subcommand)]
    pub(crate) action: TariffAction,
}

/// What to do with tariffs.
#[derive(Debug, Subcommand)]
pub(crate) enum TariffAction {
    /// List tariffs with their versions and sources, and accounts with what holds for them.
    List(SiteArgs),
    /// What an account has to pay for a month by the ledger and its tariffs.
    Bill {
        #[command(flatten)]
        site: SiteArgs,
        /// Account id.
        #[arg(long)]
        account: String,
        /// `yyyy-mm`.
        #[arg(long)]
        month: String,
        /// The whole bill as JSON instead of a page of text.
        #[arg(long)]
        json: bool,
    },
}
