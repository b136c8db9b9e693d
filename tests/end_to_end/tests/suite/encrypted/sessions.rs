//! Sessions that go on: tickets of either version, over shards and renewals; and what is counted.

use super::{RUNTIMES, VERSIONS, builder, mock};
use crate::observing::{control, metric};
use support::{Connector, Identity, Node, eventually};

/// Handshakes, resumptions and failures.
pub(super) fn counted(node: &Node) -> [u64; 3] {
    let page = control(node, "/metrics").text();
    let names =
        ["turnpike_tls_handshakes_total", "turnpike_tls_resumptions_total", "turnpike_tls_failures_total"];
    // Counts of a test are small and whole.
    names.map(|name| metric(&page, name) as u64)
}

#[test]
fn sessions_are_resumed_on_any_shard_and_counted() {
    let own = Identity::ecdsa(&["own.example"]);
    for runtime in RUNTIMES {
        let node = builder(runtime, &own, &mock()).start();
        for version in VERSIONS {
            let connector = Connector::of(version);
            // Every connection may be another shard's.
            for nth in 0..12 {
                let mut client = connector.connect(node.address(), "own.example");
                assert_eq!(client.is_resumed(), nth > 0, "{runtime}: {version:?}, connection {nth}");
                assert_eq!(client.ask("GET", "/a", "h").text(), "a");
            }
            // A session of one name is none of another's.
            assert!(!connector.connect(node.address(), "other.example").is_resumed());
        }
        eventually("all are counted", || counted(&node) == [26, 22, 0]);
    }
}
