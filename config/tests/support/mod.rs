//! What the tests of the loader share.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use tempfile::TempDir;

/// The example site.
pub fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sites/example")
}

/// An environment without variables.
pub fn no_environment(_: &str) -> Option<String> {
    None
}

/// A date of a test.
pub fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Copies a folder with its folders.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A copy of the example that a test may change.
pub fn temporary_example() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(&example(), dir.path());
    dir
}
