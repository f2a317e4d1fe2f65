//! mosquitto 2 from the distribution, set up as a production site should set it up.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::process::{Finished, finish};
use super::{LONG, Port, Process, SHORT, path_of, system_program};

/// A broker with persistence, whose queues are not cut short by its defaults.
#[derive(Debug)]
pub struct Mosquitto {
    // First, so that it is dropped before the folder with its log.
    process: Option<Process>,
    folder: TempDir,
    port: Port,
}

impl Mosquitto {
    /// Starts a broker that takes anonymous clients.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// Starts a broker with further lines in its configuration file; `{folder}` in them is the
    /// broker's folder ([`Mosquitto::write_file`] puts files there on a broker that is stopped).
    pub async fn start_with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = Port::reserve();
        let more = more.replace("{folder}", path_of(folder.path()));
        // `user root` keeps a broker that root starts from giving up the right to write into the
        // test's folder; for anyone else the line has no effect.
        let config = format!(
            "listener {port} 127.0.0.1\n\
             allow_anonymous true\n\
             user root\n\
             persistence true\n\
             persistence_location {folder}/\n\
             max_inflight_messages 1000\n\
             max_queued_messages 0\n\
             max_packet_size 1048576\n\
             set_tcp_nodelay true\n\
             log_dest stderr\n\
             {more}\n",
            port = port.number(),
            folder = path_of(folder.path()),
        );
        std::fs::write(folder.path().join("mosquitto.conf"), config).unwrap();
        let mut broker = Self {
            folder,
            port,
            process: None,
        };
        broker.start_again().await;
        broker
    }

    /// Starts a stopped broker on the same port with what it has persisted.
    pub async fn start_again(&mut self) {
        assert!(self.process.is_none(), "the broker runs already");
        let mut command = Command::new(system_program("mosquitto"));
        command
            .arg("-c")
            .arg(self.folder.path().join("mosquitto.conf"));
        let log = self.folder.path().join("mosquitto.log");
        let mut process = Process::start("mosquitto", &mut command, &log);
        process
            .wait_ready(SHORT, async || self.port.answers().await)
            .await;
        self.process = Some(process);
    }

    /// Stops it in order: sessions and queued messages are on disk afterwards.
    pub async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.terminate().await;
        }
    }

    /// `kill -9`: what was not saved is lost, as mosquitto's manual says.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Forgets every session and queued message of a stopped broker. One that was killed may have
    /// none on disk to forget.
    pub fn lose_sessions(&mut self) {
        assert!(self.process.is_none(), "stop the broker first");
        let database = self.folder.path().join("mosquitto.db");
        if database.exists() {
            std::fs::remove_file(&database).unwrap();
        }
    }

    /// The port, the same over restarts.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Publishes one message at QoS 1 by mosquitto's own client, and returns when it is acknowledged.
    pub async fn publish(&self, topic: &str, payload: &[u8]) {
        self.client_publish(topic, &["-s"], payload)
            .await
            .expect_success();
    }

    /// Publishes each line as a message of its own, in order, at QoS 1.
    pub async fn publish_lines(&self, topic: &str, lines: &str) {
        self.client_publish(topic, &["-l"], lines.as_bytes())
            .await
            .expect_success();
    }

    async fn client_publish(&self, topic: &str, mode: &[&str], input: &[u8]) -> Finished {
        let mut command = self.client("mosquitto_pub");
        command.args(["-q", "1", "-t", topic]).args(mode);
        finish(command, input, LONG).await
    }

    /// One of mosquitto's clients (`mosquitto_pub`, `mosquitto_sub`), pointed at this broker.
    pub fn client(&self, program: &str) -> Command {
        let mut command = Command::new(system_program(program));
        command.args(["-h", "127.0.0.1", "-p", &self.port.number().to_string()]);
        command
    }

    /// Puts a file (certificate, access list) into the broker's folder and returns its path.
    pub fn write_file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// What the broker has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("mosquitto.log")).unwrap_or_default()
    }
}
