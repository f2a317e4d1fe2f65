//! The field reader: asks a table for its keys, reports what is wrong and goes on.

use std::cell::RefCell;
use std::rc::Rc;

use crate::csv_file::Row;
use crate::error::{At, Located, Log, Problem};
use crate::tree::{Document, Entry, Item, Value};

/// A table being read. Ask for every key, then [`Fields::finish`] reports those never asked for.
pub(crate) struct Fields<'a> {
    log: &'a Log,
    file: &'a Rc<str>,
    path: String,
    line: usize,
    entries: &'a [Entry],
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    /// The top of a file.
    pub(crate) fn document(document: &'a Document, log: &'a Log) -> Self {
        Self::new(log, &document.file, String::new(), 1, &document.entries)
    }

    /// A row of a CSV file, called `kind[id]` in messages.
    pub(crate) fn row(kind: &str, row: &'a Row, file: &'a Rc<str>, log: &'a Log) -> Self {
        let path = format!("{kind}[{}]", name_of(&row.entries, row.line));
        Self::new(log, file, path, row.line, &row.entries)
    }

    fn new(
        log: &'a Log,
        file: &'a Rc<str>,
        path: String,
        line: usize,
        entries: &'a [Entry],
    ) -> Self {
        Self {
            log,
            file,
            path,
            line,
            entries,
            asked: RefCell::default(),
        }
    }

    /// The place of the table itself.
    pub(crate) fn at(&self) -> At {
        At {
            file: Rc::clone(self.file),
            line: self.line,
            key: self.path.clone(),
            shown: None,
        }
    }

    fn at_key(&self, key: &str, line: usize, shown: Option<String>) -> At {
        let key = if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        };
        At {
            file: Rc::clone(self.file),
            line,
            key,
            shown,
        }
    }

    pub(crate) fn log(&self) -> &'a Log {
        self.log
    }

    fn find(&self, key: &'static str) -> Option<&'a Entry> {
        self.asked.borrow_mut().push(key);
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Whether the key is written, whatever its value.
    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.find(key).is_some()
    }

    /// The place of a key, written or not.
    pub(crate) fn at_of(&self, key: &'static str) -> At {
        match self.find(key) {
            Some(entry) => self.at_key(key, entry.line, entry.item.shown.clone()),
            None => self.at_key(key, self.line, None),
        }
    }

    /// Reads a key that may be absent.
    pub(crate) fn read<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, Problem>,
    ) -> Option<Located<T>> {
        let entry = self.find(key)?;
        if matches!(entry.item.value, Value::Broken) {
            return None;
        }
        let at = self.at_key(key, entry.item.line, entry.item.shown.clone());
        match parse(&entry.item.value) {
            Ok(value) => Some(Located { value, at }),
            Err(problem) => {
                self.log.report(&at, problem);
                None
            }
        }
    }

    /// Reads a key whose mistakes are reported elsewhere.
    pub(crate) fn read_quietly<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, Problem>,
    ) -> Option<Located<T>> {
        let entry = self.find(key)?;
        let value = parse(&entry.item.value).ok()?;
        let at = self.at_key(key, entry.item.line, entry.item.shown.clone());
        Some(Located { value, at })
    }

    /// Reads a key that must be there.
    pub(crate) fn need<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, Problem>,
    ) -> Option<Located<T>> {
        if !self.has(key) {
            self.missing(key, None);
            return None;
        }
        self.read(key, parse)
    }

    /// Reports that a key is missing.
    pub(crate) fn missing(&self, key: &'static str, hint: Option<String>) {
        let at = self.at_key(key, self.line, None);
        let mut problem = Problem::new("is missing");
        if let Some(hint) = hint {
            problem = problem.hint(hint);
        }
        self.log.report(&at, problem);
    }

    /// Reads a key, or takes the default where it is absent or wrong (which is reported).
    pub(crate) fn or<T>(
        &self,
        key: &'static str,
        default: T,
        parse: impl FnOnce(&Value) -> Result<T, Problem>,
    ) -> T {
        self.read(key, parse).map_or(default, |found| found.value)
    }

    /// A table below this one; an empty one where it is absent.
    pub(crate) fn table(&self, key: &'static str) -> Fields<'a> {
        self.table_if_any(key)
            .unwrap_or_else(|| self.below(key, self.line, &[]))
    }

    /// A table below this one.
    pub(crate) fn table_if_any(&self, key: &'static str) -> Option<Fields<'a>> {
        let entry = self.find(key)?;
        match &entry.item.value {
            Value::Table(entries) => Some(self.below(key, entry.line, entries)),
            Value::Broken => None,
            _ => {
                let at = self.at_key(key, entry.line, entry.item.shown.clone());
                self.log.report(&at, Problem::new("must be a table"));
                None
            }
        }
    }

    /// The tables of an array, each called `key[id]` in messages.
    pub(crate) fn tables(&self, key: &'static str) -> Vec<Fields<'a>> {
        let Some(entry) = self.find(key) else {
            return Vec::new();
        };
        let Value::List(items) = &entry.item.value else {
            let at = self.at_key(key, entry.line, entry.item.shown.clone());
            let problem = Problem::new("must be an array of tables");
            self.log
                .report(&at, problem.hint(format!("write `[[{key}]]`")));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match &item.value {
                Value::Table(entries) => {
                    let name = name_of(entries, index + 1);
                    tables.push(self.below(&format!("{key}[{name}]"), item.line, entries));
                }
                _ => {
                    let at = self.at_key(key, item.line, item.shown.clone());
                    self.log.report(&at, Problem::new("must be a table"));
                }
            }
        }
        tables
    }

    /// Every key of this table with its value, for tables whose keys are data.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&'a str, At, &'a Item)> + '_ {
        self.entries.iter().map(|entry| {
            let at = self.at_key(&entry.key, entry.line, entry.item.shown.clone());
            (entry.key.as_str(), at, &entry.item)
        })
    }

    fn below(&self, key: &str, line: usize, entries: &'a [Entry]) -> Fields<'a> {
        let path = self.at_key(key, line, None).key;
        Fields::new(self.log, self.file, path, line, entries)
    }

    /// Reports keys that nobody asked for.
    pub(crate) fn finish(&self) {
        let mut asked = self.asked.borrow().clone();
        asked.sort_unstable();
        asked.dedup();
        for entry in self.entries {
            if !asked.contains(&entry.key.as_str()) {
                // The value is not shown: a misspelt key may be that of a secret.
                let at = self.at_key(&entry.key, entry.line, None);
                let problem = Problem::new("unknown key")
                    .allowed(asked.join(", "))
                    .nearest(&entry.key, asked.iter().copied());
                self.log.report(&at, problem);
            }
        }
    }
}

/// The id of a table where it has one, its number otherwise. An id with `${NAME}` in it is not told:
/// nobody knows what stands in the environment.
fn name_of(entries: &[Entry], number: usize) -> String {
    let id = entries.iter().find(|entry| entry.key == "id");
    let written = id.and_then(|entry| entry.item.shown.as_deref());
    match id.map(|entry| &entry.item.value) {
        Some(Value::Text(text) | Value::Cell(text))
            if text.len() <= 64 && written.is_some_and(|shown| !shown.contains("${")) =>
        {
            text.clone()
        }
        _ => number.to_string(),
    }
}
