//! Defects on request, to prove that the simulation notices them. Built only with the feature `planted-defects`.
//!
//! A thread plants at most one, and only its own shards have it.

use std::cell::Cell;

/// A defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// A pipelined request that waits for its turn is not put into the list of ready connections.
    LostWakeUp,
    /// A connection to a backend goes into its pool twice.
    DoublePoolReturn,
    /// The integration's timeout is never looked at.
    MissingTimeout,
    /// A client's DATA that nobody wants never opens its windows again.
    CreditKept,
    /// A stream that its client has reset stays in the list of streams.
    StreamKept,
    /// A byte more than a client's windows allow goes out.
    WindowOverrun,
    /// An answer whose body ends with an empty piece never ends its stream.
    EndLost,
    /// Two streams get each other's answers.
    AnswersSwapped,
    /// DATA of a backend never opens its windows again.
    BackendCreditKept,
    /// A call that has lost its stream is made once more, whatever the backend has done with it.
    CallRepeated,
    /// Body bytes that waited for a backend's window are forgotten once it opens.
    OutboxForgotten,
    /// Calls above the last stream of a backend's GOAWAY stay where they are.
    GoodbyeOverheard,
    /// A shard isn't woken for connections that another process, which has gone, was woken for.
    NoSecondLook,
    /// Connections accepted while the listener was being closed are dropped.
    LateComersDropped,
    /// Clients of HTTP/2 aren't told that the process goes.
    NoGoodbye,
}

thread_local! {
    static PLANTED: Cell<Option<Planted>> = const { Cell::new(None) };
}

/// Plants a defect in the shards of this thread, or takes it out.
pub fn plant(defect: Option<Planted>) {
    PLANTED.set(defect);
}

/// Whether this thread's shards have the defect.
pub(crate) fn is_planted(defect: Planted) -> bool {
    PLANTED.get() == Some(defect)
}
