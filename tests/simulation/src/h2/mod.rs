//! Clients and backends that speak HTTP/2 by prior knowledge (RFC 9113 section 3.3).
//!
//! In: a client's script, a backend's chances. Out: what the shard sent, held to the protocol frame by frame, and each
//! stream's answer for the oracle.
//! Never: the codec's own view of a connection; only its header compression and the size of a frame's header are used.

pub(crate) mod backend;
pub(crate) mod client;
pub(crate) mod script;
mod watch;
mod write;
