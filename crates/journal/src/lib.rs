//! steward-journal
