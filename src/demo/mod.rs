//! `steward demo`: the same roles as `run`, on a world that is simulated.

mod broker;
mod feed;
mod progress;
mod state;
mod story;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{Days, NaiveDate, Utc};
use steward_config::Config;
use steward_simulator::files::{self, FileOptions};
use steward_simulator::mqtt::Publishing;
use steward_simulator::{Site, Story, World, modbus, mqtt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::feed::Part;
use self::state::{Chapter, State};
use self::story::Storyteller;
use crate::cli::DemoArgs;
use crate::roles::{Roles, System};

/// The demo's world is the same for everybody, so that two people see the same figures.
const SEED: u64 = 20_261_001;
/// Time between two live readings of a meter.
const LIVE_S: u32 = 5;

/// Runs the demo until Ctrl-C.
pub(crate) async fn run(args: DemoArgs, stop: CancellationToken) -> anyhow::Result<()> {
    let folder = args.data.clone();
    if args.fresh {
        State::forget(&folder)?;
    }
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let mut state = match State::load(&folder)? {
        Some(state) => state,
        None => first_state(args.history_days),
    };
    let site = Site::demo();
    let told_on = *state.told_on.get_or_insert_with(today);
    let story = Story::demo(&site, state.start, told_on);
    let world = Arc::new(World::new(SEED, state.start, site).with_story(story));
    state.sent_until_ms = state.sent_until_ms.max(world.start_ms());
    let listeners = listeners(&world).await?;
    let config = Arc::new(site_folder(&args, &state, &world, &listeners)?);

    if let Some(influx) = &config.settings.influx {
        // Buckets of the demo are made as `steward influx setup` makes them.
        steward_store::influx::setup(influx)
            .await
            .context("InfluxDB cannot be set up")?;
    }

    // The first seconds belong to the page: roles start before the history comes. Meters are asked
    // after it, so that the ledger goes forward from the oldest day to the present.
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let mut system =
        System::start(Arc::clone(&config), Roles::DEMO, Some(listen), stop.clone()).await?;
    state.save(&folder)?;
    println!(
        "双碳管家 Carbon Steward  →  http://{}   (Ctrl-C 停止 / stops)",
        system.address()?
    );

    let teller = Storyteller::open(&config, &world)?;
    if state.chapter < Chapter::Replaced {
        teller.replace().await?;
        state.chapter = Chapter::Replaced;
        state.save(&folder)?;
    }
    let fed = feed_history(&world, &config, &system, &mut state, &folder, &stop).await?;
    if fed {
        tell_the_rest(&teller, &world, &config, &system, &mut state, &folder).await?;
    }
    if fed {
        simulate(&world, &config, listeners, &stop);
        system.start_collector();
        remember(&folder, state, &stop);
    }
    system.wait().await
}

/// The month is closed on what the ledger says before the backlog of the outage comes; what the
/// backlog changes becomes an adjustment.
async fn tell_the_rest(
    teller: &Storyteller<'_>,
    world: &Arc<World>,
    config: &Arc<Config>,
    system: &System,
    state: &mut State,
    folder: &std::path::Path,
) -> anyhow::Result<()> {
    if state.chapter < Chapter::Closed {
        teller.close().await?;
        state.chapter = Chapter::Closed;
        state.save(folder)?;
    }
    if state.chapter < Chapter::BacklogSent {
        let journal = system.journal().context("the demo runs the collector")?;
        if let Some(outage) = world.story().outage.clone() {
            let (world, config) = (Arc::clone(world), Arc::clone(config));
            let sent = Arc::new(AtomicU64::new(0));
            let span = (outage.from_ms, outage.to_ms);
            tokio::task::spawn_blocking(move || {
                let mark = |_| Ok(());
                feed::send(&world, &config, &journal, Part::Backlog, span, &sent, mark)
            })
            .await??;
        }
        state.chapter = Chapter::BacklogSent;
        state.save(folder)?;
    }
    Ok(())
}

/// The date in the demo's zone.
fn today() -> NaiveDate {
    steward_simulator::world::local_date(Utc::now().timestamp_millis())
}

fn first_state(history_days: u32) -> State {
    let today = today();
    let start = today
        .checked_sub_days(Days::new(u64::from(history_days)))
        .unwrap_or(today);
    State {
        seed: SEED,
        start,
        told_on: Some(today),
        sent_until_ms: i64::MIN,
        chapter: Chapter::Begin,
    }
}

/// One listener a Modbus gateway, in the order of their ids.
async fn listeners(world: &World) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for _ in modbus::gateways(world) {
        listeners.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?);
    }
    Ok(listeners)
}

/// Writes the site's folder and loads it as any other site.
fn site_folder(
    args: &DemoArgs,
    state: &State,
    world: &World,
    listeners: &[TcpListener],
) -> anyhow::Result<Config> {
    let modbus_ports = listeners
        .iter()
        .map(|listener| Ok(listener.local_addr()?.port()))
        .collect::<anyhow::Result<Vec<u16>>>()?;
    let influx = args
        .influx
        .clone()
        .map(|url| (url, "${STEWARD_INFLUX_TOKEN}".to_owned()));
    let options = FileOptions {
        from: state.start,
        today: Utc::now().date_naive(),
        broker_port: broker::start()?,
        modbus_ports,
        api_port: args.port,
        interval_s: LIVE_S,
        influx,
    };
    files::write(&args.data, world, &options)?;
    crate::commands::load(&args.data)
}

/// Sends what is missing between the last start and now. `false` where the stop came first.
async fn feed_history(
    world: &Arc<World>,
    config: &Arc<Config>,
    system: &System,
    state: &mut State,
    folder: &std::path::Path,
    stop: &CancellationToken,
) -> anyhow::Result<bool> {
    let journal = system.journal().context("the demo runs the collector")?;
    let (from, to) = (state.sent_until_ms, Utc::now().timestamp_millis());
    let readings_sent = Arc::new(AtomicU64::new(0));
    let bar = progress::Progress::start(world, (from, to), system.board(), stop.clone());
    let feeder = {
        let (world, config, stop) = (Arc::clone(world), Arc::clone(config), stop.clone());
        let (mut state, folder) = (state.clone(), folder.to_owned());
        tokio::task::spawn_blocking(move || {
            let mark = |until| {
                state.sent_until_ms = until;
                state.save(&folder)?;
                anyhow::ensure!(!stop.is_cancelled(), Stopped);
                Ok(())
            };
            feed::send(
                &world,
                &config,
                &journal,
                Part::InTime,
                (from, to),
                &readings_sent,
                mark,
            )
        })
    };
    let fed = match feeder.await? {
        Ok(()) => true,
        Err(error) if error.is::<Stopped>() => false,
        Err(error) => return Err(error),
    };
    if fed {
        state.sent_until_ms = to;
        bar.finish().await;
    }
    Ok(fed)
}

/// The person pressed Ctrl-C while the history was being sent.
#[derive(Debug)]
struct Stopped;

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("stopped")
    }
}

/// Lets the meters speak: one Modbus server and one MQTT client a gateway.
fn simulate(
    world: &Arc<World>,
    config: &Arc<Config>,
    listeners: Vec<TcpListener>,
    stop: &CancellationToken,
) {
    let clock: modbus::Clock = || Utc::now().timestamp_millis();
    for (gateway, listener) in modbus::gateways(world).into_iter().zip(listeners) {
        let (world, config, stop) = (Arc::clone(world), Arc::clone(config), stop.clone());
        tokio::spawn(async move {
            let served = modbus::serve(listener, world, &config, &gateway, clock, stop).await;
            if let Err(error) = served {
                tracing::error!(%gateway, %error, "a simulated gateway ended");
            }
        });
    }
    for gateway in mqtt::gateways(world) {
        let port = config
            .registry
            .gateways
            .get(&gateway)
            .map(|gateway| match &gateway.kind {
                steward_config::GatewayKind::Mqtt(mqtt) => mqtt.port,
                steward_config::GatewayKind::ModbusTcp(tcp) => tcp.port,
            });
        let publishing = Publishing {
            port: port.unwrap_or_default(),
            site: files::SITE.to_owned(),
            interval: Duration::from_secs(u64::from(LIVE_S)),
            clock,
        };
        tokio::spawn(mqtt::publish(
            Arc::clone(world),
            gateway,
            publishing,
            stop.clone(),
        ));
    }
}

/// Keeps the state's instant near the present, so that a second start sends only the gap.
fn remember(folder: &std::path::Path, mut state: State, stop: &CancellationToken) {
    let (folder, stop) = (folder.to_owned(), stop.clone());
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_secs(10));
        while !stop.is_cancelled() {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => {}
            }
            state.sent_until_ms = Utc::now().timestamp_millis();
            if let Err(error) = state.save(&folder) {
                tracing::warn!(%error, "the demo cannot remember how far it came");
            }
        }
    });
}
