//! No text makes the loader panic, and no mistake shows a secret.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::path::Path;

use proptest::prelude::*;
use steward_config::load;
use support::{no_environment, temporary_example};

const FILES: [&str; 13] = [
    "steward.toml",
    "registry.toml",
    "registry.d/mqtt.toml",
    "registry.d/virtual.toml",
    "points.csv",
    "meters.csv",
    "ratios.csv",
    "budgets.csv",
    "weather.csv",
    "factors/before-2024.toml",
    "profiles/example-heat-gateway.toml",
    "calendars/example.toml",
    "tariffs/library-2026.toml",
];

/// Pieces that have a meaning somewhere, and some that have none.
const PIECES: [&str; 30] = [
    "",
    "\"",
    "'",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    "#",
    ",",
    "\n",
    "${",
    "${A:-",
    "-1",
    "0",
    "99999999999999999999",
    "nan",
    "1e999",
    "2026-02-30",
    "true",
    "é电\u{0}",
    "\r\n",
    "\u{feff}",
    " + ",
    " * ",
    "24:00",
    "00:00-00:00",
    "xzzx-1-use",
    "0.0000001",
];

#[derive(Clone, Debug)]
struct Change {
    file: usize,
    at: prop::sample::Index,
    removed: usize,
    piece: usize,
}

fn change() -> impl Strategy<Value = Change> {
    (
        0..FILES.len(),
        any::<prop::sample::Index>(),
        0..40_usize,
        0..PIECES.len(),
    )
        .prop_map(|(file, at, removed, piece)| Change {
            file,
            at,
            removed,
            piece,
        })
}

fn apply(site: &Path, change: &Change) {
    let path = site.join(FILES[change.file]);
    let mut text: Vec<char> = std::fs::read_to_string(&path).unwrap().chars().collect();
    let start = change.at.index(text.len() + 1);
    let end = (start + change.removed).min(text.len());
    text.splice(start..end, PIECES[change.piece].chars());
    std::fs::write(path, text.into_iter().collect::<String>()).unwrap();
}

/// Swaps two lines, drops one or writes one twice.
fn shuffle(site: &Path, file: usize, a: prop::sample::Index, b: prop::sample::Index, how: u8) {
    let path = site.join(FILES[file]);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    let (a, b) = (a.index(lines.len()), b.index(lines.len()));
    match how {
        0 => lines.swap(a, b),
        1 => drop(lines.remove(a)),
        _ => lines.insert(b, lines[a]),
    }
    let changed = lines.join("\n");
    std::fs::write(path, changed).unwrap();
}

/// The names of files that an answer may point to.
fn names_a_place(line: &str) -> bool {
    FILES.iter().any(|file| line.starts_with(file))
        || line.starts_with("(shipped)")
        || line.starts_with("tokens")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_the_example_makes_the_loader_panic(
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let site = temporary_example();
        for change in &changes {
            apply(site.path(), change);
        }
        if let Err(errors) = load(site.path(), &no_environment) {
            prop_assert!(!errors.errors.is_empty());
            for error in &errors.errors {
                prop_assert!(names_a_place(&error.to_string()), "{error}");
            }
        }
    }

    #[test]
    fn no_order_of_lines_makes_the_loader_panic(
        file in 0..FILES.len(),
        a in any::<prop::sample::Index>(),
        b in any::<prop::sample::Index>(),
        how in 0..3_u8,
    ) {
        let site = temporary_example();
        shuffle(site.path(), file, a, b, how);
        if let Err(errors) = load(site.path(), &no_environment) {
            prop_assert!(!errors.errors.is_empty());
        }
    }
}

#[test]
fn secrets_appear_neither_in_debug_nor_in_errors() {
    const SECRET: &str = "s3cr3t-of-the-test";
    let environment = |_: &str| Some(SECRET.to_owned());
    let site = temporary_example();
    let append = |file: &str, more: &str| {
        let path = site.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{text}\n{more}\n")).unwrap();
    };
    std::fs::write(site.path().join("broker.password"), SECRET).unwrap();
    // The broker's host comes from the environment too, and is shown: it is no secret.
    let path = site.path().join("registry.d/mqtt.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("\"${MQTT_HOST:-127.0.0.1}\"", "\"127.0.0.1\"");
    let with_password = text.replace(
        "#username = \"steward\"",
        "username = \"steward\"\npassword_file = \"broker.password\"",
    );
    std::fs::write(&path, with_password).unwrap();
    append(
        "steward.toml",
        "[influx]\nurl = \"http://127.0.0.1:8086\"\norg = \"o\"\ntoken = \"${TOKEN}\"",
    );
    let config = load(site.path(), &environment).unwrap();
    assert_eq!(
        config.settings.influx.as_ref().unwrap().token.expose(),
        SECRET
    );
    assert!(!format!("{config:?}").contains(SECRET));

    // The same secrets in places where they are wrong.
    for wrong in [
        format!("[gateway]\nid = 1\ntoken = \"{SECRET}\""),
        format!("[[gateway]]\nid = \"g\"\nkind = \"mqtt\"\nhost = \"h\"\npasword = \"{SECRET}\""),
        format!("[[gateway]]\nid = \"g\"\nkind = \"mqtt\"\nhost = \"h\"\npassword = \"{SECRET}\""),
        format!("[[gateway]]\nid = \"g\"\nkind = \"mqtt\"\npassword = \"x{SECRET}${{UNSET}}\""),
        format!("[[gateway]]\nid = \"g\"\nkind = \"mqtt\"\npassword = \"{SECRET}"),
        "[[virtual_point]]\nid = \"v\"\nbuilding = \"xzzx-1\"\nname_zh = \"v\"\nname_en = \"v\"\n\
         commodity = \"electricity\"\nformula = \"${TOKEN}\""
            .to_owned(),
        "[[virtual_point]]\nid = \"v\"\nformula = \"2 ${TOKEN}\"".to_owned(),
        "[[account]]\nid = \"a\"\ninstitution = \"xzzx\"\nnumber = \"1\"\nsupplier = \"s\"\n\
         commodity = \"electricity\"\ntariff = \"${TOKEN}\"\npoints = [\"${TOKEN}\"]"
            .to_owned(),
        "[[gateway]]\nid = \"${TOKEN}!\"\nkind = \"mqtt\"\nhost = \"${TOKEN} !\"".to_owned(),
    ] {
        std::fs::write(site.path().join("registry.d/wrong.toml"), &wrong).unwrap();
        let environment = |name: &str| (name != "UNSET").then(|| SECRET.to_owned());
        let errors = load(site.path(), &environment).unwrap_err();
        assert!(!errors.to_string().contains(SECRET), "{errors}");
        assert!(!format!("{errors:?}").contains(SECRET), "{errors:?}");
    }
}

#[test]
fn a_site_of_thousands_of_meters_loads() {
    let site = temporary_example();
    let mut points = std::fs::read_to_string(site.path().join("points.csv")).unwrap();
    let mut meters = std::fs::read_to_string(site.path().join("meters.csv")).unwrap();
    for number in 0..5_000 {
        points.push_str(&format!("p{number},library-main,water,水,Water,,,,,,\n"));
        meters.push_str(&format!(
            "m{number},p{number},broker,steward-json-volume,,,,2026-01-01,,,,,\n"
        ));
    }
    std::fs::write(site.path().join("points.csv"), points).unwrap();
    std::fs::write(site.path().join("meters.csv"), meters).unwrap();
    let config = load(site.path(), &no_environment).unwrap();
    assert_eq!(config.registry.meters.len(), 5_013);
}
