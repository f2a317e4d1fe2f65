//! MQTT: messages of a broker, acknowledged after the journal's commit.
//!
//! Two tasks share a connection. The *reader* polls it and hands messages on. The *keeper* decodes
//! them, appends them to the journal, and when a commit has returned queues the acknowledgement,
//! in the order received. The reader may wait for the keeper (that is how a full journal stops the
//! reading), the keeper never waits for the reader.

mod client;
pub mod decode;
mod number;
mod pointer;
mod reader;
mod sequence;
mod timestamp;
mod topic;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use steward_config::{Config, Mqtt};
use steward_journal::{AppendError, Entry, Journal, Reason};
use steward_model::{GatewayId, MeterId, ReadingQuality, UtcMs};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio_util::sync::CancellationToken;

use self::client::Client;
use self::decode::MqttDecoder;
use self::reader::Reader;
use self::sequence::Sequences;
use crate::commit::commit_in_order;
use crate::state::{CollectorState, GatewaySlot, add, lock, reasons};
use crate::{Clock, CollectorError};

/// A message on its way from reader to keeper.
pub(crate) struct Delivery {
    epoch: u64,
    packet: Option<u16>,
    topic: Bytes,
    payload: Bytes,
    retained: bool,
    received_at: UtcMs,
    /// Its share of the memory that waiting messages may take; given back when it is settled.
    room: OwnedSemaphorePermit,
}

/// Acknowledgements belong to a connection. The epoch is counted up under the lock when a connection
/// ends, before the next one is made: packet ids begin anew there, and an acknowledgement of an older
/// epoch would settle another message.
pub(crate) struct Gate {
    epoch: Mutex<u64>,
    /// How many epochs the journal has refused something of. What is not acknowledged has to come
    /// again, so the reader makes the connection anew once its own epoch is among them.
    refused: watch::Sender<u64>,
}

impl Gate {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            epoch: Mutex::new(0),
            refused: watch::Sender::new(0),
        })
    }

    fn epoch(&self) -> u64 {
        *lock(&self.epoch)
    }

    fn close(&self) {
        *lock(&self.epoch) += 1;
    }

    fn refuse(&self, epoch: u64) {
        self.refused
            .send_modify(|refused| *refused = (*refused).max(epoch + 1));
    }

    /// Queues the acknowledgement, if the connection of its message still stands.
    fn acknowledge(&self, client: &Client, epoch: u64, packet: u16) -> bool {
        let now = lock(&self.epoch);
        *now == epoch && client.acknowledge(packet)
    }
}

/// Reads one broker until stopped.
pub(crate) async fn run(
    config: Arc<Config>,
    gateway: GatewayId,
    settings: Mqtt,
    journal: Journal,
    clock: Clock,
    stop: CancellationToken,
    state: Arc<CollectorState>,
) -> Result<(), CollectorError> {
    // Files may be mended while we run, so a wrong certificate is retried like a broker that is down.
    let opened = reader::open_patiently(&settings, &gateway, &state, &stop).await;
    let Some((client, connection)) = opened else {
        return Ok(());
    };
    let gate = Gate::new();
    let slot = state.gateway(&gateway);
    let (deliveries, delivered) = mpsc::channel(usize::from(settings.inflight_max.max(1)));
    let reader = Reader::new(
        &settings,
        gateway.clone(),
        client.clone(),
        Arc::clone(&gate),
        Arc::clone(&state),
        journal.clone(),
        clock,
        stop,
    );
    let keeper = Keeper {
        decoder: MqttDecoder::new(&config, &gateway),
        sequences: Mutex::default(),
        client,
        gate,
        slot,
        state,
    };
    let committing = commit_in_order(
        &journal,
        delivered,
        |delivery| keeper.entry(delivery),
        |settling, verdict| keeper.settle(settling, verdict),
    );
    tokio::pin!(committing);
    tokio::select! {
        result = &mut committing => result,
        () = reader.run(connection, deliveries) => committing.await,
    }
}

/// What is remembered of a message until its commit.
struct Settling {
    epoch: u64,
    packet: Option<u16>,
    meter: Option<MeterId>,
    received_at: UtcMs,
    readings: u64,
    replaced: u64,
    quarantined: Vec<(Reason, String)>,
    _room: OwnedSemaphorePermit,
}

struct Keeper {
    decoder: MqttDecoder,
    sequences: Mutex<Sequences>,
    client: Client,
    gate: Arc<Gate>,
    slot: Arc<GatewaySlot>,
    state: Arc<CollectorState>,
}

impl Keeper {
    fn entry(&self, delivery: Delivery) -> Option<(Entry, Settling)> {
        let Delivery {
            topic,
            payload,
            received_at,
            ..
        } = &delivery;
        add(&self.slot.messages, 1);
        let (mut decoded, stream) = self.decoder.follow(topic, payload, *received_at);
        if delivery.retained && decoded.is_undated() {
            // A copy of an older message with our time on it would be a wrong reading.
            add(&self.slot.retained_ignored, 1);
            decoded.batch = None;
            decoded.quarantine.clear();
        }
        let batch = decoded.batch.as_ref();
        if let (Some(stream), Some((boot, Some(seq)))) =
            (stream, batch.map(|b| (b.gateway_boot, b.gateway_seq)))
        {
            let missing = lock(&self.sequences).observe(stream, boot, seq);
            add(&self.slot.missing, missing);
        }
        let readings = batch.map_or(&[][..], |batch| &batch.readings);
        let replaced = readings
            .iter()
            .filter(|reading| reading.quality == ReadingQuality::ReceiveTime);
        let settling = Settling {
            epoch: delivery.epoch,
            packet: delivery.packet,
            meter: decoded.meter.clone(),
            received_at: *received_at,
            readings: readings.len() as u64,
            replaced: replaced.count() as u64,
            quarantined: reasons(&decoded.quarantine),
            _room: delivery.room,
        };
        Some((decoded.into_entry(), settling))
    }

    fn settle(&self, settling: Settling, verdict: Result<u64, AppendError>) {
        if verdict.is_err() {
            self.state.error("journal");
            self.gate.refuse(settling.epoch);
            return;
        }
        if settling.readings > 0 {
            add(&self.slot.batches, 1);
            add(&self.slot.readings, settling.readings);
            add(&self.slot.times_replaced, settling.replaced);
            if let Some(meter) = &settling.meter {
                self.state.heard(meter, settling.received_at);
            }
        }
        self.state
            .quarantined_all(settling.meter.as_ref(), &settling.quarantined);
        if let Some(packet) = settling.packet
            && !self.gate.acknowledge(&self.client, settling.epoch, packet)
        {
            add(&self.slot.acks_dropped, 1);
        }
    }
}
