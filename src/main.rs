//! The `steward` program: command line, wiring of roles, errors to exit codes; nothing else.

mod board;
mod cli;
mod commands;
#[cfg(feature = "demo")]
mod demo;
mod roles;
mod samples;

use std::process::ExitCode;

use clap::Parser as _;
use tokio_util::sync::CancellationToken;

use cli::{Cli, Command};

/// Exit code of a configuration with mistakes (EX_USAGE).
const EXIT_CONFIG: u8 = 64;
/// Exit code of a disk that failed (EX_IOERR).
const EXIT_DISK: u8 = 74;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(&cli);
    // One TLS implementation for MQTT and HTTP; the call fails only when it was already chosen.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(dispatch(cli.command)));
    match outcome {
        Ok(code) => code,
        Err(error) if error.is::<steward_config::ConfigErrors>() => {
            eprintln!("{error}");
            ExitCode::from(EXIT_CONFIG)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            let disk = roles::is_disk_failure(&error);
            if disk {
                ExitCode::from(EXIT_DISK)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    match command {
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::run(args, stop).await.map(|()| ExitCode::SUCCESS),
        Command::Run(args) => commands::run(args, roles::Roles::ALL, stop).await,
        Command::Collector(args) => commands::run(args, roles::Roles::COLLECTOR, stop).await,
        Command::Aggregator(args) => commands::run(args, roles::Roles::AGGREGATOR, stop).await,
        Command::Api(args) => commands::run(args, roles::Roles::API, stop).await,
        Command::Check(args) => commands::check(&args),
        Command::Report(args) => commands::report(&args).await,
        Command::Verify(args) => commands::verify(&args).await,
        Command::Explain(args) => commands::explain(&args).await,
        Command::Books(args) => commands::books(args).await,
        Command::Review(args) => commands::review(args).await,
        Command::Close(args) => commands::close(args).await,
        Command::Invoice(args) => commands::invoice(args).await,
        Command::Tariff(args) => commands::tariff(args).await,
        Command::Quarantine(args) => commands::quarantine(&args).await,
        Command::Influx(args) => commands::influx(args).await,
        Command::Store(args) => commands::store(&args),
        Command::Token(args) => commands::token(&args),
    }
}

/// Ctrl-C and SIGTERM ask for a clean stop.
async fn stop_on_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut term) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
    }
    stop.cancel();
}

/// Log lines go to standard error; `STEWARD_LOG` takes the usual filter syntax.
fn start_log(cli: &Cli) {
    let quiet = matches!(cli.command, Command::Run(_) | Command::Collector(_))
        || matches!(cli.command, Command::Aggregator(_) | Command::Api(_));
    let default = if quiet {
        "info,rumqttc=warn"
    } else {
        "warn,rumqttd=off,rumqttc=off"
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("STEWARD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if cli.log_json {
        builder.json().init()
    } else {
        builder.with_target(false).init()
    }
}
