//! HTTP/1.1 (RFC 9112), strict: framing that two parsers could read differently is refused.

pub mod body;
pub mod encode;
pub mod error;
mod fields;
pub mod limits;
pub mod request_head;
pub mod response_head;
pub(crate) mod tables;

pub use body::{BodyDecoder, BodyFraming, Decoded};
pub use encode::Coding;
pub use error::{BodyError, HeadError};
pub use fields::{Field, Span};
pub use limits::HeadLimits;
pub use request_head::{RequestHead, TargetForm};
pub use response_head::ResponseHead;
pub use tables::{valid_field_name, valid_field_value};

/// What a call to `parse` found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More bytes are needed.
    Partial,
    /// The head is whole; it took this many bytes.
    Complete {
        /// Bytes of the head with its empty line.
        consumed: usize,
    },
}

#[cfg(test)]
mod tests;
