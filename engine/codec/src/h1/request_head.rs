//! Request heads: request line, fields, framing (RFC 9112 §3, §5, §6).

use vocabulary::{KnownField, Method};

use super::Progress;
use super::body::BodyFraming;
use super::error::HeadError;
use super::fields::{Field, Fields, Line, Span, next_line};
use super::limits::HeadLimits;
use super::tables::{all_target, all_token, find, is_authority, is_token};

/// Shape of the request target (RFC 9112 §3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetForm {
    /// `/path?query`
    #[default]
    Origin,
    /// `http://host/path?query`
    Absolute,
    /// `*`
    Asterisk,
}

/// A request head. It is reused: [`clear`](Self::clear) keeps its memory.
#[derive(Debug, Default)]
pub struct RequestHead {
    bytes: Vec<u8>,
    fields: Fields,
    method: Method,
    method_span: Span,
    path: Span,
    query: Option<Span>,
    authority: Option<Span>,
    form: TargetForm,
    minor_version: u8,
    expect_continue: bool,
    started: bool,
    skipped: bool,
    line_start: usize,
    scanned: usize,
}

impl RequestHead {
    /// Forgets the head and keeps its memory.
    pub fn clear(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let fields = std::mem::take(&mut self.fields);
        *self = RequestHead { bytes, fields, ..RequestHead::default() };
        self.bytes.clear();
        self.fields.clear();
    }

    /// Reads the head at the start of `input`. After `Partial`, call again with the same bytes and more behind them:
    /// finished lines are not read twice. One empty line before the request is skipped (RFC 9112 §2.2).
    ///
    /// # Errors
    /// What [`HeadError`] lists. The connection can't be used further.
    pub fn parse(&mut self, input: &[u8], limits: &HeadLimits) -> Result<Progress, HeadError> {
        loop {
            let (end, next) = match next_line(input, self.line_start, self.scanned)? {
                Line::Whole { end, next } => (end, next),
                Line::Partial => {
                    self.scanned = input.len();
                    self.check_partial(&input[self.line_start..], limits)?;
                    return Ok(Progress::Partial);
                }
            };
            let start = std::mem::replace(&mut self.line_start, next);
            if !self.started {
                if start == end && !self.skipped {
                    self.skipped = true;
                    continue;
                }
                self.read_request_line(input, start, end, limits)?;
                self.started = true;
            } else if start == end {
                self.settle(input)?;
                self.bytes.clear();
                self.bytes.extend_from_slice(&input[..next]);
                return Ok(Progress::Complete { consumed: next });
            } else {
                self.fields.read(input, start, end, limits)?;
                if self.fields.list.last().is_some_and(|field| field.known == KnownField::Expect) {
                    let value = self.fields.list[self.fields.list.len() - 1].value.of(input);
                    self.expect_continue |= value.eq_ignore_ascii_case(b"100-continue");
                }
            }
        }
    }

    /// An unfinished line that can't become a good one is refused before its end comes.
    fn check_partial(&self, line: &[u8], limits: &HeadLimits) -> Result<(), HeadError> {
        if self.started {
            let bound = limits.fields_bytes;
            return if line.len() > bound { Err(HeadError::FieldsTooLarge) } else { Ok(()) };
        }
        match line.first() {
            Some(&first) if !is_token(first) && first != b'\r' => return Err(HeadError::Method),
            _ => {}
        }
        // The line may have its CR already.
        if line.len() > line_bytes_max(limits) + 1 { Err(HeadError::TargetTooLong) } else { Ok(()) }
    }

    fn read_request_line(
        &mut self,
        input: &[u8],
        start: usize,
        end: usize,
        limits: &HeadLimits,
    ) -> Result<(), HeadError> {
        let line = &input[start..end];
        if line.len() > line_bytes_max(limits) {
            return Err(HeadError::TargetTooLong);
        }
        let method_end = find(b' ', line).ok_or(HeadError::StartLine)?;
        let method = &line[..method_end];
        self.method = Method::from_bytes(method);
        if self.method == Method::Other && (method.is_empty() || !all_token(method)) {
            return Err(HeadError::Method);
        }
        let target_start = method_end + 1;
        let target_end = target_start + find(b' ', &line[target_start..]).ok_or(HeadError::StartLine)?;
        if target_end - target_start > limits.target_bytes {
            return Err(HeadError::TargetTooLong);
        }
        if target_end == target_start || !all_target(&line[target_start..target_end]) {
            return Err(HeadError::Target);
        }
        self.minor_version = match &line[target_end + 1..] {
            b"HTTP/1.1" => 1,
            b"HTTP/1.0" => 0,
            version if version.starts_with(b"HTTP/") => return Err(HeadError::Version),
            _ => return Err(HeadError::StartLine),
        };
        self.method_span = Span::new(start, start + method_end);
        self.read_target(input, start + target_start, start + target_end)
    }

    fn read_target(&mut self, input: &[u8], start: usize, end: usize) -> Result<(), HeadError> {
        let target = &input[start..end];
        let mut path_start = start;
        if target == b"*" {
            if self.method != Method::Options {
                return Err(HeadError::Target);
            }
            self.form = TargetForm::Asterisk;
        } else if target[0] != b'/' {
            let scheme = [b"http://".as_slice(), b"https://"]
                .into_iter()
                .find(|scheme| {
                    target.len() > scheme.len() && target[..scheme.len()].eq_ignore_ascii_case(scheme)
                })
                .ok_or(HeadError::Target)?;
            let authority = &target[scheme.len()..];
            let len =
                authority.iter().position(|&octet| octet == b'/' || octet == b'?').unwrap_or(authority.len());
            if len == 0 || !is_authority(&authority[..len]) {
                return Err(HeadError::Target);
            }
            self.form = TargetForm::Absolute;
            path_start = start + scheme.len() + len;
            self.authority = Some(Span::new(start + scheme.len(), path_start));
        }
        let question = find(b'?', &input[path_start..end]);
        let path_end = question.map_or(end, |question| path_start + question);
        self.path = Span::new(path_start, path_end);
        self.query = question.map(|_| Span::new(path_end + 1, end));
        Ok(())
    }

    fn settle(&mut self, input: &[u8]) -> Result<(), HeadError> {
        self.fields.settle(self.minor_version)?;
        match self.fields.host {
            Some(host) if !is_authority(host.of(input)) => Err(HeadError::Host),
            None if self.minor_version >= 1 => Err(HeadError::Host),
            _ => Ok(()),
        }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The method's token as it came.
    #[must_use]
    pub fn method_bytes(&self) -> &[u8] {
        self.method_span.of(&self.bytes)
    }

    /// The path as it came, not decoded; `/` for an absolute target without one, `*` for the asterisk form.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        let path = self.path.of(&self.bytes);
        if path.is_empty() { b"/" } else { path }
    }

    /// The query as it came, without its `?`.
    #[must_use]
    pub fn query(&self) -> Option<&[u8]> {
        self.query.map(|query| query.of(&self.bytes))
    }

    /// Which form the target had.
    #[must_use]
    pub fn form(&self) -> TargetForm {
        self.form
    }

    /// The host asked for, with its port: the target's authority wins over `Host` (RFC 9112 §3.2.2). Empty if HTTP/1.0
    /// named none.
    #[must_use]
    pub fn host(&self) -> &[u8] {
        self.authority.or(self.fields.host).map_or(b"", |host| host.of(&self.bytes))
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

    /// How the body is framed.
    #[must_use]
    pub fn body(&self) -> BodyFraming {
        match self.fields.length {
            _ if self.fields.chunked => BodyFraming::Chunked,
            Some(length) => BodyFraming::Length(length),
            None => BodyFraming::None,
        }
    }

    /// Whether the client wants the connection to stay (RFC 9112 §9.3).
    #[must_use]
    pub fn keep_alive(&self) -> bool {
        self.fields.persists(self.minor_version)
    }

    /// Whether the client waits for `100 Continue` (RFC 9110 §10.1.1); HTTP/1.0 has none.
    #[must_use]
    pub fn expect_continue(&self) -> bool {
        self.expect_continue && self.minor_version >= 1
    }

    /// 0 or 1.
    #[must_use]
    pub fn minor_version(&self) -> u8 {
        self.minor_version
    }

    /// Whether a field goes no further than this connection, by its name or because `Connection` lists it.
    #[must_use]
    pub fn is_hop_by_hop(&self, field: &Field) -> bool {
        self.fields.is_hop_by_hop(&self.bytes, field)
    }
}

/// Bytes of a request line, whether it comes whole or in pieces: a method of 32 and the version beside the target.
fn line_bytes_max(limits: &HeadLimits) -> usize {
    limits.target_bytes + 48
}
