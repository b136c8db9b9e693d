//! Field lines as spans of the head's bytes, and what they say about framing.

use vocabulary::KnownField;

use super::error::HeadError;
use super::limits::HeadLimits;
use super::tables::{all_token, find, valid_field_value};

/// Accepts what RFC 9112 forbids; see the feature's comment in Cargo.toml.
pub(super) const LOOSENED: bool = cfg!(feature = "loosened-for-tests");

/// A range of a head's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// Bytes.
    pub len: u32,
}

impl Span {
    /// A span of the bytes from `start` to `end`; heads are far below 4 GiB by their limits.
    pub(super) fn new(start: usize, end: usize) -> Self {
        Span { start: u32::try_from(start).unwrap_or(0), len: u32::try_from(end - start).unwrap_or(0) }
    }

    /// The bytes it covers.
    #[must_use]
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..(self.start + self.len) as usize]
    }
}

/// One field line; the value is without the white space around it.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name as it came.
    pub name: Span,
    /// The value.
    pub value: Span,
    /// The name, if a rule asks about it.
    pub known: KnownField,
}

/// The field lines of a head while it is read, and what framing they declare.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) list: Vec<Field>,
    pub(super) length: Option<u64>,
    pub(super) chunked: bool,
    pub(super) close: bool,
    pub(super) keep_alive: bool,
    /// `Connection` names fields that go no further.
    pub(super) lists_others: bool,
    pub(super) host: Option<Span>,
    /// A bit for each known field that is there.
    present: u64,
    bytes: usize,
}

const _: () = assert!(KnownField::COUNT <= 64, "one bit per known field");

impl Fields {
    pub(super) fn clear(&mut self) {
        let list = std::mem::take(&mut self.list);
        *self = Fields { list, ..Fields::default() };
        self.list.clear();
    }

    /// Reads one line without its end; `start` is where it lies in `input`.
    pub(super) fn read(
        &mut self,
        input: &[u8],
        start: usize,
        end: usize,
        limits: &HeadLimits,
    ) -> Result<(), HeadError> {
        self.bytes += end - start + 2;
        if self.bytes > limits.fields_bytes || self.list.len() >= limits.fields {
            return Err(HeadError::FieldsTooLarge);
        }
        let line = &input[start..end];
        let colon = find(b':', line).ok_or(HeadError::FieldName)?;
        let mut name_end = colon;
        if LOOSENED {
            name_end = line[..colon].trim_ascii_end().len();
        }
        let name = &line[..name_end];
        let known = KnownField::of(name);
        // A name with a rule is a token by that.
        if known == KnownField::Other && (name.is_empty() || !all_token(name)) {
            return Err(HeadError::FieldName);
        }
        let (mut from, mut to) = (colon + 1, line.len());
        while from < to && is_blank(line[from]) {
            from += 1;
        }
        while to > from && is_blank(line[to - 1]) {
            to -= 1;
        }
        let value = &line[from..to];
        if !valid_field_value(value) {
            return Err(HeadError::FieldValue);
        }
        let span = Span::new(start + from, start + to);
        match known {
            KnownField::ContentLength => self.read_length(value)?,
            KnownField::TransferEncoding => self.read_coding(value)?,
            KnownField::Connection => self.read_connection(value),
            KnownField::Host if self.host.is_some() => return Err(HeadError::Host),
            KnownField::Host => self.host = Some(span),
            _ => {}
        }
        self.present |= 1 << known as u8;
        self.list.push(Field { name: Span::new(start, start + name_end), value: span, known });
        Ok(())
    }

    fn read_length(&mut self, value: &[u8]) -> Result<(), HeadError> {
        if self.length.is_some() && !LOOSENED {
            return Err(HeadError::ContentLength);
        }
        // Eighteen digits are below 2^63 whatever they are; more are nobody's length.
        if value.is_empty() || value.len() > 18 || !value.iter().all(u8::is_ascii_digit) {
            return Err(HeadError::ContentLength);
        }
        self.length = Some(value.iter().fold(0, |length, digit| length * 10 + u64::from(digit - b'0')));
        Ok(())
    }

    fn read_coding(&mut self, value: &[u8]) -> Result<(), HeadError> {
        if self.chunked {
            return Err(HeadError::TransferEncoding);
        }
        if !value.eq_ignore_ascii_case(b"chunked") {
            let token = !value.is_empty() && all_token(value);
            return Err(if token { HeadError::TransferCoding } else { HeadError::TransferEncoding });
        }
        self.chunked = true;
        Ok(())
    }

    fn read_connection(&mut self, value: &[u8]) {
        for option in value.split(|&octet| octet == b',') {
            let option = option.trim_ascii();
            if option.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if option.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else if !option.is_empty() {
                self.lists_others = true;
            }
        }
    }

    /// RFC 9112 §6.1: a length beside a transfer coding is an attack or a defect, either way refused.
    pub(super) fn settle(&self, minor_version: u8) -> Result<(), HeadError> {
        if self.chunked && (self.length.is_some() || minor_version == 0) && !LOOSENED {
            return Err(HeadError::TransferEncoding);
        }
        Ok(())
    }

    /// Whether the connection stays open after this message (RFC 9112 §9.3).
    pub(super) fn persists(&self, minor_version: u8) -> bool {
        !self.close && (minor_version >= 1 || self.keep_alive)
    }

    /// Whether a field belongs to this connection alone (RFC 9110 §7.6.1).
    pub(super) fn is_hop_by_hop(&self, bytes: &[u8], field: &Field) -> bool {
        match field.known {
            KnownField::Connection
            | KnownField::KeepAlive
            | KnownField::ProxyConnection
            | KnownField::Te
            | KnownField::Trailer
            | KnownField::TransferEncoding
            | KnownField::Upgrade
            | KnownField::Http2Settings => true,
            _ => self.lists_others && self.is_listed(bytes, field.name.of(bytes)),
        }
    }

    /// The last field of a name; one that isn't there costs no search.
    pub(super) fn find(&self, known: KnownField) -> Option<&Field> {
        if self.present >> known as u8 & 1 == 0 {
            return None;
        }
        self.list.iter().rev().find(|field| field.known == known)
    }

    fn is_listed(&self, bytes: &[u8], name: &[u8]) -> bool {
        self.list
            .iter()
            .filter(|field| field.known == KnownField::Connection)
            .flat_map(|field| field.value.of(bytes).split(|&octet| octet == b','))
            .any(|option| option.trim_ascii().eq_ignore_ascii_case(name))
    }
}

/// The line of a field as it came, from its name to its line end, if it came in the form in which we write lines:
/// one space after the colon, none before the line end. Such lines can be copied whole.
pub(super) fn canonical_line(bytes: &[u8], field: &Field) -> Option<Span> {
    let name_end = field.name.start + field.name.len;
    let value_end = field.value.start + field.value.len;
    let canonical = field.value.start == name_end + 2
        && bytes[name_end as usize..].starts_with(b": ")
        && bytes[value_end as usize..].starts_with(b"\r\n");
    canonical.then(|| Span { start: field.name.start, len: value_end + 2 - field.name.start })
}

fn is_blank(octet: u8) -> bool {
    octet == b' ' || octet == b'\t'
}

/// The next line of a head: its end without CRLF and where the line after it starts.
pub(super) enum Line {
    /// No line end yet.
    Partial,
    /// The line ends before `end`; the next starts at `next`.
    Whole { end: usize, next: usize },
}

/// Finds the end of the line that starts at `start`; bytes before `scanned` are known to hold none.
pub(super) fn next_line(input: &[u8], start: usize, scanned: usize) -> Result<Line, HeadError> {
    let from = scanned.max(start);
    let Some(found) = find(b'\n', &input[from..]) else { return Ok(Line::Partial) };
    let feed = from + found;
    if feed == start || input[feed - 1] != b'\r' {
        return if LOOSENED {
            Ok(Line::Whole { end: feed, next: feed + 1 })
        } else {
            Err(HeadError::LineEnd)
        };
    }
    Ok(Line::Whole { end: feed - 1, next: feed + 1 })
}
