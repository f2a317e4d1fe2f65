//! The Grafana files: the queries in them, and how Grafana fills them. The rules stand in
//! `dashboards/README.md`.

#![allow(unreachable_pub, reason = "a module of one test")]

use std::path::PathBuf;

use serde_json::Value;

use super::support::{Row, repo};

/// Every choice of a variable.
pub const ALL: &str = ".*";

/// A query as it stands in a file.
#[derive(Clone, Debug)]
pub struct Query {
    pub name: String,
    pub flux: String,
}

/// An alert: its query, and when its answer is alarming.
#[derive(Debug)]
pub struct Alert {
    pub query: Query,
    pub above: bool,
    pub threshold: f64,
}

/// All dashboards with their file names.
pub fn dashboards() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for path in files("dashboards", "json") {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        found.push((name, serde_json::from_str(&text).unwrap()));
    }
    assert!(!found.is_empty(), "there is no dashboard");
    found
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repo().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    paths.sort();
    paths
}

pub fn real_panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    panels.filter(|panel| panel["type"] != "row")
}

pub fn panels(dashboards: &[(String, Value)]) -> Vec<Query> {
    let mut queries = Vec::new();
    for (file, dashboard) in dashboards {
        for panel in real_panels(dashboard) {
            for target in panel["targets"].as_array().unwrap() {
                queries.push(Query {
                    name: format!("{file}: {}", panel["title"].as_str().unwrap()),
                    flux: target["query"].as_str().unwrap().to_owned(),
                });
            }
        }
    }
    queries
}

pub fn variables(dashboards: &[(String, Value)]) -> Vec<Query> {
    let mut queries = Vec::new();
    for (_, dashboard) in dashboards {
        for variable in dashboard["templating"]["list"].as_array().unwrap() {
            queries.push(Query {
                name: variable["name"].as_str().unwrap().to_owned(),
                flux: variable["query"]["query"].as_str().unwrap().to_owned(),
            });
        }
    }
    queries
}

/// Fills variables and the dashboard's time as Grafana does.
pub fn fill(flux: &str, institution: &str) -> String {
    let mut flux = flux
        .replace("${institution:regex}", institution)
        .replace("${building:regex}", ALL)
        .replace("${point:regex}", ALL)
        .replace("${commodity}", "electricity");
    assert!(!flux.contains("${"), "a variable is not filled: {flux}");
    if flux.contains("v.") {
        let option = "option v = {timeRangeStart: -7d, timeRangeStop: now(), windowPeriod: 5m, \
             defaultBucket: \"ledger\", organization: \"steward\"}\n";
        let imports = |line: &&str| line.trim().is_empty() || line.starts_with("import");
        let head: usize = flux
            .split_inclusive('\n')
            .take_while(imports)
            .map(str::len)
            .sum();
        flux.insert_str(head, option);
    }
    flux
}

/// The rows at which an alert fires.
pub fn firing<'r>(alert: &Alert, rows: &'r [Row]) -> Vec<&'r Row> {
    let fires = |row: &&Row| {
        let value: f64 = row["_value"].parse().unwrap();
        if alert.above {
            value > alert.threshold
        } else {
            value < alert.threshold
        }
    };
    rows.iter().filter(fires).collect()
}

/// The rules of the alert files. They are read by line, since of YAML they use block texts and flow
/// mappings on one line alone; what is found is counted against the words that must be there.
pub fn alerts() -> Vec<Alert> {
    let mut alerts = Vec::new();
    for path in files("dashboards/provisioning/alerting", "yaml") {
        let text = std::fs::read_to_string(&path).unwrap().replace("$$", "$");
        let mut uid = "";
        let mut queries: Vec<Query> = Vec::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let word = line.trim_start().trim_start_matches("- ");
            if let Some(found) = word.strip_prefix("uid: ") {
                uid = found;
            } else if word == "query: |" {
                let depth = indent(lines.peek().unwrap());
                let mut flux = String::new();
                while let Some(line) =
                    lines.next_if(|line| line.is_empty() || indent(line) >= depth)
                {
                    flux.push_str(line.get(depth..).unwrap_or(""));
                    flux.push('\n');
                }
                queries.push(Query {
                    name: uid.to_owned(),
                    flux,
                });
            } else if let Some(found) = word.strip_prefix("evaluator: ") {
                let (above, threshold) = evaluator(found);
                alerts.push(Alert {
                    query: queries.pop().unwrap(),
                    above,
                    threshold,
                });
            }
        }
        assert!(
            queries.is_empty(),
            "a query without a threshold: {queries:?}"
        );
        let sources = text.matches("datasourceUid: steward-influxdb").count();
        assert_eq!(alerts.len(), sources, "{}", path.display());
    }
    alerts
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Reads `{ type: gt, params: [900] }`.
fn evaluator(text: &str) -> (bool, f64) {
    let (_, kind) = text.split_once("type: ").unwrap();
    let (kind, rest) = kind.split_once(',').unwrap();
    let (_, number) = rest.split_once('[').unwrap();
    let (number, _) = number.split_once(']').unwrap();
    let above = match kind {
        "gt" => true,
        "lt" => false,
        other => panic!("`{other}` is no kind of threshold that is known here"),
    };
    (above, number.parse().unwrap())
}
