//! The judge of every test that breaks something: what was sent, what was promised and what was
//! found are sets over the keys of readings, and the verdict is made of their differences.
//!
//! - **lost**: acknowledged by the broker, and neither stored nor set aside;
//! - **invented**: stored, and never sent;
//! - **wrong**: stored with another value than was sent;
//! - **doubled**: a key that is stored more than once.
//!
//! What was stored although the broker never acknowledged it is recovered, which is allowed.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own share"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use steward_model::Quantity;

/// What tells one reading from every other: meter, quantity and milliseconds.
pub type Key = (String, Quantity, i64);

/// What was sent and what was acknowledged.
#[derive(Debug, Default)]
pub struct Oracle {
    attempted: BTreeMap<Key, f64>,
    acknowledged: BTreeSet<Key>,
}

/// What is in the store.
#[derive(Debug, Default)]
pub struct Found {
    /// Every row of readings, as often as it is there.
    pub stored: Vec<(Key, f64)>,
    /// Keys of readings that were set aside.
    pub set_aside: BTreeSet<Key>,
}

/// The differences between the sets.
#[derive(Debug, Default, PartialEq)]
pub struct Verdict {
    pub acknowledged: usize,
    pub stored: usize,
    pub recovered: usize,
    pub lost: Vec<Key>,
    pub invented: Vec<Key>,
    pub wrong: Vec<(Key, f64)>,
    pub doubled: Vec<Key>,
}

impl Oracle {
    /// Readings are about to be sent.
    pub fn attempt(&mut self, readings: &[(Key, f64)]) {
        self.attempted.extend(readings.iter().cloned());
    }

    /// The broker has taken them over.
    pub fn acknowledge(&mut self, readings: &[(Key, f64)]) {
        self.acknowledged
            .extend(readings.iter().map(|(key, _)| key.clone()));
    }

    /// How many different readings were sent.
    pub fn attempted(&self) -> usize {
        self.attempted.len()
    }

    /// Judges what was found.
    pub fn judge(&self, found: &Found) -> Verdict {
        let mut verdict = Verdict {
            acknowledged: self.acknowledged.len(),
            stored: found.stored.len(),
            ..Verdict::default()
        };
        let mut seen = BTreeSet::new();
        for (key, value) in &found.stored {
            match self.attempted.get(key) {
                None => verdict.invented.push(key.clone()),
                Some(sent) if sent.to_bits() != value.to_bits() => {
                    verdict.wrong.push((key.clone(), *value));
                }
                Some(_) => {}
            }
            if !seen.insert(key) {
                verdict.doubled.push(key.clone());
            }
            verdict.recovered += usize::from(!self.acknowledged.contains(key));
        }
        let is_there = |key: &&Key| seen.contains(key) || found.set_aside.contains(*key);
        let lost = self.acknowledged.iter().filter(|key| !is_there(key));
        verdict.lost = lost.cloned().collect();
        verdict
    }
}

impl Verdict {
    /// What is wrong, with the first offender; `None` where all sets are empty and enough was at
    /// stake to prove something.
    pub fn offence(&self) -> Option<String> {
        let wrong: Vec<Key> = self.wrong.iter().map(|(key, _)| key.clone()).collect();
        let sets = [
            ("lost", &self.lost),
            ("invented", &self.invented),
            ("wrong", &wrong),
            ("doubled", &self.doubled),
        ];
        let offended = sets.iter().find(|(_, keys)| !keys.is_empty());
        let too_few = self.acknowledged <= 100;
        match offended {
            Some((what, keys)) => {
                let (count, first) = (keys.len(), &keys[0]);
                Some(format!("{count} readings are {what}, such as {first:?}"))
            }
            None if too_few => Some(format!(
                "only {} readings were acknowledged: nothing is proved",
                self.acknowledged
            )),
            None => None,
        }
    }

    /// Panics where there is an offence.
    pub fn expect_clean(&self) {
        assert_eq!(self.offence(), None);
    }
}

impl Found {
    /// Reads the working store of a data folder, past all of our own code that reads it.
    pub fn read(data_dir: &Path) -> Self {
        let connection = open(data_dir);
        Self {
            stored: rows(
                &connection,
                "SELECT s.meter, s.quantity, r.at, r.value \
                 FROM reading r JOIN series s ON s.id = r.series",
            ),
            set_aside: rows(
                &connection,
                "SELECT meter, quantity, at, value FROM refused WHERE meter IS NOT NULL \
                 UNION ALL SELECT s.meter, s.quantity, c.at, c.value \
                 FROM conflict c JOIN series s ON s.id = c.series",
            )
            .into_iter()
            .map(|(key, _)| key)
            .collect(),
        }
    }
}

/// One number that a question to the working store answers.
pub fn ask(data_dir: &Path, sql: &str) -> i64 {
    open(data_dir).query_row(sql, [], |row| row.get(0)).unwrap()
}

fn open(data_dir: &Path) -> Connection {
    let file = data_dir.join("store").join("store.db");
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    connection.busy_timeout(super::support::SHORT).unwrap();
    connection
}

fn rows(connection: &Connection, sql: &str) -> Vec<(Key, f64)> {
    let mut select = connection.prepare(sql).unwrap();
    let rows = select.query_map([], |row| {
        let quantity = Quantity::from_code(row.get(1)?).unwrap();
        Ok(((row.get(0)?, quantity, row.get(2)?), row.get(3)?))
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}
