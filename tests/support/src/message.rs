//! One HTTP/1.1 message as a test sees it: start line, fields in order, whole body. A reader for well-formed
//! messages, independent of the product's own codec, so that the two can't share a mistake.

use std::io::{self, Read};

/// A request or a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// First line, without its line break.
    pub start: String,
    /// Fields in order, names as they came.
    pub fields: Vec<(String, String)>,
    /// The body without its framing.
    pub body: Vec<u8>,
    /// The bytes of the whole message as they came.
    pub raw: Vec<u8>,
}

/// How a body ends.
enum End {
    After(usize),
    LastChunk,
    WithConnection,
}

impl Message {
    /// Status of a response.
    ///
    /// # Panics
    /// The message isn't a response.
    #[must_use]
    pub fn status(&self) -> u16 {
        let code = self.start.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
        code.and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no status in {:?}", self.start))
    }

    /// Last value of a field, by name in any case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.values(name).last().copied()
    }

    /// All values of a field.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        let named = self.fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Target of a request.
    #[must_use]
    pub fn target(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// Reads one request; `None` when the peer closed before its first byte.
    ///
    /// # Errors
    /// The connection ends inside the message, or the message is malformed.
    pub fn read_request(stream: &mut impl Read) -> io::Result<Option<Message>> {
        let Some(mut message) = read_head(stream)? else { return Ok(None) };
        let end = match (message.field("transfer-encoding"), message.field("content-length")) {
            (Some(_), _) => End::LastChunk,
            (None, Some(length)) => End::After(number(length)?),
            (None, None) => End::After(0),
        };
        message.read_body(stream, &end)?;
        Ok(Some(message))
    }

    /// Reads one response to a request of the given method.
    ///
    /// # Errors
    /// The connection ends inside the message, or the message is malformed.
    pub fn read_response(stream: &mut impl Read, method: &str) -> io::Result<Message> {
        let Some(mut message) = read_head(stream)? else {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        };
        let status = message.status();
        let end = match (message.field("transfer-encoding"), message.field("content-length")) {
            _ if method == "HEAD" || status < 200 || status == 204 || status == 304 => End::After(0),
            (Some(_), _) => End::LastChunk,
            (None, Some(length)) => End::After(number(length)?),
            (None, None) => End::WithConnection,
        };
        message.read_body(stream, &end)?;
        Ok(message)
    }

    fn read_body(&mut self, stream: &mut impl Read, end: &End) -> io::Result<()> {
        match *end {
            End::After(length) => self.body = self.take(stream, length)?,
            End::WithConnection => {
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest)?;
                self.raw.extend_from_slice(&rest);
                self.body = rest;
            }
            End::LastChunk => loop {
                let line = self.line(stream)?;
                let size = line.split(';').next().unwrap_or_default().trim();
                let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
                if size == 0 {
                    while !self.line(stream)?.is_empty() {}
                    return Ok(());
                }
                let chunk = self.take(stream, size)?;
                self.body.extend_from_slice(&chunk);
                self.line(stream)?;
            },
        }
        Ok(())
    }

    fn take(&mut self, stream: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        stream.read_exact(&mut bytes)?;
        self.raw.extend_from_slice(&bytes);
        Ok(bytes)
    }

    fn line(&mut self, stream: &mut impl Read) -> io::Result<String> {
        let line = read_line(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.raw.extend_from_slice(line.as_bytes());
        self.raw.extend_from_slice(b"\r\n");
        Ok(line)
    }
}

fn read_head(stream: &mut impl Read) -> io::Result<Option<Message>> {
    let Some(start) = read_line(stream)? else { return Ok(None) };
    let mut message = Message { raw: format!("{start}\r\n").into_bytes(), start, ..Message::default() };
    loop {
        let line = message.line(stream)?;
        if line.is_empty() {
            return Ok(Some(message));
        }
        let (name, value) =
            line.split_once(':').ok_or_else(|| io::Error::other(format!("no field: {line:?}")))?;
        message.fields.push((name.to_owned(), value.trim().to_owned()));
    }
}

/// A line without its CRLF; `None` at the end of the stream.
fn read_line(stream: &mut impl Read) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\r\n") {
        if stream.read(&mut byte)? == 0 {
            return if line.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        line.push(byte[0]);
    }
    line.truncate(line.len() - 2);
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

fn number(text: &str) -> io::Result<usize> {
    text.parse().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::Message;

    #[test]
    fn bodies_end_by_length_chunk_or_connection() {
        let mut stream = &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 201 C\r\nTransfer-Encoding: chunked\r\n\
            \r\n3;x\r\nabc\r\n0\r\nT: 1\r\n\r\nHTTP/1.1 200 OK\r\n\r\nrest"[..];
        let bodies: Vec<String> =
            (0..3).map(|_| Message::read_response(&mut stream, "GET").expect("well formed").text()).collect();
        assert_eq!(bodies, ["hi", "abc", "rest"]);
    }
}
