//! What black-box tests stand on: a node on free ports, an upstream that records, a client that speaks bytes.
//!
//! A test reads like a story: start an upstream, start a node in front of it, ask, look at both sides.
//! Never: a sleep in place of a condition ([`eventually`] waits for one), or a port that could be taken.

#![forbid(unsafe_code)]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests live in real time, read files and sockets of their own, and script their peers"
)]

mod black_hole;
mod client;
mod identity;
mod message;
mod name_server;
mod node;
mod scratch;
mod tls_client;
mod upstream;

pub use black_hole::BlackHole;
pub use client::Client;
pub use identity::{Authority, Identity};
pub use message::Message;
pub use name_server::{NameServer, Says};
pub use node::{Node, NodeBuilder, binary, is_running};
pub use scratch::Scratch;
pub use tls_client::{Connector, End, Pieces, TlsClient};
pub use upstream::{Reply, Upstream};

use std::time::{Duration, Instant};

/// No wait of a test is longer; a machine under load gets its time.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until the condition holds.
///
/// # Panics
/// It doesn't within [`PATIENCE`].
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
