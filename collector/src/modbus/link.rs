//! The wire to one gateway: one request at a time, each with its timeout, each answer checked.

use std::future::Future;
use std::time::Duration;

use tokio_modbus::client::{Client as _, Context, tcp};
use tokio_modbus::slave::{Slave, SlaveContext as _};
use tokio_modbus::{ExceptionCode, Request, Response};

/// Why a request has no answer that may be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    #[error("{0}")]
    Io(String),
    #[error("the answer does not belong to the request")]
    Mismatch,
    #[error("{got} registers where {asked} were asked for")]
    WrongCount { asked: u16, got: usize },
    #[error("exception {0}: {meaning}", meaning = exception_meaning(*.0))]
    Exception(u8),
}

/// What an error means for what is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The device answers, but not now.
    Transient,
    /// The device will not answer this request today.
    Permanent,
    /// The gateway says that the device is not there.
    Device,
    /// The connection can no longer be trusted: a late answer could be believed.
    Line,
}

impl LinkError {
    pub(crate) const fn severity(&self) -> Severity {
        match self {
            Self::Timeout(_) | Self::Io(_) | Self::Mismatch | Self::WrongCount { .. } => {
                Severity::Line
            }
            // Illegal function, illegal data address, illegal data value.
            Self::Exception(1..=3) => Severity::Permanent,
            // Gateway path unavailable, gateway target device failed to respond.
            Self::Exception(10 | 11) => Severity::Device,
            Self::Exception(_) => Severity::Transient,
        }
    }

    /// The reason's word in metrics.
    pub(crate) const fn id(&self) -> &'static str {
        match self {
            Self::Timeout(_) => "timeout",
            Self::Io(_) => "io",
            Self::Mismatch => "mismatch",
            Self::WrongCount { .. } => "wrong_count",
            Self::Exception(1) => "illegal_function",
            Self::Exception(2) => "illegal_address",
            Self::Exception(3) => "illegal_value",
            Self::Exception(4) => "device_failure",
            Self::Exception(5) => "acknowledge",
            Self::Exception(6) => "busy",
            Self::Exception(10) => "path_unavailable",
            Self::Exception(11) => "target_silent",
            Self::Exception(_) => "exception",
        }
    }
}

const fn exception_meaning(code: u8) -> &'static str {
    match code {
        1 => "illegal function",
        2 => "illegal data address",
        3 => "illegal data value",
        4 => "server device failure",
        5 => "acknowledge, still working",
        6 => "server device busy",
        8 => "memory parity error",
        10 => "gateway path unavailable",
        11 => "gateway target device failed to respond",
        _ => "not in the standard",
    }
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) unit: u8,
    pub(crate) function: u8,
    pub(crate) address: u16,
    pub(crate) count: u16,
}

/// A connection. Bits come as words of 0 and 1.
pub(crate) trait Link: Send {
    fn read(&mut self, ask: Ask) -> impl Future<Output = Result<Vec<u16>, LinkError>> + Send;
}

/// Makes connections.
pub(crate) trait Dial: Send + Sync {
    type Link: Link;
    fn dial(&self) -> impl Future<Output = Result<Self::Link, LinkError>> + Send;
}

/// Modbus TCP to one address.
#[derive(Clone, Debug)]
pub(crate) struct TcpDial {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) timeout: Duration,
}

impl Dial for TcpDial {
    type Link = TcpLink;

    async fn dial(&self) -> Result<TcpLink, LinkError> {
        let address = (self.host.as_str(), self.port);
        let stream = tokio::time::timeout(self.timeout, tokio::net::TcpStream::connect(address))
            .await
            .map_err(|_| LinkError::Timeout(self.timeout))?
            .map_err(|error| LinkError::Io(error.to_string()))?;
        stream
            .set_nodelay(true)
            .map_err(|error| LinkError::Io(error.to_string()))?;
        Ok(TcpLink {
            context: tcp::attach(stream),
            timeout: self.timeout,
        })
    }
}

pub(crate) struct TcpLink {
    context: Context,
    timeout: Duration,
}

impl Link for TcpLink {
    async fn read(&mut self, ask: Ask) -> Result<Vec<u16>, LinkError> {
        let request = match ask.function {
            1 => Request::ReadCoils(ask.address, ask.count),
            2 => Request::ReadDiscreteInputs(ask.address, ask.count),
            3 => Request::ReadHoldingRegisters(ask.address, ask.count),
            _ => Request::ReadInputRegisters(ask.address, ask.count),
        };
        self.context.set_slave(Slave(ask.unit));
        // `call`, not `read_…_registers`: those check the count only in debug builds, by a panic.
        let answer = tokio::time::timeout(self.timeout, self.context.call(request))
            .await
            .map_err(|_| LinkError::Timeout(self.timeout))?
            .map_err(|error| match error {
                tokio_modbus::Error::Protocol(_) => LinkError::Mismatch,
                tokio_modbus::Error::Transport(error) => LinkError::Io(error.to_string()),
            })?;
        words(ask, answer)
    }
}

fn words(ask: Ask, answer: Result<Response, ExceptionCode>) -> Result<Vec<u16>, LinkError> {
    let asked = ask.count;
    let wrong = |got| Err(LinkError::WrongCount { asked, got });
    match answer.map_err(|code| LinkError::Exception(code.into()))? {
        Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words) => {
            if words.len() == usize::from(asked) {
                Ok(words)
            } else {
                wrong(words.len())
            }
        }
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => {
            // Bits come in whole bytes.
            if bits.len() == usize::from(asked).div_ceil(8) * 8 {
                let count = usize::from(asked);
                Ok(bits.into_iter().take(count).map(u16::from).collect())
            } else {
                wrong(bits.len())
            }
        }
        _ => Err(LinkError::Mismatch),
    }
}
