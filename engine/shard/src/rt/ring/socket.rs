//! One socket of the ring: its descriptor, what is armed, and what waits to be sent.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use io_uring::{opcode, squeue, types};

use super::super::Chunk;
use super::buffers::Buffers;

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

/// Builds the send of what is gathered: a plain SEND of one piece, SENDMSG of several.
pub(super) fn describe_send(
    gathered: &mut Gathered,
    buffers: &Buffers,
    fd: types::Fd,
    flags: i32,
) -> squeue::Entry {
    let mut skip = gathered.offset;
    gathered.iovecs.clear();
    for chunk in &gathered.chunks {
        let bytes: &[u8] = match chunk {
            Chunk::Owned(bytes) => bytes,
            Chunk::Lent(lent) => buffers.bytes(lent),
            Chunk::Shared(bytes) => bytes,
            Chunk::Static(bytes) => bytes,
        };
        let bytes = &bytes[skip.min(bytes.len())..];
        skip = 0;
        if !bytes.is_empty() {
            gathered
                .iovecs
                .push(libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() });
        }
    }
    if let [only] = gathered.iovecs[..] {
        let len = u32::try_from(only.iov_len).unwrap_or(u32::MAX);
        return opcode::Send::new(fd, only.iov_base.cast_const().cast(), len).flags(flags).build();
    }
    // SAFETY: zero is a valid msghdr: no name, no control data.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = gathered.iovecs.as_mut_ptr();
    header.msg_iovlen = gathered.iovecs.len();
    let header = gathered.header.insert(header);
    opcode::SendMsg::new(fd, std::ptr::from_ref(header)).flags(flags.cast_unsigned()).build()
}
