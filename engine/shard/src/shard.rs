//! The shard: its state, its turn, and where each event goes.
//!
//! A turn is: wait, handle what happened, give waiting connections their share, fire deadlines. Every event is
//! handled under a panic guard: a defect closes one connection, is counted, and the shard lives.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use codec::h1::{HeadLimits, ResponseHead};
use slab::Slab;
use vocabulary::limits::Limits;

use crate::attempts::Race;
use crate::books::Books;
use crate::client::Client;
use crate::command::{Command, link};
use crate::date::DateLine;
use crate::linked::Linked;
use crate::mailbox::Receiver;
use crate::overload::Overload;
use crate::owner::Owner;
use crate::quiet::Quiet;
use crate::random::Random;
use crate::rt::{Event, Runtime, SocketKey};
use crate::shed::{Scales, Spareable};
use crate::slot::Slots;
use crate::spare::{LOOK_NS, Spare};
use crate::spec::{Entrance, Resolve, Spec, Timeouts};
use crate::timers::Timers;
use crate::tls::{CallTerms, Terms};
use crate::upstream::{Pools, Upstream};

/// Bytes read and dropped from a connection that is closing.
const DISCARD_MAX: u32 = 1024 * 1024;

/// Response heads kept for reuse: so many always, and at most.
const SPARE_HEADS_FEW: usize = 0;
const SPARE_HEADS_MAX: usize = 4096;

/// Timeouts in the loop's own unit.
pub(crate) struct TimeoutsNs {
    pub(crate) header_ns: u64,
    pub(crate) body_ns: u64,
    pub(crate) idle_client_ns: u64,
    pub(crate) idle_upstream_ns: u64,
    pub(crate) connect_ns: u64,
    pub(crate) send_ns: u64,
    pub(crate) linger_ns: u64,
    pub(crate) half_close_ns: u64,
    pub(crate) drain_linger_ns: u64,
}

impl From<&Timeouts> for TimeoutsNs {
    fn from(timeouts: &Timeouts) -> Self {
        let ns = |duration: std::time::Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4);
        TimeoutsNs {
            header_ns: ns(timeouts.header),
            body_ns: ns(timeouts.body),
            idle_client_ns: ns(timeouts.idle_client),
            idle_upstream_ns: ns(timeouts.idle_upstream),
            connect_ns: ns(timeouts.connect),
            send_ns: ns(timeouts.send),
            linger_ns: ns(timeouts.linger),
            half_close_ns: ns(timeouts.half_close),
            drain_linger_ns: ns(timeouts.drain_linger),
        }
    }
}

/// Shutting down: no new connections, answers close theirs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draining {
    pub(crate) until_ns: u64,
    /// It began in this turn.
    pub(crate) begun: bool,
}

/// One event loop and everything it owns.
pub struct Shard<R: Runtime> {
    pub(crate) rt: R,
    pub(crate) clients: Slab<Client>,
    pub(crate) upstreams: Slab<Upstream>,
    pub(crate) slots: Slots,
    /// Connects to several addresses.
    pub(crate) races: Slab<Race>,
    pub(crate) pools: Pools,
    pub(crate) timers: Timers,
    pub(crate) date: DateLine,
    pub(crate) random: Random,
    pub(crate) linked: Rc<Linked>,
    pub(crate) prepared: Option<Rc<Linked>>,
    pub(crate) ready: Vec<u32>,
    /// Connections with frames to send in this turn.
    pub(crate) framed: Vec<u32>,
    /// A list of slots being walked over, between walks its memory.
    pub(crate) scratch: Vec<u32>,
    /// Backend connections with frames to send in this turn.
    pub(crate) framed_calls: Vec<u32>,
    pub(crate) spare_heads: Spare<Box<ResponseHead>>,
    pub(crate) mailbox: Receiver<Command>,
    /// What holds for connections, by listener.
    pub(crate) entrances: Vec<Entrance>,
    /// The node's listener of each.
    pub(crate) places: Vec<usize>,
    /// What each listener offers under TLS.
    pub(crate) terms: Vec<Option<Terms>>,
    /// TLS of calls to backends.
    pub(crate) call_terms: CallTerms,
    pub(crate) limits: Limits,
    pub(crate) head_limits: HeadLimits,
    pub(crate) h2_limits: codec::h2::Limits,
    pub(crate) response_limits: HeadLimits,
    pub(crate) timeouts: TimeoutsNs,
    pub(crate) connections_max: usize,
    pub(crate) idle_upstreams_max: usize,
    pub(crate) discard_max: u32,
    pub(crate) books: Books,
    pub(crate) overload: Overload,
    pub(crate) scales: Scales,
    pub(crate) spareable: Spareable,
    pub(crate) quiet: Quiet,
    pub(crate) registry: std::sync::Arc<throttling::Registry>,
    pub(crate) resolve: Resolve,
    pub(crate) draining: Option<Draining>,
    /// Requests that the end of the drain cut.
    pub(crate) cut: usize,
}

impl<R: Runtime> Shard<R> {
    /// Builds the shard on its own thread, links the first plan and starts to accept.
    ///
    /// # Errors
    /// The plan doesn't link, or the runtime refuses a listener.
    pub fn new(mut rt: R, spec: Spec, mailbox: crate::handle::Near) -> io::Result<Self> {
        let wake = rt.adopt(mailbox.wake, Owner::Mailbox.pack());
        rt.receive(wake);
        let books = Books::new(spec.metrics, spec.records);
        let mut pools = Pools::default();
        let linked = link(&spec.plan, &spec.registry, &mut pools, &books).map_err(io::Error::other)?;
        let mut shard = Shard {
            clients: Slab::new(),
            upstreams: Slab::new(),
            slots: Slots::default(),
            races: Slab::new(),
            pools,
            timers: Timers::default(),
            date: DateLine::new(),
            random: spec.seed.map_or_else(Random::from_system, Random::seeded),
            linked: Rc::new(linked),
            prepared: None,
            ready: Vec::new(),
            framed: Vec::new(),
            framed_calls: Vec::new(),
            scratch: Vec::new(),
            h2_limits: codec::h2::Limits::default(),
            spare_heads: Spare::new(SPARE_HEADS_FEW, SPARE_HEADS_MAX),
            mailbox: mailbox.receiver,
            entrances: Vec::new(),
            places: Vec::new(),
            terms: Vec::new(),
            call_terms: CallTerms::new(spec.roots.as_ref()).map_err(io::Error::other)?,
            head_limits: HeadLimits::from(&spec.limits),
            response_limits: HeadLimits::backend(),
            limits: spec.limits,
            timeouts: TimeoutsNs::from(&spec.timeouts),
            connections_max: spec.connections_max,
            idle_upstreams_max: spec.idle_upstreams_max,
            discard_max: DISCARD_MAX,
            books,
            overload: Overload::new(spec.overload),
            scales: Scales::default(),
            spareable: Spareable::default(),
            quiet: Quiet::default(),
            registry: spec.registry,
            resolve: spec.resolve,
            draining: None,
            cut: 0,
            rt,
        };
        let linked = Rc::clone(&shard.linked);
        shard.ask_for_addresses(&linked.pools);
        for listener in spec.listeners {
            shard.rt.listen(listener.socket, listener.shared)?;
            shard.entrances.push(listener.entrance);
            shard.places.push(listener.place);
            shard.terms.push(listener.tls);
        }
        Ok(shard)
    }

    /// Runs until drained.
    ///
    /// # Errors
    /// The kernel refuses to wait, or the time to drain ended before the last request did.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Vec::with_capacity(256);
        while self.step(&mut events)? {}
        match self.cut {
            0 => Ok(()),
            cut => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("{cut} unfinished requests were cut when the time to drain was over"),
            )),
        }
    }

    /// One turn; false once the shard has drained. `events` is scratch space.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn step(&mut self, events: &mut Vec<Event>) -> io::Result<bool> {
        let begun = self.draining.as_mut().is_some_and(|draining| std::mem::take(&mut draining.begun));
        let waits = self.ready.is_empty() && !begun;
        let now_ns = self.rt.now_ns();
        let mut timeout_ns = if waits { self.timers.next_in(now_ns) } else { Some(0) };
        if self.slots.trim(now_ns) | self.spare_heads.trim(now_ns) {
            timeout_ns = Some(timeout_ns.map_or(LOOK_NS, |asked| asked.min(LOOK_NS)));
        }
        for longest_ns in [self.load_timeout_ns(), self.quiet.timeout_ns()].into_iter().flatten() {
            timeout_ns = Some(timeout_ns.map_or(longest_ns, |asked| asked.min(longest_ns)));
        }
        self.rt.turn(timeout_ns, events)?;
        let stirred = !events.is_empty();
        for event in events.drain(..) {
            self.guard(event);
        }
        for index in std::mem::take(&mut self.ready) {
            self.guarded(Owner::Client(index), |shard| shard.resume(index));
        }
        self.fire_timers();
        self.look_at_load(stirred);
        self.flush_frames();
        self.flush_calls();
        self.books.end_turn();
        self.give_back(stirred, events);
        Ok(!self.drained())
    }

    /// The runtime, for tests that look inside.
    pub fn runtime(&mut self) -> &mut R {
        &mut self.rt
    }

    fn guard(&mut self, event: Event) {
        let owner = match &event {
            Event::Accepted { .. } => Owner::Nobody,
            Event::Connected { owner, .. }
            | Event::Received { owner, .. }
            | Event::Ended { owner, .. }
            | Event::Failed { owner, .. }
            | Event::Sent { owner, .. } => Owner::unpack(*owner),
        };
        self.guarded(owner, |shard| shard.on_event(owner, event));
    }

    pub(crate) fn guarded(&mut self, owner: Owner, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            self.books.panicked();
            let cleaned = catch_unwind(AssertUnwindSafe(|| self.bury(owner)));
            if cleaned.is_err() {
                self.books.panicked();
            }
        }
    }

    fn on_event(&mut self, owner: Owner, event: Event) {
        match event {
            Event::Accepted { listener, socket } => self.accept(listener, socket),
            Event::Received { socket, lent, .. } => match owner {
                Owner::Client(index) if self.is_client(index, socket) => self.client_received(index, lent),
                Owner::Upstream(index) if self.is_upstream(index, socket) => {
                    self.upstream_received(index, lent)
                }
                Owner::Mailbox => {
                    self.rt.release(lent);
                    self.read_mailbox();
                }
                _ => self.rt.release(lent),
            },
            Event::Connected { socket, error, .. } => match owner {
                Owner::Upstream(index) if self.is_upstream(index, socket) => {
                    self.upstream_connected(index, error)
                }
                _ => {}
            },
            Event::Ended { socket, .. } => match owner {
                Owner::Client(index) if self.is_client(index, socket) => self.client_ended(index),
                Owner::Upstream(index) if self.is_upstream(index, socket) => self.upstream_ended(index),
                _ => {}
            },
            Event::Failed { socket, .. } => match owner {
                Owner::Client(index) if self.is_client(index, socket) => self.client_lost(index),
                Owner::Upstream(index) if self.is_upstream(index, socket) => {
                    self.upstream_failed(index, crate::connect::Failure::Network);
                }
                _ => {}
            },
            Event::Sent { socket, .. } => match owner {
                Owner::Client(index) if self.is_client(index, socket) => self.client_sent(index),
                Owner::Upstream(index) if self.is_upstream(index, socket) => self.upstream_sent(index),
                _ => {}
            },
        }
    }

    /// Events gathered before a close may name a slot that has a new tenant; the socket tells.
    fn is_client(&self, index: u32, socket: SocketKey) -> bool {
        self.clients.get(index as usize).is_some_and(|client| client.socket == socket)
    }

    fn is_upstream(&self, index: u32, socket: SocketKey) -> bool {
        self.upstreams.get(index as usize).is_some_and(|upstream| upstream.socket == socket)
    }

    fn upstream_sent(&mut self, index: u32) {
        let upstream = &mut self.upstreams[index as usize];
        if upstream.h2.is_some() {
            self.calls_sent(index);
            return;
        }
        if upstream.holds_request && upstream.slot != crate::slot::NONE {
            upstream.holds_request = false;
            let slot_index = upstream.slot;
            let slot = &mut self.slots[slot_index];
            let client = slot.client;
            slot.body_due_ns = self.rt.now_ns() + self.timeouts.body_ns;
            self.refresh_deadline(slot_index);
            if self.slots[slot_index].stream == 0 {
                self.resume(client);
            } else {
                self.feed_upstream(slot_index);
            }
        }
    }
}
