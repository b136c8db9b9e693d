//! A backend that holds every request until the test lets go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::{Reply, Upstream};

#[derive(Clone, Default)]
pub(super) struct Gate(Arc<AtomicBool>);

impl Gate {
    /// Lets every request go, those that come later as well.
    pub(super) fn open(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// A backend behind the gate.
    pub(super) fn backend(&self, body: &'static [u8]) -> Upstream {
        let gate = self.clone();
        Upstream::start(move |_| {
            while !gate.0.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(5));
            }
            Reply::with(200, &[], body)
        })
    }
}
