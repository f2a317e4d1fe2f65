//! What can happen. An event is never changed and never removed; what was entered by mistake is
//! taken back by another event, and both stay.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use steward_model::{InstitutionId, MeterId, PointId, Quantity, UtcMs};
use utoipa::ToSchema;

/// An event as it stands in the books.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// Running number from 1, without holes: the order of the books.
    pub seq: u64,
    /// When it was entered.
    #[schema(value_type = i64)]
    pub entered_at: UtcMs,
    /// By whom: the name of the token, or of the person at the command line.
    pub by: String,
    /// Why, in words.
    pub reason: String,
    /// What.
    pub event: Event,
    /// The event that took this one back.
    pub undone_by: Option<u64>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Event {
    /// A meter was replaced.
    MeterReplaced(Replacement),
    /// A person decided what a finding means.
    ReviewDecided(Decision),
    /// A register was read by a person.
    HandReading(HandReading),
    /// Readings of a series do not count.
    ReadingsVoided(Voided),
    /// An invoice came.
    InvoiceEntered(Invoice),
    /// A month was proposed for closing, or a closed one for revision.
    CloseProposed(CloseProposal),
    /// Another person approved the proposal: the month is closed.
    CloseApproved(CloseVerdict),
    /// The proposal was turned down.
    CloseRejected(CloseVerdict),
    /// An earlier event was a mistake.
    Undone(Undone),
}

/// One meter follows another at a point; or one device another behind the same address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Replacement {
    /// The point.
    #[schema(value_type = String)]
    pub point: PointId,
    /// When.
    #[schema(value_type = i64)]
    pub at: UtcMs,
    /// The meter that leaves.
    #[schema(value_type = String)]
    pub old_meter: MeterId,
    /// Its last register, in the unit of the quantity, before ratios.
    pub old_last: f64,
    /// The meter that comes; the same id where the device behind an address was exchanged.
    #[schema(value_type = String)]
    pub new_meter: MeterId,
    /// Its first register.
    pub new_first: f64,
    /// The meters' other registers that points read, such as `energy_export` for a feed-in. One that
    /// is not stated begins anew, and what flowed since its last reading is unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherRegister>,
}

impl Replacement {
    /// The last register of the old meter and the first of the new one in a series, where `main` is
    /// the counter of the point that has the meters.
    pub fn registers(&self, main: Quantity, quantity: Quantity) -> Option<(f64, f64)> {
        if quantity == main {
            return Some((self.old_last, self.new_first));
        }
        let other = self.others.iter().find(|one| one.quantity == quantity)?;
        Some((other.old_last, other.new_first))
    }
}

/// Another register of meters that were exchanged, in the unit of the quantity, before ratios.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OtherRegister {
    /// Which.
    #[schema(value_type = String)]
    pub quantity: Quantity,
    /// The last of the meter that leaves.
    pub old_last: f64,
    /// The first of the meter that comes.
    pub new_first: f64,
}

/// What a person decided about a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// Meter of the finding.
    #[schema(value_type = String)]
    pub meter: MeterId,
    /// Series of the finding.
    #[schema(value_type = String)]
    pub quantity: Quantity,
    /// Time of its first reading in question.
    #[schema(value_type = i64)]
    pub at: UtcMs,
    /// The verdict.
    pub verdict: Verdict,
}

/// Verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// The reading is right: the register really rose by so much.
    Accept,
    /// The register passed its modulus; needs a known modulus.
    Rollover,
    /// The register was reset or the device exchanged without a last register: it counts on from
    /// here, and what flowed in between is unknown.
    Restart,
    /// The readings from the first in question up to this instant, included, are wrong.
    Discard {
        /// The last wrong reading.
        #[schema(value_type = i64)]
        until: UtcMs,
    },
}

/// A register that a person read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HandReading {
    /// The meter.
    #[schema(value_type = String)]
    pub meter: MeterId,
    /// The series.
    #[schema(value_type = String)]
    pub quantity: Quantity,
    /// When.
    #[schema(value_type = i64)]
    pub at: UtcMs,
    /// What it showed, in the unit of the quantity, before ratios.
    pub value: f64,
}

/// Readings that do not count, though they stay where they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Voided {
    /// The meter.
    #[schema(value_type = String)]
    pub meter: MeterId,
    /// The series.
    #[schema(value_type = String)]
    pub quantity: Quantity,
    /// From here, included.
    #[schema(value_type = i64)]
    pub from: UtcMs,
    /// To here, included.
    #[schema(value_type = i64)]
    pub to: UtcMs,
}

/// An invoice as its supplier wrote it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Invoice {
    /// The account's id.
    pub account: String,
    /// The supplier's number of the invoice; with the account its key.
    pub number: String,
    /// First day, local.
    pub from: NaiveDate,
    /// First day after.
    pub to: NaiveDate,
    /// The amount in the commodity's display unit: kWh, m³, GJ, …
    #[schema(value_type = String)]
    pub amount: Decimal,
    /// The sum to pay in CNY.
    #[schema(value_type = String)]
    pub cost_cny: Decimal,
    /// Maximum demand in kW, where it is invoiced.
    #[schema(value_type = Option<String>)]
    pub demand_kw: Option<Decimal>,
    /// Power factor, where it is invoiced.
    #[schema(value_type = Option<String>)]
    pub power_factor: Option<Decimal>,
}

/// A month as it is to be closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CloseProposal {
    /// Whose.
    #[schema(value_type = String)]
    pub institution: InstitutionId,
    /// `yyyy-mm`.
    pub month: String,
    /// 1, and one more for each revision of a closed month.
    pub revision: u32,
    /// SHA-256 (hex) of `content`.
    pub content_sha256: String,
    /// The frozen figures, as canonical JSON. Composed and read by the report.
    pub content: String,
    /// The checklist as it stood, as JSON.
    pub checklist: String,
}

/// What the checker said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CloseVerdict {
    /// The proposal's number in the books.
    pub proposal: u64,
}

/// An event that was a mistake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Undone {
    /// Its number.
    pub seq: u64,
}

impl Event {
    /// The word used in URLs, JSON and the table.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::MeterReplaced(_) => "meter_replaced",
            Self::ReviewDecided(_) => "review_decided",
            Self::HandReading(_) => "hand_reading",
            Self::ReadingsVoided(_) => "readings_voided",
            Self::InvoiceEntered(_) => "invoice_entered",
            Self::CloseProposed(_) => "close_proposed",
            Self::CloseApproved(_) => "close_approved",
            Self::CloseRejected(_) => "close_rejected",
            Self::Undone(_) => "undone",
        }
    }
}
