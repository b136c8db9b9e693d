//! One socket of the ring: its descriptor, what is armed, and what waits to be sent.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use super::super::Chunk;

/// State of a socket. `ops` counts operations the kernel still holds; the slot is free when it is closed and idle.
pub(super) struct Socket {
    pub(super) descriptor: Option<OwnedFd>,
    pub(super) raw: i32,
    pub(super) owner: u32,
    pub(super) generation: u32,
    /// Operations in flight.
    pub(super) ops: u8,
    pub(super) receiving: bool,
    pub(super) cancelling: bool,
    pub(super) wants_receive: bool,
    pub(super) ended: bool,
    pub(super) closed: bool,
    pub(super) sending: bool,
    pub(super) dirty: bool,
    pub(super) finish: bool,
    /// Bytes in `queue` and `sends`.
    pub(super) unsent: usize,
    pub(super) queue: VecDeque<Chunk>,
    /// Chunks the kernel is sending, in order; `offset` bytes of them are through.
    pub(super) gathered: Option<Box<Gathered>>,
    pub(super) connecting: Option<Box<socket2::SockAddr>>,
}

/// A send in flight: the chunks and the iovecs that point into them, pinned by the box until its completion.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) chunks: VecDeque<Chunk>,
    pub(super) offset: usize,
    pub(super) iovecs: Vec<libc::iovec>,
    pub(super) header: Option<libc::msghdr>,
}

impl Socket {
    pub(super) fn new(descriptor: OwnedFd, owner: u32, generation: u32) -> Self {
        use std::os::fd::AsRawFd;
        Socket {
            raw: descriptor.as_raw_fd(),
            descriptor: Some(descriptor),
            owner,
            generation,
            ops: 0,
            receiving: false,
            cancelling: false,
            wants_receive: false,
            ended: false,
            closed: false,
            sending: false,
            dirty: false,
            finish: false,
            unsent: 0,
            queue: VecDeque::new(),
            gathered: None,
            connecting: None,
        }
    }
}
