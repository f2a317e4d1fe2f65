//! Tests of whole parts: profiles, messages, buses, brokers.

#![allow(clippy::unwrap_used, clippy::panic)]

mod broker;
mod bus;
mod devices;
mod journal;
mod messages;
mod profiles;
mod raw_broker;
mod site;
