//! What is appended, and what comes back.

use steward_model::{Batch, GatewayId, UtcMs};

/// One thing to make durable. It is committed whole or not at all, and has one receipt.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// The readings of one poll or message. Without readings nothing is written.
    Batch(Batch),
    /// Something that could not be understood or placed.
    Quarantine(Quarantined),
    /// One message of which some was understood.
    Mixed {
        /// What was understood.
        batch: Option<Batch>,
        /// What was not.
        quarantine: Vec<Quarantined>,
    },
}

/// Something set aside with its bytes as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// When we received it.
    pub received_at: UtcMs,
    /// By which way.
    pub gateway: GatewayId,
    /// The topic or the unit id.
    pub source: String,
    /// Why.
    pub reason: Reason,
    /// What exactly was wrong, in words.
    pub detail: String,
    /// The bytes as they came.
    pub payload: Vec<u8>,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $id:literal;)*) => {
        /// Why something was set aside. A bounded set: it is a label of metrics.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[$doc])* $variant,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word used on disk, in URLs, labels and JSON.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// The reason called `id`.
            pub fn from_id(id: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.id() == id)
            }
        }
    };
}

reasons! {
    /// The bytes are no JSON.
    NotJson = "not_json";
    /// The bytes are no text.
    NotUtf8 = "not_utf8";
    /// There are no bytes, or no readings in them.
    Empty = "empty";
    /// A field that the profile needs is missing.
    MissingField = "missing_field";
    /// A value is no finite number.
    NotANumber = "not_a_number";
    /// A value lies outside what its meter can show.
    OutOfRange = "out_of_range";
    /// Registers do not hold what their type says, such as a digit above nine in BCD.
    BadEncoding = "bad_encoding";
    /// An answer has another length than was asked for.
    WrongLength = "wrong_length";
    /// The topic fits no pattern.
    UnknownTopic = "unknown_topic";
    /// The registry has no such meter.
    UnknownMeter = "unknown_meter";
    /// The profile has no such quantity.
    UnknownQuantity = "unknown_quantity";
    /// A time that cannot be read.
    BadTimestamp = "bad_timestamp";
    /// A time that is too far ahead.
    Future = "future";
    /// A time before what the store keeps.
    TooOld = "too_old";
    /// More bytes than are accepted.
    TooLarge = "too_large";
    /// Anything else; the detail says it. Also what a newer program wrote.
    Other = "other";
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

/// What [`crate::JournalReader::read_after`] yields, in the order of `seq`.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// A good row.
    Batch(StoredBatch),
    /// One or more rows in a row that are no longer there.
    Gap(Gap),
}

impl Stored {
    /// The last `seq` that this covers: where the cursor stands once it is dealt with.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Batch(batch) => batch.seq,
            Self::Gap(gap) => gap.seq,
        }
    }

    /// How many running numbers of readings this covers.
    pub fn readings(&self) -> u64 {
        match self {
            Self::Batch(batch) => batch.batch.readings.len() as u64,
            Self::Gap(gap) => gap.readings,
        }
    }
}

/// A batch with its place in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredBatch {
    /// The row's number.
    pub seq: u64,
    /// The running number of its first reading, from one.
    pub first_reading: u64,
    /// The batch as it was appended.
    pub batch: Batch,
}

/// Readings that were received and cannot be read any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last missing row.
    pub seq: u64,
    /// The running number of the first missing reading.
    pub first_reading: u64,
    /// How many readings are missing. Zero where rows are gone of which none was unaccounted for.
    pub readings: u64,
    /// Why they are missing.
    pub cause: GapCause,
}

/// Why rows are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapCause {
    /// Damaged on disk, or lost with the tail of the write-ahead log.
    Damaged,
    /// Every registered reader was past them, and the journal made room.
    Reclaimed,
}
