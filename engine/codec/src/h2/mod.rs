//! HTTP/2 (RFC 9113), strict: frames in, events out; for both roles.

pub mod hpack;

#[cfg(test)]
mod random;
