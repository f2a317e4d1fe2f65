//! `cargo xtask setup`: what the tests talk to, installed or built once and found again in seconds.
//!
//! Debian's packages come by apt-get where we may, and are asked for where we may not. Everything else
//! goes to the tool cache ([`crate::cache`]), each tool into its own folder with a mark that is written
//! last; a folder without the mark is made anew.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::Place;
use crate::cache::{CARGO_DENY_VERSION, TELEGRAF_VERSION, complete_mark, find_program};
use crate::run::{lock_file, output, stream};

/// A program that a distribution's package brings, and the package's name in Debian.
const SYSTEM_PROGRAMS: [(&str, &str); 6] = [
    ("mosquitto", "mosquitto"),
    ("mosquitto_pub", "mosquitto-clients"),
    ("chromium", "chromium"),
    ("openssl", "openssl"),
    ("pkg-config", "pkg-config"),
    ("fc-list", "fontconfig"),
];

/// Without a font that has Chinese glyphs the browser draws boxes.
const CHINESE_FONT: &str = "fonts-wqy-microhei";

/// Telegraf with only the plugins that the benchmarks use; all of them would take many minutes.
const TELEGRAF_TAGS: &str = "custom,inputs.modbus,inputs.mqtt_consumer,outputs.influxdb_v2,\
                             outputs.file,parsers.json_v2,serializers.influx";

/// Makes sure that everything is there; `bench` adds what only the benchmarks need.
pub(crate) fn run(place: &Place, bench: bool) -> Result<()> {
    let _lock = lock_setup(place)?;
    system_packages()?;
    python(place)?;
    browser(place)?;
    influxd(place)?;
    if bench {
        telegraf(place)?;
        peers(place)?;
    }
    Ok(())
}

/// Makes sure that cargo-deny is there.
pub(crate) fn cargo_deny(place: &Place) -> Result<()> {
    let _lock = lock_setup(place)?;
    once(
        &place.cache.cargo_deny_dir(),
        "cargo-deny",
        "some minutes",
        |dir| {
            let mut install =
                Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            install.args([
                "install",
                "--locked",
                "--version",
                CARGO_DENY_VERSION,
                "cargo-deny",
            ]);
            stream(
                install
                    .arg("--target-dir")
                    .arg(dir.join("build"))
                    .arg("--root")
                    .arg(dir),
            )?;
            remove_dir(&dir.join("build"))
        },
    )
}

/// Whether [`cargo_deny`] has succeeded before.
pub(crate) fn has_cargo_deny(place: &Place) -> bool {
    complete_mark(&place.cache.cargo_deny_dir()).exists()
}

fn lock_setup(place: &Place) -> Result<fs::File> {
    let root = place.cache.root();
    fs::create_dir_all(root).with_context(|| root.display().to_string())?;
    lock_file(&root.join("setup.lock"))
}

fn system_packages() -> Result<()> {
    let missing = missing_packages();
    if missing.is_empty() {
        println!("    system programs: there");
        return Ok(());
    }
    let is_root = output(Command::new("id").arg("-u"))?.trim() == "0";
    if !is_root || find_program("apt-get").is_none() {
        bail!(
            "install these packages (names as in Debian), then run again: {}",
            missing.join(" ")
        );
    }
    println!("    system programs: installing {}", missing.join(" "));
    let apt = || {
        let mut command = Command::new("apt-get");
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["-q", "-y"]);
        command
    };
    stream(apt().arg("update"))?;
    stream(
        apt()
            .args(["install", "--no-install-recommends"])
            .args(&missing),
    )?;
    let missing = missing_packages();
    if !missing.is_empty() {
        bail!(
            "still missing after the installation: {}",
            missing.join(" ")
        );
    }
    Ok(())
}

fn missing_packages() -> Vec<&'static str> {
    let absent = |(program, _): &&(&str, &str)| find_program(program).is_none();
    let mut missing: Vec<_> = SYSTEM_PROGRAMS
        .iter()
        .filter(absent)
        .map(|entry| entry.1)
        .collect();
    let fonts = output(Command::new("fc-list").arg(":lang=zh"));
    if fonts.is_ok_and(|list| list.trim().is_empty()) || missing.contains(&"fontconfig") {
        missing.push(CHINESE_FONT);
    }
    missing
}

fn python(place: &Place) -> Result<()> {
    let dir = place.cache.python_dir().map_err(anyhow::Error::msg)?;
    environment(&dir, "Python programs", &place.cache.requirements())
}

fn peers(place: &Place) -> Result<()> {
    let dir = place.cache.peers_dir().map_err(anyhow::Error::msg)?;
    let pins = place.cache.peers_requirements();
    environment(&dir, "DuckDB, polars and pandas", &pins)
}

/// A virtual environment of what a file pins.
fn environment(dir: &Path, name: &str, requirements: &Path) -> Result<()> {
    once(dir, name, "about a minute", |dir| {
        need(
            "python3",
            "Python 3.10 or later with its venv module (Debian: python3-venv)",
        )?;
        stream(Command::new("python3").args(["-m", "venv"]).arg(dir))?;
        let mut pip = Command::new(dir.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--requirement",
        ]);
        stream(pip.arg(requirements))
    })
}

fn browser(place: &Place) -> Result<()> {
    let dir = place.cache.browser_dir().map_err(anyhow::Error::msg)?;
    once(&dir, "browser driver", "seconds", |dir| {
        need("npm", "Node.js 20 or later")?;
        for name in ["package.json", "package-lock.json", ".npmrc"] {
            copy(&place.cache.browser_package().join(name), &dir.join(name))?;
        }
        stream(
            Command::new("npm")
                .current_dir(dir)
                .args(["ci", "--no-audit", "--no-fund"]),
        )
    })
}

/// Builds InfluxDB's server, whose query engine is Rust behind cgo. Three things make it build here:
/// a wrapper of pkg-config that compiles the engine, the installed Rust toolchain instead of the old
/// one that the engine asks for, and lints capped at warnings, which the engine would deny.
fn influxd(place: &Place) -> Result<()> {
    once(
        &place.cache.influxd_dir(),
        "InfluxDB",
        "5 to 10 minutes",
        |dir| {
            need("go", "Go 1.23 or later")?;
            need("cc", "a C compiler (Debian: build-essential)")?;
            let build = dir.join("build");
            fs::create_dir(&build).with_context(|| build.display().to_string())?;
            for name in ["go.mod", "go.sum", "tools.go"] {
                copy(
                    &place.repo.join("xtask/tools/influxd").join(name),
                    &build.join(name),
                )?;
            }
            let go = || {
                let mut command = Command::new("go");
                command
                    .current_dir(&build)
                    .env("GOTOOLCHAIN", "local")
                    .env("GOFLAGS", "-mod=readonly");
                command
            };
            let wrappers = "github.com/influxdata/pkg-config";
            stream(go().env("GOBIN", &build).args(["install", wrappers]))?;
            let rustc_wrapper = build.join("rustc-wrapper");
            write_script(&rustc_wrapper, "#!/bin/sh\nexec \"$@\" --cap-lints warn\n")?;
            let mut command = go();
            if find_program("rustup").is_some() {
                let active = output(Command::new("rustup").args(["show", "active-toolchain"]))?;
                let toolchain = active
                    .split_whitespace()
                    .next()
                    .context("rustup names no toolchain")?;
                command.env("RUSTUP_TOOLCHAIN", toolchain);
            }
            command
                .env("PKG_CONFIG", build.join("pkg-config"))
                .env("RUSTC_WRAPPER", rustc_wrapper);
            command
                .env("CGO_ENABLED", "1")
                .env_remove("CARGO_TARGET_DIR")
                .env_remove("RUSTFLAGS");
            command.args(["build", "-tags", "sqlite_foreign_keys,sqlite_json", "-o"]);
            stream(
                command
                    .arg(dir.join("influxd"))
                    .arg("github.com/influxdata/influxdb/v2/cmd/influxd"),
            )?;
            remove_dir(&build)
        },
    )
}

fn telegraf(place: &Place) -> Result<()> {
    once(
        &place.cache.telegraf_dir(),
        "Telegraf",
        "about 2 minutes",
        |dir| {
            need("go", "Go 1.23 or later")?;
            let mut install = Command::new("go");
            install
                .env("GOBIN", dir)
                .env("CGO_ENABLED", "0")
                .env_remove("GOFLAGS");
            install.args(["install", "-tags", TELEGRAF_TAGS]);
            let module = format!("github.com/influxdata/telegraf/cmd/telegraf@v{TELEGRAF_VERSION}");
            stream(install.arg(module))
        },
    )
}

/// Makes a tool's folder unless it is there and complete.
fn once(dir: &Path, name: &str, takes: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let mark = complete_mark(dir);
    if mark.exists() {
        println!("    {name}: there");
        return Ok(());
    }
    println!("    {name}: making {} (takes {takes})", dir.display());
    if dir.exists() {
        remove_dir(dir)?;
    }
    fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    make(dir).with_context(|| format!("{name} could not be made"))?;
    fs::write(&mark, "").with_context(|| mark.display().to_string())
}

fn need(program: &str, what: &str) -> Result<()> {
    if find_program(program).is_none() {
        bail!("`{program}` is missing: install {what}");
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("{} to {}", from.display(), to.display()))?;
    Ok(())
}

fn write_script(path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, text).with_context(|| path.display().to_string())?;
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(path, executable).with_context(|| path.display().to_string())
}

fn remove_dir(dir: &Path) -> Result<()> {
    fs::remove_dir_all(dir).with_context(|| dir.display().to_string())
}
