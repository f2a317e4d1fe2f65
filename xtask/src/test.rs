//! `cargo xtask test` and `cargo xtask lint`.

use std::process::Command;

use anyhow::{Result, bail};

use crate::Place;
use crate::run::{Claim, Steps, cargo, stream};
use crate::{setup, tidy, web};

/// The whole check. What is cheap runs to the end even after a failure, so that one run shows all of
/// it; what is dear runs only on a tree that passed the cheap part.
pub(crate) fn run(place: &Place) -> Result<()> {
    let mut steps = Steps::default();
    steps.step("set-up", || setup::run(place, false));
    let _claim = Claim::take(place)?;
    static_checks(place, &mut steps);
    steps.step_if_passing("web checks", || web::check(place));
    // The release profile on purpose: polars takes minutes to compile, and one build of it serves the
    // tests, the benchmarks and what is shipped. Overflow checks stay on in it.
    steps.step_if_passing("tests", || {
        stream(cargo(place).args(["test", "--release", "--workspace", "--no-fail-fast"]))
    });
    steps.finish()
}

/// What can be judged without running the program.
pub(crate) fn lint(place: &Place) -> Result<()> {
    let _claim = Claim::take(place)?;
    let mut steps = Steps::default();
    static_checks(place, &mut steps);
    steps.step("licences, bans, sources", || {
        setup::cargo_deny(place)?;
        stream(deny(place).args([
            "check",
            "--hide-inclusion-graph",
            "licenses",
            "bans",
            "sources",
        ]))
    });
    steps.step("advisories", || advisories(place));
    steps.finish()
}

fn static_checks(place: &Place, steps: &mut Steps) {
    steps.step("format", || {
        stream(cargo(place).args(["fmt", "--all", "--check"]))
    });
    steps.step("tidy", || tidy::run(place));
    steps.step("clippy", || {
        let clippy = ["clippy", "--workspace", "--all-targets", "--release", "--"];
        stream(cargo(place).args(clippy).args(["-D", "warnings"]))
    });
}

/// The advisory database lives in a git repository that not every network reaches. When it cannot be
/// fetched that is said, and is no failure; a fetched one is obeyed.
fn advisories(place: &Place) -> Result<()> {
    if !setup::has_cargo_deny(place) {
        bail!("cargo-deny is missing");
    }
    if let Err(error) = stream(deny(place).args(["fetch", "db"])) {
        println!("    advisories were not checked: the database could not be fetched ({error:#})");
        return Ok(());
    }
    stream(deny(place).args(["check", "--disable-fetch", "advisories"]))
}

fn deny(place: &Place) -> Command {
    let mut command = Command::new(place.cache.cargo_deny());
    // Git shall fail where it would ask for a name and a password.
    command
        .current_dir(&place.repo)
        .env("GIT_TERMINAL_PROMPT", "0");
    command
}
