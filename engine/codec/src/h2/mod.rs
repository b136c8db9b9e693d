//! HTTP/2 (RFC 9113), strict, for both roles, with heads handed on as HTTP/1.1 text so that one parser judges both.
//!
//! In: bytes as they arrive, and what the caller wants sent. Out: events, and frames appended to the caller's buffer,
//! so that all of a turn leave in one send. Refuses with: `ErrorCode` to the peer, `Event::Reset` and
//! `Event::ConnectionError` to the caller. Never: a copy of a body, an allocation per frame or field, a clock.

mod budget;
pub mod connection;
mod error;
mod event;
mod flow;
mod frame;
mod head_text;
pub mod hpack;
pub mod limits;
pub mod lines;
mod settings;
mod streams;

pub use budget::Allowance;
pub use connection::{Connection, OpenError, SendError};
pub use error::ErrorCode;
pub use event::{Event, Step};
pub use frame::{HEADER_BYTES, PREFACE, is_preface};
pub use limits::Limits;
pub use lines::{Call, answer_of, call_of, fields_of};

#[cfg(test)]
mod random;
