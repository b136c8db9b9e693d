//! What a pipeline sees of its shard: the `Edge` of one exchange.
//!
//! A pipeline asks by leaving a request in the door and waiting; the shard takes it after the poll, acts, leaves the
//! answer in the door and polls again. No waker is involved: the shard knows when it has an answer.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use context::Exchange;
use gateway::{Call, Edge, Inbound};
use plan::TargetIndex;
use vocabulary::Refusal;

/// A call to a backend that the pipeline asks for.
pub(crate) struct Outgoing {
    pub(crate) target: TargetIndex,
    /// Request line and fields, without framing and the final line end.
    pub(crate) head: Vec<u8>,
    pub(crate) call: Call,
}

/// The cells through which one slot's pipeline and its shard talk.
#[derive(Default)]
pub(crate) struct Door {
    now_ns: Cell<u64>,
    outgoing: Cell<Option<Outgoing>>,
    inbound: Cell<Option<Result<Inbound, Refusal>>>,
}

impl Door {
    /// Sets the clock the pipeline sees.
    pub(crate) fn set_now(&self, now_ns: u64) {
        self.now_ns.set(now_ns);
    }

    /// What the pipeline asked for since the last poll.
    pub(crate) fn take_outgoing(&self) -> Option<Outgoing> {
        self.outgoing.take()
    }

    /// Leaves the backend's answer; the pipeline finds it at the next poll.
    pub(crate) fn answer(&self, inbound: Result<Inbound, Refusal>) {
        self.inbound.set(Some(inbound));
    }

    /// Forgets what an abandoned exchange left.
    pub(crate) fn clear(&self) {
        self.outgoing.set(None);
        self.inbound.set(None);
    }
}

/// The door as the pipeline holds it.
pub(crate) struct Near(pub(crate) Rc<Door>);

impl Edge for Near {
    fn now_ns(&self) -> u64 {
        self.0.now_ns.get()
    }

    async fn send(
        &self,
        target: TargetIndex,
        exchange: &mut Exchange,
        call: Call,
    ) -> Result<Inbound, Refusal> {
        let head = std::mem::take(&mut exchange.outbound);
        self.0.outgoing.set(Some(Outgoing { target, head, call }));
        poll_fn(|_| match self.0.inbound.take() {
            Some(inbound) => Poll::Ready(inbound),
            None => Poll::Pending,
        })
        .await
    }
}
