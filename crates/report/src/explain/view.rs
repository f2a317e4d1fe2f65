//! What an explanation says.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::adjustments::AdjustmentEntry;
use crate::numbers::QualityShares;
use crate::report::{CloseInfo, FactorEntry, MonthState, TariffEntry};

/// Everything on which one figure rests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// `point:ID`, `building:ID`, `institution:ID` or `all`.
    pub scope: String,
    /// Chinese name of the point, building or institution.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// What is metered.
    pub commodity: String,
    /// `interval`, `hour`, `day`, `month` or `year`.
    pub span: String,
    /// Its first instant.
    #[schema(format = DateTime)]
    pub start: String,
    /// The first instant after.
    #[schema(format = DateTime)]
    pub end: String,
    /// The zone that decides what the span is.
    pub timezone: String,
    /// What the point is in totals: `counted`, `deducted`, `shared`, `aside`; null for a total.
    pub role: Option<String>,
    /// The integer unit of every `…_base`.
    pub base_unit: String,
    /// The unit of `amount`.
    pub unit: String,
    /// The exact amount; null where nothing of the span is known.
    pub amount_base: Option<i64>,
    /// The amount.
    pub amount: Option<f64>,
    /// Standard coal.
    pub kgce: Option<f64>,
    /// CO2, location-based.
    pub co2_kg: Option<f64>,
    /// Cost in CNY by the prices of bands; null where a part has no price.
    pub cost_cny: Option<f64>,
    /// How the amount is known.
    pub quality: Option<QualityShares>,
    /// Intervals with an amount.
    pub intervals_present: u64,
    /// Intervals that have ended.
    pub intervals_expected: u64,
    /// Whether a review is open on which the amount may depend.
    pub provisional: bool,
    /// Those reviews.
    pub reviews: Vec<FindingView>,
    /// For a virtual point: what it is made of. More than one where the formula changed.
    pub formulas: Vec<FormulaView>,
    /// For a metered point: meters, registers and readings.
    pub metering: Option<MeteringView>,
    /// What was found in the registers within the span, and what became of it.
    pub findings: Vec<FindingView>,
    /// Stretches without readings that reach into the span, and how they were filled.
    pub fills: Vec<FillView>,
    /// Factors used.
    pub factors: Vec<FactorEntry>,
    /// Tariff versions used.
    pub tariffs: Vec<TariffEntry>,
    /// Amount and cost by tariff version and band.
    pub bands: Vec<BandView>,
    /// Where the month stands, for a span of a month or within one.
    pub close: Option<CloseNote>,
    /// The shorter spans that make this one.
    pub spans: Vec<Branch>,
    /// For a total: the points that make it.
    pub points: Vec<Branch>,
    /// That the parts are the whole.
    pub checks: Vec<Check>,
    /// What cannot be told here, and why.
    pub notes: Vec<Note>,
}

/// A remark in two languages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Note {
    /// Chinese.
    pub text_zh: String,
    /// English.
    pub text_en: String,
}

/// A formula while it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FormulaView {
    /// As written, or as the allocation made it.
    pub text: String,
    /// First day.
    #[schema(format = Date)]
    pub from: String,
    /// First day after.
    #[schema(format = Date)]
    pub to: Option<String>,
    /// The allocation that made it.
    pub allocation: Option<AllocationView>,
    /// Its terms.
    pub terms: Vec<TermView>,
}

/// How a shared point is divided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AllocationView {
    /// The shared point.
    pub point: String,
    /// `share`, `floor_area` or `energy_users`.
    pub by: String,
    /// Who receives.
    pub receivers: Vec<String>,
    /// The point of what nobody receives.
    pub rest: String,
}

/// One term.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TermView {
    /// Point.
    pub point: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Its coefficient as a decimal.
    pub coefficient: String,
    /// What it gives to the amount, exactly.
    pub amount_base: i64,
    /// The explanation of the point.
    pub link: String,
}

/// Meters, registers and readings of a metered point.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeteringView {
    /// The series that is read.
    pub quantity: String,
    /// Its unit, before ratios.
    pub unit: String,
    /// Whether it is a power that is integrated, as no meter counts.
    pub integrated: bool,
    /// Whose meters are read, where the point has none of its own.
    pub metered_by: Option<String>,
    /// The meters of the span, in the order of their service.
    pub chain: Vec<ServiceView>,
    /// Runs of known registers: more than one where a series broke.
    pub runs: Vec<RunView>,
    /// What moved the register within the span beside counting.
    pub steps: Vec<StepView>,
    /// Readings of the span.
    pub readings: ReadingCounts,
}

/// A meter's time at the point with one ratio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceView {
    /// Meter.
    pub meter: String,
    /// Its profile.
    pub profile: String,
    /// `primary`: registers contain the ratios; `secondary`: the ratio multiplies them.
    pub side: String,
    /// The product of its transformers' ratios that multiplies the register.
    pub ratio: u32,
    /// First instant.
    #[schema(format = DateTime)]
    pub from: String,
    /// First instant after.
    #[schema(format = DateTime)]
    pub to: Option<String>,
    /// How it follows the one before: `anew`, `replaced` or `ratio`.
    pub link: String,
    /// The replacement's number in the books.
    pub event: Option<u64>,
    /// The last register of the meter before.
    pub old_last: Option<f64>,
    /// The first register of this one.
    pub new_first: Option<f64>,
    /// The smallest step that the register shows.
    pub resolution: f64,
    /// Where the register begins again at zero.
    pub modulus: Option<f64>,
    /// The most that it can rise in an hour.
    pub rise_max_per_h: Option<f64>,
}

/// A run of known registers within the span: its amount is end − start − what moved the frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunView {
    /// Where it begins.
    pub start: BoundaryView,
    /// Where it ends.
    pub end: BoundaryView,
    /// Σ of the rebases within it.
    pub rebased_base: i64,
    /// Its amount.
    pub amount_base: i64,
}

/// A register at an instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BoundaryView {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// The register in base units, in the frame of the meter that counts then. For an integrated
    /// power in thousandths of base units.
    pub register_base: i64,
    /// `exact`: a reading stands there; `linear`: between two; `even` and `shape`: within an
    /// outage; `integrated`; `first` and `last`: where the series begins and ends.
    pub method: String,
    /// In Chinese words.
    pub text_zh: String,
    /// In English words.
    pub text_en: String,
    /// The reading at or before it.
    pub before: Option<ReadingView>,
    /// The reading after it.
    pub after: Option<ReadingView>,
}

/// A reading that counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReadingView {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// Meter.
    pub meter: String,
    /// What it showed, before ratios; null for a register that a replacement states.
    pub value: Option<f64>,
    /// What multiplies it.
    pub ratio: u32,
    /// The register in base units, in its own frame.
    pub register_base: i64,
    /// Whether a person read it.
    pub manual: bool,
}

/// What moved the register's frame, or broke its series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepView {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// `rollover`, `reset`, `replacement`, `ratio`, `restart` or another finding's word.
    pub kind: String,
    /// By how much the registers before lie higher in the frame of those after; null for a break.
    pub rebased_base: Option<i64>,
    /// In Chinese words.
    pub text_zh: String,
    /// In English words.
    pub text_en: String,
}

/// How many readings of the span count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadingCounts {
    /// All that are stored or were entered by hand.
    pub total: u64,
    /// Those that count.
    pub counted: u64,
    /// Those that are held out, as the findings say.
    pub held_out: u64,
    /// Those that the books void.
    pub voided: u64,
    /// Those among the counted that a person read.
    pub by_hand: u64,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FindingView {
    /// The id of its review.
    pub id: String,
    /// Point.
    pub point: String,
    /// Meter.
    pub meter: String,
    /// Series.
    pub quantity: String,
    /// The first reading in question.
    #[schema(format = DateTime)]
    pub at: String,
    /// The last one.
    #[schema(format = DateTime)]
    pub until: String,
    /// Its kind.
    pub kind: String,
    /// Chinese name of the kind.
    pub kind_zh: String,
    /// `by_rule`, `open` or `decided`.
    pub state: String,
    /// Readings that it holds out.
    pub held_out: u64,
    /// The last register before it, before ratios.
    pub before: Option<f64>,
    /// The first register in question.
    pub first: f64,
    /// The first register after it that counts.
    pub after: Option<f64>,
    /// What was decided, by whom and why.
    pub decision: Option<DecisionView>,
}

/// A decision of the books.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DecisionView {
    /// Its number.
    pub event: u64,
    /// By whom.
    pub by: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// Why.
    pub reason: String,
    /// What: the event's kind, or the verdict.
    pub verdict: String,
}

/// A stretch without readings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FillView {
    /// The reading before.
    #[schema(format = DateTime)]
    pub from: String,
    /// The reading after.
    #[schema(format = DateTime)]
    pub to: String,
    /// What was spread over it.
    pub amount_base: i64,
    /// `even` or `shape`.
    pub rule: String,
    /// In Chinese words.
    pub text_zh: String,
    /// In English words.
    pub text_en: String,
}

/// What a band of a tariff version took and cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BandView {
    /// The version, `id@from`.
    pub tariff: String,
    /// `sharp`, `peak`, `flat`, `valley`, `deep_valley`; empty where nothing gives a price.
    pub band: String,
    /// Chinese name.
    pub band_zh: String,
    /// Energy price and surcharges in CNY a unit.
    pub price_cny: Option<String>,
    /// The amount.
    pub amount_base: i64,
    /// Amount × price in CNY, exact.
    pub cost_cny: Option<String>,
}

/// Where a month stands, and what that means for the figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CloseNote {
    /// The month, `yyyy-mm`.
    pub month: String,
    /// Where it stands.
    pub state: MonthState,
    /// The close.
    pub close: Option<CloseInfo>,
    /// The amount of the point's month as it was closed.
    pub closed_base: Option<i64>,
    /// What was adjusted since, frozen and live.
    pub adjustments: Vec<AdjustmentEntry>,
    /// The amount of the point's month in the ledger now.
    pub ledger_base: Option<i64>,
}

/// A part of a figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Branch {
    /// Point id, or the start of the shorter span.
    pub key: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// 1 where it is added, −1 where it is taken off.
    pub sign: i64,
    /// Its own amount; null where nothing of it is known.
    pub amount_base: Option<i64>,
    /// The amount in the commodity's unit.
    pub amount: Option<f64>,
    /// Cost in CNY.
    pub cost_cny: Option<f64>,
    /// Its explanation.
    pub link: String,
}

/// That the parts are the whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// Of what: `registers`, `terms`, `spans`, `points`, `closed`.
    pub of: String,
    /// The amount as the ledger states it.
    pub stated_base: i64,
    /// The sum of the parts.
    pub computed_base: i64,
    /// Computed − stated: zero.
    pub difference_base: i64,
    /// In Chinese words.
    pub text_zh: String,
    /// In English words.
    pub text_en: String,
}

impl Check {
    pub(super) fn new(of: &str, stated_base: i64, computed_base: i64) -> Self {
        let (zh, en) = match of {
            "registers" => ("读数差之和", "Differences of registers"),
            "terms" => ("公式各项之和", "Terms of the formula"),
            "spans" => ("各时段之和", "Shorter spans"),
            "closed" => ("关账数加调整", "Closed figures and adjustments"),
            _ => ("各计量点之和", "Points"),
        };
        let difference_base = computed_base - stated_base;
        let (is_zh, is_en) = if difference_base == 0 {
            ("与总量一致", "add up to the amount")
        } else {
            ("与总量不一致", "do not add up to the amount")
        };
        Self {
            of: of.to_owned(),
            stated_base,
            computed_base,
            difference_base,
            text_zh: format!("{zh}{is_zh}"),
            text_en: format!("{en} {is_en}"),
        }
    }
}
