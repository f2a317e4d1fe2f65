//! The test bench itself: each real part starts, speaks, stops and comes back.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod support;

use serde_json::json;
use support::{
    Browser, Influx, LONG, Mosquitto, Port, PymodbusServer, SHORT, Step, Steward, Table, path_of,
    wait_until,
};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_modbus::client::{Context, Reader as _, tcp};
use tokio_modbus::{ExceptionCode, Slave};

/// A subscriber of mosquitto's own that prints `count` messages and ends.
fn subscriber(broker: &Mosquitto, id: &str, count: usize) -> tokio::process::Command {
    let mut command = broker.client("mosquitto_sub");
    command.args([
        "-i",
        id,
        "-c",
        "-q",
        "1",
        "-t",
        "bench/#",
        "-C",
        &count.to_string(),
    ]);
    let mut command = tokio::process::Command::from(command);
    command
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Makes a persistent session and leaves it, so that the broker queues for it from now on.
async fn leave_a_session(broker: &Mosquitto, id: &str) {
    let mut command = broker.client("mosquitto_sub");
    // `-E` ends the client once its subscription is acknowledged.
    command.args(["-i", id, "-c", "-q", "1", "-t", "bench/#", "-E"]);
    assert!(
        tokio::process::Command::from(command)
            .status()
            .await
            .unwrap()
            .success()
    );
}

async fn collect(broker: &Mosquitto, id: &str, count: usize) -> String {
    let output = tokio::time::timeout(LONG, subscriber(broker, id, count).output()).await;
    String::from_utf8(output.expect("all messages arrive").unwrap().stdout).unwrap()
}

#[tokio::test]
async fn mosquitto_delivers_what_it_queued_for_an_absent_session() {
    let broker = Mosquitto::start().await;
    leave_a_session(&broker, "absent").await;
    broker.publish("bench/one", "第一".as_bytes()).await;
    broker.publish_lines("bench/two", "second\nthird\n").await;
    assert_eq!(collect(&broker, "absent", 3).await, "第一\nsecond\nthird\n");
}

#[tokio::test]
async fn mosquitto_keeps_its_sessions_over_an_orderly_restart() {
    let mut broker = Mosquitto::start().await;
    let port = broker.port();
    leave_a_session(&broker, "patient").await;
    broker.publish_lines("bench/n", "1\n2\n").await;
    broker.stop().await;
    broker.start_again().await;
    assert_eq!(broker.port(), port);
    assert_eq!(collect(&broker, "patient", 2).await, "1\n2\n");
}

#[tokio::test]
async fn mosquitto_forgets_its_sessions_when_told_to() {
    let mut broker = Mosquitto::start().await;
    leave_a_session(&broker, "forgotten").await;
    broker.publish("bench/before", b"lost").await;
    broker.stop().await;
    broker.lose_sessions();
    broker.start_again().await;
    leave_a_session(&broker, "forgotten").await;
    broker.publish("bench/after", b"kept").await;
    assert_eq!(collect(&broker, "forgotten", 1).await, "kept\n");
}

#[tokio::test]
async fn influx_keeps_what_was_written_over_stop_and_kill() {
    let mut influx = Influx::start().await;
    influx
        .write(Influx::BUCKET, "energy,point=甲 amount=1.5 1700000000")
        .await;
    influx
        .write(Influx::BUCKET, "energy,point=a\\,b amount=2.5 1700000900")
        .await;
    let flux = r#"from(bucket: "bench") |> range(start: 0) |> keep(columns: ["_time", "_value", "point"])"#;
    let before = influx.query(flux).await;
    let amount_of = |point: &str| {
        let row = before.iter().find(|row| row["point"] == point).unwrap();
        row["_value"].clone()
    };
    assert_eq!(before.len(), 2, "{before:?}");
    assert_eq!(
        (amount_of("甲"), amount_of("a,b")),
        ("1.5".to_owned(), "2.5".to_owned())
    );

    influx.stop().await;
    assert!(
        influx.try_query(flux).await.is_err(),
        "a stopped server does not answer"
    );
    influx.start_again().await;
    assert_eq!(influx.query(flux).await, before);
    influx.kill();
    influx.start_again().await;
    assert_eq!(influx.query(flux).await, before);
}

#[tokio::test]
async fn influx_refuses_a_query_in_words() {
    let influx = Influx::start().await;
    let refusal = influx
        .try_query("from(bucket: \"nowhere\") |> range(start: 0)")
        .await;
    assert!(refusal.unwrap_err().contains("nowhere"));
}

async fn meter(server: &PymodbusServer, unit: u8) -> Context {
    let address = ([127, 0, 0, 1], server.port()).into();
    tcp::connect_slave(address, Slave(unit)).await.unwrap()
}

#[tokio::test]
async fn pymodbus_serves_every_table_of_several_units() {
    let server = PymodbusServer::start(&json!({
        "1": {"holding": {"0": [1, 2, 3], "100": [65535]}, "input": {"10": [7, 8]}},
        "17": {"coils": {"3": [1, 0, 1]}, "discrete": {"0": [0, 1]}, "holding": {"0": [99]}},
    }))
    .await;
    let mut first = meter(&server, 1).await;
    assert_eq!(
        first.read_holding_registers(0, 3).await.unwrap().unwrap(),
        [1, 2, 3]
    );
    assert_eq!(
        first.read_holding_registers(1, 2).await.unwrap().unwrap(),
        [2, 3]
    );
    assert_eq!(
        first.read_holding_registers(100, 1).await.unwrap().unwrap(),
        [65535]
    );
    assert_eq!(
        first.read_input_registers(10, 2).await.unwrap().unwrap(),
        [7, 8]
    );
    let beyond = first.read_holding_registers(2, 2).await.unwrap();
    assert_eq!(beyond, Err(ExceptionCode::IllegalDataAddress));
    let mut other = meter(&server, 17).await;
    assert_eq!(
        other.read_coils(3, 3).await.unwrap().unwrap(),
        [true, false, true]
    );
    assert_eq!(
        other.read_discrete_inputs(0, 2).await.unwrap().unwrap(),
        [false, true]
    );
    assert_eq!(
        other.read_holding_registers(0, 1).await.unwrap().unwrap(),
        [99]
    );
    let mut nobody = meter(&server, 5).await;
    assert!(nobody.read_holding_registers(0, 1).await.unwrap().is_err());
}

#[tokio::test]
async fn pymodbus_obeys_orders_while_it_serves() {
    let mut server =
        PymodbusServer::start(&json!({"1": {"holding": {"0": [1, 2]}, "coils": {"0": [0]}}})).await;
    let mut client = meter(&server, 1).await;
    server.set(1, Table::Holding, 1, &[500]);
    assert_eq!(
        client.read_holding_registers(0, 2).await.unwrap().unwrap(),
        [1, 500]
    );
    server.set(1, Table::Coils, 0, &[1]);
    assert_eq!(client.read_coils(0, 1).await.unwrap().unwrap(), [true]);
    server.set_exception(1, Some(6));
    let busy = client.read_holding_registers(0, 1).await.unwrap();
    assert_eq!(busy, Err(ExceptionCode::ServerDeviceBusy));
    server.set_exception(1, None);
    assert_eq!(
        client.read_holding_registers(0, 1).await.unwrap().unwrap(),
        [1]
    );
    // Slower than the test is long: the answer is still awaited when something else has happened.
    server.set_delay_ms(1, 600_000);
    tokio::select! {
        biased;
        answer = client.read_holding_registers(0, 1) => panic!("answered: {answer:?}"),
        () = wait_until("another connection", SHORT, async || {
            TcpStream::connect(("127.0.0.1", server.port())).await.ok().map(drop)
        }) => {}
    }
    server.stop();
    assert!(
        TcpStream::connect(("127.0.0.1", server.port()))
            .await
            .is_err()
    );
    server.start_again().await;
    let mut client = meter(&server, 1).await;
    assert_eq!(
        client.read_holding_registers(0, 2).await.unwrap().unwrap(),
        [1, 2]
    );
}

const PAGE: &str = r#"<!doctype html><html><head><meta charset="utf-8"><title>试验页</title>
<link rel="icon" href="data:,"></head><body><h1>电表读数</h1><button>加一</button><p id="count">0</p>
<script>
document.querySelector("button").onclick = () => {
  count.textContent = Number(count.textContent) + 1;
  console.error("the button was pressed");
  fetch("https://example.invalid/beacon").catch(() => { count.className = "refused"; });
};
</script></body></html>"#;

/// Answers every request on a free port with [`PAGE`].
async fn serve_page() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (reader, mut writer) = socket.split();
                let mut lines = BufReader::new(reader).lines();
                while lines
                    .next_line()
                    .await
                    .unwrap()
                    .is_some_and(|line| !line.is_empty())
                {}
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
                let answer = format!("{head}Content-Length: {}\r\n\r\n{PAGE}", PAGE.len());
                writer.write_all(answer.as_bytes()).await.unwrap();
            });
        }
    });
    port
}

#[tokio::test]
async fn the_browser_acts_sees_errors_and_cannot_leave_loopback() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("page.png");
    let url = format!("http://127.0.0.1:{}/", serve_page().await);
    let steps = [
        Step::WaitFor("h1".to_owned()),
        Step::Read("h1".to_owned()),
        Step::Click("button".to_owned()),
        Step::WaitFor("#count.refused".to_owned()),
        Step::WaitText("p".to_owned(), "1".to_owned()),
        Step::Screenshot(picture.clone()),
    ];
    let visit = Browser::default().visit(&url, &steps).await;
    assert_eq!((visit.status, visit.title.as_str()), (200, "试验页"));
    assert_eq!(visit.texts, ["电表读数"]);
    assert_eq!(visit.foreign_requests, ["https://example.invalid/beacon"]);
    assert!(
        visit
            .errors
            .iter()
            .any(|error| error.contains("the button was pressed")),
        "{visit:?}"
    );
    let png = std::fs::read(&picture).unwrap();
    assert!(
        png.starts_with(b"\x89PNG") && png.len() > 2_000,
        "{}",
        path_of(&picture)
    );
}

#[tokio::test]
async fn a_quiet_page_is_reported_as_quiet() {
    let url = format!("http://127.0.0.1:{}/", serve_page().await);
    let visit = Browser::default()
        .visit(&url, &[Step::WaitFor("h1".to_owned())])
        .await;
    assert_eq!((visit.errors, visit.foreign_requests), (vec![], vec![]));
}

#[tokio::test]
async fn ports_are_reserved_while_they_live() {
    let ports: Vec<_> = (0..50).map(|_| Port::reserve()).collect();
    let mut numbers: Vec<_> = ports.iter().map(Port::number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), ports.len());
    assert!(!ports[0].answers().await);
    let listener = TcpListener::bind(ports[0].address()).await.unwrap();
    assert!(ports[0].answers().await);
    drop(listener);
}

#[tokio::test]
async fn a_part_that_is_dropped_is_gone() {
    let broker = Mosquitto::start().await;
    let port = broker.port();
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    drop(broker);
    let mut rest = Vec::new();
    let _ = connection.read_to_end(&mut rest).await;
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
}

#[tokio::test]
async fn the_program_runs_to_its_end_and_says_how_it_went() {
    let help = Steward::once(&["--help"]).await.expect_success();
    assert!(
        help.contains("collector") && help.contains("verify"),
        "{help}"
    );
    let refused = Steward::once(&["no-such-command"]).await;
    assert!(!refused.status.success());
    assert!(refused.stderr.contains("no-such-command"), "{refused:?}");
}
