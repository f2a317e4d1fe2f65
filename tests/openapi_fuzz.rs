//! The api against its own contract: schemathesis makes requests from `openapi.json`, right ones and
//! wrong ones, with a token and without.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod support;

use std::path::Path;
use std::process::Command;

use chrono::{TimeDelta, Utc};
use support::{Steward, finish, path_of, schemathesis, seed};

/// Made-up requests for one operation, beside those that cover its parameters one by one.
const EXAMPLES: &str = "25";
/// A token may ask 100 times a second; the answer to more is not what is tried here.
const RATE: &str = "90/s";

/// The demo's site with three days of history, its api behind a token.
async fn demo_behind_a_token(data: &str) -> (Steward, String) {
    let mut demo = Steward::start(&["demo", "--data", data, "--history-days", "3"]).await;
    assert!(demo.stop().await.success());
    let made = Steward::once(&["token", "--name", "fuzz"])
        .await
        .expect_success();
    let after = |mark: &str| {
        let line = made.lines().find_map(|line| line.split_once(mark));
        line.unwrap_or_else(|| panic!("no `{mark}` in {made}"))
            .1
            .to_owned()
    };
    std::fs::write(format!("{data}/tokens"), after("tokens file: ") + "\n").unwrap();
    let settings = std::fs::read_to_string(format!("{data}/steward.toml")).unwrap();
    let guarded = settings.replace("open_on_loopback = true", "tokens_file = \"tokens\"");
    assert_ne!(settings, guarded);
    std::fs::write(format!("{data}/steward.toml"), guarded).unwrap();
    let token = after("(shown once): ");
    let api = Steward::start(&["api", "--config", data])
        .await
        .with_token(&token);
    (api, token)
}

/// Every check but this one. The contract's parameters are plain texts whose form (an id, a date)
/// it tells in words, so a text that the contract allows may be refused, with a status of the contract.
const CHECKS_NOT_ASKED: &str = "positive_data_acceptance";

/// What exists, so that requests also reach what lies behind the look-up of names.
fn known() -> String {
    let month = (Utc::now() + TimeDelta::hours(8)).format("%Y-%m");
    format!(
        "[parameters]\n\"query.institution\" = \"jgswzx\"\n\"path.institution\" = \"jgswzx\"\n\
         \"query.account\" = \"jgswzx-electricity\"\n\"query.point\" = \"xzzx-2-hvac\"\n\
         \"query.month\" = \"{month}\"\n\"path.month\" = \"{month}\"\n"
    )
}

#[tokio::test]
async fn the_api_keeps_its_contract_under_right_and_wrong_requests() {
    let folder = tempfile::tempdir().unwrap();
    let (mut api, token) = demo_behind_a_token(path_of(&folder.path().join("demo"))).await;
    for values in [String::new(), known()] {
        std::fs::write(folder.path().join("schemathesis.toml"), values).unwrap();
        keeps_its_contract(&api, &token, folder.path()).await;
    }
    let healthy = api.get("/readyz").await;
    assert!(healthy.status().is_success());
    assert!(!api.log().contains("panic"), "{}", api.log());
    assert!(api.stop().await.success());
}

/// Asks with the values of the folder's settings where these name a parameter.
async fn keeps_its_contract(api: &Steward, token: &str, folder: &Path) {
    let mut command = Command::new(schemathesis());
    command.current_dir(folder);
    command.args([
        "run",
        &api.url("/openapi.json"),
        "--no-color",
        "--continue-on-failure",
    ]);
    command.args(["--header", &format!("Authorization:Bearer {token}")]);
    command.args(["--checks", "all", "--exclude-checks", CHECKS_NOT_ASKED]);
    command.args([
        "--phases",
        "examples,coverage,fuzzing",
        "--max-examples",
        EXAMPLES,
    ]);
    // Events have no end; tests of the api read them.
    command.args(["--exclude-path", "/api/v1/live", "--rate-limit", RATE]);
    command.args([
        "--generation-database",
        "none",
        "--seed",
        &seed().to_string(),
    ]);
    let finished = finish(command, b"", support::LONG).await;
    let report = finished.stdout;
    assert!(finished.status.success(), "{report}{}", finished.stderr);
    println!("{report}");
    // It has really asked: every operation but the events, hundreds of times.
    let contract = api.json("/openapi.json").await;
    let paths = contract["paths"].as_object().unwrap().iter();
    // The contract's own address is no operation to it.
    let operations: usize = paths
        .filter(|(path, _)| *path != "/openapi.json")
        .map(|(_, methods)| methods.as_object().unwrap().len())
        .sum();
    let asked = operations - 1;
    assert!(operations > 30, "{operations} operations");
    assert!(
        report.contains(&format!(
            "Selected: {asked}/{operations}\n  Tested: {asked}\n"
        )),
        "{report}"
    );
    let cases = report
        .lines()
        .find_map(|line| line.trim().split_once(" generated, "));
    let cases: u32 = cases.unwrap().0.parse().unwrap();
    assert!(cases >= 300, "{report}");
}
