//! The MQTT library behind one door: both protocol versions as one connection and one handle. The
//! rest of the collector does not name the library.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rumqttc::{TlsConfiguration, Transport, v5};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use steward_config::{Mqtt, MqttVersion, TlsFiles};

/// Packet ids are 16 bits, so a connection never has more messages to acknowledge than this: a
/// channel of this size is never full, and acknowledging never waits.
const REQUESTS_MAX: usize = 65_600;
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the broker is asked for a sign of life.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// We publish nothing; the library reserves memory for what it is told here.
const OUTGOING_MAX: u16 = 16;
/// Packets up to this size are read even where the configuration accepts less: they are set aside
/// and acknowledged. If they were refused on the wire, the connection would be lost, and a
/// persistent session would deliver them again without end.
const PACKET_BYTES_READ: u32 = 8 * 1_024 * 1_024;

/// Why a connection cannot be made or ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("{what} {path}: {why}")]
    Tls {
        what: &'static str,
        path: String,
        why: String,
    },
    #[error("{0}")]
    Connection(String),
}

/// What the broker sent.
#[derive(Debug)]
pub(crate) enum Event {
    /// The broker accepted us; whether it remembered our session.
    Connected { session_present: bool },
    /// A message.
    Message(Message),
    /// The answers to a subscription: for each refused filter its index and the reason.
    Subscribed { refused: Vec<(usize, String)> },
    /// One of our acknowledgements is on the wire.
    Acknowledged,
    /// Nothing that matters here.
    Other,
}

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) topic: Bytes,
    pub(crate) payload: Bytes,
    pub(crate) retained: bool,
    /// What settles it; nothing for messages that need no acknowledgement.
    pub(crate) packet: Option<u16>,
}

/// The largest packet that is read from the wire.
pub(crate) fn packet_bytes_read(settings: &Mqtt) -> u32 {
    settings
        .packet_bytes_max
        .saturating_add(1_024)
        .max(PACKET_BYTES_READ)
}

/// The side that is polled. Nothing is awaited between two calls of [`Connection::next`] that could
/// wait for an acknowledgement.
pub(crate) enum Connection {
    V311(Box<rumqttc::EventLoop>),
    V5(Box<v5::EventLoop>),
}

/// The side that asks. Never waits.
#[derive(Clone)]
pub(crate) enum Client {
    V311(rumqttc::AsyncClient),
    V5(v5::AsyncClient),
}

/// A connection that is not yet made.
pub(crate) fn open(settings: &Mqtt) -> Result<(Client, Connection), ClientError> {
    let transport = match &settings.tls {
        Some(files) => Transport::Tls(TlsConfiguration::Rustls(Arc::new(tls(files)?))),
        None => Transport::Tcp,
    };
    Ok(match settings.version {
        MqttVersion::V311 => open_v311(settings, transport),
        MqttVersion::V5 => open_v5(settings, transport),
    })
}

fn open_v311(settings: &Mqtt, transport: Transport) -> (Client, Connection) {
    let mut options = rumqttc::MqttOptions::new(&settings.client_id, &settings.host, settings.port);
    let bytes = usize::try_from(packet_bytes_read(settings)).unwrap_or(usize::MAX);
    options
        .set_transport(transport)
        .set_clean_session(false)
        .set_manual_acks(true)
        .set_keep_alive(KEEP_ALIVE)
        .set_inflight(OUTGOING_MAX)
        .set_max_packet_size(bytes, bytes);
    if let Some((user, password)) = &settings.credentials {
        options.set_credentials(user, password.expose());
    }
    let (client, mut events) = rumqttc::AsyncClient::new(options, REQUESTS_MAX);
    let mut network = rumqttc::NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(CONNECT_TIMEOUT.as_secs());
    events.set_network_options(network);
    (Client::V311(client), Connection::V311(Box::new(events)))
}

fn open_v5(settings: &Mqtt, transport: Transport) -> (Client, Connection) {
    let mut options = v5::MqttOptions::new(&settings.client_id, &settings.host, settings.port);
    let expiry = u32::try_from(settings.session_expiry.as_secs()).unwrap_or(u32::MAX);
    let mut network = rumqttc::NetworkOptions::new();
    network.set_tcp_nodelay(true);
    options
        .set_transport(transport)
        .set_clean_start(false)
        .set_manual_acks(true)
        .set_keep_alive(KEEP_ALIVE)
        .set_connection_timeout(CONNECT_TIMEOUT.as_secs())
        .set_outgoing_inflight_upper_limit(OUTGOING_MAX)
        .set_session_expiry_interval(Some(expiry))
        .set_receive_maximum(Some(settings.inflight_max.max(1)))
        .set_max_packet_size(Some(packet_bytes_read(settings)))
        .set_network_options(network);
    if let Some((user, password)) = &settings.credentials {
        options.set_credentials(user, password.expose());
    }
    let (client, events) = v5::AsyncClient::new(options, REQUESTS_MAX);
    (Client::V5(client), Connection::V5(Box::new(events)))
}

/// The provider is named here, so that no other crate's choice for the process can change it.
fn tls(files: &TlsFiles) -> Result<rustls::ClientConfig, ClientError> {
    let fault = |what, path: &std::path::Path, why: String| ClientError::Tls {
        what,
        path: path.display().to_string(),
        why,
    };
    let certificates = |what, path: &std::path::Path| {
        let list: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect)
            .map_err(|error| fault(what, path, error.to_string()));
        match list {
            Ok(list) if list.is_empty() => Err(fault(what, path, "no certificate in it".into())),
            other => other,
        }
    };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates("the authority's certificate", &files.ca)? {
        roots
            .add(certificate)
            .map_err(|error| fault("the authority's certificate", &files.ca, error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| fault("TLS", &files.ca, error.to_string()))?
        .with_root_certificates(roots);
    match &files.client {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => {
            let chain = certificates("the client certificate", certificate)?;
            let private = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| fault("the client key", key, error.to_string()))?;
            builder
                .with_client_auth_cert(chain, private)
                .map_err(|error| fault("the client certificate", certificate, error.to_string()))
        }
    }
}

impl Client {
    /// Asks for the filters at QoS 1. Retained copies are not asked for where the protocol lets us.
    pub(crate) fn subscribe(&self, filters: &[String]) -> Result<(), ClientError> {
        let full = |error: &dyn std::fmt::Display| ClientError::Connection(error.to_string());
        match self {
            Self::V311(client) => client
                .try_subscribe_many(filters.iter().map(|filter| {
                    rumqttc::SubscribeFilter::new(filter.clone(), rumqttc::QoS::AtLeastOnce)
                }))
                .map_err(|error| full(&error)),
            Self::V5(client) => {
                use v5::mqttbytes::QoS;
                use v5::mqttbytes::v5::{Filter, RetainForwardRule};
                client
                    .try_subscribe_many(filters.iter().map(|filter| Filter {
                        retain_forward_rule: RetainForwardRule::OnNewSubscribe,
                        ..Filter::new(filter.clone(), QoS::AtLeastOnce)
                    }))
                    .map_err(|error| full(&error))
            }
        }
    }

    /// Queues an acknowledgement. False where it found no room, which the protocol rules out.
    pub(crate) fn acknowledge(&self, packet: u16) -> bool {
        match self {
            Self::V311(client) => {
                let mut publish = rumqttc::Publish::new("", rumqttc::QoS::AtLeastOnce, Vec::new());
                publish.pkid = packet;
                client.try_ack(&publish).is_ok()
            }
            Self::V5(client) => {
                use v5::mqttbytes::{QoS, v5::Publish};
                let mut publish = Publish::new("", QoS::AtLeastOnce, Bytes::new(), None);
                publish.pkid = packet;
                client.try_ack(&publish).is_ok()
            }
        }
    }

    /// Says goodbye behind everything that is queued. The session stays.
    pub(crate) fn disconnect(&self) {
        // Without room there is no goodbye; the broker notices the closed socket.
        let _ = match self {
            Self::V311(client) => client.try_disconnect().is_ok(),
            Self::V5(client) => client.try_disconnect().is_ok(),
        };
    }
}

/// A 3.1.1 broker knows no largest packet: it would send the message that was too long again after
/// every connection. So the limit grows to what came, and the message is set aside as any other
/// that is longer than the settings allow. The protocol itself ends at 256 MiB.
fn make_room(options: &mut rumqttc::MqttOptions, error: &rumqttc::ConnectionError) {
    use rumqttc::mqttbytes::Error::PayloadSizeLimitExceeded;
    if let rumqttc::ConnectionError::MqttState(rumqttc::StateError::Deserialization(
        PayloadSizeLimitExceeded(bytes),
    )) = error
    {
        options.set_max_packet_size(*bytes, *bytes);
    }
}

impl Connection {
    /// The next event; connects first where there is no connection.
    pub(crate) async fn next(&mut self) -> Result<Event, ClientError> {
        let lost = |error: &dyn std::fmt::Display| ClientError::Connection(error.to_string());
        match self {
            Self::V311(events) => match events.poll().await {
                Ok(event) => Ok(event_v311(event)),
                Err(error) => {
                    make_room(&mut events.mqtt_options, &error);
                    Err(lost(&error))
                }
            },
            Self::V5(events) => match events.poll().await {
                Ok(event) => Ok(event_v5(event)),
                Err(error) => Err(lost(&error)),
            },
        }
    }

    /// Ends the connection, forgets queued acknowledgements, and answers the messages that were read
    /// from it and not yet given out: the library would give them out after the next CONNACK, where
    /// their packet ids mean other messages.
    pub(crate) fn drop_connection(&mut self) -> Vec<Message> {
        let events: Vec<Event> = match self {
            Self::V311(events) => {
                events.clean();
                events.state.events.drain(..).map(event_v311).collect()
            }
            Self::V5(events) => {
                events.clean();
                events.state.events.drain(..).map(event_v5).collect()
            }
        };
        let messages = events.into_iter().filter_map(|event| match event {
            Event::Message(message) => Some(message),
            _ => None,
        });
        messages.collect()
    }
}

fn event_v311(event: rumqttc::Event) -> Event {
    use rumqttc::{Event as Raw, Outgoing, Packet, SubscribeReasonCode};
    match event {
        Raw::Incoming(Packet::ConnAck(answer)) => Event::Connected {
            session_present: answer.session_present,
        },
        Raw::Incoming(Packet::Publish(publish)) => Event::Message(Message {
            packet: (publish.qos != rumqttc::QoS::AtMostOnce).then_some(publish.pkid),
            topic: publish.topic.into(),
            payload: publish.payload,
            retained: publish.retain,
        }),
        Raw::Incoming(Packet::SubAck(answer)) => Event::Subscribed {
            refused: (0..)
                .zip(answer.return_codes)
                .filter(|(_, code)| matches!(code, SubscribeReasonCode::Failure))
                .map(|(index, _)| (index, "the broker gives no reason".to_owned()))
                .collect(),
        },
        Raw::Outgoing(Outgoing::PubAck(_)) => Event::Acknowledged,
        _ => Event::Other,
    }
}

fn event_v5(event: v5::Event) -> Event {
    use v5::mqttbytes::QoS;
    use v5::mqttbytes::v5::{Packet, SubscribeReasonCode};
    match event {
        v5::Event::Incoming(Packet::ConnAck(answer)) => Event::Connected {
            session_present: answer.session_present,
        },
        v5::Event::Incoming(Packet::Publish(publish)) => Event::Message(Message {
            packet: (publish.qos != QoS::AtMostOnce).then_some(publish.pkid),
            topic: publish.topic,
            payload: publish.payload,
            retained: publish.retain,
        }),
        v5::Event::Incoming(Packet::SubAck(answer)) => Event::Subscribed {
            refused: (0..)
                .zip(answer.return_codes)
                .filter(|(_, code)| !matches!(code, SubscribeReasonCode::Success(_)))
                .map(|(index, code)| (index, format!("{code:?}")))
                .collect(),
        },
        v5::Event::Outgoing(rumqttc::Outgoing::PubAck(_)) => Event::Acknowledged,
        _ => Event::Other,
    }
}
