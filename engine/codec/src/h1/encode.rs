//! Canonical output: heads and chunks written one way only, whatever came in.

use std::ops::Range;

use super::fields::{Field, canonical_line};

/// Ends a chunked body without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// A content coding that can be inflated (RFC 9110 §8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// gzip, x-gzip
    Gzip,
    /// deflate: zlib, and raw as some send it
    Deflate,
}

/// Appends `HTTP/1.1 {status} {reason}`.
pub fn status_line(out: &mut Vec<u8>, status: u16) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(&[
        b'0' + (status / 100 % 10) as u8,
        b'0' + (status / 10 % 10) as u8,
        b'0' + (status % 10) as u8,
        b' ',
    ]);
    out.extend_from_slice(reason(status).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Appends one field line. The caller vouches for name and value (see `valid_field_value`).
#[inline(always)] // so that a literal name is stored, not copied by a call
pub fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Appends `Content-Length: {length}`.
pub fn content_length(out: &mut Vec<u8>, length: u64) {
    let mut digits = itoa::Buffer::new();
    field(out, b"Content-Length", digits.format(length).as_bytes());
}

/// Appends `Transfer-Encoding: chunked`.
pub fn transfer_encoding_chunked(out: &mut Vec<u8>) {
    out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
}

/// Appends a chunk's size line. A chunk of zero bytes would end the body.
pub fn chunk_prefix(out: &mut Vec<u8>, len: usize) {
    debug_assert!(len > 0, "an empty chunk ends the body");
    let digits = (usize::BITS - len.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(len >> (digit * 4)) & 15]);
    }
    out.extend_from_slice(b"\r\n");
}

/// Field lines on their way from one head to another. Neighbours that go on as they came are copied together.
#[derive(Debug)]
pub struct Lines<'a> {
    bytes: &'a [u8],
    run: Range<usize>,
}

impl<'a> Lines<'a> {
    /// Lines of the head with these bytes.
    #[must_use]
    pub fn of(bytes: &'a [u8]) -> Self {
        Lines { bytes, run: 0..0 }
    }

    /// Appends a field's line, perhaps not before the next call.
    #[inline]
    pub fn pass(&mut self, field: &Field, out: &mut Vec<u8>) {
        let Some(line) = canonical_line(self.bytes, field) else {
            self.flush(out);
            self::field(out, field.name.of(self.bytes), field.value.of(self.bytes));
            return;
        };
        let (start, end) = (line.start as usize, (line.start + line.len) as usize);
        if start != self.run.end {
            self.flush(out);
            self.run.start = start;
        }
        self.run.end = end;
    }

    /// To be called before anything else is appended.
    #[inline]
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes[std::mem::replace(&mut self.run, 0..0)]);
    }
}

/// The reason phrase of a status (RFC 9110 §15); empty for one without a name.
#[must_use]
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        418 => "I'm a teapot",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        _ => "",
    }
}
