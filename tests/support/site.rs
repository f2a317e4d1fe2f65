//! A site's folder, written by the test that uses it.

use std::path::Path;

use tempfile::TempDir;

use super::{Finished, LONG, Steward, path_of, wait_until};

/// A temporary folder with a site's configuration; its data lie in `data` within it.
#[derive(Debug)]
pub struct Site {
    folder: TempDir,
}

impl Site {
    /// A folder with these two files.
    pub fn new(steward_toml: &str, registry_toml: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = Self { folder };
        site.write("steward.toml", steward_toml);
        site.write("registry.toml", registry_toml);
        site
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, file: &str, text: &str) {
        let path = self.folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder, as an argument.
    pub fn arg(&self) -> &str {
        path_of(self.folder.path())
    }

    /// Runs a command on this site to its end.
    pub async fn once(&self, words: &[&str]) -> Finished {
        Steward::once(&[words, &["--config", self.arg()]].concat()).await
    }

    /// Starts a role on this site.
    pub async fn start(&self, role: &str) -> Steward {
        Steward::start(&[role, "--config", self.arg()]).await
    }

    /// Waits until so many readings and items were received and the ledger has taken all of them, by
    /// `steward verify` beside the running program: it must not see a fault at any moment.
    pub async fn settled(&self, received: u64) {
        let what = format!("{received} readings to be received and the ledger to be done");
        wait_until(&what, LONG, async || {
            let output = self.once(&["verify"]).await.expect_success();
            let counts = Counts::of(output.lines().next().unwrap());
            let is_done = counts.queued == 0 && output.contains(", 0 days wait, ");
            (counts.received >= received && is_done).then_some(())
        })
        .await;
    }

    /// The proof of `steward verify`: it has to end well, with everything accounted for, nothing
    /// queued, no day waiting and no error of closure. Answers the counts of its first line.
    pub async fn verify(&self) -> Counts {
        let output = self.once(&["verify"]).await.expect_success();
        let last = output.lines().last().unwrap();
        let proof = ", closure error 0 base units, 0 days wait, 0 faults";
        assert!(last.ends_with(proof), "{output}");
        let counts = Counts::of(output.lines().next().unwrap());
        assert_eq!(counts.queued, 0, "{output}");
        counts
    }
}

/// The first line of `steward verify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub received: u64,
    pub stored: u64,
    pub duplicates: u64,
    pub quarantined: u64,
    pub replayed: u64,
    pub discarded: u64,
    pub queued: u64,
}

impl Counts {
    fn of(line: &str) -> Self {
        let count = |name: &str| -> u64 {
            let mut words = line.split(' ').skip_while(|word| *word != name);
            let number = words.nth(1).and_then(|word| word.parse().ok());
            number.unwrap_or_else(|| panic!("no `{name}` in `{line}`"))
        };
        let counts = Self {
            received: count("received"),
            stored: count("stored"),
            duplicates: count("duplicates"),
            quarantined: count("quarantined"),
            replayed: count("replayed"),
            discarded: count("discarded"),
            queued: count("queued"),
        };
        let sum = counts.stored + counts.duplicates + counts.quarantined + counts.replayed;
        assert_eq!(
            counts.received,
            sum + counts.discarded + counts.queued,
            "{line}"
        );
        counts
    }
}
