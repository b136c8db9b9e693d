//! One event loop per core: listeners, client connections, upstream pools, timers and the mailbox; implements `Edge`.
//!
//! In: a linked plan and sockets. Out: answers, and one record per request.
//! Never: a lock, a blocking call, tokio's runtime, or a future that leaves its thread.

mod addresses;
mod answer;
mod attempts;
#[cfg(feature = "simulated")]
mod audit;
mod books;
mod calls;
mod client;
mod command;
mod connect;
mod date;
mod door;
mod egress;
mod handle;
mod health;
mod inflate;
mod input;
mod life;
mod linked;
mod listener;
mod mailbox;
mod multiplexed;
mod overload;
mod owner;
mod pipeline;
#[cfg(feature = "planted-defects")]
mod planted;
mod proxied;
mod quiet;
mod random;
mod relay;
mod request;
mod response;
pub mod rt;
mod secured;
mod shard;
mod shed;
mod slot;
mod socket_file;
mod spare;
mod spec;
mod sys;
mod timers;
pub mod tls;
mod unread;
mod upstream;

#[cfg(feature = "simulated")]
pub use audit::Audit;
pub use handle::{Handle, Mailbox, MailboxFull, Near, mailbox, start};
pub use listener::{bind, probe};
pub use overload::{Bounds, REFUSES_REQUESTS};
#[cfg(feature = "planted-defects")]
pub use planted::{Planted, plant};
pub use shard::Shard;
pub use socket_file::{SocketFile, adopt_unix, bind_unix};
pub use spec::{Entrance, Listener, Resolve, Resolved, Spec, Timeouts};
pub use sys::inherited;
