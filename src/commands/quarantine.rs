//! `steward quarantine list|replay`

use std::process::ExitCode;

use steward_journal::{JournalReader, QuarantineFilter, QuarantineRow};
use steward_store::StoreReader;

use crate::cli::{QuarantineAction, QuarantineArgs};
use crate::commands::{load, print};
use crate::roles::{journal_dir, store_dir};

/// Items read at a time.
const PAGE: usize = 500;
/// Items of each kind that are listed of the store.
const LISTED_MAX: usize = 1_000;
/// Bytes of a payload that are shown.
const SHOWN_BYTES: usize = 160;

/// `steward quarantine`
pub(crate) async fn quarantine(args: &QuarantineArgs) -> anyhow::Result<ExitCode> {
    match &args.action {
        QuarantineAction::List(site) => {
            let config = load(&site.config)?;
            let mut reader = JournalReader::open(&journal_dir(&config))?;
            let mut count = 0_u64;
            each(&mut reader, |_, row| {
                count += 1;
                print(&describe(&row))
            })?;
            for item in StoreReader::open(&store_dir(&config))
                .set_aside(LISTED_MAX)
                .await?
            {
                count += 1;
                let at = item.at.map_or_else(String::new, |at| {
                    at.to_datetime().format("%Y-%m-%dT%H:%M:%SZ ").to_string()
                });
                print(&format!("store {at}{}: {}\n", item.reason, item.detail))?;
            }
            print(&format!("{count} 条隔离数据 items set aside\n"))?;
        }
        QuarantineAction::Replay(site) => {
            let config = load(&site.config)?;
            let mut reader = JournalReader::open(&journal_dir(&config))?;
            let (mut moved, mut stayed) = (0_u64, 0_u64);
            each(&mut reader, |reader, row| {
                match steward_collector::replay(&config, &row.item) {
                    Ok(entry) => {
                        reader.replay(row.id, entry)?;
                        moved += 1;
                    }
                    Err(refused) => {
                        stayed += 1;
                        print(&format!("#{} {}: {refused}\n", row.id, row.item.source))?;
                    }
                }
                Ok(())
            })?;
            print(&format!(
                "{moved} 条重放 replayed, {stayed} 条保留 still set aside\n"
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Calls `visit` with every open item, oldest first, a page in memory at a time.
fn each(
    reader: &mut JournalReader,
    mut visit: impl FnMut(&mut JournalReader, QuarantineRow) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut filter = QuarantineFilter {
        limit: PAGE,
        ..QuarantineFilter::default()
    };
    loop {
        let rows = reader.quarantine(&filter)?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        filter.after_id = last.id;
        for row in rows {
            visit(reader, row)?;
        }
    }
}

fn describe(row: &QuarantineRow) -> String {
    let item = &row.item;
    let shown = &item.payload[..item.payload.len().min(SHOWN_BYTES)];
    let payload = match std::str::from_utf8(shown) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => shown
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .join(" "),
    };
    format!(
        "#{} {} {} {} {}: {}\n    {payload}\n",
        row.id,
        item.received_at.to_datetime().format("%Y-%m-%dT%H:%M:%SZ"),
        item.gateway,
        item.source,
        item.reason,
        item.detail,
    )
}
