//! Mistakes in a site's files: where, what, what is allowed, and what was probably meant.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

/// One mistake. Values are shown as they are written in the file, before `${NAME}` is replaced,
/// and secrets are not shown at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file, relative to the site's folder.
    pub file: String,
    /// The line, from 1; 0 means the whole file.
    pub line: usize,
    /// The key with its path, such as `journal.bytes_max`; empty where there is none.
    pub key: String,
    /// The value as written.
    pub value: Option<String>,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub allowed: Option<String>,
    /// What was probably meant, or what to do.
    pub hint: Option<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
            if let Some(value) = &self.value {
                write!(f, " = {value}")?;
            }
        }
        write!(f, ": {}", self.problem)?;
        match (&self.allowed, &self.hint) {
            (Some(allowed), Some(hint)) => write!(f, " (allowed: {allowed}; hint: {hint})"),
            (Some(allowed), None) => write!(f, " (allowed: {allowed})"),
            (None, Some(hint)) => write!(f, " (hint: {hint})"),
            (None, None) => Ok(()),
        }
    }
}

/// Every mistake of a site, in the order of files and lines. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors {
    /// The mistakes.
    pub errors: Vec<ConfigError>,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.errors {
            writeln!(f, "{error}")?;
        }
        match self.errors.len() {
            1 => f.write_str("1 mistake in the configuration"),
            count => write!(f, "{count} mistakes in the configuration"),
        }
    }
}

/// What is wrong with a value, without its place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problem {
    text: String,
    allowed: Option<String>,
    hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    pub(crate) fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = Some(allowed.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the nearest of `names`, where one is near.
    pub(crate) fn nearest<'n>(self, wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Self {
        match crate::near::nearest(wrong, names) {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }
}

/// The place of a value.
#[derive(Clone, Debug)]
pub(crate) struct At {
    pub(crate) file: Rc<str>,
    pub(crate) line: usize,
    pub(crate) key: String,
    pub(crate) shown: Option<String>,
}

impl At {
    /// A whole file.
    pub(crate) fn file(file: impl Into<Rc<str>>) -> Self {
        Self {
            file: file.into(),
            line: 0,
            key: String::new(),
            shown: None,
        }
    }

    /// Whether the value comes from the environment, so that nothing of it is told.
    pub(crate) fn is_from_environment(&self) -> bool {
        self.shown
            .as_ref()
            .is_some_and(|shown| shown.contains("${"))
    }

    /// `file:line`, to point at a second place.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) at: At,
}

/// Where mistakes are collected.
#[derive(Debug, Default)]
pub(crate) struct Log {
    errors: RefCell<Vec<ConfigError>>,
    unread: Cell<bool>,
}

impl Log {
    pub(crate) fn report(&self, at: &At, problem: Problem) {
        self.errors.borrow_mut().push(ConfigError {
            file: at.file.to_string(),
            line: at.line,
            key: at.key.clone(),
            value: at.shown.clone(),
            problem: problem.text,
            allowed: problem.allowed,
            hint: problem.hint,
        });
    }

    /// Reports a file that could not be read at all. References into it cannot be judged.
    pub(crate) fn report_unread(&self, at: &At, problem: Problem) {
        self.unread.set(true);
        self.report(at, problem);
    }

    /// Notes that something which was reported is missing from what follows.
    pub(crate) fn mark_unread(&self) {
        self.unread.set(true);
    }

    /// Whether a file could not be read, so that missing names may stand in it.
    pub(crate) fn has_unread(&self) -> bool {
        self.unread.get()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.borrow().is_empty()
    }

    /// `value` if nothing was reported; otherwise every mistake, sorted by place.
    pub(crate) fn settle<T>(self, value: Option<T>) -> Result<T, ConfigErrors> {
        let mut errors = self.errors.into_inner();
        match value {
            Some(value) if errors.is_empty() => Ok(value),
            _ => {
                errors.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
                errors.dedup();
                Err(ConfigErrors { errors })
            }
        }
    }
}
