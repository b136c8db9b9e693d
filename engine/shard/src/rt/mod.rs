//! The runtime under a shard: sockets, lent receive buffers and one clock reading per turn.
//!
//! A runtime is a source of [`Event`]s and a sink of socket commands; it never calls back. One turn flushes what
//! the last turn queued (one gathered send per socket), waits, and hands out what happened. Three runtimes stand
//! behind the one trait: `ring` (our own loop on io_uring), `portable` (epoll) and `simulated` (virtual clock,
//! seeded faults). The same connection code runs on all of them.
//!
//! Never: a future, a lock, a callback, or knowledge of HTTP.

pub mod chunk;
mod outq;
mod pages;
mod pool;
pub mod portable;
pub mod probe;
pub mod ring;
#[cfg(feature = "simulated")]
pub mod simulated;
mod spin;

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::time::Instant;

pub use chunk::Chunk;

/// The moment from which all shards of this process count their nanoseconds. One for all: token buckets are shared, and a
/// shard whose clock was behind would refuse what another would admit.
#[expect(clippy::disallowed_methods, reason = "the one origin that all readings are counted from")]
fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    *ORIGIN.get_or_init(Instant::now)
}

/// A socket of this runtime. A key isn't given out again before the turn after its close, so that events which
/// were already gathered can be told apart by comparing keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketKey(pub(crate) u32);

/// A slice of a receive buffer that the runtime lent to the shard. It must be given back by [`Runtime::release`]
/// or by sending it; the buffer returns to the kernel when the last slice of it is back.
#[must_use = "a lent buffer that is dropped never returns to the runtime"]
#[derive(Debug)]
pub struct Lent {
    /// Which buffer.
    pub(crate) id: u16,
    /// First byte of the slice.
    pub(crate) start: u32,
    /// Bytes in the slice.
    pub(crate) len: u32,
}

impl Lent {
    /// Bytes in the slice.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether nothing is in the slice.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// TCP over IPv4 or IPv6.
    Tcp(SocketAddr),
    /// A UNIX stream socket by its path.
    Unix(std::path::PathBuf),
}

/// What happened to a socket. `owner` is the value given by [`Runtime::own`].
#[derive(Debug)]
pub enum Event {
    /// A listener accepted a connection.
    Accepted {
        /// Listener as returned by [`Runtime::listen`].
        listener: u32,
        /// The new connection; nothing is received until [`Runtime::receive`].
        socket: SocketKey,
    },
    /// A connect ended.
    Connected {
        /// The socket that [`Runtime::connect`] returned.
        socket: SocketKey,
        /// Its owner.
        owner: u32,
        /// Zero, or the errno.
        error: i32,
    },
    /// Bytes arrived. The slice is never empty.
    Received {
        /// The socket.
        socket: SocketKey,
        /// Its owner.
        owner: u32,
        /// The bytes.
        lent: Lent,
    },
    /// The peer finished sending.
    Ended {
        /// The socket.
        socket: SocketKey,
        /// Its owner.
        owner: u32,
    },
    /// Receiving or sending failed; the connection is of no more use.
    Failed {
        /// The socket.
        socket: SocketKey,
        /// Its owner.
        owner: u32,
        /// The errno.
        error: i32,
    },
    /// Everything queued for the socket has been handed to the kernel.
    Sent {
        /// The socket.
        socket: SocketKey,
        /// Its owner.
        owner: u32,
    },
}

/// What a shard asks of its runtime. All calls are non-blocking except [`turn`](Runtime::turn).
pub trait Runtime {
    /// Monotonic nanoseconds, read once per turn.
    fn now_ns(&self) -> u64;

    /// Wall clock in milliseconds since 1970, read once per turn.
    fn unix_ms(&self) -> u64;

    /// Accepts from a bound, listening socket until [`stop_listening`](Runtime::stop_listening). Of a `shared` one, which
    /// other runtimes accept from as well, it takes one connection at a time, so that each gets its part.
    fn listen(&mut self, listener: OwnedFd, shared: bool) -> io::Result<u32>;

    /// Stops accepting on every listener and closes them. Connections already accepted are still reported, and so are those
    /// that wait. If the sockets are `left` to another process, these may be left to it as well.
    fn stop_listening(&mut self, left: bool);

    /// Whether new connections are wanted: if not, they wait in the kernel's queues, whose bounds are the kernel's, until
    /// they are. Those already accepted are still reported.
    fn accept(&mut self, wanted: bool);

    /// Accepts that failed for want of descriptors; each was tried again by itself.
    fn accept_failures(&self) -> u64;

    /// Bytes that sockets hold: receive buffers lent to the shard, bytes queued to be sent, and the sockets themselves.
    /// What is kept for reuse isn't counted: it is there for whoever comes next, and goes when nobody does.
    fn held_bytes(&self) -> usize;

    /// Begins to connect; the outcome arrives as [`Event::Connected`].
    ///
    /// # Errors
    /// No descriptor is left, or the address can't be expressed.
    fn connect(&mut self, address: &Address, owner: u32) -> io::Result<SocketKey>;

    /// Takes a connected stream socket (the wake socket of a mailbox).
    fn adopt(&mut self, stream: OwnedFd, owner: u32) -> SocketKey;

    /// Sets the value that events of this socket carry.
    fn own(&mut self, socket: SocketKey, owner: u32);

    /// Peer address of an accepted socket; `None` for UNIX sockets.
    fn peer(&self, socket: SocketKey) -> Option<SocketAddr>;

    /// Delivers what arrives as events until [`pause`](Runtime::pause) or the end.
    fn receive(&mut self, socket: SocketKey);

    /// Asks for no more events of arrival. A bounded number may still come.
    fn pause(&mut self, socket: SocketKey);

    /// Queues bytes; they leave in one send with everything else queued for the socket in this turn.
    fn send(&mut self, socket: SocketKey, chunk: Chunk);

    /// Bytes queued and not yet taken by the kernel.
    fn unsent(&self, socket: SocketKey) -> usize;

    /// Bytes queued, and those that the kernel took but the peer's side did not. A look costs a system call.
    fn undelivered(&self, socket: SocketKey) -> usize;

    /// Sends FIN after what is queued.
    fn finish(&mut self, socket: SocketKey);

    /// Drops what is queued and closes. No event of this socket follows, apart from those already gathered.
    fn close(&mut self, socket: SocketKey);

    /// As [`close`](Runtime::close), but the peer sees a reset: for messages that must not look complete.
    fn abort(&mut self, socket: SocketKey);

    /// The bytes of a lent slice.
    fn bytes(&self, lent: &Lent) -> &[u8];

    /// The bytes of a lent slice that nobody else holds a part of, to be decrypted in place.
    fn bytes_mut(&mut self, lent: &Lent) -> &mut [u8];

    /// A second slice of the same buffer, `range` counted within `lent`.
    fn slice(&mut self, lent: &Lent, range: std::ops::Range<usize>) -> Lent;

    /// Whether receive buffers run short, so that bytes for a slow peer should be copied instead of held.
    fn scarce(&self) -> bool;

    /// Gives a slice back.
    fn release(&mut self, lent: Lent);

    /// An empty buffer for bytes to send, recycled from earlier sends.
    fn take_buffer(&mut self) -> Vec<u8>;

    /// Gives an unused buffer of [`take_buffer`](Runtime::take_buffer) back.
    fn give_buffer(&mut self, buffer: Vec<u8>);

    /// Flushes, waits for at most `timeout_ns` (forever if `None`, not at all if zero) and appends what happened.
    ///
    /// # Errors
    /// The kernel refuses the wait itself; the shard can't go on.
    fn turn(&mut self, timeout_ns: Option<u64>, events: &mut Vec<Event>) -> io::Result<()>;

    /// Word for the log line at start: `ring`, `portable` or `simulated`.
    fn name(&self) -> &'static str;
}
