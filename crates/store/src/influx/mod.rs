//! InfluxDB 2: what is published to it, and how it is read.
//!
//! [`Publisher`] sends what waits in the working store's outbox; [`InfluxReader`] answers what
//! [`crate::Source`] asks; [`setup()`] makes organisation and buckets. Writing and reading are our
//! own thin HTTP client, because the verdict on a write needs the status, `Retry-After` and the
//! very same bytes again; only provisioning goes through the `influxdb2` crate.

mod backoff;
mod batch;
mod client;
mod csv;
mod error;
mod feed;
mod judge;
mod line;
mod publisher;
mod reader;
mod send;
mod setup;
mod state;
mod tags;
mod tuning;

pub use error::InfluxError;
pub use publisher::{Publisher, publish_all};
pub use reader::InfluxReader;
pub use setup::{SetupReport, setup};
pub use state::PublisherState;
pub use tags::TagBook;
pub use tuning::{PublishReport, Tuning};
