//! Slow work, off the shards: log sinks, the operations listener, name resolution.
//!
//! In: lines in rings, scrapes, names. Out: writes, answers, addresses by callback.
//! Never: knowledge of shards; what they need comes in as closures.

#![forbid(unsafe_code)]

pub mod log_thread;
pub mod operations;
pub mod resolver;
pub mod runtime;

pub use log_thread::{LogThread, Sink};
pub use operations::{Answer, Call, Calls, Operations};
pub use runtime::Workers;
