//! Whether a body must be inflated before it goes on.
//!
//! AWS: "Content encoding for APIs in API Gateway": `gzip`, `deflate` and `identity` request bodies are always
//! decompressed, other codings are 415. One coding at a time: stacked ones are refused.

use codec::h1::{BodyFraming, Coding, RequestHead, ResponseHead};
use vocabulary::{KnownField, Refusal};

/// A content coding that nothing here can undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported;

/// How a request body is encoded.
///
/// # Errors
/// Unsupported media type: there is a body, in a coding that isn't known. Without a body the field has no effect
/// (recorded).
pub fn of_request(head: &RequestHead) -> Result<Option<Coding>, Refusal> {
    if matches!(head.body(), BodyFraming::None | BodyFraming::Length(0)) {
        return Ok(None);
    }
    let fields = head.fields().iter().filter(|field| field.known == KnownField::ContentEncoding);
    one(fields.map(|field| head.value(field))).map_err(|Unsupported| Refusal::unsupported_content_coding())
}

/// How a backend's body is encoded.
///
/// # Errors
/// The coding isn't known.
pub fn of_response(head: &ResponseHead) -> Result<Option<Coding>, Unsupported> {
    let fields = head.fields().iter().filter(|field| field.known == KnownField::ContentEncoding);
    one(fields.map(|field| head.value(field)))
}

/// The one coding that all values together name, `identity` aside (RFC 9110 §8.4).
fn one<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Option<Coding>, Unsupported> {
    let mut found = None;
    for token in values.flat_map(|value| value.split(|&byte| byte == b',')) {
        let coding = match token.trim_ascii() {
            b"" => continue,
            token if token.eq_ignore_ascii_case(b"identity") => continue,
            token if token.eq_ignore_ascii_case(b"gzip") || token.eq_ignore_ascii_case(b"x-gzip") => {
                Coding::Gzip
            }
            token if token.eq_ignore_ascii_case(b"deflate") => Coding::Deflate,
            _ => return Err(Unsupported),
        };
        if found.replace(coding).is_some() {
            return Err(Unsupported);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_read() {
        let one = |values: &[&'static str]| super::one(values.iter().map(|value| value.as_bytes()));
        assert_eq!(one(&[]), Ok(None));
        assert_eq!(one(&["identity"]), Ok(None));
        assert_eq!(one(&["GZIP"]), Ok(Some(Coding::Gzip)));
        assert_eq!(one(&["identity, x-gzip"]), Ok(Some(Coding::Gzip)));
        assert_eq!(one(&["deflate"]), Ok(Some(Coding::Deflate)));
        assert_eq!(one(&["br"]), Err(Unsupported));
        assert_eq!(one(&["gzip, gzip"]), Err(Unsupported));
        assert_eq!(one(&["gzip", "deflate"]), Err(Unsupported));
    }

    #[test]
    fn a_coding_without_a_body_has_no_effect() {
        let parse = |head: &str| {
            let mut request = RequestHead::default();
            request.parse(head.as_bytes(), &codec::h1::HeadLimits::default()).expect("head");
            of_request(&request)
        };
        assert_eq!(parse("GET / HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\n\r\n"), Ok(None));
        let refused =
            parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Encoding: br\r\n\r\n")
                .unwrap_err();
        assert_eq!(refused.status, 415);
    }
}
