//! Acts on the overload ladder: weighs what the shard holds, closes what can be spared, refuses what can't be taken.
//!
//! Feature: Overload
//!
//! Requests in flight and what sockets hold are counted as they change. What waits inside connections and requests
//! (bodies, frames, field tables) changes in too many places for that: it is weighed in rounds, a bounded part each.

use std::collections::BinaryHeap;

use codec::h2::ErrorCode;

use crate::client::{Client, Phase};
use crate::overload::{GO_AWAYS_MAX, IDLE_CLOSED_MAX, IDLE_NS_MIN, ROUND_NS, Step, WEIGHED_MAX};
use crate::rt::Runtime;
use crate::shard::Shard;
use crate::spare::LOOK_NS;
use crate::upstream::Upstream;
use vocabulary::Refusal;

/// Between two lists of what can be spared: making one looks at every connection.
const LIST_NS: u64 = 100_000_000;
/// Connections on such a list, of either kind.
const LISTED_MAX: usize = 1024;

/// What waits inside connections and requests, as far as the walk over them has come.
#[derive(Debug, Default)]
pub(crate) struct Scales {
    /// Where the walk is: clients first, then requests, then backends.
    at: usize,
    sum: usize,
    /// What the last whole walk found.
    total: usize,
    /// Something happened since the walk began, and since it last ended.
    stirred: bool,
    unsettled: bool,
}

/// What can be spared, oldest last.
#[derive(Debug, Default)]
pub(crate) struct Spareable {
    /// Idle connections and since when they are.
    idle: Vec<(u64, u32)>,
    multiplexed: Vec<u32>,
    list_at_ns: u64,
    /// New connections are left to wait.
    pub(crate) accept_paused: bool,
    accept_failures: u64,
}

impl<R: Runtime> Shard<R> {
    /// The end of a turn: finds the step for what is held now, and does what it asks for.
    pub(crate) fn look_at_load(&mut self, stirred: bool) {
        self.scales.stirred |= stirred;
        self.scales.unsettled |= stirred;
        let now_ns = self.rt.now_ns();
        let begins_round = self.overload.begins_round(now_ns);
        if begins_round {
            self.weigh();
        }
        let (in_flight, bytes) = (self.books.in_flight(), self.held_bytes());
        let changed = self.overload.judge(in_flight, bytes);
        if changed {
            self.accept_or_wait();
        }
        if changed || begins_round {
            self.note_load(in_flight, bytes);
        }
        if begins_round && self.overload.sheds_keep_alives() && self.draining.is_none() {
            self.shed(now_ns);
        }
    }

    /// How long the next turn may wait at most, so that what is held is known when nothing more happens, and a step is
    /// left by itself.
    pub(crate) fn load_timeout_ns(&self) -> Option<u64> {
        match self.overload.step() {
            Step::Normal => self.scales.unsettled.then_some(LOOK_NS),
            _ => Some(ROUND_NS),
        }
    }

    /// Bytes that connections and messages hold.
    pub(crate) fn held_bytes(&self) -> u64 {
        let held = self.rt.held_bytes()
            + self.scales.total
            + self.clients.len() * size_of::<Client>()
            + self.upstreams.len() * size_of::<Upstream>()
            + self.slots.held_bytes();
        held as u64
    }

    /// Weighs a bounded number of connections and requests.
    fn weigh(&mut self) {
        let clients = self.clients.capacity();
        let slots = clients + self.slots.places();
        let upstreams = slots + self.upstreams.capacity();
        for _ in 0..WEIGHED_MAX {
            let at = self.scales.at;
            let bytes = if at < clients {
                self.clients.get(at).map_or(0, Client::held_bytes)
            } else if at < slots {
                self.slots.get(at - clients).map_or(0, crate::slot::Slot::held_bytes)
            } else if at < upstreams {
                self.upstreams.get(at - slots).map_or(0, Upstream::held_bytes)
            } else {
                let scales = &mut self.scales;
                let stirred = std::mem::take(&mut scales.stirred);
                *scales = Scales { total: scales.sum, unsettled: stirred, ..Scales::default() };
                return;
            };
            self.scales.sum += bytes;
            self.scales.at += 1;
        }
    }

    fn note_load(&mut self, in_flight: u64, bytes: u64) {
        let pressure = self.overload.pressure(in_flight, bytes);
        self.books.load(self.overload.step() as u64, pressure, bytes);
        let failures = self.rt.accept_failures();
        let known = std::mem::replace(&mut self.spareable.accept_failures, failures);
        self.books.accepts_failed(failures - known);
    }

    fn accept_or_wait(&mut self) {
        let pause = self.overload.step() >= Step::Intake;
        if pause != self.spareable.accept_paused && self.draining.is_none() {
            self.spareable.accept_paused = pause;
            self.rt.accept(!pause);
            if pause {
                self.books.accept_paused();
            }
        }
    }

    /// Closes idle connections, oldest first, and tells those of HTTP/2 to go; a bounded number.
    fn shed(&mut self, now_ns: u64) {
        let listed = self.spareable.idle.len() + self.spareable.multiplexed.len();
        if listed == 0 && now_ns >= self.spareable.list_at_ns {
            self.spareable.list_at_ns = now_ns + LIST_NS;
            self.list_spareable(now_ns);
        }
        for _ in 0..IDLE_CLOSED_MAX {
            let Some((since_ns, index)) = self.spareable.idle.pop() else { break };
            // It may have brought a request since, or gone and left its place to another.
            let client = self.clients.get(index as usize);
            if client.is_some_and(|client| self.idle_since_ns(client) == Some(since_ns)) {
                self.books.idle_closed();
                self.part_with_client(index);
            }
        }
        for _ in 0..GO_AWAYS_MAX {
            let Some(index) = self.spareable.multiplexed.pop() else { break };
            if self.clients.get(index as usize).is_some_and(Client::may_be_told_to_go) {
                self.books.keep_alive_shed();
                self.announce_leave(index);
                self.set_client_deadline(index, now_ns + self.timeouts.drain_linger_ns);
            }
        }
    }

    fn list_spareable(&mut self, now_ns: u64) {
        let mut oldest = BinaryHeap::with_capacity(LISTED_MAX + 1);
        let mut multiplexed = std::mem::take(&mut self.spareable.multiplexed);
        for (index, client) in &self.clients {
            let index = u32::try_from(index).expect("bounded");
            if let Some(since_ns) = self.idle_since_ns(client) {
                if since_ns + IDLE_NS_MIN <= now_ns {
                    oldest.push((since_ns, index));
                }
                if oldest.len() > LISTED_MAX {
                    oldest.pop();
                }
            } else if client.may_be_told_to_go() && multiplexed.len() < LISTED_MAX {
                multiplexed.push(index);
            }
        }
        self.spareable.idle = oldest.into_sorted_vec();
        self.spareable.idle.reverse();
        self.spareable.multiplexed = multiplexed;
    }

    /// Since when a connection waits for its next request; nothing if it doesn't, or has yet to take an answer.
    fn idle_since_ns(&self, client: &Client) -> Option<u64> {
        let waits = client.phase == Phase::Idle && client.carry.is_empty() && !client.answered;
        let time_ns = match client.fresh {
            true => self.timeouts.header_ns.min(self.idle_client_ns()),
            false => self.idle_client_ns(),
        };
        waits.then(|| client.deadline.due_ns().saturating_sub(time_ns))
    }

    /// Refuses a stream, so that the client may ask again, here or elsewhere (RFC 9113 section 8.7).
    pub(crate) fn refuse_new_stream(&mut self, index: u32, stream: u32) {
        self.books.stream_refused();
        if let Some(multiplexed) = self.clients[index as usize].h2.as_deref_mut() {
            multiplexed.connection.reset(stream, ErrorCode::REFUSED_STREAM, &mut multiplexed.out);
        }
    }

    /// Answers a request before anything is done for it, and closes its connection.
    pub(crate) fn turn_away(&mut self, slot_index: u32) {
        self.books.request_refused();
        let slot = &mut self.slots[slot_index];
        slot.keep_alive = false;
        let Some(exchange) = slot.exchange.as_mut() else { return };
        let answer = gateway::turn_away(&self.linked.node, exchange, &Refusal::overloaded());
        self.answer(slot_index, answer);
    }
}
