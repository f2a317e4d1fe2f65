//! The api on a real socket.

use std::time::Duration;

use steward_api::{ServeOptions, serve_with};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::state;

struct Served {
    address: std::net::SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

async fn start(options: ServeOptions) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let task = tokio::spawn(serve_with(listener, state(), stop.clone(), options));
    Served {
        address,
        stop,
        task,
    }
}

/// Reads until the peer closes the connection.
async fn to_the_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_header_that_never_ends_ends_the_connection() {
    let options = ServeOptions {
        header_time_max: Duration::from_millis(100),
        ..ServeOptions::default()
    };
    let served = start(options).await;
    let mut slow = TcpStream::connect(served.address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        .await
        .unwrap();
    // Without the timer this would wait for ever.
    to_the_end(&mut slow).await;
    served.stop.cancel();
    served.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn places_are_bounded_and_given_back() {
    let options = ServeOptions {
        connections_max: 1,
        ..ServeOptions::default()
    };
    let served = start(options).await;
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    // The first connection holds the only place, so the second is served after it.
    let mut first = TcpStream::connect(served.address).await.unwrap();
    let mut second = TcpStream::connect(served.address).await.unwrap();
    second.write_all(request).await.unwrap();
    first.write_all(request).await.unwrap();
    assert!(to_the_end(&mut first).await.starts_with("HTTP/1.1 200"));
    assert!(to_the_end(&mut second).await.starts_with("HTTP/1.1 200"));
    served.stop.cancel();
    served.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_stop_ends_live_streams_and_the_server() {
    let served = start(ServeOptions::default()).await;
    let mut listener = TcpStream::connect(served.address).await.unwrap();
    listener
        .write_all(b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains("event: power") {
        let count = listener.read(&mut buffer).await.unwrap();
        assert!(count > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    served.stop.cancel();
    to_the_end(&mut listener).await;
    served.task.await.unwrap().unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}
