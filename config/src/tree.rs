//! A file as a tree of values that know their lines. TOML and CSV both become this tree, so one
//! field reader serves both.

use std::ops::Range;
use std::rc::Rc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{At, Log, Problem};

/// Longest part of a value that an error shows.
const SHOWN_CHARS_MAX: usize = 60;

/// Where `${NAME}` comes from.
pub(crate) type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// A value as written.
#[derive(Debug)]
pub(crate) enum Value {
    Text(String),
    /// Digits and radix.
    Integer(String, u32),
    Float(String),
    Bool(bool),
    Time(toml::value::Datetime),
    List(Vec<Item>),
    Table(Vec<Entry>),
    /// A cell of a CSV file, whose type is what the reader asks for.
    Cell(String),
    /// Something that was already reported.
    Broken,
}

/// A value and its place.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) line: usize,
    pub(crate) shown: Option<String>,
    pub(crate) value: Value,
}

/// A key with its value.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) line: usize,
    pub(crate) item: Item,
}

/// A file.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) file: Rc<str>,
    pub(crate) entries: Vec<Entry>,
}

/// Reads a TOML file. With `environment`, `${NAME}` and `${NAME:-default}` are replaced in texts.
/// `None` after a syntax error, which is reported.
pub(crate) fn parse_toml(
    file: Rc<str>,
    text: &str,
    environment: Option<Environment<'_>>,
    log: &Log,
) -> Option<Document> {
    let builder = Builder {
        file: Rc::clone(&file),
        text,
        line_starts: line_starts(text),
        environment,
        log,
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let mut at = At::file(Rc::clone(&file));
        at.line = error.span().map_or(1, |span| builder.line(span.start));
        // Only the message: the library's full text quotes the line, which may hold a secret.
        let problem = Problem::new(format!("this is no TOML: {}", error.message()));
        log.report_unread(&at, problem);
    }
    errors.is_empty().then(|| Document {
        entries: builder.entries(table.get_ref(), ""),
        file,
    })
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .collect()
}

struct Builder<'t> {
    file: Rc<str>,
    text: &'t str,
    line_starts: Vec<usize>,
    environment: Option<Environment<'t>>,
    log: &'t Log,
}

impl Builder<'_> {
    fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    fn shown(&self, span: Range<usize>) -> String {
        let written = self.text.get(span).unwrap_or_default();
        let first = written.lines().next().unwrap_or_default();
        shorten(first)
    }

    fn entries(&self, table: &DeTable<'_>, path: &str) -> Vec<Entry> {
        let mut entries: Vec<Entry> = table
            .iter()
            .map(|(key, value)| Entry {
                key: key.get_ref().to_string(),
                line: self.line(key.span().start),
                item: self.item(&joined(path, key.get_ref()), value),
            })
            .collect();
        entries.sort_by_key(|entry| entry.line);
        entries
    }

    fn item(&self, path: &str, value: &Spanned<DeValue<'_>>) -> Item {
        let line = self.line(value.span().start);
        let mut shown = Some(self.shown(value.span()));
        let read = match value.get_ref() {
            DeValue::String(text) => self.substituted(path, text, line, &shown),
            DeValue::Integer(number) => Value::Integer(number.as_str().to_owned(), number.radix()),
            DeValue::Float(number) => Value::Float(number.as_str().to_owned()),
            DeValue::Boolean(value) => Value::Bool(*value),
            DeValue::Datetime(time) => Value::Time(*time),
            DeValue::Array(items) => {
                shown = None;
                Value::List(items.iter().map(|item| self.item(path, item)).collect())
            }
            DeValue::Table(table) => {
                shown = None;
                Value::Table(self.entries(table, path))
            }
        };
        Item {
            line,
            shown,
            value: read,
        }
    }

    fn substituted(&self, path: &str, text: &str, line: usize, shown: &Option<String>) -> Value {
        let Some(environment) = self.environment else {
            return Value::Text(text.to_owned());
        };
        match substitute(text, environment) {
            Ok(text) => Value::Text(text),
            Err(problem) => {
                let at = At {
                    file: Rc::clone(&self.file),
                    line,
                    key: path.to_owned(),
                    // What stands around `${NAME}` in a secret is secret too.
                    shown: shown.clone().filter(|_| !is_secret(path)),
                };
                self.log.report(&at, problem);
                Value::Broken
            }
        }
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// Whether a path ends in the key of a secret.
fn is_secret(path: &str) -> bool {
    let key = path.rsplit('.').next().unwrap_or_default();
    key == "token" || key == "password"
}

pub(crate) fn shorten(text: &str) -> String {
    if text.chars().count() <= SHOWN_CHARS_MAX {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    short.push('…');
    short
}

/// Replaces `${NAME}` and `${NAME:-default}`; `$${` stands for `${` itself.
fn substitute(text: &str, environment: Environment<'_>) -> Result<String, Problem> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = rest.split_at(at);
        let after = after.get(2..).unwrap_or_default();
        if let Some(before) = before.strip_suffix('$') {
            result.push_str(before);
            result.push_str("${");
            rest = after;
            continue;
        }
        result.push_str(before);
        let Some((inside, following)) = after.split_once('}') else {
            return Err(Problem::new("`${` has no `}`").hint("write `$${` for the characters"));
        };
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(Problem::new("`${…}` does not name an environment variable")
                .allowed("letters, digits and `_`"));
        }
        // An empty variable counts as unset, as in a shell's `:-`.
        let found = environment(name).filter(|value| !value.is_empty());
        match (found, default) {
            (Some(value), _) => result.push_str(&value),
            (None, Some(default)) => result.push_str(default),
            (None, None) => {
                let text = format!("the environment variable {name} is not set");
                let hint = format!("set it, or write `${{{name}:-default}}`");
                return Err(Problem::new(text).hint(hint));
            }
        }
        rest = following;
    }
    result.push_str(rest);
    Ok(result)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_become_values_and_defaults_fill_in() {
        let environment = |name: &str| match name {
            "HOST" => Some("broker".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let done = |text| substitute(text, &environment).ok();
        assert_eq!(done("plain").as_deref(), Some("plain"));
        assert_eq!(
            done("a ${HOST}:${P:-1883}").as_deref(),
            Some("a broker:1883")
        );
        assert_eq!(done("${EMPTY:-x}").as_deref(), Some("x"));
        assert_eq!(done("$${HOST}").as_deref(), Some("${HOST}"));
        assert_eq!(done("{meter}").as_deref(), Some("{meter}"));
        for wrong in ["${NONE}", "${HOST", "${}", "${A B}"] {
            assert_eq!(done(wrong), None, "{wrong}");
        }
    }
}
