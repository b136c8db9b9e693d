//! Reads the gateway's answers as a client does, and holds them to one spelling.

use crate::message::{BodyReader, Framing, Head};

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) keeps_open: bool,
}

/// What came out of some bytes.
pub(crate) enum Reading {
    /// Nothing whole yet.
    Partial,
    /// `100 Continue`.
    Continue,
    /// An answer.
    Whole(Answer),
}

/// An answer being read.
#[derive(Default)]
pub(crate) struct AnswerReader {
    current: Option<(u16, bool, Framing, BodyReader)>,
}

impl AnswerReader {
    /// Whether an answer has begun: its head is there.
    pub(crate) fn has_begun(&self) -> bool {
        self.current.is_some()
    }

    /// Takes from the front of `inbox` what belongs to the answer to a request with that method.
    pub(crate) fn feed(&mut self, inbox: &mut Vec<u8>, method: &str, minor: u8) -> Result<Reading, String> {
        if self.current.is_none() {
            let Some((head, consumed)) = Head::read(inbox)? else { return Ok(Reading::Partial) };
            inbox.drain(..consumed);
            let status = status(&head)?;
            if status == 100 {
                return Ok(Reading::Continue);
            }
            self.current = Some(begin(&head, status, method, minor)?);
        }
        let Some((_, _, _, body)) = &mut self.current else { return Ok(Reading::Partial) };
        body.feed(inbox)?;
        if body.is_done { Ok(self.take()) } else { Ok(Reading::Partial) }
    }

    /// The connection ended in order: whether that ends an answer.
    pub(crate) fn end(&mut self) -> Reading {
        match &self.current {
            Some((_, _, Framing::UntilClose, _)) => self.take(),
            _ => Reading::Partial,
        }
    }

    fn take(&mut self) -> Reading {
        match self.current.take() {
            Some((status, keeps_open, _, body)) => {
                Reading::Whole(Answer { status, body: body.body, keeps_open })
            }
            None => Reading::Partial,
        }
    }
}

fn status(head: &Head) -> Result<u16, String> {
    let bad = || format!("not a status line: {:?}", head.start);
    let rest = head.start.strip_prefix("HTTP/1.1 ").ok_or_else(bad)?;
    let status: u16 = rest.get(..3).and_then(|digits| digits.parse().ok()).ok_or_else(bad)?;
    if rest.as_bytes().get(3) == Some(&b' ') { Ok(status) } else { Err(bad()) }
}

fn begin(
    head: &Head,
    status: u16,
    method: &str,
    minor: u8,
) -> Result<(u16, bool, Framing, BodyReader), String> {
    if status < 200 {
        return Err(format!("an interim answer of {status}"));
    }
    if head.one("date")?.is_none() {
        return Err("no date".to_owned());
    }
    let keeps_open = match head.one("connection")? {
        Some("keep-alive") => true,
        Some("close") => false,
        other => return Err(format!("connection: {other:?}")),
    };
    let stated = head.framing()?;
    if minor == 0 && stated == Some(Framing::Chunked) {
        return Err("chunks for a client of HTTP/1.0".to_owned());
    }
    let framing = match stated {
        _ if method == "HEAD" || status == 204 || status == 304 => Framing::Length(0),
        Some(framing) => framing,
        None if keeps_open => return Err("a body without an end".to_owned()),
        None => Framing::UntilClose,
    };
    Ok((status, keeps_open, framing, BodyReader::new(framing)))
}
