//! The durable log between meters and ledger: batches of readings in SQLite.
//!
//! What it promises:
//! - A [`Receipt`] resolves only after the commit that holds its entry has returned, with
//!   `synchronous=FULL`. A kill at any instruction loses nothing that was acknowledged.
//! - Row numbers (`seq`) never repeat, whatever is lost: the next one lies above everything that
//!   was ever told to anybody.
//! - Damage costs what it touches. A damaged row is skipped and counted to the reading, and never
//!   hides what follows.
//! - Nothing that a registered reader has not passed is ever removed to make room. Without room
//!   nothing is acknowledged, and work resumes by itself.
//!
//! What it never does: it knows no meters and no settings file, it does not judge readings, and it
//! opens no socket.
//!
//! # The count that adds up
//! Every reading of a batch takes one running number of readings; every quarantined item takes one
//! running number of items. `received` is the sum of both last numbers ([`JournalCounts`]). At
//! every moment
//!
//! ```text
//! received = stored + queued + quarantined
//! ```
//!
//! where, for the one reader that stands at `cursor`,
//! - *stored* are the readings up to `cursor` that it took over (copies included, its own
//!   quarantine included), as it counted them;
//! - *queued* is the last running number less the running number at `cursor`
//!   ([`JournalReader::readings_through`]);
//! - *quarantined* are the items: open + replayed + discarded + lost. A replayed item stays one
//!   item; what was decoded from it is received anew, with numbers of its own;
//! - *damaged* readings lie before `cursor` like the stored ones: `read_after` told their exact
//!   number in a [`Gap`], so the running number at `cursor` is stored + damaged.
//!
//! Thus `received = stored + damaged + queued + open + replayed + discarded + items lost`, and
//! each term is read, none is kept beside the data. Damage that is not yet behind the cursor is
//! still part of *queued*. Rows that were reclaimed were passed by every reader and count as
//! stored.
//!
//! Where to start: [`Journal::open`] writes, [`JournalReader::open`] reads.

mod append;
mod counts;
mod entry;
mod error;
mod files;
mod group;
mod head;
mod holes;
mod journal;
mod pages;
mod payload;
mod quarantine;
mod reader;
mod reclaim;
mod replay;
mod rows;
mod salvage;
mod schema;
mod start;
mod status;
mod writer;

pub use counts::JournalCounts;
pub use entry::{Entry, Gap, GapCause, Quarantined, Reason, Stored, StoredBatch};
pub use error::{AppendError, JournalError};
pub use journal::{Journal, JournalOptions, Receipt, WriterThread};
pub use payload::{PayloadError, decode, encode, fuzz_one};
pub use quarantine::{ItemState, QuarantineFilter, QuarantineRow};
pub use reader::JournalReader;
pub use status::ALARM_SHARE;
