//! What one request leaves behind: an access-log record and counted facts.
//!
//! In: the facts of an exchange. Out: a line in a bounded ring, counters that are summed at scrape.
//! Never: a write to a sink, a wait, a lock on the request path. A full ring is a counted drop.
//! AWS: "Set up logging for REST APIs in API Gateway", "Amazon API Gateway dimensions and metrics".

#![forbid(unsafe_code)]

pub mod access_log;
pub mod metrics;
pub mod prometheus;
pub mod ring;

pub use ring::{Doorbell, RecordReader, RecordWriter};
