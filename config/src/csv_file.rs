//! A CSV file as rows of fields. The first row names the columns; an empty cell is an absent key.

use std::rc::Rc;

use crate::error::{At, Log, Problem};
use crate::tree::{Entry, Item, Value, shorten};

/// One record.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) entries: Vec<Entry>,
}

/// Reads the rows of `text`. None where the columns are wrong, which is reported.
pub(crate) fn parse_csv(file: &Rc<str>, text: &str, columns: &[&str], log: &Log) -> Vec<Row> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let mut at = At::file(Rc::clone(file));
    at.line = 1;
    let header: Vec<String> = match reader.headers() {
        Ok(header) => {
            at.line = line_of(header.position());
            header.iter().map(str::to_owned).collect()
        }
        Err(_) => {
            log.report_unread(&at, Problem::new("the first row does not name the columns"));
            return Vec::new();
        }
    };
    let mut header_is_right = true;
    for (index, name) in header.iter().enumerate() {
        at.key.clone_from(name);
        if !columns.contains(&name.as_str()) {
            let problem = Problem::new("unknown column")
                .allowed(columns.join(", "))
                .nearest(name, columns.iter().copied());
            log.report_unread(&at, problem);
            header_is_right = false;
        } else if header.iter().take(index).any(|other| other == name) {
            log.report_unread(&at, Problem::new("the column stands here twice"));
            header_is_right = false;
        }
    }
    if !header_is_right {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = line_of(record.position());
                let cells = header.iter().zip(record.iter());
                let entries = cells
                    .filter(|(_, cell)| !cell.is_empty())
                    .map(|(name, cell)| entry(name, cell, line))
                    .collect();
                rows.push(Row { line, entries });
            }
            Err(error) => {
                at.line = line_of(error.position());
                at.key.clear();
                log.report_unread(&at, Problem::new(row_problem(&error, header.len())));
            }
        }
    }
    rows
}

fn line_of(position: Option<&csv::Position>) -> usize {
    position.map_or(0, |position| usize::try_from(position.line()).unwrap_or(0))
}

fn row_problem(error: &csv::Error, columns: usize) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { len, .. } => {
            format!("the row has {len} cells, the first row names {columns} columns")
        }
        _ => "this is no row of a CSV file".to_owned(),
    }
}

fn entry(name: &str, cell: &str, line: usize) -> Entry {
    Entry {
        key: name.to_owned(),
        line,
        item: Item {
            line,
            shown: Some(shorten(cell)),
            value: Value::Cell(cell.to_owned()),
        },
    }
}
