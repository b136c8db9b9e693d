//! The shard's one door for other threads: a bounded queue and a wake socket.
//!
//! The wake socket is an ordinary stream to the runtime, so every runtime can wait on it; one byte is in flight at
//! most, whatever the number of commands.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_queue::ArrayQueue;

/// Commands that may wait in a mailbox. They are rare (reloads, resolver answers); a full box refuses.
const COMMANDS_MAX: usize = 1024;

struct Shared<T> {
    queue: ArrayQueue<T>,
    woken: AtomicBool,
}

/// The sending side; cheap to clone.
pub(crate) struct Sender<T> {
    shared: Arc<Shared<T>>,
    wake: Arc<UnixStream>,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender { shared: Arc::clone(&self.shared), wake: Arc::clone(&self.wake) }
    }
}

/// The shard's side.
pub(crate) struct Receiver<T> {
    shared: Arc<Shared<T>>,
}

/// A mailbox, and the socket on which the shard is woken.
///
/// # Errors
/// No descriptors are left.
pub(crate) fn mailbox<T>() -> io::Result<(Sender<T>, Receiver<T>, OwnedFd)> {
    let (near, far) = UnixStream::pair()?;
    near.set_nonblocking(true)?;
    let shared = Arc::new(Shared { queue: ArrayQueue::new(COMMANDS_MAX), woken: AtomicBool::new(false) });
    Ok((Sender { shared: Arc::clone(&shared), wake: Arc::new(near) }, Receiver { shared }, far.into()))
}

impl<T> Sender<T> {
    /// Puts a command in the box and wakes the shard; gives it back if the box is full.
    ///
    /// # Errors
    /// The mailbox is full.
    pub(crate) fn send(&self, command: T) -> Result<(), T> {
        use std::io::Write;
        self.shared.queue.push(command)?;
        if !self.shared.woken.swap(true, Ordering::AcqRel) {
            // A full pipe means that a wake is under way already; a closed one that the shard is gone.
            let _ = (&*self.wake).write(&[1]);
        }
        Ok(())
    }
}

impl<T> Receiver<T> {
    /// To be called when the wake socket delivered, before [`take`](Self::take).
    pub(crate) fn rearm(&self) {
        self.shared.woken.store(false, Ordering::Release);
    }

    /// The next command.
    pub(crate) fn take(&self) -> Option<T> {
        self.shared.queue.pop()
    }
}
