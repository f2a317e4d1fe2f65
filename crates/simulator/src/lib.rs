//! Meters that behave like meters: for the demo, the tests and the benchmarks.
//!
//! A [`World`] is a pure function of a seed and a first day: the register of every meter at every
//! instant. [`site`] says what the demo's world is made of, [`files`] writes it as a site's
//! folder, [`modbus`] and [`mqtt`] let its meters speak on real sockets.
//!
//! What it never does: it reaches no journal and no store, and no production role names it.

pub mod calendar;
pub mod files;
pub mod load;
pub mod modbus;
pub mod mqtt;
mod noise;
pub mod site;
pub mod story;
pub mod world;

pub use site::{Building, Institution, SimMeter, Site, Way};
pub use story::Story;
pub use world::World;
