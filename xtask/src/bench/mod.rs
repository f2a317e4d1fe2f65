//! `cargo xtask bench`: how fast and how light the real programs are, beside their peers.
//!
//! Each part starts what it measures in folders of its own on loopback, checks that what arrived is
//! what was sent, and only then times. A part has a budget of time, all together less than 20
//! minutes: it makes up to five runs and stops earlier when the next one would not fit. The figures
//! go into `docs/BENCHMARKS.md`, each part between its own marks, so one part can be measured anew
//! without the others. A target that is missed is printed like any other figure, and makes the task
//! fail at its end.

mod demo;
mod http;
mod influx;
mod ledger;
mod loss;
mod machine;
mod modbus;
mod mqtt;
mod page;
mod process;
mod servers;
mod site;
mod stats;
mod store;

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use self::page::Section;
use crate::Place;
use crate::run::{Claim, cargo, stream};
use crate::setup;

/// A part: its name, the time it may take, and what it does with it.
struct Part {
    name: &'static str,
    budget: Duration,
    measure: fn(&Place, Duration) -> Result<Section>,
}

const PARTS: [Part; 7] = [
    Part {
        name: "mqtt",
        budget: Duration::from_secs(330),
        measure: mqtt::measure,
    },
    Part {
        name: "loss",
        budget: Duration::from_secs(160),
        measure: loss::measure,
    },
    Part {
        name: "modbus",
        budget: Duration::from_secs(150),
        measure: modbus::measure,
    },
    Part {
        name: "store",
        budget: Duration::from_secs(90),
        measure: store::measure,
    },
    Part {
        name: "ledger",
        budget: Duration::from_secs(60),
        measure: ledger::measure,
    },
    Part {
        name: "influx",
        budget: Duration::from_secs(90),
        measure: influx::measure,
    },
    Part {
        name: "run",
        budget: Duration::from_secs(60),
        measure: demo::measure,
    },
];

/// What is built: the program, and the examples that make load, look into journals and measure.
const BUILT: [&str; 10] = [
    "build",
    "--release",
    "--workspace",
    "--bin=steward",
    "--example=offer",
    "--example=audit",
    "--example=ledger",
    "--example=bulk",
    "--example=months",
    "--example=publish",
];

/// Measures the named parts, or all. `is_built` takes the programs as they are.
pub(crate) fn run(place: &Place, names: &[String], is_built: bool) -> Result<()> {
    let known = PARTS.map(|part| part.name);
    for name in names {
        ensure!(
            known.contains(&name.as_str()),
            "no part is called `{name}`; there are {}",
            known.join(", ")
        );
    }
    setup::run(place, true)?;
    // One call for everything: cargo chooses the features of shared crates by what is built
    // together, so that building apart would compile them again and again.
    let claim = (!is_built).then(|| Claim::take(place)).transpose()?;
    if claim.is_some() {
        stream(cargo(place).args(BUILT))?;
    }
    let begun = Instant::now();
    let mut trouble = Vec::new();
    for part in PARTS
        .iter()
        .filter(|part| names.is_empty() || names.iter().any(|name| name == part.name))
    {
        println!("\n==> {}", part.name);
        let machine = machine::describe()?;
        // One part that fails does not take the figures of the others with it.
        match (part.measure)(place, part.budget) {
            Ok(section) => {
                println!("{}", section.text());
                page::write(place, part.name, &machine, &section)?;
                trouble.extend(
                    section
                        .missed()
                        .map(|missed| format!("{}: {missed}", part.name)),
                );
            }
            Err(error) => trouble.push(format!("{} could not be measured: {error:#}", part.name)),
        }
    }
    println!("\nMeasured in {:.0} s.", begun.elapsed().as_secs_f64());
    if !trouble.is_empty() {
        bail!("targets missed:\n  {}", trouble.join("\n  "));
    }
    Ok(())
}

/// Runs up to `wanted` times, at least once, and no further when the next run would not end within
/// the budget.
fn rounds(wanted: usize, budget: Duration, mut run: impl FnMut(usize) -> Result<()>) -> Result<()> {
    let begun = Instant::now();
    let mut longest = Duration::ZERO;
    for round in 0..wanted {
        if round > 0 && begun.elapsed() + longest > budget {
            println!("    the time is up after {round} runs");
            break;
        }
        let started = Instant::now();
        run(round)?;
        longest = longest.max(started.elapsed());
        println!(
            "    run {} of {wanted}: {:.1} s",
            round + 1,
            started.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
