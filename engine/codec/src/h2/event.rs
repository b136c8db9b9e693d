//! What a connection reports.

use std::ops::Range;

use super::error::ErrorCode;

/// What one call of [`receive`](super::Connection::receive) found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that were read. Without an event these are all.
    pub consumed: usize,
    /// What happened; call again with the rest of the input.
    pub event: Option<Event>,
}

/// Something for the caller to act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Server: a request; [`head`](super::Connection::head) has it as an HTTP/1.1 head.
    RequestHead {
        /// Its stream.
        stream: u32,
        /// No body follows.
        end_stream: bool,
    },
    /// Client: the final answer; [`head`](super::Connection::head) has it as an HTTP/1.1 head.
    ResponseHead {
        /// Its stream.
        stream: u32,
        /// No body follows.
        end_stream: bool,
    },
    /// Client: an interim answer, 100 to 199.
    InformationalHead {
        /// Its stream.
        stream: u32,
    },
    /// A head whose fields are over `header_list_bytes`. The stream is open: answer and [`reset`] it.
    ///
    /// [`reset`]: super::Connection::reset
    HeadTooLarge {
        /// Its stream.
        stream: u32,
        /// No body follows.
        end_stream: bool,
    },
    /// A piece of a body. Give its length to [`consumed`](super::Connection::consumed) once it is out of the way.
    Data {
        /// Its stream.
        stream: u32,
        /// Where the bytes are in the input of this call; empty only at the end.
        range: Range<usize>,
        /// The body ends with this piece.
        end_stream: bool,
    },
    /// The body has ended with trailers; [`head`](super::Connection::head) has their lines. They are empty if their
    /// size was over the limit.
    Trailers {
        /// Its stream.
        stream: u32,
    },
    /// A stream that was reported has ended early. It is gone: nothing more can be sent on it.
    Reset {
        /// The stream.
        stream: u32,
        /// The code, by whoever reset it.
        code: ErrorCode,
        /// Empty if the peer did; else the rule that it broke, for which we did.
        reason: &'static str,
    },
    /// Server: a stream was reset before it became a request. For counts and logs; there is nothing to do.
    Rejected {
        /// The stream.
        stream: u32,
        /// What the client was told.
        code: ErrorCode,
        /// The rule that it broke.
        reason: &'static str,
    },
    /// A window that was empty has room.
    SendWindow {
        /// The stream, or `None` for the connection's window.
        stream: Option<u32>,
    },
    /// The peer's settings have changed, and with them perhaps every window.
    SettingsReceived,
    /// The peer has answered [`ping`](super::Connection::ping).
    PingAnswered {
        /// What was sent.
        opaque: u64,
    },
    /// The peer takes no more streams than those up to `last`. Streams above it are gone, and none of them was
    /// processed: what they asked for can be asked again elsewhere.
    GoAway {
        /// The last stream that the peer has looked at.
        last: u32,
        /// Why.
        code: ErrorCode,
    },
    /// The peer broke a rule that ends the connection. GOAWAY is written: send it and close.
    ConnectionError {
        /// What the peer is told.
        code: ErrorCode,
        /// The rule.
        reason: &'static str,
    },
}
