//! From a backend's bytes to the client: response heads, bodies, backpressure.

use codec::h1::{BodyDecoder, BodyFraming, Progress};
use gateway::Inbound;
use vocabulary::Refusal;

use crate::connect::Failure;
use crate::input::Input;
use crate::relay::{Run, relay_run};
use crate::request::UNSENT_MAX;
use crate::rt::{Chunk, Lent, Runtime};
use crate::shard::Shard;
use crate::slot::{AnswerFraming, AnswerPhase, NONE, RequestBody};
use crate::upstream::Phase;

/// A body this long is read to its end when nobody wants it, to save the connection.
const DRAIN_RESPONSE_BYTES_MAX: usize = 64 * 1024;

/// An answer that can't be passed on to its end: over the limit, or its coding is broken.
#[derive(Debug)]
pub(crate) struct BrokenAnswer;

impl<R: Runtime> Shard<R> {
    /// Bytes of a backend arrived.
    pub(crate) fn upstream_received(&mut self, index: u32, lent: Lent) {
        let upstream = &mut self.upstreams[index as usize];
        if upstream.tls.is_some() {
            self.upstream_records_received(index, lent);
            return;
        }
        upstream.heard = true;
        let input = if upstream.carry.is_empty() {
            Input::lent(lent)
        } else {
            upstream.carry.extend_from_slice(self.rt.bytes(&lent));
            let carry = std::mem::take(&mut upstream.carry);
            self.rt.release(lent);
            Input::carry(carry)
        };
        self.upstream_feed(index, input);
    }

    /// Bytes of a backend were decrypted.
    pub(crate) fn upstream_plain(&mut self, index: u32, plain: Vec<u8>) {
        let upstream = &mut self.upstreams[index as usize];
        upstream.heard = true;
        let input = if upstream.carry.is_empty() {
            plain
        } else {
            upstream.carry.extend_from_slice(&plain);
            self.rt.give_buffer(plain);
            std::mem::take(&mut upstream.carry)
        };
        self.upstream_feed(index, Input::carry(input));
    }

    /// The client has read what was queued for it: its backend goes on.
    pub(crate) fn resume_answer(&mut self, slot_index: u32) {
        let slot = &self.slots[slot_index];
        if slot.call_stream != 0 {
            self.credit_call(slot_index);
        } else {
            let upstream = slot.upstream;
            self.resume_upstream(upstream);
        }
    }

    /// Goes on with what a paused backend had sent.
    pub(crate) fn resume_upstream(&mut self, index: u32) {
        let Some(upstream) = self.upstreams.get_mut(index as usize) else { return };
        if !upstream.paused {
            return;
        }
        upstream.paused = false;
        let (socket, slot_index) = (upstream.socket, upstream.slot);
        let carry = std::mem::take(&mut upstream.carry);
        self.rt.receive(socket);
        if slot_index != NONE {
            // The time during which the client didn't read is not the backend's.
            let now_ns = self.rt.now_ns();
            let slot = &mut self.slots[slot_index];
            let stalled_ns = now_ns.saturating_sub(slot.stalled_at_ns);
            slot.integration_due_ns = slot.integration_due_ns.saturating_add(stalled_ns);
            self.refresh_deadline(slot_index);
        }
        self.upstream_feed(index, Input::carry(carry));
    }

    fn upstream_feed(&mut self, index: u32, input: Input) {
        match self.upstreams[index as usize].phase {
            Phase::Head => self.read_response_head(index, input),
            Phase::Body => self.relay_answer(index, input),
            Phase::Drain => self.drain_response(index, input),
            Phase::Streams => self.read_call_frames(index, input),
            Phase::Idle | Phase::Connecting | Phase::Securing => {
                // Bytes without a request: the connection can't be trusted with the next one.
                input.discard(&mut self.rt);
                if self.upstreams[index as usize].phase == Phase::Idle && self.upstreams[index as usize].heard
                {
                    self.close_upstream(index);
                }
            }
        }
    }

    fn read_response_head(&mut self, index: u32, mut input: Input) {
        let upstream = &mut self.upstreams[index as usize];
        let slot_index = upstream.slot;
        let method = self.slots[slot_index].call_method;
        let head = upstream.head.get_or_insert_with(|| self.spare_heads.take().unwrap_or_default());
        loop {
            match head.parse(input.rest(&self.rt), &self.response_limits) {
                Ok(Progress::Partial) => {
                    let carry = input.into_carry(&mut self.rt);
                    self.upstreams[index as usize].carry = carry;
                    return;
                }
                Ok(Progress::Complete { consumed }) => input.advance(consumed),
                Err(_) => {
                    input.discard(&mut self.rt);
                    self.upstream_failed(index, Failure::Network);
                    return;
                }
            }
            match head.status() {
                // We never ask for an upgrade, so a switch of protocols answers nothing we said.
                101 => {
                    input.discard(&mut self.rt);
                    self.upstream_failed(index, Failure::Network);
                    return;
                }
                100..200 => head.clear(),
                _ => break,
            }
        }
        let framing = head.body(method);
        let declared = head.content_length();
        upstream.framing = framing;
        upstream.decoder = BodyDecoder::new(framing);
        upstream.keep_alive = head.keep_alive() && framing != BodyFraming::UntilClose;
        upstream.phase = Phase::Body;
        let Some(head) = upstream.head.take() else { return };
        self.inbound(index, slot_index, head, declared, input);
    }

    /// A final response head is there: the pipeline goes on, then the body follows.
    fn inbound(
        &mut self,
        index: u32,
        slot_index: u32,
        head: Box<codec::h1::ResponseHead>,
        declared: Option<u64>,
        input: Input,
    ) {
        self.address_answered(index);
        let slot = &mut self.slots[slot_index];
        slot.upstream_length = declared;
        if declared.is_some_and(|length| length > self.limits.payload_bytes)
            && slot.call_method != vocabulary::Method::Head
        {
            input.discard(&mut self.rt);
            self.drop_upstream(slot_index);
            let refusal = Refusal::configuration_error("The backend's response is over the payload limit");
            self.slots[slot_index].door.answer(Err(refusal));
            self.poll(slot_index);
            return;
        }
        slot.door.answer(Ok(Inbound { head }));
        self.poll(slot_index);
        match self.upstreams.get(index as usize).map(|upstream| upstream.phase) {
            Some(Phase::Body) => self.relay_answer(index, input),
            Some(Phase::Drain) => self.drain_response(index, input),
            _ => input.discard(&mut self.rt),
        }
    }

    /// Passes body bytes on, as they come.
    fn relay_answer(&mut self, index: u32, mut input: Input) {
        let slot_index = self.upstreams[index as usize].slot;
        let mut out = std::mem::take(&mut self.slots[slot_index].out);
        let Ok(done) = self.relay_runs(index, &mut input, &mut out) else {
            self.rt.give_buffer(out);
            input.discard(&mut self.rt);
            self.upstream_failed(index, Failure::Network);
            return;
        };
        self.queue_answer(slot_index, out, done);
        if done {
            self.end_answer(index, slot_index, input);
            return;
        }
        let carry = input.into_carry(&mut self.rt);
        self.upstreams[index as usize].carry = carry;
        if self.answer_piles_up(slot_index) && !self.upstreams[index as usize].paused {
            let upstream = &mut self.upstreams[index as usize];
            upstream.paused = true;
            let socket = upstream.socket;
            self.rt.pause(socket);
            self.begin_stall(slot_index);
        }
    }

    /// Decodes and forwards what has arrived of a body; true at its end.
    fn relay_runs(&mut self, index: u32, input: &mut Input, out: &mut Vec<u8>) -> Result<bool, BrokenAnswer> {
        let slot_index = self.upstreams[index as usize].slot;
        loop {
            let upstream = &mut self.upstreams[index as usize];
            let decoded = upstream.decoder.next(input.rest(&self.rt)).map_err(|_| BrokenAnswer)?;
            self.forward(slot_index, out, input, decoded.data, decoded.done)?;
            input.advance(decoded.consumed);
            if decoded.done {
                return Ok(true);
            }
            if decoded.consumed == 0 || input.is_empty() {
                return Ok(false);
            }
        }
    }

    /// Queues what was framed of an answer, and its end.
    pub(crate) fn queue_answer(&mut self, slot_index: u32, mut out: Vec<u8>, done: bool) {
        let slot = &self.slots[slot_index];
        if slot.stream != 0 {
            self.rt.give_buffer(out);
            if done && slot.inflate_answer.is_some() {
                self.stream_body(slot_index, b"", true);
            }
            return;
        }
        if done && slot.answer_framing == AnswerFraming::Chunked {
            out.extend_from_slice(codec::h1::encode::LAST_CHUNK);
        }
        let client = slot.client;
        self.towards_client(client).send(Chunk::Owned(out));
    }

    /// Whether a client takes its answer too slowly for its backend to go on.
    pub(crate) fn answer_piles_up(&self, slot_index: u32) -> bool {
        let slot = &self.slots[slot_index];
        if slot.stream != 0 {
            return self.piles_up(slot_index);
        }
        self.rt.unsent(self.clients[slot.client as usize].socket) >= UNSENT_MAX
    }

    /// A backend begins to wait for the client.
    pub(crate) fn begin_stall(&mut self, slot_index: u32) {
        let slot = &self.slots[slot_index];
        if slot.stream == 0 {
            let client = slot.client;
            self.slots[slot_index].unread_due_ns = self.watch_reading(client);
        }
        self.slots[slot_index].stalled_at_ns = self.rt.now_ns();
        self.refresh_deadline(slot_index);
    }

    /// Frames one run of body bytes: small ones join `out`, large ones follow it without a copy.
    pub(crate) fn forward(
        &mut self,
        slot_index: u32,
        out: &mut Vec<u8>,
        input: &Input,
        data: std::ops::Range<usize>,
        done: bool,
    ) -> Result<(), BrokenAnswer> {
        let slot = &mut self.slots[slot_index];
        if slot.answer_bytes + data.len() as u64 > self.limits.payload_bytes {
            return Err(BrokenAnswer);
        }
        let ends_stream = done && slot.stream != 0;
        let ends_coding = done && slot.inflate_answer.is_some();
        if (data.is_empty() && !ends_stream && !ends_coding) || slot.answer_framing == AnswerFraming::Nothing
        {
            return Ok(());
        }
        let chunked = slot.answer_framing == AnswerFraming::Chunked;
        let mut inflated = None;
        if let Some(inflater) = &mut slot.inflate_answer {
            let plain = inflated.insert(self.rt.take_buffer());
            inflater.push(&input.rest(&self.rt)[data.clone()], plain).map_err(|_| BrokenAnswer)?;
            if done {
                // A coding that ends before its content does: no clean end for half a body.
                inflater.finish().map_err(|_| BrokenAnswer)?;
            }
        }
        slot.answer_bytes += inflated.as_ref().map_or(data.len(), Vec::len) as u64;
        if slot.stream != 0 {
            match inflated {
                Some(plain) => {
                    // A broken end shows after the last bytes: END_STREAM waits for `relay_answer`.
                    self.stream_body(slot_index, &plain, false);
                    self.rt.give_buffer(plain);
                }
                None => self.stream_run(slot_index, input, data, done),
            }
            return Ok(());
        }
        let client = slot.client;
        relay_run(self.towards_client(client), out, Run { input, data, inflated, chunked });
        Ok(())
    }

    /// The whole answer is queued: the backend connection goes back to its pool if it is clean.
    fn end_answer(&mut self, index: u32, slot_index: u32, input: Input) {
        let clean = input.is_empty();
        input.discard(&mut self.rt);
        let slot = &mut self.slots[slot_index];
        slot.phase = AnswerPhase::Done;
        slot.upstream = NONE;
        slot.integration_due_ns = u64::MAX;
        let request_done = slot.request_done;
        if !request_done {
            // The backend answered early; the rest of the body has nowhere to go.
            slot.request_body = RequestBody::Discard;
            slot.body_due_ns = self.rt.now_ns() + self.timeouts.body_ns;
        }
        let upstream = &mut self.upstreams[index as usize];
        upstream.slot = NONE;
        if clean && request_done && upstream.keep_alive {
            self.pool_upstream(index);
        } else {
            self.close_upstream(index);
        }
        let client = self.slots[slot_index].client;
        self.finish_if_done(slot_index);
        if !request_done && self.clients.get(client as usize).is_some_and(|client| client.h2.is_none()) {
            self.resume(client);
        }
    }

    fn drain_response(&mut self, index: u32, mut input: Input) {
        loop {
            let upstream = &mut self.upstreams[index as usize];
            let decoded = match upstream.decoder.next(input.rest(&self.rt)) {
                Ok(decoded) if upstream.drained + decoded.data.len() <= DRAIN_RESPONSE_BYTES_MAX => decoded,
                _ => {
                    input.discard(&mut self.rt);
                    self.close_upstream(index);
                    return;
                }
            };
            upstream.drained += decoded.data.len();
            input.advance(decoded.consumed);
            if decoded.done {
                let clean = input.is_empty();
                input.discard(&mut self.rt);
                if clean {
                    self.pool_upstream(index)
                } else {
                    self.close_upstream(index)
                }
                return;
            }
            if decoded.consumed == 0 || input.is_empty() {
                break;
            }
        }
        let carry = input.into_carry(&mut self.rt);
        self.upstreams[index as usize].carry = carry;
    }

    /// The backend finished sending.
    pub(crate) fn upstream_ended(&mut self, index: u32) {
        let upstream = &mut self.upstreams[index as usize];
        // Under TLS only the peer's word is an end; anybody on the way can close a connection (RFC 9112 section 9.8).
        let is_true_end = upstream.tls.as_ref().is_none_or(|session| session.has_ended());
        match upstream.phase {
            Phase::Body if upstream.framing == BodyFraming::UntilClose && is_true_end => {
                let slot_index = upstream.slot;
                let broken =
                    self.slots[slot_index].inflate_answer.as_ref().is_some_and(|i| i.finish().is_err());
                if broken {
                    self.upstream_failed(index, Failure::Network);
                    return;
                }
                let mut out = std::mem::take(&mut self.slots[slot_index].out);
                if self.slots[slot_index].answer_framing == AnswerFraming::Chunked {
                    out.extend_from_slice(codec::h1::encode::LAST_CHUNK);
                }
                if self.slots[slot_index].stream == 0 {
                    let client = self.slots[slot_index].client;
                    self.towards_client(client).send(Chunk::Owned(out));
                } else {
                    self.rt.give_buffer(out);
                    self.stream_body(slot_index, b"", true);
                }
                self.end_answer(index, slot_index, Input::carry(Vec::new()));
            }
            Phase::Head | Phase::Body | Phase::Connecting | Phase::Securing => {
                self.upstream_failed(index, Failure::Network)
            }
            Phase::Streams => self.calls_failed(index, Failure::Network),
            Phase::Drain | Phase::Idle => self.close_upstream(index),
        }
    }
}
