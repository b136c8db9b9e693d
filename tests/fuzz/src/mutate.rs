//! New inputs from known ones: bits, bytes, pieces and words of the formats, in the wrong places.

use crate::random::Random;

/// An input is cut to this; larger ones find nothing that smaller ones don't, except limits, which corpora cover.
const BYTES_MAX: usize = 16_384;

/// Words that parsers look for.
const WORDS: [&[u8]; 76] = [
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"\0",
    b"\x7f",
    b"\xff",
    b"Host: a\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: 999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive, x-a\r\n",
    b"Expect: 100-continue\r\n",
    b"X-A: b\r\n",
    b"HTTP/1.1",
    b"HTTP/1.0",
    b"GET ",
    b"OPTIONS * ",
    b"http://a:1/",
    b"[::1]:80",
    b"*",
    b"?",
    b"//",
    b"/",
    b"%2F",
    b"0\r\n\r\n",
    b"0\r\nA: b\r\n\r\n",
    b"5\r\nhello\r\n",
    b"fffffffffffffff\r\n",
    b"10000000000000000\r\n",
    b"000000000000000",
    b"{x}",
    b"{proxy+}",
    b"{",
    b"}",
    b"ANY /",
    b"\nGET /",
    b"\n\n",
    b"@abcdefghij.execute-api.localhost /prod/",
    b"null",
    b"true",
    b"-1",
    b"1e9",
    b"[]",
    b"\"\"",
    b"\\u0000",
    b"\\ud800",
    b"${AWS::Region}",
    b"${AWS::AccountId}",
    b"${stageVariables.a}",
    b"x-amazon-apigateway-integration",
    b"x-amazon-apigateway-any-method",
    b"$ref",
    b"'static'",
    b"&a ",
    b"*a",
    "\u{e9}\u{1f600}".as_bytes(),
    b"\0\0\0\x04\0\0\0\0\0",
    b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\x05",
    b"\0\0\0\0\x01\0\0\0\x01",
    b"\0\0\x01\0\0\0\0\0\x01x",
    b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08",
    b"\0\0\x04\x08\0\0\0\0\0\0\0\0\x09",
    b"\0\0\x03\x01\x05\0\0\0\x03\x82\x86\x84",
    b"\0\0\x01\x01\x05\0\0\0\x01\x88",
    b"\x40\x01a\x01b",
    b"\xbe",
    b"\x20",
    b"\x3f\xe1\x1f",
];

/// An input made of `corpus`, by the numbers of `random`.
#[must_use]
pub fn input(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let pick = |random: &mut Random| corpus.get(random.below(corpus.len())).cloned().unwrap_or_default();
    let mut bytes = pick(random);
    // Few changes keep an input deep in its format, many show the format's edges.
    for _ in 0..1 + random.below(2) * random.below(8) {
        change(&mut bytes, &pick(random), random);
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let end = (at + 1 + random.below(16)).min(bytes.len());
    match random.below(9) {
        0 => {
            if let Some(octet) = bytes.get_mut(at) {
                *octet ^= 1 << random.below(8);
            }
        }
        1 => {
            if let Some(octet) = bytes.get_mut(at) {
                *octet = random.number() as u8;
            }
        }
        2 => drop(bytes.drain(at..end.max(at))),
        3 => {
            let piece = bytes[at..end.max(at)].to_vec();
            bytes.splice(at..at, piece);
        }
        4 => {
            let from = random.below(other.len() + 1);
            let piece = &other[from..(from + random.below(64)).min(other.len())];
            bytes.splice(at..at, piece.iter().copied());
        }
        5 => bytes.truncate(at),
        6 => {
            let piece = bytes[at..end.max(at)].to_vec();
            let times = random.below(200);
            bytes.splice(at..at, piece.repeat(times));
        }
        7 => {
            let word = WORDS[random.below(WORDS.len())];
            bytes.splice(at..end.max(at), word.iter().copied());
        }
        _ => {
            let word = WORDS[random.below(WORDS.len())];
            bytes.splice(at..at, word.iter().copied());
        }
    }
}
