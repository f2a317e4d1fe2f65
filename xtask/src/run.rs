//! Running other programs, and steps that are timed and summed up.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};

use crate::Place;

/// Runs a program to its end with its output on ours, so that a log shows it while it happens. Nothing
/// here asks a question: the program gets no input.
pub(crate) fn stream(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    println!("    $ {shown}");
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("`{shown}` could not be started"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// Runs a program and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("`{shown}` could not be started"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!(
            "`{shown}` ended with {}: {}",
            output.status,
            complaint.trim()
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{shown}` printed no UTF-8"))
}

fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The cargo that runs us, in the clone, with the shared build folder unless the caller chose one.
pub(crate) fn cargo(place: &Place) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command
        .current_dir(&place.repo)
        .env("CARGO_TARGET_DIR", target_dir(place));
    // What the cargo that runs us told us of ourselves is not for the crates that are built: some
    // build scripts watch these names, and their crates would be compiled again after every change
    // between `cargo xtask` and plain `cargo`.
    for (name, _) in std::env::vars_os() {
        let ours = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
        ];
        if ours
            .iter()
            .any(|ours| name.to_string_lossy().starts_with(ours))
        {
            command.env_remove(&name);
        }
    }
    command
}

/// The build folder: the caller's choice, else the shared one.
pub(crate) fn target_dir(place: &Place) -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty());
    chosen.map_or_else(|| place.cache.target(), PathBuf::from)
}

/// The build folder, taken by this clone until this is dropped.
///
/// Cargo knows a crate of a workspace by its place *within* the workspace and judges freshness by
/// modification times. Two clones that share a build folder therefore look alike to it, and the one
/// whose files are older is given what was built from the other's. So when the folder was last used by
/// another clone, the root files of our crates are touched, and ours are compiled again; and CI, whose
/// clone will never come back, removes what it built of ours. The third-party crates, which are what
/// takes long, stay.
pub(crate) struct Claim<'a> {
    place: &'a Place,
    _lock: File,
}

impl<'a> Claim<'a> {
    /// Waits for the folder and makes it safe for this clone.
    pub(crate) fn take(place: &'a Place) -> Result<Self> {
        let target = target_dir(place);
        std::fs::create_dir_all(&target).with_context(|| target.display().to_string())?;
        let lock = lock_file(&target.join(".steward-lock"))?;
        let mark = target.join(".steward-clone");
        let clone = place.repo.to_string_lossy();
        if std::fs::read_to_string(&mark).ok().as_deref() != Some(&*clone) {
            println!(
                "    the build folder {} was last used elsewhere",
                target.display()
            );
            for root in crate_roots(place)? {
                let touched = File::options().append(true).open(&root);
                touched
                    .and_then(|file| file.set_modified(SystemTime::now()))
                    .with_context(|| root.display().to_string())?;
            }
            std::fs::write(&mark, clone.as_bytes()).with_context(|| mark.display().to_string())?;
        }
        Ok(Self { place, _lock: lock })
    }

    fn remove_ours(&self) -> Result<()> {
        let metadata = metadata(self.place)?;
        let packages = metadata["packages"]
            .as_array()
            .context("cargo metadata lists packages")?;
        let mut clean = cargo(self.place);
        clean.args(["clean", "--quiet", "--release"]);
        for name in packages
            .iter()
            .filter_map(|package| package["name"].as_str())
        {
            clean.args(["--package", name]);
        }
        output(&mut clean).map(drop)
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if std::env::var_os("CI").is_some_and(|set| !set.is_empty())
            && let Err(error) = self.remove_ours()
        {
            eprintln!("warning: the build folder keeps this clone's crates: {error:#}");
        }
    }
}

/// The root source files (libraries, programs, tests, build scripts) of the workspace's crates.
fn crate_roots(place: &Place) -> Result<Vec<PathBuf>> {
    let metadata = metadata(place)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists packages")?;
    let targets = packages
        .iter()
        .filter_map(|package| package["targets"].as_array())
        .flatten();
    Ok(targets
        .filter_map(|target| target["src_path"].as_str())
        .map(PathBuf::from)
        .collect())
}

/// What cargo knows of the workspace's own packages.
pub(crate) fn metadata(place: &Place) -> Result<serde_json::Value> {
    let text = output(cargo(place).args(["metadata", "--format-version=1", "--no-deps"]))?;
    serde_json::from_str(&text).context("cargo metadata prints JSON")
}

/// Waits for the lock of a file; it is given back when the file is dropped or the process ends.
pub(crate) fn lock_file(path: &Path) -> Result<File> {
    let file = File::options().create(true).append(true).open(path);
    let file = file.with_context(|| path.display().to_string())?;
    if file.try_lock().is_err() {
        println!(
            "    waiting for another `cargo xtask` that holds {}",
            path.display()
        );
        file.lock().with_context(|| path.display().to_string())?;
    }
    Ok(file)
}

/// Named steps, each timed, with one table at the end.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, Duration, Result<()>)>,
    skipped: Vec<&'static str>,
}

impl Steps {
    /// Runs one step now and remembers how it went.
    pub(crate) fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) {
        println!("\n==> {name}");
        let begun = Instant::now();
        let outcome = work();
        if let Err(error) = &outcome {
            println!("    FAILED: {error:#}");
        }
        self.done.push((name, begun.elapsed(), outcome));
    }

    /// Runs one step if everything before it passed; for what is dear.
    pub(crate) fn step_if_passing(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<()>,
    ) {
        if self.passing() {
            self.step(name, work);
        } else {
            self.skipped.push(name);
        }
    }

    fn passing(&self) -> bool {
        self.done.iter().all(|(_, _, outcome)| outcome.is_ok())
    }

    /// Prints the table and a closing line; an error when a step failed.
    pub(crate) fn finish(self) -> Result<()> {
        println!("\n{:<24} {:>9}  result", "step", "seconds");
        for (name, took, outcome) in &self.done {
            let result = if outcome.is_ok() { "ok" } else { "FAILED" };
            println!("{name:<24} {:>9.1}  {result}", took.as_secs_f64());
        }
        for name in &self.skipped {
            println!("{name:<24} {:>9}  not run", "-");
        }
        let total: Duration = self.done.iter().map(|(_, took, _)| *took).sum();
        let failed = self.done.iter().filter(|(_, _, outcome)| outcome.is_err());
        let failed = failed.map(|(name, _, _)| *name).collect::<Vec<_>>();
        if !failed.is_empty() {
            bail!(
                "{} of {} steps failed: {}",
                failed.len(),
                self.done.len(),
                failed.join(", ")
            );
        }
        println!(
            "\nAll {} steps passed in {:.0} s.",
            self.done.len(),
            total.as_secs_f64()
        );
        Ok(())
    }
}
