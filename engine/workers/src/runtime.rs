//! The worker pool: one thread with a tokio runtime for everything that waits.

use std::io;
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A running worker pool. Dropping it ends its tasks.
pub struct Workers {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Workers {
    /// Starts the thread.
    ///
    /// # Errors
    /// The thread or its event queue can't be made.
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(4).build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("workers".to_owned()).spawn(move || {
            // The sender's drop ends the wait as well.
            let _ = runtime.block_on(stopped);
            // A resolver call may hang for long; it isn't waited for.
            runtime.shutdown_background();
        })?;
        Ok(Workers { handle, stop: Some(stop), thread: Some(thread) })
    }

    /// The runtime's handle.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A worker that panicked has been reported by its panic.
            let _ = thread.join();
        }
    }
}
