//! What cannot work is refused at once, in words, before anything is opened.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod support;

use std::net::TcpListener;

use support::{Port, Site, Steward};

/// A configuration with one mistake.
const EXIT_CONFIG: i32 = 64;

const SETTINGS: &str = r#"
[site]
id = "faulty"
name_zh = "错误"
name_en = "Faulty"

[api]
open_on_loopback = true
listen = "127.0.0.1:PORT"

[carbon]
coal_basis = "calorific"
"#;

const REGISTRY: &str = r#"
[[institution]]
id = "xz"
name_zh = "行政中心"
name_en = "Centre"
province = "浙江"
region = "华东"

[[building]]
id = "b"
institution = "xz"
name_zh = "楼"
name_en = "Building"

[[gateway]]
id = "bus"
kind = "modbus_tcp"
host = "127.0.0.1"
port = BUS

[[point]]
id = "el"
building = "b"
name_zh = "电"
name_en = "Electricity"
commodity = "electricity"

[[meter]]
id = "m"
point = "el"
gateway = "bus"
profile = "eastron-sdm630"
unit_id = 1
from = 2025-01-01
"#;

/// Mistakes, and what each has to be told by.
const MISTAKES: [(&str, &str, &[&str]); 4] = [
    (
        "coal_basis = \"calorific\"",
        "coal_basis = \"calorifique\"",
        &[
            "steward.toml:13",
            "carbon.coal_basis",
            "calorifique",
            "equivalent",
        ],
    ),
    (
        "id = \"faulty\"",
        "id = \"faulty\"\ncolour = \"red\"",
        &["steward.toml:4", "site.colour"],
    ),
    (
        "profile = \"eastron-sdm630\"",
        "profile = \"eastron-sdm603\"",
        &["registry.toml", "eastron-sdm603", "eastron-sdm630"],
    ),
    (
        "institution = \"xz\"",
        "institution = \"xx\"",
        &["registry.toml", "building[b].institution", "xx"],
    ),
];

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    (listener, port)
}

fn was_called(listener: &TcpListener) -> bool {
    listener.accept().is_ok()
}

#[tokio::test]
async fn every_command_tells_all_mistakes_at_once_and_opens_nothing() {
    // Where the api would listen and where the bus would be somebody stands already: who tried to
    // bind or to call would be told, or seen.
    let (_api, api_port) = listen();
    let (bus, bus_port) = listen();
    let mut settings = SETTINGS.replace("PORT", &api_port);
    let mut registry = REGISTRY.replace("BUS", &bus_port);
    for (right, wrong, _) in MISTAKES {
        assert_eq!(
            settings.matches(right).count() + registry.matches(right).count(),
            1
        );
        settings = settings.replace(right, wrong);
        registry = registry.replace(right, wrong);
    }
    let site = Site::new(&settings, &registry);
    site.write(
        "budgets.csv",
        "institution,year,metric,annual\nxz,2026,electricity_kwh,many\n",
    );
    let commands: [&[&str]; 10] = [
        &["run"],
        &["collector"],
        &["aggregator"],
        &["api"],
        &["check"],
        &["verify"],
        &["quarantine", "list"],
        &["store", "rebuild"],
        &["influx", "setup"],
        &["report", "--institution", "xz", "--month", "2026-01"],
    ];
    let mut told: Option<String> = None;
    for command in commands {
        let finished = site.once(command).await;
        assert_eq!(finished.status.code(), Some(EXIT_CONFIG), "{finished:?}");
        assert_eq!(finished.stdout, "", "{command:?}");
        let stderr = finished.stderr;
        for (_, _, parts) in MISTAKES {
            let line = stderr
                .lines()
                .find(|line| parts.iter().all(|part| line.contains(part)));
            assert!(line.is_some(), "no line with {parts:?} in\n{stderr}");
        }
        assert!(
            stderr.contains("budgets.csv:2: budget[2].annual = many"),
            "{stderr}"
        );
        assert!(
            stderr.ends_with("5 mistakes in the configuration\n"),
            "{stderr}"
        );
        // Every command says the same.
        assert_eq!(
            told.get_or_insert_with(|| stderr.clone()),
            &stderr,
            "{command:?}"
        );
    }
    assert!(!was_called(&bus), "somebody called the bus");
    assert!(
        !site.path().join("data").exists(),
        "somebody made the data folder"
    );
}

#[tokio::test]
async fn a_right_site_is_checked_in_a_sentence() {
    let site = Site::new(
        &SETTINGS.replace("PORT", "8080"),
        &REGISTRY.replace("BUS", "502"),
    );
    let output = site.once(&["check"]).await.expect_success();
    assert!(
        output.contains("1 meters") && output.contains("no mistakes"),
        "{output}"
    );
    assert!(!site.path().join("data").exists());
}

#[tokio::test]
async fn a_port_that_is_taken_is_told() {
    let (_api, api_port) = listen();
    let bus = Port::reserve().number().to_string();
    let site = Site::new(
        &SETTINGS.replace("PORT", &api_port),
        &REGISTRY.replace("BUS", &bus),
    );
    let refused = site.once(&["run"]).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let sentence = format!("cannot listen on 127.0.0.1:{api_port}");
    assert!(refused.stderr.contains(&sentence), "{refused:?}");
}

/// Two writers of one journal, or of one store, would each believe to be alone.
#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused() {
    let (port, bus) = (Port::reserve(), Port::reserve());
    let settings = SETTINGS.replace("PORT", &port.number().to_string());
    let site = Site::new(
        &settings,
        &REGISTRY.replace("BUS", &bus.number().to_string()),
    );
    let mut first = site.start("run").await;
    for role in ["run", "collector"] {
        let refused = site.once(&[role]).await;
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        let sentence = "another process writes the journal in ";
        assert!(refused.stderr.contains(sentence), "{refused:?}");
        assert!(
            refused.stderr.contains("its own data folder"),
            "{refused:?}"
        );
    }
    let answer = first.get("/readyz").await;
    assert!(answer.status().is_success(), "the first goes on");
    first.kill();
    // A lock dies with its process: nothing has to be cleaned up by hand.
    first.start_again().await;
    assert!(first.stop().await.success());
}

#[tokio::test]
async fn a_second_aggregator_on_the_same_data_is_refused() {
    let (port, bus) = (Port::reserve(), Port::reserve());
    let settings = SETTINGS.replace("PORT", &port.number().to_string());
    let site = Site::new(
        &settings,
        &REGISTRY.replace("BUS", &bus.number().to_string()),
    );
    let mut first = site.start("run").await;
    let refused = tokio::time::timeout(support::SHORT, site.once(&["aggregator"])).await;
    let refused = refused.expect("it ends by itself");
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(
        refused
            .stderr
            .contains("another process writes the working store in "),
        "{refused:?}"
    );
    assert!(first.stop().await.success());
}

#[tokio::test]
async fn a_folder_that_is_none_is_told() {
    let refused = Steward::once(&["check", "--config", "/nowhere/at/all"]).await;
    assert_eq!(refused.status.code(), Some(EXIT_CONFIG), "{refused:?}");
    assert!(refused.stderr.contains("steward.toml"), "{refused:?}");
}
