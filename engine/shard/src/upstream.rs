//! Upstream connections and the pools that keep them, one pool per target and shard.

use std::collections::{HashMap, VecDeque};

use codec::h1::{BodyDecoder, BodyFraming, ResponseHead};
use rustls_pki_types::ServerName;

use crate::calls::Calls;
use crate::health::Endpoints;
use crate::rt::SocketKey;
use crate::slot::NONE;
use crate::timers::Deadline;
use crate::tls::Session;

/// Where an upstream connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Connecting for a slot.
    Connecting,
    /// Connected; TLS is being agreed on.
    Securing,
    /// The request is on its way, no final response head yet.
    Head,
    /// The body is being relayed.
    Body,
    /// The body is being read and dropped, to save the connection.
    Drain,
    /// In its pool.
    Idle,
    /// HTTP/2: any number of calls, each with its slot.
    Streams,
}

/// State of an upstream connection.
pub(crate) struct Upstream {
    pub(crate) socket: SocketKey,
    /// Its session, if the target speaks TLS.
    pub(crate) tls: Option<Box<Session>>,
    /// Its streams, once it turned out to speak HTTP/2.
    pub(crate) h2: Option<Box<Calls>>,
    pub(crate) pool: u32,
    pub(crate) slot: u32,
    pub(crate) phase: Phase,
    pub(crate) head: Option<Box<ResponseHead>>,
    pub(crate) carry: Vec<u8>,
    pub(crate) framing: BodyFraming,
    pub(crate) decoder: BodyDecoder,
    /// It has answered before, so a failure before the first byte may only mean that it had gone stale.
    pub(crate) reused: bool,
    /// Bytes of the current answer have arrived.
    pub(crate) heard: bool,
    pub(crate) keep_alive: bool,
    pub(crate) paused: bool,
    /// Which of the pool's addresses it is for.
    pub(crate) endpoint: u32,
    /// The race that it runs in, as long as another address may be tried instead.
    pub(crate) race: u32,
    /// It is open by then.
    pub(crate) connect_due_ns: u64,
    /// The request body waits until this connection's queue is empty.
    pub(crate) holds_request: bool,
    pub(crate) drained: usize,
    pub(crate) deadline: Deadline,
}

impl Upstream {
    /// A connection being opened for `slot`.
    pub(crate) fn connecting(socket: SocketKey, pool: u32, slot: u32, endpoint: u32) -> Self {
        debug_assert!(slot != NONE, "connections are opened for a request");
        Upstream {
            socket,
            tls: None,
            h2: None,
            pool,
            slot,
            phase: Phase::Connecting,
            head: None,
            carry: Vec::new(),
            framing: BodyFraming::None,
            decoder: BodyDecoder::new(BodyFraming::None),
            reused: false,
            heard: false,
            keep_alive: false,
            paused: false,
            endpoint,
            race: NONE,
            connect_due_ns: u64::MAX,
            holds_request: false,
            drained: 0,
            deadline: Deadline::default(),
        }
    }
}

impl Upstream {
    /// Bytes that it holds beside its own place.
    pub(crate) fn held_bytes(&self) -> usize {
        self.carry.capacity()
            + self.tls.as_deref().map_or(0, Session::held_bytes)
            + self.h2.as_deref().map_or(0, Calls::held_bytes)
    }
}

/// The addresses of a target.
#[derive(Debug)]
pub(crate) enum Addresses {
    /// Known, at least one.
    Known(Endpoints),
    /// Asked for.
    Awaited,
    /// The resolver failed and nothing is known from before.
    Unknown,
}

/// Whom a backend has to prove to be.
#[derive(Clone, Debug)]
pub(crate) struct Secure {
    pub(crate) name: ServerName<'static>,
    /// Anybody may have issued its certificate.
    pub(crate) any_issuer: bool,
}

/// Idle connections and what waits for addresses.
pub(crate) struct Pool {
    /// `host:port`, or the socket's path.
    pub(crate) name: String,
    /// Its addresses come from the resolver.
    is_named: bool,
    /// TLS of its connections.
    pub(crate) secure: Option<Secure>,
    /// Calls share connections by HTTP/2,
    pub(crate) http2: bool,
    /// but the backend turned out not to speak it.
    pub(crate) http1_only: bool,
    /// Connections that calls share.
    pub(crate) shared: Vec<u32>,
    /// The connection that is being opened to be shared.
    pub(crate) opening: u32,
    /// Slots that wait for it, or for a stream.
    pub(crate) queued: VecDeque<u32>,
    pub(crate) addresses: Addresses,
    /// Idle upstream connections; the one used last is used next.
    pub(crate) idle: Vec<u32>,
    /// Slots that wait for the resolver.
    pub(crate) waiting: VecDeque<u32>,
    pub(crate) open: u32,
}

impl Pool {
    /// A pool without connections.
    pub(crate) fn new(name: String, secure: Option<Secure>, http2: bool, addresses: Addresses) -> Self {
        Pool {
            is_named: !matches!(addresses, Addresses::Known(_)),
            name,
            secure,
            http2,
            http1_only: false,
            shared: Vec::new(),
            opening: NONE,
            queued: VecDeque::new(),
            addresses,
            idle: Vec::new(),
            waiting: VecDeque::new(),
            open: 0,
        }
    }

    /// Whether calls share connections.
    pub(crate) fn multiplexes(&self) -> bool {
        self.http2 && !self.http1_only
    }

    /// Whether an address is still one of the target's.
    pub(crate) fn has(&self, endpoint: u32) -> bool {
        matches!(&self.addresses, Addresses::Known(endpoints) if endpoints.address(endpoint).is_some())
    }

    /// Whether an address of the target has failed lately.
    pub(crate) fn is_ailing(&self) -> bool {
        matches!(&self.addresses, Addresses::Known(endpoints) if endpoints.is_ailing())
    }
}

/// All pools of a shard, by index and by name. They outlive plans.
#[derive(Default)]
pub(crate) struct Pools {
    pools: Vec<Pool>,
    /// By name, whether anybody may have issued the certificate (nothing without TLS), and HTTP/2.
    names: HashMap<(String, Option<bool>, bool), u32>,
}

impl Pools {
    /// The pool of that name, security and protocol, made from `addresses` if it is new.
    pub(crate) fn named(
        &mut self,
        name: String,
        secure: Option<Secure>,
        http2: bool,
        addresses: Addresses,
    ) -> u32 {
        let any_issuer = secure.as_ref().map(|secure| secure.any_issuer);
        let key = (name, any_issuer, http2);
        if let Some(&pool) = self.names.get(&key) {
            return pool;
        }
        let index = u32::try_from(self.pools.len()).expect("bounded by the plan");
        self.pools.push(Pool::new(key.0.clone(), secure, http2, addresses));
        self.names.insert(key, index);
        index
    }

    /// The pools of that name, one per manner of speaking to it.
    pub(crate) fn find(&self, name: &str) -> Vec<u32> {
        let of_name = self.names.iter().filter(|((known, ..), _)| known == name);
        of_name.map(|(_, &index)| index).collect()
    }

    /// Every pool.
    #[cfg(feature = "simulated")]
    pub(crate) fn all(&self) -> &[Pool] {
        &self.pools
    }

    /// Pools of targets with a name, which the resolver knows the addresses of.
    pub(crate) fn named_ones(&self) -> Vec<u32> {
        let named = self.pools.iter().enumerate().filter(|(_, pool)| pool.is_named);
        named.map(|(index, _)| u32::try_from(index).expect("bounded by the plan")).collect()
    }
}

impl std::ops::Index<u32> for Pools {
    type Output = Pool;
    fn index(&self, index: u32) -> &Pool {
        &self.pools[index as usize]
    }
}

impl std::ops::IndexMut<u32> for Pools {
    fn index_mut(&mut self, index: u32) -> &mut Pool {
        &mut self.pools[index as usize]
    }
}
