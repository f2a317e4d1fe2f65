//! `cargo xtask tidy`: the shape of the house, checked by a machine.
//!
//! Which of our crates may name which, which foreign crate has one door, how long a file may be, and
//! words that must not stand in the tree. The rules are the tables at the top; the rest applies them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::Place;
use crate::run::metadata;

/// A crate names at most what its row lists. Folder names; the crates are called `steward-…`.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("config", &["model"]),
    ("journal", &["model", "config"]),
    ("store", &["model", "config"]),
    ("ledger", &["model", "config"]),
    ("books", &["model", "config", "store"]),
    ("collector", &["model", "config", "journal"]),
    (
        "aggregator",
        &["model", "config", "journal", "ledger", "store", "books"],
    ),
    ("report", &["model", "config", "ledger", "store", "books"]),
    (
        "api",
        &["model", "config", "ledger", "store", "books", "report"],
    ),
    ("simulator", &["model", "config"]),
    ("xtask", &["model", "config", "simulator"]),
];

/// The one place where the parts meet; it may name them all.
const ROOT: &str = "carbon-steward";

/// Edges whose absence carries a promise, with the reason that is printed.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    (
        "collector",
        "store",
        "a dead store never stops the reading of meters",
    ),
    (
        "aggregator",
        "collector",
        "all truth comes from the journal, so a replay is a rerun",
    ),
    ("api", "journal", "no request can block or lose ingestion"),
];

/// Foreign crates with few doors: (crate, who may name it, reason).
const DOORS: &[(&str, &[&str], &str)] = &[
    (
        "polars",
        &["aggregator"],
        "frames are the aggregator's own business",
    ),
    (
        "rusqlite",
        &["journal", "store", "books"],
        "each database file has one owner",
    ),
    (
        "influxdb2",
        &["store"],
        "InfluxDB is spoken to through the store",
    ),
    (
        "tokio-modbus",
        &["collector", "simulator"],
        "meters are read by the collector alone",
    ),
    (
        "rumqttc",
        &["collector", "simulator"],
        "brokers are read by the collector alone",
    ),
    (
        "rumqttd",
        &[ROOT],
        "the embedded broker belongs to the demo",
    ),
    ("axum", &["api"], "the api is the only server of HTTP"),
    (
        "anyhow",
        &[ROOT, "xtask"],
        "libraries say which error it was by a type",
    ),
];

/// Longer Rust files hide two files. The house style asks for thought at 400 already.
const RUST_LINES_MAX: usize = 600;

/// Folders that hold nothing of ours.
const NOT_OURS: [&str; 5] = [".git", "target", "node_modules", "dist", "data"];

/// Words that must not stand in any file. Broken in two, so that this file may hold them.
const FORBIDDEN_WORDS: &[(&str, &str)] = &[
    (concat!("/wo", "rk/"), "a path of somebody's machine"),
    (concat!("/ro", "ot/"), "a path of somebody's machine"),
    (concat!("/ho", "me/"), "a path of somebody's machine"),
    (concat!("to", "do!("), "unfinished code"),
    (concat!("unimpl", "emented!("), "unfinished code"),
    (
        concat!("\"reso", "lved\": \"http"),
        "a lock file with download addresses",
    ),
];

/// Reports every breach at once.
pub(crate) fn run(place: &Place) -> Result<()> {
    let mut breaches = Vec::new();
    check_edges(&metadata(place)?, &mut breaches)?;
    let files = files_below(&place.repo)?;
    for file in &files {
        let Ok(text) = fs::read_to_string(file) else {
            continue;
        };
        let name = file.strip_prefix(&place.repo).unwrap_or(file);
        check_text(name, &text, &mut breaches);
    }
    if breaches.is_empty() {
        println!(
            "    {} files and every edge between the crates are in order",
            files.len()
        );
        return Ok(());
    }
    for breach in &breaches {
        println!("    {breach}");
    }
    bail!("{} breaches of the house's shape", breaches.len());
}

fn check_edges(metadata: &Value, breaches: &mut Vec<String>) -> Result<()> {
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists packages")?;
    let ours: Vec<&str> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    for package in packages {
        let name = package["name"].as_str().context("a package has a name")?;
        let dependencies = package["dependencies"]
            .as_array()
            .context("and dependencies")?;
        if name != ROOT && row(name).is_none() {
            breaches.push(format!(
                "{name}: no row says what it may name; add it to MAY_NAME"
            ));
        }
        for dependency in dependencies {
            let to = dependency["name"]
                .as_str()
                .context("a dependency has a name")?;
            let for_tests = dependency["kind"] == "dev";
            let breach = if ours.contains(&to) {
                own_edge(name, to, for_tests)
            } else {
                foreign_edge(name, to, for_tests)
            };
            breaches.extend(breach);
        }
    }
    Ok(())
}

/// An edge between two crates of ours. Tests may also name the simulator: it stands in for the world.
fn own_edge(from: &str, to: &str, for_tests: bool) -> Option<String> {
    let (part, other) = (folder(from), folder(to));
    if from == ROOT || (for_tests && other == "simulator") || row(from)?.contains(&other) {
        return None;
    }
    let reason = FORBIDDEN
        .iter()
        .find(|edge| (edge.0, edge.1) == (part, other));
    let reason = reason.map_or("its row of MAY_NAME does not list it", |edge| edge.2);
    Some(format!("{from} names {to}: {reason}"))
}

/// An edge to a foreign crate that has few doors. Tests look at databases, brokers and meters from
/// outside, so they may use any of them.
fn foreign_edge(from: &str, to: &str, for_tests: bool) -> Option<String> {
    let (_, doors, reason) = DOORS.iter().find(|door| door.0 == to)?;
    let allowed = for_tests || doors.contains(&folder(from));
    (!allowed).then(|| format!("{from} names {to}: {reason} (only {})", doors.join(", ")))
}

fn row(package: &str) -> Option<&'static [&'static str]> {
    MAY_NAME
        .iter()
        .find(|row| row.0 == folder(package))
        .map(|row| row.1)
}

fn folder(package: &str) -> &str {
    package.strip_prefix("steward-").unwrap_or(package)
}

fn check_text(name: &Path, text: &str, breaches: &mut Vec<String>) {
    let lines = text.lines().count();
    if name.extension().is_some_and(|extension| extension == "rs") && lines > RUST_LINES_MAX {
        let shown = name.display();
        breaches.push(format!(
            "{shown}: {lines} lines, more than {RUST_LINES_MAX}; divide it"
        ));
    }
    for (word, reason) in FORBIDDEN_WORDS {
        for (index, _) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.contains(word))
        {
            breaches.push(format!(
                "{}:{}: `{word}` is {reason}",
                name.display(),
                index + 1
            ));
        }
    }
}

fn files_below(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let entry = entry.with_context(|| folder.display().to_string())?;
            let kind = entry
                .file_type()
                .with_context(|| entry.path().display().to_string())?;
            let ours = !NOT_OURS.iter().any(|name| entry.file_name() == *name);
            if kind.is_dir() && ours {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn breaches_of(packages: Value) -> Vec<String> {
        let mut breaches = Vec::new();
        check_edges(&json!({ "packages": packages }), &mut breaches).expect("well-formed metadata");
        breaches
    }

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<_> = dependencies
            .iter()
            .map(|(name, kind)| json!({"name": name, "kind": kind}))
            .collect();
        json!({"name": name, "dependencies": dependencies})
    }

    #[test]
    fn an_edge_that_carries_a_promise_is_refused_with_its_reason() {
        let breaches = breaches_of(json!([
            package("steward-store", &[]),
            package("steward-collector", &[("steward-store", None)]),
        ]));
        assert_eq!(
            breaches,
            [
                "steward-collector names steward-store: a dead store never stops the reading of meters"
            ]
        );
    }

    #[test]
    fn tests_may_name_the_simulator_and_programs_may_not() {
        let simulator = package("steward-simulator", &[]);
        let test = package("steward-collector", &[("steward-simulator", Some("dev"))]);
        assert_eq!(breaches_of(json!([simulator, test])), Vec::<String>::new());
        let program = package("steward-collector", &[("steward-simulator", None)]);
        assert_eq!(breaches_of(json!([simulator, program])).len(), 1);
    }

    #[test]
    fn polars_stays_in_the_aggregator() {
        let owner = package("steward-aggregator", &[("polars", None)]);
        let guest = package("steward-report", &[("polars", None)]);
        let breaches = breaches_of(json!([owner, guest]));
        assert_eq!(breaches.len(), 1);
        assert!(
            breaches[0].starts_with("steward-report names polars"),
            "{breaches:?}"
        );
    }

    #[test]
    fn a_crate_without_a_row_is_refused() {
        assert_eq!(breaches_of(json!([package("steward-attic", &[])])).len(), 1);
    }

    #[test]
    fn words_and_lengths_are_found_by_line() {
        let mut breaches = Vec::new();
        let text = format!("fine\n{}x\n", concat!("/wo", "rk/"));
        check_text(Path::new("docs/a.md"), &text, &mut breaches);
        check_text(
            Path::new("a.rs"),
            &"\n".repeat(RUST_LINES_MAX + 1),
            &mut breaches,
        );
        check_text(
            Path::new("a.csv"),
            &"\n".repeat(RUST_LINES_MAX + 1),
            &mut breaches,
        );
        assert_eq!(breaches.len(), 2, "{breaches:?}");
        assert!(breaches[0].starts_with("docs/a.md:2:"), "{breaches:?}");
    }
}
