//! The Huffman code of RFC 7541 appendix B. The code is canonical, so it follows from its lengths.
//!
//! Decoding looks ten bits up at a time, which is a whole symbol for all that headers are made of; longer codes are
//! found by where their length's range begins.

/// Bits of each symbol's code; the last is EOS.
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28,
    28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6,
    6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7,
    8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7,
    15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24,
    23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23,
    23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26,
    26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20,
    21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27,
    27, 27, 26, 30,
];

const SYMBOLS: usize = 257;
const EOS: u16 = 256;
const BITS_MIN: u32 = 5;
const BITS_MAX: usize = 30;
/// Bits that one look-up takes.
const STEP: u32 = 10;

/// The code, derived from its lengths.
struct Code {
    /// Each symbol's bits, at the low end.
    bits: [u32; SYMBOLS],
    /// Symbols by code.
    ordered: [u16; SYMBOLS],
    /// For each length, the first code that is longer, in the top bits of 32.
    end: [u32; BITS_MAX + 1],
    /// For each length, its first code, at the low end, and that code's place in `ordered`.
    first: [(u32, u16); BITS_MAX + 1],
    /// For the next bits, a symbol and its length; length zero: the code is longer.
    short: [(u8, u8); 1 << STEP],
}

static CODE: Code = code();

const fn code() -> Code {
    let mut made = Code {
        bits: [0; SYMBOLS],
        ordered: [0; SYMBOLS],
        end: [0; BITS_MAX + 1],
        first: [(0, 0); BITS_MAX + 1],
        short: [(0, 0); 1 << STEP],
    };
    let (mut next, mut place, mut length) = (0_u32, 0, 1);
    while length <= BITS_MAX {
        next <<= 1;
        made.first[length] = (next, place as u16);
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if LENGTHS[symbol] as usize == length {
                made.bits[symbol] = next;
                made.ordered[place] = symbol as u16;
                if length <= STEP as usize {
                    let spare = STEP - length as u32;
                    let mut filler = 0;
                    while filler < 1 << spare {
                        made.short[((next << spare) + filler) as usize] = (symbol as u8, length as u8);
                        filler += 1;
                    }
                }
                next += 1;
                place += 1;
            }
            symbol += 1;
        }
        made.end[length] = ((next as u64) << (32 - length)) as u32;
        length += 1;
    }
    assert!(place == SYMBOLS && next == 1 << BITS_MAX, "the lengths make no whole code");
    made
}

/// Bytes of `text` in this code.
pub(super) fn encoded_len(text: &[u8]) -> usize {
    text.iter().map(|&octet| LENGTHS[octet as usize] as usize).sum::<usize>().div_ceil(8)
}

/// Appends `text` in this code, padded with ones.
pub(super) fn encode(out: &mut Vec<u8>, text: &[u8]) {
    let (mut pending, mut count) = (0_u64, 0_u32);
    for &octet in text {
        let length = u32::from(LENGTHS[octet as usize]);
        pending = pending << length | u64::from(CODE.bits[octet as usize]);
        count += length;
        if count >= 32 {
            count -= 32;
            out.extend_from_slice(&((pending >> count) as u32).to_be_bytes());
        }
    }
    if count > 0 {
        let padded = (pending << (32 - count)) as u32 | u32::MAX >> count;
        out.extend_from_slice(&padded.to_be_bytes()[..count.div_ceil(8) as usize]);
    }
}

/// Appends what `coded` stands for. `None`: EOS, a code cut short, or padding that isn't up to seven ones (§5.2).
pub(super) fn decode(coded: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    // Room for the shortest codes, so that symbols are stored without growing.
    out.resize(start + coded.len() * 8 / BITS_MIN as usize + 1, 0);
    let text = &mut out[start..];
    // The next bits, from the top, and how many there are. Bits below those may be there already; they will be the
    // same when their octets are taken.
    let (mut bits, mut count) = (0_u64, 0_u32);
    let (mut rest, mut len) = (coded, 0);
    loop {
        if let Some((word, _)) = rest.split_first_chunk::<8>() {
            bits |= u64::from_be_bytes(*word) >> count;
            let taken = (63 - count) / 8;
            rest = &rest[taken as usize..];
            count += taken * 8;
            // At least 56 bits are here now.
            while count >= BITS_MAX as u32 {
                let (symbol, length) = look_up(bits)?;
                text[len] = symbol;
                len += 1;
                bits <<= length;
                count -= length;
            }
            continue;
        }
        if count <= 56
            && let Some((&octet, after)) = rest.split_first()
        {
            bits |= u64::from(octet) << (56 - count);
            count += 8;
            rest = after;
            continue;
        }
        // Behind the last octet the padding goes on, as it must.
        let filled = bits | u64::MAX.checked_shr(count).unwrap_or(0);
        if rest.is_empty() && count < 8 && filled == u64::MAX {
            out.truncate(start + len);
            return Some(());
        }
        let (symbol, length) = look_up(filled)?;
        if length > count {
            return None;
        }
        text[len] = symbol;
        len += 1;
        bits <<= length;
        count -= length;
    }
}

/// The symbol at the top of `bits`, and its length.
#[inline]
fn look_up(bits: u64) -> Option<(u8, u32)> {
    let (symbol, length) = CODE.short[(bits >> (64 - STEP)) as usize];
    if length > 0 { Some((symbol, u32::from(length))) } else { look_up_long(bits) }
}

#[cold]
fn look_up_long(bits: u64) -> Option<(u8, u32)> {
    let top = (bits >> 32) as u32;
    let length = (STEP as usize + 1..BITS_MAX).find(|&length| top < CODE.end[length]).unwrap_or(BITS_MAX);
    let (first, place) = CODE.first[length];
    let symbol = CODE.ordered[place as usize + ((top >> (32 - length)) - first) as usize];
    (symbol != EOS).then_some((symbol as u8, length as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_comes_back() {
        for first in 0..=255_u8 {
            for second in 0..=255_u8 {
                for text in
                    [&[first, second][..], &[first; 9], &[first, second, first, second, first, second]]
                {
                    let (mut coded, mut back) = (Vec::new(), vec![7]);
                    encode(&mut coded, text);
                    assert_eq!(coded.len(), encoded_len(text));
                    decode(&coded, &mut back).expect("our own code");
                    assert_eq!(&back[1..], text);
                }
            }
        }
    }

    #[test]
    fn codes_are_those_of_the_appendix() {
        let expected = [
            (0, 0x1ff8, 13),
            (b'0', 0, 5),
            (b'a', 3, 5),
            (b' ', 0x14, 6),
            (b'&', 0xf8, 8),
            (b'~', 0x1ffd, 13),
            (b'\\', 0x7fff0, 19),
            (127, 0xfff_fffc, 28),
            (22, 0x3fff_fffe, 30),
            (255, 0x3ff_ffee, 26),
        ];
        for (symbol, bits, length) in expected {
            assert_eq!((CODE.bits[symbol as usize], LENGTHS[symbol as usize]), (bits, length), "{symbol}");
        }
        assert_eq!(CODE.bits[EOS as usize], 0x3fff_ffff);
    }

    #[test]
    fn padding_is_a_short_prefix_of_eos() {
        let refused: &[&[u8]] = &[
            &[0xff],                               // eight bits of padding
            &[0x07, 0xff],                         // '0', then eleven
            &[0x00],                               // '0', then zeros
            &[0x1e],                               // 'a', then 110
            &[0xff, 0xff, 0xff, 0xff],             // EOS
            &[0x1f, 0xff, 0xff, 0xff, 0xff],       // 'a', EOS
            &[0xff, 0xff, 0xff],                   // a part of a code
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff], // more EOS
            &[0xff, 0xfe],                         // a code cut short
            &[0xff, 0xc4],                         // NUL, then 100
        ];
        for coded in refused {
            assert_eq!(decode(coded, &mut Vec::new()), None, "{coded:02x?}");
        }
        for (coded, text) in [(&b""[..], &b""[..]), (&[0x1f], b"a"), (&[0x07], b"0"), (&[0xff, 0xc7], b"\0")]
        {
            let mut out = Vec::new();
            assert_eq!((decode(coded, &mut out), &out[..]), (Some(()), text), "{coded:02x?}");
        }
    }
}
