//! One request in flight: its pipeline, its request body, its upstream call and its answer.
//!
//! Slots are pooled. An idle connection has none; a request borrows one from its first byte to its last.

use std::rc::Rc;

use codec::h1::{BodyDecoder, BodyFraming, RequestHead};
use context::Exchange;
use slab::Slab;
use vocabulary::Method;

use crate::door::Door;
use crate::inflate::Inflater;
use crate::linked::Linked;
use crate::pipeline::{Pipeline, place};
use crate::spare::Spare;

/// No index.
pub(crate) const NONE: u32 = u32::MAX;

/// Where the request body goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestBody {
    /// The pipeline has not decided; what arrives waits.
    Undecided,
    /// To the upstream connection.
    Relay,
    /// Nowhere: it is read to keep the connection in step.
    Discard,
}

/// How the answer's body is framed towards the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerFraming {
    /// As many bytes as the length said.
    Length,
    /// In chunks of ours.
    Chunked,
    /// Until the connection ends (HTTP/1.0 clients).
    UntilClose,
    /// No body.
    Nothing,
}

/// How far the answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerPhase {
    /// Nothing has been sent.
    Pending,
    /// The head is out (or in `out`), the body follows.
    Relaying,
    /// Everything is queued.
    Done,
}

/// State of one request.
pub(crate) struct Slot {
    pub(crate) client: u32,
    /// The stream of a client that speaks HTTP/2; zero for HTTP/1.
    pub(crate) stream: u32,
    pub(crate) upstream: u32,
    /// Here unless the pipeline holds it.
    pub(crate) exchange: Option<Box<Exchange>>,
    pub(crate) pipeline: Box<dyn Pipeline>,
    pub(crate) running: bool,
    pub(crate) door: Rc<Door>,
    pub(crate) linked: Option<Rc<Linked>>,
    // the request
    pub(crate) framing: BodyFraming,
    pub(crate) decoder: BodyDecoder,
    pub(crate) request_done: bool,
    pub(crate) request_bytes: u64,
    pub(crate) request_body: RequestBody,
    pub(crate) inflate_request: Option<Box<Inflater>>,
    pub(crate) expects_continue: bool,
    pub(crate) head_request: bool,
    pub(crate) call_method: Method,
    pub(crate) keep_alive: bool,
    pub(crate) minor_version: u8,
    // the call
    pub(crate) pool: u32,
    pub(crate) outgoing_head: Vec<u8>,
    pub(crate) retried: bool,
    pub(crate) waiting: bool,
    pub(crate) integration_due_ns: u64,
    pub(crate) body_due_ns: u64,
    pub(crate) stalled_at_ns: u64,
    /// The next look whether the client reads, while its backend waits for that.
    pub(crate) unread_due_ns: u64,
    // the answer
    pub(crate) phase: AnswerPhase,
    pub(crate) answer_framing: AnswerFraming,
    pub(crate) answer_from_upstream: bool,
    pub(crate) inflate_answer: Option<Box<Inflater>>,
    pub(crate) answer_bytes: u64,
    /// Content-Length the backend declared.
    pub(crate) upstream_length: Option<u64>,
    pub(crate) out: Vec<u8>,
    // HTTP/2
    /// The stream of a call by HTTP/2; zero for HTTP/1.
    pub(crate) call_stream: u32,
    /// How long the answer's body is going to be, where the call's stream frames it.
    pub(crate) call_framing: BodyFraming,
    /// The call's answer has begun.
    pub(crate) heard: bool,
    /// Body of the request that waits for the call's window.
    pub(crate) outbox: Vec<u8>,
    /// Nothing follows it.
    pub(crate) outbox_end: bool,
    /// The client's side waits for `outbox` to go out.
    pub(crate) call_held: bool,
    /// Bytes of the answer that the backend has no credit for yet, as the client doesn't read.
    pub(crate) uncredited: usize,
    /// Body of the request that waits for the backend; at most what the stream's window lets in.
    pub(crate) inbox: Vec<u8>,
    /// Nothing follows it.
    pub(crate) inbox_end: bool,
    /// Body of the answer that waits for a window.
    pub(crate) pending: Vec<u8>,
    /// Nothing follows it.
    pub(crate) pending_end: bool,
}

impl Slot {
    fn new() -> Self {
        Slot {
            client: NONE,
            stream: 0,
            upstream: NONE,
            exchange: Some(Box::default()),
            pipeline: place(),
            running: false,
            door: Rc::default(),
            linked: None,
            framing: BodyFraming::None,
            decoder: BodyDecoder::new(BodyFraming::None),
            request_done: true,
            request_bytes: 0,
            request_body: RequestBody::Undecided,
            inflate_request: None,
            expects_continue: false,
            head_request: false,
            call_method: Method::Other,
            keep_alive: false,
            minor_version: 1,
            pool: NONE,
            outgoing_head: Vec::new(),
            retried: false,
            waiting: false,
            integration_due_ns: u64::MAX,
            body_due_ns: u64::MAX,
            stalled_at_ns: 0,
            unread_due_ns: u64::MAX,
            phase: AnswerPhase::Pending,
            answer_framing: AnswerFraming::Nothing,
            answer_from_upstream: false,
            inflate_answer: None,
            answer_bytes: 0,
            upstream_length: None,
            out: Vec::new(),
            call_stream: 0,
            call_framing: BodyFraming::None,
            heard: false,
            outbox: Vec::new(),
            outbox_end: false,
            call_held: false,
            uncredited: 0,
            inbox: Vec::new(),
            inbox_end: false,
            pending: Vec::new(),
            pending_end: false,
        }
    }

    /// The head being read or answered, while the pipeline doesn't hold it.
    pub(crate) fn request(&mut self) -> Option<&mut RequestHead> {
        self.exchange.as_mut().map(|exchange| &mut exchange.request)
    }

    /// Bytes of bodies that wait here.
    pub(crate) fn held_bytes(&self) -> usize {
        self.inbox.capacity() + self.outbox.capacity() + self.pending.capacity() + self.out.capacity()
    }

    fn begin(&mut self, client: u32) {
        self.client = client;
        self.stream = 0;
        self.call_stream = 0;
        self.heard = false;
        self.outbox.clear();
        self.outbox_end = false;
        self.call_held = false;
        self.uncredited = 0;
        self.inbox.clear();
        self.inbox_end = false;
        self.pending.clear();
        self.pending_end = false;
        self.upstream = NONE;
        self.running = false;
        self.linked = None;
        self.request_done = true;
        self.request_bytes = 0;
        self.request_body = RequestBody::Undecided;
        self.inflate_request = None;
        self.expects_continue = false;
        // A head that is refused sets neither: what an earlier request left must not shape its answer.
        self.head_request = false;
        self.minor_version = 1;
        self.pool = NONE;
        self.retried = false;
        self.waiting = false;
        self.integration_due_ns = u64::MAX;
        self.body_due_ns = u64::MAX;
        self.stalled_at_ns = 0;
        self.unread_due_ns = u64::MAX;
        self.phase = AnswerPhase::Pending;
        self.answer_framing = AnswerFraming::Nothing;
        self.answer_from_upstream = false;
        self.inflate_answer = None;
        self.answer_bytes = 0;
        self.upstream_length = None;
        self.door.clear();
        match &mut self.exchange {
            Some(exchange) => exchange.clear(),
            None => self.exchange = Some(Box::default()),
        }
    }
}

/// All slots of a shard: those in use, and spare ones.
pub(crate) struct Slots {
    slots: Slab<Box<Slot>>,
    spare: Spare<Box<Slot>>,
    slot_bytes: usize,
}

/// Slots kept for reuse: so many always, and at most.
const SPARE_FEW: usize = 0;
const SPARE_MAX: usize = 4096;

impl Default for Slots {
    fn default() -> Self {
        let slot_bytes = size_of::<Slot>() + size_of::<Exchange>() + place().bytes();
        Slots { slots: Slab::new(), spare: Spare::new(SPARE_FEW, SPARE_MAX), slot_bytes }
    }
}

impl Slots {
    /// A fresh slot for a request of `client`.
    pub(crate) fn borrow(&mut self, client: u32) -> u32 {
        let mut slot = self.spare.take().unwrap_or_else(|| Box::new(Slot::new()));
        slot.begin(client);
        u32::try_from(self.slots.insert(slot)).expect("fewer than 2^32 requests in flight")
    }

    /// Whether the slot is in use.
    pub(crate) fn contains(&self, index: u32) -> bool {
        self.slots.contains(index as usize)
    }

    /// The slot at a place, if one is in use there.
    pub(crate) fn get(&self, place: usize) -> Option<&Slot> {
        self.slots.get(place).map(|slot| &**slot)
    }

    /// Places that slots may be at.
    pub(crate) fn places(&self) -> usize {
        self.slots.capacity()
    }

    /// Bytes of the slots in use, without what grows in them.
    pub(crate) fn held_bytes(&self) -> usize {
        self.slots.len() * self.slot_bytes
    }

    /// Slots in use.
    #[cfg(feature = "simulated")]
    pub(crate) fn in_use(&self) -> usize {
        self.slots.len()
    }

    /// Ends the loan.
    pub(crate) fn give_back(&mut self, index: u32) {
        let slot = self.slots.remove(index as usize);
        self.spare.give(slot);
    }

    /// Gives back room for slots that nobody uses.
    pub(crate) fn trim_places(&mut self) {
        crate::spare::trim_slab(&mut self.slots);
    }

    /// See [`Spare::trim`].
    pub(crate) fn trim(&mut self, now_ns: u64) -> bool {
        self.spare.trim(now_ns)
    }
}

impl std::ops::Index<u32> for Slots {
    type Output = Slot;
    fn index(&self, index: u32) -> &Slot {
        &self.slots[index as usize]
    }
}

impl std::ops::IndexMut<u32> for Slots {
    fn index_mut(&mut self, index: u32) -> &mut Slot {
        &mut self.slots[index as usize]
    }
}
