//! The side that polls the connection: connects, subscribes, hands messages on, and starts anew.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use steward_config::Mqtt;
use steward_journal::Journal;
use steward_model::GatewayId;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::client::{self, Client, Connection, Event, Message};
use super::{Delivery, Gate};
use crate::Clock;
use crate::backoff::Backoff;
use crate::state::{CollectorState, GatewaySlot, add};

/// What waiting messages may take in memory beside one packet of the largest size.
const WAITING_BYTES_MAX: u32 = 16 * 1_024 * 1_024;
/// A connection that lived this long was a good one; the next is made without much waiting.
const GOOD_AFTER: Duration = Duration::from_secs(30);
/// How long the last acknowledgements may take when we stop.
const GOODBYE: Duration = Duration::from_secs(3);

/// Opens the client, again and again until its files are in order. `None` when stopped.
pub(crate) async fn open_patiently(
    settings: &Mqtt,
    gateway: &GatewayId,
    state: &CollectorState,
    stop: &CancellationToken,
) -> Option<(Client, Connection)> {
    let mut backoff = Backoff::connection();
    loop {
        match client::open(settings) {
            Ok(opened) => return Some(opened),
            Err(error) => {
                tracing::warn!(%gateway, %error, "the broker's TLS files cannot be used");
                state.gateway_failed(gateway, "tls", &error.to_string());
            }
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = sleep(backoff.fail()) => {}
        }
    }
}

pub(crate) struct Reader {
    gateway: GatewayId,
    filters: Vec<String>,
    client: Client,
    gate: Arc<Gate>,
    state: Arc<CollectorState>,
    slot: Arc<GatewaySlot>,
    journal: Journal,
    clock: Clock,
    stop: CancellationToken,
    room: Arc<Semaphore>,
    room_bytes: usize,
}

/// Why the reading of a connection ended.
enum End {
    /// The connection is gone.
    Lost(String),
    /// The journal refused something.
    Refused,
    /// We are to stop, or nobody takes messages any more.
    Stop,
}

impl Reader {
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn new(
        settings: &Mqtt,
        gateway: GatewayId,
        client: Client,
        gate: Arc<Gate>,
        state: Arc<CollectorState>,
        journal: Journal,
        clock: Clock,
        stop: CancellationToken,
    ) -> Self {
        let bytes = WAITING_BYTES_MAX.saturating_add(client::packet_bytes_read(settings));
        let room_bytes = usize::try_from(bytes).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            filters: settings.subscriptions.iter().map(|s| s.filter()).collect(),
            slot: state.gateway(&gateway),
            gateway,
            client,
            gate,
            state,
            journal,
            clock,
            stop,
            room: Arc::new(Semaphore::new(room_bytes)),
            room_bytes,
        }
    }

    pub(crate) async fn run(self, mut connection: Connection, out: mpsc::Sender<Delivery>) {
        let mut backoff = Backoff::connection();
        loop {
            let begun = Instant::now();
            let mut progress = false;
            let end = self.read(&mut connection, &out, &mut progress).await;
            self.slot.connected.store(false, Ordering::Relaxed);
            if matches!(end, End::Stop) {
                return self.goodbye(connection, out).await;
            }
            // First the epoch, then the queue: between the two an acknowledgement of the connection
            // that is gone could still slip in.
            let epoch = self.gate.epoch();
            self.gate.close();
            for message in connection.drop_connection() {
                // They came whole. Their acknowledgements will be dropped as stale and the broker
                // sends them again; but a broker that lost its session would not.
                if self.hand_on(&out, message, epoch).await.is_err() {
                    return;
                }
            }
            if progress || begun.elapsed() >= GOOD_AFTER {
                backoff.reset();
            }
            self.tell(&end);
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = self.pause(backoff.fail()) => {}
            }
        }
    }

    fn tell(&self, end: &End) {
        let gateway = &self.gateway;
        match end {
            End::Lost(why) => {
                tracing::warn!(%gateway, why, "the broker is not connected");
                let text = format!("the broker is not connected: {why}");
                self.state.gateway_failed(gateway, "broker", &text);
            }
            End::Refused => {
                tracing::warn!(%gateway, "the journal took no more; the broker will send again");
                let text = "the journal took no more";
                self.state.gateway_failed(gateway, "journal", text);
            }
            End::Stop => {}
        }
    }

    /// Waits at least `delay`, and longer while the journal is full: what it cannot take need not be
    /// sent again.
    async fn pause(&self, delay: Duration) {
        sleep(delay).await;
        let mut probe = Backoff::connection();
        // Only a commit shows that there is room again, so after a minute it is tried in any case.
        let until = Instant::now() + Duration::from_secs(60);
        while self.journal.health().full && Instant::now() < until {
            sleep(probe.fail()).await;
        }
    }

    async fn read(
        &self,
        connection: &mut Connection,
        out: &mpsc::Sender<Delivery>,
        progress: &mut bool,
    ) -> End {
        let epoch = self.gate.epoch();
        let mut refused = self.gate.refused.subscribe();
        loop {
            let event = tokio::select! {
                biased;
                () = self.stop.cancelled() => return End::Stop,
                _ = refused.wait_for(|refused| *refused > epoch) => return End::Refused,
                event = connection.next() => event,
            };
            match event {
                Err(error) => return End::Lost(error.to_string()),
                Ok(Event::Connected { session_present }) => {
                    add(&self.slot.connections, 1);
                    self.slot.connected.store(true, Ordering::Relaxed);
                    self.state.gateway_recovered(&self.gateway);
                    tracing::info!(gateway = %self.gateway, session_present, "broker connected");
                    if let Err(error) = self.client.subscribe(&self.filters) {
                        return End::Lost(error.to_string());
                    }
                }
                Ok(Event::Message(message)) => {
                    let handed = tokio::select! {
                        biased;
                        handed = self.hand_on(out, message, epoch) => handed,
                        () = self.stop.cancelled() => return End::Stop,
                    };
                    if handed.is_err() {
                        return End::Stop;
                    }
                }
                Ok(Event::Subscribed { refused }) => {
                    for (index, why) in refused {
                        self.refused_filter(index, &why);
                    }
                }
                Ok(Event::Acknowledged) => {
                    *progress = true;
                    add(&self.slot.acks, 1);
                }
                Ok(Event::Other) => {}
            }
        }
    }

    fn refused_filter(&self, index: usize, why: &str) {
        let filter = self.filters.get(index).map_or("?", String::as_str);
        let text = format!("the broker refused the subscription `{filter}`: {why}");
        tracing::error!(gateway = %self.gateway, "{text}");
        self.state
            .gateway_failed(&self.gateway, "subscription_refused", &text);
    }

    /// Waits for room: the keeper goes on committing meanwhile, so room comes as long as the journal
    /// takes entries. While it does not, nothing is read and nothing acknowledged.
    async fn hand_on(
        &self,
        out: &mpsc::Sender<Delivery>,
        message: Message,
        epoch: u64,
    ) -> Result<(), ()> {
        let received_at = (self.clock)();
        let bytes = message.payload.len() + message.topic.len();
        // A message larger than all of the room takes it alone.
        let bytes = u32::try_from(bytes.min(self.room_bytes)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room)
            .acquire_many_owned(bytes)
            .await
            .map_err(|_| ())?;
        let delivery = Delivery {
            epoch,
            packet: message.packet,
            topic: message.topic,
            payload: message.payload,
            retained: message.retained,
            received_at,
            room,
        };
        out.send(delivery).await.map_err(|_| ())
    }

    /// Sends the acknowledgements of what is still being committed, then says goodbye. Whatever is
    /// not acknowledged by then comes again.
    async fn goodbye(&self, mut connection: Connection, out: mpsc::Sender<Delivery>) {
        // The keeper ends when the last delivery is settled.
        drop(out);
        let polling = async {
            let mut said = false;
            loop {
                if !said && self.room_is_whole() {
                    self.client.disconnect();
                    said = true;
                }
                match timeout(Duration::from_millis(50), connection.next()).await {
                    Ok(Ok(Event::Acknowledged)) => add(&self.slot.acks, 1),
                    Ok(Err(_)) => return,
                    Ok(Ok(_)) => {}
                    Err(_) if said => return,
                    Err(_) => {}
                }
            }
        };
        // Out of time is no failure: the session keeps what is open.
        let _ = timeout(GOODBYE, polling).await;
    }

    /// Whether every message that was handed on is settled.
    fn room_is_whole(&self) -> bool {
        self.room.available_permits() == self.room_bytes
    }
}
