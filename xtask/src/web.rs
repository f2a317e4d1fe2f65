//! The cockpit's own checks and its build, by npm.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::Place;
use crate::cache::find_program;
use crate::run::{cargo, output, stream};

/// Installs what the lock file names, then checks types and runs the tests where there are some.
pub(crate) fn check(place: &Place) -> Result<()> {
    install(place)?;
    stream(npm(place).args(["run", "check"]))?;
    if has_script(place, "test")? {
        stream(npm(place).args(["test"]))?;
    }
    Ok(())
}

/// Builds the cockpit that the program embeds.
pub(crate) fn build(place: &Place) -> Result<()> {
    install(place)?;
    stream(npm(place).args(["run", "build"]))
}

/// Writes `api/openapi.json` from the code, and the cockpit's types from it.
pub(crate) fn openapi(place: &Place) -> Result<()> {
    let example = [
        "run",
        "--quiet",
        "--release",
        "-p",
        "steward-api",
        "--example",
        "openapi",
    ];
    let contract = output(cargo(place).args(example).env("STEWARD_COCKPIT", "skip"))?;
    let path = place.repo.join("api/openapi.json");
    std::fs::write(&path, contract).with_context(|| path.display().to_string())?;
    install(place)?;
    stream(npm(place).args(["run", "types"]))
}

fn install(place: &Place) -> Result<()> {
    if find_program("npm").is_none() {
        bail!("npm is missing: install Node.js 20 or later");
    }
    stream(npm(place).args(["ci", "--no-audit", "--no-fund"]))
}

fn npm(place: &Place) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(place.repo.join("api/web"));
    command
}

fn has_script(place: &Place, name: &str) -> Result<bool> {
    let path = place.repo.join("api/web/package.json");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let package: serde_json::Value =
        serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    Ok(package["scripts"].get(name).is_some())
}
