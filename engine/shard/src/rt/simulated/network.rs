//! The simulated network: a clock that jumps from happening to happening, and the peers' side of its connections.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::dice::Dice;
use super::faults::Faults;
use super::peers::Peers;
use super::wire::{Arrival, End, Parcel, Wire, WireKey};

/// Something that will come to pass.
enum Happening {
    /// A client's connect reaches the listener.
    Opens(WireKey),
    /// A connect of the shard ends.
    Connects(WireKey, i32),
    /// Something reaches the shard's kernel.
    Inbound(WireKey, Parcel),
    /// Something reaches the peer's kernel.
    Outbound(WireKey, Parcel),
    /// A peer wants to be woken.
    Wakes(u64),
}

/// Connections, clock and chance. Peers use it; the shard sees it through its runtime.
pub struct Network {
    pub(super) now_ns: u64,
    pub(super) dice: Dice,
    pub(super) faults: Faults,
    pub(super) listening: bool,
    pub(super) wires: Vec<Wire>,
    /// Address each client says it comes from.
    pub(super) origins: Vec<Option<SocketAddr>>,
    /// Connections that wait to be accepted.
    pub(super) backlog: Vec<WireKey>,
    /// Connects that ended, with their errno.
    pub(super) connects: Vec<(WireKey, i32)>,
    /// Sockets of the shard with something new.
    pub(super) touched: Vec<u32>,
    happenings: BTreeMap<(u64, u64), Happening>,
    sequence: u64,
    /// Lines of what happened, if somebody wants them.
    log: Option<Vec<String>>,
}

impl Network {
    /// A network without connections.
    #[must_use]
    pub fn new(seed: u64, faults: Faults) -> Self {
        Network {
            now_ns: 1_000_000_000,
            dice: Dice::new(seed),
            faults,
            listening: false,
            wires: Vec::new(),
            origins: Vec::new(),
            backlog: Vec::new(),
            connects: Vec::new(),
            touched: Vec::new(),
            happenings: BTreeMap::new(),
            sequence: 0,
            log: None,
        }
    }

    /// Keeps a line for everything that happens from now on.
    pub fn keep_log(&mut self) {
        self.log = Some(Vec::new());
    }

    /// The lines kept so far.
    #[must_use]
    pub fn log(&self) -> &[String] {
        self.log.as_deref().unwrap_or_default()
    }

    /// Adds a line to the log if there is one; the line isn't made otherwise.
    pub fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            let (seconds, micros) = (self.now_ns / 1_000_000_000, self.now_ns / 1000 % 1_000_000);
            log.push(format!("{seconds:4}.{micros:06} {}", line()));
        }
    }

    /// Monotonic nanoseconds of virtual time.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// The dice of this run.
    pub fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// A client connects to the shard; what it writes follows the handshake.
    pub fn open(&mut self, origin: Option<SocketAddr>) -> WireKey {
        let wire = self.insert(None, origin);
        let due_ns = self.now_ns + self.latency_ns();
        self.wires[wire.0 as usize].inbound_ns = due_ns;
        self.plan(due_ns, Happening::Opens(wire));
        wire
    }

    /// Sends bytes to the shard. After an end they go nowhere.
    pub fn write(&mut self, wire: WireKey, bytes: &[u8]) {
        if !bytes.is_empty() && !self.wires[wire.0 as usize].peer_ended {
            self.inbound(wire, Parcel::Bytes(bytes.to_vec()));
        }
    }

    /// Finishes sending; the peer goes on reading.
    pub fn finish(&mut self, wire: WireKey) {
        if !std::mem::replace(&mut self.wires[wire.0 as usize].peer_ended, true) {
            self.inbound(wire, Parcel::End(End::Finished));
        }
    }

    /// Resets the connection.
    pub fn reset(&mut self, wire: WireKey) {
        let state = &mut self.wires[wire.0 as usize];
        state.peer_ended = true;
        state.peer_closed = true;
        state.held.clear();
        if state.held_end != Some(End::Reset) {
            self.inbound(wire, Parcel::End(End::Reset));
        }
    }

    /// Closes the peer's side: a FIN, or a reset if something was left unread; later bytes are answered with one.
    pub fn close(&mut self, wire: WireKey) {
        if self.wires[wire.0 as usize].held.is_empty() {
            self.finish(wire);
            self.wires[wire.0 as usize].peer_closed = true;
        } else {
            self.reset(wire);
        }
    }

    /// Reads at most `bytes_max` bytes as a peer, which makes room for more.
    pub fn read(&mut self, wire: WireKey, bytes_max: usize) -> Arrival {
        let state = &mut self.wires[wire.0 as usize];
        let count = state.held.len().min(bytes_max);
        if count > 0 {
            let bytes = state.held.drain(..count).collect();
            state.room += count;
            self.touch(wire);
            return Arrival::Bytes(bytes);
        }
        match state.held_end {
            Some(End::Finished) if state.held.is_empty() => Arrival::End,
            Some(End::Reset) => Arrival::Reset,
            _ => Arrival::Nothing,
        }
    }

    /// Asks for [`Peers::woken`] with `token`, `after_ns` from now.
    pub fn wake(&mut self, after_ns: u64, token: u64) {
        self.plan(self.now_ns + after_ns, Happening::Wakes(token));
    }

    /// Time of the next happening.
    pub(super) fn next_ns(&self) -> Option<u64> {
        self.happenings.keys().next().map(|&(due_ns, _)| due_ns)
    }

    /// Lets everything happen that is due.
    pub(super) fn advance(&mut self, peers: &mut dyn Peers) {
        while let Some(entry) = self.happenings.first_entry() {
            if entry.key().0 > self.now_ns {
                return;
            }
            match entry.remove() {
                Happening::Opens(wire) if self.listening => self.backlog.push(wire),
                Happening::Opens(wire) => {
                    self.wires[wire.0 as usize].closed = true;
                    self.outbound(wire, Parcel::End(End::Reset));
                }
                Happening::Connects(wire, errno) => {
                    if self.wires[wire.0 as usize].closed {
                        continue;
                    }
                    self.connects.push((wire, errno));
                    if errno == 0 {
                        peers.connected(self, wire);
                    }
                }
                Happening::Inbound(wire, parcel) => self.arrive(wire, parcel),
                Happening::Outbound(wire, parcel) => {
                    if self.reach(wire, parcel) {
                        peers.stir(self, wire);
                    }
                }
                Happening::Wakes(token) => peers.woken(self, token),
            }
        }
    }

    /// A connection of the shard to a backend that will be established, or not.
    pub(super) fn insert(&mut self, socket: Option<u32>, origin: Option<SocketAddr>) -> WireKey {
        let wire = WireKey(u32::try_from(self.wires.len()).expect("fewer than 2^32 connections"));
        let room =
            self.dice.between(self.faults.room_bytes_max as u64 / 2, self.faults.room_bytes_max as u64);
        self.wires.push(Wire { socket, room: usize::try_from(room).unwrap_or(1), ..Wire::default() });
        self.origins.push(origin);
        wire
    }

    pub(super) fn connects_after(&mut self, wire: WireKey, after_ns: u64, errno: i32) {
        self.plan(self.now_ns + after_ns, Happening::Connects(wire, errno));
    }

    /// Sends towards the peer.
    pub(super) fn outbound(&mut self, wire: WireKey, parcel: Parcel) {
        let due_ns = (self.now_ns + self.latency_ns()).max(self.wires[wire.0 as usize].outbound_ns);
        self.wires[wire.0 as usize].outbound_ns = due_ns;
        self.plan(due_ns, Happening::Outbound(wire, parcel));
    }

    /// The listener is closed: what waits to be accepted is reset.
    pub(super) fn stop_listening(&mut self) {
        self.listening = false;
        for wire in std::mem::take(&mut self.backlog) {
            self.wires[wire.0 as usize].closed = true;
            self.outbound(wire, Parcel::End(End::Reset));
        }
    }

    fn inbound(&mut self, wire: WireKey, parcel: Parcel) {
        let due_ns = (self.now_ns + self.latency_ns()).max(self.wires[wire.0 as usize].inbound_ns);
        self.wires[wire.0 as usize].inbound_ns = due_ns;
        self.plan(due_ns, Happening::Inbound(wire, parcel));
    }

    fn arrive(&mut self, wire: WireKey, parcel: Parcel) {
        let state = &mut self.wires[wire.0 as usize];
        if state.closed {
            // Bytes for a socket that is gone are answered with a reset, which may overtake what was sent before.
            if matches!(parcel, Parcel::Bytes(_)) && state.held_end != Some(End::Reset) {
                self.outbound(wire, Parcel::End(End::Reset));
            }
            return;
        }
        match parcel {
            Parcel::Bytes(bytes) => state.arrived.extend(bytes),
            Parcel::End(end) => {
                state.arrived_end = Some(end);
                if end == End::Reset && self.dice.chance(self.faults.purge_percent) {
                    self.wires[wire.0 as usize].arrived.clear();
                }
            }
        }
        self.touch(wire);
    }

    /// Whether the peer has something to look at.
    fn reach(&mut self, wire: WireKey, parcel: Parcel) -> bool {
        let state = &mut self.wires[wire.0 as usize];
        match parcel {
            Parcel::Bytes(_) if state.peer_closed => {
                self.inbound(wire, Parcel::End(End::Reset));
                return false;
            }
            Parcel::Bytes(bytes) => state.held.extend(bytes),
            Parcel::End(End::Finished) => state.held_end = state.held_end.or(Some(End::Finished)),
            Parcel::End(End::Reset) => {
                state.held_end = Some(End::Reset);
                if self.dice.chance(self.faults.purge_percent) {
                    self.wires[wire.0 as usize].held.clear();
                }
            }
        }
        !self.wires[wire.0 as usize].peer_closed
    }

    fn touch(&mut self, wire: WireKey) {
        if let Some(socket) = self.wires[wire.0 as usize].socket {
            self.touched.push(socket);
        }
    }

    fn latency_ns(&mut self) -> u64 {
        self.dice.between(1_000, self.faults.latency_ns_max)
    }

    fn plan(&mut self, due_ns: u64, happening: Happening) {
        self.sequence += 1;
        self.happenings.insert((due_ns, self.sequence), happening);
    }
}
