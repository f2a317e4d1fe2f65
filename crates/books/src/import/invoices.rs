//! A table of invoices.

use steward_config::Config;

use super::cells::{Cells, Column, read};
use super::{Mistake, Row};
use crate::event::Invoice;

const COLUMNS: &[Column] = &[
    column("account", &["户号", "账户"], true),
    column("number", &["发票号", "账单号"], true),
    column("from", &["起始日期"], true),
    column("to", &["截止日期"], true),
    column("amount", &["用量"], true),
    column("cost_cny", &["金额", "金额(元)"], true),
    column("demand_kw", &["最大需量", "最大需量(kW)"], false),
    column("power_factor", &["功率因数"], false),
];

const fn column(name: &'static str, aliases: &'static [&'static str], required: bool) -> Column {
    Column {
        name,
        aliases,
        required,
    }
}

/// Reads a table of invoices: `account, number, from, to, amount, cost_cny`, and where they are
/// invoiced `demand_kw, power_factor`. `to` is the first day that is not invoiced any more. An
/// account is named by its id or by the supplier's number for it.
pub fn parse_invoices(table: &str, config: &Config) -> Result<Vec<Row<Invoice>>, Vec<Mistake>> {
    read(table, COLUMNS, |cells| invoice(cells, config))
}

fn invoice(cells: &mut Cells<'_>, config: &Config) -> Option<Invoice> {
    // Every cell is read before the row is given up, so that all of its mistakes are told.
    let account = cells.text("account", "the id of an account, or the supplier's number");
    let number = cells.text("number", "the invoice's number");
    let (from, to) = (cells.date("from"), cells.date("to"));
    let (amount, cost_cny) = (cells.decimal("amount"), cells.decimal("cost_cny"));
    let demand_kw = cells.decimal_or_none("demand_kw");
    let power_factor = cells.decimal_or_none("power_factor");
    Some(Invoice {
        account: account_id(config, account?),
        number: number?,
        from: from?,
        to: to?,
        amount: amount?,
        cost_cny: cost_cny?,
        demand_kw: demand_kw?,
        power_factor: power_factor?,
    })
}

/// The id of the account that is named by id or by the supplier's number, where one alone has it.
/// Another name is kept: the check refuses it with what there is.
fn account_id(config: &Config, named: String) -> String {
    let accounts = &config.tariffs.accounts;
    if accounts.contains_key(&named) {
        return named;
    }
    let mut numbered = accounts.values().filter(|account| account.number == named);
    match (numbered.next(), numbered.next()) {
        (Some(account), None) => account.id.clone(),
        _ => named,
    }
}
