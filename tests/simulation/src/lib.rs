//! The real shard and a real plan on a simulated network: clients and backends that misbehave by seed, and an oracle.
//!
//! In: a seed. Out: what went against the rules, with the story of it. A seed tells the same story every time.
//! Never: real time, a real socket, or a rule that is read off the gateway's own code: messages are read by readers of
//! our own, and what is allowed follows from what clients and backends did.

#![forbid(unsafe_code)]

mod answer;
mod backend;
mod body;
mod client;
mod documents;
mod h2;
mod ledger;
mod message;
mod oracle;
mod request;
mod run;
mod script;
mod world;

pub use run::{Report, replay, run};
pub use shard::{Planted, plant};
