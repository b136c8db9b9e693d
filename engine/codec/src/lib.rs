//! Wire formats, sans IO: HTTP/1.1 message heads, bodies and their canonical output.
//!
//! In: bytes. Out: heads as spans of their bytes, body ranges, and bytes to send. Refuses with: `HeadError`, `BodyError`.
//! Never: a socket, a clock, or a guess: what RFC 9112 leaves open is refused, and nothing is forwarded unparsed.

#![forbid(unsafe_code)]

pub mod h1;
pub mod h2;
