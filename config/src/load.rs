//! From a site's folder to a checked [`Config`].

mod accounts;
mod allocations;
mod budgets;
pub(crate) mod calendars;
mod carbon;
mod counters;
mod dated;
pub(crate) mod factors;
mod formulas;
mod gateways;
mod golden;
mod links;
mod meters;
mod named;
mod points;
pub(crate) mod profiles;
mod ratios;
mod references;
mod registry;
mod schedules;
mod secrets;
mod settings;
mod shares;
pub(crate) mod tariffs;
mod weather;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::error::{At, ConfigErrors, Log, Problem};
use crate::tree::{Document, Environment, parse_toml};
use crate::{Config, Factors};

/// A folder being read.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    dir: &'a Path,
    log: &'a Log,
    environment: Environment<'a>,
}

/// Reads the site in `dir`. `environment` answers what `${NAME}` stands for; the program passes
/// the process's own. Every mistake is reported, not the first alone.
pub fn load(
    dir: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, ConfigErrors> {
    let log = Log::default();
    let site = Site {
        dir,
        log: &log,
        environment,
    };
    let config = read(site);
    log.settle(config)
}

fn read(site: Site<'_>) -> Option<Config> {
    let (basics, settings) = match site.toml("steward.toml", Some(site.environment)) {
        Some(document) => settings::read(site, &document),
        None => (settings::Basics::default(), None),
    };
    let profiles = profiles::collect(site, basics.zone);
    let drafts = factors::collect(site);
    let raw = registry::read(site, &basics);
    let institutions = raw.institution_ids(site.log);
    let tariffs = tariffs::collect(site);
    let calendar = calendars::collect(site, &basics.calendar);
    let registry = references::check(site, raw, &profiles, &drafts, &tariffs);
    let factors = settings
        .as_ref()
        .map(|settings| factors::in_use(&drafts, settings));
    if let (Some(settings), Some(places)) = (&settings, &basics.carbon)
        && let (Some(registry), Some(factors)) = (&registry, &factors)
    {
        carbon::Check {
            log: site.log,
            settings,
            places,
            checked: registry,
            drafts: &drafts,
            factors,
        }
        .run();
    }
    let budgets = budgets::collect(site, institutions.as_ref());
    let weather = weather::collect(site);
    let checked = registry?;
    Some(Config {
        settings: settings?,
        registry: checked.registry,
        profiles,
        factors: factors.unwrap_or_else(Factors::default),
        budgets,
        calendar,
        tariffs: crate::Tariffs {
            all: tariffs,
            accounts: checked.accounts,
        },
        weather,
    })
}

impl Site<'_> {
    /// A path of the site: relative ones start at its folder.
    fn path(&self, written: &str) -> PathBuf {
        self.dir.join(written)
    }

    /// Reads a text file of the site. What goes wrong is reported.
    fn text(&self, file: &str) -> Option<String> {
        match std::fs::read(self.dir.join(file)) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Some(text),
                Err(_) => {
                    let problem = Problem::new("is not UTF-8").hint("save it as UTF-8");
                    self.log.report_unread(&At::file(file), problem);
                    None
                }
            },
            Err(error) => {
                let problem = Problem::new(format!("cannot be read: {}", error.kind()));
                self.log.report_unread(&At::file(file), problem);
                None
            }
        }
    }

    fn toml(&self, file: &str, environment: Option<Environment<'_>>) -> Option<Document> {
        let text = self.text(file)?;
        parse_toml(Rc::from(file), &text, environment, self.log)
    }

    fn has(&self, file: &str) -> bool {
        self.dir.join(file).exists()
    }

    /// The `*.toml` files of a folder of the site by name; none where the folder is absent.
    fn toml_files(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.dir.join(folder)) else {
            if self.has(folder) {
                let problem = Problem::new("must be a folder that can be read");
                self.log.report_unread(&At::file(folder), problem);
            }
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.ends_with(".toml") && !name.starts_with('.'))
            .map(|name| format!("{folder}/{name}"))
            .collect();
        names.sort_unstable();
        names
    }
}
