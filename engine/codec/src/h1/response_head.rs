//! Response heads of backends: status line, fields, framing (RFC 9112 §4, §6.3).

use vocabulary::{KnownField, Method};

use super::Progress;
use super::body::BodyFraming;
use super::error::HeadError;
use super::fields::{Field, Fields, Line, Span, next_line};
use super::limits::HeadLimits;

/// A response head. It is reused: [`clear`](Self::clear) keeps its memory.
#[derive(Debug, Default)]
pub struct ResponseHead {
    bytes: Vec<u8>,
    fields: Fields,
    status: u16,
    reason: Span,
    minor_version: u8,
    started: bool,
    line_start: usize,
    scanned: usize,
}

impl ResponseHead {
    /// Forgets the head and keeps its memory.
    pub fn clear(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let fields = std::mem::take(&mut self.fields);
        *self = ResponseHead { bytes, fields, ..ResponseHead::default() };
        self.bytes.clear();
        self.fields.clear();
    }

    /// Reads the head at the start of `input`; as [`RequestHead::parse`](super::RequestHead::parse).
    ///
    /// # Errors
    /// What [`HeadError`] lists; the backend connection can't be used further.
    pub fn parse(&mut self, input: &[u8], limits: &HeadLimits) -> Result<Progress, HeadError> {
        loop {
            let (end, next) = match next_line(input, self.line_start, self.scanned)? {
                Line::Whole { end, next } => (end, next),
                Line::Partial => {
                    self.scanned = input.len();
                    // The line may have its CR already.
                    let too_long = input.len() - self.line_start > limits.fields_bytes + 1;
                    return if too_long { Err(HeadError::FieldsTooLarge) } else { Ok(Progress::Partial) };
                }
            };
            let start = std::mem::replace(&mut self.line_start, next);
            if !self.started {
                if end - start > limits.fields_bytes {
                    return Err(HeadError::FieldsTooLarge);
                }
                self.read_status_line(input, start, end)?;
                self.started = true;
            } else if start == end {
                self.fields.settle(self.minor_version)?;
                self.bytes.clear();
                self.bytes.extend_from_slice(&input[..next]);
                return Ok(Progress::Complete { consumed: next });
            } else {
                self.fields.read(input, start, end, limits)?;
            }
        }
    }

    fn read_status_line(&mut self, input: &[u8], start: usize, end: usize) -> Result<(), HeadError> {
        let line = &input[start..end];
        self.minor_version = match line.get(..9) {
            Some(b"HTTP/1.1 ") => 1,
            Some(b"HTTP/1.0 ") => 0,
            _ => return Err(HeadError::Version),
        };
        let digits = line.get(9..12).ok_or(HeadError::Status)?;
        // The space before an empty reason is often left out.
        if !digits.iter().all(u8::is_ascii_digit) || line.get(12).is_some_and(|&octet| octet != b' ') {
            return Err(HeadError::Status);
        }
        self.status = digits.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
        if !(100..600).contains(&self.status) {
            return Err(HeadError::Status);
        }
        let reason = (start + 13).min(end);
        if !super::valid_field_value(&input[reason..end]) {
            return Err(HeadError::StartLine);
        }
        self.reason = Span::new(reason, end);
        Ok(())
    }

    /// The status, 100 to 599.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The reason phrase; often empty.
    #[must_use]
    pub fn reason(&self) -> &[u8] {
        self.reason.of(&self.bytes)
    }

    /// All field lines in order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields.list
    }

    /// The bytes that all spans refer to.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A field's name as it came.
    #[must_use]
    pub fn name(&self, field: &Field) -> &[u8] {
        field.name.of(&self.bytes)
    }

    /// A field's value.
    #[must_use]
    pub fn value(&self, field: &Field) -> &[u8] {
        field.value.of(&self.bytes)
    }

    /// The last value of a field.
    #[must_use]
    pub fn find(&self, known: KnownField) -> Option<&[u8]> {
        self.fields.find(known).map(|field| self.value(field))
    }

    /// The length that the head states, whether or not a body follows.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.fields.length
    }

    /// How the body is framed in answer to `method` (RFC 9112 §6.3).
    #[must_use]
    pub fn body(&self, method: Method) -> BodyFraming {
        if method == Method::Head || self.status < 200 || matches!(self.status, 204 | 304) {
            return BodyFraming::None;
        }
        match self.fields.length {
            _ if self.fields.chunked => BodyFraming::Chunked,
            Some(length) => BodyFraming::Length(length),
            None => BodyFraming::UntilClose,
        }
    }

    /// Whether the backend lets the connection be used again.
    #[must_use]
    pub fn keep_alive(&self) -> bool {
        self.fields.persists(self.minor_version)
    }

    /// Whether a field goes no further than this connection.
    #[must_use]
    pub fn is_hop_by_hop(&self, field: &Field) -> bool {
        self.fields.is_hop_by_hop(&self.bytes, field)
    }
}
