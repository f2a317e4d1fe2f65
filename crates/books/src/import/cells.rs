//! A table as cells under named columns, and what cells can say.

use std::str::FromStr as _;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::Mistake;

/// The most rows that enter at once: one transaction holds them.
const ROWS_MAX: usize = 10_000;

/// A column and what it may be called.
pub(super) struct Column {
    /// The field of the event.
    pub(super) name: &'static str,
    /// Other names of it.
    pub(super) aliases: &'static [&'static str],
    /// Whether a table without it is refused.
    pub(super) required: bool,
}

/// A row, and where its mistakes go.
pub(super) struct Cells<'a> {
    pub(super) line: u64,
    columns: &'a [Option<&'static str>],
    cells: &'a csv::StringRecord,
    mistakes: &'a mut Vec<Mistake>,
}

/// Reads a table and makes a value of each row; `None` where the row's mistakes were told.
pub(super) fn read<T>(
    table: &str,
    columns: &[Column],
    mut row: impl FnMut(&mut Cells<'_>) -> Option<T>,
) -> Result<Vec<super::Row<T>>, Vec<Mistake>> {
    let table = table.strip_prefix('\u{feff}').unwrap_or(table);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(table.as_bytes());
    let mut mistakes = Vec::new();
    let named = header(&mut reader, columns, &mut mistakes);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut rows = Vec::new();
    for (index, record) in reader.records().enumerate() {
        if index == ROWS_MAX {
            let line = record.map_or(0, |record| line_of(record.position()));
            let expected = format!("at most {ROWS_MAX} rows at once");
            mistakes.push(whole_line(line, String::new(), expected));
            break;
        }
        match record {
            Ok(record) => {
                let line = line_of(record.position());
                let mut cells = Cells {
                    line,
                    columns: &named,
                    cells: &record,
                    mistakes: &mut mistakes,
                };
                if let Some(value) = row(&mut cells) {
                    rows.push(super::Row { line, value });
                }
            }
            Err(error) => mistakes.push(broken(&error, named.len())),
        }
    }
    if rows.is_empty() && mistakes.is_empty() {
        mistakes.push(whole_line(
            1,
            "(none)".to_owned(),
            "at least one row".to_owned(),
        ));
    }
    if mistakes.is_empty() {
        Ok(rows)
    } else {
        Err(mistakes)
    }
}

/// What each column of the table is.
fn header(
    reader: &mut csv::Reader<&[u8]>,
    columns: &[Column],
    mistakes: &mut Vec<Mistake>,
) -> Vec<Option<&'static str>> {
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => {
            mistakes.push(broken(&error, columns.len()));
            return Vec::new();
        }
    };
    let line = line_of(header.position()).max(1);
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let mut named: Vec<Option<&'static str>> = Vec::new();
    for cell in &header {
        let known = columns.iter().find(|column| {
            column.name.eq_ignore_ascii_case(cell) || column.aliases.contains(&cell)
        });
        let expected = match known {
            None => Some(format!("one of the columns {}", names.join(", "))),
            Some(column) if named.contains(&Some(column.name)) => {
                Some(format!("the column {} once", column.name))
            }
            Some(_) => None,
        };
        if let Some(expected) = expected {
            mistakes.push(Mistake {
                line,
                column: cell.to_owned(),
                value: cell.to_owned(),
                expected,
            });
        }
        named.push(known.map(|column| column.name));
    }
    for column in columns {
        if column.required && !named.contains(&Some(column.name)) {
            mistakes.push(Mistake {
                line,
                column: column.name.to_owned(),
                value: "(absent)".to_owned(),
                expected: format!("the columns {}", names.join(", ")),
            });
        }
    }
    named
}

fn whole_line(line: u64, value: String, expected: String) -> Mistake {
    Mistake {
        line,
        column: String::new(),
        value,
        expected,
    }
}

fn broken(error: &csv::Error, columns: usize) -> Mistake {
    let line = line_of(error.position());
    let value = match error.kind() {
        csv::ErrorKind::UnequalLengths { len, .. } => format!("{len} cells"),
        _ => "no row of a CSV file".to_owned(),
    };
    whole_line(
        line,
        value,
        format!("{columns} cells, as the first row names"),
    )
}

fn line_of(position: Option<&csv::Position>) -> u64 {
    position.map_or(0, csv::Position::line)
}

impl Cells<'_> {
    /// The cell of a column; `None` where it is empty or absent.
    fn cell(&self, column: &str) -> Option<&str> {
        let index = self.columns.iter().position(|one| *one == Some(column))?;
        self.cells.get(index).filter(|cell| !cell.is_empty())
    }

    /// Tells a mistake.
    pub(super) fn mistake(&mut self, column: &str, value: &str, expected: impl Into<String>) {
        self.mistakes.push(Mistake {
            line: self.line,
            column: column.to_owned(),
            value: value.to_owned(),
            expected: expected.into(),
        });
    }

    /// A cell that must say something.
    pub(super) fn text(&mut self, column: &'static str, expected: &str) -> Option<String> {
        let cell = self.cell(column).map(str::to_owned);
        if cell.is_none() {
            self.mistake(column, "(empty)", expected);
        }
        cell
    }

    /// A cell that must say a date.
    pub(super) fn date(&mut self, column: &'static str) -> Option<NaiveDate> {
        const EXPECTED: &str = "a date as 2026-09-01";
        let text = self.text(column, EXPECTED)?;
        let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
        // chrono takes `2026-9-1` too; one form is easier to compare.
        let date = date.filter(|date| date.to_string() == text);
        if date.is_none() {
            self.mistake(column, &text, EXPECTED);
        }
        date
    }

    /// A cell that must say a number.
    pub(super) fn decimal(&mut self, column: &'static str) -> Option<Decimal> {
        let text = self.text(column, DECIMAL)?;
        self.number(column, &text)
    }

    /// A cell that may say a number: `Some(None)` where it is empty.
    pub(super) fn decimal_or_none(&mut self, column: &'static str) -> Option<Option<Decimal>> {
        match self.cell(column).map(str::to_owned) {
            None => Some(None),
            Some(text) => self.number(column, &text).map(Some),
        }
    }

    fn number(&mut self, column: &str, text: &str) -> Option<Decimal> {
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        let number = Decimal::from_str(text).ok().filter(|_| plain);
        if number.is_none() {
            self.mistake(column, text, DECIMAL);
        }
        number
    }
}

const DECIMAL: &str = "a number as 1234.56, without separators of thousands";
