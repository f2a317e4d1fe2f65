//! The program under test, as its users run it.

use std::process::{Command, ExitStatus};

use serde_json::Value;
use tempfile::TempDir;

use super::process::finish;
use super::{Finished, LONG, Port, Process, http};

/// A running `steward` with its HTTP on a port of its own.
#[derive(Debug)]
pub struct Steward {
    // First, so that it is dropped before the folder with its log.
    process: Option<Process>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    token: Option<String>,
    folder: TempDir,
    port: Port,
    http: reqwest::Client,
}

impl Steward {
    /// Starts a role (`run`, `collector`, `aggregator`, `api`, `demo`) and waits until `/readyz` says
    /// yes. The address to listen on is added to the arguments.
    pub async fn start(arguments: &[&str]) -> Self {
        let mut steward = Self::prepare(arguments);
        steward.start_again().await;
        steward
    }

    /// Everything but the start.
    pub fn prepare(arguments: &[&str]) -> Self {
        let port = Port::reserve();
        let mut arguments: Vec<_> = arguments.iter().map(|word| (*word).to_owned()).collect();
        if arguments.first().is_some_and(|role| role == "demo") {
            arguments.extend(["--port".to_owned(), port.number().to_string()]);
        } else {
            arguments.extend(["--listen".to_owned(), port.address().to_string()]);
        }
        let folder = tempfile::tempdir().unwrap();
        Self {
            arguments,
            environment: Vec::new(),
            token: None,
            folder,
            port,
            process: None,
            http: http(),
        }
    }

    /// Sets an environment variable for every start from now on, such as a secret.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Shows this bearer token with every request from now on.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Starts a stopped or killed one with the same arguments on the same port, and waits until it is
    /// ready.
    pub async fn start_again(&mut self) {
        self.spawn();
        self.wait_ready().await;
    }

    /// Starts it and does not wait, for tests that kill it while it starts.
    pub fn spawn(&mut self) {
        assert!(self.process.is_none(), "steward runs already");
        let mut command = Command::new(program());
        command
            .args(&self.arguments)
            .envs(self.environment.iter().cloned())
            .current_dir(self.folder.path());
        let log = self.folder.path().join("steward.log");
        self.process = Some(Process::start("steward", &mut command, &log));
    }

    /// Waits until `/readyz` says yes; a program that ends instead fails the test.
    pub async fn wait_ready(&mut self) {
        let readyz = self.url("/readyz");
        let client = &self.http;
        let ready = async || match client.get(&readyz).send().await {
            Ok(answer) => answer.status().is_success(),
            Err(_) => false,
        };
        self.process.as_mut().unwrap().wait_ready(LONG, ready).await;
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Stops it as a service manager does, and returns how it ended.
    pub async fn stop(&mut self) -> ExitStatus {
        self.process.take().unwrap().terminate().await
    }

    /// The running process: id, memory, signals, whether it has ended.
    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().unwrap()
    }

    /// Everything it has logged, over restarts.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("steward.log")).unwrap_or_default()
    }

    /// The address of a path on its HTTP.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.port.address())
    }

    /// The answer to a request for a path, whatever its status.
    pub async fn get(&self, path: &str) -> reqwest::Response {
        let mut request = self.http.get(self.url(path));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await;
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The JSON of a path that has to succeed.
    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
    }

    /// The sum of a metric over its label sets, or `None` when `/metrics` does not have it.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let text = self.get("/metrics").await.text().await.unwrap();
        let of_name = |line: &&str| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
        };
        let values = text
            .lines()
            .filter(of_name)
            .filter_map(|line| line.rsplit(' ').next());
        values
            .map(|value| value.parse::<f64>().unwrap())
            .reduce(|sum, value| sum + value)
    }

    /// Runs a command (`check`, `report`, `verify`, …) to its end.
    pub async fn once(arguments: &[&str]) -> Finished {
        Self::once_with_env(arguments, &[]).await
    }

    /// Runs a command that needs environment variables (`influx setup` with its token) to its end.
    pub async fn once_with_env(arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
        let mut command = Command::new(program());
        command.args(arguments).envs(environment.iter().copied());
        finish(command, b"", LONG).await
    }
}

/// The program that cargo built for this test. Asked at run time first, because what was compiled in
/// may be another clone's path when clones share a build folder.
fn program() -> std::ffi::OsString {
    let built = std::env::var_os("CARGO_BIN_EXE_steward");
    built.unwrap_or_else(|| env!("CARGO_BIN_EXE_steward").into())
}
