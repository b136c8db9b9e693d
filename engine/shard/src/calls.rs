//! Calls over HTTP/2: many slots on one connection to a backend.
//!
//! A pool whose target speaks HTTP/2 shares its connections. While the first one is being opened, further calls wait in
//! the pool. A backend that turns out to speak HTTP/1.1 only is called that way from then on.

use std::ops::Range;

use codec::h1::{BodyFraming, Progress};
use codec::h2::{self, Connection, ErrorCode, Event, OpenError};
use gateway::Inbound;
use vocabulary::Refusal;

use crate::connect::Failure;
use crate::input::Input;
use crate::multiplexed::SECOND_NS;
use crate::owner::Owner;
#[cfg(feature = "planted-defects")]
use crate::planted::{Planted, is_planted};
use crate::request::UNSENT_MAX;
use crate::rt::{Chunk, Runtime};
use crate::shard::Shard;
use crate::slot::{AnswerPhase, NONE, RequestBody, Slot};
use crate::upstream::Phase;

/// Bytes of a request that wait for a stream's window before the client is held.
const OUTBOX_MAX: usize = 64 * 1024;
/// Shared connections of one pool; further calls wait for a stream of these.
const SHARED_MAX: usize = 8;

/// The HTTP/2 side of a backend connection.
pub(crate) struct Calls {
    connection: Connection,
    /// Streams and the slots they are for, oldest first.
    streams: Vec<(u32, u32)>,
    /// Frames of this turn.
    out: Vec<u8>,
    /// In the shard's list of connections with frames to send.
    listed: bool,
    /// The backend's SETTINGS have come: it speaks HTTP/2.
    settled: bool,
    next_second_ns: u64,
}

impl Calls {
    fn slot_of(&self, stream: u32) -> Option<u32> {
        self.streams.iter().rev().find(|(known, _)| *known == stream).map(|(_, slot)| *slot)
    }

    /// Whether another call fits.
    pub(crate) fn can_open(&self) -> bool {
        self.connection.can_open()
    }

    /// Bytes that it holds.
    pub(crate) fn held_bytes(&self) -> usize {
        self.connection.held_bytes() + self.out.capacity()
    }

    /// Gives its memory back.
    pub(crate) fn discard<R: Runtime>(self, rt: &mut R) {
        rt.give_buffer(self.out);
    }

    /// Slots of its streams.
    pub(crate) fn slots(&self) -> Vec<u32> {
        self.streams.iter().map(|(_, slot)| *slot).collect()
    }
}

fn send_body(calls: &mut Calls, slot: &mut Slot, data: &[u8], end: bool) {
    let mut sent = 0;
    if slot.outbox.is_empty() && !slot.outbox_end {
        // A stream that is gone has been reported, or is about to be.
        sent = calls.connection.send_data(slot.call_stream, data, end, &mut calls.out).unwrap_or(data.len());
        if sent == data.len() {
            return;
        }
    }
    slot.outbox.extend_from_slice(&data[sent..]);
    slot.outbox_end |= end;
}

impl<R: Runtime> Shard<R> {
    /// Finds a stream for a call, or a place to wait for one.
    pub(crate) fn attach_stream(&mut self, slot_index: u32) {
        let pool_index = self.slots[slot_index].pool;
        let pool = &self.pools[pool_index];
        let free = |index: &&u32| self.upstreams[**index as usize].h2.as_deref().is_some_and(Calls::can_open);
        if let Some(&index) = pool.shared.iter().find(free) {
            self.books.upstream_reused();
            self.open_call(slot_index, index);
        } else if pool.opening == NONE && pool.shared.len() < SHARED_MAX {
            self.find_address(slot_index);
        } else {
            self.pools[pool_index].queued.push_back(slot_index);
            self.slots[slot_index].waiting = true;
        }
    }

    /// The connection that was being opened speaks HTTP/2: the calls that waited go out.
    pub(crate) fn begin_calls(&mut self, index: u32) {
        let mut connection = Connection::client(h2::Limits::backend());
        let mut out = self.rt.take_buffer();
        connection.start(&mut out);
        let next_second_ns = self.rt.now_ns() + SECOND_NS;
        let upstream = &mut self.upstreams[index as usize];
        upstream.phase = Phase::Streams;
        let first = std::mem::replace(&mut upstream.slot, NONE);
        let pool_index = upstream.pool;
        upstream.h2 = Some(Box::new(Calls {
            connection,
            streams: Vec::new(),
            out,
            listed: false,
            settled: false,
            next_second_ns,
        }));
        self.timers.set(Owner::Upstream(index).pack(), &mut upstream.deadline, u64::MAX);
        self.pools[pool_index].shared.push(index);
        self.list_calls(index);
        if first != NONE {
            self.open_call(first, index);
        }
        self.attach_queued(pool_index);
    }

    /// Nothing is being opened any more: who waited for it tries anew.
    pub(crate) fn attach_queued(&mut self, pool_index: u32) {
        self.pools[pool_index].opening = NONE;
        // Those that wait again come to the end; what one does may take another off the list.
        for _ in 0..self.pools[pool_index].queued.len() {
            let Some(slot_index) = self.pools[pool_index].queued.pop_front() else { return };
            self.slots[slot_index].waiting = false;
            self.attach(slot_index);
        }
    }

    /// Nothing could be opened: who waited for it fails alike.
    pub(crate) fn fail_queued(&mut self, pool_index: u32, failure: Failure) {
        self.pools[pool_index].opening = NONE;
        for _ in 0..self.pools[pool_index].queued.len() {
            let Some(slot_index) = self.pools[pool_index].queued.pop_front() else { return };
            self.slots[slot_index].waiting = false;
            self.call_failed(slot_index, failure);
        }
    }

    fn open_call(&mut self, slot_index: u32, index: u32) {
        let slot = &mut self.slots[slot_index];
        let mut head = self.rt.take_buffer();
        head.extend_from_slice(&slot.outgoing_head);
        let relayed = slot.request_body == RequestBody::Relay;
        crate::request::write_framing(&mut head, slot.framing, relayed, slot.inflate_request.is_some());
        let end = !relayed || slot.request_done;
        let upstream = &mut self.upstreams[index as usize];
        let scheme = if upstream.tls.is_some() { "https" } else { "http" };
        let opened = match (upstream.h2.as_deref_mut(), h2::call_of(&head)) {
            (Some(calls), Some(call)) => calls.connection.open(call, scheme, end, &mut calls.out),
            _ => Err(OpenError::Gone),
        };
        self.rt.give_buffer(head);
        match opened {
            Ok(stream) => {
                slot.upstream = index;
                slot.call_stream = stream;
                slot.heard = false;
                if let Some(calls) = upstream.h2.as_deref_mut() {
                    calls.streams.push((stream, slot_index));
                }
                self.timers.set(Owner::Upstream(index).pack(), &mut upstream.deadline, u64::MAX);
                self.list_calls(index);
                if !end {
                    self.go_on_with_body(slot_index);
                }
            }
            Err(_) => {
                slot.upstream = NONE;
                let pool = slot.pool;
                self.pools[pool].shared.retain(|&known| known != index);
                self.attach_stream(slot_index);
            }
        }
    }

    /// Has body bytes that waited for the backend sent.
    fn go_on_with_body(&mut self, slot_index: u32) {
        let slot = &mut self.slots[slot_index];
        slot.call_held = false;
        let (client_index, is_stream) = (slot.client, slot.stream != 0);
        if is_stream {
            self.feed_upstream(slot_index);
            return;
        }
        if slot.body_due_ns == u64::MAX && !slot.request_done {
            slot.body_due_ns = self.rt.now_ns() + self.timeouts.body_ns;
            self.refresh_deadline(slot_index);
        }
        let client = &mut self.clients[client_index as usize];
        if !client.carry.is_empty() && !client.queued {
            client.queued = true;
            self.ready.push(client_index);
        }
    }

    /// Whether a call's stream takes body bytes now; if not, they go on when it does.
    pub(crate) fn call_takes_body(&mut self, slot_index: u32) -> bool {
        let slot = &mut self.slots[slot_index];
        let upstream = &self.upstreams[slot.upstream as usize];
        let framed = upstream.h2.as_deref().map_or(0, |calls| calls.out.len());
        let full = slot.outbox.len() >= OUTBOX_MAX || self.rt.unsent(upstream.socket) + framed >= UNSENT_MAX;
        slot.call_held = full;
        !full
    }

    /// Queues bytes of a request's body.
    pub(crate) fn call_body(&mut self, slot_index: u32, data: &[u8], end: bool) {
        let slot = &mut self.slots[slot_index];
        let index = slot.upstream;
        if let Some(calls) = self.upstreams[index as usize].h2.as_deref_mut() {
            send_body(calls, slot, data, end);
        }
        self.list_calls(index);
    }

    /// As [`call_body`](Self::call_body), for bytes that lie in an input.
    pub(crate) fn call_run(&mut self, slot_index: u32, input: &Input, range: Range<usize>, end: bool) {
        let slot = &mut self.slots[slot_index];
        let index = slot.upstream;
        if let Some(calls) = self.upstreams[index as usize].h2.as_deref_mut() {
            send_body(calls, slot, &input.rest(&self.rt)[range], end);
        }
        self.list_calls(index);
    }

    fn list_calls(&mut self, index: u32) {
        let Some(calls) = self.upstreams[index as usize].h2.as_deref_mut() else { return };
        if !calls.listed {
            calls.listed = true;
            self.framed_calls.push(index);
        }
    }

    /// Sends the frames of a turn.
    pub(crate) fn flush_calls(&mut self) {
        let mut framed = std::mem::take(&mut self.framed_calls);
        for index in framed.drain(..) {
            let Some(upstream) = self.upstreams.get_mut(index as usize) else { continue };
            let Some(calls) = upstream.h2.as_deref_mut() else { continue };
            calls.listed = false;
            let out = std::mem::replace(&mut calls.out, self.rt.take_buffer());
            let idle = calls.streams.is_empty();
            let gone = calls.connection.takes_no_more() || !self.pools[upstream.pool].has(upstream.endpoint);
            self.towards_upstream(index).send(Chunk::Owned(out));
            if idle && gone {
                self.close_upstream(index);
            } else if idle {
                let due_ns = self.rt.now_ns() + self.timeouts.idle_upstream_ns;
                let upstream = &mut self.upstreams[index as usize];
                self.timers.set(Owner::Upstream(index).pack(), &mut upstream.deadline, due_ns);
            }
        }
        self.framed_calls = framed;
    }

    /// Reads a backend's frames.
    pub(crate) fn read_call_frames(&mut self, index: u32, mut input: Input) {
        self.list_calls(index);
        let now_ns = self.rt.now_ns();
        let socket = self.upstreams[index as usize].socket;
        while !input.is_empty() {
            let upstream =
                self.upstreams.get_mut(index as usize).filter(|upstream| upstream.socket == socket);
            let Some(calls) = upstream.and_then(|upstream| upstream.h2.as_deref_mut()) else { break };
            if calls.next_second_ns <= now_ns {
                calls.next_second_ns = now_ns + SECOND_NS;
                calls.connection.second_passed();
            }
            let step = calls.connection.receive(input.rest(&self.rt), &mut calls.out);
            match step.event {
                Some(Event::Data { stream, range, end_stream }) => {
                    self.call_data(index, stream, &input, range, end_stream);
                }
                Some(event) => self.on_call_event(index, event),
                None => {}
            }
            input.advance(step.consumed);
        }
        input.discard(&mut self.rt);
    }

    fn call_slot(&self, index: u32, stream: u32) -> Option<u32> {
        self.upstreams.get(index as usize)?.h2.as_deref()?.slot_of(stream)
    }

    fn call_slots(&self, index: u32) -> Vec<u32> {
        let calls = self.upstreams.get(index as usize).and_then(|upstream| upstream.h2.as_deref());
        calls.map_or(Vec::new(), Calls::slots)
    }

    /// Whether a slot still has its call here: each may be gone by what was done to the one before.
    fn is_call_on(&self, slot_index: u32, index: u32) -> bool {
        self.slots.contains(slot_index)
            && self.slots[slot_index].upstream == index
            && self.slots[slot_index].call_stream != 0
    }

    fn on_call_event(&mut self, index: u32, event: Event) {
        match event {
            Event::ResponseHead { stream, end_stream } => {
                if let Some(slot_index) = self.call_slot(index, stream) {
                    self.call_answered(index, slot_index, end_stream);
                }
            }
            Event::Trailers { stream } => {
                let nothing = Input::carry(Vec::new());
                self.call_data(index, stream, &nothing, 0..0, true);
            }
            Event::HeadTooLarge { stream, .. } => {
                if let Some(slot_index) = self.call_slot(index, stream) {
                    self.drop_upstream(slot_index);
                    self.call_failed(slot_index, Failure::Network);
                }
            }
            Event::Reset { stream, code, .. } => {
                if let Some(slot_index) = self.call_slot(index, stream) {
                    self.leave_stream(slot_index);
                    self.call_broken(slot_index, code == ErrorCode::REFUSED_STREAM, Failure::Network);
                }
            }
            Event::SendWindow { stream: Some(stream) } => {
                if let Some(slot_index) = self.call_slot(index, stream) {
                    self.pump_call(slot_index);
                }
            }
            Event::SettingsReceived | Event::SendWindow { stream: None } => {
                if let Some(calls) = self.upstreams[index as usize].h2.as_deref_mut() {
                    calls.settled |= event == Event::SettingsReceived;
                    self.address_answered(index);
                }
                for slot_index in self.call_slots(index) {
                    if self.is_call_on(slot_index, index) {
                        self.pump_call(slot_index);
                    }
                }
            }
            Event::GoAway { last, .. } => {
                #[cfg(feature = "planted-defects")]
                let last = if is_planted(Planted::GoodbyeOverheard) { u32::MAX } else { last };
                let upstream = &self.upstreams[index as usize];
                let pool = upstream.pool;
                self.pools[pool].shared.retain(|&known| known != index);
                for slot_index in self.call_slots(index) {
                    if self.is_call_on(slot_index, index) && self.slots[slot_index].call_stream > last {
                        // Never looked at: it can be asked again elsewhere (RFC 9113 section 6.8).
                        self.leave_stream(slot_index);
                        self.call_broken(slot_index, true, Failure::Network);
                    }
                }
            }
            Event::ConnectionError { .. } => self.calls_failed(index, Failure::Network),
            Event::Data { .. }
            | Event::InformationalHead { .. }
            | Event::PingAnswered { .. }
            | Event::RequestHead { .. }
            | Event::Rejected { .. } => {}
        }
    }

    /// A final response head is there.
    fn call_answered(&mut self, index: u32, slot_index: u32, end: bool) {
        let Some(calls) = self.upstreams[index as usize].h2.as_deref() else { return };
        let mut head = self.spare_heads.take().unwrap_or_default();
        let parsed = head.parse(calls.connection.head(), &self.response_limits);
        if !matches!(parsed, Ok(Progress::Complete { .. })) {
            self.drop_upstream(slot_index);
            self.call_failed(slot_index, Failure::Network);
            return;
        }
        let slot = &mut self.slots[slot_index];
        slot.heard = true;
        let declared = head.content_length();
        slot.call_framing = match head.body(slot.call_method) {
            BodyFraming::None => BodyFraming::None,
            _ if end => BodyFraming::Length(0),
            BodyFraming::Length(length) => BodyFraming::Length(length),
            _ => BodyFraming::Chunked,
        };
        slot.upstream_length = declared;
        let stream = slot.call_stream;
        if declared.is_some_and(|length| length > self.limits.payload_bytes)
            && slot.call_method != vocabulary::Method::Head
        {
            self.drop_upstream(slot_index);
            let refusal = Refusal::configuration_error("The backend's response is over the payload limit");
            self.slots[slot_index].door.answer(Err(refusal));
            self.poll(slot_index);
            return;
        }
        slot.door.answer(Ok(Inbound { head }));
        self.poll(slot_index);
        if end && self.call_slot(index, stream) == Some(slot_index) {
            let nothing = Input::carry(Vec::new());
            self.call_data(index, stream, &nothing, 0..0, true);
        }
    }

    /// A piece of an answer's body.
    fn call_data(&mut self, index: u32, stream: u32, input: &Input, range: Range<usize>, end: bool) {
        let length = range.len();
        let Some(slot_index) = self.call_slot(index, stream) else {
            self.call_consumed(index, stream, length);
            return;
        };
        let mut out = std::mem::take(&mut self.slots[slot_index].out);
        if self.forward(slot_index, &mut out, input, range, end).is_err() {
            self.rt.give_buffer(out);
            self.call_consumed(index, stream, length);
            self.drop_upstream(slot_index);
            self.call_failed(slot_index, Failure::Network);
            return;
        }
        self.queue_answer(slot_index, out, end);
        if end {
            self.call_consumed(index, stream, length);
            self.end_call(slot_index);
        } else if self.answer_piles_up(slot_index) {
            let begins = self.slots[slot_index].uncredited == 0;
            self.slots[slot_index].uncredited += length;
            if begins && length > 0 {
                self.begin_stall(slot_index);
            }
        } else {
            self.call_consumed(index, stream, length);
        }
    }

    fn call_consumed(&mut self, index: u32, stream: u32, bytes: usize) {
        #[cfg(feature = "planted-defects")]
        if is_planted(Planted::BackendCreditKept) {
            return;
        }
        let Some(upstream) = self.upstreams.get_mut(index as usize) else { return };
        if let Some(calls) = upstream.h2.as_deref_mut() {
            calls.connection.consumed(stream, bytes, &mut calls.out);
            self.list_calls(index);
        }
    }

    /// The client has read: the backend may send on.
    pub(crate) fn credit_call(&mut self, slot_index: u32) {
        let slot = &mut self.slots[slot_index];
        let bytes = std::mem::take(&mut slot.uncredited);
        if bytes == 0 {
            return;
        }
        // The time during which the client didn't read is not the backend's.
        let stalled_ns = self.rt.now_ns().saturating_sub(slot.stalled_at_ns);
        slot.integration_due_ns = slot.integration_due_ns.saturating_add(stalled_ns);
        let (index, stream) = (slot.upstream, slot.call_stream);
        self.refresh_deadline(slot_index);
        self.call_consumed(index, stream, bytes);
    }

    /// A window has opened, or the connection's queue is empty: what waited goes out, and the client goes on.
    fn pump_call(&mut self, slot_index: u32) {
        let slot = &mut self.slots[slot_index];
        let index = slot.upstream;
        if !slot.outbox.is_empty() || slot.outbox_end {
            let mut outbox = std::mem::take(&mut slot.outbox);
            let end = std::mem::take(&mut slot.outbox_end);
            #[cfg(feature = "planted-defects")]
            if is_planted(Planted::OutboxForgotten) {
                outbox.clear();
            }
            if let Some(calls) = self.upstreams[index as usize].h2.as_deref_mut() {
                let sent = calls.connection.send_data(slot.call_stream, &outbox, end, &mut calls.out);
                let sent = sent.unwrap_or(outbox.len());
                slot.outbox_end = end && sent < outbox.len();
                outbox.drain(..sent);
            }
            slot.outbox = outbox;
            self.list_calls(index);
        }
        if self.slots[slot_index].call_held && self.call_takes_body(slot_index) {
            self.go_on_with_body(slot_index);
        }
    }

    /// Everything queued for a backend is with the kernel.
    pub(crate) fn calls_sent(&mut self, index: u32) {
        // Every send ends here: the list's memory is kept.
        let mut slots = std::mem::take(&mut self.scratch);
        slots.clear();
        let calls = self.upstreams.get(index as usize).and_then(|upstream| upstream.h2.as_deref());
        slots.extend(calls.into_iter().flat_map(|calls| &calls.streams).map(|(_, slot)| *slot));
        for &slot_index in &slots {
            if self.is_call_on(slot_index, index) {
                self.pump_call(slot_index);
            }
        }
        self.scratch = slots;
    }

    /// The whole answer is queued for the client.
    fn end_call(&mut self, slot_index: u32) {
        let slot = &mut self.slots[slot_index];
        slot.phase = AnswerPhase::Done;
        slot.integration_due_ns = u64::MAX;
        let (client, request_done, is_stream) = (slot.client, slot.request_done, slot.stream != 0);
        if !request_done {
            // The backend answered early; the rest of the body has nowhere to go.
            slot.request_body = RequestBody::Discard;
            slot.body_due_ns = self.rt.now_ns() + self.timeouts.body_ns;
        }
        self.reset_stream(slot_index);
        self.finish_if_done(slot_index);
        if !request_done && !is_stream && self.clients.contains(client as usize) {
            self.resume(client);
        }
    }

    /// Takes a slot off its stream; a stream that hasn't ended is cancelled.
    pub(crate) fn reset_stream(&mut self, slot_index: u32) {
        let slot = &self.slots[slot_index];
        let (index, stream) = (slot.upstream, slot.call_stream);
        self.leave_stream(slot_index);
        if let Some(calls) = self.upstreams[index as usize].h2.as_deref_mut() {
            calls.connection.reset(stream, ErrorCode::CANCEL, &mut calls.out);
        }
        self.list_calls(index);
        let pool = self.upstreams[index as usize].pool;
        // A stream is free.
        while let Some(waiting) = self.pools[pool].queued.pop_front() {
            self.slots[waiting].waiting = false;
            self.attach(waiting);
            if self.slots[waiting].waiting {
                break;
            }
        }
    }

    fn leave_stream(&mut self, slot_index: u32) {
        let slot = &mut self.slots[slot_index];
        let index = std::mem::replace(&mut slot.upstream, NONE);
        let stream = std::mem::take(&mut slot.call_stream);
        let uncredited = std::mem::take(&mut slot.uncredited);
        slot.call_held = false;
        slot.outbox.clear();
        slot.outbox_end = false;
        if let Some(calls) =
            self.upstreams.get_mut(index as usize).and_then(|upstream| upstream.h2.as_deref_mut())
        {
            calls.streams.retain(|(known, _)| *known != stream);
            calls.connection.consumed(stream, uncredited, &mut calls.out);
        }
    }

    /// A call has lost its stream: it is made once more if the backend can't have acted upon it.
    fn call_broken(&mut self, slot_index: u32, untouched: bool, failure: Failure) {
        let slot = &mut self.slots[slot_index];
        let whole = slot.request_bytes == 0;
        #[cfg(feature = "planted-defects")]
        let (whole, untouched) =
            if is_planted(Planted::CallRepeated) { (true, true) } else { (whole, untouched) };
        let harmless = untouched || (!slot.heard && slot.request_done && slot.call_method.is_idempotent());
        if whole && harmless && !slot.retried && slot.phase == AnswerPhase::Pending {
            slot.retried = true;
            self.books.upstream_retried();
            self.attach(slot_index);
            return;
        }
        self.call_failed(slot_index, failure);
    }

    /// A shared connection is lost, with every call on it.
    pub(crate) fn calls_failed(&mut self, index: u32, failure: Failure) {
        let slots = self.call_slots(index);
        let upstream = &self.upstreams[index as usize];
        let settled = upstream.h2.as_deref().is_some_and(|calls| calls.settled);
        // A connection that only ends says nothing: whoever is being restarted does that, too.
        let is_http1 = upstream.h2.as_deref().is_some_and(|calls| calls.connection.answered_in_text());
        let (pool, endpoint) = (upstream.pool, upstream.endpoint);
        for &slot_index in &slots {
            self.leave_stream(slot_index);
        }
        self.close_upstream(index);
        if !settled {
            // It has never spoken HTTP/2.
            self.address_failed(pool, endpoint);
            self.pools[pool].http1_only |= is_http1;
        }
        for slot_index in slots {
            // Taken off above, so a slot that has a call again was given to another request meanwhile.
            if self.slots.contains(slot_index) && self.slots[slot_index].upstream == NONE {
                self.call_broken(slot_index, is_http1, failure);
            }
        }
    }
}
