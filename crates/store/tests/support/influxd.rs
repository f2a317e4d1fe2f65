//! The real InfluxDB, on loopback, in a folder of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The server's program: `STEWARD_INFLUXD`, else the tool cache that `cargo xtask setup` fills.
fn program() -> PathBuf {
    let named = |name| std::env::var_os(name).filter(|text| !text.is_empty());
    if let Some(path) = named("STEWARD_INFLUXD") {
        return PathBuf::from(path);
    }
    let cache = named("STEWARD_CACHE")
        .map(PathBuf::from)
        .or_else(|| named("XDG_CACHE_HOME").map(|dir| Path::new(&dir).join("carbon-steward")))
        .or_else(|| named("HOME").map(|dir| Path::new(&dir).join(".cache/carbon-steward")))
        .expect("one of STEWARD_INFLUXD, STEWARD_CACHE, XDG_CACHE_HOME and HOME is set");
    cache.join("influxd-2.7.12").join("influxd")
}

pub struct Influxd {
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Influxd {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Freed at once and taken by the server a moment later.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = spawn(folder.path(), port);
        let mut server = Self {
            folder,
            port,
            child,
        };
        server.wait_until_healthy().await;
        server
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it at once, as a power cut of the process.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it on the same data again.
    pub async fn start_again(&mut self) {
        self.child = spawn(self.folder.path(), self.port);
        self.wait_until_healthy().await;
    }

    async fn wait_until_healthy(&mut self) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let start = Instant::now();
        loop {
            let answer = http.get(format!("{}/health", self.url())).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                let log = std::fs::read_to_string(self.folder.path().join("log"));
                panic!("influxd ended with {status}:\n{}", log.unwrap_or_default());
            }
            assert!(
                start.elapsed() < super::scripted::CERTAIN,
                "influxd does not become healthy"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Influxd {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(folder: &Path, port: u16) -> Child {
    let program = program();
    let log = std::fs::File::create(folder.join("log")).unwrap();
    Command::new(&program)
        .args(["--bolt-path".as_ref(), folder.join("b").as_os_str()])
        .args(["--engine-path".as_ref(), folder.join("e").as_os_str()])
        .args(["--sqlite-path".as_ref(), folder.join("s").as_os_str()])
        .args(["--http-bind-address", &format!("127.0.0.1:{port}")])
        .arg("--reporting-disabled")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| {
            panic!(
                "{}: {error}\nhint: run `cargo xtask setup`",
                program.display()
            )
        })
}
