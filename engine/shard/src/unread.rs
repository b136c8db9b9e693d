//! Clients that don't read their answers: told from slow ones by what their side of the connection has taken.
//!
//! While bytes wait for a client, a look at the kernel's queue every quarter of `timeouts.send` says whether some were
//! taken since. Three looks in a row without progress, after the first one that only counts, and the client is cut:
//! a reader of any steady speed above the least one gets its whole answer, and one that stopped is gone on time.

use crate::rt::Runtime;
use crate::shard::Shard;

/// Looks until a client that reads nothing is cut.
const LOOKS: u8 = 4;
/// Bytes that a client must have taken between two looks. A trickle below it holds buffers and gives nothing.
const PROGRESS_BYTES_MIN: i64 = 1024;

/// How a client has taken what waits for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unread {
    /// What waited; below zero as soon as more has been queued since than waits.
    bytes: i64,
    looks: u8,
}

impl Unread {
    /// Notes that `bytes` wait now; false once the client counts as one that doesn't read.
    fn look(&mut self, bytes: i64) -> bool {
        let progressed = self.looks > 0 && bytes.saturating_add(PROGRESS_BYTES_MIN) <= self.bytes;
        if progressed || self.looks == 0 {
            *self = Unread { bytes, looks: 1 };
        } else {
            self.looks += 1;
        }
        self.looks < LOOKS
    }
}

impl<R: Runtime> Shard<R> {
    /// Bytes begin to wait for a client: the time of the first look.
    pub(crate) fn watch_reading(&mut self, index: u32) -> u64 {
        self.clients[index as usize].unread = Unread::default();
        self.next_look_ns()
    }

    /// Looks whether a client reads: the time of the next look, or `None` if it is to be cut.
    pub(crate) fn look_at_reading(&mut self, index: u32) -> Option<u64> {
        let client = &mut self.clients[index as usize];
        // Streams go on queueing while others wait: what came in since is no sign of a client that doesn't read.
        let queued = client.h2.as_deref().map_or(0, |multiplexed| multiplexed.queued_bytes);
        let reads = client.unread.look(self.rt.undelivered(client.socket) as i64 - queued as i64);
        reads.then(|| self.next_look_ns())
    }

    fn next_look_ns(&self) -> u64 {
        self.rt.now_ns() + self.timeouts.send_ns / u64::from(LOOKS)
    }
}
