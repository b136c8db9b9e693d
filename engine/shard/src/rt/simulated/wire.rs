//! One connection between the shard and a peer: what is on its way, what has arrived, and how it ended.

use std::collections::VecDeque;

/// A connection of the simulated network. Keys are never given out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireKey(pub(super) u32);

impl std::fmt::Display for WireKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "wire {}", self.0)
    }
}

/// How one direction of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With a FIN, after everything sent.
    Finished,
    /// With a reset.
    Reset,
}

/// Something that travels: bytes, or the end.
#[derive(Debug)]
pub(super) enum Parcel {
    Bytes(Vec<u8>),
    End(End),
}

/// What a peer finds when it reads.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Nothing yet.
    Nothing,
    /// Bytes, in order.
    Bytes(Vec<u8>),
    /// The shard finished sending.
    End,
    /// The shard reset the connection, or closed it without reading everything.
    Reset,
}

/// State of a connection.
#[derive(Debug, Default)]
pub(super) struct Wire {
    /// Which runtime's it is; none before the accept.
    pub(super) side: Option<usize>,
    /// The shard's socket; none before the accept and after the close.
    pub(super) socket: Option<u32>,
    /// The shard closed its side.
    pub(super) closed: bool,
    /// A FIN or reset of the shard is on its way.
    pub(super) ended: bool,
    /// Bytes for the shard, in its kernel.
    pub(super) arrived: VecDeque<u8>,
    pub(super) arrived_end: Option<End>,
    /// Bytes for the peer, in its kernel.
    pub(super) held: VecDeque<u8>,
    pub(super) held_end: Option<End>,
    /// Bytes that may still be sent before the peer has to read.
    pub(super) room: usize,
    /// The peer finished sending or reset the connection.
    pub(super) peer_ended: bool,
    /// The peer reads no more: what the shard sends is answered with a reset.
    pub(super) peer_closed: bool,
    /// Nothing overtakes what was sent earlier, in either direction.
    pub(super) inbound_ns: u64,
    pub(super) outbound_ns: u64,
}
