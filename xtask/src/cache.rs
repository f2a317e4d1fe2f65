//! Where `cargo xtask setup` puts the programs that are not ours, and where the tests find them.
//!
//! Included by path in `tests/support` too, so that both sides agree; therefore it needs nothing but
//! the standard library. Every tool has a folder of its own, named by its version or by a hash of the
//! file that pins it, so that two clones with different pins share the cache without a quarrel.

use std::path::{Path, PathBuf};

/// The InfluxDB that the tests run against.
pub(crate) const INFLUXD_VERSION: &str = "2.7.12";
/// The collector that the benchmarks compare with.
pub(crate) const TELEGRAF_VERSION: &str = "1.37.2";
/// The checker of licences, bans and sources.
pub(crate) const CARGO_DENY_VERSION: &str = "0.20.2";

/// The tool cache, outside every clone.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    root: PathBuf,
    repo: PathBuf,
}

impl Cache {
    /// `$STEWARD_CACHE`, else `$XDG_CACHE_HOME/carbon-steward`, else `~/.cache/carbon-steward`.
    pub(crate) fn of(repo: &Path) -> Result<Self, String> {
        let named = |name| {
            std::env::var_os(name)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        };
        let root = named("STEWARD_CACHE")
            .or_else(|| named("XDG_CACHE_HOME").map(|dir| dir.join("carbon-steward")))
            .or_else(|| named("HOME").map(|dir| dir.join(".cache/carbon-steward")))
            .ok_or("neither STEWARD_CACHE, XDG_CACHE_HOME nor HOME is set")?;
        let root = std::path::absolute(root).map_err(|error| error.to_string())?;
        Ok(Self {
            root,
            repo: repo.to_owned(),
        })
    }

    /// The folder that holds everything.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Build artefacts, shared so that a fresh clone does not compile third-party crates again.
    pub(crate) fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// The folder of InfluxDB's server.
    pub(crate) fn influxd_dir(&self) -> PathBuf {
        self.root.join(format!("influxd-{INFLUXD_VERSION}"))
    }

    /// InfluxDB's server.
    pub(crate) fn influxd(&self) -> PathBuf {
        self.influxd_dir().join("influxd")
    }

    /// The folder of Telegraf.
    pub(crate) fn telegraf_dir(&self) -> PathBuf {
        self.root.join(format!("telegraf-{TELEGRAF_VERSION}"))
    }

    /// Telegraf.
    pub(crate) fn telegraf(&self) -> PathBuf {
        self.telegraf_dir().join("telegraf")
    }

    /// The folder of cargo-deny.
    pub(crate) fn cargo_deny_dir(&self) -> PathBuf {
        self.root.join(format!("cargo-deny-{CARGO_DENY_VERSION}"))
    }

    /// cargo-deny.
    pub(crate) fn cargo_deny(&self) -> PathBuf {
        self.cargo_deny_dir().join("bin/cargo-deny")
    }

    /// What pins the Python programs.
    pub(crate) fn requirements(&self) -> PathBuf {
        self.repo.join("xtask/tools/requirements.txt")
    }

    /// The virtual environment of the Python programs.
    pub(crate) fn python_dir(&self) -> Result<PathBuf, String> {
        Ok(self
            .root
            .join(format!("python-{}", hash_of(&self.requirements())?)))
    }

    /// The interpreter of the virtual environment.
    pub(crate) fn python(&self) -> Result<PathBuf, String> {
        Ok(self.python_dir()?.join("bin/python"))
    }

    /// What pins the peers of the ledger's benchmark.
    pub(crate) fn peers_requirements(&self) -> PathBuf {
        self.repo.join("xtask/tools/requirements-peers.txt")
    }

    /// The virtual environment of these peers.
    pub(crate) fn peers_dir(&self) -> Result<PathBuf, String> {
        let hash = hash_of(&self.peers_requirements())?;
        Ok(self.root.join(format!("peers-{hash}")))
    }

    /// Its interpreter.
    pub(crate) fn peers_python(&self) -> Result<PathBuf, String> {
        Ok(self.peers_dir()?.join("bin/python"))
    }

    /// The npm package that pins what drives the browser.
    pub(crate) fn browser_package(&self) -> PathBuf {
        self.repo.join("xtask/tools/browser")
    }

    /// Where that package is installed.
    pub(crate) fn browser_dir(&self) -> Result<PathBuf, String> {
        let lock = self.browser_package().join("package-lock.json");
        Ok(self.root.join(format!("browser-{}", hash_of(&lock)?)))
    }

    /// The module that drives the browser.
    pub(crate) fn playwright(&self) -> Result<PathBuf, String> {
        Ok(self
            .browser_dir()?
            .join("node_modules/playwright-core/index.mjs"))
    }
}

/// The mark that a tool's folder is whole: written last, so a build that was interrupted starts anew.
pub(crate) fn complete_mark(tool_dir: &Path) -> PathBuf {
    tool_dir.join(".complete")
}

/// Looks a program up as a shell would, and in the folders of daemons, which a user's path may lack.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")])
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// FNV-1a of a file in hexadecimal: a name for its content, the same in every build of this program.
fn hash_of(file: &Path) -> Result<String, String> {
    let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Ok(format!("{hash:016x}"))
}
