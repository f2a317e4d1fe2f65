//! Against a broker made of bytes, for what a healthy one never does.

use std::sync::Arc;

use steward_config::MqttVersion;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::broker::{TOPIC, config, energies, messages};
use super::journal::{Running, count, open, until};
use super::site::mqtt;

/// The next packet: first byte and body.
async fn packet(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let first = stream.read_u8().await.ok()?;
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let byte = stream.read_u8().await.ok()?;
        length |= usize::from(byte & 0x7F) << shift;
        shift += 7;
        if byte < 0x80 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((first, body))
}

/// Accepts a client of 3.1.1 and answers its subscription with `code`.
async fn accept(listener: &TcpListener, code: u8) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    assert_eq!(packet(&mut stream).await.unwrap().0, 0x10);
    stream.write_all(&[0x20, 2, 0, 0]).await.unwrap();
    let (kind, body) = packet(&mut stream).await.unwrap();
    assert_eq!(kind, 0x82, "it subscribes on every connection");
    let answer = [0x90, 3, body[0], body[1], code];
    stream.write_all(&answer).await.unwrap();
    stream
}

fn publish(id: u8, message: &str) -> Vec<u8> {
    let length = 2 + TOPIC.len() + 2 + message.len();
    assert!(length < 128 * 128);
    let [low, high] = [length % 128, length / 128].map(|part| u8::try_from(part).unwrap());
    let mut bytes = vec![0x32, low | 0x80, high];
    bytes.extend([0, u8::try_from(TOPIC.len()).unwrap()]);
    bytes.extend(TOPIC.as_bytes());
    bytes.extend([0, id]);
    bytes.extend(message.as_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_acknowledgement_settles_no_other_message() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = open(dir.path());
    // Nothing can be committed while another connection holds the lock.
    let holder = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let running = Running::start(&config(mqtt(port, MqttVersion::V311)), &journal);
    let state = Arc::clone(&running.state);

    let mut first = accept(&listener, 1).await;
    let old = messages(1, 2).remove(0);
    first.write_all(&publish(1, &old)).await.unwrap();
    until("the message", || {
        count(&state, "steward_collector_messages_total") >= 1.0
    })
    .await;
    drop(first);

    let mut second = accept(&listener, 1).await;
    holder.execute_batch("ROLLBACK").unwrap();
    until("the stale acknowledgement", || {
        count(&state, "steward_collector_acks_dropped_total") == 1.0
    })
    .await;
    // The same number means another message now. Exactly one acknowledgement may come, after it.
    let new = messages(2, 3).remove(0);
    second.write_all(&publish(1, &new)).await.unwrap();
    assert_eq!(packet(&mut second).await, Some((0x40, vec![0, 1])));
    assert_eq!(
        energies(dir.path()),
        [1, 2],
        "both are in the journal by then"
    );
    assert_eq!(count(&state, "steward_collector_acks_total"), 1.0);
    running.stop().await;
    assert_eq!(
        packet(&mut second).await.map(|p| p.0),
        Some(0xE0),
        "it says goodbye"
    );
    drop(journal);
    writer.join();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_subscription_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = open(dir.path());
    let running = Running::start(&config(mqtt(port, MqttVersion::V311)), &journal);
    let state = Arc::clone(&running.state);
    let _stream = accept(&listener, 0x80).await;
    until("the error", || {
        count(&state, "steward_collector_errors_total") >= 1.0
    })
    .await;
    let told = state.health().meters["meter-1"].last_error.clone().unwrap();
    assert!(told.contains("steward/v1/+/+/+/telemetry"), "{told}");
    running.stop().await;
    drop(journal);
    writer.join();
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_and_retained_copies_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let (journal, writer) = open(dir.path());
    let running = Running::start(&config(mqtt(port, MqttVersion::V311)), &journal);
    let state = Arc::clone(&running.state);
    let mut stream = accept(&listener, 1).await;
    let all = messages(0, 10);
    for (id, n) in [(1, 3), (2, 4), (3, 8), (4, 5)] {
        stream.write_all(&publish(id, &all[n])).await.unwrap();
        assert_eq!(packet(&mut stream).await, Some((0x40, vec![0, id])));
    }
    assert_eq!(
        count(&state, "steward_collector_readings_missing_total"),
        3.0
    );
    // A retained copy without a time is acknowledged and is no reading.
    let mut retained = publish(5, r#"{"energy_import":99}"#);
    retained[0] |= 1;
    stream.write_all(&retained).await.unwrap();
    assert_eq!(packet(&mut stream).await, Some((0x40, vec![0, 5])));
    assert_eq!(
        count(&state, "steward_collector_retained_ignored_total"),
        1.0
    );
    assert_eq!(energies(dir.path()), [3, 4, 5, 8]);
    running.stop().await;
    drop(journal);
    writer.join();
}
