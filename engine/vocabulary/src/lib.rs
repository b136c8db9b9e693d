//! The words every other crate speaks: methods, field names, refusals, ids, limits.
//!
//! In: bytes. Out: closed types whose names are AWS's or the RFC's.
//! Never: a dependency on another crate of ours, a clock, a source of randomness, IO.

#![forbid(unsafe_code)]

pub mod calendar;
pub mod field;
pub mod id;
pub mod limits;
pub mod method;
pub mod network;
pub mod percent;
pub mod refusal;
pub mod security_policy;
pub mod template;

pub use field::KnownField;
pub use method::{Method, MethodKey};
pub use refusal::{Fault, Refusal, ResponseType};
