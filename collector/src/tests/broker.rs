//! Against a real mosquitto.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use steward_config::{Config, GatewayKind, MeterAddress, Mqtt, MqttVersion, TlsFiles};
use steward_journal::{Journal, JournalOptions, JournalReader, QuarantineFilter, Reason};
use steward_model::MeterState;

use super::journal::{Running, count, open, readings, until};
use super::site::{add_meter, mqtt, site};

const HINT: &str = "run `cargo xtask setup`: these tests need mosquitto and its clients";
const VERSIONS: [MqttVersion; 2] = [MqttVersion::V311, MqttVersion::V5];

/// A mosquitto on loopback, ended with the test.
struct Broker {
    child: Child,
    port: u16,
    dir: PathBuf,
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn mosquitto() -> &'static str {
    let places = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"];
    let found = places.into_iter().find(|path| Path::new(path).exists());
    found.unwrap_or_else(|| panic!("no mosquitto: {HINT}"))
}

impl Broker {
    /// Starts it and waits for its own word that it runs.
    fn start(dir: &Path, port: u16, more: &str) -> Self {
        let user = std::env::var("USER").unwrap_or_else(|_| "root".into());
        let text = format!(
            "listener {port} 127.0.0.1\nuser {user}\nallow_anonymous true\nlog_type all\n\
             log_dest stderr\nmax_inflight_messages 1000\nmax_queued_messages 0\n\
             persistence false\n{more}"
        );
        let file = dir.join("mosquitto.conf");
        std::fs::write(&file, text).unwrap();
        let mut child = Command::new(mosquitto())
            .arg("-c")
            .arg(&file)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{error}: {HINT}"));
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains(" running") {
            line.clear();
            let read = log.read_line(&mut line).unwrap();
            assert!(read > 0, "mosquitto ended before it ran");
        }
        // Somebody has to read on, or its log would block it.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self {
            child,
            port,
            dir: dir.to_owned(),
        }
    }

    /// Publishes with QoS 1 and returns when the broker has it all.
    fn publish(&self, topic: &str, messages: &[String]) {
        let mut child = Command::new("mosquitto_pub")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(["-q", "1", "-t", topic, "-l"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{error}: {HINT}"));
        let mut input = child.stdin.take().unwrap();
        for message in messages {
            use std::io::Write as _;
            writeln!(input, "{message}").unwrap();
        }
        drop(input);
        assert!(child.wait().unwrap().success());
    }

    /// Kills it and starts a new one at the same place, which knows no sessions.
    fn restart_forgetting(mut self) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        Self::start(&self.dir.clone(), self.port, "")
    }
}

pub(super) const TOPIC: &str = "steward/v1/s/gw-1/m-1/telemetry";

pub(super) fn messages(from: u64, to: u64) -> Vec<String> {
    let now = chrono::Utc::now().timestamp_millis() - 60_000;
    let message = |n: u64| {
        let ts = now + i64::try_from(n).unwrap();
        format!(r#"{{"ts":{ts},"boot":1,"seq":{n},"energy_import":{n},"power":100}}"#)
    };
    (from..to).map(message).collect()
}

pub(super) fn config(settings: Mqtt) -> Arc<Config> {
    let mut config = site(GatewayKind::Mqtt(settings));
    let address = MeterAddress::Mqtt {
        device: "m-1".into(),
    };
    let minute = Duration::from_secs(60);
    add_meter(&mut config, "meter-1", "steward-json", address, minute);
    Arc::new(config)
}

fn whole(number: f64) -> u64 {
    format!("{number:.0}").parse().unwrap()
}

/// The counters of energy in the journal, each once, in order.
pub(super) fn energies(dir: &Path) -> Vec<u64> {
    let mut values: Vec<u64> = readings(dir)
        .iter()
        .filter(|r| r.quantity == steward_model::Quantity::EnergyImport)
        .map(|r| whole(r.value.get() / 1_000.0))
        .collect();
    values.sort_unstable();
    values.dedup();
    values
}

async fn connected(running: &Running) {
    let state = &running.state;
    until("the connection", || {
        count(state, "steward_collector_connected") == 1.0
    })
    .await;
}

/// Connected and subscribed: a first message comes through.
async fn subscribed(running: &Running, broker: &Broker) {
    connected(running).await;
    let state = &running.state;
    let before = count(state, "steward_collector_messages_total");
    until("a first message", || {
        broker.publish(TOPIC, &messages(0, 1));
        count(state, "steward_collector_messages_total") > before
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn committed_messages_are_acknowledged_and_never_come_again() {
    for version in VERSIONS {
        let (dir, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let broker = Broker::start(home.path(), free_port(), "");
        let config = config(mqtt(broker.port, version));
        let (journal, writer) = open(dir.path());
        let running = Running::start(&config, &journal);
        subscribed(&running, &broker).await;
        broker.publish(TOPIC, &messages(1, 501));
        let state = Arc::clone(&running.state);
        until("all acknowledgements", || {
            count(&state, "steward_collector_acks_total")
                == count(&state, "steward_collector_messages_total")
                && count(&state, "steward_collector_messages_total") >= 501.0
        })
        .await;
        let health = state.health().meters["meter-1"].clone();
        assert_eq!((health.state, health.errors_total), (MeterState::Online, 0));
        running.stop().await;
        assert_eq!(energies(dir.path()), (0..501).collect::<Vec<_>>());

        // The session is kept, and holds nothing that was acknowledged.
        broker.publish(TOPIC, &messages(501, 502));
        let again = Running::start(&config, &journal);
        let state = Arc::clone(&again.state);
        until("what came while nobody was there", || {
            count(&state, "steward_collector_acks_total") >= 1.0
        })
        .await;
        assert_eq!(
            count(&state, "steward_collector_messages_total"),
            1.0,
            "{version:?}"
        );
        again.stop().await;
        drop(journal);
        writer.join();
        assert_eq!(energies(dir.path()), (0..502).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_full_journal_refused_comes_again() {
    for version in VERSIONS {
        let (full, dir, home) = (
            tempfile::tempdir().unwrap(),
            tempfile::tempdir().unwrap(),
            tempfile::tempdir().unwrap(),
        );
        let broker = Broker::start(home.path(), free_port(), "");
        let config = config(mqtt(broker.port, version));
        let mut options = JournalOptions::new(256 << 10, Duration::from_secs(3_600));
        options.ballast_bytes = 0;
        let (journal, writer) = Journal::open(full.path(), options).unwrap();
        // A reader that never moves: nothing may be reclaimed.
        JournalReader::open(full.path())
            .unwrap()
            .move_cursor("test", 0)
            .unwrap();
        let running = Running::start(&config, &journal);
        subscribed(&running, &broker).await;
        // Too large for the small journal, in messages that all are good.
        broker.publish(TOPIC, &messages(1, 6_001));
        let state = Arc::clone(&running.state);
        until("the refusal", || {
            count(&state, "steward_collector_errors_total") >= 1.0
        })
        .await;
        until("all that has room", || journal.health().full).await;
        let acknowledged = count(&state, "steward_collector_acks_total");
        running.kill().await;
        drop(journal);
        writer.join();
        let first = energies(full.path());
        assert!(acknowledged <= count(&state, "steward_collector_batches_total"));
        assert!(first.len() < 6_001, "it was full");

        let (journal, writer) = open(dir.path());
        let again = Running::start(&config, &journal);
        let state = Arc::clone(&again.state);
        until("the rest", || {
            let mut all = first.clone();
            all.extend(energies(dir.path()));
            all.sort_unstable();
            all.dedup();
            all == (0..6_001).collect::<Vec<_>>()
        })
        .await;
        assert!(count(&state, "steward_collector_messages_total") >= 1.0);
        again.stop().await;
        drop(journal);
        writer.join();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_session_is_subscribed_anew() {
    for version in VERSIONS {
        let (dir, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut broker = Broker::start(home.path(), free_port(), "");
        let config = config(mqtt(broker.port, version));
        let (journal, writer) = open(dir.path());
        let running = Running::start(&config, &journal);
        subscribed(&running, &broker).await;
        broker = broker.restart_forgetting();
        let state = Arc::clone(&running.state);
        until("the second connection", || {
            count(&state, "steward_collector_connections_total") >= 2.0
        })
        .await;
        subscribed(&running, &broker).await;
        broker.publish(TOPIC, &messages(10, 20));
        until("the messages", || {
            energies(dir.path()).ends_with(&(10..20).collect::<Vec<_>>())
        })
        .await;
        running.stop().await;
        drop(journal);
        writer.join();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packet_that_is_too_large_does_not_loop() {
    for version in VERSIONS {
        let (dir, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let broker = Broker::start(home.path(), free_port(), "");
        let config = config(mqtt(broker.port, version));
        let (journal, writer) = open(dir.path());
        let running = Running::start(&config, &journal);
        subscribed(&running, &broker).await;
        let large = format!(r#"{{"energy_import":1,"x":"{}"}}"#, "x".repeat(300_000));
        broker.publish(TOPIC, &[large]);
        broker.publish(TOPIC, &messages(7, 8));
        let state = Arc::clone(&running.state);
        until("the message behind it", || {
            count(&state, "steward_collector_acks_total")
                == count(&state, "steward_collector_messages_total")
                && energies(dir.path()).contains(&7)
        })
        .await;
        assert_eq!(count(&state, "steward_collector_connections_total"), 1.0);
        let mut reader = JournalReader::open(dir.path()).unwrap();
        let rows = reader.quarantine(&QuarantineFilter::default()).unwrap();
        assert_eq!(rows.len(), 1, "{version:?}");
        assert_eq!(rows[0].item.reason, Reason::TooLarge);
        assert_eq!(rows[0].item.payload.len(), 65_536, "its beginning is kept");
        running.stop().await;
        drop(journal);
        writer.join();
    }
}

/// A 3.1.1 broker is told no largest packet, so it delivers whatever was published. (MQTT 5 brokers
/// are told, and keep it.)
#[tokio::test(flavor = "multi_thread")]
async fn a_packet_beyond_what_is_read_at_first_is_set_aside_all_the_same() {
    let (dir, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let broker = Broker::start(home.path(), free_port(), "");
    let config = config(mqtt(broker.port, MqttVersion::V311));
    let (journal, writer) = open(dir.path());
    let running = Running::start(&config, &journal);
    subscribed(&running, &broker).await;
    let file = home.path().join("large");
    std::fs::write(&file, vec![b'x'; 9 << 20]).unwrap();
    let sent = Command::new("mosquitto_pub")
        .args(["-h", "127.0.0.1", "-p", &broker.port.to_string()])
        .args(["-q", "1", "-t", TOPIC, "-f"])
        .arg(&file)
        .status();
    assert!(sent.is_ok_and(|status| status.success()), "{HINT}");
    broker.publish(TOPIC, &messages(7, 8));
    until("the message behind it", || {
        energies(dir.path()).contains(&7)
    })
    .await;
    let mut reader = JournalReader::open(dir.path()).unwrap();
    let rows = reader.quarantine(&QuarantineFilter::default()).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].item.reason, Reason::TooLarge);
    running.stop().await;
    drop(journal);
    writer.join();
}

fn openssl(dir: &Path, arguments: &str) {
    let done = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(dir)
        .stderr(Stdio::null())
        .status();
    assert!(done.is_ok_and(|status| status.success()), "openssl: {HINT}");
}

fn certificates(dir: &Path) -> TlsFiles {
    std::fs::write(dir.join("san.cnf"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    openssl(
        dir,
        &format!("req -x509 {key} -subj /CN=authority -keyout ca.key -out ca.pem"),
    );
    for name in ["server", "client"] {
        openssl(
            dir,
            &format!("req {key} -subj /CN={name} -keyout {name}.key -out {name}.csr"),
        );
        openssl(
            dir,
            &format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
                 -extfile san.cnf -out {name}.pem"
            ),
        );
    }
    TlsFiles {
        ca: dir.join("ca.pem"),
        client: Some((dir.join("client.pem"), dir.join("client.key"))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn client_certificates_open_the_door() {
    let home = tempfile::tempdir().unwrap();
    let files = certificates(home.path());
    let path = home.path().display();
    let tls = free_port();
    let more = format!(
        "listener {tls} 127.0.0.1\ncafile {path}/ca.pem\ncertfile {path}/server.pem\n\
         keyfile {path}/server.key\nrequire_certificate true\n"
    );
    let broker = Broker::start(home.path(), free_port(), &more);
    for version in VERSIONS {
        let dir = tempfile::tempdir().unwrap();
        let (journal, writer) = open(dir.path());
        let mut settings = mqtt(tls, version);
        settings.tls = Some(files.clone());
        let running = Running::start(&config(settings.clone()), &journal);
        subscribed(&running, &broker).await;
        running.stop().await;

        // Without a certificate of our own the broker does not let us in, and says so.
        settings.tls = Some(TlsFiles {
            client: None,
            ..files.clone()
        });
        let refused = Running::start(&config(settings.clone()), &journal);
        let state = Arc::clone(&refused.state);
        until("the refusal", || {
            count(&state, "steward_collector_errors_total") >= 1.0
        })
        .await;
        assert_eq!(count(&state, "steward_collector_connections_total"), 0.0);
        refused.stop().await;

        // A broker whose certificate another authority signed is not believed, and a missing file is told.
        settings.tls = Some(TlsFiles {
            ca: home.path().join("client.pem"),
            client: files.client.clone(),
        });
        let foreign = Running::start(&config(settings.clone()), &journal);
        let state = Arc::clone(&foreign.state);
        until("the error", || {
            count(&state, "steward_collector_errors_total") >= 1.0
        })
        .await;
        assert_eq!(count(&state, "steward_collector_connections_total"), 0.0);
        foreign.stop().await;
        settings.tls = Some(TlsFiles {
            ca: home.path().join("none.pem"),
            client: None,
        });
        let missing = Running::start(&config(settings), &journal);
        let state = Arc::clone(&missing.state);
        until("the error", || {
            count(&state, "steward_collector_errors_total") >= 1.0
        })
        .await;
        let told = state.health().meters["meter-1"].last_error.clone().unwrap();
        assert!(told.contains("none.pem"), "{told}");
        missing.stop().await;
        drop(journal);
        writer.join();
    }
}
