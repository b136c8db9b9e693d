//! One socket of the simulated runtime, as the shard holds it.

use std::collections::VecDeque;

use super::wire::WireKey;
use crate::rt::Chunk;

/// State of a socket.
pub(super) struct Socket {
    pub(super) wire: WireKey,
    pub(super) owner: u32,
    pub(super) connecting: bool,
    pub(super) closed: bool,
    pub(super) wants_receive: bool,
    /// Arrivals that may still be reported although reception is paused.
    pub(super) strays: u32,
    /// Its end was reported: nothing more is received.
    pub(super) ended: bool,
    /// Sending failed: nothing more is sent.
    pub(super) broken: bool,
    /// A FIN follows what is queued.
    pub(super) finish: bool,
    pub(super) unsent: usize,
    /// Bytes of the first chunk that are through.
    pub(super) offset: usize,
    pub(super) queue: VecDeque<Chunk>,
}

impl Socket {
    pub(super) fn new(wire: WireKey, owner: u32, connecting: bool) -> Self {
        Socket {
            wire,
            owner,
            connecting,
            closed: false,
            wants_receive: false,
            strays: 0,
            ended: false,
            broken: false,
            finish: false,
            unsent: 0,
            offset: 0,
            queue: VecDeque::new(),
        }
    }
}
