//! What meters give.

use serde::{Deserialize, Serialize};

use crate::{GatewayId, MeterId, Quantity, UtcMs};

/// A number that is not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the value is not a finite number")]
pub struct NotFinite;

/// A finite number in the unit of its quantity. NaN and infinities cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Value(f64);

impl Value {
    /// Checks that `number` is finite. Minus zero becomes zero, so equal values have equal bytes.
    pub fn new(number: f64) -> Result<Self, NotFinite> {
        if number.is_finite() {
            Ok(Self(number + 0.0))
        } else {
            Err(NotFinite)
        }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Value {
    type Error = NotFinite;
    fn try_from(number: f64) -> Result<Self, NotFinite> {
        Self::new(number)
    }
}

impl From<Value> for f64 {
    fn from(value: Value) -> Self {
        value.0
    }
}

/// What is known about the making of a reading. The number is its code on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadingQuality {
    /// Value and time come from the meter.
    Good,
    /// The meter gave no sane time; `at` is when we received it.
    ReceiveTime,
    /// Read by a person.
    Manual,
}

impl ReadingQuality {
    /// The code on disk.
    pub const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::ReceiveTime => 1,
            Self::Manual => 2,
        }
    }

    /// The quality with this code on disk.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Good),
            1 => Some(Self::ReceiveTime),
            2 => Some(Self::Manual),
            _ => None,
        }
    }
}

/// One measured value. Its key is (meter, quantity, at).
///
/// The value is what the register shows, in the unit of the quantity, before CT and PT ratios:
/// a ratio entered late must be able to change the past, so raw readings never contain it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The device.
    pub meter: MeterId,
    /// What was measured.
    pub quantity: Quantity,
    /// When, by the meter's clock if that is sane.
    pub at: UtcMs,
    /// The value in the quantity's unit.
    pub value: Value,
    /// How it was made.
    pub quality: ReadingQuality,
}

/// The readings of one poll or one message; the unit of acknowledgement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// When we received it.
    pub received_at: UtcMs,
    /// By which way.
    pub gateway: GatewayId,
    /// The gateway's boot number, where it tells one.
    pub gateway_boot: Option<i64>,
    /// The gateway's own sequence number, where it tells one.
    pub gateway_seq: Option<i64>,
    /// The readings; never empty in the journal.
    pub readings: Vec<Reading>,
}
