//! Puts the router on a socket. By hand, because `axum::serve` sets no timer and would let a client
//! that sends its header byte by byte hold a connection for ever.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::routes;
use crate::state::{ApiState, App};

/// Limits of the connections.
#[derive(Clone, Copy, Debug)]
pub struct ServeOptions {
    /// The longest time for a request's header; also how long an idle connection stays open.
    pub header_time_max: Duration,
    /// Connections at once; more wait in the system's queue. A browser opens six.
    pub connections_max: usize,
    /// How long running answers may take once the stop signal came.
    pub drain_time_max: Duration,
    /// A collector or an aggregator that runs alone answers probes and nothing else: it has no
    /// store to read.
    pub probes_only: bool,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            header_time_max: Duration::from_secs(10),
            connections_max: 512,
            drain_time_max: Duration::from_secs(5),
            probes_only: false,
        }
    }
}

/// After an error of `accept` such as "too many open files", another attempt at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Room for a request's header.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Serves until `stop`; then ends event streams, lets answers finish and returns.
pub async fn serve(
    listener: TcpListener,
    state: ApiState,
    stop: CancellationToken,
) -> std::io::Result<()> {
    serve_with(listener, state, stop, ServeOptions::default()).await
}

/// [`serve`] with limits of one's own.
pub async fn serve_with(
    listener: TcpListener,
    state: ApiState,
    stop: CancellationToken,
    options: ServeOptions,
) -> std::io::Result<()> {
    let is_loopback = listener.local_addr()?.ip().is_loopback();
    let app = Arc::new(App::new(state, is_loopback));
    let router = if options.probes_only {
        routes::probes_router(app.clone())
    } else {
        routes::router(app.clone())
    };
    let places = Arc::new(Semaphore::new(options.connections_max));
    let mut connections = JoinSet::new();
    while let Some((stream, place)) = accept(&listener, &places, &stop).await {
        let (router, stop) = (router.clone(), stop.clone());
        connections.spawn(async move {
            connection(stream, router, stop, options).await;
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
    app.live.stop();
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(options.drain_time_max, drained)
        .await
        .is_err()
    {
        tracing::info!("some answers were cut off by the stop");
    }
    Ok(())
}

/// The next connection and its place; `None` once stopped.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    loop {
        let next = async {
            // The semaphore is never closed.
            let place = places.clone().acquire_owned().await.ok()?;
            Some(
                listener
                    .accept()
                    .await
                    .map(|(stream, peer): (_, SocketAddr)| (stream, peer, place)),
            )
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => return None,
            accepted = next => accepted?,
        };
        match accepted {
            Ok((stream, _, place)) => return Some((stream, place)),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a connection was not accepted"
                );
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    router: axum::Router,
    stop: CancellationToken,
    options: ServeOptions,
) {
    // Small answers go out at once; without it they wait for the peer's acknowledgement.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_time_max)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients come and go; that is no event for the operator.
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "a connection ended early"
        );
    }
}
