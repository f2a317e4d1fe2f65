//! What a month needs before it may close.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use steward_books::Event;
use steward_config::{BudgetMetric, CloseSettings, Config};
use steward_model::{InstitutionId, PointId, UtcMs};
use steward_store::{FindingFilter, FindingStates, Source};
use utoipa::ToSchema;

use super::Closes;
use super::invoices::invoices_item;
use crate::books::BooksView;
use crate::cause::rests_on;
use crate::facts::report_points;
use crate::report::MonthlyReport;
use crate::scope::{Scope, zone_of};
use crate::{Month, ReportError, compose};

/// What a month needs before it may close, and what it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Checklist {
    /// Whose.
    pub institution: String,
    /// `yyyy-mm`.
    #[schema(pattern = r"^\d{4}-\d{2}$")]
    pub month: String,
    /// Item by item.
    pub items: Vec<ChecklistItem>,
    /// Whether nothing blocks the close.
    pub ready: bool,
}

/// One thing that a month needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChecklistItem {
    /// `month_over`, `settled`, `coverage`, `reviews`, `estimated_share`, `invoices`, `budget` or
    /// `previous_closed`.
    pub id: String,
    /// Whether it is done.
    pub ok: bool,
    /// Whether the month cannot close without it.
    pub blocking: bool,
    /// What is there.
    pub value: Option<String>,
    /// What is needed.
    pub limit: Option<String>,
    /// In Chinese words.
    pub text_zh: String,
    /// In English words.
    pub text_en: String,
    /// Why it may pass all the same, in the words of the maker.
    pub justification: Option<String>,
}

impl Checklist {
    /// What blocks, in English words.
    pub fn reasons_en(&self) -> String {
        let reasons = self.blockers().map(|item| item.text_en.as_str());
        reasons.collect::<Vec<_>>().join("; ")
    }

    /// The items that block.
    pub fn blockers(&self) -> impl Iterator<Item = &ChecklistItem> {
        self.items.iter().filter(|item| item.blocks())
    }

    /// The maker's words for what is not as it should be.
    pub fn justification(&self) -> Option<&str> {
        let mut words = self.items.iter();
        words.find_map(|item| item.justification.as_deref())
    }
}

impl ChecklistItem {
    pub(super) fn new(id: &str, ok: bool, text_zh: String, text_en: String) -> Self {
        Self {
            id: id.to_owned(),
            ok,
            blocking: true,
            value: None,
            limit: None,
            text_zh,
            text_en,
            justification: None,
        }
    }

    pub(super) fn with(mut self, value: impl ToString, limit: impl ToString) -> Self {
        self.value = Some(value.to_string());
        self.limit = Some(limit.to_string());
        self
    }

    pub(super) fn blocking(mut self, blocking: bool) -> Self {
        self.blocking = blocking;
        self
    }

    fn blocks(&self) -> bool {
        self.blocking && !self.ok && self.justification.is_none()
    }
}

/// The checklist of an institution's month, as at `now`. Words of `justification` stand for
/// invoices that are missing or differ, and for nothing else.
pub async fn checklist(
    config: &Config,
    source: &Source,
    books: &BooksView,
    institution: &InstitutionId,
    month: Month,
    justification: Option<&str>,
    now: UtcMs,
) -> Result<Checklist, ReportError> {
    let closes = Closes::of(&books.state, institution)?;
    let facts = closes.facts(source, config, books, month, true).await?;
    let report = compose(config, institution, month, &facts, now)?;
    let limits = &config.settings.close;
    let mut invoices = invoices_item(config, source, books, institution, month).await?;
    invoices.justification = justification
        .map(str::trim)
        .filter(|words| !invoices.ok && !words.is_empty())
        .map(str::to_owned);
    let items = vec![
        month_over(&report),
        settled(source, books).await?,
        coverage(&report, limits),
        reviews(config, source, institution, month).await?,
        estimated(&report, limits),
        invoices,
        budget(config, institution, month, limits),
        previous(&closes, &report, month),
    ];
    Ok(Checklist {
        institution: institution.to_string(),
        month: month.to_string(),
        ready: !items.iter().any(ChecklistItem::blocks),
        items,
    })
}

fn month_over(report: &MonthlyReport) -> ChecklistItem {
    let (zh, en) = if report.month_over {
        ("该月已结束", "The month is over")
    } else {
        ("该月尚未结束", "The month still runs")
    };
    ChecklistItem::new(
        "month_over",
        report.month_over,
        zh.to_owned(),
        en.to_owned(),
    )
    .with(report.month_over, true)
}

/// Whether the ledger has taken in what the books say of meters.
async fn settled(source: &Source, books: &BooksView) -> Result<ChecklistItem, ReportError> {
    let mut entries = books.entries.iter().rev();
    let wanted = entries.find(|entry| {
        !matches!(
            entry.event,
            Event::InvoiceEntered(_)
                | Event::CloseProposed(_)
                | Event::CloseApproved(_)
                | Event::CloseRejected(_)
        )
    });
    let wanted = wanted.map_or(0, |entry| entry.seq);
    let taken = match source {
        Source::Working(reader) => reader.books_seq().await?,
        // What is published follows the working store, which nobody can ask from here.
        Source::Influx(_) => wanted,
    };
    let ok = taken >= wanted;
    let (zh, en) = if ok {
        (
            "台账事项均已计入",
            "The ledger has taken in every event of the books",
        )
    } else {
        (
            "台账事项尚未全部计入，请稍后再试",
            "The ledger has not taken in every event of the books yet; try again in a moment",
        )
    };
    Ok(ChecklistItem::new("settled", ok, zh.to_owned(), en.to_owned()).with(taken, wanted))
}

fn coverage(report: &MonthlyReport, limits: &CloseSettings) -> ChecklistItem {
    let least = report
        .commodities
        .iter()
        .map(|one| (one.coverage.unwrap_or(0.0), one))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let share = least.map_or(0.0, |(share, _)| share);
    let (zh, en) = least.map_or(("", ""), |(_, one)| (&one.name_zh, &one.name_en));
    ChecklistItem::new(
        "coverage",
        share >= limits.coverage_min,
        format!("数据完整率最低 {}（{zh}）", percent(share)),
        format!("Least of the intervals present: {} ({en})", percent(share)),
    )
    .with(share, limits.coverage_min)
}

/// Open findings of every point on which the institution's figures rest. What follows an open
/// finding is provisional, so one that began before the month touches it too.
async fn reviews(
    config: &Config,
    source: &Source,
    institution: &InstitutionId,
    month: Month,
) -> Result<ChecklistItem, ReportError> {
    let zone = zone_of(config, &Scope::Institution(institution.clone()));
    let points: BTreeSet<PointId> = report_points(config, institution)
        .iter()
        .flat_map(|point| rests_on(config, point).0)
        .collect();
    let filter = FindingFilter {
        states: FindingStates::Open,
        to: Some(UtcMs(month.later(1).start_s(zone) * 1_000)),
        ..FindingFilter::default()
    };
    let open = source.findings(filter).await?;
    let open: Vec<String> = open
        .iter()
        .filter(|finding| points.contains(&finding.point))
        .map(steward_model::Finding::id)
        .collect();
    let (zh, en) = if open.is_empty() {
        ("无待判读事项".to_owned(), "No review is open".to_owned())
    } else {
        (
            format!("{} 项待判读：{}", open.len(), listed(&open)),
            format!("{} reviews are open: {}", open.len(), listed(&open)),
        )
    };
    Ok(ChecklistItem::new("reviews", open.is_empty(), zh, en).with(open.len(), 0))
}

/// The first few of a list, and that there are more.
pub(super) fn listed(items: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<&str> = items.iter().take(SHOWN).map(String::as_str).collect();
    let more = if items.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn estimated(report: &MonthlyReport, limits: &CloseSettings) -> ChecklistItem {
    // Weighted by standard coal; where nothing counts any, the commodity that is estimated most.
    let share = report.totals.quality.map(|one| one.estimated).or_else(|| {
        let commodities = report.commodities.iter();
        let shares = commodities.filter_map(|one| one.quality.map(|one| one.estimated));
        shares.max_by(f64::total_cmp)
    });
    let share = share.unwrap_or(0.0);
    ChecklistItem::new(
        "estimated_share",
        share <= limits.estimated_share_max,
        format!("估算占比 {}", percent(share)),
        format!("Estimated: {}", percent(share)),
    )
    .with(share, limits.estimated_share_max)
}

fn budget(
    config: &Config,
    institution: &InstitutionId,
    month: Month,
    limits: &CloseSettings,
) -> ChecklistItem {
    let budgets = config.budgets.all.values();
    let metrics: Vec<&str> = budgets
        .filter(|one| &one.institution == institution && one.year == month.year())
        .map(|one| BudgetMetric::id(one.metric))
        .collect();
    let ok = !metrics.is_empty();
    let (zh, en) = if ok {
        (
            format!("{} 年预算已编制", month.year()),
            format!("There is a budget for {}", month.year()),
        )
    } else {
        (
            format!("缺少 {} 年预算", month.year()),
            format!("There is no budget for {}", month.year()),
        )
    };
    ChecklistItem::new("budget", ok, zh, en)
        .with(metrics.join(", "), "≥ 1")
        .blocking(limits.budget_required)
}

/// Only a warning: months may close in any order, and a first month has none before it.
fn previous(closes: &Closes, report: &MonthlyReport, month: Month) -> ChecklistItem {
    let before = month.earlier(1);
    let commodities = report.commodities.iter();
    let mut values = commodities.map(|one| one.amount.against_last_month.value);
    let has_data = values.any(|value| value.is_some());
    let ok = closes.content(before).is_some() || !has_data;
    let (zh, en) = if ok {
        (
            format!("上月 {before} 已关账或无数据"),
            format!("{before} is closed, or has no data"),
        )
    } else {
        (
            format!("上月 {before} 尚未关账"),
            format!("{before} is not closed yet"),
        )
    };
    ChecklistItem::new("previous_closed", ok, zh, en).blocking(false)
}

/// A share as per cent with two decimals.
pub(super) fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}
