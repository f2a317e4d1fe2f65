//! A headless Chromium that can reach nothing but loopback.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::{Value, json};

use super::process::finish;
use super::{LONG, SHORT, repo, require, system_program, tools};

/// A browser window of a given size; every visit starts with an empty profile.
#[derive(Clone, Copy, Debug)]
pub struct Browser {
    pub width: u16,
    pub height: u16,
    /// The language that the page is told, such as `zh-CN`.
    pub locale: &'static str,
}

impl Default for Browser {
    fn default() -> Self {
        Self {
            width: 1440,
            height: 900,
            locale: "zh-CN",
        }
    }
}

/// What is done on a page, one after the other. Each step waits for its element.
#[derive(Clone, Debug)]
pub enum Step {
    /// Until an element that matches is visible.
    WaitFor(String),
    /// Until an element that matches holds a text.
    WaitText(String, String),
    /// A click on the first element that matches.
    Click(String),
    /// The text of the first element that matches goes to [`Visit::texts`].
    Read(String),
    /// A PNG of the whole page.
    Screenshot(PathBuf),
}

/// What a visit has shown.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Visit {
    /// The HTTP status of the page itself.
    pub status: u16,
    pub title: String,
    /// Errors on the console, uncaught exceptions, requests to loopback that failed.
    pub errors: Vec<String>,
    /// Requests that wanted to leave loopback. They were refused.
    pub foreign_requests: Vec<String>,
    /// One for each [`Step::Read`].
    pub texts: Vec<String>,
}

impl Step {
    fn to_json(&self) -> Value {
        match self {
            Self::WaitFor(selector) => json!({"do": "waitFor", "selector": selector}),
            Self::WaitText(selector, text) => {
                json!({"do": "waitText", "selector": selector, "text": text})
            }
            Self::Click(selector) => json!({"do": "click", "selector": selector}),
            Self::Read(selector) => json!({"do": "read", "selector": selector}),
            Self::Screenshot(path) => json!({"do": "screenshot", "path": path}),
        }
    }
}

impl Browser {
    /// Opens a page, takes the steps, and returns what was seen. A step that cannot be taken fails
    /// the test.
    pub async fn visit(&self, url: &str, steps: &[Step]) -> Visit {
        let playwright = require("playwright-core", tools().playwright().ok());
        let order = json!({
            "playwright": playwright,
            "chromium": system_program("chromium"),
            "url": url,
            "viewport": {"width": self.width, "height": self.height},
            "locale": self.locale,
            "timeoutMs": u64::try_from(SHORT.as_millis()).unwrap(),
            "steps": steps.iter().map(Step::to_json).collect::<Vec<_>>(),
        });
        let mut command = Command::new(system_program("node"));
        command.arg(repo().join(Path::new("tests/support/browser.mjs")));
        let seen = finish(command, order.to_string().as_bytes(), LONG)
            .await
            .expect_success();
        serde_json::from_str(&seen).unwrap_or_else(|error| panic!("{error}: {seen}"))
    }
}
