//! The test bench: the programs around ours as they really are, each for one test.
//!
//! Every part lives in a temporary folder of its own, listens on a free port of loopback, is waited
//! for by a condition and never by a sleep, and is killed by its own process id when it is dropped.
//! What a part printed is shown when its test fails. A part that is not installed fails the test and
//! names the remedy, `cargo xtask setup`; no test passes without what it tests against.
//!
//! # How a test uses it
//! ```ignore
//! mod support;
//! use support::{Influx, Mosquitto, Steward, wait_until, LONG};
//!
//! #[tokio::test]
//! async fn readings_survive() {
//!     let broker = Mosquitto::start().await;                 // .port(), .publish(), .stop(), .start_again()
//!     let influx = Influx::start().await;                    // .url(), .org(), .token(), .query(flux)
//!     let site = tempfile::tempdir().unwrap();               // write the site's configuration here
//!     let mut steward = Steward::start(&["run", "--config", path_of(&site)]).await; // waits for /readyz
//!     broker.publish("site/a/meter/1", br#"{"kwh":1.5}"#).await;
//!     wait_until("the reading to be stored", LONG, async || {
//!         let rows = influx.query(r#"from(bucket:"readings") |> range(start:0)"#).await;
//!         (!rows.is_empty()).then_some(rows)
//!     }).await;
//!     steward.kill();                                        // kill -9
//!     steward.start_again().await;                           // same arguments, same port
//!     assert!(steward.stop().await.success());               // SIGTERM, exit code 0
//! }
//! ```
//! - [`wait_until`] asks until the answer is `Some` and panics at the deadline with what was awaited.
//!   Deadlines ([`SHORT`], [`LONG`]) only bound a failure; nothing passes because time went by.
//! - [`Steward::prepare`] with `.with_env()` (secrets) and `.with_token()` (bearer), then
//!   `.start_again()`, where the plain start is not enough.
//! - [`Steward::once`] runs a command to its end (`check`, `report`, `verify`, …).
//! - [`PymodbusServer::set`] changes registers while it serves; the change is done when it returns.
//! - [`Browser::visit`] returns the console's errors and every request that left loopback.
//! - Ports come from below the kernel's ephemeral range and stay reserved while the part lives, so a
//!   part can be stopped and started on the same port.

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "each test file uses its own share of the bench"
)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a bench that cannot work must say so"
)]

mod browser;
#[path = "../../xtask/src/cache.rs"]
mod cache;
mod influx;
mod modbus;
mod mosquitto;
mod port;
mod process;
mod site;
mod steward;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use browser::{Browser, Step, Visit};
pub use influx::{Influx, Row, records_of};
pub use modbus::{PymodbusServer, Table};
pub use mosquitto::Mosquitto;
pub use port::Port;
pub use process::{Finished, Process, finish};
pub use site::{Counts, Site};
pub use steward::Steward;

/// The deadline for what takes milliseconds on an idle machine.
pub const SHORT: Duration = Duration::from_secs(30);
/// The deadline for what takes seconds on an idle machine.
pub const LONG: Duration = Duration::from_secs(180);

/// Between two looks at a condition; short against every deadline, long against a look.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Asks until the answer is `Some`, and panics when the deadline has passed.
pub async fn wait_until<T>(
    what: &str,
    deadline: Duration,
    mut condition: impl AsyncFnMut() -> Option<T>,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = condition().await {
            return answer;
        }
        assert!(
            begun.elapsed() < deadline,
            "waited {deadline:?} in vain for {what}"
        );
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// A client of HTTP on loopback: no proxy, and a deadline on every call.
pub fn http() -> reqwest::Client {
    // The client is built without a provider of cryptography; the first to come names the one we ship.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(SHORT)
        .build()
        .unwrap()
}

/// The seed of a test's random choices: `SEED` of the environment, or a new one. It is printed, so
/// that a failure can be had again.
pub fn seed() -> u64 {
    let given = std::env::var("SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = given.unwrap_or_else(rand::random);
    println!("SEED={seed}");
    seed
}

/// A path as an argument of a command line.
pub fn path_of(path: &(impl AsRef<Path> + ?Sized)) -> &str {
    path.as_ref().to_str().unwrap()
}

/// The repository. Asked at run time: in a build folder that clones share, what was compiled in may
/// be the path of another clone.
pub fn repo() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

/// A program of the system or of the tool cache, or a panic that names the remedy.
fn require(name: &str, found: Option<PathBuf>) -> PathBuf {
    match found.filter(|path| path.is_file()) {
        Some(path) => path,
        None => panic!("{name} is missing: run `cargo xtask setup`"),
    }
}

fn system_program(name: &str) -> PathBuf {
    require(name, cache::find_program(name))
}

/// The fuzzer of HTTP interfaces.
pub fn schemathesis() -> PathBuf {
    let python = tools().python().ok();
    let beside = python.map(|python| python.with_file_name("schemathesis"));
    require("schemathesis", beside)
}

fn tools() -> cache::Cache {
    cache::Cache::of(&repo()).unwrap()
}
