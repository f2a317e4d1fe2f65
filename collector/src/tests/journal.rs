//! Through the whole collector into a real journal, from a Modbus server that is not ours.

use std::future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use steward_config::{Config, MeterAddress};
use steward_journal::{Journal, JournalOptions, JournalReader, Stored, WriterThread};
use steward_model::{MeterState, Quantity, Reading, UtcMs};
use tokio::net::TcpListener;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};
use tokio_util::sync::CancellationToken;

use super::site::{add_meter, modbus, site};
use crate::{Clock, CollectorState, run};

pub(super) fn wall_clock() -> Clock {
    Arc::new(|| UtcMs::from_datetime(chrono::Utc::now()))
}

pub(super) fn open(dir: &Path) -> (Journal, WriterThread) {
    let options = JournalOptions::new(64 << 20, Duration::from_secs(3_600));
    Journal::open(dir, options).unwrap()
}

/// Every reading in the journal.
pub(super) fn readings(dir: &Path) -> Vec<Reading> {
    let mut reader = JournalReader::open(dir).unwrap();
    let mut found = Vec::new();
    let mut seq = 0;
    loop {
        let page = reader.read_after(seq, 10_000).unwrap();
        let Some(last) = page.last() else {
            return found;
        };
        seq = last.seq();
        for stored in page {
            match stored {
                Stored::Batch(stored) => found.extend(stored.batch.readings),
                Stored::Gap(gap) => panic!("{gap:?}"),
            }
        }
    }
}

/// Waits until `done`, for a long time at most.
pub(super) async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let patience = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), patience).await;
    assert!(waited.is_ok(), "never came: {what}");
}

/// A counter of the state, over all labels.
pub(super) fn count(state: &CollectorState, name: &str) -> f64 {
    let samples = state.samples();
    let own = samples.iter().filter(|s| s.metric.name == name);
    own.map(|s| s.value).sum()
}

/// A running collector.
pub(super) struct Running {
    pub(super) state: Arc<CollectorState>,
    pub(super) stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), crate::CollectorError>>,
}

impl Running {
    pub(super) fn start(config: &Arc<Config>, journal: &Journal) -> Self {
        let state = Arc::new(CollectorState::new(config, wall_clock()));
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(
            Arc::clone(config),
            journal.clone(),
            wall_clock(),
            stop.clone(),
            Arc::clone(&state),
        ));
        Self { state, stop, task }
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// Ends it as a kill would: nothing is finished, nothing is said to the broker.
    pub(super) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// Unit 1 is an SDM230 that shows 230.5 V and 1,234.5 kWh; unit 2 does not exist.
struct Meters;

impl Service for Meters {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = future::Ready<Result<Self::Response, Self::Exception>>;

    fn call(&self, asked: Self::Request) -> Self::Future {
        let (1, Request::ReadInputRegisters(address, count)) = (asked.slave, asked.request) else {
            return future::ready(Err(ExceptionCode::GatewayTargetDevice));
        };
        let mut words = [0_u16; 0x60];
        let mut put = |at: usize, value: f32| {
            let bits = value.to_bits();
            words[at] = (bits >> 16) as u16;
            words[at + 1] = (bits & 0xFFFF) as u16;
        };
        put(0, 230.5);
        put(0x0C, 950.0);
        put(0x48, 1_234.5);
        let first = usize::from(address);
        let asked = words.get(first..first + usize::from(count));
        future::ready(match asked {
            Some(words) => Ok(Some(Response::ReadInputRegisters(words.to_vec()))),
            None => Err(ExceptionCode::IllegalDataAddress),
        })
    }
}

#[tokio::test]
async fn from_a_modbus_server_into_the_journal() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let server = Server::new(listener);
        let accept = |stream, address| async move {
            accept_tcp_connection(stream, address, |_| Ok(Some(Meters)))
        };
        let _ = server.serve(&accept, |error| panic!("{error}")).await;
    });
    let mut config = site(modbus(port, Duration::from_secs(5)));
    let second = Duration::from_secs(1);
    for (id, unit_id) in [("one", 1), ("two", 2)] {
        let address = MeterAddress::Modbus { unit_id };
        add_meter(&mut config, id, "eastron-sdm230", address, second);
    }
    let config = Arc::new(config);
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = open(dir.path());
    let running = Running::start(&config, &journal);
    let state = Arc::clone(&running.state);
    until("three polls and a failed one", || {
        count(&state, "steward_collector_polls_total") >= 3.0
            && count(&state, "steward_collector_polls_failed_total") >= 1.0
    })
    .await;
    let health = state.health();
    let states: Vec<_> = health.meters.values().map(|m| m.state).collect();
    assert_eq!(states, [MeterState::Online, MeterState::BackedOff]);
    let two = &health.meters["two"];
    assert!(
        two.last_error.as_ref().unwrap().contains("exception 11"),
        "{two:?}"
    );
    assert!(two.errors_total > 0 && two.last_seen.is_none());
    running.stop().await;
    drop(journal);
    writer.join();
    let readings = readings(dir.path());
    let polls = readings
        .iter()
        .filter(|r| r.quantity == Quantity::VoltageL1)
        .count();
    let told = count(&state, "steward_collector_polls_total");
    assert_eq!(
        polls as f64, told,
        "a poll counts when it is in the journal"
    );
    for reading in readings {
        assert_eq!(reading.meter.as_str(), "one");
        let expected = match reading.quantity {
            Quantity::VoltageL1 => 230.5,
            Quantity::Power => 950.0,
            Quantity::EnergyImport => 1_234_500.0,
            _ => 0.0,
        };
        assert_eq!(reading.value.get(), expected, "{}", reading.quantity);
    }
}

#[tokio::test]
async fn a_gateway_that_is_not_there_is_told_and_stopping_works() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut config = site(modbus(port, Duration::from_secs(1)));
    let address = MeterAddress::Modbus { unit_id: 1 };
    add_meter(
        &mut config,
        "one",
        "eastron-sdm230",
        address,
        Duration::from_secs(1),
    );
    let config = Arc::new(config);
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = open(dir.path());
    let running = Running::start(&config, &journal);
    let state = Arc::clone(&running.state);
    until("the error", || {
        count(&state, "steward_collector_errors_total") >= 1.0
    })
    .await;
    let health = state.health();
    assert_eq!(health.meters["one"].state, MeterState::BackedOff);
    assert!(
        health.meters["one"]
            .last_error
            .as_ref()
            .unwrap()
            .contains("cannot be reached")
    );
    running.stop().await;
    drop(journal);
    writer.join();
}
