//! Meters become readings in the journal: one task a gateway, decoding that is pure.
//!
//! What it promises: a message is acknowledged, and a poll counts, only after the journal's commit
//! that holds it has returned. Nothing that was acknowledged is dropped; what cannot be understood
//! goes to quarantine with its bytes. A late, short or foreign answer is never believed. A dead meter
//! or gateway slows no other. Memory is bounded by the journal's channel, the broker's window and a
//! fixed number of bytes.
//!
//! What it never does: it knows no store and no ledger, applies no CT or PT ratio, and judges no
//! value by what came before it.
//!
//! Where to start: [`run`] runs everything; [`mqtt::decode`] and [`modbus::decode`] are the pure
//! parts; [`CollectorState`] is what the api shows.

mod backoff;
mod commit;
pub mod modbus;
pub mod mqtt;
mod replay;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use steward_config::{Config, Gateway, GatewayKind};
use steward_journal::{AppendError, Journal};
use steward_model::UtcMs;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use modbus::decode::{DecodeError, decode_registers};
pub use mqtt::decode::{Decoded, MqttDecoder, decode_mqtt};
pub use replay::{StillRefused, replay, replayable_reasons};
pub use state::CollectorState;

/// Tells the time of day. Given from outside, so that tests can tell another.
pub type Clock = Arc<dyn Fn() -> UtcMs + Send + Sync>;

/// Why the collector had to end. Trouble with meters, gateways and brokers is none of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CollectorError {
    /// The journal takes nothing any more.
    #[error("the collector cannot go on: {0}")]
    Append(#[from] AppendError),
}

/// Reads every gateway of `config` until `stop`. Ends early only when the journal is closed or its
/// disk failed; the process has to end then, since nothing can be acknowledged any more.
pub async fn run(
    config: Arc<Config>,
    journal: Journal,
    clock: Clock,
    stop: CancellationToken,
    state: Arc<CollectorState>,
) -> Result<(), CollectorError> {
    let stop = stop.child_token();
    let mut tasks = JoinSet::new();
    for gateway in config.registry.gateways.values() {
        tasks.spawn(supervise(
            Arc::clone(&config),
            gateway.clone(),
            journal.clone(),
            Arc::clone(&clock),
            stop.clone(),
            Arc::clone(&state),
        ));
    }
    let mut outcome = Ok(());
    while let Some(ended) = tasks.join_next().await {
        if let Ok(Err(error)) = ended {
            // One journal serves all: what it refuses to one it refuses to all.
            stop.cancel();
            outcome = Err(error);
        }
    }
    outcome
}

/// Runs one gateway; a defect that panics costs that gateway a pause and nothing else.
async fn supervise(
    config: Arc<Config>,
    gateway: Gateway,
    journal: Journal,
    clock: Clock,
    stop: CancellationToken,
    state: Arc<CollectorState>,
) -> Result<(), CollectorError> {
    let mut backoff = backoff::Backoff::connection();
    loop {
        let (config, journal, clock) = (Arc::clone(&config), journal.clone(), Arc::clone(&clock));
        let (id, stopped) = (gateway.id.clone(), stop.clone());
        let told = Arc::clone(&state);
        // A set of one: it ends its task when this one is dropped.
        let mut running = JoinSet::new();
        match gateway.kind.clone() {
            GatewayKind::ModbusTcp(settings) => running.spawn(modbus::run(
                config, id, settings, journal, clock, stopped, told,
            )),
            GatewayKind::Mqtt(settings) => running.spawn(mqtt::run(
                config, id, settings, journal, clock, stopped, told,
            )),
        };
        match running.join_next().await {
            None => return Ok(()),
            Some(Ok(ended)) => return ended,
            Some(Err(defect)) => {
                tracing::error!(gateway = %gateway.id, %defect, "a gateway's task ended by a defect");
                let slot = state.gateway(&gateway.id);
                state::add(&slot.restarts, 1);
                slot.connected.store(false, Ordering::Relaxed);
                let text = "the gateway's task ended by a defect and is started again";
                state.gateway_failed(&gateway.id, "defect", text);
            }
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(backoff.fail()) => {}
        }
    }
}
