//! What the tests of the books share: events, a small site, and a store with readings.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use chrono::NaiveDate;
use steward_books::{
    Books, BooksError, CloseProposal, CloseVerdict, Decision, Entry, Event, HandReading, Invoice,
    Refusal, Replacement, Undone, Verdict, Voided, sha256_hex,
};
use steward_config::{Account, Config, CounterLimits, Dated, DemandBasis, Formula, Meter, load};
use steward_model::{
    Commodity, Evidence, Finding, FindingKind, FindingState, InstitutionId, MeterId, PointId,
    Quantity, Reading, ReadingQuality, UtcMs, Value,
};
use steward_store::{
    FoundIn, LedgerUpdate, ReadingsCommit, StoreOptions, StoreReader, WorkingStore,
};
use tempfile::TempDir;

pub const ENERGY: Quantity = Quantity::EnergyImport;
/// 2025-03-10T00:00:00+08:00.
pub const DAY_MS: i64 = 1_741_536_000_000;
pub const HOUR_MS: i64 = 3_600_000;
/// 2025-06-01T00:00:00+08:00.
pub const NOW: UtcMs = UtcMs(1_748_707_200_000);

/// An hour after the beginning of the day of the tests.
pub fn hour(hours: f64) -> UtcMs {
    #[allow(clippy::cast_possible_truncation)]
    let ms = (hours * 3_600_000.0) as i64;
    UtcMs(DAY_MS + ms)
}

pub fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn meter(id: &str) -> MeterId {
    MeterId::new(id).unwrap()
}

pub fn point(id: &str) -> PointId {
    PointId::new(id).unwrap()
}

pub fn institution() -> InstitutionId {
    InstitutionId::new("xzzx").unwrap()
}

pub fn replacement(at: UtcMs, old: (&str, f64), new: (&str, f64)) -> Event {
    Event::MeterReplaced(Replacement {
        point: point("p"),
        at,
        old_meter: meter(old.0),
        old_last: old.1,
        new_meter: meter(new.0),
        new_first: new.1,
        others: Vec::new(),
    })
}

pub fn decision(at: UtcMs, verdict: Verdict) -> Event {
    Event::ReviewDecided(Decision {
        meter: meter("m1"),
        quantity: ENERGY,
        at,
        verdict,
    })
}

pub fn hand_reading(at: UtcMs, value: f64) -> Event {
    Event::HandReading(HandReading {
        meter: meter("m1"),
        quantity: ENERGY,
        at,
        value,
    })
}

pub fn voided(from: UtcMs, to: UtcMs) -> Event {
    Event::ReadingsVoided(Voided {
        meter: meter("m1"),
        quantity: ENERGY,
        from,
        to,
    })
}

pub fn invoice(number: &str, from: &str, to: &str) -> Invoice {
    Invoice {
        account: "grid".to_owned(),
        number: number.to_owned(),
        from: date(from),
        to: date(to),
        amount: "1234.5".parse().unwrap(),
        cost_cny: "876.54".parse().unwrap(),
        demand_kw: None,
        power_factor: None,
    }
}

pub fn proposal(month: &str, revision: u32) -> Event {
    let content = format!(r#"{{"month":"{month}","revision":{revision}}}"#);
    Event::CloseProposed(CloseProposal {
        institution: institution(),
        month: month.to_owned(),
        revision,
        content_sha256: sha256_hex(&content),
        content,
        checklist: "[]".to_owned(),
    })
}

pub fn approval(proposal: u64) -> Event {
    Event::CloseApproved(CloseVerdict { proposal })
}

pub fn rejection(proposal: u64) -> Event {
    Event::CloseRejected(CloseVerdict { proposal })
}

pub fn undone(seq: u64) -> Event {
    Event::Undone(Undone { seq })
}

pub fn entry(seq: u64, by: &str, event: Event) -> Entry {
    Entry {
        seq,
        entered_at: NOW,
        by: by.to_owned(),
        reason: "a test".to_owned(),
        event,
        undone_by: None,
    }
}

pub fn append(books: &Books, by: &str, event: Event) -> Result<Entry, BooksError> {
    books.append(by, "a test", event, NOW)
}

/// What an error refuses; panics where it is another one.
pub fn refusals<T: std::fmt::Debug>(result: Result<T, BooksError>) -> Vec<Refusal> {
    match result {
        Err(BooksError::Refused(refusals)) => refusals,
        other => panic!("not refused: {other:?}"),
    }
}

/// Checks that a result is refused for these (place, part of the sentence), in this order.
#[track_caller]
pub fn assert_refused<T: std::fmt::Debug>(result: Result<T, BooksError>, said: &[(&str, &str)]) {
    let refusals = refusals(result);
    let shown: Vec<String> = refusals.iter().map(Refusal::to_string).collect();
    assert_eq!(refusals.len(), said.len(), "{shown:#?}");
    for ((refusal, shown), (place, part)) in refusals.iter().zip(&shown).zip(said) {
        assert_eq!(refusal.place, *place, "{shown}");
        assert!(shown.contains(part), "`{part}` is not in: {shown}");
    }
}

/// A site with one point `p` of the example's institution `xzzx`, metered by `m1` until
/// 2025-03-11, by `m2` until 2025-04-10 and by `m3` since; a power meter `w`; an account `grid`.
pub struct Site {
    pub config: Config,
    pub store: WorkingStore,
    pub reader: StoreReader,
    pub books: Books,
    accounted: u64,
    _dir: TempDir,
}

impl Site {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = StoreOptions {
            publish: false,
            outbox_bytes_max: 1 << 20,
            clock: || NOW,
            ledger_gauges: Vec::new(),
        };
        let store_dir = dir.path().join("store");
        Self {
            config: config(),
            store: WorkingStore::open(&store_dir, options).unwrap(),
            reader: StoreReader::open(&store_dir),
            books: Books::open(&dir.path().join("books"), steward_books::Access::Write).unwrap(),
            accounted: 0,
            _dir: dir,
        }
    }

    /// Stores readings of a meter's energy.
    pub fn store(&mut self, id: &str, values: &[(UtcMs, f64)]) {
        self.store_of(id, ENERGY, values);
    }

    /// Stores readings of a series.
    pub fn store_of(&mut self, id: &str, quantity: Quantity, values: &[(UtcMs, f64)]) {
        let readings: Vec<Reading> = values
            .iter()
            .map(|(at, value)| Reading {
                meter: meter(id),
                quantity,
                at: *at,
                value: Value::new(*value).unwrap(),
                quality: ReadingQuality::Good,
            })
            .collect();
        self.accounted += u64::try_from(readings.len()).unwrap();
        self.store
            .commit_readings(ReadingsCommit {
                readings: &readings,
                quarantine: &[],
                cursor: self.accounted,
                accounted: self.accounted,
            })
            .unwrap();
    }

    /// Stores what the ledger found.
    pub fn find(&mut self, findings: Vec<Finding>) {
        let found = FoundIn {
            point: point("p"),
            from: UtcMs(0),
            to: UtcMs(i64::MAX),
            findings,
            fills: Vec::new(),
        };
        self.store
            .write_ledger(LedgerUpdate {
                found: &[found],
                ..LedgerUpdate::default()
            })
            .unwrap();
    }

    pub async fn enter(&self, event: Event) -> Result<Entry, BooksError> {
        self.enter_by("wang", event).await
    }

    pub async fn enter_by(&self, by: &str, event: Event) -> Result<Entry, BooksError> {
        steward_books::enter(
            &self.config,
            &self.books,
            &self.reader,
            by,
            "a test",
            event,
            NOW,
        )
        .await
    }
}

/// A finding of `m1`.
pub fn finding(
    kind: FindingKind,
    state: FindingState,
    held: (UtcMs, UtcMs),
    fall: (f64, f64),
) -> Finding {
    Finding {
        point: point("p"),
        meter: meter("m1"),
        quantity: ENERGY,
        at: held.0,
        until: held.1,
        held_out: 1,
        kind,
        state,
        evidence: Evidence {
            before: Some((UtcMs(held.0.0 - 1), fall.0)),
            first: (held.0, fall.1),
            last: (held.1, fall.1),
            after: None,
            modulus: None,
            resolution: None,
            rise_max: None,
            flowed: None,
        },
    }
}

/// A site whose `m1` counted to 1,000 at 9 o'clock of the day of exchange, and whose `m2` counts
/// from 50 at 11 o'clock.
pub fn exchanged() -> Site {
    let mut site = Site::new();
    site.store(
        "m1",
        &[
            (hour(-48.0), 100.0),
            (hour(8.0), 900.0),
            (hour(9.0), 1_000.0),
        ],
    );
    site.store("m2", &[(hour(11.0), 50.0), (hour(12.0), 150.0)]);
    site
}

pub fn at_ten(old_last: f64, new_first: f64) -> Event {
    replacement(hour(10.0), ("m1", old_last), ("m2", new_first))
}

fn config() -> Config {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/sites/example");
    let mut config = load(&example, &|_| None).unwrap_or_else(|error| panic!("{error}"));
    let registry = &mut config.registry;
    let mut first = registry.points[&point("xzzx-1-el")].clone();
    first.id = point("p");
    let template = registry.meters[&meter("xzzx-1-el-m1")].clone();
    let mut reads = first.clone();
    reads.id = point("reads-p");
    reads.metered_by = Some(point("p"));
    reads.counter = Quantity::EnergyExport;
    let mut sum = first.clone();
    sum.id = point("sum");
    sum.formulas = vec![Dated {
        from: date("2025-01-01"),
        to: None,
        value: Formula {
            text: "p".to_owned(),
            terms: Vec::new(),
        },
    }];
    for one in [first, reads, sum] {
        registry.points.insert(one.id.clone(), one);
    }
    let limits = CounterLimits {
        resolution: 10.0,
        modulus: Some(1_000_000.0),
        rise_max_per_h: Some(50_000.0),
    };
    let mut add = |id: &str, from: &str, to: Option<&str>, counters: &[Quantity]| {
        let one = Meter {
            id: meter(id),
            point: point(if id == "w" { "other" } else { "p" }),
            counters: counters.iter().map(|one| (*one, limits)).collect(),
            from: date(from),
            to: to.map(date),
            ..template.clone()
        };
        registry.meters.insert(one.id.clone(), one);
    };
    let both = [ENERGY, Quantity::EnergyExport];
    add("m1", "2025-01-01", Some("2025-03-11"), &both);
    add("m2", "2025-03-11", Some("2025-04-10"), &both);
    add("m3", "2025-04-10", None, &[ENERGY]);
    add("w", "2025-01-01", None, &[]);
    let account = |id: &str, number: &str, commodity| Account {
        id: id.to_owned(),
        institution: institution(),
        number: number.to_owned(),
        supplier: "a supplier".to_owned(),
        commodity,
        points: vec![point("p")],
        tariffs: Vec::new(),
        demand: DemandBasis::None,
    };
    config.tariffs.accounts = BTreeMap::from([
        (
            "grid".to_owned(),
            account("grid", "3301-001", Commodity::Electricity),
        ),
        (
            "water".to_owned(),
            account("water", "W-7", Commodity::Water),
        ),
    ]);
    config
}
