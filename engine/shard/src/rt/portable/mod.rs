//! The event loop for places without io_uring: epoll, edge-triggered, one registration per socket.
//!
//! A buffer is taken when a socket is known to be readable, so idle connections hold none; each socket is read once
//! per turn, so a flood on one doesn't starve the others; what is queued for a socket leaves in one gathered send.
//! Why this is not an async runtime: docs/decisions/0001-portable-runtime.md.

mod socket;

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant, SystemTime};

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, SocketFlags};
use slab::Slab;

use self::socket::Socket;
use super::outq::unacknowledged;
use super::pool::BufferPool;
use super::spin::Spin;
use super::{Address, Chunk, Event, Lent, Runtime, SocketKey, origin};
use crate::input::COPY_MAX;
use crate::spare::{LOOK_NS, Spare, trim_list, trim_slab};

/// Receive buffers of 16 KiB at most.
const BUFFERS_MAX: usize = 1024;
/// Readiness reports taken per turn.
const REPORTS_MAX: usize = 512;
/// Connections accepted per listener and turn; of one that other loops share, one.
const ACCEPTS_MAX: usize = 64;
/// Turns' worth of them taken from a listener that is about to close.
const LATE_ACCEPTS_MAX: usize = 64;
/// Chunks in one gathered send.
const GATHER_MAX: usize = 64;
/// Send buffers kept for reuse: so many always, and at most. Those of more than `COPY_MAX`, which heads fit in, are kept
/// while there are few, and never those of more than 16 KiB.
const SPARE_BUFFERS_FEW: usize = 0;
const SPARE_BUFFERS_MAX: usize = 8192;
const SPARE_BUFFERS_LARGE: usize = 256;
const SPARE_BUFFER_BYTES_MAX: usize = 16 * 1024;
/// A listener or reader that ran out of something tries again after this long.
const RETRY_NS: u64 = 5_000_000;
const LISTENER: u64 = 1 << 63;

struct Listener {
    descriptor: OwnedFd,
    shared: bool,
}

/// The portable runtime.
pub struct Portable {
    poll: OwnedFd,
    buffers: BufferPool,
    sockets: Slab<Socket>,
    listeners: Vec<Option<Listener>>,
    /// New connections are left to wait in the kernel.
    accept_paused: bool,
    /// Accepts that found no descriptor left.
    accept_failures: u64,
    /// Capacity of the buffers that wait to be sent.
    queued_bytes: usize,
    /// Connections accepted when listening stopped, to be reported by the next turn.
    late: Vec<Event>,
    /// Listeners with connections waiting.
    accepting: Vec<u32>,
    active: Vec<u32>,
    dirty: Vec<u32>,
    freed: Vec<u32>,
    spare_buffers: Spare<Vec<u8>>,
    reports: Vec<epoll::Event>,
    trim_at_ns: u64,
    generation: u32,
    spin: Spin,
    origin: Instant,
    now_ns: u64,
    unix_ms: u64,
}

impl Portable {
    /// Sets up the loop.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn new(spin_us: u64) -> io::Result<Self> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut portable = Portable {
            poll,
            buffers: BufferPool::new(BUFFERS_MAX),
            sockets: Slab::new(),
            listeners: Vec::new(),
            accept_paused: false,
            accept_failures: 0,
            queued_bytes: 0,
            late: Vec::new(),
            accepting: Vec::new(),
            active: Vec::new(),
            dirty: Vec::new(),
            freed: Vec::new(),
            spare_buffers: Spare::new(SPARE_BUFFERS_FEW, SPARE_BUFFERS_MAX),
            reports: Vec::with_capacity(REPORTS_MAX),
            trim_at_ns: 0,
            generation: 0,
            spin: Spin::new(spin_us),
            origin: origin(),
            now_ns: 0,
            unix_ms: 0,
        };
        portable.read_clocks();
        Ok(portable)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place of a shard that reads the clocks")]
    fn read_clocks(&mut self) {
        self.now_ns = u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.unix_ms = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0));
    }

    fn insert(&mut self, descriptor: OwnedFd, owner: u32) -> io::Result<SocketKey> {
        self.generation = self.generation.wrapping_add(1);
        let entry = self.sockets.vacant_entry();
        let slot = u32::try_from(entry.key()).expect("fewer than 2^32 sockets");
        let data =
            epoll::EventData::new_u64((u64::from(self.generation & 0x7fff_ffff) << 32) | u64::from(slot));
        let interest =
            epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::RDHUP | epoll::EventFlags::ET;
        epoll::add(&self.poll, &descriptor, data, interest)?;
        entry.insert(Socket::new(descriptor, owner, self.generation & 0x7fff_ffff));
        Ok(SocketKey(slot))
    }

    fn mark_dirty(&mut self, slot: u32) {
        let socket = &mut self.sockets[slot as usize];
        if !socket.dirty {
            socket.dirty = true;
            self.dirty.push(slot);
        }
    }

    fn mark_active(&mut self, slot: u32) {
        let socket = &mut self.sockets[slot as usize];
        if socket.readable && socket.wants_receive && !socket.ended && !socket.active {
            socket.active = true;
            self.active.push(slot);
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

    /// Sends what is queued as far as the kernel takes it.
    fn flush(&mut self, slot: u32, events: &mut Vec<Event>) {
        let Some(socket) = self.sockets.get_mut(slot as usize) else { return };
        socket.dirty = false;
        if socket.connecting {
            return;
        }
        let had = !socket.queue.is_empty();
        while self.sockets[slot as usize].writable && !self.sockets[slot as usize].queue.is_empty() {
            match self.send_once(slot) {
                Ok(sent) => self.advance(slot, sent),
                Err(Errno::AGAIN) => self.sockets[slot as usize].writable = false,
                Err(Errno::INTR) => {}
                Err(error) => {
                    let socket = &mut self.sockets[slot as usize];
                    let owner = socket.owner;
                    socket.unsent = 0;
                    for chunk in std::mem::take(&mut socket.queue) {
                        self.reuse(chunk);
                    }
                    events.push(Event::Failed {
                        socket: SocketKey(slot),
                        owner,
                        error: error.raw_os_error(),
                    });
                    return;
                }
            }
        }
        let socket = &mut self.sockets[slot as usize];
        if socket.queue.is_empty() {
            if std::mem::take(&mut socket.finish)
                && let Some(descriptor) = &socket.descriptor
            {
                // A peer that is gone already has nothing to be told.
                let _ = rustix::net::shutdown(descriptor, rustix::net::Shutdown::Write);
            }
            if had {
                events.push(Event::Sent { socket: SocketKey(slot), owner: socket.owner });
            }
        }
    }

    fn send_once(&self, slot: u32) -> Result<usize, Errno> {
        let socket = &self.sockets[slot as usize];
        let Some(descriptor) = &socket.descriptor else { return Err(Errno::BADF) };
        let mut slices = [IoSlice::new(&[]); GATHER_MAX];
        let mut count = 0;
        let mut skip = socket.offset;
        for chunk in socket.queue.iter().take(GATHER_MAX) {
            let bytes: &[u8] = match chunk {
                Chunk::Owned(bytes) => bytes,
                Chunk::Lent(lent) => self.buffers.bytes(lent),
                Chunk::Shared(bytes) => bytes,
                Chunk::Static(bytes) => bytes,
            };
            slices[count] = IoSlice::new(&bytes[skip..]);
            skip = 0;
            count += 1;
        }
        let mut ancillary = SendAncillaryBuffer::default();
        rustix::net::sendmsg(descriptor, &slices[..count], &mut ancillary, SendFlags::NOSIGNAL)
    }

    fn advance(&mut self, slot: u32, sent: usize) {
        let socket = &mut self.sockets[slot as usize];
        socket.unsent -= sent;
        socket.offset += sent;
        while let Some(chunk) = self.sockets[slot as usize].queue.front() {
            let len = chunk.len();
            let socket = &mut self.sockets[slot as usize];
            if socket.offset < len {
                break;
            }
            socket.offset -= len;
            if let Some(chunk) = socket.queue.pop_front() {
                self.reuse(chunk);
            }
        }
    }

    /// Reads a socket once. Whether it stays in the list of active ones.
    fn read(&mut self, slot: u32, events: &mut Vec<Event>) -> bool {
        let Some(socket) = self.sockets.get_mut(slot as usize) else { return false };
        if !socket.readable || !socket.wants_receive || socket.ended {
            socket.active = false;
            return false;
        }
        let Some(descriptor) = &socket.descriptor else { return false };
        let Some(id) = self.buffers.take() else { return true };
        let outcome = rustix::net::recv(descriptor, self.buffers.whole(id), RecvFlags::empty());
        let (key, owner) = (SocketKey(slot), socket.owner);
        match outcome {
            Ok((0, _)) => {
                self.buffers.untake(id);
                socket.ended = true;
                events.push(Event::Ended { socket: key, owner });
            }
            Ok((count, _)) => {
                // A short read emptied the socket; the next byte is reported anew. After a FIN none will be.
                socket.readable = count == super::pool::BUFFER_BYTES || socket.hung_up;
                let lent = self.buffers.lend(id, count);
                events.push(Event::Received { socket: key, owner, lent });
            }
            Err(error) => {
                self.buffers.untake(id);
                match error {
                    Errno::AGAIN => socket.readable = false,
                    Errno::INTR => {}
                    _ => {
                        socket.ended = true;
                        events.push(Event::Failed { socket: key, owner, error: error.raw_os_error() });
                    }
                }
            }
        }
        socket.active = socket.readable && !socket.ended;
        socket.active
    }

    /// Accepts a turn's worth. Whether more may wait that isn't reported anew.
    fn accept_share(&mut self, index: u32, events: &mut Vec<Event>) -> bool {
        if !matches!(self.listeners.get(index as usize), Some(Some(listener)) if listener.shared) {
            return self.take_connections(index, ACCEPTS_MAX, events);
        }
        let before = events.len();
        let more = self.take_connections(index, 1, events);
        if events.len() == before {
            return more;
        }
        let Some(Some(listener)) = self.listeners.get(index as usize) else { return false };
        // The kernel wakes whoever waits longest: this loop goes to the end of the queue. What waits is reported anew.
        let removed = epoll::delete(&self.poll, &listener.descriptor);
        removed.and_then(|()| watch(&self.poll, listener, index)).is_err()
    }

    /// Accepts at most `count`. Whether more may wait.
    fn take_connections(&mut self, index: u32, count: usize, events: &mut Vec<Event>) -> bool {
        for _ in 0..count {
            let Some(Some(listener)) = self.listeners.get(index as usize) else { return false };
            match rustix::net::accept_with(&listener.descriptor, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)
            {
                Ok(descriptor) => {
                    if let Ok(socket) = self.insert(descriptor, u32::MAX) {
                        events.push(Event::Accepted { listener: index, socket });
                    }
                }
                Err(Errno::AGAIN) => return false,
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                // Out of descriptors: the connections wait in the backlog.
                Err(_) => {
                    self.accept_failures += 1;
                    return true;
                }
            }
        }
        true
    }

    fn note(&mut self, report: epoll::Event, events: &mut Vec<Event>) {
        let (data, flags) = (report.data.u64(), report.flags);
        if data & LISTENER != 0 {
            let index = (data & 0xffff_ffff) as u32;
            if !self.accepting.contains(&index) {
                self.accepting.push(index);
            }
            return;
        }
        let (slot, generation) = ((data & 0xffff_ffff) as u32, (data >> 32) as u32);
        let Some(socket) = self.sockets.get_mut(slot as usize) else { return };
        if socket.generation != generation || socket.descriptor.is_none() {
            return;
        }
        let broken = flags.intersects(epoll::EventFlags::ERR | epoll::EventFlags::HUP);
        if socket.connecting {
            if broken || flags.contains(epoll::EventFlags::OUT) {
                self.end_connect(slot, events);
            }
            return;
        }
        if broken || flags.contains(epoll::EventFlags::RDHUP) {
            socket.hung_up = true;
        }
        if broken || flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::RDHUP) {
            socket.readable = true;
        }
        if broken || flags.contains(epoll::EventFlags::OUT) {
            let blocked = !std::mem::replace(&mut socket.writable, true);
            if blocked {
                self.mark_dirty(slot);
            }
        }
        self.mark_active(slot);
    }

    fn end_connect(&mut self, slot: u32, events: &mut Vec<Event>) {
        let socket = &mut self.sockets[slot as usize];
        let Some(descriptor) = &socket.descriptor else { return };
        let error = match rustix::net::sockopt::socket_error(descriptor) {
            Ok(Ok(())) => 0,
            Ok(Err(error)) | Err(error) => error.raw_os_error(),
        };
        socket.connecting = false;
        socket.writable = true;
        events.push(Event::Connected { socket: SocketKey(slot), owner: socket.owner, error });
        if error == 0 {
            self.mark_dirty(slot);
        }
    }

    fn wait(&mut self, timeout_ns: Option<u64>) -> io::Result<()> {
        let timeout = timeout_ns.map(|ns| {
            // Rounded up to the millisecond that epoll counts in, so that a deadline has passed when it wakes.
            let rounded = Duration::from_millis(ns.div_ceil(1_000_000));
            rustix::event::Timespec::try_from(rounded)
                .unwrap_or(rustix::event::Timespec { tv_sec: 1, tv_nsec: 0 })
        });
        self.reports.clear();
        let room = rustix::buffer::spare_capacity(&mut self.reports);
        match epoll::wait(&self.poll, room, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Polls for a while if events are near, and sleeps if none came.
    fn poll_then_wait(&mut self, timeout_ns: Option<u64>) -> io::Result<()> {
        let start = self.origin.elapsed();
        self.reports.clear();
        if let Some(budget_ns) = self.spin.budget() {
            let end = start + Duration::from_nanos(budget_ns.min(timeout_ns.unwrap_or(u64::MAX)));
            while self.reports.is_empty() && self.origin.elapsed() < end {
                self.wait(Some(0))?;
            }
        }
        if self.reports.is_empty() {
            self.wait(timeout_ns)?;
        }
        let lull = self.origin.elapsed().saturating_sub(start);
        self.spin.note(u64::try_from(lull.as_nanos()).unwrap_or(u64::MAX));
        Ok(())
    }

    fn shut(&mut self, key: SocketKey, reset: bool) {
        let socket = &mut self.sockets[key.0 as usize];
        debug_assert!(socket.descriptor.is_some(), "a socket is closed once");
        socket.unsent = 0;
        socket.offset = 0;
        let descriptor = socket.descriptor.take();
        for chunk in std::mem::take(&mut socket.queue) {
            self.reuse(chunk);
        }
        if reset && let Some(descriptor) = &descriptor {
            // A linger time of zero turns the close into a reset; a socket that is gone already needs none.
            let _ = socket2::SockRef::from(descriptor).set_linger(Some(Duration::ZERO));
        }
        self.freed.push(key.0);
    }

    /// Receive buffers that somebody holds; for tests.
    #[must_use]
    pub fn buffers_held(&self) -> usize {
        self.buffers.held()
    }
}

/// Has a listener's connections reported; of one that others share, to one loop at a time.
fn watch(poll: &OwnedFd, listener: &Listener, index: u32) -> Result<(), Errno> {
    let data = epoll::EventData::new_u64(LISTENER | u64::from(index));
    let mut interest = epoll::EventFlags::IN | epoll::EventFlags::ET;
    interest.set(epoll::EventFlags::EXCLUSIVE, listener.shared);
    epoll::add(poll, &listener.descriptor, data, interest)
}

impl Runtime for Portable {
    fn now_ns(&self) -> u64 {
        self.now_ns
    }

    fn unix_ms(&self) -> u64 {
        self.unix_ms
    }

    fn listen(&mut self, listener: OwnedFd, shared: bool) -> io::Result<u32> {
        rustix::io::ioctl_fionbio(&listener, true)?;
        let index = u32::try_from(self.listeners.len()).expect("few listeners");
        let listener = Listener { descriptor: listener, shared };
        watch(&self.poll, &listener, index)?;
        self.listeners.push(Some(listener));
        Ok(index)
    }

    fn stop_listening(&mut self, _left: bool) {
        // Another process may hold the sockets too, and a close here wouldn't end the watch: the kernel would go on to wake
        // this loop for their connections. What it was woken for before is taken; others the kernel would reset.
        for listener in self.listeners.iter().flatten() {
            let _ = epoll::delete(&self.poll, &listener.descriptor);
        }
        let mut late = Vec::new();
        for index in 0..self.listeners.len() {
            let index = u32::try_from(index).expect("few listeners");
            // Nobody waits for a descriptor to become free here, so "more" is tried a bounded number of times.
            let _ = (0..LATE_ACCEPTS_MAX).all(|_| self.take_connections(index, ACCEPTS_MAX, &mut late));
        }
        self.late.append(&mut late);
        self.listeners.iter_mut().for_each(|listener| drop(listener.take()));
        self.accepting.clear();
    }

    fn accept(&mut self, wanted: bool) {
        self.accept_paused = !wanted;
        for (index, listener) in (0_u32..).zip(&self.listeners) {
            let Some(listener) = listener.as_ref().filter(|listener| listener.shared) else { continue };
            // The kernel wakes one loop for each connection: one that won't take it must not be the one.
            if wanted {
                let _ = watch(&self.poll, listener, index);
            } else {
                let _ = epoll::delete(&self.poll, &listener.descriptor);
            }
        }
    }

    fn accept_failures(&self) -> u64 {
        self.accept_failures
    }

    fn held_bytes(&self) -> usize {
        self.buffers.held() * super::pool::BUFFER_BYTES
            + self.queued_bytes
            + self.sockets.len() * size_of::<Socket>()
    }

    fn connect(&mut self, address: &Address, owner: u32) -> io::Result<SocketKey> {
        let (domain, address) = match address {
            Address::Tcp(address) => {
                (socket2::Domain::for_address(*address), socket2::SockAddr::from(*address))
            }
            Address::Unix(path) => (socket2::Domain::UNIX, socket2::SockAddr::unix(path)?),
        };
        let stream = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
        stream.set_nonblocking(true)?;
        if domain != socket2::Domain::UNIX {
            stream.set_tcp_nodelay(true)?;
        }
        let begun = stream.connect(&address);
        let key = self.insert(stream.into(), owner)?;
        let socket = &mut self.sockets[key.0 as usize];
        socket.connecting = true;
        match begun.as_ref().map_err(io::Error::raw_os_error) {
            // An edge follows the registration in either case and brings the outcome.
            Ok(()) | Err(Some(libc::EINPROGRESS)) => {}
            // A UNIX socket refuses at once; the outcome arrives as every other does.
            Err(errno) => {
                (socket.connecting, socket.writable) = (false, false);
                let error = errno.unwrap_or(libc::EIO);
                self.late.push(Event::Connected { socket: key, owner, error });
            }
        }
        Ok(key)
    }

    fn adopt(&mut self, stream: OwnedFd, owner: u32) -> SocketKey {
        // A descriptor that can't be switched or registered stays silent, as a closed one would.
        let _ = rustix::io::ioctl_fionbio(stream.as_fd(), true);
        match self.insert(stream, owner) {
            Ok(key) => key,
            Err(_) => SocketKey(u32::MAX),
        }
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
        self.mark_active(socket.0);
    }

    fn pause(&mut self, socket: SocketKey) {
        self.sockets[socket.0 as usize].wants_receive = false;
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
        while let Some(slot) = self.freed.pop() {
            self.sockets.try_remove(slot as usize);
        }
        let mut dirty = std::mem::take(&mut self.dirty);
        for slot in dirty.drain(..) {
            self.flush(slot, events);
        }
        // Flushing marks nothing, so the list comes back with its memory and nothing is lost.
        self.dirty = dirty;
        if self.now_ns >= self.trim_at_ns {
            self.trim_at_ns = self.now_ns + LOOK_NS;
            trim_slab(&mut self.sockets);
            trim_list(&mut self.dirty);
            trim_list(&mut self.freed);
        }
        let mut timeout_ns = timeout_ns;
        if self.spare_buffers.trim(self.now_ns) | self.buffers.trim(self.now_ns) {
            timeout_ns = Some(timeout_ns.map_or(LOOK_NS, |asked| asked.min(LOOK_NS)));
        }
        events.append(&mut self.late);
        if !events.is_empty() {
            timeout_ns = Some(0);
        } else if !self.active.is_empty() || (!self.accepting.is_empty() && !self.accept_paused) {
            let starved = self.buffers.scarce() || !self.accepting.is_empty();
            timeout_ns = Some(timeout_ns.unwrap_or(u64::MAX).min(if starved { RETRY_NS } else { 0 }));
        }
        if self.spin.is_on() && timeout_ns != Some(0) {
            self.poll_then_wait(timeout_ns)?;
        } else {
            self.wait(timeout_ns)?;
        }
        self.read_clocks();
        let mut reports = std::mem::take(&mut self.reports);
        for report in reports.drain(..) {
            self.note(report, events);
        }
        self.reports = reports;
        if !self.accept_paused {
            let accepting = std::mem::take(&mut self.accepting);
            self.accepting =
                accepting.into_iter().filter(|&index| self.accept_share(index, events)).collect();
        }
        let mut active = std::mem::take(&mut self.active);
        active.retain(|&slot| self.read(slot, events));
        self.active.append(&mut active);
        Ok(())
    }

    fn name(&self) -> &'static str {
        "portable"
    }
}
