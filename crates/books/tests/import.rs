//! Tables enter whole or not at all.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use steward_books::{
    Mistake, import_hand_readings, import_invoices, parse_hand_readings, parse_invoices,
};
use support::{NOW, Site, assert_refused, date, hour};

fn mistake(line: u64, column: &str, value: &str, expected: &str) -> Mistake {
    Mistake {
        line,
        column: column.to_owned(),
        value: value.to_owned(),
        expected: expected.to_owned(),
    }
}

#[tokio::test]
async fn a_table_of_invoices_enters() {
    let site = Site::new();
    // With the mark of a spreadsheet, Chinese names in another order, and a comment.
    let table = "\u{feff}发票号,户号,起始日期,截止日期,金额,用量,功率因数\r\n\
                 # 2025\r\n\
                 A-1,grid,2025-01-01,2025-02-01,876.54,1234.5,0.93\r\n\
                 A-2,3301-001,2025-02-01,2025-03-01,\"900\",1300,\r\n";
    let entries = import_invoices(
        &site.config,
        &site.books,
        &site.reader,
        "li",
        "bills",
        table,
        NOW,
    )
    .await
    .unwrap();
    assert_eq!(entries.len(), 2);
    let state = site.books.state().unwrap();
    let invoices = state.invoices_of("grid");
    assert_eq!(
        invoices.len(),
        2,
        "the supplier's number names the account too"
    );
    let (seq, second) = invoices[1];
    assert_eq!((seq, second.number.as_str()), (2, "A-2"));
    assert_eq!(
        (second.from, second.to),
        (date("2025-02-01"), date("2025-03-01"))
    );
    assert_eq!(second.amount.to_string(), "1300");
    assert_eq!(second.power_factor, None);
    assert_eq!(
        invoices[0]
            .1
            .power_factor
            .map(|one| one.to_string())
            .as_deref(),
        Some("0.93")
    );
}

#[test]
fn every_mistake_of_a_table_is_told() {
    let site = Site::new();
    let table = "account,number,from,to,amount,cost_cny\n\
                 grid,,2025-1-1,2025-02-30,\"1,234.5\",¥5\n\
                 grid,2,2025-02-01\n\
                 grid,3,2025-02-01,2025-03-01,1e3,1_000\n";
    const DATE: &str = "a date as 2026-09-01";
    const NUMBER: &str = "a number as 1234.56, without separators of thousands";
    assert_eq!(
        parse_invoices(table, &site.config).unwrap_err(),
        [
            mistake(2, "number", "(empty)", "the invoice's number"),
            mistake(2, "from", "2025-1-1", DATE),
            mistake(2, "to", "2025-02-30", DATE),
            mistake(2, "amount", "1,234.5", NUMBER),
            mistake(2, "cost_cny", "¥5", NUMBER),
            mistake(3, "", "3 cells", "6 cells, as the first row names"),
            mistake(4, "amount", "1e3", NUMBER),
            mistake(4, "cost_cny", "1_000", NUMBER),
        ]
    );
}

#[test]
fn columns_are_known_whole_and_single() {
    let site = Site::new();
    let columns = |table: &str| {
        let mistakes = parse_invoices(table, &site.config).unwrap_err();
        let told = mistakes.into_iter();
        told.map(|one| (one.line, one.column, one.value))
            .collect::<Vec<_>>()
    };
    let told = |line, column: &str, value: &str| (line, column.to_owned(), value.to_owned());
    assert_eq!(
        columns("account,number,from,to,amount,price,账户\n"),
        [
            told(1, "price", "price"),
            told(1, "账户", "账户"),
            told(1, "cost_cny", "(absent)")
        ]
    );
    assert_eq!(
        columns("account,number,from,to,amount,cost_cny\n"),
        [told(1, "", "(none)")]
    );
    assert_eq!(columns("").len(), 6, "an empty table has no columns");
    let many = format!(
        "account,number,from,to,amount,cost_cny\n{}",
        "grid,1,2025-01-01,2025-02-01,1,1\n".repeat(10_001)
    );
    assert_eq!(columns(&many), [told(10_002, "", "")]);
}

#[tokio::test]
async fn one_refused_row_keeps_all_out() {
    let site = Site::new();
    let table = "account,number,from,to,amount,cost_cny\n\
                 grid,1,2025-01-01,2025-02-01,1,1\n\
                 grid,1,2025-02-01,2025-03-01,1,-1\n\
                 gas,2,2025-01-15,2025-02-15,1,1\n\
                 grid,3,2025-01-15,2025-02-15,1,1\n";
    let refused = import_invoices(
        &site.config,
        &site.books,
        &site.reader,
        "li",
        "bills",
        table,
        NOW,
    );
    assert_refused(
        refused.await,
        &[
            ("line 3: cost_cny", "from 0 to"),
            ("line 3: number", "it is event 1"),
            ("line 4: account", "the id of an account"),
            ("line 5: from", "invoice `1`"),
        ],
    );
    assert_eq!(site.books.last_seq().unwrap(), 0);
    let refused = import_invoices(
        &site.config,
        &site.books,
        &site.reader,
        "li",
        "x",
        "a\n1\n",
        NOW,
    );
    let refusals = support::refusals(refused.await);
    assert_eq!(refusals[0].to_string().split(':').next(), Some("line 1"));
}

#[tokio::test]
async fn a_table_of_readings_by_hand_enters() {
    let mut site = Site::new();
    site.store("m1", &[(hour(8.0), 900.0)]);
    let table = "meter,quantity,at,value,unit\n\
                 m1,energy_import,2025-03-10 08:30,0.95012,kWh\n\
                 m1,energy_import,2025-03-10T09:00:00+08:00,1000.5,Wh\n";
    let import = |table: &'static str| {
        import_hand_readings(
            &site.config,
            &site.books,
            &site.reader,
            "li",
            "a walk",
            table,
            NOW,
        )
    };
    let entries = import(table).await.unwrap();
    let state = site.books.state().unwrap();
    let read: Vec<_> = state
        .hand_readings()
        .into_iter()
        .map(|(_, one)| (one.at, one.value))
        .collect();
    assert_eq!(read, [(hour(8.5), 950.12), (hour(9.0), 1_000.5)]);
    assert_eq!(entries.len(), 2);
    // Rows of one table bind each other as stored readings do.
    let falling = "meter,quantity,at,value,unit\n\
                   m1,energy_import,2025-03-10 10:00,1200,Wh\n\
                   m1,energy_import,2025-03-10 11:00,1199,Wh\n";
    assert_refused(
        import(falling).await,
        &[("line 3: value", "event 3 says 1200 Wh")],
    );
}

#[test]
fn every_mistake_of_a_table_of_readings_is_told() {
    let site = Site::new();
    let table = "meter,quantity,at,value,unit\n\
                 M 1,energy,2025-03-10,x,\n\
                 m1,energy_import,10.03.2025 08:30,1,m3\n\
                 m1,energy_import,2025-03-10 08:30,79000000000000000000000000000,MWh\n";
    let mistakes = parse_hand_readings(table, &site.config).unwrap_err();
    let told: Vec<(u64, &str)> = mistakes
        .iter()
        .map(|one| (one.line, one.column.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (2, "meter"),
            (2, "quantity"),
            (2, "at"),
            (2, "value"),
            (2, "unit"),
            (3, "at"),
            (3, "unit"),
            (4, "value"),
        ]
    );
}

#[test]
fn a_local_time_that_is_none_or_two_is_refused() {
    let mut site = Site::new();
    site.config
        .registry
        .buildings
        .values_mut()
        .for_each(|one| one.zone = chrono_tz::Tz::Europe__Berlin);
    let parse = |at: &str| {
        let table = format!("meter,quantity,at,value,unit\nm1,energy_import,{at},1,Wh\n");
        parse_hand_readings(&table, &site.config).map(|rows| rows[0].value.at.0)
    };
    assert!(parse("2025-03-30 02:30").is_err(), "skipped");
    assert!(parse("2025-10-26 02:30").is_err(), "twice");
    assert_eq!(parse("2025-10-26 03:30").unwrap(), 1_761_445_800_000);
    assert_eq!(
        parse("2025-10-26T02:30:00+01:00").unwrap(),
        1_761_442_200_000
    );
}
