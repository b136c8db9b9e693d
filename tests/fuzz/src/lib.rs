//! One plain function per parser and decider, for any bytes. Each panics when a property of its subject doesn't hold.
//!
//! In: bytes. Out: nothing. Properties: no panic; bytes that come in pieces mean what they mean whole; what was read
//! and is written again reads the same; what is accepted is what a plain re-statement of the rule accepts.
//! Never: a socket, a clock, a random number.

#![forbid(unsafe_code)]

mod api_definition;
mod chunked_body;
mod h2_frames;
mod head;
mod hpack;
mod management_calls;
pub mod mutate;
mod policies;
mod proxy_protocol;
pub mod random;
mod request_head;
mod response_head;
mod route_match;
mod rules;
mod signature;

pub use api_definition::api_definition;
pub use chunked_body::chunked_body;
pub use h2_frames::h2_frames;
pub use hpack::hpack;
pub use management_calls::management_calls;
pub use policies::policies;
pub use proxy_protocol::proxy_protocol;
pub use request_head::request_head;
pub use response_head::response_head;
pub use route_match::route_match;
pub use signature::signature;

/// A target: its name, which is also its corpus's folder, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 11] = [
    ("request_head", request_head),
    ("response_head", response_head),
    ("chunked_body", chunked_body),
    ("h2_frames", h2_frames),
    ("hpack", hpack),
    ("proxy_protocol", proxy_protocol),
    ("route_match", route_match),
    ("api_definition", api_definition),
    ("management_calls", management_calls),
    ("policies", policies),
    ("signature", signature),
];
