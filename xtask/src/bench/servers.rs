//! The programs around ours: mosquitto, InfluxDB, Telegraf, and our own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::http;
use super::process::{Folder, Process, free_port};
use crate::Place;
use crate::cache::find_program;
use crate::run::target_dir;

const READY_MAX: Duration = Duration::from_secs(60);
/// The token of every InfluxDB that is started here; the store's example knows it too.
pub(super) const TOKEN: &str = "a-token-of-the-example";
/// Its organisation and first bucket.
pub(super) const ORG: &str = "bench";
pub(super) const BUCKET: &str = "bench";

/// A broker as a production site should set it up.
pub(super) struct Mosquitto {
    pub(super) port: u16,
    process: Process,
    _folder: Folder,
}

impl Mosquitto {
    pub(super) fn start() -> Result<Self> {
        let folder = Folder::new("mosquitto")?;
        let port = free_port()?;
        // `user root` keeps a broker that root starts from giving up the right to write there.
        let config = folder.write(
            "mosquitto.conf",
            &format!(
                "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\n\
                 persistence_location {}/\nmax_inflight_messages 1000\nmax_queued_messages 0\n\
                 set_tcp_nodelay true\nlog_dest stderr\nlog_type error\nlog_type warning\n\
                 log_type subscribe\n",
                folder.path().display()
            ),
        )?;
        let program = find_program("mosquitto").context("run `cargo xtask setup`")?;
        let mut command = Command::new(program);
        let mut process =
            Process::start("mosquitto", folder.path(), command.arg("-c").arg(config))?;
        let listens = |_: &Process| std::net::TcpStream::connect(("127.0.0.1", port)).ok();
        process.wait_for("its port", READY_MAX, listens)?;
        Ok(Self {
            port,
            process,
            _folder: folder,
        })
    }

    pub(super) fn cpu_s(&self) -> Result<f64> {
        self.process.cpu_s()
    }

    /// How often somebody has subscribed to the topics of the load.
    fn subscriptions(&self) -> usize {
        self.process.log().matches(" steward/v1/").count()
    }

    /// Starts a subscriber and waits until the broker knows its subscription.
    pub(super) fn subscriber(
        &mut self,
        start: impl FnOnce() -> Result<Process>,
    ) -> Result<Process> {
        let before = self.subscriptions();
        let mut process = start()?;
        process.wait_for("its subscription", READY_MAX, |_| {
            (self.subscriptions() > before).then_some(())
        })?;
        Ok(process)
    }
}

/// InfluxDB 2.7 with nothing in it.
pub(super) struct Influx {
    pub(super) port: u16,
    process: Process,
    _folder: Folder,
}

/// Of every field: how many values, and their sum.
pub(super) type Contents = BTreeMap<String, (f64, f64)>;

impl Influx {
    pub(super) fn start(place: &Place) -> Result<Self> {
        let folder = Folder::new("influxd")?;
        let port = free_port()?;
        let path = folder.path();
        let mut command = Command::new(place.cache.influxd());
        command.env("HOME", path).env("INFLUXD_CONFIG_PATH", path);
        command.arg("--bolt-path").arg(path.join("bolt"));
        command.arg("--engine-path").arg(path.join("engine"));
        command.arg("--sqlite-path").arg(path.join("sqlite"));
        command.args(["--http-bind-address", &format!("127.0.0.1:{port}")]);
        command.args(["--reporting-disabled", "--log-level", "warn"]);
        let mut process = Process::start("influxd", path, &mut command)?;
        let healthy = |_: &Process| http::get(port, "/health").ok();
        process.wait_for("its health", READY_MAX, healthy)?;
        Ok(Self {
            port,
            process,
            _folder: folder,
        })
    }

    /// Makes organisation, bucket and token.
    pub(super) fn set_up(&self) -> Result<()> {
        let body = serde_json::json!({
            "username": "bench", "password": "bench-password", "org": ORG, "bucket": BUCKET,
            "retentionPeriodSeconds": 0, "token": TOKEN,
        });
        let body = body.to_string();
        let answer = http::request(self.port, "POST /api/v2/setup", "", body.as_bytes())?;
        ensure!(answer.status == 201, "set-up: {}", answer.body);
        Ok(())
    }

    /// Points written so far, as InfluxDB counts them.
    pub(super) fn points(&self) -> Result<f64> {
        http::metric(self.port, "storage_writer_ok_points_sum")
    }

    pub(super) fn cpu_s(&self) -> Result<f64> {
        self.process.cpu_s()
    }

    /// Counts and adds up what is stored, by field.
    pub(super) fn contents(&self, bucket: &str, measurement: &str) -> Result<Contents> {
        let mut contents = Contents::new();
        for (field, count) in self.by_field(bucket, measurement, "count")? {
            contents.insert(field, (count, 0.0));
        }
        for (field, sum) in self.by_field(bucket, measurement, "sum")? {
            contents.entry(field).or_default().1 = sum;
        }
        Ok(contents)
    }

    fn by_field(&self, bucket: &str, measurement: &str, what: &str) -> Result<Vec<(String, f64)>> {
        let flux = format!(
            "from(bucket: \"{bucket}\") |> range(start: 0, stop: 2100-01-01T00:00:00Z) \
             |> filter(fn: (r) => r._measurement == \"{measurement}\" and r._field != \"seq\" \
             and r._field != \"quality\") |> {what}() |> group(columns: [\"_field\"]) |> sum()"
        );
        let headers = format!(
            "Authorization: Token {TOKEN}\r\nContent-Type: application/vnd.flux\r\n\
             Accept: application/csv\r\n"
        );
        let head = format!("POST /api/v2/query?org={ORG}");
        let answer = http::request(self.port, &head, &headers, flux.as_bytes())?;
        ensure!(answer.status == 200, "{flux}: {}", answer.body);
        let mut lines = answer.body.lines().map(str::trim);
        let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
        let column = |name| header.iter().position(|column| *column == name);
        let (Some(field), Some(value)) = (column("_field"), column("_value")) else {
            return Ok(Vec::new());
        };
        lines
            .filter(|line| !line.is_empty())
            .map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                let field = cells.get(field).context("a row without a field")?;
                let value = cells.get(value).context("a row without a value")?;
                Ok(((*field).to_owned(), value.parse()?))
            })
            .collect()
    }
}

/// A program or example of ours, in the release profile.
pub(super) fn ours(place: &Place, name: &str) -> PathBuf {
    target_dir(place).join("release").join(name)
}

/// Starts Telegraf with the sections of its inputs.
pub(super) fn telegraf(place: &Place, folder: &Folder, config: &str) -> Result<Process> {
    let config = folder.write("telegraf.conf", config)?;
    let mut command = Command::new(place.cache.telegraf());
    command.arg("--non-strict-env-handling");
    Process::start(
        "telegraf",
        folder.path(),
        command.arg("--config").arg(config),
    )
}

/// Starts a role of ours on a site's folder, with its health and metrics on `port`.
pub(super) fn steward(place: &Place, role: &str, site: &Path, port: u16) -> Result<Process> {
    let mut command = Command::new(ours(place, "steward"));
    command.arg(role).arg("--config").arg(site);
    command.args(["--listen", &format!("127.0.0.1:{port}")]);
    Process::start(role, site, &mut command)
}
