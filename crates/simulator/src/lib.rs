//! steward-simulator
