//! What a client gets, as the pipeline leaves it for its shard.

use std::sync::Arc;

use codec::h1::Coding;

/// An answer. Its fields are in `exchange.answer`; the shard adds status line, `Date`, framing and `Connection`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Body.
    pub body: AnswerBody,
}

/// Where an answer's body comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerBody {
    /// There is none.
    Empty,
    /// Part of the plan.
    Bytes(Arc<[u8]>),
    /// Made for this request.
    Owned(Vec<u8>),
    /// The backend's, as it comes in.
    Upstream {
        /// To be inflated: its `Content-Encoding` isn't passed on.
        inflate: Option<Coding>,
    },
}
