//! Figures as tables, and their place in `docs/BENCHMARKS.md`.

use std::fs;

use anyhow::{Context, Result};

use super::machine::Machine;
use crate::Place;

/// A table.
pub(super) struct Table {
    pub(super) head: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

/// What was promised, and what came of it.
pub(super) struct Target {
    pub(super) what: String,
    pub(super) is_met: bool,
}

/// The figures of one part.
#[derive(Default)]
pub(super) struct Section {
    pub(super) tables: Vec<Table>,
    /// How it was measured; whole sentences.
    pub(super) notes: Vec<String>,
    pub(super) targets: Vec<Target>,
}

impl Section {
    /// Adds a target: `what` says wanted and got.
    pub(super) fn target(&mut self, is_met: bool, what: String) {
        self.targets.push(Target { what, is_met });
    }

    pub(super) fn missed(&self) -> impl Iterator<Item = &str> {
        let missed = self.targets.iter().filter(|target| !target.is_met);
        missed.map(|target| target.what.as_str())
    }

    /// As Markdown.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for table in &self.tables {
            text.push_str(&format!("| {} |\n", table.head.join(" | ")));
            text.push_str(&format!("|{}\n", "---|".repeat(table.head.len())));
            for row in &table.rows {
                text.push_str(&format!("| {} |\n", row.join(" | ")));
            }
            text.push('\n');
        }
        for note in &self.notes {
            text.push_str(&format!("{note}\n\n"));
        }
        for target in &self.targets {
            let verdict = if target.is_met { "met" } else { "**missed**" };
            text.push_str(&format!("- Target {verdict}: {}\n", target.what));
        }
        text
    }
}

/// Puts the figures between the marks of their part. The words around the marks are left alone; a
/// part whose marks are missing is added at the end.
pub(super) fn write(place: &Place, part: &str, machine: &Machine, section: &Section) -> Result<()> {
    let path = place.repo.join("docs/BENCHMARKS.md");
    let page = fs::read_to_string(&path).unwrap_or_else(|_| "# Benchmarks\n".to_owned());
    let figures = format!(
        "`cargo xtask bench {part}`, {}\n\n{}",
        machine.text(),
        section.text()
    );
    fs::write(&path, put(&page, part, &figures)).with_context(|| path.display().to_string())
}

fn put(page: &str, part: &str, figures: &str) -> String {
    let (begin, end) = (
        format!("<!-- figures of {part} -->"),
        format!("<!-- end of {part} -->"),
    );
    let figures = figures.trim_end();
    let block = format!("{begin}\n\n{figures}\n\n{end}");
    let found = page
        .split_once(&begin)
        .and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    match found {
        Some((before, after)) => format!("{before}{block}{after}"),
        None => format!("{}\n\n## {part}\n\n{block}\n", page.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_replace_figures_and_leave_the_words_around_them() {
        let page = put("# Benchmarks\n", "mqtt", "old");
        let page = page.replace("## mqtt\n", "## From the broker\n\nWords.\n");
        let page = put(&page, "mqtt", "new\n");
        assert_eq!(
            page,
            "# Benchmarks\n\n## From the broker\n\nWords.\n\n<!-- figures of mqtt -->\n\nnew\n\n\
             <!-- end of mqtt -->\n"
        );
    }
}
