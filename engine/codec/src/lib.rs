//! Wire formats, sans IO: HTTP/1.1 message heads, bodies and their canonical output; HTTP/2 connections;
//! the PROXY protocol in front of them.
//!
//! In: bytes. Out: heads as spans of their bytes, body ranges, events, and bytes to send. Refuses with: `HeadError`,
//! `BodyError`, HTTP/2's `ErrorCode`, `ProxyProtocolError`. Never: a socket, a clock, or a guess: what RFC 9112 and RFC 9113 leave open is
//! refused, and nothing is forwarded unparsed.

#![forbid(unsafe_code)]

pub mod h1;
pub mod h2;
pub mod proxy_protocol;
