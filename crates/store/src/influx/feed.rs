//! From the outbox to batches of lines.
//!
//! Three lanes take turns, so that a long backlog delays what is fresh by one batch at most:
//! readings of recent commits, the ledger, and series-days that are read from the store again.
//! A turn is a few batches, because batches of one lane may be on their way together. A lane runs
//! ahead of what is confirmed; after a restart it begins at the oldest row that waits.

use std::sync::Arc;
use std::time::Duration;

use steward_config::InfluxSettings;
use steward_model::{LedgerRow, MeterId, Quantity, UtcMs};

use super::batch::{Batch, Erase};
use super::client::{Precision, safe_name};
use super::{InfluxError, TagBook};
use crate::StoreError;
use crate::working::{Done, LedgerKey, Outbox, OutboxRow, RawReading, SeriesDay};

/// Ledger keys that are looked up at a time.
const KEYS_MAX: usize = 256;
/// A reading that the bucket would drop within this time is not sent: it may be refused on its way.
const RETENTION_MARGIN: Duration = Duration::from_secs(3_600);

/// Batches of a lane before the next lane has its turn.
const BATCHES_A_TURN: u32 = 4;

/// Where a batch comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Readings of recent commits.
    Rows,
    /// Keys of the ledger.
    Keys,
    /// Series-days that are read again.
    Days,
}

impl Lane {
    const fn next(self) -> Self {
        match self {
            Self::Rows => Self::Keys,
            Self::Keys => Self::Days,
            Self::Days => Self::Rows,
        }
    }
}

/// Reads the outbox and builds batches.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) outbox: Outbox,
    tags: Arc<TagBook>,
    clock: fn() -> UtcMs,
    bucket_readings: String,
    bucket_ledger: String,
    retention: Option<Duration>,
    lines_max: usize,
    lane: Lane,
    left_in_turn: u32,
    rows: RowLane,
    days: DayLane,
    keys: KeyLane,
}

#[derive(Debug, Default)]
struct RowLane {
    after: i64,
    /// The row that is partly in a batch already, and how far.
    current: Option<(OutboxRow, usize)>,
}

#[derive(Debug)]
struct DayLane {
    after: (i64, i64),
    /// The series-day that is partly in a batch already, and the time from which on it is not.
    current: Option<(SeriesDay, i64)>,
}

#[derive(Debug, Default)]
struct KeyLane {
    after: i64,
    /// Keys that were looked up and are in no batch yet, the next one last.
    next: Vec<LedgerKey>,
}

const DAYS_START: (i64, i64) = (i64::MIN, i64::MIN);

impl Feed {
    pub(crate) fn new(
        outbox: Outbox,
        settings: &InfluxSettings,
        tags: Arc<TagBook>,
        clock: fn() -> UtcMs,
    ) -> Result<Self, InfluxError> {
        let retention = settings.retention_readings;
        Ok(Self {
            outbox,
            tags,
            clock,
            bucket_readings: safe_name(&settings.bucket_readings)?,
            bucket_ledger: safe_name(&settings.bucket_ledger)?,
            retention: (!retention.is_zero()).then_some(retention),
            lines_max: settings.batch_lines_max.max(1),
            lane: Lane::Rows,
            left_in_turn: BATCHES_A_TURN,
            rows: RowLane::default(),
            days: DayLane {
                after: DAYS_START,
                current: None,
            },
            keys: KeyLane::default(),
        })
    }

    /// The time of day.
    pub(crate) fn now(&self) -> UtcMs {
        (self.clock)()
    }

    /// Series-days that were marked again behind the lane's back are taken up again. Only while
    /// nothing is on its way, or a day would be sent twice.
    pub(crate) fn rewind(&mut self) {
        self.days.after = DAYS_START;
    }

    /// The next batch of the next lane that has one.
    pub(crate) fn next_batch(&mut self) -> Result<Option<Batch>, StoreError> {
        for _ in 0..3 {
            if self.left_in_turn > 0 {
                let batch = match self.lane {
                    Lane::Rows => self.batch_of_rows()?,
                    Lane::Keys => self.batch_of_keys()?,
                    Lane::Days => self.batch_of_days()?,
                };
                if !batch.is_idle() {
                    self.left_in_turn -= 1;
                    return Ok(Some(batch.seal()));
                }
            }
            self.lane = self.lane.next();
            self.left_in_turn = BATCHES_A_TURN;
        }
        Ok(None)
    }

    fn batch_of_rows(&mut self) -> Result<Batch, StoreError> {
        let mut batch = Batch::new(&self.bucket_readings, Precision::Milliseconds, Lane::Rows);
        let oldest_ms = self.oldest_ms();
        while batch.size() < self.lines_max {
            let (row, start) = match self.rows.current.take() {
                Some(current) => current,
                None => match self.outbox.row_after(self.rows.after)? {
                    None => break,
                    Some(row) => {
                        self.rows.after = row.seq;
                        (row, 0)
                    }
                },
            };
            let room = self.lines_max - batch.size();
            let end = row.readings.len().min(start + room);
            let readings = row.readings.get(start..end).unwrap_or_default();
            // A better copy of a reading must not overtake the reading.
            batch.in_order |= readings.iter().any(|reading| !reading.is_new);
            self.push_readings(&mut batch, readings, oldest_ms)?;
            if end == row.readings.len() {
                batch.done.push(Done::Row(row.seq));
            } else {
                self.rows.current = Some((row, end));
            }
        }
        Ok(batch)
    }

    fn batch_of_days(&mut self) -> Result<Batch, StoreError> {
        let mut batch = Batch::new(&self.bucket_readings, Precision::Milliseconds, Lane::Days);
        let oldest_ms = self.oldest_ms();
        while batch.size() < self.lines_max {
            let (day, from_ms) = match self.days.current.take() {
                Some(current) => current,
                None => match self.outbox.day_after(self.days.after)? {
                    None => break,
                    Some(day) => {
                        self.days.after = (day.series, day.day);
                        (day, day.day * crate::working::DAY_MS)
                    }
                },
            };
            let room = self.lines_max - batch.size();
            let readings = self.outbox.readings_of(day, from_ms, room)?;
            self.push_readings(&mut batch, &readings, oldest_ms)?;
            match readings.last() {
                Some(last) if readings.len() == room => {
                    self.days.current = Some((day, last.at_ms + 1));
                }
                _ => batch.done.push(Done::Day(day)),
            }
        }
        Ok(batch)
    }

    fn push_readings(
        &mut self,
        batch: &mut Batch,
        readings: &[RawReading],
        oldest_ms: i64,
    ) -> Result<(), StoreError> {
        let mut name: Option<(i64, (MeterId, Quantity))> = None;
        for reading in readings {
            if reading.at_ms < oldest_ms {
                batch.expired += 1;
                batch.expired_new += u64::from(reading.is_new);
                continue;
            }
            let (meter, quantity) = match &name {
                Some((series, name)) if *series == reading.series => name,
                _ => {
                    &name
                        .insert((reading.series, self.outbox.name_of(reading.series)?))
                        .1
                }
            };
            let values = (reading.at_ms, reading.value, reading.quality);
            let tags = &self.tags;
            batch.push("unknown_meter", |line| {
                tags.push_reading(line, (meter, *quantity), values)
            });
        }
        Ok(())
    }

    fn batch_of_keys(&mut self) -> Result<Batch, StoreError> {
        let mut batch = Batch::new(&self.bucket_ledger, Precision::Seconds, Lane::Keys);
        // What the ledger says of a key may change while an older state is on its way.
        batch.in_order = true;
        while batch.size() < self.lines_max {
            if self.keys.next.is_empty() {
                self.keys.next = self.outbox.keys_after(self.keys.after, KEYS_MAX)?;
                self.keys.next.reverse();
            }
            let Some(key) = self.keys.next.pop() else {
                break;
            };
            let rows = self.outbox.rows_of(&key)?;
            if batch.size() > 0 && batch.size() + rows.len() > self.lines_max {
                self.keys.next.push(key);
                break;
            }
            self.keys.after = key.seq;
            self.push_key(&mut batch, &key, &rows);
        }
        Ok(batch)
    }

    fn push_key(&self, batch: &mut Batch, key: &LedgerKey, rows: &[LedgerRow]) {
        batch.done.push(Done::Key(key.seq));
        if let Some(seconds) = key.change.erase {
            for span in key.spans() {
                batch.erase.push(Erase {
                    predicate: format!(
                        "_measurement=\"energy\" AND point=\"{}\" AND span=\"{}\"",
                        key.point,
                        span.id()
                    ),
                    seconds,
                });
            }
        }
        for row in rows {
            batch.push("unknown_point", |line| self.tags.push_ledger(line, row));
        }
    }

    /// Readings before this are not sent.
    fn oldest_ms(&self) -> i64 {
        let Some(retention) = self.retention else {
            return i64::MIN;
        };
        let kept = retention.saturating_sub(RETENTION_MARGIN.min(retention / 2));
        let kept_ms = i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
        self.now().0.saturating_sub(kept_ms)
    }
}
