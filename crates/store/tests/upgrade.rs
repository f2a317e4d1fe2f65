//! A file of format 1, as the program before this one left it: readings stay, the ledger is computed
//! anew, InfluxDB forgets the lines whose tags have changed.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use rusqlite::Connection;
use steward_model::{Quantity, Span, UtcMs};
use steward_store::influx::Publisher;
use steward_store::{LedgerUpdate, Outbox, StoreError, StoreReader, WorkingStore};
use support::scripted::{CERTAIN, Rules, ScriptedInflux};
use support::{DAY_START_S, clock, commit, date, day, fast, meter, options, point, reading, tags};
use tokio_util::sync::CancellationToken;

const ENERGY: Quantity = Quantity::EnergyImport;
const DAY_MS: i64 = 86_400_000;

const FORMAT_1: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE series (
    id INTEGER PRIMARY KEY, meter TEXT NOT NULL, quantity INTEGER NOT NULL,
    UNIQUE (meter, quantity)
) STRICT;
CREATE TABLE point (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
-- at: milliseconds UTC.
CREATE TABLE reading (
    series INTEGER NOT NULL, at INTEGER NOT NULL, value REAL NOT NULL, quality INTEGER NOT NULL,
    PRIMARY KEY (series, at)
) STRICT, WITHOUT ROWID;
-- The same key with another value. The first value stays; each other is kept and counted.
CREATE TABLE conflict (
    series INTEGER NOT NULL, at INTEGER NOT NULL, value REAL NOT NULL, quality INTEGER NOT NULL,
    times INTEGER NOT NULL,
    PRIMARY KEY (series, at, value)
) STRICT, WITHOUT ROWID;
-- What the aggregator set aside, by its place in the journal.
CREATE TABLE refused (
    seq INTEGER NOT NULL, item INTEGER NOT NULL, reason TEXT NOT NULL,
    meter TEXT, quantity INTEGER, at INTEGER, value REAL, quality INTEGER,
    PRIMARY KEY (seq, item)
) STRICT, WITHOUT ROWID;
-- A counter's readings of one UTC day that the ledger has not seen. mark: version.
CREATE TABLE dirty (
    series INTEGER NOT NULL, day INTEGER NOT NULL,
    from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, mark INTEGER NOT NULL,
    PRIMARY KEY (series, day)
) STRICT, WITHOUT ROWID;
-- One local day of a point. date: days since 1970-01-01; ug: micrograms a base unit.
CREATE TABLE day (
    point INTEGER NOT NULL, date INTEGER NOT NULL, start_s INTEGER NOT NULL,
    carry_at INTEGER, carry_base INTEGER, kgce_ug INTEGER, co2_ug INTEGER,
    factor_set TEXT NOT NULL, intervals BLOB NOT NULL,
    PRIMARY KEY (point, date)
) STRICT, WITHOUT ROWID;
-- Days, months and years. span: 2, 3, 4.
CREATE TABLE ledger (
    point INTEGER NOT NULL, span INTEGER NOT NULL, start_s INTEGER NOT NULL,
    measured INTEGER NOT NULL, interpolated INTEGER NOT NULL, estimated INTEGER NOT NULL,
    present INTEGER NOT NULL, expected INTEGER NOT NULL,
    kgce_ug INTEGER, co2_ug INTEGER, factor_set TEXT NOT NULL,
    PRIMARY KEY (point, span, start_s)
) STRICT, WITHOUT ROWID;
-- Readings that wait for InfluxDB: one row a commit. lines: new readings in it.
CREATE TABLE outbox_reading (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, lines INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT;
-- Series-days whose readings wait for InfluxDB and are read from `reading` when their turn comes.
CREATE TABLE backlog (
    series INTEGER NOT NULL, day INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    lines INTEGER NOT NULL, mark INTEGER NOT NULL,
    PRIMARY KEY (series, day)
) STRICT, WITHOUT ROWID;
-- Ledger keys that wait for InfluxDB. Span 0 stands for what is within a day: start is the date,
-- first..last are the hours that changed. erase_from..erase_to: seconds in which something no
-- longer exists. seq: order and version.
CREATE TABLE outbox_ledger (
    point INTEGER NOT NULL, span INTEGER NOT NULL, start INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, erase_from INTEGER, erase_to INTEGER,
    at_ms INTEGER NOT NULL, seq INTEGER NOT NULL UNIQUE,
    PRIMARY KEY (point, span, start)
) STRICT, WITHOUT ROWID;
-- Lines that InfluxDB refuses for good.
CREATE TABLE publish_quarantine (
    bucket TEXT NOT NULL, line TEXT NOT NULL, reason TEXT NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (bucket, line)
) STRICT, WITHOUT ROWID;
";

/// Two counters and two gauges of which one makes a ledger now, a day and its month, a mark, a key
/// that waits, and counters that agree.
const CONTENT: &str = "
INSERT INTO meta VALUES ('cursor', 9), ('accounted', 7), ('stored_new', 6), ('duplicates', 1),
    ('mark', 4), ('outbox_seq', 3), ('plan', 77);
INSERT INTO series VALUES (1, 'meter-0', 1), (2, 'meter-1', 1), (3, 'meter-6', 32),
    (4, 'meter-0', 32);
INSERT INTO point VALUES (1, 'point-3'), (2, 'point-0');
INSERT INTO reading VALUES (1, 5, 1.5, 0), (1, 86400000, 2.5, 1), (1, 86400001, 2.75, 0),
    (2, -1, 3.5, 0), (3, 7, 4.5, 0), (4, 7, 5.5, 0);
INSERT INTO dirty VALUES (1, 0, 5, 5, 4);
INSERT INTO day VALUES (1, 20727, 1790784000, 5, 100, 122900, 515300, 'grid-a',
    x'01020108020a'), (1, 20728, 1790870400, NULL, NULL, NULL, NULL, '', x'010100');
INSERT INTO ledger VALUES (1, 2, 1790784000, 4, 5, 0, 2, 2, 1, 2, 'grid-a'),
    (1, 3, 1790784000, 4, 5, 0, 2, 2, 1, 2, 'grid-a'),
    (2, 4, 1767196800, 4, 5, 0, 2, 2, 1, 2, 'grid-a');
INSERT INTO outbox_ledger VALUES (1, 2, 1790784000, 0, 0, NULL, NULL, 12, 3);
INSERT INTO publish_quarantine VALUES ('ledger', 'a line', 'a reason', 5);
PRAGMA user_version=1;
";

fn format_1(folder: &std::path::Path) {
    let file = Connection::open(folder.join("store.db")).unwrap();
    file.execute_batch("PRAGMA journal_mode=WAL").unwrap();
    file.execute_batch(FORMAT_1).unwrap();
    file.execute_batch(CONTENT).unwrap();
    assert_eq!(Quantity::from_code(1), Some(ENERGY));
}

fn format_of(folder: &std::path::Path) -> i64 {
    let file = Connection::open(folder.join("store.db")).unwrap();
    file.query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap()
}

#[tokio::test]
async fn readings_stay_and_everything_waits_to_be_computed() {
    let folder = tempfile::tempdir().unwrap();
    format_1(folder.path());
    let reader = StoreReader::open(folder.path());
    // Nobody but the writer changes the file.
    for error in [
        reader.counts().await.unwrap_err(),
        Outbox::open(folder.path()).unwrap_err(),
    ] {
        assert!(
            matches!(error, StoreError::OldFormat { found: 1, known: 2 }),
            "{error}"
        );
        assert!(error.to_string().contains("when it starts"), "{error}");
    }
    assert_eq!(format_of(folder.path()), 1);

    let mut store = WorkingStore::open(folder.path(), options(false)).unwrap();
    let counts = store.counts().unwrap();
    assert_eq!(
        (counts.cursor, counts.accounted, counts.stored_new),
        (9, 7, 6)
    );
    assert_eq!(reader.count_readings().await.unwrap(), 6);
    let all = store
        .series(&meter(0), ENERGY, UtcMs(i64::MIN), UtcMs(i64::MAX))
        .unwrap();
    let values: Vec<f64> = all.iter().map(|one| one.1).collect();
    assert_eq!(values, [1.5, 2.5, 2.75]);
    let marks: Vec<_> = store
        .dirty(99)
        .unwrap()
        .into_iter()
        .map(|mark| (mark.meter, mark.quantity, mark.from.0, mark.to.0, mark.mark))
        .collect();
    assert_eq!(
        marks,
        [
            (meter(0), ENERGY, 0, DAY_MS - 1, 5),
            (meter(0), ENERGY, DAY_MS, 2 * DAY_MS - 1, 5),
            (meter(1), ENERGY, -DAY_MS, -1, 5),
            (meter(6), Quantity::Power, 0, DAY_MS - 1, 5),
        ]
    );
    assert_eq!(store.books_seq().unwrap(), 0);
    assert_eq!(store.plan_fingerprint().unwrap(), 77);
    for span in Span::ALL {
        let rows = store.ledger_rows(&point(3), span, 0, i64::MAX / 2).unwrap();
        assert_eq!(rows, [], "{span:?}");
    }
    // The file works on: a day of the new format, and it opens again as it is.
    let stored = day(0, date(2026, 10, 1), DAY_START_S, &[Some(1); 96]);
    let update = LedgerUpdate {
        days: std::slice::from_ref(&stored),
        ..LedgerUpdate::default()
    };
    store.write_ledger(update).unwrap();
    commit(&mut store, &[reading(5, ENERGY, 0, 1.0)]);
    drop(store);
    let store = WorkingStore::open(folder.path(), options(false)).unwrap();
    assert_eq!(
        store.day(&point(0), date(2026, 10, 1)).unwrap(),
        Some(stored)
    );
    assert_eq!(store.dirty(99).unwrap().len(), 5);
    assert_eq!(format_of(folder.path()), 2);
}

#[test]
fn an_upgrade_that_fails_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    format_1(folder.path());
    let file = Connection::open(folder.path().join("store.db")).unwrap();
    // A name that no meter can have: the marks cannot be made.
    file.execute_batch("INSERT INTO series VALUES (9, 'no meter', 1)")
        .unwrap();
    let error = WorkingStore::open(folder.path(), options(false)).unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
    let one = |sql| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(one("PRAGMA user_version"), 1);
    assert_eq!(one("SELECT count(*) FROM day"), 2);
    assert_eq!(one("SELECT count(*) FROM ledger"), 3);
    assert_eq!(one("SELECT count(*) FROM dirty"), 1);
}

#[tokio::test]
async fn influxdb_forgets_lines_whose_tags_have_changed() {
    let influx = ScriptedInflux::start([], Rules::default()).await;
    let folder = tempfile::tempdir().unwrap();
    format_1(folder.path());
    let mut store = WorkingStore::open(folder.path(), options(true)).unwrap();
    let stored = day(3, date(2026, 10, 1), DAY_START_S, &[Some(1); 96]);
    let update = LedgerUpdate {
        days: std::slice::from_ref(&stored),
        ..LedgerUpdate::default()
    };
    store.write_ledger(update).unwrap();
    let settings = support::settings(&influx.url());
    let outbox = store.outbox().unwrap();
    let mut publisher = Publisher::new(outbox, &settings, tags(), clock, fast()).unwrap();
    let stop = CancellationToken::new();
    tokio::time::timeout(CERTAIN, publisher.drain(&stop))
        .await
        .unwrap();
    let kept = influx.kept.lock().unwrap();
    // Intervals and hours, days, months of one point, years of the other.
    let of = |text: &str| kept.deletes.iter().filter(|one| one.contains(text)).count();
    assert_eq!(kept.deletes.len(), 5, "{:?}", kept.deletes);
    assert_eq!((of("point-3"), of("point-0")), (4, 1));
    let intervals = kept.deletes.iter().find(|one| one.contains("interval"));
    let intervals = intervals.unwrap();
    assert!(intervals.contains("2026-09-30T16:00:00"), "{intervals}");
    // Longer than the last day: what a day had after a change of clocks goes too.
    assert!(intervals.contains("2026-10-03T15:59:59.999"), "{intervals}");
    assert_eq!(kept.points.len(), 96 + 24);
}
