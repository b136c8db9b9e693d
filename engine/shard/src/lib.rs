//! One event loop per core: listeners, client connections, upstream pools, timers and the mailbox; implements `Edge`.
//!
//! In: a linked plan and sockets. Out: answers, and one record per request.
//! Never: a lock, a blocking call, tokio's runtime, or a future that leaves its thread.

pub mod rt;
