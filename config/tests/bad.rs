//! Every mistake is refused with its own sentence.
//!
//! A file of `tests/bad` is one mistake (`ten-mistakes` is ten). Its first lines say which file of
//! the site in `tests/bad/base` it becomes, and what must be said about it, line for line.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use steward_config::load;
use support::{copy, no_environment};

fn bad() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad")
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(bad())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains(".bad."))
        .collect();
    cases.sort();
    cases
}

fn told<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    text.lines()
        .filter_map(|line| line.strip_prefix(word))
        .collect()
}

/// The sentences about the base site with one file changed.
fn sentences(text: &str) -> Vec<String> {
    let site = tempfile::tempdir().unwrap();
    copy(&bad().join("base"), site.path());
    let target = site.path().join(told(text, "# file: ")[0]);
    std::fs::create_dir_all(target.parent().unwrap()).unwrap();
    std::fs::write(target, text).unwrap();
    let environment = |name: &str| (name == "TOKEN").then(|| "very-secret".to_owned());
    match load(site.path(), &environment) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.errors.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_base_itself_is_right() {
    load(&bad().join("base"), &no_environment).unwrap();
}

#[test]
fn every_mistake_is_refused_with_its_own_sentence() {
    let mut wrong = String::new();
    let mut first_with: BTreeMap<String, String> = BTreeMap::new();
    for path in cases() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let said = sentences(&text);
        if said.is_empty() || said != told(&text, "# says: ") {
            wrong.push_str(&format!("{name}\n"));
            said.iter()
                .for_each(|line| wrong.push_str(&format!("# says: {line}\n")));
        }
        assert!(
            !said.concat().contains("very-secret"),
            "{name} shows a secret"
        );
        if let Some(other) = first_with.insert(said.join("\n"), name.clone()) {
            panic!("{name} and {other} say the same");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(
        first_with.len() > 220,
        "only {} mistakes were tried",
        first_with.len()
    );
}

#[test]
fn ten_mistakes_are_reported_at_once() {
    let text = std::fs::read_to_string(bad().join("ten-mistakes.bad.toml")).unwrap();
    assert_eq!(sentences(&text).len(), 10);
}

#[test]
fn a_folder_without_a_site_says_so() {
    let empty = tempfile::tempdir().unwrap();
    let errors = load(empty.path(), &no_environment).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "registry.toml: is missing (hint: or use registry.d/*.toml)\n\
         steward.toml: cannot be read: entity not found\n\
         2 mistakes in the configuration"
    );
}

#[test]
fn a_file_that_is_not_utf_8_is_refused() {
    let site = tempfile::tempdir().unwrap();
    copy(&bad().join("base"), site.path());
    std::fs::write(site.path().join("budgets.csv"), b"institution\n\xff\n").unwrap();
    let errors = load(site.path(), &no_environment).unwrap_err();
    assert_eq!(errors.errors.len(), 1);
    assert_eq!(
        errors.errors[0].to_string(),
        "budgets.csv: is not UTF-8 (hint: save it as UTF-8)"
    );
}
