//! One write on its way: its lines, its compressed bytes, and what is settled by it.

use std::io::Write as _;
use std::ops::Range;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::client::Precision;
use super::feed::Lane;
use crate::working::{Done, RefusedLine};

/// What must be deleted before the lines are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Erase {
    pub(crate) predicate: String,
    pub(crate) seconds: (i64, i64),
}

/// What one attempt sends.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) bucket: String,
    pub(crate) precision: Precision,
    pub(crate) erase: Vec<Erase>,
    /// Missing where there is no line.
    pub(crate) gzipped: Option<Bytes>,
}

/// Lines of one bucket. The bytes are made once and stay the same for every attempt.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) bucket: String,
    pub(crate) precision: Precision,
    pub(crate) lane: Lane,
    /// Whether a later batch of the lane may hold the same points with other values.
    pub(crate) in_order: bool,
    pub(crate) erase: Vec<Erase>,
    pub(crate) gzipped: Bytes,
    lines: String,
    ends: Vec<usize>,
    /// What is settled once all lines are stored or quarantined.
    pub(crate) done: Vec<Done>,
    /// Lines that were never sent.
    pub(crate) refused: Vec<RefusedLine>,
    /// Readings that are older than the bucket keeps.
    pub(crate) expired: u64,
    /// Of these, readings that wait for the first time.
    pub(crate) expired_new: u64,
}

impl Batch {
    pub(crate) fn new(bucket: &str, precision: Precision, lane: Lane) -> Self {
        Self {
            bucket: bucket.to_owned(),
            precision,
            lane,
            in_order: false,
            erase: Vec::new(),
            gzipped: Bytes::new(),
            lines: String::new(),
            ends: Vec::new(),
            done: Vec::new(),
            refused: Vec::new(),
            expired: 0,
            expired_new: 0,
        }
    }

    /// Lines in it.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// What it holds in memory, in lines.
    pub(crate) fn size(&self) -> usize {
        let expired = usize::try_from(self.expired).unwrap_or(usize::MAX);
        (self.ends.len() + self.refused.len() + self.done.len()).saturating_add(expired)
    }

    /// Whether this batch and a later one may be on their way at the same time. Lanes of one bucket
    /// hold different states of the same points at times; within a lane only batches that are
    /// marked do.
    pub(crate) fn may_fly_with(&self, other: &Self) -> bool {
        self.bucket != other.bucket
            || (self.lane == other.lane && !self.in_order && !other.in_order)
    }

    /// Whether there is neither a line to send nor anything to settle.
    pub(crate) fn is_idle(&self) -> bool {
        self.size() == 0
    }

    /// Adds a line that `write` appends; where it answers false the line is refused with `reason`.
    pub(crate) fn push(&mut self, reason: &str, write: impl FnOnce(&mut String) -> bool) {
        let start = self.lines.len();
        if write(&mut self.lines) {
            self.lines.push('\n');
            self.ends.push(self.lines.len());
        } else {
            let line = self.lines.split_off(start);
            self.refused.push(RefusedLine {
                bucket: self.bucket.clone(),
                line,
                reason: reason.to_owned(),
                is_reading: self.lane != Lane::Keys,
            });
        }
    }

    /// Makes the bytes to send.
    pub(crate) fn seal(mut self) -> Self {
        self.gzipped = gzip(self.lines.as_bytes());
        self
    }

    /// Some of the lines as they go out.
    pub(crate) fn parcel(&self, lines: &Range<usize>) -> Parcel {
        let gzipped = if lines.is_empty() {
            None
        } else if lines.len() == self.len() {
            Some(self.gzipped.clone())
        } else {
            Some(gzip(self.text(lines).as_bytes()))
        };
        Parcel {
            bucket: self.bucket.clone(),
            precision: self.precision,
            erase: self.erase.clone(),
            gzipped,
        }
    }

    fn text(&self, lines: &Range<usize>) -> &str {
        let end_of = |count: usize| match count.checked_sub(1) {
            None => 0,
            Some(index) => self.ends.get(index).copied().unwrap_or(self.lines.len()),
        };
        &self.lines[end_of(lines.start)..end_of(lines.end)]
    }

    /// Some of the lines as refused ones.
    pub(crate) fn refuse(&mut self, lines: &Range<usize>, reason: &str) {
        for index in lines.clone() {
            let line = self.text(&(index..index + 1)).trim_end().to_owned();
            self.refused.push(RefusedLine {
                bucket: self.bucket.clone(),
                line,
                reason: reason.to_owned(),
                is_reading: self.lane != Lane::Keys,
            });
        }
    }
}

fn gzip(bytes: &[u8]) -> Bytes {
    // The fastest level: lines of one series differ in few digits, so even it halves them thrice.
    let mut encoder = GzEncoder::new(
        Vec::with_capacity(bytes.len() / 6 + 64),
        Compression::fast(),
    );
    // Writing to a Vec cannot fail.
    let _ = encoder.write_all(bytes);
    Bytes::from(encoder.finish().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_lines_and_make_up_the_batch() {
        let mut batch = Batch::new("b", Precision::Seconds, Lane::Rows);
        for index in 0..7 {
            batch.push("unknown", |line| {
                line.push_str(&format!("m v={index} {index}"));
                index != 3
            });
        }
        assert_eq!(batch.len(), 6);
        assert_eq!(batch.text(&(0..2)), "m v=0 0\nm v=1 1\n");
        assert_eq!(batch.text(&(3..4)), "m v=4 4\n");
        let halves = format!("{}{}", batch.text(&(0..3)), batch.text(&(3..6)));
        assert_eq!(halves, batch.text(&(0..6)));
        assert_eq!(batch.refused.len(), 1);
        batch.refuse(&(5..6), "no");
        assert_eq!(batch.refused[1].line, "m v=6 6");
    }
}
