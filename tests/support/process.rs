//! A child process: its output in a file, its end by its own id, nothing left behind.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::{LONG, wait_until};

/// How much of a part's output is shown when its test fails.
const SHOWN_BYTES_MAX: u64 = 8_000;

/// A running part of the bench. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

/// What a command left that ran to its end.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Process {
    /// Starts a program with its output appended to `log`.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Self {
        let file = File::options().create(true).append(true).open(log).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file);
        Self::start_as_prepared(name, command.stdin(Stdio::null()), log)
    }

    /// Starts a program whose streams the caller has chosen; `log` is what is shown on failure.
    pub fn start_as_prepared(name: &str, command: &mut Command, log: &Path) -> Self {
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
        }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The program's input, once, where it was prepared as a pipe.
    pub fn take_stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// The program's output, once, where it was prepared as a pipe.
    pub fn take_stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().unwrap()
    }

    /// The exit status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits until `ready` says yes; panics at once when the program ends instead.
    pub async fn wait_ready(&mut self, deadline: Duration, mut ready: impl AsyncFnMut() -> bool) {
        let what = format!("{} to be ready", self.name);
        wait_until(&what, deadline, async || {
            if let Some(status) = self.ended() {
                panic!("{} ended with {status} instead of getting ready", self.name);
            }
            ready().await.then_some(())
        })
        .await;
    }

    /// `kill -9`: no destructor, no flush, no farewell.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop by SIGTERM and waits for the end.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait_end(LONG).await
    }

    /// Sends a signal by name. By way of the shell: the standard library sends only SIGKILL.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success(),
            "{kill}"
        );
    }

    /// Waits until it ends by itself.
    pub async fn wait_end(&mut self, deadline: Duration) -> ExitStatus {
        let what = format!("{} to end", self.name);
        wait_until(&what, deadline, async || self.ended()).await
    }

    /// Everything that it has printed so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The largest resident memory so far, in bytes.
    pub fn memory_peak_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    fn log_tail(&self) -> std::io::Result<String> {
        let mut file = File::open(&self.log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(SHOWN_BYTES_MAX)))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        Ok(String::from_utf8_lossy(&tail).into_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let tail = self.log_tail().unwrap_or_default();
            eprintln!("--- the last of {}'s output:\n{tail}---", self.name);
        }
    }
}

/// Runs a command to its end with the given input, or panics at the deadline.
pub async fn finish(command: Command, input: &[u8], deadline: Duration) -> Finished {
    use tokio::io::AsyncWriteExt as _;
    let shown = format!("{command:?}");
    let mut command = tokio::process::Command::from(command);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{shown}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    // Input and output at the same time, so that neither pipe can fill up and stop the other. A
    // command that ends without reading its input is judged by its exit status.
    let feed = async move {
        let _ = stdin.write_all(input).await;
        drop(stdin);
    };
    let both = async { tokio::join!(feed, child.wait_with_output()).1 };
    let output = tokio::time::timeout(deadline, both).await;
    let output = output.unwrap_or_else(|_| panic!("{shown} did not end within {deadline:?}"));
    let output = output.unwrap();
    Finished {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Finished {
    /// The standard output of a command that had to succeed.
    pub fn expect_success(self) -> String {
        let Self {
            status,
            stdout,
            stderr,
        } = self;
        assert!(
            status.success(),
            "ended with {status}\n--- stdout\n{stdout}--- stderr\n{stderr}"
        );
        stdout
    }
}
