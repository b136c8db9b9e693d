//! Ids as AWS shapes them, from random bytes that the caller provides.

use crate::error::Error;

/// Where random bytes come from: the kernel, or a test.
pub trait Random: Send {
    /// Fills a buffer.
    fn fill(&mut self, buffer: &mut [u8]);
}

/// Tag that fixes the id of what is created (a project's own; AWS has none).
pub(crate) const CUSTOM_ID_TAG: &str = "_custom_id_";

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn draw(random: &mut dyn Random, alphabet: &[u8], len: usize) -> String {
    let mut text = String::with_capacity(len);
    let mut octets = [0_u8; 64];
    // Octets beyond the last whole multiple are drawn again, so that every letter is as likely as any.
    let bound = 256 - 256 % alphabet.len();
    while text.len() < len {
        random.fill(&mut octets);
        let fair = octets.iter().map(|octet| usize::from(*octet)).filter(|octet| *octet < bound);
        text.extend(fair.take(len - text.len()).map(|octet| char::from(alphabet[octet % alphabet.len()])));
    }
    text
}

/// `len` lower-case letters and digits, of which the first is a letter.
pub(crate) fn short(random: &mut dyn Random, len: usize) -> String {
    let first = draw(random, &LOWER[..26], 1);
    first + &draw(random, LOWER, len - 1)
}

/// The value of an API key: 40 letters and digits.
pub(crate) fn key_value(random: &mut dyn Random) -> String {
    draw(random, MIXED, 40)
}

/// A request id: a UUID of version 4.
pub(crate) fn request_id(random: &mut dyn Random) -> String {
    let mut octets = [0_u8; 16];
    random.fill(&mut octets);
    octets[6] = octets[6] & 0x0f | 0x40;
    octets[8] = octets[8] & 0x3f | 0x80;
    let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The extended id that goes with it: it ends in `=`, as a text of base64 does.
pub(crate) fn extended_request_id(random: &mut dyn Random) -> String {
    draw(random, MIXED, 15) + "="
}

/// The id that a tag asks for, taken out of the tags.
///
/// # Errors
/// Something else than ten lower-case letters and digits.
pub(crate) fn custom(
    tags: &mut std::collections::BTreeMap<String, String>,
    len: usize,
) -> Result<Option<String>, Error> {
    let Some(id) = tags.remove(CUSTOM_ID_TAG) else { return Ok(None) };
    let fits =
        id.len() == len && id.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit());
    if fits {
        return Ok(Some(id));
    }
    Err(Error::bad_request(format!("the tag {CUSTOM_ID_TAG} must have {len} lower-case letters and digits")))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Random enough for a test, the same each time.
    pub(crate) struct Seeded(pub(crate) u64);

    impl Random for Seeded {
        fn fill(&mut self, buffer: &mut [u8]) {
            for octet in buffer {
                self.0 =
                    self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *octet = (self.0 >> 56) as u8;
            }
        }
    }

    #[test]
    fn ids_have_their_shapes() {
        let mut random = Seeded(7);
        let id = short(&mut random, 10);
        assert!(id.len() == 10 && id.starts_with(|first: char| first.is_ascii_lowercase()), "{id}");
        assert_eq!(key_value(&mut random).len(), 40);
        let uuid = request_id(&mut random);
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"), "{uuid}");
        assert!(extended_request_id(&mut random).ends_with('='));
    }

    #[test]
    fn a_tag_fixes_an_id() {
        let mut tags =
            std::collections::BTreeMap::from([(CUSTOM_ID_TAG.to_owned(), "myid123456".to_owned())]);
        assert_eq!(custom(&mut tags, 10), Ok(Some("myid123456".to_owned())));
        assert!(tags.is_empty());
        tags.insert(CUSTOM_ID_TAG.to_owned(), "My".to_owned());
        assert!(custom(&mut tags, 10).is_err());
    }
}
