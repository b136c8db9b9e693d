//! What a pipeline needs from the world: the time, and a backend's answer.

use codec::h1::{Coding, ResponseHead};
use context::Exchange;
use plan::TargetIndex;
use vocabulary::{Method, Refusal};

/// The world as one pipeline sees it. Shards, tests and simulations each have theirs.
#[expect(async_fn_in_trait, reason = "shards are single-threaded; futures never leave them")]
pub trait Edge {
    /// Monotonic nanoseconds, read once per turn of the loop.
    fn now_ns(&self) -> u64;

    /// Sends `exchange.outbound` with the framing of the request's body and waits for the backend's head.
    ///
    /// # Errors
    /// The gateway response that the failure calls for.
    async fn send(
        &self,
        target: TargetIndex,
        exchange: &mut Exchange,
        call: Call,
    ) -> Result<Inbound, Refusal>;
}

/// How to make a call, apart from its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Method of the call. The answer is framed by it, and only an idempotent one may be repeated; the client's own
    /// method may be another.
    pub method: Method,
    /// Time until the answer must be complete, in milliseconds.
    pub timeout_ms: u32,
    /// What becomes of the request's body.
    pub request_body: RequestBodyPlan,
}

/// What becomes of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestBodyPlan {
    /// It is passed on as it is.
    Relay,
    /// It is inflated and passed on.
    Inflate(Coding),
    /// It isn't passed on.
    Drop,
}

/// A backend's answer; its body follows the pipeline's [`Answer`](crate::Answer).
#[derive(Debug)]
pub struct Inbound {
    /// The final head: not an interim one (1xx).
    pub head: Box<ResponseHead>,
}
