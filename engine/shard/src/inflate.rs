//! Inflates encoded bodies in the stream, within a bound, where the header rules drop `Content-Encoding`.
//!
//! AWS: "Content encoding" and "Payload compression" guide pages; architecture: never drop the header and pass
//! encoded bytes. Refuses: bad data, and more output than the payload limit allows (decompression bombs).

use codec::h1::Coding;
use flate2::{Decompress, FlushDecompress, Status};

/// Bytes produced per step; also the size of the scratch buffer.
const STEP_BYTES: usize = 16 * 1024;

/// Why inflating stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InflateError {
    /// Not a gzip or deflate stream, or a damaged one.
    BadData,
    /// More than the bound came out.
    TooLarge,
}

/// One body being inflated.
pub(crate) struct Inflater {
    state: Decompress,
    produced: u64,
    produced_max: u64,
    /// Header bytes are collected first: raw deflate and zlib are told apart by them.
    coding: Coding,
    ended: bool,
}

impl Inflater {
    /// An inflater that stops after `produced_max` bytes of output.
    pub(crate) fn new(coding: Coding, produced_max: u64) -> Self {
        let state = match coding {
            Coding::Gzip => Decompress::new_gzip(15),
            Coding::Deflate => Decompress::new(true),
        };
        Inflater { state, produced: 0, produced_max, coding, ended: false }
    }

    /// Inflates `input` to its end and appends the output to `out`.
    pub(crate) fn push(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), InflateError> {
        if self.state.total_in() == 0
            && self.coding == Coding::Deflate
            && input.first().is_some_and(|first| first & 0x0f != 8)
        {
            // RFC 9110 §8.4.1.2: some senders leave the zlib wrapper out.
            self.state = Decompress::new(false);
        }
        while !self.ended {
            out.reserve(STEP_BYTES);
            let (before_in, before_out) = (self.state.total_in(), self.state.total_out());
            let status = self
                .state
                .decompress_vec(input, out, FlushDecompress::None)
                .map_err(|_| InflateError::BadData)?;
            let read = usize::try_from(self.state.total_in() - before_in).unwrap_or(usize::MAX);
            let wrote = self.state.total_out() - before_out;
            self.produced += wrote;
            if self.produced > self.produced_max {
                return Err(InflateError::TooLarge);
            }
            input = &input[read.min(input.len())..];
            self.ended = status == Status::StreamEnd;
            if !self.ended && !input.is_empty() && read == 0 && wrote == 0 {
                return Err(InflateError::BadData);
            }
            // Room left over means that everything read so far has come out.
            if input.is_empty() && out.len() < out.capacity() {
                break;
            }
        }
        if self.ended && !input.is_empty() { Err(InflateError::BadData) } else { Ok(()) }
    }

    /// To be called at the end of the body: whether the stream was whole.
    pub(crate) fn finish(&self) -> Result<(), InflateError> {
        if self.ended || self.state.total_in() == 0 { Ok(()) } else { Err(InflateError::BadData) }
    }
}
