//! Reads HTTP/1.1 messages by the letter: one spelling of everything, so that what the gateway writes is canonical.

/// The start line and fields of a message.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) start: String,
    fields: Vec<(String, String)>,
}

impl Head {
    /// Reads a head from the front of `bytes`, with the number of bytes it took; `None` if its end isn't there yet.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<(Head, usize)>, String> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return if bytes.len() > 70_000 { Err("a head without an end".to_owned()) } else { Ok(None) };
        };
        let text = std::str::from_utf8(&bytes[..end]).map_err(|_| "a head that isn't text".to_owned())?;
        let mut lines = text.split("\r\n");
        let start = lines.next().unwrap_or_default().to_owned();
        let mut fields = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(": ").ok_or_else(|| format!("not a field: {line:?}"))?;
            let token = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if !token || value.trim() != value || value.contains(['\r', '\n', '\0']) {
                return Err(format!("not a canonical field: {line:?}"));
            }
            fields.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        Ok(Some((Head { start, fields }, end + 4)))
    }

    /// The value of a field that may come once.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, String> {
        let mut values = self.fields.iter().filter(|(known, _)| known == name).map(|(_, value)| &**value);
        let first = values.next();
        if values.next().is_some() { Err(format!("{name} twice")) } else { Ok(first) }
    }

    /// The framing that `Content-Length` and `Transfer-Encoding` state; `None` if they say nothing.
    pub(crate) fn framing(&self) -> Result<Option<Framing>, String> {
        match (self.one("content-length")?, self.one("transfer-encoding")?) {
            (None, None) => Ok(None),
            (Some(length), None) => {
                let number = length.parse::<usize>().map_err(|_| format!("no length: {length:?}"))?;
                if number.to_string() != length {
                    return Err(format!("no canonical length: {length:?}"));
                }
                Ok(Some(Framing::Length(number)))
            }
            (None, Some("chunked")) => Ok(Some(Framing::Chunked)),
            (length, coding) => Err(format!("framing of {length:?} and {coding:?}")),
        }
    }
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// After as many bytes.
    Length(usize),
    /// With an empty chunk.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// A body being read.
#[derive(Debug)]
pub(crate) struct BodyReader {
    framing: Framing,
    /// Bytes of the chunk that are still to come; `None` before its size is known.
    chunk_left: Option<usize>,
    /// The chunk is the empty one.
    is_last: bool,
    pub(crate) body: Vec<u8>,
    pub(crate) is_done: bool,
}

impl BodyReader {
    pub(crate) fn new(framing: Framing) -> Self {
        BodyReader {
            framing,
            chunk_left: None,
            is_last: false,
            body: Vec::new(),
            is_done: framing == Framing::Length(0),
        }
    }

    /// Takes what belongs to the body from the front of `bytes`; the rest is left there.
    pub(crate) fn feed(&mut self, bytes: &mut Vec<u8>) -> Result<(), String> {
        let consumed = match self.framing {
            _ if self.is_done => 0,
            Framing::UntilClose => {
                self.body.extend_from_slice(bytes);
                bytes.len()
            }
            Framing::Length(length) => {
                let count = bytes.len().min(length - self.body.len());
                self.body.extend_from_slice(&bytes[..count]);
                self.is_done = self.body.len() == length;
                count
            }
            Framing::Chunked => self.feed_chunks(bytes)?,
        };
        bytes.drain(..consumed);
        Ok(())
    }

    fn feed_chunks(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let mut at = 0;
        while !self.is_done {
            let Some(left) = self.chunk_left else {
                let Some(end) = bytes[at..].windows(2).position(|window| window == b"\r\n") else {
                    return if bytes.len() - at > 20 { Err("no chunk size".to_owned()) } else { Ok(at) };
                };
                let text = std::str::from_utf8(&bytes[at..at + end]).unwrap_or("?");
                let size = usize::from_str_radix(text, 16).map_err(|_| format!("chunk size {text:?}"))?;
                if text.starts_with(['0', '+']) && size > 0 {
                    return Err(format!("no canonical chunk size: {text:?}"));
                }
                self.chunk_left = Some(size);
                self.is_last = size == 0;
                at += end + 2;
                continue;
            };
            let count = left.min(bytes.len() - at);
            self.body.extend_from_slice(&bytes[at..at + count]);
            at += count;
            self.chunk_left = Some(left - count);
            if count < left || bytes.len() - at < 2 {
                return Ok(at);
            }
            if &bytes[at..at + 2] != b"\r\n" {
                return Err("a chunk that goes on after its end".to_owned());
            }
            at += 2;
            // The empty chunk has no data: its line end is the end of the (empty) trailer section.
            self.is_done = self.is_last;
            self.chunk_left = None;
        }
        Ok(at)
    }
}
