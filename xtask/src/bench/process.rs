//! Folders and processes of a benchmark. Dropping them removes and kills them.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Between two looks at a condition.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);
/// How much of a program's output is shown when it fails.
const SHOWN_BYTES_MAX: usize = 2_000;
/// The kernel counts processor time in hundredths of a second.
const TICKS_PER_S: f64 = 100.0;

/// A folder that goes away with everything in it.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// A new folder below the folder of temporary files.
    pub(super) fn new(name: &str) -> Result<Self> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let path = std::env::temp_dir().join(format!("steward-bench-{process}-{number}-{name}"));
        fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in it.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is the business of whoever cleans the temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A port on which nothing listens, below those that the kernel gives to outgoing connections.
pub(super) fn free_port() -> Result<u16> {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(std::process::id() % u32::from(COUNT))?;
    (0..COUNT)
        .map(|_| FIRST + (begin + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .context("no port is free")
}

/// A running program whose output goes to a file.
pub(super) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program; `folder` takes its output and its temporary files.
    pub(super) fn start(name: &str, folder: &Path, command: &mut Command) -> Result<Self> {
        Self::start_with_input(name, folder, command.stdin(Stdio::null()))
    }

    /// The same where the caller has chosen the input.
    pub(super) fn start_with_input(
        name: &str,
        folder: &Path,
        command: &mut Command,
    ) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log);
        let file = file.with_context(|| log.display().to_string())?;
        command.stdout(file.try_clone()?).stderr(file);
        let child = command.env("TMPDIR", folder).spawn();
        let child = child.with_context(|| format!("{name} does not start"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    pub(super) fn take_input(&mut self) -> Result<std::process::ChildStdin> {
        self.child.stdin.take().context("the input was prepared")
    }

    /// Everything that it has printed.
    pub(super) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let begin = log.len().saturating_sub(SHOWN_BYTES_MAX);
        log.char_indices()
            .find(|(index, _)| *index >= begin)
            .map_or_else(String::new, |(index, _)| log[index..].to_owned())
    }

    /// Asks until the answer is `Some`; an error when the program ends first or time is up.
    pub(super) fn wait_for<T>(
        &mut self,
        what: &str,
        deadline: Duration,
        mut ask: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T> {
        let begun = Instant::now();
        loop {
            if let Some(answer) = ask(self) {
                return Ok(answer);
            }
            if let Some(status) = self.child.try_wait()? {
                // It may have said its last word between the look and its end.
                if let Some(answer) = ask(self) {
                    return Ok(answer);
                }
                bail!(
                    "{} ended with {status} before {what}:\n{}",
                    self.name,
                    self.log_tail()
                );
            }
            if begun.elapsed() > deadline {
                bail!(
                    "{}: waited {deadline:?} in vain for {what}:\n{}",
                    self.name,
                    self.log_tail()
                );
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
    }

    /// Waits for its success; answers the largest resident memory seen.
    pub(super) fn wait_success(&mut self, deadline: Duration) -> Result<f64> {
        let begun = Instant::now();
        let mut memory = 0.0;
        loop {
            memory = self.memory_peak_mb().unwrap_or(memory);
            if let Some(status) = self.child.try_wait()? {
                if status.success() {
                    return Ok(memory);
                }
                bail!("{} ended with {status}:\n{}", self.name, self.log_tail());
            }
            if begun.elapsed() > deadline {
                bail!(
                    "{} did not end in {deadline:?}:\n{}",
                    self.name,
                    self.log_tail()
                );
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
    }

    /// Processor time so far, in seconds.
    pub(super) fn cpu_s(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        Ok(ticks as f64 / TICKS_PER_S)
    }

    /// The largest resident memory so far, in megabytes of 10^6 bytes. Only while it runs.
    pub(super) fn memory_peak_mb(&self) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kib * 1_024.0 / 1e6)
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Stops it by SIGTERM. By way of the shell: the standard library sends only SIGKILL.
    pub(super) fn stop(&mut self) -> Result<()> {
        let kill = format!("kill -TERM {}", self.child.id());
        Command::new("sh").args(["-c", &kill]).status()?;
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > Duration::from_secs(30) {
                bail!("{} does not stop:\n{}", self.name, self.log_tail());
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
