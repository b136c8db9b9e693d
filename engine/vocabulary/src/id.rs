//! Ids of a request, written from random bits that the caller draws.

/// Two digits for each byte.
const HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    table
};
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
        const AT: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
        let mut text = [b'-'; 36];
        for (byte, at) in bytes.into_iter().zip(AT) {
            text[at..at + 2].copy_from_slice(&HEX[usize::from(byte)]);
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
        let mut text = [b'='; 16];
        let (ten, five) = text.split_at_mut(10);
        for (index, byte) in ten.iter_mut().enumerate() {
            *byte = BASE64_URL[(low >> (index * 6) & 63) as usize];
        }
        for (index, byte) in five[..4].iter_mut().enumerate() {
            *byte = BASE64_URL[(high >> (index * 6) & 63) as usize];
        }
        // The last of eleven bytes leaves two bits unused, as base64 has it.
        five[4] = BASE64_URL[(high >> 24 & 0b11_1100) as usize];
        ExtendedRequestId(text)
    }
}

impl TraceRoot {
    /// A root of the given second and bits.
    #[must_use]
    pub fn from_random(unix_s: u32, high: u64, low: u64) -> Self {
        let mut text = [b'-'; 35];
        text[0] = b'1';
        text[2..10].copy_from_slice(&hex(u64::from(unix_s))[8..]);
        text[11..19].copy_from_slice(&hex(high)[8..]);
        text[19..].copy_from_slice(&hex(low));
        TraceRoot(text)
    }
}

/// Sixteen digits.
#[must_use]
pub fn hex(value: u64) -> [u8; 16] {
    let mut text = [0; 16];
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(value.to_be_bytes()) {
        *pair = HEX[usize::from(byte)];
    }
    text
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
