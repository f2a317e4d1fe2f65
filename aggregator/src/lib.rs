//! steward-aggregator
