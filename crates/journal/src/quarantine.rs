//! What was set aside: written with its batch, listed with filters, replayed in one transaction.

use rusqlite::{Connection, Row, ToSql};
use steward_model::{GatewayId, UtcMs};

use crate::pages::Column;
use crate::schema::{signed, unsigned};
use crate::{Quarantined, Reason};

/// What became of an item. The number is its code on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// It waits for a person.
    Open,
    /// It was decoded after all; its readings were received anew up to this row.
    Replayed {
        /// The last row that was made of it.
        seq: u64,
    },
    /// A person threw its bytes away.
    Discarded,
}

/// Which items to list. The default lists the first hundred open ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineFilter {
    /// Only items after this one; for paging.
    pub after_id: u64,
    /// Only items with this reason.
    pub reason: Option<Reason>,
    /// Only items of this gateway.
    pub gateway: Option<GatewayId>,
    /// Only items whose source contains this text.
    pub source: Option<String>,
    /// Replayed and discarded ones too.
    pub closed_too: bool,
    /// At most so many.
    pub limit: usize,
}

impl Default for QuarantineFilter {
    fn default() -> Self {
        Self {
            after_id: 0,
            reason: None,
            gateway: None,
            source: None,
            closed_too: false,
            limit: 100,
        }
    }
}

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Its running number.
    pub id: u64,
    /// What was set aside. The payload of a discarded item is empty.
    pub item: Quarantined,
    /// What became of it.
    pub state: ItemState,
    /// False where the checksum does not hold: the item counts, but its bytes are not believed.
    pub intact: bool,
}

fn crc(id: i64, item: &Quarantined) -> i64 {
    let mut crc = crc32c::crc32c(&id.to_le_bytes());
    crc = crc32c::crc32c_append(crc, &item.received_at.0.to_le_bytes());
    let texts = [
        item.gateway.as_str().as_bytes(),
        item.source.as_bytes(),
        item.reason.id().as_bytes(),
        item.detail.as_bytes(),
        &item.payload,
    ];
    for bytes in texts {
        crc = crc32c::crc32c_append(crc, &(bytes.len() as u64).to_le_bytes());
        crc = crc32c::crc32c_append(crc, bytes);
    }
    i64::from(crc)
}

/// Writes an open item.
pub(crate) fn insert(
    connection: &Connection,
    id: i64,
    item: &Quarantined,
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached("INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?, 0, NULL, ?)")?
        .execute(rusqlite::params![
            id,
            item.received_at.0,
            item.gateway.as_str(),
            item.source,
            item.reason.id(),
            item.detail,
            crc(id, item),
            item.payload,
        ])?;
    Ok(())
}

const COLUMNS: &str =
    "id, received_at, gateway, source, reason, detail, crc32c, state, replayed_as, payload";

fn row(row: &Row<'_>) -> Result<QuarantineRow, rusqlite::Error> {
    let text = |column: usize| -> Result<String, rusqlite::Error> {
        let bytes = row.get_ref(column)?.as_bytes_or_null()?.unwrap_or_default();
        Ok(String::from_utf8_lossy(bytes).into_owned())
    };
    let id: i64 = row.get(0)?;
    let gateway = GatewayId::new(text(2)?);
    let reason_known = Reason::from_id(&text(4)?);
    let item = Quarantined {
        received_at: UtcMs(row.get(1).unwrap_or_default()),
        gateway: match &gateway {
            Ok(gateway) => gateway.clone(),
            Err(_) => unknown_gateway()?,
        },
        source: text(3)?,
        reason: reason_known.unwrap_or(Reason::Other),
        detail: text(5)?,
        payload: row
            .get_ref(9)?
            .as_bytes_or_null()?
            .unwrap_or_default()
            .to_vec(),
    };
    let state = state_of(row.get(7)?, row.get(8)?);
    let crc_found: i64 = row.get(6)?;
    let intact = gateway.is_ok() && crc_found == crc(id, &item);
    Ok(QuarantineRow {
        id: unsigned(id),
        item,
        state,
        intact,
    })
}

/// An item that was found without SQLite, if its checksum holds.
pub(crate) fn from_columns(id: i64, columns: &[Column]) -> Option<QuarantineRow> {
    let [
        _,
        received_at,
        gateway,
        source,
        reason,
        detail,
        crc_found,
        state,
        replayed_as,
        payload,
    ] = columns
    else {
        return None;
    };
    let item = Quarantined {
        received_at: UtcMs(received_at.integer()?),
        gateway: GatewayId::new(gateway.text()?).ok()?,
        source: source.text()?.to_owned(),
        reason: Reason::from_id(reason.text()?)?,
        detail: detail.text()?.to_owned(),
        payload: payload.blob()?.to_vec(),
    };
    let state = state_of(state.integer()?, replayed_as.integer());
    (crc_found.integer()? == crc(id, &item)).then_some(QuarantineRow {
        id: unsigned(id),
        item,
        state,
        intact: true,
    })
}

fn state_of(code: i64, replayed_as: Option<i64>) -> ItemState {
    match code {
        0 => ItemState::Open,
        1 => ItemState::Replayed {
            seq: unsigned(replayed_as.unwrap_or_default()),
        },
        _ => ItemState::Discarded,
    }
}

/// The gateway shown for an item whose own is unreadable.
fn unknown_gateway() -> Result<GatewayId, rusqlite::Error> {
    GatewayId::new("unknown").map_err(|_| rusqlite::Error::InvalidQuery)
}

/// The item `id`.
pub(crate) fn find(
    connection: &Connection,
    id: u64,
) -> Result<Option<QuarantineRow>, rusqlite::Error> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM quarantine WHERE id = ?"))?;
    let mut rows = statement.query_map([signed(id)], row)?;
    rows.next().transpose()
}

/// Items in the order of their numbers.
pub(crate) fn list(
    connection: &Connection,
    filter: &QuarantineFilter,
) -> Result<Vec<QuarantineRow>, rusqlite::Error> {
    let after = signed(filter.after_id);
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let reason = filter.reason.map(Reason::id);
    let gateway = filter.gateway.as_ref().map(GatewayId::as_str);
    let parameters: [&dyn ToSql; 6] = [
        &after,
        &reason,
        &gateway,
        &filter.source,
        &filter.closed_too,
        &limit,
    ];
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM quarantine
         WHERE id > ?1 AND (?2 IS NULL OR reason = ?2) AND (?3 IS NULL OR gateway = ?3)
           AND (?4 IS NULL OR instr(source, ?4) > 0) AND (?5 OR state = 0)
         ORDER BY id LIMIT ?6"
    ))?;
    let rows = statement.query_map(parameters.as_slice(), row)?;
    rows.collect()
}

/// Marks an item as replayed.
pub(crate) fn mark_replayed(
    connection: &Connection,
    id: u64,
    seq: u64,
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached("UPDATE quarantine SET state = 1, replayed_as = ? WHERE id = ?")?
        .execute([signed(seq), signed(id)])?;
    Ok(())
}

/// Empties an item and keeps its place in the count.
pub(crate) fn empty(
    connection: &Connection,
    row: &mut QuarantineRow,
) -> Result<(), rusqlite::Error> {
    row.item.payload = Vec::new();
    row.state = ItemState::Discarded;
    connection
        .prepare_cached("UPDATE quarantine SET state = 2, payload = x'', crc32c = ? WHERE id = ?")?
        .execute([crc(signed(row.id), &row.item), signed(row.id)])?;
    Ok(())
}

/// Copies an item as it is, damaged or not, into another journal.
pub(crate) fn copy(connection: &Connection, row: &QuarantineRow) -> Result<(), rusqlite::Error> {
    let (state, replayed_as) = match row.state {
        ItemState::Open => (0, None),
        ItemState::Replayed { seq } => (1, Some(signed(seq))),
        ItemState::Discarded => (2, None),
    };
    let crc = crc(signed(row.id), &row.item);
    connection
        .prepare_cached("INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(rusqlite::params![
            signed(row.id),
            row.item.received_at.0,
            row.item.gateway.as_str(),
            row.item.source,
            row.item.reason.id(),
            row.item.detail,
            // What was damaged stays known as damaged.
            if row.intact { crc } else { !crc },
            state,
            replayed_as,
            row.item.payload,
        ])?;
    Ok(())
}
