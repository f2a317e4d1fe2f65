//! Quarantined items once more, by the configuration as it is now.

use std::collections::BTreeSet;

use steward_config::{Config, GatewayKind, ProfileBody};
use steward_journal::{Entry, Quarantined, Reason};
use steward_model::{Batch, MeterId, Quantity, Reading, ReadingQuality};

use crate::modbus::decode::decode_registers;
use crate::mqtt::decode::decode_mqtt;

/// Why an item stays in quarantine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("still refused, {reason}: {detail}")]
pub struct StillRefused {
    /// Why.
    pub reason: Reason,
    /// What exactly, in words.
    pub detail: String,
}

impl StillRefused {
    fn other(detail: impl Into<String>) -> Self {
        Self {
            reason: Reason::Other,
            detail: detail.into(),
        }
    }
}

/// Decodes a quarantined item again: the entry to append in its place, or why it has to stay. Fields
/// of the same message that are refused have items of their own and are not set aside anew.
pub fn replay(config: &Config, item: &Quarantined) -> Result<Entry, StillRefused> {
    let gateway = config.registry.gateways.get(&item.gateway);
    let gateway = gateway.ok_or_else(|| {
        StillRefused::other(format!("there is no gateway `{}` any more", item.gateway))
    })?;
    match gateway.kind {
        GatewayKind::Mqtt(_) => replay_message(config, item),
        GatewayKind::ModbusTcp(_) => replay_registers(config, item),
    }
    .map(Entry::Batch)
}

fn replay_message(config: &Config, item: &Quarantined) -> Result<Batch, StillRefused> {
    if item.reason == Reason::TooLarge {
        return Err(StillRefused {
            reason: item.reason,
            detail: "only the beginning of the message was kept".to_owned(),
        });
    }
    let topic = item.source.as_bytes();
    let decoded = decode_mqtt(
        config,
        &item.gateway,
        topic,
        &item.payload,
        item.received_at,
    );
    let field = |detail: &str| {
        detail
            .split_once(": ")
            .map(|(pointer, _)| pointer.to_owned())
    };
    let own = field(&item.detail).filter(|pointer| pointer.is_empty() || pointer.starts_with('/'));
    let still = |refused: &&Quarantined| own.is_some() && field(&refused.detail) == own;
    let refused = match &decoded.batch {
        Some(_) => decoded.quarantine.iter().find(still),
        None => decoded.quarantine.first(),
    };
    match (decoded.batch, refused) {
        (Some(batch), None) => Ok(batch),
        (_, Some(refused)) => Err(StillRefused {
            reason: refused.reason,
            detail: refused.detail.clone(),
        }),
        (None, None) => Err(StillRefused::other("there are no readings in it")),
    }
}

fn replay_registers(config: &Config, item: &Quarantined) -> Result<Batch, StillRefused> {
    let malformed = || StillRefused::other(format!("`{}` names no register", item.source));
    let (meter, quantity) = item.source.split_once('/').ok_or_else(malformed)?;
    let meter = MeterId::new(meter).map_err(|_| malformed())?;
    let quantity: Quantity = quantity.parse().map_err(|_| malformed())?;
    let unknown = |what: &str| StillRefused {
        reason: Reason::UnknownMeter,
        detail: format!("there is no {what} `{meter}` any more"),
    };
    let known = config.registry.meters.get(&meter);
    let profile = known.and_then(|known| config.profiles.get(&known.profile));
    let Some(ProfileBody::Modbus(profile)) = profile.map(|profile| &profile.body) else {
        return Err(unknown("Modbus meter"));
    };
    let words: Vec<u16> = item
        .payload
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    let mut specs = profile.registers.iter().filter(|s| s.quantity == quantity);
    let spec = specs.next().ok_or_else(|| StillRefused {
        reason: Reason::UnknownQuantity,
        detail: format!("the profile has no {quantity} any more"),
    })?;
    let value = decode_registers(spec, &words).map_err(|error| StillRefused {
        reason: crate::modbus::meter::reason_of(error),
        detail: error.to_string(),
    })?;
    Ok(Batch {
        received_at: item.received_at,
        gateway: item.gateway.clone(),
        gateway_boot: None,
        gateway_seq: None,
        readings: vec![Reading {
            meter,
            quantity,
            at: item.received_at,
            value,
            quality: ReadingQuality::Good,
        }],
    })
}

/// The reasons for which a replay is worth trying at all: mending a profile or the registry can
/// change their outcome.
pub fn replayable_reasons() -> BTreeSet<Reason> {
    let never = [Reason::TooLarge, Reason::Empty];
    Reason::ALL
        .iter()
        .copied()
        .filter(|reason| !never.contains(reason))
        .collect()
}
