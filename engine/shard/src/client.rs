//! A client connection: phase, leftovers and deadline. Small, because idle ones are many.

use std::net::{IpAddr, Ipv4Addr};

use crate::multiplexed::Multiplexed;
use crate::rt::SocketKey;
use crate::slot::NONE;
use crate::timers::Deadline;
use crate::tls::Session;
use crate::unread::Unread;

/// Where a client connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its proxy has yet to say whom it speaks for; no slot.
    Introduction,
    /// Between requests; no slot.
    Idle,
    /// Part of a head has arrived.
    Head,
    /// A request is being answered.
    Exchange,
    /// HTTP/2: any number of requests, each with its slot.
    Streams,
    /// The last answer is on its way; nothing more is read as a request.
    Closing,
}

/// State of a client connection.
pub(crate) struct Client {
    pub(crate) socket: SocketKey,
    /// Which listener it came in by.
    pub(crate) listener: u32,
    pub(crate) peer: IpAddr,
    pub(crate) local_port: u16,
    pub(crate) slot: u32,
    /// Its session, if the listener speaks TLS.
    pub(crate) tls: Option<Box<Session>>,
    /// Its streams, once it turned out to speak HTTP/2.
    pub(crate) h2: Option<Box<Multiplexed>>,
    /// It has brought no request yet, so that it may turn out to speak HTTP/2.
    pub(crate) fresh: bool,
    pub(crate) phase: Phase,
    /// Unread bytes that had to wait; no capacity while idle.
    pub(crate) carry: Vec<u8>,
    pub(crate) deadline: Deadline,
    pub(crate) discarded: u32,
    /// How it takes what waits for it.
    pub(crate) unread: Unread,
    /// Reception is paused until the carry is short again.
    pub(crate) paused: bool,
    /// The client finished sending.
    pub(crate) ended: bool,
    /// Waits in the shard's list for its next share of this turn.
    pub(crate) queued: bool,
    /// Closing waits for the client's FIN, so that no reset overtakes the answer.
    pub(crate) linger: bool,
    /// FIN has been sent.
    pub(crate) finished: bool,
    /// The idle time begins when the client has what is queued: the end of an answer.
    pub(crate) answered: bool,
}

impl Client {
    /// A connection just accepted.
    pub(crate) fn new(socket: SocketKey, listener: u32, peer: Option<IpAddr>, local_port: u16) -> Self {
        Client {
            socket,
            listener,
            // A UNIX-socket client has no address; AWS has no word for it.
            peer: peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            local_port,
            slot: NONE,
            tls: None,
            h2: None,
            fresh: true,
            phase: Phase::Idle,
            carry: Vec::new(),
            deadline: Deadline::default(),
            discarded: 0,
            unread: Unread::default(),
            paused: false,
            ended: false,
            queued: false,
            linger: false,
            finished: false,
            answered: false,
        }
    }

    /// Bytes that it holds beside its own place.
    pub(crate) fn held_bytes(&self) -> usize {
        self.carry.capacity()
            + self.tls.as_deref().map_or(0, Session::held_bytes)
            + self.h2.as_deref().map_or(0, Multiplexed::held_bytes)
    }

    /// Whether it speaks HTTP/2 and hasn't been told yet that its connection ends.
    pub(crate) fn may_be_told_to_go(&self) -> bool {
        self.h2.as_deref().is_some_and(|multiplexed| !multiplexed.leaving && !multiplexed.away)
    }
}
