//! Who a caller is, and what a caller may do: signatures, identities, policies.
//!
//! In: a request's parts, an identity store, the time. Out: a principal, or a decision.
//! Refuses with: AWS's codes and texts.
//! Never: a socket, a clock, a file; a secret in a `Debug` or an error.
//! AWS: "Signature Version 4 for API requests", "Policy evaluation logic", "IAM JSON policy elements".

#![forbid(unsafe_code)]

pub mod condition;
pub mod identity;
pub mod pattern;
pub mod policy;
pub mod sigv4;

pub use identity::{Identities, Principal};
pub use policy::{Context, Decision, Policy, decide};
pub use sigv4::{Refusal, Request, verify};
