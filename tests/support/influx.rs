//! InfluxDB 2.7, as built by `cargo xtask setup`.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{LONG, Port, Process, http, require, tools};

/// One row of a Flux answer: column → text.
pub type Row = BTreeMap<String, String>;

/// A server with one organisation, one bucket and an all-access token.
#[derive(Debug)]
pub struct Influx {
    // First, so that it is dropped before the folder with its log.
    process: Option<Process>,
    folder: TempDir,
    port: Port,
    token: String,
    http: reqwest::Client,
}

impl Influx {
    /// The organisation made at set-up.
    pub const ORG: &str = "steward";
    /// The bucket made at set-up, beside those that `steward influx setup` makes.
    pub const BUCKET: &str = "bench";

    /// Starts a server and sets it up.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = Port::reserve();
        let mut influx = Self {
            folder,
            port,
            process: None,
            token: String::new(),
            http: http(),
        };
        influx.start_again().await;
        let body = json!({
            "username": "bench", "password": "bench-password", "org": Self::ORG,
            "bucket": Self::BUCKET, "retentionPeriodSeconds": 0,
        });
        let answer = influx
            .http
            .post(format!("{}/api/v2/setup", influx.url()))
            .json(&body);
        let answer: Value = answer.send().await.unwrap().json().await.unwrap();
        let token = answer["auth"]["token"].as_str();
        influx.token = token
            .unwrap_or_else(|| panic!("no token in {answer}"))
            .to_owned();
        influx
    }

    /// Starts a stopped server on the same port with the same data.
    pub async fn start_again(&mut self) {
        assert!(self.process.is_none(), "InfluxDB runs already");
        let folder = self.folder.path();
        let mut command = Command::new(require("influxd", Some(tools().influxd())));
        // The home folder too: nothing of the test may stay outside its folder.
        command
            .env("HOME", folder)
            .env("INFLUXD_CONFIG_PATH", folder);
        command.arg("--bolt-path").arg(folder.join("bolt"));
        command.arg("--engine-path").arg(folder.join("engine"));
        command.arg("--sqlite-path").arg(folder.join("sqlite"));
        command
            .arg("--http-bind-address")
            .arg(self.port.address().to_string());
        command.args(["--reporting-disabled", "--log-level", "warn"]);
        let mut process = Process::start("influxd", &mut command, &folder.join("influxd.log"));
        let health = format!("{}/health", self.url());
        let pass = async || match self.http.get(&health).send().await {
            Ok(answer) => answer.status().is_success(),
            Err(_) => false,
        };
        process.wait_ready(LONG, pass).await;
        self.process = Some(process);
    }

    /// Stops it in order; connections are refused until it is started again.
    pub async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.terminate().await;
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// The base address, the same over restarts.
    pub fn url(&self) -> String {
        format!("http://{}", self.port.address())
    }

    /// A token that may do everything.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Writes line protocol with timestamps in seconds.
    pub async fn write(&self, bucket: &str, lines: &str) {
        let address = format!(
            "{}/api/v2/write?org={}&bucket={bucket}&precision=s",
            self.url(),
            Self::ORG
        );
        let request = self
            .http
            .post(address)
            .header("Authorization", self.authorization());
        let answer = request.body(lines.to_owned()).send().await.unwrap();
        let status = answer.status();
        assert!(
            status.is_success(),
            "{status}: {}",
            answer.text().await.unwrap()
        );
    }

    /// Runs a Flux query and returns its rows; a refused query fails the test with InfluxDB's words.
    pub async fn query(&self, flux: &str) -> Vec<Row> {
        self.try_query(flux)
            .await
            .unwrap_or_else(|error| panic!("{error}\nin the query\n{flux}"))
    }

    /// Runs a Flux query that may be refused, or a server that may be down.
    pub async fn try_query(&self, flux: &str) -> Result<Vec<Row>, String> {
        let address = format!("{}/api/v2/query?org={}", self.url(), Self::ORG);
        let body = json!({"query": flux, "dialect": {"header": true, "annotations": []}});
        let request = self
            .http
            .post(address)
            .header("Authorization", self.authorization());
        let answer = request
            .json(&body)
            .send()
            .await
            .map_err(|error| error.to_string())?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| error.to_string())?;
        if !status.is_success() {
            return Err(format!("{status}: {text}"));
        }
        rows_of(&text)
    }

    fn authorization(&self) -> String {
        format!("Token {}", self.token)
    }
}

/// Reads Flux's CSV: tables are divided by an empty line, each begins with its header, and an error
/// that comes after the first rows is a table with the columns `error` and `reference`.
fn rows_of(csv: &str) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let mut header: Option<Vec<String>> = None;
    for record in records_of(csv) {
        match &header {
            _ if record.iter().all(String::is_empty) => header = None,
            None => header = Some(record),
            Some(names) => {
                let named = names.iter().cloned().zip(record);
                let row: Row = named.filter(|(name, _)| !name.is_empty()).collect();
                if names.iter().any(|name| name == "error") && row.contains_key("reference") {
                    return Err(row["error"].clone());
                }
                rows.push(row);
            }
        }
    }
    Ok(rows)
}

/// Divides CSV into records; a quoted field may hold commas, line breaks and doubled quotes.
pub fn records_of(csv: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let mut record = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut letters = csv.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            '\r' if !quoted => {}
            other => field.push(other),
        }
    }
    if !field.is_empty() || !record.is_empty() {
        record.push(field);
        records.push(record);
    }
    records
}
