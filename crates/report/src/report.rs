//! The monthly report as a document. The schema beside it is made from these types.

use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use crate::adjustments::AdjustmentEntry;
use crate::budget::BudgetStatus;
use crate::numbers::QualityShares;
use crate::{BudgetMonth, BudgetState, ReportError};

/// Name and version of the document's form. A member is only ever added within a version.
pub const SCHEMA: &str = "steward.monthly-report/1";

/// Energy, water and carbon of one institution in one month 公共机构月度碳报告.
///
/// A null figure has a `missing` beside it that says why. Shares are parts of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MonthlyReport {
    /// Name and version of this form: `steward.monthly-report/1`.
    pub schema: String,
    /// Whose.
    pub institution: ReportInstitution,
    /// `yyyy-mm` in local time.
    #[schema(pattern = r"^\d{4}-\d{2}$")]
    pub month: String,
    /// The zone that decides what the month is.
    pub timezone: String,
    /// The month's first instant.
    #[schema(format = DateTime)]
    pub from: String,
    /// The first instant after the month.
    #[schema(format = DateTime)]
    pub to: String,
    /// False while the month still runs: figures grow.
    pub month_over: bool,
    /// Where the month stands. A closed month's figures never change.
    pub state: MonthState,
    /// Who closed it, or proposes to; null while it is open.
    pub close: Option<CloseInfo>,
    /// How electricity becomes standard coal: `calorific` 当量值 or `equivalent` 等价值.
    pub coal_basis: String,
    /// Floor area and head count of the month.
    pub extent: ReportExtent,
    /// Over all commodities that are bought.
    pub totals: Totals,
    /// One entry a commodity that the institution meters.
    pub commodities: Vec<CommodityReport>,
    /// Budgets of the year, as at the end of the month.
    pub budgets: Vec<BudgetLine>,
    /// Every factor that a figure of this month used.
    pub factors: Vec<FactorEntry>,
    /// Every tariff version that a cost of this month used.
    pub tariffs: Vec<TariffEntry>,
    /// What changed in earlier months after they were closed 以前期间调整. It stands beside the
    /// figures of this month and not in them; budgets count it.
    pub adjustments: Vec<AdjustmentEntry>,
    /// When this copy was made; not part of the content.
    #[schema(format = DateTime)]
    pub generated_at: String,
    /// SHA-256 of the RFC 8785 form of this document without `generated_at` and `content_sha256`.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub content_sha256: String,
}

/// Where a month stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MonthState {
    /// Figures follow the ledger.
    #[default]
    Open,
    /// A close is proposed and waits for another person.
    Provisional,
    /// Closed: the figures are frozen.
    Closed,
    /// Closed once, and replaced by a later revision.
    Superseded,
}

impl MonthState {
    /// The word used in JSON and CSV.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Provisional => "provisional",
            Self::Closed => "closed",
            Self::Superseded => "superseded",
        }
    }
}

/// A close as the books know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CloseInfo {
    /// Number of the proposal in the books.
    pub proposal: u64,
    /// 1, and one more for each revision.
    pub revision: u32,
    /// SHA-256 of the frozen content.
    pub content_sha256: String,
    /// Who proposed.
    pub proposed_by: String,
    /// Who approved; null while nobody has.
    pub approved_by: Option<String>,
    /// When it was approved.
    #[schema(format = DateTime)]
    pub closed_at: Option<String>,
}

/// The institution of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportInstitution {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Province.
    pub province: String,
    /// Grid region.
    pub region: String,
}

/// Why a figure is null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// The ledger has nothing for the period.
    NoData,
    /// The commodity counts neither standard coal nor CO2, or nothing that counts was metered.
    NotCounted,
    /// The registry gives no floor area or head count for the whole month.
    NoExtent,
    /// The base is zero, so a change has no share.
    ZeroBase,
    /// No tariff gives energy a price.
    NoTariff,
    /// The month still runs, so it is not compared with a whole one.
    MonthNotOver,
    /// Too much of the base month was not metered for a fair comparison.
    BaseIncomplete,
}

impl Missing {
    /// The word used in JSON and CSV.
    pub const fn id(self) -> &'static str {
        match self {
            Self::NoData => "no_data",
            Self::NotCounted => "not_counted",
            Self::NoExtent => "no_extent",
            Self::ZeroBase => "zero_base",
            Self::NoTariff => "no_tariff",
            Self::MonthNotOver => "month_not_over",
            Self::BaseIncomplete => "base_incomplete",
        }
    }
}

/// Floor area and head count, averaged over the days of the month where they change within it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportExtent {
    /// 建筑面积
    pub floor_area_m2: Option<f64>,
    /// 用能人数
    pub energy_users: Option<f64>,
    /// Why they are null.
    pub missing: Option<Missing>,
}

/// A figure of an earlier month, and what changed since.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    /// The other month, `yyyy-mm`.
    #[schema(pattern = r"^\d{4}-\d{2}$")]
    pub month: String,
    /// Its figure.
    pub value: Option<f64>,
    /// This figure − that.
    pub change: Option<f64>,
    /// The change as a part of that.
    pub change_share: Option<f64>,
    /// How much of the other month was metered.
    pub coverage: Option<f64>,
    /// Why something above is null.
    pub missing: Option<Missing>,
}

/// A figure with all it is measured by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Measure {
    /// `kWh`, `m3`, `GJ`, `t`, `L`, `kgce`, `kgCO2` or `CNY`.
    pub unit: String,
    /// The figure.
    pub value: Option<f64>,
    /// The figure a square metre.
    pub per_m2: Option<f64>,
    /// The figure a person.
    pub per_person: Option<f64>,
    /// Against the month before 环比.
    pub against_last_month: Comparison,
    /// Against the same month of the year before 同比.
    pub against_last_year: Comparison,
    /// Why the figure, or its part a square metre, is null.
    pub missing: Option<Missing>,
}

/// Over all commodities that are bought. Solar generation is not among them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Totals {
    /// Standard coal 综合能耗.
    pub kgce: Measure,
    /// CO2, location-based 碳排放.
    pub co2_kg: Measure,
    /// Energy by the tariffs' prices and surcharges 能源费用, without what belongs to a month's bill.
    /// Null where a part of the energy has no price.
    pub cost: Measure,
    /// How the energy is known, weighted by standard coal.
    pub quality: Option<QualityShares>,
    /// Intervals present ÷ intervals that have ended, over all points of the totals.
    pub coverage: Option<f64>,
}

/// One commodity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CommodityReport {
    /// `electricity`, `water`, …
    pub commodity: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// False for what is generated: it enters no total.
    pub bought: bool,
    /// The integer unit of `amount_base`.
    pub base_unit: String,
    /// The exact amount.
    pub amount_base: Option<i64>,
    /// The amount.
    pub amount: Measure,
    /// Standard coal.
    pub kgce: Measure,
    /// CO2, location-based.
    pub co2_kg: Measure,
    /// By the tariff's prices and surcharges; null where a part of the amount has no price.
    pub cost: Measure,
    /// How the amount is known.
    pub quality: Option<QualityShares>,
    /// Intervals present ÷ intervals that have ended.
    pub coverage: Option<f64>,
    /// Ids of the factors used; their origin stands under `factors`.
    pub factor_ids: Vec<String>,
    /// Tariff versions used, as `id@from`; what they are stands under `tariffs`.
    pub tariff_ids: Vec<String>,
    /// The amount by building; they add up to the whole.
    pub buildings: Vec<Part>,
    /// The amount by sub-item 分项, with what no sub-item meters as `rest`; they add up to the whole.
    pub subitems: Vec<Part>,
    /// Points that are rented out and metered separately 出租扣减: not in the amount.
    pub deducted: Vec<Part>,
}

/// A part of a commodity's amount.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Part {
    /// Building id, sub-item code, point id, or `rest`.
    pub key: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// The exact amount.
    pub amount_base: Option<i64>,
    /// The amount in the commodity's unit.
    pub amount: Option<f64>,
    /// Its share; the shares of all parts add up to one. Null where a residual is negative, and of
    /// what is deducted.
    pub share: Option<f64>,
    /// Standard coal.
    pub kgce: Option<f64>,
    /// CO2, location-based.
    pub co2_kg: Option<f64>,
    /// Cost in CNY.
    pub cost_cny: Option<f64>,
    /// How it is known.
    pub quality: Option<QualityShares>,
    /// Intervals present ÷ intervals that have ended.
    pub coverage: Option<f64>,
    /// Why the amount is null.
    pub missing: Option<Missing>,
}

/// A budget as at the end of the month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BudgetLine {
    /// This month's part.
    pub month: BudgetMonth,
    /// The year's state.
    pub year: BudgetStatus,
    /// Why nothing is known of the month's use.
    pub missing: Option<Missing>,
}

/// A factor and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FactorEntry {
    /// Id.
    pub id: String,
    /// Of what.
    pub commodity: String,
    /// `co2`, `coal_calorific` or `coal_equivalent`.
    pub kind: String,
    /// Value as a decimal string.
    pub value: String,
    /// Its unit, such as `kgCO2/kWh`.
    pub unit: String,
    /// Region it was published for.
    pub region: String,
    /// The year that its data describe: its version.
    pub data_year: Option<i32>,
    /// The document that publishes it.
    pub document: String,
    /// When it was published.
    #[schema(format = Date)]
    pub published: Option<String>,
    /// First day on which it applies.
    #[schema(format = Date)]
    pub valid_from: String,
    /// First day on which it no longer applies.
    #[schema(format = Date)]
    pub valid_to: Option<String>,
    /// A (official text) to D (derived), U (unverified).
    pub confidence: String,
}

impl FactorEntry {
    /// The entry of a configured factor.
    pub fn new(factor: &steward_config::Factor) -> Self {
        use steward_config::FactorKind;
        let kind = match factor.kind {
            FactorKind::Co2 => "co2",
            FactorKind::CoalCalorific => "coal_calorific",
            FactorKind::CoalEquivalent => "coal_equivalent",
        };
        Self {
            id: factor.id.clone(),
            commodity: factor.commodity.id().to_owned(),
            kind: kind.to_owned(),
            value: factor.value.to_string(),
            unit: factor.unit.clone(),
            region: factor.region.clone(),
            data_year: factor.data_year,
            document: factor.document.clone(),
            published: factor.published.map(|date| date.to_string()),
            valid_from: factor.valid_from.to_string(),
            valid_to: factor.valid_to.map(|date| date.to_string()),
            confidence: factor.confidence.to_string(),
        }
    }
}

/// A version of a tariff and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TariffEntry {
    /// `id@from`.
    pub id: String,
    /// Of what.
    pub commodity: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// First day on which it applies.
    #[schema(format = Date)]
    pub valid_from: String,
    /// First day on which it no longer applies.
    #[schema(format = Date)]
    pub valid_to: Option<String>,
    /// The document that sets it.
    pub source: String,
    /// A (official text) to D (derived), U (unverified).
    pub confidence: String,
}

/// The configured tariff versions with these names (`id@from`).
pub fn used_tariffs(config: &steward_config::Config, names: &[String]) -> Vec<TariffEntry> {
    let tariffs = config.tariffs.all.values();
    let versions = tariffs.flat_map(|tariff| tariff.versions.iter().map(move |one| (tariff, one)));
    versions
        .map(|(tariff, version)| TariffEntry {
            id: version.name(tariff),
            commodity: tariff.commodity.id().to_owned(),
            name_zh: tariff.name_zh.clone(),
            name_en: tariff.name_en.clone(),
            valid_from: version.from.to_string(),
            valid_to: version.to.map(|date| date.to_string()),
            source: version.source.clone(),
            confidence: version.confidence.to_string(),
        })
        .filter(|entry| names.contains(&entry.id))
        .collect()
}

/// The report as JSON text.
pub fn to_json(report: &MonthlyReport) -> Result<String, ReportError> {
    let text = serde_json::to_string_pretty(report);
    text.map(|text| text + "\n")
        .map_err(|error| ReportError::Render(error.into()))
}

#[derive(OpenApi)]
#[openapi(components(schemas(MonthlyReport, BudgetState)))]
struct Schemas;

/// The JSON Schema (2020-12) of [`MonthlyReport`], as text.
pub fn schema_json() -> Result<String, ReportError> {
    let render = |error: serde_json::Error| ReportError::Render(error.into());
    let document = serde_json::to_value(Schemas::openapi()).map_err(render)?;
    let mut definitions = document["components"]["schemas"].clone();
    let mut root = definitions
        .as_object_mut()
        .and_then(|all| all.remove("MonthlyReport"))
        .unwrap_or_default();
    if let (Some(root), Some(definitions)) = (root.as_object_mut(), definitions.as_object()) {
        root.insert(
            "$schema".into(),
            "https://json-schema.org/draft/2020-12/schema".into(),
        );
        root.insert("$id".into(), "urn:steward:schema:monthly-report:1".into());
        root.insert("title".into(), "MonthlyReport".into());
        root.insert("$defs".into(), definitions.clone().into());
    }
    require_all(&mut root);
    let text = serde_json::to_string_pretty(&root).map_err(render)?;
    Ok(text.replace("#/components/schemas/", "#/$defs/") + "\n")
}

/// Every member is always written, null or not, so every member is required.
fn require_all(schema: &mut serde_json::Value) {
    if let Some(definitions) = schema
        .get_mut("$defs")
        .and_then(|defs| defs.as_object_mut())
    {
        definitions.values_mut().for_each(require_all);
    }
    let names: Option<Vec<serde_json::Value>> = schema
        .get("properties")
        .and_then(|properties| properties.as_object())
        .map(|properties| properties.keys().map(|name| name.as_str().into()).collect());
    if let (Some(names), Some(schema)) = (names, schema.as_object_mut()) {
        schema.insert("required".into(), names.into());
        schema.insert("additionalProperties".into(), false.into());
    }
}
