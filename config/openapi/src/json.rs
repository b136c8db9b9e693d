//! JSON into a tree (RFC 8259), strict: no comments, no trailing commas, no second key of a name.

use std::cell::Cell;
use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::node::{Key, Node, Value};
use crate::yaml::DEPTH_MAX;

/// Reads one JSON document.
pub(crate) fn parse(text: &str) -> Result<Node, Diagnostic> {
    let mut reader = Reader { text, at: 0, line: 1, line_start: 0, counted: Cell::new((0, 1)) };
    reader.blank();
    let node = reader.value(0)?;
    reader.blank();
    if reader.at < text.len() { Err(reader.unexpected("the end of the document")) } else { Ok(node) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    line_start: usize,
    /// A place and its column, so that a document in one line is not counted from its start at each value.
    counted: Cell<(usize, usize)>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn here(&self) -> Span {
        let (from, column) = match self.counted.get() {
            known if (self.line_start..=self.at).contains(&known.0) => known,
            _ => (self.line_start, 1),
        };
        let column = column + self.text[from..self.at].chars().count();
        self.counted.set((self.at, column));
        Span { start: self.at, end: self.at, line: self.line, column }
    }

    fn from(&self, start: Span) -> Span {
        Span { end: self.at, ..start }
    }

    fn blank(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) = self.peek() {
            self.at += 1;
            if byte == b'\n' {
                self.line += 1;
                self.line_start = self.at;
            }
        }
    }

    fn unexpected(&self, expected: &str) -> Diagnostic {
        let found = match self.text[self.at..].chars().next() {
            Some(c) => format!("`{c}`"),
            None => "the end of the document".to_owned(),
        };
        Diagnostic::error("syntax", self.here(), format!("expected {expected}, found {found}"))
    }

    fn expect(&mut self, byte: u8, what: &str) -> Result<(), Diagnostic> {
        if self.peek() != Some(byte) {
            return Err(self.unexpected(what));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Node, Diagnostic> {
        let start = self.here();
        if depth > DEPTH_MAX {
            return Err(Diagnostic::error("limit", start, "nested more than 64 levels deep"));
        }
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node { span: self.from(start), value })
    }

    fn word(&mut self) -> Result<Value, Diagnostic> {
        for (word, value) in
            [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))]
        {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.unexpected("a value"))
    }

    fn number(&mut self) -> Result<Value, Diagnostic> {
        let start = self.here();
        let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
        let len = self.text.as_bytes()[self.at..].iter().take_while(|byte| is_part(byte)).count();
        let text = &self.text[self.at..self.at + len];
        self.at += len;
        let digits = text.strip_prefix('-').unwrap_or(text);
        let padded = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
        // A digit before and after the point, which Rust's own reader doesn't ask for (RFC 8259 §6).
        let mantissa = digits.split(['e', 'E']).next().unwrap_or_default();
        let pointed = !mantissa.starts_with(|c: char| c.is_ascii_digit()) || mantissa.ends_with('.');
        if padded || pointed || text.parse::<f64>().is_err() {
            return Err(Diagnostic::error("syntax", self.from(start), format!("`{text}` is no number")));
        }
        Ok(Value::Number(text.to_owned()))
    }

    fn object(&mut self, depth: usize) -> Result<Value, Diagnostic> {
        self.at += 1;
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut seen = HashMap::new();
        self.blank();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Mapping(entries));
        }
        loop {
            self.blank();
            let start = self.here();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a key in double quotes"));
            }
            let text = self.string()?;
            let span = self.from(start);
            if let Some(first) = seen.insert(text.clone(), span.line) {
                let message = format!("`{text}` is there twice; first at line {first}");
                return Err(Diagnostic::error("syntax", span, message));
            }
            self.blank();
            self.expect(b':', "`:`")?;
            self.blank();
            let node = self.value(depth + 1)?;
            entries.push((Key { text, span }, node));
            self.blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Mapping(entries));
                }
                _ => return Err(self.unexpected("`,` or `}`")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, Diagnostic> {
        self.at += 1;
        let mut items = Vec::new();
        self.blank();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Sequence(items));
        }
        loop {
            self.blank();
            items.push(self.value(depth + 1)?);
            self.blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::Sequence(items));
                }
                _ => return Err(self.unexpected("`,` or `]`")),
            }
        }
    }

    fn string(&mut self) -> Result<String, Diagnostic> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(stop) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') else {
                self.at = self.text.len();
                return Err(self.unexpected("the closing `\"`"));
            };
            out.push_str(&rest[..stop]);
            self.at += stop;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return Err(self.unexpected("no control character in a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Diagnostic> {
        let start = self.here();
        self.at += 1;
        let byte = self.peek();
        self.at += 1;
        let plain = match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(start),
            _ => {
                self.at = start.start;
                return Err(Diagnostic::error("syntax", start, "an unknown escape in a string"));
            }
        };
        Ok(plain)
    }

    fn unicode(&mut self, start: Span) -> Result<char, Diagnostic> {
        let bad = || Diagnostic::error("syntax", start, "a bad \\u escape in a string");
        let first = self.hex4().ok_or_else(bad)?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or_else(bad);
        }
        // RFC 8259 §7: characters outside the basic plane are pairs.
        if !self.text[self.at..].starts_with("\\u") {
            return Err(bad());
        }
        self.at += 2;
        let second = self.hex4().filter(|unit| (0xdc00..0xe000).contains(unit)).ok_or_else(bad)?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or_else(bad)
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then(|| u32::from_str_radix(digits, 16).ok())
            .flatten()
    }
}
