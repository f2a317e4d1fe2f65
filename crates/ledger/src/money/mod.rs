//! Money: what an interval costs, and what a month's bill says.
//!
//! Two things are kept apart. The *cost of an interval* is its amount times the energy price and
//! the surcharges of its band: integers of nano-yuan, so costs telescope from intervals to years as
//! amounts do ([`prices`]). A *bill* ([`bill`]) has what belongs to a month and to no interval:
//! tiers, demand or capacity, power factor, fixed charges. It is decimal, rounds once a line, and
//! its total is the sum of its lines.
//!
//! What has no price is shown without one; nothing is ever taken to cost nothing.

pub mod bill;
mod charge;
mod demand;
pub mod prices;
mod stretch;

pub use bill::{Bill, BillInput, BillLine, LineKind, PowerFactor, Taken, Unknown, bill};
pub use demand::{MaxDemand, max_demand, power_factor};
pub use prices::{DayPrices, Prices, cost, price_of_each};
