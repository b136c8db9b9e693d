//! The runtime of simulations: a virtual clock, a network that exists in memory only, and faults by seed.
//!
//! In: a [`Network`] and its [`Peers`]. Out: events as the live runtimes give them, in the orders they may give them:
//! arrivals in pieces, sends taken in part, resets, ends, connects that fail late or never, sockets in any order, one
//! arrival after a pause, few receive buffers. The same seed and peers give the same run, event for event.
//! Never: a socket, a clock or chance of the machine. Built only with the feature `simulated`: the product has no use
//! for it.

mod dice;
mod faults;
mod network;
mod peers;
mod socket;
mod wire;

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use slab::Slab;

pub use self::dice::Dice;
pub use self::faults::Faults;
pub use self::network::Network;
pub use self::peers::{Peers, Reception};
pub use self::wire::{Arrival, WireKey};

use self::network::Rest;
use self::socket::Socket;
use self::wire::{End, Parcel};
use super::pool::{BUFFER_BYTES, BufferPool};
use super::{Address, Chunk, Event, Lent, Runtime, SocketKey};

/// Work of one turn takes up to this much virtual time.
const TURN_NS_MAX: u64 = 20_000;
/// A socket that is ready and wasn't reported is looked at again after this long.
const LATE_NS: u64 = 50_000;
/// Looks of one turn at sockets that are ready without anything coming of it.
const LOOKS_MAX: u32 = 20_000;
/// The wall clock when the virtual one is zero: 2026-11-24T10:00:00Z.
const ORIGIN_UNIX_MS: u64 = 1_795_514_400_000;
/// Key of the mailbox's wake socket, which is no connection.
const WAKE: u32 = u32::MAX;

/// Where the next events come from.
enum Source {
    Backlog(WireKey),
    Connect(WireKey, i32),
    Socket(u32),
    Mailbox,
}

/// The simulated runtime.
pub struct Simulated {
    /// The network; while a second runtime has it, an empty one.
    network: Network,
    /// First or second on the network.
    side: usize,
    peers: Rc<RefCell<dyn Peers>>,
    buffers: BufferPool,
    sockets: Slab<Socket>,
    /// Keys to be given out again from the next turn on.
    freed: Vec<u32>,
    /// Sockets that may have something to report, each once.
    active: Vec<u32>,
    mailbox: Option<(OwnedFd, u32)>,
    now_ns: u64,
}

impl Simulated {
    /// A runtime on a network.
    #[must_use]
    pub fn new(mut network: Network, peers: Rc<RefCell<dyn Peers>>) -> Self {
        network.rests[0] = Rest::Busy;
        Simulated::on(network, 0, peers)
    }

    /// A second runtime on the network of this one, which sees the same peers and may listen on the same socket: another
    /// process of one machine. It gets the network by [`pass`](Self::pass) before anything is asked of it.
    #[must_use]
    pub fn second(&mut self) -> Simulated {
        self.network.rests[1] = Rest::Busy;
        let elsewhere = Network::new(0, self.network.faults);
        Simulated::on(elsewhere, 1, Rc::clone(&self.peers))
    }

    fn on(network: Network, side: usize, peers: Rc<RefCell<dyn Peers>>) -> Self {
        let (now_ns, buffers_max) = (network.now_ns, network.faults.buffers_max);
        Simulated {
            network,
            side,
            peers,
            buffers: BufferPool::new(buffers_max),
            sockets: Slab::new(),
            freed: Vec::new(),
            active: Vec::new(),
            mailbox: None,
            now_ns,
        }
    }

    /// The network, for what simulations do between turns.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// Gives the network to the other runtime, whose turn it is.
    pub fn pass(&mut self, other: &mut Simulated) {
        std::mem::swap(&mut self.network, &mut other.network);
    }

    /// Whether none of its sockets is to be looked at; for the runtime that hasn't the network.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.active.is_empty()
    }

    /// Whether nothing more will happen unless a shard does something. Of two runtimes, the one that has the network knows.
    #[must_use]
    pub fn is_still(&self) -> bool {
        let is_idle =
            |side: usize| self.network.touched[side].is_empty() && self.network.connects[side].is_empty();
        self.network.next_ns().is_none()
            && self.active.is_empty()
            && is_idle(0)
            && is_idle(1)
            && !self.network.has_backlog()
            && self.network.rests[1 - self.side] != Rest::Busy
    }

    /// Receive buffers that somebody holds.
    #[must_use]
    pub fn buffers_held(&self) -> usize {
        self.buffers.held()
    }

    /// Sockets that aren't closed.
    #[must_use]
    pub fn sockets_open(&self) -> usize {
        self.sockets.iter().filter(|(_, socket)| !socket.closed).count()
    }

    /// After the shard's end: its sockets close with it.
    pub fn leave(&mut self) {
        self.network.rests[self.side] = Rest::Gone;
        self.network.touched[self.side].clear();
        let open: Vec<usize> =
            self.sockets.iter().filter(|(_, socket)| !socket.closed).map(|(slot, _)| slot).collect();
        for slot in open {
            self.shut(SocketKey(u32::try_from(slot).expect("few sockets")), false);
        }
    }

    /// After the last shard's end: what is on its way to peers still reaches them.
    pub fn settle(&mut self) {
        while let Some(next_ns) = self.network.next_ns() {
            self.network.now_ns = self.network.now_ns.max(next_ns);
            self.network.advance(&mut *self.peers.borrow_mut());
        }
    }

    fn mark_active(&mut self, slot: u32) {
        if !self.active.contains(&slot) {
            self.active.push(slot);
        }
    }

    fn reuse(&mut self, chunk: Chunk) {
        if let Chunk::Lent(lent) = chunk {
            self.buffers.release(lent);
        }
    }

    /// Frees the keys of sockets closed in the turn before: events that name them are handled by now.
    fn free_keys(&mut self) {
        for slot in std::mem::take(&mut self.freed) {
            self.sockets.remove(slot as usize);
            self.active.retain(|&active| active != slot);
            self.network.touched[self.side].retain(|&touched| touched != slot);
        }
    }

    fn gather(&mut self, events: &mut Vec<Event>) {
        for slot in std::mem::take(&mut self.network.touched[self.side]) {
            if self.sockets.contains(slot as usize) {
                self.mark_active(slot);
            }
        }
        let accepted = self.network.accepted(self.side);
        let mut sources: Vec<Source> = accepted.into_iter().map(Source::Backlog).collect();
        let connects = self.network.connects[self.side].drain(..);
        sources.extend(connects.map(|(wire, errno)| Source::Connect(wire, errno)));
        sources.extend(std::mem::take(&mut self.active).into_iter().map(Source::Socket));
        sources.push(Source::Mailbox);
        self.network.dice.shuffle(&mut sources);
        for source in sources {
            match source {
                Source::Backlog(wire) => self.take_connection(wire, events),
                Source::Connect(wire, errno) => self.end_connect(wire, errno, events),
                Source::Socket(slot) => self.serve(slot, events),
                Source::Mailbox => self.look_into_mailbox(events),
            }
        }
    }

    fn take_connection(&mut self, wire: WireKey, events: &mut Vec<Event>) {
        let slot =
            u32::try_from(self.sockets.insert(Socket::new(wire, u32::MAX, false))).expect("few sockets");
        let state = &mut self.network.wires[wire.0 as usize];
        state.socket = Some(slot);
        state.side = Some(self.side);
        events.push(Event::Accepted { listener: 0, socket: SocketKey(slot) });
    }

    fn end_connect(&mut self, wire: WireKey, errno: i32, events: &mut Vec<Event>) {
        let Some(slot) = self.network.wires[wire.0 as usize].socket else { return };
        let socket = &mut self.sockets[slot as usize];
        socket.connecting = false;
        events.push(Event::Connected { socket: SocketKey(slot), owner: socket.owner, error: errno });
        if errno == 0 {
            self.mark_active(slot);
        }
    }

    /// Sends and receives once on a socket, in either order.
    fn serve(&mut self, slot: u32, events: &mut Vec<Event>) {
        let Some(socket) = self.sockets.get(slot as usize) else { return };
        if socket.closed || socket.connecting {
            return;
        }
        if self.network.dice.chance(self.network.faults.late_percent) {
            self.active.push(slot);
            return;
        }
        let flushes_first = self.network.dice.chance(50);
        let mut again = flushes_first && self.flush(slot, events);
        again |= self.deliver(slot, events);
        if !flushes_first {
            again |= self.flush(slot, events);
        }
        if again {
            self.mark_active(slot);
        }
    }

    /// Passes on what is queued as far as there is room. Whether there is more to do at once.
    fn flush(&mut self, slot: u32, events: &mut Vec<Event>) -> bool {
        let socket = &mut self.sockets[slot as usize];
        let (key, owner, wire) = (SocketKey(slot), socket.owner, socket.wire);
        let had = socket.unsent > 0;
        if socket.broken {
            return false;
        }
        if had {
            let state = &self.network.wires[wire.0 as usize];
            if state.arrived_end == Some(End::Reset) {
                socket.broken = true;
                socket.unsent = 0;
                for chunk in std::mem::take(&mut socket.queue) {
                    self.reuse(chunk);
                }
                events.push(Event::Failed { socket: key, owner, error: libc::EPIPE });
                return false;
            }
            let mut taken = state.room.min(socket.unsent);
            if taken > 0 && self.network.dice.chance(self.network.faults.short_send_percent) {
                taken = self.network.dice.length(taken);
            }
            self.hand_over(slot, taken);
        }
        let socket = &mut self.sockets[slot as usize];
        if socket.unsent > 0 {
            return self.network.wires[wire.0 as usize].room > 0;
        }
        if had {
            events.push(Event::Sent { socket: key, owner });
        }
        if std::mem::take(&mut socket.finish) {
            self.network.wires[wire.0 as usize].ended = true;
            self.network.outbound(wire, Parcel::End(End::Finished));
        }
        false
    }

    /// Moves the first `taken` queued bytes onto the wire.
    fn hand_over(&mut self, slot: u32, taken: usize) {
        let mut parcel = Vec::with_capacity(taken);
        while parcel.len() < taken {
            let socket = &mut self.sockets[slot as usize];
            let Some(chunk) = socket.queue.front() else { break };
            let bytes: &[u8] = match chunk {
                Chunk::Owned(bytes) => bytes,
                Chunk::Lent(lent) => self.buffers.bytes(lent),
                Chunk::Shared(bytes) => bytes,
                Chunk::Static(bytes) => bytes,
            };
            let rest = &bytes[socket.offset..];
            let count = rest.len().min(taken - parcel.len());
            parcel.extend_from_slice(&rest[..count]);
            if count < rest.len() {
                socket.offset += count;
            } else if let Some(chunk) = socket.queue.pop_front() {
                socket.offset = 0;
                self.reuse(chunk);
            }
        }
        let socket = &mut self.sockets[slot as usize];
        socket.unsent -= parcel.len();
        let wire = socket.wire;
        self.network.wires[wire.0 as usize].room -= parcel.len();
        if !parcel.is_empty() {
            self.network.outbound(wire, Parcel::Bytes(parcel));
        }
    }

    /// Reports what has arrived, or a part of it. Whether there is more.
    fn deliver(&mut self, slot: u32, events: &mut Vec<Event>) -> bool {
        let socket = &mut self.sockets[slot as usize];
        let wire = &mut self.network.wires[socket.wire.0 as usize];
        if socket.ended || (!socket.wants_receive && (socket.strays == 0 || wire.arrived.is_empty())) {
            return false;
        }
        if !socket.wants_receive {
            socket.strays -= 1;
        }
        let (key, owner) = (SocketKey(slot), socket.owner);
        if wire.arrived.is_empty() {
            let Some(end) = wire.arrived_end else { return false };
            socket.ended = true;
            events.push(match end {
                End::Finished => Event::Ended { socket: key, owner },
                End::Reset => Event::Failed { socket: key, owner, error: libc::ECONNRESET },
            });
            return false;
        }
        let Some(id) = self.buffers.take() else { return true };
        let mut count = wire.arrived.len().min(BUFFER_BYTES);
        if self.network.dice.chance(self.network.faults.split_percent) {
            count = self.network.dice.length(count);
        }
        for (place, byte) in self.buffers.whole(id).iter_mut().zip(wire.arrived.drain(..count)) {
            *place = byte;
        }
        let more = !wire.arrived.is_empty() || wire.arrived_end.is_some();
        events.push(Event::Received { socket: key, owner, lent: self.buffers.lend(id, count) });
        more
    }

    /// The wake socket is the machine's, but only the simulation itself writes to it.
    fn look_into_mailbox(&mut self, events: &mut Vec<Event>) {
        let Some((descriptor, owner)) = &self.mailbox else { return };
        let Some(id) = self.buffers.take() else { return };
        match rustix::io::read(descriptor, &mut *self.buffers.whole(id)) {
            Ok(count) if count > 0 => {
                let lent = self.buffers.lend(id, count);
                events.push(Event::Received { socket: SocketKey(WAKE), owner: *owner, lent });
            }
            _ => self.buffers.untake(id),
        }
    }

    fn shut(&mut self, key: SocketKey, reset: bool) {
        let socket = &mut self.sockets[key.0 as usize];
        assert!(!socket.closed, "a socket is closed once");
        socket.closed = true;
        socket.unsent = 0;
        let wire = socket.wire;
        for chunk in std::mem::take(&mut socket.queue) {
            self.reuse(chunk);
        }
        self.freed.push(key.0);
        let state = &mut self.network.wires[wire.0 as usize];
        state.socket = None;
        state.closed = true;
        // A kernel resets a connection that is closed with bytes unread.
        if reset || !state.arrived.is_empty() {
            self.network.outbound(wire, Parcel::End(End::Reset));
        } else if !state.ended {
            self.network.outbound(wire, Parcel::End(End::Finished));
        }
    }
}

impl Runtime for Simulated {
    fn now_ns(&self) -> u64 {
        self.now_ns
    }

    fn unix_ms(&self) -> u64 {
        ORIGIN_UNIX_MS + self.now_ns / 1_000_000
    }

    fn listen(&mut self, _listener: OwnedFd, _shared: bool) -> io::Result<u32> {
        self.network.listen(self.side);
        Ok(0)
    }

    fn stop_listening(&mut self, _left: bool) {
        self.network.stop_listening(self.side);
    }

    fn accept(&mut self, wanted: bool) {
        self.network.accept(self.side, wanted);
    }

    fn accept_failures(&self) -> u64 {
        0
    }

    fn held_bytes(&self) -> usize {
        let queued: usize = self.sockets.iter().map(|(_, socket)| socket.unsent).sum();
        self.buffers.held() * BUFFER_BYTES + queued + self.sockets.len() * size_of::<Socket>()
    }

    fn connect(&mut self, address: &Address, owner: u32) -> io::Result<SocketKey> {
        let wire = self.network.insert(Some(self.side), None);
        let reception = self.peers.borrow_mut().knock(&mut self.network, wire, address);
        match reception {
            Reception::Accepted { after_ns } => self.network.connects_after(wire, after_ns, 0),
            Reception::Refused { after_ns, errno } => self.network.connects_after(wire, after_ns, errno),
            Reception::Impossible { errno } => return Err(io::Error::from_raw_os_error(errno)),
            Reception::Silence => {}
        }
        let slot = u32::try_from(self.sockets.insert(Socket::new(wire, owner, true))).expect("few sockets");
        self.network.wires[wire.0 as usize].socket = Some(slot);
        Ok(SocketKey(slot))
    }

    fn adopt(&mut self, stream: OwnedFd, owner: u32) -> SocketKey {
        // A descriptor that can't be switched stays silent, as a closed one would.
        if rustix::io::ioctl_fionbio(&stream, true).is_ok() {
            self.mailbox = Some((stream, owner));
        }
        SocketKey(WAKE)
    }

    fn own(&mut self, socket: SocketKey, owner: u32) {
        self.sockets[socket.0 as usize].owner = owner;
    }

    fn peer(&self, socket: SocketKey) -> Option<SocketAddr> {
        self.network.origins[self.sockets[socket.0 as usize].wire.0 as usize]
    }

    fn receive(&mut self, socket: SocketKey) {
        if socket.0 != WAKE {
            self.sockets[socket.0 as usize].wants_receive = true;
            self.mark_active(socket.0);
        }
    }

    fn pause(&mut self, socket: SocketKey) {
        let stray = self.network.dice.chance(self.network.faults.stray_percent);
        let state = &mut self.sockets[socket.0 as usize];
        state.wants_receive = false;
        state.strays = u32::from(stray);
    }

    fn send(&mut self, socket: SocketKey, chunk: Chunk) {
        let state = &mut self.sockets[socket.0 as usize];
        assert!(!state.closed && !state.finish, "nothing is sent after the end");
        if chunk.is_empty() || state.broken {
            self.reuse(chunk);
            return;
        }
        state.unsent += chunk.len();
        state.queue.push_back(chunk);
        self.mark_active(socket.0);
    }

    fn unsent(&self, socket: SocketKey) -> usize {
        self.sockets[socket.0 as usize].unsent
    }

    fn undelivered(&self, socket: SocketKey) -> usize {
        self.sockets[socket.0 as usize].unsent
    }

    fn finish(&mut self, socket: SocketKey) {
        self.sockets[socket.0 as usize].finish = true;
        self.mark_active(socket.0);
    }

    fn close(&mut self, socket: SocketKey) {
        self.shut(socket, false);
    }

    fn abort(&mut self, socket: SocketKey) {
        self.shut(socket, true);
    }

    fn bytes(&self, lent: &Lent) -> &[u8] {
        self.buffers.bytes(lent)
    }

    fn bytes_mut(&mut self, lent: &Lent) -> &mut [u8] {
        self.buffers.bytes_mut(lent)
    }

    fn slice(&mut self, lent: &Lent, range: std::ops::Range<usize>) -> Lent {
        self.buffers.slice(lent, range)
    }

    fn scarce(&self) -> bool {
        self.buffers.scarce()
    }

    fn release(&mut self, lent: Lent) {
        self.buffers.release(lent);
    }

    fn take_buffer(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn give_buffer(&mut self, _buffer: Vec<u8>) {}

    fn turn(&mut self, timeout_ns: Option<u64>, events: &mut Vec<Event>) -> io::Result<()> {
        self.free_keys();
        self.network.now_ns += self.network.dice.below(TURN_NS_MAX);
        let until_ns = timeout_ns.map(|timeout_ns| self.now_ns.saturating_add(timeout_ns));
        for looks in 0.. {
            if looks > LOOKS_MAX {
                let (held, active) = (self.buffers.held(), &self.active);
                return Err(io::Error::other(format!("ready for nothing: {active:?}, {held} buffers held")));
            }
            self.network.advance(&mut *self.peers.borrow_mut());
            self.gather(events);
            if !events.is_empty() || until_ns.is_some_and(|until_ns| until_ns <= self.network.now_ns) {
                self.network.rests[self.side] = Rest::Busy;
                break;
            }
            let retry_ns = (!self.active.is_empty()).then_some(self.network.now_ns + LATE_NS);
            let own_ns = [until_ns, retry_ns].into_iter().flatten().min();
            self.network.rests[self.side] = Rest::Until(own_ns);
            let other = 1 - self.side;
            let others_ns = match self.network.rests[other] {
                // It goes first.
                Rest::Busy => break,
                Rest::Until(others_ns) => others_ns,
                Rest::Gone => None,
            };
            let next_ns = [self.network.next_ns(), own_ns, others_ns].into_iter().flatten().min();
            let Some(next_ns) = next_ns else { break };
            self.network.now_ns = self.network.now_ns.max(next_ns);
            if others_ns.is_some_and(|others_ns| others_ns <= self.network.now_ns) {
                self.network.rouse(other);
            }
        }
        self.now_ns = self.network.now_ns;
        for event in events.iter() {
            self.network.note(|| format!("shard sees {event:?}"));
        }
        Ok(())
    }

    fn name(&self) -> &'static str {
        "simulated"
    }
}
