//! Listening sockets of the ring: armed, out of descriptors, paused, closed.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use io_uring::{cqueue, opcode, types};

use super::super::Event;
use super::{Op, Ring, tag};

/// A listener that ran out of descriptors tries again after this long.
pub(super) const ACCEPT_RETRY_NS: u64 = 50_000_000;
/// Connections taken from a listener that is about to close; what the kernel keeps waiting at most by default.
const LATE_ACCEPTS_MAX: usize = 4096;
/// Connections taken at once from a listener that tells when it is ready.
const READY_ACCEPTS_MAX: usize = 64;

/// A listening socket.
pub(super) struct Listener {
    descriptor: Option<OwnedFd>,
    shared: bool,
    /// Another process made the socket non-blocking, for which the kernel refuses an accept that would wait: readiness is
    /// waited for instead.
    polled: bool,
    armed: bool,
    /// To be closed once no accept is armed,
    stopping: bool,
    /// and what waits is left to another process.
    left: bool,
    retry_at_ns: u64,
}

impl Ring {
    /// Takes a listening socket and accepts from it.
    pub(super) fn add_listener(&mut self, listener: OwnedFd, shared: bool) -> u32 {
        let index = self.listeners.len();
        let flags = rustix::fs::fcntl_getfl(&listener);
        let polled = flags.is_ok_and(|flags| flags.contains(rustix::fs::OFlags::NONBLOCK));
        self.listeners.push(Listener {
            descriptor: Some(listener),
            shared,
            polled,
            armed: false,
            stopping: false,
            left: false,
            retry_at_ns: 0,
        });
        self.arm_accept(index);
        u32::try_from(index).expect("few listeners")
    }

    /// Closes every listener; those with an accept under way once that has ended.
    pub(super) fn stop_listeners(&mut self, left: bool) {
        for index in 0..self.listeners.len() {
            let listener = &mut self.listeners[index];
            listener.stopping = true;
            listener.left = left;
            if listener.armed {
                // The descriptor goes once the accept has ended: until then the kernel makes connections of its own.
                self.cancel_accept(index);
            } else {
                self.close_listener(index);
            }
        }
    }

    /// Leaves new connections to wait in the kernel, or takes them again.
    pub(super) fn accept_or_wait(&mut self, wanted: bool) {
        self.accept_paused = !wanted;
        for index in 0..self.listeners.len() {
            if !wanted && self.listeners[index].armed {
                self.cancel_accept(index);
            }
        }
    }

    fn cancel_accept(&mut self, index: usize) {
        let target = tag(Op::Accept, 0, u32::try_from(index).expect("few listeners"));
        let entry = opcode::AsyncCancel::new(target).build().user_data(tag(Op::Ignore, 0, 0));
        self.push(&entry);
    }

    fn arm_accept(&mut self, index: usize) {
        let listener = &mut self.listeners[index];
        let Some(descriptor) = listener.descriptor.as_ref().filter(|_| !self.accept_paused) else { return };
        listener.armed = true;
        let descriptor = types::Fd(descriptor.as_raw_fd());
        let accept = if listener.polled {
            opcode::PollAdd::new(descriptor, libc::POLLIN as u32).build()
        } else if listener.shared {
            // The kernel wakes whoever waits longest, and a multishot accept never goes back to the end of the queue.
            let (address, len) = (std::ptr::null_mut(), std::ptr::null_mut());
            opcode::Accept::new(descriptor, address, len).flags(libc::SOCK_CLOEXEC).build()
        } else {
            opcode::AcceptMulti::new(descriptor).flags(libc::SOCK_CLOEXEC).build()
        };
        let entry = accept.user_data(tag(Op::Accept, 0, u32::try_from(index).expect("few listeners")));
        self.push(&entry);
    }

    pub(super) fn on_accept(&mut self, index: u32, result: i32, flags: u32, events: &mut Vec<Event>) {
        if self.listeners[index as usize].polled {
            if result >= 0 {
                self.take_ready(index, events);
            }
        } else if result >= 0 {
            // SAFETY: the kernel just gave this descriptor to us, and to nobody else.
            let descriptor = unsafe { OwnedFd::from_raw_fd(result) };
            let socket = self.insert(descriptor, u32::MAX);
            events.push(Event::Accepted { listener: index, socket });
        }
        if cqueue::more(flags) {
            return;
        }
        let listener = &mut self.listeners[index as usize];
        listener.armed = false;
        if listener.stopping {
            self.close_listener(index as usize);
        } else if result == -libc::ECANCELED {
            // The next turn arms it if it is wanted again.
            listener.retry_at_ns = 0;
        } else if result >= 0 || result == -libc::ECONNABORTED {
            self.arm_accept(index as usize);
        } else if result == -libc::EAGAIN {
            listener.polled = true;
            self.arm_accept(index as usize);
        } else {
            self.accept_failures += 1;
            listener.retry_at_ns = self.now_ns + ACCEPT_RETRY_NS;
        }
    }

    /// Accepts from a listener that is ready, one connection if others wait for theirs.
    fn take_ready(&mut self, index: u32, events: &mut Vec<Event>) {
        let Listener { descriptor: Some(descriptor), shared, .. } = &self.listeners[index as usize] else {
            return;
        };
        let most = if *shared { 1 } else { READY_ACCEPTS_MAX };
        let flags = rustix::net::SocketFlags::CLOEXEC;
        let taken: Vec<_> =
            (0..most).map_while(|_| rustix::net::accept_with(descriptor, flags).ok()).collect();
        for descriptor in taken {
            let socket = self.insert(descriptor, u32::MAX);
            events.push(Event::Accepted { listener: index, socket });
        }
    }

    /// Arms what isn't; true if a listener waits for its next try.
    pub(super) fn rearm_listeners(&mut self) -> bool {
        if self.accept_paused {
            return false;
        }
        let mut waiting = false;
        for index in 0..self.listeners.len() {
            let listener = &self.listeners[index];
            if !listener.armed && listener.descriptor.is_some() {
                if self.now_ns >= listener.retry_at_ns {
                    self.arm_accept(index);
                } else {
                    waiting = true;
                }
            }
        }
        waiting
    }

    /// Closes a listener after taking the connections that the kernel has made already: the close would reset them.
    fn close_listener(&mut self, index: usize) {
        let Some(listener) = self.listeners[index].descriptor.take() else { return };
        if self.listeners[index].left {
            return;
        }
        if rustix::io::ioctl_fionbio(&listener, true).is_err() {
            return;
        }
        let index = u32::try_from(index).expect("few listeners");
        for _ in 0..LATE_ACCEPTS_MAX {
            match rustix::net::accept_with(&listener, rustix::net::SocketFlags::CLOEXEC) {
                Ok(descriptor) => {
                    let socket = self.insert(descriptor, u32::MAX);
                    self.late.push(Event::Accepted { listener: index, socket });
                }
                Err(rustix::io::Errno::INTR | rustix::io::Errno::CONNABORTED) => {}
                Err(_) => return,
            }
        }
    }
}
