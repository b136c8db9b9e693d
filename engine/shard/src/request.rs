//! From bytes of a client to a running pipeline: heads, request bodies, pipelining.

use codec::h1::{BodyFraming, Coding, Progress};
use context::forwarded_for::source_ip;
use vocabulary::Refusal;

use crate::client::Phase;
use crate::inflate::{InflateError, Inflater};
use crate::input::Input;
use crate::relay::{Run, relay_run};
use crate::rt::{Chunk, Lent, Runtime};
use crate::shard::Shard;
use crate::slot::{AnswerPhase, NONE, RequestBody};

/// Bytes that may wait unread on a client connection before reception pauses.
const CARRY_MAX: usize = 64 * 1024;
/// Bytes queued towards a peer before its source pauses.
pub(crate) const UNSENT_MAX: usize = 256 * 1024;
/// Pipelined requests that one connection gets answered per turn, so that others have theirs.
const REQUESTS_PER_TURN: u32 = 16;

/// Whether a backend takes body bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Now,
    /// The call isn't out.
    NotYet,
    /// It has yet to take what is queued.
    Slowly,
}

/// What to do with the input after a step.
pub(crate) enum Step {
    /// Something was read; go on.
    Continue,
    /// Nothing more can be read now.
    Hold,
    /// The connection no longer reads.
    Discard,
}

impl<R: Runtime> Shard<R> {
    /// Bytes of a client arrived.
    pub(crate) fn client_received(&mut self, index: u32, lent: Lent) {
        let client = &mut self.clients[index as usize];
        if client.phase == Phase::Closing {
            let count = u32::try_from(lent.len()).unwrap_or(u32::MAX);
            client.discarded = client.discarded.saturating_add(count);
            self.rt.release(lent);
            if self.clients[index as usize].discarded > self.discard_max {
                self.close_client(index);
            }
            return;
        }
        if client.phase == Phase::Introduction {
            self.introduction_received(index, lent);
            return;
        }
        if client.tls.is_some() {
            self.records_received(index, lent);
            return;
        }
        let input = if client.carry.is_empty() {
            Input::lent(lent)
        } else {
            client.carry.extend_from_slice(self.rt.bytes(&lent));
            let carry = std::mem::take(&mut client.carry);
            self.rt.release(lent);
            Input::carry(carry)
        };
        self.feed(index, input);
    }

    /// Bytes of a client were decrypted.
    pub(crate) fn client_plain(&mut self, index: u32, plain: Vec<u8>) {
        let client = &mut self.clients[index as usize];
        let input = if client.carry.is_empty() {
            plain
        } else {
            client.carry.extend_from_slice(&plain);
            self.rt.give_buffer(plain);
            std::mem::take(&mut client.carry)
        };
        self.feed(index, Input::carry(input));
    }

    /// Reads what a client sent as far as the state of its exchange allows, and keeps the rest.
    fn feed(&mut self, index: u32, mut input: Input) {
        let mut requests = 0;
        while !input.is_empty() {
            let Some(client) = self.clients.get(index as usize) else {
                input.discard(&mut self.rt);
                return;
            };
            let step = match client.phase {
                Phase::Idle | Phase::Head => {
                    requests += 1;
                    // Who doesn't read answers gets no more of them: they would pile up here.
                    let piled_up = self.rt.unsent(client.socket) >= UNSENT_MAX;
                    if requests > REQUESTS_PER_TURN || piled_up {
                        Step::Hold
                    } else {
                        self.read_head(index, &mut input)
                    }
                }
                Phase::Exchange => self.read_body(index, &mut input),
                // Its bytes don't come here.
                Phase::Introduction => Step::Hold,
                Phase::Streams if self.rt.unsent(client.socket) >= UNSENT_MAX => Step::Hold,
                Phase::Streams => self.read_frames(index, &mut input),
                Phase::Closing => Step::Discard,
            };
            match step {
                Step::Continue => {}
                Step::Hold => break,
                Step::Discard => {
                    if !input.is_empty()
                        && let Some(client) = self.clients.get_mut(index as usize)
                    {
                        // It sends more than was asked for; more of it may be under way.
                        client.linger = true;
                    }
                    input.discard(&mut self.rt);
                    return;
                }
            }
        }
        self.keep(index, input);
    }

    fn keep(&mut self, index: u32, input: Input) {
        let carry = input.into_carry(&mut self.rt);
        let Some(client) = self.clients.get_mut(index as usize) else {
            self.rt.give_buffer(carry);
            return;
        };
        client.carry = carry;
        // What is left may be the start of something whose rest is yet to be received.
        if client.paused && client.carry.len() <= CARRY_MAX {
            client.paused = false;
            let socket = client.socket;
            self.rt.receive(socket);
        }
        let client = &mut self.clients[index as usize];
        if client.carry.is_empty() {
            return;
        }
        if client.carry.len() > CARRY_MAX && !client.paused {
            client.paused = true;
            let socket = client.socket;
            self.rt.pause(socket);
        }
        // An idle connection with unread bytes had its share of this turn.
        if self.clients[index as usize].phase == Phase::Idle {
            self.queue_client(index);
        }
    }

    /// Lets a connection with unread bytes go on in the next turn; one that doesn't read its answers goes on when it
    /// has (`client_sent`).
    pub(crate) fn queue_client(&mut self, index: u32) {
        let client = &mut self.clients[index as usize];
        if client.carry.is_empty() || client.queued || self.rt.unsent(client.socket) >= UNSENT_MAX {
            return;
        }
        client.queued = true;
        self.ready.push(index);
    }

    /// Goes on reading what had to wait.
    pub(crate) fn resume(&mut self, index: u32) {
        let Some(client) = self.clients.get_mut(index as usize) else { return };
        client.queued = false;
        if client.phase == Phase::Closing {
            self.client_may_be_done(index);
            return;
        }
        let carry = std::mem::take(&mut client.carry);
        self.feed(index, Input::carry(carry));
        self.client_may_be_done(index);
    }

    fn read_head(&mut self, index: u32, input: &mut Input) -> Step {
        let client = &mut self.clients[index as usize];
        // The version shows in the first bytes (RFC 9113 section 3.3), unless it was agreed on: who then speaks another one
        // is told so in HTTP/2 (section 3.4).
        let agreed = client.tls.as_deref().is_some_and(crate::tls::Session::speaks_http2);
        let preface = match client.fresh {
            true if agreed => Some(true),
            true => codec::h2::is_preface(input.rest(&self.rt)),
            false => Some(false),
        };
        if preface == Some(true) {
            self.multiplex(index);
            return Step::Continue;
        }
        if client.slot == NONE {
            client.slot = self.slots.borrow(index);
        }
        let slot_index = client.slot;
        let Some(head) = self.slots[slot_index].request() else { return Step::Discard };
        let parsed = match preface {
            None => Ok(Progress::Partial),
            _ => head.parse(input.rest(&self.rt), &self.head_limits),
        };
        match parsed {
            Ok(Progress::Partial) => {
                let client = &mut self.clients[index as usize];
                if client.phase == Phase::Idle {
                    client.phase = Phase::Head;
                    let due_ns = self.rt.now_ns() + self.timeouts.header_ns;
                    self.set_client_deadline(index, due_ns);
                }
                Step::Hold
            }
            Ok(Progress::Complete { consumed }) => {
                input.advance(consumed);
                let client = &mut self.clients[index as usize];
                client.phase = Phase::Exchange;
                client.fresh = false;
                self.begin(index, slot_index);
                Step::Continue
            }
            Err(error) => {
                self.clients[index as usize].phase = Phase::Exchange;
                self.describe_arrival(index, slot_index);
                self.books.head_refused();
                // Where it would have ended is unknown: the close has to wait for what still comes.
                self.slots[slot_index].request_done = false;
                self.refuse_and_close(slot_index, &error.refusal());
                Step::Discard
            }
        }
    }

    /// A whole head is there: sets the facts of the exchange and starts its pipeline.
    fn begin(&mut self, index: u32, slot_index: u32) {
        self.describe_arrival(index, slot_index);
        let Some(head) = self.slots[slot_index].request() else { return };
        let framing = head.body();
        let done = matches!(framing, BodyFraming::None | BodyFraming::Length(0));
        self.begin_exchange(slot_index, framing, done);
    }

    /// Starts the pipeline of a request whose arrival is described.
    pub(crate) fn begin_exchange(&mut self, slot_index: u32, framing: BodyFraming, done: bool) {
        let now_ns = self.rt.now_ns();
        let slot = &mut self.slots[slot_index];
        let Some(mut exchange) = slot.exchange.take() else { return };
        let head = &exchange.request;
        let entrance = &self.entrances[self.clients[slot.client as usize].listener as usize];
        exchange.source_ip = source_ip(head, exchange.peer, &entrance.trusted_proxies);
        slot.framing = framing;
        slot.decoder = codec::h1::BodyDecoder::new(framing);
        slot.request_done = done;
        slot.expects_continue = head.expect_continue() && !slot.request_done;
        slot.head_request = head.method() == vocabulary::Method::Head;
        slot.minor_version = head.minor_version();
        slot.keep_alive = head.keep_alive() && self.draining.is_none();
        slot.body_due_ns = if slot.request_done { u64::MAX } else { now_ns + self.timeouts.body_ns };
        if slot.stream == 0 && self.overload.refuses_request(self.books.in_flight()) {
            slot.exchange = Some(exchange);
            self.turn_away(slot_index);
            return;
        }
        if matches!(slot.framing, BodyFraming::Length(length) if length > self.limits.payload_bytes) {
            slot.exchange = Some(exchange);
            self.refuse_and_close(slot_index, &Refusal::request_too_large());
            return;
        }
        slot.linked = Some(std::rc::Rc::clone(&self.linked));
        slot.running = true;
        slot.pipeline.start(std::rc::Rc::clone(&slot.door), std::rc::Rc::clone(&self.linked.node), exchange);
        self.refresh_deadline(slot_index);
        self.poll(slot_index);
    }

    /// Arrival, peer and ids: what every record has, also that of a refused head.
    pub(crate) fn describe_arrival(&mut self, index: u32, slot_index: u32) {
        let client = &self.clients[index as usize];
        let Some(exchange) = self.slots[slot_index].exchange.as_mut() else { return };
        exchange.peer = client.peer;
        exchange.source_ip = client.peer;
        exchange.local_port = client.local_port;
        exchange.http2 = client.h2.is_some();
        exchange.secure = client.tls.is_some();
        exchange.tls = client.tls.as_ref().and_then(|session| session.agreed());
        let random = std::array::from_fn(|_| self.random.draw());
        exchange.arrive(self.rt.now_ns(), self.rt.unix_ms(), random);
        self.books.request_started();
    }

    fn read_body(&mut self, index: u32, input: &mut Input) -> Step {
        let slot_index = self.clients[index as usize].slot;
        let slot = &mut self.slots[slot_index];
        if slot.request_done || slot.request_body == RequestBody::Undecided {
            return Step::Hold;
        }
        if slot.request_body == RequestBody::Relay {
            match self.takes_body(slot_index) {
                Takes::Now => {}
                Takes::NotYet => return Step::Hold,
                Takes::Slowly => {
                    // The backend is slow, not the client.
                    self.slots[slot_index].body_due_ns = u64::MAX;
                    self.refresh_deadline(slot_index);
                    return Step::Hold;
                }
            }
        }
        let mut out = self.rt.take_buffer();
        let relayed = self.relay_request(slot_index, input, &mut out);
        let slot = &mut self.slots[slot_index];
        match slot.upstream {
            // A bad body takes its call along.
            upstream if relayed.is_ok() && upstream != NONE && slot.request_body == RequestBody::Relay => {
                self.towards_upstream(upstream).send(Chunk::Owned(out));
            }
            _ => self.rt.give_buffer(out),
        }
        match relayed {
            Ok(true) => {
                self.slots[slot_index].body_due_ns = u64::MAX;
                self.refresh_deadline(slot_index);
                self.finish_if_done(slot_index);
                Step::Continue
            }
            Ok(false) => {
                let slot = &mut self.slots[slot_index];
                // What is read to be dropped has one deadline for all of it: a trickle doesn't move that.
                if slot.request_body == RequestBody::Relay {
                    slot.body_due_ns = self.rt.now_ns() + self.timeouts.body_ns;
                }
                self.refresh_deadline(slot_index);
                Step::Hold
            }
            Err(refusal) => {
                self.fail_request(slot_index, &refusal);
                Step::Discard
            }
        }
    }

    /// Whether a request's backend takes body bytes; if not, they go on when it does.
    pub(crate) fn takes_body(&mut self, slot_index: u32) -> Takes {
        use crate::upstream::Phase;
        let slot = &self.slots[slot_index];
        if slot.request_body != RequestBody::Relay || slot.upstream == NONE {
            return Takes::NotYet;
        }
        if slot.call_stream != 0 {
            return if self.call_takes_body(slot_index) { Takes::Now } else { Takes::Slowly };
        }
        let upstream = &mut self.upstreams[slot.upstream as usize];
        let pool = &self.pools[upstream.pool];
        let begins_late = pool.secure.is_some() || pool.multiplexes();
        match upstream.phase {
            // The call's head isn't out (`send_call`, `begin_calls`, `win`).
            Phase::Connecting | Phase::Securing if begins_late || upstream.race != NONE => Takes::NotYet,
            _ if self.rt.unsent(upstream.socket) >= UNSENT_MAX => {
                upstream.holds_request = true;
                Takes::Slowly
            }
            _ => Takes::Now,
        }
    }

    /// Decodes body bytes as far as they are there, and queues them towards the backend if it gets them, framed as the
    /// call's head said: small runs join `out`, large ones follow it without a copy. True at the end of the body.
    fn relay_request(
        &mut self,
        slot_index: u32,
        input: &mut Input,
        out: &mut Vec<u8>,
    ) -> Result<bool, Refusal> {
        loop {
            let slot = &mut self.slots[slot_index];
            let decoded = slot.decoder.next(input.rest(&self.rt)).map_err(|error| error.refusal())?;
            slot.request_bytes += decoded.data.len() as u64;
            slot.request_done = decoded.done;
            if slot.request_bytes > self.limits.payload_bytes {
                return Err(Refusal::request_too_large());
            }
            if slot.request_body == RequestBody::Relay {
                self.relay_request_run(slot_index, input, decoded.data, out)
                    .map_err(|_| Refusal::unsupported_content_coding())?;
            }
            input.advance(decoded.consumed);
            if decoded.done {
                return Ok(true);
            }
            if decoded.consumed == 0 || input.is_empty() {
                return Ok(false);
            }
        }
    }

    pub(crate) fn relay_request_run(
        &mut self,
        slot_index: u32,
        input: &Input,
        data: std::ops::Range<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), InflateError> {
        let slot = &mut self.slots[slot_index];
        let upstream = slot.upstream;
        let chunked = slot.framing == BodyFraming::Chunked || slot.inflate_request.is_some();
        let mut inflated = None;
        if let Some(inflater) = &mut slot.inflate_request {
            let plain = inflated.insert(self.rt.take_buffer());
            inflater.push(&input.rest(&self.rt)[data.clone()], plain)?;
            if slot.request_done {
                inflater.finish()?;
            }
        }
        let done = slot.request_done;
        if slot.call_stream != 0 {
            match inflated {
                Some(plain) => {
                    self.call_body(slot_index, &plain, done);
                    self.rt.give_buffer(plain);
                }
                None => self.call_run(slot_index, input, data, done),
            }
            return Ok(());
        }
        relay_run(self.towards_upstream(upstream), out, Run { input, data, inflated, chunked });
        if chunked && done {
            out.extend_from_slice(codec::h1::encode::LAST_CHUNK);
        }
        Ok(())
    }

    /// The request turned out to be bad after its head: answers if that is still possible, else cuts.
    pub(crate) fn fail_request(&mut self, slot_index: u32, refusal: &Refusal) {
        let slot = &mut self.slots[slot_index];
        slot.keep_alive = false;
        slot.request_body = RequestBody::Discard;
        if slot.phase != AnswerPhase::Pending {
            self.cut_answer(slot_index);
            return;
        }
        self.drop_upstream(slot_index);
        let slot = &mut self.slots[slot_index];
        if slot.running {
            slot.door.answer(Err(refusal.clone()));
            self.poll(slot_index);
        } else {
            self.refuse_and_close(slot_index, refusal);
        }
    }

    /// Decides where the request body goes once the pipeline called its backend.
    pub(crate) fn open_request_body(&mut self, slot_index: u32, inflate: Option<Coding>) {
        let payload_bytes = self.limits.payload_bytes;
        let slot = &mut self.slots[slot_index];
        slot.request_body = RequestBody::Relay;
        slot.inflate_request = inflate.map(|coding| Box::new(Inflater::new(coding, payload_bytes)));
        let client = slot.client;
        if slot.expects_continue && !slot.request_done {
            slot.expects_continue = false;
            if slot.stream == 0 {
                self.towards_client(client).send(Chunk::Static(b"HTTP/1.1 100 Continue\r\n\r\n"));
            } else {
                self.stream_answer(slot_index, 100, b"", false);
            }
        }
    }
}

/// Ends a call's head: how its body is framed, and the empty line.
pub(crate) fn write_framing(head: &mut Vec<u8>, framing: BodyFraming, relayed: bool, inflated: bool) {
    match framing {
        _ if !relayed => {}
        BodyFraming::None => {}
        BodyFraming::Length(length) if !inflated => codec::h1::encode::content_length(head, length),
        BodyFraming::Length(0) => codec::h1::encode::content_length(head, 0),
        _ => codec::h1::encode::transfer_encoding_chunked(head),
    }
    head.extend_from_slice(b"\r\n");
}
