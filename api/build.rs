//! Builds the cockpit in `web/` with npm, so that rust-embed can put it into the program.
//!
//! Without Node.js, or with `STEWARD_COCKPIT=skip`, the program is built with a page that says so.
//! A cockpit that cannot be built is an error of a release build and a warning of any other.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

/// What the cockpit is made of, below `web/` but for the contract. Nothing else rebuilds it.
const SOURCES: &[&str] = &[
    "openapi.json",
    "web/index.html",
    "web/package.json",
    "web/package-lock.json",
    "web/public",
    "web/src",
    "web/tsconfig.json",
    "web/vite.config.ts",
];

fn main() {
    println!("cargo::rustc-check-cfg=cfg(cockpit_missing)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=STEWARD_COCKPIT");
    // A path that is not there would run this script every time.
    for source in SOURCES.iter().filter(|source| Path::new(source).exists()) {
        println!("cargo::rerun-if-changed={source}");
    }
    if let Err(reason) = build() {
        println!("cargo::rustc-cfg=cockpit_missing");
        let is_release = std::env::var("PROFILE").as_deref() == Ok("release");
        match reason {
            Reason::Absent(what) => {
                println!("cargo::warning=no cockpit: {what}; the api works all the same")
            }
            Reason::Failed(what) if is_release => {
                println!("cargo::error=the cockpit was not built: {what}")
            }
            Reason::Failed(what) => println!("cargo::warning=the cockpit was not built: {what}"),
        }
    }
}

enum Reason {
    Absent(&'static str),
    Failed(String),
}

fn build() -> Result<(), Reason> {
    if std::env::var_os("STEWARD_COCKPIT").as_deref() == Some(OsStr::new("skip")) {
        return Err(Reason::Absent("STEWARD_COCKPIT=skip"));
    }
    if !Path::new("web/package.json").exists() {
        return Err(Reason::Absent("api/web is not there"));
    }
    let has_npm = Command::new("npm")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !has_npm.is_ok_and(|status| status.success()) {
        return Err(Reason::Absent(
            "npm is not there; install Node.js 20 or later",
        ));
    }
    if !is_installed() {
        npm(&["ci", "--no-audit", "--no-fund"])?;
    }
    npm(&["run", "build"])?;
    if Path::new("web/dist/index.html").exists() {
        Ok(())
    } else {
        Err(Reason::Failed("npm made no web/dist/index.html".into()))
    }
}

/// npm writes this file last, so it is younger than the lock it was installed from.
fn is_installed() -> bool {
    let changed = |path: &str| -> Option<SystemTime> {
        fs::metadata(path).and_then(|data| data.modified()).ok()
    };
    changed("web/node_modules/.package-lock.json") >= changed("web/package-lock.json")
}

fn npm(arguments: &[&str]) -> Result<(), Reason> {
    let shown = format!("npm {}", arguments.join(" "));
    let output = Command::new("npm")
        .args(arguments)
        .current_dir("web")
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| Reason::Failed(format!("{shown}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    // One line: what a build script says must not break in two.
    let last: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let last = last[last.len().saturating_sub(6)..].join(" | ");
    Err(Reason::Failed(format!("{shown}: {last}")))
}
