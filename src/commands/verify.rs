//! `steward verify`: the proof that nothing was lost and that every point's ledger closes.
//!
//! It reads the databases as they are, also while the program runs: the journal is asked after
//! the store, so what arrives in between counts as queued and never as missing.

use std::process::ExitCode;

use steward_aggregator::verify::{Closure, closures};
use steward_books::{Access, Books, books_dir};
use steward_journal::JournalReader;
use steward_store::{StoreCounts, StoreReader};

use crate::cli::SiteArgs;
use crate::commands::load;
use crate::roles::{journal_dir, store_dir};

/// `steward verify`
pub(crate) async fn verify(args: &SiteArgs) -> anyhow::Result<ExitCode> {
    let config = load(&args.config)?;
    let store = StoreReader::open(&store_dir(&config));
    let (counts, readings) = counted(&store).await?;
    let mut reader = JournalReader::open(&journal_dir(&config))?;
    let journal = reader.counts()?;

    let mut faults = Vec::new();
    let accounted = counts.stored_new + counts.duplicates + counts.quarantined;
    if accounted != counts.accounted {
        faults.push(format!(
            "the store accounts for {} readings, its counters add up to {accounted}",
            counts.accounted
        ));
    }
    if readings != counts.stored_new {
        faults.push(format!(
            "{readings} readings are stored, {} were counted as new",
            counts.stored_new
        ));
    }
    let Some(queued) = journal.readings.checked_sub(counts.accounted) else {
        anyhow::bail!(
            "the store accounts for {} readings, the journal received {}: \
             they are not of the same data folder",
            counts.accounted,
            journal.readings
        );
    };
    let items =
        journal.quarantined_open + journal.replayed + journal.discarded + journal.items_lost;
    if items != journal.items {
        faults.push(format!(
            "{} items were set aside, {items} are known",
            journal.items
        ));
    }
    if journal.damaged + journal.items_lost > 0 {
        faults.push(format!(
            "{} readings and {} quarantined items were lost with the disk",
            journal.damaged, journal.items_lost
        ));
    }
    println!(
        "received {} = stored {} + duplicates {} + quarantined {} + replayed {} + discarded {} \
         + queued {queued}",
        journal.received,
        counts.stored_new,
        counts.duplicates,
        counts.quarantined + journal.quarantined_open,
        journal.replayed,
        journal.discarded,
    );

    let books = Books::open(&books_dir(&config.settings.data_dir), Access::Read)?;
    if let Some(broken) = books.verify()? {
        faults.push(format!(
            "event {} of the books: {}",
            broken.seq, broken.what
        ));
    }
    let closures = closures(&config, &*books.state()?, &store).await?;
    for closure in closures.iter().filter(|closure| !closure.holds()) {
        faults.push(closure.to_string());
    }
    for fault in &faults {
        println!("FAULT {fault}");
    }
    println!("{}", summary(&closures, counts.dirty, faults.len()));
    Ok(if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// How often the store is counted while it changes.
const COUNTS_MAX: usize = 20;

/// The counters and the count of the table of one and the same moment: nothing was stored between
/// two looks at the counters.
async fn counted(store: &StoreReader) -> anyhow::Result<(StoreCounts, u64)> {
    let mut counts = store.counts().await?;
    let mut readings = store.count_readings().await?;
    for _ in 1..COUNTS_MAX {
        let again = store.counts().await?;
        if again.stored_new == counts.stored_new {
            break;
        }
        (counts, readings) = (again, store.count_readings().await?);
    }
    Ok((counts, readings))
}

fn summary(closures: &[Closure], dirty: u64, faults: usize) -> String {
    let error: i128 = closures
        .iter()
        .map(|closure| closure.error_base().abs())
        .sum();
    let intervals: u64 = closures.iter().map(|closure| closure.intervals).sum();
    format!(
        "verify: {} points, {intervals} intervals, closure error {error} base units, \
         {dirty} days wait, {faults} faults",
        closures.len()
    )
}
