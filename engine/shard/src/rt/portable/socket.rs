//! One socket of the portable runtime: what it is ready for, and what waits to be sent.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use super::super::Chunk;

/// State of a socket; closed when it has no descriptor.
pub(super) struct Socket {
    pub(super) descriptor: Option<OwnedFd>,
    pub(super) owner: u32,
    pub(super) generation: u32,
    pub(super) connecting: bool,
    pub(super) readable: bool,
    pub(super) hung_up: bool,
    pub(super) writable: bool,
    pub(super) wants_receive: bool,
    pub(super) ended: bool,
    pub(super) finish: bool,
    /// In the list of sockets with something to send.
    pub(super) dirty: bool,
    /// In the list of sockets with something to read.
    pub(super) active: bool,
    pub(super) unsent: usize,
    /// Bytes of the first chunk that are through.
    pub(super) offset: usize,
    pub(super) queue: VecDeque<Chunk>,
}

impl Socket {
    pub(super) fn new(descriptor: OwnedFd, owner: u32, generation: u32) -> Self {
        Socket {
            descriptor: Some(descriptor),
            owner,
            generation,
            connecting: false,
            readable: false,
            hung_up: false,
            writable: true,
            wants_receive: false,
            ended: false,
            finish: false,
            dirty: false,
            active: false,
            unsent: 0,
            offset: 0,
            queue: VecDeque::new(),
        }
    }
}
