//! The head mark: how far the journal had come, in a small file beside it, written after each
//! commit and not synced. It is exact after a kill and a lower bound after a power cut. A flip in
//! the write-ahead log hides every commit behind it in silence; the head mark tells.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::JournalError;
use crate::schema::Totals;

/// Three numbers, a version and a checksum.
const LENGTH: usize = 32;
const VERSION: u32 = 1;

/// How far the journal had come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The last row.
    pub(crate) seq: i64,
    /// The last running number of readings.
    pub(crate) readings: i64,
    /// The last running number of quarantined items.
    pub(crate) items: i64,
}

impl From<&Totals> for Head {
    fn from(totals: &Totals) -> Self {
        Self {
            seq: totals.seq,
            readings: totals.readings,
            items: totals.items,
        }
    }
}

impl Head {
    fn to_bytes(self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(&self.seq.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.readings.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.items.to_le_bytes());
        bytes[24..28].copy_from_slice(&VERSION.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..28]);
        bytes[28..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; LENGTH] = bytes.try_into().ok()?;
        let number = |from: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&bytes[from..from + 8]);
            i64::from_le_bytes(number)
        };
        let head = Self {
            seq: number(0),
            readings: number(8),
            items: number(16),
        };
        let sane = head.seq >= 0 && head.readings >= 0 && head.items >= 0;
        (sane && head.to_bytes() == *bytes).then_some(head)
    }
}

/// The open file.
pub(crate) struct HeadFile(File);

fn path(dir: &Path) -> PathBuf {
    dir.join("head")
}

impl HeadFile {
    /// Opens the file, making it where it is missing.
    pub(crate) fn open(dir: &Path) -> Result<Self, JournalError> {
        let path = path(dir);
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map(Self)
            .map_err(|source| JournalError::File {
                what: "open",
                path,
                source,
            })
    }

    /// Writes the mark. A failure is told to the log only: the mark is an alarm, not the data.
    pub(crate) fn write(&self, head: Head) {
        if let Err(error) = self.0.write_all_at(&head.to_bytes(), 0) {
            tracing::warn!(%error, "the journal's head mark could not be written");
        }
    }
}

/// The mark in `dir`, or zeros where there is none that holds.
pub(crate) fn read(dir: &Path) -> Head {
    match std::fs::read(path(dir)) {
        Ok(bytes) => Head::from_bytes(&bytes).unwrap_or_else(|| {
            tracing::warn!(
                "the journal's head mark is damaged: a lost tail of the log would not be seen"
            );
            Head::default()
        }),
        Err(_) => Head::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_back_and_every_flip_is_seen() {
        let head = Head {
            seq: 7,
            readings: 70,
            items: 2,
        };
        let bytes = head.to_bytes();
        assert_eq!(Head::from_bytes(&bytes), Some(head));
        for bit in 0..LENGTH * 8 {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::from_bytes(&bytes), None, "bit {bit}");
        }
        assert_eq!(Head::from_bytes(&bytes[..16]), None);
    }

    #[test]
    fn a_missing_or_torn_mark_is_zero() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()), Head::default());
        let head = Head {
            seq: 3,
            readings: 4,
            items: 5,
        };
        HeadFile::open(dir.path()).unwrap().write(head);
        assert_eq!(read(dir.path()), head);
        std::fs::write(path(dir.path()), b"torn").unwrap();
        assert_eq!(read(dir.path()), Head::default());
    }
}
