//! Decoded fields as the text of an HTTP/1.1 head, which `codec::h1` then reads by its own strict rules.
//!
//! In: fields. Out: head text in a reused buffer, or the rule that makes the message malformed (RFC 9113 §8.1.1).
//! Never: a line that a field's name or value could have broken.

use vocabulary::KnownField;

use super::hpack::{self, Field, Sink};
use crate::h1::encode;
use crate::h1::tables::{all_lower_token, all_target, all_token, is_authority};
use crate::h1::valid_field_value;

/// What a block is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// Decoded for the compression context only.
    #[default]
    Nothing,
    Request,
    Response,
    Trailers,
}

/// A pseudo field's value in the scratch buffer.
type Place = Option<(usize, usize)>;

/// A head while it is decoded, and after.
#[derive(Debug, Default)]
pub(super) struct HeadText {
    text: Vec<u8>,
    /// Values of pseudo fields, until the start line can be written.
    pseudo: Vec<u8>,
    /// Cookie crumbs, joined (§8.2.3).
    cookie: Vec<u8>,
    facts: Facts,
}

/// What the fields said.
#[derive(Clone, Copy, Debug, Default)]
struct Facts {
    form: Form,
    bytes: usize,
    bytes_max: usize,
    method: Place,
    scheme: Place,
    authority: Place,
    path: Place,
    status: u16,
    /// The start line is written; no pseudo field may follow.
    begun: bool,
    host: bool,
    is_head: bool,
    length: Option<u64>,
    malformed: Option<&'static str>,
    finished: bool,
}

/// A rule that a field breaks.
type Malformed = &'static str;

impl HeadText {
    /// Forgets the last head and awaits the fields of another.
    pub(super) fn begin(&mut self, form: Form, bytes_max: usize) {
        self.text.clear();
        self.pseudo.clear();
        self.cookie.clear();
        self.facts = Facts { form, bytes_max, ..Facts::default() };
    }

    /// Bytes on the heap.
    pub(super) fn held_bytes(&self) -> usize {
        self.text.capacity() + self.pseudo.capacity() + self.cookie.capacity()
    }

    /// Gives back memory beyond `bytes`.
    pub(super) fn shrink(&mut self, bytes: usize) {
        for buffer in [&mut self.text, &mut self.pseudo, &mut self.cookie] {
            if buffer.capacity() > bytes {
                buffer.clear();
                buffer.shrink_to(bytes);
            }
        }
    }

    /// All fields have come. Said again, it changes nothing.
    pub(super) fn finish(&mut self) -> Result<(), Malformed> {
        if !std::mem::replace(&mut self.facts.finished, true) {
            let finished = self.end();
            if let Err(rule) = finished {
                self.facts.malformed = Some(rule);
            }
        }
        self.facts.malformed.filter(|_| !self.is_too_large()).map_or(Ok(()), Err)
    }

    fn end(&mut self) -> Result<(), Malformed> {
        if self.is_too_large() {
            // What is there may be a part of it.
            self.text.clear();
            return Ok(());
        }
        if let Some(rule) = self.facts.malformed {
            return Err(rule);
        }
        self.start()?;
        if !self.cookie.is_empty() {
            encode::field(&mut self.text, b"cookie", &self.cookie);
        }
        if self.facts.form != Form::Trailers {
            self.text.extend_from_slice(b"\r\n");
        }
        Ok(())
    }

    pub(super) fn form(&self) -> Form {
        self.facts.form
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.facts.bytes > self.facts.bytes_max
    }

    pub(super) fn status(&self) -> u16 {
        self.facts.status
    }

    pub(super) fn length(&self) -> Option<u64> {
        self.facts.length
    }

    pub(super) fn is_head(&self) -> bool {
        self.facts.is_head
    }

    /// Reads a field; true if it is good wherever it comes again.
    fn read(&mut self, field: &Field<'_>) -> Result<bool, Malformed> {
        if field.vouched {
            self.start()?;
            encode::field(&mut self.text, field.name, field.value);
            return Ok(true);
        }
        if field.name.first() == Some(&b':') {
            return self.read_pseudo(field).map(|()| false);
        }
        self.start()?;
        // Names of the static table are good.
        if field.static_name.is_none() && !is_lower_token(field.name) {
            return Err("a field name that isn't a token in lower case");
        }
        let value = field.value;
        let padded = value.first().is_some_and(is_blank) || value.last().is_some_and(is_blank);
        if padded || !valid_field_value(value) {
            return Err("a field value with a control, or with blanks around it");
        }
        match KnownField::of(field.name) {
            KnownField::Connection
            | KnownField::KeepAlive
            | KnownField::ProxyConnection
            | KnownField::TransferEncoding
            | KnownField::Upgrade => Err("a field of the connection"),
            KnownField::Te if value != b"trailers" => Err("te that isn't trailers"),
            // What depends on the message isn't vouched for.
            KnownField::Host if self.facts.form == Form::Request => self.read_host(value).map(|()| false),
            KnownField::ContentLength => self.read_length(value).map(|()| false),
            KnownField::Cookie if self.facts.form == Form::Request => {
                if !self.cookie.is_empty() {
                    self.cookie.extend_from_slice(b"; ");
                }
                self.cookie.extend_from_slice(value);
                Ok(false)
            }
            known => {
                encode::field(&mut self.text, field.name, value);
                Ok(!matches!(known, KnownField::Host | KnownField::Cookie))
            }
        }
    }

    fn read_pseudo(&mut self, field: &Field<'_>) -> Result<(), Malformed> {
        if self.facts.begun {
            return Err("a pseudo field after others");
        }
        let name = field.static_name.map_or(field.name, |index| hpack::name_of(index.into()));
        let place = match (self.facts.form, name) {
            (Form::Request, b":method") => &mut self.facts.method,
            (Form::Request, b":scheme") => &mut self.facts.scheme,
            (Form::Request, b":authority") => &mut self.facts.authority,
            (Form::Request, b":path") => &mut self.facts.path,
            (Form::Response, b":status") => return self.read_status(field.value),
            _ => return Err("a pseudo field that this message doesn't have"),
        };
        if place.is_some() {
            return Err("a pseudo field twice");
        }
        let start = self.pseudo.len();
        self.pseudo.extend_from_slice(field.value);
        *place = Some((start, self.pseudo.len()));
        Ok(())
    }

    fn read_status(&mut self, value: &[u8]) -> Result<(), Malformed> {
        if self.facts.status != 0 {
            return Err("a pseudo field twice");
        }
        let digits: &[u8; 3] = value.try_into().map_err(|_| "a status that is none")?;
        let status = digits.iter().fold(0, |status, digit| status * 10 + u16::from(digit.wrapping_sub(b'0')));
        if !digits.iter().all(u8::is_ascii_digit) || !(100..600).contains(&status) {
            return Err("a status that is none");
        }
        if status == 101 {
            return Err("101, which HTTP/2 doesn't have");
        }
        self.facts.status = status;
        Ok(())
    }

    /// `host` beside `:authority` says the same or is a lie (§8.3.1).
    fn read_host(&mut self, value: &[u8]) -> Result<(), Malformed> {
        if std::mem::replace(&mut self.facts.host, true) {
            return Err("host twice");
        }
        match of(self.facts.authority, &self.pseudo) {
            Some(authority) if !authority.eq_ignore_ascii_case(value) => Err("host that isn't :authority"),
            Some(_) => Ok(()),
            None if !is_authority(value) => Err("host that is none"),
            None => {
                encode::field(&mut self.text, b"Host", value);
                Ok(())
            }
        }
    }

    fn read_length(&mut self, value: &[u8]) -> Result<(), Malformed> {
        // Trailers can't frame what has ended.
        if self.facts.form == Form::Trailers {
            return Ok(());
        }
        let digits = (1..=18).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
        if self.facts.length.is_some() || !digits {
            return Err("content-length that is none, or twice");
        }
        self.facts.length = Some(value.iter().fold(0, |length, digit| length * 10 + u64::from(digit - b'0')));
        encode::field(&mut self.text, b"content-length", value);
        Ok(())
    }

    /// Writes the start line once.
    fn start(&mut self) -> Result<(), Malformed> {
        if std::mem::replace(&mut self.facts.begun, true) {
            return Ok(());
        }
        match self.facts.form {
            Form::Request => self.request_line(),
            Form::Response if self.facts.status == 0 => Err("an answer without :status"),
            Form::Response => {
                encode::status_line(&mut self.text, self.facts.status);
                Ok(())
            }
            Form::Trailers | Form::Nothing => Ok(()),
        }
    }

    fn request_line(&mut self) -> Result<(), Malformed> {
        let method = of(self.facts.method, &self.pseudo).ok_or("a request without :method")?;
        if method.is_empty() || !all_token(method) {
            return Err("a method that isn't a token");
        }
        if method == b"CONNECT" {
            return Err("CONNECT, which isn't offered");
        }
        self.facts.is_head = method == b"HEAD";
        let scheme = of(self.facts.scheme, &self.pseudo).ok_or("a request without :scheme")?;
        if scheme != b"https" && scheme != b"http" {
            return Err("a scheme other than http and https");
        }
        let path = of(self.facts.path, &self.pseudo).ok_or("a request without :path")?;
        let fits = path.first() == Some(&b'/') || path == b"*" && method == b"OPTIONS";
        if !fits || !all_target(path) {
            return Err("a :path that is none");
        }
        let authority = of(self.facts.authority, &self.pseudo);
        if authority.is_some_and(|authority| authority.is_empty() || !is_authority(authority)) {
            return Err("an :authority that is no host and port");
        }
        self.text.extend_from_slice(method);
        self.text.push(b' ');
        self.text.extend_from_slice(path);
        self.text.extend_from_slice(b" HTTP/1.1\r\n");
        if let Some(authority) = authority {
            encode::field(&mut self.text, b"Host", authority);
        }
        Ok(())
    }
}

impl Sink for HeadText {
    #[inline]
    fn field(&mut self, field: Field<'_>) -> bool {
        let facts = &mut self.facts;
        if facts.form == Form::Nothing || facts.malformed.is_some() {
            return false;
        }
        // RFC 9113 §6.5.2.
        facts.bytes += field.name.len() + field.value.len() + 32;
        if facts.bytes > facts.bytes_max {
            return false;
        }
        self.read(&field).unwrap_or_else(|rule| {
            self.facts.malformed = Some(rule);
            false
        })
    }
}

fn of(place: Place, pseudo: &[u8]) -> Option<&[u8]> {
    place.map(|(start, end)| &pseudo[start..end])
}

fn is_blank(octet: &u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

fn is_lower_token(name: &[u8]) -> bool {
    !name.is_empty() && all_lower_token(name)
}
