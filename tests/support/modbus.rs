//! A Modbus TCP server that we did not write: pymodbus, fed from a file and steered by its input.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Port, Process, SHORT, repo, require, tools};

/// One of the four tables of a Modbus device.
#[derive(Clone, Copy, Debug)]
pub enum Table {
    Coils,
    Discrete,
    Holding,
    Input,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Coils => "coils",
            Self::Discrete => "discrete",
            Self::Holding => "holding",
            Self::Input => "input",
        }
    }
}

/// Several unit ids behind one address, as behind a gateway.
#[derive(Debug)]
pub struct PymodbusServer {
    // First, so that it is dropped before the folder with its log.
    running: Option<Running>,
    folder: TempDir,
    port: Port,
}

#[derive(Debug)]
struct Running {
    process: Process,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl PymodbusServer {
    /// Starts a server. `units` maps unit id → table → first address → words (or 0 and 1 for bits):
    /// `{"1": {"holding": {"0": [17, 42]}, "coils": {"8": [1, 0]}}}`. What is not listed answers
    /// "illegal data address".
    pub async fn start(units: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("units.json"), units.to_string()).unwrap();
        let mut server = Self {
            folder,
            port: Port::reserve(),
            running: None,
        };
        server.start_again().await;
        server
    }

    /// Starts a stopped server on the same port with the words it was first started with.
    pub async fn start_again(&mut self) {
        assert!(self.running.is_none(), "the server runs already");
        let python = tools().python().ok();
        let mut command = Command::new(require("pymodbus", python));
        command.arg(repo().join("tests/support/modbus_server.py"));
        command
            .arg(self.folder.path().join("units.json"))
            .arg(self.port.number().to_string());
        let log = self.folder.path().join("pymodbus.log");
        let errors = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors);
        let mut process = Process::start_as_prepared("pymodbus", &mut command, &log);
        let orders = process.take_stdin();
        let answers = BufReader::new(process.take_stdout());
        process
            .wait_ready(SHORT, async || self.port.answers().await)
            .await;
        self.running = Some(Running {
            process,
            orders,
            answers,
        });
    }

    /// Takes it away; connections are refused until it is started again.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// The port, the same over restarts.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Changes words (or bits) while it serves. The next request sees them.
    pub fn set(&mut self, unit: u8, table: Table, address: u16, words: &[u16]) {
        let table = table.name();
        self.order(&json!({"unit": unit, "table": table, "address": address, "words": words}));
    }

    /// Makes a unit answer every request with an exception code, or with its words again.
    pub fn set_exception(&mut self, unit: u8, code: Option<u8>) {
        self.order(&json!({"unit": unit, "exception": code}));
    }

    /// Makes a unit wait before it answers.
    pub fn set_delay_ms(&mut self, unit: u8, delay_ms: u64) {
        self.order(&json!({"unit": unit, "delay_ms": delay_ms}));
    }

    fn order(&mut self, order: &Value) {
        let running = self.running.as_mut().unwrap();
        writeln!(running.orders, "{order}").unwrap();
        let mut answer = String::new();
        running.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), "done", "{order}\n{}", running.process.log());
    }
}
