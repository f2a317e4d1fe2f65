//! What a journal holds, as one line of JSON: the benchmarks compare it with what was sent.
//!
//! `cargo run --release -p steward-journal --example audit FOLDER`
//!
//! A message that was delivered again has the sequence number of an earlier one. It is counted under
//! `repeated`, and the sums leave it out.
#![allow(clippy::print_stdout)]

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use steward_journal::{JournalReader, Stored};

const READINGS_A_PAGE: usize = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args()
        .nth(1)
        .ok_or("the journal's folder is missing")?;
    let mut reader = JournalReader::open(Path::new(&folder))?;
    let (mut seq, mut batches, mut repeated, mut damaged) = (0, 0_u64, 0_u64, 0_u64);
    let mut numbers = HashSet::new();
    let mut quantities: BTreeMap<&'static str, (u64, f64)> = BTreeMap::new();
    loop {
        let page = reader.read_after(seq, READINGS_A_PAGE)?;
        let Some(last) = page.last() else { break };
        seq = last.seq();
        for stored in page {
            let Stored::Batch(row) = stored else {
                damaged += 1;
                continue;
            };
            if let Some(number) = row.batch.gateway_seq
                && !numbers.insert((row.batch.gateway_boot, number))
            {
                repeated += 1;
                continue;
            }
            batches += 1;
            for reading in &row.batch.readings {
                let (count, sum) = quantities.entry(reading.quantity.id()).or_default();
                *count += 1;
                *sum += reading.value.get();
            }
        }
    }
    let quantities: Vec<String> = quantities
        .iter()
        .map(|(id, (count, sum))| format!("\"{id}\":{{\"count\":{count},\"sum\":{sum:?}}}"))
        .collect();
    let items = reader.counts()?.items;
    println!(
        "{{\"batches\":{batches},\"repeated\":{repeated},\"damaged\":{damaged},\
         \"set_aside\":{items},\"quantities\":{{{}}}}}",
        quantities.join(",")
    );
    Ok(())
}
