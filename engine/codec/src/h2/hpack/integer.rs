//! Integers with a prefix (RFC 7541 §5.1).

/// Appends `value`; `pattern` holds the bits above the prefix of `prefix` bits.
#[inline]
pub(super) fn encode(out: &mut Vec<u8>, pattern: u8, prefix: u32, value: usize) {
    let max = (1_usize << prefix) - 1;
    if value < max {
        out.push(pattern | value as u8);
        return;
    }
    out.push(pattern | max as u8);
    let mut rest = value - max;
    while rest >= 128 {
        out.push(rest as u8 | 128);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Reads the integer at `at` and moves `at` past it. `None`: it ends too early, or is above 2^28 or so, which is
/// more than any length or index here.
#[inline]
pub(super) fn decode(block: &[u8], at: &mut usize, prefix: u32) -> Option<usize> {
    let max = (1_usize << prefix) - 1;
    let mut value = *block.get(*at)? as usize & max;
    *at += 1;
    if value < max {
        return Some(value);
    }
    // Four more octets hold 28 bits; zeros that only make it longer count too.
    for shift in [0, 7, 14, 21] {
        let octet = *block.get(*at)? as usize;
        *at += 1;
        value += (octet & 127) << shift;
        if octet & 128 == 0 {
            return Some(value);
        }
    }
    None
}
