//! TLS on a shard: identities and policies that make up a listener's terms, and the session of one connection.
//!
//! Feature: TLS
//! In: PEM, a policy's name, bytes of a peer. Out: plain bytes, and bytes for the peer.
//! Never: a socket, a file, a key in an error or a log.
//!
//! rustls speaks the protocol, by its unbuffered interface: what arrives is decrypted where it lies, and what leaves is
//! encrypted straight into the buffer that is sent. All shards share a listener's terms and its ticket keys.

mod calls;
mod identity;
mod policy;
mod session;
mod terms;
#[cfg(test)]
mod tests;

pub(crate) use calls::CallTerms;
pub use calls::Roots;
pub use identity::{Identity, IdentityError};
pub use policy::{POLICIES, Policy};
pub(crate) use session::{Session, Stop};
pub use terms::{Terms, Tickets};
