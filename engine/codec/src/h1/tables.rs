//! Which bytes may stand where: one table look-up per byte.

const TOKEN: u8 = 1;
const VALUE: u8 = 2;
const TARGET: u8 = 4;
const HOST: u8 = 8;

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0_u8; 256];
    let mut byte = 0;
    while byte < 256 {
        let octet = byte as u8;
        let alphanumeric = octet.is_ascii_alphanumeric();
        // RFC 9110 §5.6.2: tchar.
        if alphanumeric || in_set(octet, b"!#$%&'*+-.^_`|~") {
            table[byte] |= TOKEN;
        }
        // RFC 9110 §5.5: VCHAR, obs-text, SP and HTAB.
        if octet >= 0x20 && octet != 0x7f || octet == b'\t' {
            table[byte] |= VALUE;
        }
        // RFC 3986 §3.3, §3.4: pchar, "/", "?". Square brackets are tolerated, as browsers send them in queries.
        if alphanumeric || in_set(octet, b"-._~%!$&'()*+,;=:@/?[]") {
            table[byte] |= TARGET;
        }
        // RFC 3986 §3.2.2, §3.2.3: host and port.
        if alphanumeric || in_set(octet, b"-._~%!$&'()*+,;=:[]") {
            table[byte] |= HOST;
        }
        byte += 1;
    }
    table
}

const fn in_set(octet: u8, set: &[u8]) -> bool {
    let mut index = 0;
    while index < set.len() {
        if set[index] == octet {
            return true;
        }
        index += 1;
    }
    false
}

pub(super) fn is_token(octet: u8) -> bool {
    CLASSES[octet as usize] & TOKEN != 0
}

pub(super) fn is_value(octet: u8) -> bool {
    CLASSES[octet as usize] & VALUE != 0
}

pub(super) fn is_target(octet: u8) -> bool {
    CLASSES[octet as usize] & TARGET != 0
}

/// Whether this is a host with an optional port (RFC 3986 §3.2): name bytes, or a literal in brackets, then digits.
pub(super) fn is_authority(text: &[u8]) -> bool {
    let literal_end =
        if text.first() == Some(&b'[') { text.iter().position(|&octet| octet == b']') } else { None };
    let colon = literal_end.map_or_else(
        || text.iter().position(|&octet| octet == b':'),
        |end| (end + 1 < text.len()).then_some(end + 1),
    );
    let (host, port) = text.split_at(colon.unwrap_or(text.len()));
    let port_fits = match port {
        [] => true,
        [first, digits @ ..] => *first == b':' && digits.iter().all(u8::is_ascii_digit),
    };
    port_fits && host.iter().all(|&octet| CLASSES[octet as usize] & HOST != 0)
}

/// Whether `name` is a token (RFC 9110 §5.1).
#[must_use]
pub fn valid_field_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|&octet| is_token(octet))
}

/// Whether `value` can be sent as a field value: no CR, LF, NUL or other control (RFC 9110 §5.5).
#[must_use]
pub fn valid_field_value(value: &[u8]) -> bool {
    value.iter().all(|&octet| is_value(octet))
}
