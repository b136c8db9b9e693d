//! Signature Version 4 as arithmetic: what is signed, and the signature of it. Verifying and signing build on it.
//!
//! In: a request's parts, a secret, a scope. Out: texts.
//! Never: credentials that are kept, a clock, a decision.
//! AWS: "Signature Version 4 for API requests".

#![forbid(unsafe_code)]

pub mod sigv4;
pub mod time;
