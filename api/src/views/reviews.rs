//! The review queue: what the ledger found, and what a person decides about it.

use serde::Serialize;
use utoipa::ToSchema;

use super::books::VerdictWord;

/// Answer of `reviews`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reviews {
    /// Findings that wait for a person, on the whole site.
    pub open_total: u64,
    /// By time of the first reading in question.
    pub reviews: Vec<Review>,
    /// Whether there are more than `limit`.
    pub more: bool,
}

/// A finding: something in a meter's registers that is not plain counting.
#[derive(Debug, Serialize, ToSchema)]
pub struct Review {
    /// `meter~quantity~milliseconds`
    pub id: String,
    /// Who settled it.
    pub state: ReviewState,
    /// What it is, or what it most likely is.
    pub kind: FindingWord,
    /// Where.
    pub point: String,
    /// Chinese name of the point.
    pub point_name_zh: String,
    /// English name of the point.
    pub point_name_en: String,
    /// Whose.
    pub institution: Option<String>,
    /// Which meter.
    pub meter: String,
    /// Which series.
    pub quantity: String,
    /// Unit of the registers.
    pub unit: String,
    /// By what registers are multiplied to become amounts.
    pub ratio: u32,
    /// The first reading in question.
    #[schema(format = DateTime)]
    pub at: String,
    /// The last one.
    #[schema(format = DateTime)]
    pub until: String,
    /// Readings that it holds out of the ledger.
    pub held_out: u64,
    /// Why.
    pub evidence: Evidence,
    /// What a person may decide.
    pub verdicts: Vec<VerdictWord>,
    /// What was decided.
    pub decision: Option<Decided>,
}

/// The numbers on which a finding rests, in the unit of the quantity, before ratios.
#[derive(Debug, Serialize, ToSchema)]
pub struct Evidence {
    /// The last confirmed reading before it.
    pub before: Option<Register>,
    /// The first reading in question.
    pub first: Register,
    /// The last one.
    pub last: Register,
    /// The first reading after them.
    pub after: Option<Register>,
    /// Where the register begins again at zero, where that is known.
    pub modulus: Option<f64>,
    /// The smallest step that the register shows, where that is known.
    pub resolution: Option<f64>,
    /// The most that the rating allows between `before` and `first`, where the rating is known.
    pub rise_max: Option<f64>,
    /// For a frozen register: the energy that power says has flowed.
    pub flowed: Option<f64>,
}

/// A register at an instant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Register {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// What it showed.
    pub value: f64,
}

/// What a person decided.
#[derive(Debug, Serialize, ToSchema)]
pub struct Decided {
    /// The event in the books.
    pub event: u64,
    /// What.
    pub verdict: VerdictWord,
    /// The last reading that a `discard` takes out.
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    #[schema(format = DateTime)]
    pub entered_at: String,
}

/// Who settled a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// It waits for a person; what follows it is provisional.
    Open,
    /// A person decided.
    Decided,
    /// A rule is certain of it.
    Rule,
}

/// Which findings are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewStateAsked {
    /// Those that wait for a person.
    Open,
    /// Those that a person decided.
    Decided,
    /// Those that a rule is certain of.
    Rule,
    /// All of them.
    All,
}

/// What a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FindingKind)]
pub enum FindingWord {
    /// The register passed its modulus and began again at zero.
    Rollover,
    /// The register was set to zero and counts on from there.
    Reset,
    /// Another device counts on from another register.
    Replacement,
    /// A fall within the register's resolution.
    Jitter,
    /// Readings that left the register's course and came back to it.
    Glitch,
    /// A fall that none of the rules explains.
    Fall,
    /// A rise beyond what the meter's rating allows.
    Rise,
    /// No change of the register while power flows.
    Frozen,
    /// A configured exchange of meters without the registers of a replacement.
    ExchangeWithoutRegisters,
    /// Below zero, or beyond what a register can hold.
    OutOfRange,
}

impl From<steward_model::FindingKind> for FindingWord {
    fn from(kind: steward_model::FindingKind) -> Self {
        use steward_model::FindingKind as Kind;
        match kind {
            Kind::Rollover => Self::Rollover,
            Kind::Reset => Self::Reset,
            Kind::Replacement => Self::Replacement,
            Kind::Jitter => Self::Jitter,
            Kind::Glitch => Self::Glitch,
            Kind::Fall => Self::Fall,
            Kind::Rise => Self::Rise,
            Kind::Frozen => Self::Frozen,
            Kind::ExchangeWithoutRegisters => Self::ExchangeWithoutRegisters,
            Kind::OutOfRange => Self::OutOfRange,
        }
    }
}

/// Body of `POST reviews/{id}/decision`.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewDecision {
    /// What the readings in question are.
    pub verdict: VerdictWord,
    /// For `discard`: the last wrong reading; the last one in question unless told.
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// Why: it stands in the books.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
}
