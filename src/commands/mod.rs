//! One function a command; each answers the exit code of the process.

mod books;
mod close;
mod explain;
mod quarantine;
mod tariff;
mod verify;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use steward_books::{Access, Books, books_dir};
use steward_config::{Config, InfluxSettings};
use steward_journal::JournalReader;
use steward_model::InstitutionId;
use steward_report::{BooksView, Month};
use steward_store::influx::{self, TagBook};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::board::now;
use crate::cli::{
    Format, InfluxAction, InfluxArgs, ReportArgs, RoleArgs, SiteArgs, StoreAction, StoreArgs,
    TokenArgs,
};
use crate::roles::{Roles, System, journal_dir, lock_store, open_store, source, store_dir};

pub(crate) use books::{books, review};
pub(crate) use close::{close, invoice};
pub(crate) use explain::explain;
pub(crate) use quarantine::quarantine;
pub(crate) use tariff::tariff;
pub(crate) use verify::verify;

/// Random characters of a token: 190 bits, beyond guessing, so a plain digest is enough at rest.
const TOKEN_CHARS: usize = 32;

/// Loads a site's folder.
pub(crate) fn load(folder: &Path) -> anyhow::Result<Config> {
    let environment = |name: &str| std::env::var(name).ok();
    Ok(steward_config::load(folder, &environment)?)
}

/// `steward run`, `collector`, `aggregator`, `api`.
pub(crate) async fn run(
    args: RoleArgs,
    roles: Roles,
    stop: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let mut config = Arc::new(load(&args.site.config)?);
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        let round = stop.child_token();
        let system = System::start(config, roles, args.listen, round.clone()).await?;
        if let Ok(address) = system.address() {
            tracing::info!(%address, "listening");
        }
        let mut running = std::pin::pin!(system.wait());
        let next = tokio::select! {
            ended = &mut running => {
                ended?;
                return Ok(ExitCode::SUCCESS);
            }
            next = reloaded(&mut hangup, &args.site.config) => next,
        };
        // The roles end as at a stop and start again on the new configuration: brokers keep what
        // comes in between, and everything acknowledged is on disk.
        round.cancel();
        running.await?;
        if stop.is_cancelled() {
            return Ok(ExitCode::SUCCESS);
        }
        config = next;
    }
}

/// Waits for SIGHUP and loads the site's folder anew. A folder with mistakes is told and left: the
/// configuration in force stays in force.
async fn reloaded(hangup: &mut Signal, folder: &Path) -> Arc<Config> {
    loop {
        if hangup.recv().await.is_none() {
            return std::future::pending().await;
        }
        match load(folder) {
            Ok(config) => {
                tracing::info!("the configuration is loaded anew");
                return Arc::new(config);
            }
            Err(error) => tracing::error!("the configuration is not taken:\n{error}"),
        }
    }
}

/// `steward check`
pub(crate) fn check(args: &SiteArgs) -> anyhow::Result<ExitCode> {
    let config = load(&args.config)?;
    let registry = &config.registry;
    println!(
        "{}: {} institutions, {} buildings, {} points, {} meters, {} gateways; \
         {} profiles, {} factors, {} budgets. 没有错误 no mistakes.",
        args.config.display(),
        registry.institutions.len(),
        registry.buildings.len(),
        registry.points.len(),
        registry.meters.len(),
        registry.gateways.len(),
        config.profiles.len(),
        config.factors.all.len(),
        config.budgets.all.len(),
    );
    Ok(ExitCode::SUCCESS)
}

/// `steward report`
pub(crate) async fn report(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let config = load(&args.site.config)?;
    let institution = InstitutionId::new(&args.institution)?;
    let month: Month = args.month.parse()?;
    let source = source(&config)?;
    let books = Books::open(&books_dir(&config.settings.data_dir), Access::Read)?;
    let view = BooksView::read(&books)?;
    let facts = steward_report::gather(&source, &config, &view, &institution, month).await?;
    let report = steward_report::compose(&config, &institution, month, &facts, now())?;
    match args.format {
        Format::Json => print(&steward_report::to_json(&report)?)?,
        Format::Csv => print(&steward_report::to_csv(&report)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes to standard output; a reader that went away (`| head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// `steward influx setup|publish`
pub(crate) async fn influx(args: InfluxArgs) -> anyhow::Result<ExitCode> {
    match args.action {
        InfluxAction::Setup(site) => {
            let config = load(&site.config)?;
            let report = influx::setup(influx_settings(&config)?).await?;
            for change in &report.changes {
                println!("{change}");
            }
            if report.changes.is_empty() {
                println!("已就绪 everything was there");
            }
            if let Some(password) = report.password {
                println!(
                    "password of user `steward`, shown once: {}",
                    password.expose()
                );
            }
        }
        InfluxAction::Publish { site, all: _ } => {
            let config = load(&site.config)?;
            let stop = CancellationToken::new();
            let report = influx::publish_all(
                &store_dir(&config),
                influx_settings(&config)?,
                TagBook::new(&config),
                now,
                &stop,
            )
            .await?;
            println!(
                "已发布 published {} lines, {} set aside, {} readings older than the retention",
                report.lines, report.quarantined, report.expired
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn influx_settings(config: &Config) -> anyhow::Result<&InfluxSettings> {
    config
        .settings
        .influx
        .as_ref()
        .context("steward.toml has no [influx] section: add url, org and token_file")
}

/// `steward store rebuild`
pub(crate) fn store(args: &StoreArgs) -> anyhow::Result<ExitCode> {
    let StoreAction::Rebuild(site) = &args.action;
    let config = Arc::new(load(&site.config)?);
    let _lock = lock_store(&config)?;
    let store = open_store(&config)?;
    let reader = JournalReader::open(&journal_dir(&config))?;
    let books = Books::open(&books_dir(&config.settings.data_dir), Access::Read)?;
    let mut aggregator =
        steward_aggregator::Aggregator::new(Arc::clone(&config), reader, store, books)?;
    aggregator.rebuild()?;
    let days = aggregator.health().dirty_days;
    println!("{days} point-days to compute");
    while aggregator.step()? != steward_aggregator::Step::Idle {}
    aggregator.tell_cursor()?;
    println!("台账已重算 the ledger was computed anew");
    Ok(ExitCode::SUCCESS)
}

/// `steward token`
pub(crate) fn token(args: &TokenArgs) -> anyhow::Result<ExitCode> {
    let random = rand::rng()
        .sample_iter(rand::distr::Alphanumeric)
        .take(TOKEN_CHARS);
    let token: String = "steward_".chars().chain(random.map(char::from)).collect();
    let digest = Sha256::digest(token.as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    println!("token (shown once): {token}");
    println!("line for the tokens file: {} {digest}", args.name);
    Ok(ExitCode::SUCCESS)
}
