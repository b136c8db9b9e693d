//! The shard's own event loop on io_uring: multishot accept and receive, provided buffers, one gathered send per
//! socket and turn, exact cancellation.
//!
//! Needs Linux 6.1 (`SINGLE_ISSUER`, `DEFER_TASKRUN`). Why these flags and not others: docs/performance.md.
//! Never: `IORING_OP_SHUTDOWN` (it always goes to a kernel worker thread), zero-copy sends, registered buffers.

mod accept;
mod buffers;
mod socket;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant, SystemTime};

use io_uring::{IoUring, cqueue, opcode, squeue, types};
use slab::Slab;

use self::accept::{ACCEPT_RETRY_NS, Listener};
use self::buffers::{BUFFER_BYTES, BUFFER_GROUP, Buffers};
use self::socket::{Gathered, Socket, describe_send};
use super::outq::unacknowledged;
use super::spin::Spin;
use super::{Address, Chunk, Event, Lent, Runtime, SocketKey, origin};
use crate::input::COPY_MAX;
use crate::spare::{LOOK_NS, Spare, trim_list, trim_slab};

/// Chunks in one gathered send; the kernel's own bound is 1,024.
const GATHER_MAX: usize = 64;
/// Send buffers kept for reuse: so many always, and at most. Those of more than `COPY_MAX`, which heads fit in, are kept
/// while there are few, and never those of more than 16 KiB.
const SPARE_BUFFERS_FEW: usize = 0;
const SPARE_BUFFERS_MAX: usize = 8192;
const SPARE_BUFFERS_LARGE: usize = 256;
const SPARE_BUFFER_BYTES_MAX: usize = 16 * 1024;
/// So many sockets may run short of buffers without more being made.
const GREEDY_MAX: usize = 2;

/// Sizes of a ring.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Submission entries.
    pub entries: u32,
    /// Receive buffers of 16 KiB at most; 64 to begin with.
    pub buffers_max: usize,
    /// Microseconds of polling before sleep, while events are near; zero for none.
    pub spin_us: u64,
    /// Microseconds that the kernel polls the queues of network cards before it puts the loop to sleep; zero for none.
    pub busy_poll_us: u32,
}

impl Default for Shape {
    fn default() -> Self {
        Shape { entries: 1024, buffers_max: 1024, spin_us: 0, busy_poll_us: 0 }
    }
}

/// The io_uring runtime.
pub struct Ring {
    // Field order is drop order: the ring goes before the buffers it writes to.
    ring: IoUring,
    buffers: Buffers,
    sockets: Slab<Socket>,
    listeners: Vec<Listener>,
    /// New connections are left to wait in the kernel.
    accept_paused: bool,
    /// Accepts that found no descriptor left.
    accept_failures: u64,
    /// Capacity of the buffers that wait to be sent.
    queued_bytes: usize,
    /// Connections accepted when listening stopped, not yet reported.
    late: Vec<Event>,
    dirty: Vec<u32>,
    freed: Vec<u32>,
    starved: VecDeque<(u32, u32)>,
    /// Entries that found the queue full, oldest first; at most a few for each socket.
    backlog: VecDeque<squeue::Entry>,
    spare_buffers: Spare<Vec<u8>>,
    spare_gathered: Spare<Box<Gathered>>,
    completions: Vec<(u64, i32, u32)>,
    trim_at_ns: u64,
    generation: u32,
    spin: Spin,
    origin: Instant,
    now_ns: u64,
    unix_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Op {
    Ignore = 0,
    Accept = 1,
    Connect = 2,
    Receive = 3,
    Send = 4,
}

/// `op` in the top byte, 24 bits of generation, the slot below.
fn tag(op: Op, generation: u32, slot: u32) -> u64 {
    (u64::from(op as u8) << 56) | (u64::from(generation & 0x00ff_ffff) << 32) | u64::from(slot)
}

impl Ring {
    /// Sets up the ring on the thread that will run it.
    ///
    /// # Errors
    /// io_uring is missing, forbidden or too old, or memory limits are too small.
    pub fn new(shape: Shape) -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_submit_all()
            .setup_clamp()
            .setup_cqsize(shape.entries * 4)
            .build(shape.entries)?;
        if !ring.params().is_feature_ext_arg() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "io_uring lacks EXT_ARG (Linux 5.11)"));
        }
        if shape.busy_poll_us > 0 {
            let mut napi = types::Napi::new().set_busy_poll_timeout(shape.busy_poll_us);
            ring.submitter().register_napi(&mut napi).map_err(|error| {
                io::Error::new(error.kind(), format!("network cards can't be polled (Linux 6.9): {error}"))
            })?;
        }
        let buffers = Buffers::register(&ring, shape.buffers_max)?;
        let mut ring = Ring {
            ring,
            buffers,
            sockets: Slab::new(),
            listeners: Vec::new(),
            accept_paused: false,
            accept_failures: 0,
            queued_bytes: 0,
            late: Vec::new(),
            dirty: Vec::new(),
            freed: Vec::new(),
            starved: VecDeque::new(),
            backlog: VecDeque::new(),
            spare_buffers: Spare::new(SPARE_BUFFERS_FEW, SPARE_BUFFERS_MAX),
            spare_gathered: Spare::new(SPARE_BUFFERS_FEW, SPARE_BUFFERS_MAX),
            completions: Vec::new(),
            trim_at_ns: 0,
            generation: 0,
            spin: Spin::new(shape.spin_us),
            origin: origin(),
            now_ns: 0,
            unix_ms: 0,
        };
        ring.read_clocks();
        Ok(ring)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place of a shard that reads the clocks")]
    fn read_clocks(&mut self) {
        self.now_ns = u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.unix_ms = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0));
    }

    fn push(&mut self, entry: &squeue::Entry) {
        if !self.backlog.is_empty() || !self.try_push(entry) {
            self.backlog.push_back(entry.clone());
        }
    }

    /// False if the queue is full and the kernel takes nothing now.
    fn try_push(&mut self, entry: &squeue::Entry) -> bool {
        // SAFETY: every entry's memory (iovecs, addresses, buffers) is owned by its socket slot, which is kept until
        // the completion arrived (`ops` counts it); the second push is of the same entry, after the first was refused.
        unsafe {
            self.ring.submission().push(entry).is_ok()
                || (self.ring.submit().is_ok() && self.ring.submission().push(entry).is_ok())
        }
    }

    /// Hands over what found the queue full: an overflow of completions resolves once some were reaped.
    fn push_backlog(&mut self) {
        while let Some(entry) = self.backlog.pop_front() {
            if !self.try_push(&entry) {
                self.backlog.push_front(entry);
                return;
            }
        }
    }

    fn insert(&mut self, descriptor: OwnedFd, owner: u32) -> SocketKey {
        self.generation = self.generation.wrapping_add(1);
        let slot = self.sockets.insert(Socket::new(descriptor, owner, self.generation));
        SocketKey(u32::try_from(slot).expect("fewer than 2^32 sockets"))
    }

    fn arm_receive(&mut self, slot: u32) {
        let Some(socket) = self.sockets.get_mut(slot as usize) else { return };
        if socket.closed || socket.receiving || socket.ended || !socket.wants_receive {
            return;
        }
        socket.receiving = true;
        socket.ops += 1;
        let entry = opcode::RecvMulti::new(types::Fd(socket.raw), BUFFER_GROUP).build().user_data(tag(
            Op::Receive,
            socket.generation,
            slot,
        ));
        self.push(&entry);
    }

    fn flush_socket(&mut self, slot: u32) {
        let Some(socket) = self.sockets.get_mut(slot as usize) else { return };
        socket.dirty = false;
        if socket.sending || socket.closed || socket.connecting.is_some() {
            return;
        }
        if socket.queue.is_empty() && socket.gathered.is_none() {
            if socket.finish {
                finish_sending(socket);
            }
            return;
        }
        let mut gathered = match socket.gathered.take() {
            Some(gathered) => gathered,
            None => self.spare_gathered.take().unwrap_or_default(),
        };
        while gathered.chunks.len() < GATHER_MAX {
            let Some(chunk) = socket.queue.pop_front() else { break };
            gathered.chunks.push_back(chunk);
        }
        let more = if socket.queue.is_empty() { 0 } else { libc::MSG_MORE };
        // Without MSG_WAITALL: what a slow peer takes is seen as it goes, and its buffers come back.
        let flags = libc::MSG_NOSIGNAL | more;
        let user_data = tag(Op::Send, socket.generation, slot);
        let fd = types::Fd(socket.raw);
        let entry = describe_send(&mut gathered, &self.buffers, fd, flags).user_data(user_data);
        socket.gathered = Some(gathered);
        socket.sending = true;
        socket.ops += 1;
        self.push(&entry);
    }

    fn mark_dirty(&mut self, slot: u32) {
        let socket = &mut self.sockets[slot as usize];
        if !socket.dirty {
            socket.dirty = true;
            self.dirty.push(slot);
        }
    }

    fn reuse(&mut self, chunk: Chunk) {
        match chunk {
            Chunk::Owned(buffer) => {
                self.queued_bytes -= buffer.capacity();
                self.give_buffer(buffer);
            }
            Chunk::Lent(lent) => self.buffers.release(lent),
            Chunk::Shared(_) | Chunk::Static(_) => {}
        }
    }

    fn reap(&mut self, events: &mut Vec<Event>) {
        let mut completions = std::mem::take(&mut self.completions);
        completions.clear();
        for entry in self.ring.completion() {
            completions.push((entry.user_data(), entry.result(), entry.flags()));
        }
        for &(user_data, result, flags) in &completions {
            let slot = (user_data & 0xffff_ffff) as u32;
            match (user_data >> 56) as u8 {
                op if op == Op::Accept as u8 => self.on_accept(slot, result, flags, events),
                op if op == Op::Connect as u8 => self.on_connect(slot, result, events),
                op if op == Op::Receive as u8 => self.on_receive(slot, result, flags, events),
                op if op == Op::Send as u8 => self.on_send(slot, result, events),
                _ => {}
            }
        }
        self.completions = completions;
    }

    /// Gives back what traffic doesn't need any more. Every completion has just been read.
    fn trim(&mut self) {
        if self.now_ns < self.trim_at_ns {
            return;
        }
        self.trim_at_ns = self.now_ns + LOOK_NS;
        // What didn't fit the queue is read later: there may be filled buffers that we don't know of.
        let settled = !self.ring.submission().cq_overflow() && self.ring.completion().is_empty();
        self.buffers.trim(settled);
        trim_slab(&mut self.sockets);
        trim_list(&mut self.dirty);
        trim_list(&mut self.freed);
        trim_list(&mut self.completions);
    }

    fn on_connect(&mut self, slot: u32, result: i32, events: &mut Vec<Event>) {
        let Some(socket) = self.sockets.get_mut(slot as usize) else { return };
        socket.ops -= 1;
        socket.connecting = None;
        if socket.closed {
            self.free_if_done(slot);
            return;
        }
        let owner = socket.owner;
        events.push(Event::Connected { socket: SocketKey(slot), owner, error: -result.min(0) });
        if result >= 0 {
            self.mark_dirty(slot);
        }
    }

    fn on_receive(&mut self, slot: u32, result: i32, flags: u32, events: &mut Vec<Event>) {
        let lent = match cqueue::buffer_select(flags) {
            Some(id) => Some(self.buffers.lend(id, u32::try_from(result.max(0)).unwrap_or(0))),
            None => None,
        };
        let socket = &mut self.sockets[slot as usize];
        let owner = socket.owner;
        let more = cqueue::more(flags);
        if !more {
            socket.receiving = false;
            socket.cancelling = false;
            socket.ops -= 1;
        }
        if socket.closed {
            if let Some(lent) = lent {
                self.buffers.release(lent);
            }
            self.free_if_done(slot);
            return;
        }
        let key = SocketKey(slot);
        match (result, lent) {
            (1.., Some(lent)) => events.push(Event::Received { socket: key, owner, lent }),
            (_, Some(lent)) => {
                self.buffers.release(lent);
                socket_ended(&mut self.sockets[slot as usize], key, owner, events);
            }
            (0, None) => socket_ended(socket, key, owner, events),
            (error, None) if error == -libc::ENOBUFS => {
                let generation = socket.generation;
                self.starved.push_back((slot, generation));
                return;
            }
            (error, None) if error == -libc::ECANCELED || error == -libc::EINTR => {}
            (error, None) => {
                socket.ended = true;
                events.push(Event::Failed { socket: key, owner, error: -error });
            }
        }
        if !more {
            self.arm_receive(slot);
        }
    }

    fn on_send(&mut self, slot: u32, result: i32, events: &mut Vec<Event>) {
        let socket = &mut self.sockets[slot as usize];
        socket.ops -= 1;
        socket.sending = false;
        let Some(mut gathered) = socket.gathered.take() else { return };
        let sent = usize::try_from(result.max(0)).unwrap_or(0);
        socket.unsent = socket.unsent.saturating_sub(sent);
        let (closed, owner) = (socket.closed, socket.owner);
        gathered.offset += sent;
        let failed = result < 0 && result != -libc::EINTR && result != -libc::EAGAIN;
        while let Some(chunk) = gathered.chunks.front() {
            if gathered.offset < chunk.len() && !failed && !closed {
                break;
            }
            gathered.offset = gathered.offset.saturating_sub(chunk.len());
            if let Some(chunk) = gathered.chunks.pop_front() {
                self.reuse(chunk);
            }
        }
        if closed {
            self.free_if_done(slot);
            return;
        }
        if failed {
            let key = SocketKey(slot);
            events.push(Event::Failed { socket: key, owner, error: -result });
            return;
        }
        let done = gathered.chunks.is_empty();
        let socket = &mut self.sockets[slot as usize];
        if !done {
            socket.gathered = Some(gathered);
            self.mark_dirty(slot);
            return;
        }
        gathered.offset = 0;
        self.spare_gathered.give(gathered);
        if !socket.queue.is_empty() {
            self.mark_dirty(slot);
            return;
        }
        if socket.finish {
            finish_sending(socket);
        }
        events.push(Event::Sent { socket: SocketKey(slot), owner });
    }

    fn free_if_done(&mut self, slot: u32) {
        if self.sockets.get(slot as usize).is_some_and(|socket| socket.closed && socket.ops == 0) {
            self.freed.push(slot);
        }
    }

    /// Frees slots whose last completion came in the turn before: events that name them are handled by now.
    fn free_slots(&mut self) {
        while let Some(slot) = self.freed.pop() {
            let Some(mut socket) = self.sockets.try_remove(slot as usize) else { continue };
            if let Some(mut gathered) = socket.gathered.take() {
                while let Some(chunk) = gathered.chunks.pop_front() {
                    self.reuse(chunk);
                }
            }
        }
    }

    fn rearm_starved(&mut self) {
        if self.starved.is_empty() {
            return;
        }
        // Whoever found the buffers used up has to be armed anew, which costs more than the memory does. But a few that
        // send faster than they are served would take any number of buffers.
        if self.starved.len() > GREEDY_MAX {
            self.buffers.grow();
        }
        let mut places = self.buffers.free;
        while places > 0 {
            let Some((slot, generation)) = self.starved.pop_front() else { break };
            if self.sockets.get(slot as usize).is_some_and(|socket| socket.generation == generation) {
                self.arm_receive(slot);
                places -= 1;
            }
        }
    }

    /// Hands over what is queued and waits for a completion.
    fn wait(&mut self, timeout_ns: Option<u64>) -> io::Result<()> {
        let waited = match timeout_ns {
            None => self.ring.submit_and_wait(1),
            Some(ns) => {
                let timeout = types::Timespec::from(Duration::from_nanos(ns));
                self.ring.submitter().submit_with_args(1, &types::SubmitArgs::new().timespec(&timeout))
            }
        };
        match waited.map_err(|error| (error.raw_os_error(), error)) {
            Ok(_) | Err((Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN), _)) => Ok(()),
            Err((_, error)) => Err(error),
        }
    }

    /// Polls for a while if events are near, and sleeps if none came.
    fn poll_then_wait(&mut self, timeout_ns: Option<u64>) -> io::Result<()> {
        let start = self.origin.elapsed();
        if let Some(budget_ns) = self.spin.budget() {
            let end = start + Duration::from_nanos(budget_ns.min(timeout_ns.unwrap_or(u64::MAX)));
            while self.ring.completion().is_empty() && self.origin.elapsed() < end {
                self.wait(Some(0))?;
            }
        }
        if self.ring.completion().is_empty() {
            self.wait(timeout_ns)?;
        }
        let lull = self.origin.elapsed().saturating_sub(start);
        self.spin.note(u64::try_from(lull.as_nanos()).unwrap_or(u64::MAX));
        Ok(())
    }

    fn cancel(&mut self, target: u64, slot: u32) {
        let entry = opcode::AsyncCancel::new(target)
            .build()
            .flags(squeue::Flags::SKIP_SUCCESS)
            .user_data(tag(Op::Ignore, 0, slot));
        self.push(&entry);
    }

    fn shut(&mut self, key: SocketKey, reset: bool) {
        let slot = key.0;
        let socket = &mut self.sockets[slot as usize];
        debug_assert!(!socket.closed, "a socket is closed once");
        socket.closed = true;
        socket.unsent = 0;
        let queue = std::mem::take(&mut socket.queue);
        let generation = socket.generation;
        let pending = [
            socket.receiving.then_some(Op::Receive),
            socket.sending.then_some(Op::Send),
            socket.connecting.is_some().then_some(Op::Connect),
        ];
        let busy = socket.ops > 0;
        let descriptor = socket.descriptor.take();
        for chunk in queue {
            self.reuse(chunk);
        }
        if reset && let Some(descriptor) = &descriptor {
            // A linger time of zero turns the close into a reset; a socket that is gone already needs none.
            let _ = socket2::SockRef::from(descriptor).set_linger(Some(Duration::ZERO));
        }
        // By their names: to cancel all of a descriptor, the kernel would look through everybody's operations.
        for op in pending.into_iter().flatten() {
            self.cancel(tag(op, generation, slot), slot);
        }
        if !busy {
            self.freed.push(slot);
        }
        if let Some(descriptor) = descriptor {
            // The close rides in the same batch, after the cancel; the kernel owns the descriptor from here.
            use std::os::fd::IntoRawFd;
            let close = opcode::Close::new(types::Fd(descriptor.into_raw_fd()))
                .build()
                .flags(squeue::Flags::SKIP_SUCCESS)
                .user_data(tag(Op::Ignore, 0, slot));
            self.push(&close);
        }
    }
}

fn socket_ended(socket: &mut Socket, key: SocketKey, owner: u32, events: &mut Vec<Event>) {
    socket.ended = true;
    events.push(Event::Ended { socket: key, owner });
}

/// Half-closes now. The plain call costs a microsecond; the ring's own operation would go to a kernel thread.
fn finish_sending(socket: &mut Socket) {
    socket.finish = false;
    if let Some(descriptor) = &socket.descriptor {
        // A peer that is gone already has nothing to be told.
        let _ = rustix::net::shutdown(descriptor, rustix::net::Shutdown::Write);
    }
}

impl Runtime for Ring {
    fn now_ns(&self) -> u64 {
        self.now_ns
    }

    fn unix_ms(&self) -> u64 {
        self.unix_ms
    }

    fn listen(&mut self, listener: OwnedFd, shared: bool) -> io::Result<u32> {
        Ok(self.add_listener(listener, shared))
    }

    fn stop_listening(&mut self, left: bool) {
        self.stop_listeners(left);
    }

    fn accept(&mut self, wanted: bool) {
        self.accept_or_wait(wanted);
    }

    fn accept_failures(&self) -> u64 {
        self.accept_failures
    }

    fn held_bytes(&self) -> usize {
        self.buffers.lent() * BUFFER_BYTES + self.queued_bytes + self.sockets.len() * size_of::<Socket>()
    }

    fn connect(&mut self, address: &Address, owner: u32) -> io::Result<SocketKey> {
        let (domain, address) = match address {
            Address::Tcp(address) => {
                (socket2::Domain::for_address(*address), socket2::SockAddr::from(*address))
            }
            Address::Unix(path) => (socket2::Domain::UNIX, socket2::SockAddr::unix(path)?),
        };
        let stream = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
        if domain != socket2::Domain::UNIX {
            stream.set_tcp_nodelay(true)?;
        }
        let key = self.insert(stream.into(), owner);
        let socket = &mut self.sockets[key.0 as usize];
        let address = socket.connecting.insert(Box::new(address));
        socket.ops += 1;
        let entry = opcode::Connect::new(types::Fd(socket.raw), address.as_ptr().cast(), address.len())
            .build()
            .user_data(tag(Op::Connect, socket.generation, key.0));
        self.push(&entry);
        Ok(key)
    }

    fn adopt(&mut self, stream: OwnedFd, owner: u32) -> SocketKey {
        self.insert(stream, owner)
    }

    fn own(&mut self, socket: SocketKey, owner: u32) {
        self.sockets[socket.0 as usize].owner = owner;
    }

    fn peer(&self, socket: SocketKey) -> Option<SocketAddr> {
        let descriptor = self.sockets[socket.0 as usize].descriptor.as_ref()?;
        socket2::SockRef::from(descriptor).peer_addr().ok()?.as_socket()
    }

    fn receive(&mut self, socket: SocketKey) {
        self.sockets[socket.0 as usize].wants_receive = true;
        self.arm_receive(socket.0);
    }

    fn pause(&mut self, socket: SocketKey) {
        let state = &mut self.sockets[socket.0 as usize];
        state.wants_receive = false;
        if state.receiving && !state.cancelling {
            state.cancelling = true;
            let target = tag(Op::Receive, state.generation, socket.0);
            self.cancel(target, socket.0);
        }
    }

    fn send(&mut self, socket: SocketKey, chunk: Chunk) {
        if let Chunk::Owned(buffer) = &chunk {
            self.queued_bytes += buffer.capacity();
        }
        if chunk.is_empty() {
            self.reuse(chunk);
            return;
        }
        let state = &mut self.sockets[socket.0 as usize];
        state.unsent += chunk.len();
        state.queue.push_back(chunk);
        self.mark_dirty(socket.0);
    }

    fn unsent(&self, socket: SocketKey) -> usize {
        self.sockets[socket.0 as usize].unsent
    }

    fn undelivered(&self, socket: SocketKey) -> usize {
        let socket = &self.sockets[socket.0 as usize];
        let held = socket.descriptor.as_ref().map_or(0, |descriptor| unacknowledged(descriptor.as_fd()));
        socket.unsent + held
    }

    fn finish(&mut self, socket: SocketKey) {
        self.sockets[socket.0 as usize].finish = true;
        self.mark_dirty(socket.0);
    }

    fn close(&mut self, socket: SocketKey) {
        self.shut(socket, false);
    }

    fn abort(&mut self, socket: SocketKey) {
        self.shut(socket, true);
    }

    fn bytes(&self, lent: &Lent) -> &[u8] {
        self.buffers.bytes(lent)
    }

    fn bytes_mut(&mut self, lent: &Lent) -> &mut [u8] {
        self.buffers.bytes_mut(lent)
    }

    fn slice(&mut self, lent: &Lent, range: std::ops::Range<usize>) -> Lent {
        self.buffers.slice(lent, range)
    }

    fn scarce(&self) -> bool {
        self.buffers.scarce()
    }

    fn release(&mut self, lent: Lent) {
        self.buffers.release(lent);
    }

    fn take_buffer(&mut self) -> Vec<u8> {
        self.spare_buffers.take().unwrap_or_default()
    }

    fn give_buffer(&mut self, mut buffer: Vec<u8>) {
        let bytes_max =
            if self.spare_buffers.len() < SPARE_BUFFERS_LARGE { SPARE_BUFFER_BYTES_MAX } else { COPY_MAX };
        if (1..=bytes_max).contains(&buffer.capacity()) {
            buffer.clear();
            self.spare_buffers.give(buffer);
        }
    }

    fn turn(&mut self, timeout_ns: Option<u64>, events: &mut Vec<Event>) -> io::Result<()> {
        self.free_slots();
        self.push_backlog();
        let dirty = std::mem::take(&mut self.dirty);
        for &slot in &dirty {
            self.flush_socket(slot);
        }
        self.dirty = dirty;
        self.dirty.clear();
        self.rearm_starved();
        let retrying = self.rearm_listeners();
        self.buffers.publish();
        let mut timeout_ns = timeout_ns;
        if self.spare_buffers.trim(self.now_ns) | self.spare_gathered.trim(self.now_ns) | self.buffers.touched
        {
            timeout_ns = Some(timeout_ns.map_or(LOOK_NS, |asked| asked.min(LOOK_NS)));
        }
        if !self.late.is_empty() || !self.backlog.is_empty() {
            timeout_ns = Some(0);
        }
        if retrying {
            timeout_ns = Some(timeout_ns.map_or(ACCEPT_RETRY_NS, |asked| asked.min(ACCEPT_RETRY_NS)));
        }
        if self.spin.is_on() && timeout_ns != Some(0) {
            self.poll_then_wait(timeout_ns)?;
        } else {
            self.wait(timeout_ns)?;
        }
        self.read_clocks();
        self.reap(events);
        self.trim();
        events.append(&mut self.late);
        Ok(())
    }

    fn name(&self) -> &'static str {
        "ring"
    }
}
