//! Whether every account's part of a month is invoiced, and as the ledger has it.

use chrono::NaiveDate;
use steward_books::Invoice;
use steward_config::{Account, Config};
use steward_model::time::next_period_date;
use steward_model::{InstitutionId, Span};
use steward_store::Source;

use super::checklist::{ChecklistItem, listed, percent};
use crate::books::BooksView;
use crate::invoice::{Compared, compare};
use crate::{Month, ReportError};

/// The item of the checklist.
pub(super) async fn invoices_item(
    config: &Config,
    source: &Source,
    books: &BooksView,
    institution: &InstitutionId,
    month: Month,
) -> Result<ChecklistItem, ReportError> {
    let limit = config.settings.close.invoice_tolerance;
    let accounts = config.tariffs.accounts.values();
    let (mut missing, mut differing, mut count) = (Vec::new(), Vec::new(), 0);
    let mut largest = 0.0_f64;
    for account in accounts.filter(|account| &account.institution == institution) {
        let asked = asked_days(account, month);
        if asked.is_empty() {
            continue;
        }
        count += 1;
        let invoices = books.state.invoices_of(&account.id);
        let invoices: Vec<&Invoice> = invoices.into_iter().map(|(_, one)| one).collect();
        let is_covered = |day: &NaiveDate| {
            let mut covering = invoices.iter();
            covering.any(|one| one.from <= *day && *day < one.to)
        };
        let open = asked.iter().filter(|day| !is_covered(day)).count();
        if open > 0 {
            missing.push(format!("{} ({open} d)", account.id));
        }
        let touching = |one: &&Invoice| asked.iter().any(|day| one.from <= *day && *day < one.to);
        for invoice in invoices.iter().copied().filter(touching) {
            if let Some(compared) = compare(config, source, &books.state, invoice).await? {
                largest = largest.max(compared.difference_share.map_or(0.0, f64::abs));
                differing.extend(difference(&compared));
            }
        }
    }
    let ok = missing.is_empty() && differing.is_empty();
    let (text_zh, text_en) = texts(count, &missing, &differing);
    let item = ChecklistItem::new("invoices", ok, text_zh, text_en);
    Ok(item
        .with((largest * 1e4).round() / 1e4, limit)
        .blocking(config.settings.close.invoices_required))
}

fn texts(count: usize, missing: &[String], differing: &[String]) -> (String, String) {
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    if !missing.is_empty() {
        zh.push(format!("缺少账单：{}", listed(missing)));
        en.push(format!("Without an invoice: {}", listed(missing)));
    }
    if !differing.is_empty() {
        zh.push(format!("账单与计量不符：{}", listed(differing)));
        en.push(format!(
            "Invoices differ from the ledger: {}",
            listed(differing)
        ));
    }
    if zh.is_empty() {
        zh.push(format!("{count} 个户号的账单均已核对"));
        en.push(format!("The invoices of {count} accounts are compared"));
    }
    (zh.join("；"), en.join("; "))
}

/// The days of a month on which an account has a tariff.
fn asked_days(account: &Account, month: Month) -> Vec<NaiveDate> {
    let mut days = Vec::new();
    let mut day = month.first();
    while day < month.later(1).first() {
        if account.tariffs.iter().any(|dated| dated.holds_on(day)) {
            days.push(day);
        }
        day = next_period_date(Span::Day, day);
    }
    days
}

/// How an invoice differs beyond the tolerance; where nothing was measured it is not compared.
fn difference(compared: &Compared) -> Option<String> {
    if compared.within == Some(true) {
        return None;
    }
    let name = format!("{}/{}", compared.account, compared.number);
    let share = |share: Option<f64>| share.map_or_else(|| "?".to_owned(), percent);
    Some(match (compared.amount_within, compared.cost_within) {
        (None, _) => format!("{name} ?"),
        (Some(false), _) => format!("{name} {}", share(compared.difference_share)),
        (Some(true), _) => format!("{name} {} CNY", share(compared.difference_cny_share)),
    })
}
