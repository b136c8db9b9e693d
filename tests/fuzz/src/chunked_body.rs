//! Chunked bodies: whole, in pieces, against the plain rule, and written again.

use codec::h1::encode::{LAST_CHUNK, chunk_prefix};
use codec::h1::{BodyDecoder, BodyError, BodyFraming};
use vocabulary::limits::{CHUNK_LINE_BYTES, TRAILER_BYTES};

use crate::random::Random;
use crate::rules::{token, value};

/// Decoded bytes, encoded bytes, and whether the body has ended.
#[derive(Debug, PartialEq)]
struct Body {
    data: Vec<u8>,
    consumed: usize,
    done: bool,
}

/// Decodes any bytes as a chunked body.
pub fn chunked_body(input: &[u8]) {
    let whole = decode(input, &[input.len()]);
    assert_eq!(whole, decode(input, &Random::of(input).cuts(input.len())), "pieces read otherwise");
    match (&whole, rule(input)) {
        (Ok(body), Some(rule)) if body.done => assert_eq!(*body, rule),
        (Ok(Body { done: false, .. }), None) | (Err(_), None) => {}
        (read, rule) => panic!("read {read:?}, the rule says {rule:?}"),
    }
    if let Ok(body) = whole
        && body.done
    {
        written_again(&body.data);
    }
}

/// Decodes pieces that end at `ends`.
fn decode(input: &[u8], ends: &[usize]) -> Result<Body, BodyError> {
    let mut decoder = BodyDecoder::new(BodyFraming::Chunked);
    let mut body = Body { data: Vec::new(), consumed: 0, done: false };
    for &end in ends {
        while body.consumed < end && !decoder.is_done() {
            let piece = &input[body.consumed..end];
            let step = decoder.next(piece)?;
            assert!(step.consumed > 0 && step.consumed <= piece.len(), "no progress, or too much");
            assert!(step.data.end <= step.consumed, "data that wasn't read");
            assert_eq!(step.done, decoder.is_done());
            body.data.extend_from_slice(&piece[step.data]);
            body.consumed += step.consumed;
        }
    }
    body.done = decoder.is_done();
    Ok(body)
}

/// RFC 9112 §7.1 written down plainly: the body, if `input` begins with a whole and good one.
fn rule(input: &[u8]) -> Option<Body> {
    let mut data = Vec::new();
    let mut rest = input;
    loop {
        let line = take_line(&mut rest)?;
        let digits = line.iter().take_while(|octet| octet.is_ascii_hexdigit()).count();
        let (size, extension) = line.split_at(digits);
        let extension_fits = extension.is_empty() || b"; \t".contains(&extension[0]) && value(extension);
        // The line's CRLF counts, and so does the one that ended the chunk's data before it.
        if !(1..=15).contains(&digits) || !extension_fits || line.len() + 2 > CHUNK_LINE_BYTES {
            return None;
        }
        let size = usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        if size == 0 {
            break;
        }
        let (chunk, after) = rest.split_at_checked(size)?;
        data.extend_from_slice(chunk);
        rest = after.strip_prefix(b"\r\n")?;
    }
    let mut trailer = 0;
    loop {
        let line = take_line(&mut rest)?;
        trailer += line.len() + 2;
        if trailer > TRAILER_BYTES {
            return None;
        }
        if line.is_empty() {
            return Some(Body { data, consumed: input.len() - rest.len(), done: true });
        }
        let colon = line.iter().position(|octet| *octet == b':')?;
        if !token(&line[..colon]) || !value(&line[colon + 1..]) {
            return None;
        }
    }
}

fn take_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let line = &rest[..end];
    *rest = &rest[end + 2..];
    (!line.contains(&b'\r') && !line.contains(&b'\n')).then_some(line)
}

fn written_again(data: &[u8]) {
    let mut out = Vec::new();
    let mut start = 0;
    for end in Random::of(data).cuts(data.len()) {
        chunk_prefix(&mut out, end - start);
        out.extend_from_slice(&data[start..end]);
        out.extend_from_slice(b"\r\n");
        start = end;
    }
    out.extend_from_slice(LAST_CHUNK);
    let again = Body { data: data.to_vec(), consumed: out.len(), done: true };
    assert_eq!(decode(&out, &[out.len()]), Ok(again), "written again");
}
