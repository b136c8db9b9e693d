//! Rate and burst limits: lock-free token buckets that all shards share, and the registry that names them.
//!
//! In: a bucket and the time. Out: whether a request may pass. Refuses with: `THROTTLED` (said by the gateway).
//! Never: a lock on the request path, a clock reading.
//! AWS: "Throttle requests to your REST APIs for better throughput in API Gateway".

#![forbid(unsafe_code)]

pub mod bucket;
pub mod registry;
mod sync;

pub use bucket::Bucket;
pub use registry::{Rate, Registry};
