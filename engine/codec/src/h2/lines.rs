//! HTTP/1.1 head text, as the gateway writes it, as what HTTP/2 sends.
//!
//! In: head text that we wrote ourselves. Out: its parts and fields. Never: a field of the connection (RFC 9113 §8.2.2).

use vocabulary::KnownField;

use crate::h1::tables::find;

/// Field lines `Name: value\r\n` as names and values, up to the empty line. Fields of the connection are left out.
#[derive(Clone, Debug)]
pub struct FieldLines<'a> {
    rest: &'a [u8],
    /// It has become `:authority`.
    without_host: bool,
}

/// The fields of a text of field lines, such as trailers.
#[must_use]
pub fn fields_of(lines: &[u8]) -> FieldLines<'_> {
    FieldLines { rest: lines, without_host: false }
}

impl<'a> Iterator for FieldLines<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = take_line(&mut self.rest)?;
            let colon = find(b':', line)?;
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            match KnownField::of(name) {
                KnownField::Connection
                | KnownField::KeepAlive
                | KnownField::ProxyConnection
                | KnownField::TransferEncoding
                | KnownField::Upgrade
                | KnownField::Http2Settings => {}
                KnownField::Host if self.without_host => {}
                KnownField::Te if !value.eq_ignore_ascii_case(b"trailers") => {}
                _ => return Some((name, value)),
            }
        }
    }
}

/// A request's head text in parts.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The method.
    pub method: &'a [u8],
    /// Path and query, or `*`.
    pub path: &'a [u8],
    /// Value of `Host`; empty if there is none.
    pub authority: &'a [u8],
    /// All fields but `Host`.
    pub fields: FieldLines<'a>,
}

/// Reads `METHOD path HTTP/1.1\r\n` and field lines. `None`: this is no such text.
#[must_use]
pub fn call_of(head: &[u8]) -> Option<Call<'_>> {
    let mut rest = head;
    let line = take_line(&mut rest)?;
    let method_end = find(b' ', line)?;
    let target = &line[method_end + 1..];
    let path = &target[..find(b' ', target)?];
    let host = fields_of(rest).find(|(name, _)| KnownField::of(name) == KnownField::Host);
    let authority = host.map_or(&b""[..], |(_, value)| value);
    let fields = FieldLines { rest, without_host: true };
    Some(Call { method: &line[..method_end], path, authority, fields })
}

/// Reads `HTTP/1.1 status reason\r\n` and gives the status and the fields. `None`: this is no such text.
#[must_use]
pub fn answer_of(head: &[u8]) -> Option<(u16, FieldLines<'_>)> {
    let mut rest = head;
    let line = take_line(&mut rest)?;
    let digits = line.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let status = digits.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    Some((status, fields_of(rest)))
}

/// The next line without its CRLF. `None`: it is empty, or there is none.
fn take_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let feed = find(b'\n', rest)?;
    let line = rest[..feed].strip_suffix(b"\r").filter(|line| !line.is_empty())?;
    *rest = &rest[feed + 1..];
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_come_apart() {
        let call = call_of(
            b"PUT /a?b HTTP/1.1\r\nX-A: 1\r\nHost: h:1\r\nConnection: x\r\nTE: gzip\r\nte: trailers\r\n\r\nbody: x\r\n",
        );
        let call = call.expect("a head");
        assert_eq!((call.method, call.path, call.authority), (&b"PUT"[..], &b"/a?b"[..], &b"h:1"[..]));
        let mut rest = call.fields;
        let fields: Vec<_> = rest.by_ref().collect();
        assert_eq!(rest.next(), None, "nor anything of the body");
        assert_eq!(fields, [(&b"X-A"[..], &b"1"[..]), (b"te", b"trailers")]);
        let (status, fields) = answer_of(
            b"HTTP/1.1 404 Not Found\r\nKeep-Alive: 5\r\nTransfer-Encoding: chunked\r\nEmpty: \r\n\r\n",
        )
        .expect("a head");
        assert_eq!((status, fields.collect::<Vec<_>>()), (404, vec![(&b"Empty"[..], &b""[..])]));
        assert!(call_of(b"GET\r\n\r\n").is_none() && answer_of(b"HTTP/1.1 x\r\n").is_none());
    }
}
