//! `steward explain`: one figure, opened.

use std::process::ExitCode;

use anyhow::Context as _;
use chrono::{DateTime, NaiveDate};
use steward_books::{Access, Books, books_dir};
use steward_config::Config;
use steward_model::time::{day_start_s, period_start_s};
use steward_model::{BuildingId, Commodity, InstitutionId, PointId, Span};
use steward_report::explain::{Asked, Explanation, explain as explained};
use steward_report::{BooksView, Scope, zone_of};

use crate::board::now;
use crate::cli::books::ExplainArgs;
use crate::commands::{load, print};
use crate::roles::source;

/// `steward explain`
pub(crate) async fn explain(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let config = load(&args.site.config)?;
    let books = Books::open(&books_dir(&config.settings.data_dir), Access::Read)?;
    let view = BooksView::read(&books)?;
    let asked = asked(&config, args)?;
    let explanation = explained(&config, &source(&config)?, &view, &asked, now()).await?;
    if args.json {
        print(&serde_json::to_string_pretty(&explanation)?)?;
        print("\n")?;
    } else {
        print(&page(&explanation)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn asked(config: &Config, args: &ExplainArgs) -> anyhow::Result<Asked> {
    let scope = scope(&args.scope)?;
    let commodity = match &args.commodity {
        Some(id) => {
            Some(Commodity::from_id(id).with_context(|| format!("no commodity is called `{id}`"))?)
        }
        None => None,
    };
    let span = Span::from_id(&args.span).with_context(|| {
        format!(
            "`{}` is no span: interval, hour, day, month, year",
            args.span
        )
    })?;
    let zone = zone_of(config, &scope);
    let text = &args.start;
    let at_s = if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        time.timestamp()
    } else {
        let padded = match text.len() {
            4 => format!("{text}-01-01"),
            7 => format!("{text}-01"),
            _ => text.clone(),
        };
        let date: NaiveDate = padded.parse().with_context(|| {
            format!("--start {text}: a month 2026-10, a day 2026-10-03, or RFC 3339")
        })?;
        day_start_s(zone, date)
    };
    Ok(Asked {
        scope,
        commodity,
        span,
        start_s: period_start_s(zone, span, at_s),
    })
}

fn scope(text: &str) -> anyhow::Result<Scope> {
    let hint = || format!("--scope {text}: point:ID, building:ID, institution:ID or all");
    Ok(match text.split_once(':') {
        None if text == "all" => Scope::All,
        Some(("point", id)) => Scope::Point(PointId::new(id)?),
        Some(("building", id)) => Scope::Building(BuildingId::new(id)?),
        Some(("institution", id)) => Scope::Institution(InstitutionId::new(id)?),
        _ => anyhow::bail!(hint()),
    })
}

/// The explanation as a page: the figure, then every list under its name.
fn page(explanation: &Explanation) -> anyhow::Result<String> {
    let value = serde_json::to_value(explanation)?;
    let mut text = String::new();
    write_value(&mut text, 0, &value);
    Ok(text)
}

fn write_value(text: &mut String, depth: usize, value: &serde_json::Value) {
    use serde_json::Value;
    let pad = "  ".repeat(depth);
    let is_plain = |value: &Value| !(value.is_object() || value.is_array());
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let is_empty = value.is_null()
                    || value.as_array().is_some_and(Vec::is_empty)
                    || value.as_str().is_some_and(str::is_empty);
                if is_empty {
                    continue;
                }
                if is_plain(value) {
                    text.push_str(&format!("{pad}{name}: {}\n", plain(value)));
                } else {
                    text.push_str(&format!("{pad}{name}:\n"));
                    write_value(text, depth + 1, value);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                if is_plain(item) {
                    text.push_str(&format!("{pad}- {}\n", plain(item)));
                } else {
                    text.push_str(&format!("{pad}-\n"));
                    write_value(text, depth + 1, item);
                }
            }
        }
        other => text.push_str(&format!("{pad}{}\n", plain(other))),
    }
}

fn plain(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
