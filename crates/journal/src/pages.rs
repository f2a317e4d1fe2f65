//! The last resort of a salvage: rows found by looking at every page of the file and its log,
//! without schema, header or tree. A row is believed when its own checksum holds, so no structure
//! has to be. Numbers are never given twice, so whatever holds is the row of that number.
//!
//! The layout is SQLite's file format, sections 1.6, 2.1 and 4.1.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::schema;

/// The size of every page: SQLite's default, which the journal never changes.
const PAGE: usize = 4_096;
const WAL_HEADER: u64 = 32;
const FRAME_HEADER: usize = 24;
/// No record is larger; a length beyond it is damage.
const RECORD_MAX: usize = 64 << 20;

/// A value in a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Column {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Column {
    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn blob(&self) -> Option<&[u8]> {
        match self {
            Self::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// Calls `found` with number and columns of everything that looks like a row, wherever it stands.
/// The same row may come several times.
pub(crate) fn search(
    dir: &Path,
    mut found: impl FnMut(i64, &[Column]) -> Result<(), rusqlite::Error>,
) -> Result<(), rusqlite::Error> {
    let pages = Pages::open(dir);
    let main = pages.main.as_ref().map(|file| (file, 0, 0));
    let wal = pages
        .wal
        .as_ref()
        .map(|file| (file, WAL_HEADER, FRAME_HEADER));
    for (file, start, header) in main.into_iter().chain(wal) {
        let Ok(mut reader) = file
            .try_clone()
            .map(|file| BufReader::with_capacity(1 << 20, file))
        else {
            continue;
        };
        if std::io::Seek::seek(&mut reader, std::io::SeekFrom::Start(start)).is_err() {
            continue;
        }
        let mut page = vec![0; header + PAGE];
        let mut at = start;
        while reader.read_exact(&mut page).is_ok() {
            let first = at == 0 && header == 0;
            pages.leaf(&page[header..], first, &mut found)?;
            at += page.len() as u64;
        }
    }
    Ok(())
}

/// The file and its log.
struct Pages {
    main: Option<File>,
    wal: Option<File>,
    /// Where the log has the newest copy of a page.
    newest: HashMap<u32, u64>,
}

impl Pages {
    fn open(dir: &Path) -> Self {
        let wal = File::open(schema::wal(dir)).ok();
        let mut newest = HashMap::new();
        if let Some(wal) = &wal {
            let mut at = WAL_HEADER;
            let mut header = [0; FRAME_HEADER];
            while wal.read_exact_at(&mut header, at).is_ok() {
                newest.insert(number(&header, 0).unwrap_or(0), at + FRAME_HEADER as u64);
                at += (FRAME_HEADER + PAGE) as u64;
            }
        }
        Self {
            main: File::open(schema::database(dir)).ok(),
            wal,
            newest,
        }
    }

    fn page(&self, number: u32) -> Option<Vec<u8>> {
        let mut page = vec![0; PAGE];
        let read = match self.newest.get(&number) {
            Some(&at) => self.wal.as_ref()?.read_exact_at(&mut page, at),
            None => {
                let at = u64::from(number.checked_sub(1)?) * PAGE as u64;
                self.main.as_ref()?.read_exact_at(&mut page, at)
            }
        };
        read.is_ok().then_some(page)
    }

    /// The rows of a page, if it is a leaf of a table.
    fn leaf(
        &self,
        page: &[u8],
        first: bool,
        found: &mut impl FnMut(i64, &[Column]) -> Result<(), rusqlite::Error>,
    ) -> Result<(), rusqlite::Error> {
        // The first page begins with the file's own header.
        let header = if first { 100 } else { 0 };
        // The page's type and its count of cells are not believed either: every pair of bytes
        // behind the header is tried as the place of a cell.
        for index in 0..PAGE / 4 {
            let Some(place) = short(page, header + 8 + 2 * index) else {
                break;
            };
            if place < header + 8 || place >= PAGE {
                continue;
            }
            if let Some((row, record)) = self.cell(page, place)
                && let Some(columns) = columns(&record)
            {
                found(row, &columns)?;
            }
        }
        Ok(())
    }

    /// Number and record of the cell at `place`, its overflow pages included.
    fn cell(&self, page: &[u8], place: usize) -> Option<(i64, Vec<u8>)> {
        let (length, used) = varint(page.get(place..)?)?;
        let length = usize::try_from(length)
            .ok()
            .filter(|&length| length <= RECORD_MAX)?;
        let place = place + used;
        let (row, used) = varint(page.get(place..)?)?;
        let place = place + used;
        // Our records have about ten columns; this spares most of the wrong guesses.
        if !matches!(varint(page.get(place..)?)?, (2..=64, _)) {
            return None;
        }
        let local_max = PAGE - 35;
        if length <= local_max {
            return Some((row, page.get(place..place + length)?.to_vec()));
        }
        let local_min = (PAGE - 12) * 32 / 255 - 23;
        let wanted = local_min + (length - local_min) % (PAGE - 4);
        let local = if wanted <= local_max {
            wanted
        } else {
            local_min
        };
        let mut record = page.get(place..place + local)?.to_vec();
        let mut next = number(page, place + local)?;
        while record.len() < length {
            let overflow = self.page(next)?;
            let take = (length - record.len()).min(PAGE - 4);
            record.extend_from_slice(overflow.get(4..4 + take)?);
            next = number(&overflow, 0)?;
        }
        Some((row, record))
    }
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    let two: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(usize::from(u16::from_be_bytes(two)))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

/// SQLite's variable-length integer and how many bytes it took.
fn varint(bytes: &[u8]) -> Option<(i64, usize)> {
    let mut value: u64 = 0;
    for (index, &byte) in bytes.iter().take(9).enumerate() {
        if index == 8 {
            return Some(((value << 8 | u64::from(byte)).cast_signed(), 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value.cast_signed(), index + 1));
        }
    }
    None
}

/// The values of a record.
fn columns(record: &[u8]) -> Option<Vec<Column>> {
    let (length, mut at) = varint(record)?;
    let header = record.get(..usize::try_from(length).ok()?)?;
    let mut body = record.get(header.len()..)?;
    let mut columns = Vec::new();
    while at < header.len() {
        let (kind, used) = varint(&header[at..])?;
        at += used;
        let size = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 => 8,
            12.. => usize::try_from((kind - 12) / 2).ok()?,
            _ => return None,
        };
        let value = body.get(..size)?;
        body = &body[size..];
        columns.push(match kind {
            0 => Column::Null,
            8 | 9 => Column::Integer(kind - 8),
            1..=6 => Column::Integer(integer(value)),
            kind if kind % 2 == 0 => Column::Blob(value.to_vec()),
            _ => Column::Text(String::from_utf8(value.to_vec()).ok()?),
        });
    }
    Some(columns)
}

/// A big-endian integer of up to eight bytes with its sign.
fn integer(bytes: &[u8]) -> i64 {
    let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        -1
    } else {
        0
    };
    bytes
        .iter()
        .fold(sign, |value, &byte| value << 8 | i64::from(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::types::Value;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Integer),
            (-200_i64..200).prop_map(Value::Integer),
            "[a-zäöü楼]{0,40}".prop_map(Value::Text),
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Blob),
            (0_usize..40_000).prop_map(|length| Value::Blob(vec![0xa5; length])),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 30, ..ProptestConfig::default() })]

        /// Every row that SQLite wrote is found in the file's pages and in the log's.
        #[test]
        fn rows_are_found_without_sqlite(
            rows in proptest::collection::vec((value(), value(), value()), 1..30),
            in_log in any::<bool>(),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let connection = schema::connect(dir.path(), true, schema::Sync::Normal).unwrap();
            connection.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY, a, b, c)").unwrap();
            for (a, b, c) in &rows {
                connection
                    .execute("INSERT INTO t (a, b, c) VALUES (?, ?, ?)", rusqlite::params![a, b, c])
                    .unwrap();
            }
            if !in_log {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            }
            let column = |value: &Value| match value {
                Value::Null => Column::Null,
                Value::Integer(number) => Column::Integer(*number),
                Value::Text(text) => Column::Text(text.clone()),
                Value::Blob(bytes) => Column::Blob(bytes.clone()),
                Value::Real(_) => unreachable!(),
            };
            let mut found = HashMap::new();
            search(dir.path(), |row, columns| {
                if columns.len() == 4 {
                    found.insert(row, columns.to_vec());
                }
                Ok(())
            })
            .unwrap();
            for (row, (a, b, c)) in (1_i64..).zip(&rows) {
                let expected = vec![Column::Null, column(a), column(b), column(c)];
                prop_assert_eq!(found.get(&row), Some(&expected));
            }
        }

        #[test]
        fn garbage_is_no_row_and_no_panic(
            bytes in proptest::collection::vec(any::<u8>(), PAGE..2 * PAGE),
        ) {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(schema::database(dir.path()), &bytes).unwrap();
            std::fs::write(schema::wal(dir.path()), &bytes).unwrap();
            search(dir.path(), |_, _| Ok(())).unwrap();
        }
    }
}
