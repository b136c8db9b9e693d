//! `HTTP_PROXY`: the client's fields on their way to the backend, and the backend's on their way back, each in one pass.

use codec::h1::encode::{self, Lines};
use codec::h1::{Field, RequestHead, ResponseHead};
use vocabulary::KnownField;

use crate::header::{REMAPPED, Return, is_forwarded, is_signature, returned};

/// Which of the fields that have a default the client sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// `User-Agent`
    pub user_agent: bool,
    /// `Accept`
    pub accept: bool,
}

/// Appends the client's fields that go on, repeated ones folded with `,` (emulator). `is_mapped` says which names a
/// mapping has already written: those overwrite the client's.
pub fn forward_fields(
    request: &RequestHead,
    is_mapped: impl Fn(KnownField, &[u8]) -> bool,
    out: &mut Vec<u8>,
) -> Sent {
    let repeated = Repeated::among(request.fields());
    let mut sent = Sent::default();
    let mut lines = Lines::of(request.bytes());
    for (index, field) in request.fields().iter().enumerate() {
        let name = request.name(field);
        let held_back = !is_forwarded(field.known)
            || request.is_hop_by_hop(field)
            || is_signature(field.known, request.value(field));
        if held_back || is_mapped(field.known, name) {
            continue;
        }
        let folds = repeated.may_hold(field);
        if folds && has_name(request, &request.fields()[..index], field) {
            continue;
        }
        match field.known {
            KnownField::UserAgent => sent.user_agent = true,
            KnownField::Accept => sent.accept = true,
            _ => {}
        }
        if !folds {
            lines.pass(field, out);
            continue;
        }
        lines.flush(out);
        out.extend_from_slice(name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(request.value(field));
        let later = request.fields()[index + 1..].iter().filter(|later| same_name(request, later, field));
        for value in later.map(|later| request.value(later)) {
            if !is_signature(field.known, value) {
                out.push(b',');
                out.extend_from_slice(value);
            }
        }
        out.extend_from_slice(b"\r\n");
    }
    lines.flush(out);
    sent
}

/// Appends the backend's fields that go back. True if one of them is `Content-Type`.
pub fn return_fields(head: &ResponseHead, out: &mut Vec<u8>) -> bool {
    let mut has_content_type = false;
    let mut lines = Lines::of(head.bytes());
    for field in head.fields() {
        match returned(field.known) {
            Return::Pass if head.is_hop_by_hop(field) => {}
            Return::Pass => {
                has_content_type |= field.known == KnownField::ContentType;
                lines.pass(field, out);
            }
            Return::Remap => {
                lines.flush(out);
                out.extend_from_slice(REMAPPED);
                encode::field(out, head.name(field), head.value(field));
            }
            Return::Drop => {}
        }
    }
    lines.flush(out);
    has_content_type
}

/// Names that may stand twice, found in one pass over the field list without touching a name: one bit per known
/// field, and one per length of the others.
struct Repeated {
    known: u64,
    lengths: u64,
}

const _: () = assert!(KnownField::COUNT <= 64, "one bit per known field");

impl Repeated {
    fn among(fields: &[Field]) -> Self {
        let mut once = Repeated { known: 0, lengths: 0 };
        let mut twice = Repeated { known: 0, lengths: 0 };
        for field in fields {
            let (known, length) = bits(field);
            twice.known |= once.known & known;
            twice.lengths |= once.lengths & length;
            once.known |= known;
            once.lengths |= length;
        }
        twice
    }

    fn may_hold(&self, field: &Field) -> bool {
        let (known, length) = bits(field);
        self.known & known | self.lengths & length != 0
    }
}

fn bits(field: &Field) -> (u64, u64) {
    match field.known {
        KnownField::Other => (0, 1 << (field.name.len % 64)),
        known => (1 << known as u8, 0),
    }
}

fn has_name(request: &RequestHead, fields: &[Field], wanted: &Field) -> bool {
    fields.iter().any(|field| same_name(request, field, wanted))
}

fn same_name(request: &RequestHead, field: &Field, other: &Field) -> bool {
    field.known == other.known
        && (field.known != KnownField::Other || request.name(field).eq_ignore_ascii_case(request.name(other)))
}

#[cfg(test)]
mod tests {
    use codec::h1::HeadLimits;

    use super::*;

    fn forwarded(fields: &str, mapped: &str) -> (String, Sent) {
        let mut request = RequestHead::default();
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        request.parse(head.as_bytes(), &HeadLimits::default()).expect("head");
        let mut out = Vec::new();
        let is_mapped = |_, name: &[u8]| name.eq_ignore_ascii_case(mapped.as_bytes());
        let sent = forward_fields(&request, is_mapped, &mut out);
        (String::from_utf8(out).expect("text"), sent)
    }

    #[test]
    fn fields_keep_their_case_and_order() {
        let fields = "tEsT-HEADeR: a\r\nUser-Agent: curl\r\nAccept: */*\r\nX-Empty:\r\n";
        let (out, sent) = forwarded(fields, "");
        assert_eq!(out, "tEsT-HEADeR: a\r\nUser-Agent: curl\r\nAccept: */*\r\nX-Empty: \r\n");
        assert_eq!(sent, Sent { user_agent: true, accept: true });
    }

    #[test]
    fn fields_of_this_connection_stay() {
        let fields = "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\nContent-Encoding: gzip\r\n\
                      Via: 1.1 x\r\nX-HTTP-Method-Override: PUT\r\nX-Forwarded-For: 9.9.9.9\r\nExpect: y\r\nX: 1\r\n";
        assert_eq!(forwarded(fields, "").0, "X: 1\r\n");
    }

    #[test]
    fn a_signature_for_the_gateway_stays_here() {
        let signed = "Authorization: AWS4-HMAC-SHA256 Credential=a\r\nX: 1\r\n";
        assert_eq!(forwarded(signed, "").0, "X: 1\r\n");
        let bearer = "Authorization: Bearer AWS4-x\r\n";
        assert_eq!(forwarded(bearer, "").0, bearer);
    }

    #[test]
    fn repeated_fields_are_folded_whatever_their_case() {
        let fields = "X-A: 1\r\nX-B: 2\r\nx-a: 3\r\nAccept: a\r\nX-A: 4\r\naccept: b\r\n";
        assert_eq!(forwarded(fields, "").0, "X-A: 1,3,4\r\nX-B: 2\r\nAccept: a,b\r\n");
    }

    #[test]
    fn mapped_names_are_left_out() {
        assert_eq!(forwarded("X-A: 1\r\nx-a: 2\r\nX-B: 3\r\n", "X-A").0, "X-B: 3\r\n");
    }

    #[test]
    fn a_backends_fields_come_back_by_the_table() {
        let head = b"HTTP/1.1 200 OK\r\nConnection: close, X-Gone\r\nX-Gone: 1\r\nDate: now\r\nServer: s\r\n\
                     Content-Length: 3\r\nx-amzn-RequestId: r\r\nAccess-Control-Allow-Origin: *\r\n\
                     Set-Cookie: a\r\nSet-Cookie: b\r\nContent-Encoding: gzip\r\nVia: v\r\n\r\n";
        let mut response = ResponseHead::default();
        response.parse(head, &HeadLimits::default()).expect("head");
        let mut out = Vec::new();
        assert!(!return_fields(&response, &mut out));
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "x-amzn-Remapped-Connection: close, X-Gone\r\nx-amzn-Remapped-Date: now\r\n\
             x-amzn-Remapped-Server: s\r\nx-amzn-Remapped-Content-Length: 3\r\n\
             x-amzn-Remapped-x-amzn-RequestId: r\r\nAccess-Control-Allow-Origin: *\r\nSet-Cookie: a\r\n\
             Set-Cookie: b\r\nContent-Encoding: gzip\r\n"
        );
    }
}
