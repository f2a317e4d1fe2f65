//! The cockpit in a real browser, on a real demo, and the demo's end and second start.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod support;

use std::path::Path;

use steward_store::StoreReader;
use support::{Browser, LONG, Step, Steward, Visit, path_of, wait_until};

/// Figures of the strip at the top.
const KPIS: usize = 8;
const HISTORY_DAYS: &str = "30";

#[tokio::test]
async fn the_cockpit_shows_the_demo_which_stops_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let start = [
        "demo",
        "--data",
        path_of(&data),
        "--history-days",
        HISTORY_DAYS,
    ];
    let mut demo = Steward::start(&start).await;
    complete(&demo, 1).await;
    every_meter_is_online(&demo).await;

    let visit = visit(&demo).await;
    assert_eq!(visit.status, 200);
    assert!(visit.title.contains("双碳管家"), "{}", visit.title);
    assert_eq!(visit.errors, Vec::<String>::new());
    assert_eq!(visit.foreign_requests, Vec::<String>::new());
    let (chinese, rest) = visit.texts.split_at(KPIS + 1);
    let (difference, english) = rest.split_first().unwrap();
    assert!(chinese[0].contains("双碳管家"), "{chinese:?}");
    for figure in &chinese[1..] {
        assert!(figure.contains(|c: char| c.is_ascii_digit()), "{chinese:?}");
    }
    assert!(chinese[1].ends_with('W'), "power is watts: {chinese:?}");
    explained(difference);
    assert!(english[0].contains("Carbon Steward"), "{english:?}");

    // Ctrl-C.
    demo.process().signal("INT");
    assert!(demo.process().wait_end(LONG).await.success());
    demo.kill();
    let store = StoreReader::open(&data.join("store"));
    let before = store.counts().await.unwrap();
    let history = 30 * 96 * 75;
    assert!(before.stored_new >= history, "{before:?}");

    demo.start_again().await;
    complete(&demo, 2).await;
    every_meter_is_online(&demo).await;
    let after = store.counts().await.unwrap();
    assert!(after.stored_new > before.stored_new, "{before:?} {after:?}");
    // The gap between the two is sent, the history is not: it would come as duplicates.
    assert_eq!(after.duplicates, 0);
    assert!(
        after.stored_new - before.stored_new < history / 10,
        "{before:?} {after:?}"
    );
    assert!(demo.stop().await.success());
    assert!(!demo.log().contains("panicked"), "{}", demo.log());
    let verified = Steward::once(&["verify", "--config", path_of(&data)]).await;
    let words = verified.expect_success();
    assert!(words.contains("closure error 0 base units"), "{words}");
}

/// A figure is the difference of two registers, as the page itself writes it: `a − b = c Wh`.
fn explained(difference: &str) {
    let number = |text: &str| -> i64 {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_else(|_| panic!("{difference}"))
    };
    let (registers, amount) = difference.split_once('=').unwrap();
    let (last, first) = registers.split_once('−').unwrap();
    assert_eq!(number(last) - number(first), number(amount), "{difference}");
    assert!(number(amount) > 0 && amount.ends_with("Wh"), "{difference}");
}

/// Waits until the history of so many starts is computed.
async fn complete(demo: &Steward, starts: usize) {
    wait_until("the history to be computed", LONG, async || {
        let told = demo.log().matches("history complete").count();
        (told == starts).then_some(())
    })
    .await;
}

async fn every_meter_is_online(demo: &Steward) {
    wait_until("every meter to be online", LONG, async || {
        let answer = demo.json("/api/v1/meters").await;
        let meters = answer["meters"].as_array().unwrap();
        let online = meters
            .iter()
            .filter(|meter| meter["state"] == "online")
            .count();
        (online == meters.len()).then_some(())
    })
    .await;
}

/// Looks at the whole page in both languages; the pictures stay in the build folder.
async fn visit(demo: &Steward) -> Visit {
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(pictures).unwrap();
    let shots = ["cockpit-zh.png", "cockpit-explain.png", "cockpit-en.png"];
    let shots = shots.map(|name| pictures.join(name));
    let mut steps = vec![
        Step::WaitText("h1".to_owned(), "海州市".to_owned()),
        Step::WaitText(".band .tag".to_owned(), "实时连接".to_owned()),
        // Lines of a chart have their corners cut; axes and grids have none.
        Step::WaitFor(".at-load .chart svg path[stroke-linejoin='bevel']".to_owned()),
        Step::WaitFor(".at-months .chart svg path[stroke-linejoin='bevel']".to_owned()),
        Step::WaitFor(".at-meters .dots i.online".to_owned()),
        Step::WaitText(".at-buildings .card".to_owned(), "行政中心1号楼".to_owned()),
        Step::WaitText(".kpi .big".to_owned(), "W".to_owned()),
        Step::WaitFor(".ticker li".to_owned()),
        Step::Read("h1".to_owned()),
    ];
    for number in 1..=KPIS {
        steps.push(Step::Read(format!(".kpis > .kpi:nth-child({number}) .big")));
    }
    steps.push(Step::Screenshot(shots[0].clone()));
    steps.extend(explain(&shots[1]));
    steps.extend([
        Step::Click("button[aria-label='切换为英文']".to_owned()),
        Step::WaitText(".kpi h2".to_owned(), "Power now".to_owned()),
        Step::WaitText(".at-load h2".to_owned(), "Load curve".to_owned()),
        Step::WaitText(
            ".at-buildings .card".to_owned(),
            "Administration".to_owned(),
        ),
        Step::Read("h1".to_owned()),
        Step::Screenshot(shots[2].clone()),
    ]);
    steps.extend(pages());
    let visit = Browser::default().visit(&demo.url("/"), &steps).await;
    for shot in &shots {
        let size = std::fs::metadata(shot).unwrap().len();
        assert!(size > 50_000, "{}: {size} bytes", shot.display());
        println!("picture: {}", shot.display());
    }
    visit
}

/// A building's month opens into points that add up to it, and a point into its registers.
fn explain(shot: &Path) -> [Step; 7] {
    let month = ".at-buildings .card dl div:nth-child(2) .ask";
    [
        Step::Click(month.to_owned()),
        Step::WaitFor("dialog.drawer .sum.good".to_owned()),
        Step::Click("dialog.drawer .tree button.tree-row".to_owned()),
        Step::WaitFor("dialog.drawer .chain li".to_owned()),
        Step::Read("dialog.drawer .run .sum".to_owned()),
        Step::Screenshot(shot.to_owned()),
        Step::Click("dialog.drawer .panel-tools button:last-child".to_owned()),
    ]
}

/// The desk's pages open from the navigation, each under its own heading.
fn pages() -> Vec<Step> {
    let names = ["reviews", "closes", "invoices", "books"];
    let open = names.map(|name| {
        [
            Step::Click(format!(".pages a[href='#/{name}']")),
            Step::WaitFor(format!("html[data-page='{name}'] .page-head h1")),
        ]
    });
    open.into_iter().flatten().collect()
}
