//! The books: what happened, and what a person may enter.

use serde::Serialize;
use utoipa::ToSchema;

/// Answer of `events`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Events {
    /// The newest first.
    pub events: Vec<EventEntry>,
    /// Where to go on, as `before`, when there may be more.
    pub next_before: Option<u64>,
    /// The number of the last event of the books; 0 where they are empty.
    pub last_seq: u64,
}

/// An event as it stands in the books.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventEntry {
    /// Running number from 1, without holes.
    pub seq: u64,
    /// When it was entered.
    #[schema(format = DateTime)]
    pub entered_at: String,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What.
    pub event: EventView,
    /// The event that took this one back.
    pub undone_by: Option<u64>,
}

/// Kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A meter was replaced.
    MeterReplaced,
    /// A person decided what a finding means.
    ReviewDecided,
    /// A register was read by a person.
    HandReading,
    /// Readings of a series do not count.
    ReadingsVoided,
    /// An invoice came.
    InvoiceEntered,
    /// A month was proposed for closing.
    CloseProposed,
    /// Another person approved the proposal.
    CloseApproved,
    /// The proposal was turned down.
    CloseRejected,
    /// An earlier event was a mistake.
    Undone,
}

impl EventKind {
    /// Every kind.
    pub(crate) const ALL: [Self; 9] = [
        Self::MeterReplaced,
        Self::ReviewDecided,
        Self::HandReading,
        Self::ReadingsVoided,
        Self::InvoiceEntered,
        Self::CloseProposed,
        Self::CloseApproved,
        Self::CloseRejected,
        Self::Undone,
    ];

    /// The word used in URLs and JSON, as the books say it.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::MeterReplaced => "meter_replaced",
            Self::ReviewDecided => "review_decided",
            Self::HandReading => "hand_reading",
            Self::ReadingsVoided => "readings_voided",
            Self::InvoiceEntered => "invoice_entered",
            Self::CloseProposed => "close_proposed",
            Self::CloseApproved => "close_approved",
            Self::CloseRejected => "close_rejected",
            Self::Undone => "undone",
        }
    }
}

/// What happened.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[schema(as = Event)]
pub enum EventView {
    /// A meter was replaced.
    MeterReplaced {
        /// Where.
        point: String,
        /// When.
        #[schema(format = DateTime)]
        at: String,
        /// The meter that left.
        old_meter: String,
        /// Its last register, before ratios.
        old_last: f64,
        /// The meter that came.
        new_meter: String,
        /// Its first register, before ratios.
        new_first: f64,
        /// Their other registers that were stated.
        others: Vec<OtherRegisterView>,
        /// Unit of the registers.
        unit: Option<String>,
    },
    /// A person decided what a finding means.
    ReviewDecided {
        /// Id of the review.
        review: String,
        /// Whose readings.
        meter: String,
        /// Which series.
        quantity: String,
        /// The first reading in question.
        #[schema(format = DateTime)]
        at: String,
        /// What was decided.
        verdict: VerdictWord,
        /// The last reading that a `discard` takes out.
        #[schema(format = DateTime)]
        until: Option<String>,
    },
    /// A register was read by a person.
    HandReading {
        /// Which meter.
        meter: String,
        /// Which series.
        quantity: String,
        /// Unit of the value.
        unit: String,
        /// When.
        #[schema(format = DateTime)]
        at: String,
        /// As the register showed it.
        value: f64,
    },
    /// Readings of a series do not count.
    ReadingsVoided {
        /// Which meter.
        meter: String,
        /// Which series.
        quantity: String,
        /// The first.
        #[schema(format = DateTime)]
        from: String,
        /// The last.
        #[schema(format = DateTime)]
        to: String,
    },
    /// An invoice came.
    InvoiceEntered {
        /// As its supplier wrote it.
        invoice: InvoiceText,
    },
    /// A month was proposed for closing.
    CloseProposed {
        /// Whose.
        institution: String,
        /// `yyyy-mm`.
        month: String,
        /// 1, and one more for each revision.
        revision: u32,
        /// SHA-256 of the frozen content.
        content_sha256: String,
    },
    /// Another person approved the proposal.
    CloseApproved {
        /// The proposal's number.
        proposal: u64,
    },
    /// The proposal was turned down.
    CloseRejected {
        /// The proposal's number.
        proposal: u64,
    },
    /// An earlier event was a mistake.
    Undone {
        /// Its number.
        seq: u64,
    },
}

/// An invoice as its supplier wrote it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InvoiceText {
    /// The account's id.
    pub account: String,
    /// The supplier's number of the invoice.
    pub number: String,
    /// First day, local.
    #[schema(format = Date)]
    pub from: String,
    /// First day after.
    #[schema(format = Date)]
    pub to: String,
    /// In the commodity's unit, as decimal text.
    pub amount: String,
    /// The sum to pay, as decimal text.
    pub cost_cny: String,
    /// Maximum demand, where it is invoiced.
    pub demand_kw: Option<String>,
    /// Power factor, where it is invoiced.
    pub power_factor: Option<String>,
}

/// Verdicts about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Verdict)]
pub enum VerdictWord {
    /// The reading is right.
    Accept,
    /// The register passed its modulus.
    Rollover,
    /// The register counts on from here; what flowed in between is unknown.
    Restart,
    /// The readings in question are wrong.
    Discard,
}

impl VerdictWord {
    /// Every verdict.
    pub(crate) const ALL: [Self; 4] = [Self::Accept, Self::Rollover, Self::Restart, Self::Discard];

    /// The word used in JSON.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Rollover => "rollover",
            Self::Restart => "restart",
            Self::Discard => "discard",
        }
    }
}

/// Body of `POST events`.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewEvent {
    /// Why: it stands in the books.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
    /// What.
    pub event: NewEventKind,
}

/// What a person may enter. Reviews, invoices, closes and undoing have addresses of their own.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum NewEventKind {
    /// A meter was replaced; or a device behind the same address, where both ids are the same.
    MeterReplaced {
        /// Where.
        #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
        point: String,
        /// When.
        #[schema(format = DateTime)]
        at: String,
        /// The meter that leaves.
        #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
        old_meter: String,
        /// Its last register, in the unit of the quantity, before ratios.
        old_last: f64,
        /// The meter that comes.
        #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
        new_meter: String,
        /// Its first register.
        new_first: f64,
        /// Other registers of these meters that points read, such as `energy_export` for a feed-in.
        /// One that is not stated begins anew.
        #[schema(required = false, max_items = 22)]
        others: Option<Vec<OtherRegisterView>>,
    },
    /// A register was read by a person.
    HandReading {
        /// The meter.
        #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
        meter: String,
        /// The series, such as `energy_import`.
        quantity: QuantityWord,
        /// When.
        #[schema(format = DateTime)]
        at: String,
        /// What it showed, in the unit of the quantity, before ratios.
        value: f64,
    },
    /// Readings of a series do not count, though they stay where they are.
    ReadingsVoided {
        /// The meter.
        #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
        meter: String,
        /// The series.
        quantity: QuantityWord,
        /// From here, included.
        #[schema(format = DateTime)]
        from: String,
        /// To here, included.
        #[schema(format = DateTime)]
        to: String,
    },
}

/// Another register of meters that were exchanged, in the unit of the quantity, before ratios.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OtherRegister)]
pub struct OtherRegisterView {
    /// Which.
    pub quantity: QuantityWord,
    /// The last of the meter that leaves.
    pub old_last: f64,
    /// The first of the meter that comes.
    pub new_first: f64,
}

/// A measured quantity. Its words are put into the contract from the model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Quantity)]
pub struct QuantityWord(pub String);

/// Body of `POST events/{seq}/undo`.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewUndo {
    /// Why: it stands in the books.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
}
