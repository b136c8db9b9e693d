//! Frames: their headers, flags and the shapes that section 6 of RFC 9113 asks for.

use super::error::{ErrorCode, Fault};

/// Bytes of a frame header (§4.1).
pub const HEADER_BYTES: usize = 9;
/// What a client's connection begins with (§3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Whether a client that said nothing beforehand speaks HTTP/2 (§3.3). `None`: too few bytes to tell.
#[must_use]
pub fn is_preface(input: &[u8]) -> Option<bool> {
    let len = input.len().min(PREFACE.len());
    if input[..len] != PREFACE[..len] {
        return Some(false);
    }
    (len == PREFACE.len()).then_some(true)
}

/// The largest stream id, and the mask that takes the reserved bit away.
pub(super) const STREAM_ID_MAX: u32 = 0x7fff_ffff;

pub(super) const END_STREAM: u8 = 0x1;
pub(super) const ACK: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
pub(super) const PADDED: u8 = 0x8;
pub(super) const PRIORITY_FLAG: u8 = 0x20;

/// Frame types (§6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Headers,
    Priority,
    RstStream,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
    /// An extension; ignored (§4.1).
    Unknown,
}

impl Kind {
    fn of(octet: u8) -> Self {
        match octet {
            0 => Kind::Data,
            1 => Kind::Headers,
            2 => Kind::Priority,
            3 => Kind::RstStream,
            4 => Kind::Settings,
            5 => Kind::PushPromise,
            6 => Kind::Ping,
            7 => Kind::GoAway,
            8 => Kind::WindowUpdate,
            9 => Kind::Continuation,
            _ => Kind::Unknown,
        }
    }
}

/// A frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) len: u32,
    pub(super) kind: Kind,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl Header {
    pub(super) fn read(bytes: &[u8; HEADER_BYTES]) -> Self {
        let [len_0, len_1, len_2, kind, flags, id_0, id_1, id_2, id_3] = *bytes;
        Header {
            len: u32::from_be_bytes([0, len_0, len_1, len_2]),
            kind: Kind::of(kind),
            flags,
            stream: u32::from_be_bytes([id_0, id_1, id_2, id_3]) & STREAM_ID_MAX,
        }
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Checks what the header alone tells: length and stream id (§4.2, §6).
    pub(super) fn check(&self, frame_bytes_max: u32) -> Result<(), Fault> {
        const SIZE: ErrorCode = ErrorCode::FRAME_SIZE_ERROR;
        const PROTOCOL: ErrorCode = ErrorCode::PROTOCOL_ERROR;
        if self.len > frame_bytes_max {
            return Err(Fault::connection(SIZE, "a frame over SETTINGS_MAX_FRAME_SIZE"));
        }
        let needs_stream = match self.kind {
            Kind::Data | Kind::Headers | Kind::Priority | Kind::RstStream | Kind::Continuation => true,
            Kind::Settings | Kind::Ping | Kind::GoAway => false,
            Kind::PushPromise => {
                return Err(Fault::connection(PROTOCOL, "PUSH_PROMISE, which is switched off"));
            }
            Kind::WindowUpdate | Kind::Unknown => self.stream != 0,
        };
        if needs_stream != (self.stream != 0) {
            return Err(Fault::connection(PROTOCOL, "a frame type on a stream id that it can't have"));
        }
        let fits = match self.kind {
            Kind::RstStream | Kind::WindowUpdate => self.len == 4,
            Kind::Settings if self.has(ACK) => self.len == 0,
            Kind::Settings => self.len.is_multiple_of(6),
            Kind::Ping => self.len == 8,
            Kind::GoAway => self.len >= 8,
            Kind::Priority if self.len != 5 => {
                return Err(Fault::stream(SIZE, "PRIORITY that isn't five bytes"));
            }
            _ => true,
        };
        if fits {
            Ok(())
        } else {
            Err(Fault::connection(SIZE, "a frame type with a length that it can't have"))
        }
    }
}

/// Appends a frame header.
#[inline]
pub(super) fn write_header(out: &mut Vec<u8>, len: usize, kind: Kind, flags: u8, stream: u32) {
    out.extend_from_slice(&header(len, kind, flags, stream));
}

/// A frame header's bytes.
#[inline]
pub(super) fn header(len: usize, kind: Kind, flags: u8, stream: u32) -> [u8; HEADER_BYTES] {
    let [_, len_0, len_1, len_2] = (len as u32).to_be_bytes();
    let [id_0, id_1, id_2, id_3] = stream.to_be_bytes();
    [len_0, len_1, len_2, kind as u8, flags, id_0, id_1, id_2, id_3]
}

/// Appends RST_STREAM.
pub(super) fn write_reset(out: &mut Vec<u8>, stream: u32, code: ErrorCode) {
    write_header(out, 4, Kind::RstStream, 0, stream);
    out.extend_from_slice(&code.0.to_be_bytes());
}

/// Appends WINDOW_UPDATE.
pub(super) fn write_window_update(out: &mut Vec<u8>, stream: u32, increment: u32) {
    write_header(out, 4, Kind::WindowUpdate, 0, stream);
    out.extend_from_slice(&increment.to_be_bytes());
}

/// Appends GOAWAY with words for people who debug.
pub(super) fn write_go_away(out: &mut Vec<u8>, last: u32, code: ErrorCode, reason: &str) {
    write_header(out, 8 + reason.len(), Kind::GoAway, 0, 0);
    out.extend_from_slice(&last.to_be_bytes());
    out.extend_from_slice(&code.0.to_be_bytes());
    out.extend_from_slice(reason.as_bytes());
}

/// A number of a payload, the reserved bit still in it.
pub(super) fn number(payload: &[u8]) -> u32 {
    payload.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// What is left of a payload without its padding (§6.1, §6.2).
pub(super) fn unpadded<'a>(header: &Header, payload: &'a [u8]) -> Result<&'a [u8], Fault> {
    if !header.has(PADDED) {
        return Ok(payload);
    }
    let fault = Fault::connection(ErrorCode::PROTOCOL_ERROR, "padding longer than its frame");
    let (&padding, rest) = payload.split_first().ok_or(fault)?;
    rest.len().checked_sub(padding as usize).map(|len| &rest[..len]).ok_or(fault)
}
