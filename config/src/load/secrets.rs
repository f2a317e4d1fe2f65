//! Secrets: from a file or the environment, never from the text of the configuration.

use super::Site;
use crate::error::Problem;
use crate::fields::Fields;
use crate::parse;
use crate::settings::Secret;

/// Reads a secret from `key = "${NAME}"` or from the file that `key_file` names.
pub(super) fn secret(
    site: Site<'_>,
    fields: &Fields<'_>,
    key: &'static str,
    key_file: &'static str,
) -> Option<Secret> {
    let mut at = fields.at_of(key);
    let written = at.shown.take().unwrap_or_default();
    if fields.has(key_file) {
        if fields.has(key) {
            let problem = Problem::new(format!("stands beside {key_file}: keep one of them"));
            site.log.report(&at, problem);
            return None;
        }
        return from_file(site, fields, key_file);
    }
    if !fields.has(key) {
        return None;
    }
    at.shown = Some("***".to_owned());
    if written.contains("${") && !written.contains(":-") {
        // A type error or an unset variable is reported without the value.
        let found = fields.read(key, parse::text)?;
        return Some(Secret::new(found.value));
    }
    let problem = Problem::new("a secret must not stand in the file").allowed(format!(
        "\"${{NAME}}\" for an environment variable, or {key_file}"
    ));
    site.log.report(&at, problem);
    None
}

fn from_file(site: Site<'_>, fields: &Fields<'_>, key: &'static str) -> Option<Secret> {
    let name = fields.read(key, parse::text)?;
    match std::fs::read_to_string(site.path(&name.value)) {
        Ok(text) if !text.trim().is_empty() => Some(Secret::new(text.trim())),
        Ok(_) => {
            site.log.report(&name.at, Problem::new("the file is empty"));
            None
        }
        Err(error) => {
            let problem = Problem::new(format!("the file cannot be read: {}", error.kind()));
            site.log.report(&name.at, problem);
            None
        }
    }
}

/// Reads `tokens_file`: one `name sha256` a line; empty lines and `#` comments are skipped.
pub(super) fn token_digests(site: Site<'_>, fields: &Fields<'_>) -> Vec<(String, String)> {
    let Some(name) = fields.read("tokens_file", parse::text) else {
        return Vec::new();
    };
    let text = match std::fs::read_to_string(site.path(&name.value)) {
        Ok(text) => text,
        Err(error) => {
            let problem = Problem::new(format!("the file cannot be read: {}", error.kind()));
            site.log.report(&name.at, problem);
            return Vec::new();
        }
    };
    let mut digests: Vec<(String, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.split_whitespace();
        let problem = match (words.next(), words.next(), words.next()) {
            (Some(user), Some(digest), None) if is_digest(digest) => {
                if digests.iter().all(|(known, _)| known != user) {
                    digests.push((user.to_owned(), digest.to_ascii_lowercase()));
                    continue;
                }
                "the name stands in two lines"
            }
            _ => "the line is not `name digest`",
        };
        // The line is not shown: it may hold the token itself.
        let problem = Problem::new(format!("line {} of the file: {problem}", index + 1))
            .hint("a digest is the 64 hexadecimal digits of the token's SHA-256");
        site.log.report(&name.at, problem);
    }
    digests
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
