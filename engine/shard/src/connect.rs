//! From a pipeline's call to an upstream connection: pools, connects, one retry, failures.

use codec::h1::BodyFraming;
use gateway::RequestBodyPlan;
use vocabulary::Refusal;
use vocabulary::limits::{IDLE_UPSTREAM_SURPLUS_MS, IDLE_UPSTREAMS_MAX};

use crate::door::Outgoing;
use crate::owner::Owner;
use crate::rt::{Chunk, Runtime};
use crate::shard::Shard;
use crate::slot::{AnswerPhase, NONE, RequestBody};
use crate::upstream::{Addresses, Phase};

const SURPLUS_NS: u64 = IDLE_UPSTREAM_SURPLUS_MS * 1_000_000;

/// Why a call to a backend failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nobody listens there.
    Refused,
    /// The name has no address.
    Unresolved,
    /// Its certificate is for another name.
    OtherName,
    /// Reset, cut, not HTTP, or TLS that can't be agreed on.
    Network,
    /// Too late.
    Timeout,
}

impl Failure {
    /// The gateway response of `rest-api.md` §12.7.
    fn refusal(self) -> Refusal {
        match self {
            Failure::Refused => Refusal::configuration_error("Connection refused by endpoint"),
            Failure::Unresolved => Refusal::configuration_error("Invalid endpoint address"),
            Failure::OtherName => Refusal::configuration_error(
                "Host name does not match the certificate subject provided by the peer",
            ),
            Failure::Network => Refusal::integration_failure(),
            Failure::Timeout => Refusal::integration_timeout(),
        }
    }
}

impl<R: Runtime> Shard<R> {
    /// A pipeline asks for a call to a backend.
    pub(crate) fn dispatch(&mut self, slot_index: u32, outgoing: Outgoing) {
        let now_ns = self.rt.now_ns();
        let slot = &mut self.slots[slot_index];
        slot.outgoing_head = outgoing.head;
        slot.call_method = outgoing.call.method;
        slot.integration_due_ns = now_ns + u64::from(outgoing.call.timeout_ms) * 1_000_000;
        #[cfg(feature = "planted-defects")]
        if crate::planted::is_planted(crate::planted::Planted::MissingTimeout) {
            slot.integration_due_ns = u64::MAX;
        }
        slot.pool = slot.linked.as_ref().map_or(NONE, |linked| linked.pools[outgoing.target.index()]);
        match outgoing.call.request_body {
            RequestBodyPlan::Relay => self.open_request_body(slot_index, None),
            RequestBodyPlan::Inflate(coding) => self.open_request_body(slot_index, Some(coding)),
            RequestBodyPlan::Drop => slot.request_body = RequestBody::Discard,
        }
        self.refresh_deadline(slot_index);
        self.attach(slot_index);
    }

    /// Finds or opens a connection for a slot.
    pub(crate) fn attach(&mut self, slot_index: u32) {
        let pool_index = self.slots[slot_index].pool;
        let pool = &mut self.pools[pool_index];
        if pool.multiplexes() {
            self.attach_stream(slot_index);
            return;
        }
        if let Some(index) = pool.idle.pop() {
            self.books.upstream_reused();
            let upstream = &mut self.upstreams[index as usize];
            upstream.slot = slot_index;
            upstream.phase = Phase::Head;
            upstream.heard = false;
            upstream.drained = 0;
            self.timers.set(Owner::Upstream(index).pack(), &mut upstream.deadline, u64::MAX);
            self.slots[slot_index].upstream = index;
            self.send_call(slot_index, index);
            return;
        }
        self.find_address(slot_index);
    }

    /// Opens a connection for a slot, once its target has an address.
    pub(crate) fn find_address(&mut self, slot_index: u32) {
        let pool_index = self.slots[slot_index].pool;
        let pool = &mut self.pools[pool_index];
        match &pool.addresses {
            Addresses::Known(_) => self.connect(slot_index),
            Addresses::Awaited => {
                pool.waiting.push_back(slot_index);
                self.slots[slot_index].waiting = true;
            }
            Addresses::Unknown => {
                self.ask_resolver(pool_index);
                let pool = &mut self.pools[pool_index];
                pool.waiting.push_back(slot_index);
                self.slots[slot_index].waiting = true;
            }
        }
    }

    /// Queues the request head; the body follows through `resume`.
    pub(crate) fn send_call(&mut self, slot_index: u32, index: u32) {
        let slot = &mut self.slots[slot_index];
        let mut head = self.rt.take_buffer();
        head.extend_from_slice(&slot.outgoing_head);
        let relayed = slot.request_body == RequestBody::Relay;
        crate::request::write_framing(&mut head, slot.framing, relayed, slot.inflate_request.is_some());
        if relayed && slot.request_done && slot.framing == BodyFraming::Chunked {
            // A second try of an empty body: its end went to the connection that failed.
            head.extend_from_slice(codec::h1::encode::LAST_CHUNK);
        }
        self.towards_upstream(index).send(Chunk::Owned(head));
        let slot = &self.slots[slot_index];
        if slot.stream != 0 {
            self.feed_upstream(slot_index);
        } else if relayed && !slot.request_done {
            let client = slot.client;
            let client = &mut self.clients[client as usize];
            if !client.carry.is_empty() && !client.queued {
                client.queued = true;
                let index = self.slots[slot_index].client;
                self.ready.push(index);
            }
        }
    }

    /// A connect ended.
    pub(crate) fn upstream_connected(&mut self, index: u32, error: i32) {
        let upstream = &mut self.upstreams[index as usize];
        let socket = upstream.socket;
        if error == 0 {
            let (slot_index, raced) = (upstream.slot, upstream.race != NONE);
            let secure = self.pools[upstream.pool].secure.is_some();
            let multiplexes = self.pools[upstream.pool].multiplexes();
            self.win(index);
            if !secure && !multiplexes {
                let upstream = &mut self.upstreams[index as usize];
                upstream.phase = Phase::Head;
                self.timers.set(Owner::Upstream(index).pack(), &mut upstream.deadline, u64::MAX);
                if raced {
                    self.send_call(slot_index, index);
                }
            }
            self.rt.receive(socket);
            if secure {
                self.secure_upstream(index);
            } else if multiplexes {
                self.begin_calls(index);
            }
            return;
        }
        let failure = match error {
            libc::ECONNREFUSED | libc::ENOENT | libc::EACCES => Failure::Refused,
            libc::ETIMEDOUT => Failure::Timeout,
            _ => Failure::Network,
        };
        self.connect_failed(index, failure);
    }

    /// A backend connection failed while a slot used it, or in its pool.
    pub(crate) fn upstream_failed(&mut self, index: u32, failure: Failure) {
        let upstream = &self.upstreams[index as usize];
        let (slot_index, stale) = (upstream.slot, upstream.reused && !upstream.heard);
        let (pool_index, endpoint) = (upstream.pool, upstream.endpoint);
        let hung_up = upstream.phase == Phase::Head && !upstream.reused && !upstream.heard;
        if upstream.h2.is_some() {
            self.calls_failed(index, failure);
            return;
        }
        if matches!(upstream.phase, Phase::Connecting | Phase::Securing) {
            self.connect_failed(index, failure);
            return;
        }
        if hung_up {
            self.address_failed(pool_index, endpoint);
        }
        self.close_upstream(index);
        if slot_index == NONE {
            return;
        }
        let slot = &mut self.slots[slot_index];
        slot.upstream = NONE;
        let bodiless = slot.request_done && slot.request_bytes == 0;
        if stale
            && failure == Failure::Network
            && slot.call_method.is_idempotent()
            && bodiless
            && !slot.retried
        {
            // RFC 9110 §9.2.2: the pooled connection had been closed under us; one fresh one is tried.
            slot.retried = true;
            self.books.upstream_retried();
            self.find_address(slot_index);
            return;
        }
        self.call_failed(slot_index, failure);
    }

    /// The integration's time is over. Where there was no connection by then, that is the addresses' failure.
    pub(crate) fn call_timed_out(&mut self, slot_index: u32) {
        let index = self.slots[slot_index].upstream;
        if let Some(upstream) = self.upstreams.get(index as usize)
            && matches!(upstream.phase, Phase::Connecting | Phase::Securing)
        {
            self.race_timed_out(index);
        }
        self.drop_upstream(slot_index);
        self.call_failed(slot_index, Failure::Timeout);
    }

    /// The call is over without an answer, or in the middle of one.
    pub(crate) fn call_failed(&mut self, slot_index: u32, failure: Failure) {
        let slot = &mut self.slots[slot_index];
        slot.integration_due_ns = u64::MAX;
        if slot.phase == AnswerPhase::Pending && slot.running {
            slot.door.answer(Err(failure.refusal()));
            self.poll(slot_index);
        } else if slot.phase == AnswerPhase::Relaying {
            // The head is out: what follows must not look like a clean end.
            self.cut_answer(slot_index);
        }
    }

    /// Puts a clean connection into its pool.
    pub(crate) fn pool_upstream(&mut self, index: u32) {
        let idle_max = self.idle_upstreams_max;
        let upstream = &mut self.upstreams[index as usize];
        let pool = &mut self.pools[upstream.pool];
        let surplus = pool.idle.len() >= idle_max;
        let full = idle_max == 0 || pool.idle.len() >= IDLE_UPSTREAMS_MAX;
        // One to an address that has left its set isn't used again.
        if full || self.draining.is_some() || !pool.has(upstream.endpoint) {
            self.close_upstream(index);
            return;
        }
        if std::mem::take(&mut upstream.paused) {
            // What was under way when reception was paused brought the end of the answer.
            self.rt.receive(upstream.socket);
        }
        upstream.phase = Phase::Idle;
        upstream.slot = NONE;
        upstream.reused = true;
        upstream.heard = false;
        pool.idle.push(index);
        #[cfg(feature = "planted-defects")]
        if crate::planted::is_planted(crate::planted::Planted::DoublePoolReturn) {
            pool.idle.push(index);
        }
        let idle_ns = self.timeouts.idle_upstream_ns;
        let due_ns = self.rt.now_ns() + if surplus { idle_ns.min(SURPLUS_NS) } else { idle_ns };
        self.timers.set(Owner::Upstream(index).pack(), &mut upstream.deadline, due_ns);
    }

    /// Closes a backend connection and forgets it.
    pub(crate) fn close_upstream(&mut self, index: u32) {
        let upstream = self.upstreams.remove(index as usize);
        self.abandon_race(upstream.race, index);
        self.rt.close(upstream.socket);
        self.rt.give_buffer(upstream.carry);
        if let Some(calls) = upstream.h2 {
            calls.discard(&mut self.rt);
        }
        let pool = &mut self.pools[upstream.pool];
        pool.open -= 1;
        pool.shared.retain(|&shared| shared != index);
        if upstream.phase == Phase::Idle {
            // Those whose time is over lie at the front: after a burst thousands go one by one.
            if let Some(at) = pool.idle.iter().position(|&idle| idle == index) {
                pool.idle.remove(at);
            }
        }
    }

    /// Takes the upstream connection from a slot that no longer needs it, and closes it.
    pub(crate) fn drop_upstream(&mut self, slot_index: u32) {
        let slot = &mut self.slots[slot_index];
        if slot.waiting {
            slot.waiting = false;
            let pool = slot.pool;
            self.pools[pool].waiting.retain(|&waiting| waiting != slot_index);
            self.pools[pool].queued.retain(|&waiting| waiting != slot_index);
        }
        if self.slots[slot_index].call_stream != 0 {
            self.reset_stream(slot_index);
            return;
        }
        let index = std::mem::replace(&mut self.slots[slot_index].upstream, NONE);
        if index != NONE {
            let pool = self.upstreams[index as usize].pool;
            self.close_upstream(index);
            if self.pools[pool].opening == index {
                // Others waited for the connection that was opened for this one.
                self.attach_queued(pool);
            }
        }
    }

    /// An answer that doesn't carry the backend's body leaves that to be read or cut.
    pub(crate) fn release_upstream_early(&mut self, slot_index: u32) {
        let slot = &mut self.slots[slot_index];
        let (index, request_done) = (slot.upstream, slot.request_done);
        if index == NONE {
            return;
        }
        if slot.call_stream != 0 {
            self.drop_upstream(slot_index);
            return;
        }
        slot.integration_due_ns = u64::MAX;
        let upstream = &mut self.upstreams[index as usize];
        if !request_done || !upstream.keep_alive || upstream.phase != Phase::Body {
            self.drop_upstream(slot_index);
            return;
        }
        slot.upstream = NONE;
        upstream.slot = NONE;
        upstream.phase = Phase::Drain;
        if std::mem::take(&mut upstream.paused) {
            self.rt.receive(upstream.socket);
        }
        let due_ns = self.rt.now_ns() + self.timeouts.linger_ns;
        self.timers.set(Owner::Upstream(index).pack(), &mut upstream.deadline, due_ns);
        if upstream.decoder.is_done() {
            self.pool_upstream(index);
        }
    }
}
