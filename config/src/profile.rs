//! A meter model as data: registers or payload paths, types, units, probe, golden vectors.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use steward_model::{ProfileId, Quantity, UtcMs};

use crate::registry::CounterLimits;

/// A meter model.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Id: the file's name.
    pub id: ProfileId,
    /// Maker.
    pub maker: String,
    /// Model.
    pub model: String,
    /// Where the numbers come from.
    pub source: String,
    /// A, B, C, D or U as in the factor files; `O` where the layout is our own.
    pub confidence: char,
    /// What to know before trusting it.
    pub caveats: Vec<String>,
    /// Whether counters already contain CT and PT ratios.
    pub side: RatioSide,
    /// What its counters can show and how fast they can rise; one entry a counter.
    pub counters: BTreeMap<Quantity, CounterLimits>,
    /// How it is read.
    pub body: ProfileBody,
    /// What the decoder must make of known bytes; a test walks every profile.
    pub golden: Vec<Golden>,
}

/// Known bytes and what they mean. Expected values are in the unit of the quantity.
#[derive(Clone, Debug, PartialEq)]
pub enum Golden {
    /// Registers by wire address.
    Registers {
        /// What the meter answers.
        registers: BTreeMap<u16, u16>,
        /// What it means.
        expect: Vec<(Quantity, f64)>,
    },
    /// A message.
    Payload {
        /// The message.
        payload: String,
        /// Its own time, where it tells one.
        at: Option<UtcMs>,
        /// What it means.
        expect: Vec<(Quantity, f64)>,
    },
}

/// On which side of the transformers the registers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatioSide {
    /// Ratios are already applied, or there are none. A meter's ratio must be 1.
    Primary,
    /// The meter's ratio multiplies energy and power.
    Secondary,
}

/// How a model is read.
#[derive(Clone, Debug)]
pub enum ProfileBody {
    /// Registers.
    Modbus(ModbusProfile),
    /// JSON payloads.
    Mqtt(MqttProfile),
}

/// Registers of a Modbus meter.
#[derive(Clone, Debug)]
pub struct ModbusProfile {
    /// What to read.
    pub registers: Vec<RegisterSpec>,
    /// A register whose plausible value proves the model: spec and bounds in the quantity's unit.
    pub probe: Option<(RegisterSpec, f64, f64)>,
}

/// One quantity in registers. Value = (raw × scale + offset) in `unit`; `factor` makes it the
/// quantity's own unit.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisterSpec {
    /// What it is.
    pub quantity: Quantity,
    /// Function code 1 to 4.
    pub function: u8,
    /// Address on the wire, counted from zero.
    pub address: u16,
    /// Type.
    pub kind: RegisterType,
    /// Order of words and bytes.
    pub order: WordOrder,
    /// Multiplier.
    pub scale: f64,
    /// Added after scaling.
    pub offset: f64,
    /// From the written unit to the quantity's unit.
    pub factor: f64,
}

/// Register types. `Bit` is a coil or discrete input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterType {
    /// Coil or discrete input (functions 1 and 2).
    Bit,
    /// 16-bit unsigned.
    U16,
    /// 16-bit signed.
    I16,
    /// 32-bit unsigned.
    U32,
    /// 32-bit signed.
    I32,
    /// 64-bit unsigned.
    U64,
    /// 64-bit signed.
    I64,
    /// IEEE 754 single.
    F32,
    /// IEEE 754 double.
    F64,
    /// Four decimal digits in one register.
    Bcd16,
    /// Eight decimal digits.
    Bcd32,
    /// Sixteen decimal digits.
    Bcd64,
}

impl RegisterType {
    /// Every type by the word that profiles use.
    pub const ALL: [(&'static str, Self); 12] = [
        ("bit", Self::Bit),
        ("u16", Self::U16),
        ("i16", Self::I16),
        ("u32", Self::U32),
        ("i32", Self::I32),
        ("u64", Self::U64),
        ("i64", Self::I64),
        ("f32", Self::F32),
        ("f64", Self::F64),
        ("bcd16", Self::Bcd16),
        ("bcd32", Self::Bcd32),
        ("bcd64", Self::Bcd64),
    ];

    /// Whether it holds whole numbers, so that its scale is its smallest step.
    pub const fn is_whole(self) -> bool {
        !matches!(self, Self::F32 | Self::F64)
    }

    /// Registers (or bits) that it takes.
    pub const fn words(self) -> u16 {
        match self {
            Self::Bit | Self::U16 | Self::I16 | Self::Bcd16 => 1,
            Self::U32 | Self::I32 | Self::F32 | Self::Bcd32 => 2,
            Self::U64 | Self::I64 | Self::F64 | Self::Bcd64 => 4,
        }
    }
}

/// Order of words and of bytes within a word, in the letters users know for 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordOrder {
    /// Big-endian words and bytes.
    Abcd,
    /// Little-endian words, big-endian bytes.
    Cdab,
    /// Big-endian words, bytes swapped.
    Badc,
    /// Little-endian words and bytes.
    Dcba,
}

impl WordOrder {
    /// Every order by the letters that profiles use.
    pub const ALL: [(&'static str, Self); 4] = [
        ("ABCD", Self::Abcd),
        ("CDAB", Self::Cdab),
        ("BADC", Self::Badc),
        ("DCBA", Self::Dcba),
    ];
}

impl Profile {
    /// Every quantity that it gives.
    pub fn quantities(&self) -> Vec<Quantity> {
        self.body.quantities()
    }
}

impl ProfileBody {
    /// Every quantity that it gives.
    pub fn quantities(&self) -> Vec<Quantity> {
        match self {
            Self::Modbus(body) => body.registers.iter().map(|one| one.quantity).collect(),
            Self::Mqtt(body) => body.quantities.iter().map(|one| one.quantity).collect(),
        }
    }
}

/// JSON payload of an MQTT meter.
#[derive(Clone, Debug)]
pub struct MqttProfile {
    /// Where the time is; `None` takes the time of receipt.
    pub timestamp: Option<TimestampSpec>,
    /// What to take.
    pub quantities: Vec<PayloadSpec>,
    /// JSON pointers of the gateway's boot number and sequence number, where it tells them.
    pub boot_pointer: Option<String>,
    /// See `boot_pointer`.
    pub seq_pointer: Option<String>,
}

/// One quantity in a payload.
#[derive(Clone, Debug, PartialEq)]
pub struct PayloadSpec {
    /// What it is.
    pub quantity: Quantity,
    /// JSON pointer (RFC 6901).
    pub pointer: String,
    /// Multiplier.
    pub scale: f64,
    /// From the written unit to the quantity's unit.
    pub factor: f64,
    /// Whether a message without it is still good.
    pub optional: bool,
}

/// Where and how a payload tells the time.
#[derive(Clone, Debug, PartialEq)]
pub struct TimestampSpec {
    /// JSON pointer.
    pub pointer: String,
    /// Format.
    pub format: TimestampFormat,
    /// Zone of formats that carry none.
    pub zone: Tz,
}

/// Timestamp formats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimestampFormat {
    /// Seconds since 1970, possibly with a fraction.
    UnixS,
    /// Milliseconds since 1970.
    UnixMs,
    /// RFC 3339.
    Rfc3339,
    /// A number is milliseconds since 1970, a text is RFC 3339.
    UnixMsOrRfc3339,
    /// A chrono pattern such as `%Y-%m-%dT%H:%M:%S`, in the zone of the spec.
    Pattern(String),
}
