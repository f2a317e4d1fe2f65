//! A small site written as a person would write it, and the real journal and store below it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use steward_aggregator::{Aggregator, Step};
use steward_books::{Access, Books, books_dir};
use steward_config::Config;
use steward_journal::{Entry, Journal, JournalOptions, JournalReader};
use steward_model::{Batch, GatewayId, UtcMs};
use steward_store::{StoreOptions, WorkingStore, store_dir};

/// A point with its meters as rows of `registry.toml`.
pub struct PointSpec {
    pub id: &'static str,
    pub building: &'static str,
    pub commodity: &'static str,
    /// (id, profile, ratio, from, to)
    pub meters: Vec<(&'static str, &'static str, u32, &'static str, &'static str)>,
}

/// One institution with a building in Shanghai's zone and one in Berlin's.
pub fn site(dir: &Path, points: &[PointSpec]) -> Arc<Config> {
    let settings = "[site]\nid = \"laws\"\nname_zh = \"定律\"\nname_en = \"Laws\"\ndata_dir = \".\"\n\
         zone = \"Asia/Shanghai\"\n[api]\nlisten = \"127.0.0.1:0\"\nopen_on_loopback = true\n\
         [carbon]\ncoal_basis = \"calorific\"\ngas_coal_series = \"gas-field\"\n";
    let mut registry = String::from(
        "[[institution]]\nid = \"i\"\nname_zh = \"机关\"\nname_en = \"Office\"\n\
         province = \"浙江\"\nregion = \"华东\"\n\
         extents = [{ from = 2024-01-01, floor_area_m2 = 1000, energy_users = 10 }]\n\
         [[gateway]]\nid = \"bus\"\nkind = \"modbus_tcp\"\nhost = \"127.0.0.1\"\n\
         [[gateway]]\nid = \"broker\"\nkind = \"mqtt\"\nhost = \"127.0.0.1\"\nport = 1883\n\
         subscriptions = [{ pattern = \"t/{meter}\" }]\n",
    );
    for (id, zone) in [("east", "Asia/Shanghai"), ("west", "Europe/Berlin")] {
        let _ = write!(
            registry,
            "[[building]]\nid = \"{id}\"\ninstitution = \"i\"\nname_zh = \"楼\"\n\
             name_en = \"House\"\nzone = \"{zone}\"\n\
             extents = [{{ from = 2024-01-01, floor_area_m2 = 500, energy_users = 5 }}]\n",
        );
    }
    let mut unit = 0;
    for point in points {
        let _ = write!(
            registry,
            "[[point]]\nid = \"{}\"\nbuilding = \"{}\"\nname_zh = \"点\"\nname_en = \"Point\"\n\
             commodity = \"{}\"\n",
            point.id, point.building, point.commodity
        );
        for (id, profile, ratio, from, to) in &point.meters {
            unit += 1;
            let way = if profile.starts_with("steward-json") {
                format!("gateway = \"broker\"\ndevice = \"{id}\"")
            } else {
                format!("gateway = \"bus\"\nunit_id = {unit}")
            };
            let ratio = if *ratio == 1 {
                String::new()
            } else {
                format!("ratio = {ratio}\n")
            };
            let to = if to.is_empty() {
                String::new()
            } else {
                format!("to = {to}\n")
            };
            let _ = write!(
                registry,
                "[[meter]]\nid = \"{id}\"\npoint = \"{}\"\nprofile = \"{profile}\"\n{way}\n\
                 {ratio}from = {from}\n{to}",
                point.id
            );
        }
    }
    if points.iter().any(|point| point.id == "exchanged") {
        registry.push_str(
            "[[point]]\nid = \"back\"\nbuilding = \"east\"\nname_zh = \"上网\"\n\
             name_en = \"Feed-in\"\ncommodity = \"electricity\"\nrole = \"aside\"\n\
             counter = \"energy_export\"\nmetered_by = \"exchanged\"\n\
             [[virtual_point]]\nid = \"half\"\nbuilding = \"east\"\nname_zh = \"半\"\n\
             name_en = \"Half\"\ncommodity = \"electricity\"\nrole = \"aside\"\n\
             formula = \"0.5 * exchanged\"\n\
             [[account]]\nid = \"a\"\ninstitution = \"i\"\nnumber = \"1\"\nsupplier = \"S\"\n\
             commodity = \"electricity\"\npoints = [\"exchanged\"]\n\
             tariff = \"example-zj-tou-1-10kv\"\n",
        );
    }
    std::fs::write(dir.join("steward.toml"), settings).unwrap();
    std::fs::write(dir.join("registry.toml"), registry).unwrap();
    match steward_config::load(dir, &|_| None) {
        Ok(config) => Arc::new(config),
        Err(errors) => panic!("{errors}"),
    }
}

pub fn journal_dir(dir: &Path) -> std::path::PathBuf {
    dir.join("journal")
}

pub fn options() -> JournalOptions {
    JournalOptions {
        group_wait: Duration::ZERO,
        ballast_bytes: 0,
        ..JournalOptions::new(1 << 30, Duration::from_secs(3_600))
    }
}

/// Appends everything and returns when all of it is durable.
pub fn append(journal: &Journal, batches: impl IntoIterator<Item = Batch>) {
    let mut receipts = std::collections::VecDeque::new();
    for batch in batches {
        receipts.push_back(journal.append_blocking(Entry::Batch(batch)).unwrap());
        if receipts.len() > 512 {
            receipts.pop_front().unwrap().wait_blocking().unwrap();
        }
    }
    for receipt in receipts {
        receipt.wait_blocking().unwrap();
    }
}

pub fn batch(received_at: UtcMs, readings: Vec<steward_model::Reading>) -> Batch {
    Batch {
        received_at,
        gateway: GatewayId::new("broker").unwrap(),
        gateway_boot: None,
        gateway_seq: None,
        readings,
    }
}

/// The books of the site.
pub fn books(dir: &Path) -> Books {
    Books::open(&books_dir(dir), Access::Write).unwrap()
}

pub fn aggregator(dir: &Path, config: &Arc<Config>) -> Aggregator {
    let reader = JournalReader::open(&journal_dir(dir)).unwrap();
    let options = StoreOptions {
        publish: false,
        outbox_bytes_max: 0,
        clock: || UtcMs(0),
        ledger_gauges: steward_aggregator::ledger_gauges(config),
    };
    let store = WorkingStore::open(&store_dir(dir), options).unwrap();
    Aggregator::new(Arc::clone(config), reader, store, books(dir)).unwrap()
}

pub fn until_idle(aggregator: &mut Aggregator) {
    while aggregator.step().unwrap() != Step::Idle {}
}
