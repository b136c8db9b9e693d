//! Message bodies: where their bytes lie in what arrives, and where they end (RFC 9112 §6, §7.1).

use std::ops::Range;

use vocabulary::limits::{CHUNK_LINE_BYTES, TRAILER_BYTES};

use super::error::BodyError;
use super::fields::LOOSENED;
use super::tables::{is_token, is_value};

/// How a body's end is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyFraming {
    /// There is none.
    #[default]
    None,
    /// After this many bytes.
    Length(u64),
    /// After the last chunk and the trailer section.
    Chunked,
    /// With the connection (responses only).
    UntilClose,
}

/// What one step of decoding found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Bytes of the input that were read.
    pub consumed: usize,
    /// Body bytes among them.
    pub data: Range<usize>,
    /// The body has ended.
    pub done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Length(u64),
    UntilClose,
    Size { size: u64, digits: u8 },
    Extension { size: u64 },
    SizeFeed { size: u64 },
    Data { left: u64 },
    DataReturn,
    DataFeed,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerFeed,
    EndFeed,
    Done,
}

/// Walks a body as it arrives. Chunk extensions and trailers are checked, bounded and dropped: AWS removes `Trailer`.
#[derive(Debug)]
pub struct BodyDecoder {
    state: State,
    /// Bytes of the current chunk line, or of the trailer section.
    line_bytes: usize,
}

impl BodyDecoder {
    /// A decoder at the start of a body.
    #[must_use]
    pub fn new(framing: BodyFraming) -> Self {
        let state = match framing {
            BodyFraming::None | BodyFraming::Length(0) => State::Done,
            BodyFraming::Length(length) => State::Length(length),
            BodyFraming::Chunked => State::Size { size: 0, digits: 0 },
            BodyFraming::UntilClose => State::UntilClose,
        };
        BodyDecoder { state, line_bytes: 0 }
    }

    /// Whether the body has ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Reads up to the end of the next run of body bytes, or of the input.
    ///
    /// # Errors
    /// What [`BodyError`] lists; the connection can't be used further.
    pub fn next(&mut self, input: &[u8]) -> Result<Decoded, BodyError> {
        match self.state {
            State::Done => Ok(Decoded { consumed: 0, data: 0..0, done: true }),
            State::UntilClose => Ok(Decoded { consumed: input.len(), data: 0..input.len(), done: false }),
            State::Length(left) => {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                let left = left - taken as u64;
                self.state = if left == 0 { State::Done } else { State::Length(left) };
                Ok(Decoded { consumed: taken, data: 0..taken, done: left == 0 })
            }
            _ => self.next_chunked(input),
        }
    }

    fn next_chunked(&mut self, input: &[u8]) -> Result<Decoded, BodyError> {
        let mut at = 0;
        while at < input.len() {
            if let State::Data { left } = self.state {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(input.len() - at);
                let left = left - taken as u64;
                self.state = if left == 0 { State::DataReturn } else { State::Data { left } };
                return Ok(Decoded { consumed: at + taken, data: at..at + taken, done: false });
            }
            let octet = input[at];
            at += 1;
            self.state = match self.state {
                State::TrailerStart
                | State::TrailerName
                | State::TrailerValue
                | State::TrailerFeed
                | State::EndFeed => self.step_trailer(octet)?,
                state => self.step_line(state, octet)?,
            };
            if self.state == State::Done {
                return Ok(Decoded { consumed: at, data: at..at, done: true });
            }
        }
        Ok(Decoded { consumed: at, data: at..at, done: false })
    }

    fn step_line(&mut self, state: State, octet: u8) -> Result<State, BodyError> {
        self.line_bytes += 1;
        if self.line_bytes > CHUNK_LINE_BYTES {
            return Err(BodyError::ChunkExtension);
        }
        match (state, octet) {
            (State::Size { size, digits }, _) if octet.is_ascii_hexdigit() => {
                // Fifteen digits are below 2^60; leading zeros count, so a line of them ends too.
                if digits == 15 {
                    return Err(BodyError::ChunkSize);
                }
                let value = (octet as char).to_digit(16).ok_or(BodyError::ChunkSize)?;
                Ok(State::Size { size: size * 16 + u64::from(value), digits: digits + 1 })
            }
            (State::Size { digits: 0, .. }, _) => Err(BodyError::ChunkSize),
            (State::Size { size, .. } | State::Extension { size }, b'\r') => Ok(State::SizeFeed { size }),
            (State::Size { size, .. }, b'\n') if LOOSENED => Ok(self.after_size(size)),
            (State::Size { size, .. }, b';' | b' ' | b'\t') => Ok(State::Extension { size }),
            (State::Size { .. }, _) => Err(BodyError::ChunkSize),
            (State::Extension { size }, _) if is_value(octet) => Ok(State::Extension { size }),
            (State::Extension { .. }, _) => Err(BodyError::ChunkExtension),
            (State::SizeFeed { size }, b'\n') => Ok(self.after_size(size)),
            (State::DataReturn, b'\r') => Ok(State::DataFeed),
            (State::DataFeed, b'\n') => {
                self.line_bytes = 0;
                Ok(State::Size { size: 0, digits: 0 })
            }
            _ => Err(BodyError::ChunkEnd),
        }
    }

    fn after_size(&mut self, size: u64) -> State {
        self.line_bytes = 0;
        if size == 0 { State::TrailerStart } else { State::Data { left: size } }
    }

    fn step_trailer(&mut self, octet: u8) -> Result<State, BodyError> {
        self.line_bytes += 1;
        if self.line_bytes > TRAILER_BYTES {
            return Err(BodyError::Trailer);
        }
        match (self.state, octet) {
            (State::TrailerStart, b'\r') => Ok(State::EndFeed),
            (State::TrailerStart, _) if is_token(octet) => Ok(State::TrailerName),
            (State::TrailerName, b':') => Ok(State::TrailerValue),
            (State::TrailerName, _) if is_token(octet) => Ok(State::TrailerName),
            (State::TrailerValue, b'\r') => Ok(State::TrailerFeed),
            (State::TrailerValue, _) if is_value(octet) => Ok(State::TrailerValue),
            (State::TrailerFeed, b'\n') => Ok(State::TrailerStart),
            (State::EndFeed, b'\n') => Ok(State::Done),
            _ => Err(BodyError::Trailer),
        }
    }
}
