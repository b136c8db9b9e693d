//! Which bytes may stand where: one table look-up per byte, or eight bytes at a time where a class is a range.

const TOKEN: u8 = 1;
const VALUE: u8 = 2;
const TARGET: u8 = 4;
const HOST: u8 = 8;
const LOWER_TOKEN: u8 = 16;

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
            // RFC 9113 §8.2.1.
            if !octet.is_ascii_uppercase() {
                table[byte] |= LOWER_TOKEN;
            }
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

/// Eight octets, each of them this one.
const fn eight(octet: u8) -> u64 {
    u64::from_ne_bytes([octet; 8])
}

/// Whether one of eight octets is a control character (HTAB counts as one here). Exact for the question whether
/// there is any; the bits don't tell which.
fn has_control(word: u64) -> bool {
    let below_space = word.wrapping_sub(eight(0x20)) & !word;
    let delete = word ^ eight(0x7f);
    let is_delete = delete.wrapping_sub(eight(1)) & !delete;
    (below_space | is_delete) & eight(0x80) != 0
}

/// Whether all octets are of a class; without a branch per octet, as good messages pass.
fn all(text: &[u8], class: u8) -> bool {
    text.iter().fold(class, |common, &octet| common & CLASSES[octet as usize]) != 0
}

pub(crate) fn all_token(text: &[u8]) -> bool {
    all(text, TOKEN)
}

pub(crate) fn all_lower_token(text: &[u8]) -> bool {
    all(text, LOWER_TOKEN)
}

pub(crate) fn all_target(text: &[u8]) -> bool {
    all(text, TARGET)
}

/// The first place of an octet. Heads are short pieces, in which a search by vector instructions costs more to set
/// up than it saves; long ones get it.
#[inline]
pub(crate) fn find(octet: u8, text: &[u8]) -> Option<usize> {
    const SHORT: usize = 8;
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        if index == SHORT {
            return memchr::memchr(octet, &text[SHORT * 8..]).map(|at| SHORT * 8 + at);
        }
        let difference = u64::from_le_bytes(*word) ^ eight(octet);
        // The lowest bit is exact: borrows only run upwards.
        let zero = difference.wrapping_sub(eight(1)) & !difference & eight(0x80);
        if zero != 0 {
            return Some(index * 8 + zero.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|&other| other == octet).map(|at| words.len() * 8 + at)
}

/// Whether this is a host with an optional port (RFC 3986 §3.2): name bytes, or a literal in brackets, then digits.
pub(crate) fn is_authority(text: &[u8]) -> bool {
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
    !name.is_empty() && all_token(name)
}

/// Whether `value` can be sent as a field value: no CR, LF, NUL or other control (RFC 9110 §5.5).
#[must_use]
#[inline]
pub fn valid_field_value(value: &[u8]) -> bool {
    let (words, rest) = value.as_chunks::<8>();
    let clean = !words.iter().any(|word| has_control(u64::from_ne_bytes(*word)));
    // HTAB is allowed and rare.
    (clean || words.iter().flatten().all(|&octet| is_value(octet)))
        && rest.iter().all(|&octet| is_value(octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_octets_agree() {
        for octet in 0..=u8::MAX {
            for place in 0..20 {
                let mut text = [b'a'; 20];
                text[place] = octet;
                assert_eq!(valid_field_value(&text), is_value(octet), "{octet} at {place}");
                assert_eq!(valid_field_name(&text), is_token(octet), "{octet} at {place}");
            }
        }
        assert!(valid_field_value(b"a\tb\tc\td") && valid_field_value(b""));
    }

    #[test]
    fn the_first_place_is_found() {
        for len in 0..200 {
            let text: Vec<u8> =
                (0..len).map(|at| if at % 7 == 3 { b';' } else { b':' ^ (at % 5 == 0) as u8 }).collect();
            for octet in [b':', b';', b'\n'] {
                assert_eq!(find(octet, &text), text.iter().position(|&other| other == octet), "{len}");
            }
            let mut one = vec![b'x'; len];
            if let Some(last) = one.last_mut() {
                *last = b':';
                assert_eq!(find(b':', &one), Some(len - 1));
            }
        }
    }
}
