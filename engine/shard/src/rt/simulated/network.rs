//! The simulated network: a clock that jumps from happening to happening, and the peers' side of its connections.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use super::dice::Dice;
use super::faults::Faults;
use super::peers::Peers;
use super::wire::{Arrival, End, Parcel, Wire, WireKey};

/// Connections accepted per turn.
const ACCEPTS_MAX: usize = 64;

/// Time that a runtime is at work while connections come.
const WORK_NS: u64 = 1_000_000;

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

/// What one of two runtimes on a network is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// It isn't there.
    Gone,
    /// It has something to do, so that time doesn't pass without it.
    Busy,
    /// It waits, at most until then.
    Until(Option<u64>),
}

/// Connections, clock and chance. Peers use it; the shard sees it through its runtime.
pub struct Network {
    pub(super) now_ns: u64,
    pub(super) dice: Dice,
    pub(super) faults: Faults,
    /// Which runtimes listen; two share the listener while one takes over from the other.
    listening: [bool; 2],
    /// Which of them the kernel has woken for connections that wait; those that want none are not woken.
    woken: [bool; 2],
    paused: [bool; 2],
    /// What each of them is up to.
    pub(super) rests: [Rest; 2],
    pub(super) wires: Vec<Wire>,
    /// Address each client says it comes from.
    pub(super) origins: Vec<Option<SocketAddr>>,
    /// Connections that wait to be accepted.
    backlog: VecDeque<WireKey>,
    /// Connections accepted while their runtime stopped listening.
    late: [Vec<WireKey>; 2],
    /// Connects that ended, with their errno, by runtime.
    pub(super) connects: [Vec<(WireKey, i32)>; 2],
    /// Sockets with something new, by runtime.
    pub(super) touched: [Vec<u32>; 2],
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
            listening: [false; 2],
            woken: [false; 2],
            paused: [false; 2],
            rests: [Rest::Gone; 2],
            wires: Vec::new(),
            origins: Vec::new(),
            backlog: VecDeque::new(),
            late: [const { Vec::new() }; 2],
            connects: [const { Vec::new() }; 2],
            touched: [const { Vec::new() }; 2],
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
                Happening::Opens(wire) if self.listening != [false; 2] => self.wait_to_be_accepted(wire),
                Happening::Opens(wire) => {
                    self.wires[wire.0 as usize].closed = true;
                    self.outbound(wire, Parcel::End(End::Reset));
                }
                Happening::Connects(wire, errno) => {
                    if self.wires[wire.0 as usize].closed {
                        continue;
                    }
                    let side = self.wires[wire.0 as usize].side.unwrap_or(0);
                    self.connects[side].push((wire, errno));
                    self.rouse(side);
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
    pub(super) fn insert(&mut self, side: Option<usize>, origin: Option<SocketAddr>) -> WireKey {
        let wire = WireKey(u32::try_from(self.wires.len()).expect("fewer than 2^32 connections"));
        let room =
            self.dice.between(self.faults.room_bytes_max as u64 / 2, self.faults.room_bytes_max as u64);
        self.wires.push(Wire { side, room: usize::try_from(room).unwrap_or(1), ..Wire::default() });
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

    /// A runtime begins to accept.
    pub(super) fn listen(&mut self, side: usize) {
        self.listening[side] = true;
        self.look_at_backlog(side);
    }

    /// A runtime wants new connections, or doesn't for now. Who begins to want them looks whether some wait.
    pub(super) fn accept(&mut self, side: usize, wanted: bool) {
        self.paused[side] = !wanted;
        self.look_at_backlog(side);
    }

    fn look_at_backlog(&mut self, side: usize) {
        self.woken[side] |= self.listening[side] && !self.paused[side] && !self.backlog.is_empty();
    }

    /// A runtime closes its listener. What it may just have accepted is still reported to it; what waits is reset, unless
    /// another one listens, which isn't woken for it.
    pub(super) fn stop_listening(&mut self, side: usize) {
        self.hasten_opens();
        if self.dice.chance(50) {
            self.late[side] = self.accepted(side);
        }
        self.listening[side] = false;
        self.woken[side] = false;
        if self.listening == [false; 2] {
            for wire in std::mem::take(&mut self.backlog) {
                self.wires[wire.0 as usize].closed = true;
                self.outbound(wire, Parcel::End(End::Reset));
            }
        }
    }

    /// Connections that come while a runtime is at work: they are there before it has closed its listener.
    fn hasten_opens(&mut self) {
        let until_ns = self.now_ns + WORK_NS;
        let is_soon = |key: &(u64, u64), happening: &Happening| {
            key.0 <= until_ns && matches!(happening, Happening::Opens(_))
        };
        let soon: Vec<(u64, u64)> =
            self.happenings.iter().filter(|(key, what)| is_soon(key, what)).map(|(key, _)| *key).collect();
        for key in soon {
            if let Some(Happening::Opens(wire)) = self.happenings.remove(&key) {
                self.wait_to_be_accepted(wire);
            }
        }
    }

    /// Connections for a runtime. Of a listener that another one accepts from, too, it may get a part at a time.
    pub(super) fn accepted(&mut self, side: usize) -> Vec<WireKey> {
        let mut accepted = std::mem::take(&mut self.late[side]);
        let mut count = self.backlog.len().min(ACCEPTS_MAX);
        if self.woken[side] && !self.paused[side] && count > 0 {
            if self.listening == [true; 2] {
                count = self.dice.length(count);
            }
            accepted.extend(self.backlog.drain(..count));
            self.woken[side] = !self.backlog.is_empty();
        }
        accepted
    }

    /// Whether connections wait that somebody is to accept.
    pub(super) fn has_backlog(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// The runtime that a connection belongs to or belonged to; none before it is accepted.
    #[must_use]
    pub fn side(&self, wire: WireKey) -> Option<usize> {
        self.wires[wire.0 as usize].side
    }

    /// Time doesn't pass any more before that runtime has had its turn: something happened that concerns it.
    pub fn rouse(&mut self, side: usize) {
        if self.rests[side] != Rest::Gone {
            self.rests[side] = Rest::Busy;
        }
    }

    /// A connection waits in the kernel, which wakes one of those who listen.
    fn wait_to_be_accepted(&mut self, wire: WireKey) {
        self.backlog.push_back(wire);
        let takes = |side: usize| self.listening[side] && !self.paused[side];
        let side = match [takes(0), takes(1)] {
            [true, true] => usize::from(self.dice.chance(50)),
            [true, false] => 0,
            [false, true] => 1,
            [false, false] => return,
        };
        self.woken[side] = true;
        self.rouse(side);
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
        let state = &self.wires[wire.0 as usize];
        if let (Some(socket), Some(side)) = (state.socket, state.side) {
            self.touched[side].push(socket);
            self.rouse(side);
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
