//! What the figures were measured on, and how long its disk takes for a sync right now.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;

use super::process::Folder;
use super::stats::number;
use crate::run::output;

const SYNCS: usize = 200;

/// A machine at one moment.
pub(super) struct Machine(String);

impl Machine {
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// Looks at processor, memory, disk and load.
pub(super) fn describe() -> Result<Machine> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |page: &str, name: &str| {
        let line = page.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':')).map_or_else(
            || "unknown".to_owned(),
            |(_, value)| value.trim().to_owned(),
        )
    };
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let memory = memory
        .trim_end_matches(" kB")
        .parse::<f64>()
        .unwrap_or(f64::NAN);
    let load = read("/proc/loadavg");
    let folder = Folder::new("disk")?;
    let (median, p99) = syncs(&folder)?;
    Ok(Machine(format!(
        "{}, {} cores of {}, {} GB, Linux {}, {}. Load average before: {}. \
         A bare sync of 4 KiB took {} ms (median of {SYNCS}; 99 %: {} ms).",
        output(Command::new("date").args(["-u", "+%F"]))?.trim(),
        std::thread::available_parallelism()?,
        field(&read("/proc/cpuinfo"), "model name"),
        number(memory * 1_024.0 / 1e9),
        read("/proc/sys/kernel/osrelease").trim(),
        file_system(&folder),
        load.split_whitespace().next().unwrap_or("unknown"),
        number(median),
        number(p99),
    )))
}

fn file_system(folder: &Folder) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        Some((words.next()?, words.next()?))
    });
    mounts
        .filter(|(place, _)| folder.path().starts_with(place))
        .max_by_key(|(place, _)| place.len())
        .map_or_else(
            || "unknown file system".to_owned(),
            |(_, kind)| kind.to_owned(),
        )
}

/// Median and 99 % of a 4 KiB append with its sync, in milliseconds.
fn syncs(folder: &Folder) -> Result<(f64, f64)> {
    let mut file = File::create(folder.path().join("sync"))?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let started = Instant::now();
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        times.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok((times[SYNCS / 2], times[SYNCS * 99 / 100]))
}
