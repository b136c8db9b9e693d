//! The life of a client connection around its requests: accept, deadlines, half-close, loss, close, drain.

use crate::client::{Client, Phase};
use crate::owner::Owner;
#[cfg(feature = "planted-defects")]
use crate::planted::{Planted, is_planted};
use crate::rt::{Runtime, SocketKey};
use crate::shard::{Draining, Shard};
use crate::slot::{AnswerPhase, NONE};
use crate::tls::Session;
use vocabulary::Refusal;

impl<R: Runtime> Shard<R> {
    /// A connection was accepted.
    pub(crate) fn accept(&mut self, listener: u32, socket: SocketKey) {
        if self.clients.len() >= self.connections_max {
            self.books.connection_refused();
            self.rt.abort(socket);
            return;
        }
        #[cfg(feature = "planted-defects")]
        if self.draining.is_some() && is_planted(Planted::LateComersDropped) {
            self.rt.abort(socket);
            return;
        }
        let peer = self.rt.peer(socket).map(|peer| peer.ip().to_canonical());
        let entrance = &self.entrances[listener as usize];
        let mut client = Client::new(socket, listener, peer, entrance.port);
        if entrance.proxy_protocol {
            client.phase = Phase::Introduction;
            if !entrance.trusted_proxies.is_empty() && !entrance.trusted_proxies.contains(client.peer) {
                self.books.proxy_protocol_failed();
                self.rt.abort(socket);
                return;
            }
        }
        if let Some(Some(terms)) = self.terms.get(listener as usize) {
            match Session::accept(terms) {
                Ok(session) => client.tls = Some(Box::new(session)),
                Err(_) => {
                    self.books.tls_failed();
                    self.rt.abort(socket);
                    return;
                }
            }
        }
        let index = u32::try_from(self.clients.insert(client)).expect("bounded");
        self.books.connection_opened();
        self.rt.own(socket, Owner::Client(index).pack());
        self.rt.receive(socket);
        self.await_first_request(index);
    }

    /// A connection that says nothing is a request that doesn't come: the header time counts from here.
    pub(crate) fn await_first_request(&mut self, index: u32) {
        let due_ns = self.rt.now_ns() + self.timeouts.header_ns.min(self.idle_client_ns());
        self.set_client_deadline(index, due_ns);
    }

    /// How long a connection may wait for its next request.
    pub(crate) fn idle_client_ns(&self) -> u64 {
        if self.draining.is_some() { self.timeouts.drain_linger_ns } else { self.timeouts.idle_client_ns }
    }

    pub(crate) fn set_client_deadline(&mut self, index: u32, due_ns: u64) {
        let client = &mut self.clients[index as usize];
        self.timers.set(Owner::Client(index).pack(), &mut client.deadline, due_ns);
    }

    /// Sets the connection's deadline from those of its exchange.
    pub(crate) fn refresh_deadline(&mut self, slot_index: u32) {
        if self.slots[slot_index].stream != 0 {
            self.refresh_stream(slot_index);
            return;
        }
        let stalled = self.is_stalled(slot_index);
        let slot = &self.slots[slot_index];
        let answer_ns = if stalled { slot.unread_due_ns } else { slot.integration_due_ns };
        let due_ns = answer_ns.min(slot.body_due_ns);
        let client = slot.client;
        self.set_client_deadline(client, due_ns);
    }

    /// Fires what is due.
    pub(crate) fn fire_timers(&mut self) {
        let now_ns = self.rt.now_ns();
        while let Some((owner, at_ns)) = self.timers.pop(now_ns) {
            match Owner::unpack(owner) {
                Owner::Client(index) => {
                    let Some(client) = self.clients.get_mut(index as usize) else { continue };
                    if self.timers.fired(owner, &mut client.deadline, at_ns, now_ns) {
                        self.guarded(Owner::Client(index), |shard| shard.client_due(index));
                    }
                }
                Owner::Upstream(index) => {
                    let Some(upstream) = self.upstreams.get_mut(index as usize) else { continue };
                    if self.timers.fired(owner, &mut upstream.deadline, at_ns, now_ns) {
                        self.guarded(Owner::Upstream(index), |shard| shard.upstream_due(index));
                    }
                }
                Owner::Mailbox | Owner::Nobody => {}
            }
        }
    }

    fn client_due(&mut self, index: u32) {
        let client = &self.clients[index as usize];
        let slot_index = client.slot;
        match client.phase {
            Phase::Introduction => self.introduction_failed(index),
            Phase::Streams => self.streams_due(index),
            Phase::Idle | Phase::Closing if self.rt.unsent(client.socket) > 0 => self.unread_due(index),
            Phase::Idle => self.part_with_client(index),
            Phase::Closing => self.close_client(index),
            Phase::Head => {
                self.clients[index as usize].phase = Phase::Exchange;
                self.books.timed_out();
                self.describe_arrival(index, slot_index);
                // The rest may still come; closing before it would turn the answer into a reset.
                self.slots[slot_index].request_done = false;
                self.refuse_and_close(slot_index, &Refusal::request_timeout());
                self.client_may_be_done(index);
            }
            Phase::Exchange => self.exchange_due(index, slot_index),
        }
    }

    /// The answer is queued and not read: the client gets more time while it reads at all.
    fn unread_due(&mut self, index: u32) {
        match self.look_at_reading(index) {
            Some(due_ns) => self.set_client_deadline(index, due_ns),
            None => {
                self.books.timed_out();
                // An answer that was not read in time must not end as if it were whole.
                self.abort_client(index);
            }
        }
    }

    /// Whether the backend waits for the client to read.
    pub(crate) fn is_stalled(&self, slot_index: u32) -> bool {
        let slot = &self.slots[slot_index];
        slot.uncredited > 0 || (slot.upstream != NONE && self.upstreams[slot.upstream as usize].paused)
    }

    fn exchange_due(&mut self, index: u32, slot_index: u32) {
        let now_ns = self.rt.now_ns();
        if self.slots[slot_index].body_due_ns <= now_ns {
            self.slots[slot_index].body_due_ns = u64::MAX;
            self.books.timed_out();
            self.fail_request(slot_index, &Refusal::request_timeout());
        } else if self.is_stalled(slot_index) {
            // The time of the backend stands still meanwhile (`resume_upstream`).
            if self.slots[slot_index].unread_due_ns <= now_ns {
                match self.look_at_reading(index) {
                    Some(due_ns) => self.slots[slot_index].unread_due_ns = due_ns,
                    None => {
                        self.books.timed_out();
                        self.abort_client(index);
                        return;
                    }
                }
            }
            self.refresh_deadline(slot_index);
        } else if self.slots[slot_index].integration_due_ns <= now_ns {
            self.call_timed_out(slot_index);
            if self.clients.get(index as usize).is_some_and(|client| client.phase == Phase::Exchange) {
                // Answered, but the request's body is still to come, and has its own time.
                self.refresh_deadline(slot_index);
            }
        } else if self.clients[index as usize].ended {
            // It finished sending long ago and has no answer yet: taken for gone.
            self.client_lost(index);
            return;
        } else {
            // What the deadline stood for is over.
            self.refresh_deadline(slot_index);
        }
        self.client_may_be_done(index);
    }

    fn upstream_due(&mut self, index: u32) {
        match self.upstreams[index as usize].phase {
            crate::upstream::Phase::Connecting | crate::upstream::Phase::Securing => self.connect_due(index),
            _ => self.close_upstream(index),
        }
    }

    /// The client finished sending.
    pub(crate) fn client_ended(&mut self, index: u32) {
        let client = &mut self.clients[index as usize];
        client.ended = true;
        match client.phase {
            Phase::Introduction => self.introduction_ended(index),
            Phase::Streams => self.client_lost(index),
            // What is left of the last answer still goes out.
            Phase::Idle => self.client_may_be_done(index),
            // A head or body that ends in the middle is no request (RFC 9112 §8).
            Phase::Head => self.client_lost(index),
            Phase::Exchange => {
                let slot_index = client.slot;
                if self.slots[slot_index].request_done {
                    let half_close_ns = self.rt.now_ns() + self.timeouts.half_close_ns;
                    let slot = &self.slots[slot_index];
                    let due_ns = half_close_ns.min(slot.integration_due_ns);
                    self.set_client_deadline(index, due_ns);
                } else if self.clients[index as usize].carry.is_empty() {
                    self.client_lost(index);
                }
            }
            Phase::Closing => {
                if client.finished || self.rt.unsent(client.socket) == 0 {
                    self.close_client(index);
                }
            }
        }
    }

    /// The client is gone: its call is cancelled, its record is left.
    pub(crate) fn client_lost(&mut self, index: u32) {
        self.lose_streams(index);
        let slot_index = self.clients[index as usize].slot;
        if slot_index != NONE {
            self.drop_upstream(slot_index);
            self.end_pipeline(slot_index);
            if self.clients[index as usize].phase == Phase::Exchange {
                self.record(slot_index);
            }
            self.slots[slot_index].linked = None;
            self.slots.give_back(slot_index);
            self.clients[index as usize].slot = NONE;
        }
        self.close_client(index);
    }

    /// Runs a pipeline to its end so that its facts reach the record; nobody reads the answer.
    pub(crate) fn end_pipeline(&mut self, slot_index: u32) {
        let slot = &mut self.slots[slot_index];
        if slot.running {
            slot.phase = AnswerPhase::Done;
            slot.door.answer(Err(Refusal::client_closed()));
            if let std::task::Poll::Ready(finished) = slot.pipeline.poll() {
                slot.exchange = Some(finished.exchange);
            }
            slot.running = false;
        }
    }

    /// Cuts an answer whose head is out: the client sees a reset, never a clean end.
    pub(crate) fn abort_client(&mut self, index: u32) {
        self.lose_streams(index);
        let slot_index = self.clients[index as usize].slot;
        if slot_index != NONE {
            self.drop_upstream(slot_index);
            self.end_pipeline(slot_index);
            // A head that is not whole is no request yet: nothing was started, so nothing is recorded.
            if self.clients[index as usize].phase == Phase::Exchange {
                self.record(slot_index);
            }
            self.slots[slot_index].linked = None;
            self.slots.give_back(slot_index);
        }
        let client = self.clients.remove(index as usize);
        self.books.connection_closed();
        self.rt.give_buffer(client.carry);
        self.rt.abort(client.socket);
    }

    /// Cuts an answer whose head is out.
    pub(crate) fn cut_answer(&mut self, slot_index: u32) {
        let slot = &self.slots[slot_index];
        if slot.stream == 0 {
            let client = slot.client;
            self.abort_client(client);
        } else {
            self.cut_stream(slot_index, codec::h2::ErrorCode::INTERNAL_ERROR);
        }
    }

    /// Everything queued for the client is with the kernel.
    pub(crate) fn client_sent(&mut self, index: u32) {
        let client = &mut self.clients[index as usize];
        if client.phase == Phase::Streams {
            self.streams_sent(index);
            return;
        }
        if client.phase == Phase::Closing {
            // More may have been queued by an event that was gathered before this one.
            if self.rt.unsent(client.socket) == 0 {
                self.end_sending(index);
            }
            return;
        }
        let slot_index = client.slot;
        if client.phase == Phase::Idle && self.rt.unsent(client.socket) == 0 {
            // What TLS says by itself is no answer: a handshake has the header time, and no peer may prolong an idle one.
            if std::mem::take(&mut client.answered) {
                let due_ns = self.rt.now_ns() + self.idle_client_ns();
                self.set_client_deadline(index, due_ns);
            }
            self.queue_client(index);
        } else if client.phase == Phase::Head {
            self.queue_client(index);
        } else if slot_index != NONE && self.slots[slot_index].upstream != NONE {
            self.resume_answer(slot_index);
        }
    }

    /// Closes a connection whose last answer is out: at once, or after the client's FIN if unread input may be there.
    fn end_sending(&mut self, index: u32) {
        let client = &mut self.clients[index as usize];
        if client.finished {
            return;
        }
        if !client.linger || client.ended {
            self.close_client(index);
            return;
        }
        client.finished = true;
        let socket = client.socket;
        let paused = std::mem::take(&mut client.paused);
        self.rt.finish(socket);
        if paused {
            self.rt.receive(socket);
        }
        let due_ns = self.rt.now_ns() + self.timeouts.linger_ns;
        self.set_client_deadline(index, due_ns);
    }

    /// A closing connection with nothing left to send has no `Sent` to wait for.
    pub(crate) fn client_may_be_done(&mut self, index: u32) {
        let Some(client) = self.clients.get(index as usize) else { return };
        if client.phase == Phase::Closing && self.rt.unsent(client.socket) == 0 {
            self.end_sending(index);
        } else if client.phase == Phase::Idle && client.ended && client.carry.is_empty() {
            self.part_with_client(index);
        }
    }

    /// Closes a client connection and forgets it.
    pub(crate) fn close_client(&mut self, index: u32) {
        let client = self.clients.remove(index as usize);
        debug_assert!(client.slot == NONE, "the exchange ends before its connection");
        self.books.connection_closed();
        self.rt.give_buffer(client.carry);
        self.rt.close(client.socket);
    }

    /// Cleans up behind a panic: the connection goes, whatever state it was in.
    pub(crate) fn bury(&mut self, owner: Owner) {
        match owner {
            Owner::Client(index) => {
                let Some(client) = self.clients.try_remove(index as usize) else { return };
                self.books.connection_closed();
                self.rt.abort(client.socket);
                let streams = client.h2.iter().flat_map(|multiplexed| &multiplexed.streams);
                let slots =
                    streams.map(|(_, slot)| *slot).chain((client.slot != NONE).then_some(client.slot));
                for slot_index in slots {
                    self.slots[slot_index].pipeline.abandon();
                    self.drop_upstream(slot_index);
                    self.slots.give_back(slot_index);
                }
            }
            Owner::Upstream(index) => {
                let Some(upstream) = self.upstreams.get(index as usize) else { return };
                let slot_index = upstream.slot;
                if upstream.h2.is_some() {
                    self.calls_failed(index, crate::connect::Failure::Network);
                } else if slot_index == NONE {
                    self.close_upstream(index);
                } else {
                    let client = self.slots[slot_index].client;
                    self.bury(Owner::Client(client));
                }
            }
            Owner::Mailbox | Owner::Nobody => {}
        }
    }

    /// Looks at the listeners as if they were new.
    pub(crate) fn look_again(&mut self) {
        #[cfg(feature = "planted-defects")]
        if is_planted(Planted::NoSecondLook) {
            return;
        }
        if self.draining.is_none() && !self.spareable.accept_paused {
            self.rt.accept(false);
            self.rt.accept(true);
        }
    }

    /// Begins to drain: no more connections; idle ones may still bring a request for a moment.
    pub(crate) fn drain(&mut self, timeout_ns: u64, left: bool) {
        if self.draining.is_some() {
            return;
        }
        let now_ns = self.rt.now_ns();
        self.draining = Some(Draining { until_ns: now_ns.saturating_add(timeout_ns), begun: true });
        self.rt.stop_listening(left);
        let idle: Vec<u32> = self
            .clients
            .iter()
            .filter(|(_, client)| matches!(client.phase, Phase::Introduction | Phase::Idle))
            .map(|(index, _)| u32::try_from(index).expect("bounded"))
            .collect();
        for index in idle {
            self.set_client_deadline(index, now_ns + self.timeouts.drain_linger_ns);
        }
        let multiplexed: Vec<u32> = self
            .clients
            .iter()
            .filter(|(_, client)| client.phase == Phase::Streams)
            .map(|(index, _)| u32::try_from(index).expect("bounded"))
            .collect();
        #[cfg(feature = "planted-defects")]
        let multiplexed = if is_planted(Planted::NoGoodbye) { Vec::new() } else { multiplexed };
        for index in multiplexed {
            self.announce_leave(index);
            self.set_client_deadline(index, now_ns + self.timeouts.drain_linger_ns);
        }
    }

    /// Whether the shard has nothing left to do.
    pub(crate) fn drained(&mut self) -> bool {
        let Some(draining) = self.draining else { return false };
        // One turn more, which may report connections accepted while listening stopped.
        if draining.begun {
            return false;
        }
        if self.clients.is_empty() {
            return true;
        }
        if self.rt.now_ns() < draining.until_ns {
            return false;
        }
        let unfinished = |client: &Client| match &client.h2 {
            Some(multiplexed) => multiplexed.streams.len(),
            None => usize::from(!matches!(client.phase, Phase::Introduction | Phase::Idle)),
        };
        self.cut = self.clients.iter().map(|(_, client)| unfinished(client)).sum();
        let late: Vec<usize> = self.clients.iter().map(|(index, _)| index).collect();
        for index in late {
            self.abort_client(u32::try_from(index).expect("bounded"));
        }
        true
    }
}
