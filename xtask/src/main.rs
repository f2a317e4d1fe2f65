//! `cargo xtask …`: everything a developer runs, and what CI runs.
//!
//! `setup` fetches and builds the programs that the tests talk to; `test` is the whole check; `lint`
//! adds licences, bans and sources; `bench` measures; `tidy` compares the crates with the shape of the house; `web`
//! builds the cockpit; `openapi` writes the contract of the api and what is made of it. Start reading at [`test::run`].

mod bench;
#[allow(
    dead_code,
    reason = "the tests use the paths of programs, we those of folders"
)]
mod cache;
mod run;
mod setup;
mod test;
mod tidy;
mod web;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::cache::Cache;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Everything a developer of Carbon Steward runs"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install or build what the tests talk to: mosquitto, InfluxDB, pymodbus, a browser
    Setup {
        /// Also build Telegraf, with which the benchmarks compare
        #[arg(long)]
        bench: bool,
    },
    /// The whole check: set-up, format, clippy, tidy, web, all tests
    Test,
    /// Format, clippy, tidy, and licences, bans, sources and advisories by cargo-deny
    Lint,
    /// Measure speed, memory and loss beside Telegraf, a bare sender, DuckDB, polars and pandas, into docs/BENCHMARKS.md
    Bench {
        /// Only these parts: mqtt, loss, modbus, store, ledger, influx, run
        parts: Vec<String>,
        /// Take the programs as they were built last
        #[arg(long)]
        built: bool,
    },
    /// Compare the crates with the shape of the house: edges, doors, sizes, words
    Tidy,
    /// Write api/openapi.json and the cockpit's types anew from the code
    Openapi,
    /// Build the cockpit in api/web
    Web,
}

/// What every task needs to know: the clone and the tool cache.
struct Place {
    repo: PathBuf,
    cache: Cache,
}

impl Place {
    fn find() -> Result<Self> {
        // Asked at run time: with a build folder that clones share, what was compiled in may be the
        // path of another clone.
        let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
            .unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let repo = Path::new(&xtask)
            .parent()
            .context("xtask stands in the repository")?
            .to_owned();
        let cache = Cache::of(&repo).map_err(anyhow::Error::msg)?;
        Ok(Self { repo, cache })
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = Place::find().and_then(|place| match arguments.task {
        Task::Setup { bench } => setup::run(&place, bench),
        Task::Test => test::run(&place),
        Task::Lint => test::lint(&place),
        Task::Bench { parts, built } => bench::run(&place, &parts, built),
        Task::Tidy => tidy::run(&place),
        Task::Openapi => web::openapi(&place),
        Task::Web => web::build(&place),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
