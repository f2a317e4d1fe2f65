//! steward-collector
