//! What explains a difference between an invoice and the ledger, in words.

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use steward_books::{Invoice, State};
use steward_config::{Account, Config};
use steward_ledger::money::Unknown;

use super::{Compared, InvoiceReason, events, is_within};
use crate::balance::BalanceVerdict;
use crate::bill::Gathered;
use crate::reactive::Measured;

/// Reviews and events that a text names; it says how many more there are.
const NAMED_MAX: usize = 5;

pub(super) fn reasons(
    config: &Config,
    state: &State,
    account: &Account,
    invoice: &Invoice,
    gathered: &Gathered,
    compared: &Compared,
) -> Vec<InvoiceReason> {
    let mut reasons = vec![closure(compared)];
    if compared.ledger_amount.is_none() {
        reasons.push(reason(
            "nothing_measured",
            "账单期间没有计量数据".to_owned(),
            "the ledger has nothing in these days".to_owned(),
        ));
    }
    reasons.extend(coverage(gathered));
    reasons.extend(estimated(compared));
    let reviews: Vec<&str> = compared.open_reviews.iter().map(String::as_str).collect();
    if !reviews.is_empty() {
        reasons.push(reason(
            "reviews",
            format!(
                "{} 项待判读，数据为暂定值：{}",
                reviews.len(),
                listed(&reviews)
            ),
            format!(
                "{} open reviews make it provisional: {}",
                reviews.len(),
                listed(&reviews)
            ),
        ));
    }
    let events: Vec<String> = events(config, state, account, invoice)
        .iter()
        .map(u64::to_string)
        .collect();
    if !events.is_empty() {
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        reasons.push(reason(
            "events",
            format!("期间有台账事项：{}", listed(&events)),
            format!("events of the books in these days: {}", listed(&events)),
        ));
    }
    reasons.extend(residuals(compared));
    reasons.extend(demand(invoice, compared));
    reasons.extend(power_factor(invoice, gathered));
    reasons.extend(unknown_lines(gathered));
    reasons.extend(price(invoice, compared));
    reasons
}

fn reason(kind: &str, text_zh: String, text_en: String) -> InvoiceReason {
    InvoiceReason {
        kind: kind.to_owned(),
        text_zh,
        text_en,
    }
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMED_MAX).copied().collect();
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown.join(", "),
        more => format!("{} … (+{more})", shown.join(", ")),
    }
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// Sums of the ledger agree with each other: the difference comes from elsewhere.
fn closure(compared: &Compared) -> InvoiceReason {
    let registers: Vec<String> = compared
        .registers
        .iter()
        .map(|pair| {
            let before = pair
                .before
                .map_or("–".to_owned(), |one| one.register.to_string());
            format!(
                "{} {before} → {} {}",
                pair.point, pair.last.register, compared.unit
            )
        })
        .collect();
    let registers: Vec<&str> = registers.iter().map(String::as_str).collect();
    let (mut zh, mut en) = if compared.closure_base == 0 {
        (
            "台账闭合误差为 0".to_owned(),
            "the ledger closes with an error of 0".to_owned(),
        )
    } else {
        let error = compared.closure_base;
        (
            format!("台账不闭合，误差 {error} 个基本单位"),
            format!("the ledger does not close: {error} base units"),
        )
    };
    if !registers.is_empty() {
        zh = format!("{zh}；表底：{}", listed(&registers));
        en = format!("{en}; registers: {}", listed(&registers));
    }
    reason("closure", zh, en)
}

fn coverage(gathered: &Gathered) -> Option<InvoiceReason> {
    let (present, expected) = (gathered.intervals_present, gathered.intervals_expected);
    let missing = expected
        .checked_sub(present)
        .filter(|missing| *missing > 0)?;
    Some(reason(
        "coverage",
        format!("缺少 {missing} 个区间（共 {expected} 个），缺失不按零计"),
        format!("{missing} of {expected} intervals are missing, which is not zero"),
    ))
}

fn estimated(compared: &Compared) -> Option<InvoiceReason> {
    let share = compared.quality?.estimated;
    (share > 0.0).then(|| {
        let share = percent(share);
        reason(
            "estimated",
            format!("{share} 的用量为估算：总量已知，但期初期末附近的归属可能不同"),
            format!("{share} is estimated: the sum of an outage is known, its days are not"),
        )
    })
}

fn residuals(compared: &Compared) -> Vec<InvoiceReason> {
    let judged = compared.balances.iter().filter_map(|one| {
        let residual = one.balance.residual?;
        let share = one
            .balance
            .residual_share
            .map_or_else(|| "–".to_owned(), percent);
        let (zh, en) = match one.balance.verdict {
            BalanceVerdict::Ok => return None,
            BalanceVerdict::Exceeded => ("超出允许范围", "beyond its tolerance"),
            BalanceVerdict::Unknown => ("下级数据不完整", "children are incomplete"),
        };
        let (point, unit) = (&one.point, &compared.unit);
        Some(reason(
            "residual",
            format!("{point} 总表与分表相差 {residual} {unit}（{share}），{zh}"),
            format!("{point}: meter − children = {residual} {unit} ({share}), {en}"),
        ))
    });
    judged.collect()
}

fn demand(invoice: &Invoice, compared: &Compared) -> Option<InvoiceReason> {
    let (invoiced, ledger) = (invoice.demand_kw?, compared.demand_kw?);
    let difference = ledger.checked_sub(invoiced)?;
    (!is_within(difference, invoiced, compared.tolerance)).then(|| {
        let (ledger, invoiced) = (ledger.round_dp(2), invoiced.normalize());
        reason(
            "demand",
            format!("最大需量：计量 {ledger} kW，账单 {invoiced} kW"),
            format!("maximum demand: {ledger} kW measured, {invoiced} kW invoiced"),
        )
    })
}

/// The supplier's power factor is the one that is charged, so a difference says where to look.
fn power_factor(invoice: &Invoice, gathered: &Gathered) -> Option<InvoiceReason> {
    let invoiced = invoice.power_factor?;
    let measured = gathered.measured.and_then(Measured::value)?;
    (measured != invoiced.round_dp(2)).then(|| {
        let invoiced = invoiced.normalize();
        reason(
            "power_factor",
            format!("功率因数：计量 {measured}，账单 {invoiced}"),
            format!("power factor: {measured} measured, {invoiced} invoiced"),
        )
    })
}

/// Why there is no bill to compare with, each reason once.
fn unknown_lines(gathered: &Gathered) -> Vec<InvoiceReason> {
    let mut known: Vec<Unknown> = Vec::new();
    let mut reasons = Vec::new();
    for line in &gathered.bill.lines {
        let Some(unknown) = line.unknown.filter(|unknown| !known.contains(unknown)) else {
            continue;
        };
        known.push(unknown);
        reasons.push(reason(
            "bill",
            format!("{}：{}", line.name_zh, unknown.text_zh()),
            format!("{}: {}", line.name_en, unknown.text_en()),
        ));
    }
    reasons
}

/// The mean prices where the sums differ: they tell a wrong price from a wrong amount.
fn price(invoice: &Invoice, compared: &Compared) -> Option<InvoiceReason> {
    if compared.cost_within != Some(false) {
        return None;
    }
    let invoiced = invoice.cost_cny.checked_div(invoice.amount);
    let amount = compared.ledger_amount.and_then(Decimal::from_f64);
    let computed = compared
        .bill_cny
        .zip(amount)
        .and_then(|(cny, amount)| cny.checked_div(amount));
    let told = |price: Option<Decimal>| {
        price.map_or_else(|| "–".to_owned(), |price| price.round_dp(4).to_string())
    };
    let (invoiced, computed, unit) = (told(invoiced), told(computed), &compared.unit);
    Some(reason(
        "price",
        format!("平均单价：按电价（价格）计算 {computed}，账单 {invoiced} CNY/{unit}"),
        format!("mean price: {computed} by the tariff, {invoiced} invoiced, in CNY/{unit}"),
    ))
}
