//! Why a message is refused, with the clause that asks for it.

use vocabulary::Refusal;

/// A head that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// A line that doesn't end in CRLF, or a CR alone.
    LineEnd,
    /// The start line's shape.
    StartLine,
    /// A method that is not a token.
    Method,
    /// A target that is none of the forms, or has bytes that no URI has.
    Target,
    /// Not HTTP/1.0 or HTTP/1.1.
    Version,
    /// A field name that is not a token, white space before the colon, a folded line, a line without a colon.
    FieldName,
    /// A control in a field value.
    FieldValue,
    /// No Host, several, or one that is no host.
    Host,
    /// Several, or not digits, or too many.
    ContentLength,
    /// A transfer coding that nobody here knows.
    TransferCoding,
    /// Several, in HTTP/1.0, or beside Content-Length.
    TransferEncoding,
    /// The target is over its limit.
    TargetTooLong,
    /// The field lines are over a limit.
    FieldsTooLarge,
    /// A status that is none.
    Status,
}

impl HeadError {
    /// The rule that the head breaks.
    #[must_use]
    pub fn clause(self) -> &'static str {
        match self {
            HeadError::LineEnd => "RFC 9112 2.2",
            HeadError::StartLine => "RFC 9112 3",
            HeadError::Method => "RFC 9110 9.1",
            HeadError::Target => "RFC 9112 3.2",
            HeadError::Version => "RFC 9112 2.3",
            HeadError::FieldName => "RFC 9112 5.1, 5.2",
            HeadError::FieldValue => "RFC 9110 5.5",
            HeadError::Host => "RFC 9112 3.2",
            HeadError::ContentLength => "RFC 9110 8.6",
            HeadError::TransferCoding => "RFC 9112 6.1",
            HeadError::TransferEncoding => "RFC 9112 6.1",
            HeadError::TargetTooLong => "RFC 9110 15.5.15",
            HeadError::FieldsTooLarge => "RFC 6585 5",
            HeadError::Status => "RFC 9112 4",
        }
    }

    /// What the client is told.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        match self {
            HeadError::TargetTooLong => Refusal::uri_too_long(),
            HeadError::FieldsTooLarge => Refusal::headers_too_large(),
            HeadError::TransferCoding => Refusal::not_implemented(),
            HeadError::Version => Refusal::version_not_supported(),
            _ => Refusal::malformed(),
        }
    }

    /// Status of [`refusal`](Self::refusal).
    #[must_use]
    pub fn status(self) -> u16 {
        self.refusal().status
    }
}

/// A body that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// Not hexadecimal, or more than 63 bits.
    ChunkSize,
    /// A bad or endless chunk extension.
    ChunkExtension,
    /// A line end that is not CRLF.
    ChunkEnd,
    /// A bad or endless trailer section.
    Trailer,
}

impl BodyError {
    /// The rule that the body breaks.
    #[must_use]
    pub fn clause(self) -> &'static str {
        match self {
            BodyError::ChunkSize | BodyError::ChunkEnd => "RFC 9112 7.1",
            BodyError::ChunkExtension => "RFC 9112 7.1.1",
            BodyError::Trailer => "RFC 9112 7.1.2",
        }
    }

    /// What the client is told.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        Refusal::malformed()
    }
}
