//! What the demo remembers between two starts.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

const FILE: &str = "demo-state.json";

/// The world of an earlier start, and how far its history was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// Seed of the world.
    pub(super) seed: u64,
    /// The world's first day.
    pub(super) start: NaiveDate,
    /// The day of the first start: the story of the demo is told around it.
    #[serde(default)]
    pub(super) told_on: Option<NaiveDate>,
    /// Everything before this instant stands in the journal, in milliseconds.
    pub(super) sent_until_ms: i64,
    /// How far the books were filled.
    #[serde(default)]
    pub(super) chapter: Chapter,
}

/// How far the story was told. Each chapter is told once, also over restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Chapter {
    /// Nothing yet.
    #[default]
    Begin,
    /// The replacement stands in the books.
    Replaced,
    /// Invoices came and a month is closed.
    Closed,
    /// The backlog of the outage was sent.
    BacklogSent,
}

impl State {
    /// The state in `folder`, or `None` where no demo ran yet.
    pub(super) fn load(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = path(folder);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let state = serde_json::from_str(&text).with_context(|| {
                    format!("{} is damaged; start with --fresh", path.display())
                })?;
                Ok(Some(state))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Writes the state whole or not at all.
    pub(super) fn save(&self, folder: &Path) -> anyhow::Result<()> {
        let path = path(folder);
        let fresh = path.with_extension("json.new");
        std::fs::write(&fresh, serde_json::to_string_pretty(self)?)?;
        std::fs::rename(&fresh, &path).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Removes an earlier demo. A folder that no demo made is left alone.
    pub(super) fn forget(folder: &Path) -> anyhow::Result<()> {
        if !folder.exists() {
            return Ok(());
        }
        let empty = folder.read_dir()?.next().is_none();
        anyhow::ensure!(
            empty || path(folder).exists(),
            "{} was not made by `steward demo`, so --fresh does not remove it",
            folder.display()
        );
        std::fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}
