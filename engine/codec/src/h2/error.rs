//! Error codes (RFC 9113 §7).

use std::fmt;

/// Why a stream or a connection ends, as it stands in RST_STREAM and GOAWAY. Unknown codes have no special meaning.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode(pub u32);

impl ErrorCode {
    /// Nothing went wrong.
    pub const NO_ERROR: ErrorCode = ErrorCode(0);
    /// A rule of the protocol was broken, and no other code says it better.
    pub const PROTOCOL_ERROR: ErrorCode = ErrorCode(1);
    /// The sender's own fault.
    pub const INTERNAL_ERROR: ErrorCode = ErrorCode(2);
    /// More bytes than a window had.
    pub const FLOW_CONTROL_ERROR: ErrorCode = ErrorCode(3);
    /// SETTINGS without an acknowledgement in time.
    pub const SETTINGS_TIMEOUT: ErrorCode = ErrorCode(4);
    /// A frame on a stream that has ended.
    pub const STREAM_CLOSED: ErrorCode = ErrorCode(5);
    /// A frame of a wrong length.
    pub const FRAME_SIZE_ERROR: ErrorCode = ErrorCode(6);
    /// Nothing was done for the request; it can be sent again.
    pub const REFUSED_STREAM: ErrorCode = ErrorCode(7);
    /// The stream isn't needed any more.
    pub const CANCEL: ErrorCode = ErrorCode(8);
    /// The compression context is lost.
    pub const COMPRESSION_ERROR: ErrorCode = ErrorCode(9);
    /// The connection behind CONNECT failed.
    pub const CONNECT_ERROR: ErrorCode = ErrorCode(10);
    /// The peer asks for more work than it is worth.
    pub const ENHANCE_YOUR_CALM: ErrorCode = ErrorCode(11);
    /// The transport isn't safe enough.
    pub const INADEQUATE_SECURITY: ErrorCode = ErrorCode(12);
    /// HTTP/1.1 is asked for.
    pub const HTTP_1_1_REQUIRED: ErrorCode = ErrorCode(13);

    /// The RFC's name; empty for a code that has none.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        const NAMES: [&str; 14] = [
            "NO_ERROR",
            "PROTOCOL_ERROR",
            "INTERNAL_ERROR",
            "FLOW_CONTROL_ERROR",
            "SETTINGS_TIMEOUT",
            "STREAM_CLOSED",
            "FRAME_SIZE_ERROR",
            "REFUSED_STREAM",
            "CANCEL",
            "COMPRESSION_ERROR",
            "CONNECT_ERROR",
            "ENHANCE_YOUR_CALM",
            "INADEQUATE_SECURITY",
            "HTTP_1_1_REQUIRED",
        ];
        NAMES.get(self.0 as usize).copied().unwrap_or("")
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_str() {
            "" => write!(f, "{:#x}", self.0),
            name => f.write_str(name),
        }
    }
}

/// What is wrong: how much ends by it, the code for the peer, and the words for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Whether the connection ends (§5.4.1) or one stream (§5.4.2).
    pub(super) connection: bool,
    pub(super) code: ErrorCode,
    pub(super) reason: &'static str,
}

impl Fault {
    pub(super) const fn connection(code: ErrorCode, reason: &'static str) -> Self {
        Fault { connection: true, code, reason }
    }

    pub(super) const fn stream(code: ErrorCode, reason: &'static str) -> Self {
        Fault { connection: false, code, reason }
    }
}
