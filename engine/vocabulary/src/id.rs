//! Ids of a request, written from random bits that the caller draws.

const HEX: &[u8; 16] = b"0123456789abcdef";
const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// `$context.requestId`: a version 4 UUID as text (RFC 9562 §5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub [u8; 36]);

/// `$context.extendedRequestId`: 15 opaque characters and `=`, as `x-amz-apigw-id` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedRequestId(pub [u8; 16]);

/// The root of a trace: `1-{8 hex: seconds}-{24 hex}` (X-Ray guide, "Tracing header").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRoot(pub [u8; 35]);

impl Default for RequestId {
    fn default() -> Self {
        RequestId::from_random(0, 0)
    }
}

impl Default for ExtendedRequestId {
    fn default() -> Self {
        ExtendedRequestId::from_random(0, 0)
    }
}

impl RequestId {
    /// A UUID of the given bits, version and variant set.
    #[must_use]
    pub fn from_random(high: u64, low: u64) -> Self {
        let high = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        let bytes = ((u128::from(high) << 64) | u128::from(low)).to_be_bytes();
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (index, byte) in bytes.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
        RequestId(text)
    }

    /// The UUID that a client sent, if it is one (`8-4-4-4-12` hexadecimal digits).
    #[must_use]
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let text: [u8; 36] = text.try_into().ok()?;
        let well_formed = text.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
        well_formed.then_some(RequestId(text))
    }
}

impl ExtendedRequestId {
    /// An id of the given bits.
    #[must_use]
    pub fn from_random(high: u64, low: u64) -> Self {
        let bits = (u128::from(high) << 64) | u128::from(low);
        let mut text = [b'='; 16];
        for (index, byte) in text[..15].iter_mut().enumerate() {
            *byte = BASE64_URL[((bits >> (index * 6)) & 63) as usize];
        }
        // The last of eleven bytes leaves two bits unused, as base64 has it.
        text[14] = BASE64_URL[((bits >> 84) & 0b11_1100) as usize];
        ExtendedRequestId(text)
    }
}

impl TraceRoot {
    /// A root of the given second and bits.
    #[must_use]
    pub fn from_random(unix_s: u32, high: u64, low: u64) -> Self {
        let mut text = [b'-'; 35];
        text[0] = b'1';
        write_hex(&mut text[2..10], u64::from(unix_s));
        write_hex(&mut text[11..19], high & 0xffff_ffff);
        write_hex(&mut text[19..35], low);
        TraceRoot(text)
    }
}

/// Writes the low digits of `value` over the whole of `out`.
pub fn write_hex(out: &mut [u8], mut value: u64) {
    for digit in out.iter_mut().rev() {
        *digit = HEX[(value & 15) as usize];
        value >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_shapes() {
        let id = RequestId::from_random(u64::MAX, u64::MAX);
        assert_eq!(&id.0, b"ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(RequestId::from_text(&id.0), Some(id));
        assert_eq!(RequestId::from_text(b"nope"), None);
        let extended = ExtendedRequestId::from_random(1, 2);
        assert_eq!(extended.0[15], b'=');
        assert!(extended.0[..15].iter().all(|byte| BASE64_URL.contains(byte)));
        let root = TraceRoot::from_random(0x5c75_5b5d, 0x07b2_9b94, 0xe632_d3da_19d8_8789);
        assert_eq!(&root.0, b"1-5c755b5d-07b29b94e632d3da19d88789");
    }
}
