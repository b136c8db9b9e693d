//! From a finished pipeline to the client: the answer's head, its framing, and the end of the exchange.

use std::task::Poll;

use codec::h1::{BodyFraming, encode};
use gateway::{Answer, AnswerBody};
use vocabulary::Refusal;

use crate::client::Phase;
use crate::inflate::Inflater;
use crate::input::COPY_MAX;
use crate::rt::{Chunk, Runtime};
use crate::shard::Shard;
use crate::slot::{AnswerFraming, AnswerPhase, NONE, RequestBody, Slot};

/// A request body this long is read to its end after an early answer, to keep the connection.
const DRAIN_REQUEST_BYTES_MAX: u64 = 256 * 1024;

impl<R: Runtime> Shard<R> {
    /// Runs a slot's pipeline as far as it gets.
    pub(crate) fn poll(&mut self, slot_index: u32) {
        let slot = &mut self.slots[slot_index];
        slot.door.set_now(self.rt.now_ns());
        match slot.pipeline.poll() {
            Poll::Ready(finished) => {
                slot.running = false;
                slot.exchange = Some(finished.exchange);
                self.answer(slot_index, finished.answer);
            }
            Poll::Pending => {
                if let Some(outgoing) = slot.door.take_outgoing() {
                    self.dispatch(slot_index, outgoing);
                }
            }
        }
    }

    /// Answers without a pipeline and closes the connection after it.
    pub(crate) fn refuse_and_close(&mut self, slot_index: u32, refusal: &Refusal) {
        let slot = &mut self.slots[slot_index];
        slot.keep_alive = false;
        let Some(exchange) = slot.exchange.as_mut() else { return };
        let answer = gateway::refuse(exchange, refusal);
        self.answer(slot_index, answer);
    }

    /// Sends an answer's head, and its body unless that is the backend's.
    pub(crate) fn answer(&mut self, slot_index: u32, answer: Answer) {
        let slot = &mut self.slots[slot_index];
        let client_index = slot.client;
        let from_upstream = matches!(answer.body, AnswerBody::Upstream { .. });
        slot.answer_from_upstream = from_upstream;
        slot.phase = AnswerPhase::Relaying;
        let upstream_framing = match slot.upstream {
            NONE => BodyFraming::None,
            _ if slot.call_stream != 0 => slot.call_framing,
            upstream => self.upstreams[upstream as usize].framing,
        };
        let body = settle_framing(slot, &answer, upstream_framing, self.limits.payload_bytes);
        self.settle_request_body(slot_index);
        let slot = &mut self.slots[slot_index];
        if self.clients[client_index as usize].ended || self.draining.is_some() {
            slot.keep_alive = false;
        }
        if slot.keep_alive && slot.stream == 0 && self.overload.sheds_keep_alives() {
            slot.keep_alive = false;
            self.books.keep_alive_shed();
        }
        let mut out = self.rt.take_buffer();
        if slot.stream != 0 {
            write_fields(&mut out, slot, body, self.date.at(self.rt.unix_ms()));
            self.answer_stream(slot_index, &answer, out);
            return;
        }
        write_head(&mut out, slot, answer.status, body, self.date.at(self.rt.unix_ms()));
        let bodiless = slot.answer_framing == AnswerFraming::Nothing;
        let mut rest = None;
        match answer.body {
            _ if bodiless => {}
            AnswerBody::Empty | AnswerBody::Upstream { .. } => {}
            AnswerBody::Bytes(bytes) => {
                slot.answer_bytes = bytes.len() as u64;
                if bytes.len() <= COPY_MAX {
                    out.extend_from_slice(&bytes)
                } else {
                    rest = Some(Chunk::Shared(bytes))
                }
            }
            AnswerBody::Owned(bytes) => {
                slot.answer_bytes = bytes.len() as u64;
                if bytes.len() <= COPY_MAX {
                    out.extend_from_slice(&bytes)
                } else {
                    rest = Some(Chunk::Owned(bytes))
                }
            }
        }
        if from_upstream && !bodiless {
            // The body's first bytes join the head in one send; `relay_answer` flushes it.
            slot.out = out;
            return;
        }
        let mut to_client = self.towards_client(client_index);
        to_client.send(Chunk::Owned(out));
        if let Some(rest) = rest {
            to_client.send(rest);
        }
        self.release_upstream_early(slot_index);
        self.slots[slot_index].phase = AnswerPhase::Done;
        self.finish_if_done(slot_index);
    }

    /// The rest of [`answer`](Self::answer) for a stream, whose fields are in `fields`.
    fn answer_stream(&mut self, slot_index: u32, answer: &Answer, fields: Vec<u8>) {
        let slot = &mut self.slots[slot_index];
        let bodiless = slot.answer_framing == AnswerFraming::Nothing;
        let from_upstream = slot.answer_from_upstream;
        let body: &[u8] = match &answer.body {
            _ if bodiless => b"",
            AnswerBody::Empty | AnswerBody::Upstream { .. } => b"",
            AnswerBody::Bytes(bytes) => bytes,
            AnswerBody::Owned(bytes) => bytes,
        };
        slot.answer_bytes = body.len() as u64;
        let follows = from_upstream && !bodiless;
        self.stream_answer(slot_index, answer.status, &fields, !follows && body.is_empty());
        self.rt.give_buffer(fields);
        if follows {
            return;
        }
        if !body.is_empty() {
            self.stream_body(slot_index, body, true);
        }
        self.release_upstream_early(slot_index);
        self.slots[slot_index].phase = AnswerPhase::Done;
        self.finish_if_done(slot_index);
    }

    /// An answer may come before the request body: decides whether that is read on, and whether the connection stays.
    fn settle_request_body(&mut self, slot_index: u32) {
        let slot = &mut self.slots[slot_index];
        if slot.request_done {
            return;
        }
        // An answer that relays nothing lets go of its backend, and then the body has nowhere to go.
        let relays = slot.answer_from_upstream && slot.answer_framing != AnswerFraming::Nothing;
        if slot.request_body != RequestBody::Relay || slot.upstream == NONE || !relays {
            slot.request_body = RequestBody::Discard;
            slot.body_due_ns = self.rt.now_ns() + self.timeouts.body_ns;
            if slot.stream != 0 {
                self.feed_upstream(slot_index);
                return;
            }
            // What waited for its turn is read on, to be dropped.
            let client = &mut self.clients[slot.client as usize];
            if !client.carry.is_empty() && !client.queued {
                client.queued = true;
                self.ready.push(slot.client);
            }
        }
        let drainable = match slot.framing {
            BodyFraming::Length(length) => length - slot.request_bytes <= DRAIN_REQUEST_BYTES_MAX,
            _ => false,
        };
        if slot.request_body == RequestBody::Discard && (slot.expects_continue || !drainable) {
            slot.keep_alive = false;
        }
    }

    /// Ends the exchange when both its sides are through.
    pub(crate) fn finish_if_done(&mut self, slot_index: u32) {
        let slot = &self.slots[slot_index];
        if slot.phase != AnswerPhase::Done || slot.running {
            return;
        }
        if slot.stream != 0 {
            // What waits for a window keeps the exchange; an unfinished upload doesn't.
            if slot.pending.is_empty() && !slot.pending_end {
                self.finish_stream(slot_index);
            }
            return;
        }
        if slot.request_done || !slot.keep_alive {
            self.finish(slot_index);
        }
    }

    /// Records the exchange, gives its slot back and readies the connection for what follows.
    fn finish(&mut self, slot_index: u32) {
        self.drop_upstream(slot_index);
        self.record(slot_index);
        let slot = &mut self.slots[slot_index];
        let (client_index, keep_alive, request_done) = (slot.client, slot.keep_alive, slot.request_done);
        let asked_to_stay = slot.request().is_some_and(|head| head.keep_alive());
        slot.linked = None;
        self.slots.give_back(slot_index);
        let Some(client) = self.clients.get_mut(client_index as usize) else { return };
        client.slot = NONE;
        if keep_alive {
            client.phase = Phase::Idle;
            #[cfg(feature = "planted-defects")]
            if crate::planted::is_planted(crate::planted::Planted::LostWakeUp) {
                return;
            }
            let socket = client.socket;
            self.queue_client(client_index);
            // The idle time begins when the client has its answer (`client_sent`).
            let unsent = self.rt.unsent(socket) > 0;
            self.clients[client_index as usize].answered = unsent;
            let due_ns = if unsent {
                self.watch_reading(client_index)
            } else {
                self.rt.now_ns() + self.idle_client_ns()
            };
            self.set_client_deadline(client_index, due_ns);
            return;
        }
        client.phase = Phase::Closing;
        // Unread input would turn the close into a reset that may overtake the answer (RFC 9112 §9.6).
        client.linger = !request_done || !client.carry.is_empty() || asked_to_stay;
        let carry = std::mem::take(&mut client.carry);
        self.rt.give_buffer(carry);
        self.towards_client(client_index).close_notify();
        let client = &mut self.clients[client_index as usize];
        if self.rt.unsent(client.socket) == 0 && !client.queued {
            // Its `Sent` came before the request's end; the close waits for the end of this event.
            client.queued = true;
            self.ready.push(client_index);
        }
        let due_ns = self.watch_reading(client_index);
        self.set_client_deadline(client_index, due_ns);
    }

    /// Counts the exchange and leaves its record.
    pub(crate) fn record(&mut self, slot_index: u32) {
        let slot = &mut self.slots[slot_index];
        let Some(exchange) = slot.exchange.as_mut() else { return };
        exchange.outbound = std::mem::take(&mut slot.outgoing_head);
        exchange.response_length = slot.answer_bytes;
        exchange.request_length = slot.request_bytes;
        exchange.response_latency_ns = self.rt.now_ns().saturating_sub(exchange.arrival_ns);
        let linked = slot.linked.as_ref().unwrap_or(&self.linked);
        self.books.enter(exchange, &linked.node, &linked.series);
        if let Some(mut head) = exchange.inbound.take() {
            head.clear();
            self.spare_heads.give(head);
        }
    }
}

/// How the body is framed on the wire: what the head says.
#[derive(Clone, Copy)]
enum Body {
    Length(u64),
    Chunked,
    UntilClose,
    Nothing,
}

fn settle_framing(slot: &mut Slot, answer: &Answer, upstream: BodyFraming, payload_bytes: u64) -> Body {
    let length = match &answer.body {
        AnswerBody::Empty => Some(0),
        AnswerBody::Bytes(bytes) => Some(bytes.len() as u64),
        AnswerBody::Owned(bytes) => Some(bytes.len() as u64),
        AnswerBody::Upstream { inflate: Some(coding) } => {
            slot.inflate_answer = Some(Box::new(Inflater::new(*coding, payload_bytes)));
            None
        }
        AnswerBody::Upstream { inflate: None } => match upstream {
            BodyFraming::None => Some(0),
            BodyFraming::Length(length) => Some(length),
            BodyFraming::Chunked | BodyFraming::UntilClose => None,
        },
    };
    let bodiless = answer.status == 204 || answer.status == 304 || answer.status < 200;
    let body = match length {
        _ if bodiless => Body::Nothing,
        Some(length) => Body::Length(length),
        None if slot.minor_version == 0 => Body::UntilClose,
        None => Body::Chunked,
    };
    slot.answer_framing = match body {
        _ if slot.head_request || bodiless => AnswerFraming::Nothing,
        Body::Length(0) | Body::Nothing => AnswerFraming::Nothing,
        Body::Length(_) => AnswerFraming::Length,
        Body::Chunked => AnswerFraming::Chunked,
        Body::UntilClose => AnswerFraming::UntilClose,
    };
    if slot.answer_framing == AnswerFraming::UntilClose {
        slot.keep_alive = false;
    }
    body
}

fn write_head(out: &mut Vec<u8>, slot: &Slot, status: u16, body: Body, date: &[u8]) {
    encode::status_line(out, status);
    write_fields(out, slot, body, date);
    if matches!(body, Body::Chunked) {
        encode::transfer_encoding_chunked(out);
    }
    let connection: &[u8] =
        if slot.keep_alive { b"Connection: keep-alive\r\n\r\n" } else { b"Connection: close\r\n\r\n" };
    out.extend_from_slice(connection);
}

/// The fields that any version has.
fn write_fields(out: &mut Vec<u8>, slot: &Slot, body: Body, date: &[u8]) {
    if let Some(exchange) = &slot.exchange {
        out.extend_from_slice(&exchange.answer);
    }
    out.extend_from_slice(date);
    if let Body::Length(length) = body
        && let Some(length) = head_length(slot, length)
    {
        encode::content_length(out, length);
    }
}

/// The length a HEAD answer states is the backend's, if it stated one (RFC 9110 §8.6).
fn head_length(slot: &Slot, length: u64) -> Option<u64> {
    if slot.head_request && slot.answer_from_upstream { slot.upstream_length } else { Some(length) }
}
