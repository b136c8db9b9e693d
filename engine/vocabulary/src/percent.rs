//! Percent-encoding: a value is decoded when it is read and encoded where it is written.
//!
//! AWS: "API Gateway API request and response data mapping reference" (`%` itself is encoded again; `%2F` in a path
//! parameter becomes `/` in the backend's URL; `%252F` becomes `%2F`, widely reported).

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// RFC 3986 §2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986 §3.3: what stands in a path unencoded, and the separator.
const fn is_path(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
        || matches!(byte, b':' | b'@' | b'/')
}

const fn table(path: bool) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = if path { is_path(byte as u8) } else { is_unreserved(byte as u8) };
        byte += 1;
    }
    table
}

const PATH: [bool; 256] = table(true);
const VALUE: [bool; 256] = table(false);

/// Decodes `%XX`; what isn't an escape stays.
pub fn decode_path(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(&byte) = rest.first() {
        let (decoded, len) = unescape(rest).map_or((byte, 1), |decoded| (decoded, 3));
        out.push(decoded);
        rest = &rest[len..];
    }
}

/// Decodes form data: `%XX`, and `+` as a space.
pub fn decode_query(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(&byte) = rest.first() {
        let plain = if byte == b'+' { b' ' } else { byte };
        let (decoded, len) = unescape(rest).map_or((plain, 1), |decoded| (decoded, 3));
        out.push(decoded);
        rest = &rest[len..];
    }
}

/// Whether raw form data is `name` once decoded.
#[must_use]
pub fn query_name_is(raw: &[u8], name: &[u8]) -> bool {
    let mut rest = raw;
    for &expected in name {
        let Some(&byte) = rest.first() else { return false };
        let plain = if byte == b'+' { b' ' } else { byte };
        let (decoded, len) = unescape(rest).map_or((plain, 1), |decoded| (decoded, 3));
        if decoded != expected {
            return false;
        }
        rest = &rest[len..];
    }
    rest.is_empty()
}

/// Writes a raw path value: decoded, then encoded for a path. The usual value needs neither and is copied.
pub fn recode_path(raw: &[u8], out: &mut Vec<u8>) {
    if raw.iter().all(|&byte| PATH[usize::from(byte)]) {
        out.extend_from_slice(raw);
        return;
    }
    let mut decoded = Vec::with_capacity(raw.len());
    decode_path(raw, &mut decoded);
    encode_path(&decoded, out);
}

/// Encodes a decoded value for a path; `/` stays a separator and an escape that is still there stays one.
pub fn encode_path(decoded: &[u8], out: &mut Vec<u8>) {
    for (at, &byte) in decoded.iter().enumerate() {
        let escape = byte == b'%' && unescape(&decoded[at..]).is_some();
        if escape || PATH[usize::from(byte)] { out.push(byte) } else { escape_into(byte, out) }
    }
}

/// Encodes a decoded name or value for a query.
pub fn encode_query(decoded: &[u8], out: &mut Vec<u8>) {
    for &byte in decoded {
        if VALUE[usize::from(byte)] { out.push(byte) } else { escape_into(byte, out) }
    }
}

/// Encodes what can't stand in a URI at all, and leaves its syntax as the author wrote it.
pub fn encode_uri(text: &[u8], out: &mut Vec<u8>) {
    for (at, &byte) in text.iter().enumerate() {
        let escape = byte == b'%' && unescape(&text[at..]).is_some();
        if escape || byte == b'?' || PATH[usize::from(byte)] {
            out.push(byte)
        } else {
            escape_into(byte, out)
        }
    }
}

fn escape_into(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}

fn unescape(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [b'%', high, low, ..] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl Fn(&[u8], &mut Vec<u8>), raw: &str) -> String {
        let mut out = Vec::new();
        write(raw.as_bytes(), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn path_values_are_decoded_and_encoded_again() {
        for (raw, forwarded) in [
            ("pets/1", "pets/1"),
            ("a%2Fb", "a/b"),
            ("a%252Fb", "a%2Fb"),
            ("100%25", "100%25"),
            ("a%20b", "a%20b"),
            ("%C3%A9", "%C3%A9"),
            ("a%0d%0aX:y", "a%0D%0AX:y"),
            ("a%3Fb%23c", "a%3Fb%23c"),
            ("test%2Balias@gmail.com", "test+alias@gmail.com"),
            ("bad%zz%", "bad%25zz%25"),
            ("%41%62c", "Abc"),
        ] {
            assert_eq!(text(recode_path, raw), forwarded, "{raw}");
        }
    }

    #[test]
    fn query_values_are_form_data() {
        for (raw, decoded, encoded) in [
            ("a+b", "a b", "a%20b"),
            ("%2B%40", "+@", "%2B%40"),
            ("2023-06-12T18:05:10+00:00", "2023-06-12T18:05:10 00:00", "2023-06-12T18%3A05%3A10%2000%3A00"),
            ("x%26y%3Dz", "x&y=z", "x%26y%3Dz"),
        ] {
            assert_eq!(text(decode_query, raw), decoded);
            assert_eq!(text(encode_query, decoded), encoded);
        }
        assert!(query_name_is(b"a%20b", b"a b"));
        assert!(query_name_is(b"a+b", b"a b"));
        assert!(!query_name_is(b"a", b"ab"));
        assert!(!query_name_is(b"ab", b"a"));
        assert!(!query_name_is(b"A", b"a"));
    }

    #[test]
    fn uris_keep_their_syntax() {
        assert_eq!(text(encode_uri, "/a b/{x}?q=é&r=%2F"), "/a%20b/%7Bx%7D?q=%C3%A9&r=%2F");
    }
}
