//! Heads and bodies that are read as they come, so that a body of any size fits.

use std::io::{self, BufRead, Read, Write};

/// A message's head.
#[derive(Debug)]
pub(crate) struct Head {
    /// The first line.
    pub(crate) start: String,
    fields: Vec<(String, String)>,
}

impl Head {
    /// Reads a head; `None` when the peer closed before its first byte.
    pub(crate) fn read(stream: &mut impl BufRead) -> io::Result<Option<Head>> {
        let Some(start) = line(stream)? else { return Ok(None) };
        let mut head = Head { start, fields: Vec::new() };
        loop {
            let text = line(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if text.is_empty() {
                return Ok(Some(head));
            }
            let (name, value) = text.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
            head.fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// A word of the first line.
    pub(crate) fn word(&self, index: usize) -> &str {
        self.start.split(' ').nth(index).unwrap_or_default()
    }

    /// A field, by its name in lower case.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// How its body is framed; a message with neither length nor coding has none.
    pub(crate) fn framing(&self) -> Framing {
        match self.field("content-length").and_then(|text| text.parse().ok()) {
            Some(length) => Framing::Length(length),
            None if self.field("transfer-encoding").is_some() => Framing::Chunked,
            None => Framing::Length(0),
        }
    }
}

/// How a body ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
}

/// Hands a body's pieces to `take`; gives its length.
pub(crate) fn read_body(
    stream: &mut impl BufRead,
    framing: Framing,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<u64> {
    let mut total = 0;
    match framing {
        Framing::Length(length) => read_exactly(stream, length, &mut take).map(|()| length),
        Framing::Chunked => loop {
            let size = line(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let size = u64::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
            read_exactly(stream, size, &mut take)?;
            total += size;
            line(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if size == 0 {
                return Ok(total);
            }
        },
    }
}

fn read_exactly(
    stream: &mut impl BufRead,
    length: u64,
    take: &mut impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut left = length;
    while left > 0 {
        let piece = stream.fill_buf()?;
        if piece.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let len = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        take(&piece[..len])?;
        stream.consume(len);
        left -= len as u64;
    }
    Ok(())
}

/// A line without its CRLF; `None` at the end of the stream.
fn line(stream: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut text = String::new();
    if stream.by_ref().take(64 * 1024).read_line(&mut text)? == 0 {
        return Ok(None);
    }
    let text = text.strip_suffix("\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(Some(text.to_owned()))
}

/// The byte at each place of a test's body: long enough to show a lost, doubled or swapped piece.
pub(crate) struct Pattern {
    bytes: Vec<u8>,
}

/// A prime, so that no buffer's size is a multiple of it.
const PERIOD: usize = 251;
/// Bytes written or compared at once.
const PIECE: usize = 64 * 1024;

impl Pattern {
    pub(crate) fn new() -> Self {
        Pattern { bytes: (0..PIECE + PERIOD).map(|at| (at % PERIOD) as u8).collect() }
    }

    /// Writes `length` bytes.
    pub(crate) fn write(&self, out: &mut impl Write, length: u64) -> io::Result<()> {
        let mut at = 0;
        while at < length {
            let len = PIECE.min(usize::try_from(length - at).unwrap_or(PIECE));
            let from = (at % PERIOD as u64) as usize;
            out.write_all(&self.bytes[from..from + len])?;
            at += len as u64;
        }
        Ok(())
    }

    /// Whether `piece` is what stands at `at`.
    pub(crate) fn has(&self, at: u64, piece: &[u8]) -> bool {
        let mut at = at;
        piece.chunks(PIECE).all(|part| {
            let from = (at % PERIOD as u64) as usize;
            at += part.len() as u64;
            &self.bytes[from..from + part.len()] == part
        })
    }
}
