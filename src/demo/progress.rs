//! The progress bar over the history: readings in the store, then days in the ledger.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use steward_simulator::{SimMeter, World};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::board::SharedBoard;

const QUARTER_MS: i64 = 900_000;

/// A bar that follows the aggregator until the history is computed.
pub(super) struct Progress {
    task: JoinHandle<()>,
}

impl Progress {
    /// Starts to follow.
    pub(super) fn start(
        world: &World,
        (from_ms, to_ms): (i64, i64),
        board: SharedBoard,
        stop: CancellationToken,
    ) -> Self {
        let quarters = (to_ms - from_ms).max(0) / QUARTER_MS;
        let total = u64::try_from(quarters).unwrap_or(0) * registers(world.meters());
        let total = total.saturating_sub(withheld(world, (from_ms, to_ms)));
        let days = quarters / 96;
        let task = tokio::spawn(follow(total, days, board, stop));
        Self { task }
    }

    /// Waits until every day of the history has its ledger.
    pub(super) async fn finish(self) {
        // The task ends with the history or with the stop; it does not fail.
        let _ = self.task.await;
    }
}

/// Readings that a gateway keeps through its outage.
fn withheld(world: &World, (from_ms, to_ms): (i64, i64)) -> u64 {
    let Some(outage) = &world.story().outage else {
        return 0;
    };
    let within_ms = outage.to_ms.min(to_ms) - outage.from_ms.max(from_ms);
    let of_gateway = world
        .meters()
        .iter()
        .filter(|meter| meter.gateway == outage.gateway);
    u64::try_from(within_ms.max(0) / QUARTER_MS).unwrap_or(0) * registers(of_gateway)
}

/// How many registers meters have: those of mains count reactive energy too.
fn registers<'a>(meters: impl IntoIterator<Item = &'a SimMeter>) -> u64 {
    let of_meter = meters
        .into_iter()
        .map(|meter| 1 + u64::from(meter.counts_reactive()));
    of_meter.sum()
}

async fn follow(total: u64, days: i64, board: SharedBoard, stop: CancellationToken) {
    let started = Instant::now();
    let bar = ProgressBar::new(total);
    let style = ProgressStyle::with_template(
        "{prefix} {bar:32} {percent:>3} %  {human_pos} / {human_len} 条读数 readings  {msg}",
    );
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.set_prefix("历史数据 history");
    let terminal = std::io::stderr().is_terminal();
    let before = stored(&board);
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    let mut told = Instant::now();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => { bar.abandon(); return; }
        }
        let Some(health) = board.health().aggregator else {
            continue;
        };
        let done = (health.stored_total + health.quarantined_total).saturating_sub(before);
        bar.set_position(done.min(total));
        bar.set_message(format!(
            "{} 天待算 point-days to compute",
            health.dirty_days
        ));
        if !terminal && told.elapsed() > Duration::from_secs(5) {
            told = Instant::now();
            eprintln!(
                "history: {done} of {total} readings, {} days wait",
                health.dirty_days
            );
        }
        // The last quarter may be still to come, hence one reading a meter of tolerance.
        if done.saturating_add(total / 1_000) >= total && health.dirty_days == 0 {
            break;
        }
    }
    bar.finish_and_clear();
    println!(
        "历史数据完成 history complete: {days} 天 days, {total} 条读数 readings, {:.1} s",
        started.elapsed().as_secs_f64()
    );
}

fn stored(board: &SharedBoard) -> u64 {
    board
        .health()
        .aggregator
        .map_or(0, |health| health.stored_total + health.quarantined_total)
}
