//! `steward tariff`: what prices hold, and what they make of a month.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use steward_books::Access;
use steward_config::{Config, Tariff, TariffVersion};
use steward_report::Month;
use steward_report::bill::{AccountBill, month_bill};

use super::books::Desk;
use crate::cli::books::{TariffAction, TariffArgs};
use crate::commands::{load, print};
use crate::roles::source;

/// `steward tariff`
pub(crate) async fn tariff(args: TariffArgs) -> anyhow::Result<ExitCode> {
    match args.action {
        TariffAction::List(site) => {
            let config = load(&site.config)?;
            print(&list(&config))?;
        }
        TariffAction::Bill {
            site,
            account,
            month,
            json,
        } => {
            let desk = Desk::open(&site, Access::Read)?;
            let month: Month = month.parse()?;
            let accounts = &desk.config.tariffs.accounts;
            let account = accounts.get(&account).with_context(|| {
                let known: Vec<&str> = accounts.keys().map(String::as_str).collect();
                format!(
                    "no account is called `{account}`; there are {}",
                    known.join(", ")
                )
            })?;
            let (source, state) = (source(&desk.config)?, desk.books.state()?);
            let bill = month_bill(&desk.config, &source, &state, account, month).await?;
            print(&match json {
                true => format!("{}\n", serde_json::to_string_pretty(&bill)?),
                false => page(&bill),
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Every tariff with its versions, and every account with what holds for it.
fn list(config: &Config) -> String {
    let mut text = String::new();
    for tariff in config.tariffs.all.values() {
        let _ = writeln!(
            text,
            "{} {} {} ({})",
            tariff.id, tariff.name_zh, tariff.name_en, tariff.commodity
        );
        for version in &tariff.versions {
            let _ = writeln!(text, "  {}", told(tariff, version));
        }
    }
    for account in config.tariffs.accounts.values() {
        let tariffs: Vec<String> = account
            .tariffs
            .iter()
            .map(|dated| format!("{} {}", dated.value, dates(dated.from, dated.to)))
            .collect();
        let points: Vec<&str> = account.points.iter().map(|point| point.as_str()).collect();
        let _ = writeln!(
            text,
            "account {} {} {}: {}; points {}",
            account.id,
            account.number,
            account.supplier,
            tariffs.join(", "),
            points.join(" ")
        );
    }
    text
}

fn told(tariff: &Tariff, version: &TariffVersion) -> String {
    let unit = tariff.commodity.unit();
    let energy: Vec<String> = version
        .energy
        .iter()
        .map(|(band, price)| format!("{}{} {}", band.name_zh(), band.id(), price.cny))
        .collect();
    let surcharges: Decimal = version.surcharges.iter().map(|one| one.price.cny).sum();
    format!(
        "{} CNY/{unit}: {}; surcharges 附加 {surcharges}; {} ({})",
        dates(version.from, version.to),
        energy.join(", "),
        version.source,
        version.confidence
    )
}

/// From the first day to the first day after; open where nothing ends it.
fn dates(from: NaiveDate, to: Option<NaiveDate>) -> String {
    let to = to.map_or_else(|| "…".to_owned(), |to| to.to_string());
    format!("{from}–{to}")
}

/// A bill, line by line.
fn page(bill: &AccountBill) -> String {
    let mut text = format!(
        "{} {}–{}: {} {} in {} of {} intervals\n",
        bill.account,
        bill.from,
        bill.to,
        bill.amount,
        bill.unit,
        bill.intervals_present,
        bill.intervals_expected
    );
    let shown =
        |value: Option<Decimal>| value.map_or_else(|| "–".to_owned(), |one| one.to_string());
    for line in &bill.lines {
        let unknown = match (&line.unknown_zh, &line.unknown_en) {
            (Some(zh), Some(en)) => format!("  {zh} {en}"),
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "  {} {}: {} {} × {} = {} CNY  {}{unknown}",
            line.name_zh,
            line.name_en,
            shown(line.quantity),
            line.unit,
            shown(line.price),
            shown(line.sum_cny),
            line.tariff
        );
    }
    if let Some(power_factor) = bill.power_factor {
        let measured = shown(bill.measured_power_factor);
        let _ = writeln!(
            text,
            "  功率因数 power factor {power_factor} (实测 measured {measured})"
        );
    }
    let _ = match bill.total_cny {
        Some(total) => writeln!(text, "  合计 total {total} CNY"),
        None => writeln!(text, "  已知部分 what is known {} CNY", bill.known_cny),
    };
    text
}
