//! Modbus TCP: meters behind a gateway, asked in turn.

pub(crate) mod bus;
pub mod decode;
pub(crate) mod link;
pub(crate) mod meter;
pub mod plan;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use steward_config::{Config, MeterAddress, ModbusTcp, ProfileBody};
use steward_journal::{AppendError, Entry, Journal, Reason};
use steward_model::{Batch, GatewayId, MeterId, UtcMs};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::bus::{Bus, Polled, Report, spread_seed};
use self::link::TcpDial;
use self::meter::{MeterParts, MeterTask};
use crate::commit::commit_in_order;
use crate::state::{CollectorState, GatewaySlot, add, reasons};
use crate::{Clock, CollectorError};

/// Polls that may wait for the journal; beyond, the bus waits too.
const REPORTS_MAX: usize = 64;

/// The meters of a gateway as its bus reads them.
pub(crate) fn meters_of(config: &Config, gateway: &GatewayId, cost: u16) -> Vec<MeterTask> {
    let registry = &config.registry;
    let meters = registry.meters.values().filter(|m| &m.gateway == gateway);
    let parts = meters.filter_map(|meter| {
        let MeterAddress::Modbus { unit_id } = meter.address else {
            return None;
        };
        let ProfileBody::Modbus(profile) = &config.profiles.get(&meter.profile)?.body else {
            return None;
        };
        let point = registry.points.get(&meter.point);
        Some(MeterParts {
            id: meter.id.clone(),
            gateway: gateway.clone(),
            unit: unit_id,
            interval: meter.interval,
            zone: point
                .and_then(|point| registry.zone_of(point))
                .unwrap_or(config.settings.zone),
            from: meter.from,
            to: meter.to,
            specs: profile.registers.clone(),
            probe: profile.probe.clone(),
            request_cost: cost,
        })
    });
    parts.map(MeterTask::new).collect()
}

/// Reads one gateway until stopped.
pub(crate) async fn run(
    config: Arc<Config>,
    gateway: GatewayId,
    settings: ModbusTcp,
    journal: Journal,
    clock: Clock,
    stop: CancellationToken,
    state: Arc<CollectorState>,
) -> Result<(), CollectorError> {
    let meters = meters_of(&config, &gateway, settings.gap_registers_max);
    let ids: Vec<MeterId> = meters.iter().map(|meter| meter.id.clone()).collect();
    let (reports, polled) = mpsc::channel(REPORTS_MAX);
    let bus = Bus {
        dial: TcpDial {
            host: settings.host,
            port: settings.port,
            timeout: settings.timeout,
        },
        meters,
        spread_seed: spread_seed(gateway.as_str()),
        clock,
        reports,
        stop,
    };
    let keeper = Keeper {
        slot: state.gateway(&gateway),
        gateway,
        ids,
        state,
    };
    let committing = commit_in_order(
        &journal,
        polled,
        |report| keeper.entry(report),
        |poll, verdict| keeper.settle(poll, verdict),
    );
    tokio::pin!(committing);
    tokio::select! {
        // The journal ended first: polling on would only drop readings.
        result = &mut committing => result,
        () = bus.run() => committing.await,
    }
}

/// What is remembered of a poll until its commit.
struct Poll {
    meter: MeterId,
    at: UtcMs,
    readings: u64,
    quarantined: Vec<(Reason, String)>,
}

struct Keeper {
    gateway: GatewayId,
    slot: Arc<GatewaySlot>,
    ids: Vec<MeterId>,
    state: Arc<CollectorState>,
}

impl Keeper {
    fn entry(&self, report: Report) -> Option<(Entry, Poll)> {
        match report {
            Report::Connected => {
                add(&self.slot.connections, 1);
                self.slot.connected.store(true, Ordering::Relaxed);
                None
            }
            Report::Unreachable(error) => {
                self.slot.connected.store(false, Ordering::Relaxed);
                let text = format!("the gateway cannot be reached: {error}");
                tracing::warn!(gateway = %self.gateway, %error, "the gateway cannot be reached");
                self.state
                    .gateway_failed(&self.gateway, "unreachable", &text);
                None
            }
            Report::Polled(polled) => self.polled(*polled),
        }
    }

    fn polled(&self, polled: Polled) -> Option<(Entry, Poll)> {
        let outcome = polled.outcome;
        let meter = self.ids.get(polled.meter)?.clone();
        let micros = u64::try_from(polled.took.as_micros()).unwrap_or(u64::MAX);
        add(&self.slot.poll_micros, micros);
        add(&self.slot.requests, outcome.requests);
        add(&self.slot.polls_missed, polled.missed);
        let failing = outcome.readings.is_empty();
        if failing {
            add(&self.slot.polls_failed, 1);
        }
        if outcome.broken {
            self.slot.connected.store(false, Ordering::Relaxed);
        }
        for fault in outcome.faults {
            tracing::debug!(gateway = %self.gateway, %meter, reason = fault.reason, "{}", fault.text);
            self.state.error(fault.reason);
            self.state.failed(&meter, fault.text, failing);
        }
        if failing && outcome.quarantine.is_empty() {
            return None;
        }
        let poll = Poll {
            meter,
            at: polled.at,
            readings: outcome.readings.len() as u64,
            quarantined: reasons(&outcome.quarantine),
        };
        let batch = (!failing).then(|| Batch {
            received_at: polled.at,
            gateway: self.gateway.clone(),
            gateway_boot: None,
            gateway_seq: None,
            readings: outcome.readings,
        });
        let entry = Entry::Mixed {
            batch,
            quarantine: outcome.quarantine,
        };
        Some((entry, poll))
    }

    /// A poll counts only now: the commit has returned.
    fn settle(&self, poll: Poll, verdict: Result<u64, AppendError>) {
        match verdict {
            Ok(_) => {
                if poll.readings > 0 {
                    add(&self.slot.polls, 1);
                    add(&self.slot.batches, 1);
                    add(&self.slot.readings, poll.readings);
                    self.state.heard(&poll.meter, poll.at);
                }
                for (reason, _) in &poll.quarantined {
                    self.state.quarantined(*reason);
                }
            }
            Err(error) => {
                add(&self.slot.polls_missed, 1);
                self.state.error("journal");
                self.state.failed(&poll.meter, error.to_string(), false);
            }
        }
    }
}
